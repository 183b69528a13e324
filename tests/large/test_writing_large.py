"""A large part is read once: stored while it is digested, several at once, and not at all where it is there."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from children import run
from sizes import MIB, Counting, matrix, network, objects, scrap

from nbreg import Registry
from nbreg.progress import Progress
from nbreg.store import large


@pytest.mark.parametrize("layout", ["C", "F", "gaps"])
def test_a_large_array_is_digested_once_in_all(
    registry: Registry, digested: Counting, threads: None, layout: str
) -> None:
    """The object's name and the token by value come from one pass over a gigabyte."""
    array = matrix(1, 1024, 2048)
    array = {"C": array, "F": np.asfortranarray(array), "gaps": array[:, ::2]}[layout]

    version = registry.register("net", {"weights": array, "scale": 2.0})

    assert digested.count < array.nbytes * 1.02
    assert np.array_equal(version.load()["weights"], array)
    assert version.load()["weights"].flags.f_contiguous == (layout == "F")
    assert registry.verify().ok


def test_the_token_of_an_array_is_the_same_whether_it_was_stored_or_not(registry: Registry) -> None:
    """So a preview says whether registering would make a version."""
    for seed, array in enumerate((matrix(1), matrix(1).T, matrix(1)[:, ::2], matrix(1)[::-1])):
        value = {"weights": array, "seed": seed}
        version = registry.register("net", value)
        assert registry.preview("net", value).content_digest == version.content_digest
        assert registry.register("net", value) == version
        assert registry.register("net", version.load()) == version


