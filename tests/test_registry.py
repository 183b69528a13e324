"""Every verb of a registry, as a person uses it."""

from __future__ import annotations

import gc
import importlib
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from children import open_descriptors
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nbreg import ModelVersion, Registry
from nbreg.errors import (
    BadInputError,
    BadNameError,
    BadReferenceError,
    BadValueError,
    CannotLoadError,
    ConflictError,
    JournalError,
    NameTakenError,
    NotPinnedError,
    SecretFoundError,
    TransitionError,
    UnknownArtifactError,
    UnknownModelError,
    UnknownStageError,
    UnknownVersionError,
    VersionInUseError,
)
from nbreg.records import Actor, ModelRow
from nbreg.registry.housekeeping import purging
from nbreg.settings import Settings


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 2, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(tmp_path: Path, clock: Clock) -> Registry:
    return Registry(
        tmp_path / "registry",
        settings=Settings(capture=False),
        clock=clock,
        actor=Actor(user="ada", host="lab"),
    )


def three(registry: Registry, model: str = "churn") -> list[ModelVersion]:
    return [registry.register(model, {"n": n}, metrics={"auc": n / 10}) for n in (1, 2, 3)]


def lines(registry: Registry, model: str = "churn") -> int:
    return len(registry._desk.model(model).journal)


# register


def test_a_text_that_is_the_path_of_a_file_is_doubtful(registry: Registry, tmp_path: Path) -> None:
    """`register("s", "m.pkl")` stores five characters, which is seldom what was meant."""
    file = tmp_path / "m.pkl"
    file.write_bytes(b"bytes")
    told = f"{str(file)!r} was stored as text; pathlib.Path({str(file)!r}) stores the file"
    assert told in registry.register("s", str(file)).row.warnings
    assert f"note: {told}" in registry.register("t", 1, artifacts={"note": str(file)}).row.warnings
    assert not any("stored as text" in each for each in registry.register("u", "no.pkl").row.warnings)
    assert not any("stored as text" in each for each in registry.register("v", file).row.warnings)


def test_a_version_is_numbered_named_and_identified(registry: Registry, clock: Clock) -> None:
    """The three ways to mean it, and what it tells of itself."""
    version = registry.register(
        "risk/churn", {"w": [1.0]}, description="first", tags=["baseline", "baseline", " x "], message="hello",
        metrics={"auc": 1}, params={"C": 0.5, "deep": {"l": (1, None)}}, content={"note": "é"}, reason="Start",
    )  # fmt: skip
    assert (version.model, version.number, version.name, version.ref) == (
        "risk/churn", 1, "1.0.0", "risk/churn@1.0.0",
    )  # fmt: skip
    assert (version.stage, version.tags, version.description) == ("none", ["baseline", "x"], "first")
    assert (version.metrics, version.params) == ({"auc": 1.0}, {"C": 0.5, "deep": {"l": [1, None]}})
    assert (version.content, version.message, version.existing) == ({"note": "é"}, "hello", False)
    assert (version.bump, version.bump_reason, version.actor.user) == (None, "first version", "ada")
    assert len(version.id) == len(version.content_digest) == 64
    assert version.created.startswith("2026-02-01T12:00:")
    assert version.manifest.environment.missing
    assert version.load() == {"w": [1.0]}
    assert repr(version) == "<ModelVersion risk/churn 1.0.0 #1 none>"
    (event,) = registry.events()
    assert (event.kind, event.reason, event.message, event.number) == ("registered", "Start", "hello", 1)
    assert event.by == Actor(user="ada", host="lab")
    for ref in (
        "@1",
        "@1.0.0",
        "@v1.0.0",
        "@latest",
        f"@sha256:{version.id}",
        f"@sha256:{version.id[:8]}",
        "",
    ):
        assert registry.get("risk/churn" + ref) == version
    assert registry.pin("risk/churn") == f"risk/churn@sha256:{version.id}"


def test_equal_content_is_the_version_that_is_there(registry: Registry) -> None:
    """Running a cell twice makes one version; the second time is an event."""
    first = registry.register("churn", {"n": 1}, params={"a": 1}, description="one")
    again = registry.register("churn", {"n": 1}, params={"a": 1}, description="two", tags=["x"])
    assert again == first
    assert again.existing
    assert (again.description, again.tags) == ("two", ["x"])
    assert [event.kind for event in registry.events("churn")] == ["registered-again", "registered"]
    for changed in (
        {"params": {"a": 2}}, {"params": {"a": 1}, "metrics": {"m": 1}}, {"params": {"a": 1}, "new": True},
        {"params": {"a": 1}, "content": {"x": 1}}, {"params": {"a": 1}, "parent": first},
        {"params": {"a": 1}, "data": {"train": [1, 2]}}, {"params": {"a": 1}, "artifacts": {"b": 1}},
    ):  # fmt: skip
        assert not registry.register("churn", {"n": 1}, **changed).existing  # type: ignore[arg-type]
    assert not registry.register("other", {"n": 1}, params={"a": 1}).existing
    assert registry.get("churn").number == 8


def test_equal_content_is_found_whatever_happened_to_its_equals(registry: Registry) -> None:
    """Deleted ones do not count; an earlier one that is still there does."""
    first = registry.register("churn", 1)
    second = registry.register("churn", 1, new=True)
    registry.delete(second, "Test")
    assert registry.register("churn", 1) == first
    registry.delete(first, "Test")
    third = registry.register("churn", 1)
    assert (third.number, third.existing) == (3, False)
    registry.delete(third, "Test")
    registry.restore("churn@1")
    assert registry.register("churn", 1) == first


def test_no_event_is_lost_while_the_clock_stands_still(tmp_path: Path) -> None:
    """A clock that was set back an hour must not swallow an hour of events."""
    registry = Registry(
        tmp_path / "r", settings=Settings(capture=False), clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)
    )
    for _ in range(4):
        registry.register("churn", 1)
    assert [event.kind for event in registry.events("churn")] == ["registered-again"] * 3 + ["registered"]
    journal = registry._desk.model("churn").journal
    assert all(("model", "model") in journal.line(i).keys for i in range(4)), "lists read last lines only"


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
    assert registry.get("churn@2.0.0@2026-02-01T12:00:05Z") == first
    assert registry.events("churn")[0].facts["superseded"] == 1
    registry.promote("churn@2.0.0", "production")
    with pytest.raises(VersionInUseError, match="production"):
        registry.register("churn", 3, version="2.0.0", force=True, reason="Again")
    registry.retire(second)
    registry.delete(second, "Test", include_protected=True)
    assert registry.register("churn", 4).name == "1.0.0"


def test_an_event_is_the_callers_to_change(registry: Registry) -> None:
    """What a notebook does to a list of events changes no list that is asked for later."""
    registry.register("churn", 1)
    journal = registry.location / "models" / "churn.model" / "journal.jsonl"
    os.utime(journal, (1_000_000_000, 1_000_000_000))  # untouched for years: its last line is kept
    registry.events("churn")[0].facts["number"] = 9
    assert registry.events("churn")[0].facts["number"] == 1


