"""The sidebar as people use it, in a real JupyterLab over a real server: no kernel runs in most of these.

Someone opens the models beside a notebook and sees what colleagues register as they register it. A version
opens with all that was captured; a stage is one click, a reason and another click away, after the form has
said what that will do. Of two people who do it at once, the second one is told what the first one did.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab, Notebook, load
from playwright.sync_api import Locator, Page, expect
from sidebar import EVIL, add_axe, axe_finds, shown, version_of

from nbreg import Registry
from nbreg.display import VERSION_MIME

PICTURES = os.environ.get("NBREG_PICTURES")
"""A folder for pictures, for whoever changes how it looks; tests have an environment of their own."""


def test_a_version_appears_as_a_process_registers_it(sidebar: Locator, shelf: Registry) -> None:
    """Nobody presses anything: what a job registers at night is there when somebody looks."""
    shelf.register("nightly", {"w": 1}, metrics={"auc": 0.91})
    model = sidebar.get_by_role("button", name="nightly")
    expect(model).to_contain_text("1.0.0")

    model.click()
    shelf.register("nightly", {"w": 2}, metrics={"auc": 0.95})
    shelf.promote("nightly@2", "production")

    line = sidebar.get_by_role("list", name="Versions of nightly").get_by_role("listitem").first
    expect(line).to_contain_text("1.1.0")
    expect(line).to_contain_text("production")
    expect(sidebar.get_by_role("img", name="auc over 2 versions, now 0.95")).to_be_visible()


def test_a_version_is_promoted_from_the_sidebar(page: Page, sidebar: Locator, shelf: Registry) -> None:
    """What it will do is said before; who did it and why is in the journal after."""
    for weight in (1, 2):
        shelf.register("moved", {"w": weight})
    shelf.promote("moved@1", "production")
    panel = version_of(page, "moved@2")

    panel.get_by_role("button", name="Promote: 1.1.0: none → production").click()
    expect(panel.get_by_role("form")).to_contain_text("1.1.0: none → production1.0.0: production → archived")
    assert shelf.get("moved@2").stage == "none"  # nothing is done by looking

    panel.get_by_label("Reason").fill("ABTestWon")
    panel.get_by_label("Message").fill("lift 3 %")
    panel.get_by_role("button", name="Promote", exact=True).click()

    expect(panel.get_by_role("form")).to_have_count(0)
    expect(panel.get_by_role("article")).to_contain_text("production")
    expect(panel.get_by_role("button", name="Roll back: 1.0.0: archived → production")).to_be_visible()
    event = shelf.events("moved")[0]
    assert (event.kind, event.reason, event.message) == ("promoted", "ABTestWon", "lift 3 %")
    assert shelf.get("moved@1").stage == "archived"


def test_two_people_act_at_once_and_the_second_is_told(
    page: Page, sidebar: Locator, shelf: Registry, another_page: Callable[[], Page], lab: Lab
) -> None:
    """The second click does not undo the first one unseen, and nothing that was typed is lost."""
    for weight in (1, 2):
        shelf.register("contested", {"w": weight})
    other = another_page()
    load(lab, other)
    shown(other)
    other.route("**/nbreg/poll?**", lambda route: route.abort())  # its news comes too late
    try:
        for window, version in ((page, "2"), (other, "1")):
            panel = version_of(window, f"contested@{version}")
            panel.get_by_role("button", name="→ production").click()
            panel.get_by_label("Reason").fill(f"Of{version}")

        page.locator("#nbreg-panel").get_by_role("button", name="Promote", exact=True).click()
        expect(page.locator("#nbreg-panel").get_by_role("form")).to_have_count(0)
        second = other.locator("#nbreg-panel")
        second.get_by_role("button", name="Promote", exact=True).click()

        refusal = second.get_by_role("alert")
        expect(refusal).to_contain_text("Nothing was changed: somebody was here first.")
        expect(refusal).to_contain_text("production of contested is held by 1.1.0 by now, not by nobody")
        expect(second.get_by_label("Reason")).to_have_value("Of1")
        expect(second.get_by_role("form")).to_contain_text("1.1.0: production → archived")
        assert shelf.get("contested@production").number == 2

        second.get_by_role("button", name="Promote", exact=True).click()  # now knowing what it does
        expect(second.get_by_role("form")).to_have_count(0)
        assert shelf.get("contested@production").number == 1
    finally:
        other.close()


def test_what_somebody_wrote_is_text(
    page: Page, sidebar: Locator, shelf: Registry, errors: list[str]
) -> None:
    """A registry is other people's words: names, messages, tags and metrics run nothing in my browser."""
    shelf.register("hostile", {"w": 1}, message=EVIL, description=EVIL, tags=[EVIL], metrics={EVIL: 1.0})
    shelf.promote("hostile@1", "staging", reason=EVIL, message=EVIL)
    panel = version_of(page, "hostile@1")
    for title in ("Params", "Artifacts", "Environment", "Source", "Events"):
        section = panel.locator("summary", has_text=title)
        if section.count():
            section.first.click()

    expect(panel.get_by_role("list", name="Events")).to_contain_text(EVIL)
    expect(panel.get_by_role("article")).to_contain_text(EVIL)
    panel.get_by_role("button", name="What happened").click()
    expect(panel.get_by_role("list", name="Events")).to_contain_text(EVIL)
    assert page.evaluate("() => window.hacked") is None
    assert panel.locator("img[src=x]").count() == 0
    assert errors == []


