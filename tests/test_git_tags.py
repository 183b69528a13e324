"""A git tag for a version: the code of a release is found by the name of the release.

registry.register("churn", clf, message="Initial production-ready model", git_tag=True)
$ git tag -n
churn-v1.0.0    Initial production-ready model
"""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path

import pytest

import nbreg
from nbreg import Registry
from nbreg.capture.project import tags
from nbreg.errors import BadInputError, ConflictError


def git(*words: str) -> str:
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one commit, and the registry in it; what runs counts as being in it."""
    import nbreg.capture.context as context

    folder = tmp_path / "project"
    monkeypatch.setattr(context.ScriptContext, "folder", str(folder))
    git("init", "-q", "-b", "main")
    (folder / "train.py").write_text("C = 1\n")
    git("add", "train.py")
    git("commit", "-qm", "first")
    return folder


@pytest.fixture
def registry(project: Path) -> Registry:
    return Registry(project / ".nbreg")


def test_a_version_tags_the_commit_that_it_was_made_from(registry: Registry) -> None:
    """`git checkout churn-v1.0.0` is the code of churn 1.0.0."""
    version = registry.register("churn", 1, message="Initial production-ready model", git_tag=True)

    assert version.row.git_tag == "churn-v1.0.0"
    assert git("cat-file", "-t", "churn-v1.0.0") == "tag", "annotated"
    assert git("rev-parse", "churn-v1.0.0^{commit}") == git("rev-parse", "HEAD")
    told = git("tag", "-l", "--format=%(contents)", "churn-v1.0.0")
    assert told.startswith("Initial production-ready model")
    assert f"churn@sha256:{version.id}" in told
    assert version.events[0].kind == "tagged"
    assert version.events[0].facts["commit"] == git("rev-parse", "HEAD")
    assert "churn-v1.0.0" in version._repr_mimebundle_()["text/plain"]


def test_a_tag_may_have_a_name_of_its_own(registry: Registry) -> None:
    """Teams have tags already."""
    registry.register("churn", 1, git_tag="release/2026-02")
    assert git("tag") == "release/2026-02"


def test_uncommitted_changes_are_refused_before_anything_is_registered(
    registry: Registry, project: Path
) -> None:
    """A tag of other code than that which ran is worse than none."""
    (project / "train.py").write_text("C = 2\n")
    with pytest.raises(ConflictError, match=r"train\.py") as refused:
        registry.register("churn", 1, git_tag=True)
    with pytest.raises(ConflictError):
        registry.check("churn", git_tag=True)

    assert "allow_dirty=True" in refused.value.hint
    assert (registry.models(), git("tag")) == ([], "")
    assert registry.register("churn", 1, git_tag=True, allow_dirty=True).row.git_tag == "churn-v1.0.0"


def test_files_that_git_does_not_know_are_no_changes(registry: Registry, project: Path) -> None:
    """Data and outputs lie around in every project."""
    (project / "data.csv").write_text("1\n")
    assert registry.register("churn", 1, git_tag=True).row.git_tag


def test_a_tag_that_is_there_is_refused_before_anything_is_registered(registry: Registry) -> None:
    """Tags do not move."""
    git("tag", "churn-v2.0.0")
    git("tag", "mine")
    for options in ({"version": "2.0.0", "git_tag": True}, {"git_tag": "mine"}):
        with pytest.raises(ConflictError, match="already"):
            registry.register("churn", 1, **options)  # type: ignore[arg-type]
    for name in ("a b", "-d", "..", "a~1"):
        with pytest.raises(BadInputError):
            registry.register("churn", 1, git_tag=name)
    assert registry.models() == []


def test_a_tag_that_fails_afterwards_leaves_the_version_and_says_so(registry: Registry) -> None:
    """The training is not lost over a name in another tool."""
    git("tag", "churn-v1.0.0")  # the name is only known when the version has it
    version = registry.register("churn", {"long": "training"}, git_tag=True)

    assert version.load() == {"long": "training"}
    assert version.row.git_tag == ""
    assert "the git tag churn-v1.0.0 was not made: git has a tag" in version.warnings[0]
    assert "was not made" in version._repr_mimebundle_()["text/plain"]
    assert version.events[0].kind == "not-tagged"


def test_equal_content_from_other_code_is_not_tagged_with_it(registry: Registry, project: Path) -> None:
    """The version that is there was made by an earlier commit."""
    first = registry.register("churn", 1)
    (project / "train.py").write_text("C = 2\n")
    git("commit", "-qam", "second")
    again = registry.register("churn", 1, git_tag=True)

    assert (again == first, git("tag")) == (True, "")
    assert "was made from" in again.warnings[-1]


@pytest.mark.parametrize("options", [{"git_tag": True}, {"git_tag": "release"}])
def test_a_cell_that_runs_again_is_not_refused_for_its_own_tag(
    registry: Registry, project: Path, options: dict[str, object]
) -> None:
    """Restart and run all: equal content is the version that is there, and its tag is the one it has."""
    first = registry.register("churn", 1, version="1.0.0", **options)  # type: ignore[arg-type]
    lines = len(registry.events())
    (project / "train.py").write_text("C = 2\n")
    git("commit", "-qam", "second")
    again = registry.register("churn", 1, version="1.0.0", **options)  # type: ignore[arg-type]

    assert (again, again.row.git_tag, again.warnings) == (first, first.row.git_tag, [])
    assert len(registry.events()) == lines + 1


def test_a_tag_that_a_killed_process_made_is_the_versions(registry: Registry, project: Path) -> None:
    """Killed between git's tag and the journal's line, the next registration says what is so."""
    version = registry.register("churn", 1)
    git("tag", "-a", "-m", f"x\n\nnbreg: churn@sha256:{version.id}", "churn-v1.0.0")
    assert registry.register("churn", 1, git_tag=True).row.git_tag == "churn-v1.0.0"

    other = registry.register("churn", 2)
    git("tag", "-a", "-m", f"x\n\nnbreg: churn@sha256:{version.id}", "taken")
    assert registry.register("churn", 2, git_tag="taken").row.git_tag == ""
    assert "git has a tag 'taken' already" in other.warnings[-1]


def test_a_signing_program_that_waits_for_somebody_is_ended(
    registry: Registry, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A passphrase is asked for where nobody is: the registration goes on, and nothing is left behind."""
    monkeypatch.setattr(tags, "SECONDS", 3.0)
    waiting = tmp_path / "waiting"
    os.mkfifo(waiting)
    signer = tmp_path / "signer"
    signer.write_text(f"#!/bin/sh\nexec 9>'{waiting}'\necho here >&9\nsleep 600\n")
    signer.chmod(0o755)
    git("config", "gpg.program", str(signer))
    git("config", "tag.gpgSign", "true")
    fd = os.open(waiting, os.O_RDONLY | os.O_NONBLOCK)
    try:
        version = registry.register("churn", 1, git_tag=True)
        poll = select.poll()
        poll.register(fd, 0)
        is_over = poll.poll(20_000)
        said = os.read(fd, 100)
    finally:
        os.close(fd)

    assert (version.row.git_tag, said) == ("", b"here\n")
    assert is_over, "what holds the other end still runs"


