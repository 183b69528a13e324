"""A file of decisions while its process writes it, and what is found in one.

The file is locked (`flock`) from before it has its name until it is sealed, so that another process
tells one that is being written from one whose writer was killed. Every answer is handed to the system
before it is given to the caller: a kill of the process loses nothing, a power cut what the system had
not written yet. Nobody waits for anybody, since nobody else writes it.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import re
import secrets
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from nbreg.errors import StoreError
from nbreg.records import SegmentRow, Tally
from nbreg.store import ledgerlines
from nbreg.store.files import inherit, opened, refused, write_all
from nbreg.store.ledgerlines import DIGEST, WIDTH, Begun, Decided, Deciding

_DECIDED: Final = b'\n{"line":"decided","at":"'
_VERSION: Final = b'\n{"line":"version"'
_AT: Final = len("2026-02-09T10:00:00.000000Z")
_PREFIX: Final = 8
_ENTRY: Final = 16
_FEW: Final = 16
"""Up to so many rows are looked for as text; for more, an index is made."""


class OpenSegment:
    """A file of decisions that this process writes."""

    def __init__(self, folder: Path, begun: Begun, *, scrap: Path) -> None:
        self.id = begun.id
        self.path = folder / f"{begun.id}.jsonl"
        self.begun = begun
        self.size = 0
        self.first = self.last = ""
        self.answers = 0
        self.tallies: dict[str, Tally] = {}
        self._digest = sha256()
        self._fd = self._made(folder, scrap)
        self.append(ledgerlines.encode(begun) + b"\n")

    def _made(self, folder: Path, scrap: Path) -> int:
        """The file under another name first: it must not be seen unlocked."""
        temporary = scrap / f"{os.getpid()}-{secrets.token_hex(6)}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        try:
            fd = os.open(temporary, flags, 0o666)
        except OSError as error:
            raise refused(error, temporary) from error
        try:
            inherit(fd, folder, keep=0o666)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            temporary.rename(self.path)
        except OSError as error:
            os.close(fd)
            with suppress(OSError):
                temporary.unlink()
            raise refused(error, self.path) from error
        return fd

    def append(self, data: bytes, at: str = "", *, version: str = "", decisions: int = 0) -> None:
        """Put whole lines at the end, or leave the file as it was. Raises `StoreError`.

        `at` is when an answer was given, by the version of that id, about so many rows.
        """
        if self.is_gone:
            raise StoreError(
                f"{self.path} was deleted while it is written", hint="restart the process to begin another"
            )
        try:
            write_all(self._fd, data)
        except OSError as error:
            self._take_back()
            raise refused(error, self.path) from error
        except BaseException:  # interrupted between two writes
            self._take_back()
            raise
        self._digest.update(data)
        self.size += len(data)
        if at:
            self.first, self.last = self.first or at, at
            self.answers += 1
            made = Tally(decisions=decisions, first=at, last=at)
            self.tallies[version] = self.tallies.get(version, Tally()) + made

    @property
    def is_gone(self) -> bool:
        """Whether somebody deleted it while it is written."""
        return os.fstat(self._fd).st_nlink == 0

    def _take_back(self) -> None:
        with suppress(OSError):
            os.ftruncate(self._fd, self.size)

    def row(self) -> SegmentRow:
        """Synced, as what is sealed. Raises `StoreError`."""
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise refused(error, self.path) from error
        return SegmentRow(
            id=self.id,
            digest=self._digest.hexdigest(),
            size=self.size,
            first=self.first,
            last=self.last,
            answers=self.answers,
            host=self.begun.host,
            pid=self.begun.pid,
            tallies=self.tallies,
        )

    def let_go(self) -> None:
        """Close the file; who comes next may seal it, if that was not done."""
        with suppress(OSError):
            fcntl.flock(self._fd, fcntl.LOCK_UN)  # closing is not enough while a fork holds a copy
        self.drop()

    def drop(self) -> None:
        """Close this process's copy alone: in a fork, the lock is the parent's."""
        with suppress(OSError):
            os.close(self._fd)


def left_behind(path: Path) -> tuple[SegmentRow, int] | None:
    """A file whose writer is gone, synced and looked through, and its descriptor, which holds its lock.

    None while somebody writes it, or if it was moved meanwhile.
    """
    try:
        fd = opened(path, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        there, here = path.stat(), os.fstat(fd)
        if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
            os.fsync(fd)
            return _looked_through(path), fd
    except (OSError, StoreError):  # locked, moved, or not to be read: then it stays as it is
        pass
    os.close(fd)
    return None


def _looked_through(path: Path) -> SegmentRow:
    data = read(path)
    begun = begun_in(data)
    end = data.rfind(b"\n") + 1
    first, last = data.find(_DECIDED, 0, end), data.rfind(_DECIDED, 0, end)
    return SegmentRow(
        id=path.stem,
        digest=sha256(data).hexdigest(),
        size=len(data),
        first=_moment(data, first),
        last=_moment(data, last),
        answers=_count(data, end),
        host=begun.host if begun else "",
        pid=begun.pid if begun else 0,
        torn=len(data) - end,
        tallies=counted(data).tallies,
    )


def begun_in(data: mmap.mmap | bytes) -> Begun | None:
    """The first line; None where it is something else."""
    line = ledgerlines.decode(data[: max(0, data.find(b"\n"))])
    return line if isinstance(line, Begun) else None


def _count(data: mmap.mmap | bytes, end: int) -> int:
    found, at = 0, data.find(_DECIDED, 0, end)
    while at >= 0:
        found, at = found + 1, data.find(_DECIDED, at + 1, end)
    return found


def _moment(data: mmap.mmap | bytes, at: int) -> str:
    start = at + len(_DECIDED)
    return bytes(data[start : start + _AT]).decode(errors="replace") if at >= 0 else ""


def read(path: Path) -> mmap.mmap | bytes:
    """A file's bytes, mapped. Raises `StoreError`."""
    try:
        with os.fdopen(opened(path), "rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return b""
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise refused(error, path, reading=True) from error


# finding


class Index(msgspec.Struct):
    """Where in a segment each row stands: sorted beginnings of digests, each with its line's offset."""

    deciding: list[Deciding]
    entries: memoryview

    def lines(self, digest: bytes) -> Iterator[int]:
        """The offsets of the lines that may speak of a row; `entries` does not hold whole digests."""
        prefix, entries = digest[:_PREFIX], self.entries
        count = len(entries) // _ENTRY
        at = bisect_left(
            range(count), prefix, key=lambda i: bytes(entries[i * _ENTRY : i * _ENTRY + _PREFIX])
        )
        while at < count and bytes(entries[at * _ENTRY : at * _ENTRY + _PREFIX]) == prefix:
            yield int.from_bytes(entries[at * _ENTRY + _PREFIX : (at + 1) * _ENTRY], "big")
            at += 1


class _Head(msgspec.Struct):
    format: int
    segment: str
    rows: int
    """How many entries follow: of a file that was cut short, nothing is believed."""
    deciding: list[Deciding]


def indexed(data: mmap.mmap | bytes) -> Index:
    """The index of a segment, made by reading all of it."""
    deciding: list[Deciding] = []
    entries: list[bytes] = []
    offset = 0
    end = data.rfind(b"\n") + 1
    while offset < end:
        stop = data.find(b"\n", offset)
        line = ledgerlines.decode(data[offset:stop])
        if isinstance(line, Decided):
            place = offset.to_bytes(_ENTRY - _PREFIX, "big")
            digests = ledgerlines.from_text(line.rows)
            entries += [digests[at : at + _PREFIX] + place for at in range(0, len(digests), DIGEST)]
        elif isinstance(line, Deciding):
            deciding.append(line)
        offset = stop + 1
    entries.sort()
    return Index(deciding, memoryview(b"".join(entries)))


def spelled(index: Index, segment: str) -> bytes:
    """An index as a file that says which segment it is of."""
    rows = len(index.entries) // _ENTRY
    head = _Head(format=1, segment=segment, rows=rows, deciding=index.deciding)
    return msgspec.json.encode(head) + b"\n" + bytes(index.entries)


def unspelled(data: mmap.mmap | bytes, segment: str) -> Index | None:
    """The index that a file holds; None where it is of another segment, or of none."""
    stop = data.find(b"\n")
    try:
        head = msgspec.json.decode(data[: max(stop, 0)], type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    whole = len(data) - stop - 1 == head.rows * _ENTRY
    if head.segment != segment or head.format != 1 or not whole:
        return None
    return Index(head.deciding, memoryview(data)[stop + 1 :])


def versions_in(data: mmap.mmap | bytes, start: int = 0) -> list[Deciding]:
    """The versions that decide in a segment, without reading its answers."""
    found: list[Deciding] = []
    at = data.find(_VERSION, start)
    while at >= 0:
        stop = data.find(b"\n", at + 1)
        line = ledgerlines.decode(data[at + 1 : stop]) if stop >= 0 else None
        if isinstance(line, Deciding):
            found.append(line)
        at = data.find(_VERSION, at + 1)
    return found


def find(
    data: mmap.mmap | bytes, digests: Sequence[bytes], index: Index | None
) -> Iterator[tuple[bytes, Decided]]:
    """The answers about rows, in the order of the file for each: `(digest, line)`."""
    if index is None and len(digests) > _FEW:
        index = indexed(data)
    end = data.rfind(b"\n") + 1
    for digest in digests:
        offsets = _as_text(data, digest, end) if index is None else index.lines(digest)
        for offset in sorted(set(offsets)):
            line = ledgerlines.decode(data[offset : data.find(b"\n", offset)])
            if isinstance(line, Decided) and _holds(ledgerlines.from_text(line.rows), digest):
                yield digest, line


def _as_text(data: mmap.mmap | bytes, digest: bytes, end: int) -> Iterator[int]:
    text = ledgerlines.to_text(digest).encode()
    at = data.find(text, 0, end)
    while at >= 0:
        yield data.rfind(b"\n", 0, at) + 1
        at = data.find(text, data.find(b"\n", at), end)


def _holds(digests: bytes, digest: bytes) -> bool:
    at = digests.find(digest)
    while at >= 0 and at % DIGEST:
        at = digests.find(digest, at + 1)
    return at >= 0


# counting

_ANSWER: Final = re.compile(
    rb'\n\{"line":"decided","at":"([^"]{%d})","v":(\d{1,9}),"rows":"([A-Za-z0-9+/]*)"' % _AT
)
_ID: Final = re.compile("[0-9a-f]{64}")


class Counted(NamedTuple):
    """What has been counted of a file: up to which byte, who a `v` in it is, and who decided how much."""

    end: int
    names: dict[int, str]
    tallies: dict[str, Tally]


NOTHING: Final = Counted(0, {}, {})


def counted(data: mmap.mmap | bytes, before: Counted = NOTHING, most: int | None = None) -> Counted:
    """Go on counting from where it was left, over up to `most` bytes: reads what is new alone."""
    stop = len(data) if most is None else min(len(data), before.end + most)
    end = data.rfind(b"\n", before.end, stop) + 1
    if end <= before.end:
        return before
    start = max(0, before.end - 1)  # the line feed before the first new line
    names = before.names | {each.v: each.id for each in versions_in(data, start) if _ID.fullmatch(each.id)}
    found: dict[int, list[int | str]] = {}
    for each in _ANSWER.finditer(data, start, end):
        made = found.setdefault(int(each[2]), [0, each[1].decode(errors="replace"), ""])
        made[0] += (each.end(3) - each.start(3)) // WIDTH  # type: ignore[operator]
        made[2] = each[1].decode(errors="replace")
    tallies = dict(before.tallies)
    for v, (decisions, first, last) in found.items():
        if version := names.get(v):
            made_here = Tally(decisions=int(decisions), first=str(first), last=str(last))
            tallies[version] = tallies.get(version, Tally()) + made_here
    return Counted(end, names, tallies)


def newest(data: mmap.mmap | bytes, version: int, limit: int) -> Iterator[Decided]:
    """The last answers of a version, called by its number in the file, from its end on."""
    mark = f'","v":{version},"rows":"'.encode()
    at = data.rfind(mark, 0, data.rfind(b"\n") + 1)
    while at >= 0 and limit > 0:
        start = data.rfind(b"\n", 0, at) + 1
        line = ledgerlines.decode(data[start : data.find(b"\n", at)])
        if isinstance(line, Decided) and line.v == version:
            limit -= 1
            yield line
        at = data.rfind(mark, 0, start)
