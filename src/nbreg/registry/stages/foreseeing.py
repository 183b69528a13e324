"""What a move between stages would do, and whether it still would when it is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from nbreg import lifecycle
from nbreg.errors import BadInputError, ConflictError, NbregError
from nbreg.records import FunctionRule, GateResult, Lifecycle, Move, VersionRow
from nbreg.registry.ground import bookkeeping, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import checked_kind
from nbreg.store.tiny import JournalDB

if TYPE_CHECKING:
    from nbreg.registry.stages.asking import About, Wish

Kind = Literal["promoted", "retired", "rolled-back"]


def check_meant(expect: Move | None, **asked: object) -> None:
    """Refuse a move that was foreseen for something else than what is asked for. Raises `BadInputError`."""
    if expect is None:
        return
    checked_kind(expect, Move, "expect")
    if any(getattr(expect, field) != each for field, each in asked.items()):
        told = f"{expect.model}@{expect.number} {expect.kind} to {expect.to}"
        raise BadInputError(f"expect is another move: {told}", hint="one of registry.moves(ref), as it is")


def check(rules: Lifecycle, database: JournalDB, row: VersionRow, expect: Move | None) -> None:
    """Refuse what would no longer do what was foreseen. Raises `ConflictError`."""
    if expect is None:
        return
    now = foreseen(rules, database, expect.model, row, expect.kind, expect.to)
    if now == expect:
        return
    ref = f"{expect.model}@{row.name or row.number}"
    if (now.number, now.before) != (expect.number, expect.before):
        fact = f"{ref} is in {now.before} by now, not in {expect.before}"
        if now.number != expect.number:
            fact = f"{expect.to} would go back to {ref} by now"
        table, key = "versions", str(row.number)
    else:
        holds = _said(now.displaced, now.displaced_name)
        held = _said(expect.displaced, expect.displaced_name)
        fact = f"{expect.to} of {expect.model} is held by {holds} by now, not by {held}"
        table, key = "stages", expect.to
    raise ConflictError(f"{fact}{_by(database, table, key)}", hint="look at what is there now, then decide")


def _said(number: int | None, name: str | None) -> str:
    return "nobody" if number is None else name or f"#{number}"


def _by(database: JournalDB, table: str, key: str) -> str:
    """Who wrote the row last."""
    written = database.history(table, key)
    return f" ({database.journal.line(written[-1]).by.user})" if written else ""


def foreseen(rules: Lifecycle, database: JournalDB, model: str, row: VersionRow, kind: Kind, to: str) -> Move:
    """The move of a version to a stage; whether it is allowed is not asked."""
    holder = bookkeeping.holder(database, to) if kind == "rolled-back" or to in rules.single else None
    if holder is not None and holder.number == row.number:
        holder = None
    return Move(
        kind=kind,
        model=model,
        number=row.number,
        name=row.name,
        before=row.stage,
        to=to,
        displaced=holder.number if holder else None,
        displaced_name=holder.name if holder else None,
        displaced_to=lifecycle.last(rules) if holder else "",
    )


def moves(rules: Lifecycle, database: JournalDB, model: str, row: VersionRow) -> Iterator[Move]:
    """All that may be done with a version from where it is: up, down, out of use, back."""
    for to in lifecycle.held(rules):
        with suppress(NbregError):
            if to != row.stage:
                lifecycle.check_promotion(rules, row.stage, to)
                yield foreseen(rules, database, model, row, "promoted", to)
    for to in rules.stages:
        with suppress(NbregError):
            if to != row.stage:
                lifecycle.check_retirement(rules, row.stage, to)
                yield foreseen(rules, database, model, row, "retired", to)
    if row.stage in lifecycle.held(rules):
        yield from _back(rules, database, model, row)


def asked_gates(desk: Desk, ref: str, stage: str, wish: Wish, *, run: bool) -> list[GateResult]:
    """What each gate of a stage says of a version, also beside one that cannot be asked."""
    from nbreg.registry.stages import gating
    from nbreg.registry.stages.asking import About

    entry, rules = reading.get(desk, ref), desk.lifecycle
    if stage not in rules.stages:
        lifecycle.check_held(rules, stage)
    if stage not in lifecycle.held(rules):
        return []
    seen = gating.see(entry.database, entry.number, stage)
    about = About(desk, Entry(entry.model, entry.database, seen.row), stage, wish, seen)
    found = [_asked(about, rule, run=run) for rule in gating.required(rules, entry.database, stage)]
    known = {each.gate for each in found}
    for function in gating.declared_for(rules, entry.model, stage):
        name = gating.function_name(function)
        if name not in known:
            found.append(about.called(function, source="process", name=name) if run else _unasked(name))
    return found


def _asked(about: About, rule: Mapping[str, Any], *, run: bool) -> GateResult:
    from nbreg.registry.stages import gating

    if why := gating.unavailable(rule):
        return GateResult(gate=gating.spelled(rule), passed=False, why=why, state="unavailable")
    known = gating.understood(rule)
    assert known is not None  # else it is unavailable
    if isinstance(known, FunctionRule) and not run:
        return _unasked(known.name)
    return about.asked(known)


def _unasked(name: str) -> GateResult:
    return GateResult(gate=name, passed=False, state="unasked")


def _back(rules: Lifecycle, database: JournalDB, model: str, row: VersionRow) -> Iterator[Move]:
    """The stage given back to who held it before, where this version holds it now."""
    from nbreg.registry.stages import moving

    holder = bookkeeping.holder(database, row.stage)
    if holder is None or holder.number != row.number:
        return
    with suppress(NbregError):
        earlier, _ = moving.earlier(rules, database, model, row.stage, None)
        yield foreseen(rules, database, model, earlier, "rolled-back", row.stage)
