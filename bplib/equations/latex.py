"""From LaTeX to a tree of what is written, before any letter has a meaning.

The grammar is small because the meaning is elsewhere: `\\phi(z)` and `a(b + c)` are one
construction here, two factors side by side, and only the binding can tell them apart
(meaning.py).  What the grammar does not know is an error at its place, never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lark import Lark, Token, Transformer, UnexpectedInput
from lark.lexer import Lexer


def _words(text: str) -> set[str]:
    return set(text.split())


GREEK = _words(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi"
    " pi varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta"
    " Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell infty ast star"
)
NAMED = _words(
    "log ln exp sin cos tan sinh cosh tanh arctan max min det Pr sup inf arg lim dim deg"
)
RELATIONS = {
    "=": "=", ":=": ":=", r"\equiv": "=", r"\coloneqq": ":=", r"\triangleq": ":=",
    r"\le": "<=", r"\leq": "<=", r"\ge": ">=", r"\geq": ">=", "<": "<", ">": ">",
    r"\lt": "<", r"\gt": ">", r"\ne": "!=", r"\neq": "!=", r"\approx": "~", r"\leftarrow": "<-",
    r"\gets": "<-", r"\to": "->", r"\in": "in", r"\mapsto": "|->", r"\longrightarrow": "->",
}  # fmt: skip
LAYOUT = _words(
    r"\, \; \! \: \left \right \bigl \bigr \Bigl \Bigr \biggl \biggr \big \Big \bigg \Bigg"
    r" \Biggl \Biggr \displaystyle \textstyle \scriptstyle \limits \nolimits \nonumber \notag"
    r" \mathstrut \strut \middle \bigm \Bigm \thinspace \medspace \negthinspace"
) | {r"\ "}
OPEN = {"(": "(", "[": "[", r"\{": "{", r"\langle": "<", r"\lVert": "||", r"\lvert": "|",
        r"\lbrace": "{", r"\lceil": "ceil", r"\lfloor": "floor"}  # fmt: skip
CLOSE = {")": "(", "]": "[", r"\}": "{", r"\rangle": "<", r"\rVert": "||", r"\rvert": "|",
         r"\rbrace": "{", r"\rceil": "ceil", r"\rfloor": "floor"}  # fmt: skip
BARS = {"|": "|", r"\vert": "|", r"\|": "||", r"\Vert": "||"}
OPERATORS = {r"\odot": "ODOT", r"\circ": "CIRC", r"\oslash": "OSLASH", r"\otimes": "OTIMES",
             r"\cdot": "CDOT", r"\times": "CDOT", "*": "CDOT", "/": "SLASH",
             "+": "PLUS", "-": "MINUS", "−": "MINUS"}  # fmt: skip
STYLES = _words(r"\boldsymbol \mathbf \bm \mathsf \mathrm \mathit \mathcal \mathbb \mathfrak")
BOLD = {r"\boldsymbol", r"\mathbf", r"\bm", r"\mathit"}
ROLES = {r"\val", r"\cot", r"\loc", r"\prm", r"\boxed", r"\mathord", r"\mathop"}
NOTED = {r"\underbrace", r"\overbrace"}  # their script is a note, no index
ACCENTS = {r"\bar": "bar", r"\overline": "bar", r"\dot": "dot", r"\hat": "hat", r"\ddot": "ddot",
           r"\widehat": "hat", r"\tilde": "tilde", r"\widetilde": "tilde"}  # fmt: skip
ALIGNED = {"aligned", "align", "align*", "split", "gathered", "gather", "gather*", "alignedat"}
MATRICES = {"pmatrix", "bmatrix", "matrix", "cases", "smallmatrix", "array"}
DOTS = {r"\dots", r"\ldots", r"\cdots", r"\dotsc", r"\dotsb"}
UNPRINTED = _words(
    r"\hspace \vphantom \phantom \hphantom \textcolor \color \label"
)  # their first argument is a length, a color or blank space
WORDED = _words(r"\text \textrm \textit \mbox")
# Words that join the assertions of a display, and words that explain the rows of cases.  Any other
# word could change what is said (not, unless), so it is refused unless it is a remark.
JOINING = _words("and for all any every if with when where so hence thus then but while that is")
CASES = _words("if for when where otherwise else")
TURNING = _words("not no never unless except without neither nor only or iff")


class LatexError(Exception):
    """LaTeX that cannot be read; `position` is the offset of the place."""

    def __init__(self, message: str, position: int):
        super().__init__(message)
        self.position = position


# --------------------------------------------------------------------------------------------
# Tokens

_WORD = re.compile(r"\\(?:[A-Za-z]+\*?|.)|:=|.", re.DOTALL)
_BRACED = re.compile(r"\s*\{([^{}]*)\}")
_ENDS = re.compile(
    r"(?:\s|~|\\[,;:! ])*(?:$|\\\\|\\end\b|\\q?quad\b)"
)  # what a full stop stands before
_ONE = re.compile(r"\s*(?:\{\s*(\\[A-Za-z]+|[A-Za-z0-9])\s*\}|(\\[A-Za-z]+|[A-Za-z0-9]))")


def tokenize(latex: str) -> list[Token]:
    """The tokens of `latex`, layout dropped; each carries its offset in `start_pos`."""
    tokens: list[Token] = []
    environments: list[str] = []
    bars: list[tuple[str, int]] = []  # open |...| or ||...||, with their brace depth
    depth = 0
    i = 0

    def emit(kind: str, value: str, start: int) -> None:
        tokens.append(Token(kind, value, start_pos=start, end_pos=i))

    while i < len(latex):
        start = i
        if latex[i].isspace() or latex[i] == "~":
            i += 1
            continue
        if latex[i] == "%":
            end = latex.find("\n", i)
            i = len(latex) if end < 0 else end
            continue
        word = _WORD.match(latex, i)[0]  # type: ignore[index]  # it matches any character
        if word in (r"\log", r"\to") or not word.endswith("*") or word[:-1] != r"\operatorname":
            word = word.rstrip("*") if word.startswith("\\") and len(word) > 2 else word
        i += len(word)
        if word in LAYOUT:
            after = latex[i : i + 1]
            if word in (r"\left", r"\right", r"\middle") and after == ".":
                i += 1
            continue
        if word in UNPRINTED | WORDED:
            body = _BRACED.match(latex, i)
            if not body:
                raise LatexError(f"{word} needs {{...}} without braces inside", start)
            i = body.end()
            if word == r"\label":
                raise LatexError("label an equation after its closing $$, not inside", start)
            if word in WORDED:
                emit("TEXT", body[1], start)
            continue
        if word in (r"\begin", r"\end"):
            body = _BRACED.match(latex, i)
            if not body:
                raise LatexError(f"{word} needs a name in braces", start)
            i, name = body.end(), body[1]
            if name not in ALIGNED | MATRICES:
                raise LatexError(f"the environment {name} is not known here", start)
            if word == r"\begin" and name == "array":  # the columns: {ccc}
                columns = _BRACED.match(latex, i)
                i = columns.end() if columns else i
            if word == r"\begin":
                environments.append(name)
            elif not environments or environments.pop() != name:
                raise LatexError(f"\\end{{{name}}} closes nothing", start)
            if name in MATRICES:
                emit("BEGIN" if word == r"\begin" else "END", name, start)
            continue
        in_matrix = bool(environments) and environments[-1] in MATRICES
        if word == "&":
            if in_matrix:
                emit("AMP", "&", start)
            elif not environments:
                raise LatexError("& outside an aligned environment", start)
            continue
        if word == r"\\":
            spacing = re.match(r"\s*\[[^\]]*\]", latex[i:])
            if spacing and "pt" in spacing[0] + "em" and re.search(r"\d\s*(pt|em|ex)", spacing[0]):
                i += spacing.end()
            emit("ROW" if in_matrix else "NEWLINE", word, start)
            continue
        if word in (r"\quad", r"\qquad"):
            emit("QUAD", word, start)
        elif word in STYLES:
            i = _style(latex, word, start, i, tokens)
        elif word == r"\operatorname":
            body = _BRACED.match(latex, i)
            if not body:
                raise LatexError(r"\operatorname needs a name in braces", start)
            i = body.end()
            emit("NAMED", re.sub(r"\\[,;!: ]|\s", "", body[1]), start)
        elif word in (r"\top", r"\intercal"):
            emit("TRANSPOSED", word, start)
        elif word in RELATIONS:
            emit("REL", RELATIONS[word], start)
        elif word in OPERATORS:
            emit(OPERATORS[word], word, start)
        elif word in (r"\frac", r"\tfrac", r"\dfrac"):
            emit("FRAC", word, start)
        elif word in (r"\binom", r"\tbinom"):
            emit("BINOM", word, start)
        elif word == r"\sqrt":
            emit("SQRT", word, start)
        elif word in (r"\sum", r"\prod"):
            emit("BIG", word[1:], start)
        elif word == r"\partial":
            emit("PARTIAL", word, start)
        elif word == r"\nabla":
            emit("NABLA", word, start)
        elif word in ROLES:
            emit("ROLE", word, start)
        elif word in ACCENTS:
            emit("ACCENT", ACCENTS[word], start)
        elif word in NOTED:
            emit("BRACE", word, start)
        elif word in DOTS:
            emit("DOTS", word, start)
        elif word == r"\prime":
            emit("PRIME", "'", start)
        elif word in BARS:
            kind = BARS[word]
            rest = latex[i:].lstrip()
            if bars and bars[-1] == (kind, depth):
                bars.pop()
                emit("CLOSE", kind, start)
            elif kind == "|" and rest.startswith("_"):
                emit("EVALBAR", word, start)
            else:
                bars.append((kind, depth))
                emit("OPEN", kind, start)
        elif word in OPEN:
            emit("OPEN", OPEN[word], start)
        elif word in CLOSE:
            emit("CLOSE", CLOSE[word], start)
        elif word == "{":
            depth += 1
            emit("LBRACE", word, start)
        elif word == "}":
            depth -= 1
            if depth < 0:
                raise LatexError("this } closes nothing", start)
            emit("RBRACE", word, start)
        elif word in "^_'":
            emit({"^": "CARET", "_": "UNDER", "'": "PRIME"}[word], word, start)
        elif word in ",;:":
            emit({",": "COMMA", ";": "SEMI", ":": "COLON"}[word], word, start)
        elif word == "." and not latex[i : i + 1].isdigit():
            if not _ENDS.match(latex, i):
                raise LatexError("a full stop inside a formula", start)
            continue  # the full stop that ends the sentence
        elif word.isdigit() or word == ".":
            emit("DIGIT", word, start)
        elif word[0] == "\\" and word[1:] in GREEK:
            emit("SYM", word[1:], start)
        elif word[0] == "\\" and word[1:] in NAMED:
            emit("NAMED", word[1:], start)
        elif len(word) == 1 and word.isalpha():
            emit("SYM", word, start)
        else:
            raise LatexError(f"{word} is not in the notation this reader knows", start)
    if depth:
        raise LatexError("a { is never closed", _unclosed(latex))
    if environments:
        raise LatexError(f"\\begin{{{environments[-1]}}} is never ended", len(latex))
    return tokens


def _unclosed(latex: str) -> int:
    """The offset of the first brace that is never closed."""
    stack = []
    for match in re.finditer(r"\\.|[{}]", latex, re.DOTALL):
        if match[0] == "{":
            stack.append(match.start())
        elif match[0] == "}" and stack:
            stack.pop()
    return stack[0] if stack else 0


def _style(latex: str, word: str, start: int, i: int, tokens: list[Token]) -> int:
    """A change of typeface: bold means nothing, sans serif and calligraphic make another letter."""
    one = _ONE.match(latex, i)
    if not one:
        if word in BOLD:  # bold around a longer expression
            tokens.append(Token("ROLE", word, start_pos=start, end_pos=i))
            return i
        body = _BRACED.match(latex, i)
        if body and re.fullmatch(r"\s*[A-Za-z]+\s*", body[1]):
            tokens.append(Token("NAMED", body[1].strip(), start_pos=start, end_pos=body.end()))
            return body.end()
        raise LatexError(f"{word} is read around one letter or one word", start)
    letter = (one[1] or one[2]).lstrip("\\")
    kind = "SYM"
    if letter in ROLES or (len(letter) > 1 and letter not in GREEK):
        raise LatexError(f"{word} around \\{letter} is not read", start)
    if word in (r"\mathsf", r"\mathrm") and letter == "T":
        kind = "TRANSPOSED"
    elif letter.isdigit():
        if letter != "1":
            raise LatexError(f"{word} {letter} has no meaning here", start)
        kind, letter = "ONES", "1"
    elif word in (r"\mathsf", r"\mathcal", r"\mathbb", r"\mathfrak"):
        letter = {"mathsf": "sf", "mathcal": "cal", "mathbb": "bb", "mathfrak": "fr"}[
            word[1:]
        ] + letter
    tokens.append(Token(kind, letter, start_pos=start, end_pos=one.end()))
    return one.end()


# --------------------------------------------------------------------------------------------
# The tree of what is written


@dataclass(frozen=True)
class Item:
    """A node: `kind`, a `text` (letter, operator, bracket), `parts`, and its place."""

    kind: str
    text: str = ""
    parts: tuple = ()
    start: int = 0
    end: int = 0


GRAMMAR = r"""
statement: expression (REL expression)*
expression: [PLUS | MINUS] term ((PLUS | MINUS) term)*
term: product ((ODOT | OSLASH | OTIMES | CIRC) product)*
product: (factor | CDOT signed | SLASH)+
?signed: factor | MINUS factor -> negative
factor: base script*
script: CARET argument | UNDER argument | PRIME | CARET ODOT argument -> entrywise
?argument: LBRACE entries RBRACE -> braces
         | single
