"""Large parts: digested in several threads, and written while they are digested.

What is written is what was digested: each block is copied once, and the digest and the file
are both taken of that copy. So a buffer that another thread changes meanwhile gives an object
that is whole, and no more than some blocks of a part are ever in memory twice.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from nbreg.errors import CannotStoreError, NoSpaceError
from nbreg.progress import Progress
from nbreg.store.files import write_all

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

T = TypeVar("T")

BLOCK: Final = 1024 * 1024
"""What is copied at a time: it stays in the processor's cache until it is digested and written."""

_ALONE: Final = 8 * 1024 * 1024
"""Less than this is done before threads would have started."""

_SPLIT: Final = 64 * 1024 * 1024
"""A part from this size on is digested beside its own writing, and sent to the disk as it grows."""

_THREADS: Final = 3  # on two cores: one of them always waits for the disk
_TICK: Final = 0.1
_SPARE: Final = 16 * 1024 * 1024
_SAMPLES: Final = 16
_SAMPLE: Final = 1024


class Pieces(Protocol):
    """Bytes that lie in no one place of memory: an array with gaps, say."""

    @property
    def nbytes(self) -> int:
        """How many there are."""

    def pieces(self) -> Iterator[memoryview]:
        """The bytes in their order, block by block; each block is a copy that nobody changes."""


class OnDisk:
    """A file of the user's, read block by block each time that it is asked for.

    It may be written to meanwhile. Mapped, one that is cut off would end the process; read, it is a
    sentence. Raises `OSError` where it cannot be opened, or is no regular file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        fd = self._open()
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "it is no regular file", str(path))
            self.nbytes = status.st_size
        finally:
            os.close(fd)

    def _open(self) -> int:
        return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)

    def pieces(self) -> Iterator[memoryview]:
        """Its bytes. Raises `CannotStoreError` where there are fewer by now."""
        with self._read() as fd:
            left = self.nbytes
            while left:
                piece = os.read(fd, min(BLOCK, left))
                if not piece:
                    raise changed(str(self._path))
                left -= len(piece)
                yield memoryview(piece)

    def checked(self, digest: str) -> Iterator[memoryview]:
        """The same. Raises `CannotStoreError` at their end where they are not those of the digest."""
        hasher = sha256()
        for piece in self.pieces():
            hasher.update(piece)
            yield piece
        if hasher.hexdigest() != digest:
            raise changed(str(self._path))

    def sample(self, at: int, size: int) -> bytes:
        """A few of its bytes."""
        with self._read() as fd:
            return os.pread(fd, size, at)

    @contextmanager
    def _read(self) -> Iterator[int]:
        try:
            fd = self._open()
            try:
                yield fd
            finally:
                os.close(fd)
        except OSError as error:
            raise CannotStoreError(f"{self._path} cannot be read: {error.strerror}") from error


def changed(what: str) -> CannotStoreError:
    """What is stored is what was digested, or nothing is."""
    return CannotStoreError(
        f"{what} changed meanwhile", hint="register it when nothing writes to it any more"
    )


Bytes = bytes | bytearray | memoryview
Source = Bytes | Pieces


def size_of(source: Source) -> int:
    """How many bytes a part has."""
    return len(source) if isinstance(source, bytes | bytearray) else source.nbytes


def in_one(source: Source) -> Bytes:
    """All of a part; copied where it has to be gathered."""
    return source if isinstance(source, bytes | bytearray | memoryview) else b"".join(source.pieces())


def pieces(source: Source) -> Iterator[memoryview]:
    """Copies of a part's blocks. Each is left alone until the next but one is asked for."""
    if not isinstance(source, bytes | bytearray | memoryview):
        yield from source.pieces()
        return
    view = memoryview(source).cast("B")
    buffers = [memoryview(bytearray(min(BLOCK, len(view)))) for _ in range(2)]
    for turn, at in enumerate(range(0, len(view), BLOCK)):
        piece = buffers[turn % 2][: min(BLOCK, len(view) - at)]
        piece[:] = view[at : at + BLOCK]
        yield piece


# digests


def digests(sources: Sequence[Source]) -> list[str]:
    """The sha256 of each part, in their order; several at a time where they are large."""
    total = sum(map(size_of, sources))
    if total < _ALONE:
        return [_digest(source) for source in sources]
    progress = Progress("digesting", total)
    return side_by_side([lambda each=each: digest(each, progress) for each in sources], progress, total)  # type: ignore[misc]


def _digest(source: Source) -> str:
    if isinstance(source, bytes | bytearray | memoryview):
        return sha256(source).hexdigest()
    return sha256(b"".join(source.pieces())).hexdigest()


def digest(source: Source, progress: Progress) -> str:
    """The sha256 of a part."""
    hasher = sha256()
    for piece in _as_they_lie(source):
        hasher.update(piece)
        progress.add(len(piece))
    return hasher.hexdigest()


