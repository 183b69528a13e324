"""What versions lock of their runs, and what is kept as long as it is needed."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import nbreg
from nbreg import Registry
from nbreg.display import RunTable
from nbreg.errors import RunEndedError, UnknownRunError, VersionInUseError


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
    assert str(caught.value) == f"the run {run.id[:16]} made churn@1.0.0, which locks it"


def test_a_run_that_cannot_be_locked_costs_no_registration(registry: Registry) -> None:
    """Capture never loses work: the link stays, and says what is missing."""
    registry.init()
    (registry.location / "runs").write_text("in the way")

    version = registry.register("churn", {"a": 1})

    assert version.run is not None
    assert version.run.missing
    assert version.run.chunks == []