?single: SYM -> letter | DIGIT -> digit | TRANSPOSED -> transposed | ONES -> ones
       | PRIME -> prime | PARTIAL -> partial
number: DIGIT+
?base: number | letter | ones | transposed | partial
     | NABLA -> nabla | BIG -> big | NAMED -> named | DOTS -> dots | EVALBAR -> evalbar
     | COLON -> colon
     | OPEN entries CLOSE -> group
     | LBRACE entries RBRACE -> braces
     | FRAC argument argument -> fraction
     | BINOM argument argument -> binomial
     | SQRT argument -> root
     | ROLE argument -> role
     | BRACE argument -> role
     | ACCENT argument -> accent
     | BEGIN rows END -> matrix
letter: SYM
ones: ONES
transposed: TRANSPOSED
partial: PARTIAL
rows: row (ROW row)*
row: cell (AMP cell)*
cell: TEXT* entries
entries: [statement] ((COMMA | SEMI | BARE) [statement])*
"""

TERMINALS = _words(
    "SYM DIGIT TRANSPOSED ONES PRIME PARTIAL NABLA BIG NAMED DOTS EVALBAR COLON OPEN CLOSE LBRACE"
    " RBRACE FRAC BINOM SQRT ROLE BRACE ACCENT BEGIN END ROW AMP TEXT COMMA SEMI BARE REL PLUS"
    " MINUS ODOT OSLASH OTIMES CIRC CDOT SLASH CARET UNDER"
)


class _Given(Lexer):
    """Lark's lexer interface over tokens that are already made."""

    def __init__(self, lexer_conf):
        pass

    def lex(self, data, parser_state=None) -> Iterator[Token]:
        return iter(data)


