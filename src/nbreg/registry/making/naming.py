"""The name a new version gets, and whose name is taken over."""

from __future__ import annotations

import msgspec

from nbreg import changes, lifecycle
from nbreg.errors import NameTakenError, VersionInUseError, option
from nbreg.names import SemanticVersion, next_name, parse_semantic
from nbreg.records import ModelRow, Pointer, VersionRow
from nbreg.registry.ground import bookkeeping
from nbreg.registry.ground.bookkeeping import is_taken
from nbreg.registry.ground.desk import Desk
from nbreg.registry.making.request import Request
from nbreg.store.folder import MODEL_ROW
from nbreg.store.tiny import Draft, JournalDB


def counts_up(desk: Desk, request: Request) -> bool:
    """Whether the step to the new name is to be found out: neither name nor step is given."""
    return request.version is None and request.bump is None and desk.settings.naming == "semantic"


def base_row(database: JournalDB, request: Request) -> VersionRow | None:
    """What the new version is compared with: `--from`, else the highest semantic version."""
    model = database.row(*MODEL_ROW, ModelRow)
    base = request.base if request.base is not None else model.highest_number if model else None
    return database.row("versions", base, VersionRow) if base is not None else None


def counted_from(database: JournalDB, base: VersionRow | None) -> SemanticVersion | None:
    """The semantic version that the next one is counted from; None for the first one."""
    semantic = bookkeeping.semantic(base) if base is not None else None
    if semantic is None and (model := database.row(*MODEL_ROW, ModelRow)) is not None:
        semantic = parse_semantic(model.highest)
    return semantic


def choose(
    desk: Desk,
    database: JournalDB,
    request: Request,
    base: VersionRow | None,
    implied: changes.Implied | None = None,
) -> tuple[str | None, changes.Implied]:
    """The new version's name, and the step that it is: the one that was found, unless one is given."""
    if request.version is not None:
        _refuse_taken(desk, database, request, request.version, database.row(*MODEL_ROW, ModelRow))
        return request.version, changes.Implied(None, "named by the caller")
    if desk.settings.naming == "number":
        return None, changes.Implied(None, "")
    semantic = counted_from(database, base)
    if semantic is None:
        implied = changes.FIRST
    elif request.bump:
        implied = changes.asked_for(request.bump)
    implied = implied or changes.NOT_COMPARED
    return next_name(semantic, implied.bump or "minor", lambda name: is_taken(database, name)), implied


def refuse_taken(desk: Desk, request: Request, content_digest: str) -> None:
    """Refuse a name that is taken before anything is stored for it. Raises what `choose` does.

    Equal content is no reason to: it is the version that is there, whatever its name.
    """
    database = None if request.version is None else desk.folder.model_if_any(request.model)
    if request.version is None or database is None:
        return
    if request.new or database.row("content", content_digest, Pointer) is None:
        _refuse_taken(desk, database, request, request.version, database.row(*MODEL_ROW, ModelRow))


def _refuse_taken(
    desk: Desk, database: JournalDB, request: Request, name: str, model: ModelRow | None
) -> None:
    if alias := database.row("aliases", name, Pointer):
        raise NameTakenError(
            f"{name!r} is an alias of {request.model}@{alias.number}", hint="names and aliases differ"
        )
    if bookkeeping.is_protected(database, name):
        raise NameTakenError(
            f"{name!r} is a protected alias of {request.model!r}", hint="names and aliases differ"
        )
    pointer = database.row("names", name, Pointer)
    if pointer is None:
        return
    holder = bookkeeping.version_row(database, pointer.number, deleted=True)
    where = f"{request.model}@{holder.number}"
    if not request.force:
        semantic = parse_semantic(model.highest) if model else None
        free = next_name(semantic, "minor", lambda each: is_taken(database, each))
        is_new = holder.stage == lifecycle.first(desk.lifecycle)
        state = "deleted" if holder.deleted else "registered" if is_new else f"in {holder.stage}"
        raise NameTakenError(
            f"{request.model}@{name} is there already: "
            f"#{holder.number}, by {holder.actor}, {holder.created[:10]}, {state}",
            hint=f"the next free name is {free}; {option('force')} with a reason takes the name over",
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
