"""What is compared in these tests: models as they are trained, and records as a kernel leaves them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from nbreg import Registry, changes
from nbreg.records import Actor, Artifact, Captured, Manifest, canonical, digest_of

NAMES = ["radius", "texture", "area"]
X, Y = load_breast_cancer(return_X_y=True, as_frame=True)
X = X[["mean radius", "mean texture", "mean area"]].set_axis(NAMES, axis=1).iloc[:200]
Y = Y.iloc[:200]


class Made(NamedTuple):
    """What is registered: a model, and what with it."""

    model: object
    with_: dict[str, Any] = {}


def step(tmp_path: Path, first: Made, second: Made) -> tuple[str | None, str]:
    """The bump and the reason of the second version."""
    registry = Registry(tmp_path / "r")
    registry.register("m", first.model, new=True, **first.with_)
    version = registry.register("m", second.model, new=True, **second.with_)
    return version.bump, version.bump_reason


def fitted(model: Any, frame: Any = X, target: Any = None, **with_: Any) -> Made:
    return Made(
        model.fit(frame, Y.iloc[: len(frame)] if target is None else target),
        {"data": {"Xtr": frame}, **with_},
    )


def pipe(*steps: Any, frame: Any = X, target: Any = None, **with_: Any) -> Made:
    return fitted(make_pipeline(*steps), frame, target, **with_)


def lr(**params: Any) -> LogisticRegression:
    return LogisticRegression(max_iter=50, **params)


def split(*columns: list[str], **params: Any) -> Pipeline:
    parts = [(f"part{i}", StandardScaler(**params), each) for i, each in enumerate(columns)]
    return make_pipeline(ColumnTransformer(parts), lr())


def search(grid: dict[str, Any], estimator: Any = None) -> GridSearchCV:
    return GridSearchCV(estimator or lr(), grid, cv=2)


def library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        pytest.skip(f"{name} does not import here: {error}")


def side(*, token: str = "a", described: Any = None, **parts: Any) -> changes.Side:
    """A version of which just this was captured."""
    sections = {name: Captured(digest=digest_of(canonical(part))) for name, part in parts.items()}
    known = {"architecture": {"class": "m.Model"}, "features": ["a"]}
    manifest = Manifest(
        created="2026-02-09T00:00:00.000000Z",
        actor=Actor(user="ada"),
        content_digest="",
        artifacts=[Artifact(name="model", kind="object", family="generic", form="pickle5", token=token)],
        described=known if described is None else described,
        **sections,
    )
    return changes.Side(manifest, lambda name, kind: parts[name])