def test_templates_and_substitutions_name_models_and_versions(registry: Registry) -> None:
    """`{team}/churn` in a pipeline that serves several teams."""
    version = registry.register(
        "{team}/churn", 1, version="{date}-{tag}", substitutions={"team": "risk", "tag": "a"}
    )
    assert version.model == "risk/churn"
    assert version.name
    assert version.name.endswith("-a")


def test_registering_into_a_stage_is_one_line(registry: Registry) -> None:
    """Never registered and not yet staged."""
    first, second = (registry.register("churn", n, stage="production") for n in (1, 2))
    assert lines(registry) == 2
    assert (first.stage, second.stage) == ("archived", "production")
    assert registry.register("churn", 3, stage="none").stage == "none"
    for stage, error in (("archived", TransitionError), ("nowhere", UnknownStageError)):
        with pytest.raises(error):
            registry.register("churn", 4, stage=stage)
    assert lines(registry) == 3


def test_check_finds_before_the_training_what_register_would_after(registry: Registry) -> None:
    """An hour of training must not end in a taken name."""
    registry.check("new/model", version="1.0.0")
    assert registry.models() == []
    registry.register("churn", 1, version="gold")
    registry.check("churn", version="silver", stage="staging", metrics={"a": 1})
    for options in (
        {"version": "gold"}, {"version": "1"}, {"stage": "nowhere"}, {"bump": "huge"},
        {"version": "{nothing}"}, {"base": "churn@9"}, {"force": True}, {"parent": "other@1"},
        {"tags": "word"}, {"version": "2.0.0", "bump": "major"},
    ):  # fmt: skip
        with pytest.raises((BadInputError, ConflictError, UnknownStageError, UnknownVersionError, UnknownModelError)):  # fmt: skip
            registry.check("churn", **options)
    with pytest.raises(NameTakenError):
        registry.check("Churn")
    assert lines(registry) == 1


def test_a_preview_writes_nothing(tmp_path: Path) -> None:
    """A dry run leaves no trace."""
    registry = Registry(tmp_path / "r", settings=Settings(capture=False))
    manifest = registry.preview("churn", {"n": 1}, params={"a": 1})
    assert not registry.location.exists()
    version = registry.register("churn", {"n": 1}, params={"a": 1})
    assert manifest.content_digest == version.content_digest
    assert manifest.artifacts == version.manifest.artifacts


def test_artifacts_are_objects_files_and_folders(registry: Registry, tmp_path: Path) -> None:
    """A path is a file; a string is data."""
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "run.sh").write_text("#!")
    (folder / "sub" / "run.sh").chmod(0o755)
    (folder / "empty").write_bytes(b"")
    version = registry.register(
        "churn",
        artifacts={"file": folder / "empty", "folder": folder, "text": str(folder), "big": tmp_path / "big"}
        if (tmp_path / "big").write_bytes(b"x" * 500_000)
        else None,
    )
    assert set(version.artifacts) == {"file", "folder", "text", "big"}
    loaded = version.load("folder")
    assert sorted(path.relative_to(loaded).as_posix() for path in loaded.rglob("*")) == [
        "empty", "sub", "sub/run.sh",
    ]  # fmt: skip
    assert os.access(loaded / "sub" / "run.sh", os.X_OK)
    assert version.load("file").read_bytes() == b""
    assert version.load("text") == str(folder)
    assert version.load("big").stat().st_size == 500_000
    with pytest.raises(UnknownArtifactError, match="no artifact 'model'"):
        version.load()
    with pytest.raises(BadInputError, match="nothing to register"):
        registry.register("churn")


def test_a_project_s_folder_is_stored_without_its_history_and_its_registry(tmp_path: Path) -> None:
    """`nbreg register m .` would store all models in each version of the one."""
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (project / "sub" / "models").mkdir(parents=True)
    for name in (".git/config", "sub/models/registry.jsonl", "sub/.gitignore", "weights"):
        (project / name).write_text("x")
    registry = Registry(project / ".nbreg")

    one, two = (registry.register("m", project, content={"n": n}) for n in (1, 2))

    assert [each.path for each in one.manifest.artifacts[0].files] == ["sub/.gitignore", "weights"]
    assert one.manifest.artifacts[0].token == two.manifest.artifacts[0].token
    assert one.warnings == [
        f"model is stored without {name}, which is no part of a model"
        for name in (".git", ".nbreg", "sub/models")
    ]


# references


def test_references_mean_what_they_meant_then(registry: Registry, clock: Clock) -> None:
    """`churn@production@2026-02-09` is what was served that day."""
    one, two, three_ = three(registry)
    clock.now = datetime(2026, 2, 5, tzinfo=UTC)
    registry.promote(one, "production")
    registry.set_alias(one, "champion")
    clock.now = datetime(2026, 2, 9, 10, tzinfo=UTC)
    registry.promote(two, "production")
    registry.set_alias(two, "champion")
    clock.now = datetime(2026, 2, 12, tzinfo=UTC)
    registry.rollback("churn")
    registry.drop_alias("churn", "champion")
    for word in ("production", "champion"):
        assert registry.get(f"churn@{word}@2026-02-08") == one
        assert registry.get(f"churn@{word}@2026-02-09") == two, "a day means its end"
        assert registry.get(f"churn@{word}@2026-02-09T09:59Z") == one
        assert registry.get(f"churn@{word}@2026-02-09T11:30+01:00") == two
        with pytest.raises(UnknownVersionError):
            registry.get(f"churn@{word}@2026-02-04")
    assert registry.get("churn@production") == one
    with pytest.raises(UnknownVersionError, match="champion"):
        registry.get("churn@champion")
    assert registry.get(f"churn@{registry.events('churn')[-1].at}") == one
    assert registry.get("churn@latest@2026-03-01") == three_
    with pytest.raises(UnknownVersionError, match="had no version at 2026-01-31"):
        registry.get("churn@production@2026-01-31")


def test_a_reference_that_means_nothing_says_what_is_near(registry: Registry) -> None:
    """A typo costs one look."""
    three(registry)
    registry.set_alias("churn@2", "champion")
    for ref, error, said in (
        ("chrun@1", UnknownModelError, "did you mean 'churn'?"),
        ("Churn@1", UnknownModelError, "did you mean 'churn'?"),
        ("churn@9", UnknownVersionError, "its numbers go from 1 to 3"),
        ("churn@0", UnknownVersionError, "from 1 to 3"),
        ("churn@champoin", UnknownVersionError, "did you mean 'champion'?"),
        ("churn@1.0.O", UnknownVersionError, "did you mean '1.0.0'?"),
        ("churn@staging", UnknownVersionError, "registry.promote('churn@…', 'staging')"),
        ("churn@archived", UnknownStageError, "stages to refer to"),
        ("churn@sha256:" + "0" * 64, UnknownVersionError, ""),
        ("churn@sha256:" + "0" * 8, UnknownVersionError, ""),
    ):
        with pytest.raises(error) as caught:
            registry.get(ref)
        assert said in caught.value.hint


