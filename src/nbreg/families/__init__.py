"""What is known of each kind of object: how its bytes are made, read and inspected.

A family is a module with `claims`, `digest`, `dump`, `Opened` and `plain_files`; the first one that claims a
value stores it, and an artifact names the family that can read it. Nothing here imports a
framework that the user has not imported. Other packages add families (`elsewhere`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import NamedTuple, Protocol

from nbreg.errors import CannotStoreError, UnknownArtifactError
from nbreg.families import (
    archives,
    boosters,
    elsewhere,
    files,
    forests,
    generic,
    graphs,
    modules,
    pretrained,
    programs,
    tables,
    tokenizing,
)
from nbreg.families.careful import NotTakenError
from nbreg.families.files import safe_target
from nbreg.families.pickles.picklefile import PickleFile
from nbreg.families.taking import Take, digested
from nbreg.families.tokens import MOST_NODES
from nbreg.families.weights import weigh
from nbreg.records import Artifact, Chunk
from nbreg.store.large import Bytes, Source

__all__ = [
    "MOST_NODES",
    "Dumped",
    "NotTakenError",
    "Opened",
    "PickleFile",
    "Read",
    "Take",
    "completed",
    "digested",
    "dump",
    "modules_needed",
    "open_artifact",
    "plain_files",
    "safe_target",
    "snapshot",
    "take",
    "token_of_stored",
    "weigh",
]


class Read(Protocol):
    """Gives a part's bytes, checked; `private` ones can be changed by nobody else afterwards.

    It may have a method `many`, which reads several at once: `many(chunks, plain=…)`, where `plain()`
    says of each whether it is numbers alone, for which a check that was made before may do.
    """

    def __call__(self, chunk: Chunk, *, private: bool = False) -> bytearray | memoryview: ...


class Opened(Protocol):
    """An artifact that was read and looked at, and not yet made."""

    untrusted: list[str]
    """What loading would import, or do, beyond the known harmless."""

    def load(self) -> object:
        """Make the object. Runs its code: only if nothing is `untrusted`, or with consent."""


class Dumped(NamedTuple):
    """An artifact and the bytes that its chunks and files name."""

    artifact: Artifact
    parts: list[tuple[Chunk, Source]]

    @property
    def warnings(self) -> list[str]:
        """What whoever loads it has to know, after the artifact's name."""
        needs = self.artifact.facts.get("needs") or ()
        told = [f"needs the module {name} where it is loaded: it cannot travel" for name in needs]
        left_out = self.artifact.facts.get("left_out") or ()
        return [*told, *(f"is stored without {name}, which is no part of a model" for name in left_out)]


_FAMILIES: tuple[ModuleType, ...] = (
    files,
    archives,
    pretrained,
    modules,
    boosters,
    forests,
    graphs,
    programs,
    tokenizing,
    generic,
)


def dump(name: str, value: object, take: Take = digested) -> Dumped:
    """Turn a value into an artifact and its bytes; nothing is written but by `take`.

    Raises `CannotStoreError`, or what `take` raises.
    """
    family = next(each for each in _FAMILIES if each.claims(value))
    other = elsewhere.claiming(value) if family is generic else None
    # Other packages' families know nothing of `take`: what they give is stored afterwards.
    artifact, parts = other.dump(name, value) if other else family.dump(name, value, take)
    return Dumped(artifact, parts)


def take(
    name: str, value: object, *, most: int, on_host: bool = False, most_nodes: int = MOST_NODES
) -> Dumped:
    """`dump` when nobody asked for it: bounded, and none of the user's code runs; see `generic.take`.

    Raises `NotTakenError`.
    """
    return Dumped(*generic.take(name, value, most=most, on_host=on_host, most_nodes=most_nodes))


def completed(artifact: Artifact, stream: Bytes) -> Artifact:
    """An artifact of `take` as `dump` would have made it of these bytes."""
    return generic.completed(artifact, stream)


def token_of_stored(artifact: Artifact, read: Callable[[Chunk], Bytes]) -> str:
    """The token of an object that `take` stored; see `generic.token_of_stored`."""
    return generic.token_of_stored(artifact, read)


def snapshot(value: object) -> str:
    """The digest of a value as data, without storing it.

    Empty for what has neither a value to walk nor bytes, such as a connection: that is no
    reason to refuse the model. A path that cannot be read raises `CannotStoreError`.
    """
    if files.claims(value):
        return files.digest(value)  # type: ignore[arg-type]
    try:
        return generic.digest(value)
    except CannotStoreError:
        return ""


def modules_needed(artifacts: Iterable[Artifact]) -> set[str] | None:
    """The modules that reading the artifacts imports, with their parents; None where that is not known.

    A stream by cloudpickle imports modules that it names as data.
    """
    names = [name for artifact in artifacts for name in artifact.globals]
    names += [f"{library}." for name in names if (library := tables.library_of(name))]
    if any(name.startswith("cloudpickle.") or " " in name for name in names):
        return None
    parts = [name.split(".") for name in names]
    return {".".join(each[:length]) for each in parts for length in range(1, len(each))}


def open_artifact(artifact: Artifact, read: Read) -> Opened:
    """Read and inspect an artifact; runs none of it.

    Raises `UnknownArtifactError` or `DamagedObjectError`.
    """
    opened: Opened = _family(artifact).Opened(artifact, read)
    return opened


def _family(artifact: Artifact) -> ModuleType:
    for family in _FAMILIES:
        if artifact.family == family.NAME:
            return family
    if (other := elsewhere.named(artifact.family)) is not None:
        return other
    raise UnknownArtifactError(
        f"the artifact {artifact.name!r} needs the family {artifact.family!r}, which is not installed here",
        hint="a newer nbreg, or another package, can read it",
    )


def plain_files(artifact: Artifact, read: Read) -> Iterator[tuple[str, bool, Iterable[Bytes]]]:
    """An artifact as ordinary files: relative name, whether it is a program, pieces; none of it is run.

    An object is one pickle, which `pickle.load` reads. Raises `UnknownArtifactError` or `DamagedObjectError`.
    """
    found: Iterator[tuple[str, bool, Iterable[Bytes]]] = _family(artifact).plain_files(artifact, read)
    return found
