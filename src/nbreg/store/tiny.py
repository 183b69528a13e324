"""TinyDB over a journal: every verb of a table, none of the whole-file rewriting.

`JournalStorage` hands TinyDB lazy views of the rows as the journal left them; `JournalTable`
turns whatever an update did into the documents of one line. Ids are text, given by the caller.
Documents are decoded anew for each reader, so changing one changes nothing stored.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec
from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document, Table

from nbreg.errors import BadValueError, JournalError, StoreError
from nbreg.records import NO_RECORD, Actor, Row, as_doc, plain, timestamp
from nbreg.store.index import Digests, Numbers, RowIds, Words, gone, line_of, took_away
from nbreg.store.journal import Journal, Line, Unsealed

R = TypeVar("R", bound=Row)
Key = tuple[str, str]
Doc = dict[str, Any]

_TABLES: dict[str, type[Words | Numbers | Digests]] = {
    "versions": Numbers,
    "ids": Digests,
    "content": Digests,
    "data": Digests,
    "features": Digests,
    "parents": Digests,
    "snapshots": Digests,
}
"""How each table's ids look; any other table has free text."""

_FITS = {table: kind.fits for table, kind in _TABLES.items()}
_NULL = msgspec.Raw(b"null")


class Draft:
    """The rows of one transaction, before it is a line; `facts` may be filled until the end."""

    def __init__(self, seq: int, at: str) -> None:
        self.seq = seq
        self.at = at
        self.facts: Doc = {}
        self.reason = ""
        self.message = ""
        self.rows: dict[Key, Row | Doc | None] = {}
        """As they were put: a record becomes a document when the line is made."""
        self.carried: set[Key] = set()
        """Rows that the line carries even if they did not change."""


