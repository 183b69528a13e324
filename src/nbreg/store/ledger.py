"""The ledger of decisions: files of many processes, and the journal that seals those that are finished.

decisions/ID.jsonl          what a process writes; one file each
decisions/sealed/ID.jsonl   finished: a line of the journal has its digest
decisions/journal.jsonl     the seals, chained like every journal
decisions/key               what rows are digested with; never leaves the folder
decisions/index/            where each row stands: a cache
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from nbreg.errors import NbregError, StoreError
from nbreg.records import Actor, LedgerRow, SegmentRow, Tally, new_run_id
from nbreg.store import ledgerlines, segments
from nbreg.store.files import forgetful, inherit, make_folder, opened, refused, sync_folder
from nbreg.store.ledgerlines import Begun, Decided, Deciding
from nbreg.store.segments import Counted, Index, OpenSegment
from nbreg.store.tiny import JournalDB

log = logging.getLogger("nbreg")

ID: Final = re.compile("[0-9a-f]{32}")
TABLE: Final = "segments"
TALLIES: Final = "tallies"
"""What each version decided in all that was ever sealed, by the version's id."""

MOST_COUNTED: Final = 64 * 1024 * 1024
"""Bytes of files that are being written that one question counts; the next one goes on."""

_LEDGER_ROW: Final = ("ledger", "ledger")
_KEY_BYTES: Final = 32
_LARGEST_KEY: Final = 1024 * 1024
_LONGEST_LINE: Final = 50_000
"""Rows of one line; the answer about more is several lines."""


class Key(NamedTuple):
    """What rows are digested with, and the name by which segments say so."""

    secret: bytes
    id: str


class Piece(NamedTuple):
    """A file of decisions, as who searches it sees it."""

    id: str
    path: Path
    row: SegmentRow | None
    """None while its process writes it."""


