"""LightGBM with the real library: the stream holds the model's text, and outputs are equal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nbreg import Registry, families
from nbreg.errors import TrustError
from nbreg.families.pickles import inspection
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
    other = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(X, 1 - Y), 5)
    assert registry.register("booster", other).number == 2


def test_what_is_stored_is_the_models_text() -> None:
    """LightGBM reads the text by itself, whatever becomes of the pickle around it; no part of a release is named."""
    model = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(X, Y), 5)
    (_, stream), *_ = families.dump("model", model).parts
    text = bytes(stream)
    assert inspection.globals_of(text) == ["nbreg.families.forests.booster"]
    text = text[text.index(b"tree\nversion=") :]
    text = text[: text.index(b"end of parameters") + len(b"end of parameters")]
    other = lightgbm.Booster(model_str=text.decode())
    assert np.array_equal(other.predict(X), model.predict(X))


def test_trees_after_the_best_iteration_are_kept(tmp_path: Path) -> None:
    """A later look may want them; the best stays the best."""
    model = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(X, Y), 9)
    model.best_iteration = 4
    loaded = Registry(tmp_path / "r", settings=Settings(capture=False)).register("m", model).load()
    assert (loaded.num_trees(), loaded.best_iteration, loaded.params) == (9, 4, model.params)
    assert np.array_equal(loaded.predict(X), model.predict(X))
    assert np.array_equal(loaded.predict(X, num_iteration=9), model.predict(X, num_iteration=9))


def test_categories_of_a_frame_are_kept(tmp_path: Path) -> None:
    """LightGBM numbers them itself, in the order in which it was trained."""
    frame = pd.DataFrame({"x": X[:, 0], "c": pd.Categorical(np.where(X[:, 1] > 0, "b", "a"))})
    model = lightgbm.LGBMRegressor(n_estimators=5, verbose=-1, min_child_samples=5).fit(frame, X[:, 1])
    loaded = Registry(tmp_path / "r", settings=Settings(capture=False)).register("m", model).load()
    other = frame.assign(c=frame["c"].cat.reorder_categories(["b", "a"]))
    assert np.array_equal(loaded.predict(other), model.predict(frame))


def test_a_strangers_trees_need_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LightGBM believes the text: a child beyond a tree is read beyond its memory."""
    model = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(X, Y), 2)
    version = Registry(tmp_path / "r", settings=Settings(capture=False)).register("m", model)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
    with pytest.raises(TrustError) as caught:
        version.load(trust=False)
    assert caught.value.untrusted == ("nbreg.families.forests.booster",)
