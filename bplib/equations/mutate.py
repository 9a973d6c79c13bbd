"""Plausible misprints of an equation, and whether its check notices them.

The figure of merit of equations that run is not how many are checked but how many misprints the
checks would catch.  Every mutant here is one slip of the kind people make: a lost transpose, a
sign, an index, a layer, a factor, a term, a prime, an exponent, the end of a sum, the direction of
an inequality.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from .check import Check, read_formula
from .latex import Item, LatexError, statements, tokenize
from .letters import Letters
from .source import EquationError


@dataclass(frozen=True)
class Mutant:
    """The LaTeX of an equation with one slip of the given kind at an offset."""

    kind: str
    latex: str
    position: int


def mutants(latex: str) -> list[Mutant]:
    """All single slips of a display; each text at most once."""
    seen = {_bare(latex)}
    result = []
    for mutant in _all(latex):
        if _bare(mutant.latex) not in seen:
            seen.add(_bare(mutant.latex))
            result.append(mutant)
    return result


def _bare(latex: str) -> str:
    return "".join(latex.split())


def _all(latex: str) -> Iterator[Mutant]:
    def edit(kind: str, start: int, end: int, new: str) -> Mutant:
        # A space on either side keeps a macro from running into the letter after it.
        return Mutant(kind, f"{latex[:start]} {new} {latex[end:]}", start)

    yield from _token_slips(latex, edit)
    for piece in statements(latex):
        for side in piece.sides:
            yield from _tree_slips(side, latex, edit, letters=_index_letters(side))


def _token_slips(latex: str, edit) -> Iterator[Mutant]:
    tokens = tokenize(latex)
    depth = 0
    scripts: list[tuple[int, str]] = []  # open scripts: their depth and kind
    for i, token in enumerate(tokens):
        before = tokens[i - 1].type if i else ""
        after = tokens[i + 1].type if i + 1 < len(tokens) else ""
        start, end = token.start_pos, token.end_pos
        if token.type == "LBRACE":
            depth += 1
            if before in ("CARET", "UNDER"):
                scripts.append((depth, before))
        elif token.type == "RBRACE":
            if scripts and scripts[-1][0] == depth:
                scripts.pop()
            depth -= 1
        elif token.type == "TRANSPOSED":
            if before == "CARET":
                yield edit("transpose", tokens[i - 1].start_pos, end, "")
            elif before == "LBRACE" and after == "RBRACE":
                yield edit("transpose", tokens[i - 2].start_pos, tokens[i + 1].end_pos, "")
            else:
                yield edit("transpose", start, end, "")
        elif token.type in ("PLUS", "MINUS"):
            unary = before in ("", "REL", "OPEN", "LBRACE", "NEWLINE", "COMMA", "QUAD", "CDOT")
            kind = "shift" if scripts else "sign"
            if unary:
                yield edit(kind, start, end, "")
            else:
                yield edit(kind, start, end, "-" if token.type == "PLUS" else "+")
        elif token.type == "PRIME" and not scripts:
            yield edit("prime", start, end, "")
        elif token.type == "ODOT" and before != "CARET":
            yield edit("hadamard", start, end, "")
        elif token.type == "REL" and token.value in _TURNED and not scripts:
            yield edit("relation", start, end, _TURNED[token.value])


_TURNED = {"<=": r"\ge", ">=": r"\le", "<": ">", ">": "<"}


def _index_letters(side: Item) -> list[str]:
    """The letters that stand alone in subscripts of two axes, in order."""
    found: dict[str, None] = {}
    for item in _walk(side):
        if item.kind == "scripted" and _takes_indices(item):
            for sub in item.parts[1:]:
                if sub.kind == "sub":
                    found |= {p.text: None for p in _entries(sub) if p.kind == "letter"}
    return list(found)


def _takes_indices(item: Item) -> bool:
    return item.parts[0].kind in ("letter", "accent", "role", "braces") or (
        item.parts[0].kind == "group" and item.parts[0].text in "(["
    )


def _walk(item: Item) -> Iterator[Item]:
    yield item
    for part in item.parts:
        yield from _walk(part)


def _entries(sub: Item) -> list[Item]:
    content = sub.parts[0]
    if content.kind == "braces":
        if len(content.parts) != 1:
            return list(content.parts)
        content = content.parts[0]
    return list(content.parts) if content.kind == "product" else [content]


def _is_big(item: Item) -> bool:
    base = item.parts[0] if item.kind == "scripted" else item
    return base.kind == "big"


def _tree_slips(item: Item, latex: str, edit, letters: list[str], inside="") -> Iterator[Mutant]:
    def text(part: Item) -> str:
        return latex[part.start : part.end]

    big = _is_big(item)
    if big and item.kind == "scripted":
        yield edit("sum", item.start, item.end, "")
        for script in item.parts[1:]:
            if script.kind == "super":
                top = script.parts[0]
                inner = text(top)[1:-1] if top.kind == "braces" else text(top)
                yield edit("limit", top.start, top.end, f"{{{inner} - 1}}")
    if item.kind == "scripted" and not inside and _takes_indices(item):
        parts = [p for sub in item.parts[1:] if sub.kind == "sub" for p in _entries(sub)]
        for a, b in pairwise(parts):
            if text(a) != text(b):
                yield edit("indices", a.start, b.end, f"{text(b)} {text(a)}")
        for part in parts:
            if part.kind == "letter" and len(letters) > 1 and part.text in letters:
                other = letters[(letters.index(part.text) + 1) % len(letters)]
                yield edit("index letter", part.start, part.end, _command(other))
    if item.kind == "group" and item.text == "[" and inside == "super":
        inner = text(item).strip()[1:-1]
        bare = inner.replace(" ", "")
        if bare.endswith(("+1", "-1")):
            yield edit("layer", item.start, item.end, f"[{bare[:-2]}]")
        else:
            yield edit("layer", item.start, item.end, f"[{inner}+1]")
            yield edit("layer", item.start, item.end, f"[{inner}-1]")
    if item.kind == "fraction" and len(item.parts) == 2 and not inside:
        top, bottom = (text(p) for p in item.parts)
        plain = top.strip("{} ")
        if plain.isdigit():
            yield edit("factor", item.start, item.end, plain if plain != "1" else "")
        elif "partial" not in top and not plain.startswith("d"):
            swapped = f"\\frac{_braced(bottom)}{_braced(top)}"
            yield edit("upside down", item.start, item.end, swapped)
    if item.kind == "number" and inside != "sub" and item.text.isdigit():
        yield edit("number", item.start, item.end, str(int(item.text) + 1))
    if item.kind == "digit" and inside == "super":
        yield edit("exponent", item.start, item.end, str(int(item.text) + 1))
    if item.kind == "sum" and not inside and len(item.parts) > 1:
        for n, part in enumerate(item.parts):
            if n:
                yield edit("term", item.parts[n - 1].end, part.end, "")
            else:
                sign = "-" if item.text[1] == "-" else ""
                yield edit("term", item.start, item.parts[1].start, sign)
    if item.kind == "scripted" and not inside and item.parts[0].kind == "letter":
        subs = [s for s in item.parts[1:] if s.kind == "sub"]
        primed = any(s.kind == "prime" for s in item.parts[1:])
        if subs and (primed or item.parts[0].text in ("phi", "sigma", "psi", "f", "g", "h")):
            entries = _entries(subs[0])
            if len(entries) == 1 and entries[0].kind == "letter":
                one = entries[0]
                if text(subs[0]).startswith("_{"):
                    yield edit("function layer", one.start, one.end, f"{text(one)}-1")
                else:
                    yield edit("function layer", one.start, one.end, f"{{{text(one)}-1}}")
    if item.kind == "product" and not inside:
        parts = list(item.parts)
        for n, part in enumerate(parts):
            if _movable(part) and not _applies(parts, n, alone=True):
                yield edit("factor", part.start, part.end, "")
        for n, (a, b) in enumerate(pairwise(parts)):
            if _movable(a) and _movable(b) and not _applies(parts, n) and text(a) != text(b):
                yield edit("factors", a.start, b.end, f"{text(b)} {text(a)}")
    for part in item.parts:
        deeper = inside
        if item.kind in ("super", "sub") and inside != "range":
            deeper = item.kind
        elif big and part.kind in ("super", "sub"):
            deeper = "range"
        yield from _tree_slips(part, latex, edit, letters, deeper)


def _braced(text: str) -> str:
    return text if text.startswith("{") else f"{{{text}}}"


def _command(letter: str) -> str:
    return letter if len(letter) == 1 else f"\\{letter}"


def _movable(item: Item) -> bool:
    base = item
    while base.kind == "scripted":
        base = base.parts[0]
    return base.kind in ("letter", "group", "fraction", "accent", "role", "ones", "number")


def _applies(parts: list[Item], n: int, alone: bool = False) -> bool:
    """Whether parts[n] or the one after it (unless `alone`) read as a function or its argument."""

    def base(item: Item) -> Item:
        return item.parts[0] if item.kind == "scripted" else item

    for m in (n,) if alone else (n, n + 1):
        follows = m + 1 < len(parts) and base(parts[m + 1]).kind == "group"
        precedes = m > 0 and base(parts[m - 1]).kind in (
            "letter", "named", "nabla", "partial", "big"
        )  # fmt: skip
        if base(parts[m]).kind in ("letter", "named", "ones") and follows:
            return True
        if precedes and base(parts[m]).kind == "group":
            return True
        if m > 0 and base(parts[m - 1]).kind in ("nabla", "partial", "named"):
            return True
        if m > 0 and base(parts[m - 1]).text == "d":
            return True
    return base(parts[n]).text == "d"


# --------------------------------------------------------------------------------------------
# Detection


@dataclass(frozen=True)
class Verdict:
    """What the check said to a mutant: 'by value', 'by shape', 'unreadable', 'pinned', ...

    'survived', or 'equivalent': still true on forty other draws of other shapes.
    """

    label: str
    place: str
    mutant: Mutant
    how: str

    @property
    def counts(self) -> bool:
        return self.how != "equivalent"

    @property
    def detected(self) -> bool:
        return self.how not in ("survived", "equivalent")


def slips(check: Check) -> list[Mutant]:
    """The misprints of one bound equation; of one that cannot be read, lost characters."""
    latex = check.source.latex
    try:
        return mutants(latex)
    except LatexError:
        return [
            Mutant("character", latex[:i] + latex[i + 1 :], i)
            for i in range(0, len(latex), 7)
            if not latex[i].isspace()
        ]


def judge(check: Check, chosen: list[Mutant] | None = None) -> list[Verdict]:
    """Every misprint of one bound equation (or those chosen), and what its check says."""
    source = check.source
    place = f"{source.file}:{source.line}"
    result = []
    for mutant in slips(check) if chosen is None else chosen:
        if check.parsed is None:
            # by_code and unchecked: the first repeats the text, the second does not look at it.
            how = "pinned" if check.state == "code" else "survived"
        else:
            how = _verdict(check, mutant)
        result.append(Verdict(source.label, place, mutant, how))
    return result


def _verdict(check: Check, mutant: Mutant) -> str:
    try:
        how = check.verdict(mutant.latex, brief=True)
    except EquationError as error:
        return "undecided" if "undecided" in str(error) else "unreadable"
    if how is not None:
        return how
    return "equivalent" if _still_true(check, mutant.latex) else "survived"


def _still_true(check: Check, latex: str) -> bool:
    """Whether an accepted form is a true equation: it holds on other, and more, draws."""
    letters = check.letters
    richer = Letters(
        letters.run,
        draws=0,
        tol=letters.tol,
        loss=letters.loss,
        ones=(),
        sizes={**dict.fromkeys(_free_sizes(letters), (3, 6)), **letters.sizes},
        base=letters.base,
        **letters.letters,
    )
    formula = read_formula(latex, richer)
    trial = Check(check.source, richer, check.state, parsed=check.parsed)
    for number in range(1000, 1000 + max(40, letters.count)):
        kind, _ = trial._refusal(formula, richer.draw(number))
        richer.forget()
        if kind:
            return False
    return True


def _free_sizes(letters: Letters) -> set[str]:
    return {name for name, _ in letters.draw(0).sizes}
