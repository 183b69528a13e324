"""What a person does in the sidebar beyond looking: each story is clicked through in a real JupyterLab, without a kernel.

Someone overrules a gate in an incident and says why, moves an alias that is protected, ties a ticket to a version,
records where it is at work, writes down whose a model is, reads the curve of a run that goes on, and finds who was
trained on some data. What is in the registry afterwards is what was said on the screen.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from lab import Lab, Notebook
from playwright.sync_api import Locator, Page, expect
from sidebar import EVIL, add_axe, axe_finds, version_of

import nbreg
from nbreg import Registry


def part(panel: Locator, title: str) -> Locator:
    """A section of the page, opened."""
    section = panel.locator("details").filter(
        has=panel.page.locator("summary", has_text=re.compile(f"^{title}"))
    )
    if section.get_attribute("open") is None:
        section.locator("summary").click()
    return section


def model_of(page: Page, ref: str) -> Locator:
    """The page of a version's model, by way of the version."""
    panel = version_of(page, ref)
    panel.get_by_role("heading", level=2).get_by_role("button").click()
    expect(panel.locator("summary", has_text="Audit")).to_be_visible()
    return panel


def listed(panel: Locator, name: str) -> Locator:
    """One of the lists at the top."""
    panel.get_by_role("navigation").get_by_role("button", name=name, exact=True).click()
    return panel


