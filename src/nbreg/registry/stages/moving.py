"""Promote, retire, roll back: a version's way through the stages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from nbreg import lifecycle
from nbreg.errors import ConflictError, GateError, TransitionError, call, spelled
from nbreg.names import check_model_name, parse_reference
from nbreg.records import Lifecycle, Move, StageRow, VersionRow
from nbreg.registry.ground import bookkeeping, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.stages import cautions, foreseeing, gating
from nbreg.registry.stages.asking import Wish
from nbreg.store.tiny import Draft, JournalDB


def promote(desk: Desk, ref: str, to: str | None, wish: Wish) -> Entry:
    """Move a version up, through the gates of where it goes; see `Registry.promote`."""
    entry = reading.to_write(desk, ref)
    rules = desk.lifecycle
    if to is not None:
        lifecycle.check_stage(rules, to)
        if entry.row.stage == to and wish.expect is None:
            return entry

    def target(stage: str) -> str:
        goal = to or lifecycle.next_up(rules, stage)
        lifecycle.check_promotion(rules, stage, goal)
        return goal

    return _move(desk, entry, "promoted", target, wish)


def promote_registered(desk: Desk, entry: Entry, wish: Wish) -> None:
    """Move a version that was just registered through the gates of the stage that it was to begin in."""
    try:
        promote(desk, f"{entry.model}@{entry.number}", entry.waits_for, wish)
    except (GateError, ConflictError) as error:
        stage = entry.row.stage
        where = "in no stage" if stage == lifecycle.first(desk.lifecycle) else f"in {stage}"
        error.hint = f"{entry.ref} is registered, {where}; promote it when it passes"
        raise


def retire(desk: Desk, ref: str, to: str | None, wish: Wish) -> Entry:
    """Move a version down, or out of use; see `Registry.retire`.

    A lower stage has gates as well; out of use everything goes without being asked.
    """
    entry, rules = reading.to_write(desk, ref), desk.lifecycle
    goal = lifecycle.check_stage(rules, lifecycle.last(rules) if to is None else to)
    if entry.row.stage == goal and wish.expect is None:
        return entry

    def target(stage: str) -> str:
        lifecycle.check_retirement(rules, stage, goal)
        return goal

    return _move(desk, entry, "retired", target, wish)


def _move(desk: Desk, entry: Entry, kind: str, target: Callable[[str], str], wish: Wish) -> Entry:
    """Move a version to where `target` says that one of its stage goes; it refuses by raising.

    The gates are asked before anything is locked. If what they saw is not so any more, they are
    asked again.
    """
    foreseeing.check_meant(wish.expect, kind=kind, model=entry.model, number=entry.number)
    foreseeing.check(desk.lifecycle, entry.database, entry.row, wish.expect)
    stage = entry.row.stage
    foreseeing.check_meant(
        wish.expect, to=target(stage)
    )  # what cannot be is refused before a gate is asked, or the folder made ready
    desk.ready()
    for _ in range(gating.TRIES):
        if (to := target(stage)) == stage:
            return entry  # somebody else was faster; there is nothing to write
        judged = gating.judge(desk, entry, to, wish)
        gating.refuse(entry, judged, wish)
        with suppress(gating.Moved):
            return _moved(desk, entry, kind, target, judged, wish)
        stage = bookkeeping.version_row(entry.database.refresh(), entry.number).stage
    raise ConflictError(
        f"{entry.ref} and the gates of {to} change faster than they can be asked", hint="try again"
    )


def _moved(
    desk: Desk, entry: Entry, kind: str, target: Callable[[str], str], judged: gating.Judged, wish: Wish
) -> Entry:
    """The move itself, under the lock."""
    database = entry.database
    with desk.transaction(database, kind, reason=wish.reason, message=wish.message) as draft:
        row = bookkeeping.version_row(database, entry.number)
        foreseeing.check(desk.lifecycle, database, row, wish.expect)
        if row.stage == judged.stage:
            return entry  # as above
        if target(row.stage) != judged.stage:
            raise gating.Moved
        rules = desk.lifecycle
        gating.confirm(rules, entry, judged)
        enter(desk, rules, database, draft, row, judged)
        cautions.add(draft, cautions.unexplained(rules, judged.stage, wish.reason, wish.message))
    return entry


def enter(
    desk: Desk, rules: Lifecycle, database: JournalDB, draft: Draft, row: VersionRow, judged: gating.Judged
) -> None:
    """Bring a version that passed the gates to their stage, and say so on the line."""
    bookkeeping.note(database, draft, row, stage=judged.stage, **gating.facts(judged), **_run())
    gating.settle(database, draft, row, judged.stage, desk.actor.user)
    bookkeeping.enter(database, draft, rules, row, judged.stage)


def _run() -> dict[str, str]:
    """The run that makes the move, where somebody started one: a business rule, a scheduled training."""
    from nbreg.capture.context import current_run

    run = current_run()
    return {"run": run.id} if run is not None and (run.name or run.kind == "pipeline") else {}


def rollback(
    desk: Desk,
    model: str,
    stage: str | None,
    *,
    to: str | None,
    reason: str,
    message: str,
    expect: Move | None = None,
) -> Entry:
    """Give a stage back to who held it before; see `Registry.rollback`.

    No gate is asked: what comes back has held the stage, and what goes has to go now. The event
    names the gates that were not asked.
    """
    rules = desk.lifecycle
    stage = lifecycle.check_held(rules, lifecycle.serving(rules) if stage is None else stage)
    check_model_name(model)
    foreseeing.check_meant(expect, kind="rolled-back", model=model, to=stage)
    wanted = reading.get(desk, _within(model, to)).number if to is not None else None
    database = desk.model(model)
    row, _ = earlier(rules, database, model, stage, wanted)  # refuse before anything is locked
    foreseeing.check(rules, database, row, expect)
    desk.ready()
    with desk.transaction(database, "rolled-back", reason=reason, message=message) as draft:
        row, before = earlier(rules, database, model, stage, wanted)
        foreseeing.check(rules, database, row, expect)
        passed_over = [gating.spelled(each) for each in gating.required(rules, database, stage)]
        told = {"not_asked": passed_over} if passed_over else {}
        bookkeeping.note(database, draft, row, stage=stage, **told, **_run())
        cautions.add(draft, cautions.unexplained(rules, stage, reason, message))
        _archive_holder(database, draft, rules, stage)
        gating.outdate(database, row, stage)
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
        gating.outdate(database, row, lifecycle.last(rules))
        bookkeeping.enter(database, draft, rules, row, lifecycle.last(rules))
        bookkeeping.tell_archived(draft, rules, row)


def earlier(
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
    if holder is not None and wanted == holder.number:
        raise TransitionError(
            f"{model}@{holder.name or holder.number} is in {stage} already",
            hint="without a version, it goes to the one that held it before",
        )
    if wanted is not None:
        now = f" {model}@{holder.name or holder.number}" if holder else ""
        raise TransitionError(
            f"{model}@{wanted} did not hold {stage} before{now}, or is in a higher stage now",
            hint=f"to put it there all the same: {call('promote', f'{model}@{wanted}', stage)}",
        )
    now = f"; {model}@{holder.name or holder.number} holds it now" if holder else ""
    if holder is not None and (gone := _held_last(database, stage, holder.number)):
        ref = f"{model}@{gone.name or gone.number}"
        words = f"promote {ref} {stage}"
        python = f"registry.promote({ref!r}, {stage!r})"
        raise TransitionError(
            f"no version of {model!r} is left to go back to in {stage}{now}",
            hint=f"{spelled(python, f'%{words}', f'`nbreg {words}`')} goes forward again",
        )
    raise TransitionError(f"no earlier version of {model!r} held {stage}{now}", hint="promote one instead")


def _held_last(database: JournalDB, stage: str, number: int) -> VersionRow | None:
    """The version that another one was put in the place of last: it was rolled back from."""
    for index in reversed(database.history("stages", stage)):
        held = database.row("stages", stage, StageRow, before=index + 1)
        if held is None or held.number in (None, number):
            continue
        row = database.row("versions", held.number or 0, VersionRow)
        return row if row is not None and row.deleted is None else None
    return None
