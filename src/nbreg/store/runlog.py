"""The writer of a run's file: lines in memory for a moment, then appended whole.

The file is locked (`flock`) from before it has its name until the run ends, so a reader tells a
run that goes on from one whose process was killed without trusting a process id. Nothing is
synced: a kill of the process loses at most a second of metrics, a power cut some more; what a
version needs is frozen into an object of its own, which is.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final

from nbreg.errors import RunEndedError, StoreError
from nbreg.records import short_run
from nbreg.store import runlines
from nbreg.store.files import forgetful, inherit, make_folder, opened, refused
from nbreg.store.runlines import Begun, Fold, OwnLine

log = logging.getLogger("nbreg")

FLUSH_BYTES: Final = 64 * 1024
FLUSH_SECONDS: Final = 0.9
MOST_WAITING: Final = 8 * 1024 * 1024
"""Bytes that wait for a disk that is full before logging is refused."""


class RunLog:
    """The open file of a run, in the process that runs it; threads may share it.

    A fork of that process may log to it as well, each line at once; who began it ends it.
    """

    def __init__(self, path: Path, begun: Begun, *, scrap: Path) -> None:
        self.path = path
        self.id = begun.id
        self.fold = Fold()
        self.began = monotonic()
        self.ambient = False
        self._lock = threading.Lock()
        self._waiting = bytearray()
        self._wake = threading.Event()
        self._closed = False
        self._alone = True
        self._fd = self._resumed() if path.exists() else self._made(begun, scrap)
        self._flusher: threading.Thread | None = None
        forgetful.add(self)

    def _made(self, begun: Begun, scrap: Path) -> int:
        """The file under another name first: it must not be seen unlocked, nor without a beginning."""
        make_folder(self.path.parent)
        temporary = scrap / f"{os.getpid()}-{secrets.token_hex(6)}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        try:
            fd = os.open(temporary, flags, 0o666)
        except OSError as error:
            raise refused(error, temporary) from error
        try:
            inherit(fd, self.path.parent, keep=0o666)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(fd, runlines.encode(begun) + b"\n")
            temporary.rename(self.path)
        except OSError as error:
            os.close(fd)
            with suppress(OSError):
                temporary.unlink()
            raise refused(error, self.path) from error
        self.fold.take(begun)
        return fd

    def _resumed(self) -> int:
        """Go on with a file that is there: a run that was ended early, or that a fork began."""
        try:
            fd = opened(self.path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise refused(error, self.path) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._alone = False
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":
            os.write(fd, b"\n")  # what a kill tore stays a line of its own, which no reader can read
        return fd

    # writing

    def add(self, line: OwnLine, *, at_once: bool = True) -> None:
        """Append a line; metrics may wait for a moment. Raises `RunEndedError` or `StoreError`."""
        raw = runlines.encode(line)
        with self._lock:
            if self._closed:
                raise RunEndedError(f"the run {short_run(self.id)} has ended", hint="start another one")
            self.fold.take(line)
            self._waiting += raw
            self._waiting += b"\n"
            if at_once or not self._alone or len(self._waiting) >= FLUSH_BYTES:
                self._write(must=at_once)
            elif not self._wake.is_set():
                self._rouse()

    def flush(self) -> None:
        """Write what waits. Raises `StoreError`; then it goes on waiting."""
        with self._lock:
            self._write(must=True)

    def _write(self, *, must: bool) -> None:
        try:
            while self._waiting:
                # A whole number of lines unless the disk is full; the rest of a torn one follows it.
                written = os.write(self._fd, self._waiting)
                del self._waiting[:written]
        except OSError as error:
            if must or len(self._waiting) > MOST_WAITING:
                raise refused(error, self.path) from error
            log.warning("%s: %s; its lines wait", self.path, error.strerror)

    def _rouse(self) -> None:
        self._wake.set()
        if self._flusher is not None:
            return
        self._flusher = threading.Thread(target=self._keep_flushing, name="nbreg-run", daemon=True)
        try:
            self._flusher.start()
        except RuntimeError:  # the interpreter is about to end
            self._flusher = None
            self._write(must=False)

    def _keep_flushing(self) -> None:
        pause = threading.Event()  # never set: a wait that an ending interpreter can break off
        while not self._closed:
            self._wake.wait()
            pause.wait(FLUSH_SECONDS)
            with self._lock:
                self._wake.clear()
                if not self._closed:
                    with suppress(StoreError):
                        self._write(must=False)

    # the end

    @property
    def is_alone(self) -> bool:
        """Whether nobody else writes it: this process holds the lock."""
        return self._alone

    @property
    def is_open(self) -> bool:
        """Whether lines can be added."""
        return not self._closed

    def end(self, at: str, state: str, error: str = "") -> None:
        """Write the last line and let go of the file; ending twice is harmless."""
        with self._lock:
            if self._closed:
                return
            if self._alone:
                ended = self.fold.end(at, state, error)
                self.fold.take(ended)
                self._waiting += runlines.encode(ended) + b"\n"
            try:
                self._write(must=True)
            finally:
                self._let_go()

    def _let_go(self) -> None:
        self._closed = True
        self._wake.set()
        if self._alone:
            with suppress(OSError):
                fcntl.flock(self._fd, fcntl.LOCK_UN)  # closing is not enough while a fork holds a copy
        os.close(self._fd)

    def forget_after_fork(self) -> None:
        """In a fork: what waits is the parent's to write, and so is the lock."""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._waiting = bytearray()
        self._flusher = None
        if self._closed:
            return
        self._alone = False
        try:
            own = opened(self.path, os.O_RDWR | os.O_APPEND)
            os.close(self._fd)  # keeping the copy would hold the lock for as long as the child lives
            self._fd = own
        except OSError:
            self._closed = True
