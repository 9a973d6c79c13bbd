"""Sphinx's settings. What an author changes is in ../book.yml; the rest follows from the stack."""

import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from _book import contents  # noqa: E402

import bplib  # noqa: E402

FIGURES = Path(bplib.__file__).parent / "figures" / "static"

book = contents.load(HERE.parent / "book.yml")
meta = book["meta"]

project = meta["title"]
author = meta["author"]
copyright = f"2026, {author}. {meta['license']}"
language = os.environ.get("BOOK_LANGUAGE", meta["language"])
html_title = meta["title"]
html_favicon = "_static/favicon.svg"

extensions = [
    "myst_nb",
    "sphinx_external_toc",
    "sphinx_proof",
    "sphinx_exercise",
    "sphinx_copybutton",
    "sphinx_togglebutton",
    "sphinxcontrib.bibtex",
    "_book.katex",
    "_book.numbering",
    "_book.furniture",
    "_book.equation_index",
    "_book.api",
    "_book.notes",
]

# Sources: a notebook is published from its .ipynb, with the outputs that the tests compare; its
# Markdown twin is what authors review.
external_toc_path = "../book.yml"
twins = [p.with_suffix(".md").name for p in HERE.glob("*.ipynb")]
exclude_patterns = ["_*", "**.ipynb_checkpoints", *twins]
nb_execution_mode = "off"
nb_ipywidgets_js = {}
# A widget's printed face is HTML; the live view needs a kernel, which a page does not have.
nb_mime_priority_overrides = [(b, "text/html", 0) for b in ("html", "singlehtml")]
nb_merge_streams = True
myst_enable_extensions = [
    "amsmath",
    "attrs_block",
    "attrs_inline",
    "colon_fence",
    "deflist",
    "dollarmath",
    "substitution",
]
myst_dmath_double_inline = True
myst_heading_anchors = 3
myst_footnote_transition = False
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "alpha"
bibtex_reference_style = "author_year"

# Strict: a reference that leads nowhere is an error.
nitpicky = True
suppress_warnings: list[str] = []
linkcheck_ignore = [] if os.environ.get("BOOK_ONLINE") else [r"https?://"]

# The appendix on the library: signatures without annotations, which the docstrings put in words.
autodoc_typehints = "none"
autodoc_preserve_defaults = True
toc_object_entries = False
add_module_names = False

# Numbers: 5.3 is the third equation, figure or theorem of chapter 5.
numfig = True
math_numfig = True
numfig_secnum_depth = 1
math_eqref_format = "({number})"
html_math_renderer = "katex"
katex_macros = json.loads((FIGURES / "katex_macros.json").read_text(encoding="utf-8"))

html_theme = "sphinx_book_theme"
# The figures' own front-end comes from the library, built and tested there.
html_static_path = ["_static", str(FIGURES)]
templates_path = ["_templates"]
html_css_files = ["katex/katex.min.css", "tokens.css", "book.css"]
html_js_files = ["book.js"]
html_copy_source = False
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_last_updated_fmt = None
html_theme_options = {
    "show_toc_level": 2,
    "show_navbar_depth": 1,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "home_page_in_toc": True,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "search_bar_text": "Search the book",
    "logo": {"text": meta["title"]},
    "navbar_persistent": [],
    "footer_content_items": "copyright.html",
}
html_sidebars = {"**": ["navbar-logo.html", "search-button-field.html", "sbt-sidebar-nav.html"]}
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_selector = ".highlight-ipython3 pre, .highlight-python pre, .highlight-bash pre"
togglebutton_hint = "Show"
togglebutton_hint_hide = "Hide"
