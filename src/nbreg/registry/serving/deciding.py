"""Which version decided: an answer is written down with digests of its rows, and found again by a row."""

from __future__ import annotations

import atexit
import logging
from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Literal

from nbreg.capture.tabular import rows as rows_of
from nbreg.capture.tabular.rows import Layout
from nbreg.display import DecisionsView
from nbreg.errors import BadInputError, BadValueError, NbregError, NotStampedError, StoreError
from nbreg.records import Decision, Problem, VersionRow
from nbreg.registry.ground import reading
from nbreg.registry.ground.actor import current_actor
from nbreg.registry.ground.desk import Desk
from nbreg.registry.serving.decided import history
from nbreg.store import ledger, segments
from nbreg.store.ledger import Key, Ledger, Piece
from nbreg.store.ledgerlines import DIGEST, Decided, Deciding

log = logging.getLogger("nbreg")

Stamp = Literal["required", "best-effort", "off"]

_STAMPS: Final = ("required", "best-effort", "off")
_LONGEST_ID: Final = 200


# writing down


def checked_stamp(desk: Desk, stamp: str | bool | None) -> Stamp:
    """How a decision is to be written down. Raises `BadInputError`."""
    chosen = desk.settings.stamp if stamp is None else stamp
    if chosen is True or chosen is False:
        return "required" if chosen else "off"
    if chosen not in _STAMPS:
        raise BadInputError(f"stamp is {chosen!r}", hint="'required', 'best-effort' or 'off'")
    return chosen  # type: ignore[return-value]


def checked_request(request: object) -> str:
    """The caller's id of a request: short, and without what looks like a secret. Raises `BadValueError`."""
    if not isinstance(request, str):
        raise BadValueError(f"a request's id is text, not {type(request).__name__}")
    if len(request) > _LONGEST_ID or not request.isprintable():
        raise BadValueError(f"a request's id has up to {_LONGEST_ID} printable characters")
    return _redactor().text(request) if request else ""


@lru_cache(1)
def _redactor() -> Any:
    from nbreg.capture.secrets import Redactor

    return Redactor.of_process({})


class Stamper:
    """Writes down what one version decides, for one registry's actor."""

    def __init__(self, desk: Desk, model: str, row: VersionRow) -> None:
        self._desk = desk
        self._model = model
        self._row = row
        self._registry = ""
        self._actor = desk.actor

    def prepared(
        self, rows: object, layout: Callable[[], Layout], *, request: str, method: str, how: Stamp
    ) -> Callable[[], None]:
        """Digest the rows, before the model sees them: it may change them. What is returned writes them down.

        Raises `NotStampedError`, and so does what is returned, if a stamp is required.
        """
        try:
            write = self._digested(rows, layout(), request, method)
        except Exception as error:  # reading the rows may run their own code
            self._refuse(error, how)
            return lambda: None

        def stamp() -> None:
            try:
                write()
            except Exception as error:
                self._refuse(error, how)

        return stamp

    def _refuse(self, error: Exception, how: Stamp) -> None:
        if how == "required":
            raise NotStampedError(
                f"what {self.ref} decides cannot be written down: {error}",
                hint="no answer is given; predict(X, stamp='best-effort') gives it all the same",
            ) from error
        log.warning("a decision of %s is not written down: %s", self.ref, error)

    @property
    def ref(self) -> str:
        """The version, as messages name it."""
        return f"{self._model}@{self._row.name or self._row.number}"

    def _digested(self, rows: object, layout: Layout, request: str, method: str) -> Callable[[], None]:
        desk = self._desk
        if not self._registry:
            begin(desk)
            self._registry, self._actor = desk.id, desk.actor
        registry, actor = self._registry, self._actor
        writer = ledger.writer(desk.folder.ledger)
        deciding = Deciding(
            model=self._model,
            number=self._row.number,
            id=self._row.id,
            by=actor,
            method=method,
            columns=layout.columns,
            width=layout.width,
        )
        digests = rows_of.digests(rows, layout, writer.key(actor, registry).secret)
        return lambda: writer.write(
            deciding,
            digests,
            now=desk.folder.now(),
            request=request,
            registry=registry,
            most=desk.settings.segment_bytes,
        )


def own_layout(rows: object) -> Layout:
    """How rows are spelled that no signature tells of: by their own names, unless one looks like a secret."""
    found = rows_of.layout_of(None, rows)
    hidden = any(_redactor().text(name) != name for name in found.columns)
    return Layout((), found.width) if hidden else found


def begin(desk: Desk) -> None:
    """A ledger is there, and the registry's own journal says so. Raises `StoreError`."""
    desk.ready()
    desk.folder.begin_ledger(desk.actor)
    atexit.unregister(_finish)  # once
    atexit.register(_finish)


def _finish() -> None:
    ledger.finish_all(current_actor())


# finding again


