"""The contract: one typed class for each thing that is stored, sent or shown.

What is written here is what stands on disk, on the wire and in TypeScript, under the same
names. A record is frozen. Text is UTC ISO 8601 where it is a time, lower-case hex where it is
a digest, bytes where it is a size. A field that a later release fills is here already, empty,
so that filling it changes no format.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from time import time_ns
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeVar

import msgspec

from nbreg.errors import BadValueError
from nbreg.names import Bump

FORMAT: Final = 1
"""The number of the on-disk form; a higher one than this is refused."""

NO_RECORD: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises where bytes are no record: also for one that is nested without end."""

Json = None | bool | int | float | str | list[Any] | dict[str, Any]
R = TypeVar("R")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen record; unknown fields of a later release are ignored when it is read."""


class Row(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A record that stands in a journal: small, so its empty fields are left out."""


# who, and what happened


class Actor(Record, frozen=True, kw_only=True):
    """Who did it: self-asserted on a folder, and shown as such."""

    user: str
    source: Literal["jupyterhub", "server", "environment", "system"] = "system"
    host: str = ""


class Event(Record, frozen=True, kw_only=True):
    """One accepted change of a model, as its journal line tells it."""

    model: str
    seq: int
    at: str
    by: Actor
    kind: str
    reason: str = ""
    message: str = ""
    number: int | None = None
    facts: dict[str, Any] = {}


# parts: what a manifest points at


class Captured(Record, frozen=True, kw_only=True):
    """One part of the capture: its bytes by digest, or why there are none.

    `summary` holds the few facts that a card shows without reading the part.
    """

    digest: str = ""
    size: int = 0
    summary: dict[str, Any] = {}
    missing: str = ""

    @property
    def is_there(self) -> bool:
        """Whether something was captured."""
        return bool(self.digest)


class Chunk(Record, frozen=True, kw_only=True):
    """A run of bytes, named by its sha256."""

    digest: str
    size: int


class FileEntry(Record, frozen=True, kw_only=True):
    """One file of an artifact; `path` is relative, with `/`, and never leaves its folder."""

    path: str
    digest: str
    size: int
    executable: bool = False


class Artifact(Record, frozen=True, kw_only=True):
    """A named object, file or folder of a version; the one called `model` is the model."""

    name: str
    kind: Literal["object", "file", "folder"]
    family: str
    """The family that wrote it and can read it (`generic`, `sklearn`, `files` …)."""
    form: str
    """The family's name for the form of the bytes (`pickle5`, `cloudpickle5`, `raw` …)."""
    type: str = ""
    """The object's class, as `module.qualname`."""
    token: str = ""
    """Digest of the object by value; equal objects have equal tokens, whatever their bytes."""
    chunks: list[Chunk] = []
    """An object's stream first, then its buffers, in the order the stream asks for them."""
    files: list[FileEntry] = []
    globals: list[str] = []
    """What reading the stream would import, as `module.name`."""
    facts: dict[str, Any] = {}
    """What the family adds for its own reader."""

    @property
    def size(self) -> int:
        """Bytes of all chunks and files."""
        return sum(each.size for each in self.chunks) + sum(each.size for each in self.files)


# the capture, part by part


class Distribution(Record, frozen=True, kw_only=True):
    """One installed distribution and where it came from."""

    name: str
    version: str
    origin: Literal["index", "editable", "vcs", "local", "conda", "unknown"] = "unknown"
    url: str = ""
    commit: str = ""
    imported: bool = False
    needed: bool | None = None
    """Whether this model needs it; None where that was not found out."""


class Environment(Record, frozen=True, kw_only=True):
    """Where the model was made: interpreter, machine, and every installed distribution."""

    python: dict[str, str] = {}
    os: dict[str, str] = {}
    cpu: dict[str, Any] = {}
    accelerators: list[dict[str, Any]] = []
    numerics: dict[str, Any] = {}
    """BLAS, OpenMP and CUDA libraries with their thread counts."""
    locale: dict[str, str] = {}
    variables: dict[str, str] = {}
    """Environment variables by allow-list."""
    distributions: list[Distribution] = []
    conda: list[str] = []
    """What conda installed, Python or not, as `channel::name=version=build`."""


class Variable(Record, frozen=True, kw_only=True):
    """One name of the namespace: its value where it is small and plain, else a summary."""

    name: str
    type: str
    value: Any = None
    summary: dict[str, Any] = {}
    redacted: str = ""
    """Why the value is withheld; then neither value nor summary nor digest is recorded."""


