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
# What WCAG 2.2 AA asks, and the practices that axe calls best.
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# Contrast costs axe most of its time, once for every piece of text; a chapter has thousands in a
# few looks. So axe judges one of each look: the same ink, size and weight on the same grounds.
# Of formulas too, which axe itself leaves out: a screen reader is given their MathML.
AXE_JUDGES = """axe.configure({rules: [
  {id: "color-contrast", selector: "[data-look]", excludeHidden: false}]})"""
MARK_LOOKS = """() => {
  const seen = new Set();
  for (const e of document.body.querySelectorAll("*")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    if (!e.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    const s = getComputedStyle(e), look = [s.color, s.fontSize, s.fontWeight, s.textShadow];
    for (let g = e; g; g = g.parentElement) {
      const t = getComputedStyle(g);
      look.push(t.backgroundColor, t.backgroundImage, t.opacity, t.filter);
      if (!/, 0\\)$|, 0\\.\\d+\\)$|transparent/.test(t.backgroundColor)) break;
    }
    const key = look.join();
    if (!seen.has(key)) { seen.add(key); e.setAttribute("data-look", seen.size); }
  }
  return seen.size;
}"""
# To the other rules a formula is one box and one MathML, a listing one text: what they are made of
# goes, their sizes and overflows stay.
SLIM = """() => {
  const bare = e => !e.querySelector("[data-look]");
  const formulas = [...document.querySelectorAll(".katex-html")].filter(bare);
  const sizes = formulas.map(e => e.getBoundingClientRect());
  formulas.forEach((e, i) => {
    e.textContent = "";
    e.style.display = "inline-block";
    e.style.width = `${sizes[i].width}px`;
    e.style.height = `${sizes[i].height}px`;
  });
  for (const e of [...document.querySelectorAll("math, .highlight pre")].filter(bare))
    e.textContent = e.textContent;
}"""
RUN = """rules => axe.run(document, {runOnly: rules, resultTypes: ["violations"]}).then(found =>
  ({violations: found.violations, passes: found.passes.map(p => p.id)}))"""


def violations(found) -> list[str]:
    return [
        f"{v['id']} ({v['impact']}): {v['help']}\n    "
        + "\n    ".join(
            node["html"][:160] + " | " + (node.get("failureSummary") or "").replace("\n", " ")[:200]
            for node in v["nodes"][:4]
        )
        for v in found["violations"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_page_from_a_file_is_whole_and_accessible(visit, site, page, theme):
    visited = visit(color_scheme=theme)
    opened = visited.open((site / f"{page}.html").as_uri())
    assert visited.elsewhere == []
    assert visited.said == []
    assert opened.evaluate("document.documentElement.dataset.theme") == theme
    opened.evaluate(AXE)
    opened.evaluate(AXE_JUDGES)
    assert opened.evaluate(MARK_LOOKS) > 3
    opened.evaluate(SLIM)
    found = opened.evaluate(RUN, RULES)
    told = violations(found)
    assert not told, "\n".join(told)
    assert "color-contrast" in found["passes"]
    assert len(found["passes"]) > 10, "axe looked at next to nothing"


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
    opened = visit(viewport={"width": 375, "height": 900}).open((site / f"{page}.html").as_uri())
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
    opened = visit(java_script_enabled=False).open((site / f"{page}.html").as_uri())
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