def test_a_gate_is_passed_over_with_a_reason(page: Page, sidebar: Locator, shelf: Registry) -> None:
    """In an incident it has to go; what was passed over, by whom and why stands in the journal for good."""
    shelf.register("urgent", {"w": 1}, metrics={"auc": 0.8})
    shelf.require("urgent", "production", "metrics.auc > 0.9", "approved(1)")
    panel = version_of(page, "urgent@1")
    panel.get_by_role("button", name="→ production").click()
    form = panel.get_by_role("form")
    expect(form).to_contain_text("production requires metrics.auc > 0.9, approved(1)")

    form.get_by_role("button", name="Promote", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("metrics.auc is 0.8")
    form.get_by_role("button", name="All the same…").click()
    expect(form.get_by_role("note")).to_contain_text("These gates are passed over")
    expect(form.get_by_role("button", name="Promote all the same")).to_be_disabled()
    assert shelf.get("urgent@1").stage == "none"

    expect(form.get_by_label("Reason")).to_be_focused()
    form.get_by_label("Reason").fill("Incident")
    form.get_by_role("button", name="Promote all the same").click()

    expect(panel.get_by_role("form")).to_have_count(0)
    event = shelf.events("urgent")[0]
    assert (shelf.get("urgent@production").number, event.reason) == (1, "Incident")
    assert event.facts["forced"] == ["metrics.auc > 0.9", "approved(1)"]


def test_a_protected_alias_is_marked_and_moved_by_force(
    page: Page, sidebar: Locator, shelf: Registry
) -> None:
    """Whoever moves what a service loads by name is told before, by the words of whoever protected it."""
    for weight in (1, 2):
        shelf.register("named", {"w": weight})
    shelf.set_alias("named@1", "live")
    panel = model_of(page, "named@1")
    panel.get_by_role("button", name="Protect live…").click()
    panel.get_by_label("Reason").fill("Scoring")
    panel.get_by_role("form").get_by_role("button", name="Protect").click()
    expect(panel.get_by_role("list", name="Aliases of named")).to_contain_text("Scoring")
    assert shelf.protected("named")["live"].reason == "Scoring"

    panel = version_of(page, "named@2")
    panel.get_by_role("button", name="Add alias").click()
    form = panel.get_by_role("form")
    form.get_by_label("Alias", exact=True).fill("live")
    expect(form.get_by_role("note")).to_contain_text("live is protected")
    expect(form.get_by_role("note")).to_contain_text("Scoring")
    form.get_by_label("Reason").fill("Fix")
    form.get_by_role("button", name="Set all the same").click()

    expect(panel.get_by_role("img", name="protected")).to_be_visible()
    assert shelf.aliases("named") == {"live": 2}
    assert shelf.events("named")[0].facts["forced"] is True


def test_a_ticket_is_tied_to_a_version(page: Page, sidebar: Locator, shelf: Registry) -> None:
    """It opens in another tab that learns nothing of this one; and it can be taken away again."""
    shelf.register("tied", {"w": 1})
    panel = version_of(page, "tied@1")
    links = part(panel, "Links")
    links.get_by_role("button", name="Add a link…").click()
    links.get_by_label("Address").fill("https://tickets.example/4711")
    links.get_by_label("Title").fill("False alarms")
    links.get_by_role("button", name="Add", exact=True).click()

    anchor = panel.get_by_role("link", name="False alarms")
    expect(anchor).to_have_attribute("href", "https://tickets.example/4711")
    expect(anchor).to_have_attribute("rel", "noopener noreferrer")
    assert [each.kind for each in shelf.get("tied@1").links] == ["ticket"]

    panel.get_by_role("button", name="Take the link False alarms away").click()
    panel.get_by_role("form").get_by_role("button", name="Take away").click()
    expect(anchor).to_have_count(0)
    assert shelf.get("tied@1").links == []


def test_where_a_model_is_at_work_is_recorded(page: Page, sidebar: Locator, shelf: Registry) -> None:
    """Of a version, of its model and of all models; what took another one's place says so."""
    for weight in (1, 2):
        shelf.register("working", {"w": weight})
    shelf.deploy("working@1", "prod-eu")
    panel = version_of(page, "working@2")
    work = part(panel, "At work")
    work.get_by_role("button", name="Record where it is at work…").click()
    work.get_by_label("Where").fill("prod-eu")
    work.get_by_label("Address").fill("https://eu.example/score")
    work.get_by_role("button", name="Record", exact=True).click()
    expect(work.get_by_role("list", name="At work")).to_contain_text("prod-eu")
    assert [(each.number, each.url) for each in shelf.deployments("working")] == [
        (2, "https://eu.example/score")
    ]

    panel = model_of(page, "working@2")
    work = part(panel, "At work")
    work.get_by_label("with those that ended").check()
    expect(work).to_contain_text("replaced by #2")
    while panel.get_by_role("button", name="← Back").count():
        panel.get_by_role("button", name="← Back").click()
    listed(panel, "Registry")
    panel.get_by_role("button", name="End: working@2 at prod-eu…").click()
    panel.get_by_role("form").get_by_role("button", name="End", exact=True).click()
    expect(panel.get_by_role("button", name="End: working@2 at prod-eu…")).to_have_count(0)
    assert shelf.deployments("working") == []


def test_a_model_has_a_page_of_its_own(page: Page, sidebar: Locator, shelf: Registry, tmp_path: Path) -> None:
    """Whose it is, what it is for, what it has to pass, and the page for whoever has to check it."""
    shelf.register("owned", {"w": 1}, metrics={"auc": 0.9})
    sidebar.get_by_role("button", name="owned").click()
    # Models that a story before this one opened have such a line, too.
    opened = sidebar.locator(".jp-nbreg-Model", has_text="owned").locator("xpath=following-sibling::*")
    opened.get_by_role("button", name="About this model").click()
    panel = sidebar
    panel.get_by_role("button", name="Edit").click()
    panel.get_by_label("What it is for").fill("Who leaves next month.")
    panel.get_by_label("Owners").fill("ada, grace")
    panel.get_by_label("Reason").fill("Handover")
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_role("form")).to_have_count(0)  # the text stands in its field, too
    expect(panel.get_by_role("article")).to_contain_text("Who leaves next month.")
    about = shelf.about("owned")
    assert (about.owners, about.description) == (["ada", "grace"], "Who leaves next month.")

    gates = part(panel, "Gates")
    gates.get_by_role("button", name="Require a gate…").click()
    gates.get_by_role("textbox", name="Gates").fill("metrics.auc >")
    gates.get_by_role("button", name="Require", exact=True).click()
    expect(gates.get_by_role("alert")).to_be_visible()  # and what was typed is still there
    gates.get_by_role("textbox", name="Gates").fill("metrics.auc > 0.5")
    gates.get_by_role("button", name="Require", exact=True).click()
    expect(gates.get_by_role("list", name="Gates")).to_contain_text("metrics.auc > 0.5")
    assert [each.gate for each in shelf.gates("owned", "production")] == ["metrics.auc > 0.5"]

    audit = part(panel, "Audit")
    with page.expect_download() as download:
        audit.get_by_role("link", name="Download as HTML").click()
    download.value.save_as(tmp_path / "audit.html")
    assert "Who leaves next month." in (tmp_path / "audit.html").read_text()


