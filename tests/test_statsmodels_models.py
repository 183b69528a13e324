"""statsmodels with the real library: results that come back predict and tell the same."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbreg import Registry
from nbreg.families.describing import describe
from nbreg.settings import Settings

api = pytest.importorskip("statsmodels.api", reason="statsmodels is not installed here")
formulas = pytest.importorskip("statsmodels.formula.api")
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(RNG.normal(size=(80, 2)), columns=["age", "fare"])
FRAME["port"] = np.where(FRAME["age"] > 0, "C", "S")
FRAME["paid"] = 2 * FRAME["age"] - FRAME["fare"] + RNG.normal(size=80) / 10
FRAME["count"] = RNG.poisson(np.exp(FRAME["age"] / 2))
X = api.add_constant(FRAME[["age", "fare"]])


def results(kind: str) -> tuple[Any, Any]:
    """Fitted results, and what they predict from."""
    if kind == "OLS":
        return api.OLS(FRAME["paid"], X).fit(), X
    if kind == "GLM":
        return api.GLM(FRAME["count"], X, family=api.families.Poisson()).fit(), X
    return formulas.ols("paid ~ age + np.log1p(abs(fare)) + C(port)", FRAME).fit(), FRAME


@pytest.mark.parametrize("kind", ["OLS", "GLM", "formula"])
def test_results_come_back(tmp_path: Path, kind: str) -> None:
    """Equal predictions, equal coefficients and intervals; registered again, they are the same version."""
    fitted, rows = results(kind)
    registry = Registry(tmp_path / "r", settings=Settings(capture=False))
    loaded = registry.register("m", fitted).load()
    assert type(loaded) is type(fitted)
    assert np.array_equal(loaded.predict(rows), fitted.predict(rows))
    pd.testing.assert_series_equal(loaded.params, fitted.params)
    pd.testing.assert_frame_equal(loaded.conf_int(), fitted.conf_int())
    assert describe.ask(loaded) == describe.ask(fitted)


def test_results_without_their_data_come_back(tmp_path: Path) -> None:
    """statsmodels' own way to make them small; they predict all the same."""
    fitted, rows = results("OLS")
    expected = fitted.predict(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted.remove_data()
    loaded = Registry(tmp_path / "r", settings=Settings(capture=False)).register("m", fitted).load()
    assert np.array_equal(loaded.predict(rows), expected)
