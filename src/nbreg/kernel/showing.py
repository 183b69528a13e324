"""What `%model` and `%drafts` answer with: cards and tables, which are panels where somebody can click."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from nbreg.display import DraftTable, VersionDetail
from nbreg.panels import offer
from nbreg.panels.version import detail_of

if TYPE_CHECKING:
    from nbreg.kernel.drafter import Drafter
    from nbreg.panels import Drafts, Version
    from nbreg.registry import ModelVersion, Registry


def shown_version(version: ModelVersion, on_loaded: Callable[[object], object]) -> VersionDetail:
    """All there is to say about a version; it shows itself as a panel where somebody looks on."""

    def panel() -> Version:
        from nbreg.panels import Version

        return Version(version, twin=lambda: detail_of(version)._repr_mimebundle_(), on_loaded=on_loaded)

    return cast("VersionDetail", offer(detail_of(version), panel))


def shown_drafts(registry: Registry, drafter: Drafter) -> DraftTable:
    """The drafts as this kernel knows them; where somebody looks on, to register or to drop in place."""

    def table() -> DraftTable:
        drafter.complete()
        found = registry.drafts()
        return DraftTable([drafter.as_it_is(each.record) for each in found], items=found)

    def panel() -> Drafts:
        from nbreg.panels import Drafts

        return Drafts(registry, table=table)

    return cast("DraftTable", offer(table(), panel))
