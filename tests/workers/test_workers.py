"""A version whose libraries are others than those that are here: `registry.load(ref, on_drift="isolate")`.

A user trained with another minor of scikit-learn (and another major of pandas). Loading it here is a
gamble; isolating it makes the recorded environment again, once, and a process in it answers `predict` as the
model would. What it crashes, hangs or eats is that process alone. The past is real here: an environment
with older releases, in which a script registers.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import children
import numpy as np
import pandas as pd
import pytest
from kernels import running_kernel
from pasts import PATIENCE, Past, asked, comes_true, is_gone, this_python

from nbreg import Registry
from nbreg.capture.surroundings.export import uv_here
from nbreg.cli import main
from nbreg.errors import (
    BadInputError,
    CannotLoadError,
    CannotRebuildError,
    DamagedObjectError,
    DriftError,
    RemoteError,
    TrustError,
    WorkerCrashedError,
    WorkerError,
    WorkerTimeoutError,
)
from nbreg.settings import Settings
from nbreg.workers import environments
from nbreg.workers.model import IsolatedModel
from nbreg.workers.plans import Plan, plan_of


def test_a_version_of_another_scikit_learn_answers_as_it_did(old: Registry, past: Past) -> None:
    """Last year's model goes on deciding as last year's model, bit by bit, in today's notebook."""
    rows = asked(past)
    version = old.get("churn@1")
    assert "scikit-learn" in {item.name for item in version.registry.drift(version)}
    with pytest.raises(DriftError, match=r"scikit-learn 1\.7\.2"):
        version.load(on_drift="error")

    with version.load(on_drift="isolate") as model:
        said = model.predict_proba(rows)

        assert isinstance(model, IsolatedModel)
        assert np.array_equal(said, np.load(past.files / "said.npy"))
        assert list(model.classes_) == ["leaves", "stays"]
        assert set(model.predict(rows)) == {"leaves", "stays"}
        assert 0.5 < model.score(rows, model.predict(rows)) <= 1
        assert "scikit-learn 1.7.2" in repr(model)
        assert {"predict", "predict_proba", "classes_"} <= set(dir(model))
    assert [event.kind for event in version.evidence] == []


def test_the_frame_that_arrives_is_the_frame_that_was_sent(odd: Any, past: Past) -> None:
    """Two majors of pandas cannot read each other's pickles; by columns they understand each other."""
    rows = asked(past)
    rows["when"] = pd.date_range("2026-01-01", periods=len(rows), tz="Europe/Berlin")
    rows["visits"] = pd.array([None, *range(1, len(rows))], dtype="Int64")

    echoed = odd.echo(rows)

    pd.testing.assert_frame_equal(
        echoed, rows, check_dtype=False, check_categorical=False, check_column_type=False
    )
    assert echoed["plan"].cat.categories.tolist() == ["free", "paid"]
    assert str(echoed.dtypes["when"]) == str(rows.dtypes["when"])
    assert str(echoed.dtypes["visits"]) == "Int64"


def test_nothing_is_isolated_where_nothing_differs(registry: Registry) -> None:
    """A notebook that says `isolate` everywhere pays nothing for versions of today."""
    from sklearn.linear_model import LinearRegression

    rows = np.arange(8.0).reshape(4, 2)
    registry.register("line", LinearRegression().fit(rows, rows.sum(axis=1)))

    assert type(registry.load("line@1", on_drift="isolate")) is LinearRegression
    with running_kernel() as kernel:
        kernel.good(f"%load_ext nbreg\n%use_registry {registry.location}")
        assert "nothing differs, loaded here" in kernel.good("%load_model line@1 --isolate").text


def test_what_cannot_be_made_here_says_which_libraries_differ_and_how_to_run_it(old: Registry) -> None:
    """A class moved between two releases: the way out is the old one, not an unpickler's complaint."""
    with pytest.raises(CannotLoadError, match="is not made again here") as refusal:
        old.load("moved@1")

    assert "scikit-learn 1.7.2 → " in refusal.value.hint
    assert "registry.isolated('moved@1" in refusal.value.hint
    assert "%load_model moved@1" in refusal.value.line
    assert "--isolate runs it with what it was made with" in refusal.value.line


