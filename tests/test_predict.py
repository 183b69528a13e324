"""`v.predict(X)` and `load(stamp=True)`: the model's own answer, from input that was looked at, and written down."""

from __future__ import annotations

import copy
import os
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from children import run
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from nbreg import ModelVersion, Registry
from nbreg.errors import (
    BadInputError,
    BadValueError,
    InputMismatchError,
    NotStampedError,
    TrustError,
    UnknownArtifactError,
)
from nbreg.settings import Settings

TRAIN = pd.DataFrame(
    {"age": [20, 30, 40, 50], "spent": [1.0, 5.0, 2.0, 9.0], "active": [True, False, True, True]}
)
TARGET = [0, 0, 1, 1]


@pytest.fixture
def version(registry: Registry) -> ModelVersion:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(TRAIN, TARGET)
    return registry.register("churn", model, data={"train": TRAIN})


def test_it_returns_what_the_model_returns(version: ModelVersion) -> None:
    """Putting a registry between a server and its model changes no answer."""
    found = version.predict(TRAIN)

    assert np.array_equal(found, version.load().predict(TRAIN))


def test_columns_are_put_in_order(version: ModelVersion) -> None:
    """A frame that came from another query has the same columns elsewhere: that changes nothing."""
    shuffled = TRAIN[["active", "spent", "age"]]

    assert np.array_equal(version.predict(shuffled), version.predict(TRAIN))


@pytest.mark.parametrize("one", [True, False])
def test_dictionaries_are_rows(version: ModelVersion, one: bool) -> None:
    """What a request's JSON says can be asked as it is."""
    rows = TRAIN.to_dict("records")

    found = version.predict(rows[3]) if one else version.predict(rows)

    assert found.tolist() == version.load().predict(TRAIN).tolist()[3 * one :]


@pytest.mark.parametrize(
    ("frame", "message", "hint"),
    [
        (
            TRAIN.drop(columns="age"),
            "churn@1.0.0 needs the column 'age'",
            "`v.signature` tells what it takes",
        ),
        (
            TRAIN.rename(columns={"spent": "spend"}),
            "churn@1.0.0 needs the column 'spent'",
            "these have 'spend' instead; is it 'spend'?",
        ),
        (
            TRAIN.assign(id=1),
            "churn@1.0.0 was not trained on the column 'id'",
            "leave out what it does not take",
        ),
        (
            TRAIN.astype({"age": str}),
            "churn@1.0.0 takes 'age' as int64, and here it is str",
            "convert the column to numbers",
        ),
        (
            np.zeros((2, 4)),
            "churn@1.0.0 takes rows of 3 columns, and these have 4",
            "its columns are 'age', 'spent', 'active'",
        ),
    ],
)
def test_input_that_the_version_was_not_trained_on_is_named(
    version: ModelVersion, frame: Any, message: str, hint: str
) -> None:
    """The sentence says which column, before a library's traceback does; and nothing was decided."""
    with pytest.raises(InputMismatchError) as caught:
        version.predict(frame)

    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert not (version.registry.location / "decisions").exists()


def test_what_was_trained_on_an_array_takes_arrays(registry: Registry) -> None:
    """Without names, the number of columns is what can be checked."""
    X = TRAIN.to_numpy(dtype=float)
    version = registry.register("plain", LinearRegression().fit(X, TARGET), data={"train": X})

    assert version.predict(X[:2]).shape == (2,)
    with pytest.raises(InputMismatchError):
        version.predict(X[:, :2])
    assert [len(each) for each in registry.who_decided(X[:2])] == [1, 1]


def test_an_array_where_columns_are_told_by_name_is_taken_in_order_or_refused(registry: Registry) -> None:
    """A server answers 422 to what its caller has to put right, and 500 to nothing of that kind."""
    by_place = registry.register("place", LinearRegression().fit(TRAIN, TARGET), data={"train": TRAIN})
    chosen = ColumnTransformer([("numbers", StandardScaler(), ["age", "spent"])])
    by_name = make_pipeline(chosen, LogisticRegression()).fit(TRAIN, TARGET)
    named = registry.register("name", by_name, data={"train": TRAIN})
    array = TRAIN.to_numpy(dtype=float)

    with pytest.warns(UserWarning, match="feature names"):
        assert np.allclose(by_place.predict(array), by_place.predict(TRAIN))
    with pytest.raises(InputMismatchError) as caught:
        named.predict(array)
    assert caught.value.message == "name@1.0.0 tells its columns by name, and these rows have none"
    assert caught.value.hint == "its columns are 'age', 'spent', 'active': give a frame or dictionaries"


def test_what_does_not_predict_says_so(registry: Registry) -> None:
    """A dictionary of settings is a fine version, and no model."""
    version = registry.register("settings", {"threshold": 0.5})

    with pytest.raises(BadInputError) as caught:
        version.predict([[1]])
    assert caught.value.message == "settings@1.0.0 is a dict, which does not predict"


