"""What was sealed cannot change unseen, and what is left behind is sealed."""

from __future__ import annotations

import gc
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from answers import CHILD, finish, lines, requests, rows, sealed, unsealed
from children import open_descriptors, run, start
from deciders import decide

from nbreg import ModelVersion, Registry
from nbreg.errors import NotStampedError


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