class Variables(Record, frozen=True, kw_only=True):
    """The kernel's names, bounded in number and bytes."""

    variables: list[Variable] = []
    left_out: int = 0
    reason: str = ""


class Execution(Record, frozen=True, kw_only=True):
    """One run of one cell, with its source as executed."""

    source: str
    execution_count: int | None = None
    started_at: str = ""
    seconds: float | None = None
    ok: bool | None = None
    error: str = ""
    """The class of the exception; never its text, which may hold values."""
    cell_id: str = ""
    seen: bool = True
    """False where it is known from IPython's history only."""
    why: str = ""
    """Why the recipe keeps it."""
    tokens: dict[str, str] = {}
    """Digest by value of each name that it wrote."""


class Recipe(Record, frozen=True, kw_only=True):
    """The executions the model depends on, and the whole history beside them."""

    status: Literal["verified", "complete", "conservative", "incomplete"] = "incomplete"
    reasons: list[str] = []
    state: dict[str, Any] = {}
    cells: list[Execution] = []
    """Those it depends on, in executed order, each with why."""
    history: list[Execution] = []
    """All that ran; empty where `cells` are all that ran."""


class Git(Record, frozen=True, kw_only=True):
    """The project's git state, the registry's own folder left out."""

    commit: str = ""
    branch: str = ""
    dirty: bool | None = None
    changed: list[str] = []
    remotes: dict[str, str] = {}
    diff: str = ""
    """What stands uncommitted in tracked text files, without notebooks; it may be cut, and says so."""


class Source(Record, frozen=True, kw_only=True):
    """The code beside the cells: git state, the script, local modules."""

    git: Git | None = None
    git_missing: str = ""
    """Why there is no git state."""
    script: str = ""
    argv: list[str] = []
    notebook: str = ""
    modules: dict[str, str] = {}
    """Imported modules that are neither installed nor Python's own, by name, as their files are now."""
    edited: list[str] = []
    """Modules whose file has been changed since they were imported: what ran is not what stands above."""
    definitions: dict[str, str] = {}
    """Classes and functions that cells defined, by name."""


class DataLink(Record, frozen=True, kw_only=True):
    """Data that the model saw, by content."""

    name: str
    role: str = ""
    """`train`, `validation` or `test`."""
    snapshot: str = ""
    """Digest of the content; empty where it is not known any more."""
    summary: dict[str, Any] = {}
    """Kind, shape, bytes, and how much of it was digested; of inferred data also whether it is the `target`,
    went in in `part` only, was `asked` about too, and whether it changed `since`."""
    inferred: bool = False
    """Worked out from the cells, and no part of what makes content equal."""


class Column(Record, frozen=True, kw_only=True):
    """One column of a data set: its content by digest, and a sketch of its values."""

    name: str
    dtype: str
    digest: str = ""
    nulls: int = 0
    distinct: int | None = None
    """How many values differ; None where they are more than a sketch counts."""
    min: Json = None
    max: Json = None
    mean: float | None = None
    top: list[list[Any]] = []
    """The most frequent values of text, each with its count."""
    withheld: str = ""
    """Why nothing of the values is recorded; then there is no digest of them either."""


class Data(Record, frozen=True, kw_only=True):
    """The data sets, the files read on the way, and how they overlap."""

    sets: list[DataLink] = []
    columns: dict[str, list[Column]] = {}
    """The columns of each set, by the set's name."""
    files: list[dict[str, Any]] = []
    """Files that the recipe's cells read: path, size, time, digest and how much of the file that covers,
    or `changed`, where it is another one now."""
    overlaps: list[dict[str, Any]] = []
    feature_set: str = ""
    """The version of the feature set: a digest of the names, types and order of what goes in."""

    @property
    def snapshot(self) -> str:
        """The id of the training data, by content and whatever it is called; empty where it is not known."""
        known = sorted(each.snapshot for each in self.sets if each.role in ("", "train"))
        return digest_of(canonical(known)) if known and all(known) else ""


class Signature(Record, frozen=True, kw_only=True):
    """Names, types and shapes of the model's inputs and outputs."""

    inputs: list[dict[str, Any]] = []
    outputs: list[dict[str, Any]] = []
    inferred: bool = True


class Probe(Record, frozen=True, kw_only=True):
    """A frozen sample of the input, and the outputs on it."""

    inputs: list[Chunk] = []
    outputs: list[Chunk] = []
    summary: dict[str, Any] = {}


