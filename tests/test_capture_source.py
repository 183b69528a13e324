"""The state of the project's git, asked of real repositories, and what a plain script is known by."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from nbreg.capture.project.git import GitStatus, find_repository, parse_status, read_remotes
from nbreg.capture.project.source import capture_source, source_summary
from nbreg.capture.secrets import Redactor
from nbreg.records import Git, Source, canonical


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "train.py").write_text("x = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def state(folder: Path, registry: Path | None = None) -> Git:
    found, why = GitStatus(str(folder), registry).join()
    assert found is not None, why
    return found


def test_a_clean_project_is_its_commit_and_branch(project: Path) -> None:
    """The commit alone gives the code back."""
    assert state(project) == Git(commit=git(project, "rev-parse", "HEAD"), branch="main", dirty=False)


def test_what_is_changed_is_named(project: Path) -> None:
    """A commit with changes on top does not give the code back, and somebody must be told which files."""
    (project / "train.py").write_text("x = 2\n")
    (project / "new file é.py").write_text("")
    (project / "sub").mkdir()
    (project / "sub" / "staged.py").write_text("")
    git(project, "add", "sub")

    found = state(project / "sub")

    assert found.dirty
    assert found.changed == ["new file é.py", "sub/staged.py", "train.py"]


def test_a_renamed_file_counts_by_its_new_name(project: Path) -> None:
    """One change must not be told as two."""
    git(project, "mv", "train.py", "fit.py")

    assert state(project).changed == ["fit.py"]


def test_the_registry_does_not_make_the_project_dirty(project: Path) -> None:
    """Otherwise the second registration of every project would be dirty by the first."""
    registry = project / "models" / ".nbreg"
    registry.mkdir(parents=True)
    (registry / "registry.jsonl").write_text("{}\n")

    assert state(project, registry).dirty is False
    assert state(project, project.parent / "elsewhere").changed == ["models/"]


def test_a_detached_head_has_a_commit_and_no_branch(project: Path) -> None:
    """CI checks out commits, not branches."""
    git(project, "checkout", "-q", "--detach")

    found = state(project)

    assert (found.commit, found.branch) == (git(project, "rev-parse", "HEAD"), "")


def test_a_repository_without_commits_is_described_as_far_as_it_goes(tmp_path: Path) -> None:
    """`git init` and a first notebook is how most projects start."""
    git(tmp_path, "init", "-q", "-b", "trunk")
    (tmp_path / "a.py").write_text("")

    found = state(tmp_path)

    assert (found.commit, found.branch, found.dirty) == ("", "trunk", True)


def test_a_worktree_has_its_own_branch_and_the_repositorys_remotes(project: Path, tmp_path: Path) -> None:
    """A worktree's `.git` is a file, and its configuration is somewhere else."""
    git(project, "remote", "add", "origin", "https://host/r.git")
    git(project, "worktree", "add", "-q", "-b", "feature", str(tmp_path / "tree"))

    found = state(tmp_path / "tree")

    assert (found.branch, found.dirty, found.remotes) == ("feature", False, {"origin": "https://host/r.git"})


def test_remotes_are_read_without_credentials(project: Path) -> None:
    """Tokens in remotes are common where there is no credential helper, as on JupyterHub."""
    git(project, "remote", "add", "origin", "https://bob:hunter2@host/r.git")
    git(project, "remote", "add", 'odd"name', "https://ghs_abcdefghij0123456789@host/r.git")
    git(project, "remote", "add", "ssh", "git@host:o/r.git")
    git(project, "remote", "set-url", "--push", "origin", "https://bob:hunter2@push/r.git")

    found = state(project).remotes

    assert found["origin"] == "https://host/r.git"
    assert found["ssh"] == "git@host:o/r.git"
    assert b"hunter2" not in canonical(state(project))
    assert b"ghs_" not in canonical(state(project))
    assert read_remotes(project / ".git" / "config") == found


def test_a_folder_that_is_no_repository_says_so(tmp_path: Path) -> None:
    """No git is no failure, and no process is started to find out."""
    assert GitStatus(str(tmp_path), None).join() == (None, "not in a git repository")
    assert find_repository(str(tmp_path)) is None


