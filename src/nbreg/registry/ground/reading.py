"""Which version a reference means, and the lists."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Final

from nbreg import lifecycle
from nbreg.errors import (
    BadInputError,
    BadReferenceError,
    JournalError,
    UnknownVersionError,
    call,
    did_you_mean,
    spelled,
)
from nbreg.names import Reference, parse_moment, parse_reference
from nbreg.records import Event, Lifecycle, ModelRow, Pointer, StageRow, VersionRow, timestamp
from nbreg.registry.ground import proofs
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import is_count
from nbreg.store.folder import MODEL_ROW
from nbreg.store.journal import Line
from nbreg.store.tiny import JournalDB


def get(desk: Desk, ref: str, *, deleted: bool = False) -> Entry:
    """The version that a reference means; the one place that decides it."""
    reference = parse_reference(ref)
    database = desk.model(reference.model)
    before = _lines_before(database, reference)
    number = resolve(database, reference, desk.lifecycle, before)
    row = database.row("versions", number, VersionRow)
    if row is None:
        raise _no_such(database, reference, desk.lifecycle)
    _refuse_another(database, reference, number, row)
    then = row if before is None else database.row("versions", number, VersionRow, before=before)
    if then is None:
        raise UnknownVersionError(
            f"{reference.model}@{number} was not there at {reference.as_of:%Y-%m-%d %H:%M} UTC"
        )
    if row.moved_to and then.deleted is not None and not deleted:
        raise UnknownVersionError(
            f"{reference.model}@{row.name or number} was transferred by {then.deleted.by}",
            hint=f"it is {row.moved_to} now",
        )
    if then.deleted is not None and not deleted:
        back = f"{call('restore', f'{reference.model}@{number}')} brings it back"
        raise UnknownVersionError(
            f"{reference.model}@{row.name or number} was deleted by {then.deleted.by}",
            hint="its bytes were purged since: its record is all that is left" if row.purged else back,
        )
    return Entry(reference.model, database, row)


def _refuse_another(database: JournalDB, reference: Reference, number: int, row: VersionRow) -> None:
    """What leads to a version is a row that somebody may have written: it has to lead to the right one."""
    digest = reference.value if reference.kind == "digest" else ""
    if row.number != number or not row.id.startswith(digest):
        raise JournalError(
            f"{database.journal.path}: its rows lead from {str(reference)!r} to another version",
            hint="`nbreg verify` tells what is wrong",
        )


def to_write(desk: Desk, ref: str, *, deleted: bool = False) -> Entry:
    """As `get`, for verbs that write: a model's name alone is too vague for them."""
    reference = parse_reference(ref)
    if reference.kind == "implicit":
        raise BadReferenceError(
            f"{ref!r} does not say which version",
            hint=f"for example '{reference.model}@latest' or a number",
        )
    if reference.as_of is not None:
        raise BadReferenceError(
            f"{ref!r} speaks of the past", hint="leave the date out: only the present changes"
        )
    return get(desk, ref, deleted=deleted)


def _lines_before(database: JournalDB, reference: Reference) -> int | None:
    """How many lines the journal had at the reference's moment; None for the present."""
    if reference.as_of is None:
        return None
    before = database.journal.index_at(timestamp(reference.as_of))
    if before == 0:
        raise UnknownVersionError(
            f"{reference.model!r} had no version at {reference.as_of:%Y-%m-%d %H:%M} UTC",
            hint="`nbreg events` shows when it began",
        )
    return before


def resolve(database: JournalDB, reference: Reference, rules: Lifecycle, before: int | None) -> int:
    """The number that a reference means in this model. Raises `UnknownVersionError`."""
    match reference.kind:
        case "number":
            return int(reference.value)
        case "digest":
            return _by_digest(database, reference)
        case "word":
            return _by_word(database, reference, rules, before)
        case _:
            return _latest(database, reference, before)


def _latest(database: JournalDB, reference: Reference, before: int | None) -> int:
    row = database.row(*MODEL_ROW, ModelRow, before=before)
    if row is None or row.latest is None:
        raise UnknownVersionError(f"{reference.model!r} has no version that is not deleted")
    return row.latest


def _by_digest(database: JournalDB, reference: Reference) -> int:
    found = [reference.value] if len(reference.value) == 64 else database.completions("ids", reference.value)
    if len(found) > 1:
        raise BadReferenceError(
            f"sha256:{reference.value} could be {len(found)} versions", hint="give more of the digest"
        )
    pointer = database.row("ids", found[0], Pointer) if found else None
    if pointer is None:
        raise UnknownVersionError(f"{reference.model!r} has no version sha256:{reference.value[:12]}…")
    return _alive(database, pointer.number)


def _alive(database: JournalDB, number: int) -> int:
    """A version of the same id that is there, if the one that the id leads to is not: a copy keeps the id."""
    row = database.row("versions", number, VersionRow)
    if row is None or row.deleted is None:
        return number
    for index in reversed(database.history("content", row.content_digest)):
        pointer = database.row("content", row.content_digest, Pointer, before=index + 1)
        other = database.row("versions", pointer.number, VersionRow) if pointer else None
        if other is not None and other.id == row.id and other.deleted is None:
            return other.number
    return number