class _Build(Transformer):
    """What the parser makes of each rule: an Item, which spans the text it was read from."""


def _at(token: Token) -> int:
    return token.start_pos or 0


def _span(children) -> tuple[int, int]:
    places = [
        (_at(c), c.end_pos or 0) if isinstance(c, Token) else (c.start, c.end)
        for c in children
        if c is not None and (isinstance(c, Token) or c.end > c.start)
    ]
    return (min(p[0] for p in places), max(p[1] for p in places)) if places else (0, 0)


def _leaf(kind: str):
    def build(self, children):
        return Item(kind, str(children[0]), (), *_span(children))

    return build


for _name in sorted(
    _words("letter digit ones transposed partial prime nabla big named dots evalbar colon")
):
    setattr(_Build, _name, _leaf(_name))


def _rule(name: str):
    def register(function):
        setattr(_Build, name, lambda self, children: function(children, *_span(children)))
        return function

    return register


@_rule("statement")
def _(children, start, end):
    if len(children) == 1:
        return children[0]
    relations = tuple(str(c) for c in children if isinstance(c, Token))
    sides = tuple(c for c in children if isinstance(c, Item))
    return Item("relation", " ".join(relations), sides, start, end)


@_rule("expression")
def _(children, start, end):
    terms = []
    sign = "+"
    for child in children:
        if child is None:
            continue
        if isinstance(child, Token):
            sign = "-" if child.type == "MINUS" else "+"
        else:
            terms.append((sign, child))
            sign = "+"
    if len(terms) == 1 and terms[0][0] == "+":
        return terms[0][1]
    return Item("sum", "".join(s for s, _ in terms), tuple(t for _, t in terms), start, end)


