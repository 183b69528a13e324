"""What faces offer: the references that may stand behind what is typed, and why there is nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from nbreg.errors import BadQueryError
from nbreg.query import parse_query
from nbreg.registry.ground import location

if TYPE_CHECKING:
    from nbreg.registry.core import Registry
    from nbreg.registry.version import ModelVersion

_MOST: Final = 50
_LEAST: Final = 4
"""Letters of a word in which another letter is a slip, and no other word."""

_WORD: Final = re.compile(r"[._/-]")


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


def model_near(version: ModelVersion) -> str:
    """What to say of the first version of a model where another has nearly its name; else empty."""
    if version.number != 1 or version.existing:
        return ""
    rows = version.registry._desk.like(lambda name: is_slip(version.model, name))
    near = next((row.name for row in rows), "")
    return f"{version.model} is a new model; there is also {near}" if near else ""


def is_slip(one: str, other: str) -> bool:
    """Whether two names differ in one letter of one longer word, or two that changed places.

    Digits and short words tell models apart on purpose: `team_a/churn`, `churn-2`.
    """
    mine, theirs = (_WORD.split(name.casefold()) for name in (one, other))
    differing = [pair for pair in zip(mine, theirs, strict=False) if pair[0] != pair[1]]
    if len(mine) != len(theirs) or len(differing) != 1:
        return False
    short, long = sorted(differing[0], key=len)
    if len(short) < _LEAST or not (short + long).isalpha() or len(long) - len(short) > 1:
        return False
    if len(short) < len(long):
        return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
    at = [i for i in range(len(short)) if short[i] != long[i]]
    swapped = len(at) == 2 and at[1] == at[0] + 1 and short[at[0]] + short[at[1]] == long[at[1]] + long[at[0]]
    return len(at) == 1 or swapped


def registry_near(registry: Registry) -> str:
    """What to say of a registry that is not there, where one of nearly that name is; else empty."""
    found = location.near(registry.location)
    return f"did you mean {found}?" if found is not None else ""


def why_no_version(registry: Registry, query: str | None, model: str | None = None) -> str:
    """What to say where a query chose no version, of one model or of all; empty where none was given."""
    if not query:
        return ""
    missing = metrics_missing(registry, model, [query])
    return ": ".join(["no version is like that", *missing])


def metrics_missing(registry: Registry, model: str | None, queries: Iterable[str]) -> list[str]:
    """Which metrics queries, or gates that are some, ask for that no version has yet, and which is near."""
    from nbreg.registry.ground.listing import FIELDS

    models = [row.name for row in registry.models() if model in (None, row.name)]
    known = {name for each in models for version in registry.versions(each) for name in version.row.metrics}
    found = []
    for query in queries:
        with suppress(BadQueryError):  # a gate of another kind
            found.append(parse_query(query, FIELDS).without("metrics", known))
    return [each for each in found if each]


def why_no_run(registry: Registry, query: str | None) -> str:
    """What to say where a query chose no run; empty where none was given."""
    if not query:
        return ""
    from nbreg.registry.making.runlist import FIELDS

    records = [each.record for each in registry.runs()]
    understood = parse_query(query, FIELDS)
    missing = understood.without("metrics", {name for each in records for name in each.compared})
    missing = missing or understood.without("params", {name for each in records for name in each.params})
    return f"no run is like that{f': {missing}' if missing else ''}"
