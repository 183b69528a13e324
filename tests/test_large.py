"""Large models: digested once, written once, mapped, and never half there."""

from __future__ import annotations

import gc
import os
import threading
import time
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from children import run

from nbreg import Registry, progress
from nbreg.errors import DamagedObjectError, NoSpaceError, SecretFoundError
from nbreg.families import buffers
from nbreg.progress import Progress, Step, watcher
from nbreg.settings import Settings
from nbreg.store import large, verified

MIB = 1024 * 1024
BARE = Settings(capture=False)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry", settings=BARE)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done for gigabytes is done for megabytes, too."""
    monkeypatch.setattr(large, "_ALONE", 1)
    monkeypatch.setattr(large, "_SPLIT", 3 * MIB)


@pytest.fixture
def quick_to_remember(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written a moment ago may be remembered, and 8 MiB are a large artifact."""
    monkeypatch.setattr(verified, "SETTLED", -1.0)
    monkeypatch.setattr("nbreg.registry.opening.loading._SMALL", 2 * MIB)


def matrix(seed: int, rows: int = 512, columns: int = 1024) -> Any:
    return np.random.default_rng(seed).random((rows, columns), dtype=np.float32)


def network(layers: int, width: int = 512) -> Any:
    """A trained-looking network of that many layers, each a matrix of its own."""
    from sklearn.neural_network import MLPRegressor

    data = np.random.default_rng(0).random((8, width), dtype=np.float32)
    with warnings.catch_warnings(action="ignore"):
        made = MLPRegressor(hidden_layer_sizes=(2,), max_iter=1).fit(data, data)
    made.n_layers_ = layers + 1
    made.coefs_ = [matrix(seed, width, width) / width for seed in range(layers)]
    made.intercepts_ = [np.zeros(width, np.float32) for _ in range(layers)]
    return made


def objects(registry: Registry) -> dict[str, tuple[int, int]]:
    """Each object's size and when it was last written."""
    blobs = registry._desk.folder.blobs
    return {digest: (size, path.stat().st_mtime_ns) for digest, path, size in blobs.objects()}


def scrap(registry: Registry) -> list[Path]:
    return list((registry.location / "tmp").iterdir())


class Counting:
    """`sha256`, and how many bytes went through it."""

    count = 0

    def __init__(self, real: Any) -> None:
        self._real = real

    def __call__(self, data: Any = b"") -> Any:
        outer = self
        outer.count += memoryview(data).nbytes

        class Hasher:
            def __init__(self, inner: Any) -> None:
                self._inner = inner

            def update(self, more: Any) -> None:
                outer.count += memoryview(more).nbytes
                self._inner.update(more)

            def digest(self) -> bytes:
                return self._inner.digest()

            def hexdigest(self) -> str:
                return self._inner.hexdigest()

        return Hasher(self._real(data))


@pytest.fixture
def digested(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counting]:
    """Counts the bytes that any part of nbreg digests."""
    import hashlib
    import sys

    counting = Counting(hashlib.sha256)
    for name, module in list(sys.modules.items()):
        signs = name == "nbreg.trust"  # hmac wants the real one
        if name.startswith("nbreg") and not signs and getattr(module, "sha256", None) is hashlib.sha256:
            monkeypatch.setattr(module, "sha256", counting)
    return counting


# writing


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


# refused and interrupted


def nearly_full(patch: pytest.MonkeyPatch, free: int) -> None:
    """A disk of which so many bytes are free."""
    real = os.statvfs

    def told(path: Any) -> Any:
        status = list(real(path))
        status[4] = free // status[1]
        return os.statvfs_result(status)

    patch.setattr(os, "statvfs", told)


def test_room_is_asked_for_where_a_part_only_looked_stored(
    registry: Registry, threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found out after the first look, and still before a byte of it is written."""
    array = matrix(1)
    registry.register("net", array)
    array.reshape(-1)[5000] += 1
    before = objects(registry)
    nearly_full(monkeypatch, 17 * MIB)

    with pytest.raises(NoSpaceError, match=r"2\.1 MB are to be stored"):
        registry.register("net", array)

    assert (objects(registry), scrap(registry)) == (before, [])


def test_room_is_asked_for_before_anything_is_written(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is said in a sentence, and not after ten minutes of writing."""
    registry.register("net", "small")
    before = objects(registry)
    nearly_full(monkeypatch, 30 * MIB)
    with pytest.raises(NoSpaceError, match=r"16\.8 MB are to be stored in .*, where 31\.\d MB are free"):
        registry.register("net", [matrix(seed) for seed in range(8)])
    assert (objects(registry), scrap(registry)) == (before, [])
    assert registry.register("net", matrix(1)).number == 2, "a smaller one has room"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_breaks_off_in_the_middle_leaves_nothing(
    registry: Registry, threads: None, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Neither in `tmp/` nor among the objects: the disk is as full as before."""
    registry.register("net", "small")
    before, calls = objects(registry), iter(range(100))

    def fails(fd: int) -> None:
        if next(calls) == 3:
            raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(NoSpaceError if isinstance(error, OSError) else KeyboardInterrupt):
            registry.register("net", [matrix(seed) for seed in range(8)])
    assert (objects(registry), scrap(registry)) == (before, [])
    assert len(registry.versions("net")) == 1
    assert registry.register("net", [matrix(seed) for seed in range(8)]).number == 2
    assert registry.verify().ok


def test_a_secret_stops_a_large_model_before_its_arrays_are_written(registry: Registry) -> None:
    """Bytes that must not be kept are not on the disk either."""
    registry.register("net", "small")
    before = objects(registry)
    with pytest.raises(SecretFoundError):
        registry.register("net", {"key": "AKIA" + "IOSFODNN7EXAMPLQ", "weights": matrix(1)})
    assert (objects(registry), scrap(registry)) == (before, [])


# progress


def test_long_work_is_told_and_short_work_is_not(
    registry: Registry, threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a second people ask themselves whether it hangs; before, a line that flickers is noise."""
    steps: list[Step] = []
    assert progress.SOON == 1.0
    monkeypatch.setattr(large, "_TICK", 0.0005)  # asked whether it is time at every turn
    token = watcher.set(steps.append)
    try:
        monkeypatch.setattr(progress, "SOON", 3600.0)
        registry.register("net", [matrix(seed) for seed in range(4)])
        assert steps == []
        monkeypatch.setattr(progress, "SOON", 0.0)
        registry.register("net", [matrix(seed) for seed in range(10, 14)])
    finally:
        watcher.reset(token)
    steps = [each for each in steps if each.doing == "storing"]
    assert steps[0].state == "running"
    assert str(steps[-1]).startswith("storing: 8.4 MB in ")
    assert (steps[-1].state, steps[-1].done) == ("done", 4 * 2 * MIB)


def test_a_watcher_that_fails_loses_no_model(
    registry: Registry, threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A display that was closed is no reason to stop storing."""
    monkeypatch.setattr("nbreg.progress.SOON", 0.0)
    monkeypatch.setattr(large, "_TICK", 0.0005)
    token = watcher.set(lambda step: 1 / 0)
    try:
        assert registry.register("net", [matrix(seed) for seed in range(4)]).number == 1
    finally:
        watcher.reset(token)


# loading


def test_a_large_array_is_verified_once_and_then_mapped(
    registry: Registry, digested: Counting, quick_to_remember: None, home: Path
) -> None:
    """A gigabyte opens in milliseconds the second time; in another process of the same user, too."""
    array = matrix(1, 2048)
    version = registry.register("net", array)
    for expected in (array.nbytes, 0, 0):
        digested.count = 0
        assert np.array_equal(version.load(), array)
        assert expected <= digested.count < expected + MIB
    assert (home / ".cache" / "nbreg" / "verified").stat().st_mode & 0o777 == 0o600
    assert not list(registry.location.rglob("verified"))


def test_what_was_written_a_moment_ago_is_not_remembered(
    registry: Registry, digested: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a tick of the file system's clock a change would not show in a file's times."""
    monkeypatch.setattr("nbreg.registry.opening.loading._SMALL", 2 * MIB)
    monkeypatch.setattr(verified, "SETTLED", 3600.0)
    array = matrix(1, 2048)
    version = registry.register("net", array)
    for _ in range(2):
        digested.count = 0
        version.load()
        assert digested.count >= array.nbytes


@pytest.mark.parametrize("how", ["setting", "pinned"])
def test_always_means_always(
    tmp_path: Path, digested: Counting, quick_to_remember: None, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A job that must know what it loads looks at every byte."""
    registry = Registry(
        tmp_path / "r", settings=Settings(capture=False, verify="always" if how == "setting" else "once")
    )
    if how == "pinned":
        monkeypatch.setenv("NBREG_REQUIRE_PINNED", "1")
    array = matrix(1, 2048)
    registry.register("net", array)
    for _ in range(2):
        digested.count = 0
        registry.load("net@1")
        assert digested.count >= array.nbytes


@pytest.mark.parametrize(
    "value",
    [
        matrix(1),
        np.zeros(2**18, [("left", "<i4"), ("right", "<i4")]),
        np.arange(2**18, dtype=np.int64),
    ],
    ids=["small", "records", "indices"],
)  # fmt: skip
def test_small_artifacts_records_and_indices_are_verified_every_time(
    registry: Registry, digested: Counting, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    """Compiled code follows a tree's children and a sparse matrix's indices without looking."""
    monkeypatch.setattr(verified, "SETTLED", -1.0)
    if value.dtype != np.float32:
        monkeypatch.setattr("nbreg.registry.opening.loading._SMALL", 2 * MIB)
    registry.register("net", value)
    for _ in range(2):
        digested.count = 0
        assert np.array_equal(registry.load("net@1"), value)
        assert digested.count >= value.nbytes


@pytest.mark.parametrize("hidden", [False, True])
def test_a_byte_that_changes_after_it_was_verified_is_found(
    registry: Registry, quick_to_remember: None, hidden: bool
) -> None:
    """Setting a file's times back hides nothing: the time of the change is the system's."""
    version = registry.register("net", [matrix(seed, 2048) for seed in range(2)])
    version.load()
    version.load()
    digest = next(chunk.digest for chunk in version.manifest.artifacts[0].chunks[1:])
    path = registry._desk.folder.blobs.path(digest)
    before = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(4 * MIB + 5)
        file.write(b"\x07")
    path.chmod(0o444)
    if hidden:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DamagedObjectError, match=str(path)):
        version.load()


def test_a_cache_that_others_can_write_says_nothing(
    registry: Registry, digested: Counting, quick_to_remember: None, home: Path
) -> None:
    """Whoever vouches for bytes must be the user alone."""
    array = matrix(1, 2048)
    version = registry.register("net", array)
    version.load()
    (home / ".cache" / "nbreg" / "verified").chmod(0o666)
    fresh = Registry(registry.location, settings=BARE)
    digested.count = 0
    fresh.load("net@1")
    assert digested.count >= array.nbytes


def test_a_loaded_array_is_the_users_own(registry: Registry, quick_to_remember: None) -> None:
    """Training goes on with what was loaded, and the version stays as it was."""
    version = registry.register("net", network(8))
    for _ in range(2):
        loaded = version.load()
        loaded.coefs_[3] += 1
        assert registry.register("net", loaded).number == 2
    assert np.array_equal(version.load().coefs_[3], network(8).coefs_[3])
    assert registry.verify().ok


def test_what_was_loaded_holds_no_file_open(registry: Registry, quick_to_remember: None) -> None:
    """A service that loads a thousand versions in its life runs out of nothing."""
    version = registry.register("net", network(8))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        version.load()
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


# what a stream's buffers are


def test_only_numbers_that_are_computed_with_are_plain() -> None:
    """Of anything else an earlier check does not do."""
    import pickle

    arrays = [
        np.zeros(3, np.float32), np.zeros(3, ">f8"), np.zeros(3, np.int8), np.zeros(3, np.int64),
        np.zeros(3, [("a", "f4")]), np.zeros((2, 3), np.complex64), np.zeros(3, "S5"),
    ]  # fmt: skip
    kept: list[Any] = []
    stream = pickle.dumps([*arrays, pickle.PickleBuffer(b"raw")], protocol=5, buffer_callback=kept.append)
    assert buffers.plain_ones(stream, len(kept)) == [True, True, True, False, False, True, False, False]
    assert buffers.plain_ones(stream[:-9], len(kept)) == [False] * 8
    assert buffers.plain_ones(b"no pickle", 2) == [False, False]
