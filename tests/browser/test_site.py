"""Every page of the built site, in a real browser with the network unplugged."""

import gzip
import re

import pytest
from _book import contents
from axe_playwright_python.base import AXE_FILE_PATH

AXE = AXE_FILE_PATH.read_text(encoding="utf-8")
PAGES = contents.listed(contents.load())
CHAPTERS = [p.stem for p in contents.notebooks()]
MOST_KILOBYTES = 450
DISPLAYED = re.compile(r"^\$\$", re.MULTILINE)
# What WCAG 2.2 AA asks, and the practices that axe calls best. In the dark the page is the same and
# its colors are others: there the rules about colors are enough.
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
AXE_OPTIONS = {
    "light": {"runOnly": [*WCAG, "best-practice"]},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}},
}
# A chapter has hundreds of formulas and listings in the same few colors. Of those with the same
# colors on the same ground one is left in the page for axe, which would take minutes over them all.
ALIKE = """() => {
  const ground = e => { for (; e; e = e.parentElement) {
    const color = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$|transparent/.test(color)) return color;
  } };
  const seen = new Set();
  for (const e of document.querySelectorAll(".katex-html, .highlight pre")) {
    const all = [...e.querySelectorAll("*")].map(x => getComputedStyle(x).color);
    const colors = [...new Set(all)].sort().concat(ground(e), e.localName);
    if (seen.has(colors.join())) (e.closest(".katex") || e).textContent = "x";
    else seen.add(colors.join());
  }
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_page_from_a_file_is_whole_and_accessible(visit, site, page, theme):
    visited = visit(theme=theme)
    opened = visited.open((site / f"{page}.html").as_uri())
    assert visited.elsewhere == []
    assert visited.said == []
    assert opened.evaluate("document.documentElement.dataset.theme") == theme
    opened.evaluate(AXE)
    opened.evaluate(ALIKE)
    found = opened.evaluate("options => axe.run(document, options)", AXE_OPTIONS[theme])
    told = [
        f"{v['id']} ({v['impact']}): {v['help']}\n    "
        + "\n    ".join(
            node["html"][:160] + " | " + (node.get("failureSummary") or "").replace("\n", " ")[:200]
            for node in v["nodes"][:4]
        )
        for v in found["violations"]
    ]
    assert not told, "\n".join(told)
    assert found["passes"] or found["incomplete"], "axe looked at nothing"


@pytest.mark.parametrize("page", PAGES)
def test_page_over_http_asks_nobody_and_is_light(visit, served, page):
    visited = visit()
    visited.open(f"{served}/{page}.html")
    assert visited.elsewhere == []
    assert visited.said == []
    assert [a.url for a in visited.answers if a.status >= 400] == []
    weights = {a.url: len(gzip.compress(a.body(), 6)) for a in visited.answers if a.ok}
    total = sum(weights.values()) / 1000
    largest = sorted(weights.items(), key=lambda pair: -pair[1])[:5]
    assert total <= MOST_KILOBYTES, (total, largest)


@pytest.mark.parametrize("page", PAGES)
def test_page_fits_a_phone(visit, site, page):
    opened = visit(width=375).open((site / f"{page}.html").as_uri())
    for width in (375, 320):
        opened.set_viewport_size({"width": width, "height": 900})
        wide = opened.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth ? [] :
               [...document.querySelectorAll("main *")]
                 .filter(e => e.getBoundingClientRect().right > innerWidth + 1 &&
                              !e.closest(".formula, .math, pre, table, .cell_output"))
                 .slice(0, 5).map(e => e.outerHTML.slice(0, 120))"""
        )
        assert wide == [], width
        assert opened.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width


@pytest.mark.parametrize("page", CHAPTERS)
def test_every_equation_is_shown_without_script(visit, site, page):
    opened = visit(script=False).open((site / f"{page}.html").as_uri())
    source = (contents.CHAPTERS / f"{page}.md").read_text(encoding="utf-8")
    expected = len(DISPLAYED.findall(source)) // 2
    boxes = opened.locator("div.math")
    assert boxes.count() >= expected
    sizes = boxes.evaluate_all(
        "all => all.map(e => { const k = e.querySelector('.katex-html');"
        " const r = k && k.getBoundingClientRect();"
        " return [e.id, r ? r.width : 0, r ? r.height : 0, !!e.querySelector('math')] })"
    )
    # One inside a collapsed solution has no size until it is opened.
    hidden = opened.locator("details:not([open]) div.math, .toggle-hidden div.math").count()
    unseen = [s for s in sizes if not s[3] or s[1] < 5 or s[2] < 5]
    assert len(unseen) <= hidden, unseen


def test_search_finds_every_chapter(visit, served):
    visited = visit()
    for page in CHAPTERS:
        word = "gradient" if page == "index" else page.split("-")[-1]
        opened = visited.open(f"{served}/search.html?q={word}")
        opened.wait_for_selector("#search-results li", timeout=30_000)
        links = opened.locator("#search-results li a").evaluate_all("all => all.map(a => a.href)")
        assert any(f"{page}.html" in link for link in links), page
