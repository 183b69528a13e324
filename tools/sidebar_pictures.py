"""The pictures of the sidebar, beside a notebook and alone, in a real JupyterLab: `make pictures` calls it.

python tools/sidebar_pictures.py [FOLDER]     default: docs/images
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from staging import IMAGES, Lab, Notebook, Page, in_themes, window

from nbreg import Registry
from nbreg.records import Actor

CELLS = ("%load_ext nbreg", "%model_diff cancer@6 cancer@production")


def main(arguments: list[str]) -> int:
    """Write one picture of each for each theme."""
    target = Path(arguments[0]).absolute() if arguments else IMAGES
    with window("oncology", (1100, 700), 1.25) as opened:
        if opened is None:
            return 1
        lab, page = opened
        notebook = staged(lab, page)
        in_themes(notebook, "sidebar", target, lambda file: page.screenshot(path=file))
        govern(lab.folder / ".nbreg")
        page.set_viewport_size({"width": 1100, "height": 860})
        for name, show in PLACES.items():
            in_themes(notebook, f"sidebar-{name}", target, partial(_place, page, notebook, show))
    return 0


def _place(page: Page, notebook: Notebook, show: Callable[[Page, Notebook], None], file: Path) -> None:
    show(page, notebook)
    page.wait_for_timeout(500)
    page.evaluate("document.querySelector('#nbreg-panel .jp-nbreg-Body').scrollTop = 0")
    page.screenshot(path=file, clip=page.locator("#nbreg-panel").bounding_box())


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