def test_verbs_that_write_need_to_know_which_version(registry: Registry) -> None:
    """`%promote churn production` at the wrong moment would promote a colleague's version."""
    three(registry)
    for verb in (
        lambda ref: registry.promote(ref, "production"), registry.retire, registry.delete,
        lambda ref: registry.set_alias(ref, "x"), lambda ref: registry.update(ref, tags=["x"]),
    ):  # fmt: skip
        for ref in ("churn", "churn@production@2026-01-01"):
            with pytest.raises(BadReferenceError):
                verb(ref)
    assert lines(registry) == 3


def test_a_version_of_another_registry_is_found_by_its_id(registry: Registry, tmp_path: Path) -> None:
    """Its number may be another version's here."""
    three(registry)
    other = Registry(tmp_path / "other", settings=Settings(capture=False))
    theirs = other.register("churn", "theirs")
    with pytest.raises(UnknownVersionError, match="sha256"):
        registry.promote(theirs, "production")
    assert registry.get("churn@1").stage == "none"
    same = Registry(registry.location)
    assert same.promote(registry.get("churn@1"), "staging").stage == "staging"


def test_pinned_references_only(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that says so may not load what can be another version tomorrow."""
    version = three(registry)[0]
    registry.promote(version, "production")
    registry.set_alias(version, "champion")
    monkeypatch.setenv("NBREG_REQUIRE_PINNED", "1")
    for ref in ("churn", "churn@latest", "churn@production", "churn@champion"):
        with pytest.raises(NotPinnedError, match="NBREG_REQUIRE_PINNED") as caught:
            registry.load(ref)
        assert f"nbreg pin {ref}" in caught.value.hint
    for pinned in (registry.pin("churn@1"), "churn@1", version):
        assert registry.load(pinned) == {"n": 1}


# promote, retire, roll back


def test_promotion_archives_the_holder_in_the_same_line(registry: Registry) -> None:
    """There is never a moment with two productions or none."""
    one, two, _ = three(registry)
    registry.promote(one, "production", reason="First")
    before = lines(registry)
    promoted = registry.promote("churn@2", "production", reason="Better", message="lift 3 %")
    assert lines(registry) == before + 1
    assert (promoted.stage, one.stage, two.stage) == ("production", "archived", "production")
    event = registry.events("churn")[0]
    assert event.facts == {
        "number": 2, "name": "1.1.0", "was": "none", "stage": "production",
        "archived": 1, "archived_name": "1.0.0",
    }  # fmt: skip
    assert registry.promote(two, "production") == two
    assert registry.promote("churn@2", "production") == two
    assert lines(registry) == before + 1, "promoting to where it is writes nothing"


def test_promotion_goes_one_stage_up_and_never_past_production(registry: Registry) -> None:
    """Without a stage named."""
    version = three(registry)[0]
    assert [version.promote().stage for _ in range(4)] == [
        "development",
        "candidate",
        "staging",
        "production",
    ]
    with pytest.raises(TransitionError, match="highest"):
        version.promote()
    with pytest.raises(TransitionError, match="below"):
        version.promote("staging")
    assert version.retire("staging").stage == "staging"
    assert version.retire().stage == "archived"
    with pytest.raises(TransitionError, match="not clear"):
        version.promote()
    assert version.promote("candidate").stage == "candidate"
    for to, error in (("archived", TransitionError), ("none", TransitionError), ("prod", UnknownStageError)):
        with pytest.raises(error):
            version.promote(to)
    with pytest.raises(TransitionError):
        version.retire("production")


def test_rolling_back_walks_back_and_archives_what_it_leaves(registry: Registry) -> None:
    """Twice is one further, not there and back."""
    for version in three(registry):
        registry.promote(version, "production")
    assert registry.rollback("churn", reason="Complaints", message="too many").number == 2
    assert [version.stage for version in registry.versions("churn")] == ["archived", "production", "archived"]
    event = registry.events("churn")[0]
    assert (event.kind, event.reason, event.number, event.facts["archived"]) == (
        "rolled-back", "Complaints", 2, 3,
    )  # fmt: skip
    assert registry.rollback("churn").number == 1
    with pytest.raises(TransitionError, match="is left to go back to in production"):
        registry.rollback("churn")
    registry.promote("churn@3", "production")
    assert registry.rollback("churn").number == 1
    with pytest.raises(TransitionError, match="is left to go back to"):
        registry.rollback("churn")


def test_rolling_back_passes_over_what_is_deleted_and_goes_to_what_is_named(registry: Registry) -> None:
    """The version before may be the one that must not come back."""
    versions = [*three(registry), registry.register("churn", 4)]
    for version in versions:
        registry.promote(version, "production")
    registry.delete("churn@3", "Broken", include_protected=True)
    assert registry.rollback("churn").number == 2
    registry.promote("churn@4", "production")
    assert registry.rollback("churn", to="1.0.0").number == 1
    with pytest.raises(TransitionError, match="did not hold"):
        registry.rollback("churn", to="churn@4")
    with pytest.raises(TransitionError, match="another model"):
        registry.rollback("churn", to="other@1")
    with pytest.raises(UnknownVersionError):
        registry.rollback("churn", to="3")
    for stage in ("none", "archived"):
        with pytest.raises(UnknownStageError):
            registry.rollback("churn", stage)
    with pytest.raises(TransitionError):
        registry.rollback("churn", "staging")


def test_a_retired_production_comes_back_by_rolling_back(registry: Registry) -> None:
    """Nobody holds it; it goes back to who held it last."""
    one, two, _ = three(registry)
    registry.promote(one, "production")
    registry.promote(two, "production")
    registry.retire(two)
    with pytest.raises(UnknownVersionError):
        registry.get("churn@production")
    assert registry.models()[0].stages == {}
    assert registry.rollback("churn").number == 2
    assert registry.rollback("churn").number == 1


def test_rolling_back_a_stage_of_many_ends(registry: Registry) -> None:
    """It once went round for ever, under the lock."""
    for version in three(registry):
        registry.promote(version, "staging")
    assert registry.rollback("churn", "staging").number == 2
    assert registry.rollback("churn", "staging").number == 1
    assert registry.models()[0].stages == {"staging": 1}


# labels


def test_aliases_move_and_share_the_namespace_of_names(registry: Registry) -> None:
    """`churn@champion` means one version, and no other thing."""
    one, two, _ = three(registry)
    registry.set_alias(one, "champion")
    before = lines(registry)
    registry.set_alias(one, "champion")
    assert lines(registry) == before
    registry.set_alias("churn@2", "champion", reason="Better")
    assert registry.get("churn@champion") == two
    assert registry.events("churn")[0].facts["before"] == 1
    assert (one.aliases, two.aliases, registry.aliases("churn")) == ([], ["champion"], {"champion": 2})
    for taken in ("1.0.0", "v1.1.0"):
        with pytest.raises(NameTakenError):
            registry.set_alias(one, taken)
    with pytest.raises(NameTakenError, match="alias of churn@2"):
        registry.register("churn", 9, version="champion")
    registry.set_alias(one, "2.0.0")
    assert registry.register("churn", 9, bump="major").name == "3.0.0", "a taken name is passed over"
    registry.drop_alias("churn", "champion")
    with pytest.raises(UnknownVersionError, match="no alias"):
        registry.drop_alias("churn", "champion")
    for bad in ("production", "latest", "7", "2026-01-01", "", "a b", "sha256:12345678"):
        with pytest.raises(BadInputError):
            registry.set_alias(one, bad)


def test_what_may_be_updated_is_and_the_rest_stays(registry: Registry) -> None:
    """Tags and content are replaced, metrics added; manifest and id are what they were."""
    version = registry.register("churn", 1, tags=["a"], metrics={"auc": 0.5}, content={"x": 1})
    before = (version.id, version.manifest, registry.verify().heads)
    version.update(tags=["b", "c"], metrics={"f1": 1}, content={"y": 2}, description="d", reason="Tidy")
    assert (version.tags, version.metrics, version.content, version.description) == (
        ["b", "c"], {"auc": 0.5, "f1": 1.0}, {"y": 2}, "d",
    )  # fmt: skip
    assert (version.id, version.manifest) == before[:2]
    assert version.manifest.metrics == {"auc": 0.5}
    assert sorted(registry.events("churn")[0].facts["changed"]) == [
        "content", "description", "metrics", "tags",
    ]  # fmt: skip
    count = lines(registry)
    version.update(tags=["b", "c"], description="d")
    version.update()
    assert lines(registry) == count
    version.update(tags=[], content={}, description="")
    assert (version.tags, version.content, version.description) == ([], {}, "")


# lists, events


def test_lists_are_newest_first_sorted_and_paged(registry: Registry) -> None:
    """A thousand versions are looked at twenty at a time."""
    values = [0.3, 0.9, None, 0.1, 0.5]
    for n, value in enumerate(values):
        registry.register("churn", n, metrics={} if value is None else {"auc": value})

    def numbers(**options: Any) -> list[int]:
        return [version.number for version in registry.versions("churn", **options)]

    assert numbers() == [5, 4, 3, 2, 1]
    assert numbers(limit=2) == [5, 4]
    assert numbers(limit=2, offset=3) == [2, 1]
    assert numbers(offset=4) == [1]
    assert numbers(limit=0) == numbers(offset=9) == numbers(limit=3, offset=9) == []
    assert numbers(sort="-metrics.auc") == [2, 5, 1, 4, 3], "what has no value comes last"
    assert numbers(sort="metrics.auc") == [4, 1, 5, 2, 3]
    assert numbers(sort="-metrics.auc", limit=2, offset=1) == [5, 1]
    with pytest.raises(BadInputError) as caught:
        numbers(sort="-metrics.acu")
    assert (caught.value.message, caught.value.hint) == (
        "no version has the metric 'acu'",
        "did you mean 'auc'?",
    )
    assert numbers(sort="number") == [1, 2, 3, 4, 5]
    assert numbers(sort="-created") == [5, 4, 3, 2, 1]
    registry.delete("churn@2", "Test")
    assert numbers() == [5, 4, 3, 1]
    assert numbers(limit=2, offset=2) == [3, 1]
    assert numbers(deleted=True) == [5, 4, 3, 2, 1]
    for options in ({"limit": -1}, {"offset": -1}, {"sort": "colour"}, {"sort": ""}):
        with pytest.raises(BadInputError):
            numbers(**options)
    with pytest.raises(UnknownModelError):
        registry.versions("nothing")


def test_models_are_listed_from_their_last_lines(registry: Registry) -> None:
    """With counts, the latest, and who is where."""
    for model in ("b", "a/b", "a"):
        three(registry, model)
    registry.promote("b@2", "production")
    registry.delete("b@3", "Test")
    rows = registry.models()
    assert [row.name for row in rows] == ["a", "a/b", "b"]
    row = rows[-1]
    assert (row.versions, row.deleted, row.latest, row.latest_name, row.highest, row.next_number) == (
        2, 1, 2, "1.1.0", "1.1.0", 4,
    )  # fmt: skip
    assert row.stages == {"production": 2}
    assert Registry(registry.location).models() == rows


def test_events_of_all_models_are_in_one_order(registry: Registry, clock: Clock) -> None:
    """Who did what, when, newest first."""
    three(registry, "a")
    three(registry, "b")
    registry.promote("a@1", "staging")
    events = registry.events()
    assert [(event.model, event.seq) for event in events] == [
        ("a", 4), ("b", 3), ("b", 2), ("b", 1), ("a", 3), ("a", 2), ("a", 1),
    ]  # fmt: skip
    assert registry.events(limit=2) == events[:2]
    assert registry.events("b", limit=1) == [events[1]]
    assert registry.events(since=events[2].at) == events[:3]
    assert registry.events(since=datetime.fromisoformat(events[2].at)) == events[:3]
    assert registry.events(since="2026-02-01") == events
    assert registry.events(since="2026-02-02") == []
    assert [event.kind for event in registry.get("a@1").events] == ["promoted", "registered"]
    with pytest.raises(BadReferenceError):
        registry.events(since="yesterday")


def test_a_version_object_is_a_live_view(registry: Registry) -> None:
    """What a colleague changed is seen without asking again."""
    version = registry.register("churn", 1)
    other = Registry(registry.location).get("churn@1")
    other.promote("production")
    other.update(tags=["seen"])
    assert (version.stage, version.tags) == ("production", ["seen"])
    assert version == other
    assert hash(version) == hash(other)
    version.tags.append("mine")
    version.metrics["mine"] = 1
    assert (version.tags, version.metrics) == (["seen"], {})


# delete, restore, purge


def test_a_deleted_version_is_hidden_and_comes_back(registry: Registry) -> None:
    """With its number and name; nobody else got them meanwhile."""
    one, two, three_ = three(registry)
    registry.delete("churn@1.2.0", "Wrong data", message="see mail")
    assert registry.get("churn") == two
    for ref in ("churn@3", "churn@1.2.0", f"churn@sha256:{three_.id}"):
        with pytest.raises(UnknownVersionError, match="was deleted by ada") as caught:
            registry.get(ref)
        assert "restore" in caught.value.hint
    assert three_.deleted
    assert (three_.deleted.by, three_.deleted.reason) == ("ada", "Wrong data")
    with pytest.raises(NameTakenError, match="deleted"):
        registry.register("churn", 9, version="1.2.0")
    assert registry.register("churn", {"n": 4}).ref == "churn@1.3.0"
    before = lines(registry)
    registry.delete("churn@3")
    assert lines(registry) == before, "it is deleted already"
    assert registry.restore("churn@1.2.0") == three_
    registry.restore("churn@1.2.0")
    assert lines(registry) == before + 1
    assert registry.get("churn@1.2.0").load() == {"n": 3}
    assert registry.get("churn").number == 4
    with pytest.raises(UnknownVersionError):
        registry.promote(registry.delete(one), "staging")


def test_what_is_in_use_is_deleted_only_with_a_reason(registry: Registry) -> None:
    """Staged, once in production, aliased."""
    one, two, three_ = three(registry)
    registry.promote(one, "production")
    registry.promote(two, "production")
    registry.set_alias(three_, "champion")
    for version, said in ((one, "was in production"), (two, "is in production"), (three_, "has the alias")):
        for options in ({}, {"include_protected": True}, {"reason": "R"}):
            with pytest.raises(VersionInUseError, match=said):
                registry.delete(version, **options)  # type: ignore[arg-type]
        registry.delete(version, "Law", include_protected=True)
    assert registry.aliases("churn") == {}
    (row,) = registry.models()
    assert (row.stages, row.versions, row.latest, row.latest_name, row.highest) == ({}, 0, None, None, "")
    with pytest.raises(UnknownVersionError, match="no version that is not deleted"):
        registry.get("churn")
    registry.restore("churn@2")
    assert registry.get("churn@2").stage == "archived", "who took its stage meanwhile keeps it"
    assert registry.get("churn").number == 2


def test_purge_takes_deleted_versions_after_their_time(registry: Registry, clock: Clock) -> None:
    """Bytes go, the record stays."""
    one, two, three_ = three(registry)
    registry.promote(three_, "production")
    for version in (one, three_):
        registry.delete(version, "Test", include_protected=True)
    assert registry.purge().versions == []
    clock.now += timedelta(days=31)
    report = registry.purge()
    assert (report.dry_run, report.versions) == (True, ["churn@1"])
    assert {leftover.why for leftover in report.leftovers} == {"no version refers to it"}
    assert registry.purge(older_than=40).versions == []
    count, size = len(list(registry.location.rglob("*"))), report.size
    report = registry.purge(dry_run=False)
    assert (report.versions, report.size) == (["churn@1"], size)
    assert len(list(registry.location.rglob("*"))) < count
    assert registry.purge().leftovers == []
    assert one.row.purged
    assert (one.stage, one.name, one.row.size) == ("none", "1.0.0", one.row.size)
    with pytest.raises(UnknownArtifactError, match="were purged"):
        _ = one.params
    with pytest.raises(UnknownVersionError, match="was deleted by ada"):
        one.load()
    with pytest.raises(BadInputError, match="reason"):
        registry.purge(dry_run=False, include_protected=True)
    assert registry.purge(dry_run=False, include_protected=True, reason="Law").versions == ["churn@3"]
    with pytest.raises(UnknownArtifactError, match="were purged"):
        registry.restore("churn@1")
    assert registry.get("churn").number == 2, "what cannot be loaded is not the latest"
    assert two.load() == {"n": 2}
    assert registry.verify().ok
    assert [event.kind for event in registry.events("churn")[:2]] == ["purged", "purged"]


def test_shared_parts_outlive_the_version_that_brought_them(registry: Registry, tmp_path: Path) -> None:
    """Two versions with the same tokenizer store it once; either may go."""
    for name, size in (("small", 3000), ("large", 300_000)):
        (tmp_path / name).write_bytes(name[:1].encode() * size)
    parts = {name: tmp_path / name for name in ("small", "large")}
    first = registry.register("a", 1, artifacts=parts)
    second = registry.register("b", 2, artifacts=parts)
    usage = registry.du()
    assert usage.objects == 3
    assert usage.unreferenced == 0
    assert usage.size < 320_000
    assert [(each.model, each.versions) for each in usage.models] == [("a", 1), ("b", 1)]
    assert 0 < usage.models[0].own < 3000 < usage.models[0].size
    assert 0 < usage.models[1].own < 10_000
    registry.delete(first, "Test")
    registry.purge(dry_run=False, older_than=0)
    assert second.load("small").read_bytes() == b"s" * 3000
    assert second.load("large").read_bytes() == b"l" * 300_000
    third = registry.register("a", 1, artifacts=parts)
    registry.delete(second, "Test")
    registry.purge(dry_run=False, older_than=0)
    assert third.load("small").read_bytes() == b"s" * 3000
    assert registry.verify().ok


def test_a_dry_purge_and_a_real_one_tell_the_same_in_many_models(registry: Registry) -> None:
    """Also where more models are looked at than are kept open."""
    for i in range(140):
        registry.delete(registry.register(f"m{i}", i), "Test")
    dry = registry.purge(older_than=0)
    assert len(dry.versions) == 140
    assert len(dry.leftovers) == 140
    assert registry.purge(dry_run=False, older_than=0) == ModelFree(dry)
    assert registry.du().size == 0


class ModelFree:
    """Equal to a report that differs from this one in `dry_run` alone."""

    def __init__(self, report: Any) -> None:
        self.report = report

    def __eq__(self, other: object) -> bool:
        return (self.report.leftovers, self.report.versions) == (other.leftovers, other.versions)  # type: ignore[attr-defined]

    __hash__ = None  # type: ignore[assignment]


# verify


def test_verify_prints_heads_that_can_be_expected_later(registry: Registry) -> None:
    """A chain proves nothing alone: a head that was written down elsewhere does."""
    three(registry)
    report = registry.verify()
    assert (report.ok, report.versions, report.objects) == (True, 3, 3)
    head = report.heads["churn"].hash
    registry.promote("churn@1", "staging")
    for expect in ({"churn": head}, [head], {"registry": report.heads["registry"].hash}):
        assert registry.verify(expect=expect).ok
    for expect in ({"churn": "0" * 64}, ["0" * 64], {"nothing": head}, {"registry": head}):
        problems = registry.verify(expect=expect).problems
        assert [problem.code for problem in problems] == ["head-missing"]


def test_verify_of_nothing_is_an_alarm(tmp_path: Path) -> None:
    """A mistyped path or a deleted registry does not pass; looking makes nothing."""
    registry = Registry(tmp_path / "none")
    [problem] = registry.verify().problems
    assert problem.code == "no-registry"
    assert registry.models() == registry.events() == []
    assert registry.purge().leftovers == []
    assert registry.du().size == 0
    assert registry.id == ""
    with pytest.raises(UnknownModelError):
        registry.get("churn")
    assert not (tmp_path / "none").exists()


# the folder


def test_where_the_registry_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As given, else by environment, else the nearest upward, else the project's root."""
    project = tmp_path / "project"
    deep = project / "notebooks" / "deep"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert Registry().location == deep / ".nbreg"
    (project / ".git").mkdir()
    assert Registry().location == project / ".nbreg"
    Registry(project / "notebooks" / ".nbreg").register("churn", 1)
    assert Registry().location == project / "notebooks" / ".nbreg"
    monkeypatch.setenv("NBREG_REGISTRY", str(tmp_path / "elsewhere"))
    assert Registry().location == tmp_path / "elsewhere"
    assert Registry("here").location == deep / "here"
    with pytest.raises(BadInputError, match="not supported yet"):
        Registry("postgresql://x")
    (deep / "file").touch()
    with pytest.raises(BadInputError, match="is a file"):
        Registry(deep / "file")


def test_git_does_not_see_the_registry(tmp_path: Path) -> None:
    """Nobody commits gigabytes by `git add .`."""
    project = tmp_path / "project"
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    Registry(project / ".nbreg").register("churn", 1)
    status = subprocess.run(
        ["git", "-C", str(project), "status", "--porcelain", "--untracked-files=all"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert status.stdout == ""


def test_two_hundred_models_cost_no_descriptors(registry: Registry) -> None:
    """A registry of a company, walked through in one kernel."""
    gc.collect()
    at_first = open_descriptors()  # other tests may have left some open
    for i in range(200):
        registry.register(f"m{i}", i)
    gc.collect()
    before = open_descriptors()
    for i in range(200):
        assert registry.load(f"m{i}") == i
    registry.verify()
    registry.purge(dry_run=False)
    gc.collect()
    assert open_descriptors() <= before + 5
    assert before - at_first < 150
    registry.close()
    assert open_descriptors() <= at_first + 5
    assert registry.load("m7") == 7


def test_opening_registries_over_and_over_costs_no_descriptors(registry: Registry) -> None:
    """`nbreg.load(…)` opens one each time."""
    three(registry)
    gc.collect()
    before = open_descriptors()
    for _ in range(100):
        assert Registry(registry.location).load("churn@1") == {"n": 1}
    gc.collect()
    assert open_descriptors() <= before


# any order of moves, against a simple model


class Lifecycle(RuleBasedStateMachine):
    """Versions move through stages in any order; the registry agrees with a few dictionaries."""

    held = ("development", "candidate", "staging", "production")
    everything = ("none", *held, "archived")
    folders: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.registry = Registry(Lifecycle.folders.mktemp("r"), settings=Settings(capture=False))
        self.stage: dict[int, str] = {}
        self.deleted: set[int] = set()
        self.entered: dict[str, list[int]] = {stage: [] for stage in self.held}

    def move(self, number: int, to: str) -> None:
        was = self.stage[number]
        if was in self.held:
            self.entered[was].remove(number)
        if to == "production":
            for other in self.entered[to]:
                self.stage[other] = "archived"
            self.entered[to] = []
        if to in self.held:
            self.entered[to].append(number)
        self.stage[number] = to

    def one(self, data: Any) -> int:
        return data.draw(st.sampled_from(sorted(set(self.stage) - self.deleted)))  # type: ignore[no-any-return]

    @precondition(lambda self: len(self.stage) < 5)
    @rule(stage=st.sampled_from((None, *held)))
    def register(self, stage: str | None) -> None:
        number = self.registry.register("m", len(self.stage), stage=stage).number
        assert number == len(self.stage) + 1
        self.stage[number] = "none"
        if stage:
            self.move(number, stage)

    @precondition(lambda self: set(self.stage) - self.deleted)
    @rule(data=st.data(), to=st.sampled_from(everything))
    def promote_or_retire(self, data: Any, to: str) -> None:
        number = self.one(data)
        was = self.stage[number]
        up = to in self.held and (
            was == "archived" or self.everything.index(to) >= self.everything.index(was)
        )
        verb = self.registry.promote if up else self.registry.retire
        if not up and was == "archived" and to == "none":
            with pytest.raises(TransitionError):
                verb(f"m@{number}", to)
            return
        verb(f"m@{number}", to)
        if was != to:
            self.move(number, to)

    @precondition(lambda self: set(self.stage) - self.deleted)
    @rule(stage=st.sampled_from(held))
    def rollback(self, stage: str) -> None:
        holder = self.entered[stage][-1] if self.entered[stage] else None
        try:
            number = self.registry.rollback("m", stage).number
        except TransitionError:
            return
        assert number != holder
        assert number not in self.deleted
        if holder is not None:
            self.move(holder, "archived")
        if self.stage[number] == stage:
            self.entered[stage].remove(number)
            self.entered[stage].append(number)
        else:
            self.move(number, stage)

    @precondition(lambda self: set(self.stage) - self.deleted)
    @rule(data=st.data())
    def delete(self, data: Any) -> None:
        number = self.one(data)
        self.registry.delete(f"m@{number}", "Test", include_protected=True)
        was = self.stage[number]
        if was in self.held:
            self.entered[was].remove(number)
        self.deleted.add(number)
        self.stage[number] = "none" if was == "none" else "archived"

    @precondition(lambda self: self.deleted)
    @rule(data=st.data())
    def restore(self, data: Any) -> None:
        number = data.draw(st.sampled_from(sorted(self.deleted)))
        self.registry.restore(f"m@{number}")
        self.deleted.remove(number)

    @invariant()
    def agrees(self) -> None:
        if not self.stage:
            return
        live = set(self.stage) - self.deleted
        for registry in (self.registry, Registry(self.registry.location)):
            rows = {version.number: version.stage for version in registry.versions("m")}
            assert rows == {number: self.stage[number] for number in live}
            (row,) = registry.models()
            assert isinstance(row, ModelRow)
            assert (row.versions, row.deleted) == (len(live), len(self.deleted))
            assert row.latest == max(live, default=None)
            assert row.highest_number == max(live, default=None)
            assert set(row.stages) == {stage for stage in self.held if self.entered[stage]}
            for stage in self.held:
                if self.entered[stage]:
                    assert row.stages[stage] == registry.get(f"m@{stage}").number == self.entered[stage][-1]
                else:
                    with pytest.raises(UnknownVersionError):
                        registry.get(f"m@{stage}")

    def teardown(self) -> None:
        if self.stage:
            report = self.registry.verify()
            assert report.ok, report.problems


def test_stages_hold_whatever_the_order_of_moves(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Promotions, retirements, roll-backs, deletions and restorations, in any order."""
    from hypothesis.stateful import run_state_machine_as_test

    Lifecycle.folders = tmp_path_factory
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Lifecycle, settings=hypothesis_settings(max_examples=15, stateful_step_count=20, deadline=None)
    )


def test_metrics_are_plain_numbers(registry: Registry) -> None:
    """What cannot be compared is not a metric."""
    for bad in ({"a": "high"}, {"a": True}, {"a": None}, {"a": [1]}, [1], 5, {1: 2}):
        with pytest.raises(BadValueError):
            registry.register("churn", 1, metrics=bad)  # type: ignore[arg-type]
    assert registry.models() == []


def test_equal_content_does_not_swallow_what_was_asked_for(registry: Registry) -> None:
    """Nobody believes a version to be in production, or to have a name, that it has not."""
    registry.register("churn", {"n": 1})

    assert registry.register("churn", {"n": 1}, stage="staging").stage == "staging"
    assert registry.register("churn", {"n": 1}, stage="development").stage == "staging"
    with pytest.raises(NameTakenError) as refusal:
        registry.register("churn", {"n": 1}, version="5.0.0")
    assert "equal content is churn@1.0.0 already" in str(refusal.value)

    registry.retire("churn@1", reason="Bad")
    with pytest.raises(TransitionError):
        registry.register("churn", {"n": 1}, stage="production")
    assert registry.register("churn", {"n": 1}).stage == "archived"


def test_a_registered_metric_never_changes(registry: Registry) -> None:
    """Metrics can be added later; those that a version was made with are part of it."""
    version = registry.register("churn", {"n": 1}, metrics={"auc": 0.5})

    with pytest.raises(BadValueError) as refusal:
        version.update(metrics={"auc": 0.99})
    assert str(refusal.value) == "churn@1.0.0 was registered with auc = 0.5"

    version.update(metrics={"auc": 0.5, "later": 1})
    version.update(metrics={"later": 2})
    assert version.metrics == {"auc": 0.5, "later": 2.0}
    assert version.events[0].facts["before"] == {"later": 1.0}


def test_rolling_back_one_stage_never_empties_a_higher_one(registry: Registry) -> None:
    """Staging goes back; what is in production by now stays there."""
    for n in range(3):
        registry.register("churn", {"n": n})
    registry.promote("churn@1", "staging")
    registry.promote("churn@1", "production")
    registry.promote("churn@2", "staging")

    with pytest.raises(TransitionError):
        registry.rollback("churn", "staging")
    with pytest.raises(TransitionError):
        registry.rollback("churn", "staging", to="1")
    assert registry.get("churn@production").number == 1
    assert registry.get("churn@staging").number == 2


def test_a_project_folder_gets_its_registry_inside(tmp_path: Path) -> None:
    """Naming a project never makes git ignore all of it."""
    (tmp_path / "train.py").write_text("")

    registry = Registry(tmp_path)
    registry.register("churn", 1)

    assert registry.location == tmp_path / ".nbreg"
    assert not (tmp_path / ".gitignore").exists()
    assert Registry(tmp_path / ".nbreg").get("churn").number == 1
    assert Registry(tmp_path / "new").location == tmp_path / "new"


def test_parameters_are_told_and_never_refused(registry: Registry) -> None:
    """`get_params()` holds NaN and estimators; a version is not lost over them."""
    given = {"missing": float("nan"), "steps": [("a", Path), registry], "deep": {"f": len, "n": 1}, "C": 0.5}

    version = registry.register("churn", 1, params=given)

    assert version.params == {
        "missing": "nan",
        "steps": [["a", f"<{Path.__module__}.Path>"], "<nbreg.registry.core.Registry>"],
        "deep": {"f": "<builtins.builtin_function_or_method>", "n": 1},
        "C": 0.5,
    }
    with pytest.raises(BadValueError):
        registry.register("churn", 2, metrics={"missing": float("nan")})


def test_the_environment_tells_what_the_model_needs(tmp_path: Path) -> None:
    """Drift in what was merely imported is no drift of the model."""
    registry = Registry(tmp_path / "captured")
    version = registry.register("churn", np.arange(3))

    needed = [each.name for each in version.environment.distributions if each.needed]
    assert needed == ["numpy"]
    assert any(each.imported and not each.needed for each in version.environment.distributions)
    by_cloudpickle = registry.register("lambdas", lambda x: x)
    assert {each.needed for each in by_cloudpickle.environment.distributions} == {None}


def test_what_cannot_be_made_again_here_says_what_is_missing(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class of an installed module that is not here is no puzzle of the unpickler's."""
    site = tmp_path / "site-packages"
    site.mkdir()
    (site / "gone_tomorrow.py").write_text("class Net:\n    pass\n")
    monkeypatch.syspath_prepend(str(site))
    module = importlib.import_module("gone_tomorrow")
    registry.register("net", module.Net())
    del sys.modules["gone_tomorrow"]
    monkeypatch.undo()

    with pytest.raises(CannotLoadError) as refusal:
        registry.load("net@1", trust=True)
    assert str(refusal.value) == "gone_tomorrow.Net needs the module 'gone_tomorrow', which is not here"
    assert refusal.value.__notes__ == [f"hint: {refusal.value.hint}"]


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


def test_a_version_was_not_there_before_it_was_made(tmp_path: Path) -> None:
    """As of then holds for numbers and digests, too."""
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    registry = Registry(tmp_path / "r", clock=lambda: clock[0])
    first = registry.register("churn", 1)
    clock[0] = datetime(2026, 3, 1, tzinfo=UTC)
    second = registry.register("churn", 2)

    assert registry.get("churn@1@2026-02-01") == first
    for ref in ("churn@2@2026-02-01", f"churn@sha256:{second.id}@2026-02-01"):
        with pytest.raises(UnknownVersionError):
            registry.get(ref)


def test_equal_content_whose_bytes_were_lost_is_stored_again(registry: Registry) -> None:
    """A damaged version is no reason not to keep the model that is here, whole."""
    first = registry.register("churn", {"n": 1})
    bundle = registry.location / "objects" / first.row.bundle[:2] / first.row.bundle[2:]
    data = bytearray(bundle.read_bytes())
    bundle.unlink()
    bundle.write_bytes(data.replace(b"n", b"m"))

    again = Registry(registry.location).register("churn", {"n": 1})

    assert (again.number, again.existing) == (2, False)
    assert again.load() == {"n": 1}
    assert "text/plain" in first._repr_mimebundle_()


def test_what_a_version_tells_is_a_copy(registry: Registry) -> None:
    """Changing the dictionary changes nothing that others see."""
    version = registry.register("churn", 1, params={"a": [1]}, content={"b": {}})
    version.params["a"].append(2)
    version.content["b"]["c"] = 1
    assert (version.params, version.content) == ({"a": [1]}, {"b": {}})


def test_a_known_secret_inside_a_model_stops_its_registration(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that uses a password takes it along when it is pickled; bytes are never altered."""
    monkeypatch.setenv("REPORT_PASSWORD", "Otter-plain-words-9")
    model = {"connect": {"dsn": "ana/Otter-plain-words-9@db"}}

    with pytest.raises(SecretFoundError) as caught:
        registry.register("churn", model)

    assert "known-value" in caught.value.message
    assert "Otter" not in caught.value.line
    assert registry.models() == []
    assert registry.register("churn", model, allow_secrets=True).number == 1


def test_no_secret_that_a_caller_gives_is_written(registry: Registry) -> None:
    """A configuration goes in as it is, with the password that nobody thought of."""
    secret = "hunter2-9fQ1zK"
    registry.register(
        "churn",
        1,
        params={"C": 1, "db": {"password": secret}, "url": f"postgresql://ana:{secret}@db/x"},
        content={"api_token": secret},
        message=f"trained with password={secret}",
        description=f"export API_TOKEN={secret}",
    )
    registry.update("churn@1", content={"again": {"password": secret}}, reason="Test")

    stored = b"".join(path.read_bytes() for path in registry.location.rglob("*") if path.is_file())
    assert secret.encode() not in stored
    assert registry.get("churn@1").params["C"] == 1
    assert "redacted" in registry.get("churn@1").params["db"]["password"]


def test_what_a_model_takes_up_is_its_parts(registry: Registry) -> None:
    """A small model that shares a part with a large one is not as large as that."""
    large = b"x" * 100_000
    registry.register("large", {"a": 1}, artifacts={"more": large})
    registry.register("small", {"a": 2}, artifacts={"more": large})
    usage = {each.model: each for each in registry.du().models}
    assert usage["small"].size > 100_000 > usage["small"].own > 0


def test_rows_that_lead_elsewhere_are_damage(registry: Registry) -> None:
    """A pinned reference means that version or nothing, whatever somebody wrote into the journal."""
    good, evil = registry.register("m", "good"), registry.register("m", "evil")
    database = registry._desk.model("m")
    with database.transaction("edited", by=registry.actor):
        database.table("ids").update({"number": 2}, doc_ids=[good.id])

    with pytest.raises(JournalError):
        registry.load(f"m@sha256:{good.id}")
    assert registry.load(f"m@sha256:{evil.id}") == "evil"
    assert [each.code for each in registry.verify().problems] == ["rows-disagree"]


def test_purge_touches_only_what_nbreg_made(registry: Registry, tmp_path: Path) -> None:
    """An unpacked registry may hold links, and somebody may keep a file of theirs beside the objects."""
    registry.register("m", 1)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for name in ("a" * 62, "12-0123456789ab", "notes.txt"):
        (theirs / name).write_text("precious")
    (registry.location / "objects" / "00").symlink_to(theirs, target_is_directory=True)
    (registry.location / "tmp" / "notes.txt").write_text("precious")
    (registry.location / "objects" / "README").write_text("precious")
    (registry.location / "tmp" / "12-0123456789ab").write_text("left")

    report = registry.purge(dry_run=False)

    assert [Path(each.path).name for each in report.leftovers] == ["12-0123456789ab"]
    assert len(list(theirs.iterdir())) == 3
    assert (registry.location / "tmp" / "notes.txt").exists()


def test_what_is_restored_while_purge_looks_keeps_its_bytes(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Purge decides again under the lock, and never leaves a live version without bytes."""
    registry.register("m", 1)
    registry.delete("m@1", "Test")
    doomed = purging._doomed

    def restored_meanwhile(*args: Any) -> Any:
        found = list(doomed(*args))
        Registry(registry.location).restore("m@1")
        return found

    monkeypatch.setattr(purging, "_doomed", restored_meanwhile)
    assert registry.purge(dry_run=False, older_than=0).versions == []
    assert registry.load("m@1") == 1
    assert registry.verify().ok


def test_reasons_messages_and_tags_of_any_verb_hold_no_secret(registry: Registry) -> None:
    """What is typed in a hurry stays in the journal for ever."""
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    said = {"reason": f"token {secret}", "message": f"use {secret}"}
    registry.register("m", 1, tags=[secret])
    registry.promote("m@1", "production", **said)
    registry.set_alias("m@1", "champion", **said)
    registry.update("m@1", tags=[secret], **said)
    registry.drop_alias("m", "champion", **said)
    registry.retire("m@1", **said)
    registry.delete("m@1", include_protected=True, **said)
    registry.restore("m@1", **said)

    stored = b"".join(path.read_bytes() for path in registry.location.rglob("*") if path.is_file())
    assert secret.encode() not in stored
    assert b"redacted" in stored


def test_a_stage_of_several_goes_to_who_is_still_there(registry: Registry) -> None:
    """Also after a rollback that cut the way back short."""
    for n in (1, 2, 3):
        registry.register("m", n)
        registry.promote(f"m@{n}", "staging")
    registry.rollback("m", "staging", to="m@1")
    registry.promote("m@1", "production")

    assert registry.get("m@staging").number == 2


def test_what_was_in_production_then_is_told_though_it_was_deleted_since(tmp_path: Path) -> None:
    """The auditor's question outlives the version."""
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    registry = Registry(tmp_path / "r", clock=lambda: clock[0])
    version = registry.register("m", 1, stage="production")
    clock[0] = datetime(2026, 2, 1, tzinfo=UTC)
    registry.delete(version, "Wrong", include_protected=True)
    clock[0] = datetime(2026, 3, 1, tzinfo=UTC)

    assert registry.get("m@production@2026-01-15").number == 1
    with pytest.raises(UnknownVersionError):
        registry.get("m@1@2026-02-15")


def test_heads_are_expected_as_they_are_told(registry: Registry) -> None:
    """What verify prints can be given back to it, whole or one by one."""
    registry.register("m", 1)
    heads = registry.verify().heads
    assert registry.verify(expect=heads).ok
    assert registry.verify(expect=heads["m"].hash).ok
    assert not registry.verify(expect="0" * 64).ok


def test_bytes_may_be_kept_for_ever(tmp_path: Path) -> None:
    """Infinitely many days are no overflow."""
    registry = Registry(tmp_path / "r", settings=Settings(retention_days=float("inf")))
    registry.register("m", 1)
    registry.delete("m@1", "Test")
    assert registry.purge(dry_run=False).versions == []
    assert registry.purge(older_than=1e12).versions == []


def test_versions_are_sorted_by_name_as_versions(registry: Registry) -> None:
    """1.9.0 comes before 1.10.0, and words after both."""
    for name in ("1.10.0", "gold", "1.9.0", "1.10.0-rc1"):
        registry.register("m", name, version=name)
    names = [version.name for version in registry.versions("m", sort="name")]
    assert names == ["1.9.0", "1.10.0-rc1", "1.10.0", "gold"]


def test_a_registry_has_the_stages_that_were_chosen_for_it(tmp_path: Path) -> None:
    """A team that tests before it stages says so once, and everybody's references and moves know it."""
    registry = Registry(tmp_path / "r")
    registry.init(stages=["none", "testing", "staging", "production", "archived"])
    registry.register("churn", 1)
    registry.promote("churn@1")
    again = Registry(tmp_path / "r")
    assert again.get("churn@testing").number == 1
    assert [again.promote("churn@1").stage, again.promote("churn@1", "production").stage] == [
        "staging",
        "production",
    ]
    with pytest.raises(BadNameError, match="reserved"):
        again.register("churn", 2, version="testing")
    with pytest.raises(UnknownStageError):
        again.promote("churn@1", "candidate")
    assert again.verify().ok

    again.init(stages=again.stages)
    with pytest.raises(ConflictError, match="before it has a model"):
        again.init(stages=["none", "production", "archived"])
    assert again.stages == ["none", "testing", "staging", "production", "archived"]


@pytest.mark.parametrize(
    "stages",
    [
        [], "none", ["none", "production"], ["production", "none", "archived"],
        ["none", "1", "production", "archived"], ["none", "latest", "production", "archived"],
        ["none", "production", "production", "archived"], ["none", "a b", "production", "archived"], [1, 2, 3],
    ],
)  # fmt: skip
def test_stages_that_could_not_be_used_make_no_registry(tmp_path: Path, stages: Any) -> None:
    """A mistake is found before there is a folder."""
    with pytest.raises(BadInputError):
        Registry(tmp_path / "r").init(stages=stages)
    assert not (tmp_path / "r").exists()
