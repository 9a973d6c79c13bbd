"""A Sphinx extension: what the theme brings that the book does without, and what it lacks."""

import html
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from sphinx.application import Sphinx

# What the tools under the site write, and what a screen reader needs instead.
MARKUP = {
    ' role="doc-biblioentry"': "",
    '<div role="list" class="citation-list">': '<div class="citation-list">',
    '<summary aria-label="Toggle hidden content">': "<summary>",
}
# The fonts of mathematics that a class of KaTeX's asks for by itself, and those classes.
STYLES = {
    "Math-Italic": {"mathnormal"},
    "Math-BoldItalic": {"boldsymbol"},
    "Main-Bold": {"mathbf", "textbf"},
    "SansSerif-Regular": {"mathsf", "textsf"},
    "Caligraphic-Regular": {"mathcal"},
    "AMS-Regular": {"amsrm", "mathbb", "textbb"},
}
LEAF = re.compile(r'<span class="([^"]*)"[^>]*>([^<]+)')


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


def characters_by_font(pages: Iterable[str]) -> dict[str, str]:
    """Return for each font of the site the characters that some page sets in it, sorted."""
    every: set[str] = set()
    styled = {font: set() for font in STYLES}
    for page in pages:
        every.update(page)
        for classes, text in LEAF.findall(page):
            for font, names in STYLES.items():
                if not names.isdisjoint(classes.split()):
                    styled[font].update(html.unescape(text))
    # Roman letters and tall signs are set by many rules of the style sheet: these keep them all.
    return defaultdict(
        lambda: "".join(sorted(every)),
        {font: "".join(sorted(characters)) for font, characters in styled.items()},
    )


def slim_fonts(app: Sphinx, exception: Exception | None) -> None:
    """Leave in the site's fonts of mathematics only the characters that some page sets in them.

    A page loads half a dozen of them; whole, they weigh as much as its text.
    """
    fonts = Path(app.outdir, "_static", "katex", "fonts")
    if exception or app.builder.format != "html" or not fonts.exists():
        return
    pages = (page.read_text(encoding="utf-8") for page in Path(app.outdir).glob("*.html"))
    wanted = characters_by_font(pages)
    stamp = Path(app.doctreedir, "characters.json")
    before = json.loads(stamp.read_text(encoding="utf-8")) if stamp.exists() else {}
    now = {}
    for path in sorted(fonts.glob("*.woff2")):
        now[path.stem] = characters = wanted[path.stem.removeprefix("KaTeX_")]
        whole = Path(app.srcdir, "_static", "katex", "fonts", path.name)
        if before.get(path.stem) == characters and path.stat().st_size < whole.stat().st_size:
            continue
        options = subset.Options(flavor="woff2", layout_features=["*"], glyph_names=False)
        font = subset.load_font(str(whole), options)
        chosen = subset.Subsetter(options)
        chosen.populate(text=characters)
        chosen.subset(font)
        subset.save_font(font, str(path), options)
    stamp.write_text(json.dumps(now), encoding="utf-8")


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", mend_markup)
    app.connect("html-page-context", with_figures)
    app.connect("build-finished", tidy)
    app.connect("build-finished", slim_fonts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
