"""A version as the user holds it: a live view of its row, and its manifest when asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nbreg.errors import StoreError, UnknownVersionError
from nbreg.records import (
    Actor,
    Artifact,
    Captured,
    Chunk,
    Data,
    DataDrift,
    Deletion,
    Diff,
    Environment,
    Event,
    Evidence,
    Manifest,
    Notebook,
    Probe,
    Record,
    RunLink,
    Signature,
    Source,
    Variables,
    VersionRow,
    plain,
)
from nbreg.registry.belongings import BelongingsOfVersion
from nbreg.registry.ground import parts, proofs, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import checked_kind, checked_path
from nbreg.registry.making.recipes import VersionRecipe

if TYPE_CHECKING:
    from nbreg.registry.core import Registry
    from nbreg.registry.serving.deciding import Stamper

P = TypeVar("P", bound=Record)


class ModelVersion(BelongingsOfVersion):
    """One version of a model.

    What can change (stage, tags, aliases, metrics …) is read anew each time; what cannot (the
    manifest and all that it names) is read once, when first asked for. `model` is the name of its
    model, `registry` where it is, and `existing` is true where `register` found equal content and
    made nothing.
    """

    def __init__(self, registry: Registry, desk: Desk, entry: Entry) -> None:
        self.registry = registry
        self.model = entry.model
        self.existing = entry.existing
        """Whether `register` found equal content and made nothing."""
        self._desk = desk
        self._entry = entry
        self._read_at = -1
        self._manifest: Manifest | None = None
        self._stamper: Stamper | None = None

    # the row

    @property
    def row(self) -> VersionRow:
        """The version's row as it is now."""
        return self._now().row

    def _now(self) -> Entry:
        database = self._entry.database.refresh()
        if len(database.journal) != self._read_at:
            self._read_at = len(database.journal)
            row = database.row("versions", self._entry.number, VersionRow)
            if row is None:
                raise UnknownVersionError(f"{self.model} has no version {self._entry.number} any more")
            self._entry = Entry(self.model, database, row)
        return self._entry

    @property
    def number(self) -> int:
        """Its place in the model's sequence, never reused."""
        return self._entry.row.number

    @property
    def name(self) -> str | None:
        """Its name, such as `1.2.0`; None where it was superseded or names are not given."""
        return self.row.name

    @property
    def id(self) -> str:
        """The sha256 of its manifest."""
        return self._entry.row.id

    @property
    def content_digest(self) -> str:
        """The digest of its content; equal content has the same, whenever it is registered."""
        return self._entry.row.content_digest

    @property
    def ref(self) -> str:
        """The shortest reference that means it: `churn@1.2.0`, or `churn@3` without a name."""
        return f"{self.model}@{self.name or self.number}"

    @property
    def stage(self) -> str:
        """Where it is in the lifecycle."""
        return self.row.stage

    @property
    def aliases(self) -> list[str]:
        """The aliases that point to it."""
        return self._now().aliases

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        return list(self.row.tags)

    @property
    def description(self) -> str:
        """Its description."""
        return self.row.description

    @property
    def message(self) -> str:
        """What was said when it was registered."""
        return self.row.message

    @property
    def metrics(self) -> dict[str, float]:
        """Its metrics: those it was registered with, which never change, and those added since."""
        return dict(self.row.metrics)

    @property
    def content(self) -> dict[str, Any]:
        """The user's own JSON."""
        updated = self.row.content
        return plain(self.manifest.content if updated is None else updated)  # type: ignore[no-any-return]

    @property
    def bump(self) -> str | None:
        """The kind of step from its base: major, minor or patch; None for a first or a given name."""
        return self.row.bump

    @property
    def bump_reason(self) -> str:
        """Why that step."""
        return self.row.bump_reason

    @property
    def warnings(self) -> list[str]:
        """What was doubtful about it when it was registered, in sentences."""
        return [*(() if self.row.purged else self.manifest.warnings), *self.row.warnings]

    @property
    def deleted(self) -> Deletion | None:
        """When, by whom and why it was deleted, or None."""
        return self.row.deleted

    # the manifest

    @property
    def manifest(self) -> Manifest:
        """The immutable document, its bytes checked against the id.

        Raises `DamagedObjectError`, or `UnknownArtifactError` if the version was purged.
        """
        if self._manifest is None:
            self._manifest = parts.manifest(self._desk, self._now())
        return self._manifest

    @property
    def params(self) -> dict[str, Any]:
        """The hyperparameters."""
        return plain(self.manifest.params)  # type: ignore[no-any-return]  # a copy: the manifest stays as it is

    @property
    def created(self) -> str:
        """When it was made, UTC."""
        return self.manifest.created

    @property
    def actor(self) -> Actor:
        """Who made it."""
        return self.manifest.actor

    @property
    def run(self) -> RunLink | None:
        """The run that produced it."""
        return self.manifest.run

    @property
    def parent(self) -> str:
        """The id of the version it was derived from, or empty."""
        return self.manifest.parent

    @property
    def artifacts(self) -> dict[str, Artifact]:
        """What is stored, by name."""
        return {artifact.name: artifact for artifact in self.manifest.artifacts}

    @property
    def environment(self) -> Environment:
        """Where it was made; empty where that was not captured (`manifest.environment.missing`)."""
        return self._captured(self.manifest.environment, Environment)

    @property
    def variables(self) -> Variables:
        """The kernel's variables at registration, as records; `registry.variables(ref)` gives values."""
        return self._captured(self.manifest.variables, Variables)

    @property
    def recipe(self) -> VersionRecipe:
        """The executed cells it depends on; `to_notebook` and `to_script` write them out."""
        return self._captured(self.manifest.recipe, VersionRecipe)

    @property
    def source(self) -> Source:
        """Git state, script and local modules."""
        return self._captured(self.manifest.source, Source)

    @property
    def notebook(self) -> Notebook:
        """The notebook as it was last saved, without outputs; `manifest.notebook.missing` says why not."""
        return self._captured(self.manifest.notebook, Notebook)

    @property
    def data(self) -> Data:
        """The data it saw: `sets` by digest, their columns, the files read on the way."""
        return self._captured(self.manifest.data, Data)

    @property
    def signature(self) -> Signature:
        """Its inputs and outputs: names, types and shapes; empty where no data was known."""
        return self._captured(self.manifest.signature, Signature)

    @property
    def probe(self) -> Probe:
        """A frozen sample of its input, up to 64 rows, and its outputs on it: parts for `read_part`."""
        return self._captured(self.manifest.probe, Probe)

    @property
    def evidence(self) -> list[Event]:
        """What was found out about it later, newest first."""
        return reading.evidence_of_version(self._now())

    @property
    def proof(self) -> Evidence | None:
        """What came out when a clean process last loaded it; None while nobody tried."""
        return proofs.proof_of(self._now())

    def read_part(self, chunk: Chunk) -> bytearray | memoryview:
        """The bytes of a part that one of its records names, checked against the digest."""
        checked_kind(chunk, Chunk, "a part")
        return parts.part(self._desk, self._now(), chunk.digest)

    @property
    def events(self) -> list[Event]:
        """What happened to it, newest first."""
        return reading.events_of_version(self._now())

    @property
    def last_event(self) -> Event:
        """What changed it last, which may be what happened to another version: `number` says to which."""
        return reading.last_event_of_version(self._now())

    # verbs

    def load(
        self,
        artifact: str = "model",
        *,
        trust: bool | None = None,
        on_drift: str = "show",
        device: str | None = None,
        stamp: bool = False,
    ) -> Any:
        """Load an artifact; see `Registry.load`."""
        return self.registry.load(self, artifact, trust=trust, on_drift=on_drift, device=device, stamp=stamp)

    def predict(
        self, X: Any, *, request: str = "", stamp: str | bool | None = None, trust: bool | None = None
    ) -> Any:
        """What the version's model predicts for these rows, once it is written down that it did.

        `X` is whatever the model takes; a dictionary, or a list of them, becomes a frame where the
        version knows its columns. Columns are put in its order. The model is loaded once for each
        process, under the rules of `load`; threads share it.

        The ledger then has the version, the time, this process's actor, your `request` id and a keyed
        digest of each row, never the row. `stamp="required"`, the default, withholds an answer that
        cannot be written down; `"best-effort"` gives it and logs that; `"off"` writes nothing.

        Raises `InputMismatchError`, `NotStampedError`, what `load` raises, or what the model raises.
        """
        from nbreg.registry.serving import deciding, predicting

        if self._stamper is None:
            self._stamper = deciding.Stamper(self._desk, self.model, self._entry.row)
        how = deciding.checked_stamp(self._desk, stamp)
        return predicting.predict(self, self._stamper, X, request=request, how=how, trust=trust)

    def data_drift(self, rows: Any, *, threshold: float = 0.25) -> DataDrift:
        """How live rows differ from those that it was trained on; see `Registry.data_drift`."""
        return self.registry.data_drift(self, rows, threshold=threshold)

    def prove(self, **limits: Any) -> Evidence:
        """Load it in a clean process and predict on its probe; see `Registry.prove`."""
        return self.registry.prove(self, **limits)

    def diff(self, other: str | ModelVersion | None = None, *, everything: bool = False) -> Diff:
        """What differs from the other to this one; see `Registry.diff`."""
        return self.registry.diff(self, other, everything=everything)

    def promote(
        self, to: str | None = None, *, reason: str = "", message: str = "", **gates: Any
    ) -> ModelVersion:
        """Move it to a higher stage; see `Registry.promote`, also for `force` and `gates`."""
        return self.registry.promote(self, to, reason=reason, message=message, **gates)

    def retire(self, to: str | None = None, *, reason: str = "", message: str = "") -> ModelVersion:
        """Move it out of use; see `Registry.retire`."""
        return self.registry.retire(self, to, reason=reason, message=message)

    def update(
        self, *, description: str | None = None, tags: Iterable[str] | None = None, **changes: Any
    ) -> ModelVersion:
        """Change what may change; see `Registry.update`."""
        return self.registry.update(self, description=description, tags=tags, **changes)

    def pull(self, path: str | os.PathLike[str], **options: Any) -> Path:
        """Write it into a folder as ordinary files; see `Registry.pull`."""
        return self.registry.pull(self, path, **options)

    def export_environment(
        self,
        path: str | os.PathLike[str],
        format: str = "requirements",
        *,
        needed_only: bool = False,
        overwrite: bool = False,
    ) -> Path:
        """Write the recorded environment as `requirements`, `pylock` (PEP 751) or `conda` yaml.

        What no index has is told in comments. A lock is made by `uv`, which asks the index for
        the digests of the files. Raises `ConflictError` if the file is there already.
        """
        from nbreg.capture.surroundings import export

        return export.write(
            self.environment, checked_path(path), format, needed_only=needed_only, overwrite=overwrite
        )

    def _captured(self, section: Captured, kind: type[P]) -> P:
        return parts.captured(self._desk, self._now(), section, kind)

    # showing

    def __repr__(self) -> str:
        row = self.row
        gone = " deleted" if row.deleted else ""
        name = f"{row.name} " if row.name else ""
        return f"<ModelVersion {self.model} {name}#{row.number} {row.stage}{gone}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from nbreg.display import version_bundle

        row = self.row
        manifest, notes = None, []
        try:
            manifest = None if row.purged else self.manifest
        except StoreError as error:
            notes.append(error.message)
        return version_bundle(
            self.model,
            row,
            manifest,
            existing=self.existing,
            aliases=self.aliases,
            links=self.links,
            notes=notes,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModelVersion) and (self.model, self.number, self.id) == (
            other.model,
            other.number,
            other.id,
        )

    def __hash__(self) -> int:
        return hash((self.model, self.number, self.id))
