"""What a version is called: the next name, a given one, a taken one, a template's, or none."""

from __future__ import annotations

from pathlib import Path

import pytest
from versions import three

from nbreg import Registry
from nbreg.errors import BadInputError, NameTakenError, VersionInUseError
from nbreg.settings import Settings


def test_names_go_up_from_the_highest_or_from_a_base(registry: Registry) -> None:
    """1.0.0, then by the bump asked for; taken names are passed over."""
    names = [
        registry.register("churn", 0).name,
        registry.register("churn", 1).name,
        registry.register("churn", 2, bump="patch").name,
        registry.register("churn", 3, bump="major").name,
        registry.register("churn", 4, base="churn@1.0.0").name,
        registry.register("churn", 5, version="v7.0.0-rc.1").name,
        registry.register("churn", 6, bump="patch").name,
        registry.register("churn", 7, version="gold").name,
        registry.register("churn", 8).name,
    ]
    assert names == ["1.0.0", "1.1.0", "1.1.1", "2.0.0", "1.2.0", "7.0.0-rc.1", "7.0.0", "gold", "7.1.0"]
    third = registry.get("churn@3")
    assert (third.bump, third.bump_reason, third.row.base) == ("patch", "patch: asked for", 2)
    assert registry.get("churn@gold").bump_reason == "named by the caller"
    assert registry.get("churn@2").bump_reason.startswith(
        "minor: nothing but the weights changed; not compared: "
    )


def test_naming_by_number_gives_no_names(tmp_path: Path) -> None:
    """Some teams count."""
    registry = Registry(tmp_path / "r", settings=Settings(capture=False, naming="number"))
    versions = three(registry)
    assert [(version.number, version.name, version.ref) for version in versions] == [
        (1, None, "churn@1"), (2, None, "churn@2"), (3, None, "churn@3"),
    ]  # fmt: skip
    assert registry.register("churn", 9, version="gold").name == "gold"


def test_a_taken_name_shows_its_holder_and_the_next_free_one(registry: Registry) -> None:
    """Superseding is asked for, with a reason; the old version keeps its number and its bytes."""
    first = registry.register("churn", 1, version="2.0.0")
    with pytest.raises(NameTakenError) as caught:
        registry.register("churn", 2, version="v2.0.0")
    assert caught.value.message == "churn@2.0.0 is there already: #1, by ada, 2026-02-01, registered"
    assert "2.1.0" in caught.value.hint
    with pytest.raises(BadInputError, match="reason"):
        registry.register("churn", 2, version="2.0.0", force=True)
    second = registry.register("churn", 2, version="2.0.0", force=True, reason="Wrong data")
    assert registry.get("churn@2.0.0") == second
    assert (first.name, first.row.superseded_name, first.load()) == (None, "2.0.0", 1)
    registered = registry.events("churn")[-1].at
    assert registry.get(f"churn@2.0.0@{registered}") == first
    assert registry.events("churn")[0].facts["superseded"] == 1
    registry.promote("churn@2.0.0", "production")
    with pytest.raises(VersionInUseError, match="production"):
        registry.register("churn", 3, version="2.0.0", force=True, reason="Again")
    registry.retire(second)
    registry.delete(second, "Test", include_protected=True)
    assert registry.register("churn", 4).name == "1.0.0"


def test_templates_and_substitutions_name_models_and_versions(registry: Registry) -> None:
    """`{team}/churn` in a pipeline that serves several teams."""
    version = registry.register(
        "{team}/churn", 1, version="{date}-{tag}", substitutions={"team": "risk", "tag": "a"}
    )
    assert version.model == "risk/churn"
    assert version.name
    assert version.name.endswith("-a")


def test_numbers_that_a_repair_cut_off_are_not_given_again(registry: Registry) -> None:
    """A number that somebody wrote down never comes to mean another version."""
    for n in range(3):
        registry.register("churn", {"n": n})
    journal = next(registry.location.rglob("journal.jsonl"))
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(lines[0] + lines[1].replace(b'"number":2', b'"number":9', 1) + lines[2])
    fresh = Registry(registry.location)

    assert len(fresh.verify(repair=True).repaired) == 1

    assert fresh.register("churn", {"n": 7}).number == 4
    assert fresh.events("churn", limit=2)[1].kind == "repaired"
    assert fresh.verify().ok