RunKind = Literal["notebook", "script", "pipeline"]
RunState = Literal["running", "finished", "failed", "interrupted"]
Measure = float | str
"""The value of a run's metric; `nan`, `inf` and `-inf` are text, since JSON has no number for them."""


class RunLink(Record, frozen=True, kw_only=True):
    """The run that produced a version."""

    id: str
    name: str = ""
    experiment: str = ""
    kind: RunKind = "script"
    started_at: str = ""
    parent: str = ""
    """The run that this one was started in."""
    chunks: list[Chunk] = []
    """The run's file as it was when the version locked it, in pieces."""
    missing: str = ""
    """Why the run's file is not locked."""


class Manifest(Record, frozen=True, kw_only=True):
    """A version as it was made: its artifacts and all that was captured, by digest.

    The `id` of the version is the sha256 of this document's canonical bytes. Model, number,
    name, stage, tags, description and message are not in it: they are rows of the journal, so
    a copy in another model or registry keeps its id.
    """

    format: int = FORMAT
    created: str
    actor: Actor
    content_digest: str
    artifacts: list[Artifact]
    params: dict[str, Any] = {}
    metrics: dict[str, float] = {}
    content: dict[str, Any] = {}
    parent: str = ""
    run: RunLink | None = None
    links: list[DataLink] = []
    """Data that the caller named, which is part of what makes content equal; and data that was inferred."""
    environment: Captured = Captured(missing="not captured")
    variables: Captured = Captured(missing="not captured")
    recipe: Captured = Captured(missing="not captured")
    source: Captured = Captured(missing="not captured")
    data: Captured = Captured(missing="not captured")
    signature: Captured = Captured(missing="not captured")
    probe: Captured = Captured(missing="not captured")
    notebook: Captured = Captured(missing="not captured")
    described: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    """What the model's family tells of it: framework, architecture, feature names.

    Unset, and not in the document, where nothing was asked: the ids of earlier releases stay.
    """
    draft: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    """Of a version that was a draft first: which one, and the cell that trained it. Unset for all others."""
    inferred: list[str] = []
    """Fields that nbreg worked out, rather than was told."""
    redactions: dict[str, int] = {}
    """How many secrets were withheld, by kind."""
    warnings: list[str] = []
    tool: str = ""


# drafts


class DraftRecord(Record, frozen=True, kw_only=True):
    """A model that a kernel has seen trained and nobody has registered yet."""

    number: int = 0
    variable: str
    """The name that it was bound to."""
    type: str
    at: str
    actor: str = ""
    cell: dict[str, Any] = {}
    """`execution_count`, `cell_id` and, where it failed, the class of the `error`."""
    notebook: str = ""
    run: RunLink | None = None
    params: dict[str, Any] = {}
    """Those that were chosen, rather than left at their defaults; the manifest has all."""
    metrics: dict[str, float] = {}
    """Numbers that the cell set and that are named as metrics are."""
    size: int = 0
    """Bytes of the model; where it was not kept, about."""
    token: str = ""
    why: str = ""
    """Why its weights are not kept; empty where they are."""

    @property
    def is_kept(self) -> bool:
        """Whether its weights are kept, so that it can be registered."""
        return not self.why


# runs


class RunArtifact(Record, frozen=True, kw_only=True):
    """An object or file that a run logged, with what was captured beside it."""

    name: str
    kind: Literal["object", "file", "folder"]
    type: str = ""
    size: int = 0
    framework: str = ""
    at: str = ""
    bundle: str
    """The object that holds the manifest; the manifest names the rest."""
    manifest: str
    """The digest of a manifest, as a version made of it would have it."""
    stamp: str = ""
    """The signature of the user who logged it: what another user logged is not vouched for."""


class RunVersion(Record, frozen=True, kw_only=True):
    """A version that was registered from a run."""

    model: str
    number: int
    name: str | None = None
    id: str
    metrics: dict[str, float] = {}


class CurvePoint(Record, frozen=True, kw_only=True):
    """One or several values of a metric: the last of them, and the least and the greatest."""

    step: int
    value: Measure
    low: Measure
    high: Measure


