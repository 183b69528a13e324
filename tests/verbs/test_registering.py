"""What `register` takes, what it refuses, and what it keeps of what it was given."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from versions import Clock, lines

from nbreg import Registry
from nbreg.errors import (
    BadInputError,
    BadValueError,
    CannotLoadError,
    ConflictError,
    NameTakenError,
    TransitionError,
    UnknownArtifactError,
    UnknownModelError,
    UnknownStageError,
    UnknownVersionError,
)
from nbreg.records import Actor
from nbreg.settings import Settings


def test_a_version_is_numbered_named_and_identified(registry: Registry, clock: Clock) -> None:
    """The three ways to mean it, and what it tells of itself."""
    version = registry.register(
        "risk/churn", {"w": [1.0]}, description="first", tags=["baseline", "baseline", " x "], message="hello",
        metrics={"auc": 1}, params={"C": 0.5, "deep": {"l": (1, None)}}, content={"note": "é"}, reason="Start",
    )  # fmt: skip
    assert (version.model, version.number, version.name, version.ref) == (
        "risk/churn", 1, "1.0.0", "risk/churn@1.0.0",
    )  # fmt: skip
    assert (version.stage, version.tags, version.description) == ("none", ["baseline", "x"], "first")
    assert (version.metrics, version.params) == ({"auc": 1.0}, {"C": 0.5, "deep": {"l": [1, None]}})
    assert (version.content, version.message, version.existing) == ({"note": "é"}, "hello", False)
    assert (version.bump, version.bump_reason, version.actor.user) == (None, "first version", "ada")
    assert len(version.id) == len(version.content_digest) == 64
    assert version.created.startswith("2026-02-01T12:00:")
    assert version.manifest.environment.missing
    assert version.load() == {"w": [1.0]}
    assert repr(version) == "<ModelVersion risk/churn 1.0.0 #1 none>"
    (event,) = registry.events()
    assert (event.kind, event.reason, event.message, event.number) == ("registered", "Start", "hello", 1)
    assert event.by == Actor(user="ada", host="lab")
    for ref in (
        "@1",
        "@1.0.0",
        "@v1.0.0",
        "@latest",
        f"@sha256:{version.id}",
        f"@sha256:{version.id[:8]}",
        "",
    ):
        assert registry.get("risk/churn" + ref) == version
    assert registry.pin("risk/churn") == f"risk/churn@sha256:{version.id}"


def test_a_text_that_is_the_path_of_a_file_is_doubtful(registry: Registry, tmp_path: Path) -> None:
    """`register("s", "m.pkl")` stores five characters, which is seldom what was meant."""
    file = tmp_path / "m.pkl"
    file.write_bytes(b"bytes")
    told = f"{str(file)!r} was stored as text; pathlib.Path({str(file)!r}) stores the file"
    assert told in registry.register("s", str(file)).row.warnings
    assert f"note: {told}" in registry.register("t", 1, artifacts={"note": str(file)}).row.warnings
    assert not any("stored as text" in each for each in registry.register("u", "no.pkl").row.warnings)
    assert not any("stored as text" in each for each in registry.register("v", file).row.warnings)


def test_artifacts_are_objects_files_and_folders(registry: Registry, tmp_path: Path) -> None:
    """A path is a file; a string is data."""
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "run.sh").write_text("#!")
    (folder / "sub" / "run.sh").chmod(0o755)
    (folder / "empty").write_bytes(b"")
    version = registry.register(
        "churn",
        artifacts={"file": folder / "empty", "folder": folder, "text": str(folder), "big": tmp_path / "big"}
        if (tmp_path / "big").write_bytes(b"x" * 500_000)
        else None,
    )
    assert set(version.artifacts) == {"file", "folder", "text", "big"}
    loaded = version.load("folder")
    assert sorted(path.relative_to(loaded).as_posix() for path in loaded.rglob("*")) == [
        "empty", "sub", "sub/run.sh",
    ]  # fmt: skip
    assert os.access(loaded / "sub" / "run.sh", os.X_OK)
    assert version.load("file").read_bytes() == b""
    assert version.load("text") == str(folder)
    assert version.load("big").stat().st_size == 500_000
    with pytest.raises(UnknownArtifactError, match="no artifact 'model'"):
        version.load()
    with pytest.raises(BadInputError, match="nothing to register"):
        registry.register("churn")


def test_a_project_s_folder_is_stored_without_its_history_and_its_registry(tmp_path: Path) -> None:
    """`nbreg register m .` would store all models in each version of the one."""
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (project / "sub" / "models").mkdir(parents=True)
    for name in (".git/config", "sub/models/registry.jsonl", "sub/.gitignore", "weights"):
        (project / name).write_text("x")
    registry = Registry(project / ".nbreg")

    one, two = (registry.register("m", project, content={"n": n}) for n in (1, 2))

    assert [each.path for each in one.manifest.artifacts[0].files] == ["sub/.gitignore", "weights"]
    assert one.manifest.artifacts[0].token == two.manifest.artifacts[0].token
    assert one.warnings == [
        f"model is stored without {name}, which is no part of a model"
        for name in (".git", ".nbreg", "sub/models")
    ]


def test_registering_into_a_stage_is_one_line(registry: Registry) -> None:
    """Never registered and not yet staged."""
    first, second = (registry.register("churn", n, stage="production") for n in (1, 2))
    assert lines(registry) == 2
    assert (first.stage, second.stage) == ("archived", "production")
    assert registry.register("churn", 3, stage="none").stage == "none"
    for stage, error in (("archived", TransitionError), ("nowhere", UnknownStageError)):
        with pytest.raises(error):
            registry.register("churn", 4, stage=stage)
    assert lines(registry) == 3


def test_check_finds_before_the_training_what_register_would_after(registry: Registry) -> None:
    """An hour of training must not end in a taken name."""
    registry.check("new/model", version="1.0.0")
    assert registry.models() == []
    registry.register("churn", 1, version="gold")
    registry.check("churn", version="silver", stage="staging", metrics={"a": 1})
    for options in (
        {"version": "gold"}, {"version": "1"}, {"stage": "nowhere"}, {"bump": "huge"},
        {"version": "{nothing}"}, {"base": "churn@9"}, {"force": True}, {"parent": "other@1"},
        {"tags": "word"}, {"version": "2.0.0", "bump": "major"},
    ):  # fmt: skip
        with pytest.raises((BadInputError, ConflictError, UnknownStageError, UnknownVersionError, UnknownModelError)):  # fmt: skip
            registry.check("churn", **options)
    with pytest.raises(NameTakenError):
        registry.check("Churn")
    assert lines(registry) == 1


def test_a_preview_writes_nothing(tmp_path: Path) -> None:
    """A dry run leaves no trace."""
    registry = Registry(tmp_path / "r", settings=Settings(capture=False))
    manifest = registry.preview("churn", {"n": 1}, params={"a": 1})
    assert not registry.location.exists()
    version = registry.register("churn", {"n": 1}, params={"a": 1})
    assert manifest.content_digest == version.content_digest
    assert manifest.artifacts == version.manifest.artifacts


def test_metrics_are_plain_numbers(registry: Registry) -> None:
    """What cannot be compared is not a metric."""
    for bad in ({"a": "high"}, {"a": True}, {"a": None}, {"a": [1]}, [1], 5, {1: 2}):
        with pytest.raises(BadValueError):
            registry.register("churn", 1, metrics=bad)  # type: ignore[arg-type]
    assert registry.models() == []


def test_parameters_are_told_and_never_refused(registry: Registry) -> None:
    """`get_params()` holds NaN and estimators; a version is not lost over them."""
    given = {"missing": float("nan"), "steps": [("a", Path), registry], "deep": {"f": len, "n": 1}, "C": 0.5}

    version = registry.register("churn", 1, params=given)

    assert version.params == {
        "missing": "nan",
        "steps": [["a", f"<{Path.__module__}.Path>"], "<nbreg.registry.core.Registry>"],
        "deep": {"f": "<builtins.builtin_function_or_method>", "n": 1},
        "C": 0.5,
    }
    with pytest.raises(BadValueError):
        registry.register("churn", 2, metrics={"missing": float("nan")})


def test_the_environment_tells_what_the_model_needs(tmp_path: Path) -> None:
    """Drift in what was merely imported is no drift of the model."""
    registry = Registry(tmp_path / "captured")
    version = registry.register("churn", np.arange(3))

    needed = [each.name for each in version.environment.distributions if each.needed]
    assert needed == ["numpy"]
    assert any(each.imported and not each.needed for each in version.environment.distributions)
    by_cloudpickle = registry.register("lambdas", lambda x: x)
    assert {each.needed for each in by_cloudpickle.environment.distributions} == {None}


def test_what_cannot_be_made_again_here_says_what_is_missing(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class of an installed module that is not here is no puzzle of the unpickler's."""
    site = tmp_path / "site-packages"
    site.mkdir()
    (site / "gone_tomorrow.py").write_text("class Net:\n    pass\n")
    monkeypatch.syspath_prepend(str(site))
    module = importlib.import_module("gone_tomorrow")
    registry.register("net", module.Net())
    del sys.modules["gone_tomorrow"]
    monkeypatch.undo()

    with pytest.raises(CannotLoadError) as refusal:
        registry.load("net@1", trust=True)
    assert str(refusal.value) == "gone_tomorrow.Net needs the module 'gone_tomorrow', which is not here"
    assert refusal.value.__notes__ == [f"hint: {refusal.value.hint}"]
