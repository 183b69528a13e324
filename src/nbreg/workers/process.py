"""The owner's side of a worker: its process is started when it is needed, asked, timed, and ended.

One call at a time, whichever threads ask. A call that does not come to its end (a crash, a time-out, an
interrupt) ends the process, and the next call starts another one. A fork has no part in its parent's.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import nbreg
from nbreg.errors import WorkerCrashedError, WorkerError, WorkerTimeoutError
from nbreg.families import neutral
from nbreg.families.neutral import Buffer
from nbreg.records import Artifact, canonical
from nbreg.workers import environments
from nbreg.workers.channel import Channel, GarbledError, Reply, Request
from nbreg.workers.child import BOOT
from nbreg.workers.plans import Plan
from nbreg.workers.raising import raise_again

SECONDS_TO_LOAD: Final = 600.0
"""The first import of a large framework from a cold disk takes minutes."""

_SECONDS_TO_END: Final = 5.0
_TAIL: Final = 2000
_MOST_SAID: Final = 1024 * 1024


class Source(NamedTuple):
    """Where a worker's model comes from."""

    what: str
    """The version's name in messages."""
    plan: Plan
    home: Path
    """The folder of environments."""
    most: int
    """How many bytes all environments may take up."""
    read: Callable[[], tuple[Artifact, Sequence[Buffer]]]
    """The artifact and its verified bytes, whenever a process is started."""
    device: str = ""


class Answer(NamedTuple):
    """A reply with the buffers of its value."""

    reply: Reply
    buffers: list[Buffer]

    @property
    def value(self) -> Any:
        """The value. Raises `WorkerError` for what cannot be read."""
        try:
            return neutral.unpack(self.reply.value, self.buffers)
        except ImportError as error:
            raise WorkerError(
                f"what it answered needs {error.name}, which is not installed here",
                hint=f"pip install {error.name}",
            ) from error
        except Exception as error:
            raise WorkerError(f"what it answered cannot be read: {error}") from error


