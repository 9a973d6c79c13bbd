"""A Sphinx extension: the number of a chapter is the number in its file name.

Sphinx counts chapters from 1 in the order of the table of contents. A book whose chapter 0 is about
notation, and whose chapters are written out of order, needs its numbers to stay: `05-…` is
chapter 5, its second section is 5.2 and its third equation is (5.3), whatever else exists.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector

CHAPTER = re.compile(r"(?:.*/)?(\d\d|[a-z])-[^/]*$")


def chapter_number(docname: str) -> int | str | None:
    """Return 5 for ``05-error-signal``, ``"A"`` for the appendix ``a-notes``, None for others."""
    found = CHAPTER.match(docname)
    if not found:
        return None
    return int(found[1]) if found[1].isdigit() else found[1].upper()


def _number(entries: nodes.Node, prefix: tuple, numbers: dict, titles: list) -> None:
    # Depth is the depth of headings (at most six), so recursion is bounded here.
    count = 0
    for item in entries.children:
        if not isinstance(item, nodes.list_item):
            continue
        count += 1
        number = (*prefix, count) if prefix else None
        for reference in item.findall(nodes.reference):
            number = number or titles[0]
            reference["secnumber"] = number
            numbers[reference["anchorname"]] = number
            break
        for child in item.children:
            if isinstance(child, nodes.bullet_list):
                _number(child, number, numbers, titles)


def assign_section_numbers(_collector, env: BuildEnvironment) -> list[str]:
    """Replace Sphinx's numbering; return the pages whose numbers changed, as Sphinx expects."""
    changed = []
    before, env.toc_secnumbers = env.toc_secnumbers, {}
    for docname in env.found_docs:
        number = chapter_number(docname)
        if number is None or docname not in env.tocs:
            continue
        numbers: dict = {}
        _number(env.tocs[docname], (), numbers, [(number,)])
        env.titles[docname]["secnumber"] = (number,)
        env.toc_secnumbers[docname] = numbers
        if before.get(docname) != numbers:
            changed.append(docname)
    return changed


def setup(app: Sphinx) -> dict:
    TocTreeCollector.assign_section_numbers = assign_section_numbers  # type: ignore[method-assign]
    return {"parallel_read_safe": True, "parallel_write_safe": True}