class RunRecord(Record, frozen=True, kw_only=True):
    """One execution of training: what went in, what came out of it, and how it ended."""

    id: str
    name: str = ""
    experiment: str = ""
    kind: RunKind = "script"
    parent: str = ""
    state: RunState
    error: str = ""
    """The class of the exception that ended it; never its text, which may hold values."""
    started_at: str
    ended_at: str = ""
    actor: Actor
    place: str = ""
    """The notebook or script."""
    commit: str = ""
    python: str = ""
    params: dict[str, Any] = {}
    metrics: dict[str, Measure] = {}
    """The last value of each metric."""
    counts: dict[str, int] = {}
    """How many values of each metric there are."""
    artifacts: list[RunArtifact] = []
    notes: list[str] = []
    versions: list[RunVersion] = []
    deleted: Deletion | None = None

    @property
    def compared(self) -> dict[str, Measure]:
        """What runs are compared by: its metrics, and those that its versions were registered with."""
        registered = {name: value for version in self.versions for name, value in version.metrics.items()}
        return {**registered, **self.metrics}


# the rows of a model's journal


class Deletion(Row, frozen=True, kw_only=True):
    """When, by whom and why a version was hidden."""

    at: str
    by: str
    reason: str = ""


class VersionRow(Row, frozen=True, kw_only=True):
    """All of a version that can change, and the little of it that every list shows."""

    number: int
    name: str | None = None
    id: str
    content_digest: str
    bundle: str
    """The object that holds the manifest; the manifest names the rest."""
    stage: str = "none"
    tags: list[str] = []
    description: str = ""
    message: str = ""
    metrics: dict[str, float] = {}
    content: dict[str, Any] | None = None
    """Replaces the manifest's content where it was updated."""
    created: str
    actor: str
    type: str = ""
    size: int = 0
    bump: Bump | None = None
    bump_reason: str = ""
    base: int | None = None
    run: str = ""
    stamp: str = ""
    """The signature of the user who registered it, by that user's own key."""
    stages_held: list[str] = []
    superseded_name: str = ""
    deleted: Deletion | None = None
    purged: str = ""
    moved_from: str = ""
    """Where a transfer took it from, as `model@number#transfer`."""
    moved_to: str = ""
    """Where a transfer took it, as `model@number`; it is hidden here, and not to be restored."""


class StageRow(Row, frozen=True, kw_only=True):
    """Who holds a stage, and where the one before is told.

    `before` is the seq of the line with the holder to go back to: promoting stacks up,
    rolling back takes off, so rolling back twice walks further back.
    """

    number: int | None = None
    at: str = ""
    before: int = 0
    count: int = 0
    """How many versions are in the stage now; the holder is the one that came last."""


class Pointer(Row, frozen=True, kw_only=True):
    """An alias, a name or a digest that points at one version."""

    number: int


class Evidence(Row, frozen=True, kw_only=True):
    """What was found out about a version after it was made; its manifest stays as it is.

    `equal` and `equivalent` (equal within rounding) compare with the outputs that the version
    has on its probe; `loads` had none to compare with; `failed` says why.
    """

    kind: Literal["proof"] = "proof"
    verdict: Literal["equal", "equivalent", "different", "loads", "failed"]
    why: str = ""
    seconds: float = 0.0
    """How long loading and predicting took in the clean process, its imports included."""
    peak_bytes: int = 0
    """The most memory that the process held."""
    rows: int = 0
    changed: int = 0
    """How many of those rows have another output."""
    max_delta: float | None = None
    outputs: list[Chunk] = []
    """The outputs on the probe, where registering had left them to evidence."""
    bundle: str = ""
    """The object that holds them."""
    at: str = ""
    by: str = ""
    python: str = ""


class ModelRow(Row, frozen=True, kw_only=True):
    """A model in brief. Each journal line carries it, so a list reads only last lines."""

    name: str
    created: str
    next_number: int = 1
    versions: int = 0
    deleted: int = 0
    latest: int | None = None
    latest_name: str | None = None
    highest: str = ""
    """The highest semantic version not deleted."""
    highest_number: int | None = None
    stages: dict[str, int] = {}
    at: str = ""


class RegistryRow(Row, frozen=True, kw_only=True):
    """A registry's own facts, in `registry.jsonl`."""

    format: int = FORMAT
    id: str
    created: str
    lifecycle: Lifecycle
    git: bool = False


class Lifecycle(Record, frozen=True, kw_only=True):
    """The stages of a registry and the rules between them."""

    stages: list[str] = msgspec.field(
        default_factory=lambda: ["none", "development", "candidate", "staging", "production", "archived"]
    )
    """From the lowest to the highest; the first is where versions begin, the last is retired."""
    single: list[str] = msgspec.field(default_factory=lambda: ["production"])
    """Stages with one holder; the one it had goes to the last stage."""
    gates: dict[str, list[dict[str, Any]]] = {}


# what verbs report


