"""A notebook as a scheduled job: train, register, and promote by rule or keep, with nobody there.

`nbreg run train.ipynb -p scale 2.0` in a crontab. The notebook has its rules in its cells, the
registry has its gates; the exit code says whether the notebook got to its end.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from retraining import TRAIN, notebook

from nbreg import Registry, jobs
from nbreg.errors import BadInputError, CannotLoadError, ConflictError
from nbreg.settings import Settings


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=Settings(capture=False))


def told(job: jobs.Job) -> list[tuple[str, int | None]]:
    return [(event.kind, event.number) for event in job.events]


def test_a_week_of_retraining_with_nobody_there(registry: Registry, tmp_path: Path) -> None:
    """Better is promoted, worse is kept beside, and the exit code tells a broken training from both."""
    train = notebook(tmp_path / "work" / "train.ipynb", TRAIN)
    before = train.read_bytes()
    first = jobs.run(train, {"scale": 2.0}, registry=registry)
    assert (first.ok, first.error, told(first)) == (True, "", [("registered", 1), ("promoted", 1)])
    registry.require("churn", "production", 'not_worse("accuracy")', reason="Unattended")

    worse = jobs.run(train, {"scale": 1.0}, registry=registry, output=tmp_path / "worse.ipynb")
    assert (worse.ok, worse.cell, told(worse)) == (False, 5, [("registered", 2)])
    assert worse.error.startswith("UsageError: churn@")
    assert 'not_worse("accuracy") (accuracy is 0.6, and 0.7 of churn@1.0.0)' in worse.error
    better = jobs.run(train, {"scale": 3.0}, registry=registry)
    assert (better.ok, told(better)) == (True, [("registered", 3), ("promoted", 3)])

    assert registry.get("churn@production").number == 3
    assert train.read_bytes() == before
    event = registry.events("churn")[0]
    assert (event.facts["run"], event.reason, event.message) == (better.run, "Weekly", "by rule")
    run = registry.run(better.run)
    assert (run.record.name, run.record.params["scale"], run.record.state) == ("train", 3.0, "finished")
    link = registry.get("churn@3").run
    assert link is not None
    assert link.id == better.run
    executed = nbformat.read(tmp_path / "worse.ipynb", as_version=4)
    assert executed.cells[1].source == "# Parameters\nscale = 1.0"
    assert "does not pass the gates" in json.dumps(executed.cells[-1].outputs)


def test_a_model_that_got_worse_is_trained_again(registry: Registry, tmp_path: Path) -> None:
    """The line of docs/gates.md, as it stands there: it does nothing while the figures are good."""
    page = (Path(__file__).parent.parent / "docs" / "gates.md").read_text()
    line = next(each for each in page.splitlines() if each.startswith("    nbreg search ")).strip()
    script = f'nbreg() {{ "{sys.executable}" -m nbreg "$@"; }}; {line}'
    notebook(tmp_path / "work" / "train.ipynb", TRAIN)
    registry.promote(registry.register("churn", {"mean": 1}, metrics={"in_the_field": 0.95}), "production")
    there = {**os.environ, "NBREG_REGISTRY": str(registry.location)}

    def night() -> list[int]:
        subprocess.run(
            ["sh", "-c", script], cwd=tmp_path / "work", env=there, capture_output=True, check=False
        )
        return [each.number for each in registry.versions("churn")]

    assert night() == [1]
    registry.get("churn@1").update(metrics={"fresh": 0.5})
    assert night() == [1]
    registry.register("churn", {"mean": 2}, metrics={"in_the_field": 0.8})
    registry.promote("churn@2", "production")
    assert night() == [3, 2, 1]
    assert registry.get("churn@production").number == 3


def test_a_business_rule_in_a_cell_decides(registry: Registry, tmp_path: Path) -> None:
    """The rule is ordinary Python; what it does not promote stays where it was."""
    rule = "version = nbreg.Registry().get('churn@latest')\nif accuracy > 0.65:\n    version.promote('staging', reason='AccuracyRule')"
    cells = [*TRAIN[:4], ("", "import nbreg\n" + rule)]
    train = notebook(tmp_path / "train.ipynb", cells)
    assert told(jobs.run(train, registry=registry)) == [("registered", 1)]
    assert told(jobs.run(train, {"scale": 2}, registry=registry)) == [("registered", 2), ("promoted", 2)]
    assert registry.get("churn@staging").number == 2


def test_what_others_do_meanwhile_is_not_told_as_the_jobs(registry: Registry, tmp_path: Path) -> None:
    """A colleague works in the same registry all day."""
    meanwhile = f"""
