"""Many processes, forks, kills and full disks: nothing that was answered is lost."""

from __future__ import annotations

import fcntl
import os
import random
import signal

import pytest
from answers import CHILD, finish, requests, sealed, unsealed
from children import run, start
from deciders import decide

from nbreg import ModelVersion, Registry
from nbreg.settings import Settings


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
