"""What happens to a traced program before it is written out: dead steps, order, memory.

1. A step that no result and no effect needs is dropped.
2. A write to an argument goes straight into the argument's memory where nobody still needs the
   old entries; otherwise it is a copy at the end.
3. A step that frees memory runs as soon as it may (a weight is updated as soon as its gradient is
   there and the sweep has passed it), the others in the order of the trace.
4. Arrays that are never needed at the same time share memory; an elementwise step writes over an
   argument that nobody needs any more.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from bplib.plan.trace import Trace
from bplib.plan.values import Call, Value

ALIGN = 64  # bytes: a cache line


@dataclass
class Program:
    """A traced function, ordered and laid out.

    inputs   the arguments, in the order of the leaves
    outputs  what is returned: values and constants
    calls    the steps in the order they run
    target   value number -> the argument whose memory it is written to
    place    value number -> offset of its buffer in the arena
    arena    bytes of the arena; `apart` is what the same buffers would take without sharing
    live     bytes of the arena in use during each step
    inside   value number -> (number of the vector it is a part of, offset in it in bytes)
    last     value number of a root -> index of the last step that needs it
    """

    inputs: list[Value]
    outputs: list[Any]
    calls: list[Call]
    target: dict[int, Value] = field(default_factory=dict)
    place: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    born: dict[int, int] = field(default_factory=dict)
    over: dict[int, int] = field(default_factory=dict)
    inside: dict[int, tuple[int, int]] = field(default_factory=dict)
    live: list[int] = field(default_factory=list)
    arena: int = 0
    apart: int = 0
    traced: int = 0
    repeated: int = 0


def owners(v: Value) -> list[Value]:
    """Return the values whose memory `v` may share: its root; of an opaque call its arguments."""
    root = v.root
    call = root.call
    if call is not None and call.kind in ("call", "item") and not call.params["fresh"]:
        return [root] + [o for a in call.reads() for o in owners(a)]
    return [root]


def build(trace: Trace, outputs: list[Any], effects: list[tuple[Value, Value]]) -> Program:
    """Return the program that gives `outputs` and leaves the second of each effect in the first."""
    calls = list(trace.calls)
    outputs, extra = _own_outputs(trace, outputs)
    calls += extra
    calls = _alive(calls, outputs, effects)
    program = Program(list(trace.inputs), outputs, calls)
    program.traced, program.repeated = len(trace.calls), trace.repeated
    after = _aim(program, trace, effects)
    _order(program, after)
    _lay_out(program)
    return program


def _own_outputs(trace: Trace, outputs: list[Any]) -> tuple[list[Any], list[Call]]:
    """Give every output memory of its own: a copy where it is an argument, a constant or a view."""
    seen: set[int] = set()
    done, extra = [], []
    for v in outputs:
        if type(v) is Value and v.shape:
            mine = v.role == "computed" and v.base is None and v.call is not None
            kind = v.call.kind if v.call is not None else ""
            plain = mine and kind not in ("view", "item") and len(owners(v)) == 1
            if not plain or v.number in seen:
                out = trace.new(v.shape, v.dtype)
                out.call = Call("copy", None, (v,), {}, "copy")
                out.call.out = out
                extra.append(out.call)
                v = out
            seen.add(v.number)
        elif type(v) is Value and v.base is not None:  # one entry of an array
            out = trace.new((), v.dtype)
            out.call = Call("copy", None, (v,), {}, "copy")
            out.call.out = out
            extra.append(out.call)
            v = out
        done.append(v)
    return done, extra


def _alive(calls: list[Call], outputs: list[Any], effects: list[tuple[Value, Value]]) -> list[Call]:
    needed = {v.number for v in outputs if type(v) is Value} | {v.number for _, v in effects}
    kept = []
    for call in reversed(calls):
        if call.out.number in needed:
            kept.append(call)
            needed.update(v.number for v in call.reads())
    return kept[::-1]


def _readers(calls: list[Call]) -> dict[int, list[int]]:
    """Return for every root value the steps that read it, through views too."""
    readers = defaultdict(list)
    for i, call in enumerate(calls):
        for v in call.reads():
            for o in owners(v):
                if call.kind != "view":
                    readers[o.number].append(i)
    return readers


def _aim(program: Program, trace: Trace, effects: list[tuple[Value, Value]]) -> dict[int, set[int]]:
    """Decide which values are computed in an argument's memory; return what must run after what."""
    calls, target = program.calls, program.target
    index = {call.out.number: i for i, call in enumerate(calls)}
    returned = {v.root.number for v in program.outputs if type(v) is Value}
    after: dict[int, set[int]] = defaultdict(set)
    readers = _readers(calls)
    stores = []
    for p, final in effects:
        chain = _chain(p, final, calls, index, readers, returned)
        if chain is None:
            stores.append((p, final))
            continue
        old = p
        for v in chain:
            target[v.number] = p
            after[index[v.number]].update(i for i in readers[old.number] if i != index[v.number])
            old = v
    for p, final in stores:
        out = trace.new(p.shape, p.dtype)
        call = Call("store", None, (final,), {}, "store")
        call.out, out.call = out, call
        target[out.number] = p
        calls.append(call)
        touched = {p.number} | {n for n, q in target.items() if q is p}
        after[len(calls) - 1].update(
            i for n in touched for i in (*readers[n], index.get(n, -1)) if i >= 0
        )
    return after


