"""SIGKILL at any point: what was acknowledged is there, nothing is there by half, and it goes on.

Two ways. At random: a real process works in a loop, says on a pipe what is done, and is killed
after a time of the length of one verb. At each step: a fork kills itself before its first,
second, third … call to the system, or half-way through a write, until the verb gets through.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from children import start

from nbreg import Dataset, Registry
from nbreg.records import Actor
from nbreg.settings import Settings
from nbreg.store import large

SETTINGS = Settings(capture=False, inline_bytes=4096, retention_days=0)
Verb = Callable[[Registry, Path], object]


def snapshot(registry: Registry) -> dict[str, Any]:
    """All that a person could ask for: every version with its state and its value, every pointer."""
    found: dict[str, Any] = {}
    for model in registry.models():
        for version in registry.versions(model.name, deleted=True):
            row = version.row
            gone = "purged" if row.purged else "deleted" if row.deleted else ""
            value = (row.content_digest, *(() if gone else (version.load(), *_files(version))))
            around = (version.links, version.deployments)
            found[f"{model.name}@{version.number}"] = (row.name, row.stage, row.tags, gone, value, around)
        found[model.name] = (model.stages, model.versions, registry.aliases(model.name))
        found[model.name] += (registry.protected(model.name), registry.requests(model.name))
        found[model.name] += (registry.gates(model.name),)
        places = [(each.where, each.number) for each in registry.deployments(model.name)]
        found[model.name] += (places, registry.about(model.name))
    return found


def _files(version: Any) -> list[bytes]:
    paths = [version.load(name) for name in sorted(version.artifacts) if name != "model"]
    files = [each for path in paths for each in ([path] if path.is_file() else sorted(path.iterdir()))]
    return [each.read_bytes() for each in files]


def check_after_a_kill(folder: Path, *, goes_on: bool = True) -> dict[str, Any]:
    """Nothing is wrong, leftovers are found, writing goes on; returns what was there."""
    registry = Registry(folder, settings=SETTINGS)
    there = snapshot(registry)
    report = registry.verify()
    assert report.ok, report.problems
    _leftovers_are_found(registry)
    if goes_on:
        version = registry.register("churn", "next", new=True)
        assert registry.get("churn@latest") == version
        assert version.load() == "next"
        registry.promote(version, "production", reason="Next")
        registry.purge(dry_run=False, older_than=1000)
        assert not registry.purge(older_than=1000).leftovers
        after = snapshot(registry)
        assert set(there) - set(after) == set()
        assert all(after[key][4][0] == there[key][4][0] for key in there if "@" in key)
        report = registry.verify()
        assert report.ok, report.problems
    return there


def _leftovers_are_found(registry: Registry) -> None:
    """What is on the disk is referred to, or `purge` knows of it."""
    from nbreg.registry.ground.parts import references

    used: set[str] = set()
    for model in registry.models():
        for version in registry.versions(model.name, deleted=True):
            used |= set() if version.row.purged else references(registry._desk, version.row)
    blobs = registry._desk.folder.blobs
    stray = {str(path) for digest, path, _size in blobs.objects() if digest not in used}
    stray |= {str(path) for path in registry._desk.folder.scrap.glob("*")}
    assert stray == {each.path for each in registry.purge(older_than=1000).leftovers}


# at each step


def killing(at: int, call: Callable[[], None]) -> int:
    """Do it in a fork that kills itself at the `at`-th step; gives how the fork ended, or -1 if it got through."""
    pid = os.fork()
    if pid == 0:
        try:
            _arm(at)
            call()
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(f"{error!r}\n")
            sys.stderr.flush()
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, -signal.SIGKILL), "the fork failed: see stderr"
    return status


def same_each_time(folder: Path) -> Registry:
    """The time is part of a manifest, and so of its digest and of the folders that must be made."""
    return Registry(folder / "r", settings=SETTINGS, clock=lambda: datetime(2026, 5, 1, tzinfo=UTC))


def _arm(at: int) -> None:
    left = [at]

    def step() -> bool:
        left[0] -= 1
        return left[0] < 0

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def before(real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if step():
                die()
            return real(*args, **kwargs)

        return wrapped

    def torn(real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(fd: int, data: Any) -> Any:
            if step():
                die()
            if step():
                real(fd, bytes(data)[: len(data) // 2])
                die()
            if step():
                real(fd, bytes(data)[:-1])
                die()
            return real(fd, data)

        return wrapped

    os.write = torn(os.write)  # type: ignore[assignment]
    for name in ("fsync", "rename", "unlink", "mkdir", "ftruncate", "fchmod", "fchown", "open"):
        setattr(os, name, before(getattr(os, name)))
    fcntl.flock = before(fcntl.flock)


def prepared(registry: Registry, folder: Path) -> None:
    """Some of everything, so that each verb has something to do."""
    (folder / "small").write_bytes(b"s" * 2000)
    (folder / "large").write_bytes(b"l" * 9000)
    both = {"small": folder / "small", "large": folder / "large"}
    for i in range(4):
        registry.register("churn", {"i": i}, artifacts=both if i % 2 else None)
    registry.promote("churn@1", "production")
    registry.promote("churn@2", "production")
    registry.promote("churn@3", "staging")
    registry.set_alias("churn@2", "champion")
    registry.get("churn@1").link("https://example.org/case", "business case")
    registry.deploy("churn@1", "prod", url="https://example.org")
    clock = registry._desk.folder._clock
    eve = Registry(registry.location, settings=SETTINGS, actor=Actor(user="eve"), clock=clock)
    eve.request("churn@4", "production", message="please")
    eve.request("churn@3", "production")
    gone = registry.register("churn", {"gone": True}, artifacts={"other": folder / "small", **both})
    registry.delete(gone, "Test")


def _register(registry: Registry, folder: Path) -> object:
    (folder / "fresh").write_bytes(b"f" * 9000)
    return registry.register(
        "churn", {"new": 1}, artifacts={"a": folder / "fresh", "b": folder / "small"}, stage="production"
    )


def _register_large(registry: Registry, folder: Path) -> object:
    (folder / "weights").mkdir()
    for i in range(3):
        (folder / "weights" / str(i)).write_bytes(b"%d" % i * 9000)
    return registry.register("churn", 1, artifacts={"weights": folder / "weights"})


VERBS: dict[str, Verb] = {
    "first": lambda registry, folder: registry.register("risk/new", {"new": 1}),
    "register": _register,
    "large": _register_large,
    "again": lambda registry, folder: registry.register("churn", {"i": 2}),
    "force": lambda registry, folder: registry.register(
        "churn", 5, version="1.2.0", force=True, reason="Test"
    ),
    "promote": lambda registry, folder: registry.promote("churn@4", "production"),
    "retire": lambda registry, folder: registry.retire("churn@2"),
    "rollback": lambda registry, folder: registry.rollback("churn"),
    "alias": lambda registry, folder: registry.set_alias("churn@4", "champion"),
    "link": lambda registry, folder: registry.get("churn@4").link("https://example.org", "ticket"),
    "unlink": lambda registry, folder: registry.get("churn@1").unlink(1, reason="Test"),
    "deploy": lambda registry, folder: registry.deploy("churn@2", "prod"),
    "undeploy": lambda registry, folder: registry.undeploy("churn@1", "prod"),
    "model": lambda registry, folder: registry.update_model("churn", owners=["ada"], readme="x" * 5000),
    "update": lambda registry, folder: registry.update("churn@4", tags=["new"]),
    "delete": lambda registry, folder: registry.delete("churn@4", "Test"),
    "restore": lambda registry, folder: registry.restore("churn@5"),
    "require": lambda registry, folder: registry.require(
        "churn", "production", "reason_required", "metrics.auc == None"
    ),
    "require-everywhere": lambda registry, folder: registry.require(None, "production", "no_warnings"),
    "request": lambda registry, folder: registry.request("churn@1", "staging", message="again"),
    "approve": lambda registry, folder: registry.approve("churn:r1", message="fine"),
    "reject": lambda registry, folder: registry.reject("churn:r2", message="no"),
    "forced": lambda registry, folder: registry.promote("churn@4", "production", force=True, reason="Test"),
    "protect": lambda registry, folder: registry.protect("churn", "champion", reason="Test"),
    "purge": lambda registry, folder: registry.purge(dry_run=False, older_than=0, reason="Test"),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    prepared(same_each_time(folder), folder)
    return folder


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_at_each_step_a_verb_happened_or_it_did_not(
    base: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever the power button is pressed, the registry is as before the verb, or as after it."""
    verb = VERBS[name]
    if name == "large":
        monkeypatch.setattr(large, "_ALONE", 1)  # several threads, as for gigabytes

    def trial(at: int, folder: Path) -> int:
        shutil.copytree(base, folder)
        return killing(at, lambda: verb(same_each_time(folder), folder))

    def there(folder: Path) -> dict[str, Any]:
        return snapshot(Registry(folder / "r", settings=SETTINGS))

    assert trial(10_000, tmp_path / "all") == 0
    before, after = there(base), there(tmp_path / "all")
    assert before != after or name == "again"
    seen = []
    for at in range(400):
        folder = tmp_path / "one"
        shutil.rmtree(folder, ignore_errors=True)
        if trial(at, folder) == 0:
            break
        found = check_after_a_kill(folder / "r", goes_on=at % 3 == 0)
        assert found in (before, after), f"killed at step {at}"
        seen.append(found == after)
    assert len(seen) >= 5, "the steps were counted"
    assert seen == sorted(seen), "once it has happened, it has happened"
    assert name == "again" or {False, True} == set(seen)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_on_its_way_through_a_gate_a_version_is_there_without_the_stage(
    base: Path, tmp_path: Path
) -> None:
    """Registering into a stage that has gates is two lines: between them nothing is half, and production stays."""
    shutil.copytree(base, tmp_path / "gated")
    same_each_time(tmp_path / "gated").require("churn", "production", "metrics.auc > 0.5")
    holder = Registry(base / "r").get("churn@production").number
    seen: list[tuple[int, int]] = []
    for at in range(200):
        folder = tmp_path / "one"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / "gated", folder)
        through = killing(
            at,
            lambda: same_each_time(folder).register(  # noqa: B023
                "churn", {"new": 1}, metrics={"auc": 0.9}, stage="production"
            ),
        )
        registry = Registry(folder / "r", settings=SETTINGS)
        assert registry.verify().ok
        seen.append((registry.model("churn").next_number - 1, registry.get("churn@production").number))
        if through == 0:
            break
    assert set(seen) == {(5, holder), (6, holder), (6, 6)}
    assert seen == sorted(seen)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_at_each_step_no_version_has_data_that_is_not_there(base: Path, tmp_path: Path) -> None:
    """Two journals are written: data may be known without a version, never a version without its data."""

    def register(registry: Registry) -> object:
        return registry.register(
            "churn", {"fit": 1}, data={"train": Dataset("lake/new", [1, 2], origin="s3://l")}
        )

    seen = []
    for at in range(400):
        folder = tmp_path / "one"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(base, folder)
        through = killing(at, lambda: register(same_each_time(folder))) == 0  # noqa: B023
        check_after_a_kill(folder / "r", goes_on=at % 3 == 0)
        registry = Registry(folder / "r", settings=SETTINGS)
        known = [each.ref for each in registry.datasets()]
        used = [each.number for each in registry.trained_on([1, 2])]
        assert known in ([], ["lake/new@1"]), f"killed at step {at}"
        assert not used or known, f"killed at step {at}: a version without its data"
        again = register(registry)
        assert [each.ref for each in registry.datasets()] == ["lake/new@1"]
        assert registry.trained_on("lake/new") == [again]
        assert registry.verify().ok
        seen.append((bool(known), bool(used)))
        if through:
            break
    assert seen == sorted(seen), "once it has happened, it has happened"
    assert {(False, False), (True, False), (True, True)} == set(seen)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_at_each_step_of_the_very_first_write(tmp_path: Path) -> None:
    """A registry that was made by half is made by the next one."""
    for at in range(200):
        folder = tmp_path / f"r{at}"
        if killing(at, lambda: Registry(folder, settings=SETTINGS).register("churn", 1)) == 0:  # noqa: B023
            break
        registry = Registry(folder, settings=SETTINGS)
        assert len(snapshot(registry)) in (0, 2)
        assert {problem.code for problem in registry.verify().problems} <= {"no-registry"}
        assert registry.register("churn", 2).load() == 2
        assert registry.verify().ok
        assert registry.id
    assert at > 30


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_writer_killed_while_it_heals_another_is_healed_too(base: Path, tmp_path: Path) -> None:
    """Crashes come in rows."""
    for tail in (b'{"seq":', None):
        for at in range(100):
            folder = tmp_path / f"{at}{tail!r}"
            shutil.copytree(base, folder)
            journal = folder / "r" / "models" / "churn.model" / "journal.jsonl"
            whole = journal.read_bytes()
            if tail is None:
                journal.write_bytes(whole[:-1])
            else:
                journal.write_bytes(whole + tail)
            before = snapshot(Registry(base / "r", settings=SETTINGS))
            registry = Registry(folder / "r", settings=SETTINGS)
            through = killing(at, lambda: registry.update("churn@4", tags=["new"])) == 0  # noqa: B023
            fresh = Registry(folder / "r", settings=SETTINGS)
            fresh.update("churn@4", tags=["new"])
            after = snapshot(fresh)
            assert after.pop("churn@4")[2] == ["new"]
            assert after == {key: value for key, value in before.items() if key != "churn@4"}
            assert fresh.verify().ok
            if through:
                break
        assert at > 3


