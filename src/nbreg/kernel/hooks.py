"""Records what is executed, through IPython's events.

Nothing here may fail in front of the user, be felt, or keep one of the user's objects alive:
what is kept of a cell is its text, its times and the class of its error.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar

import IPython
from IPython.core.error import UsageError

from nbreg.capture import look_ahead, look_no_more, watched_by
from nbreg.capture.recipe import Document, Pending, Ran
from nbreg.errors import NbregError
from nbreg.kernel.tracking import Tracking
from nbreg.records import Execution, Recipe, SeenData, timestamp

log = logging.getLogger("nbreg")

_COUNTS_FIRST = IPython.version_info >= (9, 8)
"""Whether IPython counts a cell before it tells that the cell begins, or when it has ended."""

_REGISTERS = re.compile(r"\bregister(?:_model)?\b")
"""What stands in the text of a cell that registers: git begins with it."""

_OURS = "nbreg.kernel.asking"
"""The module that front ends ask, by which their questions are known."""

P = ParamSpec("P")
R = TypeVar("R")


def quietly(callback: Callable[P, R]) -> Callable[P, R | None]:
    """IPython prints what a callback raises, with the user's cell: so nothing is let out."""

    @wraps(callback)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return callback(*args, **kwargs)
        except Exception:
            log.debug("%s failed", callback.__qualname__, exc_info=True)
            return None

    return guarded


class _Running(NamedTuple):
    """A cell that has begun. `info` is IPython's own record of it, by which its end is known."""

    info: object
    thread: int
    nested: bool
    source: str
    shown_count: int | None
    cell_id: str
    moment: datetime | None
    clock: float
    pending: Pending | None = None
    """What was there before it, where that was seen."""


class Around(Protocol):
    """What else is done between cells, with each one's evidence; nothing that it raises is felt."""

    def before_cell(self) -> None: ...

    def after_cell(self, ran: Ran) -> None: ...


