"""The state of the project's git: commit, branch, what is changed, and the difference.

One git process tells the state; a second one the difference, where a tracked file is changed.
They run beside the caller until `join`, and not at all where nothing changed since git was last
asked. A kernel has git begin with the cell that is going to register (`look_ahead`).
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final, Protocol

import msgspec

from nbreg.capture.project import worktree
from nbreg.capture.project.diff import GitDiff, diff_command
from nbreg.capture.project.programs import Program
from nbreg.capture.project.worktree import Repository, WorkTree
from nbreg.capture.secrets import without_credentials
from nbreg.records import Git

GIT_SECONDS: Final = 5.0
"""How long git may take before a version is registered without its state."""

AHEAD_SECONDS: Final = 1.0
"""How old an answer from the cell's beginning may be where no look at the files tells that it holds."""

CHANGED_FILES: Final = 200
"""How many changed files are named."""

_ELSEWHERE = frozenset(
    ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")
)
"""What git sets for its hooks: with these it would look at another repository."""

_SECTION = re.compile(r'\s*\[\s*(?P<section>[\w.-]+)(?:\s+"(?P<name>(?:[^"\\]|\\.)*)")?\s*\]')
_SETTING = re.compile(r"\s*(?P<key>[A-Za-z][\w-]*)\s*=\s*(?P<value>.*?)\s*$")


_last: tuple[Path, str, WorkTree, Git] | None = None
_had_diff: set[Path] = set()


def find_repository(folder: str) -> Repository | None:
    """The work tree that a folder is in; worktrees and submodules have a file for a `.git`."""
    top = os.path.realpath(folder)
    while True:
        dot = f"{top.rstrip('/')}/.git"
        mode = _mode(dot)
        if stat.S_ISDIR(mode):
            return Repository(Path(top), Path(dot), Path(dot))
        if stat.S_ISREG(mode):
            return _linked(Path(dot))
        above = os.path.dirname(top)  # noqa: PTH120 - as above
        if above == top:
            return None
        top = above


def _mode(path: str) -> int:
    try:
        return os.stat(path).st_mode  # noqa: PTH116 - for each folder upwards, in every registration
    except (OSError, ValueError):
        return 0


def _linked(dot: Path) -> Repository:
    own = dot.parent / dot.read_text(errors="replace").removeprefix("gitdir:").strip()
    shared = own / "commondir"
    common = own / shared.read_text(errors="replace").strip() if shared.is_file() else own
    return Repository(dot.parent, common, own)


def read_remotes(config: Path) -> dict[str, str]:
    """The URLs of a repository's remotes without credentials; included files are not followed."""
    remotes: dict[str, str] = {}
    remote = ""
    for line in config.read_text(errors="replace").splitlines():
        if section := _SECTION.match(line):
            remote = section["name"] or "" if section["section"].lower() == "remote" else ""
        elif remote and (setting := _SETTING.match(line)) and setting["key"].lower() == "url":
            remotes.setdefault(remote, without_credentials(setting["value"].strip('"')))
    return dict(sorted(remotes.items()))


class GitStatus:
    """Git's state of the project, asked for now; `join` waits for the answer."""

    def __init__(self, folder: str, registry: Path | None) -> None:
        self._asked = folder, registry
        self._began = monotonic()
        self._git: Git | None = None
        self._status: Program | None = None
        self._diff: GitDiff | None = None
        self._repository = find_repository(folder)
        if self._repository:
            self._inside = _inside(self._repository.top, registry)
            # Looked at before git looks: what changes meanwhile is then found changed.
            self._tree = worktree.look(self._repository, self._inside)
            self._heads = worktree.heads(self._repository)
            self._git = _remembered(self._repository.top, self._inside, self._tree)
            if self._git is None:
                self._start(self._repository)

    def _start(self, repository: Repository) -> None:
        environment = git_environment()
        self._status = Program(_command(repository.top, self._inside), environment)
        if repository.top in _had_diff:  # most likely it has one again
            self._diff = GitDiff(diff_command(repository.top, self._inside), environment)

    def join(self) -> tuple[Git | None, str]:
        """Git's state, or None and why; waits for git no longer than its time."""
        if self._repository is None:
            return None, "not in a git repository"
        if self._git is not None or self._status is None:
            return self._git, ""
        code, output, complaint = self._status.output(self._began + GIT_SECONDS)
        if code != 0:
            self.discard()
            return None, self._status.why or _refusal(code, complaint)
        remotes = read_remotes(self._repository.common / "config")
        self._git = self._with_diff(self._repository, parse_status(output, remotes), output)
        return self._git, ""

    def _with_diff(self, repository: Repository, found: Git, output: bytes) -> Git:
        global _last
        diff, self._diff = self._diff, None
        if not _is_tracked_changed(output):
            _had_diff.discard(repository.top)
            if diff is not None:
                diff.discard()
        else:
            _had_diff.add(repository.top)
            diff = diff or GitDiff(diff_command(repository.top, self._inside), git_environment())
            found = msgspec.structs.replace(found, diff=diff.join())
        if self._tree is not None and (diff is None or diff.is_whole):
            _last = repository.top, self._inside, self._tree, found
        return found

    def holds(self, folder: str, registry: Path | None, *, is_quiet: bool) -> bool:
        """Whether this is what git would answer now.

        In a small project a look tells. In a large one the answer must be young, no commit have
        come since, and the cell that runs have written nothing and started no program.
        """
        if (folder, registry) != self._asked:
            return False
        if self._repository is None:
            return find_repository(folder) is None
        if self._tree is not None:
            return worktree.look(self._repository, self._inside) == self._tree
        is_young = monotonic() - self._began < AHEAD_SECONDS
        return is_quiet and is_young and worktree.heads(self._repository) == self._heads

    def discard(self) -> None:
        """Nobody is going to ask: end what runs."""
        for each in (self._status, self._diff):
            if each is not None:
                each.discard()


