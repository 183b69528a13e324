"""Runs of this process: begin, log, end; and what a version locks of a run."""

from __future__ import annotations

import atexit
import platform
from collections.abc import Callable, Mapping
from typing import Any, get_args

import msgspec

from nbreg.capture.context import current_context, set_ended, set_started, started_run
from nbreg.capture.knowing import redactor_here
from nbreg.capture.project.revision import head_commit
from nbreg.capture.secrets import Redactor
from nbreg.errors import BadInputError, BadValueError, NbregError, RunEndedError
from nbreg.records import Measure, RunKind, RunLink, RunState, measure, new_run_id, short_run
from nbreg.registry.ground.desk import Desk
from nbreg.registry.ground.given import checked_params, checked_text, checked_word, named, without_secrets
from nbreg.registry.making import runrecords
from nbreg.registry.making.request import Request
from nbreg.registry.making.spelling import Piece
from nbreg.store.runlines import Begun, Metrics, Noted, Params, Registering
from nbreg.store.runlog import RunLog
from nbreg.store.runs import end_all


def new_link(
    desk: Desk,
    *,
    name: str = "",
    experiment: str = "",
    parent: str = "",
    kind: RunKind | None = None,
    redactor: Redactor | None = None,
) -> RunLink:
    """A run that begins now; nothing is written."""
    return RunLink(
        id=new_run_id(),
        name=checked_word(name, "a run's name", redactor),
        experiment=checked_word(experiment, "an experiment", redactor),
        kind=kind or current_context().kind,
        started_at=desk.folder.now(),
        parent=parent,
    )


# writing


def begin(desk: Desk, link: RunLink, *, ambient: bool = False, redactor: Redactor | None = None) -> RunLog:
    """Open the file of a run that this process runs; the registry is made if it is not there."""
    found = desk.folder.runs.log(link.id)
    if found is not None:
        return found
    desk.ready()
    context = current_context()
    begun = Begun(
        id=link.id,
        name=link.name,
        experiment=link.experiment,
        kind=link.kind,
        parent=link.parent,
        started_at=link.started_at,
        actor=desk.actor,
        place=without_secrets(context.notebook or context.script, redactor),
        commit=head_commit(context.folder),
        python=platform.python_version(),
    )
    atexit.unregister(_end_all)  # once, and before what was registered earlier
    atexit.register(_end_all)
    log = desk.folder.runs.begin(begun, ambient=ambient)
    own = context.run
    if own is not None and own.id == link.id and context.run_params:
        log.add(Params(params=checked_params(context.run_params)))
    return log


def _end_all() -> None:
    end_all(lambda: current_context().outcome())


def start(
    desk: Desk, name: str, experiment: str, params: Mapping[str, Any] | None, kind: RunKind | None
) -> RunLink:
    """Begin a run that goes on until it is ended, and is the current one meanwhile."""
    if not (kind is None or kind in get_args(RunKind)):
        raise BadInputError(
            f"{ascii(kind)[:40]} is no kind of a run", hint=f"one of {', '.join(get_args(RunKind))}"
        )
    outer = started_run()
    parent = outer.id if outer else ""
    redactor = redactor_here()  # once: it reads all that was executed
    link = new_link(desk, name=name, experiment=experiment, parent=parent, kind=kind, redactor=redactor)
    checked = checked_params(params, redactor)
    log = begin(desk, link, redactor=redactor)
    if checked:
        log.add(Params(params=checked))
    set_started(link)
    return link


def writer(desk: Desk, link: RunLink, *, begin_it: bool) -> RunLog:
    """The open file of a run. Raises `RunEndedError` where this process does not run it."""
    found = desk.folder.runs.log(link.id)
    if found is not None:
        if desk.rights is not None:
            # A service's process runs those of many people.
            runrecords.check_own(desk, runrecords.record(desk, link.id))
        return found
    if begin_it:
        return begin(desk, link, ambient=True)
    state = runrecords.record(desk, link.id).state
    where = "is another process's" if state == "running" else "has ended"
    raise RunEndedError(f"the run {short_run(link.id)} {where}", hint="start another one: nbreg.start_run()")


def flush(desk: Desk, run_id: str) -> None:
    """Write what waits, where this process writes that run."""
    if (log := desk.folder.runs.log(run_id)) is not None:
        log.flush()


