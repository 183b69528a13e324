"""Delete, restore, purge, and what it all takes up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

import msgspec

from nbreg import lifecycle
from nbreg.errors import (
    ConflictError,
    NbregError,
    UnknownArtifactError,
    VersionInUseError,
    option,
)
from nbreg.records import (
    Deletion,
    ModelUsage,
    Pointer,
    Usage,
    VersionRow,
)
from nbreg.registry.belonging import deployments
from nbreg.registry.ground import bookkeeping, parts, proofs, reading
from nbreg.registry.ground.desk import Desk, Entry, model_name
from nbreg.registry.stages import cautions


def begin(desk: Desk, stages: Iterable[str] | None) -> None:
    """Make the registry, with other stages if they are given; see `Registry.init`."""
    rules = None if stages is None else lifecycle.chosen(stages)
    desk.ready()
    if rules is None or rules.stages == desk.stages:
        return
    if desk.models():
        raise ConflictError(
            "the stages of a registry are chosen before it has a model", hint="begin another one, and merge"
        )
    with desk.transaction(desk.folder.own, "stages-chosen"):
        own = desk.folder.own_row()
        desk.folder.put_own(msgspec.structs.replace(own, lifecycle=rules))


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
        cautions.add(draft, cautions.deleting(desk.lifecycle, row))
        for alias in entry.aliases:
            database.put("aliases", alias, None)
        row = bookkeeping.leave(database, draft, desk.lifecycle, row)
        gone = Deletion(at=draft.at, by=desk.actor.user, reason=draft.reason)
        database.put("versions", row.number, msgspec.structs.replace(row, deleted=gone))
        bookkeeping.uncount(database, row.number)
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
    elif places := deployments.places_of(entry.database, row):
        why = f"is deployed at {places[0]!r}"
    if why and not (include_protected and reason):
        raise VersionInUseError(
            f"{entry.ref} {why}",
            hint=f"to delete it all the same: {option('include_protected')} and a reason",
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
        if row.moved_to:
            raise ConflictError(f"{entry.ref} was transferred to {row.moved_to}", hint="transfer it back")
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
        bookkeeping.count_again(database)
    return entry


def du(desk: Desk) -> Usage:
    """What the registry takes up; see `Registry.du`."""
    desk.check_admin("what the registry takes up")
    sizes = {digest: size for digest, _path, size in desk.folder.blobs.objects()}
    needed: set[str] = set()
    owned: dict[str, dict[str, int]] = {}
    counts: Counter[str] = Counter()
    for database, row in parts.all_versions(desk, whole=False):
        model = model_name(database)
        counts[model] += 1
        mine = owned.setdefault(model, {})
        if not row.purged:
            needed |= parts.references(desk, row)
            mine |= _parts(desk, row)
    for _name, database in desk.folder.databases():
        with suppress(NbregError):
            needed.update(proofs.objects_of(desk, database))
    for run_id in desk.folder.runs.ids():
        with suppress(NbregError):
            for artifact in desk.folder.runs.fold(run_id).artifacts.values():
                needed |= parts.needed_by_bundle(desk.folder.blobs, artifact.bundle)
    sharers = Counter(digest for mine in owned.values() for digest in mine)
    models = [
        ModelUsage(
            model=model,
            versions=counts[model],
            size=sum(mine.values()),
            own=sum(size for digest, size in mine.items() if sharers[digest] == 1),
        )
        for model, mine in sorted(owned.items())
    ]
    journals = [desk.folder.path / "registry.jsonl", *(path for _, path in desk.folder.journals())]
    return Usage(
        models=models,
        objects=len(sizes),
        size=sum(sizes.values()),
        journals=sum(path.stat().st_size for path in journals if path.exists()),
        unreferenced=sum(size for digest, size in sizes.items() if digest not in needed),
        runs=desk.folder.runs.size(),
        decisions=desk.folder.ledger.size(),
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
