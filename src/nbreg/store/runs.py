"""The runs of a registry: a file for each, written by its own process, read by anybody.

    runs/ID.jsonl          what the run logged
    runs/ID.events.jsonl   what happened to it: registered from, deleted, restored

Ids begin with the time, so the newest runs are found by name alone.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from nbreg.errors import BadReferenceError, StoreError, UnknownRunError, spelled
from nbreg.records import Chunk, CurvePoint, RunState, digest_of, timestamp
from nbreg.store import runlines
from nbreg.store.files import inherit, opened, refused
from nbreg.store.runlines import ENDED, Begun, Curve, Deleted, Event, Fold, Metrics, Registering, Restored
from nbreg.store.runlog import RunLog

ID: Final = re.compile("[0-9a-f]{32}")
PIECE: Final = 256 * 1024
"""A frozen run is cut into pieces of this size: the beginning, which no longer changes, is stored once."""

_LISTS: Final = f"{spelled('registry.runs()', '%runs', '`nbreg runs`')} lists them"
_BUNDLE: Final = re.compile(rb'"bundle":"([0-9a-f]{64})"')
_TAIL: Final = 64 * 1024
_STEP: Final = 1024 * 1024
_FOLDS_KEPT: Final = 1024
_MOST_OPEN: Final = 32

_open: dict[tuple[str, str], RunLog] = {}
_guard = threading.RLock()


def end_all(outcome: Callable[[], tuple[RunState, str]]) -> None:
    """End all runs of this process, which ends."""
    with _guard:
        logs = list(_open.values())
        _open.clear()
    for each in logs:
        with suppress(Exception):
            each.end(timestamp(datetime.now(UTC)), *outcome())


def _forget_guard() -> None:
    global _guard
    _guard = threading.RLock()


os.register_at_fork(after_in_child=_forget_guard)


class _Read:
    """What was read of a run's file, to go on from there."""

    def __init__(self, inode: int) -> None:
        self.inode = inode
        self.offset = 0
        self.fold = Fold()


