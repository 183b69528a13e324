"""The journal: an append-only file of hash-chained lines that a crash or a second process cannot tear.

One line is one transaction and one audit event:

    {"seq":…,"at":…,"by":…,"kind":…,"reason":…,"message":…,"facts":…,"keys":[[table,id],…],
     "prev":…,"docs":[…],"hash":…}

`docs` stands parallel to `keys`; null takes the row away. `hash` is the sha256 of the line's
bytes before `,"hash":`, as they were written; `prev` is the hash of the line before. So the
last hash stands for the whole history, and a changed byte anywhere shows.
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import threading
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from time import time_ns
from typing import Any, Final, Protocol

import msgspec

from nbreg.errors import JournalError, StoreError
from nbreg.records import NO_RECORD, Actor, Head
from nbreg.store.files import forgetful, inherit, locked, opened, refused, sync_folder, write_all

log = logging.getLogger("nbreg.store")

START: Final = "0" * 64
"""The `prev` of a journal's first line."""

_SEAL: Final = b',"hash":"'
_TAIL: Final = len(_SEAL) + 64 + len(b'"}')
_CHUNK: Final = 256 * 1024
_TICK: Final = 20_000_000
"""Nanoseconds within which a file may be written twice and have one time."""


class Line(msgspec.Struct, kw_only=True, gc=False):
    """One line, its rows still undecoded."""

    seq: int
    at: str
    by: Actor
    kind: str
    reason: str = ""
    message: str = ""
    facts: dict[str, Any] = {}
    keys: list[tuple[str, str]]
    prev: str
    docs: list[msgspec.Raw]
    hash: str