def test_an_error_of_the_model_is_the_model_s(version: ModelVersion) -> None:
    """What the model refuses is no decision, and is not written down."""
    rows = TRAIN.astype(float) * np.nan
    for ask in (version.predict, version.load(stamp=True).predict):
        with pytest.raises(ValueError, match="NaN"):
            ask(rows)

    assert version.registry.who_decided(rows).rows == [[]] * 4


def test_a_model_is_loaded_once_by_however_many_threads(
    version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server's first hundred requests come at once, and a model may be a gigabyte."""
    loads: list[int] = []
    load = ModelVersion.load

    def counting(self: ModelVersion, *arguments: Any, **options: Any) -> Any:
        loads.append(1)
        return load(self, *arguments, **options)

    monkeypatch.setattr(ModelVersion, "load", counting)
    gate = threading.Barrier(8)
    found: list[Any] = []

    def ask() -> None:
        mine = Registry(version.registry.location).get("churn@1")
        gate.wait()
        found.append(mine.predict(TRAIN).tolist())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(loads) == 1
    assert found == [found[0]] * 8
    assert [len(each) for each in version.registry.who_decided(TRAIN)] == [8] * 4


def test_trust_is_asked_for_as_by_load(version: ModelVersion, tmp_path: Path) -> None:
    """Predicting runs a model's code, so it needs what loading needs."""

    class Own:
        def predict(self, X: Any) -> Any:
            return X

    other = version.registry.register("own", Own())
    script = """
registry = Registry(sys.argv[1])
try:
    registry.get('own@1').predict([1])
except NbregError as error:
    print(error.code)
print(registry.get('own@1').predict([1], trust=True))
try:
    registry.get('own@1').predict([1])
except NbregError as error:
    print(error.code)
"""
    told = run(script, other.registry.location, env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "x")})

    assert told.split() == [TrustError.code, "[1]", TrustError.code]


# the request's own id


def test_a_decision_has_the_request_s_id(version: ModelVersion) -> None:
    """Which line of the server's log, and which customer's complaint."""
    version.predict(TRAIN[:1], request="req-7")

    assert [each.request for each in version.registry.who_decided(TRAIN[:1])[0]] == ["req-7"]


@pytest.mark.parametrize("request_id", ["a\nb", "x" * 201, 7])
def test_a_request_s_id_is_short_text(version: ModelVersion, request_id: Any) -> None:
    """It stands in a line of the ledger."""
    with pytest.raises(BadValueError):
        version.predict(TRAIN, request=request_id)


def test_a_secret_in_a_request_s_id_is_not_written(version: ModelVersion) -> None:
    """A server that takes the authorization header for an id leaks nothing into the ledger."""
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    version.predict(TRAIN[:1], request=token)

    written = b"".join(
        path.read_bytes() for path in (version.registry.location / "decisions").glob("*.jsonl")
    )
    assert token.encode() not in written
    assert "redacted" in version.registry.who_decided(TRAIN[:1])[0][0].request


# when it cannot be written down


def unwritable(registry: Registry) -> None:
    """Where the ledger would be, there is a file: also root cannot make a folder of it."""
    (registry.location / "decisions").write_text("")


def test_an_answer_that_cannot_be_written_down_is_withheld(version: ModelVersion) -> None:
    """Who must be able to prove which version decided gets an error rather than an unprovable answer."""
    unwritable(version.registry)

    with pytest.raises(NotStampedError) as caught:
        version.predict(TRAIN)

    assert caught.value.message.startswith("what churn@1.0.0 decides cannot be written down: ")
    assert "best-effort" in caught.value.hint


def test_best_effort_gives_the_answer_and_logs(
    version: ModelVersion, caplog: pytest.LogCaptureFixture
) -> None:
    """Who would rather answer than prove says so, for one call or in the settings."""
    unwritable(version.registry)
    settings = Settings(stamp="best-effort")
    other = Registry(version.registry.location, settings=settings).get("churn@1")

    assert version.predict(TRAIN, stamp="best-effort").shape == other.predict(TRAIN).shape == (4,)
    told = [record.message for record in caplog.records if "is not written down" in record.message]
    assert len(told) == 2


def test_off_writes_nothing(version: ModelVersion) -> None:
    """An evaluation of a million rows is no decision."""
    version.predict(TRAIN, stamp="off")
    version.predict(TRAIN, stamp=False)

    assert not (version.registry.location / "decisions").exists()
    with pytest.raises(BadInputError):
        version.predict(TRAIN, stamp="maybe")


def test_rows_that_have_no_digest_are_no_answer_where_one_is_required(registry: Registry) -> None:
    """An answer about something that cannot be found again cannot be proven."""

    def length(given: Any) -> int:
        return 1

    version = registry.register("odd", length)

    with pytest.raises(NotStampedError):
        version.predict(object())
    assert version.predict(object(), stamp="best-effort") == 1