def test_the_curve_of_a_run_is_read_step_by_step(page: Page, sidebar: Locator, shelf: Registry) -> None:
    """A training is looked at while it goes on, and the keyboard is enough for it."""
    with shelf.start_run("descent", experiment="curves", params={"lr": 0.1}) as run:
        for step in range(3):
            run.log_metric("loss", 1 / (step + 1), step)
        listed(sidebar, "Runs")
        box = sidebar.get_by_role("searchbox")
        box.fill("descen")
        line = sidebar.get_by_role("list", name="Runs").get_by_role("button", name="descent")
        expect(line.get_by_role("img", name="running")).to_be_visible()
        line.click()
        expect(sidebar.get_by_role("img", name="loss over 3 steps, from 1 to 0.3333")).to_be_visible()
        run.log_metric("loss", 0.25, 3)
        expect(sidebar.get_by_role("img", name="loss over 4 steps, from 1 to 0.25")).to_be_visible()
    expect(sidebar.get_by_role("article")).to_contain_text("finished")

    slider = sidebar.get_by_role("slider", name="Step of loss")
    slider.focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    expect(sidebar.locator("output")).to_have_text("step 1: 0.5")

    sidebar.get_by_role("button", name="← Back").click()
    box.fill("metrics.loss < 0.1 and 'curves' in experiment")
    expect(sidebar).to_contain_text("No run is like that.")
    box.fill("")


def test_data_leads_to_those_who_used_it(page: Page, sidebar: Locator, shelf: Registry) -> None:
    """A column was wrong for a week: which models saw it?"""
    shelf.register("fed", {"w": 1}, data={"train": nbreg.Dataset("patients", np.arange(6.0))})
    shelf.register("fed", {"w": 2}, data={"train": nbreg.Dataset("patients", np.arange(8.0))})
    listed(sidebar, "Data")
    sidebar.get_by_role("button", name="patients").click()
    used = sidebar.get_by_role("list", name="Versions that used it")
    expect(used.get_by_role("listitem")).to_have_count(1)
    sidebar.get_by_role("button", name="@1", exact=True).click()
    expect(used).to_contain_text("fed 1.0.0")

    used.get_by_role("button").click()
    lineage = part(sidebar, "Lineage")
    expect(lineage).to_contain_text("trained on")
    lineage.get_by_role("button", name="patients@1").click()
    expect(used).to_contain_text("fed 1.0.0")


def test_what_a_kernel_trained_and_nobody_registered_is_listed(
    page: Page, sidebar: Locator, lab: Lab, tmp_path: Path
) -> None:
    """The good model of an hour ago is not lost: here is the line that registers it."""
    notebook = Notebook(
        lab,
        page,
        f"{tmp_path.name}.ipynb",
        [
            "%load_ext nbreg\nfrom sklearn.linear_model import Ridge",
            "forgotten = Ridge(alpha=0.5).fit([[0.0], [1.0]], [0.0, 1.0])",
        ],
    )
    notebook.write()
    notebook.open()
    notebook.run()
    listed(sidebar, "Drafts")
    draft = sidebar.get_by_role("list", name="Drafts").get_by_role("listitem").filter(has_text="forgotten")
    expect(draft).to_contain_text("Ridge")
    expect(draft).to_contain_text(re.compile(r"%register_model NAME --draft \d+"))
    notebook.close()


def test_a_version_is_copied_moved_and_taken_along(
    page: Page, sidebar: Locator, shelf: Registry, tmp_path: Path
) -> None:
    """And whoever moved it stands before it where it is now."""
    shelf.register("moving", {"w": 1}, message="the one")
    panel = version_of(page, "moving@1")
    panel.get_by_role("button", name="More").click()
    with page.expect_download() as download:
        panel.get_by_role("link", name="Download as files").click()
    download.value.save_as(tmp_path / "files.zip")
    with zipfile.ZipFile(tmp_path / "files.zip") as files:
        assert any(name.endswith("version.json") for name in files.namelist())

    panel.get_by_role("button", name="Copy", exact=True).click()
    panel.get_by_label("Name, if not").fill("twin")
    panel.get_by_role("form").get_by_role("button", name="Copy").click()
    expect(panel.get_by_role("form")).to_have_count(0)
    assert shelf.get("moving@twin").id == shelf.get("moving@1").id

    panel.get_by_role("button", name="Move to another model").click()
    panel.get_by_label("Model", exact=True).fill("moved/away")
    panel.get_by_role("form").get_by_role("button", name="Move").click()
    expect(panel.get_by_role("heading", level=2)).to_contain_text("moved/away")
    assert shelf.get("moved/away@1").message == "the one"


def test_the_registry_is_checked_when_somebody_asks(sidebar: Locator, shelf: Registry) -> None:
    """And says that all is as it was written, and what takes up how much."""
    shelf.register("checked", {"w": 1})
    listed(sidebar, "Registry")
    check = part(sidebar, "Is all well")
    check.get_by_role("button", name="Check it now").click()
    expect(check.get_by_role("status")).to_contain_text("All is as it was written.", timeout=60_000)
    room = part(sidebar, "Room on disk")
    room.get_by_role("button", name="checked").click()
    expect(sidebar.get_by_role("heading", level=2)).to_have_text("checked")


