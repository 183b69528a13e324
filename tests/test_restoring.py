"""What a version recorded of the notebook: previewed before, held back by policy, brought back afterwards."""

from __future__ import annotations

import decimal
import math
import uuid
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kernels import MODEL, Kernel, running_kernel

from nbreg import Registry
from nbreg.capture.context import using_context
from nbreg.capture.restoring import restored
from nbreg.errors import BadInputError, NotRestorableError, UnknownVariableError
from nbreg.records import Variable
from nbreg.settings import Settings

VALUES: dict[str, Any] = {
    "none": None,
    "yes": True,
    "count": 3,
    "huge": 2**200,
    "below": -(2**63) - 1,
    "rate": 0.1,
    "whole": 1.0,
    "endless": math.inf,
    "missing": math.nan,
    "text": "naïve ‹quoted› \n",
    "complex": 1 + 2j,
    "listed": [1, 2.0, "a", None, [True]],
    "tuple": (1, ("a", 2.0), []),
    "inner": {"shape": (3, 4), "kinds": {"a", "b"}, "frozen": frozenset([1]), "steps": [("a", 1)]},
    "chosen": {"b", "a"},
    "fixed": frozenset([(1, 2), (0, 1)]),
    "labels": {0: "cat", 1: "dog"},
    "odd_keys": {(1, 2): "x", None: 1, True: 2},
    "disguised": {"$type": "set", "items": [1]},
    "empty": {},
    "ordered": OrderedDict(b=1, a=2),
    "nested_ordered": {"o": OrderedDict(b=1, a=2)},
    "counted": Counter(a=2),
    "space": SimpleNamespace(lr=0.1, sizes=(1, 2)),
    "span": range(0, 10, 3),
    "cut": slice(None, 5),
    "price": decimal.Decimal("1.10"),
    "moment": datetime(2026, 2, 9, 10, 30, tzinfo=UTC),
    "day": date(2026, 2, 9),
    "wait": timedelta(days=-1, seconds=5, microseconds=7),
    "path": Path("data/x.csv"),
    "run": uuid.UUID(int=7),
    "np_float": np.float32(0.1),
    "np_int": np.int64(7),
    "np_bool": np.bool_(True),
    "np_nan": np.float64("nan"),
    "np_inside": [np.float64(0.5), {"x": np.int8(1)}],
    "stamp": pd.Timestamp("2026-02-09T10:30:00.123456789"),
    "delta": pd.Timedelta("1 days 02:03:04.5"),
}


class Names:
    """A context that holds these names."""

    kind = "script"
    executions: tuple[()] = ()
    notebook = script = ""
    run = None
    moment = datetime(2026, 2, 9, tzinfo=UTC)

    def __init__(self, **namespace: object) -> None:
        self.namespace = namespace
        self.folder = str(Path.cwd())

    def recipe_for(self, *values: object) -> None:
        return None


def registered(registry: Registry, **namespace: object) -> str:
    with using_context(Names(**namespace)):  # type: ignore[arg-type]
        return registry.register("churn", {"n": len(namespace)}).ref


def same(value: object, other: object) -> bool:
    """Equal, of the same types all the way down; NaN is NaN."""
    if type(value) is not type(other):
        return False
    if isinstance(value, dict):
        if isinstance(value, OrderedDict) and list(value) != list(other):  # type: ignore[call-overload]
            return False
        return value.keys() == other.keys() and all(same(value[key], other[key]) for key in value)  # type: ignore[attr-defined,index]
    if isinstance(value, list | tuple):
        return len(value) == len(other) and all(map(same, value, other))  # type: ignore[arg-type]
    return value == other or (value != value and other != other)


# values come back as they were


def test_values_come_back_as_what_they_were(registry: Registry) -> None:
    """A threshold that comes back as a text, or a tuple as a list, is a bug in the next notebook."""
    ref = registered(registry, **VALUES)

    found = registry.variables(ref)

    assert [name for name in VALUES if not same(found.get(name, ...), VALUES[name])] == []
    assert registry.variables(ref, "rate", "tuple") == {"rate": 0.1, "tuple": (1, ("a", 2.0), [])}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (pd.DataFrame({"a": [1, 2]}), "only summarised (pandas.DataFrame 2×1)"),
        (np.zeros((2, 3)), "only summarised (numpy.ndarray 2×3)"),
        ("x" * 10_000, "only summarised (str of length 10000)"),
        ([0.5] * 10_000, "only summarised (list of length 10000)"),
        ({"X": np.zeros(3)}, "a numpy.ndarray 3 inside it was only summarised"),
        (object(), "an object of type object"),
        (defaultdict(list, a=[1]), "values of collections.defaultdict do not come back"),
        ({"db": {"password": "hunter2-hunter2"}}, "a secret inside it was withheld"),
    ],
)
def test_what_has_no_value_is_refused_with_the_reason(registry: Registry, value: object, reason: str) -> None:
    """Half a value would be worse than none, and a silent one worse than both."""
    ref = registered(registry, thing=value, other=1)

    with pytest.raises(NotRestorableError) as caught:
        registry.variables(ref, "thing")

    assert reason in caught.value.message
    assert caught.value.hint
    assert registry.variables(ref) == {"other": 1}


