"""Git tags: which there are, and making one. Git answers within some seconds, or not at all."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

from nbreg.capture.project.git import find_repository, git_environment, parse_status
from nbreg.capture.project.programs import Program
from nbreg.errors import BadInputError, ConflictError, NbregError, option

SECONDS: Final = 30.0
"""How long git may take; a tag may be signed, and the user asked for that by their own configuration."""


class Commit(NamedTuple):
    """Where a tag is going to stand."""

    top: Path
    commit: str


def clean_commit(folder: str, registry: Path, *, allow_dirty: bool) -> Commit:
    """The commit that the work tree is at. Raises `BadInputError` or, if it is dirty, `ConflictError`.

    Files that git does not know are no reason to refuse: the tag would not have held them anyhow.
    """
    repository = find_repository(folder)
    if repository is None:
        raise BadInputError("there is no git repository here to tag", hint="git init, or leave the tag out")
    top = repository.top
    command = ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=no", "--", "."]
    if registry.resolve().is_relative_to(top) and registry.resolve() != top:
        command.append(f":(exclude,literal){registry.resolve().relative_to(top).as_posix()}")
    found = parse_status(_git(top, *command))
    if not found.commit:
        raise BadInputError("git has no commit yet to tag", hint="git commit first")
    if found.changed and not allow_dirty:
        shown = ", ".join(found.changed[:3]) + (" …" if len(found.changed) > 3 else "")
        raise ConflictError(
            f"the work tree has uncommitted changes ({shown}), which a tag would not hold",
            hint=f"commit them, or {option('allow_dirty')}",
        )
    return Commit(top, found.commit)


def check_free(top: Path, tag: str, mine: str = "") -> None:
    """Raises `BadInputError` for what is no name of a tag, `ConflictError` for one that is there.

    One that says what is `mine` is no conflict: the cell that made it runs again.
    """
    if _code(top, "check-ref-format", f"refs/tags/{tag}") != 0 or tag.startswith("-"):
        raise BadInputError(f"{ascii(tag)[:60]} is no name of a git tag", hint="for example churn-v1.0.0")
    if _code(top, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}") == 0:
        if mine and mine in _git(top, "tag", "-l", "--format=%(contents)", tag).decode("utf-8", "replace"):
            return
        raise ConflictError(f"git has a tag {tag!r} already", hint=f"another name, or git tag -d {tag}")


def make(at: Commit, tag: str, message: str, mark: str) -> None:
    """An annotated tag; the message and the mark, which says what it is of. Raises `NbregError`.

    One that is there with this mark was made by a process that was killed before it could say so.
    """
    check_free(at.top, tag, mark)
    if _code(at.top, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}") == 0:
        if _git(at.top, "rev-parse", f"refs/tags/{tag}^{{commit}}").decode().strip() != at.commit:
            raise ConflictError(f"git has a tag {tag!r} at another commit")
        return
    message = f"{message}\n\n{mark}\n"
    _git(at.top, "tag", "-a", "-m", message, "--cleanup=verbatim", tag, at.commit)


def _git(top: Path, *words: str) -> bytes:
    code, output, said = _run(top, words)
    if code != 0:
        told = said.decode("utf-8", "replace").strip().splitlines()
        why = told[-1][:200] if told else "git did not answer" if code is None else f"git ended with {code}"
        raise NbregError(why)
    return output


def _code(top: Path, *words: str) -> int | None:
    return _run(top, words)[0]


def _run(top: Path, words: tuple[str, ...]) -> tuple[int | None, bytes, bytes]:
    program = Program(["git", "-C", str(top), "-c", "core.fsmonitor=false", *words], git_environment())
    code, output, said = program.output(monotonic() + SECONDS)
    return code, output, said or program.why.encode()