class JournalStorage(Storage):
    """A TinyDB storage whose truth is a journal, and whose memory is an index of it."""

    def __init__(
        self,
        path: Path,
        *,
        scrap: Path,
        lock_seconds: float = 10.0,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.journal = Journal(path, self, scrap=scrap, lock_seconds=lock_seconds)
        self._clock = clock or (lambda: datetime.now(UTC))
        self._tables: dict[str, RowIds] = {}
        self._add: dict[str, Callable[[str, int], None]] = {}
        """What adds a row to each table's index: opening a journal does so for every row of every line."""
        self._mine = threading.local()

    # the journal's follower

    def refuses(self, line: Line) -> str:
        """A row whose id its table cannot have."""
        fitting = _FITS
        for table, row_id in line.keys:
            fits = fitting.get(table)
            if fits is not None and not fits(row_id):
                return f"has a row {ascii(row_id)[:40]} in {ascii(table)[:40]}"
        return ""

    def apply(self, index: int, line: Line) -> None:
        """Note which rows a line wrote."""
        add = self._add
        if _NULL in line.docs:
            for (table, row_id), doc in zip(line.keys, line.docs, strict=True):
                (add.get(table) or self._new(table))(row_id, gone(index) if doc == _NULL else index)
            return
        for table, row_id in line.keys:
            (add.get(table) or self._new(table))(row_id, index)

    def _new(self, table: str) -> Callable[[str, int], None]:
        """The index of a table that has had no row yet; what adds to it."""
        ids = self._tables[table] = _TABLES.get(table, Words)()
        self._add[table] = ids.add
        return ids.add

    def reset(self) -> None:
        """Forget everything: the journal is read anew."""
        self._tables.clear()
        self._add.clear()

    # TinyDB's two verbs

    def read(self) -> dict[str, Any]:
        """Lazy views of all tables, up to date with other processes."""
        with self.journal.mutex:
            self.journal.refresh()
            drafted = {table for table, _ in self.draft.rows} if self.draft else set()
            return {name: _Rows(self, name) for name in {*self._tables, *drafted}}

    def write(self, data: Mapping[str, Mapping[str, Any]]) -> NoReturn:
        """Refused: whole tables are never written, and history is never dropped."""
        raise StoreError(
            "a journal cannot be overwritten", hint="remove documents one by one: they become history"
        )

    def close(self) -> None:
        """Let go of the file."""
        self.journal.close()

    # rows

    @property
    def draft(self) -> Draft | None:
        """This thread's open transaction."""
        return getattr(self._mine, "draft", None)

    def raw(self, table: str, row_id: str, *, before: int | None = None) -> msgspec.Raw | None:
        """A row's bytes; with `before`, as they were when the journal had that many lines."""
        with self.journal.mutex:
            ids = self._tables.get(table)
            entries = ids.entries(row_id) if ids else ()
            end = len(entries) if before is None else bisect_left(entries, before, key=line_of)
            for at in range(end - 1, -1, -1):
                line = self.journal.line(line_of(entries[at]))
                for key, doc in zip(line.keys, line.docs, strict=True):
                    if key == (table, row_id):
                        return None if doc == _NULL else doc
        return None

    def ids(self, table: str) -> list[str]:
        """The ids of a table's rows that are there, drafted ones included."""
        drafted = (
            {row_id: doc for (t, row_id), doc in self.draft.rows.items() if t == table} if self.draft else {}
        )
        found = [row_id for row_id in self._stored_ids(table) if row_id not in drafted]
        return found + [row_id for row_id, doc in drafted.items() if doc is not None]

    def _stored_ids(self, table: str) -> list[str]:
        with self.journal.mutex:
            ids = self._tables.get(table)
            if ids is None:
                return []
            if isinstance(ids, Digests):
                return [full for short in ids.ids() for full in self.completions(table, short)]
            return [row_id for row_id in ids.ids() if not took_away(ids.entries(row_id)[-1])]

    def completions(self, table: str, beginning: str) -> list[str]:
        """The digests of a table's rows that begin so."""
        with self.journal.mutex:
            ids = self._tables.get(table)
            present: dict[str, bool] = {}
            for entry in ids.entries(beginning) if ids else ():
                for (name, row_id), doc in self._keys_and_docs(line_of(entry)):
                    if name == table and row_id.startswith(beginning):
                        present[row_id] = doc != _NULL
            return [row_id for row_id, there in present.items() if there]

    def _keys_and_docs(self, index: int) -> Iterator[tuple[Key, msgspec.Raw]]:
        line = self.journal.line(index)
        return zip(line.keys, line.docs, strict=True)

    def history(self, table: str, row_id: str) -> list[int]:
        """The indexes of the lines that wrote a row, oldest first."""
        with self.journal.mutex:
            ids = self._tables.get(table)
            return [line_of(entry) for entry in ids.entries(row_id)] if ids else []

    def put(self, table: str, row_id: str, row: Row | Doc | None) -> None:
        """Write a row into this thread's transaction, or take it away with None."""
        draft = self.draft
        if draft is None:
            raise StoreError("a row is written outside a transaction")
        if not isinstance(row_id, str) or not row_id:
            raise BadValueError(f"a document's id is text, not {row_id!r}")
        kind = _TABLES.get(table)
        if kind is not None and not kind.fits(row_id):
            raise BadValueError(f"{ascii(row_id)[:80]} is no id for {table!r}", hint=kind.IDS)
        draft.rows[table, row_id] = plain(row, f"{table}/{row_id}") if isinstance(row, dict) else row

    def doc(self, table: str, row_id: str) -> Doc | None:
        """A row as a new dictionary; this thread's draft comes first."""
        draft = self.draft
        if draft is not None and (table, row_id) in draft.rows:
            return _doc((table, row_id), draft.rows[table, row_id])
        raw = self.raw(table, row_id)
        return None if raw is None else msgspec.json.decode(raw)

    # transactions

    @contextmanager
    def transaction(self, kind: str, *, by: Actor, reason: str = "", message: str = "") -> Iterator[Draft]:
        """Hold the journal's lock, see the latest rows, append one line on leaving.

        Nothing is written if the block raises, or if it changed no row. Nothing slow may run
        inside: other kernels wait for it.
        """
        for what, text in (("reason", reason), ("message", message)):
            if not isinstance(text, str):
                raise BadValueError(f"the {what} is text, not {type(text).__name__}")
            plain(text, f"the {what}")
        if self.draft is not None:
            raise StoreError(
                f"{self.journal.path} has an open transaction in this thread", hint="do not nest them"
            )
        with self.journal.locked() as fd:
            process = os.getpid()
            draft = Draft(len(self.journal) + 1, max(timestamp(self._clock()), self.journal.at))
            draft.reason, draft.message = reason, message
            self._mine.draft = draft
            try:
                yield draft
                rows = self._changed(draft)
            finally:
                self._mine.draft = None
            if os.getpid() != process:
                raise StoreError(
                    "the process forked inside a transaction", hint="only the parent goes on with it"
                )
            if rows:
                self.journal.append(fd, self._unsealed(draft, rows, kind=kind, by=by))

    def _changed(self, draft: Draft) -> dict[Key, Doc | None]:
        self._mine.draft = None  # compare with what is stored, not with the draft itself
        docs = {key: _doc(key, row) for key, row in draft.rows.items()}
        return {key: doc for key, doc in docs.items() if key in draft.carried or doc != self.doc(*key)}

    def _unsealed(self, draft: Draft, rows: dict[Key, Doc | None], *, kind: str, by: Actor) -> Unsealed:
        return Unsealed(
            seq=draft.seq,
            at=draft.at,
            by=by,
            kind=kind,
            reason=draft.reason,
            message=draft.message,
            facts=plain(draft.facts, "facts"),
            keys=list(rows),
            prev=self.journal.head.hash,
            docs=list(rows.values()),
        )


def _doc(key: Key, row: Row | Doc | None) -> Doc | None:
    """A drafted row as a document of its own. Raises `BadValueError` for what JSON has no form for."""
    if row is None:
        return None
    doc: Doc = plain(as_doc(row) if isinstance(row, Row) else row, "/".join(key))
    return doc


class _Rows(Mapping[str, Doc]):
    """A table as TinyDB reads it: rows are decoded when asked for."""

    def __init__(self, storage: JournalStorage, table: str) -> None:
        self._storage = storage
        self._table = table

    def __getitem__(self, row_id: str) -> Doc:
        doc = self._storage.doc(self._table, row_id)
        if doc is None:
            raise KeyError(row_id)
        return doc

    def __iter__(self) -> Iterator[str]:
        return iter(self._storage.ids(self._table))

    def __len__(self) -> int:
        return len(self._storage.ids(self._table))


class _Overlay(MutableMapping[str, Doc]):
    """A table as TinyDB changes it: what an updater touches is copied, and only that is written."""

    def __init__(self, storage: JournalStorage, table: str) -> None:
        self._storage = storage
        self._table = table
        self.touched: dict[str, Doc | None] = {}

    def __getitem__(self, row_id: str) -> Doc:
        if row_id not in self.touched:
            doc = self._storage.doc(self._table, row_id)
            if doc is None:
                raise KeyError(row_id)
            self.touched[row_id] = doc
        found = self.touched[row_id]
        if found is None:
            raise KeyError(row_id)
        return found

    def __setitem__(self, row_id: str, doc: Doc) -> None:
        self.touched[row_id] = dict(doc)

    def __delitem__(self, row_id: str) -> None:
        self[row_id]
        self.touched[row_id] = None

    def __iter__(self) -> Iterator[str]:
        stored = self._storage.ids(self._table)
        yield from (row_id for row_id in stored if self.touched.get(row_id, {}) is not None)
        known = set(stored)
        yield from (
            row_id for row_id, doc in list(self.touched.items()) if doc is not None and row_id not in known
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)


class JournalTable(Table):
    """A TinyDB table whose updates are one line of a journal.

    Ids are text and the caller's: insert `Document(fields, doc_id="…")`. The query cache is
    off, since another kernel may write at any time.
    """

    document_id_class = str  # type: ignore[assignment]  # TinyDB's own comments allow it

    _storage: JournalStorage

    def __init__(self, storage: Storage, name: str, cache_size: int = 0, persist_empty: bool = False) -> None:
        super().__init__(storage, name, cache_size=0)

    def _get_next_id(self) -> NoReturn:
        raise BadValueError(
            f"a document of {self.name!r} needs an id", hint='insert Document(fields, doc_id="…")'
        )

    def _read_table(self) -> Mapping[str, Doc]:  # type: ignore[override]  # a view, where TinyDB copies
        rows: Mapping[str, Doc] = self._storage.read().get(self.name, {})
        return rows

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        if self._storage.draft is None:
            with self._storage.transaction("edited", by=Actor(user="unknown")):
                return self._update_table(updater)
        overlay = _Overlay(self._storage, self.name)
        updater(overlay)
        for row_id, doc in overlay.touched.items():
            if doc != self._storage.doc(self.name, row_id):
                self._storage.put(self.name, row_id, doc)
        return None

    def upsert(self, document: Mapping[str, Any], cond: Any = None) -> list[Any]:
        """Update or insert, as one line: TinyDB takes two steps, and another kernel may come between."""
        if self._storage.draft is None:
            with self._storage.transaction("edited", by=Actor(user="unknown")):
                return super().upsert(document, cond)
        return super().upsert(document, cond)

    def put(self, doc_id: str, document: Mapping[str, Any] | None) -> None:
        """Set a whole document, whether or not it is there; None removes it."""

        def updater(table: MutableMapping[str, Doc]) -> None:
            if document is not None:
                table[doc_id] = dict(document)
            else:
                table.pop(doc_id, None)

        self._update_table(updater)

    def truncate(self) -> None:
        """Take every document away; the journal still tells what they were."""

        def updater(table: MutableMapping[str, Doc]) -> None:
            for row_id in list(table):
                del table[row_id]

        self._update_table(updater)


class JournalDB(TinyDB):
    """A TinyDB database that is one journal: a model's, or the registry's own."""

    table_class = JournalTable
    default_storage_class = JournalStorage  # type: ignore[assignment]

    _storage: JournalStorage

    @property
    def journal(self) -> Journal:
        """The file beneath."""
        return self._storage.journal

    def refresh(self) -> JournalDB:
        """Read what other processes wrote since."""
        with self.journal.mutex:
            self.journal.refresh()
        return self

    @contextmanager
    def transaction(self, kind: str, *, by: Actor, reason: str = "", message: str = "") -> Iterator[Draft]:
        """One line, whatever its tables are told inside; see `JournalStorage.transaction`."""
        with self._storage.transaction(kind, by=by, reason=reason, message=message) as draft:
            yield draft

    def row(self, table: str, row_id: str | int, kind: type[R], *, before: int | None = None) -> R | None:
        """A row as its record; with `before`, as it was when the journal had that many lines."""
        draft = self._storage.draft
        if before is None and draft is not None and (table, str(row_id)) in draft.rows:
            return _record(draft.rows[table, str(row_id)], kind)
        raw = self._storage.raw(table, str(row_id), before=before)
        if raw is None:
            return None
        try:
            return msgspec.json.decode(raw, type=kind)
        except NO_RECORD as error:
            raise JournalError(
                f"{self.journal.path}: the row {table}/{row_id} is no {kind.__name__}: {error}",
                hint="another program, or a newer nbreg, wrote it",
            ) from error

    def put(self, table: str, row_id: str | int, row: Row | None) -> None:
        """Write a row in this thread's transaction, all of it anew, or take it away with None."""
        # Not through TinyDB's table: it compares with what is stored, and so does the end of the transaction.
        self._storage.put(table, str(row_id), row)

    def ids(self, table: str) -> list[str]:
        """The ids of a table's rows."""
        return self._storage.ids(table)

    def completions(self, table: str, beginning: str) -> list[str]:
        """The digests in a table that begin so."""
        return self._storage.completions(table, beginning)

    def history(self, table: str, row_id: str) -> list[int]:
        """The indexes of the lines that wrote a row."""
        return self._storage.history(table, row_id)


def _record(row: Row | Doc | None, kind: type[R]) -> R | None:
    """A drafted row as a record of that kind."""
    if row is None or type(row) is kind:
        return row
    return msgspec.convert(as_doc(row) if isinstance(row, Row) else row, kind)


__all__ = ["Document", "Draft", "JournalDB", "JournalStorage", "JournalTable"]
