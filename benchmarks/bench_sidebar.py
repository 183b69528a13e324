"""How soon the sidebar is there in a real JupyterLab, and whether it stays quick among many models.

The floor is JupyterLab without nbreg: the same server and browser, which are told not to fetch the extension.
Each turn is a page that is loaded anew, from a browser that has read all of JupyterLab before, as of a person
who comes back. It takes seconds, so turns are few. It is ready when the list of models is painted: a frame
after its first line is in the page.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import harness
import models
from harness import Benchmark, Figure

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests/browser")]

# An extension may be activated a moment later than what it is not needed for.
_ACTIVATED = "() => window.jupyterapp.commands.hasCommand('nbreg:open')"
_OPEN = """async () => {
  const { commands, restored } = window.jupyterapp;
  await restored;
  await commands.execute('nbreg:open');
}"""
_PAINTED = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
_BODY = "#nbreg-panel .jp-nbreg-Body"
_LINE = "#nbreg-panel [aria-label=Models] > "  # a model of the list, opened or not


def measure(scale: tuple[int, list[int], int], work: Path) -> list[Figure]:
    """From navigation to the list, of few and of many models; then what a person does in the list of many."""
    import ensure_browser
    from lab import FLAGS, running_lab
    from playwright.sync_api import sync_playwright

    turns, counts, versions = scale
    figures: list[Figure] = []
    chromium = ensure_browser.find()
    if chromium is None:
        raise SystemExit(f"no browser: {ensure_browser.why_not()}")
    # What is measured is the extension of these sources; JupyterLab without it would be waited for in vain.
    subprocess.run([sys.executable, ROOT / "tools/labextension.py"], check=True)
    with ExitStack() as stack:
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=chromium, args=FLAGS)
        stack.callback(browser.close)
        for count in counts:
            root = work / f"root-{count}"
            root.mkdir()
            registry = models.bare(root / ".nbreg")
            for i in range(count):
                if i % 100 == 0:
                    harness.progress(f"making models of {versions} versions: {i:,} of {count:,}")
                models.grow(registry, f"team-{i % 10}/model-{i:04}", versions)
            lab = stack.enter_context(running_lab(root))
            figures += _starting(browser, lab.url, turns, count)
            if count == counts[-1]:
                figures += _using(browser, lab.url, turns, count, versions)
    return figures


def _starting(browser: Any, url: str, turns: int, count: int) -> list[Figure]:
    with_it, without = browser.new_context(), browser.new_context()
    without.route("**/lab/extensions/nbreg/**", lambda route: route.abort())

    def started(turn: int) -> None:
        page = _page(with_it, url)
        _open(page)
        page.evaluate(_PAINTED)
        page.close()

    def bare(turn: int) -> None:
        page = _page(without, url)
        page.evaluate("() => window.jupyterapp.restored.then(() => null)")
        page.evaluate(_PAINTED)
        page.close()

    mine, floor = harness.in_turns([started, bare], turns, warm=1, told=f"pages, {count:,} models")
    added = [a - b for a, b in zip(mine.wall, floor.wall, strict=True)]
    with_it.close()
    without.close()
    return [
        harness.seconds(f"navigation to the sidebar with {count:,} models painted", mine),
        harness.seconds("navigation to JupyterLab without nbreg", floor),
        harness.ratio(f"the one / the other, {count:,} models", mine, floor, goal=1.5),
        harness.spread(f"added, {count:,} models, wall", [1e3 * each for each in added], "ms"),
    ]


def _using(browser: Any, url: str, turns: int, count: int, versions: int) -> list[Figure]:
    page = _page(browser.new_context(), url)
    _open(page)

    def until(expression: str) -> None:
        page.wait_for_function(expression)
        page.evaluate(_PAINTED)

    def scroll_to(part: float, place: int) -> None:
        page.eval_on_selector(_BODY, f"body => {{ body.scrollTop = {part} * body.scrollHeight }}")
        until(f"() => document.querySelector(\"{_LINE}[aria-posinset='{place}'] .jp-nbreg-Name\")")

    def scrolled(turn: int) -> None:
        scroll_to(1.0, count)
        scroll_to(0.0, 1)

    def expanded(turn: int) -> None:
        page.eval_on_selector("#nbreg-panel .jp-nbreg-Model", "line => line.click()")
        until("() => document.querySelector('#nbreg-panel .jp-nbreg-Version .jp-nbreg-Name')")
        page.eval_on_selector("#nbreg-panel .jp-nbreg-Model", "line => line.click()")

    def typed(text: str, found: str) -> Callable[[int], None]:
        def search(turn: int) -> None:
            page.fill("#nbreg-panel input[type=search]", text)
            until(found)
            page.fill("#nbreg-panel input[type=search]", "")
            until(f"() => document.querySelector(\"{_LINE}[aria-setsize='{count}']\")")

        return search

    name = f"model-{count - 1:04}"
    one = f"() => document.querySelector(\"{_LINE}[aria-setsize='1']\")"
    some = "() => document.querySelector('.jp-nbreg-mod-found .jp-nbreg-Version .jp-nbreg-Name')"
    todo = [scrolled, expanded, typed(name, one), typed(f"number == {versions}", some)]
    there_and_back, opened, by_name, by_query = harness.in_turns(
        todo, turns, warm=1, told="scrolling, opening, searching"
    )
    page.eval_on_selector("#nbreg-panel .jp-nbreg-Model", "line => line.click()")
    page.wait_for_selector("#nbreg-panel .jp-nbreg-Version .jp-nbreg-Name")
    lines = page.locator("#nbreg-panel li").count()
    page.context.close()
    what = f"{count:,} models of {versions}"
    return [
        harness.seconds(f"to the end of {what} and back, read and painted", there_and_back, goal=400),
        harness.seconds("opening a model and closing it", opened, goal=300),
        harness.seconds(
            "searching a name and clearing (2 × 250 ms until letters settle)", by_name, goal=1000
        ),
        harness.seconds("searching by a query and clearing (the same)", by_query, goal=2000),
        Figure(what=f"lines in the page, of {what}, one opened", value=lines, unit="", goal=250),
    ]


def _page(context: Any, url: str) -> Any:
    from lab import TOKEN

    page = context.new_page()
    page.goto(f"{url}lab?token={TOKEN}&reset")
    page.wait_for_function("() => window.jupyterapp")
    return page


def _open(page: Any) -> None:
    # These waits end; a script in the page would wait for good where the extension is not installed.
    page.wait_for_function(_ACTIVATED)
    page.evaluate(_OPEN)
    page.wait_for_selector("#nbreg-panel .jp-nbreg-Model")


BENCHMARK = Benchmark(
    name="sidebar",
    claim="the sidebar adds no half to JupyterLab's start, with 1,000 models as with 10",
    measure=measure,
    full=(7, [10, 1000], 100),
    smallest=(1, [3], 2),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
