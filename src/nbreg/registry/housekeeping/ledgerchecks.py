"""The upkeep of the ledger: what `verify` finds in it, and what `purge` may take from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from nbreg.errors import NbregError
from nbreg.records import Leftover, SegmentRow
from nbreg.registry.ground.desk import Desk
from nbreg.store import segments
from nbreg.store.folder import Folder
from nbreg.store.ledger import Ledger

if TYPE_CHECKING:
    from nbreg.registry.housekeeping.verifying import Findings


def look_at(found: Findings, folder: Folder, *, repair: bool) -> None:
    """The seals, and each sealed segment against its own; with `repair`, what is left behind is sealed."""
    book = folder.ledger
    if not book.is_there:
        with suppress(NbregError):  # a registry's own journal that is damaged is told already
            row = folder.row()
            if row is not None and row.ledger:
                found.add("ledger-missing", book.path, f"decisions were written down since {row.ledger}")
        return None
    if repair:
        found.repaired += [f"{each}.jsonl is sealed" for each in _sealed_now(found, book)]
    found.look_at("decisions", book.database, repair=repair, is_model=False)
    if "decisions" not in found.heads:
        return found.add("ledger-missing", book.database.journal.path, "there are decisions, and no seals")
    try:
        for seal in book.rows():
            _segment(found, book, seal)
        known = {f"{each}.jsonl" for each in book.database.ids("segments")}
    except NbregError as error:
        return found.add(error.code, book.path, error.message)
    for path in sorted(book.sealed.glob("*")):
        if path.name not in known:
            found.add("segment-unknown", path, "no line of the journal seals it")
    return None


def _sealed_now(found: Findings, book: Ledger) -> list[str]:
    try:
        return book.seal_left_behind(found.desk.actor)
    except NbregError as error:
        found.add(error.code, book.path, error.message)
        return []


def _segment(found: Findings, book: Ledger, row: SegmentRow) -> None:
    path = book.path_of(row.id)
    if not path.exists():
        if not row.purged:
            found.add("segment-missing", path, f"it was sealed with decisions from {row.first} to {row.last}")
        return None
    data = segments.read(path)
    if sha256(data).hexdigest() != row.digest:
        return found.add("segment-damaged", path, "its bytes are not those that were sealed")
    index = book.index_path(row.id)
    if index.exists() and bytes(segments.read(index)) != segments.spelled(segments.indexed(data), row.digest):
        found.add("index-damaged", index, "it is not the index of its segment; it may be deleted")
    return None


def outlived(desk: Desk, until: str, *, dry_run: bool) -> list[Leftover]:
    """The sealed segments whose last decision is older, told in the journal before they go."""
    book = desk.folder.ledger
    if not book.is_there:
        return []
    if not dry_run:
        book.seal_left_behind(desk.actor)
    found: list[Leftover] = []
    for row in book.rows():
        if not row.purged and (row.last or until) >= until:
            continue
        if not dry_run and not row.purged:
            book.purge(row.id, desk.actor, "DecisionDays")
        found += _files(book, row.id)
    return found


def _files(book: Ledger, segment: str) -> Iterator[Leftover]:
    paths: list[Path] = [book.path_of(segment), book.index_path(segment)]
    for path in paths:
        if path.exists():
            yield Leftover(
                path=str(path), size=path.stat().st_size, why="decisions that were kept long enough"
            )
