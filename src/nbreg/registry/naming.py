"""The name a new version gets, and whose name is taken over."""

from __future__ import annotations

import msgspec

from nbreg import changes
from nbreg.errors import NameTakenError, VersionInUseError
from nbreg.names import next_name, parse_semantic
from nbreg.records import ModelRow, Pointer, VersionRow
from nbreg.registry import bookkeeping
from nbreg.registry.desk import Desk
from nbreg.registry.request import Request
from nbreg.store.folder import MODEL_ROW
from nbreg.store.tiny import Draft, JournalDB


def choose(
    desk: Desk, database: JournalDB, request: Request
) -> tuple[str | None, changes.Implied, int | None]:
    """The new version's name, the step that it is, and what it was measured against."""
    model = database.row(*MODEL_ROW, ModelRow)
    base = request.base if request.base is not None else model.highest_number if model else None
    if request.version is not None:
        _refuse_taken(desk, database, request, request.version, model)
        return request.version, changes.Implied(None, "named by the caller"), base
    if desk.settings.naming == "number":
        return None, changes.Implied(None, ""), base
    row = database.row("versions", base, VersionRow) if base is not None else None
    semantic = bookkeeping.semantic(row) if row is not None else None
    if semantic is None and model is not None:
        semantic = parse_semantic(model.highest)
    if semantic is None:
        implied = changes.FIRST
    else:
        implied = changes.asked_for(request.bump) if request.bump else changes.NOT_COMPARED
    return next_name(semantic, implied.bump or "minor", lambda name: _is_taken(database, name)), implied, base


def _is_taken(database: JournalDB, name: str) -> bool:
    return any(database.row(table, name, Pointer) for table in ("names", "aliases"))


def _refuse_taken(
    desk: Desk, database: JournalDB, request: Request, name: str, model: ModelRow | None
) -> None:
    if alias := database.row("aliases", name, Pointer):
        raise NameTakenError(
            f"{name!r} is an alias of {request.model}@{alias.number}", hint="names and aliases differ"
        )
    pointer = database.row("names", name, Pointer)
    if pointer is None:
        return
    holder = bookkeeping.version_row(database, pointer.number, deleted=True)
    where = f"{request.model}@{holder.number}"
    if not request.force:
        semantic = parse_semantic(model.highest) if model else None
        free = next_name(semantic, "minor", lambda each: _is_taken(database, each))
        state = (
            "deleted" if holder.deleted else f"in {holder.stage}" if holder.stage != "none" else "registered"
        )
        raise NameTakenError(
            f"{request.model}@{name} is there already: "
            f"#{holder.number}, by {holder.actor}, {holder.created[:10]}, {state}",
            hint=f"the next free name is {free}; force=True with a reason takes the name over",
        )
    if holder.stage in desk.lifecycle.single and holder.deleted is None:
        raise VersionInUseError(
            f"{where} ({name}) is in {holder.stage}, so its name is not taken over",
            hint="promote another one first",
        )


def supersede(database: JournalDB, draft: Draft, name: str) -> None:
    """The holder keeps its number and bytes, and loses the name."""
    pointer = database.row("names", name, Pointer)
    if pointer is None:
        return
    holder = bookkeeping.version_row(database, pointer.number, deleted=True)
    database.put("versions", holder.number, msgspec.structs.replace(holder, name=None, superseded_name=name))
    draft.facts["superseded"] = holder.number
