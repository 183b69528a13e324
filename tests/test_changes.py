"""Which step a new version is from the one before, and the sentence that says why: over real models."""

from __future__ import annotations

import fcntl
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from nbreg import Registry, changes
from nbreg.changes import inputs
from nbreg.records import (
    Actor,
    Artifact,
    Captured,
    Data,
    DataLink,
    Execution,
    Git,
    Manifest,
    Recipe,
    Signature,
    Source,
    canonical,
    digest_of,
)

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


OTHER = X.assign(area=X["area"] + 1)
SKLEARN: list[tuple[str, Callable[[], Made], Callable[[], Made], str]] = [
    (
        "fewer rows",
        lambda: pipe(StandardScaler(), lr()),
        lambda: pipe(StandardScaler(), lr(), frame=X.iloc[:150]),
        "minor: training data changed (200 → 150 rows), same architecture and features",
    ),
    (
        "other values in one column",
        lambda: pipe(StandardScaler(), lr()),
        lambda: pipe(StandardScaler(), lr(), frame=OTHER),
        "minor: training data changed (other values in area), same architecture and features",
    ),
    (
        "other values everywhere",
        lambda: pipe(StandardScaler(), lr()),
        lambda: pipe(StandardScaler(), lr(), frame=X * 2),
        "minor: training data changed (other values in all 3 columns), same architecture and features",
    ),
    (
        "another column that the model does not take",
        lambda: Made(lr().fit(X, Y), {"data": {"Xtr": X}}),
        lambda: Made(lr().fit(X, Y), {"data": {"Xtr": X.assign(note=1)}}),
        "minor: training data changed (note added), same architecture and features",
    ),
    (
        "the frame has another name",
        lambda: Made(lr().fit(X, Y), {"data": {"Xtr": X}}),
        lambda: Made(lr(C=2).fit(X, Y), {"data": {"train": X}}),
        "patch: hyperparameters changed (C 1 → 2), same architecture, features and data",
    ),
    (
        "the frame has another name and other rows",
        lambda: Made(lr().fit(X, Y), {"data": {"Xtr": X}}),
        lambda: Made(lr().fit(X[:99], Y[:99]), {"data": {"train": X[:99]}}),
        "minor: training data changed (200 → 99 rows), same architecture and features",
    ),
    (
        "only the test set",
        lambda: Made(lr().fit(X, Y), {"data": {"Xtr": X, "Xte": X[:50]}}),
        lambda: Made(lr().fit(X, Y), {"data": {"Xtr": X, "Xte": X[:60]}}),
        "patch: only Xte data changed",
    ),
    (
        "regularisation",
        lambda: pipe(StandardScaler(), lr(C=0.5)),
        lambda: pipe(StandardScaler(), lr(C=1.0)),
        "patch: hyperparameters changed (C 0.5 → 1), same architecture, features and data",
    ),
    (
        "how many jobs",
        lambda: fitted(RandomForestClassifier(5, random_state=0)),
        lambda: fitted(RandomForestClassifier(5, random_state=0, n_jobs=1)),
        "patch: hyperparameters changed (n_jobs none → 1), same architecture, features and data",
    ),
    (
        "how many trees",
        lambda: fitted(RandomForestClassifier(5, random_state=0)),
        lambda: fitted(RandomForestClassifier(9, random_state=0)),
        "patch: hyperparameters changed (n_estimators 5 → 9), same architecture, features and data",
    ),
    (
        "rows and hyperparameters",
        lambda: pipe(StandardScaler(), lr(C=0.5)),
        lambda: pipe(StandardScaler(), lr(C=1.0), frame=X.iloc[:150]),
        "minor: training data changed (200 → 150 rows); also hyperparameters changed (C 0.5 → 1), "
        "same architecture and features",
    ),
    (
        "another estimator",
        lambda: pipe(StandardScaler(), lr()),
        lambda: pipe(StandardScaler(), SVC()),
        "major: architecture changed (LogisticRegression → SVC), same features",
    ),
    (
        "a step more",
        lambda: pipe(StandardScaler(), lr()),
        lambda: pipe(StandardScaler(), PCA(2), lr()),
        "major: architecture changed (PCA added), same features",
    ),
    (
        "a step less",
        lambda: pipe(StandardScaler(), PCA(2), lr()),
        lambda: pipe(StandardScaler(), lr()),
        "major: architecture changed (PCA removed), same features",
    ),
    (
        "another scaler",
        lambda: pipe(StandardScaler(), lr()),
        lambda: pipe(MinMaxScaler(), lr()),
        "major: architecture changed (StandardScaler → MinMaxScaler), same features",
    ),
    (
        "another order of steps",
        lambda: pipe(StandardScaler(), PCA(3), lr()),
        lambda: pipe(PCA(3), StandardScaler(), lr()),
        "major: architecture changed (order of PCA, StandardScaler, LogisticRegression), same features",
    ),
    (
        "a step deep within",
        lambda: pipe(FeatureUnion([("a", make_pipeline(StandardScaler(), PCA(2)))]), lr()),
        lambda: pipe(FeatureUnion([("a", make_pipeline(MinMaxScaler(), PCA(2)))]), lr()),
        "major: architecture changed (StandardScaler → MinMaxScaler), same features",
    ),
    (
        "steps by other names",
        lambda: fitted(Pipeline([("scale", StandardScaler()), ("lr", lr())])),
        lambda: fitted(Pipeline([("norm", StandardScaler()), ("clf", lr(C=3))])),
        "patch: hyperparameters changed (C 1 → 3), same architecture, features and data",
    ),
    (
        "a parameter of a step that prepares",
        lambda: pipe(StandardScaler(), lr()),
        lambda: pipe(StandardScaler(with_mean=False), lr()),
        "minor: preprocessing changed (standardscaler.with_mean True → False), same architecture, features "
        "and data",
    ),
    (
        "a parameter of a transformer of columns",
        lambda: fitted(split(NAMES)),
        lambda: fitted(split(NAMES, with_std=False)),
        "minor: preprocessing changed (part0.with_std True → False), same architecture, features and data",
    ),
    (
        "transformers work on other columns",
        lambda: fitted(split(["radius"], ["texture", "area"])),
        lambda: fitted(split(["radius", "texture"], ["area"])),
        "minor: preprocessing changed (part0 on radius → radius, texture, part1 on texture, area → area), "
        "same architecture, features and data",
    ),
    (
        "what remains is dropped, or passed",
        lambda: fitted(make_pipeline(ColumnTransformer([("a", StandardScaler(), ["radius"])]), lr())),
        lambda: fitted(
            make_pipeline(
                ColumnTransformer([("a", StandardScaler(), ["radius"])], remainder="passthrough"), lr()
            )
        ),
        "minor: preprocessing changed (columntransformer.remainder drop → passthrough), same architecture, "
        "features and data",
    ),
    (
        "the target is transformed otherwise",
        lambda: fitted(TransformedTargetRegressor(Ridge(), transformer=StandardScaler())),
        lambda: fitted(TransformedTargetRegressor(Ridge(), transformer=StandardScaler(with_mean=False))),
        "minor: preprocessing changed (transformer.with_mean True → False), same architecture, features and data",
    ),
    (
        "a search that finds another value",
        lambda: fitted(search({"C": [0.5]})),
        lambda: fitted(search({"C": [2.0]})),
        "patch: hyperparameters changed (best_params_.C 0.5 → 2), same architecture, features and data",
    ),
    (
        "a search that chooses another estimator",
        lambda: fitted(search({"clf": [lr()]}, Pipeline([("clf", lr())]))),
        lambda: fitted(search({"clf": [DecisionTreeClassifier()]}, Pipeline([("clf", lr())]))),
        "major: architecture changed (LogisticRegression → DecisionTreeClassifier), same features",
    ),
    (
        "layers of a perceptron",
        lambda: fitted(MLPClassifier((4,), max_iter=2, random_state=0)),
        lambda: fitted(MLPClassifier((4, 4), max_iter=2, random_state=0)),
        "major: architecture changed (hidden_layer_sizes [4] → [4, 4]), same features",
    ),
    (
        "a member of a vote",
        lambda: fitted(VotingClassifier([("a", lr()), ("b", SVC())])),
        lambda: fitted(VotingClassifier([("a", lr()), ("b", SVC()), ("c", DecisionTreeClassifier())])),
        "major: architecture changed (DecisionTreeClassifier added), same features",
    ),
    (
        "a feature less",
        lambda: pipe(StandardScaler(), lr()),
        lambda: pipe(StandardScaler(), lr(), frame=X[["radius", "texture"]]),
        "major: inputs that used to work no longer do (area removed), same architecture",
    ),
    (
        "a feature more",
        lambda: pipe(StandardScaler(), lr(), frame=X[["radius", "texture"]]),
        lambda: pipe(StandardScaler(), lr()),
        "major: inputs that used to work no longer do (area added), same architecture",
    ),
    (
        "a feature by another name",
        lambda: pipe(StandardScaler(), lr()),
        lambda: pipe(StandardScaler(), lr(), frame=X.rename(columns={"area": "size"})),
        "major: inputs that used to work no longer do (area renamed to size), same architecture",
    ),
    (
        "features in another order",
        lambda: pipe(StandardScaler(), lr()),
        lambda: pipe(StandardScaler(), lr(), frame=X[["area", "radius", "texture"]]),
        "major: inputs that used to work no longer do (another order), same architecture",
    ),
    (
        "a feature of a wider type",
        lambda: pipe(StandardScaler(), lr(), frame=X.astype({"area": "int64"})),
        lambda: pipe(StandardScaler(), lr()),
        "minor: inputs changed (area widened int64 → float64), and the old ones still work and training data "
        "changed (area int64 → float64), same architecture",
    ),
    (
        "a feature of a narrower type",
        lambda: pipe(StandardScaler(), lr()),
        lambda: pipe(StandardScaler(), lr(), frame=X.astype({"area": "int64"})),
        "major: inputs that used to work no longer do (area float64 → int64), same architecture",
    ),
    (
        "an array that is less wide",
        lambda: fitted(lr(), X.to_numpy()),
        lambda: fitted(lr(), X.to_numpy()[:, :2]),
        "major: inputs that used to work no longer do (3 → 2 features), same architecture",
    ),
    (
        "an array instead of a frame",
        lambda: fitted(lr()),
        lambda: fitted(lr(), X.to_numpy()),
        "minor: inputs changed (named columns → an array), and the old ones still work",
    ),
    (
        "a class more",
        lambda: pipe(StandardScaler(), lr(), target=["a", "b"] * 100),
        lambda: pipe(StandardScaler(), lr(), target=["a", "b", "c", "a"] * 50),
        "minor: outputs changed (class c added), same architecture and features",
    ),
    (
        "a class less",
        lambda: pipe(StandardScaler(), lr(), target=["a", "b", "c", "a"] * 50),
        lambda: pipe(StandardScaler(), lr(), target=["a", "b"] * 100),
        "major: outputs changed (class c gone), same architecture and features",
    ),
    (
        "other metrics",
        lambda: pipe(StandardScaler(), lr(), metrics={"auc": 0.5}),
        lambda: pipe(StandardScaler(), lr(), metrics={"auc": 0.6}),
        "patch: only metrics changed",
    ),
    ("nothing", lambda: pipe(lr()), lambda: pipe(lr()), "patch: nothing changed"),
    (
        "other content",
        lambda: pipe(StandardScaler(), lr(), content={"team": "a"}),
        lambda: pipe(StandardScaler(), lr(), content={"team": "b"}),
        "patch: only content changed",
    ),
    (
        "data that nobody recorded",
        lambda: Made(lr().fit(X, Y)),
        lambda: Made(lr(C=2).fit(X, Y)),
        "patch: hyperparameters changed (C 1 → 2), same architecture and features; "
        "not compared: data (none recorded)",
    ),
    (
        "data that one side recorded",
        lambda: pipe(StandardScaler(), lr()),
        lambda: Made(make_pipeline(StandardScaler(), lr()).fit(X[:150], Y[:150])),
        "minor: nothing but the weights changed, same architecture, features, hyperparameters and code; "
        "not compared: data (none recorded)",
    ),
    (
        "parameters by hand",
        lambda: pipe(StandardScaler(), lr(), params={"lr": 0.1}),
        lambda: pipe(StandardScaler(), lr(C=2), params={"lr": 0.2, "drop": 1}),
        "patch: hyperparameters changed (lr 0.1 → 0.2, drop set to 1), same architecture, features and data",
    ),
    (
        "parameters by hand in one only",
        lambda: pipe(StandardScaler(), lr(), params={"lr": 0.1}),
        lambda: pipe(StandardScaler(), lr(C=2)),
        "minor: nothing but the weights changed, same architecture, features, data and code; "
        "not compared: hyperparameters (told by the model in one, by hand in the other)",
    ),
    (
        "another scaler beside the model",
        lambda: fitted(lr(), artifacts={"scaler": StandardScaler().fit(X)}),
        lambda: fitted(lr(), artifacts={"scaler": StandardScaler().fit(X[:50])}),
        "minor: artifacts changed (scaler), same architecture, features and data",
    ),
]