def test_a_machine_without_git_says_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slim containers have the folder and not the program."""
    monkeypatch.setenv("PATH", str(project))

    assert GitStatus(str(project), None).join() == (None, "git is not installed")


def test_a_broken_repository_says_so(project: Path) -> None:
    """Half a clone must not cost the version its other parts."""
    (project / ".git" / "HEAD").write_text("nonsense")

    assert GitStatus(str(project), None).join() == (None, "git ended with 128")


def test_looking_at_a_repository_runs_nothing_of_its_own_and_writes_nothing(
    project: Path, tmp_path: Path
) -> None:
    """A cloned repository's configuration may name programs; and another git may hold the index."""
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    git(project, "config", "core.fsmonitor", str(trap))
    (project / "train.py").touch()
    index = (project / ".git" / "index").read_bytes()

    assert state(project).dirty is False
    assert not (tmp_path / "sprung").exists()
    assert (project / ".git" / "index").read_bytes() == index


def test_a_hooks_environment_does_not_point_git_elsewhere(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registration from a pre-commit hook of another repository is about this one."""
    monkeypatch.setenv("GIT_DIR", str(project / "nowhere"))

    assert state(project).branch == "main"


def test_a_great_many_changes_are_counted_rather_than_listed() -> None:
    """A forgotten data folder must not become the largest part of a version."""
    output = b"# branch.oid abc\0# branch.head main\0" + b"".join(b"? f%04d\0" % n for n in range(1000))

    found = parse_status(output)

    assert len(found.changed) == 201
    assert found.changed[-1] == "… and 800 more"


SCRIPT = """
import sys
from collections.abc import Mapping
from pathlib import Path
from nbreg.capture import begin
from nbreg.capture.context import current_context
from nbreg.records import canonical
from nbreg.settings import Settings

API_KEY = "hunter2-hunter2"
rows = 42
capture = begin(current_context(), Settings()).finish()
for name, part in capture.parts.items():
    Path(f"{name}.json").write_bytes(canonical(part.record))
"""


def test_a_plain_script_is_kept_with_its_arguments_and_without_its_secrets(project: Path) -> None:
    """A nightly job has no cells; its text and arguments are its recipe."""
    script = project / "job.py"
    script.write_text(SCRIPT)
    subprocess.run(
        [sys.executable, str(script), "--rows", "42", "--password", "hunter2-hunter2"],
        cwd=project,
        check=True,
    )

    source = json.loads((project / "source.json").read_text())
    variables = json.loads((project / "variables.json").read_text())["variables"]

    assert source["script"] == SCRIPT.replace("hunter2-hunter2", "‹redacted: known-value›")
    assert source["argv"] == [str(script), "--rows", "42", "--password", "‹redacted: password›"]
    assert source["git"]["branch"] == "main"
    assert {each["name"]: each["value"] for each in variables if each["type"] == "int"} == {"rows": 42}
    assert "hunter2" not in "".join(path.read_text() for path in project.glob("*.json"))


def test_the_summary_says_why_there_is_no_git() -> None:
    """A card with a hole in it would look like a mistake of nbreg's."""
    assert source_summary(Source(git_missing="git is not installed")) == {
        "git": "not captured: git is not installed"
    }
    git = Git(commit="0123456789abcdef", branch="main", dirty=True)
    assert source_summary(Source(git=git)) == {"commit": "0123456789", "branch": "main", "dirty": True}


class Notebook:
    """A notebook's context, as far as its source is concerned."""

    kind = "notebook"
    script = "ipykernel_launcher.py"
    notebook = "analysis.ipynb"
    namespace: Mapping[str, object] = {}
    executions = ()

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)


def test_capture_source_keeps_no_script_for_a_notebook(project: Path) -> None:
    """The kernel's own launcher is not the user's script."""
    source = capture_source(Notebook(project), GitStatus(str(project), None), Redactor())  # type: ignore[arg-type]

    assert (source.script, source.argv, source.notebook) == ("", [], "analysis.ipynb")
