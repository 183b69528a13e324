"""What can happen to journals and objects: each is named, and nothing else is lost."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from damages import SETTINGS, fresh, journal, others_are_well, problems

from nbreg import NbregError, Registry
from nbreg.errors import DamagedObjectError, FormatError, JournalError
from nbreg.records import RegistryRow
from nbreg.store.journal import last_line


def test_a_torn_last_line_costs_itself_alone(registry: Registry) -> None:
    """Power cut while a line was written."""
    path = journal(registry)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    path.write_bytes(whole[:-30])
    again = fresh(registry)
    assert again.models()[0].stages == {}
    assert problems(again) == []
    assert again.promote("churn@3", "production").number == 3
    assert [event.seq for event in again.events("churn")] == [4, 3, 2, 1]
    (kept,) = (again.location / "tmp").glob("torn-churn.model-4-*")
    assert kept.read_bytes() == lines[3][:-30]
    assert [(leftover.path, leftover.why) for leftover in again.purge().leftovers] == [
        (str(kept), "cut off a journal, and set aside")
    ]


def test_a_damaged_last_line_is_never_dropped(registry: Registry) -> None:
    """A complete line may be a promotion that was acted upon: a person decides, not the next writer."""
    path = journal(registry)
    whole = bytearray(path.read_bytes())
    whole[-20] ^= 1
    path.write_bytes(whole)
    again = fresh(registry)
    assert again.get("churn@3").load() == {"n": 3}
    assert [row.name for row in again.models()] == ["churn", "other"]
    assert len(again.events("churn")) == 3
    assert len(again.events()) == 4
    for verb in (
        lambda: again.register("churn", 9),
        lambda: again.promote("churn@1", "production"),
        lambda: again.delete("churn@1"),
        lambda: again.set_alias("churn@1", "x"),
        lambda: again.check("churn"),
        lambda: again.purge(dry_run=False),
        again.purge,
    ):
        with pytest.raises(JournalError, match=f"line 4 of {path} does not have the hash"):
            verb()
    assert path.read_bytes() == bytes(whole)
    others_are_well(again)
    assert problems(again) == [("journal-damaged", f"{path}:4")]

    report = again.verify(repair=True)
    assert len(report.repaired) == 1
    kept = Path(report.repaired[0].rpartition(" ")[2])
    assert kept.read_bytes() == bytes(whole).splitlines(keepends=True)[3]
    assert problems(again) == []
    assert again.promote("churn@1", "production").stage == "production"
    with pytest.raises(JournalError, match="no longer has line 4"):
        registry.get("churn@production")  # it was told of the line that was set aside


@pytest.mark.parametrize("line", [1, 2])
def test_a_flipped_byte_in_the_middle_names_its_line(registry: Registry, line: int) -> None:
    """What stands before it is good, what stands after it is not reachable by the chain."""
    path = journal(registry)
    lines = path.read_bytes().splitlines(keepends=True)
    at = sum(map(len, lines[: line - 1])) + 40
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\x00")
    again = fresh(registry)
    assert problems(again) == [("journal-damaged", f"{path}:{line}")]
    with pytest.raises(JournalError, match=f"line {line} of {path}"):
        again.register("churn", 9)
    if line == 1:
        with pytest.raises(JournalError, match=f"line 1 of {path}"):
            again.get("churn@1")
    else:
        assert again.get("churn@latest").number == 1
    others_are_well(again)
    with pytest.raises(JournalError, match=f"line {line} of {path} was changed after it was written"):
        registry.events("churn")


@pytest.mark.parametrize("how", ["shrunk", "replaced", "gone", "emptied"])
def test_a_journal_changed_under_an_open_reader_is_an_error(registry: Registry, how: str) -> None:
    """What was told stays true, or it is said that it cannot be."""
    path = journal(registry)
    version = registry.get("churn@3")
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    if how == "shrunk":
        os.truncate(path, len(b"".join(lines[:2])))
    elif how == "emptied":
        path.write_bytes(b"")
    elif how == "gone":
        path.unlink()
    else:
        shutil.copyfile(journal(registry, "other"), path.with_name("copy"))
        path.with_name("copy").rename(path)
    for verb in (
        lambda: version.stage,
        lambda: registry.get("churn@1"),
        lambda: registry.promote("churn@1", "production"),
    ):
        with pytest.raises(JournalError, match=str(path)):
            verb()
    others_are_well(registry)


def test_a_registry_whose_own_journal_is_damaged_says_so(registry: Registry) -> None:
    """Not: there is no registry here, shall I make one?"""
    path = registry.location / "registry.jsonl"
    path.write_bytes(b"x" * 50 + b"\n")
    for verb in (lambda r: r.get("churn@1"), lambda r: r.register("churn", 9), lambda r: r.stages):
        with pytest.raises(JournalError, match=f"line 1 of {path}"):
            verb(fresh(registry))
    assert ("journal-damaged", f"{path}:1") in problems(fresh(registry))


def test_a_newer_format_is_refused_by_every_verb(registry: Registry) -> None:
    """An old kernel must not write into what it does not understand, nor read it wrongly."""
    own = registry._desk.folder._own
    with own.transaction("upgraded", by=registry._desk.actor):
        row = own.row("registry", "registry", RegistryRow)
        assert row
        doc = {"format": 2, "id": row.id, "created": row.created, "lifecycle": "of another shape"}
        own.table("registry").put("registry", doc)  # type: ignore[attr-defined]
    before = {path: path.read_bytes() for path in registry.location.rglob("*") if path.is_file()}
    for each in (registry, fresh(registry)):
        for verb in (
            lambda r: r.get("churn@1"), lambda r: r.load("churn@1"), lambda r: r.versions("churn"),
            lambda r: r.models(), lambda r: r.events(), lambda r: r.events("churn"), lambda r: r.du(),
            lambda r: r.register("churn", 9), lambda r: r.check("churn"), lambda r: r.purge(), lambda r: r.id,
            lambda r: r.promote("churn@1", "production"), lambda r: r.rollback("churn"), lambda r: r.verify(),
            lambda r: r.delete("churn@1"), lambda r: r.aliases("churn"), lambda r: r.pin("churn"),
        ):  # fmt: skip
            with pytest.raises(FormatError, match="has format 2") as caught:
                verb(each)
            assert "upgrade" in caught.value.hint
    assert before == {path: path.read_bytes() for path in registry.location.rglob("*") if path.is_file()}


def test_a_clock_that_goes_back_disorders_nothing(tmp_path: Path) -> None:
    """Order is seq; times never go back; as-of still answers."""
    now = [datetime(2026, 5, 1, tzinfo=UTC)]
    registry = Registry(tmp_path / "r", settings=SETTINGS, clock=lambda: now[0])
    registry.register("churn", 1)
    now[0] = datetime(2020, 1, 1, tzinfo=UTC)
    registry.register("churn", 2)
    registry.promote("churn@1", "production")
    now[0] = datetime(2026, 6, 1, tzinfo=UTC)
    registry.promote("churn@2", "production")
    assert [event.at[:10] for event in registry.events("churn")] == ["2026-06-01"] + ["2026-05-01"] * 3
    assert [event.seq for event in registry.events()] == [4, 3, 2, 1]
    assert registry.get("churn@production@2026-05-02").number == 1
    with pytest.raises(NbregError, match="had no version"):
        registry.get("churn@production@2020-06-01")
    assert problems(registry) == []
    line = last_line(journal(registry))
    assert line is not None
    assert ("model", "model") in line.keys


def test_a_flipped_byte_in_an_object_names_the_file(registry: Registry) -> None:
    """The one version cannot be loaded; it says which file to restore; all others can."""
    row = registry.get("churn@2").row
    path = registry._desk.folder.blobs.path(row.bundle)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    at = data.index(b'"format":1')  # in the manifest
    data[at + 3] ^= 1
    path.write_bytes(data)
    again = fresh(registry)
    assert problems(again) == [("object-damaged", "churn@2"), ("object-damaged", str(path))]
    for verb in (
        lambda: again.load("churn@2"),
        lambda: again.load("churn@2", "large"),
        lambda: again.get("churn@2").params,
    ):
        with pytest.raises(DamagedObjectError, match=f"{path}: the part .* is not what its digest says"):
            verb()
    assert again.load("churn@1") == {"n": 1}
    assert again.load("churn@3", "large").read_bytes() == b"l" * 9000
    assert again.get("churn@production").number == 2, "its record is untouched"
    others_are_well(again)


@pytest.mark.parametrize("which", ["bundle", "large"])
def test_a_missing_object_is_named_and_its_neighbours_load(registry: Registry, which: str) -> None:
    """Somebody cleaned up by hand."""
    row = registry.get("churn@2").row
    blobs = registry._desk.folder.blobs
    (large,) = blobs.index(row.bundle).large
    path = blobs.path(row.bundle if which == "bundle" else large)
    path.unlink()
    again = fresh(registry)
    with pytest.raises(DamagedObjectError, match=f"{path} is missing"):
        again.load("churn@2", "large")
    assert again.load("churn@3") == {"n": 3}
    damaged = {where for code, where in problems(again) if code == "object-damaged"}
    assert damaged == ({"churn@2"} if which == "bundle" else {"churn@1", "churn@2", "churn@3"})
    others_are_well(again)
    if which == "large":
        (registry.location.parent / "large").write_bytes(b"l" * 9000)
        again.register("churn", 9, artifacts={"large": registry.location.parent / "large"})
        assert problems(again) == [], "registering the same bytes again mends it"


def test_caches_may_be_deleted(registry: Registry) -> None:
    """Under an open registry, at any time."""
    for _ in range(2):
        shutil.rmtree(registry.location / "objects" / "parts", ignore_errors=True)
        shutil.rmtree(registry.location / "tmp", ignore_errors=True)
        assert registry.register("churn", os.urandom(8)).load()
        assert registry.purge(dry_run=False).leftovers == []
        assert problems(registry) == []
        with journal(registry).open("ab") as file:
            file.write(b"torn")
        shutil.rmtree(registry.location / "tmp", ignore_errors=True)
        assert registry.promote("churn@latest", "staging")


def test_what_a_killed_writer_left_whole_is_kept_by_purge(registry: Registry) -> None:
    """A line that lacks only its LF refers to a bundle: purge may not take it before the line is finished."""
    last = registry.register("churn", "last")
    path = journal(registry)
    path.write_bytes(path.read_bytes()[:-1])
    again = fresh(registry)
    assert again.get("churn").number == 3
    again.purge(dry_run=False, older_than=0)
    assert again.get("churn@latest").id == last.id
    assert again.load("churn@4") == "last"
    assert problems(again) == []


def test_purge_takes_nothing_while_it_cannot_know_what_is_needed(registry: Registry) -> None:
    """A bundle that is away, on a disk that will be back, must find its large parts again."""
    row = registry.get("churn@1").row
    path = registry._desk.folder.blobs.path(row.bundle)
    away = registry.location.parent / "away"
    path.rename(away)
    for number in (2, 3):
        registry.delete(f"churn@{number}", "Test", include_protected=True)
    again = fresh(registry)
    for dry_run in (True, False):
        with pytest.raises(DamagedObjectError, match=f"{path} is missing"):
            again.purge(dry_run=dry_run, older_than=0, include_protected=True, reason="Test")
    away.rename(path)
    assert fresh(registry).load("churn@1", "large").read_bytes() == b"l" * 9000


def test_how_much_there_is_can_be_asked_of_a_damaged_registry(registry: Registry) -> None:
    """Reads go on."""
    before = registry.du()
    with journal(registry).open("ab") as file:
        file.write(b"damage\n")
    assert fresh(registry).du().models == before.models


def test_verify_reports_rows_of_another_shape(registry: Registry) -> None:
    """It never gives up half-way."""
    database = registry._desk.model("churn")
    with database.transaction("edited", by=registry._desk.actor):
        database.table("versions").put("2", {"number": "two"})  # type: ignore[attr-defined]
    report = registry.verify()
    assert [problem.code for problem in report.problems] == ["journal-damaged"]
    assert "versions/2 is no VersionRow" in report.problems[0].message
    assert report.heads.keys() == {"registry", "churn", "other"}
    others_are_well(registry)


def test_what_a_repair_set_aside_is_kept_with_its_bytes_for_the_retention_time(registry: Registry) -> None:
    """A repair that was too quick can be mended: purge does not run after it with a broom."""
    last = registry.register("churn", {"n": 4}).row
    path = journal(registry)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"production", b"prodUction", 1)
    path.write_bytes(b"".join(lines))
    again = fresh(registry)
    (repaired,) = again.verify(repair=True).repaired
    aside = Path(repaired.rpartition(" ")[2])
    assert len(again.versions("churn")) == 3
    assert again.purge(dry_run=False).leftovers == []
    assert aside.read_bytes() == b"".join(lines[3:])
    assert again._desk.folder.blobs.is_whole(last.bundle)
    assert len(again.purge(dry_run=False, older_than=0).leftovers) == 2
    assert not aside.exists()
    assert problems(again) == []


def test_a_row_that_is_no_record_is_one_finding(registry: Registry) -> None:
    """The versions beside it are read like any others: damage to them must not hide behind it."""
    database = registry._desk.model("churn")
    with database.transaction("edited", by=registry._desk.actor):
        database._storage.put("versions", "1", {"number": "one"})
    bundle = registry.get("churn@3").row.bundle
    (registry.location / "objects" / bundle[:2] / bundle[2:]).unlink()

    report = fresh(registry).verify()

    assert {(each.code, each.where) for each in report.problems} == {
        ("journal-damaged", "churn@1"),
        ("object-damaged", "churn@3"),
    }
    assert report.versions == 4
    assert {each.model: each.versions for each in fresh(registry).du().models} == {"churn": 2, "other": 1}
    with pytest.raises(JournalError, match="the row versions/1 is no VersionRow"):
        fresh(registry).purge()
    others_are_well(registry)
