"""The panels as people use them, in a real JupyterLab: what is clicked, and what is seen.

Someone shows a model's history and reads down the timeline. One click on a version shows it with the
moves that are allowed; a move says what it will do, asks for a reason, and is made as it was shown or
not at all. Another version beside it, and the two are compared. What colleagues write appears. The
saved notebook shows it all without a kernel.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab import Notebook
from playwright.sync_api import Page, expect

from nbreg import Registry
from nbreg.records import Actor

Open = Callable[..., Notebook]

EVIL = (
    "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>"
    "\"'><svg onload=window.hacked=1>\x1b[31mred\u202egnirts"
)


@pytest.fixture
def grown(registry: Registry) -> Registry:
    """Three versions, the first in production: made by another process than the notebook's kernel."""
    for accuracy in (0.91, 0.95, 0.93):
        registry.register(
            "cancer", {"w": accuracy}, metrics={"accuracy": accuracy}, message=f"take {accuracy}"
        )
    registry.promote("cancer@1.0.0", "production", reason="FirstRelease")
    return registry


def asked(notebook: Notebook, version: str, move: str) -> None:
    """Press a version, and one of the moves that it may make."""
    notebook.button(version).click()
    notebook.panel.locator(f'button[title="{move}"]').click()


def test_a_click_promotes_with_a_reason(grown: Registry, open_notebook: Open) -> None:
    """The move says beforehand what it will do; afterwards the journal tells who, why and what for."""
    notebook = open_notebook("%model_history cancer")
    asked(notebook, "1.1.0", "promote to production")
    expect(notebook.panel.locator(".nbreg-foretold")).to_have_text(
        "1.1.0 (#2) goes from none to production; 1.0.0 (#1) goes to archived"
    )
    assert grown.get("cancer@1.1.0").stage == "none"  # nothing is done by looking

    notebook.panel.get_by_placeholder("reason").fill("ABTestWon")
    notebook.panel.get_by_placeholder("message").fill("lift 3 %")
    notebook.panel.locator("button.mod-primary").click()

    expect(notebook.panel.locator(".nbreg-done")).to_contain_text("1.1.0 (#2): none → production")
    expect(notebook.panel.locator(".nbreg-head").first).to_contain_text("production 1.1.0 (#2)")
    event = grown.events("cancer")[0]
    assert (event.kind, event.reason, event.message) == ("promoted", "ABTestWon", "lift 3 %")
    assert grown.get("cancer@1.0.0").stage == "archived"


def test_a_move_that_no_longer_does_what_was_shown_is_refused(grown: Registry, open_notebook: Open) -> None:
    """A colleague was faster: the panel says so, shows what is there now, and overwrites nothing."""
    notebook = open_notebook("%model_history cancer")
    asked(notebook, "1.1.0", "promote to production")
    expect(notebook.panel.locator(".nbreg-foretold")).to_contain_text("1.0.0 (#1) goes to archived")

    grown.promote("cancer@1.2.0", "production", reason="Hotfix")
    notebook.panel.locator("button.mod-primary").click()

    expect(notebook.panel.locator("[role=alert]").last).to_contain_text(
        "production of cancer is held by 1.2.0 by now, not by 1.0.0"
    )
    assert grown.get("cancer@production").name == "1.2.0"
    assert grown.events("cancer")[0].reason == "Hotfix"

    notebook.panel.locator('button[title="promote to production"]').click()  # and now knowing of it
    expect(notebook.panel.locator(".nbreg-foretold")).to_contain_text("1.2.0 (#3) goes to archived")


def test_production_is_rolled_back_by_keyboard(grown: Registry, open_notebook: Open) -> None:
    """At night, with a hand on the keyboard: preview, Enter, and the version before is back."""
    grown.promote("cancer@1.1.0", "production")
    notebook = open_notebook("%model_history cancer")
    notebook.button("1.1.0").focus()
    notebook.page.keyboard.press("Enter")
    notebook.panel.locator('button[title="roll back production"]').focus()
    notebook.page.keyboard.press("Enter")
    expect(notebook.panel.locator(".nbreg-foretold")).to_have_text(
        "production goes back to 1.0.0 (#1); 1.1.0 (#2) goes to archived"
    )
    notebook.panel.get_by_placeholder("reason").fill("Complaints")
    notebook.page.keyboard.press("Tab")
    notebook.page.keyboard.press("Tab")
    notebook.page.keyboard.press("Enter")

    expect(notebook.panel.locator(".nbreg-done")).to_contain_text("1.0.0 (#1)")
    assert grown.get("cancer@production").name == "1.0.0"
    assert grown.events("cancer")[0].reason == "Complaints"


