"""Which folder a registry is in, that git does not see it, and that many cost no descriptors."""

from __future__ import annotations

import gc
import subprocess
from pathlib import Path

import pytest
from children import open_descriptors
from versions import three

from nbreg import Registry
from nbreg.errors import BadInputError


def test_where_the_registry_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As given, else by environment, else the nearest upward, else the project's root."""
    project = tmp_path / "project"
    deep = project / "notebooks" / "deep"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert Registry().location == deep / ".nbreg"
    (project / ".git").mkdir()
    assert Registry().location == project / ".nbreg"
    Registry(project / "notebooks" / ".nbreg").register("churn", 1)
    assert Registry().location == project / "notebooks" / ".nbreg"
    monkeypatch.setenv("NBREG_REGISTRY", str(tmp_path / "elsewhere"))
    assert Registry().location == tmp_path / "elsewhere"
    assert Registry("here").location == deep / "here"
    with pytest.raises(BadInputError, match="not supported yet"):
        Registry("postgresql://x")
    (deep / "file").touch()
    with pytest.raises(BadInputError, match="is a file"):
        Registry(deep / "file")


def test_a_project_folder_gets_its_registry_inside(tmp_path: Path) -> None:
    """Naming a project never makes git ignore all of it."""
    (tmp_path / "train.py").write_text("")

    registry = Registry(tmp_path)
    registry.register("churn", 1)

    assert registry.location == tmp_path / ".nbreg"
    assert not (tmp_path / ".gitignore").exists()
    assert Registry(tmp_path / ".nbreg").get("churn").number == 1
    assert Registry(tmp_path / "new").location == tmp_path / "new"


def test_git_does_not_see_the_registry(tmp_path: Path) -> None:
    """Nobody commits gigabytes by `git add .`."""
    project = tmp_path / "project"
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    Registry(project / ".nbreg").register("churn", 1)
    status = subprocess.run(
        ["git", "-C", str(project), "status", "--porcelain", "--untracked-files=all"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert status.stdout == ""


def test_two_hundred_models_cost_no_descriptors(registry: Registry) -> None:
    """A registry of a company, walked through in one kernel."""
    gc.collect()
    at_first = open_descriptors()  # other tests may have left some open
    for i in range(200):
        registry.register(f"m{i}", i)
    gc.collect()
    before = open_descriptors()
    for i in range(200):
        assert registry.load(f"m{i}") == i
    registry.verify()
    registry.purge(dry_run=False)
    gc.collect()
    assert open_descriptors() <= before + 5
    assert before - at_first < 150
    registry.close()
    assert open_descriptors() <= at_first + 5
    assert registry.load("m7") == 7


def test_opening_registries_over_and_over_costs_no_descriptors(registry: Registry) -> None:
    """`nbreg.load(…)` opens one each time."""
    three(registry)
    gc.collect()
    before = open_descriptors()
    for _ in range(100):
        assert Registry(registry.location).load("churn@1") == {"n": 1}
    gc.collect()
    assert open_descriptors() <= before