def _chain(
    p: Value,
    final: Value,
    calls: list[Call],
    index: dict[int, int],
    readers: dict[int, list[int]],
    returned: set[int],
) -> list[Value] | None:
    """Return the values from the first after `p` to `final` that can overwrite each other."""
    chain: list[Value] = []
    v = final
    while v is not p:
        call = v.call
        if (
            v.role != "computed" or call is None or call.kind not in ("ufunc", "copy")
            or not v.shape or v.base is not None or v.number in returned or v in chain
        ):  # fmt: skip
            return None
        chain.append(v)
        same = [a for a in call.reads() if a.shape == p.shape and a.dtype == p.dtype]
        inside = [a for a in same if a is p or (a.call is not None and a.base is None)]
        onward = [a for a in inside if a is p or _reaches(a, p)]
        if not onward:
            if p.number in {o.number for a in call.reads() for o in owners(a)}:
                return None
            break  # a fresh value replaces the old one, whatever it was
        v = onward[0]
    chain.reverse()
    old = p
    for v in chain:
        at = index[v.number]
        if any(i > at for i in readers[old.number]):
            return None
        # A transposed or partial reading of what is written over would see new entries.
        for a in calls[at].reads():
            if a is not old and any(o is old for o in owners(a)):
                return None
        old = v
    return chain


def _reaches(a: Value, p: Value) -> bool:
    for _ in range(64):
        if a is p:
            return True
        if a.call is None or a.call.kind != "ufunc":
            return False
        same = [b for b in a.call.reads() if b.shape == p.shape and b.dtype == p.dtype]
        if p in same:
            return True
        if not same:
            return False
        a = same[0]
    return False


def _order(program: Program, after: dict[int, set[int]]) -> None:
    """Order the steps: as traced, but those that allocate nothing new as early as possible."""
    calls, target = program.calls, program.target
    index = {call.out.number: i for i, call in enumerate(calls)}
    returned = {o.number for v in program.outputs if type(v) is Value for o in owners(v)}
    needs: list[set[int]] = []
    for i, call in enumerate(calls):
        before = {index[v.number] for v in call.reads() if v.number in index}
        needs.append(before | {j for j in after.get(i, ()) if j != i})
    waits = [len(n) for n in needs]
    followers = defaultdict(list)
    for i, before in enumerate(needs):
        for j in before:
            followers[j].append(i)
    uses = {n: len(r) for n, r in _readers(calls).items()}

    def frees(call: Call) -> int:
        freed = 0
        for o in {o.number: o for v in call.reads() for o in owners(v)}.values():
            times = sum(o in owners(v) for v in call.reads())
            if o.role == "computed" and o.number not in returned and uses[o.number] == times:
                freed += 0 if o.number in target else o.nbytes
        return freed

    done = [False] * len(calls)
    order: list[Call] = []
    early: deque[int] = deque()

    def run(i: int) -> None:
        call = calls[i]
        done[i] = True
        order.append(call)
        for v in call.reads():
            for o in owners(v):
                if call.kind != "view":
                    uses[o.number] -= 1
        for j in followers[i]:
            waits[j] -= 1
            if waits[j] == 0:
                early.append(j)

    at = 0
    while at < len(calls):
        while early:
            j = early.popleft()
            if done[j]:
                continue
            call = calls[j]
            own = call.kind == "view" or call.out.number in target or not call.out.shape
            if call.kind != "view" and (own or call.out.nbytes <= frees(call)):
                run(j)
        if done[at]:
            at += 1
            continue
        if waits[at] == 0:
            run(at)
            continue
        later = next(j for j in range(at, len(calls)) if not done[j] and waits[j] == 0)
        run(later)
    program.calls = order


IN_PLACE = ("ufunc", "masked", "where", "copy")


