"""In and out of other tools: MLflow's folder, with the real MLflow, and skops' file, with the real skops."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn import ensemble, linear_model, neighbors, svm
from sklearn.datasets import make_classification
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import FunctionTransformer

from nbreg import Registry
from nbreg.cli import main
from nbreg.errors import (
    BadInputError,
    CannotStoreError,
    ConflictError,
    NbregError,
    TrustError,
)
from nbreg.families.pickles.inband import inband, outband

ROWS = pd.DataFrame({"age": [20.0, 30.0, 40.0], "income": [1.0, 2.0, 4.0]})


def linear() -> LinearRegression:
    return LinearRegression().fit(ROWS, [1.0, 2.0, 3.0])


def with_mlflow(script: str, *args: object) -> str:
    """What a process with MLflow prints: it is a large guest, and not wanted in this one."""
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *map(str, args)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_mlflow_loads_what_is_exported_for_it(registry: Registry, tmp_path: Path) -> None:
    """As its own flavour and as a python function, without nbreg, by the real MLflow."""
    registry.register("line", linear(), data={"train": ROWS}, metrics={"r2": 1.0})

    folder = registry.export("line@1", tmp_path / "mlflow", "mlflow")

    out = with_mlflow(
        "import sys, json; import mlflow.pyfunc, mlflow.sklearn, pandas as pd\n"
        "folder = sys.argv[1]; rows = pd.DataFrame({'age': [20.0], 'income': [1.0]})\n"
        "model = mlflow.pyfunc.load_model(folder)\n"
        "print(json.dumps([model.predict(rows).tolist(), mlflow.sklearn.load_model(folder).predict(rows).tolist(),\n"
        "    [each.name for each in model.metadata.signature.inputs.inputs], 'nbreg' in sys.modules]))",
        folder,
    )
    function, flavour, names, used = json.loads(out.splitlines()[-1])
    assert function == flavour == pytest.approx([1.0])
    assert (names, used) == (["age", "income"], False)
    assert "scikit-learn==" in (folder / "requirements.txt").read_text()
    assert json.loads((folder / "version.json").read_text())["number"] == 1


def test_any_object_that_predicts_is_a_python_function_for_mlflow(registry: Registry, tmp_path: Path) -> None:
    """A class of the notebook, too: its code travels in the pickle."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec("class Mean:\n    def predict(self, rows):\n        return [7 for _ in range(len(rows))]", names)
    registry.register("mean", names["Mean"]())

    folder = registry.export("mean@1", tmp_path / "mlflow", "mlflow")

    out = with_mlflow(
        "import sys, mlflow.pyfunc; print(mlflow.pyfunc.load_model(sys.argv[1]).predict([[1], [2]]))", folder
    )
    assert out.splitlines()[-1] == "[7, 7]"


def test_what_mlflow_has_no_form_for_is_refused(registry: Registry, tmp_path: Path) -> None:
    """Before a folder is made."""
    (tmp_path / "notes.txt").write_text("x")
    registry.register("notes", tmp_path / "notes.txt")

    with pytest.raises(BadInputError, match="has no object as its model"):
        registry.export("notes@1", tmp_path / "mlflow", "mlflow")
    assert not (tmp_path / "mlflow").exists()


@pytest.mark.parametrize("form", ["cloudpickle", "skops"])
def test_a_folder_that_mlflow_wrote_is_taken_in(registry: Registry, tmp_path: Path, form: str) -> None:
    """By the real MLflow, in both of its forms; an ordinary model asks for nobody's word in either."""
    with_mlflow(
        "import sys, mlflow.sklearn, numpy as np\nfrom sklearn.linear_model import LinearRegression\n"
        "mlflow.sklearn.save_model(LinearRegression().fit(np.arange(6.0).reshape(3, 2), [1, 2, 3]), sys.argv[1],\n"
        "    serialization_format=sys.argv[2], pip_requirements=['scikit-learn'])",
        tmp_path / "theirs",
        form,
    )

    version = registry.import_(tmp_path / "theirs", "line")

    assert version.load().predict([[0.0, 1.0]]) == pytest.approx([1.0])
    assert version.content["imported"]["from"] == "mlflow"
    assert version.content["imported"]["flavors"] == ["python_function", "sklearn"]
    assert version.manifest.params["fit_intercept"] is True


