"""A large array is verified once by each user, then mapped, and is the user's own."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sizes import BARE, MIB, Counting, matrix, network

from nbreg import Registry
from nbreg.errors import DamagedObjectError
from nbreg.families import buffers
from nbreg.settings import Settings
from nbreg.store import verified


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


def test_a_cache_that_a_crash_tore_begins_anew(
    registry: Registry, quick_to_remember: None, home: Path
) -> None:
    """Else every entry after the torn one would stand in the wrong place, and nothing be known again."""
    version = registry.register("net", [matrix(seed) for seed in range(4)])
    cache = home / ".cache" / "nbreg" / "verified"
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_bytes(b"x" * 37)
    cache.chmod(0o600)

    version.load()

    size = cache.stat().st_size
    assert size
    assert size % 32 == 0
