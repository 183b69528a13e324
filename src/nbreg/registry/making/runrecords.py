"""What is known of a run: its record, its link, what came of it; and runs hidden and brought back."""

from __future__ import annotations

from typing import Any, Final

from nbreg.errors import (
    BadInputError,
    NbregError,
    NotPermittedError,
    RunEndedError,
    UnknownRunError,
    VersionInUseError,
    did_you_mean,
)
from nbreg.records import (
    CurvePoint,
    Deletion,
    Pointer,
    RunLink,
    RunRecord,
    RunVersion,
    VersionRow,
    short_run,
)
from nbreg.registry.ground import parts, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import checked_kind, checked_word
from nbreg.store.runlines import Begun, Deleted, Fold, Registering, Restored
from nbreg.store.runs import fold_of

STATES: Final = ("running", "finished", "failed", "interrupted")
MOST_VERSIONS: Final = 200
"""The versions of a run that are looked up, the latest; a loop may register a hundred thousand."""


def record(desk: Desk, run_id: str) -> RunRecord:
    """All that is known of a run now. Raises `UnknownRunError`, also for one that is not shown."""
    runs = desk.folder.runs
    is_live = runs.is_live(run_id)  # before its file is read: a run that ends meanwhile was not interrupted
    begun, fold = _begun(desk, run_id)
    if is_live:
        state, ended_at = "running", ""
    elif fold.ended is not None:
        state, ended_at = fold.ended.state, fold.ended.at
    else:
        state, ended_at = "interrupted", runs.last_written(run_id)
    deleted, versions = afterwards(desk, run_id)
    if not (versions or desk.rights is None or desk.rights.is_of(begun.actor)):
        raise UnknownRunError(f"there is no run {run_id}")  # that whoever asks may see
    return _record(begun, fold, state if state in STATES else "interrupted", ended_at, versions, deleted)


def _begun(desk: Desk, run_id: str) -> tuple[Begun, Fold]:
    runs = desk.folder.runs
    fold = runs.fold(run_id)
    if fold.begun is None:
        raise BadInputError(f"the file of the run {run_id} has no beginning", hint=f"see {runs.path(run_id)}")
    return fold.begun, fold


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


def link_of(run: Begun | RunRecord) -> RunLink:
    """What versions keep of a run."""
    return RunLink(
        id=run.id,
        name=run.name,
        experiment=run.experiment,
        kind=run.kind,
        started_at=run.started_at,
        parent=run.parent,
    )


def linked_run(desk: Desk, run_id: str) -> RunLink:
    """The link of a run that is here for whoever asks. Raises `UnknownRunError`."""
    begun, _ = _begun(desk, desk.folder.runs.resolve(run_id))
    if desk.rights is not None:
        record(desk, begun.id)  # who makes a version of a run may see it: not one that is not shown
    return link_of(begun)


def find(desk: Desk, given: Any) -> tuple[RunLink, RunRecord | None]:
    """A run by id or link; a version's run as it was locked where its file is gone."""
    row = getattr(given, "row", None)
    if isinstance(row, VersionRow):
        entry = reading.get(desk, f"{getattr(given, 'model', '')}@{row.number}")
        link = parts.manifest(desk, entry).run
        if link is None:
            raise UnknownRunError(f"{entry.ref} has no run")
        if desk.folder.runs.is_there(link.id):
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
    found = desk.folder.runs.curve(run_id, metric, points)
    if not found:
        known = desk.folder.runs.fold(run_id).counts
        hint = did_you_mean(metric, known, "" if known else "it logged none")
        raise BadInputError(f"the run has no metric {ascii(metric)[:80]}", hint=hint)
    return found


# hidden, and brought back


def delete(desk: Desk, run_id: str, *, reason: str) -> RunRecord:
    """Hide a run; `purge` removes it after the retention time."""
    found = record(desk, run_id)
    check_own(desk, found)
    if found.deleted is not None:
        return found
    if found.state == "running":
        raise RunEndedError(f"the run {short_run(run_id)} goes on", hint="end it first")
    if found.versions:
        first = found.versions[0]
        raise VersionInUseError(
            f"the run {short_run(run_id)} made {first.model}@{first.name or first.number}, which locks it",
            hint="a version's run stays as long as the version's record: for good",
        )
    event = Deleted(at=desk.folder.now(), by=desk.actor.user, reason=checked_word(reason, "a reason"))
    desk.ready()
    desk.folder.runs.note(run_id, event)
    return record(desk, run_id)


def restore(desk: Desk, run_id: str) -> RunRecord:
    """Bring a deleted run back."""
    found = record(desk, run_id)
    check_own(desk, found)
    if found.deleted is not None:
        desk.ready()
        desk.folder.runs.note(run_id, Restored(at=desk.folder.now(), by=desk.actor.user))
    return record(desk, run_id)


def check_own(desk: Desk, found: RunRecord) -> None:
    """Refuse to change a run that somebody else made. Raises `NotPermittedError`."""
    if desk.rights is not None and not desk.rights.is_of(found.actor):
        raise NotPermittedError(f"{desk.actor.user} did not make the run {short_run(found.id)}")