def test_a_query_chooses_and_a_wrong_one_is_explained(sidebar: Locator, shelf: Registry) -> None:
    """The search box speaks the language of `registry.search`, and says where it does not understand."""
    for auc in (0.5, 0.99):
        shelf.register("asked", {"w": auc}, metrics={"auc": auc}, tags=["asked"])
    box = sidebar.get_by_role("searchbox")

    box.fill('metrics.auc > 0.9 and "asked" in tags')
    found = sidebar.get_by_role("list", name="Versions found").get_by_role("listitem")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("asked 1.1.0")

    box.fill("metrics.auc >")
    expect(sidebar.get_by_role("alert")).to_be_visible()

    box.fill("aske")
    expect(sidebar.get_by_role("button", name="asked")).to_be_visible()


def test_a_deleted_version_comes_back(page: Page, sidebar: Locator, shelf: Registry) -> None:
    """Deleting asks why; what is hidden can be found and restored from here."""
    shelf.register("hidden", {"w": 1})
    panel = version_of(page, "hidden@1")
    panel.get_by_role("button", name="More").click()
    panel.get_by_role("button", name="Delete").click()
    panel.get_by_label("Reason").fill("TrainedOnTest")
    panel.get_by_role("form").get_by_role("button", name="Delete").click()
    expect(panel.get_by_role("button", name="Restore")).to_be_visible()
    assert shelf.versions("hidden") == []

    panel.get_by_role("button", name="Restore").click()
    panel.get_by_role("form").get_by_role("button", name="Restore").click()

    expect(panel.get_by_role("form")).to_have_count(0)
    expect(panel.get_by_role("button", name="Edit")).to_be_visible()
    assert [each.number for each in shelf.versions("hidden")] == [1]


def test_a_saved_card_is_drawn_without_kernel_or_trust(page: Page, lab: Lab, tmp_path: Path) -> None:
    """A notebook from somebody else shows its versions as they were, and still runs nothing."""
    plain = f"churn 1.0.0 (#1) · not proven yet\n  message  {EVIL}"
    data = {
        VERSION_MIME: {"model": "churn", "number": 1, "name": "1.0.0", "message": EVIL},
        "text/html": "<div>the HTML twin</div>",
        "text/plain": plain,
    }
    output = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}
    cell = {"cell_type": "code", "id": "a", "source": "v", "metadata": {}, "outputs": [output]}
    name = f"{tmp_path.name}.ipynb"
    text = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell | {"execution_count": 1}]}
    (lab.folder / name).write_text(json.dumps(text))
    page.evaluate(
        "path => { window.jupyterapp.commands.execute('docmanager:open', {path, kernel: {shouldStart: false}}) }",
        name,
    )

    card = page.locator(".jp-nbreg-Card")
    expect(card).to_contain_text("churn 1.0.0 (#1)")
    expect(card).to_contain_text(EVIL)
    expect(page.get_by_text("the HTML twin")).to_have_count(0)
    assert page.evaluate("() => window.hacked") is None
    page.evaluate("() => window.jupyterapp.shell.currentWidget.dispose()")


