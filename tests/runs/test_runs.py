"""Runs from begin to end, and what they log on the way."""

from __future__ import annotations

import json
import math
import threading

import pytest

import nbreg
from nbreg import Registry
from nbreg.capture.context import started_run
from nbreg.errors import BadValueError, RunEndedError

TOKEN = "ghp_" + "a1B2" * 9
KEY = "9fQ2xZ7" + "rT4kLm8v"
WORDS = "correct" + "horse7!battery"


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

    assert [each.value for each in run.curve("loss")][::2] == [1.0, math.inf]
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
