"""When git is asked, and when its last answer still holds: never once anything has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from nbreg.capture import look_ahead, look_no_more
from nbreg.capture.project import git as under_test
from nbreg.capture.project import worktree
from nbreg.capture.project.git import GitStatus, begin
from nbreg.records import Git


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose last change counts as long ago."""
    monkeypatch.setattr(worktree, "SETTLED_NS", 0)
    monkeypatch.setattr(under_test, "_last", None)
    monkeypatch.setattr(under_test, "_habit", None)
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "train.py").write_text("x = 1\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "more.py").write_text("y = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often git was asked for the state, as a program in its place writes down."""
    real, log = shutil.which("git"), tmp_path / "asked"
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncase "$*" in *" status "*) echo >> {log};; esac\nexec {real} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return lambda: log.read_text().count("\n") if log.exists() else 0


def state(folder: Path, registry: Path | None = None) -> Git:
    found, why = GitStatus(str(folder), registry).join()
    assert found is not None, why
    return found


def rewrite(path: Path, text: str) -> None:
    """Give a file another text of the same length, and the old times as far as anybody can."""
    before = path.stat()
    while path.stat().st_ctime_ns == before.st_ctime_ns:
        path.write_text(text)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def commit(folder: Path) -> None:
    git(folder, "commit", "-q", "--allow-empty", "-m", "second")


CHANGES: dict[str, Callable[[Path], object]] = {
    "another text of the same length and time": lambda folder: rewrite(folder / "train.py", "x = 2\n"),
    "a new file below": lambda folder: (folder / "sub" / "new.py").write_text(""),
    "a deleted file": lambda folder: (folder / "train.py").unlink(),
    "a renamed file": lambda folder: (folder / "train.py").rename(folder / "other.py"),
    "a commit that changes no file": commit,
    "another branch": lambda folder: git(folder, "checkout", "-q", "-b", "topic"),
    "a file no longer tracked": lambda folder: git(folder, "rm", "-q", "--cached", "train.py"),
    "what is ignored": lambda folder: (folder / ".git" / "info" / "exclude").write_text("*.tmp\n"),
    "a remote": lambda folder: git(folder, "remote", "add", "origin", "https://host/r.git"),
    "a mode": lambda folder: (folder / "train.py").chmod(0o755),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_git_is_asked_again_once_anything_has_changed(
    project: Path, asked: Callable[[], int], change: Callable[[Path], object]
) -> None:
    """A version must never be said to be made of code that it was not made of."""
    first = state(project)
    assert (state(project), asked()) == (first, 1), "nothing changed, so git is not asked again"

    change(project)
    after = state(project)

    assert asked() == 2
    under_test._last = None
    assert after == state(project), "as if nothing were remembered"


def test_what_changed_a_moment_ago_is_asked_for_again(
    project: Path, asked: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two changes within one tick of the file system's clock bear the same time."""
    monkeypatch.setattr(worktree, "SETTLED_NS", 3_600_000_000_000)

    assert state(project) == state(project)
    assert asked() == 2


def test_the_registry_in_the_work_tree_is_no_change(project: Path, asked: Callable[[], int]) -> None:
    """Else each registration would be the change that the next one sees."""
    registry = project / ".nbreg"
    registry.mkdir()
    (registry / "journal").write_text("1")
    first = state(project, registry)
    (registry / "journal").write_text("12")

    assert (state(project, registry), asked()) == (first, 1)


@pytest.mark.parametrize("why", ["many files", "a repository within", "a submodule"])
def test_what_only_git_can_tell_is_asked_of_git(
    project: Path, asked: Callable[[], int], monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """A look that is not complete proves nothing."""
    if why == "many files":
        monkeypatch.setattr(worktree, "ENTRIES", 2)
    elif why == "a submodule":
        (project / ".gitmodules").write_text("")
    else:
        git(project, "init", "-q", "inner")

    assert state(project) == state(project)
    assert asked() == 2


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_a_cell_that_writes_a_file_and_registers_is_not_told_what_was_before(
    project: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    """Git begins with the cell, and the cell goes on to change what git was asked about."""
    if large:
        monkeypatch.setattr(worktree, "ENTRIES", 0)
    monkeypatch.chdir(project)
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()

    def run(source: str) -> None:
        shell.run_cell(source, store_history=True).raise_error()

    try:
        run("%load_ext nbreg")
        run("import nbreg; registry = nbreg.Registry('.nbreg')")
        run("one = registry.register('m', {'a': 1})")
        run("open('params.txt', 'w').write('1'); two = registry.register('m', {'a': 2})")
        run("three = registry.register('m', {'a': 3})")
        run("!git commit -q --allow-empty -m other\nfour = registry.register('m', {'a': 4})")
        found = {name: shell.user_ns[name].source.git for name in ("one", "two", "three", "four")}
    finally:
        shell.run_line_magic("unload_ext", "nbreg")
        InteractiveShell.clear_instance()

    assert found["one"].changed == []
    assert found["two"].changed == ["params.txt"]
    assert found["three"] == found["two"]
    assert found["four"].commit != found["two"].commit
    assert under_test._ahead is None, "no answer is kept for a later cell"


def test_an_answer_ahead_is_taken_and_asked_for_once(project: Path, asked: Callable[[], int]) -> None:
    """Git runs beside the beginning of the cell, and not a second time."""
    begin(str(project), None).join()
    (project / "new.py").write_text("")

    look_ahead()
    found, _ = begin(str(project), None).join()
    look_no_more()

    assert found is not None
    assert (found.changed, asked()) == (["new.py"], 2)


def test_an_answer_ahead_is_for_one_project_only(project: Path, tmp_path: Path) -> None:
    """The habit may be wrong."""
    begin(str(project), None).join()
    look_ahead()

    assert begin(str(tmp_path), None).join() == (None, "not in a git repository")
    assert under_test._ahead is None


def test_nothing_is_started_before_anybody_registered(project: Path, asked: Callable[[], int]) -> None:
    """`atexit.register` in a cell is no registration."""
    look_ahead()
    look_no_more()

    assert asked() == 0
