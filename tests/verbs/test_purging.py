"""Purge takes bytes that nothing kept refers to, and nothing else; what a model takes up is told rightly."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from versions import Clock, three

from nbreg import Registry
from nbreg.errors import BadInputError, UnknownArtifactError, UnknownVersionError
from nbreg.registry.housekeeping import purging
from nbreg.settings import Settings


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


def test_what_a_model_takes_up_is_its_parts(registry: Registry) -> None:
    """A small model that shares a part with a large one is not as large as that."""
    large = b"x" * 100_000
    registry.register("large", {"a": 1}, artifacts={"more": large})
    registry.register("small", {"a": 2}, artifacts={"more": large})
    usage = {each.model: each for each in registry.du().models}
    assert usage["small"].size > 100_000 > usage["small"].own > 0


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


def test_bytes_may_be_kept_for_ever(tmp_path: Path) -> None:
    """Infinitely many days are no overflow."""
    registry = Registry(tmp_path / "r", settings=Settings(retention_days=float("inf")))
    registry.register("m", 1)
    registry.delete("m@1", "Test")
    assert registry.purge(dry_run=False).versions == []
    assert registry.purge(older_than=1e12).versions == []
