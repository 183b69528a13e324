"""Keeps what cells train and nobody registers: `%drafts`.

After a cell, a draft of each model that it trained is noted, which costs a small file. Its bytes
are taken when the kernel is idle, on its own thread, so that nothing changes under them; small
ones at the latest when the next cell begins. Between cells no object is held: a name and an id
say which one it was, and where that is another one by then, the draft says so.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import re
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import msgspec

from nbreg.capture.recipe import Ran
from nbreg.errors import NbregError
from nbreg.families.describing.describe import hides_training, is_trained, predicts
from nbreg.families.weights import weigh
from nbreg.kernel.objects import written_names
from nbreg.records import DraftRecord, timestamp

if TYPE_CHECKING:
    from nbreg.kernel.session import Session
    from nbreg.registry.ground.desk import Desk

log = logging.getLogger("nbreg")

SMALL: Final = 8 * 1024 * 1024
"""Up to here a model is saved at the latest before the next cell runs."""

SECONDS_IN_HASTE: Final = 0.05
"""How long a cell may wait in all for the small ones; the rest waits until the kernel is idle."""

MOST_OF_A_CELL: Final = 16
"""Drafts of one cell; those whose names are the newest."""

_SOON: Final = 0.02
_LATER: Final = 2.0
"""Seconds of idleness before a large one is taken: by then people are reading, or typing."""

_METRIC: Final = re.compile(
    r"(?:^|_)(?:acc|accuracy|auc|auroc|auprc|roc|f1|r2|mse|rmse|mae|mape|loss|logloss|score|error|err|"
    r"precision|recall|ap|map|iou|dice|bleu|rouge|perplexity|brier|kappa|mcc|aic|bic|lift|gini|ks)(?:$|_|\d)"
)
_MOST_METRICS: Final = 8


class _Waiting(msgspec.Struct):
    """A model whose bytes are still to be taken; no reference to it."""

    desk: Desk
    record: DraftRecord
    key: int
    token: str
    """That of the tracker, by which a change is seen; empty where it sees none."""
    size: int = -1


class Drafter:
    """The drafts of one kernel."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: dict[int, _Waiting] = {}
        self._unfinished: list[tuple[Desk, int]] = []
        self._seen: set[tuple[str, str, str]] = set()
        self._known: list[weakref.ref[object]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._idle_since = 0.0
        self._process = os.getpid()
        self.seconds: list[tuple[float, float]] = []
        """What each cell was made to wait, before and after it, by the wall and of the processor, for
        those who measure it."""

    def start(self) -> None:
        """Save what is small when the kernel ends, too."""
        self._process = os.getpid()
        atexit.register(self.flush)

    def stop(self) -> None:
        """Save what is small, and watch no more."""
        self._cancel()
        self.flush()
        atexit.unregister(self.flush)

    @property
    def mode(self) -> str:
        """What becomes of a trained model: `draft`, `version` or `off`."""
        return str(self._session.config.implicit)

    # around each cell

    def before_cell(self) -> None:
        """A cell begins: what it could overwrite is saved, as far as that is a matter of milliseconds."""
        if not self._waiting and self._timer is None:
            return
        start = _clocks()
        self._cancel()
        try:
            self._save_small()
        finally:
            self.seconds.append(_since(start))

    def after_cell(self, ran: Ran) -> None:
        """A cell has ended: note what it trained, and what it took away."""
        start = _clocks()
        try:
            if self._waiting:
                self._give_up_changed(ran)
            if self.mode != "off":
                self._note_trained(ran)
            self._known.clear()
        finally:
            self.seconds.append(_since(start))
        if self._waiting or self._unfinished:
            self._idle_since = time.monotonic()
            self._schedule(_SOON)

    def is_known(self, value: object) -> None:
        """The running cell registered this object, or loaded it: it is no draft."""
        with suppress(TypeError):  # what cannot be referred to weakly is found out by its content
            self._known.append(weakref.ref(value))
        for number, each in list(self._waiting.items()):
            if each.key == id(value):
                self._forget(number)

    def _note_trained(self, ran: Ran) -> None:
        namespace = self._session.shell.user_ns
        found = set(self._trained(ran, namespace))
        if not found:
            return
        found = {name for name in found if predicts(namespace[name])} or found
        metrics = _metrics(ran, namespace)
        for name in [each for each in namespace if each in found][-MOST_OF_A_CELL:]:
            self._note(ran, name, namespace[name], metrics)

    def _trained(self, ran: Ran, namespace: Mapping[str, object]) -> Iterator[str]:
        """The names that the cell bound to a trained model, or trained the model of, each object once."""
        ids = {id(value) for each in self._known if (value := each()) is not None}
        said: list[str] | None = None
        for name, why in ran.trace.writes.items():
            value = namespace.get(name)
            if value is None or name.startswith(("_", "<")) or why == "deleted" or id(value) in ids:
                continue
            if not (is_trained(value) or (why == "changed" and hides_training(value))):
                continue
            if why == "assumed":
                said = written_names(ran.execution.source, self._to_python) if said is None else said
                if name not in said:
                    continue
            ids.add(id(value))
            yield name

    def _to_python(self, source: str) -> str:
        transformed: str = self._session.shell.transform_cell(source)
        return transformed

    def _note(self, ran: Ran, name: str, value: object, metrics: dict[str, float]) -> None:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        token = ran.trace.tokens.get(name, "")
        desk = self._session.desk
        seen = str(desk.folder.path), kind, token
        if token and seen in self._seen:
            return
        for number, each in list(self._waiting.items()):
            if each.key == id(value):  # trained on, before what it was had been saved
                self._forget(number)
        record = DraftRecord(
            variable=name,
            type=kind,
            at=timestamp(datetime.now(UTC)),
            cell=_cell(ran),
            notebook=self._session.context.notebook,
            run=self._session.context.run,
            metrics=metrics,
        )
        from nbreg.registry.making import taking

        record = taking.note(desk, record)
        if token:
            self._seen.add(seen)
        self._waiting[record.number] = _Waiting(desk, record, id(value), token)

    def _give_up_changed(self, ran: Ran) -> None:
        """What the cell overwrote or went on training is no longer what it was."""
        namespace = self._session.shell.user_ns
        for number, each in list(self._waiting.items()):
            name = each.record.variable
            same = id(namespace.get(name)) == each.key
            told = ran.trace.writes.get(name)
            if same and (told is None or (each.token and ran.trace.tokens.get(name) == each.token)):
                continue
            self._lose(number)

    def _lose(self, number: int) -> None:
        from nbreg.registry.making import taking

        lost = self._waiting.pop(number)
        self._seen.discard((str(lost.desk.folder.path), lost.record.type, lost.token))
        size = max(lost.size, 0)
        record = msgspec.structs.replace(lost.record, size=size)
        taking.give_up(lost.desk, record, taking.OVERWRITTEN)

    def _forget(self, number: int) -> None:
        from nbreg.registry.making import drafting

        drafting.folder_of(self._waiting.pop(number).desk).remove(number)

    def complete(self) -> None:
        """Find out now whether drafts that were kept in haste are news; what was registered since is none."""
        from nbreg.registry.making import taking

        while self._unfinished:
            try:
                taking.finish(*self._unfinished.pop())
            except Exception:
                log.debug("a draft stays as it is", exc_info=True)

    # when the kernel is idle

    def _schedule(self, delay: float) -> None:
        self._cancel()
        loop = self._loop()
        if loop is not None:
            self._timer = loop.call_later(delay, self._idle)
        elif self._waiting:
            self._save_before_prompt()

    def _save_before_prompt(self) -> None:
        """Where there is no loop, now is the time; people are yet to read what the cell said."""
        from nbreg.registry.making import taking

        desk = next(iter(self._waiting.values())).desk
        self._save_small(haste=False)
        for each in self._waiting.values():
            taking.give_up(each.desk, msgspec.structs.replace(each.record, size=each.size), taking.NEVER_IDLE)
        self._waiting.clear()
        taking.sweep(desk)

    def _loop(self) -> asyncio.AbstractEventLoop | None:
        """The kernel's loop, which runs on after the cell; a terminal has none."""
        if getattr(self._session.shell, "kernel", None) is None:
            return None
        try:
            return asyncio.get_running_loop()
        except RuntimeError:
            return None

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _idle(self) -> None:
        """One piece of work, then the kernel's turn again."""
        self._timer = None
        if not self._session.recorder.is_idle:
            return  # the cell that runs now comes back here when it ends
        try:
            delay = self._work()
        except Exception:
            log.debug("a draft is not kept", exc_info=True)
            delay = _SOON
        if delay is not None:
            self._schedule(delay)

    def _work(self) -> float | None:
        """Save the smallest that waits, else finish one, else sweep; how long to wait for the next."""
        from nbreg.registry.making import taking

        waiting = self._by_size()
        if waiting:
            number, each = waiting[0]
            rest = _LATER - (time.monotonic() - self._idle_since)
            if each.size > SMALL and rest > 0:
                return rest
            self._save(number, haste=False)
            return 0.0
        if self._unfinished:
            taking.finish(*self._unfinished.pop())
            return 0.0
        taking.sweep(self._session.desk)
        return None

    def _by_size(self) -> list[tuple[int, _Waiting]]:
        namespace = self._session.shell.user_ns
        for each in self._waiting.values():
            if each.size < 0:
                value = namespace.get(each.record.variable)
                weight = weigh(value)
                # What an accelerator holds is not fetched in haste.
                each.size = max(weight.size, SMALL + 1) if weight.device else weight.size
        return sorted(self._waiting.items(), key=lambda item: item[1].size)

    def _save_small(self, *, haste: bool = True) -> None:
        """Save those that are small, within a budget of time."""
        waiting = [number for number, each in self._by_size() if each.size <= SMALL]
        deadline = time.perf_counter() + SECONDS_IN_HASTE
        for number in waiting:
            try:
                self._save(number, haste=haste)
            except Exception:
                log.debug("a draft is not kept", exc_info=True)
            if time.perf_counter() > deadline:
                break

    def _save(self, number: int, *, haste: bool) -> None:
        from nbreg.registry.making import taking

        each = self._waiting[number]
        value = self._session.shell.user_ns.get(each.record.variable)
        if id(value) != each.key:
            self._lose(number)  # another thread, or a widget
            return
        del self._waiting[number]
        record = msgspec.structs.replace(each.record, size=each.size)
        desk = each.desk
        by_itself = self.mode == "version" and each.size <= desk.settings.draft_bytes
        if by_itself and self._registered(desk, record, value):
            return
        kept = taking.keep(desk, record, value, haste=haste)
        if haste and kept is not None and kept.is_kept:
            self._unfinished.append((desk, number))

    def _registered(self, desk: Desk, record: DraftRecord, value: object) -> bool:
        """Register what was trained, under a name made of the notebook's and the variable's."""
        from nbreg.registry.making import drafting

        try:
            version = self._session.registry.register(
                implicit_name(record.notebook, record.variable),
                value,
                metrics=record.metrics,
                reason="Trained",
                message="registered by itself (Nbreg.implicit)",
            )
        except NbregError:
            log.debug("not registered by itself", exc_info=True)
            return False  # it stays a draft
        drafting.folder_of(desk).remove(record.number)
        self._session.remember(version, quietly=True)
        return True

    def flush(self) -> None:
        """Save what is small now: the kernel ends. In a fork of it, nothing."""
        if os.getpid() != self._process:
            return
        with suppress(Exception):
            if self._waiting:
                self._save_small()
            self.complete()

    def as_it_is(self, record: DraftRecord) -> DraftRecord:
        """A record as this kernel knows better: that it is about to be saved."""
        if record.number not in self._waiting:
            return record
        return msgspec.structs.replace(record, why="not yet: as soon as the kernel is idle")


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(start: tuple[float, float]) -> tuple[float, float]:
    wall, cpu = _clocks()
    return wall - start[0], cpu - start[1]


def implicit_name(notebook: str, variable: str) -> str:
    """`analysis/clf`: the model that a variable of a notebook is registered as by itself."""
    stem = notebook.replace("\\", "/").rpartition("/")[2].removesuffix(".ipynb")
    pieces = [re.sub(r"[^A-Za-z0-9._-]+", "-", piece).strip("-._") for piece in (stem, variable)]
    return "/".join(piece for piece in pieces if piece) or "model"


def _cell(ran: Ran) -> dict[str, Any]:
    execution = ran.execution
    told = {
        "execution_count": execution.execution_count,
        "cell_id": execution.cell_id,
        "error": execution.error,
    }
    return {name: value for name, value in told.items() if value not in ("", None)}


def is_metric(name: str) -> bool:
    """Whether it is the name of what says how good a model is."""
    return _METRIC.search(name.casefold()) is not None


def is_measured(value: object) -> bool:
    """Whether it is a number as metrics come: a float, of Python or of numpy."""
    kind = type(value)
    return kind is float or (kind.__module__ == "numpy" and kind.__name__.startswith("float"))


def _metrics(ran: Ran, namespace: Mapping[str, object]) -> dict[str, float]:
    """The numbers that the cell set under the name of a metric."""
    found: dict[str, float] = {}
    for name, why in ran.trace.writes.items():
        value = namespace.get(name)
        if why != "bound" or not is_measured(value) or not is_metric(name):
            continue
        number = float(value)  # type: ignore[arg-type]
        if isfinite(number) and len(found) < _MOST_METRICS:
            found[name] = number
    return found
