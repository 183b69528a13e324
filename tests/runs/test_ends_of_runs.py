"""Runs of scripts, and ends that nobody planned: failures, kills, forks."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from children import run as run_script
from children import start

from nbreg import Registry
from nbreg.settings import Settings
from nbreg.store.runlines import Fold


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


def test_a_run_that_ends_while_it_is_asked_for_was_not_interrupted(
    quick: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is read, and its process ends: nobody is told that a training was killed which came to its end."""
    child = start(
        """
run = Registry(sys.argv[1], settings=QUICK).start_run("fit")
print(run.id, flush=True)
sys.stdin.readline()
run.end()
""",
        quick.location,
    )
    assert child.stdout is not None
    run = quick.run(child.stdout.readline().strip())
    runs = quick._desk.folder.runs
    fold = runs.fold

    def ended_after_it_was_read(asked: str) -> Fold:
        found = fold(asked)
        child.communicate("end\n", timeout=60)
        monkeypatch.setattr(runs, "fold", fold)
        return found

    monkeypatch.setattr(runs, "fold", ended_after_it_was_read)

    assert [run.state for _ in range(2)] == ["running", "finished"]


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


def test_a_registry_that_a_link_leads_to_is_another_one_when_the_link_is_moved(tmp_path: Path) -> None:
    """`current -> release-7` is how many teams name a folder; what is logged after the switch is logged there."""
    here = tmp_path / "here"
    locations = [tmp_path / "one", tmp_path / "other"]
    registries = [Registry(each, settings=Settings(capture=False)) for each in locations]
    for each in registries:
        each.init()
        (each.location / "runs").mkdir(exist_ok=True)
    here.symlink_to(locations[0])
    linked = Registry(here, settings=Settings(capture=False))
    with linked.start_run() as run:
        run.log_params({"lr": 0.1})
        assert registries[0]._desk.folder.runs.log(run.id) is linked._desk.folder.runs.log(run.id)

        here.unlink()
        here.symlink_to(locations[1])

        assert linked._desk.folder.runs.log(run.id) is None
        here.unlink()
        here.symlink_to(locations[0])