def _remembered(top: Path, inside: str, tree: WorkTree | None) -> Git | None:
    if tree is None or _last is None or _last[:2] != (top, inside) or _last[2] != tree:
        return None
    return _last[3]


# ahead


class Quiet(Protocol):
    """Who knows whether the running cell has touched files."""

    @property
    def is_quiet(self) -> bool: ...


class _Ahead:
    """What was asked for when a cell began, and who watches that cell."""

    def __init__(self, status: GitStatus) -> None:
        self.status = status
        self.watch: Quiet | None = None


_ahead: _Ahead | None = None
_habit: tuple[str, Path | None] | None = None


def begin(folder: str, registry: Path | None) -> GitStatus:
    """Ask git, unless it was asked when the cell began and the answer still holds."""
    global _ahead, _habit
    ahead, _ahead = _ahead, None
    _habit = folder, registry
    if ahead is not None:
        if ahead.status.holds(folder, registry, is_quiet=ahead.watch is not None and ahead.watch.is_quiet):
            return ahead.status
        ahead.status.discard()
    return GitStatus(folder, registry)


def look_ahead() -> None:
    """A cell begins that is likely to register: ask git for what the last registration asked."""
    global _ahead
    look_no_more()
    if _habit is not None:
        with suppress(Exception):  # nothing was asked for yet: whoever registers is told
            _ahead = _Ahead(GitStatus(*_habit))


def watched_by(watch: Quiet | None) -> None:
    """Say who watches the cell that `look_ahead` was called for."""
    if _ahead is not None:
        _ahead.watch = watch


def look_no_more() -> None:
    """The cell has ended: an answer that nobody wanted is not kept for a later one."""
    global _ahead
    ahead, _ahead = _ahead, None
    if ahead is not None:
        ahead.status.discard()


def _after_fork() -> None:
    """A child must not read the answer that its parent waits for."""
    global _ahead
    _ahead = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


# git's words


def _inside(top: Path, registry: Path | None) -> str:
    """The registry's place in the work tree; empty where it is somewhere else."""
    real = Path(os.path.realpath(registry)) if registry else top
    return real.relative_to(top).as_posix() if real != top and real.is_relative_to(top) else ""


def _command(top: Path, registry: str) -> list[str]:
    # A repository's own configuration may name a program for fsmonitor: it is not asked.
    status = ["git", "-C", str(top), "-c", "core.fsmonitor=false", "status"]
    status += ["--porcelain=v2", "--branch", "-z"]
    return [*status, "--", ".", f":(exclude,literal){registry}"] if registry else status


def git_environment() -> dict[str, str]:
    """The process's own, but deaf to a hook's `GIT_DIR`, and unable to ask or to write the index."""
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return kept | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def _refusal(code: int | None, said: bytes) -> str:
    if code is None:
        return f"git took longer than {GIT_SECONDS:g} s"
    if b"dubious ownership" in said:
        return "git refuses a repository of another user"
    return f"git ended with {code}"


def _is_tracked_changed(output: bytes) -> bool:
    """Whether a file is changed that the difference may tell of: notebooks are left out of it."""
    entries = output.split(b"\0")
    return any(entry[:2] in (b"1 ", b"2 ", b"u ") and not entry.endswith(b".ipynb") for entry in entries)


def parse_status(output: bytes, remotes: dict[str, str] | None = None) -> Git:
    """Read `git status --porcelain=v2 --branch -z`; a renamed file counts by its new name."""
    fields: dict[str, str] = {}
    changed = []
    entries = iter(output.decode("utf-8", "backslashreplace").split("\0"))
    for entry in entries:
        kind = entry[:1]
        if kind == "#":
            key, _, value = entry[2:].partition(" ")
            fields[key] = value
        elif kind in ("1", "2", "u"):
            changed.append(entry.split(" ", {"1": 8, "2": 9, "u": 10}[kind])[-1])
            if kind == "2":
                next(entries, None)  # the name before the renaming
        elif kind == "?":
            changed.append(entry[2:])
    commit, branch = fields.get("branch.oid", ""), fields.get("branch.head", "")
    return Git(
        commit="" if commit == "(initial)" else commit,
        branch="" if branch == "(detached)" else branch,
        dirty=bool(changed),
        changed=_bounded(sorted(changed)),
        remotes=remotes or {},
    )


def _bounded(changed: list[str]) -> list[str]:
    more = len(changed) - CHANGED_FILES
    return changed if more <= 0 else [*changed[:CHANGED_FILES], f"… and {more} more"]
