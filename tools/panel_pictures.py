"""The pictures of the panels, taken in a real JupyterLab: `make pictures` calls it.

    python tools/panel_pictures.py [FOLDER]     default: docs/images

Of each panel one in the light and one in the dark theme.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "browser"), str(ROOT / "tests"), str(ROOT / "tools")]

import ensure_browser  # noqa: E402
from lab import FLAGS, Lab, Notebook, load, running_lab  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402

HIGHEST = 760
"""Pixels of a picture: what stands below is a long table."""

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
HOMES = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR",
         "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")  # fmt: skip


def main(arguments: list[str]) -> int:
    """Write one picture for each panel and theme."""
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
        registry = Path(work) / "project" / "registry"
        registry.parent.mkdir()
        os.chdir(registry.parent)  # no work tree: the picture is not of this one's branch
        grow(registry)
        os.environ["NBREG_REGISTRY"] = str(registry)
        with window(browser, Path(work)) as (lab, page):
            for name, (cell, act) in SCENES.items():
                for file in shoot(lab, page, name, cell, act, target):
                    print(f"{file.name}: {file.stat().st_size:,} bytes")
    return 0


@contextmanager
def window(browser: str, work: Path) -> Iterator[tuple[Lab, Page]]:
    """JupyterLab in a window that is sharp on good screens."""
    (work / "notebooks").mkdir()
    with running_lab(work / "notebooks") as lab, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        context = chromium.new_context(viewport={"width": 960, "height": 1900}, device_scale_factor=1.5)
        page = context.new_page()
        load(lab, page)
        yield lab, page
        chromium.close()


def shoot(
    lab: Lab, page: Page, name: str, cell: str, act: Callable[[Notebook], object], target: Path
) -> Iterator[Path]:
    """The panel of a cell after something was done with it."""
    notebook = Notebook(lab, page, f"{name}.ipynb", ["%load_ext nbreg\nimport nbreg.panels", cell])
    notebook.write()
    notebook.open()
    notebook.run()
    act(notebook)
    for theme, jupyters in THEMES.items():
        notebook.command("apputils:change-theme", theme=jupyters)
        page.wait_for_timeout(1500)
        file = target / f"{name}-{theme}.png"
        box = notebook.panel.bounding_box()
        assert box is not None
        page.screenshot(path=file, clip={**box, "height": min(box["height"], HIGHEST)})
        yield file
    notebook.command("apputils:change-theme", theme=THEMES["light"])
    notebook.close()


# what is shown


def grow(folder: Path) -> None:
    """A model as a team of two has it after two months."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from nbreg import Registry
    from nbreg.records import Actor

    frame, outcome = load_breast_cancer(return_X_y=True, as_frame=True)
    inside, outside, known, asked = train_test_split(frame, outcome, random_state=0)
    at = datetime(2026, 2, 9, 9, 12, tzinfo=UTC)

    def by(user: str, days: float) -> Any:
        nonlocal at
        at += timedelta(days=days)
        return Registry(folder, actor=Actor(user=user), clock=lambda at=at: at)  # type: ignore[misc]

    def trained(user: str, days: float, rows: int, strength: float, message: str) -> Any:
        registry = by(user, days)
        data = inside.iloc[:rows]
        with registry.start_run(params={"C": strength}) as run:
            for step in range(1, 41):
                run.log_metric("loss", 0.08 + 0.6 * 0.86**step * (1 + 0.1 * (step % 3)), step)
                run.log_metric("auc", 0.99 - 0.3 * 0.9**step, step)
            model = make_pipeline(StandardScaler(), LogisticRegression(C=strength)).fit(
                data, known.iloc[:rows]
            )
            accuracy = float(model.score(outside, asked))
            return run.register(
                "cancer", model, data={"train": data}, metrics={"accuracy": accuracy}, message=message
            )

    trained("ada", 0, 60, 0.003, "first cut")
    by("ada", 1).promote("cancer@1.0.0", "production", reason="FirstRelease")
    trained("grace", 8, 120, 0.01, "the second hospital's rows")
    trained("grace", 5.2, 90, 0.02, "less regularised")
    by("ada", 2).promote("cancer@2", "production", reason="ABTestWon", message="lift 3 % in two weeks")
    trained("ada", 9, 200, 0.01, "rows of March")
    trained("ada", 3.4, 300, 0.5, "all rows, C by search")
    by("grace", 1).promote("cancer@5", "production", reason="ABTestWon", message="fewest misses so far")
    by("grace", 0.3).rollback("cancer", reason="Complaints", message="false alarms doubled on site B")
    trained("grace", 6, 426, 0.1, "site B weighted")
    by("ada", 1).promote("cancer@6", "staging", reason="Trial")


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


SCENES: dict[str, tuple[str, Callable[[Notebook], object]]] = {
    "history": ("%model_history cancer", version_open),
    "stages": ("nbreg.panels.Stages('cancer@production')", asked),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