@_rule("term")
def _(children, start, end):
    if len(children) == 1:
        return children[0]
    operators = " ".join(c.type for c in children if isinstance(c, Token))
    return Item("term", operators, tuple(c for c in children if isinstance(c, Item)), start, end)


@_rule("product")
def _(children, start, end):
    parts = tuple(
        Item("operator", c.type, (), c.start_pos, c.end_pos) if isinstance(c, Token) else c
        for c in children
    )
    return parts[0] if len(parts) == 1 else Item("product", "", parts, start, end)


@_rule("negative")
def _(children, start, end):
    return Item("sum", "-", (children[1],), start, end)


@_rule("factor")
def _(children, start, end):
    base, *scripts = children
    if base.kind == "role" and base.text in NOTED and scripts:
        for script in scripts:
            note = script.parts[0] if script.parts else script
            if not (note.kind == "braces" and [p.kind for p in note.parts] == ["named"]):
                raise LatexError(
                    f"the note at {base.text} is read as \\text{{...}} only; a formula needs a "
                    "line of its own",
                    script.start,
                )
        return base
    return base if not scripts else Item("scripted", "", (base, *scripts), start, end)


@_rule("script")
def _(children, start, end):
    if len(children) == 1:
        return Item("prime", "'", (), start, end)
    kind = "super" if children[0].type == "CARET" else "sub"
    return Item(kind, "", (children[1],), start, end)


