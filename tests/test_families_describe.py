"""What is known of a model besides its bytes: framework by framework, each the real one."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import warnings
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils import all_estimators

from nbreg import Registry
from nbreg.families.describing import describe
from nbreg.families.describing import sklearn as sklearn_family

FEATURES = ["mean radius", "mean texture", "mean perimeter"]


def cancer() -> tuple[Any, Any]:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    return X[FEATURES].iloc[:200], y.iloc[:200]


def library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:  # OSError: LightGBM where the system has no OpenMP library
        pytest.skip(f"{name} does not import here: {error}")


def test_a_pipeline_tells_what_it_is_made_of() -> None:
    """Which steps, in which order, with which settings, fitted on which columns: what a reviewer asks first."""
    X, y = cancer()
    found = describe.ask(make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X, y))

    assert found.params["logisticregression__C"] == 0.5
    assert "steps" not in found.params, "estimators are told by the architecture"
    assert [part["name"] for part in found.architecture["parts"]] == ["standardscaler", "logisticregression"]
    assert found.architecture["parts"][1]["class"] == "sklearn.linear_model._logistic.LogisticRegression"
    assert (found.features, found.width) == (FEATURES, 3)
    assert found.framework["distribution"] == "scikit-learn"
    assert found.framework["version"][0].isdigit()


def test_transformers_are_parts_also_where_a_word_stands_for_one() -> None:
    """`passthrough` and `drop` decide what a model sees, so they are told like any other step."""
    found = describe.ask(ColumnTransformer([("a", MinMaxScaler(), [0]), ("b", "passthrough", [1])]))

    assert [(part["name"], part["class"].rpartition(".")[2]) for part in found.architecture["parts"]] == [
        ("a", "MinMaxScaler"),
        ("b", "passthrough"),
    ]


@pytest.mark.parametrize("name", ["xgboost.XGBClassifier", "lightgbm.LGBMClassifier"])
def test_boosted_trees_tell_their_settings_and_features(name: str) -> None:
    """A boosted model is as readable as one of scikit-learn, and is not taken for one."""
    root, _, kind = name.partition(".")
    quiet = {"verbosity": 0} if root == "xgboost" else {"verbose": -1}
    X, y = cancer()
    X.columns = ["a", "b", "c"]
    model = getattr(library(root), kind)(n_estimators=3, learning_rate=0.25, **quiet).fit(X, y)

    for each in (model, model.get_booster() if root == "xgboost" else model.booster_):
        found = describe.ask(each)
        assert (found.family, found.features, found.width) == (root, ["a", "b", "c"], 3)
        assert 3 in found.architecture.values()
    assert describe.ask(model).params["learning_rate"] == 0.25
    assert describe.ask(getattr(library(root), kind)()).features == [], "not fitted yet"


def test_a_torch_module_tells_its_weights_and_layers_without_being_run() -> None:
    """Two networks that are built alike have one structure, whatever their weights."""
    torch = library("torch")

    class Net(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, hidden: int) -> None:
            super().__init__()
            self.body = torch.nn.Sequential(torch.nn.Linear(3, hidden), torch.nn.ReLU())
            self.head = torch.nn.Linear(hidden, 1)
            self.head.bias.requires_grad_(False)

        def forward(self, x: Any) -> Any:
            raise AssertionError("nobody asked for a prediction")

        def extra_repr(self) -> str:
            raise AssertionError("nobody asked for a text")

    one, same, other = describe.ask(Net(4)), describe.ask(Net(4)), describe.ask(Net(5))

    assert one.params["parameters"] == 3 * 4 + 4 + 4 + 1
    assert one.params["trainable"] == one.params["parameters"] - 1
    assert one.params["structure"] == same.params["structure"] != other.params["structure"]
    body, head = one.architecture["parts"]
    assert body["parts"][0]["built"] == {"in_features": 3, "out_features": 4}
    assert (head["class"], one.width) == ("torch.nn.modules.linear.Linear", 3)


def test_statsmodels_results_tell_their_model() -> None:
    """The formula and the names of the variables are what a statistician knows a fit by."""
    library("statsmodels")
    import statsmodels.formula.api as smf

    X, y = cancer()
    frame = X.set_axis(["a", "b", "c"], axis=1).assign(y=y)
    found = describe.ask(smf.ols("y ~ a + b", frame).fit())

    assert found.params["model"] == "OLS"
    assert found.params["formula"] == "y ~ a + b"
    assert found.features == ["Intercept", "a", "b"]
    assert found.framework["distribution"] == "statsmodels"


KERAS = """
import os; os.environ["KERAS_BACKEND"] = "torch"
import keras
from nbreg.families.describing import describe
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(8), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.5), "mse")
found = describe.ask(model)
assert found.family == "keras" and found.framework["version"] == keras.__version__, found
assert found.params == {"parameters": 49, "optimizer": "SGD", "learning_rate": 0.5, "loss": "mse"}, found
assert [each["class"].rpartition(".")[2] for each in found.architecture["parts"]] == ["Dense", "Dropout", "Dense"], found
assert found.width == 4 and describe.is_model(model) and describe.quick_predict(model) is None
assert describe.ask(keras.Sequential([keras.layers.Dense(2)])).width is None
"""


def test_keras_is_no_module_of_torch() -> None:
    """Over torch a Keras model is one, and would tell of torch's containers instead of its layers."""
    for each in ("keras", "torch"):
        if importlib.util.find_spec(each) is None:
            pytest.skip(f"{each} is not installed")
    done = subprocess.run([sys.executable, "-c", KERAS], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


class Threshold:
    """A model as people write them by hand."""

    def __init__(self, column: str, limit: float) -> None:
        self.column, self.limit = column, limit
        self.seen_ = 12
        self._cache = "x"
        self.weights = [1, 2, 3]

    def predict(self, rows: Any) -> Any:
        raise AssertionError("nobody asked for a prediction")


def test_a_class_of_the_users_own_tells_its_plain_attributes() -> None:
    """By the custom of scikit-learn: what was learned ends with `_`, and is not a parameter."""
    found = describe.ask(Threshold("age", 0.5))

    assert found.params == {"column": "age", "limit": 0.5}
    assert found.architecture["class"].endswith("Threshold")


def test_a_function_tells_its_arguments() -> None:
    """A rule in a function is a model, too."""

    def score(age: int, *, income: float) -> float:
        return age * income

    assert describe.ask(score).architecture["arguments"] == ["age", "income"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(LogisticRegression(), True), (StandardScaler(), True), (LogisticRegression, False), ({"a": 1}, False)],
)
def test_what_is_a_model_is_judged_by_its_class(value: object, expected: bool) -> None:
    """Nothing of the object is called to find out."""
    assert describe.is_model(value) is expected


