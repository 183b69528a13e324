"""The search for secrets in artifacts' bytes, which are never altered: what is found stops a registration."""

from __future__ import annotations

from collections.abc import Sequence

from nbreg import families
from nbreg.capture import secrets
from nbreg.errors import SecretFoundError, option
from nbreg.store.large import Bytes, OnDisk, Source, size_of

_BEGINNING = 8192
_SCANNED = 64 * 1024 * 1024  # what is larger and no text is not searched for secrets: it would take seconds


def refuse_secrets(dumped: families.Dumped, known: frozenset[str]) -> None:
    """Artifact bytes are never altered, so what looks like a secret in them stops here."""
    refuse(dumped.artifact.name, secrets_in(dumped, known))


def refuse(name: str, kinds: str) -> None:
    """Raises `SecretFoundError` where there are any kinds of secrets."""
    if kinds:
        raise SecretFoundError(
            f"the artifact {name!r} seems to hold a secret ({kinds})",
            hint=f"take it out, or register with {option('allow_secrets')} if it is none",
        )


def secrets_in(dumped: families.Dumped, known: frozenset[str]) -> str:
    """What looks like a secret in an artifact's bytes, by kind; empty where nothing does."""
    buffers = {chunk.digest for chunk in dumped.artifact.chunks[1:]}  # numbers hold no words
    return secrets_among([part for chunk, part in dumped.parts if chunk.digest not in buffers], known)


def secrets_among(parts: Sequence[Source], known: frozenset[str]) -> str:
    """The same of an artifact's parts."""
    for part in parts:
        if not isinstance(part, bytes | bytearray | memoryview | OnDisk):
            continue
        if size_of(part) > _SCANNED and b"\0" in _beginning(part):
            continue
        if found := secrets.find(part, known):
            return ", ".join(f"{count} × {kind}" for kind, count in sorted(found.items()))
    return ""


def _beginning(part: Bytes | OnDisk) -> bytes:
    return part.sample(0, _BEGINNING) if isinstance(part, OnDisk) else bytes(part[:_BEGINNING])
