"""Copy and transfer: the same version under another name, or in another model.

The id and the bytes stay what they are; number, name, stage and labels belong to the row. A
transfer writes two journals: first the version stands in its new model, then it leaves the old
one. Whoever is killed between leaves it in both, marked; doing it again, or `verify` with
repair, finishes it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from nbreg.errors import (
    BadInputError,
    ConflictError,
    NameTakenError,
    NbregError,
    NotPermittedError,
    UnknownArtifactError,
    VersionInUseError,
    option,
)
from nbreg.names import check_model_name, check_version_name
from nbreg.records import Deletion, Pointer, VersionRow
from nbreg.registry.belonging import deployments, links, uses
from nbreg.registry.ground import bookkeeping, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import checked_labels
from nbreg.registry.making import naming
from nbreg.store.tiny import Draft, JournalDB


def copy(
    desk: Desk,
    ref: str,
    to: str | None,
    *,
    version: str | None,
    description: str | None,
    tags: Iterable[str] | None,
    content: Mapping[str, Any] | None,
    force: bool,
    reason: str,
    message: str,
) -> Entry:
    """Make a version that is the same one under another name; see `Registry.copy`."""
    entry = reading.get(desk, ref)
    model = entry.model if to is None else check_model_name(to)
    _refuse_purged(entry)
    if force and not reason:
        raise BadInputError("taking a name over needs a reason", hint=option("reason", "…"))
    changes = checked_labels(description, tags, content)
    name = None if version is None else check_version_name(version, desk.stages)
    used, linked = uses.of_entry(desk, entry), links.of(entry.database, entry.number)
    desk.ready()
    database = desk.folder.model_to_write(model)
    with (
        desk.folder.blobs.kept(),
        desk.transaction(database, "copied", reason=reason, message=message) as draft,
    ):
        _refuse_purged(Entry(entry.model, entry.database, _now(entry)))
        brief = bookkeeping.brief(database, draft, new_model=model)
        desk.folder.refuse_twin(model, brief)
        named = _named(
            database, name or f"{entry.row.name or entry.number}-copy", chosen=name is not None, force=force
        )
        if force and name:
            naming.supersede(database, draft, name)
        row = msgspec.structs.replace(
            _plain_row(desk, entry.row),
            number=brief.next_number,
            name=named,
            bump_reason=f"copied from {entry.ref}",
            **changes,
        )
        bookkeeping.note(database, draft, row, source=f"{entry.model}@{entry.number}")
        bookkeeping.add(database, row)
        uses.add(database, draft, row, used)
        links.carry(database, row, linked)
    return Entry(model, database, row)


def _now(entry: Entry) -> VersionRow:
    return bookkeeping.version_row(entry.database.refresh(), entry.number)


def _refuse_purged(entry: Entry) -> None:
    if entry.row.purged:
        raise UnknownArtifactError(
            f"the bytes of {entry.ref} were purged", hint="its record is all that is left"
        )


def _plain_row(desk: Desk, row: VersionRow) -> VersionRow:
    """The row without what it is in its own model."""
    return msgspec.structs.replace(
        row,
        stage=desk.stages[0],
        stages_held=[],
        base=None,
        bump=None,
        superseded_name="",
        moved_from="",
        moved_to="",
        warnings=[],
        git_tag="",
    )


def _named(database: JournalDB, wanted: str, *, chosen: bool, force: bool | None) -> str:
    """The name, if it is free; of one that nobody chose the next one; `force` is None where none can."""
    count = 1
    while True:
        name = wanted if count == 1 else f"{wanted}-{count}"
        if not bookkeeping.is_taken(database, name):
            return name
        is_version = database.row("names", name, Pointer) is not None
        if chosen and is_version and force:
            return name
        if chosen:
            what = "a version" if is_version else "an alias"
            forced = f"; {option('force')} with a reason takes the name over"
            raise NameTakenError(
                f"{name!r} is {what} of that model already",
                hint=f"{option('version', f'{name}-2')} names it otherwise"
                + (forced if is_version and force is not None else ""),
            )
        count += 1


def transfer(desk: Desk, ref: str, to: str, *, version: str | None, reason: str, message: str) -> Entry:
    """Move a version to another model; see `Registry.transfer`."""
    model = check_model_name(to)
    entry = reading.to_write(desk, ref)
    if model == entry.model:
        raise BadInputError(f"{entry.ref} is in {model} already")
    _refuse_purged(entry)
    _refuse_used(desk, entry, entry.row)
    desk.check_write(entry.database, "transferred")  # before it is anywhere else
    wanted = entry.row.name if version is None else check_version_name(version, desk.stages)
    desk.ready()
    database = desk.folder.model_to_write(model)
    with desk.folder.blobs.kept():
        arrived = _arrive(desk, entry, model, database, wanted, reason=reason, message=message)
        finish(desk, entry, Entry(model, database, arrived), reason=reason, message=message)
    return Entry(model, database, bookkeeping.version_row(database, arrived.number))


def _arrive(
    desk: Desk,
    entry: Entry,
    model: str,
    database: JournalDB,
    wanted: str | None,
    *,
    reason: str,
    message: str,
) -> VersionRow:
    """The version in its new model; one that an earlier try has brought there already is that one."""
    source = f"{entry.model}@{entry.number}"
    used = uses.of_entry(desk, entry)
    with desk.transaction(database, "received", reason=reason, message=message) as draft:
        known = _arrived(database, entry, source)
        if known is not None:
            return known
        row = _now(entry)
        _refuse_used(desk, entry, row)
        brief = bookkeeping.brief(database, draft, new_model=model)
        desk.folder.refuse_twin(model, brief)
        name = _named(database, wanted, chosen=True, force=None) if wanted else None
        row = msgspec.structs.replace(
            _plain_row(desk, row),
            number=brief.next_number,
            name=name,
            moved_from=f"{source}#{secrets.token_hex(8)}",
        )
        bookkeeping.note(database, draft, row, source=source)
        bookkeeping.add(database, row)
        uses.add(database, draft, row, used)
        links.carry(database, row, links.of(entry.database, entry.number))
    return row


def _arrived(database: JournalDB, entry: Entry, source: str) -> VersionRow | None:
    pointer = database.row("ids", entry.row.id, Pointer)
    row = database.row("versions", pointer.number, VersionRow) if pointer else None
    return row if row is not None and row.moved_from.partition("#")[0] == source and not row.deleted else None


def finish(desk: Desk, entry: Entry, arrived: Entry, *, reason: str, message: str) -> None:
    """The version leaves its old model; what it was there stays on record.

    Where it is used there by now, or somebody else has taken it elsewhere, it does not stay in
    the new one. Raises `VersionInUseError` or `ConflictError` then.
    """
    try:
        _leave(desk, entry, arrived, reason=reason, message=message)
    except (VersionInUseError, ConflictError, NotPermittedError) as error:
        _withdraw(desk, arrived, error.message)
        raise


def _leave(desk: Desk, entry: Entry, arrived: Entry, *, reason: str, message: str) -> None:
    database = entry.database
    goal = f"{arrived.model}@{arrived.number}"
    with desk.transaction(database, "transferred", reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, entry.number, deleted=True)
        if row.moved_to == goal:
            return
        if row.moved_to:
            raise ConflictError(
                f"{entry.ref} was transferred to {row.moved_to} meanwhile", hint="transfer it from there"
            )
        if row.deleted is None:
            _refuse_used(desk, entry, row)
        bookkeeping.note(database, draft, row, to=goal)
        _hide(desk, database, draft, row, goal)


def _withdraw(desk: Desk, arrived: Entry, why: str) -> None:
    """It has not come after all; the record of it stays."""
    with desk.transaction(arrived.database, "withdrawn", reason="TransferFailed", message=why) as draft:
        row = bookkeeping.version_row(arrived.database, arrived.number, deleted=True)
        if row.deleted is not None:
            return
        bookkeeping.note(arrived.database, draft, row)
        row = bookkeeping.leave(arrived.database, draft, desk.lifecycle, row)
        gone = Deletion(at=draft.at, by=desk.actor.user, reason="the transfer failed")
        arrived.database.put("versions", row.number, msgspec.structs.replace(row, deleted=gone))
        bookkeeping.uncount(arrived.database, row.number)


def _hide(desk: Desk, database: JournalDB, draft: Draft, row: VersionRow, goal: str) -> None:
    was_there = row.deleted is None
    if was_there:
        row = bookkeeping.leave(database, draft, desk.lifecycle, row)
    gone = Deletion(at=draft.at, by=desk.actor.user, reason=f"transferred to {goal}")
    database.put("versions", row.number, msgspec.structs.replace(row, deleted=gone, moved_to=goal))
    if was_there:
        bookkeeping.uncount(database, row.number)


def _refuse_used(desk: Desk, entry: Entry, row: VersionRow) -> None:
    """Whoever loads by a stage or an alias of this model would find nothing, or somebody else."""
    if row.stage not in (desk.stages[0], desk.stages[-1]):
        raise VersionInUseError(f"{entry.ref} is in {row.stage}", hint="retire it first")
    if aliases := entry.aliases:
        raise VersionInUseError(f"{entry.ref} has the alias {aliases[0]!r}", hint="drop the alias first")
    if places := deployments.places_of(entry.database, row):
        raise VersionInUseError(f"{entry.ref} is deployed at {places[0]!r}", hint="undeploy it first")


def half_done(desk: Desk) -> Iterator[tuple[Entry, Entry]]:
    """Versions that have arrived in a model and not left the other: what a killed transfer leaves."""
    for brief in desk.models():
        with suppress(NbregError):  # what cannot be read `verify` tells of anyhow
            yield from list(_half_done(desk, brief.name))


def _half_done(desk: Desk, model: str) -> Iterator[tuple[Entry, Entry]]:
    database = desk.model(model)
    for number in database.ids("versions"):
        row = database.row("versions", number, VersionRow)
        if row is None or not row.moved_from:
            continue
        source = _source(desk, row)
        if row.deleted is not None or source is None or source.row.id != row.id:
            continue
        if source.row.moved_to != f"{model}@{row.number}":
            yield source, Entry(model, database, row)


def _source(desk: Desk, row: VersionRow) -> Entry | None:
    model, _, number = row.moved_from.partition("#")[0].rpartition("@")
    database = desk.folder.model_if_any(model)
    found = database.row("versions", number, VersionRow) if database is not None else None
    return None if found is None or database is None else Entry(model, database, found)
