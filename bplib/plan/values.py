"""What a traced program is made of: values, each made once, and the calls between them."""

from __future__ import annotations

from typing import Any

import numpy as np


class Value:
    """One result of the program: its shape and dtype, and the call that makes it.

    role   "input" (an argument), "bound" (an array of the caller's, read and written in place),
           "constant" or "computed"
    weak   a Python float or bool, which takes the dtype of what it meets
    base   the value this one is a view of, or None
    """

    __slots__ = (
        "base",
        "call",
        "constant",
        "contiguous",
        "dtype",
        "number",
        "role",
        "shape",
        "weak",
    )

    def __init__(
        self, number: int, shape: tuple[int, ...], dtype: np.dtype, role: str, weak: bool = False
    ) -> None:
        self.number, self.shape, self.dtype = number, shape, dtype
        self.role, self.weak = role, weak
        self.call: Call | None = None
        self.base: Value | None = None
        self.constant: Any = None
        self.contiguous = True

    @property
    def nbytes(self) -> int:
        """Bytes of memory, were it stored densely."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def root(self) -> Value:
        """The value that owns the memory."""
        v = self
        while v.base is not None:
            v = v.base
        return v

    def __repr__(self) -> str:
        return f"%{self.number}:{self.dtype}{list(self.shape)}"


class Call:
    """One step of the program: `function` applied to `args`, values and constants.

    kind    "ufunc", "masked" (a ufunc with where=), "reduce", "matmul", "view", "where", "copy",
            "store" (into an argument), "pack" (into one vector), or "call" (anything else, opaque)
    params  what else distinguishes it: axis, keepdims, the structure of an opaque call
    errors  the `np.errstate` it was made under, or None for the ordinary one
    """

    __slots__ = ("args", "errors", "function", "kind", "name", "out", "params")

    def __init__(
        self, kind: str, function: Any, args: tuple[Any, ...], params: dict[str, Any], name: str
    ) -> None:
        self.kind, self.function, self.args, self.params = kind, function, args, params
        self.name = name
        self.errors: dict[str, Any] | None = None
        self.out: Any = None

    def reads(self) -> list[Value]:
        """The values among the arguments."""
        return [a for a in self.args if type(a) is Value]

    def __repr__(self) -> str:
        return f"{self.out} = {self.name}({', '.join(map(str, self.args))})"
