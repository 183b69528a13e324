"""The verbs that look: each is one call of the registry, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import nbreg
from nbreg.errors import NbregError
from nbreg.records import (
    Changes,
    CurvePoint,
    Deployment,
    Diff,
    Lineage,
    PromotionRequest,
    Record,
    Registered,
    RequiredGate,
    RunRecord,
    Snapshot,
    Tenure,
    Timeline,
    Usage,
    VerifyReport,
)
from nbreg.registry import ModelVersion, Registry
from nbreg.server import asked
from nbreg.server.registries import is_notebook
from nbreg.server.replies import (
    DraftPage,
    EventPage,
    Hello,
    ModelDetail,
    ModelPage,
    Origin,
    RegistryInfo,
    RunPage,
    VersionDetail,
    VersionItem,
    VersionPage,
)
from nbreg.server.visit import Visit

P = TypeVar("P", bound=Record)


# the server


def hello(visit: Visit, question: asked.Asked) -> Hello:
    """Who answers, under which contract, and what to do where the frontend has another one."""
    from nbreg.server.contract import contract_digest

    return Hello(
        version=nbreg.__version__,
        contract=contract_digest(),
        hint="pip install --upgrade nbreg, start the server anew, then reload this page",
        actor=visit.actor,
        admin=visit.person is None or visit.person.is_admin,
    )


def registries(visit: Visit, question: asked.Near) -> list[RegistryInfo]:
    """The registries that this server opens; that of the notebook or folder `near` is the first."""
    return visit.registries.list(question.near)


def poll(visit: Visit, question: asked.Since) -> Changes:
    """The models that changed since a cursor, by whichever process."""
    return visit.changes(question.since)


# models and versions


def models(visit: Visit, question: asked.Models) -> ModelPage:
    """The models, by name."""
    rows, cursor = visit.models()
    part = question.match.casefold()
    chosen = [row for row in rows if part in row.name.casefold()]
    page = chosen[question.offset : question.offset + question.limit]
    return ModelPage(models=page, total=len(chosen), cursor=cursor)


def model(visit: Visit, question: asked.OneModel) -> ModelDetail:
    """A model: how many versions, who holds which stage, where its aliases point."""
    registry = visit.registry
    return ModelDetail(
        model=registry.model(question.model),
        seq=registry.head(question.model).seq,
        aliases=registry.aliases(question.model),
        protected=registry.protected(question.model),
        about=registry.about(question.model),
        may=registry.may(question.model),
        split=registry.split(question.model),
    )


def versions(visit: Visit, question: asked.Versions) -> VersionPage:
    """A model's versions, newest first or sorted, those that a query chooses."""
    found = visit.registry.versions(
        question.model,
        question.query or None,
        sort=question.sort or None,
        limit=question.limit + 1,
        offset=question.offset,
        deleted=question.deleted,
    )
    return _page(found, question.limit)


def search(visit: Visit, question: asked.Search) -> VersionPage:
    """The versions of all models that a query chooses."""
    found = visit.registry.search(
        question.query, limit=question.limit + 1, offset=question.offset, deleted=question.deleted
    )
    return _page(found, question.limit)


def version(visit: Visit, question: asked.OneVersion) -> VersionDetail:
    """All there is to say about a version."""
    found = visit.registry.get(question.ref)
    manifest, missing = None, ""
    try:
        manifest = found.manifest
    except NbregError as error:  # purged, or damaged: the row is there all the same
        missing = error.message
    return VersionDetail(
        item=item(found),
        pinned=f"{found.model}@sha256:{found.id}",
        manifest=manifest,
        missing=missing,
        moves=visit.registry.moves(found),
        links=found.links,
        deployments=found.deployments,
    )


def part(name: str, kind: type[P]) -> Callable[[Visit, asked.OneVersion], P]:
    """The verb that gives one part of a version's capture."""

    def captured(visit: Visit, question: asked.OneVersion) -> P:
        found: P = getattr(visit.registry.get(question.ref), name)
        return found

    captured.__annotations__["return"] = kind  # which the table of routes reads
    captured.__doc__ = f"The {name} of a version, as captured; empty where the manifest says why."
    return captured


def origin(visit: Visit, question: asked.OneVersion) -> Origin:
    """The notebook and the cell that made a version."""
    found = visit.registry.get(question.ref)
    recipe, told = found.recipe, found.source.notebook
    ran = (recipe.history or recipe.cells)[-1:]
    if not ran:
        return Origin(told=told, why="no cell made it: it was registered by a script or a command")
    notebook = visit.registries.notebook_path(told)
    why = "" if notebook else _no_way(told)
    cell = ran[0]
    return Origin(
        notebook=notebook,
        told=told,
        cell_id=cell.cell_id,
        execution_count=cell.execution_count,
        source=cell.source,
        why=why,
    )


