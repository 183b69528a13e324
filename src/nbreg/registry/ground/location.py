"""Where the registry is, when nobody says."""

from __future__ import annotations

from pathlib import Path

from nbreg.errors import BadInputError
from nbreg.registry.ground.given import checked_path
from nbreg.settings import default_location

FOLDER = ".nbreg"


def find(location: str | Path | None, start: Path | None = None) -> Path:
    """The registry's folder: as given, else what was chosen in this kernel, else `$NBREG_REGISTRY`, else
    the nearest `.nbreg` upward, else `.nbreg` in the project's root (the top of the git work tree, else
    the working directory).

    A folder given that has other things in it is a project: the registry is the `.nbreg` in it.

    Raises `BadInputError` for a location that is no folder.
    """
    given = location if location is not None else default_location()
    try:
        here = start or Path.cwd()
    except FileNotFoundError:
        raise BadInputError("the working folder was deleted", hint="os.chdir to one that is there") from None
    if given is None:
        return _nearest(here)
    if isinstance(given, str) and "://" in given:
        raise BadInputError(
            f"{given.split('://')[0]!r} registries are not supported yet", hint="give a folder"
        )
    path = checked_path(given, "a registry's location").expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise BadInputError(f"{path} is a file", hint="a registry is a folder")
    return path / FOLDER if _is_project(path) else path


def near(path: Path) -> Path | None:
    """A registry beside the folder where one was looked for, of nearly its name: it may have been meant."""
    from difflib import get_close_matches

    wanted = path.parent if path.name == FOLDER else path
    try:
        beside = {each.name: each for each in wanted.parent.iterdir() if each != wanted}
    except OSError:
        return None
    for name in get_close_matches(wanted.name, beside, n=3):
        for found in (beside[name] / FOLDER, beside[name]):
            if (found / "registry.jsonl").is_file():
                return found
    return None


def _is_project(path: Path) -> bool:
    """Whether a folder has things in it that are no registry's."""
    if path.name == FOLDER or (path / "registry.jsonl").exists():
        return False
    ours = {"models", "objects", "tmp", "drafts", "runs", "data", "decisions", ".gitignore", ".gitattributes"}
    try:
        return any(each.name not in ours for each in path.iterdir())
    except OSError:
        return False  # not there, or not to be looked into: using it says which


def _nearest(start: Path) -> Path:
    folders = [start, *start.parents]
    for folder in folders:
        if (folder / FOLDER / "registry.jsonl").exists():
            return folder / FOLDER
    root = next((folder for folder in folders if (folder / ".git").exists()), start)
    return root / FOLDER