def test_parameters_are_bounded() -> None:
    """A thousand parameters, or a million characters of one, stay a line that can be read."""

    class Many(LogisticRegression):
        def get_params(self, deep: bool = True) -> dict[str, Any]:
            return {**{f"p{i:04}": i for i in range(1000)}, "a": "x" * 1_000_000}

    params = describe.ask(Many()).params

    assert len(params) == describe.MOST + 1
    assert params["…"] == "801 more"
    assert len(params["a"]) <= describe.LONGEST + 1


def test_a_model_that_does_not_answer_is_registered_all_the_same(tmp_path: Path) -> None:
    """Losing a version because `get_params` raises would help nobody."""
    version = Registry(tmp_path / "r").register("m", Rude())

    assert version.params == {}
    assert version.manifest.described["architecture"]["class"].endswith("Rude")  # type: ignore[index]


class Rude(LogisticRegression):
    """Answers no question."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        raise RuntimeError("no")


def test_params_are_the_models_own_where_none_are_given(tmp_path: Path) -> None:
    """Nobody types what the model knows; and what was typed is not overruled."""
    registry = Registry(tmp_path / "r")
    own = registry.register("m", LogisticRegression(C=0.25))
    given = registry.register("m", LogisticRegression(C=0.25), params={"lr": 1})

    assert own.params["C"] == 0.25
    assert own.manifest.inferred == ["params"]
    assert (given.params, given.manifest.inferred) == ({"lr": 1}, [])
    again = registry.register("m", LogisticRegression(C=0.25))
    assert (again.number, again.existing) == (own.number, True)


def test_a_secret_among_the_models_parameters_is_withheld(tmp_path: Path) -> None:
    """A client's key in a constructor is no hyperparameter."""
    model = Threshold("age", 0.5)
    model.api_key = "hunter2-Zq81kfjWm3"  # type: ignore[attr-defined]
    version = Registry(tmp_path / "r").register("m", model, allow_secrets=True)

    assert version.params["column"] == "age"
    assert "hunter2" not in str(version.params)