@pytest.mark.parametrize(
    ("first", "second", "said"), [case[1:] for case in SKLEARN], ids=[c[0] for c in SKLEARN]
)
def test_scikit_learn(
    tmp_path: Path, first: Callable[[], Made], second: Callable[[], Made], said: str
) -> None:
    """The number tells a consumer what to expect, and the sentence a colleague why."""
    bump, reason = step(tmp_path, first(), second())

    assert reason.startswith(said)
    assert reason[len(said) : len(said) + 1] in ("", ",", ")", " ")
    assert bump == said.partition(":")[0]


def library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        pytest.skip(f"{name} does not import here: {error}")


BOOSTED = [
    (
        {},
        {"n_estimators": 5},
        "patch: hyperparameters changed (n_estimators 3 → 5), same architecture and features",
    ),
    (
        {},
        {"learning_rate": 0.3},
        "patch: hyperparameters changed (learning_rate 0.1 → 0.3), same architecture",
    ),
    ({}, {"frame": X[["radius", "area"]]}, "major: inputs that used to work no longer do (texture removed)"),
    ({}, {"frame": X[:150]}, "minor: nothing but the weights changed, same architecture, features, hyperp"),
    (
        {},
        {"kind": "LGBMRegressor"},
        "major: architecture changed (LGBMClassifier → LGBMRegressor), same features",
    ),
]


