"""The references that may stand behind what is typed so far, for Tab in a notebook and in a shell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbreg.registry.core import Registry

_MOST = 50


def references(registry: Registry, typed: str) -> Iterable[str]:
    """Models up to the `@`; behind it the newest versions, their stages, the aliases and `latest`."""
    model, at, _ = typed.partition("@")
    if not at:
        return [f"{row.name}@" for row in registry.models()]
    versions = registry.versions(model, limit=_MOST)
    names = [version.name or str(version.number) for version in versions]
    stages = sorted({version.stage for version in versions} & set(registry.stages[1:-1]))
    words = [*names, *stages, *registry.aliases(model), "latest"]
    return [f"{model}@{word}" for word in words]
