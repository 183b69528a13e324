"""How drafts are kept: on disk, within bounds, by several processes; and what may be taken unasked."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from recipes.notebooks import run, shell_in

import nbreg
from nbreg import families
from nbreg.errors import TrustError
from nbreg.families.describing import describe
from nbreg.kernel import load
from nbreg.records import Chunk, DraftRecord, digest_of
from nbreg.store.drafts import DraftFolder, Header, Limits


def record(**changes: Any) -> DraftRecord:
    return DraftRecord(
        **{"variable": "clf", "type": "m.Mean", "at": "2026-02-09T10:00:00Z", "why": "no", **changes}
    )


def filled(folder: DraftFolder, size: int) -> int:
    """A draft with that many bytes in it; its number."""
    data = os.urandom(size)
    added = folder.add(record())
    folder.write(Header(record=added, parts=[Chunk(digest=digest_of(data), size=size)]), [data])
    return added.number


def test_the_oldest_go_where_there_are_too_many_or_too_much(tmp_path: Path) -> None:
    """Nobody cleans up after a notebook that trains all night."""
    folder = DraftFolder(tmp_path / "drafts")
    numbers = [filled(folder, 1000) for _ in range(6)]

    folder.sweep(Limits(size=10**6, number=4, days=1))
    assert [each.number for each in folder.all()] == numbers[:1:-1]
    folder.sweep(Limits(size=3000, number=4, days=1))
    assert [each.number for each in folder.all()] == numbers[:3:-1], "each has a header, too"
    for each in folder.all():
        os.utime(each.path, (0, 0))
    folder.sweep(Limits(size=10**6, number=4, days=1))
    assert [each.number for each in folder.all()] == numbers[-1:], "of the newest the list is never empty"
    assert filled(folder, 1) == 7, "no number is given twice"


def test_what_a_killed_writer_left_is_swept_and_a_torn_draft_is_passed_over(tmp_path: Path) -> None:
    """They are written without sync, so a power cut may leave half of one."""
    folder = DraftFolder(tmp_path / "drafts")
    whole, torn = filled(folder, 500), filled(folder, 500)
    path = folder.folder / f"{torn:06d}.draft"
    path.write_bytes(path.read_bytes()[:-1])
    left, fresh = folder.folder / f".1-{'0' * 12}", folder.folder / f".2-{'0' * 12}"
    for each in (left, fresh):
        each.write_bytes(b"half")
    os.utime(left, (0, 0))

    assert [each.number for each in folder.all()] == [whole]
    assert folder.get(torn) is None
    folder.sweep(Limits(size=10**6, number=9, days=1))
    assert (left.exists(), fresh.exists()) == (False, True)


@pytest.mark.parametrize("at", [3, 40, 200, 400, -1])
def test_a_byte_that_changed_is_found_out(tmp_path: Path, at: int) -> None:
    """A draft becomes a version; what is not what was kept must not become one."""
    folder = DraftFolder(tmp_path / "drafts")
    number = filled(folder, 500)
    path = folder.folder / f"{number:06d}.draft"
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)

    found = folder.get(number)

    if found is not None:
        with pytest.raises(nbreg.NbregError) as caught:
            found.part(found.header.parts[0].digest)
        assert caught.value.code == "object-damaged"


def test_threads_and_processes_never_get_the_same_number(tmp_path: Path) -> None:
    """Two notebooks of a project train at the same time."""
    code = (
        "import sys; from pathlib import Path; from nbreg.store.drafts import DraftFolder\n"
        "from nbreg.records import DraftRecord\n"
        "folder = DraftFolder(Path(sys.argv[1]))\n"
        "for _ in range(10): print(folder.add(DraftRecord(variable='a', type='b', at='c', why='d')).number)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "drafts")]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    folder = DraftFolder(tmp_path / "drafts")
    with ThreadPoolExecutor(4) as pool:
        mine = list(pool.map(lambda _: folder.add(record()).number, range(10)))
    theirs = [int(line) for child in children for line in child.communicate()[0].split()]

    assert sorted(mine + theirs) == list(range(1, 41))


# in a shell without a kernel


@pytest.fixture
def shell(tmp_path: Path) -> Any:
    """A shell as a terminal has one: nothing runs between cells."""
    with shell_in(tmp_path / "notebook", {}) as shell:
        load(shell)
        yield shell


FIT = (
    "from sklearn.linear_model import LinearRegression\nimport numpy as np\nX = np.arange(6.0).reshape(3, 2)"
)


def test_a_terminal_keeps_drafts_before_its_next_prompt(shell: Any) -> None:
    """There is no idle moment; whoever closes the terminal now has it all the same, and all that was captured."""
    run(shell, [FIT, "clf = LinearRegression().fit(X, X[:, 0])\nr2 = clf.score(X, X[:, 0])"])

    (draft,) = nbreg.Registry().drafts()

    assert draft.load().coef_.shape == (2,)
    assert draft.record.metrics == {"r2": 1.0}
    assert draft.manifest is not None
    assert draft.manifest.source.is_there
    assert draft.manifest.variables.is_there


def test_many_models_of_one_cell_are_bounded(shell: Any) -> None:
    """A cell that fills the namespace with models does not fill the disk."""
    run(shell, [FIT, "for i in range(40): globals()[f'm_{i}'] = LinearRegression().fit(X, X[:, 0] * i)"])

    assert {each.record.variable for each in nbreg.Registry().drafts()} <= {f"m_{i}" for i in range(24, 40)}
    assert len(nbreg.Registry().drafts()) == 16


def test_training_gives_the_same_results_with_drafts_and_without(tmp_path: Path) -> None:
    """What is done unasked must not be seen in anything: not in a random number, not in a class, not in a filter."""
    cells = [
        "import random, warnings, sys, numpy as np\nfrom sklearn.ensemble import RandomForestClassifier",
        "random.seed(3); np.random.seed(3)",
        "class Mine(RandomForestClassifier):\n    pass",
        "X = np.random.rand(60, 4); y = (X[:, 0] > 0.5).astype(int)",
        "clf = Mine(5).fit(X, y)",
        "rng = np.random.RandomState(5)\nother = Mine(5, random_state=rng).fit(X, y)",
        "third = Mine(5, random_state=rng).fit(X, y)",
        "warnings.simplefilter('default', UserWarning)\nold = Mine(5).fit(X, y)",
        "proba = [m.predict_proba(X).tolist() for m in (clf, other, third, old)]",
        "states = (random.getstate(), np.random.get_state()[1].tolist(), rng.get_state()[1].tolist())",
        "filters = list(warnings.filters)",
        "marks = sorted(vars(Mine)), sorted(vars(clf)), sys.getrefcount(other)",
        "names = sorted(globals())",
    ]
    import sklearn.ensemble  # noqa: F401 - it adds filters where it is imported first

    found = []
    for mode in ("draft", "off", None):
        with shell_in(tmp_path / str(mode), {}) as shell, warnings.catch_warnings():
            if mode is not None:
                load(shell)
                shell.run_line_magic("config", f"Nbreg.implicit = {mode!r}")
            run(shell, cells)
            found.append(
                {each: shell.user_ns[each] for each in ("proba", "states", "filters", "marks", "names")}
            )
            if mode == "draft":
                names = [draft.record.variable for draft in nbreg.Registry().drafts()]
                # The third one drew from the second one's random state, which changed that.
                assert names == ["old", "third", "other", "other", "clf"]

    assert found[0] == found[1] == found[2]


# whose they are


def test_a_draft_of_somebody_else_is_listed_and_runs_nothing(
    shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Registering signs a version, so it must not sign what another user's kernel wrote."""
    run(
        shell,
        [
            "class Odd:\n    def fit(self, x):\n        self.x = x\n        return self\n    predict = fit",
            "clf = Odd().fit(1)",
        ],
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", os.environ["XDG_CONFIG_HOME"] + "-other")

    (draft,) = nbreg.Registry().drafts()

    for act in (draft.load, lambda: nbreg.Registry().register("churn", draft)):
        with pytest.raises(TrustError, match="code that this user did not sign"):
            act()
    assert draft.load(trust=True).x == 1


# what may be taken


def fitted() -> dict[str, tuple[Any, Any]]:
    """By family: a model before and after training."""
    import numpy as np
    import statsmodels.api as sm
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    forest, steps = RandomForestClassifier(3), make_pipeline(StandardScaler(), RandomForestClassifier(3))
    return {
        "sklearn": (RandomForestClassifier(3), forest.fit(X, y)),
        "pipeline": (make_pipeline(StandardScaler(), RandomForestClassifier(3)), steps.fit(X, y)),
        "statsmodels": (sm.OLS(y, X), sm.OLS(y, X).fit()),
    }


@pytest.mark.parametrize("name", ["sklearn", "pipeline", "statsmodels"])
def test_only_what_has_learned_is_trained(name: str) -> None:
    """A notebook is full of estimators that were only written down."""
    before, after = fitted()[name]

    assert not describe.is_trained(before)
    assert describe.is_trained(after)
    assert not describe.is_trained(type(after))


def test_boosters_are_trained_once_there_is_a_round() -> None:
    """`lightgbm.train` returns something without a `fit`, and is what people train with."""
    lightgbm = pytest.importorskip("lightgbm", exc_type=ImportError)
    import numpy as np

    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    data = lightgbm.Dataset(X, y)

    assert not describe.is_trained(lightgbm.LGBMClassifier())
    assert describe.is_trained(lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(X, y))
    assert describe.is_trained(lightgbm.train({"verbose": -1}, data, 2))
    assert not describe.is_trained(data)


def test_a_network_is_trained_when_it_has_gradients_and_weighed_without_being_copied() -> None:
    """A tensor is no model, and a network that was only built is no draft."""
    torch = pytest.importorskip("torch", exc_type=ImportError)

    net = torch.nn.Linear(1000, 500)
    assert describe.is_model(net)
    assert not describe.is_trained(net)
    net(torch.ones(1, 1000)).sum().backward()
    assert describe.is_trained(net)
    assert not describe.is_model(net.weight)
    assert not describe.is_model(torch.optim.SGD(net.parameters()))

    assert 2_000_000 < families.weigh(net).size < 2_100_000
    assert families.weigh(torch.nn.Linear(10, 10, device="meta")).device == "meta"
    with pytest.raises(families.NotTakenError, match="its weights are on meta"):
        families.take("model", torch.nn.Linear(2, 2, device="meta"), most=1000, on_host=True)
    taken = families.take("model", net, most=10_000_000)
    assert taken.artifact.size > 2_000_000


def test_weighing_runs_no_code_and_finds_what_is_heavy() -> None:
    """Two gigabytes are known as such before anybody pickles them."""
    import numpy as np

    class Shy:
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(name)

        def __sizeof__(self) -> int:
            raise AssertionError

    shy = Shy()
    object.__setattr__(shy, "held", {"a": [np.zeros(1_000_000)], "b": b"x" * 500})
    found = families.weigh(shy)

    assert 8_000_500 <= found.size < 8_010_000
    assert families.weigh([1] * 1_000_000).size > 8_000_000
    with pytest.raises(families.NotTakenError, match="too large"):
        families.take("model", [np.zeros(1_000_000)], most=1_000_000)


def test_what_cloudpickle_would_drag_along_is_bounded() -> None:
    """A function of the notebook takes the globals that it uses with it, two gigabytes of data included."""
    import numpy as np

    space: dict[str, Any] = {"__name__": "__main__", "data": np.zeros(1_000_000)}
    exec("class Model:\n    def predict(self, x):\n        return data", space)

    with pytest.raises(families.NotTakenError, match="too large"):
        families.take("model", space["Model"](), most=1_000_000)


def test_no_hook_of_the_users_runs_and_no_mark_is_left() -> None:
    """Wherever in the object it stands."""

    class Reducing:
        def __reduce__(self) -> Any:
            raise AssertionError

    class Plain:
        pass

    holder = Plain()
    families.take("model", holder, most=10_000)
    assert "__slotnames__" not in vars(Plain)
    holder.held = [{"deep": Reducing()}]  # type: ignore[attr-defined]
    with pytest.raises(families.NotTakenError, match="__reduce__ of Reducing runs only"):
        families.take("model", holder, most=10_000)


def test_asking_whether_there_is_a_draft_leaves_no_folder_open(tmp_path: Path) -> None:
    """Each registration asks it; Python warns of a folder that is left to the garbage collector."""
    folder = DraftFolder(tmp_path / "drafts")
    filled(folder, 10), filled(folder, 10)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        assert not folder.is_empty()
        gc.collect()

    assert [str(each.message) for each in found] == []