@pytest.mark.parametrize(("first", "second", "said"), BOOSTED, ids=[case[2][:50] for case in BOOSTED])
def test_boosted_trees(tmp_path: Path, first: dict[str, Any], second: dict[str, Any], said: str) -> None:
    """How many trees there are is a setting, and no architecture."""

    def made(frame: Any = X, kind: str = "LGBMClassifier", **params: Any) -> Made:
        model = getattr(library("lightgbm"), kind)(**{"n_estimators": 3, "verbose": -1, **params})
        return Made(model.fit(frame, Y.iloc[: len(frame)]))

    assert step(tmp_path, made(**first), made(**second))[1].startswith(said)


def test_a_bare_booster_says_how_many_trees_were_wanted(tmp_path: Path) -> None:
    """Without an estimator around it, too."""
    lightgbm = library("lightgbm")

    def made(rounds: int) -> Made:
        data = lightgbm.Dataset(X, Y)
        return Made(lightgbm.train({"objective": "binary", "verbose": -1}, data, rounds))

    reason = step(tmp_path, made(3), made(4))[1]

    assert reason.startswith("patch: hyperparameters changed (num_iterations 3 → 4")


FORMULAS = [
    ("y ~ radius + area", "major: inputs that used to work no longer do (texture removed)"),
    (
        "y ~ radius + texture + area + radius:area",
        "major: inputs that used to work no longer do (radius:area added)",
    ),
]


