"""Runs: begin, log, list, and what a version locks of them."""

from __future__ import annotations

import atexit
import platform
from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

import msgspec

from nbreg.capture.context import current_context, set_ended, set_started, started_run
from nbreg.capture.knowing import redactor_here
from nbreg.capture.project.revision import head_commit
from nbreg.capture.secrets import Redactor
from nbreg.errors import (
    BadInputError,
    BadValueError,
    NbregError,
    NotPermittedError,
    RunEndedError,
    UnknownRunError,
    VersionInUseError,
)
from nbreg.names import LONGEST_NAME
from nbreg.records import (
    Chunk,
    CurvePoint,
    Deletion,
    Measure,
    Pointer,
    RunKind,
    RunLink,
    RunRecord,
    RunState,
    RunVersion,
    VersionRow,
    new_run_id,
    plain,
)
from nbreg.registry.ground import parts, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import checked_kind, checked_params, checked_text, without_secrets
from nbreg.registry.making.request import Request, linked_run
from nbreg.store.runlines import Begun, Deleted, Fold, Metrics, Noted, Params, Registering, Restored, measure
from nbreg.store.runlog import RunLog
from nbreg.store.runs import end_all, fold_of

STATES: Final = ("running", "finished", "failed", "interrupted")
MOST_VERSIONS: Final = 200
"""The versions of a run that are looked up, the latest; a loop may register a hundred thousand."""


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


def checked_word(text: str, what: str, redactor: Redactor | None = None) -> str:
    """One line of text, without secrets. Raises `BadValueError`."""
    if not isinstance(text, str) or len(text) > LONGEST_NAME or not (text.isprintable() or text == ""):
        raise BadValueError(
            f"{ascii(text)[:60]} is not {what}", hint=f"printable text of up to {LONGEST_NAME} characters"
        )
    checked: str = without_secrets(plain(text.strip(), what), redactor)
    return checked


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
            _check_own(desk, record(desk, link.id))  # a service's process runs those of many people
        return found
    if begin_it:
        return begin(desk, link, ambient=True)
    state = record(desk, link.id).state
    where = "is another process's" if state == "running" else "has ended"
    raise RunEndedError(f"the run {link.id[:12]} {where}", hint="start another one: nbreg.start_run()")


def flush(desk: Desk, run_id: str) -> None:
    """Write what waits, where this process writes that run."""
    if (log := desk.folder.runs.log(run_id)) is not None:
        log.flush()


def end(desk: Desk, link: RunLink, state: str, error: str = "") -> None:
    """End a run of this process."""
    if state not in ("finished", "failed"):
        raise BadInputError(f"a run does not end as {state!r}", hint="'finished' or 'failed'")
    if desk.rights is not None:
        _check_own(desk, record(desk, link.id))
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
        if not isinstance(values, Mapping):
            raise BadValueError(
                f"metrics are a {type(values).__qualname__}", hint="give a dict of names and values"
            )
        for name, value in values.items():
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


def locked(desk: Desk, link: RunLink | None, *, wanted: bool) -> tuple[RunLink | None, list[bytes]]:
    """The link with the run's file as it is now, and the pieces of it to store.

    A run that nothing was logged to comes to be here if `wanted`, and is no run if not. That this
    fails is told in the link, and never costs the registration.
    """
    if link is None:
        return None, []
    try:
        log = desk.folder.runs.log(link.id)
        if log is None and not desk.folder.runs.path(link.id).is_file():
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
    chunks: list[Chunk] = [chunk for chunk, _ in pieces]
    return msgspec.structs.replace(link, chunks=chunks), [piece for _, piece in pieces]


def locked_by(desk: Desk, request: Request) -> tuple[Request, list[bytes]]:
    """A registration with its run locked, and what is to be stored for it."""
    link, pieces = locked(desk, request.run, wanted=desk.settings.capture)
    return msgspec.structs.replace(request, run=link), pieces


def registering(desk: Desk, link: RunLink | None, model: str, version_id: str) -> None:
    """Say to the run which version is about to come from it, before the model's journal says that it has."""
    if link is None or link.missing or not desk.folder.runs.path(link.id).is_file():
        return
    try:
        desk.folder.runs.note(link.id, Registering(model=model, id=version_id))
    except NbregError:
        return  # the version's own link is the truth; this is the way back


# reading


def record(desk: Desk, run_id: str) -> RunRecord:
    """All that is known of a run now."""
    runs = desk.folder.runs
    fold = runs.fold(run_id)
    begun = fold.begun
    if begun is None:
        raise BadInputError(f"the file of the run {run_id} has no beginning", hint=f"see {runs.path(run_id)}")
    live = runs.is_live(run_id)
    if live:
        state, ended_at = "running", ""
    elif fold.ended is not None:
        state, ended_at = fold.ended.state, fold.ended.at
    else:
        state, ended_at = "interrupted", runs.last_written(run_id)
    deleted, versions = afterwards(desk, run_id)
    if not (versions or desk.rights is None or desk.rights.is_of(begun.actor)):
        raise UnknownRunError(f"there is no run {run_id}")  # that whoever asks may see
    return _record(begun, fold, state if state in STATES else "interrupted", ended_at, versions, deleted)


