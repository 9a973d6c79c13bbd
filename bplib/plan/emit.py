"""Writing a program out as Python: straight-line NumPy calls on arrays that exist already."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bplib.plan import views
from bplib.plan.program import ALIGN, Program
from bplib.plan.values import Call, Value

INFIX = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.true_divide: "/", np.greater: ">",
    np.greater_equal: ">=", np.less: "<", np.less_equal: "<=", np.equal: "==", np.not_equal: "!=",
}  # fmt: skip
# On Python floats: the functions that the primitives use for them.
MATH = {
    np.exp: math.exp, np.expm1: math.expm1, np.log: math.log, np.log1p: math.log1p,
    np.log2: math.log2, np.log10: math.log10, np.sqrt: math.sqrt, np.sin: math.sin,
    np.cos: math.cos, np.tan: math.tan, np.arcsin: math.asin, np.arccos: math.acos,
    np.arctan: math.atan, np.sinh: math.sinh, np.cosh: math.cosh, np.tanh: math.tanh,
    np.arcsinh: math.asinh, np.arccosh: math.acosh, np.arctanh: math.atanh,
    np.absolute: math.fabs, np.power: math.pow,
}  # fmt: skip
CHOICE = {np.maximum: ">", np.minimum: "<"}
KEYWORD_OUT = (np.maximum, np.minimum)  # they refuse a third positional argument
ROW = 8192  # entries


class Emitter:
    """Builds the source of one function and the names it uses."""

    def __init__(self, program: Program, ieee: bool) -> None:
        self.program, self.ieee = program, ieee
        self.names: dict[str, Any] = {"empty": np.empty, "copyto": np.copyto}
        self.labels: dict[int, str] = {}  # id of a function -> its name in the source
        self.static: dict[int, np.ndarray] = {}  # value number -> an array that stays where it is
        self.arrays: dict[Any, np.ndarray] = {}
        self.constants: dict[Any, Any] = {}
        self.local: dict[int, str] = {}
        self.read: set[int] = set()  # the numbers among the arguments that are read as numbers
        self.lines: list[str] = []
        self.cells: dict[Any, str] = {}  # (value number, dtype) -> an array of no dimensions
        self.returned = {v.number for v in program.outputs if type(v) is Value and v.shape}
        memory = np.empty(program.arena + ALIGN, np.uint8)
        skip = -memory.ctypes.data % ALIGN
        self.arena = memory[skip : skip + program.arena]

    def name(self, prefix: str, thing: Any) -> str:
        """Return a name for an object that the source refers to."""
        key = id(thing)
        if key not in self.labels:
            label = prefix
            while label in self.names:
                label = f"{prefix}_{len(self.names)}"
            self.names[label] = thing
            self.labels[key] = label
        return self.labels[key]

    def function(self, call: Call, f: Any, label: str) -> str:
        """Return the name of a function, wrapped where it ran under other error settings."""
        if call.errors is None:
            return self.name(label, f)
        errors = call.errors

        def quiet(*args: Any, **kwargs: Any) -> Any:
            with np.errstate(**errors):
                return f(*args, **kwargs)

        label = f"{label}_quiet_{len(self.names)}"
        self.names[label] = quiet
        return label

    # Operands

    def ref(self, v: Any, scalar: bool = False, like: np.dtype | None = None) -> str:
        """Return the expression for an operand, creating what it needs."""
        if type(v) is not Value:
            return self.constant(v, scalar, like)
        if not v.shape and not scalar and v.dtype.kind == "f":
            return self.cell(v, like if v.weak and like is not None else v.dtype)
        if v.number in self.local:
            self.read.add(v.number)
            return self.local[v.number]
        if v.number in self.program.target:
            return self.ref(self.program.target[v.number])
        array = self.array(v)
        if array is None:
            raise AssertionError(f"{v} is used before it is made")
        prefix = {"bound": "w", "constant": "k"}.get(v.role, "b" if v.base is None else "v")
        return self.name(f"{prefix}{v.number}", array)

    def cell(self, v: Value, dtype: np.dtype) -> str:
        """Return an array of no dimensions that a number is put into: ufuncs take those faster."""
        key = (v.number, dtype)
        if key not in self.cells:
            cell = np.zeros((), dtype)
            self.names.setdefault("_kept", []).append(cell)
            self.cells[key] = self.name(f"z{v.number}", cell)
            if v.weak and v.role == "input":  # the array converts a Python float by itself
                self.lines.append(f"{self.cells[key]}[()] = {self.local[v.number]}")
            else:
                self.lines.append(f"{self.cells[key]}[()] = {self.ref(v, scalar=True)}")
        return self.cells[key]

    def constant(self, c: Any, scalar: bool, like: np.dtype | None) -> str:
        """Return the expression for a constant."""
        if type(c) in (bool, int, float):
            if scalar:
                if self.ieee and type(c) is float:
                    return self.name("k", np.float64(c))
                return repr(c) if math.isfinite(c) else f"float('{c}')"
            if like is not None and like.kind == "f":
                c = np.asarray(c, like)  # an array of no dimensions is passed faster
            return self.name("k", self.kept(c))
        return self.name(
            "k", self.kept(c if scalar or isinstance(c, np.ndarray) else np.asarray(c))
        )

    def kept(self, c: Any) -> Any:
        if isinstance(c, np.ndarray | np.generic) and c.ndim == 0:
            c = self.constants.setdefault((type(c), c.dtype, c.tobytes()), c)
        self.names.setdefault("_kept", []).append(c)  # ids stay valid while the names live
        return c

    def array(self, v: Value) -> np.ndarray | None:
        """Return the array that holds `v` at every replay, or None if it differs."""
        if v.number in self.static:
            return self.static[v.number]
        found = None
        if v.role in ("bound", "constant"):
            found = v.constant
        elif v.number in self.program.target:
            return self.array(self.program.target[v.number])
        elif v.number in self.program.place:
            offset = self.program.place[v.number]
            # One array object for every use of the same place: fewer objects stay in the cache.
            key = (offset, v.dtype, v.shape)
            if key not in self.arrays:
                memory = self.arena[offset : offset + v.nbytes]
                self.arrays[key] = memory.view(v.dtype).reshape(v.shape)
            found = self.arrays[key]
        elif v.base is not None and v.call is not None and v.call.kind == "view":
            base = self.array(v.call.args[0])
            if base is not None:
                found = _look(v.call, base)
                if not np.may_share_memory(found, base) and found.size:
                    found = None
        if found is not None:
            self.static[v.number] = found
        return found

    def result(self, v: Value) -> str:
        """Return the array that a step writes its result to."""
        if v.number in self.returned:
            if v.number not in self.local:
                self.local[v.number] = f"o{v.number}"
                dtype = self.name(f"d_{v.dtype}", v.dtype)
                self.lines.append(f"o{v.number} = empty({v.shape}, {dtype})")
            return self.local[v.number]
        return self.ref(v)

    def assign(self, v: Value, expression: str) -> None:
        """Note that `v` is a local variable."""
        self.local[v.number] = f"s{v.number}"
        self.lines.append(f"s{v.number} = {expression}")

    # Steps

    def step(self, call: Call) -> None:
        """Write one step."""
        getattr(self, f"step_{call.kind}")(call, call.out)

    def step_view(self, call: Call, v: Value) -> None:
        if self.array(v) is not None:
            return
        x = self.ref(call.args[0])
        f, p = call.function, call.params
        if f is views.transpose:
            swapped = p["axes"] == (1, 0)
            self.assign(v, f"{x}.T" if swapped else f"{x}.transpose({p['axes']})")
        elif f is views.reshape:
            self.assign(v, f"{x}.reshape({p['shape']})")
        elif f is views.broadcast:
            self.assign(v, f"{self.name('broadcast_to', np.broadcast_to)}({x}, {p['shape']})")
        else:
            self.assign(v, f"{x}[{self.name('i', self.kept(p['index'].real()))}]")

    def step_ufunc(self, call: Call, v: Value) -> None:
        f = call.function
        if not v.shape:
            args = [self.ref(a, scalar=True) for a in call.args]
            if f in INFIX:
                self.assign(v, f"{args[0]} {INFIX[f]} {args[1]}")
            elif f is np.negative:
                self.assign(v, f"-{args[0]}")
            elif f is np.square:
                self.assign(v, f"{args[0]} * {args[0]}")
            elif v.weak and f in CHOICE:  # a NaN on either side is the answer
                a, b = [
                    f"{float(c)!r}" if type(c) is int else r
                    for c, r in zip(call.args, args, strict=True)
                ]
                self.assign(v, f"{a} if {a} {CHOICE[f]} {b} or {a} != {a} else {b}")
            elif v.weak and f in MATH and not self.ieee:
                self.assign(v, f"{self.name(MATH[f].__name__, MATH[f])}({', '.join(args)})")
            else:
                text = f"{self.function(call, f, f.__name__)}({', '.join(args)})"
                self.assign(v, f"float({text})" if v.weak and v.dtype == float else text)
            return
        name = self.function(call, f, f.__name__)
        rows = self.rows(call, v) if f in KEYWORD_OUT else None
        if rows is not None:
            self.lines.append(f"{name}({rows[0]}, {rows[1]}, out={rows[2]})")
            return
        args = [self.ref(a, like=_company(call, a)) for a in call.args]
        out = self.result(v)
        self.lines.append(f"{name}({', '.join(args)}, {'out=' if f in KEYWORD_OUT else ''}{out})")

    def rows(self, call: Call, v: Value) -> tuple[str, str, str] | None:
        """Return operands and result of max(x, c) as rows of one length, the number c as one row.

        NumPy has a vectorized loop for the larger of two arrays and none for an array and a number.
        """
        x, c = call.args
        if type(x) is not Value or type(c) not in (int, float) or v.number in self.returned:
            return None
        source, result = self.array(x), self.array(v)
        if source is None or result is None or source.dtype != result.dtype:
            return None
        if not (source.flags.c_contiguous and result.flags.c_contiguous) or v.shape != x.shape:
            return None
        row = next((k for k in range(min(ROW, result.size), 0, -1) if result.size % k == 0), 0)
        if row < 64:
            return None
        key = ("row", c, row, result.dtype)
        if key not in self.arrays:
            self.arrays[key] = np.full(row, c, result.dtype)
        a, out = (self.flat(array, row) for array in (source, result))
        return a, self.name("row", self.arrays[key]), out

    def flat(self, array: np.ndarray, row: int) -> str:
        """Return the name of an array's memory seen as rows of a length."""
        key = (array.ctypes.data, array.dtype, "rows", row)
        if key not in self.arrays:
            self.arrays[key] = array.reshape(-1) if row == array.size else array.reshape(-1, row)
        return self.name("r", self.arrays[key])

    def step_masked(self, call: Call, v: Value) -> None:
        *inputs, mask, old = call.args
        args = [self.ref(a, like=_company(call, a)) for a in inputs]
        out = self.result(v)
        if self.program.over.get(v.number) != getattr(old, "number", None):
            self.lines.append(f"copyto({out}, {self.ref(old)})")
        name = self.function(call, call.function, call.function.__name__)
        self.lines.append(f"{name}({', '.join(args)}, out={out}, where={self.ref(mask)})")

    def step_reduce(self, call: Call, v: Value) -> None:
        f, axis, keep = call.function, call.params["axis"], call.params["keepdims"]
        x = self.ref(call.args[0])
        name = self.function(call, f.reduce, f"{f.__name__}_reduce")
        if not v.shape:
            self.assign(v, f"{name}({x}, {axis})")
            return
        out = self.result(v)
        self.lines.append(f"{name}({x}, {axis}, None, {out}{', True' if keep else ''})")

    def step_matmul(self, call: Call, v: Value) -> None:
        a, b = call.args
        args = f"{self.ref(a)}, {self.ref(b)}"
        # dot and matmul hand matrices to the same BLAS routine, dot in half the time of a call.
        plain = len(np.shape(a)) == len(np.shape(b)) in (1, 2) and a.dtype == b.dtype
        f = np.dot if plain and a.dtype.kind == "f" and a.dtype.itemsize > 2 else np.matmul
        name = self.function(call, f, f.__name__)
        if not v.shape:
            self.assign(v, f"{name}({args})")
            return
        self.lines.append(f"{name}({args}, {self.result(v)})")

    def step_where(self, call: Call, v: Value) -> None:
        cond, a, b = call.args
        if not v.shape:
            cond, a, b = [self.ref(x, scalar=True) for x in (cond, a, b)]
            self.assign(v, f"{a} if {cond} else {b}")
            return
        out = self.result(v)
        if not (type(b) is Value and self.program.over.get(v.number) == b.number):
            self.lines.append(f"copyto({out}, {self.ref(b, like=v.dtype)})")
        where = self.ref(cond)
        self.lines.append(f"copyto({out}, {self.ref(a, like=v.dtype)}, 'same_kind', {where})")

    def step_copy(self, call: Call, v: Value) -> None:
        x = self.ref(call.args[0], scalar=not v.shape)
        if not v.shape:
            kind = self.name(v.dtype.name, v.dtype.type)
            self.assign(v, x if v.weak else f"{kind}({x})")
            return
        self.lines.append(f"copyto({self.result(v)}, {x}, 'unsafe')")

    def step_store(self, call: Call, v: Value) -> None:
        self.lines.append(f"copyto({self.ref(v)}, {self.ref(call.args[0])}, 'unsafe')")

    def step_pack(self, call: Call, v: Value) -> None:
        whole, start = self.result(v), 0
        for a in call.args:
            stop = start + int(np.prod(a.shape))
            if a.number not in self.program.inside:
                self.lines.append(f"copyto({whole}[{start}:{stop}], {self.ref(a)}.ravel())")
            start = stop

    def step_call(self, call: Call, v: Value) -> None:
        args = ", ".join(self.ref(a, scalar=not np.shape(a)) for a in call.args)
        label = f"call_{''.join(c if c.isalnum() else '_' for c in call.name)}"
        self.assign(v, f"{self.function(call, call.function, label)}({args})")

    def step_item(self, call: Call, v: Value) -> None:
        self.assign(v, f"{self.name('item', call.function)}({self.ref(call.args[0])})")

    def write(self) -> Callable[..., Any]:
        """Return the compiled function, its source in `source`."""
        arguments = []
        for v in self.program.inputs:
            if v.role == "input":
                self.local[v.number] = f"x{v.number}"
                arguments.append(f"x{v.number}")
        for call in self.program.calls:
            self.step(call)
        results = []
        for v in self.program.outputs:
            text = self.ref(v, scalar=True)
            if self.ieee and type(v) is Value and v.weak and v.dtype == float:
                text = f"float({text})"
            results.append(text)
        tail = ",".join(results) + ("," if len(results) == 1 else "")
        head = []
        for v in self.program.inputs:
            if v.role == "input" and not v.shape and v.number in self.read:
                if not v.weak:
                    head.append(f"x{v.number} = x{v.number}[()]")
                elif self.ieee:
                    head.append(f"x{v.number} = {self.name('float64', np.float64)}(x{v.number})")
        body = "\n ".join([*head, *self.lines, f"return ({tail})"])
        self.source = f"def run({', '.join(arguments)}):\n {body}\n"
        exec(compile(self.source, "<plan>", "exec"), self.names)
        return self.names["run"]


def _company(call: Call, a: Any) -> np.dtype | None:
    """Return the dtype that a Python number takes next to the arrays of its call."""
    if type(a) not in (bool, int, float) and not (type(a) is Value and a.weak):
        return None
    dtypes = [b.dtype for b in call.args if getattr(b, "shape", ()) != () or _strong(b)]
    found = np.result_type(*dtypes) if dtypes else None
    return found if found is not None and found.kind == "f" else None


def _strong(b: Any) -> bool:
    return isinstance(b, np.generic) or (type(b) is Value and not b.weak)


def _look(call: Call, x: np.ndarray) -> np.ndarray:
    f, p = call.function, call.params
    if f is views.index:
        return x[p["index"].real()]
    return f(x, **p)
