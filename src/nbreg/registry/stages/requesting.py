"""Ask that a version come into a stage, and approve, reject or withdraw that: rows of the model's journal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, Literal

import msgspec

from nbreg import lifecycle
from nbreg.errors import (
    BadInputError,
    BadReferenceError,
    ConflictError,
    RefusedError,
    StaleRequestError,
    UnknownRequestError,
    call,
)
from nbreg.records import Approval, PromotionRequest, RequestRow, RequestsRow, VersionRow
from nbreg.registry.ground import bookkeeping, reading
from nbreg.registry.ground.desk import Desk, Entry, model_name
from nbreg.registry.stages import foreseeing, gating, moving
from nbreg.registry.stages.asking import Wish
from nbreg.registry.stages.gating import ALL_REQUESTS, REQUESTS
from nbreg.store.tiny import Draft, JournalDB

STATES: Final = ("open", "promoted", "rejected", "withdrawn", "stale")
MOST_OPEN: Final = 1_000
"""Open requests of one model; who has more wants something else than approval by people."""

_ID: Final = re.compile(r"(.+):r([1-9]\d{0,9})")

Given = str | PromotionRequest
Ending = Literal["rejected", "withdrawn"]


def ask(desk: Desk, ref: str, to: str, wish: Wish) -> PromotionRequest:
    """Ask for a promotion; see `Registry.request`."""
    entry = reading.to_write(desk, ref)
    lifecycle.check_promotion(desk.lifecycle, entry.row.stage, to)
    if entry.row.stage == to:
        raise ConflictError(f"{entry.ref} is in {to} already")
    desk.ready()
    database = entry.database
    with desk.transaction(database, "requested", reason=wish.reason, message=wish.message) as draft:
        row = bookkeeping.version_row(database, entry.number)
        lifecycle.check_promotion(desk.lifecycle, row.stage, to)
        brief = database.row(REQUESTS, ALL_REQUESTS, RequestsRow) or RequestsRow()
        _refuse_second(entry, row, gating.open_requests(database), to)
        made = RequestRow(
            number=brief.given + 1,
            version=row.number,
            name=row.name or "",
            to=to,
            was=row.stage,
            by=desk.actor.user,
            at=draft.at,
            reason=draft.reason,
            message=draft.message,
        )
        brief = RequestsRow(given=made.number, open=[*brief.open, made.number])
        if len(brief.open) > MOST_OPEN:
            raise ConflictError(f"{entry.model!r} has {MOST_OPEN} open requests", hint="end some first")
        bookkeeping.note(database, draft, row, stage=to, request=made.number)
        database.put(REQUESTS, ALL_REQUESTS, brief)
        database.put(REQUESTS, made.number, made)
    judged = None if gating.runs_functions(desk, entry, to) else gating.judge(desk, entry, to, wish)
    return _told(desk, entry.model, database, made, judged)


def _refuse_second(entry: Entry, row: VersionRow, there: list[RequestRow], to: str) -> None:
    for each in there:
        if (each.version, each.to, each.was, each.left) == (row.number, to, row.stage, ""):
            raise ConflictError(
                f"{each.by} asked for {entry.ref} in {to} already: {request_id(entry.model, each.number)}",
                hint="approve that one",
            )


def approve(desk: Desk, given: Given, wish: Wish) -> PromotionRequest:
    """Agree to a request, which promotes if nothing is missing any more; see `Registry.approve`."""
    model, database, number = _named(desk, given)
    me = desk.actor.user
    desk.ready()
    for _ in range(gating.TRIES):
        row = _open(database.refresh(), model, number)
        foreseeing.check_meant(wish.expect, kind="promoted", model=model, number=row.version, to=row.to)
        version = _not_stale(desk, database, model, row)
        if row.by == me:
            raise RefusedError(
                f"{me} asked for {request_id(model, number)}, so somebody else has to approve it",
                hint=f"{call('withdraw', request_id(model, number))} takes it back",
            )
        foreseeing.check(desk.lifecycle, database, version, wish.expect)
        entry = Entry(model, database, version)
        own = wish._replace(approver=me)
        joint = own._replace(reason=own.reason or row.reason, message=own.message or row.message)
        judged = gating.judge(desk, entry, row.to, joint)
        with suppress(gating.Moved):
            row = _approved(desk, entry, row, judged, own, joint)
            return _told(desk, model, database, row, judged)
    raise ConflictError(
        f"{request_id(model, number)} and its gates change faster than they can be asked", hint="try again"
    )


def _approved(
    desk: Desk, entry: Entry, row: RequestRow, judged: gating.Judged, own: Wish, joint: Wish
) -> RequestRow:
    """One line: that it was approved, and where nothing is missing any more the promotion.

    A promotion is also for the reason of whoever asked; an approval is for the approver's alone.
    """
    database, promotes = entry.database, not judged.failed
    known = any(each.by == own.approver for each in row.approvals)
    if known and not promotes:
        return row
    kind, said = ("promoted", joint) if promotes else ("approved", own)
    with desk.transaction(database, kind, reason=said.reason, message=said.message) as draft:
        if database.row(REQUESTS, row.number, RequestRow) != row:
            raise gating.Moved
        version = bookkeeping.version_row(database, row.version)
        if version.stage != row.was:
            raise gating.Moved
        rules = desk.lifecycle
        foreseeing.check(rules, database, version, own.expect)
        gating.confirm(rules, entry, judged)
        mine = Approval(by=own.approver, at=draft.at, message=draft.message if own.message else "")
        approvals = row.approvals if known else [*row.approvals, mine]
        row = msgspec.structs.replace(row, approvals=approvals)
        database.put(REQUESTS, row.number, row)
        if promotes:
            moving.enter(desk, rules, database, draft, version, judged)
        else:
            bookkeeping.note(database, draft, version, stage=row.to, request=row.number)
    return database.row(REQUESTS, row.number, RequestRow) or row


def end(desk: Desk, given: Given, state: Ending, *, reason: str, message: str) -> PromotionRequest:
    """Reject a request, or take one's own back; see `Registry.reject` and `Registry.withdraw`."""
    model, database, number = _named(desk, given)
    desk.ready()
    with desk.transaction(database, state, reason=reason, message=message) as draft:
        row = _open(database, model, number)
        mine = row.by == desk.actor.user
        if state == "withdrawn" and not mine:
            raise RefusedError(
                f"{row.by} asked for {request_id(model, number)}, and alone takes it back",
                hint=call("reject", request_id(model, number)),
            )
        if state == "rejected" and mine:
            raise RefusedError(
                f"{row.by} asked for {request_id(model, number)} and cannot reject it",
                hint=f"{call('withdraw', request_id(model, number))} takes it back",
            )
        closed = Approval(by=desk.actor.user, at=draft.at, message=draft.message)
        row = msgspec.structs.replace(row, state=state, closed=closed)
        database.put(REQUESTS, number, row)
        gating.close(database, {number})
        _say(database, draft, row)
    return _told(desk, model, database, row)


