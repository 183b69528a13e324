"""What stands uncommitted in a project, as `git diff` tells it, within bounds and without secrets."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from nbreg.capture.secrets import Redactor

if TYPE_CHECKING:
    from subprocess import Popen

DIFF_BYTES: Final = 512 * 1024

DIFF_SECONDS: Final = 2.0
"""How long the difference may take when the state is known already; a registration waits for it."""

_HEAD = "diff --git "
_PYTHON = re.compile(r"^diff --git a/.*\.pyi?$", re.MULTILINE)

# Cells are in the recipe, and a notebook's outputs may hold anything; keys are for nobody.
_LEFT_OUT: Final = (
    "*.ipynb",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "**/.env",
    "**/.env.*",
    "**/id_rsa*",
    "**/.netrc",
)


def diff_command(top: Path, registry: str) -> list[str]:
    """`git diff` against the last commit, in one form whatever the user's settings are.

    Nothing that a repository's configuration names is run: no external diff, no textconv.
    """
    settings = (
        "core.fsmonitor=false",
        "diff.noprefix=false",
        "diff.mnemonicPrefix=false",
        "core.quotePath=true",
    )
    command = ["git", "-C", str(top), *(word for each in settings for word in ("-c", each))]
    command += ["diff", "HEAD", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--unified=3"]
    command += ["--ignore-submodules=all", "--diff-algorithm=myers", "--", "."]
    command += [f":(exclude,glob){'' if each.startswith('**/') else '**/'}{each}" for each in _LEFT_OUT]
    return command + ([f":(exclude,literal){registry}"] if registry else [])


class GitDiff:
    """`git diff` running beside the caller until `join`; never more than `DIFF_BYTES` are read."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._output: bytes | None = None
        self._process: Popen[bytes] | None = None
        self._given_up = False
        self._thread = threading.Thread(
            target=self._run, args=(command, environment), name="nbreg-git-diff", daemon=True
        )
        self._thread.start()

    def _run(self, command: list[str], environment: dict[str, str]) -> None:
        import subprocess

        try:
            with subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=environment, start_new_session=True,
            ) as process:  # fmt: skip
                self._process = process
                if self._given_up:
                    process.kill()
                output = _read(process.stdout)
                if len(output) > DIFF_BYTES:
                    process.kill()
                    self._output = output
                elif process.wait() == 0:
                    self._output = output
        except Exception:  # a thread has nobody to raise to; no diff says as much
            self._output = None

    def join(self) -> str:
        """The diff as git wrote it, cut after a whole file; empty where there is none."""
        self._thread.join(DIFF_SECONDS)
        if self._thread.is_alive():
            self._given_up = True
            if self._process is not None:
                self._process.kill()
            return "# not captured: git took too long\n"
        if self._output is None:
            return ""
        return _bounded(self._output)


def _read(stdout: IO[bytes] | None) -> bytes:
    return stdout.read(DIFF_BYTES + 1) if stdout else b""


def _bounded(output: bytes) -> str:
    text = output[:DIFF_BYTES].decode("utf-8", "backslashreplace")
    if len(output) <= DIFF_BYTES:
        return text
    # A file cut in its middle could hold the first half of a secret, which no pattern knows.
    whole = text.rpartition(f"\n{_HEAD}")[0]
    kept = f"{whole}\n" if whole else ""
    return f"{kept}# cut here: the diff is larger than {DIFF_BYTES // 1024} KiB\n"


def redacted_diff(diff: str, redactor: Redactor) -> str:
    """The diff without secrets. The signs before the lines are no part of what is searched."""
    return "".join(_redacted_file(each, redactor) for each in _files(diff))


def _files(diff: str) -> Iterator[str]:
    start = 0
    while start < len(diff):
        end = diff.find(f"\n{_HEAD}", start)
        end = len(diff) if end < 0 else end + 1
        yield diff[start:end]
        start = end


def _redacted_file(part: str, redactor: Redactor) -> str:
    lines = part.split("\n")
    bare = "\n".join(line[1:] for line in lines)
    # Only Python is read as code: in settings a value needs no quotes.
    head = lines[0]
    clean = redactor.text(bare) if _PYTHON.match(head) else redactor.value(bare)
    if clean == bare:
        return part
    found = clean.split("\n")
    if len(found) != len(lines):
        return f"{redactor.value(head)}\n# withheld: a secret of several lines\n"
    return "\n".join(line[:1] + rest for line, rest in zip(lines, found, strict=True))