# at random

WORKER = """
import random
registry = Registry(sys.argv[1], settings=Settings(capture=False, inline_bytes=4096, retention_days=0))
choose = random.Random(sys.argv[2])
folder = Path(sys.argv[1]).parent
mine = []

def say(*words):
    sys.stdout.write(json.dumps(words) + "\\n")
    sys.stdout.flush()

say("ready")
for i in range(10_000):
    (folder / "part").write_bytes(choose.randbytes(choose.choice([100, 5000])))
    value = {"seed": sys.argv[2], "i": i}
    version = registry.register("churn", value, artifacts={"part": folder / "part"})
    say("registered", version.number, value)
    mine.append(version)
    registry.promote(version, choose.choice(["staging", "production"]), reason="Loop")
    say("promoted", version.number)
    if choose.random() < 0.4:
        try:
            say("rolled-back", registry.rollback("churn", reason="Loop").number)
        except NbregError:
            pass
    if choose.random() < 0.5:
        victim = mine.pop(choose.randrange(len(mine)))
        registry.delete(victim, "Loop", include_protected=True)
        say("deleted", victim.number)
    if choose.random() < 0.3:
        registry.purge(dry_run=False, older_than=0, include_protected=True, reason="Loop")
        say("purged")
"""


def acknowledged(out: str) -> Iterator[list[Any]]:
    """What the worker said before it died; the last line may be torn."""
    for line in out.splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


