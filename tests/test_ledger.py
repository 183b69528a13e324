"""The ledger of decisions: nothing acknowledged is lost, nothing sealed changes unseen, and a row finds its answers."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import random
import shutil
import signal
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from children import as_nobody, open_descriptors, run, start
from deciders import SMALL, decide

from nbreg import ModelVersion, Registry
from nbreg.errors import NotStampedError, UnknownModelError
from nbreg.records import Actor, SegmentRow
from nbreg.settings import Settings

CHILD = """
def rule(rows):
    return [sum(row) for row in rows]
SMALL = Settings(capture=False, segment_bytes=4096)
version = Registry(sys.argv[1], settings=SMALL).get('sum@1')
"""


def rule(rows: Any) -> list[Any]:
    return [sum(row) for row in rows]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "registry", settings=SMALL)
    registry.register("sum", rule)
    yield registry
    registry.close()


@pytest.fixture
def version(registry: Registry) -> ModelVersion:
    return registry.get("sum@1")


def requests(registry: Registry, numbers: range) -> list[list[str]]:
    found = registry.who_decided([[number, 1] for number in numbers])
    assert found.unread == []
    return [[each.request for each in decisions] for decisions in found]


def finish(registry: Registry) -> None:
    """What the end of a process does."""
    registry.close()


def sealed(registry: Registry) -> list[Path]:
    return sorted((registry.location / "decisions" / "sealed").iterdir())


def unsealed(registry: Registry) -> list[Path]:
    found = (registry.location / "decisions").glob("*.jsonl")
    return sorted(path for path in found if path.name != "journal.jsonl")


# what is written


def test_a_decision_says_who_when_and_in_which_stage(registry: Registry, version: ModelVersion) -> None:
    """The answer that an auditor gets: the version by id and by the name and the stage that it had then."""
    version.predict([[1, 2]])
    registry.promote(version, "production")
    version.predict([[1, 2]], request="r2")
    registry.retire(version)

    ((newest, oldest),) = registry.who_decided([[1, 2]])

    assert (newest.stage, oldest.stage) == ("production", "none")
    assert (newest.ref, newest.number, newest.id, newest.request) == ("sum@1.0.0", 1, version.id, "r2")
    assert newest.by == registry.actor
    assert newest.at > oldest.at


def test_a_row_that_nobody_decided_about_has_no_decision(registry: Registry, version: ModelVersion) -> None:
    """For each row that was asked about there is an answer, in order; also where there is no ledger."""
    rows = [[5, 5], [1, 2], [6, 6]]
    assert registry.who_decided(rows).rows == [[], [], []]

    version.predict([[1, 2], [3, 4]])

    assert [len(each) for each in registry.who_decided(rows)] == [0, 1, 0]


def test_inputs_are_nowhere_in_the_registry(registry: Registry) -> None:
    """The ledger holds digests: who reads the files reads nobody's data."""
    version = registry.register("greet", lambda rows: [len(row["name"]) for row in rows])
    version.predict([{"name": "Ada Lovelace, 36"}])

    files = [path for path in registry.location.rglob("*") if path.is_file()]
    assert not [path for path in files if b"Lovelace" in path.read_bytes()]
    assert len(registry.who_decided([{"name": "Ada Lovelace, 36"}])[0]) == 1


def test_the_key_is_the_registry_s_own_and_nobody_else_s_to_read(
    registry: Registry, version: ModelVersion
) -> None:
    """A copy of the files without it tells nothing about rows that could be guessed."""
    decide(version, 1)
    key = registry.location / "decisions" / "key"
    text = b"".join(path.read_bytes() for path in unsealed(registry))

    assert key.stat().st_mode & 0o007 == 0
    assert key.read_bytes().hex().encode() not in text


