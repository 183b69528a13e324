"""A reference means one version, now and as of then, or says what is near."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from versions import Clock, lines, three

from nbreg import Registry
from nbreg.errors import (
    BadReferenceError,
    NotPinnedError,
    UnknownModelError,
    UnknownStageError,
    UnknownVersionError,
)
from nbreg.settings import Settings


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
