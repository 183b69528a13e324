"""The rows of journals: what is so now, and was so as of then."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from nbreg.names import Bump
from nbreg.records.base import FORMAT, Record, Row
from nbreg.records.manifest import Chunk


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
    git_tag: str = ""
    """The annotated tag that was made for it."""
    warnings: list[str] = []
    """What was doubtful about how it was registered, known only when it got its number and name."""


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
    chances: list[Chunk] = []
    """How sure a classifier is of each class, on the same rows."""
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
    ledger: str = ""
    """When decisions began to be written down, so that a ledger that is gone is missed."""


class Lifecycle(Record, frozen=True, kw_only=True):
    """The stages of a registry and the rules between them."""

    stages: list[str] = msgspec.field(
        default_factory=lambda: ["none", "development", "candidate", "staging", "production", "archived"]
    )
    """From the lowest to the highest; the first is where versions begin, the last is retired."""
    single: list[str] = msgspec.field(default_factory=lambda: ["production"])
    """Stages with one holder; the one it had goes to the last stage."""
    gates: dict[str, list[dict[str, Any]]] = {}
