"""What a version hangs together with: data sets, features, links, deployments, and the graph of it all."""

from __future__ import annotations

from typing import Any, Literal

from nbreg.records.base import Record, Row

# data and features, by content


class DataUse(Row, frozen=True, kw_only=True):
    """A version's use of a snapshot of data.

    Its row has the snapshot for an id, so the row's history is all uses.
    """

    number: int
    names: list[str] = []
    """What the data was called there; the same content may go in twice."""
    roles: list[str] = []
    inferred: bool = False


class FeatureUse(Row, frozen=True, kw_only=True):
    """A version's feature set; its row has the feature set's digest for an id."""

    number: int
    set: int
    """The place of the feature set among those of its model."""


class FeatureSet(Row, frozen=True, kw_only=True):
    """A feature set of a model: the names, types and order of what goes in."""

    model: str
    number: int
    digest: str
    features: int
    """How many there are."""
    first: int
    """The version that had it first."""
    at: str
    by: str


class DatasetRow(Row, frozen=True, kw_only=True):
    """A named series of snapshots."""

    name: str
    created: str
    by: str
    count: int = 0
    """How many contents it had: the number of the newest one."""


class Snapshot(Row, frozen=True, kw_only=True):
    """One version of a data set: its content by digest, and where it was said to come from."""

    dataset: str
    number: int
    snapshot: str
    at: str
    by: str
    origins: list[str] = []
    """Paths, URLs or the text of a query, as people gave them; nothing of it was looked at."""
    summary: dict[str, Any] = {}
    """Kind, shape, bytes, and how much of it was digested."""


class NamedSnapshot(Row, frozen=True, kw_only=True):
    """What a snapshot is called, as `dataset@number`; its row has the snapshot for an id."""

    named: list[str] = []


class UsedDataset(Record, frozen=True, kw_only=True):
    """Data of a version, with the versions of data sets that it is."""

    name: str
    role: str
    snapshot: str
    datasets: list[str] = []
    """As `customers@2`; empty where nobody named it."""
    origin: str = ""
    inferred: bool = False
    summary: dict[str, Any] = {}


# links


class Link(Row, frozen=True, kw_only=True):
    """Something outside that belongs to a version: a ticket, a report, a business case."""

    id: int
    target: str
    """A URL, or any text."""
    kind: str = "document"
    title: str = ""
    at: str = ""
    by: str = ""


class LinksRow(Row, frozen=True, kw_only=True):
    """The links of a version."""

    links: list[Link] = []
    next_id: int = 1


# deployments

DeploymentStatus = Literal["pending", "serving", "failed", "ended"]


class Deployment(Row, frozen=True, kw_only=True):
    """A version at work somewhere, as people or pipelines report it: nbreg does not deploy."""

    id: int
    """The line of the model's journal that began it."""
    model: str
    number: int
    version_id: str
    """The version's id, which never means another one."""
    where: str
    status: DeploymentStatus = "serving"
    url: str = ""
    since: str
    by: str
    reason: str = ""
    message: str = ""
    ended: str = ""
    ended_by: str = ""
    replaced_by: int | None = None
    """The version that took its place."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return bool(self.ended)


class DeployedRow(Row, frozen=True, kw_only=True):
    """The deployments of a version, oldest first."""

    deployments: list[Deployment] = []


class PlaceRow(Row, frozen=True, kw_only=True):
    """The versions that are deployed at a place now."""

    numbers: list[int] = []


# a model as its owners see it

Visibility = Literal["private", "organisation", "public"]


Permission = Literal["look", "change", "own"]
"""What somebody may do with a model that is there for them; each has what those before it have."""


class About(Row, frozen=True, kw_only=True):
    """What a model is and whose: recorded and shown. A service that knows people holds them to it."""

    owners: list[str] = []
    """People and teams; nobody named means whoever made it."""
    editors: list[str] = []
    """Who may register, promote and delete, and not say who may."""
    readers: list[str] = []
    """Who may look, though it is private."""
    visibility: Visibility = "private"
    description: str = ""
    readme: str = ""


# the graph

NodeKind = Literal[
    "data",
    "feature-set",
    "code",
    "run",
    "parent",
    "version",
    "child",
    "stage",
    "deployment",
    "link",
    "decisions",
]


class Node(Record, frozen=True, kw_only=True):
    """One thing in a version's lineage."""

    id: str
    """Unique in the lineage, and the same each time it is asked for."""
    kind: NodeKind
    label: str
    ref: str = ""
    """What to ask the registry for: a version, a run's id, `dataset@number`; else a digest or a URL."""
    note: str = ""


class Edge(Record, frozen=True, kw_only=True):
    """What leads to what, in the order of time: `source` came first."""

    source: str
    target: str
    kind: str
    """`trained-on`, `judged-on`, `features`, `code`, `made-by`, `derived-from` before it; after it
    `derived-from`, `holds`, `deployed-at`, `linked` and `decided`."""


class Lineage(Record, frozen=True, kw_only=True):
    """Where a version comes from and what became of it, as a graph."""

    ref: str
    nodes: list[Node]
    edges: list[Edge]

    def of_kind(self, kind: NodeKind) -> list[Node]:
        """The nodes of one kind."""
        return [each for each in self.nodes if each.kind == kind]
