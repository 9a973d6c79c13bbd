"""The primitives: every function that bplib can differentiate, and the table that lists them.

`PRIMITIVES` is the table, `CONVENTIONS` what is answered at ties and kinks. A primitive is stated
by one call of `elementwise`, `linear`, `bilinear`, `symmetric` or `primitive`.
"""

# ruff: noqa: F403  (this file is the list of public names)

from bplib.ops import nodes as _nodes  # attaches the operators to Node
from bplib.ops.base import *
from bplib.ops.conventions import CONVENTIONS, Convention
from bplib.ops.nodes import PLAIN, PLAIN_UFUNCS
from bplib.ops.pointwise import *
from bplib.ops.products import *
from bplib.ops.reductions import *
from bplib.ops.shaping import *
