"""The data that a model was trained on and asked about, worked out from the cells, and said to be so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nbreg import ModelVersion, Registry
from nbreg.kernel import load
from notebooks import run, shell_in

SETUP = """
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
rng = np.random.default_rng(0)
df = pd.DataFrame(rng.normal(size=(200, 4)), columns=list('abcd')).assign(y=rng.random(200) > 0.5)
X, y = df[list('abcd')], df['y']
"""
SPLIT = "Xtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Any]:
    """A shell that is watched, in a project of its own."""
    with shell_in(tmp_path / "here", {}) as shell:
        load(shell)
        yield shell
        for each in ("v", "_v", "nameless"):
            if isinstance(version := shell.user_ns.get(each), ModelVersion):
                version.registry.close()


def registered(shell: Any, name: str = "model", **options: Any) -> ModelVersion:
    """The object of that name, registered by a cell as people do."""
    shell.user_ns["_options"] = options
    run(shell, [f"import nbreg\n_v = nbreg.Registry('.nbreg').register('m', {name}, **_options)"])
    version = shell.user_ns.get("_v")
    assert isinstance(version, ModelVersion)
    return version


def told(version: ModelVersion) -> list[str]:
    """Each set in a few words: `train Xtr 150×4`, the outcomes with `→`."""
    words = []
    for each in version.data.sets:
        shape = "×".join(map(str, each.summary.get("shape", ["?"])))
        part, arrow = ("~" if each.summary.get("part") else ""), ("→" if each.summary.get("target") else "")
        words.append(f"{each.role} {part}{arrow}{each.name} {shape}")
    return words


SKLEARN = {
    "one cell": (
        "model = LogisticRegression().fit(Xtr, ytr)",
        ["train Xtr 150×4", "train →ytr 150"],
    ),
    "made in one cell, fitted in another": (
        "model = make_pipeline(StandardScaler(), LogisticRegression())\n#---\nmodel.fit(X=Xtr, y=ytr)",
        ["train Xtr 150×4", "train →ytr 150"],
    ),
    "a search and its best": (
        "search = GridSearchCV(LogisticRegression(), {'C': [0.1, 1.0]}).fit(Xtr, ytr)\n#---\n"
        "model = search.best_estimator_",
        ["train Xtr 150×4", "train →ytr 150"],
    ),
    "a part of a frame": (
        "model = LogisticRegression().fit(Xtr.iloc[:50], ytr.iloc[:50])",
        ["train Xtr.iloc[:50] 50×4", "train →ytr.iloc[:50] 50"],
    ),
    "columns by a list, rows by a comparison": (
        "cols = ['a', 'b']\nmodel = LogisticRegression().fit(df[df['a'] > 0][cols], df[df.a > 0]['y'])",
        ["train df[df['a'] > 0][cols] 92×2", "train →df[df.a > 0]['y'] 92"],
    ),
    "without the outcome": (
        "model = LogisticRegression().fit(df.drop(columns='y'), df['y'])",
        ["train df.drop(columns='y') 200×4", "train →df['y'] 200"],
    ),
    "through something else": (
        "scaler = StandardScaler().fit(Xtr)\nmodel = LogisticRegression().fit(scaler.transform(Xtr), ytr)",
        ["train ~Xtr 150×4", "train →ytr 150"],
    ),
    "what was made of it has a name": (
        "Z = StandardScaler().fit_transform(Xtr)\n#---\nmodel = LogisticRegression().fit(Z, ytr)",
        ["train Z 150×4", "train →ytr 150"],
    ),
    "piece by piece": (
        "model = SGDClassifier(random_state=0)\n#---\n"
        "for at in range(0, 150, 50):\n    part = Xtr[at:at + 50]\n"
        "    model.partial_fit(part, ytr[at:at + 50], classes=[False, True])",
        ["train ~Xtr 150×4", "train ~→ytr 150"],
    ),
    "a helper that is given the data": (
        "def build(features, outcome):\n    found = LogisticRegression()\n    found.fit(features, outcome)\n"
        "    return found\n#---\nmodel = build(Xtr, ytr)",
        ["train Xtr 150×4", "train →ytr 150"],
    ),
    "a helper that takes it from outside": (
        "def build(C):\n    return LogisticRegression(C=C).fit(Xtr, ytr)\n#---\nmodel = build(2.0)",
        ["train Xtr 150×4", "train →ytr 150"],
    ),
    "models in a dictionary": (
        "models = {}\nmodels['lr'] = LogisticRegression().fit(Xtr, ytr)\n#---\nmodel = models['lr']",
        ["train Xtr 150×4", "train →ytr 150"],
    ),
    "timed": (
        "%time model = LogisticRegression().fit(Xtr, ytr)",
        ["train Xtr 150×4", "train →ytr 150"],
    ),
    "another model was trained after it": (
        "model = LogisticRegression().fit(Xtr, ytr)\n#---\nother = LogisticRegression().fit(X, y)",
        ["train Xtr 150×4", "train →ytr 150"],
    ),
    "asked by score": (
        "model = LogisticRegression().fit(Xtr, ytr)\n#---\nmodel.score(Xte, yte)",
        ["train Xtr 150×4", "train →ytr 150", "test Xte 50×4", "test →yte 50"],
    ),
    "asked by a metric": (
        "model = LogisticRegression().fit(Xtr, ytr)\n#---\nguess = model.predict(Xte)\n#---\n"
        "accuracy_score(yte, guess)",
        ["train Xtr 150×4", "train →ytr 150", "test Xte 50×4", "test yte 50"],
    ),
    "asked by a function": (
        "model = LogisticRegression().fit(Xtr, ytr)\n"
        "def judge(what):\n    return accuracy_score(yte, what.predict(Xte))\n#---\njudge(model)",
        ["train Xtr 150×4", "train →ytr 150", "test Xte 50×4"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SKLEARN)
def test_what_a_model_was_trained_on_is_worked_out(shell: Any, case: str) -> None:
    """Nobody types `--data`; the kernel knows what went into `fit`."""
    cells, expected = SKLEARN[case]
    run(shell, [SETUP, SPLIT, *cells.split("\n#---\n")])
    version = registered(shell)

    assert told(version) == expected
    assert all(each.inferred for each in version.data.sets)
    assert "data" in version.manifest.inferred


def test_the_card_says_that_it_is_inferred(shell: Any) -> None:
    """A guess that passes for a statement is worse than none."""
    run(shell, [SETUP, SPLIT, "model = LogisticRegression().fit(Xtr, ytr)"])
    version = registered(shell)

    assert " · trained on Xtr 150×4, inferred · " in version._repr_mimebundle_()["text/plain"]


def test_a_frame_that_was_changed_since_is_not_digested(shell: Any) -> None:
    """The digest of another frame under the old name would be false evidence."""
    run(shell, [SETUP, SPLIT, "model = LogisticRegression().fit(Xtr, ytr)", "Xtr['e'] = 1.0"])
    version = registered(shell)
    changed, kept = version.data.sets

    assert (changed.name, changed.snapshot, changed.summary) == ("Xtr", "", {"since": "changed"})
    assert kept.snapshot
    assert "trained on Xtr (changed since), inferred" in version._repr_mimebundle_()["text/plain"]
    assert version.data.snapshot == ""


def test_a_cell_that_was_run_again_made_the_same(shell: Any) -> None:
    """Another object with equal content is the same data."""
    run(shell, [SETUP, SPLIT, "model = LogisticRegression().fit(Xtr, ytr)", SPLIT])
    version = registered(shell)

    assert told(version)[0] == "train Xtr 150×4"
    assert version.data.snapshot


@pytest.mark.parametrize("after", ["Xtr = Xtr * 2", "Xtr.loc[:, 'a'] = 0.0"])
def test_a_change_below_the_fit_in_the_same_cell_counts(shell: Any, after: str) -> None:
    """What the name holds at the end of the cell is not what went in."""
    run(shell, [SETUP, SPLIT, f"model = LogisticRegression().fit(Xtr, ytr)\n{after}"])

    assert registered(shell).data.sets[0].summary == {"since": "changed"}


def test_what_is_given_overrules(shell: Any) -> None:
    """Who says what it was trained on is not told otherwise; what it was asked about is still looked for."""
    run(shell, [SETUP, SPLIT, "model = LogisticRegression().fit(Xtr, ytr); model.score(Xte, yte)"])
    version = registered(shell, data={"train": shell.user_ns["X"]})

    assert told(version) == ["train train 200×4", "test Xte 50×4", "test →yte 50"]
    assert [each.inferred for each in version.data.sets] == [False, True, True]
    assert version.data.overlaps[0]["rows"] == 50


def test_rows_in_training_and_evaluation_are_found_without_being_told(shell: Any) -> None:
    """The commonest mistake shows on the card of whoever makes it."""
    run(shell, [SETUP, SPLIT, "model = LogisticRegression().fit(X, y)", "accuracy = model.score(Xte, yte)"])
    version = registered(shell)

    assert version.data.overlaps == [{"a": "X", "b": "Xte", "rows": 50, "of": 50, "scope": "whole"}]
    assert "50 rows shared between sets" in version._repr_mimebundle_()["text/plain"]


def test_a_model_that_was_asked_about_its_own_training_only_says_so(shell: Any) -> None:
    """`accuracy 0.99` means little then."""
    run(shell, [SETUP, "model = LogisticRegression().fit(X, y)\naccuracy = model.score(X, y)"])
    card = registered(shell)._repr_mimebundle_()["text/plain"]

    assert "the model was only asked about the data that it was trained on" in card


def test_running_a_cell_twice_is_equal_content(shell: Any) -> None:
    """What was inferred is no part of what makes two registrations equal, however it is called by then."""
    run(shell, [SETUP, SPLIT, "model = LogisticRegression().fit(Xtr, ytr)"])
    first = registered(shell)
    run(shell, ["renamed = Xtr", "model = LogisticRegression().fit(renamed, ytr)", "Xtr['e'] = 1"])
    again = registered(shell)

    assert again.existing
    assert again.number == first.number


def test_large_data_is_sampled_and_says_so(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asked for it, so nobody waits long; and a digest of a part never passes for the whole."""
    monkeypatch.setattr("nbreg.capture.tabular.data.UNASKED", 1_600)
    run(shell, [SETUP, SPLIT, "model = LogisticRegression().fit(Xtr, ytr)"])

    assert registered(shell).data.sets[0].summary["scope"] == "every 24th row"


