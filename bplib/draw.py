"""Lay out and draw an exported graph as an SVG picture, without any browser.

The layout is written twice, here and in ``figures/js/layout.mjs``, with the same arithmetic in the
same order, so that the printed picture and the live figure place every box alike. A test compares
them number by number. Only the document made by :mod:`bplib.export` is read.
"""

from __future__ import annotations

import json
import math
from decimal import ROUND_HALF_UP, Decimal
from html import escape
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

_HERE = Path(__file__).with_name("figures")
TOKENS: dict[str, Any] = json.loads(_HERE.joinpath("tokens.json").read_text(encoding="utf-8"))
WORDS: dict[str, Any] = json.loads(_HERE.joinpath("words.json").read_text(encoding="utf-8"))

#: More array elements than this, or more nodes than MAX_NODES, make a picture nobody can read.
MAX_ELEMENTS = 400
MAX_NODES = 60

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def fmt(x: float, digits: int = 3) -> str:
    """Write a number with three significant digits, a true minus, and ``×10⁻⁴`` where small."""
    if math.isnan(x):
        return "NaN"
    sign = "−" if x < 0 else ""
    a = abs(x)
    if math.isinf(a):
        return sign + "∞"
    if a == 0:
        return "0"
    exact = Decimal(a)
    k = exact.adjusted()
    mantissa = exact.scaleb(-k).quantize(Decimal(1).scaleb(1 - digits), ROUND_HALF_UP)
    if mantissa >= 10:
        k += 1
        mantissa = exact.scaleb(-k).quantize(Decimal(1).scaleb(1 - digits), ROUND_HALF_UP)
    if k < -3 or k > 4:
        return f"{sign}{mantissa}×10{str(k).translate(_SUPERSCRIPT)}"
    if k >= digits:
        return sign + str(int(exact.quantize(Decimal(1), ROUND_HALF_UP)))
    return sign + str(exact.quantize(Decimal(1).scaleb(k + 1 - digits), ROUND_HALF_UP))


def fmt_short(x: float) -> str:
    """Write a local derivative: an integer as it is, anything else to two or three digits."""
    if math.isfinite(x) and x == int(x) and abs(x) < 1000:
        return str(int(x)).replace("-", "−")
    a = abs(x)
    if 0.0995 <= a < 9.995:
        return ("−" if x < 0 else "") + str(Decimal(a).quantize(Decimal("0.01"), ROUND_HALF_UP))
    return fmt(x, 2 if a < 0.0995 else 3)


def shape_text(shape: list[int]) -> str:
    """Write a shape as ``4 × 3``."""
    return " × ".join(map(str, shape)) if shape else "scalar"


def words(op: str) -> dict[str, Any]:
    """Return the symbol, the local derivatives and the sentence of an op."""
    return WORDS.get(op) or {"sym": op, "fwd": op + "(…)", "local": [], "say": ""}


def fill(template: str, node: dict[str, Any], by_id: dict[str, Any], bar: str = "G") -> str:
    """Replace ``{0}``, ``{1}``, ``{y}`` and ``{g}`` in a template by the names in this graph."""
    for i, source in enumerate(node["inputs"]):
        template = template.replace(f"{{{i}}}", by_id[source]["label"])
    return template.replace("{y}", node["label"]).replace("{g}", bar)


# --- layout -----------------------------------------------------------------------------------


def _r2(v: float) -> float:
    return math.floor(v * 100 + 0.5) / 100