def killed_at_random(tmp_path: Path, kills: int) -> None:
    """Kill it so often, and compare what it said with what is there."""
    folder = tmp_path / "r"
    choose = random.Random(20260101)
    values: dict[int, Any] = {}
    deleted: set[int] = set()
    busy = 0
    for kill in range(kills):
        child = start(WORKER, folder, kill)
        assert child.stdout
        said = [child.stdout.readline()]
        # One verb takes some milliseconds: the time is spread over a few of them.
        while choose.random() < 0.8:
            said.append(child.stdout.readline())
        try:
            child.wait(timeout=choose.uniform(0, 0.03))
        except Exception:
            child.kill()
        rest, err = child.communicate()
        assert child.returncode == -signal.SIGKILL, err
        for word, *what in acknowledged("".join(said) + rest):
            busy += 1
            if word == "registered":
                values[what[0]] = what[1]
            elif word == "deleted":
                deleted.add(what[0])
        check(folder, values, deleted, kill)
    assert busy > kills


def check(folder: Path, values: dict[int, Any], deleted: set[int], kill: int) -> None:
    registry = Registry(folder, settings=SETTINGS)
    rows = {version.number: version for version in registry.versions("churn", deleted=True)} if values else {}
    assert set(values) <= set(rows), "every acknowledged version is there"
    assert sorted(rows) == list(range(1, len(rows) + 1))
    for number, version in rows.items():
        if version.deleted:  # its bytes are looked at by `verify`
            continue
        assert number not in deleted, "every acknowledged deletion holds"
        assert version.load() == values.get(number, version.load())
        assert (number in values and "after" in values[number]) or version.load("part").read_bytes()
    _leftovers_are_found(registry)
    report = registry.verify()
    assert report.ok, report.problems
    after = registry.register("churn", {"after": kill})
    assert after.number == len(rows) + 1
    values[after.number] = {"after": kill}