class _Running(NamedTuple):
    """A process, and what connects it."""

    process: subprocess.Popen[bytes]
    channel: Channel
    lifeline: int
    said: int
    owner: int

    def end(self) -> None:
        """End it and whatever it started; a fork of the owner only lets go of it."""
        if os.getpid() == self.owner:
            self._kill_all()  # of one that crashed what it forked may be left
            self.process.wait()
        self.let_go()

    def kill(self) -> None:
        if self.process.returncode is None:
            self._kill_all()

    def _kill_all(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def let_go(self) -> None:
        self.channel.close()
        for each in (self.lifeline, self.said):
            with suppress(OSError):
                os.close(each)
        if self.process.returncode is None:
            self.process.returncode = 0  # it is somebody else's, and nobody here waits for it


class Worker:
    """One model in one process, for all who hold it in this process."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.loaded: dict[str, Any] = {}
        """What the process told of the model when it had loaded it."""
        self._alone = threading.RLock()
        self._running: _Running | None = None
        self._end: Callable[[], object] | None = None
        _all.add(self)

    @property
    def pid(self) -> int | None:
        """The process that is there now."""
        return self._running.process.pid if self._running else None

    def start(self) -> None:
        """Have a process that has loaded the model; one that is there will do."""
        with self._alone:
            running = self._running
            if running is not None and running.process.poll() is None:
                return
            self.close()
            self._started()

    def ask(
        self, request: Request, buffers: Sequence[Buffer] = (), *, seconds: float | None = None
    ) -> Answer:
        """The answer to a request.

        Raises `WorkerCrashedError`, `WorkerTimeoutError` or `WorkerError`, or what starting one raises.
        """
        with self._alone:
            self.start()
            return self._asked(request, buffers, seconds, f"{request.name or 'the model'} was asked")

    def close(self) -> None:
        """End the process; the next call starts another one."""
        with self._alone:
            end, self._end, self._running = self._end, None, None
            if end is not None:
                end()

    def stop(self) -> None:
        """The same at once: a call that another thread waits for ends as if the process had crashed."""
        if (running := self._running) is not None:
            running.kill()
        self.close()

    def forget(self) -> None:
        """After a fork: the process belongs to the parent, and so does the lock's holder."""
        self._alone = threading.RLock()
        running, end = self._running, self._end
        self._running = self._end = None
        if running is not None and isinstance(end, weakref.finalize):
            end.detach()
            running.let_go()

    # one process

    def _started(self) -> None:
        source = self.source
        held = environments.hold(source.plan, source.home, most=source.most, what=source.what)
        try:
            self._running = _run(held)
        finally:
            os.close(held.lock)  # the process has it as long as it lives
        self._end = weakref.finalize(self, self._running.end)
        try:
            self._load()
        except BaseException:
            self.close()  # a process without a model answers nothing
            raise

    def _load(self) -> None:
        artifact, buffers = self.source.read()
        request = Request("load", device=self.source.device, artifact=canonical(artifact))
        answer = self._asked(request, buffers, SECONDS_TO_LOAD, "it loaded the model")
        if answer.reply.raised is not None:
            raise_again(answer.reply.raised)
        self.loaded = answer.value

    def _asked(self, request: Request, buffers: Sequence[Buffer], seconds: float | None, when: str) -> Answer:
        running = self._running
        assert running is not None
        until = None if seconds is None else time.monotonic() + seconds
        try:
            running.channel.send(request, buffers, until=until)
            reply, given = running.channel.receive(Reply, until=until)
        except TimeoutError:
            self.close()
            raise WorkerTimeoutError(
                f"{self.source.what}: no answer within {seconds:g} s, and the process was ended",
                hint="isolated(ref, timeout=…) gives it longer; the next call starts another process",
            ) from None
        except (EOFError, ConnectionError, GarbledError) as error:
            raise self._ended(running, error, when) from None
        except BaseException:
            self.close()  # an interrupt: what it would still answer belongs to nobody
            raise
        if os.fstat(running.said).st_size > _MOST_SAID:
            os.ftruncate(running.said, 0)
        return Answer(reply, given)

    def _ended(self, running: _Running, error: Exception, when: str) -> WorkerError:
        """The error for a process that is gone, or talks nonsense."""
        with suppress(subprocess.TimeoutExpired):
            running.process.wait(0 if isinstance(error, GarbledError) else _SECONDS_TO_END)
        code = running.process.returncode
        tail = _tail(running.said)
        self.close()
        if code is None:
            return WorkerError(f"{self.source.what}: its process answered with what is no message")
        found = WorkerCrashedError(
            f"{self.source.what}: its process ended with {_ending(code)} while {when}",
            hint="too little memory ends a process with SIGKILL; the next call starts another one",
        )
        if tail:
            found.add_note(f"it said:\n{tail}")
        return found


_all: weakref.WeakSet[Worker] = weakref.WeakSet()
_known: weakref.WeakValueDictionary[Hashable, Worker] = weakref.WeakValueDictionary()
_guard = threading.Lock()


def worker_for(key: Hashable, source: Source) -> Worker:
    """The one worker of this process for a model, or a new one."""
    with _guard:
        worker = _known.get(key)
        if worker is None:
            worker = _known[key] = Worker(source)
        return worker


def _forget() -> None:
    global _guard
    _guard = threading.Lock()
    for worker in list(_all):
        worker.forget()


os.register_at_fork(after_in_child=_forget)


def _run(held: environments.Held) -> _Running:
    """Start the process; it has no file of ours but its two ends, and the lock of its environment."""
    ours, theirs = socket.socketpair()
    end, lifeline = os.pipe()
    said = _unnamed()
    try:
        process = subprocess.Popen(
            [str(held.python), "-I", "-c", BOOT, nbreg.__path__[0], str(theirs.fileno()), str(end)],
            env={name: text for name, text in os.environ.items() if not name.startswith("PYTHON")},
            pass_fds=(theirs.fileno(), end, held.lock),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,  # an interrupt of the kernel is not meant for it
        )
    except BaseException as error:
        ours.close()
        os.close(lifeline)
        os.close(said)
        if isinstance(error, OSError):
            raise WorkerError(f"no process could be started: {error}") from error
        raise
    finally:
        theirs.close()
        os.close(end)
    return _Running(process, Channel(ours), lifeline, said, os.getpid())


def _unnamed() -> int:
    """A file that goes with its last descriptor, for what the model prints."""
    handle, name = tempfile.mkstemp(prefix="nbreg-worker-")
    os.close(handle)
    try:
        return os.open(name, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    finally:
        Path(name).unlink()


def _tail(said: int) -> str:
    size = os.fstat(said).st_size
    return os.pread(said, _TAIL, max(0, size - _TAIL)).decode("utf-8", "replace").strip()


def _ending(code: int) -> str:
    with suppress(ValueError):
        if code < 0:
            return signal.Signals(-code).name
    return f"exit code {code}"
