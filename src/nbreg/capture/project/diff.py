"""What stands uncommitted in a project, as `git diff` tells it, within bounds and without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Final

from nbreg.capture.project.programs import Program
from nbreg.capture.secrets import Redactor

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
        self._program = Program(command, environment)
        self.is_whole = True
        """Whether git came to an end: what it told then holds as long as nothing changes."""

    def join(self) -> str:
        """The diff as git wrote it, cut after a whole file; empty where there is none."""
        code, output, _ = self._program.output(monotonic() + DIFF_SECONDS, most=DIFF_BYTES)
        if len(output) > DIFF_BYTES or code == 0:
            return _bounded(output)
        self.is_whole = code is not None
        return "" if code is not None or self._program.why else "# not captured: git took too long\n"

    def discard(self) -> None:
        """End it."""
        self._program.discard()


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
