"""Where the registry is, when nobody says."""

from __future__ import annotations

import os
from pathlib import Path

from nbreg.errors import BadInputError

FOLDER = ".nbreg"


def find(location: str | Path | None, start: Path | None = None) -> Path:
    """The registry's folder: as given, else `$NBREG_REGISTRY`, else the nearest `.nbreg` upward,
    else `.nbreg` in the project's root (the top of the git work tree, else the working directory).

    Raises `BadInputError` for a location that is no folder.
    """
    given = location if location is not None else os.environ.get("NBREG_REGISTRY") or None
    if given is None:
        return _nearest(start or Path.cwd())
    if isinstance(given, str) and "://" in given:
        raise BadInputError(
            f"{given.split('://')[0]!r} registries are not supported yet", hint="give a folder"
        )
    path = Path(given).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise BadInputError(f"{path} is a file", hint="a registry is a folder")
    return path


def _nearest(start: Path) -> Path:
    folders = [start, *start.parents]
    for folder in folders:
        if (folder / FOLDER / "registry.jsonl").exists():
            return folder / FOLDER
    root = next((folder for folder in folders if (folder / ".git").exists()), start)
    return root / FOLDER
