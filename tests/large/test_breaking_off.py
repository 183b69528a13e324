"""What is refused, interrupted or watched in the middle of a large model leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from sizes import MIB, matrix, objects, scrap

from nbreg import Registry, progress
from nbreg.errors import NoSpaceError, SecretFoundError, StoreError
from nbreg.progress import Step, watcher
from nbreg.store import large


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


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_sync_that_fails_on_the_way_is_not_forgotten(
    registry: Registry, threads: None, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """The system tells of bytes that it could not write once; the sync at the end would say that all is well."""
    registry.register("net", "small")
    before, turns = objects(registry), iter(range(100))

    def fails(fd: int) -> None:
        if next(turns) == failing:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fails)
    with pytest.raises(StoreError, match="Input/output error"):
        registry.register("net", matrix(1, rows=4096))
    assert next(turns) > failing, "it was asked for"
    assert (objects(registry), scrap(registry)) == (before, [])


@pytest.mark.parametrize("at", [0, 16 * MIB - 300, 16 * MIB - 10, 16 * MIB + 10, 17 * MIB + 100])
def test_a_secret_is_found_wherever_a_large_file_has_it(registry: Registry, tmp_path: Path, at: int) -> None:
    """A file is searched in steps, and a key that two of them share is one all the same."""
    registry.register("net", "small")
    before = objects(registry)
    key = b"AKIA" + b"IOSFODNN7EXAMPLQ"
    (tmp_path / "log").write_bytes(b"\n" * at + key + b"\n" * (18 * MIB - at))

    with pytest.raises(SecretFoundError, match="1 × "):
        registry.register("net", tmp_path / "log")
    assert (objects(registry), scrap(registry)) == (before, [])


def test_a_large_file_that_is_stored_again_is_read_and_not_written(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk has no room for it twice, and need not."""
    (tmp_path / "weights").write_bytes(os.urandom(20 * MIB))
    first = registry.register("net", tmp_path / "weights")
    before = objects(registry)
    with monkeypatch.context() as patch:
        nearly_full(patch, MIB)
        second = registry.register("other", {"n": 1}, artifacts={"weights": tmp_path / "weights"})

    assert set(before) < set(objects(registry))
    assert second.load("weights").read_bytes() == first.load().read_bytes()
