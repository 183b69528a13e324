"""The extension as a part of JupyterLab: menus, shortcuts, settings, dragging, and Tab.

What can be done with a version is found where people look for it: with the right button on its line or on the cell
that made it, in the View menu, in the palette, by keys. A version is dragged to where it is to be loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, Notebook, load
from playwright.sync_api import Locator, Page, expect

from nbreg import Registry


@pytest.fixture
def shelf(lab: Lab) -> Registry:
    """The registry of the server's own folder."""
    return Registry(lab.folder / ".nbreg")


@pytest.fixture
def sidebar(page: Page) -> Locator:
    """The sidebar with its list of models."""
    page.evaluate("() => window.jupyterapp.commands.execute('nbreg:search').then(() => null)")
    panel = page.locator("#nbreg-panel")
    panel.get_by_role("searchbox").fill("")
    return panel


@pytest.fixture
def notebook(lab: Lab, page: Page, tmp_path: Path) -> Iterator[Notebook]:
    """A notebook beside the registry, open and run."""
    one = Notebook(
        lab,
        page,
        f"{tmp_path.name}.ipynb",
        ["%load_ext nbreg\nweights = {'w': 7}", "%register_model shelved weights", "first = 1", "second = 2"],
    )
    one.write()
    one.open()
    one.run()
    expect(page.locator(".jp-nbreg-Badge")).to_have_count(
        1, timeout=30_000
    )  # all outputs are drawn; nothing moves any more
    yield one
    one.close()


def lines_of(page: Page) -> list[str]:
    """The sources of all cells of the open notebook."""
    sources: list[str] = page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map(each => each.source)"
    )
    return sources


def version_line(sidebar: Locator, model: str) -> Locator:
    """The line of a model's newest version."""
    versions = sidebar.get_by_role("list", name=f"Versions of {model}")
    button = sidebar.get_by_role("button", name=model, exact=False).first
    if button.get_attribute("aria-expanded") == "false":
        button.click()
    return versions.get_by_role("button").first


def drag(page: Page, what: Locator, target: Locator, right: float) -> None:
    """With the mouse, as a hand does: to that many pixels right of the target's edge, wherever it is by then."""
    what.hover()
    page.mouse.down()
    start = what.bounding_box()
    assert start is not None
    page.mouse.move(start["x"] + 60, start["y"] + 40, steps=4)
    expect(page.locator(".jp-nbreg-Dragged")).to_be_visible()
    to = target.bounding_box()
    assert to is not None
    page.mouse.move(to["x"] + right, to["y"] + to["height"] / 2 - 3, steps=8)
    page.mouse.move(to["x"] + right, to["y"] + to["height"] / 2, steps=3)
    page.mouse.up()


def test_a_version_is_dragged_between_cells_and_loads_there(
    page: Page, sidebar: Locator, shelf: Registry, notebook: Notebook
) -> None:
    """What is dropped at a cell's prompt becomes a cell before it, which gives the version back."""
    line = version_line(sidebar, "shelved")

    drag(page, line, page.locator(".jp-Notebook .jp-Cell").nth(2).locator(".jp-InputPrompt"), 20)

    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(5)
    assert lines_of(page)[2:] == [
        'import nbreg\n\nmodel = nbreg.load("shelved@1.0.0")',
        "first = 1",
        "second = 2",
    ]
    expect(page.locator(".jp-nbreg-Dragged")).to_have_count(0)
    expect(sidebar.get_by_role("list", name="Versions of shelved")).to_be_visible()  # and was not opened
    notebook.command("notebook:run-all-cells")
    assert notebook.evaluated("model") == "{'w': 7}"


