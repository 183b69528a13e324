"""A write that fails leaves the file as it was."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from journals import opened, rows, text, write

from nbreg.errors import NoSpaceError, StoreError


def test_a_short_write_or_a_full_disk_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may take fewer bytes than it is given, and then none."""
    database = opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    before = text(database)
    real = os.write
    left = [3]

    def stingy(fd: int, data: bytes) -> int:
        if left[0] == 0:
            raise OSError(28, "No space left on device")
        left[0] -= 1
        return real(fd, bytes(data)[:7])

    monkeypatch.setattr(os, "write", stingy)
    with pytest.raises(NoSpaceError, match="no room"):
        write(database, "a", "x", {"n": 2})
    assert text(database) == before
    left[0] = 10_000
    write(database, "a", "x", {"n": 2})
    assert rows(opened(tmp_path), "a") == {"x": {"n": 2}}


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), OSError(28, "No space left on device")])
def test_a_failed_sync_takes_the_line_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    """What may not be on the disk was not promised to anyone."""
    database = opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    before = text(database)

    def failing(fd: int) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(StoreError):
            write(database, "a", "x", {"n": 2})
    assert text(database) == before
    write(database, "a", "x", {"n": 3})
    assert rows(opened(tmp_path), "a") == {"x": {"n": 3}}


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_an_interrupt_leaves_a_whole_line_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """A line that others may have read already must not vanish because its writer pressed Ctrl-C."""
    database, reader = opened(tmp_path), opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    rows(reader, "a")
    real = getattr(os, call)

    def interrupted(fd: int, *data: Any) -> Any:
        if call == "fsync":
            assert rows(reader, "a") == {"x": {"n": 2}}
        else:
            real(fd, bytes(data[0])[:9])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, call, interrupted)
        with pytest.raises(KeyboardInterrupt):
            write(database, "a", "x", {"n": 2})

    expected = {"x": {"n": 2 if call == "fsync" else 1}}
    assert rows(database, "a") == rows(reader, "a") == rows(opened(tmp_path), "a") == expected
    write(database, "a", "x", {"n": 3})
    assert rows(reader, "a") == {"x": {"n": 3}}
