"""A model's history as a person reads it: page by page, newest first, and what may happen next."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from nbreg import lifecycle
from nbreg.errors import BadInputError, JournalError
from nbreg.names import check_model_name
from nbreg.query import parse_query
from nbreg.records import Move, Registered, StageRow, Tenure, Timeline, TimelineItem, VersionRow
from nbreg.registry.ground import listing, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import is_count
from nbreg.registry.stages import foreseeing
from nbreg.store.tiny import JournalDB

if TYPE_CHECKING:
    from nbreg.registry.version import ModelVersion


class HistoryVerbs:
    """What a registry tells of a model's history."""

    _desk: Desk
    _text: Callable[[str | ModelVersion], str]

    def timeline(
        self,
        model: str,
        query: str | None = None,
        *,
        number: int | None = None,
        before: int = 0,
        limit: int = 20,
        without: Collection[str] = (),
        look: int | None = None,
    ) -> Timeline:
        """What happened to a model, newest first, with the versions as they are now.

        With a `query`, only what happened to versions that it chooses; with a `number`, only what
        changed that version, as being archived for another one does. `without` are kinds of events
        to pass over. `before` is a page's `rest`: the next page. Reads no more than it gives,
        unless the query is true of few: then `look` is how many lines it looks through at most,
        and a page that has a `rest` goes on, however little there is on it.

        Raises `UnknownModelError` or `BadQueryError`.
        """
        if not (is_count(before) and is_count(limit) and (look is None or is_count(look))):
            raise BadInputError("a limit is a whole number from 0 on")
        if not (number is None or is_count(number)):
            raise BadInputError(f"{ascii(number)[:40]} is no version's number")
        is_list = isinstance(without, Collection) and not isinstance(without, str | bytes)
        if not (is_list and all(isinstance(kind, str) for kind in without)):
            raise BadInputError("kinds of events are a list of words", hint="without=['proved']")
        database = self._desk.model(model)
        end = min(before - 1, len(database.journal)) if before else len(database.journal)
        lines: Iterable[int] = range(end - 1, -1, -1)
        if number is not None:
            lines = [each for each in reversed(database.history("versions", str(number))) if each < end]
        chosen = _chooser(self._desk, model, database, query)
        return _page(model, database, lines, chosen, limit, frozenset(without), look)

    def registered(self, model: str, *, limit: int = 60) -> list[Registered]:
        """The newest versions of a model, oldest first, each with the line that it came with.

        Raises `UnknownModelError`.
        """
        if not is_count(limit):
            raise BadInputError("a limit is a whole number from 0 on")
        found = listing.versions(
            self._desk, model, query=None, sort=None, limit=limit, offset=0, deleted=False
        )
        return [
            Registered(seq=entry.database.history("versions", str(entry.number))[0] + 1, version=entry.row)
            for entry in reversed(found)
        ]

    def tenures(self, model: str, stage: str | None = None, *, since: int = 0) -> list[Tenure]:
        """Who held a stage from when to when, newest first, back to the line `since`; else `serving`.

        Raises `UnknownModelError` or `UnknownStageError`.
        """
        if not is_count(since):
            raise BadInputError("a line is a whole number from 0 on")
        stage = lifecycle.check_held(self._desk.lifecycle, self.serving if stage is None else stage)
        return list(tenures(self._desk.model(model), stage, since))

    @property
    def serving(self) -> str:
        """The stage of what is at work: `production`, or what this registry has in its place."""
        return lifecycle.serving(self._desk.lifecycle)

    def moves(self, ref: str | ModelVersion) -> list[Move]:
        """What may be done with a version from the stage it is in, and what that would do now.

        `promote`, `retire` and `rollback` take one of these as `expect`.
        """
        entry = reading.get(self._desk, self._text(ref))
        return list(foreseeing.moves(self._desk.lifecycle, entry.database, entry.model, entry.row))

    def seen(self, model: str) -> tuple[int, int, int]:
        """What is another value after every write to a model: cheap to ask, every second if need be."""
        check_model_name(model)
        if self._desk.rights is not None and not self._desk.rights.shows(model):
            return (0, 0, 0)
        try:
            status = (self._desk.folder.model_path(model) / "journal.jsonl").stat()
        except OSError:
            return (0, 0, 0)
        return (status.st_ino, status.st_size, status.st_mtime_ns)


def _page(
    model: str,
    database: JournalDB,
    lines: Iterable[int],
    chosen: Callable[[VersionRow | None], bool],
    limit: int,
    without: frozenset[str],
    look: int | None,
) -> Timeline:
    items: list[TimelineItem] = []
    if not limit:
        return Timeline()  # who asks for nothing wants to know whether the query can be read
    for looked, index in enumerate(lines):
        if looked == look:
            return Timeline(items=items, rest=index + 2)
        event = reading.event(model, database.journal.line(index))
        if event.kind in without:
            continue
        row = database.row("versions", event.number, VersionRow) if event.number else None
        if not chosen(row):
            continue
        if len(items) == limit:
            return Timeline(items=items, rest=index + 2)
        items.append(TimelineItem(event=event, version=row))
    return Timeline(items=items)


def _chooser(
    desk: Desk, model: str, database: JournalDB, query: str | None
) -> Callable[[VersionRow | None], bool]:
    """Whether a version is meant; each is asked once, however much happened to it."""
    if query is None or query == "":
        return lambda row: True
    understood = parse_query(query, listing.FIELDS)
    known: dict[int, bool] = {}

    def chosen(row: VersionRow | None) -> bool:
        if row is None:
            return False
        if row.number not in known:
            known[row.number] = listing.is_chosen(desk, Entry(model, database, row), understood)
        return known[row.number]

    return chosen


def tenures(database: JournalDB, stage: str, since: int = 0) -> Iterator[Tenure]:
    """Who held a stage from line to line, newest first, back to the line `since`."""
    until: int | None = None
    pending: Tenure | None = None
    for index in reversed(database.history("stages", stage)):
        row = database.row("stages", stage, StageRow, before=index + 1)
        number = row.number if row else None
        if pending is not None and pending.number != number:
            yield pending
            pending = None
        if number is not None:
            if pending is None:
                pending = Tenure(number=number, name=_name(database, number), since=index + 1, until=until)
            else:  # the same holder: another version entered or left the stage
                pending = Tenure(number=number, name=pending.name, since=index + 1, until=pending.until)
        if index + 1 <= since:
            break
        until = pending.since if pending is not None else index + 1
    if pending is not None:
        yield pending


def _name(database: JournalDB, number: int) -> str | None:
    """What a version is called; who held a stage is known also where the version's row cannot be read."""
    with suppress(JournalError):
        version = database.row("versions", number, VersionRow)
        return version.name if version else None
    return None