def test_plain_values_and_arrays_need_no_process(old: Registry) -> None:
    """The threshold beside a model is a number in any environment."""
    assert old.isolated("churn@1", "threshold") == 0.5
    assert np.array_equal(old.isolated("churn@1", "weights"), np.arange(3.0))


def test_a_notebook_isolates_in_one_line(old: Registry, past: Past) -> None:
    """What is shown says that it runs elsewhere, instead of a table of what would be wrong here."""
    with running_kernel() as kernel:
        kernel.good(f"%load_ext nbreg\n%use_registry {past.registry}")

        ran = kernel.good("%load_model odd@1 --isolate --as odd")
        said = kernel.good("print(odd.predict([[1, 2]]), odd)").stdout

    assert "answers in its own environment" in ran.text
    assert said.startswith("[3] <odd@1.0.0: a Odd in its own environment")


def test_a_crash_is_an_error_and_the_next_call_is_answered(odd: Any) -> None:
    """A segmentation fault in a library of last year does not take the notebook with it."""
    before = odd.pid()

    with pytest.raises(WorkerCrashedError, match=r"odd@1\.0\.0: its process ended with SIGSEGV") as caught:
        odd.crash()

    assert "about to go" in str(caught.value.__notes__)
    assert is_gone(before)
    assert odd.predict([[1, 2]]).tolist() == [3]
    assert odd.pid() != before


def test_a_process_that_was_killed_while_idle_is_not_missed(odd: Any) -> None:
    """The system takes the memory of whoever sleeps: nothing was lost, so nothing is said."""
    before = odd.pid()
    os.kill(before, signal.SIGKILL)

    # Its first thread may be gone before the last one is, and until then nobody can know that it ended.
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
    assert comes_true(lambda: os.waitid(os.P_PID, before, ended) is not None)
    assert odd.pid() != before


def test_a_call_that_takes_too_long_ends_its_process(old: Registry, odd: Any, tmp_path: Path) -> None:
    """A loop without an end costs the seconds that it was given, and no processor afterwards."""
    before = odd.pid()
    hurried = old.isolated("odd@1", timeout=0.2)

    with pytest.raises(WorkerTimeoutError, match=r"no answer within 0\.2 s"):
        hurried.hang(str(tmp_path / "begun"))

    assert is_gone(before)
    assert odd.predict([[1, 2]]).tolist() == [3]


def test_what_the_model_raises_is_raised_here(odd: Any) -> None:
    """`except ValueError` around a prediction works wherever it runs, and the cause can be read."""
    with pytest.raises(ValueError, match="2 rows are too few") as caught:
        odd.refuse([[1], [2]])

    remote = caught.value.__cause__
    assert isinstance(remote, RemoteError)
    assert remote.kind == "builtins.ValueError"
    assert "in refuse" in remote.trace
    with pytest.raises(RemoteError, match="OddError: odd") as odder:
        odd.be_odd()
    assert odder.value.kind == "__main__.OddError"
    with pytest.raises(RemoteError, match="SystemExit"):
        odd.leave()
    assert odd.predict([[1, 2]]).tolist() == [3]


def test_what_cannot_be_passed_is_refused_by_name(odd: Any) -> None:
    """Neither side pickles, so what no environment could read is refused before anything is sent."""
    with pytest.raises(BadInputError, match=r"a threading\.Event cannot be passed"):
        odd.echo({"rows": [threading.Event()]})
    with pytest.raises(BadInputError, match="column 'p': the type period"):
        odd.echo(pd.DataFrame({"p": pd.period_range("2026", periods=2)}))
    with pytest.raises(BadInputError, match="surrogates not allowed"):
        odd.echo("\udc80")
    with pytest.raises(WorkerError, match=r"opened of odd@1\.0\.0 answered, but not with a value: a _io"):
        odd.opened()
    assert odd.predict([[1, 2]]).tolist() == [3]


def test_warnings_arrive_and_the_model_itself_stays_itself(odd: Any) -> None:
    """What a library warns of is for whoever called it."""
    with pytest.warns(FutureWarning, match="that will change"):
        assert odd.told() is odd


def test_a_version_is_not_trained_further(odd: Any) -> None:
    """What a process learned would be gone with the process, so it does not begin."""
    with pytest.raises(AttributeError, match="does not change"):
        odd.fit([[1]])
    with pytest.raises(AttributeError, match="did you mean 'predict'"):
        odd.predct([[1]])
    with pytest.raises(AttributeError):
        odd.calls = 3
    assert "fit" not in dir(odd)


