"""A version's manifest, and the parts of the capture that it points at."""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from nbreg.records.base import FORMAT, Actor, Json, Record
from nbreg.records.plain import canonical, digest_of

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


class Notebook(Record, frozen=True, kw_only=True):
    """The notebook as it was last saved before the registration."""

    path: str = ""
    saved: str = ""
    document: dict[str, Any] = {}
    """In the notebook format: cells and text, without outputs and without secrets."""


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
    dataset: str = ""
    """The data set that the caller said it is a version of."""
    origin: str = ""
    """Where it comes from, as the caller said it."""


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
    edges: list[float] = []
    """Where the bins of numbers begin, from the lowest to the highest; the last one has no end."""
    counts: list[int] = []
    """How many of the numbers that were looked at each bin holds."""
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


def measure(value: float) -> Measure:
    """A value as it is written."""
    return value if math.isfinite(value) else str(value)


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
