"""Every page of the built site, in a real browser with the network unplugged."""

import functools
import gzip
import html
import re

import pytest
from _book import contents

from .axe import AXE, RULES, RUN, violations

PAGES = contents.listed(contents.load())
CHAPTERS = [p.stem for p in contents.notebooks()]
MOST_KILOBYTES = 450
DISPLAYED = re.compile(r"^\$\$", re.MULTILINE)
# Contrast costs axe most of its time, once for every piece of text; a chapter has thousands in a
# few looks. So axe judges one of each look: the same ink on the same grounds, large or not.
AXE_JUDGES = 'axe.configure({rules: [{id: "color-contrast", selector: "[data-look]"}]})'
# It leaves open what is one sign long or hidden from screen readers, so most of a formula and much
# of a listing: those are compared here, by its own arithmetic. Returned: the looks that are pale.
MARK_LOOKS = """() => {
  const { Color, flattenColors, getContrast } = axe.commons.color;
  const color = text => { const c = new Color(); c.parseString(text); return c; };
  const grounds = new Map([[null, []]]);  // of an element: all that lies behind it
  const behind = e => {
    if (!grounds.has(e)) {
      const s = getComputedStyle(e), above = behind(e.parentElement);
      const here = [s.backgroundColor, s.backgroundImage, s.opacity, s.filter].join();
      // What lies behind an opaque ground is not seen, but what fades it is.
      const seen = here.startsWith("rgb(") ? above.filter(a => !a.endsWith(",1,none")) : above;
      grounds.set(e, here === "rgba(0, 0, 0, 0),none,1,none" ? above : [here, ...seen]);
    }
    return grounds.get(e);
  };
  const seen = new Set(), pale = [];
  for (const e of document.body.querySelectorAll("*")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const sign = e.closest(".katex-html, .highlight") !== null, s = getComputedStyle(e);
    const size = parseFloat(s.fontSize), large = size >= 24 || size >= 18.66 && s.fontWeight >= 700;
    const key = [s.color, large, s.textShadow, sign, ...behind(e)].join(";");
    if (seen.has(key)) continue;
    if (!e.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    seen.add(key);
    e.setAttribute("data-look", seen.size);
    if (!sign) continue;
    const ground = behind(e).map(here => color(here.match(/^[^)]*[)]/)[0]))
      .reduceRight((below, above) => flattenColors(above, below), color("rgb(255, 255, 255)"));
    const ratio = getContrast(ground, flattenColors(color(s.color), ground));
    if (ratio < (large ? 3 : 4.5)) pale.push(`${ratio.toFixed(2)}: ${e.outerHTML.slice(0, 160)}`);
  }
  return {looks: seen.size, pale};
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
THEMES = ("light", "dark")


def judged(opened) -> dict:
    """What axe says of an opened page in each theme, and which signs are pale. Spoils the page."""
    opened.add_style_tag(content="* { transition: none !important }")
    opened.evaluate(AXE)
    opened.evaluate(AXE_JUDGES)
    found = {}
    for theme in THEMES:  # before anything goes: looks that are one in the light may be two
        opened.emulate_media(color_scheme=theme)
        found[theme] = opened.evaluate(MARK_LOOKS)
    opened.evaluate(SLIM)
    for theme in THEMES:
        opened.emulate_media(color_scheme=theme)
        found[theme] |= opened.evaluate(RUN, ["html", RULES])
    return found


@pytest.mark.parametrize("page", PAGES)
def test_page_from_a_file_is_whole_and_accessible(visit, site, page):
    visited = visit()
    opened = visited.open((site / f"{page}.html").as_uri())
    for theme, found in judged(opened).items():
        told = found["pale"] + violations(found)
        assert not told, f"{theme}: " + "\n".join(told)
        assert found["looks"] > 3
        assert "color-contrast" in found["passes"]
        assert len(found["passes"]) > 10, "axe looked at next to nothing"
    assert visited.elsewhere == []
    assert visited.said == []


@pytest.mark.parametrize("theme", THEMES)
def test_a_page_is_in_the_theme_its_reader_prefers_at_once_and_later(visit, site, theme):
    opened = visit(color_scheme=theme).open((site / "index.html").as_uri())
    shown = "theme => document.documentElement.dataset.theme === theme"
    assert opened.evaluate(shown, theme)
    (other,) = {*THEMES} - {theme}
    opened.emulate_media(color_scheme=other)
    opened.wait_for_function(shown, arg=other)


PALE = "color: #999; background: #fff"
FAULTS = {
    "of the text": f'<p style="{PALE}">pale</p>',
    "of a formula": '<span class="katex"><math><mi>x</mi></math><span class="katex-html" '
    f'aria-hidden="true"><span style="{PALE}">x</span></span></span>',
    "of a listing": f'<div class="highlight"><pre>a = <span style="{PALE}">1</span></pre></div>',
    "of a listing on another ground": '<div class="highlight"><pre>a = 1</pre></div>'
    '<div class="highlight" style="background: #666"><pre>a = 1</pre></div>',
}


@pytest.mark.parametrize("body", FAULTS.values(), ids=FAULTS)
def test_a_pale_color_is_seen(visit, body):
    opened = visit().page
    opened.set_content(f'<html lang="en"><title>T</title><main><h1>Title</h1>{body}</main>')
    for found in judged(opened).values():
        assert len(found["pale"] or violations(found)) == 1


def test_a_listing_that_scrolls_and_cannot_be_reached_is_seen(visit):
    opened = visit().page
    wide = '<div class="highlight"><pre style="width: 99px; overflow: auto"><i>long</i></pre></div>'
    opened.set_content(
        '<html lang="en"><title>T</title><main><h1>Title</h1>'
        f"{wide.replace('long', 'long ' * 99)}{wide.replace('long', 'long ' * 98)}</main>"
    )
    # Its text is not alike, its look is: the second is slimmed, and both are told.
    (told,) = judged(opened)["dark"]["violations"]
    assert told["id"] == "scrollable-region-focusable"
    assert len(told["nodes"]) == 2


@functools.cache
def compressed(path) -> int:
    return len(gzip.compress(path.read_bytes(), 6))


@pytest.mark.parametrize("page", PAGES)
def test_page_over_http_on_a_phone_asks_nobody_is_light_and_fits(visit, site, served, page):
    visited = visit(viewport={"width": 375, "height": 900})
    opened = visited.open(f"{served}/{page}.html")
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
    assert visited.elsewhere == []
    assert visited.said == []
    assert [a.url for a in visited.answers if a.status >= 400] == []
    paths = {a.url.removeprefix(served).partition("?")[0] for a in visited.answers}
    weights = {path: compressed(site / path.lstrip("/")) for path in paths}
    total = sum(weights.values()) / 1000
    largest = sorted(weights.items(), key=lambda pair: -pair[1])[:5]
    assert total <= MOST_KILOBYTES, (total, largest)


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


SIGN = re.compile(r'<span class="(m(?:ord|bin|rel|open|close|punct|op|inner)[^"]*)"[^>]*>([^<]+)')


def test_every_sign_of_the_formulas_is_in_the_font_it_asks_for(visit, site):
    """The fonts were cut to the signs in use: the browser is asked which font it drew each with."""
    signs = {
        (" ".join(sorted(classes.split())), sign)
        for page in PAGES
        for classes, text in SIGN.findall((site / f"{page}.html").read_text(encoding="utf-8"))
        for sign in html.unescape(text)
        if not sign.isspace() and sign != "\u200b"
    }
    assert len(signs) > 150
    opened = visit().open((site / "00-notation.html").as_uri())
    opened.evaluate(
        """signs => {
          const box = document.createElement("div");
          box.className = "katex";
          for (const [classes, sign] of signs) {
            const one = document.createElement("span");
            one.className = classes + " asked";
            one.textContent = sign;
            box.append(one);
          }
          document.querySelector("main").replaceChildren(box);
          return document.fonts.ready.then(() => null);
        }""",
        signs := sorted(signs),
    )
    opened.wait_for_timeout(300)
    tools = opened.context.new_cdp_session(opened)
    tools.send("DOM.enable")
    tools.send("CSS.enable")
    root = tools.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
    asked = tools.send("DOM.querySelectorAll", {"nodeId": root, "selector": ".asked"})["nodeIds"]
    strangers = []
    for (classes, sign), node in zip(signs, asked, strict=True):
        fonts = tools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        if not fonts or not all(font["isCustomFont"] for font in fonts):
            strangers.append((classes, sign, [font["familyName"] for font in fonts]))
    tools.detach()
    assert strangers == []


@pytest.mark.parametrize("page", CHAPTERS)
def test_search_finds_the_chapter(visit, served, page):
    word = "gradient" if page == "index" else page.split("-")[-1]
    opened = visit().open(f"{served}/search.html?q={word}")
    opened.wait_for_selector(f"#search-results li a[href*='{page}.html']", timeout=30_000)
