"""Delete, restore, purge, and what it all takes up."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path

import msgspec

from nbreg.errors import BadInputError, NbregError, ReadOnlyError, UnknownArtifactError, VersionInUseError
from nbreg.names import parse_moment
from nbreg.records import (
    Deletion,
    Leftover,
    ModelRow,
    ModelUsage,
    Pointer,
    PurgeReport,
    Usage,
    VersionRow,
    timestamp,
)
from nbreg.registry import bookkeeping, reading
from nbreg.registry.desk import Desk, Entry, model_name
from nbreg.store.blobs import BundleIndex
from nbreg.store.folder import MODEL_ROW
from nbreg.store.tiny import JournalDB


def delete(desk: Desk, ref: str, *, reason: str, message: str, include_protected: bool) -> Entry:
    """Hide a version; see `Registry.delete`."""
    entry = reading.to_write(desk, ref, deleted=True)
    if entry.row.deleted is not None:
        return entry
    _refuse_protected(desk, entry, entry.row, include_protected, reason)
    desk.ready()
    database = entry.database
    with desk.transaction(database, "deleted", reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, entry.number)
        _refuse_protected(desk, entry, row, include_protected, reason)
        bookkeeping.note(database, draft, row)
        for alias in entry.aliases:
            database.put("aliases", alias, None)
        row = bookkeeping.leave(database, draft, desk.lifecycle, row)
        gone = Deletion(at=draft.at, by=desk.actor.user, reason=reason)
        database.put("versions", row.number, msgspec.structs.replace(row, deleted=gone))
        _count(database, row.number, -1)
    return entry


def _refuse_protected(
    desk: Desk, entry: Entry, row: VersionRow, include_protected: bool, reason: str
) -> None:
    why = ""
    if row.stage not in (desk.stages[0], desk.stages[-1]):
        why = f"is in {row.stage}"
    elif row.stages_held:
        why = f"was in {row.stages_held[0]}"
    elif aliases := entry.aliases:
        why = f"has the alias {aliases[0]!r}"
    if why and not (include_protected and reason):
        raise VersionInUseError(
            f"{entry.ref} {why}", hint="to delete it all the same: include_protected=True and a reason"
        )


def restore(desk: Desk, ref: str, *, reason: str, message: str) -> Entry:
    """Bring a version back; see `Registry.restore`."""
    entry = reading.to_write(desk, ref, deleted=True)
    desk.ready()
    database = entry.database
    with desk.transaction(database, "restored", reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, entry.number, deleted=True)
        if row.deleted is None:
            return entry
        if row.purged:
            raise UnknownArtifactError(
                f"the bytes of {entry.ref} were purged", hint="its record is all that is left"
            )
        bookkeeping.note(database, draft, row)
        # It comes back out of use: who took its stage meanwhile keeps it.
        stage = desk.stages[0] if row.stage == desk.stages[0] else desk.stages[-1]
        database.put("versions", row.number, msgspec.structs.replace(row, deleted=None, stage=stage))
        if database.row("content", row.content_digest, Pointer) is None:
            database.put("content", row.content_digest, Pointer(number=row.number))
        _count(database, row.number, +1)
    return entry


def _count(database: JournalDB, number: int, step: int) -> None:
    model = database.row(*MODEL_ROW, ModelRow)
    assert model is not None
    bookkeeping.change(database, versions=model.versions + step, deleted=model.deleted - step)
    if step > 0 or number in (model.latest, model.highest_number):
        bookkeeping.recount(database)


# purge


def purge(
    desk: Desk, *, dry_run: bool, older_than: float | None, include_protected: bool, reason: str
) -> PurgeReport:
    """Remove what nothing kept refers to; see `Registry.purge`."""
    if include_protected and not reason:
        raise BadInputError("purging protected versions needs a reason", hint="reason='…'")
    folder = desk.folder
    if folder.row() is None:
        return PurgeReport(dry_run=dry_run)
    days = desk.settings.retention_days if older_than is None else older_than
    with _alone(desk, dry_run):
        if not dry_run:
            _finish_lines(desk)
        doomed = list(_doomed(desk, days, include_protected))
        if not dry_run:
            for database, row in doomed:
                _record_purge(desk, database, row, reason)
        purged = {(database.journal.path, row.number) for database, row in doomed}
        leftovers = list(_leftovers(desk, purged, _set_aside(desk, days)))
        if not dry_run:
            for leftover in leftovers:
                _remove(desk, Path(leftover.path))
    names = [f"{model_name(database)}@{row.number}" for database, row in doomed]
    return PurgeReport(dry_run=dry_run, leftovers=leftovers, versions=names)


def _finish_lines(desk: Desk) -> None:
    """What a killed writer left at the end of a journal may be a whole line, and refer to objects."""
    for _name, database in desk.folder.databases():
        if database.refresh().journal.has_tail:
            with database.journal.locked():
                pass


@contextmanager
def _alone(desk: Desk, dry_run: bool) -> Iterator[None]:
    """No registration under way; in a folder that cannot be written, none can be."""
    if dry_run and not os.access(desk.folder.path, os.W_OK):
        with nullcontext():
            yield
        return
    try:
        with desk.folder.blobs.alone():
            yield
    except ReadOnlyError:
        if not dry_run:
            raise
        yield


def _doomed(desk: Desk, days: float, include_protected: bool) -> Iterator[tuple[JournalDB, VersionRow]]:
    """Deleted versions whose time is over."""
    now = parse_moment(desk.folder.now())
    until = timestamp(now - timedelta(days=days))
    for database, row in _all_versions(desk):
        if row.deleted is None or row.purged or row.deleted.at > until:
            continue
        if row.stages_held and not include_protected:
            continue
        yield database, row


def _all_versions(desk: Desk, *, whole: bool = True) -> Iterator[tuple[JournalDB, VersionRow]]:
    for name, database in desk.folder.databases():
        if not name:
            continue
        if (damage := database.refresh().journal.damage) and whole:
            raise damage.error()  # what a damaged journal refers to is not known
        for number in database.ids("versions"):
            row = database.row("versions", number, VersionRow)
            if row is not None:
                yield database, row


def _record_purge(desk: Desk, database: JournalDB, row: VersionRow, reason: str) -> None:
    """The line comes first: bytes without a version are leftovers, a version without bytes is a loss."""
    with desk.transaction(database, "purged", reason=reason) as draft:
        row = bookkeeping.version_row(database, row.number, deleted=True)
        bookkeeping.note(database, draft, row, bytes=row.size)
        database.put("versions", row.number, msgspec.structs.replace(row, purged=draft.at))
        pointer = database.row("content", row.content_digest, Pointer)
        if pointer is not None and pointer.number == row.number:
            database.put("content", row.content_digest, None)


def _set_aside(desk: Desk, days: float) -> list[Path]:
    """What a repair cut off a journal lately: somebody may still want what it tells of, and its bytes."""
    until = (parse_moment(desk.folder.now()) - timedelta(days=days)).timestamp()
    return [path for path in desk.folder.scrap.glob("damaged-*") if path.stat().st_mtime > until]


def _told_of(desk: Desk, path: Path) -> set[str]:
    """The objects of the versions that a cut-off piece of a journal tells of."""
    found: set[str] = set()
    for bundle in re.findall(rb'"bundle":"([0-9a-f]{64})"', path.read_bytes()):
        found.add(bundle.decode())
        with suppress(NbregError):
            index = desk.folder.blobs.index(bundle.decode())
            found |= {*index.elsewhere.values(), *index.large}
    return found


def _leftovers(desk: Desk, purged: set[tuple[Path, int]], kept: list[Path]) -> Iterator[Leftover]:
    blobs = desk.folder.blobs
    used = {digest for path in kept for digest in _told_of(desk, path)}
    for database, row in _all_versions(desk):
        if not row.purged and (database.journal.path, row.number) not in purged:
            # What a bundle that cannot be read refers to is not known: then nothing is purged.
            used |= _needed(blobs.index(row.bundle), row)
    for digest, path, size in blobs.objects():
        if digest not in used:
            yield Leftover(path=str(path), size=size, why="no version refers to it")
    for path in sorted(set(desk.folder.scrap.glob("*")) - set(kept)):
        if path.is_file() and not path.name.startswith(("damaged-", "torn-")):
            yield Leftover(
                path=str(path), size=path.stat().st_size, why="left by a writer that did not finish"
            )
        elif path.is_file():
            yield Leftover(path=str(path), size=path.stat().st_size, why="cut off a journal, and set aside")


def references(desk: Desk, row: VersionRow) -> set[str]:
    """The objects that a version needs: its bundle, the bundles of shared parts, large parts.

    A bundle that cannot be read refers to nothing that could be known; it stays itself.
    """
    blobs = desk.folder.blobs
    with suppress(NbregError):
        return _needed(blobs.index(row.bundle), row)
    return {row.bundle}


def _needed(index: BundleIndex, row: VersionRow) -> set[str]:
    return {row.bundle, *index.elsewhere.values(), *index.large}


def _remove(desk: Desk, path: Path) -> None:
    if path.parent.parent == desk.folder.objects:
        desk.folder.blobs.forget(path.parent.name + path.name)
    with suppress(FileNotFoundError):
        path.unlink()


# usage


def du(desk: Desk) -> Usage:
    """What the registry takes up; see `Registry.du`."""
    sizes = {digest: size for digest, _path, size in desk.folder.blobs.objects()}
    needed: set[str] = set()
    parts: dict[str, dict[str, int]] = {}
    counts: Counter[str] = Counter()
    for database, row in _all_versions(desk, whole=False):
        model = model_name(database)
        counts[model] += 1
        mine = parts.setdefault(model, {})
        if not row.purged:
            needed |= references(desk, row)
            mine |= _parts(desk, row)
    sharers = Counter(digest for mine in parts.values() for digest in mine)
    models = [
        ModelUsage(
            model=model,
            versions=counts[model],
            size=sum(mine.values()),
            own=sum(size for digest, size in mine.items() if sharers[digest] == 1),
        )
        for model, mine in sorted(parts.items())
    ]
    journals = [desk.folder.path / "registry.jsonl", *(path for _, path in desk.folder.journals())]
    return Usage(
        models=models,
        objects=len(sizes),
        size=sum(sizes.values()),
        journals=sum(path.stat().st_size for path in journals if path.exists()),
        unreferenced=sum(size for digest, size in sizes.items() if digest not in needed),
    )


def _parts(desk: Desk, row: VersionRow) -> dict[str, int]:
    """The parts that a version is made of, wherever they stand, with their sizes; those that can be found."""
    blobs = desk.folder.blobs
    with suppress(NbregError):
        index = blobs.index(row.bundle)
        found = {digest: size for digest, (_, size) in index.parts.items()} | index.large
        for digest, home in index.elsewhere.items():
            with suppress(NbregError, KeyError):
                found[digest] = blobs.index(home).parts[digest][1]
        return found
    return {}
