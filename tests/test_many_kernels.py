"""Two and more kernels at once: processes, threads, forks, and purge beside them all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from children import run, start, together

from nbreg import Registry
from nbreg.errors import NbregError, UnknownVersionError
from nbreg.settings import Settings

QUICK = Settings(capture=False)


def in_threads(count: int, work: Callable[[int], object]) -> None:
    """Run it in so many threads at once; the first error of any is this test's."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(count)

    def one(i: int) -> None:
        barrier.wait()
        try:
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if errors:
        raise errors[0]


def sound(registry: Registry) -> None:
    """Nothing is wrong, and every version that is there loads."""
    report = registry.verify()
    assert report.ok, report.problems
    for model in registry.models():
        for version in registry.versions(model.name):
            version.load()


# processes


def test_eight_processes_register_two_hundred_versions(tmp_path: Path) -> None:
    """No version is lost, none is counted twice, and the chain holds: the promise of a team's folder."""
    outs = together(
        """
go()
registry = Registry(sys.argv[2], settings=QUICK)
for i in range(25):
    version = registry.register("churn", {"process": int(sys.argv[1]), "i": i})
    print(version.number, version.name)
""",
        8,
        tmp_path / "r",
    )

    registry = Registry(tmp_path / "r")
    versions = registry.versions("churn")
    assert [version.number for version in versions] == list(range(200, 0, -1))
    told = {int(number): name for out in outs for number, name in map(str.split, out.splitlines())}
    assert told == {version.number: version.name for version in versions}
    assert len(set(told.values())) == 200
    values = Counter((each["process"], each["i"]) for each in (version.load() for version in versions))
    assert values == Counter((p, i) for p in range(8) for i in range(25))
    assert [event.seq for event in registry.events("churn")] == list(range(200, 0, -1))
    assert registry.verify().ok
    assert registry.purge().leftovers == []


def test_processes_that_are_all_first_make_one_registry(tmp_path: Path) -> None:
    """Eight notebooks opened on a fresh checkout: one registry, one id, no error."""
    outs = together(
        """
go()
registry = Registry(sys.argv[2], settings=QUICK)
registry.register("churn", int(sys.argv[1]))
registry.register(f"own{sys.argv[1]}", 1)
print(registry.id)
""",
        8,
        tmp_path / "deep" / "r",
    )
    registry = Registry(tmp_path / "deep" / "r")
    assert {out.strip() for out in outs} == {registry.id}
    assert len(registry.versions("churn")) == 8
    assert len(registry.models()) == 9
    assert (registry.location / "registry.jsonl").read_bytes().count(b"\n") == 1
    sound(registry)


def test_equal_content_at_once_is_one_version(tmp_path: Path) -> None:
    """The same cell run in eight kernels makes the model once, as it would one after the other."""
    outs = together(
        """
registry = Registry(sys.argv[2], settings=QUICK)
go()
for i in range(4):
    version = registry.register("churn", {"same": i})
    print(version.number, version.existing)
""",
        8,
        tmp_path / "r",
    )
    registry = Registry(tmp_path / "r")
    assert sorted(version.load()["same"] for version in registry.versions("churn")) == [0, 1, 2, 3]
    made = [line for out in outs for line in out.splitlines() if line.endswith("False")]
    assert len(made) == 4
    kinds = Counter(event.kind for event in registry.events("churn"))
    assert kinds == {"registered": 4, "registered-again": 28}
    assert registry.verify().ok


def test_one_name_at_once_goes_to_one(tmp_path: Path) -> None:
    """A name is unique also in the moment it is given; so is a model's name, whatever its case."""
    outs = together(
        """
registry = Registry(sys.argv[2], settings=QUICK)
go()
for model, options in (("churn", {"version": "gold"}), (["Fraud", "fraud"][int(sys.argv[1]) % 2], {})):
    try:
        registry.register(model, {"i": sys.argv[1]}, **options)
        print(model)
    except NbregError as error:
        print(error.code)
""",
        8,
        tmp_path / "r",
    )
    words = Counter(word for out in outs for word in out.split())
    registry = Registry(tmp_path / "r")
    (fraud,) = [row.name for row in registry.models() if row.name != "churn"]
    assert words == {"churn": 1, fraud: 4, "name-taken": 11}
    assert registry.get("churn@gold").number == 1
    sound(registry)


def test_promotions_at_once_leave_one_holder(tmp_path: Path) -> None:
    """Production has one holder, however many people press the button; none of them is lost from history."""
    registry = Registry(tmp_path / "r", settings=QUICK)
    for i in range(8):
        registry.register("churn", {"i": i})
    together(
        """
registry = Registry(sys.argv[2], settings=QUICK)
go()
registry.promote(f"churn@{int(sys.argv[1]) + 1}", "production", reason="Raced")
registry.set_alias(f"churn@{int(sys.argv[1]) + 1}", "champion")
""",
        8,
        tmp_path / "r",
    )
    stages = Counter(version.stage for version in registry.versions("churn"))
    assert stages == {"production": 1, "archived": 7}
    order = [event.number for event in registry.events("churn") if event.kind == "promoted"]
    assert registry.get("churn@production").number == order[0]
    walked = [registry.rollback("churn").number for _ in order[1:]]
    assert walked == order[1:], "every promotion can be walked back, one by one"
    sound(registry)


