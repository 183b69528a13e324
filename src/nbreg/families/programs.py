"""Programs that `torch.export` made, as torch's own archive of them.

Reading one asks for consent: torch unpickles parts of it, and makes operators of what it names.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from nbreg.errors import CannotLoadError, CannotStoreError, DamagedObjectError
from nbreg.families import generic, taking
from nbreg.families.files import safe_target
from nbreg.families.taking import Take, digested
from nbreg.records import Artifact, Chunk
from nbreg.store.large import Source

NAME: Final = "torch.export"
FORM: Final = "pt2"


def claims(value: object) -> bool:
    """Whether it is an exported program; torch is not imported to find out."""
    kind = getattr(sys.modules.get("torch.export"), "ExportedProgram", None)
    return isinstance(kind, type) and type(value) is kind


def dump(name: str, value: Any, take: Take = digested) -> tuple[Artifact, list[tuple[Chunk, Source]]]:
    """Store a program with its weights. Raises `CannotStoreError`."""
    file = io.BytesIO()
    try:
        sys.modules["torch"].export.save(value, file)
    except Exception as error:
        raise CannotStoreError(
            f"torch cannot save this program: {type(error).__name__}", hint="torch.export.save says more"
        ) from error
    return taking.whole(name, value, file.getvalue(), take, family=NAME, form=FORM)


class Opened:
    """An archive of torch's, which is not looked into."""

    untrusted: list[str]

    def __init__(self, artifact: Artifact, read: Any) -> None:
        if len(artifact.chunks) != 1:
            raise DamagedObjectError(f"the artifact {artifact.name!r} is no program")
        self._artifact = artifact
        self._data = bytes(read(artifact.chunks[0], private=True))
        self.untrusted = ["torch.export.load"]

    def load(self) -> object:
        """Have torch make the program. Raises `CannotLoadError`."""
        generic.needed("torch", self._artifact)
        library = generic.needed("torch.export", self._artifact)
        try:
            made: object = library.load(io.BytesIO(self._data))
        except Exception as error:
            raise CannotLoadError(
                f"torch does not make this program: {type(error).__name__}",
                hint="the release that it was stored with stands in its environment",
            ) from error
        return made


def plain_files(artifact: Artifact, read: Any) -> Iterator[tuple[str, bool, Iterable[Any]]]:
    """The program as a .pt2 file, which `torch.export.load` reads."""
    yield str(safe_target(Path(), f"{artifact.name}.pt2")), False, [read(each) for each in artifact.chunks]
