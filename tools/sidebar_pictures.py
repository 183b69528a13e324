"""The pictures of the sidebar, beside a notebook and alone, in a real JupyterLab: `make pictures` calls it.

python tools/sidebar_pictures.py [FOLDER]     default: docs/images
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "browser"), str(ROOT / "tests"), str(ROOT / "tools")]

import ensure_browser  # noqa: E402
from lab import FLAGS, Lab, Notebook, load, running_lab  # noqa: E402
from panel_pictures import HOMES, THEMES, grow  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402

from nbreg import Registry  # noqa: E402
from nbreg.records import Actor  # noqa: E402

CELLS = ("%load_ext nbreg", "%model_diff cancer@6 cancer@production")


def main(arguments: list[str]) -> int:
    """Write one picture of each for each theme."""
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
        sys.modules["__main__"].__file__ = "train.py"  # what runs say that they were started by
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
            govern(project / ".nbreg")
            page.set_viewport_size({"width": 1100, "height": 860})
            for theme, jupyters in THEMES.items():
                notebook.command("apputils:change-theme", theme=jupyters)
                page.wait_for_timeout(1500)
                for name, show in PLACES.items():
                    file = target / f"sidebar-{name}-{theme}.png"
                    show(page, notebook)
                    page.wait_for_timeout(500)
                    page.evaluate("document.querySelector('#nbreg-panel .jp-nbreg-Body').scrollTop = 0")
                    page.screenshot(path=file, clip=page.locator("#nbreg-panel").bounding_box())
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


def govern(folder: Path) -> None:
    """What a team has settled about its model."""
    ada, grace = (Registry(folder, actor=Actor(user=user)) for user in ("ada", "grace"))
    what = "Benign or malignant, from the cells of a biopsy."
    ada.update_model("cancer", owners=["ada", "grace"], description=what, visibility="organisation")
    ada.require("cancer", "production", "metrics.accuracy > 0.96", "approved(1)", reason="Board")
    ada.set_alias("cancer@2", "champion")
    ada.protect("cancer", "champion", reason="the scoring service loads it")
    ada.deploy("cancer@2", "prod-eu", url="https://cancer.example/eu", reason="ABTestWon")
    grace.request("cancer@6", "production", message="two weeks beside it, half the false alarms")


def a_run(page: Page, notebook: Notebook) -> None:
    """The run of a version, with the curve of a metric."""
    notebook.command("nbreg:show-version", ref="cancer@6")
    panel = page.locator("#nbreg-panel")
    panel.locator("dl").first.get_by_role("button").first.click()
    panel.get_by_role("slider").wait_for()


def a_model(page: Page, notebook: Notebook) -> None:
    """A model's own page."""
    notebook.command("nbreg:show-version", ref="cancer@6")
    panel = page.locator("#nbreg-panel")
    panel.get_by_role("heading", level=2).get_by_role("button").click()
    for title in ("Gates", "At work"):
        panel.locator("summary", has_text=title).click()


PLACES: dict[str, Callable[[Page, Notebook], None]] = {"model": a_model, "run": a_run}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
