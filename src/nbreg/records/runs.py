"""Runs and drafts: what was trained, whether it was registered or not."""

from __future__ import annotations

from typing import Any, Literal

from nbreg.records.base import Actor, Record
from nbreg.records.manifest import Measure, RunKind, RunLink, RunState, measure
from nbreg.records.rows import Deletion

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

    def numbers(self) -> CurvePoint:
        """With floats, NaN and infinities included, as Python computes with them."""
        return CurvePoint(step=self.step, value=float(self.value), low=float(self.low), high=float(self.high))

    def measured(self) -> CurvePoint:
        """With text for what is not finite, as it is written and sent."""
        value, low, high = (measure(float(each)) for each in (self.value, self.low, self.high))
        return CurvePoint(step=self.step, value=value, low=low, high=high)


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