@pytest.mark.parametrize(("formula", "said"), FORMULAS, ids=[case[0] for case in FORMULAS])
def test_statsmodels(tmp_path: Path, formula: str, said: str) -> None:
    """A formula says what goes in."""
    library("statsmodels")
    import statsmodels.formula.api as smf

    frame = X.assign(y=Y)
    first, second = (smf.ols(each, frame).fit() for each in ("y ~ radius + texture + area", formula))

    assert step(tmp_path, Made(first), Made(second))[1].startswith(said)


def test_another_family_of_a_glm_is_another_architecture(tmp_path: Path) -> None:
    """A Poisson model and a Gaussian one have one class, and are not one model."""
    library("statsmodels")
    import statsmodels.api as sm

    one, other = (sm.GLM(Y, X, family=each).fit() for each in (sm.families.Poisson(), sm.families.Gaussian()))
    reason = step(tmp_path, Made(one), Made(other))[1]

    assert reason.startswith("major: architecture changed (model family Poisson → Gaussian, ")


def _net(torch: Any, **sizes: Any) -> Any:
    nn = torch.nn
    torch.manual_seed(sizes.get("seed", 0))
    layers = [
        nn.Linear(3, sizes.get("hidden", 4)),
        getattr(nn, sizes.get("act", "ReLU"))(),
        nn.Dropout(sizes.get("drop", 0.1)),
        nn.Linear(sizes.get("hidden", 4), sizes.get("out", 2)),
    ]
    return nn.Sequential(*(layers + [nn.Sigmoid()] * sizes.get("more", 0)))


TORCH: list[tuple[dict[str, Any], str]] = [
    ({"hidden": 8}, "major: architecture changed (0 out_features 4 → 8, 3 in_features 4 → 8), same features"),
    ({"act": "Tanh"}, "major: architecture changed (ReLU → Tanh), same features"),
    ({"more": 1}, "major: architecture changed (Sigmoid added), same features"),
    ({"out": 3}, "major: architecture changed (3 out_features 2 → 3), same features"),
    ({"drop": 0.5}, "patch: hyperparameters changed (2.p 0.1 → 0.5), same architecture and features"),
    ({"seed": 1}, "minor: nothing but the weights changed, same architecture, features, hyperparameters"),
]


