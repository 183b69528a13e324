"""What goes into a model and comes out, and the frozen rows that later versions are compared on."""

from __future__ import annotations

import pickle
import random
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from nbreg import ModelVersion, Registry
from nbreg.capture.tabular import probe
from nbreg.registry.ground import parts


def people(rows: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, rows),
            "income": rng.normal(size=rows).round(3),
            "bought": rng.random(rows) > 0.5,
        }
    )


FEATURES = ["age", "income"]


def fitted(table: pd.DataFrame) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(table[FEATURES], table["bought"])


def registered(folder: Path, model: object, **data: object) -> ModelVersion:
    return Registry(folder / "r").register("m", model, data=data)


def thawed(version: ModelVersion, what: str = "inputs") -> Any:
    entry = version._now()
    return probe.thawed(
        getattr(version.probe, what), lambda chunk: parts.part(version._desk, entry, chunk.digest)
    )


def test_inputs_and_outputs_have_names_and_types(tmp_path: Path) -> None:
    """What a service has to send, and what it gets, without reading the notebook."""
    table = people()
    version = registered(tmp_path, fitted(table), Xtr=table[FEATURES], ytr=table["bought"])

    assert version.signature.inputs == [
        {"name": "age", "type": "int64"},
        {"name": "income", "type": "float64"},
    ]
    assert version.signature.outputs == [{"name": "", "type": "bool", "shape": [-1]}]
    assert version.manifest.signature.summary == {"inputs": 2, "outputs": ["bool"]}


def test_a_column_that_the_model_does_not_take_is_no_input(tmp_path: Path) -> None:
    """A frame with the target in it is what people have at hand."""
    table = people()
    version = registered(tmp_path, fitted(table), df=table[["bought", "income", "age"]])

    assert [each["name"] for each in version.signature.inputs] == FEATURES
    assert list(thawed(version).columns) == FEATURES


def test_without_data_the_model_says_what_it_takes(tmp_path: Path) -> None:
    """scikit-learn remembers the names that it was fitted on, or at least how many there were."""
    table = people()
    registry = Registry(tmp_path / "r")
    named = registry.register("a", fitted(table))
    bare = registry.register("b", LogisticRegression().fit(table[FEATURES].to_numpy(), table["bought"]))

    assert named.signature.inputs == [{"name": "age"}, {"name": "income"}]
    assert bare.signature.inputs == [{"name": "", "shape": [-1, 2]}]
    assert not named.manifest.probe.is_there


def test_the_probe_holds_the_rows_and_what_the_model_says_of_them(tmp_path: Path) -> None:
    """Read back years later, the model can be asked whether it still says the same."""
    table = people()
    model = fitted(table)
    version = registered(tmp_path, model, Xtr=table[FEATURES])
    rows = thawed(version)

    assert len(rows) == probe.ROWS
    assert rows.dtypes.tolist() == table[FEATURES].dtypes.tolist()
    assert (
        rows.merge(table[FEATURES].drop_duplicates(), how="left", indicator=True)["_merge"].eq("both").all()
    )
    assert thawed(version, "outputs").tolist() == model.predict(rows).tolist()
    assert version.registry.verify().ok


def test_anybody_chooses_the_same_rows(tmp_path: Path) -> None:
    """Shuffling data, or having it as an array, is no reason for another probe."""
    table = people()
    first = registered(tmp_path / "a", {"w": 1}, Xtr=table)
    shuffled = registered(tmp_path / "b", {"w": 1}, Xtr=table.sample(frac=1, random_state=3))

    assert first.probe.inputs == shuffled.probe.inputs
    assert first.probe.inputs


def test_gaps_categories_and_times_come_back(tmp_path: Path) -> None:
    """A probe of clean numbers only would miss where models break."""
    table = pd.DataFrame(
        {
            "x": [1.5, np.nan, np.inf],
            "grade": pd.Categorical(["a", None, "b"]),
            "since": pd.to_datetime(["2026-01-01", None, "2026-01-03"]),
            "visits": pd.array([1, None, 3], dtype="Int64"),
            "city": ["Łódź", None, "Oslo"],
        }
    )
    rows = thawed(registered(tmp_path, {"w": 1}, Xtr=table))

    order = rows["city"].map({"Łódź": 0, "Oslo": 2}).fillna(1).argsort()
    pd.testing.assert_frame_equal(rows.iloc[order].reset_index(drop=True), table)


