"""What outside belongs to a version: tickets, reports, business cases, by URL or in words.

version.link("https://jira.example.org/browse/CHURN-12", "ticket", title="Retrain for Q3")
version.links        # and on %model's card; version.unlink(1) takes it away
"""

from __future__ import annotations

from pathlib import Path

import pytest

from nbreg import Registry
from nbreg.errors import BadValueError, NotFoundError
from nbreg.settings import Settings

TICKET = "https://jira.example.org/browse/CHURN-12"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry", settings=Settings(capture=False))


def test_a_link_says_what_it_is_who_tied_it_and_when(registry: Registry) -> None:
    """Why a model exists is seldom in its weights."""
    version = registry.register("churn", 1)
    version.link(TICKET, "ticket", title="Retrain for Q3").link(
        "the case for churn, 12 pages", "business case"
    )

    first, second = version.links
    assert (first.id, first.target, first.kind, first.title, first.by) == (
        1,
        TICKET,
        "ticket",
        "Retrain for Q3",
        "ada",
    )
    assert (second.id, second.kind) == (2, "business case")
    event = registry.events("churn")[1]
    assert (event.kind, event.facts["target"], event.at) == ("linked", TICKET, first.at)


def test_linking_the_same_again_writes_nothing_and_another_title_replaces_it(registry: Registry) -> None:
    """Jobs link on each run."""
    version = registry.register("churn", 1).link(TICKET, "ticket")
    version.link(TICKET, "ticket")
    assert len(registry.events("churn")) == 2
    version.link(TICKET, "ticket", title="Done")
    assert [(each.id, each.title) for each in version.links] == [(1, "Done")]


def test_unlinking_is_told_by_the_journal_and_ids_are_not_given_again(registry: Registry) -> None:
    """What once was linked can be asked for later."""
    version = registry.register("churn", 1).link(TICKET).link("report.pdf")
    version.unlink(2, reason="Outdated")
    version.link("report-2.pdf")

    assert [(each.id, each.target) for each in version.links] == [(1, TICKET), (3, "report-2.pdf")]
    assert [each.kind for each in version.events][:2] == ["linked", "unlinked"]
    with pytest.raises(NotFoundError) as gone:
        version.unlink("report.pdf")
    assert TICKET in gone.value.hint


@pytest.mark.parametrize(
    "target", ["", "  ", "https://", "http://a b/", "two\nlines", "x" * 3000, "https://h:99999/"]
)
def test_what_leads_nowhere_is_refused_and_nothing_is_written(registry: Registry, target: str) -> None:
    """A typo in a URL is found by whoever types it."""
    version = registry.register("churn", 1)
    with pytest.raises(BadValueError):
        version.link(target)
    assert len(registry.events("churn")) == 1


def test_credentials_in_a_link_are_never_written(registry: Registry) -> None:
    """URLs are pasted from address bars and connection strings."""
    version = registry.register("churn", 1)
    version.link("https://ada:hunter2secret@reports.example.org/churn")

    assert "reports.example.org/churn" in version.links[0].target
    assert b"hunter2secret" not in (registry.location / "models/churn.model/journal.jsonl").read_bytes()


def test_links_travel_with_the_version(registry: Registry, tmp_path: Path) -> None:
    """A copy, a move, an archive and a merge are the same version, with the same reasons to exist."""
    version = registry.register("churn", 1).link(TICKET, "ticket", title="Q3")
    other = Registry(tmp_path / "other", settings=Settings(capture=False))
    merged = Registry(tmp_path / "merged", settings=Settings(capture=False)).merge(registry)[0]
    copied = registry.copy(version, "eu/churn")
    moved = registry.transfer(copied, "us/churn")
    imported = other.import_(registry.export(version, tmp_path / "churn.nbreg"))
    pulled = registry.pull(version, tmp_path / "pulled")

    for each in (copied, moved, merged, imported):
        assert [(link.target, link.kind, link.title, link.by) for link in each.links] == [
            (TICKET, "ticket", "Q3", "ada")
        ]
    assert TICKET in (pulled / "version.json").read_text()


def test_links_of_a_strangers_archive_are_checked(registry: Registry, tmp_path: Path) -> None:
    """What an archive says is as untrusted as its bytes."""
    import json
    import zipfile

    version = registry.register("churn", 1).link(TICKET)
    archive = registry.export(version, tmp_path / "churn.nbreg")
    evil = tmp_path / "evil.nbreg"
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(evil, "w", zipfile.ZIP_STORED) as target:
        for member in source.infolist():
            data = source.read(member)
            if member.filename == "version.json":
                told = json.loads(data)
                told["links"] = [
                    {"id": 1, "target": "two\nlines"},
                    {"id": "x"},
                    7,
                    *told["links"],
                    *told["links"],
                ]
                data = json.dumps(told).encode()
            target.writestr(member.filename, data)
    imported = Registry(tmp_path / "other").import_(evil)
    assert [each.target for each in imported.links] == [TICKET]