@pytest.mark.parametrize(("sizes", "said"), TORCH, ids=[str(case[0]) for case in TORCH])
def test_torch_modules(tmp_path: Path, sizes: dict[str, Any], said: str) -> None:
    """The graph of modules is the architecture; a rate of dropout is a setting."""
    torch = library("torch")

    assert step(tmp_path, Made(_net(torch)), Made(_net(torch, **sizes)))[1].startswith(said)


def test_weights_that_no_tree_shows_are_seen_by_their_shapes(tmp_path: Path) -> None:
    """A module of the user's own makes its weights itself."""
    torch = library("torch")

    class Bag(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, size: int) -> None:
            super().__init__()
            self.table = torch.nn.Parameter(torch.zeros(size))

    reason = step(tmp_path, Made(Bag(3)), Made(Bag(4)))[1]

    assert reason.startswith("major: architecture changed (shapes or types of the weights)")


def score(age: int, income: float) -> float:
    return age * income


def with_rate(age: int, income: float, rate: float = 1.0) -> float:
    return age * income * rate


def by_income(income: float, age: int) -> float:
    return age * income


def named_alike(function: Callable[..., float]) -> Callable[..., float]:
    function.__name__ = function.__qualname__ = "score"
    return function


class Rule:
    """A model as people write them by hand."""

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def predict(self, rows: Any) -> Any:
        return rows > self.limit


PLAIN: list[tuple[object, object, str]] = [
    (score, with_rate, "major: architecture changed (score → with_rate), same"),
    (
        Rule(1),
        Rule(2),
        "patch: hyperparameters changed (limit 1 → 2), same architecture; not compared: features",
    ),
    (Rule(1), {"limit": 1}, "major: architecture changed (Rule → dict)"),
    (
        {"a": 1},
        {"a": 2},
        "minor: nothing but the weights changed, same architecture and code; not",
    ),
    (b"one", b"two", "minor: nothing but the weights changed, same architecture"),
    (
        lr(),
        lr(C=3),
        "patch: hyperparameters changed (C 1 → 3), same architecture; not compared: features and data",
    ),
]


@pytest.mark.parametrize(("first", "second", "said"), PLAIN, ids=[case[2][:60] for case in PLAIN])
def test_other_objects(tmp_path: Path, first: object, second: object, said: str) -> None:
    """A rule in a function, a class of one's own, a dictionary: any object is a model here."""
    reason = step(tmp_path, Made(first), Made(second))[1]

    assert reason.startswith(said.partition(", same")[0] if first is score else said)


FUNCTIONS = [
    (with_rate, "minor: inputs changed (rate added, optional), and the old ones still work"),
    (by_income, "major: inputs that used to work no longer do (another order)"),
]


@pytest.mark.parametrize(("other", "said"), FUNCTIONS, ids=["optional", "order"])
def test_functions_by_their_arguments(other: Callable[..., float], said: str) -> None:
    """An argument with a default breaks no call that used to work."""
    from nbreg.families.describing import describe

    told = [describe.ask(each).record for each in (score, other)]
    told[1]["architecture"]["function"] = told[0]["architecture"]["function"]
    base, new = (side(described=each) for each in told)

    assert changes.implied(base, new).reason.startswith(said)


def test_files_are_compared_by_their_bytes(tmp_path: Path) -> None:
    """Of a file from elsewhere nothing is known but its content."""
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    reason = step(tmp_path, Made(tmp_path / "one"), Made(tmp_path / "two"))[1]

    assert reason.startswith(
        "minor: nothing but the weights changed, same code; not compared: architecture (not described)"
    )


# what real models cannot show in a script: records as a kernel leaves them


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


def cells(*sources: str, status: Any = "complete", safe: str = "") -> Recipe:
    """A recipe; `safe` is a cell that is kept to be safe."""
    kept = [Execution(source=each, why="sets clf") for each in sources]
    kept += [Execution(source=safe, why="kept to be safe: may change clf")] if safe else []
    return Recipe(status=status, cells=kept)