def test_purge_beside_registering_processes_takes_nothing_that_is_kept(tmp_path: Path) -> None:
    """Versions that share parts with deleted ones keep them, also those that come to be this moment."""
    for i in range(6):
        (tmp_path / f"small{i}").write_bytes(bytes([i]) * 3000)
        (tmp_path / f"large{i}").write_bytes(bytes([i]) * 300_000)
    purger = start(
        """
registry = Registry(sys.argv[1], settings=Settings(capture=False, lock_seconds=60))
print("ready", flush=True)
count = 0
while not Path(sys.argv[2]).exists():
    count += len(registry.purge(dry_run=False, older_than=0, reason="Test").leftovers)
print(count)
""",
        tmp_path / "r",
        tmp_path / "stop",
    )
    with purger:
        assert purger.stdout
        assert purger.stdout.readline().strip() == "ready"
        together(
            """
import random
me, folder = int(sys.argv[1]), Path(sys.argv[2])
registry = Registry(folder / "r", settings=Settings(capture=False, lock_seconds=60))
choose = random.Random(me)
go()
mine = []
for i in range(10):
    parts = {f"p{k}": folder / f"{choose.choice(['small', 'large'])}{choose.randrange(6)}" for k in range(3)}
    mine.append(registry.register(f"m{me % 3}", {"me": me, "i": i}, artifacts=parts))
    if choose.random() < 0.6:
        registry.delete(mine.pop(choose.randrange(len(mine))), "Test")
for version in mine:
    assert version.load()["me"] == me
    for name in ("p0", "p1", "p2"):
        version.load(name).read_bytes()
""",
            8,
            tmp_path,
        )
        (tmp_path / "stop").touch()
        out, err = purger.communicate(timeout=100)
        assert purger.returncode == 0, err
    registry = Registry(tmp_path / "r")
    assert int(out) > 0, "something was purged while they registered"
    report = registry.verify()
    assert report.ok, report.problems
    for model in registry.models():
        for version in registry.versions(model.name):
            assert {len(version.load(f"p{k}").read_bytes()) for k in range(3)} <= {3000, 300_000}


# threads


def test_threads_share_a_registry(tmp_path: Path) -> None:
    """A server answers many requests through one object."""
    registry = Registry(tmp_path / "r", settings=QUICK)

    def work(i: int) -> None:
        for k in range(8):
            version = registry.register("churn", {"i": i, "k": k})
            assert registry.get(f"churn@{version.number}").load() == {"i": i, "k": k}
            registry.promote(version, "staging")
            registry.update(version, tags=[f"{i}-{k}"])
            assert registry.models()[0].versions >= version.number - 8

    in_threads(6, work)
    assert sorted(version.number for version in registry.versions("churn")) == list(range(1, 49))
    assert all(version.tags and version.stage == "staging" for version in registry.versions("churn"))
    sound(registry)


def test_two_objects_in_two_threads_wait_for_each_other(tmp_path: Path) -> None:
    """A lock of the system belongs to a process; threads need their own turn besides."""
    registries = [Registry(tmp_path / "r", settings=QUICK) for _ in range(2)]

    def work(i: int) -> None:
        for k in range(30):
            registries[i].register("churn", {"i": i, "k": k})

    in_threads(2, work)
    assert [each.number for each in registries[0].versions("churn")] == list(range(60, 0, -1))
    sound(registries[1])


def test_many_models_in_many_threads(tmp_path: Path) -> None:
    """More models than are kept open: journals are closed under readers, which go on."""
    registry = Registry(tmp_path / "r", settings=QUICK)
    for i in range(150):
        registry.register(f"m{i}", i)

    def work(i: int) -> None:
        for k in range(i, 150 * 3, 3):
            version = registry.get(f"m{k % 150}")
            assert version.load() == k % 150
            assert version.stage == "none"

    in_threads(3, work)
    assert len(registry._desk.folder._open) <= 128


# forks


def fork(work: Callable[[], object]) -> int:
    """A child that does the work and ends: with 0, or with 1 where it raised."""
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.alarm(60)
        work()
        os._exit(0)
    except BaseException as error:
        os.write(2, f"in the fork: {error!r}\n".encode())
    finally:
        os._exit(1)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_while_the_lock_is_held_holds_no_lock(tmp_path: Path) -> None:
    """A data loader forks its workers while another thread registers."""
    registry = Registry(tmp_path / "r", settings=QUICK)
    registry.register("churn", 0)
    database = registry._desk.model("churn")
    held, forked = threading.Event(), threading.Event()

    def hold() -> None:
        with database.transaction("edited", by=registry.actor), database.journal.mutex:
            held.set()
            forked.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    pid = fork(lambda: registry.register("churn", "from the fork"))
    forked.set()
    thread.join()
    registry.register("churn", "from the parent")
    assert os.waitpid(pid, 0)[1] == 0
    assert {version.load() for version in registry.versions("churn")} == {
        0, "from the fork", "from the parent",
    }  # fmt: skip
    sound(registry)