def test_gates_are_named_refuse_and_are_asked_for(grown: Registry, open_notebook: Open) -> None:
    """What a stage requires stands beside the button; a refusal names the gate, and the others can be asked."""
    grown.require("cancer", "production", "metrics.accuracy > 0.99")
    notebook = open_notebook("%model_history cancer")
    asked(notebook, "1.1.0", "promote to production")
    expect(notebook.panel.locator(".nbreg-gate-failed")).to_contain_text("metrics.accuracy is 0.95")
    notebook.panel.locator("button.mod-primary").click()
    expect(notebook.panel.locator("[role=alert]").last).to_contain_text("metrics.accuracy > 0.99")
    assert grown.get("cancer@production").name == "1.0.0"

    notebook.panel.get_by_placeholder("message").fill("please have a look")
    notebook.button("request it").click()
    expect(notebook.panel.locator(".nbreg-done")).to_contain_text("to production, open")
    assert [each.state for each in grown.requests("cancer")] == ["open"]


def test_a_gate_of_this_kernel_runs_when_asked_and_an_unknown_one_is_explained(
    grown: Registry, open_notebook: Open
) -> None:
    """A function costs time, so it waits for a press; what is required and not known here is never skipped."""
    declared = (
        "import nbreg\nran = []\n@nbreg.gate\ndef latency(new, old, ctx):\n"
        "    ran.append(new.number)\n    return True, {'p99': 12.5}\n"
        "nbreg.Registry().require('cancer', 'production', latency, 'metrics.accuracy > 0.9')"
    )
    notebook = open_notebook(declared, "%model_history cancer")
    asked(notebook, "1.1.0", "promote to production")
    gates = notebook.panel.locator(".nbreg-gates li")
    expect(gates.first).to_contain_text("not run yet")
    expect(gates.last).to_contain_text("passed: metrics.accuracy 0.95")
    assert notebook.evaluated("ran") == "[]"

    notebook.button("run the gates").click()
    expect(gates.first).to_contain_text("passed: p99 12.5")
    assert notebook.evaluated("ran") == "[2]"

    notebook.evaluated(
        "__import__('nbreg.registry.stages.gatefunctions').registry.stages.gatefunctions._declared.clear()"
    )
    notebook.button("cancel").click()
    notebook.panel.locator('button[title="promote to production"]').click()
    expect(gates.first).to_contain_text("cannot be asked here, so the move is refused")
    notebook.panel.locator("button.mod-primary").click()
    expect(notebook.panel.locator("[role=alert]").last).to_contain_text("cannot be asked here")
    assert grown.get("cancer@production").name == "1.0.0"


def test_a_request_is_approved_where_the_version_is_looked_at(grown: Registry, open_notebook: Open) -> None:
    """Four eyes: who asked sees withdraw, who is asked reads what it would do, comments and approves."""
    grown.require("cancer", "production", "approved(1)")
    other = Registry(grown.location, actor=Actor(user="grace"))
    other.request("cancer@2", "production", message=EVIL)
    notebook = open_notebook("import nbreg.panels\nnbreg.panels.Stages('cancer@2')")
    asked_for = notebook.panel.locator(".nbreg-asked")
    expect(asked_for).to_contain_text("asked by grace")
    expect(asked_for).to_contain_text("approved(1) not passed: nobody has so far")
    expect(asked_for).to_contain_text("1.0.0 (#1) goes to archived")
    expect(notebook.button("withdraw")).to_have_count(0)
    assert notebook.panel.locator("script, img").count() == 0

    notebook.panel.get_by_placeholder("comment").fill("looked at the misses")
    notebook.button("approve").click()
    expect(notebook.panel.locator(".nbreg-done")).to_contain_text("promoted")
    expect(asked_for).to_have_count(0)
    event = grown.events("cancer")[0]
    assert (event.kind, event.message) == ("promoted", "looked at the misses")
    expect(notebook.page.locator(".nbreg-twin")).to_contain_text("looked at the misses")