DATA = Data(sets=[])
CODE: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        {"recipe": cells("import x", "fit(1)")},
        {"recipe": cells("import x", "fit(2)")},
        "minor: code changed (1 cell of 2), and with it perhaps the data, same architecture and features; "
        "not compared: data (none recorded)",
    ),
    (
        {"recipe": cells("fit(1)", status="conservative", safe="show()")},
        {"recipe": cells("fit(1)", status="conservative", safe="promote()")},
        "minor: nothing but the weights changed, same architecture and features; not compared: data "
        "(none recorded), code (the recipe is conservative)",
    ),
    (
        {"source": Source(definitions={"Net": "class Net: 1"})},
        {"source": Source(definitions={"Net": "class Net: 2", "Other": ""})},
        "minor: code changed (Net), and with it perhaps the data",
    ),
    (
        {"recipe": cells("fit(1)"), "source": Source(definitions={"plot": "def plot(): 1"})},
        {"recipe": cells("fit(1)"), "source": Source(definitions={"plot": "def plot(): 2"})},
        "minor: nothing but the weights changed, same architecture, features and code; not compared: data",
    ),
    (
        {"source": Source(modules={"features": "x = 1"})},
        {"source": Source(modules={"features": "x = 2"})},
        "minor: code changed (module features), and with it perhaps the data",
    ),
    (
        {"recipe": cells("fit(1)", "v = %register_model m clf")},
        {"recipe": cells("%%register_model m\nfit(1)")},
        "minor: nothing but the weights changed, same architecture, features and code; not compared: data",
    ),
    (
        {"recipe": cells("fit(1)", status="conservative", safe="show()")},
        {"recipe": cells("fit(2)", status="conservative", safe="show()")},
        "minor: code changed (1 cell of 1), and with it perhaps the data, same architecture and features; "
        "not compared: data (none recorded)",
    ),
    (
        {"recipe": cells("fit(1)"), "source": Source(git=Git(commit="a" * 40))},
        {"recipe": cells("fit(1)"), "source": Source(git=Git(commit="b" * 40))},
        "minor: nothing but the weights changed, same architecture, features and code; not compared: data",
    ),
    (
        {"source": Source(git=Git(commit="a" * 40))},
        {"source": Source(git=Git(commit="b" * 40))},
        "minor: code changed (commit aaaaaaaa → bbbbbbbb), and with it perhaps the data",
    ),
    (
        {"recipe": Recipe(), "source": Source()},
        {"recipe": Recipe(), "source": Source()},
        "minor: nothing but the weights changed, same architecture and features; not compared: data and code "
        "(none recorded)",
    ),
]


@pytest.mark.parametrize(("first", "second", "said"), CODE, ids=[case[2][:60] for case in CODE])
def test_code(first: dict[str, Any], second: dict[str, Any], said: str) -> None:
    """Cells, definitions and local modules tell what was done; cells that nobody depends on do not count."""
    reason = changes.implied(side(**first), side(token="b", **second)).reason

    assert reason.startswith(said)


def test_code_alone_is_a_patch_where_the_data_is_the_same() -> None:
    """A bug fix that was trained on the same rows."""
    data = msgspec.convert({"sets": [{"name": "X", "role": "train", "snapshot": "s"}]}, Data)
    base, new = (side(token=each, data=data, recipe=cells(f"fit({each})")) for each in "ab")

    assert changes.implied(base, new) == (
        "patch",
        "patch: code changed (1 cell of 1), same architecture, features and data",
    )


def test_data_that_was_inferred_is_compared_like_data_that_was_given() -> None:
    """Nobody typed `--data`: the sets are called by what stands in the cells, and that is another expression."""

    def inferred(cut: str, rows: int) -> Data:
        summary = {"scope": "whole"}
        sets = [
            {"name": f"Xtr{cut}", "snapshot": f"x{rows}", "summary": {"shape": [rows, 30], **summary}},
            {"name": f"ytr{cut}", "snapshot": f"y{rows}", "summary": {"shape": [rows], **summary}},
        ]
        return msgspec.convert({"sets": [{"role": "train", "inferred": True, **each} for each in sets]}, Data)

    base, new = side(data=inferred("", 426)), side(token="b", data=inferred(".iloc[:300]", 300))
    (frame, _) = inferred("", 426).sets
    given = side(data=Data(sets=[msgspec.structs.replace(frame, inferred=False)]))

    for before in (base, given):  # who named the frame did not say that there was no target
        assert changes.implied(before, new) == (
            "minor",
            "minor: training data changed (426 → 300 rows), same architecture and features",
        )


