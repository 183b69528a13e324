"""The picture of the sidebar beside a notebook, taken in a real JupyterLab: `make pictures` calls it.

python tools/sidebar_pictures.py [FOLDER]     default: docs/images
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "browser"), str(ROOT / "tests"), str(ROOT / "tools")]

import ensure_browser  # noqa: E402
from lab import FLAGS, Lab, Notebook, load, running_lab  # noqa: E402
from panel_pictures import HOMES, THEMES, grow  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402

CELLS = ("%load_ext nbreg", "%model_diff cancer@6 cancer@production")


def main(arguments: list[str]) -> int:
    """Write one picture for each theme."""
    target = Path(arguments[0]) if arguments else ROOT / "docs" / "images"
    browser = ensure_browser.find()
    if browser is None:
        print(f"no browser: {ensure_browser.why_not()}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as work:
        for name in HOMES:
            os.environ[name] = str(Path(work) / "home" / name)
            Path(os.environ[name]).mkdir(parents=True)
        os.environ |= {"NBREG_PROVE": "0", "NBREG_ACTOR": "ada"}
        os.environ.pop("NBREG_REGISTRY", None)
        project = Path(work) / "oncology"
        project.mkdir()
        os.chdir(project)
        grow(project / ".nbreg")
        with running_lab(project) as lab, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
            page = chromium.new_page(viewport={"width": 1100, "height": 700}, device_scale_factor=1.25)
            load(lab, page)
            notebook = staged(lab, page)
            for theme, jupyters in THEMES.items():
                notebook.command("apputils:change-theme", theme=jupyters)
                page.wait_for_timeout(1500)
                file = target / f"sidebar-{theme}.png"
                page.screenshot(path=file)
                print(f"{file.name}: {file.stat().st_size:,} bytes")
            chromium.close()
    return 0


def staged(lab: Lab, page: Page) -> Notebook:
    """A version in the sidebar, about to be promoted; beside it what it is compared with."""
    page.evaluate("() => window.jupyterapp.commands.execute('nbreg:open').then(() => null)")
    notebook = Notebook(lab, page, "review.ipynb", list(CELLS))
    notebook.write()
    notebook.open()
    notebook.run()
    notebook.command("nbreg:show-version", ref="cancer@6")
    panel = page.locator("#nbreg-panel")
    panel.get_by_role("button", name="→ production").click()
    panel.get_by_label("Reason").fill("ABTestWon")
    panel.get_by_label("Message").fill("as good, half the false alarms")
    page.locator(".jp-nbreg-Card").last.wait_for()
    page.wait_for_timeout(1000)
    return notebook


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
