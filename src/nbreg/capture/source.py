"""The code beside the cells: the project's git state, and a plain script's text and arguments.

Git is two processes, for the state and for the difference, started together before anything
else is captured and joined after; what stands in its configuration is read here.
"""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from time import monotonic
from typing import Any, Final, NamedTuple

import msgspec

from nbreg.capture.context import ScriptContext
from nbreg.capture.diff import GitDiff, diff_command, redacted_diff
from nbreg.capture.modules import capture_definitions, capture_modules
from nbreg.capture.secrets import Redactor, without_credentials
from nbreg.records import Context, Git, Source

GIT_SECONDS: Final = 5.0
"""How long git may take before a version is registered without its state."""

CHANGED_FILES: Final = 200
"""How many changed files are named."""

SCRIPT_BYTES: Final = 1024 * 1024

_ELSEWHERE = frozenset(
    ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")
)
"""What git sets for its hooks: with these it would look at another repository."""

_SECTION = re.compile(r'\s*\[\s*(?P<section>[\w.-]+)(?:\s+"(?P<name>(?:[^"\\]|\\.)*)")?\s*\]')
_SETTING = re.compile(r"\s*(?P<key>[A-Za-z][\w-]*)\s*=\s*(?P<value>.*?)\s*$")


class Repository(NamedTuple):
    """A work tree: its top folder, and the folder of the configuration that its worktrees share."""

    top: Path
    common: Path


def find_repository(folder: str) -> Repository | None:
    """The work tree that a folder is in; worktrees and submodules have a file for a `.git`."""
    top = os.path.realpath(folder)
    while True:
        dot = f"{top.rstrip('/')}/.git"
        if os.path.isdir(dot):  # noqa: PTH112 - on the path of every registration
            return Repository(Path(top), Path(dot))
        if os.path.isfile(dot):  # noqa: PTH113 - as above
            return Repository(Path(top), _common(Path(dot)))
        above = os.path.dirname(top)  # noqa: PTH120 - as above
        if above == top:
            return None
        top = above


def _common(dot: Path) -> Path:
    gitdir = dot.parent / dot.read_text(errors="replace").removeprefix("gitdir:").strip()
    shared = gitdir / "commondir"
    return gitdir / shared.read_text(errors="replace").strip() if shared.is_file() else gitdir


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
    """`git status` and `git diff` of the project, running beside the caller until `join`."""

    def __init__(self, folder: str, registry: Path | None) -> None:
        self._deadline = monotonic() + GIT_SECONDS
        self._output: bytes | None = None
        self._why = ""
        self._thread: threading.Thread | None = None
        self._diff: GitDiff | None = None
        self._repository = find_repository(folder)
        if self._repository:
            inside = _inside(self._repository.top, registry)
            command = _command(self._repository.top, inside)
            self._thread = threading.Thread(target=self._run, args=(command,), name="nbreg-git", daemon=True)
            self._thread.start()
            difference = diff_command(self._repository.top, inside)
            self._diff = GitDiff(difference, _environment())

    def _run(self, command: list[str]) -> None:
        import subprocess

        try:
            done = subprocess.run(
                command, capture_output=True, timeout=GIT_SECONDS, stdin=subprocess.DEVNULL, check=False,
                env=_environment(), start_new_session=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            self._why = f"git took longer than {GIT_SECONDS:g} s"
        except FileNotFoundError:
            self._why = "git is not installed"
        except Exception as error:  # a thread has nobody to raise to
            self._why = type(error).__name__
        else:
            self._output = done.stdout if done.returncode == 0 else None
            self._why = "" if done.returncode == 0 else _refusal(done.returncode, done.stderr)

    def join(self) -> tuple[Git | None, str]:
        """Git's state, or None and why; waits for git no longer than its time."""
        if self._repository is None or self._thread is None:
            return None, "not in a git repository"
        self._thread.join(max(0.0, self._deadline - monotonic()) + 0.25)
        if self._thread.is_alive():
            return None, f"git took longer than {GIT_SECONDS:g} s"
        if self._output is None:
            return None, self._why
        remotes = read_remotes(self._repository.common / "config")
        diff = self._diff.join() if self._diff else ""
        return msgspec.structs.replace(parse_status(self._output, remotes), diff=diff), ""


def _inside(top: Path, registry: Path | None) -> str:
    """The registry's place in the work tree; empty where it is somewhere else."""
    real = Path(os.path.realpath(registry)) if registry else top
    return real.relative_to(top).as_posix() if real != top and real.is_relative_to(top) else ""


def _command(top: Path, registry: str) -> list[str]:
    # A repository's own configuration may name a program for fsmonitor: it is not asked.
    status = ["git", "-C", str(top), "-c", "core.fsmonitor=false", "status"]
    status += ["--porcelain=v2", "--branch", "-z"]
    return [*status, "--", ".", f":(exclude,literal){registry}"] if registry else status


def _environment() -> dict[str, str]:
    """The process's own, but deaf to a hook's `GIT_DIR`, and unable to ask or to write the index."""
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return kept | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def _refusal(code: int, said: bytes) -> str:
    if b"dubious ownership" in said:
        return "git refuses a repository of another user"
    return f"git ended with {code}"


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


def capture_source(context: Context, status: GitStatus, redactor: Redactor) -> Source:
    """What a version keeps of the code beside its cells."""
    is_script = context.kind == "script"
    modules = capture_modules(redactor, context.folder)
    # A script's text is kept as a whole, so that its definitions need not be.
    definitions = (
        {} if is_script else capture_definitions(dict(context.namespace), context.executions, redactor)
    )
    git, why = status.join()
    return Source(
        git=_redacted(git, redactor) if git else None,
        modules=modules.texts,
        edited=modules.edited,
        definitions=definitions,
        git_missing=why,
        script=redactor.text(script_text(context.script)) if is_script and context.script else "",
        argv=redactor.arguments(context.argv) if isinstance(context, ScriptContext) else [],
        notebook=redactor.text(context.notebook),
    )


def _redacted(git: Git, redactor: Redactor) -> Git:
    return Git(
        commit=git.commit,
        branch=redactor.text(git.branch),
        dirty=git.dirty,
        changed=[redactor.text(path) for path in git.changed],
        remotes={redactor.text(name): redactor.text(url) for name, url in git.remotes.items()},
        diff=redacted_diff(git.diff, redactor),
    )


def script_text(path: str) -> str:
    """The script as it is in its file, or a comment in its place."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(SCRIPT_BYTES + 1)
    except OSError:
        return ""
    if len(text) > SCRIPT_BYTES:
        return f"# not captured: the script is larger than {SCRIPT_BYTES // 1024} KiB\n"
    return text.decode("utf-8", "backslashreplace")


def source_summary(source: Source) -> dict[str, Any]:
    """What a card says of the source; what is none of is not mentioned."""
    counts = {
        "diff": _changed_lines(source.git.diff) if source.git else 0,
        "modules": len(source.modules),
        "edited": len(source.edited),
        "definitions": len(source.definitions),
    }
    told = {key: count for key, count in counts.items() if count}
    if source.git is None:
        return {"git": f"not captured: {source.git_missing}", **told}
    git = source.git
    return {"commit": git.commit[:10], "branch": git.branch, "dirty": git.dirty, **told}


def _changed_lines(diff: str) -> int:
    return sum(line[:1] in "+-" and line[:3] not in ("+++", "---") for line in diff.split("\n") if line)
