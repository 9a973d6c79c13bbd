r"""Equations that run: the printed LaTeX of a book, evaluated against an independent oracle.

Depends on NumPy and lark only, and on nothing else of this library: another book can use it.
CONTRIBUTING.md has two worked examples; this is the reference.

**What a letter may be bound to**

=======================================  ==========================================================
`normal("B", "n")`, `uniform(lo, hi,     a random array; `normal()` is a random scalar.  Sizes named
...)`, `positive(...)`                   by letters differ from draw to draw: all distinct, all
                                         equal, a batch of one, random
`sample(lambda rng, B, n: ...)`          your own draw (labels, one-hot rows, extreme cases); the
                                         other parameters are letters or sizes
`lambda A, W: A @ W`                     a computed quantity; the order of the keywords is the
                                         order of the program
`function(f)`, `elementwise(f)`          a function that the equation applies: `f(x)`, `\phi(Z)`,
                                         `\phi'(Z)`, `\mathsf J_f(x)`
`layered(spec, low=1, high="L")`, or a   one per layer: `W^{[l]}`, `\phi_l`
list of specs
`gradient("J", "Z")`                     a letter that stands for a derivative
a number, an array                       itself; whole numbers are sizes and may be subscripts
`range(1, 5)`                            an index letter that is a number
=======================================  ==========================================================

Names: `\Delta` is `Delta`, `\mathsf J` is `sfJ`, `\mathcal L` is `calL`, `\hat x` is `x_hat`,
`x'` is `x_prime`, `W_1` is `W_1`, `p^\ast` is `p_star`, `N_{\nabla f}` is `N_nablaf`.  Bold and
the color macros mean nothing.  `\bar x` is the derivative of the loss (`loss="J"`) by x and
`\dot x`, `dx` the tangent along a random direction, unless `x_bar`, `x_dot` are bound.  Options
of `Letters`: `draws`, `tol`, `loss`, `ones` (sizes that are 1 in every fourth draw),
`sizes={"n": (3, 6)}`, `base` (first subscript).

**How LaTeX is read**

- Side by side is the matrix product (or scaling, or application of a bound function). It binds
  more tightly than `\odot`, which binds more tightly than `+`. A sum sign reaches to the end of
  its term. `\log`, `\operatorname{tr}` and the like, without parentheses, reach to the next such
  operator.
- A 1-D array is a column. Nothing broadcasts: add a bias with `\mathbf 1 b^{\mathsf T}`. Only a
  literal number may be added to an array.
- Subscripts number the axes from 1; their ranges come from the arrays, and a stated range
  (`\sum_{j=1}^{n_{l-1}}`) is compared with them. An index that is free on one side only is
  refused.
- Layers: `W^{[l]}`; transposed `W^{[l]\mathsf T}` or `(W^{[l]})^{\mathsf T}`. `l` runs over all
  layers where every letter exists, unless the display says `l = 1, \dots, L-1` or the call
  `l=range(1, 3)`.
- `\delta_{ij}` is Kronecker's. `\mathbf 1` is the all-ones column, `\mathbf 1[x > 0]` the
  indicator.
- A derivative without subscripts has the shape of its variable when the numerator is a scalar; a
  column by a column is the Jacobian (a row for each output); anything larger needs subscripts.
- `W \leftarrow W - \eta \nabla_W J` is checked against `W_new`, bound to what the code assigns.
- In `aligned` every line is checked; commas, `\quad` and joining words separate assertions; a
  line that starts with `=` continues the one above. `+ O(h^2)` is checked by the slope of the
  remainder.
- A bound (`\le`) must hold on every draw. If some draw attains it, a wrong form must be attained
  too, or it is refused "by tightness": let `sample` draw the extreme case.
- What cannot be read is an error with file, line and a caret. Nothing is passed over: words
  between formulas join them (and, for, where, ...) or are remarks in parentheses, and a note
  under a brace is text.

**Definitions, and what cannot be evaluated**

`equation("eq-z").defines(net)` is for an equation that introduces a letter: the code's own value
must be what the right side says, and the mark says "definition".  When the LaTeX cannot be
evaluated::

    equation("eq-limit").by_code(check, because="a limit has no finite evaluation", tex=r"...")
    equation("eq-slogan").unchecked("It only names the parts of the figure above.")

`tex` repeats the printed form, so that a change of the page turns the check red; wrong forms are
then functions: `.rejects(lambda: ..., because=...)` must return False or raise.

`rejects` takes a whole relation, or a right side alone (put after the left side of the first
relation).  It must be readable and refused by value, shape, index or tightness in some draw.
Every bound equation needs at least one; the build fails otherwise.

`Book(path)` reads a folder of MyST files or one file, `equation(label, book)` looks there, and
`formula(latex)` takes the LaTeX itself.
"""

from .check import Check, Equation, equation, formula, session
from .letters import (
    Letters,
    LettersError,
    elementwise,
    function,
    gradient,
    layered,
    normal,
    positive,
    sample,
    uniform,
)
from .source import Book, EquationError, read

__all__ = [
    "Book",
    "Check",
    "Equation",
    "EquationError",
    "Letters",
    "LettersError",
    "elementwise",
    "equation",
    "formula",
    "function",
    "gradient",
    "layered",
    "normal",
    "positive",
    "read",
    "sample",
    "session",
    "uniform",
]