def _no_way(told: str) -> str:
    if not told:
        return "the kernel that made it did not know its notebook"
    if not is_notebook(told):
        return f"it was made in a file that is no notebook: {told}"
    return f"its notebook is not in this server's folder any more, or never was: {told}"


def diff(visit: Visit, question: asked.Two) -> Diff:
    """What differs from `b` to `a`."""
    return visit.registry.diff(question.a, question.b or None, everything=question.everything)


def events(visit: Visit, question: asked.Events) -> EventPage:
    """What happened, newest first."""
    found = visit.registry.events(
        question.model or None, since=question.since or None, limit=question.limit + 1
    )
    return EventPage(events=found[: question.limit], more=len(found) > question.limit)


def timeline(visit: Visit, question: asked.History) -> Timeline:
    """What happened to a model, newest first, each with its version as that is now."""
    return visit.registry.timeline(
        question.model,
        question.query or None,
        number=question.number,
        before=question.before,
        limit=question.limit,
    )


def registered(visit: Visit, question: asked.Newest) -> list[Registered]:
    """The newest versions of a model, oldest first, each with the line that it came with."""
    return visit.registry.registered(question.model, limit=question.limit)


def tenures(visit: Visit, question: asked.Held) -> list[Tenure]:
    """Who held a stage from when to when, newest first."""
    return visit.registry.tenures(question.model, question.stage, since=question.since)


# what belongs to a version


def lineage(visit: Visit, question: asked.OneVersion) -> Lineage:
    """Where a version comes from and what became of it, as nodes and edges."""
    return visit.registry.lineage(question.ref)


def deployments(visit: Visit, question: asked.Deployments) -> list[Deployment]:
    """What is at work, by model and place, as people and pipelines said."""
    return visit.registry.deployments(question.model or None, ended=question.ended)


def datasets(visit: Visit, question: asked.OfRegistry) -> list[Snapshot]:
    """The data sets that were named, the newest content of each."""
    return [each.record for each in visit.registry.datasets()]


def dataset(visit: Visit, question: asked.OneDataset) -> list[Snapshot]:
    """The contents that a data set had, newest first."""
    return [each.record for each in visit.registry.dataset(question.data).history]


def trained_on(visit: Visit, question: asked.TrainedOn) -> list[VersionItem]:
    """The versions that used some data, by model, newest first in each."""
    return [item(each) for each in visit.registry.trained_on(question.data)]


# what has to hold, and who agrees


def gates(visit: Visit, question: asked.Gates) -> list[RequiredGate]:
    """What is required before a version comes into a stage, and what cannot be asked here."""
    return visit.registry.gates(question.model or None, question.stage or None)


def requests(visit: Visit, question: asked.Requests) -> list[PromotionRequest]:
    """What was asked for, newest first."""
    return visit.registry.requests(question.model or None, question.state or None)


# runs and drafts


def runs(visit: Visit, question: asked.Runs) -> RunPage:
    """The runs, newest first or sorted."""
    found = visit.registry.runs(
        question.query or None,
        experiment=question.experiment or None,
        sort=question.sort or None,
        limit=question.limit + 1,
        offset=question.offset,
        deleted=question.deleted,
    )
    return RunPage(runs=[each.record for each in found[: question.limit]], more=len(found) > question.limit)


def run(visit: Visit, question: asked.OneRun) -> RunRecord:
    """All that is known of a run."""
    return visit.registry.run(question.run).record


def curve(visit: Visit, question: asked.Curve) -> list[CurvePoint]:
    """A metric of a run over its steps, in at most so many points."""
    found = visit.registry.run(question.run).curve(question.metric, question.points)
    return [each.measured() for each in found]


def drafts(visit: Visit, question: asked.OfRegistry) -> DraftPage:
    """What notebooks trained and nobody registered."""
    return DraftPage(drafts=[each.record for each in visit.registry.drafts()])


# the whole registry


def usage(visit: Visit, question: asked.OfRegistry) -> Usage:
    """What the registry takes up on disk, by model."""
    return visit.registry.du()


def verify(visit: Visit, question: asked.OfRegistry) -> VerifyReport:
    """Everything read and checked: chains, rows, objects and parts."""
    # With files of its own: nobody waits for what it reads, and it forgets it all at the end.
    registry = Registry(visit.registry.location, settings=visit.registry.settings)
    registry = registry.acting_as(visit.actor, visit.person)
    return registry.verify()


def item(found: ModelVersion) -> VersionItem:
    """A version as lists show it."""
    row = found.row
    return VersionItem(
        model=found.model,
        ref=f"{found.model}@{row.name or row.number}",
        version=row,
        aliases=sorted(found.aliases),
        proof=found.proof,
    )


def _page(found: list[ModelVersion], limit: int) -> VersionPage:
    return VersionPage(versions=[item(each) for each in found[:limit]], more=len(found) > limit)
