"""Journals to try things on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbreg.records import Actor
from nbreg.store.journal import Unsealed, seal
from nbreg.store.tiny import JournalDB

ADA = Actor(user="ada")


def opened(folder: Path, **options: Any) -> JournalDB:
    folder.mkdir(exist_ok=True)
    return JournalDB(folder / "journal.jsonl", scrap=folder / "tmp", **options)


def write(database: JournalDB, table: str, row_id: str, doc: dict[str, Any] | None, **facts: Any) -> None:
    with database.transaction("edited", by=ADA) as draft:
        draft.facts.update(facts)
        database.table(table).put(row_id, doc)  # type: ignore[attr-defined]


def rows(database: JournalDB, table: str) -> dict[str, dict[str, Any]]:
    return {each.doc_id: dict(each) for each in database.refresh().table(table)}


def text(database: JournalDB) -> bytes:
    return database.journal.path.read_bytes()


def append_raw(database: JournalDB, **fields: Any) -> None:
    """A line as a program could write it that knows how to hash, and nothing else of nbreg."""
    database.refresh()
    given = {
        "seq": len(database.journal) + 1, "at": "2026-01-01T00:00:00.000000Z", "by": ADA, "kind": "edited",
        "keys": [], "docs": [], "prev": database.journal.head.hash,
    }  # fmt: skip
    with database.journal.path.open("ab") as file:
        file.write(seal(Unsealed(**{**given, **fields})))