class Problem(Record, frozen=True, kw_only=True):
    """Something that is not as the registry promises, and where."""

    code: str
    where: str
    message: str


class Head(Record, frozen=True, kw_only=True):
    """The end of a journal's chain."""

    seq: int
    hash: str


class VerifyReport(Record, frozen=True, kw_only=True):
    """What `verify` found; the heads are what to write down and `--expect` next time."""

    heads: dict[str, Head]
    versions: int
    objects: int
    bytes: int
    problems: list[Problem] = []
    repaired: list[str] = []

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


class Leftover(Record, frozen=True, kw_only=True):
    """Bytes that `purge` removes or would remove."""

    path: str
    size: int
    why: str


class PurgeReport(Record, frozen=True, kw_only=True):
    """What `purge` removed, or with `dry_run` would remove."""

    dry_run: bool
    leftovers: list[Leftover] = []
    versions: list[str] = []

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(each.size for each in self.leftovers)


class ModelUsage(Record, frozen=True, kw_only=True):
    """What a model's versions take up."""

    model: str
    versions: int
    size: int
    """Bytes of all that its versions are made of, what they share counted once."""
    own: int
    """The part of `size` that no other model refers to."""


class Usage(Record, frozen=True, kw_only=True):
    """What a registry takes up on disk."""

    models: list[ModelUsage]
    objects: int
    size: int
    journals: int
    unreferenced: int
    runs: int = 0
    """Bytes of the runs' files."""


class DriftItem(Record, frozen=True, kw_only=True):
    """One difference between a version's environment and the running one."""

    name: str
    recorded: str
    running: str
    severity: Literal["breaking", "major", "minor"]
    install: str = ""
    """The requirement that brings back what was recorded; empty where there is none."""
    note: str = ""
    """Why that is not all it takes."""


# what differs between two versions


class DiffItem(Record, frozen=True, kw_only=True):
    """One thing that two versions have, and how it differs."""

    name: str
    kind: Literal["changed", "added", "removed", "same"] = "changed"
    before: Json = None
    after: Json = None
    delta: float | None = None
    """Of two numbers: after minus before."""
    note: str = ""
    lines: list[str] = []
    """Of two texts: what differs, each line with the sign of a unified diff before it."""


class DiffSection(Record, frozen=True, kw_only=True):
    """One aspect of two versions."""

    name: str
    items: list[DiffItem] = []
    """What differs; all that there is where everything was asked for."""
    same: int = 0
    """How many things are the same, named in `items` or not."""
    missing: str = ""
    """Why this was not compared; then nothing is said to be the same."""
    note: str = ""

    @property
    def differs(self) -> bool:
        """Whether anything differs."""
        return any(each.kind != "same" for each in self.items)


class DiffSide(Record, frozen=True, kw_only=True):
    """One of the two that are compared."""

    said: str
    """What was asked for, as it was written, and what it was taken for."""
    ref: str = ""
    """The version; empty for a live object."""
    number: int | None = None
    stage: str = ""

    @property
    def is_live(self) -> bool:
        """Whether this is an object that is not registered."""
        return not self.ref


class Diff(Record, frozen=True, kw_only=True):
    """What differs between two versions, from `before` to `after`; `after` may be a live object."""

    before: DiffSide
    after: DiffSide
    bump: Bump | None = None
    bump_reason: str = ""
    name: str = ""
    """The name that a live object would get if it were registered now."""
    counted_from: str = ""
    """The version that the step is counted from, where that is not `before`."""
    message: str = ""
    """A draft of what to say when it is registered."""
    sections: list[DiffSection] = []

    @property
    def differs(self) -> bool:
        """Whether anything differs."""
        return any(each.differs for each in self.sections)

    def section(self, name: str) -> DiffSection:
        """One aspect; an empty one where it was not asked for."""
        return next((each for each in self.sections if each.name == name), DiffSection(name=name))


# what a capture is taken from


class UsedData(NamedTuple):
    """Data that a model was trained on or asked about, as cells tell; it holds the user's object."""

    name: str
    """The name, or the expression over names, that was given."""
    role: str
    value: object
    """None where the name no longer holds what went in."""
    is_target: bool = False
    is_part: bool = False
    """Whether only something made of it went in."""
    since: str = ""
    """`changed` since then, or `unseen` where a change would not have been seen."""
    asked: bool = False
    """Whether the model was asked about its own training data."""


class ReadFile(NamedTuple):
    """A file that cells read, and what told it from another one then; None where that was not seen."""

    path: str
    stamp: tuple[int, int, int] | None = None