def grid(shape: list[int]) -> tuple[int, int, float]:
    """Return the rows, the columns and the cell size of a tensor's Hinton diagram."""
    if len(shape) == 0:
        return 1, 1, 0
    n = 1
    for k in shape:
        n *= k
    cols = min(n, 16) if len(shape) == 1 else shape[-1]
    rows = 0 if n == 0 else -(-n // cols)
    most = max(rows, cols, 1)
    return rows, cols, max(4, min(11, math.floor(88 / most)))


def _is_curve(node: dict[str, Any]) -> bool:
    return bool(words(node["op"]).get("curve")) and not node["shape"] and len(node["inputs"]) > 0


def pill_text(node: dict[str, Any], arg: int, by_id: dict[str, Any]) -> str | None:
    """Return the symbolic local derivative of a tensor edge; None where a number will stand."""
    source = by_id[node["inputs"][arg]]
    if not node["shape"] and not source["shape"]:
        return None
    w = words(node["op"])
    pills = w.get("pill")
    if pills:
        return fill(pills[arg], node, by_id, "·") if arg < len(pills) else "·"
    local = w["local"]
    if arg >= len(local):
        return w["sym"] + "′"
    text = "× " + fill(local[arg], node, by_id)
    if source["shape"] != node["shape"]:
        text += ", Σ"
    return text if len(text) <= 14 else w["sym"] + "′"


def measure(node: dict[str, Any], vertical: bool) -> dict[str, float]:
    """Return the size of a node's box and where its value and gradient rows lie in it."""
    if node["role"] == "const":
        wide = max(34, 14 + 7 * len(node["text"]))
        return {"w": wide, "h": 24, "head": 0, "row": 24, "vy": 12, "gy": 12}
    rows, cols, cell = grid(node["shape"])
    base = 64 if vertical else 68
    sym = "" if node["op"] == "leaf" else words(node["op"])["sym"]
    curve = _is_curve(node)
    title = 16 + (26 if curve else 7 * len(sym)) + 9 * len(node["label"])
    if node["shape"]:
        head, row, w = 42, rows * cell + 10, max(base, cols * cell + 34, title)
    else:
        head, row, w = (34 if curve else 26), 18, max(base, title)
    return {
        "w": w,
        "h": head + 2 * row,
        "head": head,
        "row": row,
        "vy": head + row / 2,
        "gy": head + row + row / 2,
    }


def layout(doc: Doc, vertical: bool = False) -> dict[str, Any]:
    """Place every node and edge of a document.

    Layers by longest path, order within a layer by barycentre, the longest chain to the first
    output drawn straight. ``vertical`` runs downward, for narrow screens. Returns
    ``{w, h, nodes: [{x, y, w, h, head, row, vy, gy, rank}], edges: [{from, to, arg, f, b, px, py,
    pw, text}]}`` in SVG units, where ``f`` and ``b`` are lists of points (pairs of cubic ends).
    """
    nodes = doc["nodes"]
    n = len(nodes)
    index = {node["id"]: i for i, node in enumerate(nodes)}
    by_id = {node["id"]: node for node in nodes}
    ins = [[index[s] for s in node["inputs"]] for node in nodes]
    outs: list[list[int]] = [[] for _ in nodes]
    for i, sources in enumerate(ins):
        for s in sources:
            outs[s].append(i)

    # Longest path from the sources; a leaf then moves next to its first consumer.
    rank = [0] * n
    for i in range(n):
        for s in ins[i]:
            rank[i] = max(rank[i], rank[s] + 1)
    for i in range(n):
        if not ins[i] and outs[i]:
            rank[i] = min(rank[t] for t in outs[i]) - 1
    depth = max(rank, default=0) + 1

    # Cells: the nodes, then one waypoint per layer that a long edge crosses.
    cell_rank = list(rank)
    near: list[list[int]] = [[] for _ in nodes]  # neighbours in the layer before
    next_: list[list[int]] = [[] for _ in nodes]  # neighbours in the layer after
    edges: list[dict[str, Any]] = []
    for i in range(n):
        for arg, s in enumerate(ins[i]):
            chain = []
            prev = s
            for r in range(rank[s] + 1, rank[i]):
                c = len(cell_rank)
                cell_rank.append(r)
                near.append([prev])
                next_.append([])
                next_[prev].append(c)
                chain.append(c)
                prev = c
            near[i].append(prev)
            next_[prev].append(i)
            edges.append({"from": s, "to": i, "arg": arg, "via": chain})

    layers: list[list[int]] = [[] for _ in range(depth)]
    for c, r in enumerate(cell_rank):
        layers[r].append(c)
    place = [0.0] * len(cell_rank)

    def settle(layer: list[int]) -> None:
        for k, c in enumerate(layer):
            place[c] = k - (len(layer) - 1) / 2

    for layer in layers:
        settle(layer)
    for sweep in range(8):
        down = sweep % 2 == 0
        for r in range(depth) if down else range(depth - 1, -1, -1):
            key = {}
            for c in layers[r]:
                side = near[c] if down else next_[c]
                total = 0.0
                for m in side:
                    total += place[m]
                key[c] = total / len(side) if side else place[c]
            layers[r].sort(key=lambda c: key[c])
            settle(layers[r])

    # The spine: from the first output back along inputs one layer away.
    spine = [-1] * depth
    if n:
        at = index[doc["outputs"][0]] if doc["outputs"] else n - 1
        while True:
            spine[rank[at]] = at
            best = -1
            for s in ins[at]:
                if rank[s] != rank[at] - 1:
                    continue
                if (
                    best < 0
                    or (ins[s] and not ins[best])
                    or (not ins[s] and not ins[best] and nodes[s]["role"] == "param")
                ):
                    best = s
            if best < 0:
                break
            at = best

    box = [measure(node, vertical) for node in nodes]
    gap = 12 if vertical else 24

    def up(c: int) -> float:
        if c >= n:
            return 16
        return box[c]["w"] / 2 if vertical else _anchor(box[c])

    def low(c: int) -> float:
        if c >= n:
            return 16
        return box[c]["w"] / 2 if vertical else box[c]["h"] - _anchor(box[c])

    cross = [0.0] * len(cell_rank)
    for r in range(depth):
        layer = layers[r]
        p = layer.index(spine[r]) if spine[r] >= 0 else (len(layer) - 1) // 2
        for k in range(p - 1, -1, -1):
            c, d = layer[k], layer[k + 1]
            cross[c] = cross[d] - up(d) - gap - low(c)
        for k in range(p + 1, len(layer)):
            c, d = layer[k], layer[k - 1]
            cross[c] = cross[d] + low(d) + gap + up(c)
    for sweep in range(4):
        for r in range(depth) if sweep % 2 == 0 else range(depth - 1, -1, -1):
            layer = layers[r]
            p = layer.index(spine[r]) if spine[r] >= 0 else (len(layer) - 1) // 2
            for k in [*range(p - 1, -1, -1), *range(p + 1, len(layer))]:
                c = layer[k]
                side = near[c] + next_[c]
                # Leaves stay packed against the spine: were they to chase their consumers, both
                # would drift away from it.
                if not side or (c < n and not ins[c]):
                    continue
                total = 0.0
                for m in side:
                    total += cross[m]
                want = total / len(side)
                if k < p:
                    d = layer[k + 1]
                    cross[c] = min(want, cross[d] - up(d) - gap - low(c))
                else:
                    d = layer[k - 1]
                    cross[c] = max(want, cross[d] + low(d) + gap + up(c))

    # Along the flow: every layer as deep as its deepest box, with room between for a pill.
    texts = [pill_text(nodes[e["to"]], e["arg"], by_id) for e in edges]
    room = [46.0 if not vertical else 34.0] * depth
    if not vertical:
        for e, text in zip(edges, texts, strict=True):
            if text is not None:
                r = cell_rank[e["from"]]
                room[r] = max(room[r], 34 + 6.5 * len(text))
    start = [0.0] * depth
    thick = [0.0] * depth
    for r in range(depth):
        for c in layers[r]:
            if c < n:
                thick[r] = max(thick[r], box[c]["h"] if vertical else box[c]["w"])
        if r + 1 < depth:
            start[r + 1] = start[r] + thick[r] + room[r]

    placed = []
    for i in range(n):
        b = box[i]
        mid = start[rank[i]] + thick[rank[i]] / 2
        if vertical:
            x, y = cross[i] - b["w"] / 2, mid - b["h"] / 2
        else:
            x, y = mid - b["w"] / 2, cross[i] - _anchor(b)
        placed.append({"x": x, "y": y, **b, "rank": rank[i]})

    for e in edges:
        s, t = placed[e["from"]], placed[e["to"]]
        double = [k for k in edges if k["from"] == e["from"] and k["to"] == e["to"]]
        shift = 0.0 if len(double) == 1 else (e["arg"] - (len(double) - 1) / 2) * 10
        fwd, bwd = [], []
        for c in e["via"]:
            a, z = start[cell_rank[c]], start[cell_rank[c]] + thick[cell_rank[c]]
            if vertical:
                fwd += [(cross[c] - 8, a), (cross[c] - 8, z)]
                bwd += [(cross[c] + 8, a), (cross[c] + 8, z)]
            else:
                fwd += [(a, cross[c] - 8), (z, cross[c] - 8)]
                bwd += [(a, cross[c] + 8), (z, cross[c] + 8)]
        if vertical:
            q = 0.25
            f0 = (s["x"] + s["w"] * q, s["y"] + s["h"])
            f1 = (t["x"] + t["w"] * q + shift, t["y"])
            b0 = (s["x"] + s["w"] * (1 - q), s["y"] + s["h"])
            b1 = (t["x"] + t["w"] * (1 - q) + shift, t["y"])
        else:
            f0 = (s["x"] + s["w"], s["y"] + s["vy"])
            f1 = (t["x"], t["y"] + t["vy"] + shift / 2)
            b0 = (s["x"] + s["w"], s["y"] + s["gy"])
            b1 = (t["x"], t["y"] + t["gy"] + shift / 2)
        e["f"] = [f0, *fwd, f1]
        e["b"] = [b0, *bwd, b1]

    _place_pills(edges, texts, placed, nodes, vertical)
    return _shift(placed, edges, vertical)


def _anchor(b: dict[str, float]) -> float:
    return b["head"] + b["row"] if b["head"] else b["h"] / 2


def bezier(p: tuple[float, float], q: tuple[float, float], t: float, vertical: bool):
    """Return the point at ``t`` of the S-curve that leaves p and enters q along the flow."""
    if vertical:
        m = (p[1] + q[1]) / 2
        c1, c2 = (p[0], m), (q[0], m)
    else:
        m = (p[0] + q[0]) / 2
        c1, c2 = (m, p[1]), (m, q[1])
    u = 1 - t
    k0, k1, k2, k3 = u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t
    return (
        k0 * p[0] + k1 * c1[0] + k2 * c2[0] + k3 * q[0],
        k0 * p[1] + k1 * c1[1] + k2 * c2[1] + k3 * q[1],
    )


_TRY = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)


