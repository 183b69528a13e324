"""The commit that is checked out, read from git's files: a run's beginning does not wait for git."""

from __future__ import annotations

import re
from pathlib import Path

from nbreg.capture.project.git import find_repository

_COMMIT = re.compile("[0-9a-f]{40,64}")


def head_commit(folder: str) -> str:
    """The commit of the work tree that a folder is in; empty where there is none, or it cannot be read."""
    try:
        repository = find_repository(folder)
        return "" if repository is None else _commit(repository.own, repository.common)
    except (OSError, UnicodeDecodeError):
        return ""


def _commit(own: Path, common: Path) -> str:
    head = (own / "HEAD").read_text().strip()
    if not head.startswith("ref: "):
        return head if _COMMIT.fullmatch(head) else ""
    name = head.removeprefix("ref: ")
    for folder in (own, common):
        if (folder / name).is_file():
            found = (folder / name).read_text().strip()
            return found if _COMMIT.fullmatch(found) else ""
    packed = common / "packed-refs"
    lines = packed.read_text().splitlines() if packed.is_file() else []
    return next((line.split(" ")[0] for line in lines if line.endswith(f" {name}")), "")
