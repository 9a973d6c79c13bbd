"""A program as a table that a reader can follow."""

from __future__ import annotations

from typing import Any

import numpy as np

from bplib.plan.program import Program
from bplib.plan.values import Value


def explain(program: Program) -> str:
    """Return a program as a table: what each step reads, where it writes, what is in use then."""

    def label(v: Any) -> str:
        if type(v) is not Value:
            if np.ndim(v):
                return f"constant{list(np.shape(v))}"
            return f"{float(v):.6g}" if isinstance(v, float | np.floating) else str(v)
        if v.role == "constant":
            return f"constant{list(v.shape)}"
        return {"input": "x", "bound": "w"}.get(v.role, "%") + str(v.number)

    returned = {v.number for v in program.outputs if type(v) is Value}
    rows = [("step", "result", "call", "shape", "memory", "in use")]
    views = steps = 0
    for i, call in enumerate(program.calls):
        v = call.out
        if call.kind == "view":
            views += 1
            memory = f"view of {label(call.args[0])}"
        else:
            steps += 1
            if v.number in program.target:
                memory = f"in place of {label(program.target[v.number])}"
            elif v.number in program.over:
                memory = f"over %{program.over[v.number]} at {program.place[v.number]:,}"
            elif v.number in program.place:
                memory = f"buffer at {program.place[v.number]:,}"
            elif not v.shape:
                memory = "number"
            else:
                memory = "new array" if call.kind in ("call", "item") else ""
            if v.number in returned:
                memory = "returned"
        shape = f"{v.dtype.name if v.dtype != object else 'several'} {list(v.shape)}"
        args = ", ".join(label(a) for a in call.args)
        rows.append(
            (str(i + 1), label(v), f"{call.name}({args})", shape, memory, f"{program.live[i]:,}")
        )
    widths = [max(len(r[k]) for r in rows) for k in range(6)]
    right = (0, 5)
    lines = []
    for r in rows:
        cells = [
            c.rjust(w) if k in right else c.ljust(w)
            for k, (c, w) in enumerate(zip(r, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    given = ", ".join(f"{label(v)} {v.dtype.name} {list(v.shape)}" for v in program.inputs)
    lines.insert(0, f"arguments: {given}")
    lines.append(f"returns: {', '.join(label(v) for v in program.outputs) or 'nothing'}")
    lines.append(
        f"{steps} steps and {views} views; traced {program.traced}, "
        f"{program.repeated} repeated calls made once"
    )
    lines.append(f"buffers: {program.arena:,} bytes; {program.apart:,} if none were shared")
    return "\n".join(lines)
