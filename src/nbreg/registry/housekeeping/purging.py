"""Purge: remove bytes that nothing kept refers to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from nbreg.errors import BadInputError, NbregError, option, spelled
from nbreg.names import parse_moment
from nbreg.records import Leftover, Pointer, PurgeReport, VersionRow, timestamp
from nbreg.registry.ground import bookkeeping, parts, proofs
from nbreg.registry.ground.desk import Desk, model_name
from nbreg.registry.ground.given import checked_kind, is_number
from nbreg.registry.housekeeping import ledgerchecks
from nbreg.store.tiny import JournalDB

_SCRAP: Final = re.compile(r"\d+-[0-9a-f]{12}|(?:damaged|torn)-.*")


def purge(
    desk: Desk, *, dry_run: bool, older_than: float | None, include_protected: bool, reason: str
) -> PurgeReport:
    """Remove what nothing kept refers to; see `Registry.purge`."""
    desk.check_admin("a purge")
    checked_kind(reason, str, "the reason")
    if not (older_than is None or is_number(older_than)):
        raise BadInputError(f"{ascii(older_than)[:40]} is no number of days", hint="older_than=7")
    if include_protected and not reason:
        raise BadInputError("purging protected versions needs a reason", hint=option("reason", "…"))
    if older_than is not None and not older_than >= 0:
        raise BadInputError(
            f"{older_than:g} is no number of days from 0 on", hint=spelled("older_than=30", "--older-than 30")
        )
    folder = desk.folder
    if folder.row() is None:
        return PurgeReport(dry_run=dry_run)
    days = desk.settings.retention_days if older_than is None else float(older_than)
    with _alone(desk, dry_run):
        if not dry_run:
            _finish_lines(desk)
        doomed = list(_doomed(desk, days, include_protected))
        if not dry_run:
            doomed = [each for each in doomed if _record_purge(desk, *each, reason)]
        purged = {(database.journal.path, row.number) for database, row in doomed}
        gone = [each for each in desk.folder.runs.ids() if _is_over(desk, each, days)]
        leftovers = list(_leftovers(desk, purged, _set_aside(desk, days), gone))
        decided_before = _days_ago(desk, desk.settings.decision_days)
        leftovers += ledgerchecks.outlived(desk, timestamp(decided_before), dry_run=dry_run)
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


def _alone(desk: Desk, dry_run: bool) -> AbstractContextManager[None]:
    """No registration under way; in a folder that cannot be written, none can be."""
    if dry_run and not all(os.access(path, os.W_OK) for path in (desk.folder.path, desk.folder.scrap)):
        return nullcontext()
    return desk.folder.blobs.alone()


def _doomed(desk: Desk, days: float, include_protected: bool) -> Iterator[tuple[JournalDB, VersionRow]]:
    """Deleted versions whose time is over."""
    until = _days_ago(desk, days)
    for database, row in parts.all_versions(desk):
        if row.deleted is None or row.purged or row.deleted.at > timestamp(until):
            continue
        if row.stages_held and not include_protected:
            continue
        yield database, row


def _record_purge(desk: Desk, database: JournalDB, row: VersionRow, reason: str) -> bool:
    """The line comes first: bytes without a version are leftovers, a version without bytes is a loss.

    False for a version that was restored meanwhile: it keeps its bytes.
    """
    with desk.transaction(database, "purged", reason=reason) as draft:
        row = bookkeeping.version_row(database, row.number, deleted=True)
        if row.deleted is None or row.purged:
            return False
        bookkeeping.note(database, draft, row, bytes=row.size)
        database.put("versions", row.number, msgspec.structs.replace(row, purged=draft.at))
        pointer = database.row("content", row.content_digest, Pointer)
        if pointer is not None and pointer.number == row.number:
            database.put("content", row.content_digest, None)
    return True


def _set_aside(desk: Desk, days: float) -> list[Path]:
    """What a repair cut off a journal lately: somebody may still want what it tells of, and its bytes."""
    until = _days_ago(desk, days).timestamp()
    return [
        path for path in _scrap(desk) if path.name.startswith("damaged-") and path.stat().st_mtime > until
    ]


def _told_of(desk: Desk, path: Path) -> set[str]:
    """The objects of the versions that a cut-off piece of a journal tells of."""
    found: set[str] = set()
    for bundle in re.findall(rb'"bundle":"([0-9a-f]{64})"', path.read_bytes()):
        found.add(bundle.decode())
        with suppress(NbregError):
            index = desk.folder.blobs.index(bundle.decode())
            found |= {*index.elsewhere.values(), *index.large}
    return found


def _is_over(desk: Desk, run_id: str, days: float) -> bool:
    """Whether a run was deleted, and its time is over."""
    deleted = desk.folder.runs.deleted(run_id)
    return deleted is not None and deleted.at <= timestamp(_days_ago(desk, days))


def _of_runs(desk: Desk, gone: list[str]) -> set[str]:
    """The objects that runs logged. Where one of them cannot be read, nothing is purged."""
    blobs = desk.folder.blobs
    spoken_of = {
        bundle
        for run_id in desk.folder.runs.ids()
        if run_id not in gone
        for bundle in desk.folder.runs.bundles(run_id)
    }
    return {
        digest
        for bundle in spoken_of
        if blobs.is_stored(bundle)
        for digest in parts.needed_by_bundle(blobs, bundle)
    }


def _leftovers(
    desk: Desk, purged: set[tuple[Path, int]], kept: list[Path], gone: list[str]
) -> Iterator[Leftover]:
    blobs = desk.folder.blobs
    used = {digest for path in kept for digest in _told_of(desk, path)} | _of_runs(desk, gone)
    for run_id in gone:
        for path in (desk.folder.runs.path(run_id), desk.folder.runs.events_path(run_id)):
            if path.is_file():
                yield Leftover(path=str(path), size=path.stat().st_size, why="the run was deleted")
    for database, row in parts.all_versions(desk):
        if not row.purged and (database.journal.path, row.number) not in purged:
            # What a bundle that cannot be read refers to is not known: then nothing is purged.
            used |= parts.needed(blobs.index(row.bundle), row)
    for _name, database in desk.folder.databases():
        used.update(proofs.objects_of(desk, database, without=purged))
    for digest, path, size in blobs.objects():
        if digest not in used:
            yield Leftover(path=str(path), size=size, why="no version refers to it")
    for path in _scrap(desk):
        if path not in kept:
            cut_off = path.name.startswith(("damaged-", "torn-"))
            why = "cut off a journal, and set aside" if cut_off else "left by a writer that did not finish"
            yield Leftover(path=str(path), size=path.stat().st_size, why=why)


def _scrap(desk: Desk) -> list[Path]:
    """The files that nbreg itself made in `tmp/`; somebody else's, and what a link leads to, stay."""
    folder = desk.folder.scrap
    if folder.is_symlink():
        return []
    mine = (path for path in folder.glob("*") if _SCRAP.fullmatch(path.name))
    return sorted(path for path in mine if path.is_file() and not path.is_symlink())


def _days_ago(desk: Desk, days: float) -> datetime:
    """The moment before which things may go; with infinitely many days, nothing ever may."""
    now = parse_moment(desk.folder.now())
    try:
        return now - timedelta(days=days)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def _remove(desk: Desk, path: Path) -> None:
    if path.parent.parent == desk.folder.objects:
        desk.folder.blobs.forget(path.parent.name + path.name)
    with suppress(FileNotFoundError):
        path.unlink()
