"""How long decisions are kept, and where they do not go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from answers import finish, lines, requests, sealed
from deciders import SMALL, decide

from nbreg import ModelVersion, Registry
from nbreg.records import SegmentRow
from nbreg.settings import Settings


def test_decisions_are_kept_for_ever_unless_somebody_says_otherwise(
    registry: Registry, version: ModelVersion
) -> None:
    """`purge` of a registry does not take the evidence along; `du` says what it costs."""
    decide(version, 100)
    finish(registry)
    assert registry.purge(dry_run=False, older_than=0).leftovers == []
    assert requests(registry, range(1)) == [["0"]]
    on_disk = sum(path.stat().st_size for path in (registry.location / "decisions").rglob("*.*"))
    assert on_disk <= registry.du().decisions <= on_disk + 32


def test_a_policy_s_time_is_kept(registry: Registry, version: ModelVersion) -> None:
    """After the days that a law or a contract sets, segments go, told by a line; later ones stay."""
    decide(version, 100)
    finish(registry)
    requests(registry, range(1))
    later = datetime.now(UTC) + timedelta(days=400)
    settings = Settings(capture=False, segment_bytes=4096, decision_days=365)
    old = Registry(registry.location, settings=settings, clock=lambda: later)
    version.predict([[7, 7]], request="new")

    planned = old.purge()
    assert {Path(each.path).parent.name for each in planned.leftovers} == {"sealed", "index"}
    assert len(sealed(registry)) > 1
    old.purge(dry_run=False)

    assert sealed(registry) == []
    assert [line["kind"] for line in lines(registry)].count("purged") == len(planned.leftovers) / 2
    assert registry.verify().ok
    assert [each.request for each in registry.who_decided([[7, 7]])[0]] == ["new"]
    assert registry.who_decided([[0, 1]]).rows == [[]]


def test_a_seal_s_name_leads_nowhere_else(registry: Registry, version: ModelVersion, tmp_path: Path) -> None:
    """A registry that somebody sent must not make `purge` remove, or a search read, a file of this user's."""
    decide(version, 1)
    (tmp_path / "precious.jsonl").write_text("precious")
    book = registry._desk.folder.ledger
    hostile = SegmentRow(
        id="../../../precious", digest="0" * 64, size=8, first="2020", last="2020", answers=1
    )
    with book.database.transaction("sealed", by=registry.actor):
        book.database.put("segments", hostile.id, hostile)
        book.database.put("segments", "0" * 32, hostile)
    settings = Settings(capture=False, decision_days=0)

    Registry(registry.location, settings=settings).purge(dry_run=False)

    assert (tmp_path / "precious.jsonl").read_text() == "precious"
    assert requests(registry, range(1)) == [["0"]]


def test_decisions_do_not_travel(registry: Registry, version: ModelVersion, tmp_path: Path) -> None:
    """They are facts about this registry's traffic: an archive and a merge leave them and the key here."""
    decide(version, 1)
    registry.export("sum@1", tmp_path / "sum.nbreg")
    other = Registry(tmp_path / "other", settings=SMALL)
    other.import_(tmp_path / "sum.nbreg")
    merged = Registry(tmp_path / "merged", settings=SMALL)
    merged.merge(registry)

    for each in (other, merged):
        assert not (each.location / "decisions").exists()
        assert each.who_decided([[0, 1]]).rows == [[]]


def test_git_does_not_take_decisions_in(registry: Registry, version: ModelVersion) -> None:
    """A registry in git carries neither the key nor a file that grows with every request."""
    registry.init(git=True)

    assert "decisions/" in (registry.location / ".gitignore").read_text().splitlines()
