"""Which step it is, and why: over boosted trees, formulas, networks, functions, classes and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from compared import Made, X, Y, library, lr, side, step

from nbreg import changes

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