def test_killed_at_random_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """A laptop lid, an out-of-memory killer, a restarted kernel."""
    killed_at_random(tmp_path, 15)


@pytest.mark.slow
def test_killed_a_hundred_times_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """As above, for as long as a bad day lasts."""
    killed_at_random(tmp_path, 120)


# large models

LARGE = """
import signal
import numpy as np
from nbreg import progress
from nbreg.store import large

folder, mebibytes, until, how = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
large._ALONE, large._SPLIT = 1, 8 * 2**20
registry = Registry(folder, settings=QUICK)
rng = np.random.default_rng(1)
model = {"many": [rng.random((1024, 128)) for _ in range(mebibytes // 2)],
         "one": rng.random((mebibytes // 2, 2**17))}
real, sent = progress.Progress.add, []

def add(self, count):
    real(self, count)
    if self._doing == "storing" and self._done >= until * self._total and not sent:
        sent.append(True)
        os.kill(os.getpid(), how)

progress.Progress.add = add
try:
    registry.register("churn", model)
except KeyboardInterrupt:
    left = list((Path(folder) / "tmp").iterdir())
    version = registry.register("churn", model)  # whoever interrupted goes on in the same kernel
    print(json.dumps([len(left), version.number, np.array_equal(version.load()["one"], model["one"])]))
"""