def _lay_out(program: Program) -> None:
    """Assign an offset in the arena to every value that needs a buffer."""
    calls, target = program.calls, program.target
    returned = {o.number for v in program.outputs if type(v) is Value for o in owners(v)}
    for i, call in enumerate(calls):
        program.born[call.out.number] = i
        if call.kind == "view":
            continue
        for v in call.reads():
            for o in owners(v):
                program.last[o.number] = i
    for n in returned:
        program.last[n] = len(calls)
    size_of_pack = _pack(program, returned)
    for call in calls:  # a result nobody reads is still written
        if not owners(call.out)[0] is not call.out:
            program.last.setdefault(call.out.number, program.born[call.out.number])

    dying = defaultdict(list)
    for n, i in program.last.items():
        if n not in program.inside:
            dying[i].append(n)
    free: list[tuple[int, int]] = []  # (offset, size), sorted, never adjacent
    size_of: dict[int, int] = {}
    for i, call in enumerate(calls):
        v = call.out
        buffered = (
            call.kind not in ("view", "call", "item", "store")
            and v.shape and v.number not in target and v.number not in returned
        )  # fmt: skip
        if buffered:
            size = -(-max(v.nbytes, 1) // ALIGN) * ALIGN
            program.apart += size
            if v.number in size_of_pack and v.number in program.place:
                program.live.append(sum(size_of.values()))
                continue  # its parts have made room for it
            if v.number in program.inside:
                vector, offset = program.inside[v.number]
                if vector not in program.place:
                    room = -(-size_of_pack[vector] // ALIGN) * ALIGN
                    program.place[vector] = _take(free, room, program)
                    size_of[vector] = room
                program.place[v.number] = program.place[vector] + offset
                program.live.append(sum(size_of.values()))
                for n in dying[i]:
                    if n in size_of:
                        _give(free, program.place[n], size_of.pop(n))
                continue
            reused = _overwritable(program, call, i, target, size_of)
            if reused is not None:
                program.place[v.number] = program.place[reused]
                program.over[v.number] = reused
                size_of[v.number] = size_of.pop(reused)
            else:
                program.place[v.number] = _take(free, size, program)
                size_of[v.number] = size
        program.live.append(sum(size_of.values()))
        for n in dying[i]:
            if n in size_of:
                _give(free, program.place[n], size_of.pop(n))


def _pack(program: Program, returned: set[int]) -> dict[int, int]:
    """Let the parts of every packed vector be computed inside it; return the vectors' bytes."""
    sizes = {}
    for call in program.calls:
        if call.kind != "pack" or call.out.number in returned:
            continue
        vector = call.out.number
        sizes[vector] = call.out.nbytes
        offset = 0
        for v in call.args:
            fits = v.role == "computed" and v.base is None and v.call is not None
            if (
                fits
                and v.call.kind in ("matmul", "reduce", "ufunc")
                and v.shape
                and v.number not in program.inside
                and v.number not in program.target
                and v.number not in returned
            ):
                program.inside[v.number] = (vector, offset)
                # Whoever still reads a part needs the vector unchanged.
                program.last[vector] = max(program.last.get(vector, 0), program.last[v.number])
            offset += v.nbytes
    return sizes


def _overwritable(
    program: Program, call: Call, i: int, target: dict[int, Value], size_of: dict[int, int]
) -> int | None:
    """Return a buffer that dies here and that the step may write over."""
    if call.kind not in IN_PLACE:
        return None
    v = call.out
    reads = call.reads()
    candidates = reads[-1:] if call.kind == "masked" else reads
    if call.kind == "where":
        candidates = reads
    for a in candidates:
        if a.number not in size_of or program.last.get(a.number) != i or a.base is not None:
            continue
        if a.shape != v.shape or a.dtype != v.dtype:
            continue
        others = [b for b in reads if b is not a]
        if any(o is a for b in others for o in owners(b)):
            continue
        if call.kind == "where" and a is not call.args[2]:
            continue
        return a.number
    return None


def _take(free: list[tuple[int, int]], size: int, program: Program) -> int:
    best = -1
    for k, (_, room) in enumerate(free):
        if room >= size and (best < 0 or room < free[best][1]):
            best = k
    if best >= 0:
        offset, room = free.pop(best)
        if room > size:
            free.insert(best, (offset + size, room - size))
        return offset
    if free and sum(free[-1]) == program.arena:  # grow the last gap
        offset, room = free.pop()
        program.arena = offset + size
        return offset
    offset = program.arena
    program.arena += size
    return offset


def _give(free: list[tuple[int, int]], offset: int, size: int) -> None:
    k = 0
    while k < len(free) and free[k][0] < offset:
        k += 1
    free.insert(k, (offset, size))
    for j in (k, k - 1):
        if 0 <= j < len(free) - 1 and sum(free[j]) == free[j + 1][0]:
            free[j : j + 2] = [(free[j][0], free[j][1] + free[j + 1][1])]
