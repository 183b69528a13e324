"""Where a version comes from and what became of it: a graph for faces, a table for people.

registry.lineage("churn@production")      # or version.lineage(); .nodes, .edges
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import nbreg
from nbreg import Registry
from nbreg.display.lineage import LINEAGE_MIME


@pytest.fixture
def story(registry: Registry) -> Registry:
    """A version with a past and a future, trained in a clone of a project."""
    Path("train.py").write_text("C = 1")
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "As it is"]):
        subprocess.run(["git", *words], check=True)
    X = pd.DataFrame({"age": range(10), "income": range(10)})
    base = registry.register("base", {"weights": 0})
    with nbreg.start_run("logreg", params={"C": 0.5}, registry=registry) as run:
        clf = LogisticRegression(C=0.5).fit(X, [0, 1] * 5)
        data = {"train": nbreg.Dataset("customers", X, origin="s3://lake"), "test": X.head(4)}
        version = registry.register("churn", clf, data=data, parent=base, run=run)
    version.promote("production", reason="Release")
    version.deploy("prod-eu", url="https://churn.example.org")
    version.link("https://jira.example.org/CHURN-12", "ticket", title="<Retrain>")
    registry.register("tuned", {"weights": 1}, parent=version)
    return registry


def test_the_lineage_goes_from_data_to_deployments(story: Registry) -> None:
    """From an alarm in production back to the rows that it was trained on, in one look."""
    lineage = story.lineage("churn@1")
    version = story.get("churn@1")
    me = lineage.of_kind("version")[0]
    before = {(each.kind, each.source.partition(":")[0]) for each in lineage.edges if each.target == me.id}
    after = {(each.kind, each.target.partition(":")[0]) for each in lineage.edges if each.source == me.id}

    assert before >= {
        ("trained-on", "data"),
        ("judged-on", "data"),
        ("features", "features"),
        ("code", "code"),
        ("made-by", "run"),
        ("derived-from", "version"),
    }
    assert after == {
        ("derived-from", "version"),
        ("holds", "stage"),
        ("deployed-at", "deployment"),
        ("linked", "link"),
    }
    assert [each.ref for each in lineage.of_kind("code")] == [version.source.git.commit]
    assert story.run(lineage.of_kind("run")[0].ref).params == story.run(version).params == {"C": 0.5}
    assert [each.label for each in lineage.of_kind("parent")] == ["base@1.0.0"]
    assert [each.label for each in lineage.of_kind("child")] == ["tuned@1.0.0"]
    assert version.lineage() == lineage, "the same each time"


def test_each_node_leads_to_what_it_is(story: Registry) -> None:
    """A face makes a link of it without knowing more."""
    lineage = story.lineage("churn@1")
    for kind in ("version", "parent", "child", "stage"):
        for node in lineage.of_kind(kind):  # type: ignore[arg-type]
            assert story.get(node.ref)
    assert story.run(lineage.of_kind("run")[0].ref).name == "logreg"
    assert story.dataset(lineage.of_kind("data")[0].ref).versions == [story.get("churn@1")]


def test_the_graph_is_whole_and_plain(story: Registry) -> None:
    """No edge leads to what is not there, and it is JSON."""
    lineage = story.lineage("churn@1")
    ids = [each.id for each in lineage.nodes]
    assert len(ids) == len(set(ids))
    assert {end for each in lineage.edges for end in (each.source, each.target)} == set(ids)
    told = lineage._repr_mimebundle_()
    assert told[LINEAGE_MIME]["nodes"] == msgspec.to_builtins(lineage.nodes)
    assert "&lt;Retrain&gt;" in told["text/html"]
    assert "<Retrain>" in told["text/plain"]


def test_what_was_in_production_once_is_told(story: Registry) -> None:
    """History is a part of where it has been."""
    story.register("churn", {"other": 1})
    story.promote("churn@2", "production", reason="Better")
    told = {(each.label, each.note) for each in story.lineage("churn@1").of_kind("stage")}
    assert ("production", "before") in told


def test_a_version_alone_has_a_lineage(registry: Registry, tmp_path: Path) -> None:
    """Nothing known is nothing said."""
    from nbreg.settings import Settings

    quick = Registry(tmp_path / "quick", settings=Settings(capture=False))
    quick.register("churn", 1)
    assert [each.kind for each in quick.lineage("churn@1").nodes if each.kind != "run"] == ["version"]


def test_a_parent_in_another_registry_is_told_by_its_id(registry: Registry, tmp_path: Path) -> None:
    """Where it came from is known, also where it is not here."""
    base = registry.register("base", 0)
    child = registry.register("churn", 1, parent=base)
    there = Registry(tmp_path / "other").import_(registry.export(child, tmp_path / "churn.nbreg"))
    assert [each.label for each in there.lineage().of_kind("parent")] == [f"sha256:{base.id[:12]}"]
