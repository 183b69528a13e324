"""What verbs report, and what differs between two versions."""

from __future__ import annotations

from typing import Literal

from nbreg.errors import BadInputError, did_you_mean
from nbreg.names import Bump
from nbreg.records.base import Event, Json, Record
from nbreg.records.rows import ModelRow, VersionRow

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
    decisions: int = 0
    """Bytes of the ledger of decisions, with its indexes."""


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


ColumnVerdict = Literal["stable", "moved", "drifted", "retyped", "missing", "new", "unknown"]
"""`new` is a column that the version was not trained on; `unknown` is said where nothing can be."""

DriftVerdict = Literal["stable", "moved", "drifted", "unknown"]


class ColumnDrift(Record, frozen=True, kw_only=True):
    """A column of live data, compared with what is recorded of the one that was trained on."""

    name: str
    verdict: ColumnVerdict
    psi: float | None = None
    """The population stability index, a gap counted as a value; None where too little is recorded."""
    recorded: str = ""
    """The type that was trained on."""
    live: str = ""
    gaps_before: float | None = None
    """The share of values that were not there."""
    gaps_now: float | None = None
    mean_before: float | None = None
    mean_now: float | None = None
    outside: float | None = None
    """Of numbers: the share of those that are below or above all that were trained on."""
    unseen: list[str] = []
    """Of texts: some of those that were not trained on; none where not all of those are recorded."""
    unseen_share: float | None = None
    value: str = ""
    """Of texts: the one whose share changed most."""
    share_before: float | None = None
    share_now: float | None = None
    why: str = ""
    """Why that verdict, where the numbers do not say it."""


class DataDrift(Record, frozen=True, kw_only=True):
    """How live data differs from the data that a version was trained on, by what is recorded of that."""

    ref: str
    verdict: DriftVerdict
    set: str = ""
    """The recorded set that was compared with."""
    trained_rows: int = 0
    live_rows: int = 0
    threshold: float = 0.25
    """The index from which on a column has drifted; from two fifths of it on it has moved."""
    columns: list[ColumnDrift] = []
    """The worst first."""
    why: str = ""
    """Why nothing could be compared."""

    def column(self, name: str) -> ColumnDrift:
        """One column. Raises `KeyError`."""
        found = next((each for each in self.columns if each.name == name), None)
        if found is None:
            raise KeyError(name)
        return found


class Changes(Record, frozen=True, kw_only=True):
    """What changed in a registry since a cursor; the next question takes this cursor."""

    cursor: str
    all: bool = False
    """Whether `models` are all that there are: the cursor was none, or of before a restart."""
    models: list[ModelRow] = []
    gone: list[str] = []
    """Models whose folder was taken away."""
    others: list[str] = []
    """Which of `registry` (its rules), `runs`, `drafts` and `data` have something new."""


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
        """One aspect by its name. Raises `BadInputError` for a name that none has."""
        found = next((each for each in self.sections if each.name == name), None)
        if found is None:
            known = [each.name for each in self.sections]
            hint = did_you_mean(str(name), known, f"one of {', '.join(known)}")
            raise BadInputError(f"a difference has no section {ascii(name)[:60]}", hint=hint)
        return found


# what happened, and what may happen next


class TimelineItem(Record, frozen=True, kw_only=True):
    """One line of a model's journal, with the version it is about as that is now."""

    event: Event
    version: VersionRow | None = None


class Registered(Record, frozen=True, kw_only=True):
    """A version as it is now, and the line of the journal that it came with."""

    seq: int
    version: VersionRow


class Timeline(Record, frozen=True, kw_only=True):
    """A page of what happened to a model, newest first."""

    items: list[TimelineItem] = []
    rest: int = 0
    """The line to go on before; 0 where nothing older is left."""


class Tenure(Record, frozen=True, kw_only=True):
    """The time that a version held a stage, in lines of the journal."""

    number: int
    name: str | None = None
    since: int
    until: int | None = None
    """None while it holds the stage."""


class Move(Record, frozen=True, kw_only=True):
    """What promoting, retiring or rolling back would do, as things stand.

    Given back as `expect`, it is done as it was foreseen or not at all.
    """

    kind: Literal["promoted", "retired", "rolled-back"]
    model: str
    number: int
    name: str | None = None
    before: str
    to: str
    displaced: int | None = None
    """The version that holds `to` now and goes out of use for this one."""
    displaced_name: str | None = None
    displaced_to: str = ""