class Runs:
    """The folder of runs."""

    def __init__(self, folder: Path, scrap: Path) -> None:
        self.folder = folder
        self._scrap = scrap
        self._known: OrderedDict[str, _Read] = OrderedDict()
        self._reading = threading.RLock()
        self._beginning = f"{folder}/"
        self._real = (0, 0), ""

    def path(self, run_id: str) -> Path:
        """The file of a run, which may not be there."""
        return Path(self._named(run_id))

    def is_there(self, run_id: str) -> bool:
        """Whether it has a file."""
        return os.path.isfile(self._named(run_id))  # noqa: PTH113 - several times in each registration

    def _named(self, run_id: str) -> str:
        return f"{self._beginning}{run_id}.jsonl"

    def events_path(self, run_id: str) -> Path:
        """The file of what happened to it."""
        return self.folder / f"{run_id}.events.jsonl"

    # the writers of this process

    def _key(self, run_id: str) -> tuple[str, str]:
        return self._real_path(), run_id

    def _real_path(self) -> str:
        """What the folder is called whichever way leads to it; followed again when it is another folder."""
        try:
            status = os.stat(self.folder)  # noqa: PTH116 - in each registration
        except OSError:
            return os.path.realpath(self.folder)
        inode = status.st_dev, status.st_ino
        if self._real[0] != inode:
            self._real = inode, os.path.realpath(self.folder)
        return self._real[1]

    def log(self, run_id: str) -> RunLog | None:
        """The open file of a run that this process writes."""
        if not any(each == run_id for _, each in list(_open)):
            return None  # the usual case, without a look at the folder
        found = _open.get(self._key(run_id))
        return found if found is not None and found.is_open else None

    def begin(self, begun: Begun, *, ambient: bool = False) -> RunLog:
        """Open the file of a run, or go on with it. Raises `StoreError`."""
        with _guard:
            found = self.log(begun.id)
            if found is not None:
                return found
            self._make_room()
            made = RunLog(self.path(begun.id), begun, scrap=self._scrap)
            made.ambient = ambient
            if made.fold.begun is None:
                made.fold = self.fold(begun.id)
                self._known.pop(begun.id, None)  # the writer's own from now on
            _open[self._key(begun.id)] = made
            return made

    def end(self, run_id: str, at: str, state: RunState, error: str = "") -> None:
        """End a run of this process."""
        with _guard:
            found = _open.pop(self._key(run_id), None)
        if found is not None:
            found.end(at, state, error)

    def _make_room(self) -> None:
        """A process that works on many registries holds few of their runs open."""
        idle = [key for key, each in _open.items() if each.ambient]
        for key in idle[: max(0, len(_open) - _MOST_OPEN + 1)]:
            with suppress(StoreError):
                _open.pop(key).end(timestamp(datetime.now(UTC)), "finished")

    # reading

    def ids(self) -> list[str]:
        """All runs, newest first."""
        try:
            names = os.listdir(self.folder)  # noqa: PTH208 - names are all that is wanted
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise refused(error, self.folder, reading=True) from error
        stems = (name.removesuffix(".jsonl") for name in names if name.endswith(".jsonl"))
        return sorted((stem for stem in stems if ID.fullmatch(stem)), reverse=True)

    def resolve(self, text: str) -> str:
        """The full id that a text means: all of it, or 8 digits and more. Raises `UnknownRunError`."""
        if not isinstance(text, str) or not re.fullmatch("[0-9a-f]{8,32}", text):
            raise BadReferenceError(
                f"{ascii(text)[:60]} is not the id of a run", hint=f"8 to 32 hex digits; {_LISTS}"
            )
        if len(text) == 32 and self.is_there(text):
            return text
        found = [each for each in self.ids() if each.startswith(text) or each.endswith(text)]
        if len(found) > 1:
            raise BadReferenceError(f"{text} could be {len(found)} runs", hint="give more of the id")
        if not found:
            raise UnknownRunError(f"there is no run {text}", hint=_LISTS)
        return found[0]

    def fold(self, run_id: str) -> Fold:
        """What the lines of a run come to. What was read before is not read again."""
        own = self.log(run_id)
        if own is not None and own.is_alone:
            return own.fold
        path = self.path(run_id)
        with self._reading:
            try:
                with _opened(path) as file:
                    status = os.fstat(file.fileno())
                    known = self._known.get(run_id)
                    if known is None or known.inode != status.st_ino or known.offset > status.st_size:
                        known = _Read(status.st_ino)
                        known.offset = _start(file.fileno(), status.st_size, known.fold)
                    file.seek(known.offset)
                    for line in runlines.own_lines(_lines(file, known)):
                        known.fold.take(line)
            except FileNotFoundError:
                raise UnknownRunError(f"there is no run {run_id}") from None
            except OSError as error:
                raise refused(error, path, reading=True) from error
            self._known[run_id] = known
            self._known.move_to_end(run_id)
            while len(self._known) > _FOLDS_KEPT:
                self._known.popitem(last=False)
            return known.fold

    def curve(self, run_id: str, metric: str, points: int) -> list[CurvePoint]:
        """One metric over its steps, in at most that many points."""
        found = Curve(points)
        try:
            with _opened(self.path(run_id)) as file:
                wanted = b'"metrics"'
                raw = (line for line in _lines(file) if wanted in line)
                for line in runlines.own_lines(raw):
                    if isinstance(line, Metrics) and metric in line.values:
                        found.take(line.step, line.values[metric])
        except FileNotFoundError:
            raise UnknownRunError(f"there is no run {run_id}") from None
        return found.result()

    def bundles(self, run_id: str) -> set[str]:
        """The objects that a run speaks of, in lines that cannot be read any more, too."""
        try:
            with _opened(self.path(run_id)) as file:
                return {each.decode() for line in _lines(file) for each in _BUNDLE.findall(line)}
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise refused(error, self.path(run_id), reading=True) from error

    def is_live(self, run_id: str) -> bool:
        """Whether the process that writes it is there: it holds the lock."""
        if self.log(run_id) is not None:
            return True
        try:
            fd = opened(self.path(run_id))
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(fd)
        return False

    def last_written(self, run_id: str) -> str:
        """When something was last written to it."""
        with suppress(OSError):
            return timestamp(datetime.fromtimestamp(self.path(run_id).stat().st_mtime, UTC))
        return ""

    def pieces(self, run_id: str) -> Iterator[tuple[Chunk, bytes]]:
        """Its file as it is now, up to the last whole line, cut so that the beginning stays the same."""
        with _opened(self._named(run_id)) as file:
            size = _whole(file.fileno(), os.fstat(file.fileno()).st_size)
            for at in range(0, size, PIECE):
                piece = file.read(min(PIECE, size - at))
                yield Chunk(digest=digest_of(piece), size=len(piece)), piece

    # what happens to it

    def events(self, run_id: str) -> list[Event]:
        """What happened to it, oldest first."""
        try:
            with _opened(self.events_path(run_id)) as file:
                raw = file.read()
        except OSError:
            return []
        return list(runlines.events(raw.split(b"\n")[:-1]))

    def deleted(self, run_id: str) -> Deleted | None:
        """When, by whom and why it was deleted, if it is."""
        told = [each for each in self.events(run_id) if not isinstance(each, Registering)]
        return told[-1] if told and isinstance(told[-1], Deleted) else None

    def note(self, run_id: str, event: Registering | Deleted | Restored) -> None:
        """Append an event, as one whole line: others may do the same."""
        path = self.events_path(run_id)
        try:
            fd = opened(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            try:
                size = os.fstat(fd).st_size
                if size == 0:
                    inherit(fd, self.folder, keep=0o666)
                torn = size and os.pread(fd, 1, size - 1) != b"\n"
                os.write(fd, (b"\n" if torn else b"") + runlines.encode(event) + b"\n")
            finally:
                os.close(fd)
        except OSError as error:
            raise refused(error, path) from error

    def size(self) -> int:
        """Bytes of all files."""
        total = 0
        for run_id in self.ids():
            for path in (self.path(run_id), self.events_path(run_id)):
                with suppress(OSError):
                    total += path.stat().st_size
        return total


def _opened(path: Path | str) -> BinaryIO:
    return os.fdopen(opened(path), "rb")


def fold_of(raw: bytes) -> Fold:
    """What a frozen run comes to."""
    fold = Fold()
    for line in runlines.own_lines(raw.split(b"\n")[:-1]):
        fold.take(line)
    return fold


def _start(fd: int, size: int, fold: Fold) -> int:
    """Where to read from: the line that ended it, where that is near the end; else the beginning."""
    if size <= 2 * _TAIL:
        return 0
    tail = os.pread(fd, _TAIL, size - _TAIL)
    at = tail.rfind(b"\n" + ENDED)
    if at < 0:
        return 0
    for line in runlines.own_lines([os.pread(fd, _TAIL, 0).partition(b"\n")[0]]):
        fold.take(line)
    return size - _TAIL + at + 1


def _whole(fd: int, size: int) -> int:
    """The size up to the last LF."""
    while size:
        step = min(_TAIL, size)
        at = os.pread(fd, step, size - step).rfind(b"\n")
        if at >= 0:
            return size - step + at + 1
        size -= step
    return 0


def _lines(file: BinaryIO, known: _Read | None = None) -> Iterator[bytes]:
    """Whole lines, a bounded piece of the file at a time."""
    rest = b""
    while piece := file.read(_STEP):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if known is not None:
                known.offset += len(line) + 1
            yield line