def test_a_part_is_digested_while_it_is_written(
    tmp_path: Path, threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processor digests one block while the disk takes it: each waits here until the other has begun."""
    data = os.urandom(8 * MIB)
    meeting = threading.Barrier(2, timeout=120)
    real_write, real_sha256, met = large.write_all, large.sha256, list[str]()

    def write(fd: int, piece: Any) -> None:
        meeting.wait()
        real_write(fd, piece)

    class Digest:
        def __init__(self) -> None:
            self._real = real_sha256()

        def update(self, piece: Any) -> None:
            meeting.wait()
            met.append(threading.current_thread().name)
            self._real.update(piece)

        def hexdigest(self) -> str:
            return self._real.hexdigest()

    monkeypatch.setattr(large, "write_all", write)
    monkeypatch.setattr(large, "sha256", Digest)
    with (tmp_path / "part").open("wb") as file:
        found = large.write_digested(file.fileno(), data, Progress("storing", len(data)))

    assert found == real_sha256(data).hexdigest()
    assert (tmp_path / "part").read_bytes() == data
    assert len(met) == 8
    assert threading.current_thread().name not in met


def test_several_parts_are_stored_at_once(
    registry: Registry, threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one part waits for the disk the next one is digested: two are under way, or this never ends."""
    meeting = threading.Barrier(2, timeout=120)
    real, seen = large.write_digested, list[str]()

    def write(fd: int, source: Any, told: Progress) -> str:
        meeting.wait()
        seen.append(threading.current_thread().name)
        return real(fd, source, told)

    monkeypatch.setattr(large, "write_digested", write)
    version = registry.register("net", [matrix(seed) for seed in range(4)])

    assert len(seen) == 4
    assert np.array_equal(version.load()[3], matrix(3))


def test_who_gives_up_is_not_kept_waiting(
    registry: Registry, threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt stops the other parts at their next block: what nobody wants is not written to its end."""
    given_up, real_write, real_part = threading.Event(), large.write_all, large.write_digested
    parts, afterwards = list[Progress](), list[int]()

    def part(fd: int, source: Any, told: Progress) -> str:
        parts.append(told)
        return real_part(fd, source, told)

    def write(fd: int, piece: Any) -> None:
        if len(parts) > 1 and not given_up.is_set():
            given_up.set()
            raise KeyboardInterrupt
        if given_up.is_set():
            until = time.monotonic() + 30
            while not parts[0].stopped and time.monotonic() < until:
                time.sleep(0.001)
            afterwards.append(len(piece))
        real_write(fd, piece)

    monkeypatch.setattr(large, "_SPLIT", 1 << 40)
    monkeypatch.setattr(large, "write_all", write)
    monkeypatch.setattr(large, "write_digested", part)
    with pytest.raises(KeyboardInterrupt):
        registry.register("net", [matrix(seed, 4096) for seed in range(3)])

    assert len(afterwards) <= 2, "a block for each other thread"
    assert scrap(registry) == []


@pytest.mark.parametrize("gaps", [False, True])
def test_a_large_model_is_never_in_memory_twice(tmp_path: Path, gaps: bool) -> None:
    """A model that fills the machine can be registered on it."""
    assert extra_memory(tmp_path, 160, gaps) < 64


@pytest.mark.slow
@pytest.mark.parametrize("gaps", [False, True])
def test_a_model_of_a_gibibyte_is_never_in_memory_twice(tmp_path: Path, gaps: bool) -> None:
    """As above, at the size where it counts."""
    assert extra_memory(tmp_path, 1024, gaps) < 64


def extra_memory(folder: Path, mebibytes: int, gaps: bool) -> int:
    """MiB that registering takes beyond the model, at its peak: as one array and as many."""
    script = """
import numpy as np
def status(field):
    return next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith(field))
half, gaps = int(sys.argv[2]) // 2, sys.argv[3] == "True"
many = [np.full((256, 2048 if gaps else 1024), i, np.float32) for i in range(half)]
one = np.arange(half * (2**18), dtype=np.float32).reshape(-1, 1024)
if gaps:
    many, one = [each[:, ::2] for each in many], one[:, ::-1]
registry = Registry(sys.argv[1], settings=QUICK)
registry.register("net", many[0])
open("/proc/self/clear_refs", "w").write("5")
before = status("VmRSS")
registry.register("net", {"many": many, "one": one})
print(status("VmHWM") - before)
"""
    return int(run(script, folder / "r", mebibytes, gaps))


def test_the_same_again_writes_no_byte(registry: Registry, digested: Counting) -> None:
    """Registering what is stored already costs its digests, even where the hints are gone."""
    model = network(12)
    registry.register("net", model)
    before = objects(registry)
    for path in ("hints", "parts"):
        again = registry.register("net", model)
        assert (again.number, objects(registry), scrap(registry)) == (1, before, [])
        for each in (registry.location / "objects" / path).iterdir():
            each.unlink()
    assert registry.register("net", model).number == 1
    assert objects(registry) == before
    digested.count = 0
    registry.register("other", model)
    assert digested.count < 13 * MIB, "what is probably stored is digested, and not written first"


def test_where_one_tensor_in_a_hundred_changed_only_that_one_is_stored(registry: Registry) -> None:
    """Retraining a layer of a network costs that layer."""
    model = network(100)
    registry.register("net", model)
    before = objects(registry)
    model.coefs_[37] = model.coefs_[37] + 1

    version = registry.register("net", model)

    new = {digest: size for digest, (size, _) in objects(registry).items() if digest not in before}
    assert sorted(new.values())[-1] == model.coefs_[37].nbytes
    assert sum(new.values()) < 1.2 * model.coefs_[37].nbytes
    assert np.array_equal(version.load().coefs_[37], model.coefs_[37])


def test_a_part_that_only_looks_like_a_stored_one_is_stored(registry: Registry, threads: None) -> None:
    """The hint looks at a few places: it may be wrong, and then costs a second look."""
    array = matrix(1)
    registry.register("net", array)
    changed = array.copy()
    changed.reshape(-1)[5000] += 1
    assert large.fingerprint(memoryview(array)) == large.fingerprint(memoryview(changed))

    version = registry.register("net", changed)

    assert version.number == 2
    assert np.array_equal(version.load(), changed)
    assert np.array_equal(registry.load("net@1"), array)


def test_two_equal_arrays_are_one_object_and_two_arrays(registry: Registry, threads: None) -> None:
    """What is loaded can be changed, and nothing else changes with it."""
    version = registry.register("net", [matrix(1), matrix(1), matrix(2)])
    assert len(objects(registry)) == 3, "two arrays, one bundle"
    first, second, _ = version.load()
    first[:] = 0
    assert np.array_equal(second, matrix(1))
    assert np.array_equal(version.load()[0], matrix(1))


def test_an_array_that_is_trained_on_meanwhile_gives_a_version_that_is_whole(
    registry: Registry, threads: None
) -> None:
    """What is on the disk is what was digested, whatever another thread does to the array."""
    arrays, over = [matrix(seed, 2048) for seed in range(6)], threading.Event()

    def train() -> None:
        while not over.is_set():
            for array in arrays:
                array += 1

    trainer = threading.Thread(target=train)
    trainer.start()
    try:
        version = registry.register("net", arrays)
    finally:
        over.set()
        trainer.join()
    assert registry.verify().ok
    assert len(version.load()) == 6


@pytest.mark.parametrize("code", [False, True])
def test_what_was_registered_is_let_go(registry: Registry, threads: None, code: bool) -> None:
    """A model that the user deletes frees its memory at once, and not when Python next collects."""
    array = matrix(1)[:, ::2]
    gone = weakref.ref(array)
    value: dict[str, Any] = {"weights": array, "scale": (lambda x: 2 * x) if code else 2}
    registry.register("net", {"warm": 1})
    gc.collect()
    gc.disable()
    try:
        registry.register("net", value)
        del value, array
        assert gone() is None
    finally:
        gc.enable()


def test_files_are_written_in_the_pass_that_digests_them(
    registry: Registry, tmp_path: Path, digested: Counting, threads: None
) -> None:
    """A folder of weights is a large model, too."""
    (tmp_path / "w").mkdir()
    for i in range(3):
        (tmp_path / "w" / f"{i}.bin").write_bytes(os.urandom(4 * MIB))
    version = registry.register("net", tmp_path / "w")
    assert digested.count < 12.5 * MIB
    assert (version.load() / "2.bin").read_bytes() == (tmp_path / "w" / "2.bin").read_bytes()
