"""A colleague's ordinary model loads without anybody's word, and predicts what it did."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import (
    calibration,
    cluster,
    compose,
    decomposition,
    ensemble,
    feature_extraction,
    feature_selection,
    gaussian_process,
    linear_model,
    mixture,
    model_selection,
    multiclass,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.datasets import make_classification
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401 - it enables
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.utils import all_estimators

from nbreg import ModelVersion, Registry
from nbreg.errors import TrustError
from nbreg.families.pickles import inspection, known
from nbreg.families.pickles.classes import surprise
from nbreg.settings import Settings

X, Y = make_classification(120, 6, n_informative=5, n_redundant=0, n_classes=3, random_state=0)
TEXTS = ["a red car", "a blue car", "one red boat", "two boats"] * 3
FRAME = pd.DataFrame(
    {"age": X[:, 0], "fare": X[:, 1], "port": [["S", "C", "Q"][n % 3] for n in range(len(X))]}
)
MIXED = compose.ColumnTransformer(
    [
        ("numbers", pipeline.make_pipeline(SimpleImputer(), preprocessing.StandardScaler()), ["age", "fare"]),
        ("words", preprocessing.OneHotEncoder(drop="first"), ["port"]),
    ]
)
SEARCH = model_selection.GridSearchCV(
    ensemble.RandomForestClassifier(5, random_state=0), {"max_depth": [2, 3]}
)
MODELS: list[tuple[Any, Any]] = [
    (linear_model.LogisticRegression(), X), (linear_model.RidgeCV(), X), (linear_model.SGDClassifier(), X),
    (linear_model.PoissonRegressor(), X), (linear_model.LassoLars(), X), (naive_bayes.GaussianNB(), X),
    (tree.DecisionTreeClassifier(), X), (ensemble.RandomForestClassifier(20), X), (ensemble.ExtraTreesRegressor(9), X),
    (ensemble.GradientBoostingClassifier(n_estimators=5), X), (ensemble.GradientBoostingRegressor(n_estimators=5), X),
    (ensemble.HistGradientBoostingClassifier(max_iter=5), X), (ensemble.HistGradientBoostingRegressor(max_iter=5), X),
    (ensemble.AdaBoostClassifier(n_estimators=5), X), (ensemble.IsolationForest(n_estimators=9), X),
    (ensemble.BaggingClassifier(n_estimators=5), X), (ensemble.RandomTreesEmbedding(5), X),
    (ensemble.StackingClassifier([("a", svm.SVC()), ("b", tree.DecisionTreeClassifier())]), X),
    (svm.SVC(), X), (svm.NuSVR(), X), (svm.OneClassSVM(), X), (svm.LinearSVC(), X),
    (neighbors.KNeighborsClassifier(), X), (neighbors.KNeighborsRegressor(algorithm="ball_tree"), X),
    (neighbors.NearestNeighbors(algorithm="brute"), X), (neighbors.LocalOutlierFactor(novelty=True), X),
    (cluster.KMeans(3), X), (cluster.MiniBatchKMeans(3), X), (mixture.GaussianMixture(2), X),
    (decomposition.PCA(2), X), (decomposition.TruncatedSVD(2), X), (decomposition.KernelPCA(2, kernel="rbf"), X),
    (preprocessing.StandardScaler(), X), (preprocessing.PowerTransformer(), X), (preprocessing.KBinsDiscretizer(3), X),
    (preprocessing.FunctionTransformer(np.log1p), abs(X)), (preprocessing.OneHotEncoder(), X.round()),
    (preprocessing.TargetEncoder(), X.round()), (preprocessing.PolynomialFeatures(), X),
    (feature_selection.SelectKBest(k=2), X), (feature_selection.RFE(linear_model.LogisticRegression()), X),
    (neural_network.MLPClassifier((4,), max_iter=5), X), (gaussian_process.GaussianProcessRegressor(), X),
    (calibration.CalibratedClassifierCV(svm.LinearSVC()), X), (multiclass.OneVsRestClassifier(svm.SVC()), X),
    (decomposition.NMF(2, max_iter=50), abs(X)), (decomposition.MiniBatchNMF(2), abs(X)),
    (decomposition.LatentDirichletAllocation(2), abs(X)), (decomposition.DictionaryLearning(2, max_iter=5), X),
    (decomposition.MiniBatchDictionaryLearning(2, max_iter=5), X), (cluster.Birch(n_clusters=3), X),
    (decomposition.SparseCoder(X[:4] / np.linalg.norm(X[:4], axis=1, keepdims=True)), X),
    (IterativeImputer(max_iter=2), np.where(X > 2, np.nan, X)),
    (model_selection.HalvingGridSearchCV(tree.DecisionTreeClassifier(), {"max_depth": [1, 2]}), X),
    (pipeline.make_pipeline(feature_extraction.text.TfidfVectorizer(), naive_bayes.MultinomialNB()), TEXTS),
    (pipeline.make_pipeline(MIXED, SEARCH), FRAME),
]  # fmt: skip
DEPRECATED = {"PassiveAggressiveClassifier", "PassiveAggressiveRegressor"}
SETTINGS = Settings(capture=False, inline_bytes=4096)


def fitted(model: Any, data: Any) -> Any:
    np.random.seed(0)
    return model.fit(data, abs(Y) if "Poisson" in type(model).__name__ else Y[: len(data)])


def outputs(model: Any, data: Any) -> Any:
    for use in ("predict", "transform", "kneighbors"):
        if hasattr(model, use):
            found = getattr(model, use)(data)
            found = found[0] if type(found) is tuple else found
            return found.toarray() if hasattr(found, "toarray") else np.asarray(found)
    raise AssertionError(model)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=SETTINGS)


@pytest.fixture
def as_a_stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[ModelVersion], Any]:
    """Loads in another home, which vouches for nothing."""

    def load(version: ModelVersion) -> Any:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
        return version.load(trust=False)

    return load


@pytest.mark.parametrize(("model", "data"), MODELS, ids=lambda value: type(value).__name__)
def test_an_ordinary_model_needs_no_word(
    registry: Registry, as_a_stranger: Callable[[ModelVersion], Any], model: Any, data: Any
) -> None:
    """It is not only made again: it predicts the same."""
    model = fitted(model, data)
    expected = outputs(model, data)

    loaded = as_a_stranger(registry.register("churn", model))

    assert type(loaded) is type(model)
    assert np.array_equal(outputs(loaded, data), expected, equal_nan=expected.dtype.kind == "f")


def test_clusters_by_density_can_be_cut_anew(
    registry: Registry, as_a_stranger: Callable[[ModelVersion], Any]
) -> None:
    """Also of data with gaps, whose points join the tree last."""
    data = X.copy()
    data[0], data[1, 1] = np.nan, np.inf
    model = cluster.HDBSCAN(min_cluster_size=3, copy=True).fit(data)
    loaded = as_a_stranger(registry.register("churn", model))
    assert np.array_equal(loaded.dbscan_clustering(2.0), model.dbscan_clustering(2.0))


def test_few_estimators_ask(registry: Registry) -> None:
    """Whoever installs a later scikit-learn sees here which of its estimators are new."""
    asking = {
        name
        for name, kind in all_estimators()
        if not inspection.is_harmless(f"{kind.__module__}.{kind.__qualname__}")
    }
    assert asking - DEPRECATED == {"BisectingKMeans", "PatchExtractor", "SplineTransformer"}


def test_a_model_with_code_of_ones_own_names_it(
    registry: Registry, as_a_stranger: Callable[[ModelVersion], Any]
) -> None:
    """One function in a long pipeline is enough, and is what is told."""
    model = pipeline.make_pipeline(preprocessing.FunctionTransformer(subprocess.call), linear_model.Ridge())
    version = registry.register("churn", model)

    with pytest.raises(TrustError) as caught:
        as_a_stranger(version)

    assert caught.value.untrusted == ("subprocess.call",)
    assert f"nbreg trust churn@sha256:{version.id[:16]}" in caught.value.hint


def test_the_table_is_what_its_tool_writes() -> None:
    """A new release of scikit-learn may have other classes, or another `__setstate__`: somebody has to look."""
    tool = Path(__file__).parent.parent / "tools" / "known.py"
    done = subprocess.run([sys.executable, tool, "--digests"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_class_that_got_code_of_its_own_is_not_known_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The installed library decides what a name means, so it is asked when the name is about to be made."""
    stream = pickle.dumps(linear_model.Ridge(), 5)
    assert inspection.untrusted_in(stream) == []

    surprise.cache_clear()
    monkeypatch.setattr(linear_model.Ridge, "__setstate__", lambda self, state: None, raising=False)

    (told,) = inspection.untrusted_in(stream)
    surprise.cache_clear()
    assert told == (
        "an unusual use of sklearn.linear_model._ridge.Ridge, whose __setstate__ is not the one that was looked at"
    )


def test_every_name_is_exact() -> None:
    """A package's name would let in whatever is below it."""
    for name in known.ATTRIBUTES | known.VALUES:
        assert name.rpartition(".")[2].isidentifier()
    assert not {
        name for name in known.VALUES if name.startswith(("os.", "operator.", "functools.", "importlib."))
    }
    for name in ("builtins.eval", "builtins.getattr", "numpy.save", "numpy.load", "numpy.vectorize"):
        assert not inspection.is_harmless(name)
