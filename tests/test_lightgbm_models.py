"""LightGBM with the real library: its own pickle holds the model's text, and outputs are equal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nbreg import Registry, families
from nbreg.settings import Settings

lightgbm = pytest.importorskip(
    "lightgbm", reason="LightGBM cannot be loaded here", exc_type=(ImportError, OSError)
)
X = np.random.default_rng(0).normal(size=(200, 5))
Y = (X[:, 0] > 0).astype(int)


def test_a_model_predicts_what_it_did(tmp_path: Path) -> None:
    """An estimator and a bare booster; and each is the same version when it is registered again."""
    registry = Registry(tmp_path / "r", settings=Settings(capture=False))
    estimator = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(X, Y)
    booster = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(X, Y), 5)
    for name, model in (("estimator", estimator), ("booster", booster)):
        version = registry.register(name, model)
        loaded = version.load()
        assert np.array_equal(loaded.predict(X), model.predict(X))
        assert registry.register(name, loaded).number == version.number


def test_what_is_stored_is_the_models_text() -> None:
    """LightGBM reads the text by itself, whatever becomes of the pickle around it."""
    model = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(X, Y), 5)
    (_, stream), *_ = families.dump("model", model).parts
    text = bytes(stream)
    text = text[text.index(b"tree\nversion=") :]
    text = text[: text.index(b"end of parameters") + len(b"end of parameters")]
    other = lightgbm.Booster(model_str=text.decode())
    assert np.array_equal(other.predict(X), model.predict(X))