def _record(
    begun: Begun, fold: Fold, state: Any, ended_at: str, versions: list[RunVersion], deleted: Deletion | None
) -> RunRecord:
    return RunRecord(
        id=begun.id,
        name=begun.name,
        experiment=begun.experiment,
        kind=begun.kind,
        parent=begun.parent,
        state=state,
        error=fold.ended.error if fold.ended and state != "running" else "",
        started_at=begun.started_at,
        ended_at=ended_at,
        actor=begun.actor,
        place=begun.place,
        commit=begun.commit,
        python=begun.python,
        params=dict(fold.params),
        metrics=dict(fold.metrics),
        counts=dict(fold.counts),
        artifacts=list(fold.artifacts.values()),
        notes=list(fold.notes),
        versions=versions,
        deleted=deleted,
    )


def not_begun(desk: Desk, link: RunLink) -> RunRecord:
    """The run of this notebook or script before anything was logged to it."""
    return RunRecord(
        id=link.id,
        name=link.name,
        experiment=link.experiment,
        kind=link.kind,
        parent=link.parent,
        state="running",
        started_at=link.started_at,
        actor=desk.actor,
    )


def link_of(found: RunRecord) -> RunLink:
    """What versions keep of a run."""
    return RunLink(
        id=found.id,
        name=found.name,
        experiment=found.experiment,
        kind=found.kind,
        started_at=found.started_at,
        parent=found.parent,
    )


def find(desk: Desk, given: Any) -> tuple[RunLink, RunRecord | None]:
    """A run by id or link; a version's run as it was locked where its file is gone."""
    row = getattr(given, "row", None)
    if isinstance(row, VersionRow):
        entry = reading.get(desk, f"{getattr(given, 'model', '')}@{row.number}")
        link = parts.manifest(desk, entry).run
        if link is None:
            raise UnknownRunError(f"{entry.ref} has no run")
        if desk.folder.runs.path(link.id).is_file():
            return linked_run(desk, link.id), None
        return link, _as_locked(desk, entry, link)
    return linked_run(desk, given.id if isinstance(given, RunLink) else given), None


def _as_locked(desk: Desk, entry: Entry, link: RunLink) -> RunRecord:
    raw = b"".join(bytes(parts.part(desk, entry, chunk.digest)) for chunk in link.chunks)
    fold = fold_of(raw)
    if fold.begun is None:
        raise UnknownRunError(f"of the run of {entry.ref} only the id is known: {link.id}")
    fold.notes.append(f"as it was when {entry.ref} locked it; its own file is not here")
    version = RunVersion(
        model=entry.model,
        number=entry.number,
        name=entry.row.name,
        id=entry.row.id,
        metrics=entry.row.metrics,
    )
    state = fold.ended.state if fold.ended else "interrupted"
    return _record(fold.begun, fold, state, fold.ended.at if fold.ended else "", [version], None)


def afterwards(desk: Desk, run_id: str) -> tuple[Deletion | None, list[RunVersion]]:
    """Whether it was deleted, and the versions registered from it, as the models' journals have them."""
    runs = desk.folder.runs
    gone = runs.deleted(run_id)
    deleted = Deletion(at=gone.at, by=gone.by, reason=gone.reason) if gone else None
    wanted = {(each.model, each.id): None for each in runs.events(run_id) if isinstance(each, Registering)}
    found = (_version(desk, model, version_id) for model, version_id in list(wanted)[-MOST_VERSIONS:])
    return deleted, [each for each in found if each is not None]


def _version(desk: Desk, model: str, version_id: str) -> RunVersion | None:
    try:
        database = desk.model_if_any(model)
    except NbregError:
        return None
    pointer = database.row("ids", version_id, Pointer) if database is not None else None
    row = database.row("versions", pointer.number, VersionRow) if database is not None and pointer else None
    if row is None or row.id != version_id:
        return None
    return RunVersion(model=model, number=row.number, name=row.name, id=row.id, metrics=row.metrics)


def curve(desk: Desk, run_id: str, metric: str, points: int) -> list[CurvePoint]:
    """A metric over its steps."""
    checked_kind(metric, str, "a metric's name")
    if not isinstance(points, int) or isinstance(points, bool) or points < 2:
        raise BadInputError("a curve has at least two points")
    if desk.rights is not None:
        record(desk, run_id)  # refuses one that is not shown
    log = desk.folder.runs.log(run_id)
    if log is not None:
        log.flush()
    return desk.folder.runs.curve(run_id, metric, points)


# delete


def delete(desk: Desk, run_id: str, *, reason: str) -> RunRecord:
    """Hide a run; `purge` removes it after the retention time."""
    found = record(desk, run_id)
    _check_own(desk, found)
    if found.deleted is not None:
        return found
    if found.state == "running":
        raise RunEndedError(f"the run {run_id[:12]} goes on", hint="end it first")
    if found.versions:
        first = found.versions[0]
        raise VersionInUseError(
            f"the run {run_id[:12]} made {first.model}@{first.name or first.number}, which locks it",
            hint="a version's run stays as long as the version's record: for good",
        )
    event = Deleted(at=desk.folder.now(), by=desk.actor.user, reason=checked_word(reason, "a reason"))
    desk.ready()
    desk.folder.runs.note(run_id, event)
    return record(desk, run_id)


def restore(desk: Desk, run_id: str) -> RunRecord:
    """Bring a deleted run back."""
    found = record(desk, run_id)
    _check_own(desk, found)
    if found.deleted is not None:
        desk.ready()
        desk.folder.runs.note(run_id, Restored(at=desk.folder.now(), by=desk.actor.user))
    return record(desk, run_id)


def _check_own(desk: Desk, found: RunRecord) -> None:
    if desk.rights is not None and not desk.rights.is_of(found.actor):
        raise NotPermittedError(f"{desk.actor.user} did not make the run {found.id[:12]}")
