"""Runs: what they log, how they end, what versions lock of them, and what a kill leaves."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest
from children import run as run_script
from children import start
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nbreg
from nbreg import Registry
from nbreg.capture.context import started_run
from nbreg.display import RunTable
from nbreg.errors import (
    BadInputError,
    BadQueryError,
    BadReferenceError,
    BadValueError,
    RunEndedError,
    TrustError,
    UnknownArtifactError,
    UnknownRunError,
    VersionInUseError,
)
from nbreg.settings import Settings

TOKEN = "ghp_" + "a1B2" * 9
KEY = "9fQ2xZ7" + "rT4kLm8v"
WORDS = "correct" + "horse7!battery"


@pytest.fixture
def quick(tmp_path: Path) -> Registry:
    """A registry that captures nothing, where only the run matters."""
    return Registry(tmp_path / "registry", settings=Settings(capture=False))


# a run from begin to end


def test_a_run_keeps_what_was_logged_and_the_version_that_came_of_it(registry: Registry) -> None:
    """Months later, one id answers what went in, what came out and which version it became."""
    with nbreg.start_run("first", experiment="churn", params={"C": 0.5}, registry=registry) as run:
        for epoch in range(3):
            run.log_metrics({"loss": 1 / (epoch + 1), "accuracy": epoch / 10}, step=epoch)
        version = registry.register("churn", {"weights": [1, 2]})

    again = Registry(registry.location).run(run.id[:16])

    assert (again.state, again.name, again.experiment) == ("finished", "first", "churn")
    assert again.params == {"C": 0.5}
    assert again.metrics == {"loss": 1 / 3, "accuracy": 0.2}
    assert [(each.model, each.name, each.id) for each in again.versions] == [("churn", "1.0.0", version.id)]
    assert version.run is not None
    assert (version.run.id, version.run.experiment) == (run.id, "churn")


def test_a_raise_inside_ends_the_run_as_failed(registry: Registry) -> None:
    """A failed training is found as such, with the class of the error and without its text."""
    run = registry.start_run()
    with pytest.raises(ZeroDivisionError), run:
        1 / 0  # noqa: B018

    assert (run.state, run.error, run.versions) == ("failed", "ZeroDivisionError", [])
    assert started_run() is None


def test_without_a_block_a_run_goes_on_until_it_is_ended(registry: Registry) -> None:
    """In a notebook one cell starts it and a later one ends it."""
    run = registry.start_run("plain")
    first = registry.register("churn", {"a": 1})
    assert run.state == "running"
    run.end()
    run.end()
    second = registry.register("churn", {"a": 2})

    assert first.run is not None
    assert second.run is not None
    assert first.run.id == run.id != second.run.id
    with pytest.raises(RunEndedError) as caught:
        run.log_metric("loss", 1)
    assert caught.value.code == "run-ended"


def test_a_run_that_is_started_in_another_one_has_it_as_its_parent(registry: Registry) -> None:
    """A search over settings is one run with a run for each setting."""
    with registry.start_run("search") as outer:
        with registry.start_run("trial") as inner:
            version = registry.register("churn", {"a": 1})
        assert started_run() == outer.link

    assert (inner.parent, outer.parent) == (outer.id, "")
    assert version.run is not None
    assert version.run.id == inner.id


def test_threads_have_runs_of_their_own(quick: Registry) -> None:
    """Eight trials side by side do not register into each other's runs."""
    seen: dict[int, tuple[str, str]] = {}

    def trial(number: int) -> None:
        with quick.start_run(f"trial {number}") as run:
            barrier.wait()
            version = quick.register(f"m{number}", {"n": number})
            barrier.wait()
            seen[number] = (run.id, version.run.id if version.run else "")

    barrier = threading.Barrier(8)
    threads = [threading.Thread(target=trial, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len({run for run, _ in seen.values()}) == 8
    assert all(mine == linked for mine, linked in seen.values())


# metrics and params


def test_steps_make_a_curve_and_a_spike_survives_down_sampling(quick: Registry) -> None:
    """A million lines are read in bounded room, and the one bad batch is still seen."""
    with quick.start_run() as run:
        for step in range(20_000):
            run.log_metric("loss", 1000.0 if step == 7777 else 1.0, step=step)
        exact = run.curve("loss", 20_000)
    points = run.curve("loss", 100)

    assert [each.step for each in exact] == list(range(20_000))
    assert 50 <= len(points) <= 100
    assert points[-1].step == 19_999
    assert max(each.high for each in points if isinstance(each.high, float)) == 1000.0


def test_without_a_step_values_count_on(quick: Registry) -> None:
    """Whoever has no epoch at hand gets a curve all the same."""
    with quick.start_run() as run:
        for value in (3.0, 2.0, 1.0):
            run.log_metric("loss", value)

    assert [(each.step, each.value) for each in run.curve("loss")] == [(0, 3.0), (1, 2.0), (2, 1.0)]


def test_nan_is_a_value_of_a_curve_and_never_of_a_version(registry: Registry) -> None:
    """A loss that diverged is worth seeing; a version that is compared by NaN is worth nothing."""
    with registry.start_run() as run:
        for value in (1.0, math.nan, math.inf):
            run.log_metric("loss", value)
        run.log_metric("accuracy", 0.5)
        run.log_model({"a": 1})
        version = run.register("churn")
        with pytest.raises(BadValueError):
            run.register("churn", metrics={"loss": math.nan})

    assert [each.value for each in run.curve("loss")] == [1.0, "nan", "inf"]
    assert run.metrics["loss"] == math.inf
    assert version.metrics == {"accuracy": 0.5}
    json.loads(registry._desk.folder.runs.path(run.id).read_text().splitlines()[1])


def test_numbers_of_numpy_are_numbers(quick: Registry) -> None:
    """`clf.score` gives numpy's, and so do most losses."""
    numpy = pytest.importorskip("numpy")
    with quick.start_run() as run:
        run.log_metric("a", numpy.float32(0.5), step=numpy.int64(3))
        run.log_metric("b", 7)

    assert run.metrics == {"a": 0.5, "b": 7.0}
    assert run.curve("a")[0].step == 3


@pytest.mark.parametrize(
    ("name", "value", "step"),
    [
        ("a", "0.5", None),
        ("a", True, None),
        ("", 1, None),
        ("a\n", 1, None),
        ("a", 1, 0.5),
        ("a", None, None),
    ],
)
def test_what_is_no_metric_is_refused_and_nothing_is_logged(
    quick: Registry, name: str, value: object, step: object
) -> None:
    """A typing error is found where it was made."""
    with quick.start_run() as run, pytest.raises(BadValueError):
        run.log_metric(name, value, step=step)  # type: ignore[arg-type]

    assert run.metrics == {}


def test_secrets_among_params_are_never_written(registry: Registry) -> None:
    """Params are often a whole configuration, and a configuration has keys in it."""
    with registry.start_run(TOKEN, params={"api_key": KEY, "url": f"https://x/?t={TOKEN}"}) as run:
        run.log_params({"nested": {"password": WORDS}})
        registry.register("churn", {"a": 1})

    written = b"".join(path.read_bytes() for path in registry.location.rglob("*") if path.is_file())
    for secret in (TOKEN, KEY, WORDS):
        assert secret.encode() not in written


# what versions lock, and what is kept


def test_a_version_locks_its_run(registry: Registry) -> None:
    """The run's own file may be lost; what the version was made with is part of the version."""
    with registry.start_run("r", params={"C": 1}) as run:
        run.log_metric("loss", 0.5)
        version = registry.register("churn", {"a": 1})
        run.log_metric("loss", 0.1)
    registry._desk.folder.runs.path(run.id).unlink()
    fresh = Registry(registry.location)

    locked = fresh.run(fresh.get("churn@1"))

    assert (locked.params, locked.metrics, locked.name) == ({"C": 1}, {"loss": 0.5}, "r")
    assert fresh.purge(dry_run=False).leftovers == []
    assert fresh.verify().ok
    assert [each.id for each in locked.versions] == [version.id]


def test_a_damaged_locked_run_is_found_by_verify(registry: Registry) -> None:
    """A version answers for its run as for its own bytes."""
    with registry.start_run() as run:
        run.log_params({f"p{i}": "x" * 100 for i in range(5000)})
        version = registry.register("churn", {"a": 1})
    assert version.run is not None
    large = version.run.chunks[0].digest
    path = registry._desk.folder.blobs.path(large)
    path.chmod(0o644)
    path.write_bytes(b"x" * path.stat().st_size)

    assert {each.where for each in registry.verify().problems} >= {"churn@1"}


def test_what_was_logged_with_data_becomes_a_version_that_leads_to_it(registry: Registry) -> None:
    """Trained and logged today, registered tomorrow: its data, its features and its number are as ever."""
    made = []
    for strength, width in ((1.0, 2), (2.0, 2), (2.0, 3)):
        X = pd.DataFrame({f"x{i}": range(10) for i in range(width)})
        clf = LogisticRegression(C=strength).fit(X, [0, 1] * 5)
        with nbreg.start_run(registry=registry) as run:
            run.log_model(clf, data={"train": nbreg.Dataset("customers", X)})
        made.append(run.register("churn"))

    assert [each.warnings for each in made] == [[], [], []]
    assert [each.name for each in made] == ["1.0.0", "1.0.1", "2.0.0"]
    assert registry.dataset("customers@1").versions == [made[1], made[0]]
    assert registry.dataset("customers@2").versions == [made[2]]
    assert registry.feature_sets("churn")[0].first == 3


def test_a_long_run_is_not_stored_again_with_each_version(quick: Registry) -> None:
    """A checkpoint for each epoch must not cost the whole log for each epoch."""
    with quick.start_run() as run:
        run.log_params({f"p{i}": "x" * 100 for i in range(30_000)})
        first = quick.register("m", {"n": 0})
        before = quick.du().size
        for number in range(1, 6):
            run.log_metric("loss", number)
            quick.register("m", {"n": number})

    assert first.run is not None
    assert sum(each.size for each in first.run.chunks) > 3_000_000
    assert quick.du().size - before < 6 * 300_000


def test_what_a_run_logged_is_kept_while_the_run_is(registry: Registry, tmp_path: Path) -> None:
    """Purging makes room without taking what somebody may register tomorrow."""
    (tmp_path / "plot.png").write_bytes(b"\x89PNG" + bytes(400_000))
    with registry.start_run() as run:
        run.log_model({"weights": list(range(1000))})
        run.log_artifact(tmp_path / "plot.png")
    assert registry.purge(dry_run=False).leftovers == []
    assert registry.du().unreferenced == 0
    assert registry.verify().ok

    registry.delete_run(run.id[:12], "Tried")
    assert registry.runs() == []
    assert [each.id for each in registry.runs(deleted=True)] == [run.id]
    registry.restore_run(run.id)
    assert [each.id for each in registry.runs()] == [run.id]
    registry.delete_run(run.id)
    assert registry.purge(dry_run=False).leftovers == []  # its time is not over
    assert registry.purge(dry_run=False, older_than=0).size > 400_000

    with pytest.raises(UnknownRunError):
        registry.run(run.id)
    assert registry.du().objects == 0


def test_purge_keeps_what_a_damaged_line_of_a_run_speaks_of(registry: Registry) -> None:
    """A flipped bit in a log must not cost the model that was logged."""
    with registry.start_run() as run:
        run.log_model({"weights": list(range(1000))})
    path = registry._desk.folder.runs.path(run.id)
    path.write_bytes(path.read_bytes().replace(b'"line":"', b'"lin":"'))

    fresh = Registry(registry.location)

    assert {each.code for each in fresh.verify().problems} == {"run-damaged"}
    assert fresh.purge(dry_run=False).leftovers == []
    assert fresh.runs() == []


def test_what_is_no_file_among_the_runs_keeps_nobody_waiting(registry: Registry) -> None:
    """A pipe that somebody put there must not hang a list."""
    with registry.start_run() as run:
        pass
    os.mkfifo(registry.location / "runs" / f"{'f' * 32}.jsonl")

    assert [each.id for each in registry.runs()] == [run.id]
    assert not registry.verify().ok


def test_a_merged_version_brings_its_run(registry: Registry, tmp_path: Path) -> None:
    """In the team's registry the colleague's version still tells how it was trained."""
    theirs = Registry(tmp_path / "theirs")
    with theirs.start_run("there", params={"C": 1}):
        theirs.register("churn", {"a": 1})

    merged = registry.merge(theirs)[0]

    assert (registry.run(merged).params, registry.run(merged).name) == ({"C": 1}, "there")
    assert registry.runs() == []
    assert registry.verify().ok


def test_a_saved_notebook_does_not_say_that_a_run_still_goes_on(registry: Registry) -> None:
    """Read a year later, it would be a lie."""
    run = registry.start_run()
    shown = str(run._repr_mimebundle_()) + str(RunTable([run.record])._repr_mimebundle_())
    run.end()

    assert "running" not in shown


def test_a_run_that_made_a_version_is_not_deleted(registry: Registry) -> None:
    """Lineage is not lost by tidying up."""
    with registry.start_run() as run:
        registry.register("churn", {"a": 1})
        with pytest.raises(RunEndedError):
            registry.delete_run(run.id)

    with pytest.raises(VersionInUseError) as caught:
        registry.delete_run(run.id)
    assert str(caught.value) == f"the run {run.id[:12]} made churn@1.0.0, which locks it"


# registering what was logged


def test_a_version_is_made_of_what_was_logged_without_loading_it(registry: Registry, tmp_path: Path) -> None:
    """The best of a hundred runs is chosen the day after, in a process that has none of their libraries."""
    script = """
class Model:
    def __setstate__(self, state):
        Path(sys.argv[2]).write_text("loaded")
    def __getstate__(self):
        return {"w": 1}
registry = Registry(sys.argv[1])
with registry.start_run(params={"C": 2}) as run:
    run.log_metric("auc", 0.9)
    run.log_model(Model(), framework="mine")
    run.log_artifact({"pip": ["a"]}, "env")
print(run.id)
"""
    run_id = run_script(script, registry.location, tmp_path / "mark").strip()

    foreseen = registry.preview("churn", f"runs:/{run_id}/model")
    version = registry.register("churn", f"runs:/{run_id}/model", message="the best")
    both = registry.register("other", run=run_id, artifacts=["model", "env"])

    assert not (tmp_path / "mark").exists()
    assert (version.params, version.metrics) == ({"C": 2}, {"auc": 0.9})
    assert foreseen.content_digest == version.content_digest
    assert set(both.artifacts) == {"model", "env"}
    assert both.load("env") == {"pip": ["a"]}
    assert version.source.argv[0] == "-c"  # of the process that logged it, not of this one
    assert [each.model for each in registry.run(run_id).versions] == ["churn", "other"]
    assert registry.register("churn", f"runs:/{run_id}/model").existing
    assert registry.run(run_id).artifacts["model"].framework == "mine"
    assert registry.verify().ok


def test_a_logged_model_is_numbered_by_what_it_knows(registry: Registry) -> None:
    """Registered the day after or at once: its features and its data are those it was logged with."""
    numpy, linear = pytest.importorskip("numpy"), pytest.importorskip("sklearn.linear_model")
    rows = numpy.arange(20.0).reshape(-1, 2)
    for alpha, refs in ((1.0, "1.0.0"), (2.0, "1.0.1")):
        with registry.start_run() as run:
            run.log_model(linear.Ridge(alpha=alpha).fit(rows, rows[:, 0]), data={"train": rows})
        version = registry.register("churn", f"runs:/{run.id}/model")
        assert version.name == refs

    assert version.bump_reason.startswith("patch: hyperparameters changed (alpha 1 → 2)")
    assert [each.number for each in registry.trained_on(rows)] == [2, 1]


def test_what_somebody_else_logged_is_not_vouched_for_by_registering_it(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Registering reads no code, so it must not turn a stranger's code into one's own."""
    script = """
class Evil:
    def __reduce__(self):
        return (os.getcwd, ())
registry = Registry(sys.argv[1])
with registry.start_run() as run:
    run.log_model(Evil())
print(run.id)
"""
    run_id = run_script(script, registry.location).strip()
    mine = registry.register("mine", f"runs:/{run_id}/model")
    assert isinstance(mine.load(), str)

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "somebody"))
    version = registry.register("theirs", f"runs:/{run_id}/model")
    with pytest.raises(TrustError):
        version.load()


def test_a_pipeline_is_logged_and_registered_whole(registry: Registry) -> None:
    """A classifier without the scaler before it answers nonsense; in production, to raw rows."""
    rows = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0], "income": [1e5, 3e5, 2e5, 4e5]})
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(rows, [0, 0, 1, 1])
    with registry.start_run("logistic_regression_v1", experiment="churn_model") as run:
        run.log_model(pipeline, data={"train": rows})
    version = registry.register("churn", f"runs:/{run.id}/model")

    loaded = version.load()

    assert [name for name, _ in loaded.steps] == ["standardscaler", "logisticregression"]
    assert loaded.predict_proba(rows).tolist() == pipeline.predict_proba(rows).tolist()
    assert version.params["logisticregression__C"] == 0.5
    assert run.artifacts["model"].framework == "scikit-learn"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("runs:/", BadReferenceError),
        ("runs:/zz/model", BadReferenceError),
        ("runs:/00000000000000000000000000000000/model", UnknownRunError),
    ],
)
def test_a_source_that_names_nothing_is_refused(
    registry: Registry, source: str, error: type[Exception]
) -> None:
    """A typing error never registers its own text as a model."""
    with pytest.raises(error):
        registry.register("churn", source)
    assert registry.models() == []


def test_any_other_text_is_data(registry: Registry) -> None:
    """Only `runs:/…` means a run; a prompt that is a model is a model."""
    assert registry.register("prompt", "runs: fast").load() == "runs: fast"


def test_an_artifact_that_was_not_logged_is_refused_with_the_nearest(registry: Registry) -> None:
    """The hint is what was meant."""
    with registry.start_run() as run:
        run.log_model({"a": 1}, "net")
        with pytest.raises(UnknownArtifactError) as caught:
            run.register("churn", artifacts=["nett"])
        version = registry.register("churn", f"runs:/{run.id}/net")

    assert caught.value.hint == "did you mean 'net'?"
    assert list(version.artifacts) == ["model"]


# lists


def test_runs_are_listed_newest_first_and_compared_side_by_side(registry: Registry) -> None:
    """Which setting was best is seen in one table."""
    for c, auc in ((0.1, 0.7), (1.0, 0.9), (10.0, 0.8)):
        with registry.start_run(f"C={c}", experiment="churn", params={"C": c, "solver": "lbfgs"}) as run:
            run.log_metric("auc", auc)
    with registry.start_run("other"):
        pass

    assert [each.name for each in registry.runs(experiment="churn")] == ["C=10.0", "C=1.0", "C=0.1"]
    assert [each.name for each in registry.runs(sort="-metrics.auc", limit=2)] == ["C=1.0", "C=10.0"]
    assert [each.name for each in registry.runs(limit=1, offset=1)] == ["C=10.0"]
    table = repr(RunTable([each.record for each in registry.runs(experiment="churn")]))
    heads = table.splitlines()[0].split()
    assert "C" in heads
    assert "auc" in heads
    assert "solver" not in heads  # the same in all: it tells nothing apart
    assert [each.name for each in registry.runs("metrics.auc > 0.75 and params.C < 5")] == ["C=1.0"]
    assert [each.name for each in registry.runs('experiment == None or "m" in models')] == ["other"]
    with pytest.raises(BadQueryError):
        registry.runs("metric.auc > 0.75")
    with pytest.raises(BadInputError):
        registry.runs(state="dead")
    with pytest.raises(BadInputError):
        registry.runs(sort="auc")


def test_what_a_run_is_called_is_escaped_where_it_is_shown(registry: Registry) -> None:
    """A run's name comes from whoever wrote the file."""
    with registry.start_run("<script>alert(1)</script>", params={"<b>": "<i>"}) as run:
        pass

    for shown in (run, RunTable([run.record])):
        html = shown._repr_mimebundle_()["text/html"]
        assert "<script>" not in html
        assert "<i>" not in html


def test_listing_makes_no_file(tmp_path: Path) -> None:
    """Looking is free, also where there is nothing."""
    assert Registry(tmp_path / "none").runs() == []
    assert not (tmp_path / "none").exists()


# the run of a script, and the ends that nobody planned


def test_a_script_has_a_run_of_its_own(registry: Registry) -> None:
    """What a job registers is traced to that job, without a line about runs in it."""
    script = """
registry = Registry(sys.argv[1])
run = registry.current_run()
assert not (registry.location / "runs").exists()
run.log_params({"C": 1})
a, b = registry.register("m", {"a": 1}), registry.register("m", {"a": 2})
assert a.run.id == b.run.id == run.id
print(run.id)
"""
    run_id = run_script(script, registry.location).strip()
    run = registry.run(run_id)

    assert (run.kind, run.state, run.params) == ("script", "finished", {"C": 1})
    assert [each.number for each in run.versions] == [1, 2]


def test_a_script_that_fails_has_a_failed_run(registry: Registry) -> None:
    """The run that did not come to an end is not among the good ones."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, nbreg\nnbreg.Registry(sys.argv[1]).current_run().log_params({'C': 1})\n{}['x']",
            str(registry.location),
        ],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1, done.stderr
    assert [(each.state, each.error) for each in registry.runs()] == [("failed", "KeyError")]


KILLED = """
registry = Registry(sys.argv[1], settings=QUICK)
with registry.start_run("killed", params={"C": 1}) as run:
    for step in range(100):
        run.log_metric("loss", 1.0, step=step)
    run.record
    print(run.id, flush=True)
    while True:
        lines = registry._desk.folder.runs.path(run.id).read_bytes().count(b"\\n")
        if lines == 102:
            print("written", flush=True)
            time.sleep(60)
        time.sleep(0.01)
"""


def test_a_killed_run_is_interrupted_and_keeps_what_was_written(quick: Registry) -> None:
    """Twelve hours of training and a kill: the curve is there, and the run does not pretend to go on."""
    child = start(KILLED, quick.location)
    assert child.stdout is not None
    run_id = child.stdout.readline().strip()
    assert child.stdout.readline() == "written\n"  # within a second, though nobody flushed
    assert quick.run(run_id).state == "running"

    child.send_signal(signal.SIGKILL)
    child.wait()
    path = quick._desk.folder.runs.path(run_id)
    with path.open("ab") as file:
        file.write(b'{"line":"metrics","t":1.0,"st')  # what a kill in the middle of a write leaves

    run = quick.run(run_id)
    assert (run.state, run.params, run.metrics) == ("interrupted", {"C": 1}, {"loss": 1.0})
    assert run.record.counts == {"loss": 100}
    assert [each.id for each in quick.runs(state="interrupted")] == [run_id]
    assert quick.verify().ok


def test_a_fork_may_log_to_the_run_and_does_not_keep_it_alive(quick: Registry) -> None:
    """Workers of a data loader outlive nothing, and write nothing twice."""
    script = """
registry = Registry(sys.argv[1], settings=QUICK)
run = registry.start_run("parent")
run.log_metric("a", 1.0)
pid = os.fork()
if pid == 0:
    run.log_metric("b", 2.0)
    os.read(0, 1)
    os._exit(0)
while b'"b"' not in registry._desk.folder.runs.path(run.id).read_bytes():
    time.sleep(0.01)
print(run.id, flush=True)
run.log_metric("c", 3.0)
registry._desk.folder.runs.log(run.id).flush()
os.kill(os.getpid(), 9)
"""
    parent = start(script, quick.location)
    assert parent.stdout is not None
    assert parent.stdin is not None
    run_id = parent.stdout.readline().strip()
    assert parent.wait() == -signal.SIGKILL

    run = quick.run(run_id)
    assert (run.state, run.metrics) == ("interrupted", {"a": 1.0, "b": 2.0, "c": 3.0})
    assert run.record.counts == {"a": 1, "b": 1, "c": 1}
    parent.stdin.close()  # now the child may end


def test_a_process_that_works_on_many_registries_holds_few_files_open(tmp_path: Path) -> None:
    """A server must not run out of descriptors."""
    from children import open_descriptors

    before = open_descriptors()
    for number in range(60):
        Registry(tmp_path / f"r{number}").register("m", {"n": number})

    assert open_descriptors() - before < 60
    assert Registry(tmp_path / "r0").runs()[0].state == "finished"
    again = Registry(tmp_path / "r0")
    again.register("m", {"n": "more"})
    assert [each.number for each in again.runs()[0].versions] == [1, 2]


def test_a_run_that_cannot_be_locked_costs_no_registration(registry: Registry) -> None:
    """Capture never loses work: the link stays, and says what is missing."""
    registry.init()
    (registry.location / "runs").write_text("in the way")

    version = registry.register("churn", {"a": 1})

    assert version.run is not None
    assert version.run.missing
    assert version.run.chunks == []