def test_a_cell_says_what_became_of_its_version_and_code_loads_it(
    page: Page, sidebar: Locator, lab: Lab, shelf: Registry, tmp_path: Path
) -> None:
    """The badge follows what others do; the inserted code gives the version back in this kernel."""
    notebook = Notebook(
        lab,
        page,
        f"{tmp_path.name}.ipynb",
        ["%load_ext nbreg\nweights = {'w': 7}", "%register_model badged weights"],
    )
    notebook.write()
    notebook.open()
    notebook.run()
    badge = page.locator(".jp-nbreg-Badge")
    expect(badge).to_have_text("badged 1.0.0")
    shelf.promote("badged@1", "production")
    expect(badge).to_have_text("badged 1.0.0 · production")

    badge.click()
    panel = page.locator("#nbreg-panel")
    expect(panel.get_by_role("heading", level=2)).to_contain_text("badged 1.0.0")
    panel.get_by_role("button", name="Insert code to load").click()
    expect(panel.get_by_role("status")).to_have_text("Inserted.")
    notebook.command("notebook:run-cell")
    expect(page.locator(".jp-Notebook .jp-Cell").last.locator(".jp-InputPrompt")).to_have_text("[3]:")
    assert notebook.evaluated("model") == "{'w': 7}"
    notebook.close()


def test_a_badge_speaks_of_no_other_registry(
    page: Page, sidebar: Locator, lab: Lab, shelf: Registry, tmp_path: Path
) -> None:
    """Two teams have a first version of the same name: each cell tells of the one that it made, or says that it is elsewhere."""
    apart = Registry(lab.folder / "apart" / ".nbreg")
    shelf.register("common", {"w": 1}, version="1.0.0")
    shelf.promote("common@1", "production")
    other = Notebook(
        lab,
        page,
        f"{tmp_path.name}.ipynb",
        [
            f"%load_ext nbreg\n%use_registry {apart.location}\nweights = {{'w': 2}}",
            "%register_model common weights",
        ],
    )
    other.write()
    other.open()
    other.run()
    badge = page.locator(".jp-nbreg-Badge")

    expect(badge).to_have_text("common 1.0.0 · in another registry")
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/elsewhere.png")
    badge.click()
    expect(page.get_by_text("it is in another registry, and none that this server opens")).to_be_visible()
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(1)
    cell.locator(".jp-InputPrompt").click(button="right")
    page.locator(".lm-Menu").get_by_text("Insert code to load it").click()
    expect(page.get_by_text("is in another registry than the one that is shown")).to_be_visible()
    other.save()
    other.close()

    (lab.folder / "apart" / other.name).write_text(other.path.read_text())
    other.name = f"apart/{other.name}"
    other.open()
    expect(badge).to_have_text("common 1.0.0")  # that folder's own registry has it, in no stage
    other.close()
    other.name = other.path.name  # the other tests are about the folder above
    other.open()
    expect(badge).to_have_text("common 1.0.0 · in another registry")
    other.close()


def test_its_parts_stand_on_one_line(sidebar: Locator) -> None:
    """As narrow as JupyterLab begins with it, nothing of its head is pushed below the rest."""
    parts = sidebar.get_by_role("navigation", name="Parts of the registry").get_by_role("button")
    expect(parts).to_have_text(["Models", "Runs", "Data", "Drafts", "Registry"])

    assert len(set(parts.evaluate_all("all => all.map(each => each.offsetTop)"))) == 1


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_all_of_it_can_be_read_and_reached(page: Page, sidebar: Locator, shelf: Registry, theme: str) -> None:
    """Names for whoever hears the page, contrast for whoever sees it badly: axe finds nothing wrong."""
    model = f"reached-{theme.split()[-1].lower()}"
    for weight in (1, 2):
        shelf.register(model, {"w": weight}, metrics={"auc": 0.9 + weight / 100}, tags=["eu"])
    shelf.promote(f"{model}@1", "production")
    shelf.set_alias(f"{model}@2", f"champion-{model}")
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme}).then(() => null)",
        theme,
    )
    add_axe(page)
    sidebar.get_by_role("button", name=model).click()
    expect(sidebar.get_by_role("list", name=f"Versions of {model}")).to_be_visible()
    found = axe_finds(page)

    panel = version_of(page, f"{model}@2")
    panel.get_by_role("button", name="→ production").click()
    panel.locator("summary", has_text="Environment").click()
    found |= axe_finds(page)
    panel.get_by_role("combobox", name="Compare with").select_option(index=1)
    expect(panel.get_by_role("heading", level=3).first).to_be_visible()
    found |= axe_finds(page)
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme}).then(() => null)",
        "JupyterLab Light",
    )

    assert found == set()
