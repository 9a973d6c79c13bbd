"""A Sphinx extension: what the theme brings that the book does without, and what it lacks."""

import shutil
from pathlib import Path

from sphinx.application import Sphinx

# What the tools under the site write, and what a screen reader needs instead.
MARKUP = {
    ' role="doc-biblioentry"': "",
    '<div role="list" class="citation-list">': '<div class="citation-list">',
    '<summary aria-label="Toggle hidden content">': "<summary>",
}


def mend_markup(_app, _pagename, _templatename, context, _doctree) -> None:
    """Replace the roles and labels that browsers call deprecated or misleading."""
    for wrong, right in MARKUP.items():
        if "body" in context:
            context["body"] = context["body"].replace(wrong, right)


def with_figures(app: Sphinx, pagename, _templatename, context, _doctree) -> None:
    """Give the figures' front-end to the pages that hold a figure, and to no other."""
    if 'class="bp-figure"' in context.get("body", ""):
        app.add_js_file("mount.js", loading_method="defer")


def tidy(app: Sphinx, exception: Exception | None) -> None:
    """Delete from the finished site what no page asks for."""
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    unused = ("**/*.map", "scripts/fontawesome*", "figures.js", "ops.json", "katex_macros.json")
    for path in (p for pattern in unused for p in static.glob(pattern)):
        path.unlink(missing_ok=True)
    shutil.rmtree(static / "vendor" / "fontawesome", ignore_errors=True)


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", mend_markup)
    app.connect("html-page-context", with_figures)
    app.connect("build-finished", tidy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