def test_asking_imports_nothing() -> None:
    """A script that never used torch does not wait for it."""
    code = """
import sys
from nbreg.families.describing import describe
describe.ask({"a": 1}); describe.ask(len); describe.is_model(object())
print([name for name in ("numpy", "sklearn", "torch", "xgboost", "pandas", "keras") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


class Named(BaseEstimator):
    """Keeps to scikit-learn's way."""

    def __init__(self, rate: float = 0.5, *, inner: Any = None) -> None:
        self.rate, self.inner = rate, inner


class Wrapped(Named):
    """Its constructor is what a decorator made of it, and says that it takes what it was made of."""

    @wraps(Named.__init__)
    def __init__(self, one: float, **others: Any) -> None:
        super().__init__(one, **others)


class Own(Named):
    """Tells its parameters itself."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"rate": self.rate, "deep": deep}


class Choosy(Named):
    """Names its parameters itself."""

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return ["rate"]


class OtherPipeline(Pipeline):
    """Gathers them in its own way."""

    def _get_params(self, attr: str, deep: bool = True) -> dict[str, Any]:
        return {"steps": getattr(self, attr), "many": 2}


def estimators() -> list[Any]:
    made = []
    with warnings.catch_warnings(action="ignore"):
        for _, kind in all_estimators():
            with suppress(TypeError):  # it is made of others
                made.append(kind())
    logistic = LogisticRegression(C=2.0)
    return [
        *made,
        *(kind(0.25, inner=logistic) for kind in (Named, Wrapped, Own, Choosy)),
        make_pipeline(
            StandardScaler(), "passthrough", None, make_pipeline(MinMaxScaler(), Own(inner=Named()))
        ),
        OtherPipeline([("a", StandardScaler()), ("b", logistic)]),
        ColumnTransformer([("a", make_pipeline(MinMaxScaler(), Named()), [0]), ("b", "passthrough", [1])]),
        GridSearchCV(make_pipeline(StandardScaler(), Named(inner=logistic)), {}),
    ]


def test_parameters_are_what_the_estimator_itself_tells() -> None:
    """They are gathered without asking each constructor; nobody who compares two versions may notice."""
    every = estimators()
    assert len(every) > 150
    for each in every:
        wanted = each.get_params(deep=True)
        given = sklearn_family._given(each)

        assert sorted(given) == sorted(wanted), type(each).__name__
        assert all(given[name] is wanted[name] or given[name] == wanted[name] for name in wanted)


def test_a_constructor_that_was_edited_in_a_running_kernel_is_asked_anew() -> None:
    """`%autoreload` puts new code into the function that is there; its parameters are others from then on."""

    class Edited(BaseEstimator):
        def __init__(self, rate: float = 0.5) -> None:
            self.rate = self.depth = rate

    model = Edited()
    assert set(describe.ask(model).params) == {"rate"}

    def again(self: Any, rate: float = 0.5, depth: float = 1) -> None: ...

    Edited.__init__.__code__ = again.__code__

    assert set(describe.ask(model).params) == {"rate", "depth"}
