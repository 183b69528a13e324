"""What is known of each kind of object: how its bytes are made, read and inspected.

A family is a module with `claims`, `dump`, `inspect` and `load`; the first one that claims a
value stores it, and an artifact names the family that can read it. Nothing here imports a
framework that the user has not imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import ModuleType
from typing import NamedTuple

from nbreg.errors import UnknownArtifactError
from nbreg.families import files, generic
from nbreg.families.tokens import NoTokenError, token
from nbreg.records import Artifact, Chunk

Bytes = bytes | bytearray | memoryview
Read = Callable[[Chunk], bytearray | memoryview]


class Dumped(NamedTuple):
    """An artifact and the bytes that its chunks and files name."""

    artifact: Artifact
    parts: list[tuple[Chunk, Bytes]]


_FAMILIES: tuple[ModuleType, ...] = (files, generic)


def dump(name: str, value: object) -> Dumped:
    """Turn a value into an artifact and its bytes; nothing is written.

    Raises `CannotStoreError`.
    """
    family = next(each for each in _FAMILIES if each.claims(value))
    artifact, parts = family.dump(name, value)
    return Dumped(artifact, parts)


def snapshot(value: object) -> str:
    """The digest of a value as data, without storing it; empty where it does not tell its value."""
    if files.claims(value):
        return files.dump("", value)[0].token  # type: ignore[arg-type]
    try:
        return token(value)
    except NoTokenError:
        return ""


def modules_needed(artifacts: Iterable[Artifact]) -> set[str] | None:
    """The modules that reading the artifacts imports, with their parents; None where that is not known.

    A stream by cloudpickle imports modules that it names as data.
    """
    names = [name for artifact in artifacts for name in artifact.globals]
    if any(name.startswith("cloudpickle.") or " " in name for name in names):
        return None
    parts = [name.split(".") for name in names]
    return {".".join(each[:length]) for each in parts for length in range(1, len(each))}


def untrusted(artifact: Artifact, read: Read) -> list[str]:
    """What reading the artifact would import beyond the known harmless; runs none of it."""
    found: list[str] = _family(artifact).untrusted(artifact, read)
    return found


def load(artifact: Artifact, read: Read) -> object:
    """Make the object again. Runs its code: only after `untrusted` or consent."""
    loaded: object = _family(artifact).load(artifact, read)
    return loaded


def _family(artifact: Artifact) -> ModuleType:
    for family in _FAMILIES:
        if artifact.family == family.NAME:
            return family
    raise UnknownArtifactError(
        f"the artifact {artifact.name!r} needs the family {artifact.family!r}, which is not installed here",
        hint="a newer nbreg, or another package, can read it",
    )
