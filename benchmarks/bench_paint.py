"""What a person waits for: from running a cell to the history on the screen, in a real JupyterLab.

The clock is the page's own: it starts with the command that runs the cell, and stops after the frame in
which the panel's lines were painted. Kernel, server, wires and the widgets of the front end are all in it.
Opening a history is another benchmark's (`open`): each is shown before the turns that count.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import harness
import models
from harness import Benchmark, Figure

ROOT = Path(__file__).resolve().parent.parent
WARM = 2
HOMES = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR",
         "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")  # fmt: skip

PAINTED = """async at => {
  document.querySelectorAll('.nbreg-panel').forEach(each => { each.dataset.before = '1' });
  const frame = () => new Promise(done => requestAnimationFrame(done));
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = at;
  const start = performance.now();
  window.jupyterapp.commands.execute('notebook:run-cell');
  while (!document.querySelector('.nbreg-panel:not([data-before]) .nbreg-row')) await frame();
  await frame();
  await new Promise(done => setTimeout(done));
  return performance.now() - start;
}"""
"""Milliseconds until the frame with the panel's first lines is on the screen."""


def measure(scale: tuple[int, tuple[int, ...]], work: Path) -> list[Figure]:
    """First paint at each size, in turns; nothing where there is no browser."""
    sys.path[:0] = [str(ROOT / "tests" / "browser"), str(ROOT / "tools")]
    import ensure_browser

    turns, sizes = scale
    browser = ensure_browser.find()
    if browser is None:
        print(f"not measured, no browser: {ensure_browser.why_not()}", file=sys.stderr)
        return []
    registry = models.bare(work / "registry")
    for size in sizes:
        models.grow(registry, f"m{size}", size)
    return _figures(sizes, _painted(browser, registry.location, sizes, turns, work))


def _painted(
    browser: str, registry: Path, sizes: tuple[int, ...], turns: int, work: Path
) -> list[list[float]]:
    from lab import FLAGS, Notebook, load, running_lab
    from playwright.sync_api import sync_playwright

    for name in HOMES:
        os.environ[name] = str(work / "home" / name)
        Path(os.environ[name]).mkdir(parents=True)
    os.environ["NBREG_REGISTRY"] = str(registry)
    folder = work / "notebooks"
    folder.mkdir()
    cells = ["%load_ext nbreg\nimport nbreg.panels", *(f"nbreg.panels.History('m{size}')" for size in sizes)]
    with running_lab(folder) as lab, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        page = chromium.new_page(viewport={"width": 1000, "height": 3000})
        load(lab, page)
        notebook = Notebook(lab, page, "paint.ipynb", cells)
        notebook.write()
        notebook.open()
        notebook.run()
        page.locator(".nbreg-panel").nth(len(sizes) - 1).wait_for()
        times: list[list[float]] = [[] for _ in sizes]
        for turn in range(-WARM, turns):
            for at, found in enumerate(times):
                took: Any = page.evaluate(PAINTED, at + 1)
                if turn >= 0:
                    found.append(float(took))
        chromium.close()
    return times


def _figures(sizes: tuple[int, ...], times: list[list[float]]) -> list[Figure]:
    figures = [
        harness.spread(f"history on the screen at {size:,} versions", found, "ms", goal=1000)
        for size, found in zip(sizes, times, strict=True)
    ]
    ratios = [last / first for first, last in zip(times[0], times[-1], strict=True)]
    what = f"on the screen at {sizes[-1]:,} versions / at {sizes[0]}"
    return [*figures, harness.spread(what, ratios, "×", goal=1.5)]


BENCHMARK = Benchmark(
    name="paint",
    claim="the history is on the screen in a second, at 10 versions and at 10,000",
    measure=measure,
    full=(15, (10, 1000, 10_000)),
    smallest=(2, (3, 30)),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