def end(desk: Desk, link: RunLink, state: str, error: str = "") -> None:
    """End a run of this process."""
    if state not in ("finished", "failed"):
        raise BadInputError(f"a run does not end as {state!r}", hint="'finished' or 'failed'")
    if desk.rights is not None:
        runrecords.check_own(desk, runrecords.record(desk, link.id))
    set_ended(link)
    ended: RunState = "failed" if state == "failed" else "finished"
    desk.folder.runs.end(link.id, desk.folder.now(), ended, checked_word(error, "the class of an error"))


def log_params(log: RunLog, params: Mapping[str, Any] | None) -> None:
    """Record parameters; what looks like a secret is withheld."""
    checked = checked_params(params)
    if checked:
        log.add(Params(params=checked))


def note(log: RunLog, text: str) -> None:
    """Record a sentence, once."""
    checked = checked_text(text, "a note")
    if checked not in log.fold.notes:
        log.add(Noted(note=checked))


class Meter:
    """Records metrics, as quickly as a training loop wants it."""

    def __init__(self, log: RunLog, now: Callable[[], float]) -> None:
        self._log = log
        self._now = now
        self._names: set[str] = set()

    def add(self, values: Mapping[str, Any], step: int | None) -> None:
        """One line of values. Raises `BadValueError`."""
        checked: dict[str, Measure] = {}
        for name, value in named(values, "metrics").items():
            if name not in self._names:
                self._names.add(checked_metric_name(name))
            checked[name] = measure(value if type(value) is float else _number(name, value))
        if not checked:
            return
        if step is None:
            counts = self._log.fold.counts
            step = max(counts.get(name, 0) for name in checked)
        elif type(step) is not int:
            step = _step(step)
        elapsed = round(self._now() - self._log.began, 3)
        self._log.add(Metrics(t=elapsed, step=step, values=checked), at_once=False)


def checked_metric_name(name: object) -> str:
    """The name of a metric. Raises `BadValueError`."""
    # By shape alone: a training loop does not wait for all that is known to be secret.
    if not isinstance(name, str) or not name or checked_word(name, "a metric's name", Redactor()) != name:
        raise BadValueError(f"{ascii(name)[:60]} is not a metric's name", hint="for example 'loss'")
    return name


def _number(name: str, value: object) -> float:
    """A number as a float; numpy's and torch's, and those that are not finite, included."""
    if not isinstance(value, bool):
        if isinstance(value, int | float):
            return float(value)
        item = getattr(value, "item", None)
        if callable(item) and getattr(value, "ndim", 0) == 0:
            scalar = item()
            if isinstance(scalar, int | float) and not isinstance(scalar, bool):
                return float(scalar)
    raise BadValueError(f"the metric {name!r} is not a number", hint="what is not a number is a param")


def _step(step: object) -> int:
    try:
        if not isinstance(step, bool) and int(step) == step:  # type: ignore[call-overload]
            return int(step)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError, OverflowError):
        pass
    raise BadValueError(f"{ascii(step)[:60]} is not a step", hint="a whole number, such as the epoch")


# what a version locks


def locked(desk: Desk, link: RunLink | None, *, wanted: bool) -> tuple[RunLink | None, list[Piece]]:
    """The link with the run's file as it is now, and the pieces of it to store.

    A run that nothing was logged to comes to be here if `wanted`, and is no run if not. That this
    fails is told in the link, and never costs the registration.
    """
    if link is None:
        return None, []
    try:
        log = desk.folder.runs.log(link.id)
        if log is None and not desk.folder.runs.is_there(link.id):
            own = current_context().run
            if own is None or own.id != link.id:
                return msgspec.structs.replace(link, missing="it logged nothing here"), []
            if not wanted:
                return None, []  # the model alone
            log = begin(desk, link, ambient=True)
        if log is not None:
            log.flush()
        pieces = list(desk.folder.runs.pieces(link.id))
    except (NbregError, OSError) as error:
        return msgspec.structs.replace(link, missing=type(error).__name__), []
    return msgspec.structs.replace(link, chunks=[chunk for chunk, _ in pieces]), pieces


def locked_by(desk: Desk, request: Request) -> tuple[Request, list[Piece]]:
    """A registration with its run locked, and what is to be stored for it."""
    link, pieces = locked(desk, request.run, wanted=desk.settings.capture)
    return msgspec.structs.replace(request, run=link), pieces


def registering(desk: Desk, link: RunLink | None, model: str, version_id: str) -> None:
    """Say to the run which version is about to come from it, before the model's journal says that it has."""
    if link is None or link.missing or not desk.folder.runs.is_there(link.id):
        return
    try:
        desk.folder.runs.note(link.id, Registering(model=model, id=version_id))
    except NbregError:
        return  # the version's own link is the truth; this is the way back