def _place_pills(edges, texts, placed, nodes, vertical) -> None:
    """Put each local derivative on its backward edge where it covers nothing else."""
    taken: list[tuple[float, float, float, float]] = []
    for e, text in zip(edges, texts, strict=True):
        e["text"] = text
        if nodes[e["from"]]["role"] == "const":
            e["px"] = e["py"] = e["pw"] = 0.0
            continue
        pw = 46.0 if text is None else 14 + 6.5 * len(text)
        points = e["b"]
        segments = [(points[k], points[k + 1]) for k in range(0, len(points), 2)]
        middle = (len(segments) - 1) / 2
        order = sorted(range(len(segments)), key=lambda k: abs(k - middle))
        best, least = None, math.inf
        for k in order:
            for t in _TRY:
                x, y = bezier(*segments[k], t, vertical)
                cost = 0.0
                for tx, ty, tw, th in taken:
                    cost += _overlap(x, y, pw + 4, 20, tx, ty, tw, th)
                for b in placed:
                    cost += _overlap(
                        x, y, pw, 18, b["x"] + b["w"] / 2, b["y"] + b["h"] / 2, b["w"], b["h"]
                    )
                if cost < least:
                    best, least = (x, y), cost
                if cost == 0:
                    break
            if least == 0:
                break
        assert best is not None
        e["px"], e["py"], e["pw"] = best[0], best[1], pw
        taken.append((best[0], best[1], pw, 18))


