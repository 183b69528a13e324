"""Which step a new version is from the one before, and the sentence that says why: over scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from compared import NAMES, Made, X, Y, fitted, lr, pipe, search, split, step
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

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


def test_columns_of_pandas_are_named_by_their_text(tmp_path: Path) -> None:
    """Frames with numbered columns are compared like any other."""
    numbered = X.set_axis(range(3), axis=1)
    other = numbered.copy()
    other[1] += 1

    assert step(tmp_path, fitted(lr(), numbered), fitted(lr(), other))[1].startswith(
        "minor: training data changed (other values in 1), same architecture"
    )
