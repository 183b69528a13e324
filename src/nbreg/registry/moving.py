"""Promote, retire, roll back: a version's way through the stages."""

from __future__ import annotations

from collections.abc import Callable

from nbreg import lifecycle
from nbreg.errors import TransitionError
from nbreg.names import check_model_name, parse_reference
from nbreg.records import Lifecycle, VersionRow
from nbreg.registry import bookkeeping, reading
from nbreg.registry.desk import Desk, Entry
from nbreg.store.tiny import Draft, JournalDB


def promote(desk: Desk, ref: str, to: str | None, *, reason: str, message: str) -> Entry:
    """Move a version up; see `Registry.promote`."""
    entry = reading.to_write(desk, ref)
    rules = desk.lifecycle
    if to is not None:
        lifecycle.check_stage(rules, to)
        if entry.row.stage == to:
            return entry

    def target(stage: str) -> str:
        goal = to or lifecycle.next_up(rules, stage)
        lifecycle.check_promotion(rules, stage, goal)
        return goal

    return _move(desk, entry, "promoted", target, reason=reason, message=message)


def retire(desk: Desk, ref: str, to: str, *, reason: str, message: str) -> Entry:
    """Move a version down, or out of use; see `Registry.retire`."""
    entry = reading.to_write(desk, ref)
    rules = desk.lifecycle
    lifecycle.check_stage(rules, to)
    if entry.row.stage == to:
        return entry

    def target(stage: str) -> str:
        lifecycle.check_retirement(rules, stage, to)
        return to

    return _move(desk, entry, "retired", target, reason=reason, message=message)


def _move(
    desk: Desk, entry: Entry, kind: str, target: Callable[[str], str], *, reason: str, message: str
) -> Entry:
    """Move a version to where `target` says that one of its stage goes; it refuses by raising."""
    target(entry.row.stage)  # refuse before anything is locked
    desk.ready()
    with desk.transaction(entry.database, kind, reason=reason, message=message) as draft:
        row = bookkeeping.version_row(entry.database, entry.number)
        to = target(row.stage)
        if row.stage == to:
            return entry  # somebody else was faster; there is nothing to write
        bookkeeping.note(entry.database, draft, row, stage=to)
        bookkeeping.enter(entry.database, draft, desk.lifecycle, row, to)
    return entry


def rollback(desk: Desk, model: str, stage: str, *, to: str | None, reason: str, message: str) -> Entry:
    """Give a stage back to who held it before; see `Registry.rollback`."""
    rules = desk.lifecycle
    lifecycle.check_held(rules, stage)
    check_model_name(model)
    wanted = reading.get(desk, _within(model, to)).number if to is not None else None
    database = desk.model(model)
    _earlier(rules, database, model, stage, wanted)  # refuse before anything is locked
    desk.ready()
    with desk.transaction(database, "rolled-back", reason=reason, message=message) as draft:
        row, before = _earlier(rules, database, model, stage, wanted)
        bookkeeping.note(database, draft, row, stage=stage)
        _archive_holder(database, draft, rules, stage)
        row = bookkeeping.enter(database, draft, rules, row, stage, before=before)
    return Entry(model, database, row)


def _within(model: str, to: str) -> str:
    """`to` may be a whole reference, or only what stands after the `@`."""
    to = to if "@" in to else f"{model}@{to}"
    named = parse_reference(to).model
    if named != model:
        raise TransitionError(f"{named!r} is another model than {model!r}")
    return to


def _archive_holder(database: JournalDB, draft: Draft, rules: Lifecycle, stage: str) -> None:
    """What is rolled away from goes out of use, in stages that take several as well."""
    row = bookkeeping.holder(database, stage)
    if row is not None:
        bookkeeping.enter(database, draft, rules, row, lifecycle.last(rules))
        draft.facts["archived"] = row.number
        if row.name:
            draft.facts["archived_name"] = row.name


def _earlier(
    rules: Lifecycle, database: JournalDB, model: str, stage: str, wanted: int | None
) -> tuple[VersionRow, int]:
    """The version to go back to, and the line to go back to from there.

    One that is in a higher stage by now is passed over: going back in one stage never empties another.
    """
    holder = bookkeeping.holder(database, stage)
    for _seq, held in bookkeeping.holders_before(database, stage):
        row = database.row("versions", held.number or 0, VersionRow)
        if row is None or row.deleted is not None or wanted not in (None, row.number):
            continue
        if (holder is not None and row.number == holder.number) or lifecycle.is_above(
            rules, row.stage, stage
        ):
            continue
        return row, held.before
    if wanted is not None:
        raise TransitionError(
            f"{model}@{wanted} did not hold {stage} before, or is in a higher stage now",
            hint=f"to put it there, promote or retire it: {model}@{wanted} {stage}",
        )
    now = f"; {model}@{holder.name or holder.number} holds it now" if holder else ""
    raise TransitionError(f"no earlier version of {model!r} held {stage}{now}", hint="promote one instead")
