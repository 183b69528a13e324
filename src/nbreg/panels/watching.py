"""Seeing that another kernel wrote: a look at the file's size and time, between cells, and not for ever.

It runs on the kernel's own loop, so it waits while a cell runs and ends with the kernel; there is no
thread. Nobody tells a kernel that its notebook was closed. So a watch stops by itself when nobody has
touched the panel for a while, and goes on when somebody does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

SECONDS: Final = 1.5
PATIENCE: Final = 20 * 60.0
"""Seconds without a touch after which it stops."""


class Watch:
    """Asks `look` again and again, and calls `changed` when the answer is another one."""

    def __init__(self, look: Callable[[], object], changed: Callable[[], object]) -> None:
        self._look, self._changed = look, changed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._seen: object = None
        self._until = 0.0
        self._closed = False

    @property
    def is_on(self) -> bool:
        """Whether it looks."""
        return self._timer is not None and not self._closed

    def start(self) -> None:
        """Begin, where there is a loop: a script has none, and nothing to refresh."""
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self.know()
        self.touch()

    def know(self) -> None:
        """What is there now has been shown."""
        self._seen = self._look()

    def touch(self) -> None:
        """Somebody is there. May be called from any thread."""
        self._until = time.monotonic() + PATIENCE
        if self._loop is not None and not self.is_on and not self._closed and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._arm)

    def close(self) -> None:
        """Look no more."""
        self._closed = True
        if self._timer is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._timer.cancel)

    def _arm(self) -> None:
        if self._loop is not None and self._timer is None and not self._closed:
            self._timer = self._loop.call_later(SECONDS, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._closed or time.monotonic() > self._until:
            return
        now = self._look()
        if now != self._seen:
            self._seen = now
            self._changed()
        self._arm()
