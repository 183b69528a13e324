"""XGBoost with the real library: equal outputs, from a document that is no pickle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbreg import Registry, families
from nbreg.errors import TrustError
from nbreg.settings import Settings

xgboost = pytest.importorskip("xgboost", reason="XGBoost cannot be loaded here", exc_type=ImportError)
SETTINGS = Settings(capture=False, inline_bytes=4096)
X = np.random.default_rng(0).normal(size=(200, 5))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=SETTINGS)


def models() -> list[tuple[Any, Any]]:
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 3}, xgboost.DMatrix(X, Y), 7)
    return [
        (xgboost.XGBClassifier(n_estimators=7).fit(X, Y), X),
        (xgboost.XGBClassifier(n_estimators=7).fit(X, Y + (X[:, 2] > 1)), X),
        (
            xgboost.XGBRegressor(n_estimators=7, early_stopping_rounds=2).fit(
                X, Y, eval_set=[(X, Y)], verbose=False
            ),
            X,
        ),
        (xgboost.XGBRanker(n_estimators=3).fit(X, Y, qid=np.repeat(range(20), 10)), X),
        (xgboost.XGBClassifier(n_estimators=3, booster="dart").fit(X, Y), X),
        (booster, xgboost.DMatrix(X)),
    ]


def test_a_model_predicts_what_it_did(registry: Registry) -> None:
    """And is the same version when it is registered again."""
    for number, (model, data) in enumerate(models()):
        version = registry.register(f"m{number}", model)
        loaded = version.load()

        assert version.artifacts["model"].family == "xgboost"
        assert type(loaded) is type(model)
        assert np.array_equal(loaded.predict(data), model.predict(data))
        if hasattr(model, "predict_proba"):
            assert np.array_equal(loaded.predict_proba(data), model.predict_proba(data))
            assert str(loaded.get_params()) == str(model.get_params())
        assert registry.register(f"m{number}", loaded).number == version.number


def test_the_booster_is_a_document_of_its_own() -> None:
    """XGBoost reads the part as it lies there, without nbreg."""
    model = xgboost.XGBClassifier(n_estimators=3).fit(X, Y)
    _, (_, document), *_ = families.dump("model", model).parts
    other = xgboost.Booster()
    other.load_model(bytearray(document))
    expected = model.get_booster().predict(xgboost.DMatrix(X))
    assert np.array_equal(other.predict(xgboost.DMatrix(X)), expected)


def test_an_estimator_that_was_not_fitted_is_stored_too(registry: Registry) -> None:
    """It has no booster yet."""
    assert registry.register("m", xgboost.XGBClassifier(max_depth=2)).load().max_depth == 2


def test_a_stranger_is_asked(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """XGBoost does not promise to read hostile documents safely."""
    version = registry.register("m", models()[0][0])
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "x"))
    with pytest.raises(TrustError, match="XGBClassifier"):
        version.load()


def test_xgboost_is_not_imported_for_others(tmp_path: Path) -> None:
    """It takes a second."""
    code = f"""
import sys, nbreg
registry = nbreg.Registry({str(tmp_path / "r")!r})
registry.register("churn", {{"a": 1}})
registry.load("churn")
assert "xgboost" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
