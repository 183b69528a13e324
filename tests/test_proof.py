"""Proof: a clean process loads a version and predicts on its probe, and what comes out is evidence."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kernels import MODEL, running_kernel

from nbreg import Registry
from nbreg.capture.tabular import agreement, probe
from nbreg.cli import main
from nbreg.errors import BadInputError, TrustError

ROWS = [[float(row), float(row % 3)] for row in range(80)]


CELL = '''
import os, signal, subprocess, sys
import numpy as np

class Model:
    """Adds up its rows."""

    def fit(self, rows):
        self.bias = 1.0
        return self

    def predict(self, rows):
        return np.asarray(rows).sum(axis=1) + self.bias


class Crashing(Model):
    """A library that takes the process with it."""

    def predict(self, rows):
        os.kill(os.getpid(), signal.SIGSEGV)


class Hanging(Model):
    """A lock that nobody gives back, in a process of its own besides."""

    def predict(self, rows):
        subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()", *sys.argv[1:]])
        signal.pause()


class Greedy(Model):
    """Needs more than there is."""

    def predict(self, rows):
        return np.ones(2**31)


class Talking(Model):
    """Puts a value into its exception."""

    def predict(self, rows):
        raise ValueError("the customer is Mrs. Miller")


class Moody(Model):
    """Says something else each time."""

    def predict(self, rows):
        return np.random.default_rng().random(len(rows))


class Modest(Model):
    """Says how it is run: its place in the queue, the memory it may have, whether it sees accelerators."""

    def predict(self, rows):
        import resource

        place, memory = os.getpriority(os.PRIO_PROCESS, 0), resource.getrlimit(resource.RLIMIT_DATA)[0]
        return np.array([[place, memory, len(os.environ.get("CUDA_VISIBLE_DEVICES", "all"))]] * len(rows), "f8")


class Patient(Model):
    """Predicts when it may."""

    def __init__(self, folder):
        self.folder = folder

    def predict(self, rows):
        import time

        open(os.path.join(self.folder, "begun"), "w").close()
        while not os.path.exists(os.path.join(self.folder, "go")):
            time.sleep(0.01)
        return super().predict(rows)


class Exiting(Model):
    """Ends the process in good order."""

    def predict(self, rows):
        raise SystemExit(3)
'''
"""Classes as a cell defines them: they are in no module that another process could import."""

CELLS: dict[str, Any] = {"__name__": "__main__"}
exec(CELL, CELLS)


def registered(registry: Registry, kind: str = "Model") -> Any:
    return registry.register("sums", CELLS[kind]().fit(ROWS), data={"train": np.array(ROWS)})


def test_a_version_that_loads_and_says_the_same_is_proven(registry: Registry) -> None:
    """Before it is promoted, somebody else than the kernel that made it has run it."""
    from sklearn.linear_model import LinearRegression

    rows = np.array(ROWS)
    version = registry.register("line", LinearRegression().fit(rows, rows.sum(axis=1)), data={"train": rows})
    assert version.proof is None

    proof = version.prove()

    assert (proof.verdict, proof.rows, proof.changed) == ("equal", 64, 0)
    assert proof.seconds > 0
    assert proof.peak_bytes > 2**20
    assert (version.proof, proof.by) == (proof, "ada")
    assert [event.kind for event in version.evidence] == ["proved"]
    assert registry.get("line@1").manifest == version.manifest
    assert registry.verify().ok


def test_outputs_that_were_left_to_evidence_are_kept_and_compared_with(registry: Registry) -> None:
    """A class of the user's is not called while registering; the proof finds out what it says."""
    version = registered(registry)
    assert version.probe.outputs == []

    first, second = version.prove(), version.prove()

    assert first.verdict == "loads", first
    assert first.outputs
    assert second.verdict == "equal"
    assert second.outputs == first.outputs
    rows = probe.thawed(version.probe.inputs, version.read_part)
    document = bytes(registry._desk.folder.blobs.read(first.outputs[0].digest, first.bundle))
    values = bytes(registry._desk.folder.blobs.read(first.outputs[1].digest, first.bundle))
    assert json.loads(document)["shape"] == [64]
    assert np.frombuffer(values).tolist() == (rows.sum(axis=1) + 1.0).tolist()


def test_purging_keeps_what_evidence_needs_and_verify_reads_it(registry: Registry) -> None:
    """Evidence that loses its bytes is a claim."""
    version = registered(registry)
    proof = version.prove()
    assert registry.purge(dry_run=False).leftovers == []
    assert registry.verify().ok
    assert registry.du().unreferenced == 0

    registry._desk.folder.blobs.path(proof.bundle).unlink()

    assert not registry.verify().ok