@_rule("entrywise")
def _(children, start, end):
    return Item("entrypower", "", (children[2],), start, end)


@_rule("braces")
def _(children, start, end):
    return Item("braces", "", children[1].parts, start, end)


@_rule("number")
def _(children, start, end):
    return Item("number", "".join(children), (), start, end)


@_rule("group")
def _(children, start, end):
    opening, entries, closing = children
    if opening != closing:
        raise LatexError(
            f"opened with {opening!s} and closed with another bracket", closing.start_pos
        )
    return Item("group", str(opening), entries.parts, start, end)


@_rule("fraction")
def _(children, start, end):
    return Item("fraction", "", tuple(children[1:]), start, end)


@_rule("binomial")
def _(children, start, end):
    return Item("binomial", "", tuple(children[1:]), start, end)


@_rule("root")
def _(children, start, end):
    return Item("root", "", (children[1],), start, end)


@_rule("role")
def _(children, start, end):
    return Item("role", str(children[0]), (children[1],), start, end)


@_rule("accent")
def _(children, start, end):
    return Item("accent", str(children[0]), (children[1],), start, end)


@_rule("matrix")
def _(children, start, end):
    return Item("matrix", str(children[0]), children[1].parts, start, end)


@_rule("rows")
def _(children, start, end):
    return Item("rows", "", tuple(c for c in children if isinstance(c, Item)), start, end)


@_rule("row")
def _(children, start, end):
    return Item("row", "", tuple(c for c in children if isinstance(c, Item)), start, end)


@_rule("cell")
def _(children, start, end):
    *words, entries = children
    for word in words:
        if not set(re.findall(r"[a-z]+", word.lower())) <= CASES:
            raise LatexError(
                f"{word.strip()!r} is not read in a row of cases ({', '.join(sorted(CASES))} are)",
                _at(word),
            )
    return Item("cell", " ".join(words), entries.parts, start, end)


@_rule("entries")
def _(children, start, end):
    parts = tuple(c for c in children if isinstance(c, Item))
    commas = [c for c in children if isinstance(c, Token)]
    if commas and len(parts) != len(commas) + 1:
        raise LatexError("something is missing beside this comma", _at(commas[0]))
    return Item("entries", "", parts, start, end)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    declare = "\n%declare " + " ".join(sorted(TERMINALS)) + "\n"
    # The rules are built while parsing, without a tree of Lark's in between.
    return Lark(
        GRAMMAR + declare, start="statement", parser="lalr", lexer=_Given, transformer=_Build()
    )


