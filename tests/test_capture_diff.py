"""The uncommitted difference of a project, asked of real repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from nbreg.capture.project import diff as under_test
from nbreg.capture.project.diff import DIFF_BYTES, redacted_diff
from nbreg.capture.project.git import GitStatus
from nbreg.capture.project.source import source_summary
from nbreg.capture.secrets import Redactor
from nbreg.records import Source


def git(folder: Path, *arguments: str, given: str = "") -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, input=given).stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "train.py").write_text("x = 1\ny = 2\n")
    (folder / "settings.ini").write_text("rows = 1\n")
    (folder / "analysis.ipynb").write_text("{}\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def diff(folder: Path, registry: Path | None = None) -> str:
    found, why = GitStatus(str(folder), registry).join()
    assert found is not None, why
    return redacted_diff(found.diff, Redactor())


def test_the_difference_applies_to_the_commit_and_gives_the_code_back(project: Path) -> None:
    """A commit with changes on top is code again only with the changes."""
    (project / "train.py").write_text("x = 1\ny = 3\n")
    (project / "sub").mkdir()
    (project / "sub" / "new.py").write_text("z = 1\n")
    git(project, "add", "sub")

    found = diff(project / "sub")
    git(project, "stash", "-q")
    git(project, "apply", "-", given=found)

    assert (project / "train.py").read_text() == "x = 1\ny = 3\n"
    assert (project / "sub" / "new.py").read_text() == "z = 1\n"


def test_a_clean_project_has_none_and_one_without_commits_neither(project: Path, tmp_path: Path) -> None:
    """Nothing is there to tell, and that is no failure."""
    git(tmp_path, "init", "-q", "-b", "trunk")
    (tmp_path / "a.py").write_text("")

    assert diff(project) == ""
    assert diff(tmp_path) == ""


def test_the_users_settings_do_not_change_the_form(project: Path) -> None:
    """Equal changes are equal bytes, on whoever's machine."""
    (project / "train.py").write_text("x = 1\ny = 3\n")
    plain = diff(project)
    settings = (("diff.noprefix", "true"), ("color.ui", "always"), ("diff.mnemonicPrefix", "true"),
                ("diff.context", "0"), ("diff.algorithm", "histogram"))  # fmt: skip
    for key, value in settings:
        git(project, "config", key, value)

    assert diff(project) == plain
    assert "diff --git a/train.py b/train.py" in plain


def test_nothing_that_a_repository_names_is_run(project: Path, tmp_path: Path) -> None:
    """A cloned project may ask for an external diff or a converter for its files."""
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for key in ("diff.external", "diff.own.command", "diff.own.textconv", "core.fsmonitor", "core.pager"):
        git(project, "config", key, str(trap))
    (project / ".gitattributes").write_text("*.py diff=own\n")
    (project / "train.py").write_text("x = 1\ny = 3\n")

    assert "+y = 3" in diff(project)
    assert not (tmp_path / "sprung").exists()


def test_notebooks_keys_and_the_registry_are_left_out(project: Path) -> None:
    """Cells are in the recipe; outputs may hold rows of data; a key is for nobody."""
    registry = project / ".nbreg"
    registry.mkdir()
    names = (".nbreg/registry.jsonl", "deploy.pem", "sub/.env", ".env.local")
    (project / "sub").mkdir()
    for name in names:
        (project / name).write_text("one\n")
    git(project, "add", "-f", ".")
    git(project, "commit", "-q", "-m", "second")
    for name in (*names, "analysis.ipynb", "train.py"):
        (project / name).write_text("two\n")

    found = diff(project, registry)

    assert [line for line in found.splitlines() if line.startswith("diff ")] == [
        "diff --git a/train.py b/train.py"
    ]


def test_the_difference_holds_no_secret(project: Path) -> None:
    """The commonest uncommitted change is a password put in for a moment."""
    (project / "train.py").write_text('x = 1\nAPI_KEY = "hunter2-hunter2"\ny = 2\n')
    (project / "settings.ini").write_text("rows = 1\npassword=hunter2-hunter2\n")

    found = diff(project)

    assert "hunter2" not in found
    assert '+API_KEY = "‹redacted: key›"' in found
    assert "+password=‹redacted: password›" in found
    assert " x = 1" in found


def test_a_secret_of_several_lines_costs_the_file(project: Path) -> None:
    """Half a private key is still most of one."""
    body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n" * 4
    key = f"-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n"
    (project / "settings.ini").write_text(key)
    (project / "train.py").write_text("x = 1\ny = 3\n")

    found = diff(project)

    assert "MIIEvQ" not in found
    assert "diff --git a/settings.ini b/settings.ini\n# withheld: a secret of several lines\n" in found
    assert "+y = 3" in found


def test_a_great_difference_is_cut_between_files_and_says_so(project: Path) -> None:
    """A tracked table of data must not become the largest part of a version."""
    (project / "train.py").write_text("x = 1\ny = 3\n" + "# more\n" * (DIFF_BYTES // 6))
    (project / "a.py").write_text("first = 1\n")
    git(project, "add", "a.py")

    found = diff(project)

    assert "+first = 1" in found
    assert "more" not in found.replace("# cut here", "")
    assert found.endswith("# cut here: the diff is larger than 512 KiB\n")


def test_a_difference_that_takes_too_long_is_given_up_and_the_state_stays(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project on a slow network drive must not hold up a registration, nor lose its commit."""
    real = shutil.which("git")
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\ncase "$*" in *" diff HEAD "*) exec sleep 600;; esac\nexec {real} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(under_test, "DIFF_SECONDS", 0.01)
    (project / "train.py").write_text("x = 3\n")

    state, why = GitStatus(str(project), None).join()

    assert (state.branch if state else why) == "main"
    assert state is not None
    assert state.diff == "# not captured: git took too long\n"


def test_the_summary_counts_changed_lines(project: Path) -> None:
    """A card tells one line from a thousand."""
    (project / "train.py").write_text("x = 1\ny = 3\nz = 4\n")
    state, _ = GitStatus(str(project), None).join()

    assert source_summary(Source(git=state))["diff"] == 3
