"""How a family has its bytes digested: it hands them over, and may be stored in the same pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from nbreg.records import Chunk
from nbreg.store.large import Source, digests, size_of


class Take(Protocol):
    """Gives the digest of each part, in their order.

    Whoever registers looks for secrets in parts that may hold `words`, and stores large parts
    while they are digested, so that a gigabyte is read once. A family therefore hands over the
    parts with words first.
    """

    def __call__(self, sources: Sequence[Source], *, words: bool = False) -> list[str]: ...


def digested(sources: Sequence[Source], *, words: bool = False) -> list[str]:
    """Digest parts and store nothing: for previews and snapshots."""
    return digests(sources)


def chunks(sources: Sequence[Source], take: Take, *, words: bool = False) -> list[Chunk]:
    """The chunks of parts that were handed over."""
    digests = take(sources, words=words)
    return [Chunk(digest=each, size=size_of(source)) for each, source in zip(digests, sources, strict=True)]