def _by_word(database: JournalDB, reference: Reference, rules: Lifecycle, before: int | None) -> int:
    word = reference.value
    if word in rules.stages:
        lifecycle.check_held(rules, word)
        holder = database.row("stages", word, StageRow, before=before)
        if holder is None or holder.number is None:
            there = "is in" if before is None else "was then in"
            raise UnknownVersionError(
                f"no version of {reference.model!r} {there} {word}",
                hint=f"{_promoting(reference.model, word)} puts one there",
            )
        return holder.number
    pointer = database.row("aliases", word, Pointer, before=before) or database.row(
        "names", word, Pointer, before=before
    )
    if pointer is None:
        raise _no_such(database, reference, rules)
    return pointer.number


def _promoting(model: str, stage: str) -> str:
    ref = f"{model}@…"
    typed = f"promote {ref} {stage}"
    return spelled(f"registry.promote({ref!r}, {stage!r})", f"%{typed}", f"`nbreg {typed}`")


def _no_such(database: JournalDB, reference: Reference, rules: Lifecycle) -> UnknownVersionError:
    if reference.kind == "word":
        stages = lifecycle.held(rules)
        known = [*database.ids("names")[-200:], *database.ids("aliases"), *stages, "latest"]
        name = reference.model
        lists = spelled(f"registry.versions({name!r})", f"%model_history {name}", f"`nbreg versions {name}`")
        meant = lifecycle.meant_by(rules, reference.value)
        otherwise = f"did you mean {meant!r}?" if meant in stages else f"{lists} lists them"
        hint = did_you_mean(reference.value, known, otherwise)
        return UnknownVersionError(
            f"{reference.model!r} has no version, stage or alias {reference.value!r}", hint=hint
        )
    row = database.row(*MODEL_ROW, ModelRow)
    last = row.next_number - 1 if row else 0
    return UnknownVersionError(
        f"{reference.model!r} has no version {reference.value}",
        hint=("it has none yet", "there is only 1")[last] if last < 2 else f"its numbers go from 1 to {last}",
    )


# what happened


_OF_ALL_MODELS: Final = ("gates-required", "gate-dropped")
"""Of the registry's own lines those that are about its models."""


def events(desk: Desk, model: str | None, *, since: str | datetime | None, limit: int | None) -> list[Event]:
    """What happened, newest first."""
    if not (limit is None or is_count(limit)):
        raise BadInputError("a limit is a whole number from 0 on")
    start = moment_text(since)
    if model is not None:
        return _events_of(desk.model(model), start, limit)
    own = _events_of(desk.folder.own.refresh(), start, None)
    found = [event for event in own if event.kind in _OF_ALL_MODELS]
    for row in desk.models():
        found += _events_of(desk.model(row.name), start, limit)
    found.sort(key=lambda event: (event.at, event.model, event.seq), reverse=True)
    return found[:limit]


def moment_text(since: str | datetime | None) -> str:
    """A moment as journals have it, a day from its first instant; empty for none."""
    if since is None:
        return ""
    if isinstance(since, str):
        day = len(since) == 10
        moment = parse_moment(since)
        return timestamp(moment.replace(hour=0, minute=0, second=0, microsecond=0) if day else moment)
    if not isinstance(since, datetime):
        raise BadInputError(
            f"a moment is text or a datetime, not {type(since).__name__}", hint="'2026-02-09'"
        )
    return timestamp(since if since.tzinfo else since.replace(tzinfo=UTC))


def _events_of(database: JournalDB, start: str, limit: int | None) -> list[Event]:
    found: list[Event] = []
    head = database.row(*MODEL_ROW, ModelRow)
    for index in range(len(database.journal) - 1, -1, -1):
        if limit is not None and len(found) >= limit:
            break
        line = database.journal.line(index)
        if line.at < start:
            break
        found.append(event(head.name if head else "", line))
    return found


def events_of_version(entry: Entry) -> list[Event]:
    """What happened to a version, newest first: no line from before it came to be is read."""
    journal = entry.database.journal
    first = entry.database.history("versions", str(entry.number))[0]
    lines = (journal.line(index) for index in range(len(journal) - 1, first - 1, -1))
    return [event(entry.model, line) for line in lines if line.facts.get("number") == entry.number]


def last_event_of_version(entry: Entry) -> Event:
    """The line that wrote a version's row last; no other line is read."""
    written = entry.database.history("versions", str(entry.number))
    return event(entry.model, entry.database.journal.line(written[-1]))


def evidence_of_version(entry: Entry) -> list[Event]:
    """What clean processes found out about a version, newest first; no other line is read."""
    written = entry.database.history(proofs.TABLE, proofs.row_id(entry.number))
    return [event(entry.model, entry.database.journal.line(index)) for index in reversed(written)]


def event(model: str, line: Line) -> Event:
    """A line of a journal as people are told of it."""
    number = line.facts.get("number")
    return Event(
        model=model,
        seq=line.seq,
        at=line.at,
        by=line.by,
        kind=line.kind,
        reason=line.reason,
        message=line.message,
        number=number if isinstance(number, int) else None,
        facts=deepcopy(line.facts),  # the journal may keep its line, and an event is the caller's
    )