@pytest.mark.parametrize(
    "model",
    [
        ensemble.RandomForestClassifier(20, random_state=0),
        ensemble.HistGradientBoostingClassifier(max_iter=5),
        ensemble.GradientBoostingClassifier(n_estimators=5),
        neighbors.KNeighborsClassifier(),
        svm.SVC(),
        linear_model.LogisticRegression(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_went_out_to_mlflow_comes_back_without_a_word(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Any
) -> None:
    """Its numbers stand in the pickle there, where a stream could change them: they are taken out and looked at."""
    X, y = make_classification(80, 6, random_state=0)
    registry.register("model", model.fit(X, y))
    folder = registry.export("model@1", tmp_path / "mlflow", "mlflow")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "a stranger"))

    back = registry.import_(folder, "back").load(trust=False)

    use = "decision_function" if isinstance(model, svm.SVC) else "predict_proba"
    assert np.array_equal(getattr(back, use)(X), getattr(model, use)(X))


def test_a_pickle_is_cut_and_joined_again_byte_by_byte() -> None:
    """Cutting is the inverse of joining, so that what was looked at is what the file holds."""
    model = ensemble.RandomForestRegressor(5).fit(np.eye(9), np.arange(9.0))
    whole = pickle.dumps(model, 5)

    stream, buffers = outband(whole)
    assert len(buffers) > 10
    joined = b"".join(map(bytes, inband(stream, buffers)))
    assert joined == b"".join(map(bytes, inband(whole, [])))
    assert np.array_equal(pickle.loads(joined).predict(np.eye(9)), model.predict(np.eye(9)))
    for odd in (
        b"",
        b"\x80\x05",
        b"cos\nsystem\n.",
        pickle.dumps(pickle.PickleBuffer(b"x"), 5, buffer_callback=print),
    ):
        assert outband(odd) == (odd, [])


def mlmodel(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "MLmodel").write_text(text)
    return folder


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a list",
        "flavors: none",
        "flavors: {sklearn: {pickled_model: ../../../etc/passwd}}",
        "flavors: {sklearn: {pickled_model: missing.pkl}}",
        "flavors: {sklearn: {}}",
        "a: &a [*a]\nflavors: *b",
        "!!python/object/apply:os.system ['true']",
        "flavors: {" * 2000,
    ],
)
def test_a_hostile_folder_is_refused(registry: Registry, tmp_path: Path, text: str) -> None:
    """Folders come from the internet."""
    with pytest.raises(NbregError) as caught:
        registry.import_(mlmodel(tmp_path / "theirs", text), "line")

    assert caught.value.code in ("bad-input", "conflict")
    assert registry.models() == []


def bomb(levels: int) -> str:
    """A list of ten lists of ten lists …, which YAML spells in a line each."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("field", ["signature", "model_uuid", "run_id", "utc_time_created", "mlflow_version"])
def test_a_text_of_mlflows_that_writes_itself_out_without_end_is_left_out(
    registry: Registry, tmp_path: Path, field: str
) -> None:
    """A file of a kilobyte must not fill the memory of who takes it in."""
    folder = tmp_path / "mlflow"
    folder.mkdir()
    (folder / "MLmodel").write_text(f"{bomb(12)}flavors: {{other: {{}}}}\n{field}: *a11\n")

    version = registry.import_(folder, "m")

    assert not version.content["imported"][field.replace("utc_time_", "")]


def test_a_pickle_of_somebody_else_is_looked_at_and_not_run(registry: Registry, tmp_path: Path) -> None:
    """Until somebody says yes."""
    trace = tmp_path / "trace"
    folder = mlmodel(tmp_path / "theirs", "flavors: {sklearn: {pickled_model: model.pkl}}")
    (folder / "model.pkl").write_bytes(b"cos\nsystem\n(S'touch " + str(trace).encode() + b"'\ntR.")

    with pytest.raises(TrustError, match=r"would run code that nobody vouched for: (os|posix)\.system"):
        registry.import_(folder, "line")

    assert not trace.exists()


def test_a_folder_of_another_flavour_is_stored_as_it_is(registry: Registry, tmp_path: Path) -> None:
    """Nothing is lost of what nbreg cannot read."""
    folder = mlmodel(tmp_path / "theirs", "flavors: {pytorch: {}}")
    (folder / "data.bin").write_bytes(b"x")

    version = registry.import_(folder, "net")

    assert (version.load() / "data.bin").read_bytes() == b"x"
    assert version.content["imported"]["flavors"] == ["pytorch"]


def test_a_model_goes_out_and_in_as_skops(registry: Registry, tmp_path: Path) -> None:
    """Read by the real skops, and taken in again without consent."""
    registry.register("line", linear())

    path = registry.export("line@1", tmp_path / "line.skops", "skops")

    assert skops.io.load(path, trusted=[]).predict(ROWS) == pytest.approx([1.0, 2.0, 3.0])
    again = registry.import_(path, "line2")
    assert again.load().predict(ROWS) == pytest.approx([1.0, 2.0, 3.0])
    with pytest.raises(ConflictError, match="is there already"):
        registry.export("line@1", path, "skops")
    with pytest.raises(BadInputError, match="does not say which model"):
        registry.import_(path)


def test_what_skops_does_not_vouch_for_needs_consent(registry: Registry, tmp_path: Path) -> None:
    """Its list is its own; consent is the user's."""
    path = tmp_path / "x.skops"
    skops.io.dump(FunctionTransformer(np.linalg.norm), path)
    untrusted = skops.io.get_untrusted_types(file=path)
    if not untrusted:
        pytest.skip("skops vouches for numpy.linalg.norm by now")

    with pytest.raises(TrustError, match="skops does not vouch for"):
        registry.import_(path, "x")
    assert registry.import_(path, "x", trust=True).number == 1


def test_what_skops_has_no_form_for_is_refused(registry: Registry, tmp_path: Path) -> None:
    """And nothing half is left."""
    registry.register("odd", 3 + 4j)

    with pytest.raises(CannotStoreError, match="skops has no form"):
        registry.export("odd@1", tmp_path / "odd.skops", "skops")
    assert list(tmp_path.glob("*odd*")) == []


def test_the_command_line_takes_a_skops_file(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`nbreg import FILE MODEL`."""
    skops.io.dump(linear(), tmp_path / "line.skops")

    assert main(["import", str(tmp_path / "line.skops"), "line", "--registry", str(registry.location)]) == 0
    assert capsys.readouterr().out == "line@1.0.0 (#1) is taken in\n"
    assert pickle.dumps(registry.load("line@1").coef_)