def test_a_version_is_dragged_into_an_editor(page: Page, sidebar: Locator, notebook: Notebook) -> None:
    """What is dropped on code becomes the reference, where the pointer is."""
    line = version_line(sidebar, "shelved")

    drag(page, line, page.locator(".jp-Notebook .jp-Cell").nth(3).locator(".cm-line"), 200)

    expect(page.locator(".jp-Notebook .jp-Cell").nth(3)).to_contain_text("shelved@1.0.0")
    assert lines_of(page)[2:] == ["first = 1", "second = 2shelved@1.0.0"]
    expect(page.locator(".jp-Notebook .jp-mod-dropTarget")).to_have_count(0)


def test_the_right_button_offers_what_can_be_done_with_a_version(
    page: Page, sidebar: Locator, notebook: Notebook
) -> None:
    """On its line in the sidebar and on the cell that made it; a cell that made none has no such thing."""
    menu = page.locator(".lm-Menu")
    line = version_line(sidebar, "shelved")
    line.click(button="right")
    expect(menu.get_by_text("Show shelved@1.0.0")).to_be_visible()
    menu.get_by_text("Insert code to load it").click()
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(5)
    assert 'model = nbreg.load("shelved@1.0.0")' in "".join(lines_of(page))  # as it is dragged, too

    pinned = Registry(notebook.lab.folder / ".nbreg").pin("shelved@1")
    box = sidebar.get_by_role("searchbox")
    for item, copied in (
        ("Copy its reference", "shelved@1.0.0"),
        ("Copy the reference that never moves", pinned),
    ):
        line.click(button="right")
        menu.get_by_text(item, exact=True).click()
        expect(page.get_by_text(f"Copied: {copied}")).to_be_visible()
        box.focus()
        page.keyboard.press("Control+v")
        expect(box).to_have_value(copied)
        box.fill("")

    cells = page.locator(".jp-Notebook .jp-Cell")
    cells.nth(0).locator(".jp-InputPrompt").click(button="right")
    expect(menu.first).to_be_visible()
    expect(menu.get_by_text("Show shelved@1.0.0")).to_have_count(0)
    page.keyboard.press("Escape")
    cells.nth(1).locator(".jp-InputPrompt").click(button="right")
    menu.get_by_text("Show shelved@1.0.0").click()
    expect(sidebar.get_by_role("heading", level=2)).to_contain_text("shelved 1.0.0")


def test_what_cannot_be_done_is_told(page: Page, sidebar: Locator, notebook: Notebook) -> None:
    """A command that does nothing and says nothing is tried three times: the page says why, and what next."""
    notebook.command("nbreg:copy-reference", ref="shelved@99")
    expect(page.get_by_text("has no version 99")).to_be_visible()
    notebook.command("nbreg:insert-load", ref="nobody@1")
    expect(page.get_by_text("no model named 'nobody'")).to_be_visible()
    notebook.command("nbreg:show-version", ref="shelved@1", registry="0" * 32)
    expect(page.get_by_text("it is in another registry, and none that this server opens")).to_be_visible()
    assert len(lines_of(page)) == 4

    page.evaluate("() => { window.jupyterapp.shell.currentWidget.dispose() }")
    page.keyboard.press("Control+Alt+v")
    expect(page.get_by_text("no notebook is open")).to_be_visible()
    notebook.open()


def test_the_sidebar_is_found_in_the_menu_in_the_palette_and_by_keys(page: Page, sidebar: Locator) -> None:
    """Nobody has to know of an icon; each way leads to the list, ready to be searched."""
    box = sidebar.get_by_role("searchbox")
    away = "() => { window.jupyterapp.shell.collapseLeft(); document.activeElement.blur() }"
    page.evaluate(away)
    expect(box).not_to_be_visible()
    page.keyboard.press("Control+Alt+m")
    expect(box).to_be_focused()

    page.evaluate(away)
    page.get_by_role("menuitem", name="View", exact=True).click()
    page.locator("#jp-mainmenu-view .lm-Menu-item[data-type=submenu]", has_text="Models (nbreg)").hover()
    page.get_by_role("menuitem", name="Search models and versions").click()
    expect(box).to_be_focused()

    page.evaluate(away)
    page.evaluate(
        "() => window.jupyterapp.commands.execute('apputils:activate-command-palette').then(() => null)"
    )
    page.locator(".lm-CommandPalette input").fill("nbreg")  # which is the name that people know
    found = page.locator(".lm-CommandPalette-item", has_text="Search models and versions")
    expect(found).to_be_visible()
    found.click()
    expect(box).to_be_focused()