def _say(database: JournalDB, draft: Draft, row: RequestRow) -> None:
    version = bookkeeping.version_row(database, row.version, deleted=True)
    bookkeeping.note(database, draft, version, stage=row.to, request=row.number)


# reading


def requests(desk: Desk, model: str | None, state: str | None) -> list[PromotionRequest]:
    """The requests of a model or of all, newest first; see `Registry.requests`."""
    if state is not None and state not in STATES:
        raise BadInputError(f"no request is {state!r:.60}", hint=f"one of {', '.join(STATES)}")
    names = [row.name for row in desk.models()] if model is None else [model]
    found = [each for name in names for each in _of_model(desk, name, state)]
    return sorted(found, key=lambda each: (each.at, each.id), reverse=True)


def _of_model(desk: Desk, model: str, state: str | None) -> Iterator[PromotionRequest]:
    database = desk.model(model)
    brief = database.row(REQUESTS, ALL_REQUESTS, RequestsRow) or RequestsRow()
    numbers = brief.open if state in ("open", "stale") else range(1, brief.given + 1)
    for number in numbers:
        row = database.row(REQUESTS, number, RequestRow)
        told = _told(desk, model, database, row) if row is not None else None
        if told is not None and state in (None, told.state):
            yield told


def get(desk: Desk, given: Given) -> PromotionRequest:
    """One request as it is now; see `Registry.get_request`."""
    model, database, number = _named(desk, given)
    return _told(desk, model, database, _row(database, model, number))


def request_id(model: str, number: int) -> str:
    """`churn:r3`, which no reference and no name of a model looks like."""
    return f"{model}:r{number}"


def _named(desk: Desk, given: Given) -> tuple[str, JournalDB, int]:
    text = given.id if isinstance(given, PromotionRequest) else given
    match = _ID.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise BadReferenceError(
            f"{text!r:.80} names no request", hint=f"for example 'churn:r3'; {call('requests')} lists them"
        )
    return match[1], desk.model(match[1]), int(match[2])


def _row(database: JournalDB, model: str, number: int) -> RequestRow:
    row = database.row(REQUESTS, number, RequestRow)
    if row is None:
        brief = database.row(REQUESTS, ALL_REQUESTS, RequestsRow)
        last = f"they go from {model}:r1 to {model}:r{brief.given}" if brief else "there was none so far"
        raise UnknownRequestError(f"{model!r} has no request r{number}", hint=last)
    return row


def _open(database: JournalDB, model: str, number: int) -> RequestRow:
    row = _row(database, model, number)
    if row.state != "open":
        by = f" by {row.closed.by}" if row.closed else ""
        raise ConflictError(f"{request_id(model, number)} was {row.state}{by}", hint="ask again")
    return row


def _why_stale(database: JournalDB, row: RequestRow) -> str:
    version = database.row("versions", row.version, VersionRow)
    if version is None or version.deleted is not None:
        moved_to = version.moved_to if version else ""
        return f"was transferred to {moved_to}" if moved_to else "was deleted"
    if not row.left and version.stage == row.was:
        return ""
    return f"went from {row.was} to {row.left or version.stage}"


def _not_stale(desk: Desk, database: JournalDB, model: str, row: RequestRow) -> VersionRow:
    if why := _why_stale(database, row):
        raise StaleRequestError(
            f"{request_id(model, row.number)} is stale: {model}@{row.name or row.version} {why}",
            hint="ask again, or reject it",
        )
    return bookkeeping.version_row(database, row.version)


def _told(
    desk: Desk, model: str, database: JournalDB, row: RequestRow, judged: gating.Judged | None = None
) -> PromotionRequest:
    why = _why_stale(database, row) if row.state == "open" else ""
    needs: list[str] = []
    if judged is not None and row.state == "open":
        needs = [f"{each.gate} ({each.why})" if each.why else each.gate for each in judged.failed]
        needs = needs or (["approval by somebody else"] if not row.approvals else [])
    return PromotionRequest(
        id=request_id(model_name(database) or model, row.number),
        model=model,
        version=row.version,
        name=row.name,
        to=row.to,
        by=row.by,
        at=row.at,
        reason=row.reason,
        message=row.message,
        state="stale" if why else row.state,
        approvals=row.approvals,
        closed=row.closed,
        needs=needs,
        why=why,
    )
