"""The sidebar over a registry of many models with many versions: it stays small, and is walked through by keys.

Whoever scrolls finds each model in its place, however few of them the page holds at a time; whoever hears the page
is told the place of each and how many there are.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Lab, load
from playwright.sync_api import Locator, Page, expect

from nbreg import Registry

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

MODELS, VERSIONS = 300, 250


@pytest.fixture(scope="module")
def large(lab: Lab, lab_page: Page) -> Iterator[Registry]:
    """A registry of a folder of its own, beside that of the other tests, which the page is at again afterwards."""
    import models

    registry = models.bare(lab.folder / "large" / ".nbreg")
    for i in range(MODELS):
        models.grow(registry, f"model-{i:03}", VERSIONS if i == 1 else 2)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": []}
    (lab.folder / "large" / "notes.ipynb").write_text(json.dumps(notebook))
    yield registry
    load(lab, lab_page)


@pytest.fixture
def sidebar(page: Page, large: Registry) -> Iterator[Locator]:
    """The sidebar beside a notebook of that folder."""
    page.evaluate(
        """async () => {
          const {commands} = window.jupyterapp;
          await commands.execute('nbreg:search');
          await commands.execute('docmanager:open', {path: 'large/notes.ipynb', kernel: {shouldStart: false}});
        }"""
    )
    panel = page.locator("#nbreg-panel")
    expect(panel.get_by_role("list", name="Models")).to_have_count(1)
    scroll(panel, "0")
    expect(panel.get_by_role("button", name="model-000")).to_be_visible()
    yield panel
    page.evaluate("() => window.jupyterapp.shell.currentWidget.dispose()")


def scroll(panel: Locator, to: str) -> None:
    """Scroll at once, as a drag at the bar does."""
    panel.locator(".jp-nbreg-Body").evaluate(f"body => {{ body.scrollTop = {to} }}")


def places(items: Locator) -> list[tuple[int, int]]:
    """What each item says of its place, and of how many there are."""
    said = items.evaluate_all("all => all.map(each => [each.ariaPosInSet, each.ariaSetSize])")
    return [(int(place), int(count)) for place, count in said]


def test_only_what_is_seen_is_in_the_page(sidebar: Locator) -> None:
    """A thousand models are no slower than ten: the page holds a screen of them, wherever it is scrolled to."""
    models = sidebar.get_by_role("list", name="Models").locator("> li")
    most = 90  # a screen is 50 lines, and some lie around it
    assert 0 < models.count() < most
    assert places(models)[0] == (1, MODELS)

    scroll(sidebar, "body.scrollHeight")
    expect(sidebar.get_by_role("button", name=f"model-{MODELS - 1}")).to_be_visible()
    assert models.count() < most
    assert places(models)[-1] == (MODELS, MODELS)

    scroll(sidebar, "0")
    sidebar.get_by_role("button", name="model-001").click()
    versions = sidebar.get_by_role("list", name="Versions of model-001").locator("> li")
    expect(versions.first).to_contain_text(f"1.{VERSIONS - 1}.0")
    assert models.count() + versions.count() < most + 50
    assert places(versions)[0] == (1, VERSIONS)
    scroll(sidebar, f"{VERSIONS * 26}")
    expect(versions.filter(has_text="1.0.0")).to_be_visible()
    assert places(versions)[-1] == (VERSIONS, VERSIONS)
    expect(sidebar.get_by_role("button", name="model-002")).to_be_visible()
    assert models.count() + versions.count() < most + 50

    scroll(sidebar, "0")
    sidebar.get_by_role("button", name="model-001").click()
    expect(versions).to_have_count(0)


def test_keys_lead_through_what_is_not_in_the_page_yet(page: Page, sidebar: Locator) -> None:
    """Arrows go on where the drawn part ends; what has the focus stays, however far somebody scrolls."""
    scroll(sidebar, f"{120 * 28}")  # all that follows is read: a key goes to no line that is still on its way
    expect(sidebar.get_by_role("button", name="model-120")).to_be_visible()
    scroll(sidebar, "0")
    sidebar.get_by_role("button", name="model-000").focus()
    for _ in range(120):
        page.keyboard.press("ArrowDown")
    focused = sidebar.locator("button:focus")
    expect(focused).to_contain_text("model-120")
    expect(focused).to_be_in_viewport()

    scroll(sidebar, "0")
    expect(sidebar.get_by_role("button", name="model-000")).to_be_visible()
    expect(focused).to_contain_text("model-120")
    page.keyboard.press("ArrowUp")
    expect(focused).to_contain_text("model-119")

    page.keyboard.press("ArrowRight")
    expect(sidebar.get_by_role("list", name="Versions of model-119")).to_contain_text("1.1.0")
    page.keyboard.press("ArrowDown")
    expect(focused).to_contain_text("1.1.0")
    page.keyboard.press("ArrowLeft")
    expect(focused).to_contain_text("model-119")
    page.keyboard.press("ArrowLeft")
    expect(focused).to_have_attribute("aria-expanded", "false")


def test_tab_passes_a_long_list_in_one_step(page: Page, sidebar: Locator) -> None:
    """Below three hundred lines there is something, too: from the search a key leads into them, another one behind."""
    sidebar.get_by_role("searchbox").focus()
    page.keyboard.press("ArrowDown")
    focused = sidebar.locator("button:focus")
    expect(focused).to_contain_text("model-000")
    page.keyboard.press("ArrowRight")
    expect(sidebar.get_by_role("list", name="Versions of model-000")).to_contain_text("1.1.0")
    page.keyboard.press("ArrowDown")
    expect(focused).to_contain_text("1.1.0")

    page.keyboard.press("Tab")
    expect(focused).to_have_text("About this model")
    page.keyboard.press("Shift+Tab")
    expect(focused).to_contain_text("1.1.0")
    page.keyboard.press("Shift+Tab")
    expect(sidebar.get_by_role("searchbox")).to_be_focused()
    sidebar.get_by_role("button", name="model-000").click()


def test_a_change_is_seen_where_somebody_is(page: Page, sidebar: Locator, large: Registry) -> None:
    """News comes to the part that is looked at, and moves nothing under the pointer."""
    scroll(sidebar, "body.scrollHeight")
    last = sidebar.get_by_role("button", name=f"model-{MODELS - 1}")
    expect(last).to_be_visible()
    before = last.bounding_box()

    large.promote(f"model-{MODELS - 1}@1", "production")

    expect(last).to_contain_text("production")
    assert last.bounding_box() == before


def test_a_name_is_found_among_many(sidebar: Locator) -> None:
    """Letters choose at once, and a query is read on as it is scrolled."""
    box = sidebar.get_by_role("searchbox")
    box.fill("model-29")
    models = sidebar.get_by_role("list", name="Models").locator("> li")
    expect(models).to_have_count(10)

    box.fill("number == 1")
    found = sidebar.get_by_role("list", name="Versions found").locator("> li")
    expect(found.first).to_contain_text("1.0.0")
    assert {count for _, count in places(found)} == {-1}  # nobody has counted them
    for place in range(101, MODELS + 1, 100):  # each page is read when its first line comes near
        scroll(sidebar, "body.scrollHeight")
        expect(sidebar.locator(f"[aria-posinset='{place}']")).to_contain_text("1.0.0")
    scroll(sidebar, "body.scrollHeight")
    expect(found.last).to_have_attribute("aria-setsize", str(MODELS))
    box.fill("")
    expect(sidebar.get_by_role("button", name="model-000")).to_be_visible()
