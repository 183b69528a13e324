"""Links to what is outside: tickets, reports, business cases. Rows, so they change and travel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from nbreg.capture.secrets import without_credentials
from nbreg.errors import BadInputError, BadValueError, NotFoundError
from nbreg.names import LONGEST_NAME
from nbreg.records import Link, LinksRow, VersionRow
from nbreg.registry.ground import bookkeeping, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import checked_text
from nbreg.store.tiny import JournalDB

TABLE: Final = "links"
MOST: Final = 100
LONGEST: Final = 2000

_WEB: Final = re.compile(r"https?:", re.IGNORECASE)


def of(database: JournalDB, number: int) -> list[Link]:
    """The links of a version, oldest first."""
    row = database.row(TABLE, str(number), LinksRow)
    return list(row.links) if row else []


def link(desk: Desk, ref: str, target: str, *, kind: str, title: str, reason: str, message: str) -> Entry:
    """Add a link, or give one that is there another kind or title; see `ModelVersion.link`."""
    target, kind, title = checked_target(target), _word(kind), _title(title)
    entry = reading.to_write(desk, ref, deleted=True)
    desk.ready()
    database = entry.database
    with desk.transaction(database, "linked", reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, entry.number, deleted=True)
        there = database.row(TABLE, str(row.number), LinksRow) or LinksRow()
        known = next((each for each in there.links if each.target == target), None)
        made = Link(
            id=known.id if known else there.next_id,
            target=target,
            kind=kind,
            title=title or (known.title if known else ""),
            at=known.at if known else draft.at,
            by=known.by if known else desk.actor.user,
        )
        if made == known:
            return entry
        others = [each for each in there.links if each is not known]
        if len(others) >= MOST:
            raise BadInputError(f"{entry.ref} has {MOST} links", hint="link a page that lists the rest")
        links = sorted([*others, made], key=lambda each: each.id)
        bookkeeping.note(
            database, draft, row, target=target, link=kind, **({"title": title} if title else {})
        )
        after = LinksRow(links=links, next_id=max(there.next_id, made.id + 1))
        database.put(TABLE, str(row.number), after)
    return entry


def unlink(desk: Desk, ref: str, target: str | int, *, reason: str, message: str) -> Entry:
    """Take a link away, by its target or its id; the journal still tells of it."""
    entry = reading.to_write(desk, ref, deleted=True)
    desk.ready()
    database = entry.database
    with desk.transaction(database, "unlinked", reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, entry.number, deleted=True)
        there = database.row(TABLE, str(row.number), LinksRow) or LinksRow()
        gone = next((each for each in there.links if target in (each.target, each.id, str(each.id))), None)
        if gone is None:
            targets = ", ".join(f"{each.id}: {each.target[:60]}" for each in there.links[:6])
            raise NotFoundError(
                f"{entry.ref} has no link {ascii(target)[:80]}",
                hint=f"its links: {targets}" if targets else "it has none",
            )
        bookkeeping.note(database, draft, row, target=gone.target, link=gone.kind)
        links = [each for each in there.links if each is not gone]
        database.put(TABLE, str(row.number), msgspec.structs.replace(there, links=links))
    return entry


# travelling


def carried(told: Iterable[Any]) -> list[Link]:
    """The links of another registry or an archive, as untrusted as a stranger's arguments."""
    found: list[Link] = []
    for each in told:
        with suppress(BadInputError, msgspec.ValidationError):
            given = each if isinstance(each, Link) else msgspec.convert(each, Link)
            target = checked_target(given.target)
            link = Link(
                id=len(found) + 1,
                target=target,
                kind=_word(given.kind),
                title=_title(given.title),
                at=checked_text(given.at, "a time")[:40],
                by=checked_text(given.by, "a name")[:LONGEST_NAME],
            )
            if all(target != other.target for other in found):
                found.append(link)
    return found[:MOST]


def carry(database: JournalDB, row: VersionRow, links: list[Link]) -> None:
    """Put the links of a version that comes from elsewhere, in the transaction that brings it."""
    if links:
        database.put(TABLE, str(row.number), LinksRow(links=links, next_id=len(links) + 1))


def as_plain(links: Iterable[Link]) -> list[Mapping[str, Any]]:
    """Links as JSON."""
    return [msgspec.to_builtins(each) for each in links]


# what is given


def checked_target(target: str) -> str:
    """A URL or any text, without credentials. Raises `BadValueError`."""
    if not isinstance(target, str) or not target.strip():
        raise BadValueError("a link leads somewhere", hint="a URL, a path, or words such as 'ticket 4711'")
    target = target.strip()
    if len(target) > LONGEST or not target.isprintable():
        raise BadValueError(
            f"{ascii(target)[:60]} is not a link", hint=f"one line of up to {LONGEST} characters"
        )
    if _WEB.match(target):
        _check_web(target)
    return checked_text(without_credentials(target), "the link")


def _check_web(target: str) -> None:
    """An address that no browser could open is a typo."""
    try:
        split = urlsplit(target)
        is_address = bool(split.hostname) and " " not in target and (split.port or 1) > 0
    except ValueError:
        is_address = False
    if not is_address:
        raise BadValueError(f"{ascii(target)[:60]} is not a web address", hint="https://example.org/report")


def _word(kind: str) -> str:
    if not isinstance(kind, str) or not kind.strip() or len(kind) > 60 or not kind.isprintable():
        raise BadValueError(
            f"{ascii(kind)[:60]} is no kind of link", hint="a word: ticket, report, dashboard"
        )
    return checked_text(kind.strip(), "the kind")


def _title(title: str) -> str:
    title = checked_text(title, "the title").strip()
    if len(title) > 200 or not title.isprintable():
        raise BadValueError("the title is too long or not one line", hint="up to 200 characters")
    return title