def test_a_frame_of_100_mb_goes_and_comes_back_whole(odd: Any) -> None:
    """Scoring the night's table is what workers are for."""
    table = pd.DataFrame(
        np.random.default_rng(0).random((125_000, 100)), columns=[f"c{at}" for at in range(100)]
    )

    name, shape, last = odd.shape(table)
    echoed = odd.echo(table)

    assert (name, tuple(shape), last) == ("DataFrame", table.shape, table.iloc[-1, -1])
    assert table.memory_usage(index=False).sum() == 100_000_000
    assert np.array_equal(echoed.to_numpy(), table.to_numpy())
    assert list(echoed.columns) == list(table.columns)


def test_bytes_that_are_damaged_reach_no_process(odd: Any, past: Past) -> None:
    """Each process gets what was verified for it; one that has no model yet is asked nothing."""
    objects = past.registry / "objects"
    odd.close()
    objects.rename(objects.with_name("elsewhere"))
    try:
        with pytest.raises(DamagedObjectError):
            odd.predict([[1, 2]])
    finally:
        objects.with_name("elsewhere").rename(objects)

    assert odd.predict([[1, 2]]).tolist() == [3]


def test_threads_share_one_process(old: Registry, odd: Any) -> None:
    """Eight threads of a web server get eight answers, each its own, from one model in memory."""
    found: dict[int, tuple[list[int], int]] = {}

    def call(at: int) -> None:
        model = old.isolated("odd@1")
        found[at] = (model.predict([[at, at]] * 100).tolist(), model.pid())

    threads = [threading.Thread(target=call, args=(at,)) for at in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert {at: answer for at, (answer, _) in found.items()} == {at: [2 * at] * 100 for at in range(8)}
    assert {pid for _, pid in found.values()} == {odd.pid()}


def test_a_hung_call_is_ended_by_another_thread(odd: Any, tmp_path: Path) -> None:
    """`close` is no use if it waits for what it is to end."""
    before, begun = odd.pid(), tmp_path / "begun"
    raised: list[BaseException] = []

    def hang() -> None:
        try:
            odd.hang(str(begun))
        except WorkerCrashedError as error:
            raised.append(error)

    thread = threading.Thread(target=hang)
    thread.start()
    assert comes_true(begun.exists)
    odd.close()
    thread.join(PATIENCE)

    assert len(raised) == 1
    assert is_gone(before)


def test_a_fork_has_a_process_of_its_own(odd: Any) -> None:
    """Two that write to one connection would read each other's answers."""
    before = odd.pid()

    theirs, answer = children_answer(lambda: (odd.pid(), odd.predict([[1, 2]]).tolist()))

    assert answer == [3]
    assert theirs != before
    assert odd.pid() == before
    assert comes_true(lambda: is_gone(theirs))


def children_answer(work: Callable[[], Any]) -> Any:
    """What the work gives in a fork of this process."""
    read, write = os.pipe()
    if not (child := os.fork()):
        code = 1
        try:
            os.write(write, json.dumps(work()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read) as file:
        told = file.read()
    assert os.waitpid(child, 0)[1] == 0
    return json.loads(told)


HANGS = """
model = Registry(sys.argv[1]).isolated("odd@1")
print(model.pid(), flush=True)
try:
    model.hang(sys.argv[2])
except KeyboardInterrupt:
    print("interrupted", model.predict([[1, 2]]).tolist(), model.pid(), flush=True)
"""


def test_a_worker_ends_with_its_owner(old: Registry, past: Past, tmp_path: Path) -> None:
    """A kernel that is killed leaves nothing behind that eats a processor, whatever the model was at."""
    begun = tmp_path / "begun"
    owner = children.start(HANGS, past.registry, begun)
    worker = int(owner.stdout.readline())  # type: ignore[union-attr]
    assert comes_true(begun.exists)

    owner.kill()
    owner.communicate()

    assert comes_true(lambda: is_gone(worker))


def test_a_crash_is_told_though_a_fork_of_the_model_lives_on(old: Registry) -> None:
    """Pools and loaders fork: one that is left over holds neither the answer back, nor memory for ever."""
    with old.isolated("odd@1", timeout=PATIENCE) as model:
        fork = model.fork()

        with pytest.raises(WorkerCrashedError):
            model.crash()

        assert comes_true(lambda: is_gone(fork))


FORKS_AND_WAITS = """
model = Registry(sys.argv[1]).isolated("odd@1")
print(model.fork(), flush=True)
sys.stdin.read()
"""


def test_what_a_worker_forked_ends_with_its_owner(old: Registry, past: Past) -> None:
    """Whoever ends first, the owner's end of the pipe or of the connection: nothing is left."""
    owner = children.start(FORKS_AND_WAITS, past.registry)
    fork = int(owner.stdout.readline())  # type: ignore[union-attr]

    owner.kill()
    owner.communicate()

    assert comes_true(lambda: is_gone(fork))


def test_an_environment_whose_interpreter_is_gone_is_made_again(tmp_path: Path) -> None:
    """It leads to the one that it was made with, which an upgrade of the system may remove."""
    plan = Plan(python=this_python(), requirements=(), constraints=())
    home = environments.folder(str(tmp_path / "environments"))
    first = environments.hold(plan, home, most=2**40, what="m@1")
    os.close(first.lock)
    first.python.unlink()

    second = environments.hold(plan, home, most=2**40, what="m@1")
    os.close(second.lock)

    assert subprocess.run([second.python, "-c", ""], check=False).returncode == 0


FORKS = """
model = Registry(sys.argv[1]).isolated("odd@1")
print(model.pid(), flush=True)
if not (fork := os.fork()):
    import signal
    signal.pause()
print(fork, flush=True)
os.waitpid(fork, 0)
"""


def test_a_fork_does_not_keep_its_parents_worker(old: Registry, past: Past) -> None:
    """A pool of processes that outlives its notebook is no reason for models to stay in memory."""
    owner = children.start(FORKS, past.registry)
    worker, fork = (int(owner.stdout.readline()) for _ in range(2))  # type: ignore[union-attr]

    owner.kill()
    owner.wait()

    try:
        assert comes_true(lambda: is_gone(worker))
        assert not is_gone(fork)
    finally:
        os.kill(fork, signal.SIGKILL)
        owner.communicate()


def test_an_interrupt_ends_the_call_and_nothing_else(old: Registry, past: Past, tmp_path: Path) -> None:
    """Ctrl-C in a notebook gives the prompt back, and the next call is answered."""
    begun = tmp_path / "begun"
    owner = children.start(HANGS, past.registry, begun)
    worker = int(owner.stdout.readline())  # type: ignore[union-attr]
    assert comes_true(begun.exists)

    owner.send_signal(signal.SIGINT)
    out, err = owner.communicate(timeout=PATIENCE)

    assert owner.returncode == 0, err
    assert out.startswith("interrupted [3] ")
    assert is_gone(worker)
    assert is_gone(int(out.split()[-1]))


def test_a_strangers_record_installs_nothing(past: Past, tmp_path: Path) -> None:
    """A record that names a package runs that package's code: that is asked first, plain model or not."""
    mine = Registry(past.registry, settings=Settings(environments=str(tmp_path / "environments")))

    with pytest.raises(TrustError, match="would install and run what ada recorded"):
        mine.isolated("churn@1")

    assert not (tmp_path / "environments").exists() or list((tmp_path / "environments").iterdir()) == []


MAKES = """
from nbreg.workers import environments
model = Registry(sys.argv[1], settings=Settings(environments=sys.argv[2])).isolated("odd@1")
made = environments.kept(Path(sys.argv[2]))[0].path.stat()
print(model.predict([[1, 2]]).tolist(), made.st_ino)
"""


def test_a_killed_maker_leaves_nothing_that_counts(old: Registry, past: Past, tmp_path: Path) -> None:
    """An environment is there whole or not at all; two that want it at once make one."""
    home = tmp_path / "environments"
    killed = children.start(MAKES, past.registry, home, start_new_session=True)
    assert comes_true(lambda: any(home.glob("tmp-*/pyvenv.cfg")))
    os.killpg(killed.pid, signal.SIGKILL)  # the tool that it started goes on to write, and is waited for
    killed.communicate()
    assert environments.kept(home) == []

    both = [children.start(MAKES, past.registry, home) for _ in range(2)]
    found = [each.communicate(timeout=PATIENCE) for each in both]

    (kept,) = environments.kept(home)
    for out, err in found:
        assert out == f"[3] {kept.path.stat().st_ino}\n", err
    assert list(home.glob("tmp-*")) == []


def test_environments_that_were_not_used_go_and_those_in_use_stay(odd: Any, past: Past) -> None:
    """A cache that only grows is a full disk one day; one that removes what runs is a crash today."""
    before = odd.pid()
    kept = environments.kept(past.environments)[0]

    assert environments.remove(kept.path) is False
    assert odd.pid() == before
    odd.close()
    assert environments.remove(kept.path) is True
    assert kept.path not in [each.path for each in environments.kept(past.environments)]
    assert odd.predict([[1, 2]]).tolist() == [3]


def test_the_command_line_makes_lists_and_removes_them(
    old: Registry, past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    """An image is built with the environment in it; a full disk is emptied without knowing where it is."""
    there = ["--registry", str(past.registry)]
    assert main(["environments", "odd@1", "--json", *there]) == 0
    (first, *_) = json.loads(capsys.readouterr().out)
    assert "scikit-learn==1.7.2" in first["requirements"]
    assert first["python"] == this_python()
    assert first["size"] > 2**20

    assert main(["environments", *there]) == 0
    assert "scikit-learn 1.7.2" in capsys.readouterr().out
    assert main(["environments", "--remove", *there]) == 0
    assert "removed" in capsys.readouterr().out
    assert environments.kept(past.environments) == []


def test_without_a_network_the_refusal_says_what_to_do(
    old: Registry, past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the train: what was made before works, and what was not says that it takes the network once."""
    nowhere = "http://127.0.0.1:9/simple"
    for name in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, nowhere)
    for name in ("UV_HTTP_RETRIES", "PIP_RETRIES"):
        monkeypatch.setenv(name, "0")
    for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    fresh = Registry(past.registry, settings=Settings(environments=str(tmp_path / "environments")))

    with pytest.raises(CannotRebuildError, match="the index cannot be reached") as caught:
        fresh.isolated("churn@1", timeout=5)

    assert "once with the network" in caught.value.hint
    assert list((tmp_path / "environments").glob("tmp-*")) == []


def test_another_interpreter_is_not_fetched_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version of a Python that is nowhere here says which one it takes."""
    monkeypatch.delenv("UV_PYTHON_DOWNLOADS", raising=False)
    plan = Plan(python="cpython 3.99", requirements=("msgspec",), constraints=())

    with pytest.raises(
        CannotRebuildError, match=r"made with cpython 3\.99, and no such interpreter"
    ) as caught:
        environments.hold(plan, tmp_path, most=0, what="churn@1")

    assert "uv python install 3.99" in caught.value.hint


def test_what_no_index_has_is_told_before_anything_is_made(old: Registry) -> None:
    """A package of one's own, installed from a folder, comes from nowhere else."""
    import msgspec

    recorded = old.get("churn@1").environment
    distributions = [
        msgspec.structs.replace(each, origin="editable") if each.name == "joblib" else each
        for each in recorded.distributions
    ]

    with pytest.raises(CannotRebuildError, match=r"joblib .* an editable install"):
        plan_of(msgspec.structs.replace(recorded, distributions=distributions), "churn@1")


def test_a_plan_asks_for_what_the_model_needs_and_nothing_of_the_notebook(old: Registry) -> None:
    """Minutes and gigabytes are spent on what predicts, not on what was merely installed."""
    plan = plan_of(old.get("churn@1").environment, "churn@1")

    names = {line.partition("==")[0].partition(">=")[0] for line in plan.requirements}
    assert {"scikit-learn", "numpy", "scipy", "pandas", "cloudpickle", "msgspec"} <= names
    assert names.isdisjoint({"nbreg", "tinydb", "ipython"})
    assert "scikit-learn==1.7.2" in plan.requirements


@pytest.mark.slow
def test_pip_makes_it_where_uv_is_not(
    old: Registry, past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uv is quicker, and nobody has to have it."""
    monkeypatch.setattr(environments, "uv_here", lambda: None)
    slower = Registry(past.registry, settings=Settings(environments=str(tmp_path / "environments")))

    with slower.isolated("odd@1") as model:
        assert model.predict([[1, 2]]).tolist() == [3]
    assert uv_here() is None or len(environments.kept(tmp_path / "environments")) == 1