class Recorder:
    """The executions of one kernel, oldest first.

    A cell that another cell runs (`%%capture`, `run_cell`) is part of that one and is not
    listed. Begin and end are paired by the identity of IPython's record, never by count; an end
    that IPython tells of another record, or not at all, does not make the cells after it nested.
    """

    def __init__(self, shell: Any, around: Around | None = None) -> None:
        self._shell = shell
        self._around = around
        self._done: list[Ran] = []
        self._tracking = Tracking(shell)
        self._running: list[_Running] = []
        self._told: tuple[str, Document] = "", Document()
        self._loading = False

    def start(self) -> None:
        """Take over what ran before, and listen from now on."""
        self._loading = True
        self._remember_history()
        self._shell.events.register("pre_run_cell", self._pre)
        self._shell.events.register("post_run_cell", self._post)
        self._shell.events.register("post_execute", self._stirred)

    def stop(self) -> None:
        """Listen no more; stopping twice is harmless."""
        callbacks = {"pre_run_cell": self._pre, "post_run_cell": self._post, "post_execute": self._stirred}
        for event, callback in callbacks.items():
            if callback in self._shell.events.callbacks.get(event, ()):
                self._shell.events.unregister(event, callback)

    @property
    def ended(self) -> Iterable[Ran]:
        """The cells whose end was seen, the last one first."""
        return (ran for ran in reversed(self._done) if ran.execution.ok is not None)

    @property
    def executions(self) -> list[Execution]:
        """All that ran, and last what is running."""
        running = [_begun(each) for each in self._outer]
        return [*(ran.execution for ran in self._done), *running]

    def recipe_for(self, *values: object) -> Recipe | None:
        """The executions that these objects depend on; None where none was executed."""
        running = self._outer
        sofar = [Ran(_begun(each), self._tracking.so_far(each.pending, each.source)) for each in running]
        history = [*self._done, *sofar]
        if not history:
            return None
        document = self._document(running[-1].cell_id) if running else None
        return self._tracking.recipe(values, history, running=bool(running), document=document)

    def data_seen_by(self, model: object, *values: object) -> SeenData | None:
        """The data that the model saw and the files that were read, by the recipe just asked for."""
        return self._tracking.data_seen(model, values, running=bool(self._outer))

    def told(self, cell: str, cells: Iterable[tuple[str, str | None]], *, alone: bool) -> None:
        """A front end sends the cell of that id, and this is its document; see `asking.tell`."""
        self._told = cell, Document(dict(cells), is_whole=alone)

    def _document(self, cell: str) -> Document | None:
        """The document as it was when that cell was sent; an older one says nothing of today."""
        told, document = self._told
        return document if cell and cell == told else None

    def stir(self) -> None:
        """Code of the user's may have run outside any cell."""
        self._tracking.tracker.stir()

    @property
    def _outer(self) -> list[_Running]:
        """The cells that run, without those that another one runs."""
        return [each for each in self._running if not each.nested]

    @property
    def is_idle(self) -> bool:
        """Whether no cell is running."""
        return not self._running

    @property
    def moment(self) -> datetime:
        """When the running cell began; now where none is running."""
        moments = (each.moment for each in self._running if each.moment and not each.nested)
        return next(moments, None) or datetime.now(UTC)

    @quietly
    def _remember_history(self) -> None:
        """Cells from before are known by their text alone; the one that loads nbreg is running."""
        current = self._current_count()
        manager = self._shell.history_manager
        if manager is None:
            return
        for _, number, source in manager.get_range(session=0, start=1, raw=True, output=False):
            if number < current:
                execution = Execution(source=source, execution_count=number, seen=False)
                self._done.append(Ran(execution, self._tracking.told(source)))
            elif number == current:
                me = threading.get_ident()
                self._running.append(_Running(None, me, False, source, number, "", None, 0.0))

    def _current_count(self) -> int:
        count: int = self._shell.execution_count
        return count - 1 if _COUNTS_FIRST else count

    def _end_of_loading(self) -> None:
        """A numbered cell begins, so the one that loaded nbreg has ended, whether or not that was told."""
        self._loading = False
        for i in reversed(range(len(self._running))):
            if self._running[i].info is None:
                self._done.append(self._untracked(self._running.pop(i)))

    def _end_of_lost(self, thread: int) -> None:
        """Cells of this thread whose end was never told: no call that runs them is there any more."""
        mine = [each for each in self._running if each.thread == thread]
        for lost in mine[max(0, _cells_being_run() - 1) :]:
            self._running.remove(lost)
            if not lost.nested:
                self._done.append(self._untracked(lost))

    def _untracked(self, cell: _Running) -> Ran:
        return Ran(_begun(cell), self._tracking.told(cell.source))

    @quietly
    def _pre(self, info: Any) -> None:
        thread = threading.get_ident()
        if info.store_history:
            self._end_of_loading()
        self._end_of_lost(thread)
        nested = any(each.thread == thread for each in self._running)
        if self._around is not None and not self._running:
            self._around.before_cell()
        source = info.raw_cell if isinstance(info.raw_cell, str) else ""
        count = self._current_count() if info.store_history and not nested else None
        cell_id = getattr(info, "cell_id", None) or ""
        if not nested and _REGISTERS.search(source):
            look_ahead()
        pending = None if nested else self._tracking.before(info)
        if not nested:
            watched_by(pending.watch if pending else None)
        now = datetime.now(UTC), time.perf_counter()
        self._running.append(_Running(info, thread, nested, source, count, cell_id, *now, pending))

    @quietly
    def _stirred(self) -> None:
        """Widgets and other messages run between cells, and tell only that something was executed."""
        if not self._running and not _is_question(self._shell):
            self.stir()

    @quietly
    def _post(self, result: Any) -> None:
        cell = self._ended(result.info)
        if cell is not None and not cell.nested:
            look_no_more()
            error = _own_error(result.error_before_exec or result.error_in_exec)
            seconds = time.perf_counter() - cell.clock if cell.moment else None
            execution = _finished(cell, seconds, type(error).__name__ if error else "")
            trace = self._tracking.after(cell.pending, cell.source, result)
            self._done.append(Ran(execution, trace, refused=isinstance(error, UsageError)))
            if self._around is not None:
                self._around.after_cell(self._done[-1])

    def _ended(self, info: Any) -> _Running | None:
        """The cell that this is the end of; a blank one has an end without a beginning.

        So has the one that loads nbreg where the front end keeps no history (nbval does so).
        """
        thread, source = threading.get_ident(), info.raw_cell
        mine = [each for each in self._running if each.info is info]
        # An interrupted or refused cell ends with a new record; the one that loads nbreg has none.
        mine = mine or [each for each in self._running if (each.thread, each.source) == (thread, source)]
        if mine:
            self._loading = False
            self._running.remove(mine[-1])
            return mine[-1]
        if self._loading and info.raw_cell.strip():
            self._loading = False
            return _Running(info, 0, False, info.raw_cell, None, info.cell_id or "", None, 0.0)
        return None


def _own_error(error: BaseException | None) -> BaseException | None:
    """The error of a cell: of one under `%%register_model`, its own, and not that nothing was registered."""
    refusal = error.__cause__ if isinstance(error, UsageError) else None
    return (refusal.__cause__ if type(refusal) is NbregError else None) or error


def _is_question(shell: Any) -> bool:
    """Whether what the kernel works on has no code, and asks nothing but nbreg itself."""
    parent = shell.get_parent() if hasattr(shell, "get_parent") else None
    content = parent.get("content") if isinstance(parent, Mapping) else None
    if not isinstance(content, Mapping) or content.get("code") != "":
        return False
    asked = content.get("user_expressions")
    return isinstance(asked, Mapping) and bool(asked) and all(_OURS in str(each) for each in asked.values())


def _cells_being_run() -> int:
    """How many cells this thread is in the middle of, the one that begins included."""
    count, frame = 0, sys._getframe().f_back
    while frame is not None:
        count += frame.f_code.co_name == "run_cell_async"
        frame = frame.f_back
    return count


def _begun(cell: _Running) -> Execution:
    return Execution(
        source=cell.source,
        execution_count=cell.shown_count,
        started_at=timestamp(cell.moment) if cell.moment else "",
        cell_id=cell.cell_id,
    )


def _finished(cell: _Running, seconds: float | None, error: str) -> Execution:
    return Execution(
        source=cell.source,
        execution_count=cell.shown_count,
        started_at=timestamp(cell.moment) if cell.moment else "",
        seconds=None if seconds is None else round(seconds, 6),
        ok=not error,
        error=error,
        cell_id=cell.cell_id,
    )