def test_what_somebody_wrote_is_text_in_every_place(
    page: Page, sidebar: Locator, shelf: Registry, errors: list[str]
) -> None:
    """Links, places, owners, gates, runs, data: all are other people's words, and run nothing here."""
    shelf.register(
        "evil",
        {"w": 1},
        content={EVIL: {EVIL: EVIL}},
        data={"train": nbreg.Dataset("evil-data", np.arange(3.0), origin=EVIL)},
    )
    shelf.get("evil@1").link("javascript:window.hacked=1", title="press me")
    shelf.get("evil@1").link(EVIL, title=EVIL)
    shelf.deploy("evil@1", EVIL[:60], message=EVIL, reason=EVIL)
    shelf.update_model("evil", owners=[EVIL], description=EVIL, readme=EVIL)
    shelf.set_alias("evil@1", "guard")
    shelf.protect("evil", "guard", reason=EVIL)
    with shelf.start_run(EVIL, experiment=EVIL, params={EVIL: EVIL}) as run:
        for step in range(2):
            run.log_metric("loss", step, step)
    panel = version_of(page, "evil@1")
    for title in ("Links", "At work", "Lineage", "Content"):
        part(panel, title)
    expect(panel.get_by_role("list", name="Links")).to_contain_text(EVIL)
    assert panel.get_by_role("link", name="press me").count() == 0
    expect(part(panel, "Lineage")).to_contain_text("press me")
    panel = model_of(page, "evil@1")
    for title in ("Readme", "At work"):
        expect(part(panel, title)).to_contain_text(EVIL[:60])
    expect(part(panel, "Aliases")).to_contain_text(EVIL)
    while panel.get_by_role("button", name="← Back").count():
        panel.get_by_role("button", name="← Back").click()
    listed(panel, "Runs")
    panel.get_by_role("list", name="Runs").get_by_role("button", name="<img").first.click()
    expect(panel.get_by_role("article")).to_contain_text(EVIL)
    panel.get_by_role("button", name="← Back").click()
    listed(panel, "Data")
    panel.get_by_role("button", name="evil-data").click()
    expect(panel.get_by_role("article")).to_contain_text(EVIL)

    assert page.evaluate("() => window.hacked") is None
    assert panel.locator("img").count() == 0
    assert errors == []


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_every_place_can_be_read_and_reached(
    page: Page, sidebar: Locator, shelf: Registry, theme: str
) -> None:
    """axe finds nothing wrong with forms, curves, tables and lists, in any theme."""
    model = f"placed-{theme.split()[-1].lower()}"
    shelf.register(
        model,
        {"w": 1},
        metrics={"auc": 0.8},
        content={"a": 1},
        data={"train": nbreg.Dataset(f"d-{model}", np.arange(3.0))},
    )
    shelf.require(model, "production", "metrics.auc > 0.9")
    shelf.get(f"{model}@1").link("https://tickets.example/1", title="one")
    shelf.deploy(f"{model}@1", "prod", url="https://prod.example")
    shelf.set_alias(f"{model}@1", "live")
    shelf.protect(model, "live", reason="Serving")
    shelf.set_split(model, {"live": 1.0})
    with shelf.start_run(f"run-{model}", params={"a": 1}) as run:
        for step in range(3):
            run.log_metrics({"loss": step, "auc": step}, step)
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme}).then(() => null)",
        theme,
    )
    add_axe(page)
    panel = version_of(page, f"{model}@1")
    for title in ("Links", "At work", "Lineage", "Content"):
        part(panel, title)
    panel.get_by_role("button", name="More").click()
    found = axe_finds(page)
    panel.get_by_role("button", name="→ production").click()
    panel.get_by_role("form").get_by_role("button", name="Promote", exact=True).click()
    panel.get_by_role("button", name="All the same…").click()
    panel.get_by_label("Reason").fill("Incident")
    found |= axe_finds(page)
    panel.get_by_role("button", name="Edit").click()
    found |= axe_finds(page)
    panel = model_of(page, f"{model}@1")
    for title in ("Gates", "Traffic", "At work", "Audit"):
        part(panel, title)
    panel.get_by_role("button", name="Require a gate…").click()
    found |= axe_finds(page)
    while panel.get_by_role("button", name="← Back").count():
        panel.get_by_role("button", name="← Back").click()
    for name in ("Runs", "Data", "Drafts", "Registry"):
        listed(panel, name)
        found |= axe_finds(page)
    for title in ("Room on disk", "Gates of all models"):
        part(panel, title)
    found |= axe_finds(page)
    listed(panel, "Runs").get_by_role("button", name=f"run-{model}").click()
    expect(panel.get_by_role("slider")).to_be_visible()
    found |= axe_finds(page)
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme}).then(() => null)",
        "JupyterLab Light",
    )

    assert found == set()
