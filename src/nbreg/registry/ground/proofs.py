"""The proofs of versions, as rows: which there are, which are missing, and the objects that they need."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path
from typing import Final

from nbreg.records import Evidence, VersionRow
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.store.tiny import JournalDB

TABLE: Final = "evidence"


def row_id(number: int) -> str:
    """Where a version's latest proof stands."""
    return f"{number}/proof"


def proof_of(entry: Entry) -> Evidence | None:
    """The latest proof of a version."""
    return entry.database.row(TABLE, row_id(entry.number), Evidence)


def unproven(desk: Desk) -> Iterator[Entry]:
    """Versions that nobody has tried to prove, newest first in each model; deleted ones are left alone."""
    for row in desk.models():
        database = desk.model(row.name)
        known = set(database.ids(TABLE))
        for number in range(row.next_number - 1, 0, -1):
            if row_id(number) in known:
                continue
            version = database.row("versions", number, VersionRow)
            if version is not None and version.deleted is None and not version.purged:
                yield Entry(row.name, database, version)


def objects_of(
    desk: Desk, database: JournalDB, *, without: Container[tuple[Path, int]] = ()
) -> Iterator[str]:
    """The objects that a model's evidence needs, of those versions that keep their bytes."""
    for key in database.ids(TABLE):
        evidence = database.row(TABLE, key, Evidence)
        version = database.row("versions", key.partition("/")[0], VersionRow)
        if evidence is None or not evidence.bundle or version is None or version.purged:
            continue
        if (database.journal.path, version.number) not in without:
            index = desk.folder.blobs.index(evidence.bundle)
            yield from (evidence.bundle, *index.elsewhere.values(), *index.large)