def test_evidence_goes_with_the_version_that_is_purged(registry: Registry) -> None:
    """Bytes of what nobody can load any more are only in the way."""
    version = registered(registry)
    proof = version.prove()
    registry.delete(version, "Mistake")

    report = registry.purge(dry_run=False, older_than=0)

    assert any(Path(each.path).name == proof.bundle[2:] for each in report.leftovers)
    assert registry.verify().ok


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("Crashing", "the process ended with SIGSEGV"),
        ("Talking", "ended with ValueError"),
        ("Greedy", "needs more memory than a proof may have"),
        ("Exiting", "ended with SystemExit"),
    ],
)
def test_what_goes_wrong_is_evidence_too(registry: Registry, kind: str, why: str) -> None:
    """`not proven: why` is what keeps a broken version out of production; nobody's values stand in it."""
    version = registered(registry, kind)

    proof = version.prove(memory=2**32)

    assert (proof.verdict, proof.why) == ("failed", why)
    assert [event.kind for event in version.evidence] == ["not-proved"]
    assert "Miller" not in "".join(path.read_text() for path in registry.location.rglob("*.jsonl"))


def test_a_model_that_hangs_is_ended_with_all_that_it_started(registry: Registry) -> None:
    """No process of a proof outlives it."""
    version = registered(registry, "Hanging")

    proof = version.prove(seconds=8)

    assert (proof.verdict, proof.why) == ("failed", "took more than 8 s")
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    # By where the registry is: others may test on this machine.
    assert not [each for each in commands if bytes(registry.location) in each]


