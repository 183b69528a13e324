"""How a family has its bytes digested: it hands them over, and may be stored in the same pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from nbreg.records import Artifact, Chunk, canonical, digest_of
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


def whole(
    name: str, value: Any, data: bytes, take: Take, *, family: str, form: str, words: bool = False
) -> tuple[Artifact, list[tuple[Chunk, Source]]]:
    """An object whose library writes it as one run of bytes, which are its value, too."""
    parts = chunks([data], take, words=words)
    token = digest_of(canonical([family, parts[0].digest]))
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    artifact = Artifact(
        name=name, kind="object", family=family, form=form, type=kind, token=token, chunks=parts
    )
    return artifact, [(parts[0], data)]