def test_a_key_may_be_kept_elsewhere(
    registry: Registry, version: ModelVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mounted secret: then a copy of the whole registry cannot be searched by guessing."""
    (tmp_path / "secret").write_bytes(b"x" * 40)
    monkeypatch.setenv("NBREG_DECISIONS_KEY", str(tmp_path / "secret"))
    decide(version, 1)
    assert requests(registry, range(1)) == [["0"]]
    assert not (registry.location / "decisions" / "key").exists()

    (tmp_path / "other").write_bytes(b"y" * 40)
    monkeypatch.setenv("NBREG_DECISIONS_KEY", str(tmp_path / "other"))
    other = registry.who_decided([[0, 1]])
    monkeypatch.delenv("NBREG_DECISIONS_KEY")
    none = registry.who_decided([[0, 1]])

    for found in (other, none):
        assert found.rows == [[]]
        assert [each.message for each in found.unread] == [
            "it was written with another key than the registry has now"
        ]


def test_a_key_that_should_be_elsewhere_and_is_not_withholds_the_answer(
    version: ModelVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server whose secret is not mounted must not begin a ledger with a key of its own."""
    monkeypatch.setenv("NBREG_DECISIONS_KEY", str(tmp_path / "missing"))

    with pytest.raises(NotStampedError):
        decide(version, 1)


def test_two_actors_in_one_process_are_told_apart(registry: Registry) -> None:
    """A service may act for several people."""
    for user in ("ada", "bob"):
        acting = Registry(registry.location, settings=SMALL, actor=Actor(user=user, source="server"))
        acting.get("sum@1").predict([[7, 7]])

    assert [each.by.user for each in registry.who_decided([[7, 7]])[0]] == ["bob", "ada"]


def test_a_large_answer_is_one_question(registry: Registry, version: ModelVersion) -> None:
    """120,000 rows at once are found like one, each by itself."""
    rows = [[number, 1] for number in range(120_000)]
    version.predict(rows, request="batch")

    assert requests(registry, range(119_990, 120_010)) == [["batch"]] * 10 + [[]] * 10


def test_times_do_not_go_back_when_the_clock_does(tmp_path: Path) -> None:
    """A clock that is set must not make a later decision look like an earlier one."""
    moments = [datetime(2026, 2, 9, tzinfo=UTC) - timedelta(hours=i) for i in range(40)]
    ticking = iter(moments)
    registry = Registry(tmp_path / "r", settings=SMALL, clock=lambda: next(ticking, moments[-1]))
    version = registry.register("sum", rule)
    decide(version, 3)

    found = [registry.who_decided([[number, 1]])[0][0].at for number in range(3)]
    assert found == sorted(found)


# segments and seals


def test_a_full_segment_is_sealed_and_another_begun(registry: Registry, version: ModelVersion) -> None:
    """Files stay small, and what is finished is vouched for by the journal."""
    decide(version, 100)

    assert len(sealed(registry)) >= 2
    assert len(unsealed(registry)) == 1
    assert all(path.stat().st_size < 2 * 4096 for path in sealed(registry))
    kinds = {line["kind"] for line in lines(registry)}
    assert kinds == {"begun", "sealed"}
    assert requests(registry, range(100)) == [[str(number)] for number in range(100)]
    assert registry.verify().ok


def lines(registry: Registry) -> list[dict[str, Any]]:
    path = registry.location / "decisions" / "journal.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_process_that_ends_seals_its_segment(registry: Registry) -> None:
    """A script leaves nothing open behind."""
    run(CHILD + "version.predict([[1, 2]])", registry.location)

    assert len(sealed(registry)) == 1
    assert unsealed(registry) == []


def test_a_killed_process_s_segment_is_sealed_by_the_next(registry: Registry, version: ModelVersion) -> None:
    """What was acknowledged before a SIGKILL is there, and then sealed as it was left."""
    child = start(
        CHILD + "version.predict([[0, 1]], request='0')\nprint('done', flush=True)\ntime.sleep(60)",
        registry.location,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "done\n"
    assert requests(registry, range(1)) == [["0"]]  # of a file that is being written
    version.predict([[1, 1]], request="1")
    assert len(unsealed(registry)) == 2  # it lives: nobody seals it

    child.kill()
    child.wait()
    finish(registry)
    version.predict([[2, 1]], request="2")

    assert len(unsealed(registry)) == 1
    assert len(sealed(registry)) == 2
    assert requests(registry, range(3)) == [["0"], ["1"], ["2"]]
    assert registry.verify().ok


def test_verify_repair_seals_what_was_left_behind(registry: Registry) -> None:
    """Without repair, looking changes nothing."""
    script = CHILD + "version.predict([[0, 1]])\nos.kill(os.getpid(), 9)"
    child = start(script, registry.location)
    assert child.wait() == -signal.SIGKILL

    assert registry.verify().ok
    assert len(unsealed(registry)) == 1
    report = registry.verify(repair=True)
    assert report.ok
    assert len(report.repaired) == len(sealed(registry)) == 1


def test_a_torn_line_is_kept_apart(registry: Registry, version: ModelVersion) -> None:
    """Half a line at the end of a killed process's file is ignored, and the seal is over it, too."""
    script = CHILD + "version.predict([[0, 1]], request='0')\nos.kill(os.getpid(), 9)"
    start(script, registry.location).wait()
    (path,) = unsealed(registry)
    with path.open("ab") as file:
        file.write(b'{"line":"decided","at":"2026-')

    assert requests(registry, range(1)) == [["0"]]
    registry.verify(repair=True)

    assert requests(registry, range(1)) == [["0"]]
    (row,) = rows(registry)
    assert (row.torn, row.answers, row.size) == (29, 1, sealed(registry)[0].stat().st_size)


def rows(registry: Registry) -> list[SegmentRow]:
    return Registry(registry.location)._desk.folder.ledger.rows()


def damages() -> dict[str, Any]:
    def edit(path: Path) -> None:
        data = path.read_bytes()
        path.write_bytes(data.replace(b'"request":"0"', b'"request":"1"'))

    return {
        "segment-damaged": edit,
        "segment-missing": lambda path: path.unlink(),
        "segment-unknown": lambda path: shutil.copy(path, path.with_name(f"{'0' * 32}.jsonl")),
    }


@pytest.mark.parametrize("code", damages())
def test_what_was_sealed_cannot_change_unseen(registry: Registry, version: ModelVersion, code: str) -> None:
    """An edited, removed or smuggled file shows in `verify`, by its name."""
    decide(version, 100)
    path = sealed(registry)[0]
    assert registry.verify().ok

    damages()[code](path)

    (problem,) = registry.verify().problems
    assert problem.code == code
    assert problem.where.startswith(str(path.parent))


def test_a_seal_cannot_change_unseen(registry: Registry, version: ModelVersion) -> None:
    """The seals are a chained journal, whose head `verify` tells and takes."""
    decide(version, 100)
    head = registry.verify().heads["decisions"]
    path = registry.location / "decisions" / "journal.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(rows(registry)[0].digest.encode(), b"0" * 64))
    assert "journal-damaged" in {each.code for each in registry.verify().problems}

    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    codes = {each.code for each in registry.verify(expect={"decisions": head}).problems}
    assert codes == {"head-missing", "segment-unknown"}


def test_a_ledger_that_is_gone_is_missed(registry: Registry, version: ModelVersion) -> None:
    """Who removes all of it has the registry's own journal against him."""
    decide(version, 1)
    shutil.rmtree(registry.location / "decisions")

    assert [each.code for each in registry.verify().problems] == ["ledger-missing"]


def test_a_ledger_that_goes_while_it_is_written_stops_the_answers(
    registry: Registry, version: ModelVersion
) -> None:
    """No decision is written into a file that nobody will ever find; another process begins another ledger."""
    decide(version, 1)
    shutil.rmtree(registry.location / "decisions")

    for _attempt in range(2):
        with pytest.raises(NotStampedError):
            decide(version, 1)
    run(CHILD + "version.predict([[2, 1]], request='2')", registry.location)
    assert requests(Registry(registry.location), range(3)) == [[], [], ["2"]]


def test_closing_lets_go_and_seals(registry: Registry, version: ModelVersion) -> None:
    """A process that opens a thousand registries keeps no file of any; using one again goes on."""
    decide(version, 1)
    registry.close()
    gc.collect()  # what tests before this one left open is closed whenever it is found
    before = open_descriptors()
    for number in range(1, 3):
        decide(version, 1, start=number)
        registry.close()

    assert open_descriptors() == before
    assert len(sealed(registry)) == 3
    assert requests(registry, range(3)) == [["0"], ["1"], ["2"]]


# finding


def test_an_index_is_a_cache(registry: Registry, version: ModelVersion) -> None:
    """It may be deleted, cut short, or be of another segment: answers stay the same."""
    decide(version, 100)
    folder = registry.location / "decisions" / "index"
    found = requests(registry, range(100))
    indexes = sorted(folder.iterdir())
    assert len(indexes) == len(sealed(registry))

    shutil.copy(indexes[0], indexes[1])
    assert requests(registry, range(100)) == found
    for each in indexes:
        each.write_bytes(each.read_bytes()[: -16 * 10])
    assert requests(registry, range(100)) == found
    shutil.rmtree(folder)
    assert requests(registry, range(100)) == found


def test_an_index_that_lies_shows(registry: Registry, version: ModelVersion) -> None:
    """An answer may be hidden from a search by its index, and not from `verify`."""
    decide(version, 100)
    requests(registry, range(100))
    path = sorted((registry.location / "decisions" / "index").iterdir())[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:-16] + whole[-32:-16])

    (problem,) = registry.verify().problems
    assert problem.code == "index-damaged"
    path.unlink()
    assert registry.verify().ok


def test_a_search_does_not_read_what_cannot_have_the_answer(
    registry: Registry, version: ModelVersion
) -> None:
    """Segments that ended before `since` are passed over by their seals: a damaged one is no obstacle."""
    decide(version, 100)
    finish(registry)
    since = registry._desk.folder.now()
    version.predict([[0, 1]], request="later")
    for path in sealed(registry):
        path.write_bytes(b"")

    found = registry.who_decided([[0, 1]], since=datetime.fromisoformat(since))
    assert [each.request for each in found[0]] == ["later"]
    assert found.unread == []
    assert len(registry.who_decided([[0, 1]]).unread) == len(sealed(registry))


def test_a_search_of_one_model_is_of_that_model(registry: Registry, version: ModelVersion) -> None:
    """Two models may be asked about the same row."""
    registry.register("other", rule).predict([[1, 2]])
    version.predict([[1, 2]])

    assert [each.model for each in registry.who_decided([[1, 2]], "other")[0]] == ["other"]
    assert len(registry.who_decided([[1, 2]])[0]) == 2
    with pytest.raises(UnknownModelError):
        registry.who_decided([[1, 2]], "othre")


def test_a_ledger_can_be_searched_where_nothing_can_be_written(tmp_path: Path) -> None:
    """An auditor has a copy on read-only media, and no right to leave an index behind."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        registry = Registry(Path(name, "r"), settings=SMALL)
        decide(registry.register("sum", rule), 100)
        finish(registry)
        for path in (registry.location, *registry.location.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

        def work() -> list[list[str]]:
            found = Registry(Path(name, "r")).who_decided([[number, 1] for number in range(3)])
            return [[each.request for each in decisions] for decisions in found]

        if os.geteuid():
            pytest.skip("there is no other user to become")
        assert as_nobody(work) == [["0"], ["1"], ["2"]]
        assert not (registry.location / "decisions" / "index").exists()


# many at once, forks, and full disks


def test_many_processes_write_and_every_answer_is_found(registry: Registry) -> None:
    """Workers of a server share nothing but the folder; none waits for another."""
    script = (
        CHILD
        + "n = int(sys.argv[2])\nsys.stdin.read()\n[version.predict([[i, 1]], request=str(i)) for i in range(n, n + 60)]"
    )
    children = [start(script, registry.location, 1000 * each) for each in range(6)]
    for child in children:
        _, err = child.communicate(timeout=120)
        assert child.returncode == 0, err

    for each in range(6):
        numbers = range(1000 * each, 1000 * each + 60)
        assert requests(registry, numbers) == [[str(number)] for number in numbers]
    assert registry.verify().ok


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_loses_nothing_that_was_answered(registry: Registry, seed: int) -> None:
    """Every answer that left the process is in the ledger, wherever the kill comes."""
    script = (
        CHILD
        + "i = 0\nwhile True:\n    version.predict([[i, 1]], request=str(i))\n    print(i, flush=True)\n    i += 1"
    )
    child = start(script, registry.location)
    assert child.stdout is not None
    told = [child.stdout.readline() for _ in range(random.Random(seed).randrange(1, 200))]
    child.kill()
    told += child.stdout.read().splitlines()
    child.wait()

    answered = [line for line in told if line.strip().isdigit()]
    numbers = range(int(answered[-2]) + 1)  # the last line may be torn
    assert requests(registry, numbers) == [[str(number)] for number in numbers]
    registry.verify(repair=True)
    assert requests(registry, numbers) == [[str(number)] for number in numbers]


def test_a_fork_writes_a_file_of_its_own(registry: Registry, version: ModelVersion) -> None:
    """A server that loads, answers once and then forks its workers mixes nobody's lines."""
    version.predict([[0, 1]], request="0")
    pid = os.fork()
    if pid == 0:
        try:
            version.predict([[1, 1]], request="1")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    version.predict([[2, 1]], request="2")

    assert len(unsealed(registry)) == 2
    assert requests(registry, range(3)) == [["0"], ["1"], ["2"]]
    finish(registry)
    registry.verify(repair=True)
    assert registry.verify().ok
    assert requests(registry, range(3)) == [["0"], ["1"], ["2"]]


def test_a_fork_does_not_keep_its_parent_s_file_locked(registry: Registry) -> None:
    """The parent is killed, its worker lives on: what the parent wrote is sealed all the same."""
    script = (
        CHILD
        + """
version.predict([[0, 1]], request='0')
if os.fork() == 0:
    print(os.getpid(), flush=True)
    time.sleep(60)
os.wait()
"""
    )
    parent = start(script, registry.location)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    try:
        parent.kill()
        parent.wait()
        registry.verify(repair=True)
        assert len(sealed(registry)) == 1
    finally:
        os.kill(worker, signal.SIGKILL)


FULL = (
    CHILD
    + """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
version.predict([[0, 1]], request='0')
(path,) = [p for p in Path(sys.argv[1], 'decisions').glob('*.jsonl') if p.name != 'journal.jsonl']
size = path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40, resource.RLIM_INFINITY))
try:
    version.predict([[1, 1]], request='1')
except NbregError as error:
    print(error.code, type(error.__cause__).__name__)
print(version.predict([[2, 1]], request='2', stamp='best-effort'))
assert path.stat().st_size == size
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
version.predict([[3, 1]], request='3')
"""
)


def test_a_full_disk_tears_nothing(registry: Registry) -> None:
    """The answer is withheld, or given unproven if that is what was asked; and then it goes on."""
    assert run(FULL, registry.location).splitlines() == ["not-stamped NoSpaceError", "[3]"]

    assert requests(registry, range(4)) == [["0"], [], [], ["3"]]
    assert registry.verify().ok


def test_a_seal_that_cannot_be_made_does_not_withhold_an_answer(registry: Registry) -> None:
    """The answer is in the file already: that its seal has to wait is told in the log, and mended later."""
    settings = Settings(capture=False, segment_bytes=4096, lock_seconds=0.02)
    version = Registry(registry.location, settings=settings).get("sum@1")
    decide(version, 1)
    with (registry.location / "decisions" / "journal.jsonl").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        decide(version, 100, start=1)
    assert sealed(registry) == []

    assert registry.verify(repair=True).ok
    assert len(sealed(registry)) >= 2
    assert requests(registry, range(101)) == [[str(number)] for number in range(101)]


# keeping


def test_decisions_are_kept_for_ever_unless_somebody_says_otherwise(
    registry: Registry, version: ModelVersion
) -> None:
    """`purge` of a registry does not take the evidence along; `du` says what it costs."""
    decide(version, 100)
    finish(registry)
    assert registry.purge(dry_run=False, older_than=0).leftovers == []
    assert requests(registry, range(1)) == [["0"]]
    on_disk = sum(path.stat().st_size for path in (registry.location / "decisions").rglob("*.*"))
    assert on_disk <= registry.du().decisions <= on_disk + 32


def test_a_policy_s_time_is_kept(registry: Registry, version: ModelVersion) -> None:
    """After the days that a law or a contract sets, segments go, told by a line; later ones stay."""
    decide(version, 100)
    finish(registry)
    requests(registry, range(1))
    later = datetime.now(UTC) + timedelta(days=400)
    settings = Settings(capture=False, segment_bytes=4096, decision_days=365)
    old = Registry(registry.location, settings=settings, clock=lambda: later)
    version.predict([[7, 7]], request="new")

    planned = old.purge()
    assert {Path(each.path).parent.name for each in planned.leftovers} == {"sealed", "index"}
    assert len(sealed(registry)) > 1
    old.purge(dry_run=False)

    assert sealed(registry) == []
    assert [line["kind"] for line in lines(registry)].count("purged") == len(planned.leftovers) / 2
    assert registry.verify().ok
    assert [each.request for each in registry.who_decided([[7, 7]])[0]] == ["new"]
    assert registry.who_decided([[0, 1]]).rows == [[]]


def test_a_seal_s_name_leads_nowhere_else(registry: Registry, version: ModelVersion, tmp_path: Path) -> None:
    """A registry that somebody sent must not make `purge` remove, or a search read, a file of this user's."""
    decide(version, 1)
    (tmp_path / "precious.jsonl").write_text("precious")
    book = registry._desk.folder.ledger
    hostile = SegmentRow(
        id="../../../precious", digest="0" * 64, size=8, first="2020", last="2020", answers=1
    )
    with book.database.transaction("sealed", by=registry.actor):
        book.database.put("segments", hostile.id, hostile)
        book.database.put("segments", "0" * 32, hostile)
    settings = Settings(capture=False, decision_days=0)

    Registry(registry.location, settings=settings).purge(dry_run=False)

    assert (tmp_path / "precious.jsonl").read_text() == "precious"
    assert requests(registry, range(1)) == [["0"]]


def test_decisions_do_not_travel(registry: Registry, version: ModelVersion, tmp_path: Path) -> None:
    """They are facts about this registry's traffic: an archive and a merge leave them and the key here."""
    decide(version, 1)
    registry.export("sum@1", tmp_path / "sum.nbreg")
    other = Registry(tmp_path / "other", settings=SMALL)
    other.import_(tmp_path / "sum.nbreg")
    merged = Registry(tmp_path / "merged", settings=SMALL)
    merged.merge(registry)

    for each in (other, merged):
        assert not (each.location / "decisions").exists()
        assert each.who_decided([[0, 1]]).rows == [[]]


def test_git_does_not_take_decisions_in(registry: Registry, version: ModelVersion) -> None:
    """A registry in git carries neither the key nor a file that grows with every request."""
    registry.init(git=True)

    assert "decisions/" in (registry.location / ".gitignore").read_text().splitlines()