def who_decided(
    desk: Desk, rows: object, *, model: str | None, since: str | datetime | None
) -> DecisionsView:
    """The decisions on each row; see `Registry.who_decided`."""
    if model is not None:
        desk.model(model)  # a name that nobody has is no answer of "nobody"
    else:
        desk.check_admin("asking for the decisions of all models")
    asked = rows_of.as_rows(rows)
    search = _Search(desk, asked, model, reading.moment_text(since))
    book = desk.folder.ledger
    if book.is_there:
        search.all_of(book)
    return DecisionsView(rows=search.answers(), unread=search.unread)


class _Search:
    """One question to all files of decisions."""

    def __init__(self, desk: Desk, asked: object, model: str | None, since: str) -> None:
        self._desk = desk
        self._asked = asked
        self._model = model
        self._since = since
        self._count: int | None = None
        self._wanted: dict[Layout, dict[bytes, list[int]]] = {}
        self._fitting = self._other = 0
        self._found: dict[int, list[tuple[Deciding, Decided]]] = {}
        self._histories: dict[tuple[str, int], tuple[list[str], list[VersionRow]]] = {}
        self.unread: list[Problem] = []

    def all_of(self, book: Ledger) -> None:
        try:
            key = book.key()
            pieces = book.pieces()
        except StoreError as error:
            self.unread.append(Problem(code=error.code, where=str(book.path), message=error.message))
            return
        for piece in pieces:
            if piece.row is not None and (not piece.row.last or piece.row.last < self._since):
                continue
            try:
                self._look_into(book, piece, key)
            except (NbregError, ValueError, OSError) as error:
                told = error.message if isinstance(error, NbregError) else f"it cannot be read: {error}"
                self.unread.append(Problem(code="unread", where=str(piece.path), message=told))
        if self._other and not self._fitting:  # "nobody" would be no answer
            told = "no version that decided takes rows with such columns"
            self.unread.append(
                Problem(code="input-mismatch", where=self._model or str(book.path), message=told)
            )

    def _look_into(self, book: Ledger, piece: Piece, key: Key | None) -> None:
        data = segments.read(book.path_of(piece.id))
        begun = segments.begun_in(data)
        if begun is None:
            raise StoreError("its first line is not the beginning of it")
        if key is None or key.id != begun.key:
            raise StoreError("it was written with another key than the registry has now")
        index = None if piece.row is None else book.index(piece.row)
        deciding = segments.versions_in(data) if index is None else index.deciding
        mine = {each.v: each for each in deciding if self._model in (None, each.model)}
        for layout in {Layout(each.columns, each.width) for each in mine.values()}:
            wanted = self._digests(layout, key)
            for digest, line in segments.find(data, list(wanted), index):
                if line.v in mine and line.at >= self._since:
                    for row in wanted[digest]:
                        self._found.setdefault(row, []).append((mine[line.v], line))

    def _digests(self, layout: Layout, key: Key) -> dict[bytes, list[int]]:
        """The digests of the rows that were asked about, spelled as a version spelled them."""
        if layout not in self._wanted:
            found: dict[bytes, list[int]] = {}
            rows = rows_of.one_by_position(self._asked, layout.width)
            if rows_of.fits(rows, layout):
                digests = rows_of.digests(rows, layout, key.secret)
                for at in range(0, len(digests), DIGEST):
                    found.setdefault(digests[at : at + DIGEST], []).append(at // DIGEST)
                self._count = len(digests) // DIGEST
                self._fitting += 1
            else:
                self._other += 1
            self._wanted[layout] = found
        return self._wanted[layout]

    def answers(self) -> list[list[Decision]]:
        """For each row, newest first."""
        count = rows_of.count(self._asked) if self._count is None else self._count
        return [self._newest_first(self._found.get(row, [])) for row in range(count)]

    def _newest_first(self, found: Iterable[tuple[Deciding, Decided]]) -> list[Decision]:
        told = [self._decision(deciding, line) for deciding, line in found]
        return sorted(told, key=lambda each: each.at, reverse=True)

    def _decision(self, deciding: Deciding, line: Decided) -> Decision:
        row = self._then(deciding, line.at)
        name = row.name if row else None
        return Decision(
            model=deciding.model,
            number=deciding.number,
            id=deciding.id,
            ref=f"{deciding.model}@{name or deciding.number}",
            at=line.at,
            by=deciding.by,
            stage=row.stage if row else "",
            request=line.request,
            method=deciding.method,
        )

    def _then(self, deciding: Deciding, at: str) -> VersionRow | None:
        """The version's row as it was then; None where its journal is gone or tells of another version."""
        name = (deciding.model, deciding.number)
        if name not in self._histories:
            self._histories[name] = history(self._desk.folder.model_if_any(deciding.model), deciding.number)
        moments, rows = self._histories[name]
        place = bisect_right(moments, at) - 1
        row = rows[place] if place >= 0 else None
        return row if row is not None and row.id == deciding.id else None