def test_a_variable_that_was_not_there_has_its_nearest_named(registry: Registry) -> None:
    """A typing error is not the same as a missing record."""
    ref = registered(registry, threshold=0.5)

    with pytest.raises(UnknownVariableError) as caught:
        registry.variables(ref, "treshold")

    assert caught.value.hint == "did you mean 'threshold'?"


@pytest.mark.parametrize(
    "variable",
    [
        Variable(name="x", type="os.system", value="true"),
        Variable(name="x", type="builtins.eval", value="1"),
        Variable(name="x", type="list", value={"$type": "subprocess.Popen", "value": "true"}),
        Variable(name="x", type="list", value=[{"$type": "pathlib.Path", "items": 5}]),
        Variable(name="x", type="numpy.load", value="x.npy"),
        Variable(name="x", type="tuple", value=7),
        Variable(name="x", type="dict", value=[1, 2]),
        Variable(name="x", type="uuid.UUID", value="no"),
        Variable(name="x", type="datetime.timedelta", value="soon"),
        Variable(name="x", type="set", value=[[1]]),
        Variable(name="x", type="bool", value="True"),
        Variable(name="x", type="int", value=None),
    ],
)
def test_a_record_that_somebody_else_wrote_makes_nothing_but_plain_values(variable: Variable) -> None:
    """A registry may come from anybody, and no trust is asked for here."""
    with pytest.raises(NotRestorableError):
        restored(variable)


# policy


def test_what_the_settings_exclude_is_recorded_by_name_and_type_alone(tmp_path: Path) -> None:
    """Some names hold what must not leave the notebook, secret or not."""
    number, name = (
        48_151_600 + 23,
        "".join(("Ottoline", " Quill")),
    )  # the text of this test is captured as well
    settings = Settings(variables_exclude=("salary_*", "customers"))
    registry = Registry(tmp_path / "r", settings=settings)
    ref = registered(registry, salary_limit=number, customers=[name], lr=0.1, salaries=np.zeros(4815))

    recorded = {each.name: each for each in registry.get(ref).variables.variables}
    stored = b"".join(path.read_bytes() for path in (tmp_path / "r").rglob("*") if path.is_file())

    assert recorded["salary_limit"] == Variable(name="salary_limit", type="int", redacted="excluded")
    assert recorded["salaries"].summary["shape"] == [4815], "a pattern is a whole name"
    assert recorded["lr"].value == 0.1
    assert str(number).encode() not in stored
    assert name.encode() not in stored
    with pytest.raises(NotRestorableError, match="excluded by settings"):
        registry.variables(ref, "customers")


def test_only_what_the_settings_include_is_recorded(tmp_path: Path) -> None:
    """Those who record nothing unasked name what they want."""
    settings = Settings(variables_include=("lr", "n_*"), variables_exclude=("n_private",))
    registry = Registry(tmp_path / "r", settings=settings)

    ref = registered(registry, lr=0.1, n_trees=5, n_private=1, other="x")

    assert registry.variables(ref) == {"lr": 0.1, "n_trees": 5}


# preview


def test_a_preview_tells_what_would_be_stored_and_why_not(registry: Registry) -> None:
    """Before the first registration a person wants to see what leaves the notebook."""
    namespace = {"lr": 0.1, "password": "hunter2-hunter2", "X": pd.DataFrame({"a": [1]}), "<b>": 1}
    with using_context(Names(**namespace)):  # type: ignore[arg-type]
        preview = registry.preview("churn", {"n": 1}, artifacts={"scaler": [1]}, params={"C": 1})

    shown = preview._repr_mimebundle_()
    text, page = shown["text/plain"], shown["text/html"]
    lines = [line.split() for line in text.split("\n")]

    assert text == repr(preview)
    assert ["lr", "float", "0.1"] in lines
    assert ["password", "str", "withheld:", "password"] in lines
    assert any(line[:3] == ["X", "pandas.DataFrame", "summarised:"] for line in lines)
    assert "variables: 2 recorded, 1 summarised, 1 withheld" in text
    assert "model dict" in text
    assert "scaler list" in text
    assert "environment" in text
    assert "hunter2" not in page + text
    assert "&lt;b&gt;" in page
    assert "<b>" not in page.replace("<b>churn</b>", "")
    assert not registry.location.exists()


def test_a_preview_is_the_manifest_that_is_written(registry: Registry) -> None:
    """It must not show one thing and register another."""
    with using_context(Names(lr=0.1)):  # type: ignore[arg-type]
        preview = registry.preview("churn", {"n": 1})
        version = registry.register("churn", {"n": 1})

    assert preview.content_digest == version.content_digest
    assert preview.variables == version.manifest.variables
    assert preview.parts["variables"] == version.variables
    assert preview.artifacts == version.manifest.artifacts


