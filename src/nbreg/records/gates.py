"""What has to hold before a version comes into a stage: rules as data, who asked for it, and who agreed."""

from __future__ import annotations

from typing import Any, Literal

from nbreg.records.base import Record, Row

# rules


class Rule(Row, frozen=True, kw_only=True, tag_field="rule", forbid_unknown_fields=True):
    """One thing that has to hold; the kinds below are all there are.

    A rule with a field that is not known here is not understood, rather than half of it.
    """


class QueryRule(Rule, frozen=True, kw_only=True, tag="query"):
    """The version is one that the query chooses: `metrics.auc > 0.9`."""

    text: str


class NotWorseRule(Rule, frozen=True, kw_only=True, tag="not-worse"):
    """A metric is no worse than that of the stage's present holder."""

    metric: str
    better: Literal["higher", "lower"] = "higher"
    tolerance: float = 0.0


class ProvenRule(Rule, frozen=True, kw_only=True, tag="proven"):
    """A clean process has loaded it, and its outputs were not other ones."""


class RecipeRule(Rule, frozen=True, kw_only=True, tag="recipe"):
    """Its recipe has at least this status."""

    status: Literal["conservative", "complete", "verified"] = "complete"


class SameSignatureRule(Rule, frozen=True, kw_only=True, tag="same-signature"):
    """Its inputs and outputs are those of the stage's present holder."""


class NoWarningsRule(Rule, frozen=True, kw_only=True, tag="no-warnings"):
    """Nothing was warned of when it was registered."""


class TaggedRule(Rule, frozen=True, kw_only=True, tag="tagged"):
    """It has all of these tags."""

    tags: list[str]


class MessageRequiredRule(Rule, frozen=True, kw_only=True, tag="message-required"):
    """Whoever moves it says why in a sentence."""


class ReasonRequiredRule(Rule, frozen=True, kw_only=True, tag="reason-required"):
    """Whoever moves it gives a reason."""


class ApprovedRule(Rule, frozen=True, kw_only=True, tag="approved"):
    """So many people have approved it, the one who asked for it not counted."""

    by: int = 1


class FunctionRule(Rule, frozen=True, kw_only=True, tag="function"):
    """A function passes it: the name of an entry point, or `module:function`.

    `digest` is that of its text, where the name alone means nothing elsewhere: in a notebook.
    """

    name: str
    digest: str = ""


AnyRule = (
    QueryRule
    | NotWorseRule
    | ProvenRule
    | RecipeRule
    | SameSignatureRule
    | NoWarningsRule
    | TaggedRule
    | MessageRequiredRule
    | ReasonRequiredRule
    | ApprovedRule
    | FunctionRule
)


class GatesRow(Row, frozen=True, kw_only=True):
    """The gates of one stage of a model, each as it was written: a later nbreg may know more kinds."""

    rules: list[dict[str, Any]] = []


class RequiredGate(Record, frozen=True, kw_only=True):
    """One gate of a stage, as it is listed."""

    stage: str
    gate: str
    scope: str
    """The model, or `*`: all models."""
    unavailable: str = ""
    """Why this process cannot ask it; then it refuses."""


class GateResult(Record, frozen=True, kw_only=True):
    """What came out when a gate was asked; it stands in the event of the move."""

    gate: str
    passed: bool
    why: str = ""
    """Why not."""
    saw: dict[str, Any] = {}
    source: Literal["required", "process", "call"] = "required"
    """Required by the registry, declared in this process for the stage, or given in the call."""
    state: Literal["asked", "unavailable", "overruled", "unasked"] = "asked"
    """`overruled` was not asked, since the move was forced; `unasked` is a function that was not run yet,
    and stands in no event."""
    digest: str = ""
    """The function's text, by digest."""
    seconds: float = 0.0

    @property
    def lacks_approval(self) -> bool:
        """Whether others have to agree first, which asking them brings about."""
        return not self.passed and self.gate.startswith("approved(")


# requests


class Approval(Row, frozen=True, kw_only=True):
    """Who agreed, when, and what was said."""

    by: str
    at: str
    message: str = ""


class RequestRow(Row, frozen=True, kw_only=True):
    """Somebody asked that a version come into a stage."""

    number: int
    version: int
    name: str = ""
    to: str
    was: str
    """The version's stage when it was asked."""
    left: str = ""
    """Where the version went from there by another way; then the request is stale for good."""
    by: str
    at: str
    reason: str = ""
    message: str = ""
    state: Literal["open", "promoted", "rejected", "withdrawn"] = "open"
    approvals: list[Approval] = []
    closed: Approval | None = None
    """Who ended it."""


class RequestsRow(Row, frozen=True, kw_only=True):
    """A model's requests in brief: how many there were, and which are open."""

    given: int = 0
    open: list[int] = []


class PromotionRequest(Record, frozen=True, kw_only=True):
    """A request as it is now. `id` is what `approve` and `reject` take."""

    id: str
    model: str
    version: int
    name: str = ""
    to: str
    by: str
    at: str
    reason: str = ""
    message: str = ""
    state: Literal["open", "promoted", "rejected", "withdrawn", "stale"]
    approvals: list[Approval] = []
    closed: Approval | None = None
    needs: list[str] = []
    """Of an open one that was just asked for or approved: what is missing before it is promoted."""
    why: str = ""
    """Why it is stale."""

    @property
    def ref(self) -> str:
        """The version, as people refer to it."""
        return f"{self.model}@{self.name or self.version}"


class Protection(Row, frozen=True, kw_only=True):
    """An alias that moves only by force: who said so, and why."""

    by: str
    at: str
    reason: str = ""