def test_what_a_run_logged_is_not_tagged_with_later_code(registry: Registry, project: Path) -> None:
    """A model is logged on Monday and registered on Tuesday: the tag is of Monday's code, or is not made."""
    with nbreg.start_run(registry=registry) as run:
        run.log_model({"weights": 1}, name="model")
    (project / "train.py").write_text("C = 2\n")
    git("commit", "-qam", "second")
    version = run.register("churn", git_tag=True)

    assert (version.row.git_tag, git("tag")) == ("", "")
    assert "was made from" in version.warnings[-1]


def test_another_tag_for_a_version_that_has_one_is_said(registry: Registry) -> None:
    """A wish that is not fulfilled is told, and the tag that is there stays."""
    registry.register("churn", 1, git_tag=True)
    again = registry.register("churn", 1, git_tag="release")

    assert (again.row.git_tag, git("tag")) == ("churn-v1.0.0", "churn-v1.0.0")
    assert (
        again.warnings[-1] == "the git tag release was not made: churn@1.0.0 has the tag churn-v1.0.0 already"
    )


def test_without_a_repository_nothing_is_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for is asked for."""
    import nbreg.capture.context as context

    monkeypatch.setattr(context.ScriptContext, "folder", str(tmp_path))
    registry = Registry(tmp_path / "registry")
    with pytest.raises(BadInputError, match="no git repository"):
        registry.register("churn", 1, git_tag=True)
    git("-C", str(tmp_path), "init", "-q")
    with pytest.raises(BadInputError, match="no commit"):
        registry.register("churn", 1, git_tag=True)
    assert registry.models() == []
