"""What changed between two manifests, and the version bump that it implies.

The comparison itself is still to come; until then the bump is the middle one, and its reason
says that nothing was compared.
"""

from __future__ import annotations

from typing import NamedTuple

from nbreg.names import Bump


class Implied(NamedTuple):
    """A bump and the sentence that gives the reason for it."""

    bump: Bump | None
    reason: str


FIRST = Implied(None, "first version")
NOT_COMPARED = Implied("minor", "not compared")


def asked_for(bump: Bump) -> Implied:
    """The bump that the caller gave."""
    return Implied(bump, f"{bump}: asked for")
