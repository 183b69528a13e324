"""What tests of the sidebar share: how it is opened, how a version is shown in it, and what axe says of it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

ROOT = Path(__file__).resolve().parents[2]
EVIL = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>"


def shown(page: Page) -> Locator:
    """Open the sidebar of a page."""
    page.evaluate("() => window.jupyterapp.commands.execute('nbreg:open').then(() => null)")
    return page.locator("#nbreg-panel")


def version_of(page: Page, ref: str) -> Locator:
    """Show a version in the sidebar, as a card or a badge does."""
    page.evaluate(
        "ref => window.jupyterapp.commands.execute('nbreg:show-version', {ref}).then(() => null)", ref
    )
    panel = page.locator("#nbreg-panel")
    expect(panel.get_by_role("heading", level=2)).to_contain_text(ref.split("@")[0])
    return panel


def add_axe(page: Page) -> None:
    """Let a page be asked by axe."""
    axe = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
    assert axe.exists(), "make extension"
    page.add_script_tag(path=axe)


def axe_finds(page: Page) -> set[str]:
    """What axe finds wrong with the sidebar as it is now."""
    page.wait_for_timeout(300)  # colours of a theme fade in
    violations = page.evaluate("() => axe.run('#nbreg-panel').then(found => found.violations)")
    return {
        f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in violations
        for node in each["nodes"]
    }