def _as_they_lie(source: Source) -> Iterator[memoryview]:
    """Blocks that are only digested, and need no copy for it."""
    if not isinstance(source, bytes | bytearray | memoryview):
        yield from source.pieces()
        return
    view = memoryview(source).cast("B")
    for at in range(0, len(view), 8 * BLOCK):
        yield view[at : at + 8 * BLOCK]


def fingerprint(source: Source) -> str:
    """A digest of the size and of a few places: equal for equal parts, and for some others.

    Empty for what would have to be gathered first.
    """
    size = size_of(source)
    hasher = sha256(b"%d\n" % size)
    for n in range(_SAMPLES):
        at = max(0, n * (size - _SAMPLE) // (_SAMPLES - 1))
        if isinstance(source, OnDisk):
            hasher.update(source.sample(at, _SAMPLE))
        elif isinstance(source, bytes | bytearray | memoryview):
            hasher.update(memoryview(source).cast("B")[at : at + _SAMPLE])
        else:
            return ""
    return hasher.hexdigest()


# writing


def write_digested(fd: int, source: Source, progress: Progress) -> str:
    """Write a part to a file that is empty, and sync it; the digest of what was written."""
    if size_of(source) >= _SPLIT:
        result = _write_split(fd, source, progress)
    else:
        hasher = sha256()
        for piece in pieces(source):
            write_all(fd, piece)
            hasher.update(piece)
            progress.add(len(piece))
        result = hasher.hexdigest()
    os.fsync(fd)
    return result


def _write_split(fd: int, source: Source, progress: Progress) -> str:
    """The same, the digest in a second thread, and a third one that lets the disk begin."""
    hasher = sha256()
    digesting: deque[Future[None]] = deque()
    syncing: Future[None] | None = None
    unsynced = 0
    with ExitStack() as hands:
        digester, syncer = (hands.enter_context(_threads(1)) for _ in range(2))
        for piece in pieces(source):
            digesting.append(digester.submit(hasher.update, piece))
            write_all(fd, piece)
            progress.add(len(piece))
            unsynced += len(piece)
            if len(digesting) > 1:  # the block before is the one that is filled next
                digesting.popleft().result()
            if unsynced >= _SPLIT and (syncing is None or syncing.done()):
                if syncing is not None:
                    syncing.result()  # the system tells of a failure once: the last sync would succeed
                syncing, unsynced = syncer.submit(os.fdatasync, fd), 0
    for each in (*digesting, *([syncing] if syncing else [])):
        each.result()
    return hasher.hexdigest()


def refuse_full(folder: Path, needed: int) -> None:
    """Before anything is written: is there room? Raises `NoSpaceError`."""
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    if needed + _SPARE > free:
        from nbreg.display.text import size as told_size

        raise NoSpaceError(
            f"{told_size(needed)} are to be stored in {folder}, where {told_size(free)} are free",
            hint="nothing was written; free some space (`nbreg purge` finds what no version needs)",
        )


# threads


def _threads(count: int) -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # only where something is large

    return ThreadPoolExecutor(count, thread_name_prefix="nbreg")


def side_by_side(jobs: Iterable[Callable[[], T]], progress: Progress, total: int) -> list[T]:
    """Do the jobs, a few at a time; their results in their order.

    What one raises, and an interrupt of the one who waits, stops the others at their next block;
    when this returns or raises, none is running.
    """
    waiting = deque(enumerate(jobs))
    if total < _ALONE:
        return [job() for _, job in waiting]
    hands = _Hands(waiting, progress)
    try:
        hands.work()
    except BaseException:
        progress.end("stopped")
        raise
    progress.end("done")
    return [hands.found[at] for at in range(len(hands.found))]


class _Hands:
    """Threads that do jobs. They count themselves: an interrupt may come while one is being started."""

    def __init__(self, waiting: deque[tuple[int, Callable[[], Any]]], progress: Progress) -> None:
        self.found: dict[int, Any] = {}
        self._waiting = waiting
        self._progress = progress
        self._changed = threading.Condition()
        self._busy = 0
        self._errors: list[BaseException] = []

    def work(self) -> None:
        """Do all jobs; raises what the first that fails raises."""
        try:
            for _ in range(min(_THREADS, len(self._waiting))):
                threading.Thread(target=self._run, name="nbreg", daemon=True).start()
            while not self._is_over():
                self._progress.tell()
        except BaseException:
            self._stop()
            raise
        if self._errors:
            self._stop()
            raise self._errors[0]

    def _is_over(self) -> bool:
        with self._changed:
            return self._changed.wait_for(
                lambda: bool(self._errors) or not (self._busy or self._waiting), timeout=_TICK
            )

    def _stop(self) -> None:
        self._progress.stopped = True
        with self._changed:
            self._waiting.clear()
            self._changed.wait_for(lambda: not self._busy)

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    return
                at, job = self._waiting.popleft()
                self._busy += 1
            try:
                self.found[at] = job()
            except BaseException as error:
                self._errors.append(error)
                return
            finally:
                with self._changed:
                    self._busy -= 1
                    self._changed.notify_all()
