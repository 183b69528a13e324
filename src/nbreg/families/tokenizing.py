"""Tokenizers of the `tokenizers` library as their JSON, which every binding of it reads.

Reading it asks for consent: its patterns are compiled by a library that promises nothing of
hostile ones.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from nbreg.errors import DamagedObjectError
from nbreg.families import generic, taking
from nbreg.families.files import safe_target
from nbreg.families.taking import Take, digested
from nbreg.records import Artifact, Chunk
from nbreg.store.large import Source

NAME: Final = "tokenizers"
FORM: Final = "json"


def claims(value: object) -> bool:
    """Whether it is a tokenizer; the library is not imported to find out."""
    kind = getattr(sys.modules.get("tokenizers"), "Tokenizer", None)
    return isinstance(kind, type) and type(value) is kind


def dump(name: str, value: Any, take: Take = digested) -> tuple[Artifact, list[tuple[Chunk, Source]]]:
    """Store a tokenizer's JSON: its vocabulary, and every step before and after."""
    data = value.to_str().encode()
    return taking.whole(name, value, data, take, family=NAME, form=FORM, words=True)


class Opened:
    """A tokenizer's JSON."""

    untrusted: list[str]

    def __init__(self, artifact: Artifact, read: Any) -> None:
        if len(artifact.chunks) != 1:
            raise DamagedObjectError(f"the artifact {artifact.name!r} is no tokenizer")
        self._artifact = artifact
        self._data = bytes(read(artifact.chunks[0], private=True))
        self.untrusted = ["tokenizers.Tokenizer.from_str"]

    def load(self) -> object:
        """Make the tokenizer. Raises `CannotLoadError` where its library is not here."""
        library = generic.needed("tokenizers", self._artifact)
        try:
            made: object = library.Tokenizer.from_str(self._data.decode())
        except Exception as error:  # the library raises nothing more special
            raise DamagedObjectError(f"the artifact {self._artifact.name!r} is no tokenizer") from error
        return made


def plain_files(artifact: Artifact, read: Any) -> Iterator[tuple[str, bool, Iterable[Any]]]:
    """The tokenizer as a .json file, which `Tokenizer.from_file` reads."""
    yield str(safe_target(Path(), f"{artifact.name}.json")), False, [read(each) for each in artifact.chunks]
