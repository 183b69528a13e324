"""What a version decided: how much in all, and its newest answers, from the end of the ledger's files."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress

from nbreg.display import DecidedByView
from nbreg.errors import BadInputError, JournalError, NbregError, StoreError
from nbreg.records import Answered, Problem, Tally, VersionRow
from nbreg.registry.ground import reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.store import segments
from nbreg.store.ledger import Ledger, Piece
from nbreg.store.ledgerlines import WIDTH, Decided, Deciding
from nbreg.store.tiny import JournalDB

MOST = 10_000
"""Answers that are listed at most; whoever wants more wants a row's (`who_decided`), or the files."""

Found = tuple[Deciding, Decided]


def tally(desk: Desk, version: str) -> tuple[Tally, bool]:
    """What the version of that id decided, and whether that is all. Raises `JournalError`."""
    book = desk.folder.ledger
    return book.tally(version) if book.is_there else (Tally(), True)


def decided_by(desk: Desk, ref: str, limit: int) -> DecidedByView:
    """How much a version decided, and its newest answers; see `Registry.decided_by`."""
    if not isinstance(limit, int) or isinstance(limit, bool) or not 0 <= limit <= MOST:
        raise BadInputError(f"limit is a whole number from 0 to {MOST:,}")
    entry = reading.get(desk, ref)
    total, is_whole = tally(desk, entry.row.id)
    unread: list[Problem] = []
    book = desk.folder.ledger
    found = _newest(book, entry.row.id, limit, unread) if book.is_there and limit else []
    return DecidedByView(
        ref=entry.ref,
        tally=total,
        is_whole=is_whole,
        answers=list(_told(entry, found)),
        unread=unread,
    )


def _newest(book: Ledger, version: str, limit: int, unread: list[Problem]) -> list[Found]:
    """From the file with the newest answers on, until no older file can have a newer one."""
    found: list[Found] = []
    for last, piece in _by_last(book, version):
        if len(found) == limit and last < found[-1][1].at:
            break
        try:
            data = segments.read(book.path_of(piece.id))
            mine = [each for each in segments.versions_in(data) if each.id == version]
            found += [(each, line) for each in mine for line in segments.newest(data, each.v, limit)]
        except (NbregError, ValueError) as error:
            told = error.message if isinstance(error, NbregError) else f"it cannot be read: {error}"
            unread.append(Problem(code="unread", where=str(piece.path), message=told))
        found = sorted(found, key=lambda each: each[1].at, reverse=True)[:limit]
    return found


def _by_last(book: Ledger, version: str) -> list[tuple[str, Piece]]:
    """The files that have answers of the version, or are being written, the newest first."""
    pieces = [(_last(piece, version), piece) for piece in book.pieces()]
    return sorted(((last, piece) for last, piece in pieces if last), key=lambda each: each[0], reverse=True)


def _last(piece: Piece, version: str) -> str:
    """When its last answer was given; empty where it has none."""
    if piece.row is None:
        return "9"  # being written: after every moment
    mine = piece.row.tallies.get(version)
    if mine is not None:
        return mine.last
    return "" if piece.row.tallies else piece.row.last  # one of an earlier release has no tallies


def _told(entry: Entry, found: list[Found]) -> Iterator[Answered]:
    moments, rows = history(entry.database, entry.number)
    for deciding, line in found:
        place = bisect_right(moments, line.at) - 1
        yield Answered(
            at=line.at,
            by=deciding.by,
            rows=len(line.rows) // WIDTH,
            stage=rows[place].stage if place >= 0 else "",
            request=line.request,
            method=deciding.method,
        )


def note_of(desk: Desk, version: str) -> tuple[str, str] | None:
    """The same in a few words for a graph: how much, and since when; None where it decided nothing."""
    total, is_whole = Tally(), True
    with suppress(JournalError, StoreError):
        total, is_whole = tally(desk, version)
    if not total.decisions:
        return None
    return DecidedByView(ref="", tally=total, is_whole=is_whole).amount(), f"since {total.first[:10]}"


def history(database: JournalDB | None, number: int) -> tuple[list[str], list[VersionRow]]:
    """When a version's row was written, and what it was from then on."""
    moments: list[str] = []
    rows: list[VersionRow] = []
    if database is None:
        return moments, rows
    for index in database.history("versions", str(number)):
        row = database.row("versions", number, VersionRow, before=index + 1)
        if row is not None:
            moments.append(database.journal.line(index).at)
            rows.append(row)
    return moments, rows
