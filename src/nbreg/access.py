"""What somebody may do with a model, by what its owners said of it: pure.

A folder holds nobody to this: whoever writes it can do everything. A service can, if it alone has the
folder and knows people by name: nbreg's server, or one that gives `Registry.acting_as` a `Person`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple

from nbreg.records import About, Permission


class Level(IntEnum):
    """How much of a model is somebody's; each level has what those before it have."""

    NOTHING = 0
    """It is as if the model were not there."""
    LOOK = 1
    """See all of it, load it, and ask for a promotion."""
    CHANGE = 2
    """Register, promote, tag, delete."""
    OWN = 3
    """Say who may do what, what is required, and which aliases are protected."""

    @property
    def permission(self) -> Permission:
        """The word for it, of a model that is there. Raises `KeyError` for nothing."""
        return _WORDS[self]


_WORDS: Final[dict[Level, Permission]] = {Level.LOOK: "look", Level.CHANGE: "change", Level.OWN: "own"}


class Person(NamedTuple):
    """Somebody whom a service knows."""

    names: frozenset[str]
    """Their own name and those of their teams: what owners may have named them by."""
    is_member: bool = True
    """Whether they belong to the organisation, and not only to the public."""
    is_admin: bool = False
    """Whether all models are theirs, and the rules of the registry itself."""


def level(about: About, creator: str, person: Person) -> Level:
    """What a person may do with a model; one that nobody was named for is its creator's."""

    def is_among(named: Iterable[str]) -> bool:
        return not person.names.isdisjoint(named)

    if person.is_admin or is_among(about.owners or [creator]):
        return Level.OWN
    if is_among(about.editors):
        return Level.CHANGE
    is_shown = about.visibility == "public" or (about.visibility == "organisation" and person.is_member)
    return Level.LOOK if is_shown or is_among(about.readers) else Level.NOTHING
