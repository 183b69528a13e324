"""What the routes are asked with: the query of a GET, the JSON of a POST; other fields are an error."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from nbreg.records import Move, Record

PAGE = 50
Limit = Annotated[int, Meta(ge=1, le=500)]
Offset = Annotated[int, Meta(ge=0, le=10_000_000)]


class Asked(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every route may be asked with."""


class OfRegistry(Asked, frozen=True, kw_only=True):
    """A question to one registry."""

    registry: str = "~"
    """A `key` of `registries`."""


class Near(Asked, frozen=True, kw_only=True):
    """A question for the registries."""

    near: str = ""
    """A notebook or folder, as the contents API names it: its registry is listed first."""


class Since(OfRegistry, frozen=True, kw_only=True):
    """A question for what is new."""

    since: str = ""
    """The cursor of the answer before."""


class Models(OfRegistry, frozen=True, kw_only=True):
    """A page of models."""

    match: str = ""
    """Part of a name."""
    limit: Limit = PAGE
    offset: Offset = 0


class OneModel(OfRegistry, frozen=True, kw_only=True):
    """A question about a model."""

    model: str


class Versions(OneModel, frozen=True, kw_only=True):
    """A page of a model's versions."""

    query: str = ""
    sort: str = ""
    """A field or `metrics.NAME`, `-` before it for descending; else newest first."""
    limit: Limit = PAGE
    offset: Offset = 0
    deleted: bool = False


class Search(OfRegistry, frozen=True, kw_only=True):
    """A page of the versions of all models that a query chooses."""

    query: str
    limit: Limit = PAGE
    offset: Offset = 0
    deleted: bool = False


class OneVersion(OfRegistry, frozen=True, kw_only=True):
    """A question about a version."""

    ref: str


class Audit(OneModel, frozen=True, kw_only=True):
    """A model, and the form of the file."""

    form: Literal["html", "md"] = "html"
    verify: bool = True
    """Whether every byte is read anew first."""


class Deployments(OfRegistry, frozen=True, kw_only=True):
    """The deployments of a model, or of all; with `ended` also those that were."""

    model: str = ""
    ended: bool = False


class TrainedOn(OfRegistry, frozen=True, kw_only=True):
    """Data by its name, `customers@2`, or by its content, `sha256:…`."""

    data: str


class OneDataset(OfRegistry, frozen=True, kw_only=True):
    """A data set by its name; of `customers@2` it is the whole series, too."""

    data: str


class Two(OfRegistry, frozen=True, kw_only=True):
    """Two versions; without `b` it is the model's production, else its latest."""

    a: str
    b: str = ""
    everything: bool = False
    """What is the same, too."""


class Events(OfRegistry, frozen=True, kw_only=True):
    """The newest events, of one model or of all."""

    model: str = ""
    since: str = ""
    """A day, or a moment."""
    limit: Limit = PAGE


class History(OneModel, frozen=True, kw_only=True):
    """A page of what happened to a model."""

    query: str = ""
    """Only what happened to versions that it chooses."""
    number: int | None = None
    """Only what happened to this version."""
    before: Offset = 0
    """The `rest` of the page before."""
    limit: Limit = PAGE


class Newest(OneModel, frozen=True, kw_only=True):
    """The newest versions of a model, for a plot."""

    limit: Limit = PAGE


class Held(OneModel, frozen=True, kw_only=True):
    """Who held a stage of a model, back to a line of its journal."""

    stage: str | None = None
    since: Offset = 0


class Gates(OfRegistry, frozen=True, kw_only=True):
    """The gates of a model, or of all models; of one stage, or of all."""

    model: str = ""
    stage: str = ""


class Requests(OfRegistry, frozen=True, kw_only=True):
    """The requests of a model, or of all; in one state, or in all."""

    model: str = ""
    state: Literal["", "open", "stale", "promoted", "rejected", "withdrawn"] = ""


class Runs(OfRegistry, frozen=True, kw_only=True):
    """A page of runs."""

    query: str = ""
    experiment: str = ""
    sort: str = ""
    limit: Limit = PAGE
    offset: Offset = 0
    deleted: bool = False
    """Also those that were deleted."""


class OneRun(OfRegistry, frozen=True, kw_only=True):
    """A question about a run; 8 digits of its id are enough."""

    run: str


class Curve(OneRun, frozen=True, kw_only=True):
    """A metric of a run over its steps."""

    metric: str
    points: Annotated[int, Meta(ge=1, le=5000)] = 500


# what changes something