@pytest.mark.parametrize("is_first", [True, False])
def test_data_that_changed_before_it_could_be_read_is_not_said_to_be_other_data(is_first: bool) -> None:
    """A frame was written to after `fit`: nothing is known of what went in, its width least of all."""
    target = DataLink(name="y", role="train", snapshot="y", summary={"shape": [500], "scope": "whole"})
    link = DataLink(name="X", role="train", inferred=True)
    whole = msgspec.structs.replace(link, snapshot="x", summary={"shape": [500, 4], "scope": "whole"})
    gone = msgspec.structs.replace(link, summary={"since": "changed"})
    one, other = (
        side(token=token, data=Data(sets=[each, target])) for token, each in (("a", gone), ("b", whole))
    )

    bump, reason = changes.implied(one, other) if is_first else changes.implied(other, one)

    assert bump == "minor"
    assert reason.startswith("minor: nothing but the weights changed")
    assert "not compared: data (X changed since)" in reason
    assert "training data changed" not in reason


def test_the_code_is_not_read_where_something_else_tells_the_two_apart() -> None:
    """A registration does not wait for two hundred cells to be compared."""

    def refuse(name: str, kind: type) -> Any:
        raise AssertionError(f"{name} was read")

    base, new = (
        side(recipe=cells("a")),
        side(recipe=cells("b"), described={"architecture": {"class": "m.Other"}}),
    )

    assert changes.implied(base._replace(read=refuse), new._replace(read=refuse)).bump == "major"


def test_what_was_read_in_part_is_not_said_to_be_the_same() -> None:
    """Of a large frame every n-th row is read: other rows say nothing of the whole."""
    sets = [
        msgspec.convert(
            {
                "sets": [
                    {
                        "name": "X",
                        "role": "train",
                        "snapshot": scope,
                        "summary": {"shape": [9, 2], "scope": scope},
                    }
                ]
            },
            Data,
        )
        for scope in ("whole", "every 3th row")
    ]
    base, new = (side(token=scope.name, data=data) for scope, data in zip([_A, _B], sets, strict=True))

    assert "not compared: data (X cannot be told apart by content)" in changes.implied(base, new).reason


def test_a_reason_stays_a_sentence_whatever_names_are_in_it() -> None:
    """It stands in the journal's line, the card and every list of events."""
    base, new = (
        side(described={"architecture": {"class": "m.M"}, "features": [each * 5000]}) for each in "ab"
    )
    reason = changes.implied(base, new).reason

    assert len(reason) == 800
    assert reason.endswith("…")


class _Named(NamedTuple):
    name: str


_A, _B = _Named("a"), _Named("b")

TYPES = [
    ("float64", "int64", True),
    ("int64", "int32", True),
    ("int64", "uint32", True),
    ("Int64", "int64", True),
    ("float64", "bool", True),
    ("object", "str", True),
    ("int64", "float64", False),
    ("float32", "float64", False),
    ("int32", "uint32", False),
    ("int64", "Int64", False),
    ("category", "str", False),
    ("datetime64[ns]", "int64", False),
]


@pytest.mark.parametrize(("wide", "narrow", "takes"), TYPES, ids=[f"{a}-{b}" for a, b, _ in TYPES])
def test_a_type_is_wider_where_it_takes_all_the_other_holds(wide: str, narrow: str, takes: bool) -> None:
    """Consumers that send what they always sent must not fail."""
    assert inputs.takes(wide, narrow) is takes


def test_another_shape_of_an_array_is_a_break() -> None:
    """An image of another size does not fit."""
    shapes = ([-1, 3, 32, 32], [-1, 3, 64, 64])
    base, new = (
        side(signature=Signature(inputs=[{"name": "", "type": "float32", "shape": each}])) for each in shapes
    )

    assert changes.implied(base, new).reason.startswith(
        "major: inputs that used to work no longer do (3×32×32 → 3×64×64)"
    )


# in the registry


def test_a_comparison_that_fails_stops_no_registration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version is worth more than the reason for its number."""
    registry = Registry(tmp_path / "r")
    registry.register("m", 1)
    monkeypatch.setattr(changes, "implied", lambda base, new: 1 / 0)

    version = registry.register("m", 2)

    assert (version.name, version.bump, version.bump_reason) == (
        "1.1.0",
        "minor",
        "not compared: ZeroDivisionError",
    )


def test_what_was_captured_earlier_is_compared_from_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a draft, taken when it was trained, there are no records any more."""
    from nbreg.registry.making import registering

    registry, made = Registry(tmp_path / "r"), registering._made
    registry.register("m", lr().fit(X, Y), data={"Xtr": X})
    monkeypatch.setattr(
        registering, "_made", lambda *given: msgspec.structs.replace(made(*given), records={})
    )
    version = registry.register("m", lr().fit(X[:150], Y[:150]), data={"Xtr": X[:150]})

    assert version.bump_reason == (
        "minor: training data changed (200 → 150 rows), same architecture and features"
    )


