"""The exercises of chapter 13. The oracles run programs, count, or try one number after another."""

import math

import numpy as np

from bplib.check import complex_step
from bplib.equations import Letters, uniform
from bplib.exercises import Exercise, Wrong, checker, right_side

NUMBERS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "neg": lambda a: -a,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
}
PAIRS = ("add", "sub", "mul")


def compute(op, *args):
    """Do an operation: the `do` of the chapter that returns numbers."""
    return NUMBERS[op](*args)


class Written:
    """A result that was written down: a number only when asked, and no arithmetic of its own."""

    def __init__(self, op, args):
        self.op, self.args = op, args

    def __float__(self):
        return float(NUMBERS[self.op](*map(float, self.args)))


def write(op, *args):
    """Note an operation: the `do` of the chapter that returns names."""
    return Written(op, args)


def _tanh_cases(rng):
    cases = [(compute, g, a) for g, a in rng.normal(size=(3, 2)).tolist()]
    letter = lambda x: Written("add", (x, 0.0))  # noqa: E731
    return cases + [(write, letter(g), letter(a)) for _, g, a in cases]


def _tanh_oracle(do, g, a):
    return (float(g) * float(complex_step(np.tanh, float(a))),)


def _right_tanh(do, g, a):
    y = do("tanh", a)
    return (do("mul", g, do("sub", 1.0, do("mul", y, y))),)


def _programs(rng):
    """Programs with dead rows and with repeated ones, also repeated at second sight."""
    cases = [
        [
            ("a", "sin", ("x",)),
            ("b", "sin", ("x",)),
            ("c", "cos", ("a",)),
            ("d", "cos", ("b",)),
            ("e", "mul", ("c", "d")),
            ("f", "neg", ("x",)),
        ]
    ]
    for _ in range(6):
        rows, names = [], ["x", "y"]
        for k in range(14):
            op = str(rng.choice(["add", "mul", "sin", "neg"]))
            count = 2 if op in PAIRS else 1
            rows.append((f"r{k}", op, tuple(map(str, rng.choice(names[-4:], count)))))
            names.append(f"r{k}")
        cases.append(rows)
    return cases


def _with_output(rng):
    return [(rows, rows[-2][0]) for rows in _programs(rng)]


def _reached(rows, out):
    """From the result backward, by a worklist instead of one pass."""
    made = {name: args for name, _, args in rows}
    todo, seen = [out], set()
    while todo:
        name = todo.pop()
        if name in made and name not in seen:
            seen.add(name)
            todo += made[name]
    return len(seen)


def _different(rows):
    """The number of different formulas, each written out."""
    text = {}
    for name, op, args in rows:
        text[name] = f"{op}({', '.join(text.get(a, a) for a in args)})"
    return len(set(text.values()))


def _shallow(rows):
    return len({(op, args) for _, op, args in rows})


def _one_step_alive(rows, out):
    (args,) = [a for name, _, a in rows if name == out]
    return 1 + sum(name in args for name, _, _ in rows)


def _count_products(n):
    """Count them: multiply out, and sweep."""
    written = sum(max(len([j for j in range(n) if j != i]) - 1, 0) for i in range(n))
    swept = 0
    for _ in range(n - 1):  # each product of the run, and the two of its rule
        swept += 1 + len(("for the one factor", "for the other"))
    return float(written), float(swept)


def _limit(x):
    return np.array([1 + math.log(v) if v > 1 else v for v in x])