def test_a_lock_goes_with_its_holder_although_a_fork_lives_on(tmp_path: Path) -> None:
    """Workers outlive a kernel that was killed while it registered; the registry must not stay locked."""
    run('Registry(sys.argv[1], settings=QUICK).register("churn", 0)', tmp_path / "r")
    parent = start(
        """
registry = Registry(sys.argv[1], settings=QUICK)
with registry._desk.folder.blobs.kept(), registry._desk.model("churn").transaction("edited", by=registry.actor):
    if os.fork() == 0:
        print(os.getpid(), flush=True)  # by the fork itself: from now on it holds nothing
        os.close(1); os.close(2)
        time.sleep(100)
        os._exit(0)
    time.sleep(100)
""",
        tmp_path / "r",
    )
    with parent:
        assert parent.stdout
        worker = int(parent.stdout.readline())
        try:
            parent.kill()
            parent.wait()
            registry = Registry(tmp_path / "r", settings=Settings(capture=False, lock_seconds=1))
            registry.register("churn", 1)
            registry.purge(dry_run=False)
            os.kill(worker, 0)
        finally:
            os.kill(worker, signal.SIGKILL)
    sound(registry)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forks_of_forks_register_side_by_side(tmp_path: Path) -> None:
    """multiprocessing's default on Linux for years: workers that inherit an open registry."""
    registry = Registry(tmp_path / "r", settings=QUICK)
    registry.register("churn", "root")

    def work(name: str, depth: int) -> None:
        pids = [fork(lambda k=k: work(f"{name}{k}", depth - 1)) for k in range(2)] if depth else []  # type: ignore[misc]
        for i in range(3):
            registry.register("churn", f"{name}:{i}")
        assert all(os.waitpid(pid, 0)[1] == 0 for pid in pids)

    work("", 2)
    assert len(registry.versions("churn")) == 1 + 7 * 3
    sound(registry)


def test_a_fork_inside_a_transaction_writes_nothing(tmp_path: Path) -> None:
    """Only the parent goes on with it; the child's copy of the lock is gone."""
    out = run(
        """
registry = Registry(sys.argv[1], settings=QUICK)
registry.register("churn", 0)
database = registry._desk.model("churn")
try:
    with database.transaction("edited", by=registry.actor):
        pid = os.fork()
        database.table("extra").put("who", {"pid": "parent" if pid else "child"})
except NbregError as error:
    assert pid == 0
    other = open(sys.argv[1] + "/victim", "wb")
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), database.refresh().table("extra").get(doc_id="who")["pid"])
""",
        tmp_path / "r",
    )
    assert out.split() == ["7", "parent"]
    assert (tmp_path / "r" / "victim").read_bytes() == b""


def test_subprocesses_started_meanwhile_inherit_no_lock(tmp_path: Path) -> None:
    """A git command that hangs must not keep the registry locked."""
    registry = Registry(tmp_path / "r", settings=QUICK)
    registry.register("churn", 0)
    with registry._desk.model("churn").journal.locked():
        sleeper = subprocess.Popen(["sleep", "100"])
    try:
        run(
            'Registry(sys.argv[1], settings=Settings(capture=False, lock_seconds=0.2)).register("churn", 1)',
            tmp_path / "r",
        )
    finally:
        sleeper.kill()
        sleeper.wait()


# readers beside writers


def test_a_reader_beside_a_writer_sees_whole_transactions(tmp_path: Path) -> None:
    """Before a promotion or after it, never between: one holder at every moment, and no gap."""
    registry = Registry(tmp_path / "r", settings=QUICK)
    for i in range(2):
        registry.register("churn", i)
    registry.promote("churn@1", "production")
    writer = start(
        """
registry = Registry(sys.argv[1], settings=QUICK)
for i in range(150):
    registry.promote(f"churn@{i % 2 + 1}", "production")
print(json.dumps(registry.get("churn@production").number))
""",
        tmp_path / "r",
    )
    with writer:
        while writer.poll() is None:
            # As the list was read: `version.row` reads each anew, so two of them may be of two moments.
            stages = sorted(version._entry.row.stage for version in registry.versions("churn"))
            assert stages in (["archived", "production"], ["none", "production"])
            assert registry.get("churn@production").number in (1, 2)
            (row,) = registry.models()
            assert row.stages.keys() == {"production"}
        out, err = writer.communicate()
        assert writer.returncode == 0, err
        assert json.loads(out) == 2
    with pytest.raises(UnknownVersionError):
        registry.get("churn@staging")
    with pytest.raises(NbregError):
        registry.get("churn@3")
