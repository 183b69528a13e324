"""What a registry and its versions know of data, features, links, deployments and owners.

All that writes is imported when it is first called: who only looks something up does not wait for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nbreg.errors import BadReferenceError
from nbreg.records import About, DataLink, Deployment, Event, FeatureSet, Snapshot
from nbreg.registry.belonging import datasets, uses
from nbreg.registry.belonging.datasets import Dataset
from nbreg.registry.ground import reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import checked_kind, checked_path
from nbreg.registry.verbs.base import Verbs

if TYPE_CHECKING:
    from nbreg.display.audit import AuditView
    from nbreg.display.lineage import LineageView
    from nbreg.registry.core import Registry
    from nbreg.registry.version import ModelVersion


class DatasetVersion:
    """One version of a data set: its content by digest, who first showed it, and who was trained on it."""

    def __init__(self, registry: Registry, desk: Desk, record: Snapshot) -> None:
        self.registry = registry
        self.record = record
        self._desk = desk

    @property
    def name(self) -> str:
        """The data set's name."""
        return self.record.dataset

    @property
    def number(self) -> int:
        """Its place in the series; content that comes back has the number that it had."""
        return self.record.number

    @property
    def ref(self) -> str:
        """`customers@2`."""
        return datasets.ref_of(self.record)

    @property
    def snapshot(self) -> str:
        """The digest of its content."""
        return self.record.snapshot

    @property
    def origins(self) -> list[str]:
        """Where it was said to come from."""
        return list(self.record.origins)

    @property
    def first_seen(self) -> str:
        """When it was seen first, UTC."""
        return self.record.at

    @property
    def by(self) -> str:
        """Who showed it first."""
        return self.record.by

    @property
    def summary(self) -> dict[str, Any]:
        """Kind, shape, bytes, and how much of it was digested."""
        return dict(self.record.summary)

    @property
    def history(self) -> list[DatasetVersion]:
        """All versions of the data set, newest first."""
        found = datasets.series(self._desk, self.name)
        return [DatasetVersion(self.registry, self._desk, each) for each in found]

    @property
    def versions(self) -> list[ModelVersion]:
        """The versions of models that used this content, whatever they called it."""
        return self.registry.trained_on(self)

    @property
    def events(self) -> list[Event]:
        """Who showed this content or said where it comes from, newest first."""
        database = self._desk.folder.data.refresh()
        lines = database.history("dataset-versions", self.ref)
        return [reading.event("", database.journal.line(index)) for index in reversed(lines)]

    def __repr__(self) -> str:
        return f"<DatasetVersion {self.ref} sha256:{self.snapshot[:12]}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatasetVersion) and self.record == other.record

    def __hash__(self) -> int:
        return hash((self.name, self.number, self.snapshot))


