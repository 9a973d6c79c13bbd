"""axe over a page: what it is asked, and what it says in words."""

from axe_playwright_python.base import AXE_FILE_PATH

AXE = AXE_FILE_PATH.read_text(encoding="utf-8")
# What WCAG 2.2 AA asks, and the practices that axe calls best.
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# What holds is told by the name of its rule alone, and no style sheet is fetched a second time.
RUN = """([where, rules]) =>
  axe.run(where, {runOnly: rules, resultTypes: ["violations"], preload: false})
    .then(found => ({violations: found.violations, passes: found.passes.map(p => p.id)}))"""


def violations(found) -> list[str]:
    return [
        f"{v['id']} ({v['impact']}): {v['help']}\n    "
        + "\n    ".join(
            node["html"][:160] + " | " + (node.get("failureSummary") or "").replace("\n", " ")[:200]
            for node in v["nodes"][:4]
        )
        for v in found["violations"]
    ]