def _overlap(x, y, w, h, x2, y2, w2, h2) -> float:
    dx = (w + w2) / 2 - abs(x - x2)
    dy = (h + h2) / 2 - abs(y - y2)
    return dx * dy if dx > 0 and dy > 0 else 0.0


def _shift(placed, edges, vertical) -> dict[str, Any]:
    """Move the drawing to a margin of 8 and round every coordinate to 0.01."""
    xs, ys, xe, ye = [], [], [], []
    for b in placed:
        xs.append(b["x"])
        ys.append(b["y"])
        xe.append(b["x"] + b["w"])
        ye.append(b["y"] + b["h"])
    for e in edges:
        for x, y in e["f"] + e["b"]:
            xs.append(x)
            ys.append(y)
            xe.append(x)
            ye.append(y)
        if e["pw"]:
            xs.append(e["px"] - e["pw"] / 2)
            xe.append(e["px"] + e["pw"] / 2)
            ys.append(e["py"] - 9)
            ye.append(e["py"] + 9)
    x0, y0 = min(xs, default=0) - 8, min(ys, default=0) - 8
    for b in placed:
        b["x"], b["y"] = _r2(b["x"] - x0), _r2(b["y"] - y0)
    for e in edges:
        e["f"] = [(_r2(x - x0), _r2(y - y0)) for x, y in e["f"]]
        e["b"] = [(_r2(x - x0), _r2(y - y0)) for x, y in e["b"]]
        e["px"], e["py"] = _r2(e["px"] - x0), _r2(e["py"] - y0)
        del e["via"]
    return {
        "w": _r2(max(xe, default=0) - x0 + 8),
        "h": _r2(max(ye, default=0) - y0 + 8),
        "vertical": vertical,
        "nodes": placed,
        "edges": edges,
    }


# --- SVG --------------------------------------------------------------------------------------

_ROLE = TOKENS["roles"]
_NEUTRAL = TOKENS["neutral"]
V, G, L, P = (_ROLE[k]["light"] for k in ("value", "gradient", "local", "parameter"))
VT, GT, LT = (_ROLE[k]["tint"] for k in ("value", "gradient", "local"))
INK, MUTED, BOX, HAIR, PAGE, PANEL = (
    _NEUTRAL[k]["light"] for k in ("text", "muted", "box", "hair", "page", "panel")
)
SANS = TOKENS["sans"].replace('"', "'")
SERIF = TOKENS["serif"].replace('"', "'")


def dec(v: Any) -> float:
    """Return a number of a document: NaN and infinities are written as strings there."""
    return float(v)


