"""What pictures of nbreg in JupyterLab are taken of: a user of its own, a team's registry, two themes."""

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

__all__ = ["IMAGES", "Lab", "Notebook", "Page", "in_themes", "window"]

IMAGES = ROOT / "docs" / "images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
_HOMES = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR",
          "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")  # fmt: skip


@contextmanager
def window(project: str, size: tuple[int, int], scale: float) -> Iterator[tuple[Lab, Page] | None]:
    """JupyterLab over a folder of that name with a registry in it; None, and why, without a browser."""
    browser = ensure_browser.find()
    if browser is None:
        print(f"no browser: {ensure_browser.why_not()}", file=sys.stderr)
        yield None
        return
    with tempfile.TemporaryDirectory() as work:
        for name in _HOMES:
            os.environ[name] = str(Path(work) / "home" / name)
            Path(os.environ[name]).mkdir(parents=True)
        os.environ |= {"NBREG_PROVE": "0", "NBREG_ACTOR": "ada"}
        os.environ.pop("NBREG_REGISTRY", None)
        folder = Path(work) / project
        folder.mkdir()
        os.chdir(folder)  # no work tree: the picture is not of this one's branch
        sys.modules["__main__"].__file__ = "train.py"  # what runs say that they were started by
        grow(folder / ".nbreg")
        with running_lab(folder) as lab, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
            view: Any = {"width": size[0], "height": size[1]}
            page = chromium.new_page(viewport=view, device_scale_factor=scale)
            load(lab, page)
            yield lab, page
            chromium.close()


def in_themes(notebook: Notebook, name: str, target: Path, shoot: Callable[[Path], object]) -> None:
    """The same once in the light and once in the dark theme."""
    for theme, jupyters in THEMES.items():
        notebook.command("apputils:change-theme", theme=jupyters)
        notebook.page.wait_for_timeout(1500)  # colours fade in
        file = target / f"{name}-{theme}.png"
        shoot(file)
        print(f"{file.name}: {file.stat().st_size:,} bytes")
    notebook.command("apputils:change-theme", theme=THEMES["light"])


def grow(folder: Path) -> None:
    """A model as a team of two has it after two months."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    import nbreg
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
            named = nbreg.Dataset("biopsies", data, origin="warehouse.biopsies")
            return run.register(
                "cancer", model, data={"train": named}, metrics={"accuracy": accuracy}, message=message
            )

    def serving(ref: str, where: str, rows: int) -> None:
        """It is deployed, and answers for a day."""
        registry = by("ada", 0.2)
        registry.deploy(ref, where, url=f"https://cancer.example.org/{where}")
        registry.get(ref).predict(outside.iloc[:rows], request="screening")
        registry.close()

    trained("ada", 0, 60, 0.003, "first cut")
    by("ada", 1).promote("cancer@1.0.0", "production", reason="FirstRelease")
    serving("cancer@1", "site-a", 96)
    trained("grace", 8, 120, 0.01, "the second hospital's rows")
    trained("grace", 5.2, 90, 0.02, "less regularised")
    by("ada", 2).promote("cancer@2", "production", reason="ABTestWon", message="lift 3 % in two weeks")
    serving("cancer@2", "site-a", 143)
    serving("cancer@2", "site-b", 71)
    trained("ada", 9, 200, 0.01, "rows of March")
    trained("ada", 3.4, 300, 0.5, "all rows, C by search")
    by("grace", 1).promote("cancer@5", "production", reason="ABTestWon", message="fewest misses so far")
    by("grace", 0.3).rollback("cancer", reason="Complaints", message="false alarms doubled on site B")
    trained("grace", 6, 426, 0.1, "site B weighted")
    by("ada", 1).promote("cancer@6", "staging", reason="Trial")