def test_images_are_frozen_as_they_are(tmp_path: Path) -> None:
    """An array of any number of axes comes back bit by bit, and no more of it than a megabyte."""
    images = np.random.default_rng(0).normal(size=(20, 64, 64, 3)).astype("f4")
    version = registered(tmp_path, {"w": 1}, Xtr=images)
    rows = thawed(version)

    assert rows.dtype == images.dtype
    assert all(any(np.array_equal(row, image) for image in images) for row in rows)
    assert 0 < rows.nbytes <= probe.MOST_BYTES
    assert version.signature.inputs == [{"name": "", "type": "float32", "shape": [-1, 64, 64, 3]}]


def counting(rows: Any) -> Any:
    """A step of the user's own."""
    raise AssertionError("the user's code was run")


class Handmade:
    """A model of the user's own; it may count its calls, ask a service, or draw at random."""

    def fit(self, X: Any) -> None:
        """Nothing to learn."""

    def predict(self, X: Any) -> Any:
        """Never called by a registration."""
        raise AssertionError("the user's code was run")


def _not_asked() -> list[Any]:
    table = people()
    X, y = table[FEATURES], table["bought"]
    own_step = make_pipeline(FunctionTransformer(), LogisticRegression()).fit(X, y)
    own_step[0].func = counting
    return [
        pytest.param(Handmade(), id="own class"),
        pytest.param(own_step, id="own step"),
        pytest.param(KNeighborsClassifier().fit(X, y), id="slow by nature"),
        pytest.param(RandomForestClassifier(5, n_jobs=2).fit(X, y), id="other threads"),
        pytest.param(RandomForestClassifier(300, max_depth=1).fit(X, y), id="large"),
    ]


@pytest.mark.parametrize("model", _not_asked())
def test_what_could_be_slow_or_change_something_is_not_asked_for_outputs(tmp_path: Path, model: Any) -> None:
    """Registering costs a moment and changes nothing; the outputs can be had later, as evidence."""
    version = registered(tmp_path, model, Xtr=people()[FEATURES])

    assert version.probe.inputs
    assert version.probe.outputs == []
    assert version.manifest.probe.summary["outputs"] == "left to evidence"


def test_data_that_the_model_does_not_take_is_no_obstacle(tmp_path: Path) -> None:
    """The wrong frame after `--data` costs the outputs, not the version."""
    table = people()
    version = registered(tmp_path, fitted(table), Xtr=table[["bought", "income"]].astype(str))

    assert version.signature.outputs == []
    assert version.data.sets[0].summary["shape"] == [200, 2]


@pytest.mark.parametrize(
    "column", [{"password": ["hunter2 and more"] * 3}, {"note": ["token AKIAIOSFODNN7EXAMPL3"] * 3}]
)
def test_rows_that_hold_secrets_are_not_frozen(tmp_path: Path, column: dict[str, list[str]]) -> None:
    """A probe is read by everybody who reads the registry."""
    version = registered(tmp_path, {"w": 1}, Xtr=pd.DataFrame({**column, "n": [1, 2, 3]}))

    assert not version.manifest.probe.is_there
    assert version.data.columns["Xtr"][0].withheld


class Rude(RuntimeWarning):
    """A category that nobody else filters."""


def test_registering_changes_nothing(tmp_path: Path) -> None:
    """With and without nbreg, the rest of the notebook gives the same, bit by bit."""
    table = people()
    model = fitted(table)

    warnings.warn("so that Python has noted that it was shown", Rude, stacklevel=1)
    before = _state(model, table)
    registered(tmp_path, model, Xtr=table[FEATURES], ytr=table["bought"], Xte=table[FEATURES].iloc[:50])
    after = _state(model, table)

    assert after == before


def _state(model: Any, table: pd.DataFrame) -> list[Any]:
    return [
        pickle.dumps(model),
        {key: id(value) for key, value in vars(model).items()},
        random.getstate(),
        pickle.dumps(np.random.get_state()),
        list(warnings.filters),
        id(warnings.filters),
        warnings._filters_version if hasattr(warnings, "_filters_version") else None,
        pickle.dumps(table),
        np.geterr(),
    ]
