"""Cards, drafts and drift as people use them, in a real JupyterLab.

Someone shows a version and reads what was captured of it, part by part; loads it under a name,
writes it out, and sees the proof come in. Someone else finds the model that was trained and
forgotten, and registers it where it is listed. A third reads what is different here and copies the line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Notebook
from playwright.sync_api import Page, expect

from nbreg import Registry

Open = Callable[..., Notebook]

EVIL = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>\"'\x1b[31mred\u202egnirts"

TRAINED = "from sklearn.tree import DecisionTreeClassifier\nclf = DecisionTreeClassifier(max_depth=2).fit([[0], [1]], [0, 1])"


def test_a_card_unfolds_loads_exports_and_sees_the_proof(
    registry: Registry, open_notebook: Open, tmp_path: Path
) -> None:
    """All that was captured in one place, and what one does next beside it; a taken name is asked about."""
    notebook = open_notebook(TRAINED, "%register_model tree clf --message first", "%model tree@1")
    panel = notebook.panel
    expect(panel).to_contain_text("registered by cell [")
    expect(panel.locator("code.nbreg-ref").first).to_have_text("tree@1.0.0")
    source = panel.locator("pre", has_text="DecisionTreeClassifier(max_depth=2)").first
    expect(source).not_to_be_visible()
    panel.locator("summary", has_text="recipe").click()
    expect(source).to_be_visible()

    panel.get_by_placeholder("name of a variable").fill("clf")
    notebook.button("load as").click()
    expect(panel.locator("[role=alert]")).to_contain_text("there is a clf already")
    notebook.button("load as").click()
    expect(panel.locator(".nbreg-done")).to_contain_text("clf = tree 1.0.0 (#1), a DecisionTreeClassifier")
    target = tmp_path / "out.nbreg"
    panel.locator('input[placeholder="tree-1.0.0.nbreg"]').fill(str(target))
    notebook.button("export to").click()
    expect(panel.locator(".nbreg-done")).to_contain_text("written:")
    assert target.is_file()

    expect(panel).to_contain_text("not proven yet")
    Registry(registry.location).prove("tree@1")
    expect(panel.locator(".nbreg-head + .nbreg-sub").first).to_contain_text("loads, ")
    notebook.page.wait_for_timeout(500)
    assert "loads, " in json.dumps(notebook.save()["cells"][-1]["outputs"])


def test_the_facts_of_a_card_stand_beside_what_they_are_called(
    registry: Registry, open_notebook: Open
) -> None:
    """JupyterLab has columns of its own for lists of terms in outputs: a fifth of the card was left empty."""
    notebook = open_notebook(TRAINED, "%register_model tree clf --message first")
    card = notebook.page.locator(".jp-nbreg-Card")
    expect(card).to_contain_text("first")
    name = card.locator("dt", has_text="message").bounding_box()
    said = card.locator("dd", has_text="first").first.bounding_box()
    assert name is not None
    assert said is not None
    assert name["y"] == said["y"]
    assert said["x"] - name["x"] < 120


def test_a_draft_is_registered_and_another_dropped_in_place(registry: Registry, open_notebook: Open) -> None:
    """What was trained and forgotten is one press away from being a version; dropping asks once more."""
    notebook = open_notebook(TRAINED, f"{TRAINED.replace('=2', '=3')}; other = clf", "%drafts")
    panel = notebook.panel
    expect(panel.locator("table tbody tr")).to_have_count(2)
    notebook.button("register as").click()
    expect(panel.locator("[role=alert]")).to_be_visible()
    panel.get_by_placeholder("name of the model").fill("tree")
    panel.get_by_placeholder("message").fill(EVIL)
    notebook.button("register as").click()
    expect(panel.locator(".nbreg-done")).to_contain_text("tree 1.0.0 (#1) is draft")
    expect(panel.locator("table tbody tr")).to_have_count(1)
    assert registry.get("tree@1").message.startswith("<img")

    notebook.button("drop it").click()
    expect(panel.locator("[role=alert]")).to_contain_text("press again")
    expect(panel.locator("table tbody tr")).to_have_count(1)
    notebook.button("drop it for good").click()
    expect(panel).to_contain_text("no drafts")
    assert registry.drafts() == []


def test_drift_is_ranked_with_the_line_that_brings_it_back(
    registry: Registry, open_notebook: Open, tmp_path: Path
) -> None:
    """What matters most stands first; the line is there to copy, and so is the way without installing."""
    from sklearn.tree import DecisionTreeClassifier

    registry.register("tree", DecisionTreeClassifier().fit([[0], [1]], [0, 1]))
    described = tmp_path / "scikit_learn-0.24.2.dist-info" / "METADATA"
    described.parent.mkdir()
    described.write_text("Metadata-Version: 2.1\nName: scikit-learn\nVersion: 0.24.2\n")
    another = f"import sys; sys.path.insert(0, {str(tmp_path)!r})"  # a kernel with an older release
    notebook = open_notebook(another, "import nbreg.panels\nnbreg.panels.Drift('tree@1')")
    rows = notebook.panel.locator("table tbody tr")
    expect(rows.first).to_contain_text("scikit-learn")
    expect(rows.first).to_contain_text("major")
    expect(notebook.panel).to_contain_text('pip install "scikit-learn==')
    expect(notebook.panel).to_contain_text("its own environment")
    notebook.page.wait_for_timeout(300)
    notebook.evaluated(f"__import__('sys').path.remove({str(tmp_path)!r})")
    notebook.button("look again").click()
    expect(notebook.panel).not_to_contain_text("0.24.2")


def test_hostile_text_in_a_card_is_text(registry: Registry, open_notebook: Open, page: Page) -> None:
    """Names of columns, variables, files and metrics come from strangers as much as messages do."""
    pandas = pytest.importorskip("pandas")
    registry.register(
        "tree", {"w": 1.0}, metrics={EVIL: 1.0}, params={EVIL: EVIL}, message=EVIL, description=EVIL,
        content={EVIL: EVIL}, data={"train": pandas.DataFrame({EVIL: [1.0, 2.0]})},
    )  # fmt: skip
    notebook = open_notebook("import nbreg.panels\nnbreg.panels.Version('tree@1')")
    for each in notebook.panel.locator("summary").all():
        each.click()
    expect(notebook.panel).to_contain_text("<script>")
    assert "\u202e" not in notebook.panel.inner_text()
    assert notebook.panel.locator("script, img").count() == 0
    assert page.evaluate("() => window.hacked") is None


def test_a_lineage_is_walked_through_by_click_and_opens_a_version(
    registry: Registry, open_notebook: Open
) -> None:
    """From the data to where it is at work: a click says what a node stands for, a choice shows the card."""
    for value in (1.0, 2.0):
        registry.register("churn", {"w": value}, message=f"take {value} {EVIL}")
    registry.promote("churn@2", "production")
    registry.deploy("churn@2", "eu-west", url="https://example.org/eu")
    notebook = open_notebook("import nbreg.panels\nnbreg.panels.Lineage('churn')")
    panel = notebook.panel
    expect(panel.locator(".nbreg-is-version")).to_have_count(2)
    panel.locator(".nbreg-is-deployment").click()
    expect(panel.locator(".nbreg-detail:visible")).to_contain_text("https://example.org/eu")
    panel.locator(".nbreg-is-version").first.focus()
    expect(panel.locator(".nbreg-detail:visible")).to_contain_text("take 2.0 <img")
    panel.locator("select").select_option("churn@1.1.0")
    expect(panel.locator(".nbreg-parting")).to_contain_text("take 2.0")
    assert panel.locator("script, img").count() == 0

    registry.deploy("churn@1", "us-east")
    expect(panel.locator(".nbreg-is-deployment")).to_have_count(2)