def test_the_base_that_is_asked_for_is_the_one_compared(tmp_path: Path) -> None:
    """A fix of an old release counts on from that release."""
    registry = Registry(tmp_path / "r")
    registry.register("m", lr(C=1))
    registry.register("m", SVC())
    fix = registry.register("m", lr(C=2), base="m@1.0.0")

    assert (fix.name, fix.row.base) == ("1.0.1", 1)
    assert fix.bump_reason.startswith("patch: hyperparameters changed (C 1 → 2)")


def test_a_base_that_moves_is_compared_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another kernel registers between comparing and writing: the reason speaks of the version before it."""
    from nbreg.registry.making import comparing

    registry, other = Registry(tmp_path / "r"), Registry(tmp_path / "r")
    registry.register("m", lr(C=1))
    compare = comparing.judge
    seen: list[str] = []

    def meanwhile(*args: Any) -> Any:
        judged = compare(*args)
        seen.append(judged.against)
        if len(seen) == 1:
            monkeypatch.setattr(comparing, "judge", compare)
            other.register("m", SVC())
            monkeypatch.setattr(comparing, "judge", meanwhile)
        return judged

    monkeypatch.setattr(comparing, "judge", meanwhile)
    version = registry.register("m", lr(C=2))

    assert seen == ["m@1.0.0", "m@2.0.0"]
    assert (version.name, version.row.base) == ("3.0.0", 2)
    assert version.bump_reason.startswith("major: architecture changed (SVC → LogisticRegression)")


def test_a_base_that_never_rests_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many jobs register at once: each is done after a few tries, and says what it was compared with."""
    from nbreg.registry.making import comparing

    registry, other = Registry(tmp_path / "r"), Registry(tmp_path / "r")
    registry.register("m", lr(C=1))
    compare = comparing.judge

    def meanwhile(*args: Any) -> Any:
        judged = compare(*args)
        monkeypatch.setattr(comparing, "judge", compare)
        other.register("m", lr(C=1), new=True)
        monkeypatch.setattr(comparing, "judge", meanwhile)
        return judged

    monkeypatch.setattr(comparing, "judge", meanwhile)
    version = registry.register("m", lr(C=2))

    assert version.number == 2 + comparing.TRIES
    assert version.bump_reason.endswith("(compared with m@1.0.2)")


def test_only_one_compares_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eight jobs that compare at once, seven have done so in vain; who promotes waits for none of them."""
    from nbreg.registry.making import comparing

    registry, other = Registry(tmp_path / "r"), Registry(tmp_path / "r")
    registry.register("m", lr(C=1))
    compare = comparing.judge
    seen: list[str] = []

    def watched(*args: Any) -> Any:
        fd = os.open(tmp_path / "r" / "models" / "m.model", os.O_RDONLY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            seen.append("taken")
        finally:
            os.close(fd)
        other.promote("m@1.0.0", "production")
        return compare(*args)

    monkeypatch.setattr(comparing, "judge", watched)
    registry.register("m", lr(C=2))

    assert seen == ["taken"]
    assert [each.kind for each in registry.events("m")] == ["registered", "promoted", "registered"]


def test_who_never_gives_back_a_turn_keeps_nobody_from_registering(tmp_path: Path) -> None:
    """A debugger that stopped a colleague's job in the middle of comparing does not stop the team."""
    registry = Registry(tmp_path / "r")
    registry.register("m", lr(C=1))
    holder = os.open(tmp_path / "r" / "models" / "m.model", os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    try:
        version = registry.register("m", lr(C=2))
    finally:
        os.close(holder)

    assert version.name == "1.0.1"
    assert version.bump_reason.startswith("patch: hyperparameters changed (C 1 → 2)")


def test_the_reason_is_in_the_event(tmp_path: Path) -> None:
    """Who reads the history learns why the number went up."""
    registry = Registry(tmp_path / "r")
    registry.register("m", lr(C=1))
    version = registry.register("m", lr(C=2))

    assert version.bump_reason.startswith("patch: hyperparameters changed (C 1 → 2)")
    assert registry.events("m")[0].facts["why"] == version.bump_reason


def test_columns_of_pandas_are_named_by_their_text() -> None:
    """Frames with numbered columns are compared like any other."""
    frame = pd.DataFrame(np.zeros((2, 2)))

    assert list(frame.columns) == [0, 1]
