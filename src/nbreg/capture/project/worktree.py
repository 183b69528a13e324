"""Whether anything that git would look at has changed since it looked.

Git itself decides by names, times and sizes which files it reads again; so can a process that
registers many times in a small project, for a fiftieth of what a git process costs. Nothing is
taken for unchanged that git might see otherwise: a change sets a file's own time (ctime), which
nobody can set back; where one came so shortly before that a second one could bear the same
time, and where there is too much to look at, there is no answer, and git is asked.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final, NamedTuple

from nbreg.capture.texts import SETTLED_NS

ENTRIES: Final = 500
"""Files that are looked at; beyond that git is quicker."""

_SETTINGS: Final = frozenset((b"HOME", b"XDG_CONFIG_HOME", b"PATH"))

Stamp = tuple[str, int, int, int, int, int]
_too_large: set[str] = set()


class Repository(NamedTuple):
    """A work tree: its top folder, git's own folder for it, and the one that its worktrees share."""

    top: Path
    common: Path
    own: Path


class WorkTree(NamedTuple):
    """A work tree at one moment: equal ones have the same state of git."""

    stamps: tuple[Stamp, ...]
    settings: frozenset[tuple[object, object]]


def look(repository: Repository, registry: str) -> WorkTree | None:
    """The work tree as it is, without the registry in it; None where only git can tell."""
    top = str(repository.top)
    if top in _too_large:
        return None
    now = time.time_ns()
    stamps = [*_of_git(repository)]
    try:
        if not _of_files(top, f"{top}/{registry}" if registry else "", stamps):
            _too_large.add(top)
            return None
    except OSError:
        return None  # a file went away while it was looked at
    if any(stamp[4] > now - SETTLED_NS or stamp[3] > now - SETTLED_NS for stamp in stamps):
        return None
    return WorkTree(tuple(stamps), _settings())


def heads(repository: Repository) -> tuple[Stamp, ...]:
    """What every commit, checkout and `git add` changes."""
    head = str(repository.own / "HEAD")
    try:
        with open(head, errors="replace") as file:  # noqa: PTH123 - on the path of every registration
            branch = file.read(4096).removeprefix("ref:").strip()
    except OSError:
        branch = ""
    common = str(repository.common)
    shared = (branch, "packed-refs", "reftable/tables.list") if branch else ("packed-refs",)
    names = [head, str(repository.own / "index"), *(f"{common}/{each}" for each in shared)]
    return tuple(_stamp(each) for each in names)


def _of_git(repository: Repository) -> tuple[Stamp, ...]:
    own, common = str(repository.own), str(repository.common)
    home = os.path.expanduser("~")  # noqa: PTH111 - as below
    settings = os.environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    names = [
        *(f"{own}/{each}" for each in ("config.worktree", "MERGE_HEAD", "info/sparse-checkout")),
        *(f"{common}/{each}" for each in ("config", "info/exclude", "info/attributes")),
        *(f"{settings}/git/{each}" for each in ("config", "ignore", "attributes")),
        f"{home}/.gitconfig",
        "/etc/gitconfig",
    ]
    return (*heads(repository), *(_stamp(each) for each in names))


def _of_files(top: str, registry: str, stamps: list[Stamp]) -> bool:
    """Add every file of the work tree; False where there are too many, or another repository in it."""
    folders = [top]
    while folders:
        folder = folders.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name == ".git":
                    if folder != top:
                        return False
                elif entry.is_dir(follow_symlinks=False):
                    if entry.path != registry:
                        folders.append(entry.path)
                else:
                    stamps.append(_of(entry.path, entry.stat(follow_symlinks=False)))
                if entry.name == ".gitmodules" or len(stamps) + len(folders) > ENTRIES:
                    return False
    return True


def _stamp(path: str) -> Stamp:
    try:
        return _of(path, os.lstat(path))
    except OSError:
        return (path, 0, 0, 0, 0, 0)


def _of(path: str, status: os.stat_result) -> Stamp:
    return (path, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def _settings() -> frozenset[tuple[object, object]]:
    """The environment variables that git follows."""
    raw = getattr(os.environ, "_data", None)  # decoding each would cost more than all else here
    items = raw.items() if type(raw) is dict else os.environb.items()
    return frozenset((name, value) for name, value in items if name[:4] == b"GIT_" or name in _SETTINGS)