# in a kernel


@pytest.fixture(scope="module")
def shared() -> Iterator[Kernel]:
    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        yield kernel


@pytest.fixture
def kernel(shared: Kernel, tmp_path: Path) -> Kernel:
    (tmp_path / "work").mkdir()
    shared.good("%reset -f")
    shared.good(f"%cd -q {tmp_path / 'work'}")
    shared.good(f"%use_registry {tmp_path / 'r'}")
    shared.good(MODEL)
    shared.good(
        "clf = Mean().fit([1.0, 3.0]); scaler = Mean(); threshold = 0.5; features = ('a', 'b'); limit = 7\n"
        "import numpy; X = numpy.zeros((3, 2))"
    )
    shared.good("%register_model churn clf --artifacts scaler")
    return shared


def told(kernel: Kernel, expression: str) -> str:
    return kernel.good(f"print({expression})").stdout.strip()


def test_artifacts_and_variables_come_back_beside_the_model(kernel: Kernel) -> None:
    """A model without its threshold and its preprocessor decides something else."""
    kernel.good("del scaler, threshold, features, clf")

    ran = kernel.good("clf = %load_model churn@1 --with scaler,threshold,features")

    assert "with scaler, threshold = 0.5, features (tuple of 2 items)" in ran.text
    assert told(kernel, "clf.mean, type(scaler).__name__, threshold, features") == "2.0 Mean 0.5 ('a', 'b')"


def test_a_name_that_holds_something_else_is_never_overwritten_unasked(kernel: Kernel) -> None:
    """All or nothing: the names that were free are not set either."""
    kernel.good("del features, scaler; threshold = 0.9; limit = True")

    line = kernel.refused("%load_model churn@1 --as again --with scaler,features,threshold,limit")

    assert "would overwrite the variables threshold, limit" in line
    assert "--overwrite" in line
    free = "[each for each in ('again', 'features', 'scaler') if each in globals()], threshold, limit"
    assert told(kernel, free) == "[] 0.9 True"

    kernel.good("%load_model churn@1 --as again --with features,threshold,limit --overwrite")
    assert told(kernel, "features, threshold, limit, again.mean") == "('a', 'b') 0.5 7 2.0"


def test_a_name_that_holds_an_equal_value_is_not_in_the_way(kernel: Kernel) -> None:
    """Running the cell a second time is no conflict."""
    kernel.good("m = %load_model churn@1 --with all")
    ran = kernel.good("m = %load_model churn@1 --with all")

    assert "threshold = 0.5" in ran.text
    assert "X" not in told(kernel, "sorted(globals())").split() or told(kernel, "X.shape") == "(3, 2)"


def test_what_was_only_summarised_is_refused_before_anything_is_set(kernel: Kernel) -> None:
    """The hint says how to keep it next time."""
    kernel.good("del threshold, X")

    line = kernel.refused("%load_model churn@1 --with threshold,X")

    assert "'X' has no recorded value: only summarised (numpy.ndarray 3×2)" in line
    assert "artifacts={'X': X}" in line
    assert told(kernel, "'threshold' in globals()") == "False"
    assert "did you mean 'threshold'?" in kernel.refused("%load_model churn@1 --with treshold")


def test_the_model_and_what_comes_beside_it_need_two_names(kernel: Kernel) -> None:
    """`--as threshold --with threshold` cannot mean both."""
    assert "are one name" in kernel.refused("%load_model churn@1 --as threshold --with threshold")


def test_the_line_previews_and_tab_knows_what_can_come_back(kernel: Kernel) -> None:
    """One flag on the line that is going to register."""
    kernel.good("db_password = 'hunter2-hunter2'")

    ran = kernel.good("%register_model other clf --artifacts scaler --preview")

    assert "what would be registered; nothing was written" in ran.text
    assert "withheld: password" in ran.text
    assert "hunter2" not in ran.text
    assert "text/html" in ran.bundles[-1]
    assert "other" not in kernel.good("%models").text
    assert "--preview runs no cell" in kernel.refused("%%register_model other clf --preview\nx = 1")
    assert "%load_model churn@1 --with threshold" in kernel.complete("%load_model churn@1 --with thr")


def test_the_policy_is_set_in_the_notebook(kernel: Kernel) -> None:
    """`%config` is where people set things."""
    kernel.good("%config Nbreg.variables_exclude = ['thr*']")
    kernel.good("%register_model second clf")
    line = kernel.refused("%load_model second --with threshold")
    kernel.good("%config Nbreg.variables_exclude = []")

    assert "excluded by settings" in line


def test_a_cell_and_a_preview_of_nothing_is_refused(registry: Registry) -> None:
    """A preview of nothing would look like one of everything."""
    with pytest.raises(BadInputError):
        registry.preview("churn")