class SeenData(NamedTuple):
    """What executed cells tell of a model's data: live objects, for the moment of a registration."""

    sets: list[UsedData] = []
    files: list[ReadFile] = []


class Context(Protocol):
    """Where a registration happens; the kernel gives one, a script has its own."""

    kind: Literal["notebook", "script"]

    @property
    def moment(self) -> datetime:
        """What `{date}` and `{time}` mean here: the run's start, or the executed cell's."""
        ...

    @property
    def namespace(self) -> Mapping[str, object]:
        """The user's names, without the shell's own."""
        ...

    @property
    def executions(self) -> Iterable[Execution]:
        """What was executed so far, oldest first; the running cell is the last."""
        ...

    def recipe_for(self, *values: object) -> Recipe | None:
        """The executions that these objects depend on; None where nobody watched any."""
        ...

    def data_seen_by(self, model: object, *values: object) -> SeenData | None:
        """The model's data and the files read, by the recipe that was asked for last; None without one."""
        ...

    @property
    def folder(self) -> str:
        """The folder that the project is looked for from."""
        ...

    @property
    def notebook(self) -> str:
        """The notebook's path, or empty where it is not known."""
        ...

    @property
    def script(self) -> str:
        """The script's path, or empty."""
        ...

    @property
    def run(self) -> RunLink | None:
        """The run in progress."""
        ...

    @property
    def run_params(self) -> Mapping[str, object]:
        """The parameters that the notebook was given, such as papermill's."""
        ...

    def start_run(self, run: RunLink) -> None:
        """Make this the run from here on."""
        ...

    def outcome(self) -> tuple[RunState, str]:
        """How a run ends that the end of the process ends: the state, and the class of the error."""
        ...


# plain values, canonical bytes


def timestamp(moment: datetime) -> str:
    """UTC with microseconds, always of the same length, so that text order is time order."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def plain(value: object, where: str = "value", *, depth: int = 64) -> Any:
    """The value as JSON can carry it, numbers of numpy and torch as Python's.

    Raises `BadValueError`, which names the place, for NaN and infinities, for keys that are no
    text, for text that is not Unicode, and for anything else that JSON has no form for.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise BadValueError(f"{where} holds text that is not Unicode") from None
        return str(value)
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise BadValueError(f"{where} does not fit in 64 bits", hint="give large integers as text")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BadValueError(f"{where} is {value}", hint="NaN and infinities cannot be recorded")
        return float(value)
    if depth == 0:
        raise BadValueError(f"{where} is nested too deeply", hint="flatten it")
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise BadValueError(f"{where} has the key {_brief(key)}", hint="keys must be text")
        return {
            plain(key, where): plain(each, f"{where}.{key}", depth=depth - 1) for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain(each, f"{where}[{i}]", depth=depth - 1) for i, each in enumerate(value)]
    scalar = _scalar(value)
    if scalar is not None:
        return plain(scalar, where)
    raise BadValueError(
        f"{where} is a {type(value).__module__}.{type(value).__qualname__}",
        hint="numbers, text, true, false, null, and lists and objects of them",
    )


def _scalar(value: object) -> bool | int | float | str | None:
    """The number inside a scalar of numpy, torch and their like; None for anything else."""
    try:
        item = getattr(value, "item", None)
        scalar = item() if callable(item) and getattr(value, "ndim", 0) == 0 else None
    except Exception:  # the object's own code
        return None
    return scalar if isinstance(scalar, bool | int | float | str) else None


def _brief(value: object) -> str:
    try:
        return repr(value)[:60]
    except Exception:
        return f"<{type(value).__name__}>"


def new_run_id() -> str:
    """An id that sorts by time: milliseconds, then chance."""
    return f"{time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


def canonical(value: object) -> bytes:
    """The one spelling of a record or plain value: sorted keys, no spaces, UTF-8.

    Floats must be finite (`plain` sees to that): JSON would turn NaN into null.
    """
    return msgspec.json.encode(value, order="sorted")


def digest_of(data: bytes | bytearray | memoryview) -> str:
    """The sha256 of bytes, in hex."""
    return sha256(data).hexdigest()


def as_doc(row: Row) -> dict[str, Any]:
    """A row as the plain dictionary that a journal keeps."""
    doc: dict[str, Any] = msgspec.to_builtins(row)
    return doc


def from_doc(doc: Mapping[str, Any], kind: type[R]) -> R:
    """A row from its dictionary; `JournalError` is for the caller to raise."""
    return msgspec.convert(doc, kind)
