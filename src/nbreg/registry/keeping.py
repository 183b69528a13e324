"""Delete, restore, purge, and what it all takes up."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from nbreg.errors import BadInputError, NbregError, ReadOnlyError, VersionInUseError
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
from nbreg.registry.moving import note
from nbreg.registry.version import ModelVersion
from nbreg.store.folder import MODEL_ROW
from nbreg.store.tiny import JournalDB

if TYPE_CHECKING:
    from nbreg.registry.core import Registry

Reference = str | ModelVersion


def delete(
    registry: Registry, ref: Reference, *, reason: str, message: str, include_protected: bool
) -> ModelVersion:
    """Hide a version; see `Registry.delete`."""
    version = reading.to_write(registry, ref, deleted=True)
    if version.deleted is not None:
        return version
    _refuse_protected(registry, version, version.row, include_protected, reason)
    registry._folder.ready(registry.actor)
    database = registry._model(version.model)
    with database.transaction("deleted", by=registry.actor, reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, version.number)
        _refuse_protected(registry, version, row, include_protected, reason)
        note(draft, row)
        bookkeeping.brief(database, draft)
        for alias in version.aliases:
            database.put("aliases", alias, None)
        row = bookkeeping.leave(database, draft, registry.lifecycle, row)
        gone = Deletion(at=draft.at, by=registry.actor.user, reason=reason)
        database.put("versions", row.number, msgspec.structs.replace(row, deleted=gone))
        _count(database, row.number, -1)
    return version


def _refuse_protected(
    registry: Registry, version: ModelVersion, row: VersionRow, include_protected: bool, reason: str
) -> None:
    why = ""
    if row.stage not in (registry.stages[0], registry.stages[-1]):
        why = f"is in {row.stage}"
    elif row.stages_held:
        why = f"was in {row.stages_held[0]}"
    elif aliases := version.aliases:
        why = f"has the alias {aliases[0]!r}"
    if why and not (include_protected and reason):
        raise VersionInUseError(
            f"{version.ref} {why}", hint="to delete it all the same: include_protected=True and a reason"
        )


def restore(registry: Registry, ref: Reference, *, reason: str, message: str) -> ModelVersion:
    """Bring a version back; see `Registry.restore`."""
    version = reading.to_write(registry, ref, deleted=True)
    registry._folder.ready(registry.actor)
    database = registry._model(version.model)
    with database.transaction("restored", by=registry.actor, reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, version.number, deleted=True)
        if row.deleted is None:
            return version
        note(draft, row)
        bookkeeping.brief(database, draft)
        # It comes back out of use: who took its stage meanwhile keeps it.
        stage = registry.stages[0] if row.stage == registry.stages[0] else registry.stages[-1]
        database.put("versions", row.number, msgspec.structs.replace(row, deleted=None, stage=stage))
        if not row.purged and database.row("content", row.content_digest, Pointer) is None:
            database.put("content", row.content_digest, Pointer(number=row.number))
        _count(database, row.number, +1)
    return version


def _count(database: JournalDB, number: int, step: int) -> None:
    model = database.row(*MODEL_ROW, ModelRow)
    assert model is not None
    bookkeeping.change(database, versions=model.versions + step, deleted=model.deleted - step)
    if step > 0 or number in (model.latest, model.highest_number):
        bookkeeping.recount(database)


# purge


def purge(
    registry: Registry, *, dry_run: bool, older_than: float | None, include_protected: bool, reason: str
) -> PurgeReport:
    """Remove what nothing kept refers to; see `Registry.purge`."""
    if include_protected and not reason:
        raise BadInputError("purging protected versions needs a reason", hint="reason='…'")
    folder = registry._folder
    if folder.row() is None:
        return PurgeReport(dry_run=dry_run)
    days = registry.settings.retention_days if older_than is None else older_than
    with _alone(registry, dry_run):
        if not dry_run:
            _finish_lines(registry)
        doomed = list(_doomed(registry, days, include_protected))
        if not dry_run:
            for database, row in doomed:
                _record_purge(registry, database, row, reason)
        purged = {(database.journal.path, row.number) for database, row in doomed}
        leftovers = list(_leftovers(registry, purged))
        if not dry_run:
            for leftover in leftovers:
                _remove(registry, Path(leftover.path))
    names = [f"{_model_name(database)}@{row.number}" for database, row in doomed]
    return PurgeReport(dry_run=dry_run, leftovers=leftovers, versions=names)


def _finish_lines(registry: Registry) -> None:
    """What a killed writer left at the end of a journal may be a whole line, and refer to objects."""
    for _name, database in registry._folder.databases():
        if database.refresh().journal.has_tail:
            with database.journal.locked():
                pass


@contextmanager
def _alone(registry: Registry, dry_run: bool) -> Iterator[None]:
    """No registration under way; in a folder that cannot be written, none can be."""
    if dry_run and not os.access(registry.location, os.W_OK):
        with nullcontext():
            yield
        return
    try:
        with registry._folder.blobs.alone():
            yield
    except ReadOnlyError:
        if not dry_run:
            raise
        yield


def _doomed(
    registry: Registry, days: float, include_protected: bool
) -> Iterator[tuple[JournalDB, VersionRow]]:
    """Deleted versions whose time is over."""
    now = parse_moment(registry._folder.now())
    until = timestamp(now - timedelta(days=days))
    for database, row in _all_versions(registry):
        if row.deleted is None or row.purged or row.deleted.at > until:
            continue
        if row.stages_held and not include_protected:
            continue
        yield database, row


def _all_versions(registry: Registry) -> Iterator[tuple[JournalDB, VersionRow]]:
    for name, database in registry._folder.databases():
        if not name:
            continue
        if damage := database.refresh().journal.damage:
            raise damage.error()  # what a damaged journal refers to is not known
        for number in database.ids("versions"):
            row = database.row("versions", number, VersionRow)
            if row is not None:
                yield database, row


def _record_purge(registry: Registry, database: JournalDB, row: VersionRow, reason: str) -> None:
    """The line comes first: bytes without a version are leftovers, a version without bytes is a loss."""
    with database.transaction("purged", by=registry.actor, reason=reason) as draft:
        row = bookkeeping.version_row(database, row.number, deleted=True)
        note(draft, row, bytes=row.size)
        bookkeeping.brief(database, draft)
        database.put("versions", row.number, msgspec.structs.replace(row, purged=draft.at))
        pointer = database.row("content", row.content_digest, Pointer)
        if pointer is not None and pointer.number == row.number:
            database.put("content", row.content_digest, None)


def _leftovers(registry: Registry, purged: set[tuple[Path, int]]) -> Iterator[Leftover]:
    blobs = registry._folder.blobs
    used: set[str] = set()
    for database, row in _all_versions(registry):
        if not row.purged and (database.journal.path, row.number) not in purged:
            used |= references(registry, row)
    for digest, path, size in blobs.objects():
        if digest not in used:
            yield Leftover(path=str(path), size=size, why="no version refers to it")
    for path in sorted(registry._folder.scrap.glob("*")):
        if path.is_file() and not path.name.startswith(("damaged-", "torn-")):
            yield Leftover(
                path=str(path), size=path.stat().st_size, why="left by a writer that did not finish"
            )
        elif path.is_file():
            yield Leftover(path=str(path), size=path.stat().st_size, why="cut off a journal, and set aside")


def references(registry: Registry, row: VersionRow) -> set[str]:
    """The objects that a version needs: its bundle, the bundles of shared parts, large parts.

    A bundle that cannot be read refers to nothing that could be known; it stays itself.
    """
    blobs = registry._folder.blobs
    with suppress(NbregError):
        index = blobs.index(row.bundle)
        return {row.bundle, *index.elsewhere.values(), *index.large}
    return {row.bundle}


def _remove(registry: Registry, path: Path) -> None:
    if path.parent.parent == registry._folder.objects:
        registry._folder.blobs.forget(path.parent.name + path.name)
    with suppress(FileNotFoundError):
        path.unlink()


def _model_name(database: JournalDB) -> str:
    model = database.row(*MODEL_ROW, ModelRow)
    return model.name if model else ""


# usage


def du(registry: Registry) -> Usage:
    """What the registry takes up; see `Registry.du`."""
    sizes = {digest: size for digest, _path, size in registry._folder.blobs.objects()}
    used: dict[str, set[str]] = {}
    counts: Counter[str] = Counter()
    for database, row in _all_versions(registry):
        model = _model_name(database)
        counts[model] += 1
        used.setdefault(model, set())
        if not row.purged:
            used[model] |= references(registry, row)
    sharers = Counter(digest for digests in used.values() for digest in digests)
    models = [
        ModelUsage(
            model=model,
            versions=counts[model],
            size=sum(sizes.get(digest, 0) for digest in digests),
            own=sum(sizes.get(digest, 0) for digest in digests if sharers[digest] == 1),
        )
        for model, digests in sorted(used.items())
    ]
    journals = [registry.location / "registry.jsonl", *(path for _, path in registry._folder.journals())]
    return Usage(
        models=models,
        objects=len(sizes),
        size=sum(sizes.values()),
        journals=sum(path.stat().st_size for path in journals if path.exists()),
        unreferenced=sum(size for digest, size in sizes.items() if digest not in sharers),
    )
