"""What is refused, interrupted or watched in the middle of a large model leaves nothing behind."""

from __future__ import annotations

import os
from typing import Any

import pytest
from sizes import MIB, matrix, objects, scrap

from nbreg import Registry, progress
from nbreg.errors import NoSpaceError, SecretFoundError
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
