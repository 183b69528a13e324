"""What the server answers with, where it is more than one of the registry's own records."""

from __future__ import annotations

from nbreg.records import (
    About,
    Actor,
    Deployment,
    DraftRecord,
    Event,
    Evidence,
    GateResult,
    Lifecycle,
    Link,
    Manifest,
    ModelRow,
    Move,
    Permission,
    Protection,
    Record,
    RunRecord,
    SplitRow,
    VersionRow,
)


class Refusal(Record, frozen=True, kw_only=True):
    """What every answer but a good one holds; `message` is the key that Jupyter's own frontend reads."""

    code: str
    message: str
    hint: str = ""
    gates: list[GateResult] = []
    """Where a version does not come into a stage: all gates that were asked, with what each saw."""


class RegistryInfo(Record, frozen=True, kw_only=True):
    """A registry that this server opens; `key` is what every other route takes as `registry`."""

    key: str
    title: str
    location: str
    exists: bool
    """False until the first write; then its lists are empty."""
    writable: bool
    why: str = ""
    """Why it cannot be written, or cannot be opened at all."""
    id: str = ""
    lifecycle: Lifecycle


class Hello(Record, frozen=True, kw_only=True):
    """Who answers: a frontend whose `CONTRACT` is another one says `hint` and does nothing else."""

    version: str
    contract: str
    hint: str
    actor: Actor
    """Who acts through this server, as events will tell it."""
    admin: bool
    """Whether what is about all models at once is theirs to do."""


class ModelPage(Record, frozen=True, kw_only=True):
    """Some of the models, and where the next question for changes begins."""

    models: list[ModelRow]
    total: int
    """How many there are with such a name, on this page or not."""
    cursor: str


class ModelDetail(Record, frozen=True, kw_only=True):
    """A model, with all that leads to its versions."""

    model: ModelRow
    seq: int
    """The head of its journal."""
    aliases: dict[str, int]
    protected: dict[str, Protection]
    """Aliases that move only by force."""
    about: About
    may: Permission
    """What whoever asks may do with it: what is not theirs the registry refuses."""
    split: SplitRow | None
    """How its traffic is shared out; None where nobody said."""


class VersionItem(Record, frozen=True, kw_only=True):
    """A version as lists show it."""

    model: str
    ref: str
    """The shortest reference that means it."""
    version: VersionRow
    aliases: list[str]
    proof: Evidence | None


class VersionPage(Record, frozen=True, kw_only=True):
    """Some versions; `more` says that others come after them."""

    versions: list[VersionItem]
    more: bool


class VersionDetail(Record, frozen=True, kw_only=True):
    """All there is to say about a version; what its `manifest` points at has routes of its own."""

    item: VersionItem
    pinned: str
    """The reference that never moves."""
    manifest: Manifest | None
    missing: str = ""
    """Why there is no manifest: it was purged, or is damaged."""
    moves: list[Move]
    """What may be done with it from where it is, and what that would do; a move may `expect` one of them."""
    links: list[Link]
    deployments: list[Deployment]


class Origin(Record, frozen=True, kw_only=True):
    """Where a version was made: the notebook, and its last cell that ran by then."""

    notebook: str = ""
    """As the contents API names it; empty where this server cannot open it."""
    told: str = ""
    """As the version has it."""
    cell_id: str = ""
    execution_count: int | None = None
    source: str = ""
    """As it was executed, without secrets."""
    why: str = ""
    """Why there is no way there."""


class EventPage(Record, frozen=True, kw_only=True):
    """What happened, newest first; `more` says that older ones come after them."""

    events: list[Event]
    more: bool


class RunPage(Record, frozen=True, kw_only=True):
    """Some runs, newest first."""

    runs: list[RunRecord]
    more: bool


class DraftPage(Record, frozen=True, kw_only=True):
    """The drafts, newest first."""

    drafts: list[DraftRecord]


class AliasChanged(Record, frozen=True, kw_only=True):
    """An alias that was taken away, or is protected by now, or no longer."""

    model: str
    alias: str