def parse(tokens: list[Token]) -> Item:
    """One statement (an expression, or a chain of relations) as a tree of Items."""
    try:
        return _parser().parse(tokens)  # type: ignore[return-value]
    except UnexpectedInput as error:
        token = getattr(error, "token", None)
        if token is None or token.type == "$END":
            place = (tokens[-1].end_pos or 0) if tokens else 0
            raise LatexError("the formula ends too early here", place) from None
        raise LatexError(f"{token!s} is not expected here", _at(token)) from None


# --------------------------------------------------------------------------------------------
# Statements: what a displayed equation says, one assertion after the other


@dataclass(frozen=True)
class Statement:
    """`sides` joined by `relations`; `continues` when the first side is the last one's last."""

    sides: tuple[Item, ...]
    relations: tuple[str, ...]
    continues: bool
    start: int


def _understand(token: Token) -> None:
    """Refuse words between formulas that could change what the formulas say.

    Joining words are read as commas; a remark begins with a bracket or a comma and says nothing
    of its own.
    """
    text = token.strip()
    words = set(re.findall(r"[A-Za-z]+", text.lower()))
    remark = text[:1] in ("(", ",", ";", "")
    if words & TURNING or not (remark or words <= JOINING):
        raise LatexError(
            f"{text!r} is not read between formulas: write it in the prose, or as a remark in "
            f"parentheses ({', '.join(sorted(JOINING))} are read)",
            _at(token),
        )


_SEPARATORS = {"NEWLINE", "QUAD", "COMMA", "SEMI", "COLON", "TEXT"}
_JOINERS = {"PLUS", "MINUS", "ODOT", "OSLASH", "OTIMES", "CDOT"}


def statements(latex: str) -> list[Statement]:
    """Split a display at its line ends, commas and spaces, and read every piece.

    A piece that begins with a relation goes on from the piece before (`&= ...`); a line that
    begins with a sign continues the expression above it.
    """
    pieces: list[list[Token]] = [[]]
    depth = matrices = 0
    ended_by = "NEWLINE"
    tokens = tokenize(latex)
    for place, token in enumerate(tokens):
        following = tokens[place + 1].type if place + 1 < len(tokens) else ""
        if token.type == "TEXT" and following == "REL" and re.fullmatch(r"\w+", token.strip()):
            token = token.update(type="NAMED", value=token.strip())  # \text{cost} = ...
        matrices += (token.type == "BEGIN") - (token.type == "END")
        if token.type in ("LBRACE", "OPEN", "BEGIN"):
            depth += 1
        elif token.type in ("RBRACE", "CLOSE", "END"):
            depth -= 1
        if depth == 0 and token.type == "TEXT":
            _understand(token)
        if depth == 0 and token.type in _SEPARATORS:
            if pieces[-1]:
                pieces.append([])
                ended_by = token.type
            elif token.type == "NEWLINE":
                ended_by = "NEWLINE"
            continue
        if depth and token.type == "NEWLINE":
            raise LatexError("a line ends inside a bracket", _at(token))
        if depth and token.type == "QUAD":
            continue
        if depth and token.type == "TEXT" and not matrices:
            alone = pieces[-1][-2:] and pieces[-1][-2].type in ("UNDER", "CARET")
            if not (alone and pieces[-1][-1].type == "LBRACE" and following == "RBRACE"):
                raise LatexError("words inside a formula are not read", _at(token))
            # C_{\text{forward}}
            pieces[-1].append(token.update(type="NAMED", value=re.sub(r"\W", "", token)))
            continue
        if not pieces[-1] and len(pieces) > 1 and token.type in _JOINERS and ended_by == "NEWLINE":
            pieces.pop()
        pieces[-1].append(token)
    result: list[Statement] = []
    for piece in pieces:
        if not piece:
            continue
        continues = piece[0].type == "REL"
        first = str(piece[0]) if continues else ""
        item = parse(piece[1:] if continues else piece)
        if item.kind == "relation":
            relations, sides = item.text.split(" "), item.parts
        else:
            relations, sides = [], (item,)
        if continues:
            relations = [first, *relations]
            if not result:
                raise LatexError("a relation with nothing on its left", _at(piece[0]))
        result.append(Statement(sides, tuple(relations), continues, _at(piece[0])))
    return result
