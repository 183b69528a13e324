"""Every format that was ever released opens, verifies, lists, resolves and loads."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from nbreg import Registry
from nbreg.errors import UnknownVersionError
from nbreg.records import FORMAT

OLD = Path(__file__).parent / "old"
ENTRIES = sorted(path.name for path in OLD.glob("format-*"))


@pytest.fixture(params=ENTRIES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    """A copy, so that what is kept is never written to."""
    shutil.copytree(OLD / request.param, tmp_path / "old")
    return Registry(tmp_path / "old")


def test_every_format_up_to_this_one_has_an_entry() -> None:
    """A new format brings its own."""
    assert [f"format-{number}" for number in range(1, FORMAT + 1)] == ENTRIES


def test_it_verifies(old: Registry) -> None:
    """Chains, rows, objects and parts."""
    report = old.verify()
    assert report.ok, report.problems
    assert report.versions == 6
    assert report.heads.keys() == {"registry", "churn", "risk/fraud"}
    assert old.purge(older_than=100_000).leftovers == []


def test_it_lists_and_resolves(old: Registry) -> None:
    """What a person asks first."""
    assert [row.name for row in old.models()] == ["churn", "risk/fraud"]
    told = [(v.number, v.name, v.stage) for v in old.versions("churn", deleted=True)]
    assert told == [
        (5, "1.1.0", "none"), (4, "1.2.0", "none"), (3, "rc1", "staging"), (2, None, "archived"),
        (1, "1.0.0", "production"),
    ]  # fmt: skip
    for ref, number in {
        "churn": 5, "churn@1.0.0": 1, "churn@rc1": 3, "churn@production": 1, "churn@staging": 3,
        "churn@champion": 3, "churn@challenger": 2, "churn@1.1.0": 5, "churn@v1.0.0@2026-02-01": 1,
        "churn@1.1.0@2026-02-01T12:10Z": 2,
    }.items():  # fmt: skip
        assert old.get(ref).number == number, ref
    with pytest.raises(UnknownVersionError, match="was deleted by ada"):
        old.get("churn@4")
    assert old.aliases("churn") == {"challenger": 2, "champion": 3}
    assert old.get("churn@2").row.superseded_name == "1.1.0"
    kinds = [event.kind for event in reversed(old.events("churn"))]
    assert kinds == [
        "registered", "registered", "registered", "registered", "registered-again", "promoted", "promoted",
        "rolled-back", "alias-set", "alias-set", "alias-set", "alias-set", "alias-dropped", "updated",
        "registered", "deleted",
    ]  # fmt: skip
    assert old.events("churn")[-1].message == "hello"


def test_it_loads(old: Registry) -> None:
    """Plain values for everyone, files as they were, and what it says of itself."""
    first, second = old.get("churn@1"), old.get("churn@2")
    assert first.load(trust=True) == {"weights": [0.5, -1.25], "name": "Łódź"}
    assert first.load() == first.load(trust=True), "plain values need no trust"
    assert second.load("small").read_text() == "small and shared\n"
    assert second.load("large").read_bytes() == bytes(range(256)) * 16
    assert (second.load("tree") / "sub" / "run.sh").stat().st_mode & 0o100
    assert (first.params, first.metrics, first.content) == (
        {"C": 0.5, "solver": "lbfgs"}, {"auc": 0.875}, {"ticket": "A-1"},
    )  # fmt: skip
    assert (first.tags, first.description, first.message) == (["baseline"], "the first cut", "hello")
    assert (second.tags, second.metrics, second.content, second.parent) == (
        ["late"], {"auc": 0.9, "f1": 0.5}, {"ticket": "A-2"}, first.id,
    )  # fmt: skip
    assert first.actor.user == "ada"
    assert old.load("risk/fraud", "small").read_text() == "small and shared\n"


def test_it_goes_on(old: Registry) -> None:
    """Today's nbreg writes where yesterday's left off."""
    version = old.register("churn", {"weights": [1]}, stage="production", reason="New")
    assert (version.number, version.name) == (6, "1.3.0")
    assert old.get("churn@1").stage == "archived"
    assert old.rollback("churn").number == 1
    assert old.restore("churn@4").load() == {"weights": None}
    again = old.register("churn", {"weights": [0.75]}, metrics={"auc": 0.9}, parent="churn@1", artifacts={
        name: old.get("churn@2").load(name) for name in ("small", "large", "tree")})  # fmt: skip
    assert (again.number, again.existing) == (2, True), "equal content is found across formats"
    assert old.verify().ok


def test_the_script_still_writes_the_present_format(tmp_path: Path) -> None:
    """It is what the next entry is made with."""
    spec = importlib.util.spec_from_file_location("write_format", OLD / "write_format.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write(tmp_path / "new")
    new, kept = Registry(tmp_path / "new"), Registry(OLD / f"format-{FORMAT}")
    assert [event.kind for event in new.events()] == [event.kind for event in kept.events()]
    for ref in ("churn@1", "churn@2", "risk/fraud@1"):
        assert new.get(ref).content_digest == kept.get(ref).content_digest, (
            "equal content has equal digests for ever"
        )
