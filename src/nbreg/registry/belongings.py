"""What a version hangs together with: data, features, links, deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbreg.records import Deployment, FeatureSet, Link, UsedDataset
from nbreg.registry.belonging import uses
from nbreg.registry.ground.desk import Desk, Entry

if TYPE_CHECKING:
    from nbreg.display.lineage import LineageView
    from nbreg.registry.core import Registry
    from nbreg.registry.version import ModelVersion


class BelongingsOfVersion:
    """What a version hangs together with."""

    registry: Registry
    _desk: Desk

    @property
    def datasets(self) -> list[UsedDataset]:
        """The data that it saw: by content, with the data sets that this content is known as by now."""
        from nbreg.registry.auditing import used_data

        return used_data(self._desk, self._this.manifest)

    @property
    def feature_set(self) -> FeatureSet | None:
        """What goes in, as a version of its model's features; None where that is not known."""
        digest = self._this.data.feature_set
        return uses.feature_set(self._now().database, digest)

    def lineage(self) -> LineageView:
        """Where it comes from and what became of it; see `Registry.lineage`."""
        return self.registry.lineage(self._this)

    # links

    @property
    def links(self) -> list[Link]:
        """What outside belongs to it, oldest first."""
        from nbreg.registry.belonging import links

        return links.of(self._now().database, self._this.number)

    def link(
        self, target: str, kind: str = "document", *, title: str = "", reason: str = "", message: str = ""
    ) -> ModelVersion:
        """Tie something outside to it: a ticket, a report, a business case, by URL or in words.

        `kind` is a word of yours. A target that is linked already gets the kind and the title;
        saying nothing new writes nothing. Credentials in a URL are left out.
        """
        from nbreg.registry.belonging import links

        links.link(self._desk, self._ref, target, kind=kind, title=title, reason=reason, message=message)
        return self._this

    def unlink(self, target: str | int, *, reason: str = "", message: str = "") -> ModelVersion:
        """Take a link away, by its target or id; the journal still tells of it. Raises `NotFoundError`."""
        from nbreg.registry.belonging import links

        links.unlink(self._desk, self._ref, target, reason=reason, message=message)
        return self._this

    # deployments

    @property
    def deployments(self) -> list[Deployment]:
        """Where it is and was at work, oldest first."""
        from nbreg.registry.belonging import deployments

        return deployments.of(self._now().database, self._this.number)

    def deploy(self, where: str, **options: Any) -> Deployment:
        """Record that it is at work somewhere; see `Registry.deploy`."""
        return self.registry.deploy(self._this, where, **options)

    def undeploy(self, where: str, *, reason: str = "", message: str = "") -> Deployment:
        """Record that it is no longer at work there; see `Registry.undeploy`."""
        return self.registry.undeploy(self._this, where, reason=reason, message=message)

    @property
    def _ref(self) -> str:
        return f"{self._this.model}@{self._this.number}"

    @property
    def _this(self) -> ModelVersion:
        return self  # type: ignore[return-value]

    def _now(self) -> Entry:
        raise NotImplementedError
