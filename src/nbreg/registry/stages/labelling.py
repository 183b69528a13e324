"""Aliases, and what may be updated of a version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nbreg.errors import (
    BadInputError,
    BadValueError,
    NameTakenError,
    ProtectedAliasError,
    UnknownVersionError,
    did_you_mean,
    option,
)
from nbreg.names import check_version_name
from nbreg.records import Pointer, Protection, VersionRow
from nbreg.registry.ground import bookkeeping, parts, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import checked_labels, checked_metrics
from nbreg.store.tiny import JournalDB


def set_alias(desk: Desk, ref: str, alias: str, *, reason: str, message: str, force: bool) -> Entry:
    """Point an alias at a version; see `Registry.set_alias`."""
    alias = check_version_name(alias, desk.stages, what="alias")
    _refuse_unreasoned(force, reason)
    entry = reading.to_write(desk, ref)
    desk.ready()
    database = entry.database
    with desk.transaction(database, "alias-set", reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, entry.number)
        taken = database.row("names", alias, Pointer)
        if taken is not None:
            raise NameTakenError(
                f"{alias!r} is the name of {entry.model}@{taken.number}", hint="names and aliases differ"
            )
        known = database.row("aliases", alias, Pointer)
        if known is not None and known.number == row.number:
            return entry
        told = {"before": known.number} if known else {}
        told |= _forced(entry.model, database, alias, force=force)
        bookkeeping.note(database, draft, row, alias=alias, **told)
        database.put("aliases", alias, Pointer(number=row.number))
    return entry


def _refuse_unreasoned(force: bool, reason: str) -> None:
    if force and not (isinstance(reason, str) and reason.strip()):
        raise BadInputError("moving a protected alias needs a reason", hint=option("reason", "WHY"))


def _forced(model: str, database: JournalDB, alias: str, *, force: bool) -> dict[str, bool]:
    """What the line says of a protected alias; without force it is refused."""
    row = database.row(bookkeeping.PROTECTED, alias, Protection)
    if row is None:
        return {}
    if not force:
        why = f" ({row.reason})" if row.reason else ""
        raise ProtectedAliasError(
            f"the alias {alias!r} of {model!r} is protected by {row.by}{why}",
            hint=f"{option('force')} with a reason moves it all the same, and is recorded",
        )
    return {"forced": True}


def drop_alias(desk: Desk, model: str, alias: str, *, reason: str, message: str, force: bool) -> None:
    """Take an alias away; see `Registry.drop_alias`."""
    alias = check_version_name(alias, desk.stages, what="alias")
    _refuse_unreasoned(force, reason)
    database = desk.model(model)
    desk.ready()
    with desk.transaction(database, "alias-dropped", reason=reason, message=message) as draft:
        known = database.row("aliases", alias, Pointer)
        if known is None:
            raise UnknownVersionError(
                f"{model!r} has no alias {alias[:80]!r}", hint=did_you_mean(alias, database.ids("aliases"))
            )
        told = _forced(model, database, alias, force=force)
        row = bookkeeping.version_row(database, known.number, deleted=True)
        bookkeeping.note(database, draft, row, alias=alias, **told)
        database.put("aliases", alias, None)


def update(
    desk: Desk,
    ref: str,
    *,
    description: str | None,
    tags: Iterable[str] | None,
    content: Mapping[str, Any] | None,
    metrics: Mapping[str, Any] | None,
    reason: str,
    message: str,
) -> Entry:
    """Change what may change; see `Registry.update`."""
    changes = checked_labels(description, tags, content)
    added = checked_metrics(metrics)
    entry = reading.to_write(desk, ref)
    _refuse_registered(desk, entry, added)
    desk.ready()
    database = entry.database
    with desk.transaction(database, "updated", reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, entry.number)
        after = msgspec.structs.replace(row, **changes, metrics={**row.metrics, **added})
        changed = [
            field for field in VersionRow.__struct_fields__ if getattr(row, field) != getattr(after, field)
        ]
        if not changed:
            return entry
        before = {name: row.metrics[name] for name in added if name in row.metrics}
        bookkeeping.note(database, draft, row, changed=changed, **({"before": before} if before else {}))
        database.put("versions", row.number, after)
    return entry


def _refuse_registered(desk: Desk, entry: Entry, added: dict[str, float]) -> None:
    """A metric that the version was registered with is part of it, and never changes."""
    if not added or entry.row.purged:
        return
    registered = parts.manifest(desk, entry).metrics
    for name, value in added.items():
        if name in registered and registered[name] != value:
            raise BadValueError(
                f"{entry.ref} was registered with {name} = {registered[name]:g}",
                hint="a version does not change; add the new value under another name",
            )
