"""A Sphinx extension: what the theme brings that the book does without, and what it lacks."""

import shutil
from pathlib import Path

from sphinx.application import Sphinx

# Colors carry roles in formulas as everywhere: value, cotangent, local derivative, parameter.
ROLES = {"val": "value", "cot": "cotangent", "loc": "local", "prm": "parameter"}


def katex_macros() -> dict[str, str]:
    """Return the book's TeX macros, as KaTeX wants them."""
    return {rf"\{name}": rf"\htmlClass{{role-{role}}}{{#1}}" for name, role in ROLES.items()}


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


def tidy(app: Sphinx, exception: Exception | None) -> None:
    """Delete from the finished site what no page asks for."""
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    for path in [*static.glob("**/*.map"), *static.glob("scripts/fontawesome*")]:
        path.unlink(missing_ok=True)
    shutil.rmtree(static / "vendor" / "fontawesome", ignore_errors=True)


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", mend_markup)
    app.connect("build-finished", tidy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