def test_a_library_that_only_this_process_finds_is_found_out(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It works here, and nowhere else: the commonest reason why a model does not load in production."""
    site = tmp_path / "site-packages"
    site.mkdir()
    (site / "library_of_mine.py").write_text("def double(rows):\n    return [2 for _ in rows]\n")
    monkeypatch.syspath_prepend(str(site))
    from library_of_mine import double  # type: ignore[import-not-found]

    proof = registry.register("double", double, data={"train": np.array(ROWS)}).prove()

    assert proof.verdict == "failed"
    assert proof.why == "needs the module library_of_mine, which a clean process does not find"


def test_other_outputs_are_told_with_how_many_and_how_far(registry: Registry) -> None:
    """A model that draws at random is no reproducible one, and the evidence says so."""
    version = registered(registry, "Moody")
    version.prove()

    proof = version.prove()

    assert (proof.verdict, proof.changed, proof.rows) == ("different", 64, 64)
    assert 0 < (proof.max_delta or 0) < 1
    assert [event.kind for event in version.evidence] == ["not-proved", "proved"]


def test_a_version_that_the_user_does_not_vouch_for_is_not_run(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A proof runs code, so it asks as loading does, and leaves no evidence where it must not look."""
    registered(registry)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
    stranger = Registry(registry.location)

    with pytest.raises(TrustError, match="is not proven: loading"):
        stranger.prove("sums@1")

    assert stranger.get("sums@1").evidence == []


@pytest.mark.parametrize("limits", [{"seconds": 0}, {"seconds": float("nan")}, {"memory": 5}])
def test_limits_that_nothing_can_meet_are_refused(registry: Registry, limits: dict[str, Any]) -> None:
    """A typo must not become the evidence that a model is broken."""
    version = registered(registry)

    with pytest.raises(BadInputError, match="too little"):
        version.prove(**limits)

    assert version.evidence == []


def test_the_command_line_proves_one_and_all_that_are_missing(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a dying kernel left undone, a job finishes; the exit code says whether all is well."""
    good = registered(registry)
    where = ["--registry", str(registry.location)]

    assert main(["prove", "sums@1", *where]) == 0
    assert capsys.readouterr().out.startswith("sums@1.0.0: loads, ")
    registry.register("sums", CELLS["Crashing"]().fit(ROWS), data={"train": np.array(ROWS)})
    assert main(["prove", "--missing", *where, "--json"]) == 1

    told = json.loads(capsys.readouterr().out)
    assert [each["why"] for each in told] == ["the process ended with SIGSEGV"]
    assert main(["prove", "--missing", *where]) == 0
    assert capsys.readouterr().out == "nothing is missing\n"
    assert main(["prove", *where]) == 1
    assert good.proof is not None


def test_a_kernel_has_its_versions_proven_beside_the_work(tmp_path: Path) -> None:
    """The user need not ask, nor wait."""
    with background_proofs(), running_kernel() as kernel:
        kernel.good(f"%load_ext nbreg\n%use_registry {tmp_path}/registry\n{MODEL}")
        kernel.good("rows = [[1.0], [2.0], [3.0]]\nmean = Mean().fit([1.0, 2.0])")
        shown = kernel.good("%register_model means mean --data rows")
        assert "not proven yet" in shown.text

        proof = wait_for_proof(Registry(tmp_path / "registry"), "means@1")

        assert proof.verdict == "loads"
        assert "proof" in kernel.good("%model means@1").text
        assert "not proven yet" not in kernel.good("%model means@1").text


def test_what_a_killed_kernel_asked_for_is_done_all_the_same(tmp_path: Path) -> None:
    """The process that proves is not the kernel's child in anything but name."""
    with background_proofs(), running_kernel() as kernel:
        kernel.good(f"%load_ext nbreg\n%use_registry {tmp_path}/registry\n{MODEL}")
        kernel.good("mean = Mean().fit([1.0, 2.0])\n%register_model means mean")
        pid = int(kernel.good("import os; os.getpid()").text)
        wait_for(lambda: list(Path(os.environ["XDG_CACHE_HOME"], "nbreg", "prove").glob("*")))
        os.kill(pid, signal.SIGKILL)

        assert wait_for_proof(Registry(tmp_path / "registry"), "means@1").verdict == "loads"


def test_many_requests_are_worked_off_by_one_process(registry: Registry) -> None:
    """A loop that registers a hundred models starts no hundred processes, and none is forgotten."""
    from nbreg.evidence import background

    for step in range(4):
        registry.register("sums", {"step": step})
    started = [background.ask(registry.location, registry.pin(each)) for each in registry.versions("sums")]
    begun = [each for each in started if each is not None]

    for each in begun:
        assert each.wait(120) == 0
    assert all(version.proof is not None for version in registry.versions("sums"))
    assert list(background.queue_folder().glob("*.json")) == []


def test_one_version_is_proven_at_a_time(registry: Registry, tmp_path: Path) -> None:
    """Ten kernels that register at once leave the processor to the work: all of them ask, one process proves."""
    from nbreg.evidence import background

    first = registry.register(
        "sums", CELLS["Patient"](str(tmp_path)).fit(ROWS), data={"train": np.array(ROWS)}
    )
    second = registered(registry)
    proving = background.ask(registry.location, registry.pin(first))
    assert proving is not None
    wait_for((tmp_path / "begun").exists)

    assert background.ask(registry.location, registry.pin(second)) is None, "nobody else is started"
    background.work()  # as one would that was started all the same
    assert second.proof is None
    assert len(list(background.queue_folder().glob("*.json"))) == 2

    (tmp_path / "go").touch()
    assert proving.wait(120) == 0
    assert first.proof is not None
    assert second.proof is not None


def test_other_users_of_the_machine_wait_for_their_turn(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight people on one server who register in the same minute do not fill it with proofs."""
    from nbreg.evidence import background
    from nbreg.evidence.turns import Turns

    first = registry.register(
        "sums", CELLS["Patient"](str(tmp_path)).fit(ROWS), data={"train": np.array(ROWS)}
    )
    second = registered(registry)
    proving = background.ask(registry.location, registry.pin(first))
    assert proving is not None
    wait_for((tmp_path / "begun").exists)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    waiting = background.ask(registry.location, registry.pin(second))
    assert waiting is not None, "another user's requests lie elsewhere"

    with Turns(patience=0).mine() as alone:
        assert not alone, "the first one has its turn"
    assert second.proof is None

    (tmp_path / "go").touch()
    assert (proving.wait(120), waiting.wait(120)) == (0, 0)
    assert first.proof is not None
    assert second.proof is not None
    assert first.proof.at <= second.proof.at


def _link(place: Path, victim: Path) -> None:
    place.symlink_to(victim)


def _pipe(place: Path, victim: Path) -> None:
    os.mkfifo(place)


def _folder(place: Path, victim: Path) -> None:
    place.mkdir()


SQUATTERS = {"a link": _link, "a pipe": _pipe, "a folder": _folder}


@pytest.mark.parametrize("name", SQUATTERS)
def test_what_stands_in_the_locks_place_is_neither_followed_nor_waited_for(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Everybody may put something into a folder that all share."""
    from nbreg.evidence import background, turns

    victim = tmp_path / "victim"
    victim.write_text("untouched")
    victim.chmod(0o600)
    monkeypatch.setenv("NBREG_PROOF_LOCK", str(tmp_path / "lock"))
    SQUATTERS[name](tmp_path / "lock", victim)
    version = registered(registry)

    with turns.Turns().mine() as alone:
        assert not alone
    proving = background.ask(registry.location, registry.pin(version))

    assert proving is not None
    assert proving.wait(120) == 0
    assert version.proof is not None
    assert (victim.read_text(), victim.stat().st_mode & 0o777) == ("untouched", 0o600)


def test_who_never_gives_the_turn_back_is_waited_for_once() -> None:
    """Malice costs a wait, not the proofs."""
    from nbreg.evidence.turns import Turns

    patient = Turns(patience=0.3)
    with Turns().mine() as held:
        with patient.mine() as first, patient.mine() as second:
            assert (held, first, second) == (True, False, False)
        assert patient._patience == 0

    with patient.mine() as alone:
        assert alone


def test_the_lock_of_the_machine_is_everybodys(tmp_path: Path) -> None:
    """A user with a strict mask must not shut the others out; and nobody can write into it."""
    from nbreg.evidence import turns

    mask = os.umask(0o077)
    try:
        with turns.Turns().mine() as alone:
            assert alone
    finally:
        os.umask(mask)

    assert turns.shared().is_relative_to(tmp_path), "a test does not wait for what else runs here"
    assert turns.shared().stat().st_mode & 0o777 == 0o444


def test_a_proof_is_the_last_in_the_queue(registry: Registry) -> None:
    """It runs beside the user's work: it yields the processor, has a limit of memory, and takes no accelerator."""
    place = os.getpriority(os.PRIO_PROCESS, 0)
    proof = registered(registry, "Modest").prove(memory=2**32)

    values = bytes(registry._desk.folder.blobs.read(proof.outputs[1].digest, proof.bundle))
    assert np.frombuffer(values)[:3].tolist() == [min(19, place + 10), 2**32, 0]


def test_a_request_that_cannot_be_met_stands_in_nobodys_way(registry: Registry, tmp_path: Path) -> None:
    """A registry that was deleted, and a file of somebody else's."""
    from nbreg.evidence import background

    version = registered(registry)
    folder = background.queue_folder()
    folder.mkdir(parents=True)
    (folder / "0.json").write_bytes(b"\xff{")
    background.ask(tmp_path / "nowhere", "sums@1")
    background.ask(registry.location, registry.pin(version))

    background.work()
    wait_for(lambda: version.proof)

    assert version.proof is not None
    wait_for(lambda: not list(folder.glob("*.json")))


def test_proofs_are_off_where_the_environment_says_so(tmp_path: Path) -> None:
    """Jobs and tests decide for themselves."""
    with running_kernel() as kernel:
        kernel.good(f"%load_ext nbreg\n%use_registry {tmp_path}/registry\n{MODEL}")
        kernel.good("mean = Mean().fit([1.0, 2.0])\n%register_model means mean")

        assert kernel.good("'nbreg.evidence.background' in __import__('sys').modules").text == "False\n"


@pytest.mark.parametrize(
    ("first", "second", "verdict", "changed", "delta"),
    [
        ([1.0, 2.0], [1.0, 2.0], "equal", 0, 0.0),
        ([1.0, 2.0], [1.0, 2.0 + 4e-16], "equivalent", 0, 4.440892098500626e-16),
        ([1.0, 2.0], [1.0, 2.5], "different", 1, 0.5),
        ([1.0, float("nan")], [1.0, float("nan")], "equal", 0, 0.0),
        ([1.0, float("nan")], [1.0, 2.0], "different", 1, 0.0),
        ([1.0, float("inf")], [1.0, float("-inf")], "different", 1, 0.0),
        ([0, 1, 1], [0, 1, 0], "different", 1, 1),
        ([1, 2], [1.0, 2.0], "equal", 0, 0.0),
        ([1.0, 2.0], [1.0], "different", 2, None),
        (["cat", "dog"], ["cat", "cow"], "different", 1, None),
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 5.0]], "different", 1, 1.0),
        ([], [], "equal", 0, 0.0),
    ],
)
def test_outputs_agree_to_the_bit_within_rounding_or_not(
    first: list[Any], second: list[Any], verdict: str, changed: int, delta: float | None
) -> None:
    """Another number of threads adds in another order; another class is another answer."""
    frozen = [probe.frozen(np.array(each)) for each in (first, second)]
    assert frozen[0] is not None
    assert frozen[1] is not None

    found = agreement.agree(frozen[0], frozen[1])

    assert (found.verdict, found.changed, found.max_delta) == (verdict, changed, delta)


def test_outputs_of_no_rows_are_compared_too() -> None:
    """A model that filters may leave nothing."""
    double, single = (probe.frozen(np.empty((0, 2), dtype=dtype)) for dtype in ("f8", "f4"))
    assert double is not None
    assert single is not None

    assert agreement.agree(double, single) == ("equal", 0, 0, None)


class background_proofs:  # noqa: N801 - read as a word of the test's sentence
    """Proofs on, for kernels started inside."""

    def __enter__(self) -> None:
        os.environ["NBREG_PROVE"] = "1"

    def __exit__(self, *_: object) -> None:
        os.environ["NBREG_PROVE"] = "0"


def wait_for(found: Any, seconds: float = 120) -> Any:
    """What the call gives as soon as it gives anything."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if result := found():
            return result
        os.sched_yield()
        time.sleep(0.05)
    raise AssertionError("it never came")


def wait_for_proof(registry: Registry, ref: str) -> Any:
    return wait_for(lambda: registry.get(ref).proof)