def test_an_approval_while_the_kernel_was_busy_is_of_what_was_shown(
    grown: Registry, open_notebook: Open, tmp_path: Path
) -> None:
    """The press waits for the cell that trains; what a colleague did in the meantime it never agreed to."""
    Registry(grown.location, actor=Actor(user="grace")).request("cancer@2", "production")
    notebook = open_notebook("import nbreg.panels\nnbreg.panels.Stages('cancer@2')")
    expect(notebook.panel.locator(".nbreg-asked")).to_contain_text("1.0.0 (#1) goes to archived")
    go_on = tmp_path / "go on"
    notebook.begin(f"import time\nwhile not __import__('os').path.exists({str(go_on)!r}): time.sleep(.05)")
    grown.promote("cancer@3", "production", reason="Hotfix")
    notebook.button("approve").click()
    go_on.touch()

    expect(notebook.panel.locator("[role=alert]")).to_contain_text("held by 1.2.0 by now, not by 1.0.0")
    expect(notebook.panel.locator(".nbreg-asked")).to_contain_text("1.2.0 (#3) goes to archived")
    assert grown.get("cancer@production").number == 3
    assert [each.approvals for each in grown.requests("cancer")] == [[]]

    notebook.button("approve").click()
    expect(notebook.panel.locator(".nbreg-done")).to_contain_text("promoted")
    assert grown.get("cancer@production").number == 2


def test_two_versions_are_compared_where_they_stand(grown: Registry, open_notebook: Open) -> None:
    """One press shows a version, a second one the difference; the saved notebook keeps it."""
    notebook = open_notebook("import nbreg.panels\nnbreg.panels.History('cancer')")
    notebook.button("1.0.0").click()
    expect(notebook.panel).to_contain_text("FirstRelease")
    notebook.button("1.2.0").click()

    expect(notebook.panel).to_contain_text("cancer@1.0.0 (production) → cancer@1.2.0")
    expect(notebook.panel).to_contain_text("0.91 → 0.93")
    notebook.page.wait_for_timeout(500)
    assert "0.91 → 0.93" in json.dumps(notebook.save()["cells"][-1]["outputs"], ensure_ascii=False)


def test_a_query_filters_and_a_mistake_is_one_line_in_place(grown: Registry, open_notebook: Open) -> None:
    """The same language as everywhere; what cannot be read says where, and changes nothing."""
    notebook = open_notebook("%model_history cancer")
    line = notebook.panel.get_by_placeholder("filter")
    line.fill("metrics.accuracy > 0.94")
    line.press("Enter")
    expect(notebook.panel.locator(".nbreg-row")).to_have_count(1)
    expect(notebook.panel.locator(".nbreg-row")).to_contain_text("take 0.95")

    line.fill("metrics.accuracy >")
    line.press("Enter")
    expect(notebook.panel.locator("[role=alert]")).to_contain_text("the query cannot be read")
    expect(notebook.panel.locator(".nbreg-row")).to_have_count(1)

    line.fill("")
    line.press("Enter")
    expect(notebook.panel.locator("[role=alert]")).to_have_count(0)
    expect(notebook.panel.locator(".nbreg-row")).to_have_count(4)


def test_what_others_write_appears(grown: Registry, open_notebook: Open) -> None:
    """Two people at one registry see the same, without pressing anything; old pages turn as quickly."""
    notebook = open_notebook("%model_history cancer")
    expect(notebook.panel.locator(".nbreg-row")).to_have_count(4)
    for accuracy in range(20):
        grown.register(
            "cancer", {"w": accuracy}, metrics={"accuracy": accuracy / 100}, message=f"batch {accuracy}"
        )
    expect(notebook.panel.locator(".nbreg-row").first).to_contain_text("batch 19")

    notebook.button("older").click()
    expect(notebook.panel.locator(".nbreg-row").first).to_contain_text("batch 7")
    notebook.button("newer").click()
    expect(notebook.panel.locator(".nbreg-row").first).to_contain_text("batch 19")


