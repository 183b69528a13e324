"""What an audit of a model tells: all that is recorded of it, as one record."""

from __future__ import annotations

from nbreg.records.base import Actor, Event, Record
from nbreg.records.lineage import About, Deployment, FeatureSet, Link, UsedDataset
from nbreg.records.manifest import Manifest
from nbreg.records.reports import Head, Problem, VerifyReport
from nbreg.records.rows import Evidence, VersionRow


class AuditedTenure(Record, frozen=True, kw_only=True):
    """A version's time in a stage, and the event that began it."""

    stage: str
    number: int
    name: str = ""
    since: str
    until: str = ""
    """Empty while it lasts."""
    began_by: Event


class AuditedVersion(Record, frozen=True, kw_only=True):
    """A version with all that belongs to it."""

    row: VersionRow
    manifest: Manifest | None = None
    unreadable: str = ""
    """Why there is no manifest."""
    data: list[UsedDataset] = []
    feature_set: FeatureSet | None = None
    proof: Evidence | None = None
    links: list[Link] = []
    deployments: list[Deployment] = []
    aliases: list[str] = []


class Audit(Record, frozen=True, kw_only=True):
    """A model's whole record at one moment."""

    model: str
    registry: str
    """The registry's id."""
    at: str
    by: Actor
    tool: str
    about: About
    stages: list[str]
    heads: dict[str, Head]
    """The ends of the chains that this was read from."""
    verified: VerifyReport | None = None
    """What reading everything anew found; None where that was not asked for."""
    whole: bool = True
    """Whether that was the whole registry: of who may not see all of it, it is this model alone."""
    unreadable: list[Problem] = []
    """Rows that no record can be made of, so that nothing else of them is told here."""
    versions: list[AuditedVersion] = []
    """Newest first, deleted ones too."""
    tenures: list[AuditedTenure] = []
    """Who held which stage when, latest first in each stage."""
    deployments: list[Deployment] = []
    events: list[Event] = []
    """Newest first."""
