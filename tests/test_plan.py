"""Plans: the same bits as without, fewer steps, buffers shared safely, and errors that name."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bplib import grad, hvp, jvp, losses, nn, ops, optim, plan, stop_gradient, train, value_and_grad
from bplib.plan import program
from tests.ops_samples import SAMPLES

RNG = np.random.default_rng(5)
CLOSE = {"prod"}  # eager divides by the factor where no factor is zero, a plan cannot look
CASES = [(name, k) for name, cases in SAMPLES.items() for k in range(len(cases))]


def same(a, b, exact=True):
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(same(x, y, exact) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k], exact) for k in a)
    if np.shape(a) != np.shape(b) or np.asarray(a).dtype != np.asarray(b).dtype:
        return False
    if exact:
        return np.array_equal(a, b, equal_nan=True)
    return np.allclose(a, b, rtol=1e-5, atol=1e-5)


def agree(f, *xs, exact=True):
    """Return the compiled function after three calls that gave what f gives."""
    compiled = plan.compile(f)
    expected = f(*xs)
    for _ in range(3):  # a replay must not see what the one before left in the buffers
        assert same(compiled(*xs), expected, exact)
    assert compiled.traces == 1
    return compiled


@pytest.mark.parametrize(("name", "k"), CASES)
def test_every_primitive_and_its_derivatives_keep_their_bits(name, k):
    case = SAMPLES[name][k]
    exact = name not in CLOSE
    drawn = case.draw()
    weights = np.random.default_rng(1).normal(size=np.shape(case.f(*drawn)))
    scalar = lambda *xs: (case.f(*xs) * weights).sum()  # noqa: E731
    every = tuple(range(len(drawn)))
    kinds = {
        "value": case.f,
        "gradient": value_and_grad(scalar, every),
        "jvp": lambda *xs: jvp(case.f, xs, xs),
        "hvp": lambda *xs: hvp(scalar, xs, xs),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for f in kinds.values():
            for dtype in (np.float64, np.float32):
                agree(f, *[np.asarray(x, dtype) for x in drawn], exact=exact)
            if not any(np.ndim(x) for x in drawn):
                agree(f, *map(float, drawn), exact=exact)


def test_a_broken_replay_would_be_noticed(monkeypatch):
    monkeypatch.setattr(program, "_overwritable", lambda *a: next(iter(a[4]), None))
    with pytest.raises(AssertionError):
        agree(grad(lambda x: (np.tanh(x) * np.sin(x)).sum()), RNG.normal(size=(4, 3)))


def test_dead_and_repeated_steps_go():
    def f(x):
        unused = np.exp(x)
        del unused
        return (np.sin(x) * np.sin(x) + np.sin(x)).sum()

    names = [call.name for call in agree(f, RNG.normal(size=5)).plan().program.calls]
    assert names == ["sin", "multiply", "add", "add.reduce"]


def test_a_relu_is_asked_for_its_mask_after_the_fact():
    x = RNG.normal(size=(6, 4))
    compiled = agree(grad(lambda x: (ops.relu(x) * ops.relu(x)).sum()), x)
    assert "greater(x0" not in compiled.explain()


def test_buffers_are_shared_and_counted():
    def f(x):
        for _ in range(40):
            x = np.tanh(x) + 1
        return x.sum()

    x = RNG.normal(size=(64, 64))
    compiled = agree(f, x)
    assert compiled.plan().nbytes == x.nbytes  # everything happens in one buffer
    assert compiled.plan().program.apart == 80 * x.nbytes
    assert max(compiled.plan().program.live) == x.nbytes
    text = compiled.explain()
    assert f"buffers: {x.nbytes:,} bytes; {80 * x.nbytes:,} if none were shared" in text
    assert "over %" in text


def test_a_replay_allocates_only_what_it_returns():
    import tracemalloc

    x, W = RNG.normal(size=(128, 64)), RNG.normal(size=(64, 64))
    compiled = agree(value_and_grad(lambda W: (np.tanh(np.tanh(x @ W) @ W) ** 2).sum()), W)
    compiled(W)
    tracemalloc.start()
    kept = compiled(W)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < W.nbytes + 4096
    assert kept[1].flags.owndata


def test_results_belong_to_the_caller():
    x = RNG.normal(size=4)
    constant = RNG.normal(size=4)

    def f(x):
        y = x * 2
        return x, y, y, y[::-1], constant, x.reshape(2, 2), x.sum(), y[1]

    compiled = agree(f, x)
    first = compiled(x)
    again = compiled(x + 1)
    assert same(first, f(x))
    assert same(again, f(x + 1))
    arrays = [a for a in (*first, *again) if np.ndim(a)]
    for i, a in enumerate(arrays):
        assert not np.shares_memory(a, x)
        assert not np.shares_memory(a, constant)
        assert not any(np.shares_memory(a, b) for b in arrays[i + 1 :])


def test_writes_to_arguments_are_repeated():
    def step(p, v, g, lr):
        old = p.copy()
        v *= 0.9
        v += g
        p -= lr * v
        p[0] = 0.0
        return old, p * 2

    def run(f, n=3):
        p, v = np.arange(4.0), np.zeros(4)
        out = [f(p, v, np.ones(4), 0.1 * (k + 1)) for k in range(n)]
        return p, v, out

    compiled = plan.compile(step)
    assert same(run(step), run(compiled))
    p = np.zeros(4)
    with pytest.raises(plan.PlanError, match="shares memory with argument"):
        compiled(p, p[:], np.ones(4), 0.1)


def test_swapped_arguments_and_old_values_survive():
    def swap(a, b):
        keep = a + 0
        a[...] = b * 2
        b[...] = keep.T @ keep
        return keep

    def run(f):
        a, b = np.arange(9.0).reshape(3, 3), np.ones((3, 3))
        return f(a, b), f(a, b), a, b

    assert same(run(swap), run(plan.compile(swap)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", losses.TABLE)
@pytest.mark.parametrize(
    "kind", [optim.SGD, optim.Momentum, optim.Nesterov, optim.RMSProp, optim.Adam, optim.AdamW]
)
def test_a_planned_step_is_backprop_and_update_bit_for_bit(kind, loss, dtype):
    for activation in ("relu", "tanh", "gelu", "leaky_relu"):
        output = losses.fused_activation(losses.get(loss)) or "tanh"
        nets = [nn.MLP([6, 5, 4, 3], activation, output, dtype=dtype) for _ in range(2)]
        optimizers = [kind(lambda t: 0.1 / (t + 1)) for _ in range(2)]
        step = train.PlannedStep(nets[1], loss, optimizers[1], weight_decay=0.01)
        for B in (7, 7, 3, 7):
            X = RNG.normal(size=(B, 6)).astype(dtype)
            T = losses.one_hot(RNG.integers(0, 3, B), 3, dtype)
            g = nets[0].backprop(X, T, loss, weight_decay=0.01)
            optimizers[0].step(nets[0].parameters(), g.flat())
            assert step(X, T) == g.J
            assert same(nets[0].parameters(), nets[1].parameters())
            assert same(optimizers[0].arrays(), optimizers[1].arrays())


def test_a_planned_step_follows_replaced_arrays():
    net, other = nn.MLP([3, 4, 2]), nn.MLP([3, 4, 2])
    optimizers = optim.Momentum(0.1), optim.Momentum(0.1)
    step = train.PlannedStep(net, "squared_error", optimizers[0])
    X, T = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))
    for k in range(4):
        if k == 2:
            new = RNG.normal(size=(3, 4))
            net.W[1], other.W[1] = new.copy(), new.copy()
            optimizers[0].load_state(optimizers[1].copy_state())
        step(X, T)
        optimizers[1].step(other.parameters(), other.backprop(X, T, "squared_error").flat())
        assert same(net.parameters(), other.parameters())


def test_a_planned_training_is_the_training():
    X, t = RNG.normal(size=(50, 4)), RNG.integers(0, 3, 50)
    runs = []
    for planned in (False, True):
        net = nn.MLP([4, 8, 3], "relu", "softmax")
        history = train.fit(
            net, X, t, loss="softmax_cross_entropy", optimizer=optim.Adam(0.01), epochs=5,
            batch_size=8, planned=planned, validation=(X, t), patience=3,
        )  # fmt: skip
        runs.append((history, net.parameters()))
    assert runs[0][0] == runs[1][0]
    assert same(runs[0][1], runs[1][1])


def test_a_planned_training_that_explodes_says_the_same():
    X, t = RNG.normal(size=(50, 4)), RNG.integers(0, 3, 50)
    told = []
    for planned in (False, True):
        net = nn.MLP([4, 8, 3], "relu", "softmax")
        before = net.copy_parameters()
        with pytest.raises(train.Diverged) as error:
            train.fit(net, X, t, loss="softmax_cross_entropy", optimizer=optim.SGD(1e6), epochs=5,
                      batch_size=8, planned=planned)  # fmt: skip
        told.append((str(error.value), error.value.batch, error.value.layer))
        assert same(net.parameters(), before)
    assert told[0] == told[1]


def test_symbol_to_symbol_gives_the_gradient_of_the_gradient():
    f = lambda x: (np.sin(x) * x**3).sum()  # noqa: E731
    third = grad(lambda x: grad(lambda x: grad(f)(x).sum())(x).sum())
    agree(third, RNG.normal(size=5))
    agree(grad(grad(grad(lambda x: ops.sin(x) * x**3))), 0.7)


def test_trees_options_and_statics_go_through():
    def f(params, x, mode="sum", scale=2.0, flag=True):
        y = x @ params["W"] + params["b"][0]
        y = {"sum": y.sum(), "max": y.max()}[mode] * scale
        return {"y": y, "none": None, "both": (params["b"][0], [y, "text"])} if flag else y

    params = {"W": RNG.normal(size=(3, 2)), "b": [RNG.normal(size=2)]}
    x = RNG.normal(size=(4, 3))
    compiled = plan.compile(f)
    got, expected = compiled(params, x), f(params, x)
    assert got["none"] is None
    assert got["both"][1][1] == "text"
    assert same([got["y"], got["both"][0]], [expected["y"], expected["both"][0]])
    for scale in (3.0, 4.0):
        got = compiled(params, x, mode="max", scale=scale)
        assert got["y"] == f(params, x, mode="max", scale=scale)["y"]
    assert compiled.traces == 2  # another float is another number, not another plan
    assert compiled(params, x, flag=False) == f(params, x, flag=False)
    assert compiled.traces == 3


def test_another_shape_or_dtype_retraces_or_says_so():
    f = lambda x: np.tanh(x).sum()  # noqa: E731
    compiled = plan.compile(f)
    for x in (
        np.ones(3),
        np.ones(4),
        np.ones(3, np.float32),
        np.ones((3, 1)),
        0.5,
        np.float32(0.5),
    ):
        assert compiled(x) == f(x)
    assert compiled.traces == 6
    compiled(np.zeros(3))
    assert compiled.traces == 6
    strict = plan.compile(f, retrace=False)
    strict(np.ones(3))
    with pytest.raises(plan.PlanError, match=r"planned for the signature .*\(3,\).*retrace=True"):
        strict(np.ones(4))


def test_plans_are_kept_up_to_a_limit():
    compiled = plan.compile(lambda x: x * 2)
    for n in range(plan.KEPT + 5):
        compiled(np.ones(n))
    assert len(compiled.entries) == plan.KEPT


FORBIDDEN = {
    "branch": (lambda x: x if x.sum() > 0 else -x, "`if`"),
    "loop": (lambda x: [x for _ in iter(lambda: bool(x[0] > 1), True)], "bool"),
    "and": (lambda x: (x > 0).all() and x, "`and`"),
    "float": (lambda x: x * float(x[0]), r"float\(\)"),
    "int": (lambda x: x[: int(x[0])], r"int\(\)"),
    "item": (lambda x: x.max().item() * x, "item"),
    "array": (lambda x: np.array([1.0, 2.0, 3.0])[np.asarray(x) > 0], "plain array"),
    "range": (lambda x: [x for _ in range(x[0])], "index or a count"),
    "into": (lambda x: np.add(x, 1, out=np.zeros(3)), "plain array"),
    "positions": (lambda x: x[np.where(x > 0)], "as many positions as it finds"),
    "gradient": (grad(lambda x: x.sum() if x[0] > 0 else x.prod()), "`if`"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_depends_on_values_is_found_and_named(name):
    f, words = FORBIDDEN[name]
    compiled = plan.compile(f)
    with pytest.raises(plan.PlanError, match=words) as error:
        compiled(np.array([1.0, 2.0, 3.0]))
    assert "test_plan.py:" in str(error.value)
    assert not compiled.entries
    with pytest.raises(plan.PlanError, match=words):
        compiled(np.array([1.0, 2.0, 3.0]))


def test_a_write_through_a_view_is_refused():
    def f(x):
        y = x * 2
        y[0] += 1
        row = y.reshape(3, 1)
        y += 1
        return y, row

    with pytest.raises(plan.PlanError, match="shares its memory with a view"):
        plan.compile(f)(np.ones(3))


def test_errors_of_shape_and_kind_come_as_without_a_plan():
    with pytest.raises(ValueError, match="broadcast"):
        plan.compile(lambda a, b: a + b)(np.ones(3), np.ones(4))
    with pytest.raises(ValueError, match="do not chain"):
        plan.compile(lambda a, b: a @ b)(np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(TypeError, match="complex"):
        plan.compile(lambda a: a)(np.ones(3, complex))
    with pytest.raises(TypeError, match="takes a function"):
        plan.compile(3)
    with pytest.raises(plan.PlanError, match="before the first call"):
        plan.compile(abs).explain()
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        plan.compile(lambda a: a.nonsense)(np.ones(3))
    with pytest.raises(TypeError, match="plain NumPy arrays"):
        plan.compile(lambda a: a)(np.ma.ones(3))


def test_numbers_that_make_python_raise_get_their_ieee_answer():
    f = lambda x: 1 / x + ops.exp(1000 * x) + ops.log(x)  # noqa: E731
    compiled = plan.compile(f)
    assert compiled(0.5) == f(0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert compiled(2.0) == np.inf
        assert type(compiled(2.0)) is float
        assert np.isnan(compiled(0.0))  # 1/0 + 1 - inf
    assert compiled(0.5) == f(0.5)


def test_a_quiet_step_stays_quiet_and_a_loud_one_loud():
    def quiet(x):
        with np.errstate(divide="ignore"):
            return np.log(x)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled = plan.compile(quiet)
        np.testing.assert_array_equal(compiled(np.zeros(2)), [-np.inf] * 2)
        np.testing.assert_array_equal(compiled(np.zeros(2)), [-np.inf] * 2)
        with pytest.raises(RuntimeWarning):
            plan.compile(np.log)(np.zeros(2))


def test_inside_another_transformation_or_plan_it_is_part_of_that():
    inner = plan.compile(lambda x: np.tanh(x) * x)
    x = RNG.normal(size=3)
    f = lambda x: inner(x).sum()  # noqa: E731
    assert same(grad(f)(x), grad(lambda x: (np.tanh(x) * x).sum())(x))
    agree(grad(f), x)
    assert inner.traces == 0


def test_a_constant_gradient_and_one_that_left_the_graph():
    agree(grad(lambda x: (x * 3).sum()), np.ones(4))
    agree(grad(lambda x: (x * stop_gradient(np.exp(x))).sum()), np.ones(4))
    agree(lambda x: np.ones(3), 2.0)


def test_threads_take_turns():
    compiled = plan.compile(lambda W: np.tanh(W @ W) @ W)
    inputs = [RNG.normal(size=(40, 40)) for _ in range(4)]
    expected = [compiled(W) for W in inputs]
    wrong = []

    def run(i):
        for _ in range(50):
            if not np.array_equal(compiled(inputs[i]), expected[i]):
                wrong.append(i)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert not wrong


def test_long_chains_compile_and_run():
    def f(x):
        for _ in range(3000):
            x = x * 0.999 + 0.001
        return x

    agree(grad(f), 0.5)
    agree(grad(lambda x: f(x).sum()), np.ones(3))


def test_no_symbol_outlives_its_trace():
    kept = []
    plan.compile(lambda x: kept.append(x) or x * 2)(np.ones(3))
    with pytest.raises(plan.PlanError, match="another trace"):
        plan.compile(lambda x: x + kept[0])(np.ones(3))


@pytest.mark.parametrize("seed", range(30))
def test_random_programs_keep_their_bits(seed):
    rng = np.random.default_rng(seed)
    table = [np.tanh, np.sin, np.exp, lambda a: a.T @ a, lambda a: a.sum(0), lambda a: a[::2, ::-1],
             lambda a: a.reshape(-1), lambda a: np.maximum(a, 0),
             lambda a: a - a.mean()]  # fmt: skip

    def f(x, y):
        pool = [x, y, x * 0.1]
        for _ in range(25):
            a = pool[rng_.integers(len(pool))]
            b = pool[rng_.integers(len(pool))]
            if rng_.random() < 0.5 and a.shape == b.shape:
                pool.append([np.add, np.multiply, np.subtract][rng_.integers(3)](a, b) * 0.5)
            elif a.ndim == 2:
                pool.append(np.tanh(table[rng_.integers(len(table))](a)))
            if rng_.random() < 0.2:
                pool[-1] = pool[-1] * 1.0
                pool[-1] += 0.25
        return pool[3:]

    x, y = rng.normal(size=(2, 4, 4))
    rng_ = np.random.default_rng(seed)
    expected = f(x, y)
    rng_ = np.random.default_rng(seed)
    compiled = plan.compile(f)
    got = compiled(x, y)
    assert same(list(got), list(expected))
    assert same(list(compiled(x, y)), list(expected))


def test_memory_is_returned_to_the_free_list_whole():
    arena = program.Program([], [], [])
    free = []
    a, b, c = (program._take(free, n, arena) for n in (64, 128, 64))
    for offset, size in ((a, 64), (c, 64), (b, 128)):
        program._give(free, offset, size)
    assert free == [(0, 256)]
    assert program._take(free, 320, arena) == 0  # the last gap grows
    assert arena.arena == 320


def test_symbols_count_and_iterate_like_arrays():
    def f(x):
        assert len(x) == 2
        assert x.ndim == 2
        assert x.size == 6
        assert x.nbytes == 48
        assert "2, 3" in repr(x) or isinstance(x, np.ndarray)
        return sum(row.max() - row.min() for row in x)

    agree(f, RNG.normal(size=(2, 3)))