import subprocess, sys
code = "import nbreg; r = nbreg.Registry({str(registry.location)!r}); r.promote(r.register('other', 1), 'staging')"
subprocess.run([sys.executable, "-c", code], check=True)
"""
    train = notebook(tmp_path / "train.ipynb", [*TRAIN[:4], ("", meanwhile)])
    job = jobs.run(train, registry=registry)
    assert (job.error, told(job)) == ("", [("registered", 1)])
    assert [event.model for event in job.events] == ["churn"]
    assert registry.get("other@staging").number == 1


def test_a_cell_that_fails_ends_the_job(registry: Registry, tmp_path: Path) -> None:
    """Nothing after it runs, and the notebook as far as it came is there to be looked at."""
    cells = [("", "x = 1"), ("", "1 / 0"), ("", "open('never', 'w')")]
    path = notebook(tmp_path / "train.ipynb", cells)
    job = jobs.run(path, registry=registry, output=tmp_path / "out.ipynb")
    assert (job.ok, job.cell, job.error, job.events) == (False, 2, "ZeroDivisionError: division by zero", [])
    assert not (tmp_path / "never").exists()
    assert (tmp_path / "out.ipynb").exists()
    dead = notebook(tmp_path / "dead.ipynb", [("", "import os; os._exit(1)")])
    assert jobs.run(dead, registry=registry).error == "the kernel died"
    slow = notebook(tmp_path / "slow.ipynb", [("", "while True: pass")])
    assert "it took longer than 1 s" in jobs.run(slow, registry=registry, cell_seconds=1).error


def test_parameters_are_those_that_the_notebook_names(registry: Registry, tmp_path: Path) -> None:
    """A misspelled one in a crontab is not passed over in silence for a year."""
    train = notebook(tmp_path / "train.ipynb", TRAIN)
    wrong: list[tuple[Path, dict[str, Any], str]] = [
        (train, {"scal": 2}, "no parameter 'scal'"),
        (train, {"scale": object()}, "the parameter scale is a object"),
        (notebook(tmp_path / "none.ipynb", TRAIN[1:]), {"scale": 2}, "no cell for parameters"),
        (notebook(tmp_path / "bad.ipynb", [("parameters", "scale =")]), {"scale": 2}, "cannot be read"),
        (tmp_path / "missing.ipynb", {}, "cannot be read"),
        (tmp_path / "train.py", {}, "is no notebook"),
    ]
    for path, parameters, said in wrong:
        with pytest.raises(BadInputError, match=said):
            jobs.run(path, parameters, registry=registry)
    (tmp_path / "text.ipynb").write_text("{}")
    with pytest.raises(BadInputError, match="is no notebook"):
        jobs.run(tmp_path / "text.ipynb", registry=registry)
    for output, error in (
        (train, BadInputError),
        (tmp_path / "no" / "x.ipynb", BadInputError),
        (tmp_path, ConflictError),
    ):
        with pytest.raises(error):
            jobs.run(train, registry=registry, output=output)
    assert registry.models() == []


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("0.5", 0.5), ("true", True), ("null", None), ("[1, 2]", [1, 2]), ("(1, 2)", (1, 2)),
     ("True", True), ("weekly", "weekly"), ("2026-02-09", "2026-02-09"), ('"1"', "1"), ("'a'", "a")],
)  # fmt: skip
def test_parameters_are_typed_as_they_look(text: str, value: object) -> None:
    """As on every command line that runs notebooks."""
    assert jobs.parameter(text) == value
    assert type(jobs.parameter(text)) is type(value)


def test_values_that_have_no_literal_are_spelled(registry: Registry, tmp_path: Path) -> None:
    """NaN and infinity, too; and a cell of an earlier job is replaced, not joined."""
    cells = [("parameters", "a = b = 1"), ("injected-parameters", "a = 5"), ("", "assert a != a and b < 0")]
    path = notebook(tmp_path / "p.ipynb", cells)
    assert jobs.run(path, {"a": float("nan"), "b": float("-inf")}, registry=registry).error == ""
    assert jobs.run(path, registry=registry).error.startswith("AssertionError")


def test_a_failed_cell_is_counted_as_in_the_notebook_that_was_given(
    registry: Registry, tmp_path: Path
) -> None:
    """The cell that sets the parameters is none of it: `cell 2` is its second one."""
    path = notebook(tmp_path / "p.ipynb", [("parameters", "a = 1"), ("", "1 / 0")])
    assert jobs.run(path, registry=registry).cell == 2
    assert jobs.run(path, {"a": 2}, registry=registry).cell == 2


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["interrupted", "terminated"])
def test_a_job_that_is_stopped_says_so_and_keeps_what_it_has(
    registry: Registry, tmp_path: Path, how: signal.Signals
) -> None:
    """The machine shuts down, or somebody has seen enough: hours of output are not thrown away."""
    begun, output = tmp_path / "begun", tmp_path / "out.ipynb"
    wait = f"open({str(begun)!r}, 'w').close()\nimport time\nwhile True: time.sleep(0.1)"
    path = notebook(tmp_path / "p.ipynb", [("", "print('first')"), ("", wait)])
    words = ["run", str(path), "--output", str(output), "--registry", str(registry.init())]
    job = subprocess.Popen([sys.executable, "-m", "nbreg", *words], stdout=subprocess.PIPE, text=True)
    while not begun.exists():
        assert job.poll() is None
        time.sleep(0.05)
    job.send_signal(how)
    told, _ = job.communicate(timeout=120)
    assert job.returncode == 1
    assert "failed in code cell 2: it was interrupted" in told
    executed = nbformat.read(output, as_version=4)
    assert executed.cells[0].outputs[0].text == "first\n"


def test_a_kernel_that_is_not_there_is_said(registry: Registry, tmp_path: Path) -> None:
    """The job was written on another machine."""
    path = notebook(tmp_path / "p.ipynb", [("", "x = 1")])
    document = nbformat.read(path, as_version=4)
    document.metadata["kernelspec"]["name"] = "of-another-machine"
    nbformat.write(document, path)
    with pytest.raises(CannotLoadError, match="no kernel could be started"):
        jobs.run(path, registry=registry)