class Why(OfRegistry, frozen=True, kw_only=True):
    """What everybody may say who changes something."""

    reason: str = ""
    message: str = ""


class Moving(Why, frozen=True, kw_only=True):
    """What moves a version."""

    expect: Move | None = None
    """One of the version's `moves`: it is done as it was shown, or refused as a conflict."""


class Promote(Moving, frozen=True, kw_only=True):
    """A version, and the stage that it goes to; without one it goes one up."""

    ref: str
    to: str | None = None
    force: bool = False
    """Overrule the gates, with a reason."""


class Retire(Moving, frozen=True, kw_only=True):
    """A version, and where it goes; without a stage it goes out of use."""

    ref: str
    to: str | None = None
    force: bool = False


class Rollback(Moving, frozen=True, kw_only=True):
    """A model, the stage, and the version to go back to, if it is not the one before."""

    model: str
    stage: str | None = None
    to: str | None = None


class Update(Why, frozen=True, kw_only=True):
    """What may change of a version; what is not given stays."""

    ref: str
    description: str | None = None
    tags: list[str] | None = None
    content: dict[str, Any] | None = None
    metrics: dict[str, float] | None = None


class SetAlias(Why, frozen=True, kw_only=True):
    """A version, and the alias that shall point to it."""

    ref: str
    alias: str
    force: bool = False
    """Also one that is protected, with a reason."""


class OneAlias(Why, frozen=True, kw_only=True):
    """An alias of a model, which need not be there yet."""

    model: str
    alias: str


class DropAlias(OneAlias, frozen=True, kw_only=True):
    """An alias to take away."""

    force: bool = False


class Copy(Why, frozen=True, kw_only=True):
    """A version, and what the copy shall be called."""

    ref: str
    to: str | None = None
    version: str | None = None
    description: str | None = None
    tags: list[str] | None = None
    content: dict[str, Any] | None = None
    force: bool = False


class Transfer(Why, frozen=True, kw_only=True):
    """A version, and the model that it goes to."""

    ref: str
    to: str
    version: str | None = None


class Delete(Why, frozen=True, kw_only=True):
    """A version to hide."""

    ref: str
    include_protected: bool = False


class Restore(Why, frozen=True, kw_only=True):
    """A deleted version, by its number or name."""

    ref: str


class OnRun(OfRegistry, frozen=True, kw_only=True):
    """A run to hide or to bring back."""

    run: str
    reason: str = ""


# what has to hold, and who agrees


class Require(Why, frozen=True, kw_only=True):
    """Gates of a stage, as queries or rules; of all models where `model` is `*`."""

    model: str
    stage: str
    gates: list[str]


class DropGate(Why, frozen=True, kw_only=True):
    """A gate, named as `gates` lists it; that needs a reason."""

    model: str
    stage: str
    gate: str
    reason: str


class Ask(Why, frozen=True, kw_only=True):
    """A version, and where it is to go."""

    ref: str
    to: str


class OneRequest(Why, frozen=True, kw_only=True):
    """A request by its id, such as `churn:r3`."""

    request: str


class Approve(Moving, frozen=True, kw_only=True):
    """A request to agree to; it may expect the move that this was shown to be."""

    request: str


# what belongs to a version or a model


class LinkTo(Why, frozen=True, kw_only=True):
    """A version, and something outside that belongs to it."""

    ref: str
    target: str
    kind: str = "document"
    title: str = ""


class Unlink(Why, frozen=True, kw_only=True):
    """A link of a version, by its target or id."""

    ref: str
    target: str | int


class DeployAt(Why, frozen=True, kw_only=True):
    """A version, and where it is at work."""

    ref: str
    where: str
    url: str = ""
    status: Literal["pending", "serving", "failed"] = "serving"
    alongside: bool = False
    """Whether what is there already stays."""


class Undeploy(Why, frozen=True, kw_only=True):
    """A version, and where it is at work no longer."""

    ref: str
    where: str


class SetSplit(Why, frozen=True, kw_only=True):
    """How a model's traffic is shared out: shares of 1 or of 100 by reference; None ends it."""

    model: str
    weights: dict[str, float] | None = None


class UpdateModel(Why, frozen=True, kw_only=True):
    """What is said of a model; what is not given stays."""

    model: str
    owners: list[str] | None = None
    editors: list[str] | None = None
    readers: list[str] | None = None
    visibility: Literal["private", "organisation", "public"] | None = None
    description: str | None = None
    readme: str | None = None
    force: bool = False
    """Also where whoever says it would be no owner any more, with a reason."""