def ended_while_storing(tmp_path: Path, mebibytes: int, until: float, how: int) -> None:
    """A registration of that size is ended by a signal when so much of it was written."""
    folder = tmp_path / f"r{until}"
    registry = Registry(folder, settings=SETTINGS)
    registry.register("churn", "before")
    before = snapshot(registry)
    child = start(LARGE, folder, mebibytes, until, int(how))
    out, err = child.communicate(timeout=600)
    if how == signal.SIGINT:
        assert child.returncode == 0, err
        assert json.loads(out) == [0, 2, True]
        assert Registry(folder, settings=SETTINGS).verify().ok
        assert not registry.purge(older_than=1000).leftovers
        return
    assert child.returncode == -signal.SIGKILL, err
    left = registry.purge(older_than=1000)
    assert left.leftovers, "what was written is found"
    assert all(Path(each.path).parent.name == "tmp" for each in left.leftovers)
    assert check_after_a_kill(folder) == before


@pytest.mark.parametrize("until", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_ended_while_a_large_model_is_stored(tmp_path: Path, until: float, how: int) -> None:
    """The machine runs out of memory, or the user out of patience: nothing is there by half."""
    ended_while_storing(tmp_path, 24, until, how)


@pytest.mark.slow
@pytest.mark.parametrize("until", [0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_ended_while_a_gibibyte_is_stored(tmp_path: Path, until: float, how: int) -> None:
    """As above, with buffers that the system has not written yet."""
    ended_while_storing(tmp_path, 1024, until, how)