def test_rows_that_the_model_changes_are_found_as_they_were_asked(registry: Registry) -> None:
    """A scaler that works in place leaves other numbers behind than the customer has."""

    def spoil(rows: Any) -> Any:
        rows *= 0
        return rows.sum(axis=1)

    version = registry.register("spoil", spoil)
    version.predict(np.array([[1.0, 2.0]]))
    version.load(stamp=True)(np.array([[1.0, 2.0]]))

    assert len(registry.who_decided(np.array([[1.0, 2.0]]))[0]) == 2


def test_a_name_that_is_a_secret_is_no_column_of_the_ledger(registry: Registry) -> None:
    """A model without a signature takes any frame, whatever its columns are called."""
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    frame = pd.DataFrame({token: [1.0], "b": [2.0]})
    registry.register("any", lambda rows: [0] * len(rows)).predict(frame)

    written = b"".join(path.read_bytes() for path in (registry.location / "decisions").glob("*.jsonl"))
    assert token.encode() not in written
    assert len(registry.who_decided(frame)[0]) == 1


def test_rows_with_other_columns_are_no_answer_of_nobody(version: ModelVersion) -> None:
    """An auditor who exported another table is told so, instead of "no decision was made"."""
    version.predict(TRAIN)

    found = version.registry.who_decided(TRAIN[["age"]], "churn")

    assert found.rows == [[]] * 4
    assert [each.message for each in found.unread] == ["no version that decided takes rows with such columns"]


# a model that stamps by itself


def test_a_stamping_model_is_the_model(version: ModelVersion) -> None:
    """Code that was written for the model needs no change."""
    model = version.load(stamp=True)

    assert isinstance(model, Pipeline)
    assert len(model) == 2
    assert isinstance(model[0], StandardScaler)
    assert model.named_steps["logisticregression"].C == 1.0
    assert repr(model) == repr(version.load())
    assert model.predict(TRAIN).tolist() == version.load().predict(TRAIN).tolist()
    assert model.score(TRAIN, TARGET) == version.load().score(TRAIN, TARGET)
    assert not isinstance(version.load(stamp=True), LogisticRegression)


def test_its_answers_are_written_down_once_each_and_with_the_method(version: ModelVersion) -> None:
    """`predict_proba` decides as well; what a method asks another one on the way does not count again."""
    model = version.load(stamp=True)
    model.predict(TRAIN[:1])
    model.predict_proba(X=TRAIN[:1])
    model.score(TRAIN, TARGET)

    (found,) = version.registry.who_decided(TRAIN[:1])
    assert [each.method for each in found] == ["predict_proba", "predict"]
    assert {each.ref for each in found} == {"churn@1.0.0"}


def test_what_is_made_of_it_is_the_model_alone(version: ModelVersion) -> None:
    """A copy in somebody else's hands writes no decisions, and registering it again is no new version."""
    model = version.load(stamp=True)

    copies = [pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model), clone(model)]

    assert {type(each) for each in copies} == {Pipeline}
    again = version.registry.register("churn", model, data={"train": TRAIN})
    assert (again.number, again.existing) == (1, True)
    assert type(again.load()) is Pipeline


def test_it_cannot_become_another_model(version: ModelVersion) -> None:
    """Fitted again, it would be named in the ledger for answers that the version never gave."""
    model = version.load(stamp=True)

    with pytest.raises(BadInputError):
        model.fit(TRAIN, TARGET)
    assert model.set_output(transform="default").predict(TRAIN[:1]).shape == (1,)
    assert clone(model).fit(TRAIN, TARGET).score(TRAIN, TARGET) >= 0
    assert len(version.registry.who_decided(TRAIN[:1])[0]) == 1


def test_a_function_stamps_when_it_is_called(registry: Registry) -> None:
    """A version may be a function: calling it is the decision."""

    def double(rows: Any) -> Any:
        return [2 * row[0] for row in rows]

    version = registry.register("double", double)
    model = version.load(stamp=True)

    assert model([[3]]) == [6]
    assert version.predict([[3]]) == [6]
    assert [each.method for each in registry.who_decided([[3]])[0]] == ["predict", "__call__"]


def test_a_stamping_model_withholds_what_cannot_be_written_down(version: ModelVersion) -> None:
    """The same rule as for `predict`."""
    model = version.load(stamp=True)
    unwritable(version.registry)

    with pytest.raises(NotStampedError):
        model.predict(TRAIN)


def test_a_file_decides_nothing(registry: Registry, tmp_path: Path) -> None:
    """`stamp=True` on what is no model is a mistake that is told."""
    (tmp_path / "notes.txt").write_text("x")
    version = registry.register("notes", tmp_path / "notes.txt")

    with pytest.raises(UnknownArtifactError):
        version.load(stamp=True)