def flat(value: Any) -> list[float]:
    """Return the numbers of a nested list, in order."""
    if not isinstance(value, list):
        return [dec(value)]
    out: list[float] = []
    for v in value:
        out += flat(v)
    return out


def rms(value: Any) -> float:
    """Return the root mean square of a document's value."""
    x = flat(value)
    return math.sqrt(sum(v * v for v in x) / len(x)) if x else 0.0


def _n(v: float) -> str:
    return f"{v:.2f}".rstrip("0").rstrip(".")


def tag(name: str, body: str | None = None, **attrs: Any) -> str:
    """Return one SVG element; attribute values and nothing else are escaped here."""
    text = "".join(
        f' {k.rstrip("_").replace("_", "-")}="{escape(_n(v) if isinstance(v, float) else str(v))}"'
        for k, v in attrs.items()
        if v is not None
    )
    return f"<{name}{text}/>" if body is None else f"<{name}{text}>{body}</{name}>"


def text(x: float, y: float, string: str, fill: str = INK, size: float = 12.5, **more: Any) -> str:
    """Return an SVG text with its content escaped."""
    return tag("text", escape(string), x=float(x), y=float(y), fill=fill, font_size=size, **more)


# The picture on a dark page: colours are attributes (they survive everywhere), and these rules
# replace them, colour by colour, where a style sheet is allowed.
def dark_rules(scope: str) -> str:
    """Return the CSS rules that turn the printed pictures selected by `scope` dark."""
    pairs = {r["light"]: r["dark"] for r in (*_ROLE.values(), *_NEUTRAL.values())}
    pairs |= {r["tint"]: r["darktint"] for r in _ROLE.values()}
    rules = [f"{scope}{{background:{_NEUTRAL['page']['dark']}!important}}"]
    for light, dark in pairs.items():
        rules.append(f'{scope} [fill="{light}"]{{fill:{dark}}}')
        rules.append(f'{scope} [stroke="{light}"]{{stroke:{dark}}}')
    return "".join(rules)


# As a file of its own the picture follows the system; inside a page, the page's theme goes first.
_ALONE = ":is(.bp-s:root,:root:not([data-theme]):not(:has(body[data-jp-theme-light])) .bp-s)"


def picture(w: float, h: float, body: str, title: str, desc: str) -> str:
    """Return a whole SVG document with a title and a description for those who cannot see it."""
    sheet = f"@media screen and (prefers-color-scheme:dark){{{dark_rules(_ALONE)}}}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="bp-s" viewBox="0 0 {_n(w)} {_n(h)}" '
        f'width="{_n(w)}" height="{_n(h)}" role="img" font-family="{SANS}" '
        f'style="background:{PAGE};max-width:100%;height:auto">'
        f"<title>{escape(title)}</title><desc>{escape(desc)}</desc><style>{sheet}</style>"
        f"{body}</svg>"
    )


def _path(points: list[tuple[float, float]], vertical: bool) -> str:
    out = f"M{_n(points[0][0])} {_n(points[0][1])}"
    for k in range(len(points) - 1):
        (x0, y0), (x1, y1) = points[k], points[k + 1]
        if k % 2:
            out += f"L{_n(x1)} {_n(y1)}"
        elif vertical:
            m = _n((y0 + y1) / 2)
            out += f"C{_n(x0)} {m} {_n(x1)} {m} {_n(x1)} {_n(y1)}"
        else:
            m = _n((x0 + x1) / 2)
            out += f"C{m} {_n(y0)} {m} {_n(y1)} {_n(x1)} {_n(y1)}"
    return out


def thickness(size: float) -> float:
    """Return the width of a backward edge: logarithmic, so that a vanishing gradient thins."""
    if size == 0:
        return 0.8
    if not math.isfinite(size):
        return 4.8
    return max(0.8, min(4.8, 2.6 + 0.75 * math.log10(size)))