class Unsealed(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a writer puts on a line, before it is chained and sealed."""

    seq: int
    at: str
    by: Actor
    kind: str
    reason: str = ""
    message: str = ""
    facts: dict[str, Any] = {}
    keys: list[tuple[str, str]]
    prev: str
    docs: list[Any]


_decoder = msgspec.json.Decoder(Line)
_encoder = msgspec.json.Encoder()


class Follower(Protocol):
    """Who is told of each line, in order."""

    def refuses(self, line: Line) -> str:
        """What is wrong with a line that is whole, or nothing."""
        ...

    def apply(self, index: int, line: Line) -> None: ...

    def reset(self) -> None: ...


class Damage(msgspec.Struct, frozen=True):
    """Where the chain breaks, and how."""

    path: str
    line: int
    offset: int
    why: str

    def error(self) -> JournalError:
        """What every writer is told."""
        return JournalError(
            f"line {self.line} of {self.path} {self.why}",
            hint="what stands before it is good; `nbreg verify --repair` sets it aside, and writing goes on",
        )


def is_sealed(line: bytes | memoryview) -> bool:
    """Whether a line's hash is that of its bytes."""
    return sha256(line[:-_TAIL]).hexdigest().encode() == bytes(line[-66:-2])


def seal(unsealed: Unsealed) -> bytes:
    """The line's bytes, with its hash and its LF."""
    body = _encoder.encode(unsealed)[:-1]
    return b'%b%b%b"}\n' % (body, _SEAL, sha256(body).hexdigest().encode())


def unseal(data: bytes, *, seq: int, prev: str) -> Line | str:
    """The line that bytes without their LF spell, or why they do not continue the chain."""
    if not data.startswith(_SEAL, -_TAIL):
        return "is no journal line"
    if sha256(data[:-_TAIL]).hexdigest().encode() != data[-66:-2]:
        return "does not have the hash that it claims"
    try:
        line = _decoder.decode(data)
    except NO_RECORD as error:
        return f"cannot be read: {error}"
    if line.seq != seq or line.prev != prev:
        return "does not continue the line before it"
    if len(line.keys) != len(line.docs):
        return "has rows without keys"
    return line


class Journal:
    """One journal file: read it as far as it goes, append to it under its lock.

    Readers never wait, and ignore what stands after the last LF. Everything they were told
    stays true: a file that lost a line which was read from it is an error, not a shorter history.
    """

    def __init__(self, path: Path, follower: Follower, *, scrap: Path, lock_seconds: float = 10.0) -> None:
        self.path = path
        self.damage: Damage | None = None
        self.at = ""
        self.mutex = threading.RLock()
        self._follower = follower
        self._scrap = scrap
        self._seconds = lock_seconds
        self._fd = -1
        self._identity = (0, 0)
        self._seen = (0, 0)  # size and mtime when the file was last read to its end
        self._offsets = array("Q")
        self._end = 0
        self._hash = START
        self._last: Line | None = None
        self._lost: JournalError | None = None
        forgetful.add(self)

    def __len__(self) -> int:
        return len(self._offsets)

    @property
    def head(self) -> Head:
        """The end of the chain, as far as it was read."""
        return Head(seq=len(self), hash=self._hash)

    @property
    def head_hash(self) -> str:
        """The hash of the last line that was read, for who asks a thousand times a second."""
        return self._hash

    def __del__(self) -> None:
        # Registries come and go, one for each `nbreg.load(…)`; their descriptors go with them.
        if getattr(self, "_fd", -1) >= 0:
            with suppress(OSError, AttributeError, TypeError):
                os.close(self._fd)

    @property
    def has_tail(self) -> bool:
        """Whether bytes of a writer that was killed, or is at work, stand after the last line."""
        return self._seen[0] > self._end and self.damage is None

    def close(self) -> None:
        """Let go of the file; using the journal opens it again."""
        with self.mutex:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    # reading

    def refresh(self) -> None:
        """Read what other processes appended since.

        Raises `JournalError` when lines that were read before are gone.
        """
        with self.mutex:
            self._refresh()

    def _refresh(self) -> None:
        if self._lost is not None:
            raise self._lost
        try:
            status = os.stat(self.path)  # noqa: PTH116 - ten times in each registration
        except (FileNotFoundError, NotADirectoryError):
            if self._offsets:
                self._fail("is gone")
            return
        except OSError as error:
            raise refused(error, self.path, reading=True) from error
        if (status.st_size, status.st_mtime_ns) != self._seen or time_ns() - status.st_mtime_ns < _TICK:
            self._last = None  # whoever touched the file may have changed the line
        if (status.st_dev, status.st_ino) != self._identity or status.st_size < self._end:
            self._replay()
        elif (status.st_size, status.st_mtime_ns) != self._seen or self.has_tail:
            known = len(self)  # a tail may have become another of the same size within one tick
            self._read_on(status)
            if self.damage is not None and len(self) == known:
                self._replay()  # what does not follow on my head may be the end of another history

    def _replay(self) -> None:
        """Start over: the file is another one, or shorter than what was read of it."""
        known = self.head
        self.close()
        self._forget()
        self._bytes(0, 0)
        status = os.fstat(self._fd)
        self._identity = (status.st_dev, status.st_ino)
        self._read_on(status)
        if known.seq and (len(self) < known.seq or self.line(known.seq - 1).hash != known.hash):
            self._fail(f"no longer has line {known.seq} that was read from it")

    def _forget(self) -> None:
        self._identity, self._seen = (0, 0), (0, 0)
        self._offsets, self._end, self._hash, self.at = array("Q"), 0, START, ""
        self.damage = self._last = None
        self._follower.reset()

    def forget_after_fork(self) -> None:
        """In a fork: another thread of the parent may have been in the middle of anything."""
        self.mutex = threading.RLock()
        self._fd = -1  # the parent's position and descriptor are not shared; the copy goes unused
        self._forget()

    def _fail(self, why: str) -> None:
        self._lost = JournalError(f"{self.path} {why}", hint="`nbreg verify` shows what is there now")
        raise self._lost

    def _read_on(self, status: os.stat_result) -> None:
        self.damage = None
        rest = b""
        offset = self._end
        while self.damage is None:
            chunk = self._bytes(_CHUNK, offset)
            if not chunk:
                break
            offset += len(chunk)
            rest = self._take(rest + chunk if rest else chunk)
        self._seen = (status.st_size, status.st_mtime_ns)

    def _take(self, data: bytes) -> bytes:
        """Follow the complete lines of the data; return the rest."""
        start = 0
        find, read, follow = data.find, self._read_line, self._follow
        while (stop := find(b"\n", start)) >= 0:
            line = read(data[start:stop])
            if isinstance(line, str):
                self.damage = Damage(path=str(self.path), line=len(self) + 1, offset=self._end, why=line)
                log.error("line %d of %s %s", self.damage.line, self.path, line)
                break
            start, size = stop + 1, stop + 1 - start
            follow(line, size)
        return data[start:]

    def _read_line(self, data: bytes) -> Line | str:
        """The line that continues this journal, or why the bytes are none."""
        line = unseal(data, seq=len(self._offsets) + 1, prev=self._hash)
        return line if isinstance(line, str) else self._follower.refuses(line) or line

    def _follow(self, line: Line, size: int) -> None:
        offsets = self._offsets
        index = len(offsets)
        offsets.append(self._end)
        self._end += size
        self._hash = line.hash
        self._last = line
        self.at = line.at
        self._follower.apply(index, line)

    def _bytes(self, size: int, offset: int) -> bytes:
        try:
            if self._fd < 0:
                self._fd = opened(self.path)
            return os.pread(self._fd, size, offset)
        except OSError as error:
            raise refused(error, self.path, reading=True) from error

    def line(self, index: int) -> Line:
        """One line again, from the disk, its hash checked again; not to be changed.

        The last one, which has the model's own row, is asked for many times in each verb. It is
        kept from one `refresh` to the next, and longer where the file was not touched meanwhile.

        Raises `JournalError` where its bytes changed since it was first read.
        """
        with self.mutex:
            if index != len(self._offsets) - 1:
                return _decoder.decode(self.raw(index))
            if self._last is None:
                self._last = _decoder.decode(self.raw(index))
            return self._last

    def raw(self, index: int) -> bytes:
        """The bytes of a line as they were written, without its LF; checked like `line`."""
        with self.mutex:
            start = self._offsets[index]
            stop = self._offsets[index + 1] if index + 1 < len(self._offsets) else self._end
            data = self._bytes(stop - start - 1, start)
        if not is_sealed(data):
            why = "was changed after it was written"
            raise Damage(path=str(self.path), line=index + 1, offset=start, why=why).error()
        return bytes(data)

    def index_at(self, at: str) -> int:
        """How many lines there were at that time: times never go back from line to line."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self.line(middle).at <= at:
                low = middle + 1
            else:
                high = middle
        return low

    # writing

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Hold the journal's lock, read up to date and whole; gives the file's descriptor.

        Raises `RegistryBusyError`, `ReadOnlyError`, `JournalError` on a damaged line.
        """
        with locked(self.path, self._seconds, create=True) as fd:
            self.refresh()
            if self.damage is not None:
                raise self.damage.error()
            if os.fstat(fd).st_size == 0:  # new: others in a shared folder are to write to it too
                inherit(fd, self.path.parent, keep=0o666)
                sync_folder(self.path.parent)
            self._heal(fd)
            yield fd

    def append(self, fd: int, unsealed: Unsealed) -> Line:
        """Put one line at the end, durably, or leave the file as it was.

        Only inside `locked()`. Raises `NoSpaceError` or `StoreError`.
        """
        data = seal(unsealed)
        with self.mutex:  # no thread of this process reads the line before it is durable
            line = self._read_line(data[:-1])
            if isinstance(line, str):
                raise StoreError(f"the next line of {self.path} {line}")
            self._write(fd, data)
            self._follow(line, len(data))
            status = os.fstat(fd)
            self._seen = (status.st_size, status.st_mtime_ns)
        return line

    def _write(self, fd: int, data: bytes) -> None:
        try:
            os.lseek(fd, self._end, os.SEEK_SET)
            write_all(fd, data)
            os.fsync(fd)
        except OSError as error:
            self._take_back(fd)
            raise refused(error, self.path) from error
        except BaseException:
            # Interrupted. Once the line is whole, others may have read it, so it stays.
            if os.fstat(fd).st_size < self._end + len(data):
                self._take_back(fd)
            raise

    def _take_back(self, fd: int) -> None:
        with suppress(OSError):
            os.ftruncate(fd, self._end)
            os.fsync(fd)

    def _heal(self, fd: int) -> None:
        """Deal with what a killed writer left after the last LF.

        A whole line that lacks only its LF was acknowledged to nobody, but is good: it gets
        its LF. Anything else is kept in `tmp/` and cut off.
        """
        torn = os.pread(fd, os.fstat(fd).st_size - self._end, self._end)
        if not torn:
            return
        line = self._read_line(torn)
        try:
            if isinstance(line, Line):
                os.lseek(fd, 0, os.SEEK_END)
                write_all(fd, b"\n")
                os.fsync(fd)
                self.refresh()
                log.warning("%s: finished line %d of a writer that was killed", self.path, line.seq)
            else:
                kept = set_aside(torn, self._scrap, f"torn-{self.path.parent.name}-{len(self) + 1}")
                os.ftruncate(fd, self._end)
                os.fsync(fd)
                log.warning("%s: moved %d bytes of a killed writer to %s", self.path, len(torn), kept)
        except OSError as error:
            raise refused(error, self.path) from error

    def repair(self) -> tuple[str, int]:
        """Set aside everything from the first damaged line on; say where it was put, and how many lines.

        Explicit, and the only thing that ever shortens a journal.
        """
        with locked(self.path, self._seconds) as fd:
            self._replay() if self._identity == (0, 0) else self.refresh()
            if self.damage is None:
                self._heal(fd)
                return "", 0
            rest = os.pread(fd, os.fstat(fd).st_size - self._end, self._end)
            kept = set_aside(rest, self._scrap, f"damaged-{self.path.parent.name}-{self.damage.line}")
            os.ftruncate(fd, self._end)
            os.fsync(fd)
            self.damage = None
            self.refresh()
            return str(kept), rest.count(b"\n") + (not rest.endswith(b"\n"))


def set_aside(data: bytes, folder: Path, stem: str) -> Path:
    """Keep bytes that are cut off somewhere, under a name that says what they were."""
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
    path = folder / f"{stem}-{secrets.token_hex(4)}"
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    return path


def last_line(path: Path) -> Line | None:
    """A journal's last complete line, alone: what a list of models needs of it.

    Its own hash is checked, not the chain before it. None where there is none, or where the
    last one is damaged; opening the journal tells more.
    """
    try:
        fd = opened(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise refused(error, path, reading=True) from error
    try:
        size = os.fstat(fd).st_size
        span = 8192
        while True:
            start = max(0, size - span)
            data = os.pread(fd, size - start, start)
            stop = data.rfind(b"\n")
            before = data.rfind(b"\n", 0, max(stop, 0))
            if stop >= 0 and (before >= 0 or start == 0):
                return _alone(data[before + 1 : stop])
            if start == 0:
                return None
            span *= 8
    finally:
        os.close(fd)


def _alone(data: bytes) -> Line | None:
    if sha256(data[:-_TAIL]).hexdigest().encode() != data[-66:-2]:
        return None
    try:
        return _decoder.decode(data)
    except NO_RECORD:
        return None
