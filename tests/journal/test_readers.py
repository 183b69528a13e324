"""Readers see whole lines alone, and every other file than the one they know."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path

import msgspec
import pytest
from children import open_descriptors
from journals import ADA, opened, rows, text, write

from nbreg.errors import JournalError, StoreError
from nbreg.store import files
from nbreg.store.journal import last_line


def test_readers_ignore_bytes_after_the_last_line_feed(tmp_path: Path) -> None:
    """A line that is being written is not yet true."""
    database, reader = opened(tmp_path), opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    whole = text(database)
    write(database, "a", "x", {"n": 2})
    line = text(database)[len(whole) :]

    for cut in range(len(line)):
        database.journal.path.write_bytes(whole + line[:cut])
        fresh = opened(tmp_path)
        assert rows(fresh, "a") == {"x": {"n": 1}}
        assert fresh.journal.damage is None
    assert rows(reader, "a") == {"x": {"n": 1}}
    database.journal.path.write_bytes(whole + line)
    assert rows(reader, "a") == {"x": {"n": 2}}


def test_a_tail_that_became_a_line_of_the_same_size_in_the_same_tick_is_seen(tmp_path: Path) -> None:
    """File times tick every few milliseconds; a line must not hide between two ticks."""
    database, reader = opened(tmp_path), opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    whole = text(database)
    write(database, "a", "x", {"n": 2})
    final = text(database)
    path = database.journal.path
    path.write_bytes(whole + b"." * (len(final) - len(whole)))
    assert rows(reader, "a") == {"x": {"n": 1}}
    seen = path.stat().st_mtime_ns

    with path.open("r+b") as file:
        file.write(final)
    os.utime(path, ns=(seen, seen))

    assert rows(reader, "a") == {"x": {"n": 2}}


def test_a_file_that_lost_a_line_is_an_error_and_not_a_shorter_history(tmp_path: Path) -> None:
    """A reader was told that a version exists; no file may make that untrue."""
    database, reader = opened(tmp_path), opened(tmp_path)
    for n in range(3):
        write(database, "a", "x", {"n": n})
    lines = text(database).splitlines(keepends=True)
    assert rows(reader, "a") == {"x": {"n": 2}}

    os.truncate(database.journal.path, len(lines[0] + lines[1]))

    with pytest.raises(JournalError, match=r"journal\.jsonl no longer has line 3"):
        reader.refresh()
    with pytest.raises(JournalError), reader.transaction("edited", by=ADA):
        pass
    assert rows(opened(tmp_path), "a") == {"x": {"n": 1}}, "a fresh reader takes what is there"


def test_a_file_replaced_by_a_longer_copy_of_itself_is_read_anew(tmp_path: Path) -> None:
    """An rsync or a restored backup replaces the file under an open reader."""
    database, reader = opened(tmp_path), opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    assert rows(reader, "a") == {"x": {"n": 1}}
    write(database, "a", "x", {"n": 2})

    copy = tmp_path / "copy"
    copy.write_bytes(text(database))
    copy.rename(database.journal.path)

    assert rows(reader, "a") == {"x": {"n": 2}}
    write(reader, "a", "x", {"n": 3})
    assert rows(database, "a") == {"x": {"n": 3}}


@pytest.mark.parametrize("how", ["gone", "another"])
def test_a_file_that_is_gone_or_another_is_an_error(tmp_path: Path, how: str) -> None:
    """Two registries swapped under a kernel must not be mixed."""
    database = opened(tmp_path / "one")
    write(database, "a", "x", {"n": 1})
    other = opened(tmp_path / "two")
    write(other, "a", "x", {"n": 1})
    database.journal.path.unlink()
    if how == "another":
        other.journal.path.rename(database.journal.path)

    with pytest.raises(JournalError, match="is gone" if how == "gone" else "no longer has line 1"):
        database.refresh()


def test_a_journal_that_may_not_be_read_is_a_typed_error(tmp_path: Path) -> None:
    """A colleague's private file is a sentence, not a traceback."""
    database = opened(tmp_path)
    database.journal.path.mkdir()
    with pytest.raises(StoreError, match="cannot be read"):
        database.refresh()


def test_a_thread_that_reads_all_the_time_disturbs_no_writer(tmp_path: Path) -> None:
    """A panel refreshes while a cell registers, through the same object."""
    database = opened(tmp_path)
    write(database, "a", "x", {"n": 0})
    stop, errors = threading.Event(), []

    def read() -> None:
        last = 0
        while not stop.is_set():
            try:
                n = rows(database, "a")["x"]["n"]
                assert n >= last
                last = n
            except BaseException as error:
                errors.append(error)
                return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for each in readers:
        each.start()
    for n in range(1, 60):
        write(database, "a", "x", {"n": n})
    stop.set()
    for each in readers:
        each.join()
    assert not errors
    assert rows(opened(tmp_path), "a") == {"x": {"n": 59}}


def test_a_journal_that_is_forgotten_gives_its_descriptor_back(tmp_path: Path) -> None:
    """A job that opens a registry in each of a thousand steps does not run out of them."""
    write(opened(tmp_path), "a", "x", {"n": 1})
    gc.collect()
    before = open_descriptors()
    for _ in range(200):
        rows(opened(tmp_path), "a")
    gc.collect()
    assert open_descriptors() <= before


def test_no_lock_is_left_over(tmp_path: Path) -> None:
    """Locks are opened, used and closed; none is kept for later."""
    database = opened(tmp_path)
    for n in range(3):
        write(database, "a", "x", {"n": n})
    with pytest.raises(ZeroDivisionError), database.transaction("edited", by=ADA):
        raise ZeroDivisionError
    assert not files._locked_fds


@pytest.mark.parametrize("size", [0, 10, 5000, 8192, 70_000, 600_000])
def test_the_last_line_is_found_whatever_its_length(tmp_path: Path, size: int) -> None:
    """A list of models reads nothing else of them."""
    database = opened(tmp_path)
    assert last_line(database.journal.path) is None
    write(database, "a", "x", {"n": "a"})
    assert getattr(last_line(database.journal.path), "seq", 0) == 1
    write(database, "a", "x", {"n": "b" * size})
    for tail in (b"", b'{"seq":', b"x" * 20_000):
        with database.journal.path.open("ab") as file:
            file.write(tail)
        line = last_line(database.journal.path)
        assert line is not None
        assert (line.seq, msgspec.json.decode(line.docs[0])) == (2, {"n": "b" * size})
