"""ONNX models as the bytes that they are: every runtime reads them, and reading them runs nothing.

A model may keep its tensors in other files, by a path that it names itself. Who uses such a
model opens what it names, so one in memory has to hold its tensors, and a file is stored only
together with the files that it names, which are in its own folder.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from nbreg.errors import CannotStoreError, DamagedObjectError
from nbreg.families import generic, taking, wire
from nbreg.families.files import safe_target
from nbreg.families.taking import Take, digested
from nbreg.records import Artifact, Chunk
from nbreg.store.large import Source

NAME: Final = "onnx"
FORM: Final = "onnx"


def claims(value: object) -> bool:
    """Whether it is a model of ONNX's; onnx is not imported to find out."""
    kind = getattr(sys.modules.get("onnx"), "ModelProto", None)
    return isinstance(kind, type) and type(value) is kind


def dump(name: str, value: Any, take: Take = digested) -> tuple[Artifact, list[tuple[Chunk, Source]]]:
    """Store a model's bytes. Raises `CannotStoreError` for one that is not whole."""
    try:
        data = value.SerializeToString(deterministic=True)
    except Exception as error:
        raise CannotStoreError(
            f"the model cannot be written as ONNX: {type(error).__name__}",
            hint="one of more than 2 GiB keeps its tensors in files: register the folder that holds them",
        ) from error
    if _outside(data):
        raise CannotStoreError(
            "the model keeps its tensors in other files", hint="onnx.load reads them with it"
        )
    return taking.whole(name, value, data, take, family=NAME, form=FORM, words=len(data) < _WORDS)


_WORDS: Final = 1 << 20


def _outside(data: bytes) -> list[str]:
    try:
        return wire.look(data).outside
    except wire.NoModelError as error:
        raise CannotStoreError(
            f"the model is none that ONNX's readers would take: {error}",
            hint="onnx.checker.check_model says more",
        ) from error


class Opened:
    """A model's bytes, which name no other file."""

    untrusted: list[str]

    def __init__(self, artifact: Artifact, read: Any) -> None:
        if len(artifact.chunks) != 1:
            raise DamagedObjectError(f"the artifact {artifact.name!r} is no model of ONNX's")
        self._artifact = artifact
        self._data = bytes(read(artifact.chunks[0], private=True))
        try:
            outside = wire.look(self._data).outside
        except wire.NoModelError as error:
            raise DamagedObjectError(
                f"the artifact {artifact.name!r} is no model of ONNX's: {error}"
            ) from error
        if outside:
            raise DamagedObjectError(f"the artifact {artifact.name!r} names a file, {outside[0][:80]!r}")
        self.untrusted = []

    def load(self) -> object:
        """Parse the model. Raises `CannotLoadError` where onnx is not here."""
        library = generic.needed("onnx", self._artifact)
        try:
            model: object = library.ModelProto.FromString(self._data)
        except Exception as error:
            raise DamagedObjectError(
                f"the artifact {self._artifact.name!r} is no model of ONNX's: {type(error).__name__}"
            ) from error
        return model


def plain_files(artifact: Artifact, read: Any) -> Iterator[tuple[str, bool, Iterable[Any]]]:
    """The model as an .onnx file."""
    yield str(safe_target(Path(), f"{artifact.name}.onnx")), False, [read(each) for each in artifact.chunks]