class Ledger:
    """The decisions of one registry, for reading; `writer` writes."""

    def __init__(self, path: Path, scrap: Path, database: JournalDB) -> None:
        self.path = path
        self.sealed = path / "sealed"
        self.indexes = path / "index"
        self.scrap = scrap
        self.database = database
        self._counted: dict[str, Counted] = {}

    @property
    def is_there(self) -> bool:
        """Whether a decision was ever written down."""
        return self.path.is_dir()

    # the key

    def key(self) -> Key | None:
        """The key, or None where there is none. Raises `StoreError` where it cannot be read."""
        try:
            data = self._key_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refused(error, self._key_path(), reading=True) from error
        if len(data) < _KEY_BYTES // 2:
            raise StoreError(f"{self._key_path()} is too short for a key", hint="32 random bytes")
        secret = blake2b(data, digest_size=_KEY_BYTES, person=b"nbreg decisions").digest()
        return Key(secret, blake2b(secret, digest_size=8, person=b"nbreg key id").hexdigest())

    def _key_bytes(self) -> bytes:
        path = self._key_path()
        if path != self.path / "key":
            return path.read_bytes()  # this user named it, and may have named a link
        with os.fdopen(opened(path), "rb") as file:
            return file.read(_LARGEST_KEY)

    def _key_path(self) -> Path:
        given = os.environ.get("NBREG_DECISIONS_KEY")
        return Path(given) if given else self.path / "key"

    def key_to_write(self) -> Key:
        """The key, made if there is none; two processes agree on the first."""
        found = self.key()
        if found is None:
            self._make_key()
            found = self.key()
        if found is None:
            raise StoreError(f"{self._key_path()} is not there", hint="$NBREG_DECISIONS_KEY names a file")
        return found

    def _make_key(self) -> None:
        if os.environ.get("NBREG_DECISIONS_KEY"):
            return  # whoever keeps it elsewhere makes it there
        temporary = self.scrap / f"{os.getpid()}-{secrets.token_hex(6)}"
        try:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                inherit(fd, self.path, keep=0o660)
                os.write(fd, secrets.token_bytes(_KEY_BYTES))
                os.fsync(fd)
            finally:
                os.close(fd)
            try:
                with suppress(FileExistsError):
                    os.link(temporary, self.path / "key")
                    sync_folder(self.path)  # without it, nobody finds what was decided
            finally:
                temporary.unlink()
        except OSError as error:
            raise refused(error, self.path / "key") from error

    # pieces

    def rows(self) -> list[SegmentRow]:
        """The seals, oldest first. Raises `JournalError`.

        A name that would lead out of the folder is none: whoever made the journal chose it.
        """
        database = self.database.refresh()
        names = (each for each in database.ids(TABLE) if ID.fullmatch(each))
        found = ((each, database.row(TABLE, each, SegmentRow)) for each in names)
        return [row for name, row in found if row is not None and row.id == name]

    def pieces(self) -> list[Piece]:
        """All files of decisions that are kept, sealed or not."""
        open_ones = list(self.unsealed())  # before the seals: one that is sealed meanwhile is found there
        found = {row.id: Piece(row.id, self.path_of(row.id), row) for row in self.rows() if not row.purged}
        known = set(self.database.ids(TABLE))
        rest = [Piece(path.stem, path, None) for path in open_ones if path.stem not in known]
        return [*found.values(), *rest]

    def unsealed(self) -> Iterator[Path]:
        """The files that stand outside: being written, or left by a process that was killed."""
        with suppress(FileNotFoundError, NotADirectoryError):
            for path in sorted(self.path.iterdir()):
                if path.suffix == ".jsonl" and ID.fullmatch(path.stem) and not path.is_symlink():
                    yield path

    def path_of(self, segment: str) -> Path:
        """Where a sealed segment is; a kill may have kept it from being moved."""
        moved, left = self.sealed / f"{segment}.jsonl", self.path / f"{segment}.jsonl"
        return left if left.exists() and not moved.exists() else moved

    def index_path(self, segment: str) -> Path:
        """Where the index of a sealed segment is, or would be."""
        return self.indexes / f"{segment}.index"

    def index(self, row: SegmentRow) -> Index:
        """The index of a sealed segment, made and kept where that is possible. Raises `StoreError`."""
        path = self.index_path(row.id)
        with suppress(StoreError):
            found = segments.unspelled(segments.read(path), row.digest)
            if found is not None:
                return found
        made = segments.indexed(segments.read(self.path_of(row.id)))
        temporary = self.scrap / f"{os.getpid()}-{secrets.token_hex(6)}"
        with suppress(OSError, StoreError):
            make_folder(self.indexes, durable=False)
            with temporary.open("wb") as file:
                file.write(segments.spelled(made, row.digest))
                file.flush()
                os.fsync(file.fileno())  # zeros after a power cut would say that nobody decided
            temporary.replace(path)
        return made

    # counting

    def tally(self, version: str) -> tuple[Tally, bool]:
        """What a version decided, also in files that `purge` took since, and whether all was counted.

        Of sealed files a row has the sum, however many there are; of those that are being written
        what is new since the last question is read. Raises `JournalError`.
        """
        paths = list(self.unsealed())  # before the seals: one that is sealed meanwhile is counted there
        self.database.refresh()
        total, room, is_whole = self._sealed(version), MOST_COUNTED, True
        for path in paths:
            if self.database.row(TABLE, path.stem, SegmentRow) is not None:
                continue
            before = self._counted.get(path.stem, segments.NOTHING)
            try:
                data = segments.read(path)
            except StoreError:  # sealed this moment, or not for this user to read
                is_whole = False
                continue
            counted = segments.counted(data, before, max(0, room))
            room -= counted.end - before.end
            is_whole = is_whole and counted.end == data.rfind(b"\n") + 1
            self._counted[path.stem] = counted
            total += counted.tallies.get(version, Tally())
        self._counted = {path.stem: self._counted[path.stem] for path in paths if path.stem in self._counted}
        return total, is_whole

    def _sealed(self, version: str) -> Tally:
        return self.database.row(TALLIES, version, Tally) or Tally()

    # sealing

    def begin(self, actor: Actor, registry: str) -> None:
        """Make the folder, the key and the journal, if they are not there. Raises `StoreError`."""
        make_folder(self.sealed)
        self.key_to_write()
        if self.database.refresh().row(*_LEDGER_ROW, LedgerRow) is None:
            with self.database.transaction("begun", by=actor) as draft:
                if self.database.row(*_LEDGER_ROW, LedgerRow) is None:
                    self.database.put(*_LEDGER_ROW, LedgerRow(registry=registry, created=draft.at))

    def seal(self, row: SegmentRow, actor: Actor) -> None:
        """Put a finished segment's digest into the journal, then the file among the sealed ones.

        Whoever calls holds the segment's lock. Raises `StoreError`.
        """
        with self.database.transaction("sealed", by=actor) as draft:
            if self.database.row(TABLE, row.id, SegmentRow) is None:
                draft.facts.update(segment=row.id, digest=row.digest)
                self.database.put(TABLE, row.id, row)
                for version, tally in row.tallies.items():
                    self.database.put(TALLIES, version, self._sealed(version) + tally)
        try:
            (self.path / f"{row.id}.jsonl").rename(self.sealed / f"{row.id}.jsonl")
            sync_folder(self.sealed)
        except OSError as error:
            raise refused(error, self.sealed) from error

    def seal_left_behind(self, actor: Actor) -> list[str]:
        """Seal the files whose processes are gone, as they left them; says which."""
        done: list[str] = []
        for path in list(self.unsealed()):
            left = segments.left_behind(path)
            if left is None:
                continue
            row, fd = left
            try:
                self.seal(row, actor)
                done.append(row.id)
            finally:
                os.close(fd)
        return done

    def purge(self, segment: str, actor: Actor, reason: str) -> None:
        """Say in the journal that a segment is to go, before it goes. Raises `StoreError`."""
        with self.database.transaction("purged", by=actor, reason=reason) as draft:
            row = self.database.row(TABLE, segment, SegmentRow)
            if row is not None and not row.purged:
                draft.facts.update(segment=segment, digest=row.digest)
                self.database.put(TABLE, segment, msgspec.structs.replace(row, purged=draft.at))

    def size(self) -> int:
        """Bytes of all that is below the folder."""
        return sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file())


