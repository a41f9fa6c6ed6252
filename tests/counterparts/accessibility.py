"""What axe-core finds wrong on a page."""

from __future__ import annotations

from pathlib import Path

AXE = Path(__file__).parents[1] / "plugins" / "web" / "react_page" / "node_modules" / "axe-core" / "axe.min.js"
FIND = """async (part) => (await axe.run(part)).violations
  .filter(({ impact }) => ["serious", "critical"].includes(impact))
  .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`))"""


async def serious(page, part="html"):
    """Return what is serious or worse in a part of the page, by its selector."""
    if not await page.evaluate("'axe' in globalThis"):
        await page.evaluate(AXE.read_text("utf-8"))
    return await page.evaluate(FIND, part)


async def serious_in_any_theme(page, part):
    """Return what is serious in a part of the hub's page, light and dark."""
    found = []
    await page.emulate_media(reduced_motion="reduce")  # so that no colour is on its way to another
    for theme in ("dark", "light"):
        await page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        found += [f"{theme}: {each}" for each in await serious(page, part)]
    return found