def test_a_tensor_elsewhere_is_not_fetched_for_being_told(
    shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gigabytes on a device are described, and the record says that they were not read."""
    pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.setattr("nbreg.capture.tabular.data.UNASKED", 10)
    run(shell, ["import torch\nT = torch.zeros(5, 2, device='meta')\nclass Model:\n    def fit(self, X):\n"
                "        self.width = X.shape[1]\n        return self\nmodel = Model().fit(T)"])  # fmt: skip
    [found] = registered(shell).data.sets

    assert found.summary == {"kind": "torch.Tensor", "shape": [5, 2], "scope": "not read: it is on meta"}
    assert found.snapshot == ""


def test_inferring_can_be_switched_off(shell: Any) -> None:
    """Rows of data in a registry may be what somebody does not want."""
    run(shell, ["%config Nbreg.infer_data = False", SETUP, "model = LogisticRegression().fit(X, y)",
                "_v = get_ipython().run_line_magic('register_model', 'm model')"])  # fmt: skip
    version = shell.user_ns["_v"]

    assert version.data.sets == []
    assert not version.manifest.probe.is_there


def test_a_cell_that_trains_and_registers_knows_its_data(shell: Any) -> None:
    """As `%%register_model`, and by a call in the same cell, of an object that no name holds."""
    run(shell, [SETUP, SPLIT, "%%register_model m\nmodel = LogisticRegression().fit(Xtr, ytr)"])
    whole = Registry(".nbreg").get("m@latest")
    run(shell, ["import nbreg\n_v = nbreg.register('m', LogisticRegression(C=9.0).fit(Xte, yte))"])
    nameless = shell.user_ns["_v"]

    assert told(whole) == ["train Xtr 150×4", "train →ytr 150"]
    assert told(nameless) == ["train Xte 50×4", "train →yte 50"]


def test_a_script_is_not_guessed_about(tmp_path: Path) -> None:
    """What a script did with its names was not watched."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])

    assert Registry(tmp_path / "r").register("m", model).data.sets == []


def test_inferring_changes_nothing(shell: Any) -> None:
    """Random states, blocks of frames, names, layout: as if nobody had looked."""
    run(
        shell,
        [
            SETUP, SPLIT, "import random",
            "model = LogisticRegression().fit(Xtr[Xtr.a > 0], ytr[Xtr['a'] > 0])",
            "def state():\n"
            "    return (random.getstate(), repr(np.random.get_state()), rng.bit_generator.state,\n"
            "            [len(each._mgr.blocks) for each in (df, X, Xtr)], sorted(Xtr.__dict__), sorted(each for each in globals() if each[0] != '_'))",
            "_v = _options = None; import nbreg; before = after = None",
            "before = state()",
        ],
    )  # fmt: skip
    registered(shell)
    run(shell, ["after = state()"])

    assert shell.user_ns["before"] == shell.user_ns["after"]


# other libraries

STATSMODELS = ["import statsmodels.api as sm", "model = sm.OLS(y.astype(float), sm.add_constant(X)).fit()"]
XGBOOST = [
    "import xgboost as xgb",
    "dtrain = xgb.DMatrix(Xtr, label=ytr); dvalid = xgb.DMatrix(Xte, label=yte)",
    "model = xgb.train({'max_depth': 2, 'nthread': 1}, dtrain, num_boost_round=2, evals=[(dvalid, 'v')])",
]
LIGHTGBM = [
    "import lightgbm as lgb",
    "model = lgb.LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1)",
    "model.fit(Xtr, ytr, eval_set=[(Xte, yte)])",
]
TORCH = [
    "import torch\nfrom torch.utils.data import DataLoader, TensorDataset\ntorch.manual_seed(0)",
    "T = torch.tensor(Xtr.to_numpy()).float(); t = torch.tensor(ytr.to_numpy()).float()",
    "loader = DataLoader(TensorDataset(T, t), batch_size=32, shuffle=True)",
    "model = torch.nn.Sequential(torch.nn.Linear(4, 1))\nstep = torch.optim.SGD(model.parameters(), lr=0.1)",
]
LOOP = (
    "for epoch in range(2):\n    for xb, yb in loader:\n        step.zero_grad()\n"
    "        loss = torch.nn.functional.mse_loss(model(xb)[:, 0], yb)\n        loss.backward()\n        step.step()"
)
HELPER = "def train(net, batches):\n    " + LOOP.replace("\n", "\n    ").replace("loader", "batches").replace(
    "model", "net"
)


@pytest.mark.parametrize(
    ("library", "cells", "expected"),
    [
        ("statsmodels", STATSMODELS, ["train →y 200", "train X 200×4"]),
        ("xgboost", XGBOOST, ["train Xtr 150×4", "train →ytr 150", "validation Xte 50×4", "validation →yte 50"]),
        ("lightgbm", LIGHTGBM, ["train Xtr 150×4", "train →ytr 150", "validation Xte 50×4", "validation →yte 50"]),
        ("torch", [*TORCH, LOOP], ["train T 150×4", "train →t 150"]),
        ("torch", [*TORCH, HELPER, "train(model, loader)"], ["train T 150×4", "train →t 150"]),
        ("torch", [*TORCH, LOOP, "with torch.no_grad():\n    guess = model(T[:7])"],
         ["train T 150×4", "train →t 150", "test T[:7] 7×4"]),
    ],
)  # fmt: skip
def test_other_libraries_ways_of_training_are_known(
    shell: Any, library: str, cells: list[str], expected: list[str]
) -> None:
    """Matrices, loaders and loops wrap the data; what is in them is what counts."""
    pytest.importorskip(library, reason=f"{library} is not installed", exc_type=ImportError)
    run(shell, [SETUP, SPLIT, *cells])

    assert told(registered(shell)) == expected


# files


def files(version: ModelVersion) -> dict[str, dict[str, Any]]:
    return {each["path"]: each for each in version.data.files}


READERS = {
    "pandas.read_csv": ("pandas", "df.to_csv('data.csv', index=False)", "pd.read_csv('data.csv')", "data.csv"),
    "pandas.read_parquet": ("pyarrow", "df.to_parquet('d.parquet')", "pd.read_parquet('d.parquet')", "d.parquet"),
    "pyarrow": (
        "pyarrow", "df.to_parquet('d.parquet')",
        "__import__('pyarrow.parquet').parquet.read_table('d.parquet').to_pandas()", "d.parquet",
    ),
    "polars, by a path": (
        "polars", "from pathlib import Path; HERE = Path('in'); HERE.mkdir(); df.to_parquet(HERE / 'd.parquet')",
        "__import__('polars').read_parquet(HERE / 'd.parquet').to_pandas()", "in/d.parquet",
    ),
    "polars csv, by a formatted text": (
        "polars", "part = 3; df.to_csv(f'd-{part}.csv', index=False)",
        "__import__('polars').read_csv(f'd-{part}.csv').to_pandas()", "d-3.csv",
    ),
    "h5py": (
        "h5py", "import h5py\nwith h5py.File('d.h5', 'w') as f:\n    f['x'] = df.to_numpy(dtype=float)",
        "pd.DataFrame(h5py.File('d.h5', 'r')['x'][:], columns=df.columns)", "d.h5",
    ),
    "safetensors": (
        "safetensors", "from safetensors.numpy import save_file, load_file\n"
        "save_file({'x': df.to_numpy(dtype=float)}, 'd.safetensors')",
        "pd.DataFrame(load_file('d.safetensors')['x'], columns=df.columns)", "d.safetensors",
    ),
    "numpy": ("numpy", "np.save('d.npy', df.to_numpy(dtype=float))",
              "pd.DataFrame(np.load('d.npy'), columns=df.columns)", "d.npy"),
}  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
def test_the_files_that_were_read_are_recorded(shell: Any, reader: str) -> None:
    """The frame is gone tomorrow, the file may be there: which one was it?"""
    library, write, read, path = READERS[reader]
    pytest.importorskip(library, reason=f"{library} is not installed")
    run(
        shell,
        [SETUP, write, f"got = {read}", "model = LogisticRegression().fit(got[['a', 'b']], got['y'] > 0)"],
    )
    found = files(registered(shell))

    assert path in found
    assert len(found[path]["digest"]) == 64
    assert found[path]["scope"] == "whole"
    assert found[path]["size"] == Path(path).stat().st_size


def test_a_file_that_changed_since_is_told_as_changed(shell: Any) -> None:
    """The digest of what lies there now is not that of what was read."""
    run(shell, [SETUP, "df.to_csv('data.csv')", "got = pd.read_csv('data.csv')"])
    Path("data.csv").write_text("other\n1\n")
    run(shell, ["model = LogisticRegression().fit(got[['a', 'b']], got['y'])"])
    found = files(registered(shell))["data.csv"]

    assert found["changed"] is True
    assert "digest" not in found


def test_files_of_cells_that_the_model_does_not_need_are_left_out(shell: Any) -> None:
    """What somebody looked at on the way is not what it was made of."""
    run(
        shell,
        [
            SETUP,
            "df.to_csv('other.csv')",
            "seen = pd.read_csv('other.csv')",
            "model = LogisticRegression().fit(X, y)",
        ],
    )

    assert files(registered(shell)) == {}


def test_what_nbreg_itself_reads_and_writes_is_no_doing_of_a_cell(shell: Any) -> None:
    """A cell that looked at the drafts, or registered something else, is needed by no model for that."""
    register = "nbreg.Registry('models').register"
    run(
        shell,
        [
            "import nbreg\nfrom sklearn.linear_model import LogisticRegression",
            f"{register}('other', {{'a': 1}})",
            f"model = LogisticRegression().fit([[1.0], [2.0]], [0, 1])\n{register}('third', {{'a': 2}})",
            f"{register}('churn', model)",
        ],
    )

    recipe = Registry("models").get("churn").recipe
    assert [(each.source[:6], each.why) for each in recipe.cells] == [
        ("import", "sets LogisticRegression, nbreg"),
        ("model ", "sets model"),
    ]


def test_a_file_is_recorded_where_no_frame_is(shell: Any) -> None:
    """A model that reads for itself has files, and no set."""
    Path("weights.txt").write_text("1 2 3")
    run(shell, ["model = {'w': [float(each) for each in open('weights.txt').read().split()]}"])
    version = registered(shell)

    assert list(files(version)) == ["weights.txt"]
    assert version.data.sets == []


def test_paths_outside_the_project_tell_no_more_than_they_must(
    shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of the user's home is nobody's business."""
    home = Path(os.path.realpath("..")) / "somebody"
    (home / "data").mkdir(parents=True)
    (home / "data" / "w.txt").write_text("1")
    monkeypatch.setenv("HOME", str(home))
    run(shell, [f"model = {{'w': open({str(home / 'data' / 'w.txt')!r}).read()}}"])

    assert list(files(registered(shell))) == ["~/data/w.txt"]


def test_a_large_file_is_digested_in_part_and_says_so(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registration does not wait for a hundred gigabytes."""
    monkeypatch.setattr("nbreg.capture.inputs.WHOLE", 10)
    Path("w.txt").write_text("1" * 100)
    run(shell, ["model = {'w': open('w.txt').read()}"])

    assert files(registered(shell))["w.txt"]["scope"] == "the first and the last MiB"


# feature sets


def test_a_feature_set_has_a_version(shell: Any) -> None:
    """By names, types and order: adding a feature, dropping one or changing a type is another one."""
    run(shell, [SETUP, "model = LogisticRegression().fit(X, y)"])
    first = registered(shell)
    run(shell, ["model = LogisticRegression().fit(X * 2, y)"])
    same_names = registered(shell)
    run(shell, ["model = LogisticRegression().fit(X[['a', 'b']], y)"])
    fewer = registered(shell)

    assert len(first.data.feature_set) == 64
    assert fewer.data.feature_set not in ("", first.data.feature_set)
    assert same_names.data.feature_set == first.data.feature_set
    assert [each["name"] for each in fewer.signature.inputs] == ["a", "b"]


def test_feature_names_that_the_model_knows_are_enough(tmp_path: Path) -> None:
    """In a script without `data=`, scikit-learn remembers what it was fitted on."""
    pd = pytest.importorskip("pandas")
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 0.0]}), [0, 1])
    version = Registry(tmp_path / "r").register("m", model)

    assert len(version.data.feature_set) == 64
    assert version.manifest.data.summary["features"] == 2
