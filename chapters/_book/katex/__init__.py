"""A Sphinx math renderer: KaTeX at build time, strict, one node process a page.

The page carries finished HTML and MathML: no script runs in it, and nothing is fetched. Bad TeX is
a located warning, hence an error under ``-W``.
"""

import html
import json
import subprocess
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from _book.node import node_executable

logger = logging.getLogger(__name__)
SCRIPT = Path(__file__).with_name("render.js")

Formula = tuple[str, bool]  # the TeX, and whether it is displayed


def render(formulas: list[Formula], macros: dict[str, str]) -> list[dict]:
    """Typeset all in one node process; each answer has ``html``, or ``error`` and ``at``."""
    if not formulas:
        return []
    request = {"macros": macros, "items": [{"tex": t, "display": d} for t, d in formulas]}
    done = subprocess.run(
        [node_executable(), str(SCRIPT)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"node failed while typesetting equations: {done.stderr.strip()}")
    return json.loads(done.stdout)


def _formula(node: nodes.math | nodes.math_block) -> Formula:
    return node.astext().strip(), isinstance(node, nodes.math_block)


def typeset_page(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Render every formula of a page that this build has not met yet."""
    if app.builder.format != "html":
        return
    # Titles reach the side bar as copies that never pass through here; the visitor asks the cache.
    found = [n for kind in (nodes.math, nodes.math_block) for n in doctree.findall(kind)]
    _fill(app, {_formula(n): n for n in found})


def _fill(app: Sphinx, wanted: dict[Formula, nodes.Node]) -> None:
    cache = app.katex_cache  # type: ignore[attr-defined]
    missing = [f for f in wanted if f not in cache]
    answers = render(missing, app.config.katex_macros)
    for (tex, display), answer in zip(missing, answers, strict=True):
        if "html" in answer:
            cache[tex, display] = answer["html"]
            continue
        at = answer["at"]
        near = "" if at is None else f", near `{tex[max(0, at - 12) : at + 12]}`"
        logger.warning(
            "this equation cannot be typeset: %s%s\n    %s",
            answer["error"],
            near,
            tex.replace("\n", "\n    "),
            location=wanted[tex, display],
            type="katex",
        )
        cache[tex, display] = f"<code>{html.escape(tex)}</code>"


def _html(translator, node) -> str:
    app = translator.builder.app
    formula = _formula(node)
    if formula not in app.katex_cache:
        _fill(app, {formula: node})
    return app.katex_cache[formula]


def visit_inline(translator, node):
    translator.body.append(f'<span class="math notranslate">{_html(translator, node)}</span>')
    raise nodes.SkipNode


def visit_displayed(translator, node):
    formula = _html(translator, node)
    number = get_node_equation_number(translator, node) if node["number"] else None
    # The box scrolls sideways on a phone, so the keyboard must be able to reach it.
    if number is None:
        translator.body.append(
            f'<div class="math notranslate" tabindex="0" role="group" '
            f'aria-label="Equation">{formula}</div>\n'
        )
        raise nodes.SkipNode
    anchor = html.escape(node["ids"][0]) if node["ids"] else ""
    translator.body.append(
        f'<div class="math notranslate numbered" id="{anchor}">'
        f'<div class="formula" tabindex="0" role="group" aria-label="Equation {number}">'
        f'{formula}</div><span class="eqno">({number})'
    )
    translator.add_permalink_ref(node, "Link to this equation")
    translator.body.append("</span></div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict:
    app.katex_cache = {}  # type: ignore[attr-defined]
    app.add_config_value("katex_macros", {}, "html")
    app.add_html_math_renderer(
        "katex", inline_renderers=(visit_inline, None), block_renderers=(visit_displayed, None)
    )
    app.connect("doctree-resolved", typeset_page)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