class LineageVerbs(Verbs):
    """What a registry does with data sets, deployments and owners."""

    # data sets and feature sets

    def register_dataset(
        self, name: str, value: object, *, origin: str = "", reason: str = "", message: str = ""
    ) -> DatasetVersion:
        """Give data a name and a version, without a model; the data itself is not stored.

        Content that the data set had before is that version again. Naming it in `register` does
        the same: `data={"train": nbreg.Dataset("customers", X)}`.
        """
        given = Dataset(name, value, origin=origin)
        link = _read(self._desk, given)
        self._desk.ready()
        noted = datasets.note(self._desk, [link], reason=reason, message=message)
        return DatasetVersion(self._registry, self._desk, noted[0])

    def datasets(self) -> list[DatasetVersion]:
        """The data sets that were named, the newest version of each, by name."""
        return [self._dataset(each) for each in datasets.all_latest(self._desk)]

    def dataset(self, ref: str) -> DatasetVersion:
        """`customers` (its newest content), `customers@2` or `customers@sha256:…`.

        Raises `UnknownDatasetError`.
        """
        return self._dataset(datasets.get(self._desk, ref))

    def trained_on(self, data: object) -> list[ModelVersion]:
        """The versions that used this data, by model, newest first in each; whatever they called it.

        `data` is a `DatasetVersion`, text (`customers@2`, or `sha256:…` for a snapshot that nobody
        named), or the data itself. Looks into no version that did not use it.
        """
        snapshot = self._snapshot(data)
        return [self._version(each) for each in uses.trained_on(self._desk, snapshot)]

    def feature_sets(self, model: str | None = None) -> list[FeatureSet]:
        """The feature sets of a model, or of all of them, newest first in each.

        A feature set is what goes into the model: names, types and order. Another one of these
        is another feature set.
        """
        names = [model] if model is not None else [each.name for each in self._desk.models()]
        return [each for name in names for each in uses.feature_sets(self._desk.model(name))]

    def with_features(self, feature_set: FeatureSet) -> list[ModelVersion]:
        """The versions of the model that have a feature set, newest first."""
        checked_kind(feature_set, FeatureSet, "a feature set")
        database = self._desk.model(feature_set.model)
        rows = uses.versions(database, "features", feature_set.digest)
        return [self._version(Entry(feature_set.model, database, row)) for row in rows]

    # deployments

    def deploy(
        self,
        ref: str | ModelVersion,
        where: str,
        *,
        url: str = "",
        status: str = "serving",
        alongside: bool = False,
        reason: str = "",
        message: str = "",
    ) -> Deployment:
        """Record that a version is at work somewhere; nbreg itself deploys nothing.

        What was there before has ended with it, unless it is `alongside`. The version is written
        down by its id, whatever reference named it. Saying it again changes `status` (`pending`,
        `serving` or `failed`) and `url`; saying nothing new writes nothing. Raises `BadInputError`.
        """
        from nbreg.registry.belonging import deployments

        return deployments.deploy(
            self._desk,
            self._text(ref),
            where,
            url=url,
            status=status,
            alongside=alongside,
            reason=reason,
            message=message,
        )

    def undeploy(
        self, ref: str | ModelVersion, where: str, *, reason: str = "", message: str = ""
    ) -> Deployment:
        """Record that a version is no longer at work somewhere. Raises `NotFoundError`."""
        from nbreg.registry.belonging import deployments

        return deployments.end(self._desk, self._text(ref), where, reason=reason, message=message)

    def deployments(self, model: str | None = None, *, ended: bool = False) -> list[Deployment]:
        """What is at work now, by model and place; with `ended` all that ever was, newest first.

        It is what people and pipelines said. Which version *should* serve is who holds the stage
        (`get("churn@production")`); `nbreg deployments` says where the two differ.
        """
        from nbreg.registry.belonging import deployments

        names = [model] if model is not None else [each.name for each in self._desk.models()]
        read = deployments.everything if ended else deployments.current
        return [each for name in names for each in read(self._desk.model(name))]

    # owners

    def about(self, model: str) -> About:
        """What is said of a model: owners, editors, readers, visibility, description, readme."""
        from nbreg.registry.ground import rights

        return rights.about(self._desk.model(model))

    def update_model(
        self,
        model: str,
        *,
        owners: Iterable[str] | None = None,
        editors: Iterable[str] | None = None,
        readers: Iterable[str] | None = None,
        visibility: str | None = None,
        description: str | None = None,
        readme: str | None = None,
        force: bool = False,
        reason: str = "",
        message: str = "",
    ) -> About:
        """Say whose a model is, who may do what, who may see it, and what it is.

        What is not given stays. Owners may do everything, editors change versions, readers look;
        they are people or teams. Of others those look whom `visibility` lets: `private` none,
        `organisation` its members, `public` everybody. Each change is an event. A folder holds
        nobody to it; nbreg's server does where it is told to, and `acting_as` with a person. There,
        an owner who would be none afterwards says so with `force` and a reason.

        Raises `HandoverError`.
        """
        from nbreg.registry.belonging import describing

        return describing.update(
            self._desk,
            model,
            people={"owners": owners, "editors": editors, "readers": readers},
            visibility=visibility,
            description=description,
            readme=readme,
            force=force,
            reason=reason,
            message=message,
        )

    # telling

    def lineage(self, ref: str | ModelVersion) -> LineageView:
        """Where a version comes from and what became of it, as nodes and edges that show themselves.

        Data, features, code, run and parent before it; children, stages, deployments and links
        after it. Ids of nodes are the same each time, and `ref` is what to ask the registry for.
        """
        from nbreg.registry import tracing

        return tracing.lineage(self._desk, self._text(ref))

    def audit(
        self,
        model: str,
        path: str | os.PathLike[str] | None = None,
        *,
        verify: bool = True,
        overwrite: bool = False,
    ) -> AuditView:
        """All that is recorded of a model: versions, who, when and why, what held which stage when, evidence.

        `path` writes it as one file without outside assets, HTML or Markdown by its ending. It
        shows itself in a notebook. Unless `verify` is off, every byte of the registry is read anew
        first, and what is wrong is told; for somebody who may not see all models, every byte of this
        one, and that is told, too. It ends with what it does not prove.

        Raises `ConflictError` where the file is there already, unless `overwrite`.
        """
        from nbreg.registry import auditing

        target = None if path is None else checked_path(path)
        return auditing.audit(self._desk, model, target, verify=verify, overwrite=overwrite)

    def _snapshot(self, data: object) -> str:
        if isinstance(data, DatasetVersion):
            return data.snapshot
        if not isinstance(data, str):
            return _read(self._desk, data if isinstance(data, Dataset) else Dataset("data", data)).snapshot
        if not data.startswith("sha256:"):
            return datasets.get(self._desk, data).snapshot
        beginning = datasets.checked_digest(data)
        found = uses.snapshots_like(self._desk, beginning)
        if len(found) > 1:
            raise BadReferenceError(f"{data[:20]} could be {len(found)} snapshots", hint="give more digits")
        return found.pop() if found else beginning

    def _dataset(self, record: Snapshot) -> DatasetVersion:
        return DatasetVersion(self._registry, self._desk, record)


def _read(desk: Desk, given: Dataset) -> DataLink:
    """The data as it is linked: digested, and nothing of it kept."""
    from nbreg.capture.knowing import redactor_here
    from nbreg.capture.tabular import data as captured
    from nbreg.registry.ground.given import checked_text

    redactor = redactor_here()
    link = captured.read({given.name: given.value}, redactor)[0].link
    origin = checked_text(given.origin, "the origin", redactor)
    return datasets.told([link], {link.name: (given.name, origin)})[0]