def hinton(shape: list[int], value: Any, x: float, y: float, color: str) -> str:
    """Draw an array as squares: area is size, a filled square is positive, a hollow one negative.

    A number that is not finite is a cross.
    """
    _, cols, cell = grid(shape)
    numbers = flat(value)
    most = max((abs(v) for v in numbers if math.isfinite(v)), default=0.0)
    pos = neg = bad = ""
    for k, v in enumerate(numbers):
        cx, cy = x + (k % cols + 0.5) * cell, y + (k // cols + 0.5) * cell
        if not math.isfinite(v):
            q = cell / 2 - 1
            bad += f"M{_n(cx - q)} {_n(cy - q)}l{_n(2 * q)} {_n(2 * q)}"
            bad += f"m0 {_n(-2 * q)}l{_n(-2 * q)} {_n(2 * q)}"
            continue
        q = max(0.8, (cell - 1.5) * math.sqrt(abs(v) / most if most else 0)) / 2
        if v < 0:
            q = max(0.6, q - 0.6)
        square = f"M{_n(cx - q)} {_n(cy - q)}h{_n(2 * q)}v{_n(2 * q)}h{_n(-2 * q)}z"
        if v < 0:
            neg += square
        else:
            pos += square
    out = tag("path", d=pos, fill=color) if pos else ""
    if neg:
        out += tag("path", d=neg, fill="none", stroke=color, stroke_width=1.2)
    return out + (tag("path", d=bad, fill="none", stroke=INK, stroke_width=1.2) if bad else "")


def describe(doc: Doc) -> str:
    """Return the final numbers of a graph as one line of text."""
    parts = []
    for node in doc["nodes"]:
        if node["role"] == "const":
            continue
        if node["shape"]:
            size = f"shape {shape_text(node['shape'])}, RMS {fmt(rms(node['value']))}"
            grad = f", gradient RMS {fmt(rms(node['grad']))}" if "grad" in node else ""
            parts.append(f"{node['label']}: {size}{grad}")
        else:
            grad = f", gradient {fmt(dec(node['grad']))}" if "grad" in node else ""
            parts.append(f"{node['label']} = {fmt(dec(node['value']))}{grad}")
    return "; ".join(parts)


def too_large(doc: Doc) -> str | None:
    """Return why a document is too large to draw and what it holds, or None if it is not."""
    n = sum(math.prod(node["shape"]) for node in doc["nodes"])
    if n <= MAX_ELEMENTS and len(doc["nodes"]) <= MAX_NODES:
        return None
    count: dict[str, int] = {}
    for node in doc["nodes"]:
        if node["op"] != "leaf":
            count[node["op"]] = count.get(node["op"], 0) + 1
    ops = sorted(count.items(), key=lambda kv: (-kv[1], kv[0]))[:8]
    return (
        f"This graph is too large to draw. It has {len(doc['nodes'])} nodes holding {n} numbers; "
        f"a picture stays readable up to {MAX_NODES} nodes and {MAX_ELEMENTS} numbers. "
        f"Operations: {', '.join(f'{k} × {op}' for op, k in ops)}."
    )


def svg(doc: Doc, title: str = "A computation graph", vertical: bool = False) -> str:
    """Return the picture of a document after both sweeps, as an SVG document.

    `doc` comes from ``export(..., gradients=True)``. A graph too large to draw gives a picture
    that says so and sums it up.
    """
    large = too_large(doc)
    if large:
        return notice(title, large)
    place = layout(doc, vertical)
    nodes = doc["nodes"]
    body = []
    for e in place["edges"]:
        source, target = nodes[e["from"]], nodes[e["to"]]
        body.append(
            tag("path", d=_path(e["f"], vertical), fill="none", stroke=V, stroke_width=1.75)
        )
        body.append(_arrow(e["f"][-1], vertical, V, back=False))
        push = (target.get("push") or [None] * 9)[e["arg"]] if e["pw"] else None
        if push is None or source["role"] == "const":
            continue
        body.append(
            tag(
                "path",
                d=_path(e["b"], vertical),
                fill="none",
                stroke=G,
                stroke_width=_n(thickness(dec(push))),
                stroke_dasharray="5 3.5",
            )
        )
        body.append(_arrow(e["b"][0], vertical, G, back=True))
    for e in place["edges"]:
        target = nodes[e["to"]]
        local = (target.get("local") or [None] * 9)[e["arg"]] if e["pw"] else None
        string = e["text"] if local is None else "×" + fmt_short(dec(local))
        if not e["pw"] or "push" not in target or string is None:
            continue
        w = e["pw"] if local is None else max(28.0, 12 + 6.9 * len(string))
        body.append(
            tag(
                "rect",
                x=e["px"] - w / 2,
                y=e["py"] - 9,
                width=float(w),
                height=18,
                rx=9,
                fill=LT,
                stroke=L,
                stroke_width=1.25,
            )
        )
        body.append(
            text(e["px"], e["py"] + 4, string, L, 12, text_anchor="middle", font_weight=600)
        )
    for node, b in zip(nodes, place["nodes"], strict=True):
        body.append(_box(node, b, vertical))
    return picture(place["w"], place["h"], "".join(body), title, describe(doc))


def _arrow(p: tuple[float, float], vertical: bool, color: str, *, back: bool) -> str:
    x, y = p
    along, side = (9.0, 5.0) if back else (-8.0, 5.0)
    near = 1.0 if back else 0.0
    if vertical:
        points = [(x - side, y + along), (x, y + near), (x + side, y + along)]
    else:
        points = [(x + along, y - side), (x + near, y), (x + along, y + side)]
    return tag("path", d="M" + "L".join(f"{_n(a)} {_n(b)}" for a, b in points) + "z", fill=color)


def _box(node: dict[str, Any], b: dict[str, Any], vertical: bool) -> str:
    x, y, w, h, head, row = (b[k] for k in ("x", "y", "w", "h", "head", "row"))
    role = node["role"]
    if role == "const":
        rect = tag("rect", x=x, y=y, width=float(w), height=float(h), rx=12, fill=PAGE, stroke=BOX)
        return rect + text(x + w / 2, y + 16.5, node["text"], MUTED, text_anchor="middle")
    leaf, param = node["op"] == "leaf", role == "param"
    edge = P if param else MUTED if leaf else BOX
    rx = 2 if param else 14 if leaf else 7
    out = [
        tag("rect", x=x, y=y, width=float(w), height=float(h), rx=rx, fill=PAGE),
        tag("rect", x=x + 1, y=y + head, width=w - 2.0, height=float(row), fill=VT),
        # The lower row follows the rounded corners by a path instead of a clip and its id.
        tag("path", d=_foot(x + 1, y + head + row, w - 2, row - 1, max(0, rx - 1)), fill=GT),
        tag("rect", x=x, y=y, width=float(w), height=float(h), rx=rx, fill="none", stroke=edge,
            stroke_width=1.5),
    ]  # fmt: skip
    if param:
        out.append(tag("rect", x=x, y=y, width=5, height=float(h), fill=P))
    mid, vy, gy = x + w / 2, y + b["vy"], y + b["gy"]
    gx = x + (13 if param else 9)
    if vertical:
        out.append(tag("path", d=f"M{_n(x + w - 14)} {_n(vy - 3)}h8l-4 6z", fill=V))
        out.append(tag("path", d=f"M{_n(x + 8)} {_n(gy + 3)}h8l-4-6z", fill=G))
    else:
        out.append(tag("path", d=f"M{_n(x + w - 9)} {_n(vy - 4)}v8l6-4z", fill=V))
        out.append(tag("path", d=f"M{_n(gx)} {_n(gy - 4)}v8l-6-4z", fill=G))
    serif = {"font_family": SERIF, "font_style": "italic"}
    if leaf:
        color = P if param else INK
        shift = 2 if param else 0
        out.append(
            text(mid + shift, y + 19, node["label"], color, 17, text_anchor="middle", **serif)
        )
    else:
        out.append(text(x + 8, y + 19, words(node["op"])["sym"], INK, 13))
        out.append(text(x + w - 8, y + 19, node["label"], INK, 17, text_anchor="end", **serif))
    if node["shape"]:
        _rows, cols, cell = grid(node["shape"])
        hx = mid - cols * cell / 2 + (2 if param else 0)
        out.append(text(mid, y + 36, shape_text(node["shape"]), MUTED, 12, text_anchor="middle"))
        out.append(hinton(node["shape"], node["value"], hx, y + head + 5, V))
        if "grad" in node:
            out.append(hinton(node["shape"], node["grad"], hx, y + head + row + 5, G))
        return "".join(out)
    bold = {"text_anchor": "middle", "font_weight": 600}
    shift = 3 if param else 0
    out.append(
        text(
            mid - (6 if vertical else 3) + shift,
            y + head + 13.5,
            fmt(dec(node["value"])),
            V,
            12,
            **bold,
        )
    )
    if "grad" in node:
        grad = fmt(dec(node["grad"]))
        out.append(
            text(mid + (6 if vertical else 3) + shift, y + head + row + 13.5, grad, G, 12, **bold)
        )
    return "".join(out)


def _foot(x: float, y: float, w: float, h: float, r: float) -> str:
    r = min(r, h)
    return (
        f"M{_n(x)} {_n(y)}h{_n(w)}v{_n(h - r)}a{_n(r)} {_n(r)} 0 0 1 {_n(-r)} {_n(r)}"
        f"h{_n(2 * r - w)}a{_n(r)} {_n(r)} 0 0 1 {_n(-r)} {_n(-r)}z"
    )


def notice(title: str, message: str, w: float = 640) -> str:
    """Return a picture that holds a message: why there is no other one."""
    lines, line = [], ""
    for word in message.split():
        if len(line) + len(word) > 76:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    lines.append(line)
    h = 30 + 20 * len(lines)
    body = tag("rect", x=0, y=0, width=4, height=h, fill=G) + "".join(
        text(18, 28 + 20 * k, line, INK, 14) for k, line in enumerate(lines)
    )
    return picture(w, h, body, title, message)


# --- a small chart for the figures that are not graphs ------------------------------------------


class Chart:
    """Axes to draw in: data to SVG units, ticks, lines with direct labels.

    `x` and `y` are (low, high); logarithmic where `logx`/`logy`.
    """

    def __init__(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        *,
        size: tuple[float, float] = (640, 300),
        logx: bool = False,
        logy: bool = False,
        xlabel: str = "",
        ylabel: str = "",
        at: tuple[float, float] = (0, 0),
        right: float = 90,
    ) -> None:
        self.x, self.y, self.logx, self.logy = x, y, logx, logy
        self.w, self.h = size
        self.left, self.top = 60 + at[0], 12 + at[1]
        self.right, self.bottom = at[0] + self.w - right, at[1] + self.h - 42
        self.parts: list[str] = []
        for v in self._ticks(x, logx, 6):
            px = self.px(v)
            self.parts.append(
                tag("path", d=f"M{_n(px)} {_n(self.top)}V{_n(self.bottom)}", stroke=HAIR)
            )
            label = self._tick(v, logx)
            self.parts.append(text(px, self.bottom + 17, label, MUTED, 12, text_anchor="middle"))
        for v in self._ticks(y, logy, 5):
            py = self.py(v)
            self.parts.append(
                tag("path", d=f"M{_n(self.left)} {_n(py)}H{_n(self.right)}", stroke=HAIR)
            )
            self.parts.append(
                text(self.left - 6, py + 4, self._tick(v, logy), MUTED, 12, text_anchor="end")
            )
        frame = f"M{_n(self.left)} {_n(self.top)}V{_n(self.bottom)}H{_n(self.right)}"
        self.parts.append(tag("path", d=frame, fill="none", stroke=MUTED))
        mid = (self.left + self.right) / 2
        self.parts.append(text(mid, self.bottom + 36, xlabel, MUTED, 13, text_anchor="middle"))
        turn = f"translate({_n(at[0] + 13)} {_n((self.top + self.bottom) / 2)}) rotate(-90)"
        self.parts.append(text(0, 0, ylabel, MUTED, 13, text_anchor="middle", transform=turn))

    @staticmethod
    def _ticks(span: tuple[float, float], log: bool, most: int) -> list[float]:
        lo, hi = span
        if log:
            a, b = math.ceil(math.log10(lo) - 1e-9), math.floor(math.log10(hi) + 1e-9)
            every = max(1, math.ceil((b - a) / most))
            return [10.0**e for e in range(a, b + 1, every)]
        raw = (hi - lo) / most
        mag = 10.0 ** math.floor(math.log10(raw))
        step = next(m * mag for m in (1, 2, 5, 10) if m * mag >= raw)
        first = math.ceil(lo / step - 1e-9)
        return [k * step for k in range(first, math.floor(hi / step + 1e-9) + 1)]

    @staticmethod
    def _tick(v: float, log: bool) -> str:
        if log:
            return "10" + str(round(math.log10(v))).translate(_SUPERSCRIPT)
        return f"{v:.6g}".replace("-", "−")

    def px(self, v: float) -> float:
        """Return the horizontal position of a datum."""
        lo, hi = self.x
        f = math.log10 if self.logx else float
        return self.left + (f(v) - f(lo)) / (f(hi) - f(lo)) * (self.right - self.left)

    def py(self, v: float) -> float:
        """Return the vertical position of a datum, kept inside the axes."""
        lo, hi = self.y
        f = math.log10 if self.logy else float
        v = min(max(v, lo), hi)
        return self.bottom - (f(v) - f(lo)) / (f(hi) - f(lo)) * (self.bottom - self.top)

    def line(
        self,
        points: list[tuple[float, float]],
        color: str,
        label: str = "",
        dash: str | None = None,
        marker: bool = False,
    ) -> None:
        """Draw a line through finite points, with its label at the right end."""
        good = [(self.px(a), self.py(b)) for a, b in points if math.isfinite(b)]
        if not good:
            return
        d = "M" + "L".join(f"{_n(a)} {_n(b)}" for a, b in good)
        self.parts.append(
            tag("path", d=d, fill="none", stroke=color, stroke_width=2, stroke_dasharray=dash)
        )
        if marker:
            for a, b in good:
                self.parts.append(tag("circle", cx=a, cy=b, r=3.2, fill=color))
        if label:
            self.parts.append(
                text(good[-1][0] + 7, good[-1][1] + 4, label, color, 13, font_weight=600)
            )

    def dot(self, a: float, b: float, color: str, r: float = 4) -> None:
        """Draw one datum."""
        self.parts.append(tag("circle", cx=self.px(a), cy=self.py(b), r=float(r), fill=color))

    def body(self) -> str:
        """Return the SVG elements drawn so far."""
        return "".join(self.parts)
