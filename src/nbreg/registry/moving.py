"""Promote, retire, roll back: a version's way through the stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbreg import lifecycle
from nbreg.errors import TransitionError
from nbreg.names import check_model_name, parse_reference
from nbreg.records import Lifecycle, VersionRow
from nbreg.registry import bookkeeping, reading
from nbreg.registry.version import ModelVersion
from nbreg.store.tiny import Draft, JournalDB

if TYPE_CHECKING:
    from nbreg.registry.core import Registry

Reference = str | ModelVersion


def promote(registry: Registry, ref: Reference, to: str | None, *, reason: str, message: str) -> ModelVersion:
    """Move a version up; see `Registry.promote`."""
    version = reading.to_write(registry, ref)
    rules = registry.lifecycle
    if to is not None:
        lifecycle.check_stage(rules, to)
        if version.stage == to:
            return version

    def target(stage: str) -> str:
        goal = to or lifecycle.next_up(rules, stage)
        lifecycle.check_promotion(rules, stage, goal)
        return goal

    return _move(registry, version, "promoted", target, reason=reason, message=message)


def retire(registry: Registry, ref: Reference, to: str, *, reason: str, message: str) -> ModelVersion:
    """Move a version down, or out of use; see `Registry.retire`."""
    version = reading.to_write(registry, ref)
    rules = registry.lifecycle
    lifecycle.check_stage(rules, to)
    if version.stage == to:
        return version

    def target(stage: str) -> str:
        lifecycle.check_retirement(rules, stage, to)
        return to

    return _move(registry, version, "retired", target, reason=reason, message=message)


def _move(
    registry: Registry, version: ModelVersion, kind: str, target: object, *, reason: str, message: str
) -> ModelVersion:
    assert callable(target)
    target(version.row.stage)  # refuse before anything is locked
    rules = registry.lifecycle
    registry._folder.ready(registry.actor)
    database = registry._model(version.model)
    with database.transaction(kind, by=registry.actor, reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, version.number)
        to = target(row.stage)
        if row.stage == to:
            return version  # somebody else was faster; there is nothing to write
        note(draft, row, stage=to)
        bookkeeping.brief(database, draft)
        bookkeeping.enter(database, draft, rules, row, to)
    return version


def note(draft: Draft, row: VersionRow, **facts: object) -> None:
    """Put on the line which version it is about, and what was done."""
    draft.facts.update(number=row.number, **({"name": row.name} if row.name else {}), was=row.stage, **facts)


def rollback(
    registry: Registry, model: str, stage: str, *, to: Reference | None, reason: str, message: str
) -> ModelVersion:
    """Give a stage back to who held it before; see `Registry.rollback`."""
    rules = registry.lifecycle
    lifecycle.check_held(rules, stage)
    check_model_name(model)
    wanted = reading.get(registry, _within(model, to)).number if to is not None else None
    database = registry._model(model)
    _earlier(database, model, stage, wanted)  # refuse before anything is locked
    registry._folder.ready(registry.actor)
    with database.transaction("rolled-back", by=registry.actor, reason=reason, message=message) as draft:
        row, before = _earlier(database, model, stage, wanted)
        note(draft, row, stage=stage)
        bookkeeping.brief(database, draft)
        _archive_holder(database, draft, rules, stage)
        row = bookkeeping.enter(database, draft, rules, row, stage, before=before)
    return ModelVersion(registry, database, model, row)


def _within(model: str, to: Reference) -> Reference:
    """`to` may be a whole reference, or only what stands after the `@`."""
    if isinstance(to, str) and "@" not in to:
        to = f"{model}@{to}"
    named = parse_reference(to).model if isinstance(to, str) else to.model
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


def _earlier(database: JournalDB, model: str, stage: str, wanted: int | None) -> tuple[VersionRow, int]:
    """The version to go back to, and the line to go back to from there."""
    holder = bookkeeping.holder(database, stage)
    for _seq, held in bookkeeping.holders_before(database, stage):
        row = database.row("versions", held.number or 0, VersionRow)
        gone = row is None or row.deleted is not None or (holder is not None and row.number == holder.number)
        if row is not None and not gone and wanted in (None, row.number):
            return row, held.before
    if wanted is not None:
        raise TransitionError(
            f"{model}@{wanted} did not hold {stage} before",
            hint=f"to put it there, promote it: {model}@{wanted} {stage}",
        )
    now = f"; {model}@{holder.name or holder.number} holds it now" if holder else ""
    raise TransitionError(f"no earlier version of {model!r} held {stage}{now}", hint="promote one instead")
