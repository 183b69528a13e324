"""The floor: the least that storing a model durably and verifiably can cost.

`joblib.dump` into a new file through sha256, fsync; a JSON record, fsync, rename, fsync of the
folder. No name is checked, nothing is captured, no history is kept, and two of them at once
know nothing of each other. What a registry does is measured in multiples of it.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import joblib


class _Hashing:
    """A file that hashes what is written to it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.hash = sha256()

    def write(self, data: Any) -> int:
        self.hash.update(data)
        written: int = self._file.write(data)
        return written

    def tell(self) -> int:
        place: int = self._file.tell()
        return place


def store(folder: Path, name: str, model: object) -> None:
    """Put a model and its record into a folder, durably."""
    path = folder / f"{name}.joblib"
    with path.open("xb") as file:
        hashing = _Hashing(file)
        joblib.dump(model, hashing)
        file.flush()
        os.fsync(file.fileno())
    temporary = folder / f"{name}.tmp"
    with temporary.open("x") as file:
        json.dump({"name": name, "file": path.name, "sha256": hashing.hash.hexdigest()}, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(folder / f"{name}.json")
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
