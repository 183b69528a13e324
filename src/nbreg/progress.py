"""How far a long piece of work is: told to whoever watches, once it has taken a second."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, Literal, NamedTuple

log = logging.getLogger("nbreg")

SOON: Final = 1.0
"""Seconds that a person waits without asking what goes on."""

_BETWEEN: Final = 0.2
_BETWEEN_LOGGED: Final = 10.0


class Step(NamedTuple):
    """Where the work is; the last one of a piece of work says how it ended."""

    doing: str
    """What is done, as `storing`."""
    done: int
    total: int
    """In bytes; 0 where only the time is known that it has taken."""
    seconds: float
    state: Literal["running", "done", "stopped"] = "running"

    def __str__(self) -> str:
        from nbreg.display.text import size  # said at most a few times a second

        if not self.total:
            ended = {"running": "", "done": ": done", "stopped": ": stopped"}[self.state]
            return f"{self.doing}{ended} ({self.seconds:.0f} s)"
        if self.state == "done":
            return f"{self.doing}: {size(self.total)} in {self.seconds:.1f} s"
        ended = ": stopped" if self.state == "stopped" else ""
        return f"{self.doing}: {size(self.done)} of {size(self.total)}{ended}"


Watch = Callable[[Step], object]

watcher: ContextVar[Watch | None] = ContextVar("nbreg_watcher", default=None)
"""Told of long work that this thread does; without one the logger is, every few seconds."""


class StoppedError(Exception):
    """The work was given up while a thread was at it."""


class Progress:
    """The bytes of one piece of work, or its time alone; any thread adds, only the one that waits tells."""

    def __init__(self, doing: str, total: int = 0) -> None:
        self._doing = doing
        self._total = total
        self._done = 0
        self._guard = threading.Lock()
        self._started = self._told = time.monotonic()
        self._watch = watcher.get()
        self._shown = False
        self.stopped = False

    def add(self, count: int) -> None:
        """Note that so many bytes more are done. Raises `StoppedError` where the others gave up."""
        if self.stopped:
            raise StoppedError
        with self._guard:
            self._done += count

    def tell(self) -> None:
        """Say how far it is, if it takes long and was not said just now."""
        now = time.monotonic()
        between = _BETWEEN_LOGGED if self._watch is None else _BETWEEN
        if now - self._started < SOON or (self._shown and now - self._told < between):
            return
        self._shown, self._told = True, now
        self._say("running")

    def end(self, state: Literal["done", "stopped"]) -> None:
        """Say how it ended, if anything was said before."""
        if self._shown:
            self._say(state)

    def _say(self, state: Literal["running", "done", "stopped"]) -> None:
        done = min(self._done, self._total)  # what looked stored and was not is read twice
        step = Step(self._doing, done, self._total, time.monotonic() - self._started, state)
        try:
            (self._watch or _log)(step)
        except Exception as error:  # a display that fails is no reason to lose a model
            log.debug("progress cannot be shown: %s", type(error).__name__)


def _log(step: Step) -> None:
    log.info("%s", step)