class Writer:
    """This process's hand in a ledger; threads and `Registry` objects share it, a fork has its own."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._lock = threading.Lock()
        self._segment: OpenSegment | None = None
        self._known: dict[Deciding, int] = {}
        self._key: Key | None = None
        forgetful.add(self)

    def key(self, actor: Actor, registry: str) -> Key:
        """The key to digest rows with; the ledger is begun if it is not there. Raises `StoreError`."""
        if self._key is None:
            with self._lock:
                self.ledger.begin(actor, registry)
                self._key = self.ledger.key_to_write()
        return self._key

    def write(
        self, deciding: Deciding, digests: bytes, *, now: str, request: str, registry: str, most: int
    ) -> None:
        """Hand an answer to the system, whole or not at all. Raises `StoreError`."""
        key = self.key(deciding.by, registry)
        with self._lock:
            segment = self._segment or self._begin(deciding.by, key, registry, now)
            at = max(now, segment.last)  # as in every journal, times never go back
            v, lines = self._known.get(deciding), b""
            if v is None:
                v = len(self._known) + 1
                lines = ledgerlines.encode(msgspec.structs.replace(deciding, v=v)) + b"\n"
            decisions = len(digests) // ledgerlines.DIGEST
            for start in range(0, len(digests), _LONGEST_LINE * ledgerlines.DIGEST):
                piece = digests[start : start + _LONGEST_LINE * ledgerlines.DIGEST]
                decided = Decided(at=at, v=v, rows=ledgerlines.to_text(piece), request=request)
                lines += ledgerlines.encode(decided) + b"\n"
            segment.append(lines, at, version=deciding.id, decisions=decisions)
            self._known[deciding] = v
            if segment.size >= most:
                self._finish(deciding.by)

    def _begin(self, actor: Actor, key: Key, registry: str, now: str) -> OpenSegment:
        try:
            self.ledger.seal_left_behind(actor)
        except NbregError as error:
            log.warning("%s: %s; the next process seals it", self.ledger.path, error.message)
        begun = Begun(
            id=new_run_id(), registry=registry, key=key.id, at=now, host=actor.host, pid=os.getpid()
        )
        self._segment = OpenSegment(self.ledger.path, begun, scrap=self.ledger.scrap)
        self._known = {}
        return self._segment

    def finish(self, actor: Actor) -> None:
        """Seal what this process wrote; another answer begins another file."""
        with self._lock:
            self._finish(actor)

    def _finish(self, actor: Actor) -> None:
        """Where it cannot be sealed it is let go: the answers are there, and the next process seals them."""
        segment, self._segment = self._segment, None
        if segment is None:
            return
        try:
            if not segment.is_gone:
                self.ledger.seal(segment.row(), actor)
        except NbregError as error:
            log.warning("%s: %s; the next process seals it", segment.path, error.message)
        finally:
            segment.let_go()

    def forget_after_fork(self) -> None:
        """In a fork: the file is the parent's; this process begins one of its own."""
        self._lock = threading.Lock()
        segment, self._segment = self._segment, None
        self._known = {}
        if segment is not None:
            segment.drop()


_writers: dict[Path, Writer] = {}
_guard = threading.Lock()


def writer(ledger: Ledger) -> Writer:
    """This process's hand in a ledger."""
    found = _writers.get(ledger.path)
    if found is None:
        with _guard:
            found = _writers.setdefault(ledger.path, Writer(ledger))
    return found


def finish(ledger: Ledger, actor: Actor) -> None:
    """Seal what this process wrote in a ledger, and let go of its files."""
    found = _writers.pop(ledger.path, None)
    if found is not None:
        found.finish(actor)
    ledger.database.close()


def finish_all(actor: Actor) -> None:
    """Seal what this process wrote in all ledgers: it ends."""
    for each in list(_writers.values()):
        with suppress(Exception):
            each.finish(actor)


def _forget_guard() -> None:
    global _guard
    _guard = threading.Lock()


os.register_at_fork(after_in_child=_forget_guard)
