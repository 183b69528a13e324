"""A real JupyterLab and a real browser: one of each for all tests here, a notebook for each test.

These run in a pytest process of their own (`make browser`), since Playwright's synchronous interface
leaves a running event loop in the thread that uses it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SIZE: Any = {"width": 1000, "height": 1400}
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]

import ensure_browser  # noqa: E402
from lab import FLAGS, Lab, Notebook, load, running_lab, watch  # noqa: E402
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright  # noqa: E402
from sidebar import shown  # noqa: E402

from nbreg import Registry  # noqa: E402

# Looked for here: tests have a home and an environment of their own, without what this user installed and set.
FOUND, WHY_NOT = ensure_browser.find(), ensure_browser.why_not()
REQUIRED = os.environ.get("NBREG_REQUIRE_BROWSER") == "1"

UNSEEN: list[str] = []
"""What went wrong in any page since the last test, though nobody saw it."""


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path. Without one the tests are skipped, unless they are required."""
    if FOUND is None:
        refuse = pytest.fail if REQUIRED else pytest.skip
        refuse(f"no browser: {WHY_NOT}")
    return FOUND


@pytest.fixture(scope="session")
def lab(chromium: str, _session_user: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab of a user of its own."""
    with running_lab(tmp_path_factory.mktemp("notebooks")) as lab:
        yield lab


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab_page(lab: Lab, browser: Browser) -> Iterator[Page]:
    """JupyterLab in a window, loaded once: that takes longer than all that the tests do in it."""
    context = browser.new_context(viewport=SIZE)
    context.set_default_timeout(30_000)
    watch(context, UNSEEN)
    page = context.new_page()
    load(lab, page)
    yield page
    context.close()


@pytest.fixture
def page(lab_page: Page) -> Page:
    """The window, as wide as a laptop's half screen is."""
    lab_page.set_viewport_size(SIZE)
    lab_page.evaluate("() => { delete window.hacked }")
    return lab_page


@pytest.fixture
def another_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Windows of other people, who share nothing with the first one."""
    contexts = []

    def open_one(**options: Any) -> Page:
        context = browser.new_context(viewport=SIZE, **options)
        contexts.append(context)
        watch(context, UNSEEN)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture(autouse=True)
def nothing_went_wrong_unseen(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test passes over an error that only the browser's console tells."""
    yield
    if "lab_page" in request.fixturenames:
        request.getfixturevalue("lab_page").wait_for_timeout(100)  # hear what came last
    found, UNSEEN[:] = list(UNSEEN), []
    assert not found, "\n".join(found)


@pytest.fixture
def open_notebook(lab: Lab, page: Page, tmp_path: Path) -> Iterator[Callable[..., Notebook]]:
    """Write a notebook of these cells, open it and run them all; `NBREG_REGISTRY` is the test's own."""
    opened: list[Notebook] = []

    def open_one(*cells: str) -> Notebook:
        where = tmp_path / "registry"
        first = f"import os; os.environ['NBREG_REGISTRY'] = {str(where)!r}\n%load_ext nbreg"
        notebook = Notebook(lab, page, f"{tmp_path.name}-{len(opened)}.ipynb", [first, *cells])
        opened.append(notebook)
        notebook.write()
        notebook.open()
        notebook.run()
        return notebook

    yield open_one
    for notebook in opened:
        notebook.close()


@pytest.fixture
def shelf(lab: Lab) -> Registry:
    """The registry of the server's own folder, which all these tests share."""
    return Registry(lab.folder / ".nbreg")


@pytest.fixture
def errors(page: Page) -> Iterator[list[str]]:
    """What went wrong in the page without anybody seeing it."""
    found: list[str] = []

    def note(error: Any) -> None:
        found.append(str(error))

    page.on("pageerror", note)
    yield found
    page.remove_listener("pageerror", note)


@pytest.fixture
def sidebar(page: Page) -> Locator:
    """The sidebar, with the list of models in it."""
    panel = shown(page)
    expect(panel.get_by_role("button", name="Look for changes")).to_be_visible()
    # JupyterLab may ask something of its own between two stories, such as which kernel a notebook is to have.
    page.add_locator_handler(page.locator(".jp-Dialog"), lambda: page.keyboard.press("Escape"), times=3)
    while panel.get_by_role("button", name="← Back").count():
        panel.get_by_role("button", name="← Back").click()
    panel.get_by_role("button", name="Models", exact=True).click()
    panel.get_by_role("searchbox").fill("")
    return panel


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """A browser may take longer than other tests; it never hangs for ever."""
    for item in items:
        item.add_marker(pytest.mark.timeout(180))
