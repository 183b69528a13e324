"""The pictures of the panels, taken in a real JupyterLab: `make pictures` calls it.

    python tools/panel_pictures.py [--width N] [FOLDER] [PANEL …]     default: 960, docs/images, all of them

Of each panel one in the light and one in the dark theme.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from staging import IMAGES, Lab, Notebook, Page, in_themes, window

HIGHEST = 790
"""Pixels of a picture: what stands below is a long table."""


def main(arguments: list[str]) -> int:
    """Write one picture for each panel and theme."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--width", type=int, default=960)
    parser.add_argument("folder", type=Path, nargs="?", default=IMAGES)
    parser.add_argument("panels", nargs="*", default=list(SCENES))
    given = parser.parse_args(arguments)
    target = given.folder.absolute()  # the folder is another one soon
    with window("oncology", (given.width, 1900), 1.5) as opened:
        if opened is None:
            return 1
        for name in given.panels:
            _shoot(*opened, name, SCENES[name], target)
    return 0


class Scene(NamedTuple):
    """A panel, and what is done with it before it is looked at."""

    cells: tuple[str, ...]
    act: Callable[[Notebook], object]


def _shoot(lab: Lab, page: Page, name: str, scene: Scene, target: Path) -> None:
    notebook = Notebook(lab, page, f"{name}.ipynb", ["%load_ext nbreg\nimport nbreg.panels", *scene.cells])
    notebook.write()
    notebook.open()
    notebook.run()
    notebook.panel.wait_for()
    scene.act(notebook)

    def panel(file: Path) -> None:
        box = notebook.panel.bounding_box()
        assert box is not None
        page.screenshot(path=file, clip={**box, "height": min(box["height"], HIGHEST)})

    in_themes(notebook, name, target, panel)
    notebook.close()


def version_open(notebook: Notebook) -> None:
    """The version in staging, and what promoting it would do."""
    notebook.panel.locator("button.nbreg-name").first.click()
    notebook.panel.locator('button[title="promote to production"]').click()
    notebook.panel.get_by_placeholder("reason").fill("ABTestWon")
    notebook.panel.get_by_placeholder("message").fill("as good, half the false alarms")
    notebook.panel.locator(".nbreg-foretold").wait_for()


def asked(notebook: Notebook) -> None:
    """A rollback before it is done."""
    notebook.panel.locator('button[title="roll back production"]').click()
    notebook.panel.locator(".nbreg-foretold").wait_for()


def unfolded(notebook: Notebook) -> None:
    """The cells that made it."""
    notebook.panel.locator("summary", has_text="recipe").click()


def node_clicked(notebook: Notebook) -> None:
    """What the version in production decided."""
    notebook.panel.locator(".nbreg-is-decisions").first.click()


def as_it_is(notebook: Notebook) -> None:
    """Nothing is done."""


TRAIN = """from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.ensemble import RandomForestClassifier
X, y = load_breast_cancer(return_X_y=True, as_frame=True)
Xtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)"""

FIT = """forest = RandomForestClassifier({}, random_state=0).fit(Xtr, ytr)
accuracy = forest.score(Xte, yte)"""

ELSEWHERE = """import pathlib, sys
for name, release in {"scikit-learn": "0.24.2", "numpy": "1.26.4", "joblib": "1.4.0"}.items():
    folder = pathlib.Path("elsewhere") / f"{name.replace('-', '_')}-{release}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {release}\\n")
sys.path.insert(0, str(pathlib.Path("elsewhere").absolute()))"""
"""A kernel that has other releases than the version was made with."""

SCENES: dict[str, Scene] = {
    "history": Scene(("%model_history cancer",), version_open),
    "stages": Scene(("nbreg.panels.Stages('cancer@production')",), asked),
    "version": Scene(
        (
            TRAIN,
            FIT.format(50),
            "%register_model biopsy forest --metrics accuracy --data train=Xtr --message 'forest of 50'",
            "%model biopsy@1",
        ),
        unfolded,
    ),
    "lineage": Scene(("nbreg.panels.Lineage('cancer')",), node_clicked),
    "drift": Scene((ELSEWHERE, "nbreg.panels.Drift('cancer@production')"), as_it_is),
    "drafts": Scene((TRAIN, FIT.format(20), FIT.format("100, max_depth=4"), "%drafts"), as_it_is),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