def test_badges_are_switched_off_and_on(page: Page, sidebar: Locator, notebook: Notebook) -> None:
    """The command and the setting are one: what is chosen is what the settings editor shows, and is kept."""
    badge = page.locator(".jp-nbreg-Badge")
    expect(badge).to_be_visible()
    notebook.command("nbreg:toggle-badges")
    expect(badge).to_have_count(0)
    assert '"badges": false' in kept(page)
    assert page.evaluate("() => window.jupyterapp.commands.isToggled('nbreg:toggle-badges')") is False

    notebook.command("nbreg:toggle-badges")
    expect(badge).to_be_visible()
    assert '"badges": false' not in kept(page)


def kept(page: Page, settings: dict[str, Any] | None = None) -> str:
    """The settings that the user chose, as the server keeps them; or other ones from now on."""
    found: str = page.evaluate(
        """async given => {
          const {settings} = window.jupyterapp.serviceManager;
          if (given) await settings.save('nbreg:plugin', JSON.stringify(given));
          return (await settings.fetch('nbreg:plugin')).raw;
        }""",
        settings,
    )
    return found


def test_lists_are_sorted_and_show_the_metric_that_somebody_prefers(
    page: Page, lab: Lab, shelf: Registry, another_page: Callable[[], Page]
) -> None:
    """The best first, by what counts here; a model that knows no such metric is listed all the same."""
    for auc, loss in ((0.9, 0.3), (0.99, 0.2), (0.95, 0.1)):
        shelf.register("preferred", {"auc": auc}, metrics={"auc": auc, "loss": loss})
    shelf.register("without", {"w": 1})
    kept(page, {"metric": "loss", "sort": "-metrics.auc"})
    try:
        other = another_page()
        load(lab, other)
        other.evaluate("() => window.jupyterapp.commands.execute('nbreg:open').then(() => null)")
        panel = other.locator("#nbreg-panel")
        expect(version_line(panel, "preferred")).to_contain_text("1.1.0")
        names = panel.get_by_role("list", name="Versions of preferred").locator("button")
        expect(names).to_contain_text(["1.1.0", "1.2.0", "1.0.0"])
        expect(names).to_contain_text(["0.2", "0.1", "0.3"])
        expect(panel.get_by_role("img", name="loss over 3 versions, now 0.1")).to_be_visible()
        expect(version_line(panel, "without")).to_contain_text("1.0.0")
    finally:
        kept(page, {})


@pytest.mark.parametrize("typed", ['nbreg.load("shel', "%load_model shel"])
def test_tab_writes_a_reference(page: Page, sidebar: Locator, notebook: Notebook, typed: str) -> None:
    """In code and on the line of a magic, from the registry that the kernel would ask."""
    notebook.command("notebook:insert-cell-below")
    notebook.command("notebook:enter-edit-mode")
    editor = page.locator(".jp-Notebook .jp-mod-active .cm-content")
    page.keyboard.type(f"import nbreg\n{typed}" if typed.startswith("nbreg") else typed)
    page.keyboard.press("Tab")
    offered = page.locator(".jp-Completer:visible")
    expect(offered).to_contain_text("shelved@", timeout=30_000)
    page.keyboard.press("Enter")
    expect(editor).to_contain_text(f"{typed}ved@")

    page.keyboard.type("1.")
    page.keyboard.press("Tab")
    expect(offered).to_contain_text("shelved@1.0.0", timeout=30_000)
    page.keyboard.press("Enter")
    expect(editor).to_contain_text(f"{typed}ved@1.0.0")