class Strict(np.ndarray):
    """An array on which NumPy raises where it would warn."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [v.view(np.ndarray) if isinstance(v, Strict) else v for v in inputs]
        with np.errstate(all="raise"):
            y = getattr(ufunc, method)(*plain, **kwargs)
        return y.view(Strict) if isinstance(y, np.ndarray) and y.dtype.kind == "f" else y


def _strict(rng):
    points = np.array([-2.0, 0.0, 0.5, 1.0, 3.0, 20.0]), rng.normal(size=5)
    return [(x.view(Strict),) for x in points]


def _costs(rng):
    return [(100.0, 3.0, 1.0), (7.0, 2.0, 1.0), (7.5, 2.0, 1.0), (0.5, 2.0, 1.0), (64.0, 1.0, 0.5)]


def _try_calls(c, e, r):
    m = 0
    while not c + m * r < m * e:
        m += 1
    return m


def _once(x):
    return 4 * x * (1 - x)


# Against the complex step of two rounds.
_printed = right_side(
    "D",
    Letters(x=uniform(0.05, 0.95), D=lambda x: float(complex_step(lambda v: _once(_once(v)), x))),
    without=("partial", "_"),
    otherwise="Give a formula in x only.",
)


EXERCISES = [
    Exercise(
        "13-tanh",
        "a function rule_tanh(do, g, a) that returns a tuple with one entry",
        oracle=_tanh_oracle,
        cases=_tanh_cases,
        right=_right_tanh,
        proves="The same rule computes and writes.",
        placeholder=lambda do, g, a: None,
        wrong=(
            Wrong(
                lambda do, g, a: (do("mul", g, do("sub", 1.0, do("tanh", a))),),
                "The square is missing: the derivative is 1 - tanh^2.",
            ),
            Wrong(
                lambda do, g, a: (do("sub", 1.0, do("mul", do("tanh", a), do("tanh", a))),),
                "What arrives, g, is missing.",
            ),
            Wrong(
                lambda do, g, a: (do("mul", g, do("sub", 1.0, do("mul", a, a))),),
                "The square is that of the result, not of the argument.",
            ),
            Wrong(
                lambda do, g, a: (g * (1 - np.tanh(float(a)) ** 2),),
                "That computes, and cannot write: every sign must be a do.",
            ),
        ),
    ),
    Exercise(
        "13-written",
        "a whole number",
        oracle=lambda: _recursion(20),
        right=62914560,
        proves="On paper there is no way to say: this again.",
        wrong=(
            Wrong(3145725, "That is the value; its derivative is longer."),
            Wrong(157, "That is the program, with sharing."),
            Wrong(180, "That is the program before tidying."),
            Wrong(3145728, "The product rule copies the value beside the derivative."),
        ),
    ),
    Exercise(
        "13-alive",
        "a function alive(rows, out) that returns a number",
        oracle=_reached,
        cases=_with_output,
        right=lambda rows, out: _alive(rows, out),
        proves="One pass from the last row to the first finds them.",
        placeholder=lambda rows, out: None,
        wrong=(
            Wrong(lambda rows, out: len(rows), "Rows that lead nowhere are not needed."),
            Wrong(
                _one_step_alive,
                "What the result reads has arguments of its own.",
            ),
            Wrong(
                lambda rows, out: 1 + [name for name, _, _ in rows].index(out),
                "Not everything that comes before the result is used by it.",
            ),
        ),
    ),
    Exercise(
        "13-distinct",
        "a function distinct(rows) that returns a number",
        oracle=_different,
        cases=lambda rng: [(rows,) for rows in _programs(rng)],
        right=lambda rows: _merged(rows),
        proves="Equal at second sight counts as well.",
        placeholder=lambda rows: None,
        wrong=(
            Wrong(_shallow, "Arguments that were found equal must be replaced first."),
            Wrong(lambda rows: len(rows), "Nothing was merged."),
            Wrong(
                lambda rows: len({op for _, op, _ in rows}),
                "Those are the kinds of operations; the arguments matter.",
            ),
        ),
    ),
    Exercise(
        "13-product",
        "a function product_counts(n) that returns a pair",
        oracle=_count_products,
        cases=lambda rng: [(3,), (10,), (1000,)],
        right=lambda n: (n * (n - 2), 3 * (n - 1)),
        proves="Square against linear.",
        placeholder=lambda n: None,
        wrong=(
            Wrong(
                lambda n: (n * (n - 1), 3 * (n - 1)),
                "A product of n - 1 factors takes n - 2 multiplications.",
            ),
            Wrong(
                lambda n: (n * (n - 2), 2 * (n - 1)), "The multiplications of y itself count too."
            ),
            Wrong(lambda n: (n * (n - 2), 3 * n), "There are n - 1 products, not n."),
        ),
    ),
    Exercise(
        "13-traffic",
        "a pair (row by row, fused)",
        oracle=lambda: (3.0 * (2 + 1), 4.0 + 1),
        right=(9, 5),
        proves="Fused, every input is read once and the result written once.",
        wrong=(
            Wrong((6, 5), "The results are written, and that is traffic too."),
            Wrong((9, 4), "The result must be written."),
            Wrong((9, 2), "There are four inputs, and each must be read."),
            Wrong((5, 9), "The other way round: row by row comes first."),
        ),
    ),
    Exercise(
        "13-branch",
        "a function soft_limit(x) that returns an array of the shape of x",
        oracle=_limit,
        cases=_strict,
        right=lambda x: np.where(x > 1, 1 + np.log(np.maximum(x, 1)), x),
        proves="Both sides are computed, and both are harmless.",
        placeholder=lambda x: None,
        wrong=(
            Wrong(
                lambda x: np.where(x > 1, 1 + np.log(x), x),
                "The logarithm of a negative entry is computed too, and it is NaN.",
            ),
            Wrong(
                lambda x: np.where(x > 1, np.log(np.maximum(x, 1)), x),
                "The 1 is missing: at x = 1 the function would jump.",
            ),
            Wrong(
                lambda x: np.asarray(1 + np.log(np.maximum(x, 1))),
                "The entries below 1 stay as they are.",
            ),
        ),
    ),
    Exercise(
        "13-stops",
        "one letter",
        oracle=lambda: "C",
        right="C",
        proves="How often it runs depends on entries, and a symbol has none.",
        wrong=(
            Wrong("A", "Three rounds are three rounds, whatever x is: the loop is unrolled."),
            Wrong("B", "A symbol knows its shape."),
            Wrong("D", "Here both sides are computed, and the choice is an operation."),
        ),
    ),
    Exercise(
        "13-pays",
        "a function pays_from(c, e, r) that returns a whole number",
        oracle=_try_calls,
        cases=_costs,
        right=lambda c, e, r: math.floor(c / (e - r)) + 1,
        proves="Strictly cheaper, so at equality one call more.",
        placeholder=lambda c, e, r: None,
        wrong=(
            Wrong(
                lambda c, e, r: math.ceil(c / (e - r)),
                "At equality the plan is not cheaper yet.",
            ),
            Wrong(lambda c, e, r: math.floor(c / e) + 1, "A replay is not free."),
            Wrong(lambda c, e, r: math.floor(c / (e - r)), "One call more."),
        ),
    ),
    Exercise(
        "13-printed",
        "the right side of the formula, in LaTeX",
        oracle=None,
        refuses=_printed,
        right=r"(4 - 8 x) (4 - 32 x (1 - x))",
        proves="Evaluated from your print, against the complex step of two rounds.",
        placeholder="",
        wrong=(
            Wrong(r"(4 - 8 x)^2", "The second factor is taken at u_2, not at x."),
            Wrong(r"(4 - 8 x) + (4 - 32 x (1 - x))", "The factors are multiplied."),
            Wrong(r"(4 - 8 x) (4 - 8 x (1 - x))", "u_2 is 4 x (1 - x)."),
        ),
    ),
]


def _recursion(n):
    """Operations of value and derivative, round after round."""
    t = d = 0
    for _ in range(n):
        t, d = 2 * t + 3, 2 * d + 2 * t + 6
    return d


def _alive(rows, out):
    names, count = {out}, 0
    for name, _, args in reversed(rows):
        if name in names:
            names.update(args)
            count += 1
    return count


def _merged(rows):
    known, other = {}, {}
    for name, op, args in rows:
        args = tuple(other.get(a, a) for a in args)
        other[name] = known.setdefault((op, args), name)
    return len(known)


check = checker(EXERCISES)