def test_hostile_text_is_text(registry: Registry, open_notebook: Open, page: Page) -> None:
    """A registry is shared: what a stranger wrote into it must not run in my browser, nor hide."""
    pandas = pytest.importorskip("pandas")
    for value in (1.0, 2.0):
        registry.register(
            "cancer", {"w": value}, metrics={EVIL: value, "b": value}, params={EVIL: EVIL, "p": value},
            tags=[EVIL[:100]], description=EVIL * 8000, message=EVIL, content={EVIL: value},
            data={"train": pandas.DataFrame({EVIL: [value], f"{EVIL}{value}": [value]})},
        )  # fmt: skip
    registry.promote("cancer@latest", "staging", reason=EVIL[:60], message=EVIL)
    notebook = open_notebook("%model_history cancer", "import nbreg.panels\nnbreg.panels.Stages('cancer@1')")
    history = notebook.panel.first
    names = history.locator("button.nbreg-name:visible")
    names.last.click()
    expect(history).to_contain_text("promote to")
    names.first.click()
    expect(history).to_contain_text("metrics")
    line = history.get_by_placeholder("filter")
    line.fill(EVIL)
    line.press("Enter")
    expect(history.locator("[role=alert]")).to_contain_text("the query cannot be read")

    assert "<script>" in history.inner_text()
    assert "\u202e" not in history.inner_text()
    assert history.locator("script, img, svg:not([role=img])").count() == 0
    assert page.evaluate("() => window.hacked") is None


def shown(notebook: Notebook) -> list[str]:
    """The texts of the outputs of the last cell that a reader sees."""
    outputs = notebook.page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-child:visible")
    return [text for text in outputs.all_inner_texts() if text.strip()]


def test_a_saved_notebook_shows_its_last_state_without_a_kernel(grown: Registry, open_notebook: Open) -> None:
    """Reopened tomorrow, on GitHub, in a converted page: the table as it was left, and no broken widget."""
    notebook = open_notebook("%model_history cancer")
    expect(notebook.panel).to_have_count(1)
    assert len(shown(notebook)) == 1  # the panel stands in for its twin
    asked(notebook, "1.2.0", "promote to staging")
    notebook.panel.locator("button.mod-primary").click()
    expect(notebook.panel.locator(".nbreg-done")).to_be_visible()
    notebook.page.wait_for_timeout(500)
    saved = notebook.save()
    outputs: list[dict[str, Any]] = saved["cells"][-1]["outputs"]
    assert [sorted(each["data"]) for each in outputs] == [
        ["application/vnd.jupyter.widget-view+json"],
        ["application/vnd.nbreg.table+json", "text/html", "text/plain"],
    ]
    assert "staging" in "".join(outputs[1]["data"]["text/plain"])
    assert "widgets" not in saved["metadata"]
    assert len(json.dumps(outputs)) < 20_000

    notebook.reopen()

    expect(notebook.page.locator(".nbreg-twin")).to_be_visible()
    texts = shown(notebook)
    assert len(texts) == 1
    assert "staging" in texts[0]
    assert "Error displaying widget" not in texts[0]


def test_a_closed_panel_leaves_its_table(grown: Registry, open_notebook: Open) -> None:
    """Closing is clean: no widget stays in the kernel, and the cell shows what it showed."""
    notebook = open_notebook("%model_history cancer")
    expect(notebook.panel).to_be_visible()
    notebook.button("close").click()

    expect(notebook.panel).to_have_count(0)
    expect(notebook.page.locator(".nbreg-twin")).to_be_visible()
    expect(notebook.page.locator(".nbreg-twin")).to_contain_text("take 0.93")
    assert notebook.evaluated("len(__import__('ipywidgets').Widget.widgets)") == "0"


def test_nothing_is_cut_off_in_a_narrow_window(grown: Registry, open_notebook: Open, page: Page) -> None:
    """Half a laptop's screen is enough for a panel with all that it can show."""
    page.set_viewport_size({"width": 700, "height": 1200})
    notebook = open_notebook("%model_history cancer")
    asked(notebook, "1.1.0", "promote to production")
    expect(notebook.panel.locator(".nbreg-foretold")).to_be_visible()

    assert notebook.panel.evaluate("each => each.scrollWidth <= each.clientWidth")
    box = notebook.panel.bounding_box()
    assert box is not None
    for each in notebook.panel.locator("button:visible, input:visible").all():
        inner = each.bounding_box()
        assert inner is not None
        assert inner["x"] + inner["width"] <= box["x"] + box["width"]
