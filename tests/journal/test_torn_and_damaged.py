"""A torn tail is moved aside by the next writer; a damaged line is named, and never dropped."""

from __future__ import annotations

import logging
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from journals import append_raw, opened, rows, text, write

from nbreg.errors import BadValueError, JournalError
from nbreg.records import Pointer
from nbreg.store.journal import START, last_line


def test_the_next_writer_moves_a_torn_line_aside_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A killed writer costs its own unacknowledged line and nothing else."""
    database = opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    whole = text(database)
    write(database, "a", "x", {"n": 2})
    torn = text(database)[len(whole) : -20]
    database.journal.path.write_bytes(whole + torn)

    fresh = opened(tmp_path)
    with caplog.at_level(logging.WARNING):
        write(fresh, "a", "y", {"n": 3})

    (kept,) = (tmp_path / "tmp").iterdir()
    assert kept.read_bytes() == torn
    assert kept.name.startswith(f"torn-{tmp_path.name}-2-")
    assert str(kept) in caplog.text
    assert rows(fresh, "a") == {"x": {"n": 1}, "y": {"n": 3}}
    assert len(fresh.journal) == 2


def test_a_whole_line_that_lacks_its_line_feed_is_finished(tmp_path: Path) -> None:
    """It was written to the end; that nobody heard of it is no reason to lose it."""
    database = opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    write(database, "a", "x", {"n": 2})
    whole = text(database)
    database.journal.path.write_bytes(whole[:-1])
    assert rows(opened(tmp_path), "a") == {"x": {"n": 1}}

    fresh = opened(tmp_path)
    write(fresh, "a", "y", {"n": 3})

    assert text(fresh).startswith(whole)
    assert rows(fresh, "a") == {"x": {"n": 2}, "y": {"n": 3}}


def test_only_a_transaction_touches_a_tail(tmp_path: Path) -> None:
    """A reader in a read-only folder could not, and one beside a writer must not."""
    database = opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    torn = text(database) + b'{"seq":2'
    database.journal.path.write_bytes(torn)
    rows(opened(tmp_path), "a")
    assert text(database) == torn


@pytest.mark.parametrize("line", [0, 1, 2])
@pytest.mark.parametrize("where", ["seq", "docs", "hash", "lf"])
def test_a_changed_byte_is_named_and_never_dropped(tmp_path: Path, line: int, where: str) -> None:
    """Whatever is wrong is told with file and line; writes stop, reads of what is before go on."""
    database = opened(tmp_path)
    for n in range(3):
        write(database, "a", "x", {"n": n})
    lines = text(database).splitlines(keepends=True)
    target = bytearray(lines[line])
    at = {"seq": 7, "docs": target.index(b'"n":') + 4, "hash": len(target) - 10, "lf": len(target) - 1}[where]
    target[at] ^= 1
    damaged = b"".join([*lines[:line], bytes(target), *lines[line + 1 :]])
    database.journal.path.write_bytes(damaged)

    fresh = opened(tmp_path)
    assert rows(fresh, "a") == ({"x": {"n": line - 1}} if line else {})
    last_without_lf = where == "lf" and line == 2
    if last_without_lf:
        return  # the same as a torn line: what it was cannot be told
    assert fresh.journal.damage is not None
    with pytest.raises(JournalError) as caught:
        write(fresh, "a", "x", {"n": 9})
    assert caught.value.message.startswith(f"line {line + 1} of {fresh.journal.path} ")
    assert "nbreg verify --repair" in caught.value.hint
    assert text(fresh) == damaged

    told, cut = fresh.journal.repair()
    kept = Path(told)
    assert cut == len(lines) - line - (where == "lf")
    assert kept.read_bytes() == damaged[sum(map(len, lines[:line])) :]
    write(fresh, "a", "x", {"n": 9})
    assert rows(opened(tmp_path), "a") == {"x": {"n": 9}}


def test_a_line_changed_after_it_was_read_is_found_when_it_is_read_again(tmp_path: Path) -> None:
    """The index is in memory, the rows are not: each read checks the bytes again."""
    database = opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    data = text(database).replace(b'"n":1', b'"n":7')
    with database.journal.path.open("r+b") as file:
        file.write(data)
    with pytest.raises(JournalError, match=r"line 1 of .* was changed after it was written"):
        rows(database, "a")


def test_the_last_line_is_kept_only_until_somebody_touches_the_file(tmp_path: Path) -> None:
    """A verb asks for it ten times; what another process wrote or changed is seen all the same."""
    database, other = opened(tmp_path), opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    kept = database.journal.line(0)
    assert database.journal.line(0) is kept

    write(other, "a", "x", {"n": 2})
    assert rows(database, "a") == {"x": {"n": 2}}
    assert database.journal.line(0) is not kept

    os.utime(database.journal.path)
    kept = database.journal.line(1)
    database.refresh()
    assert database.journal.line(1) is not kept


@pytest.mark.parametrize(
    ("table", "row_id"),
    [
        ("versions", "0"), ("versions", "01"), ("versions", "-1"), ("versions", "x"), ("versions", ""),
        ("versions", "999999999"), ("versions", "²"), ("ids", "zz"), ("ids", "0x1f" + "0" * 60),
        ("ids", "1_0" + "0" * 61), ("ids", " " * 64), ("ids", "-" + "1" * 63), ("content", "A" * 64),
        ("content", ""), ("content", "9" * 65),
    ],
)  # fmt: skip
def test_an_id_that_a_table_cannot_have_is_damage_and_no_crash(
    tmp_path: Path, table: str, row_id: str
) -> None:
    """A journal is a file that anyone may have written, with a right hash too."""
    database = opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    append_raw(database, keys=[(table, row_id)], docs=[{"number": 1}])

    assert rows(database, "a") == {"x": {"n": 1}}
    with pytest.raises(JournalError, match="line 2 of"):
        write(database, "a", "x", {"n": 2})
    with pytest.raises(BadValueError):
        write(opened(tmp_path / "other"), table, row_id, {})
    assert database.table(table).get(doc_id=row_id) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"seq": 3}, {"seq": 1}, {"prev": START}, {"keys": [("a", "x")]}, {"docs": [1]}, {"seq": "2"},
        {"by": "ada"}, {"keys": [("a",)], "docs": [1]}, {"keys": [(1, 2)], "docs": [1]}, {"facts": []},
    ],
)  # fmt: skip
def test_a_line_that_does_not_continue_the_chain_is_damage(tmp_path: Path, fields: dict[str, Any]) -> None:
    """Two chains that git spliced, or a line played back, must show."""
    database = opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    append_raw(database, **fields)
    assert rows(database, "a") == {"x": {"n": 1}}
    assert database.journal.damage is not None
    assert last_line(database.journal.path) is None or fields.keys() & {"seq", "prev", "keys", "docs"}


def test_a_line_that_is_no_unicode_is_damage(tmp_path: Path) -> None:
    """A right hash over wrong bytes."""
    database = opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    body = text(database).splitlines()[0].replace(b'"ada"', b'"\xff\xfe"').rpartition(b',"hash"')[0]
    database.journal.path.write_bytes(b'%b,"hash":"%b"}\n' % (body, sha256(body).hexdigest().encode()))
    fresh = opened(tmp_path)
    assert rows(fresh, "a") == {}
    assert fresh.journal.damage is not None
    assert last_line(fresh.journal.path) is None


def test_a_row_of_another_shape_names_its_journal(tmp_path: Path) -> None:
    """What another program put there is told, with its place."""
    database = opened(tmp_path)
    write(database, "aliases", "best", {"number": "three"})
    with pytest.raises(JournalError, match=r"the row aliases/best is no Pointer"):
        database.row("aliases", "best", Pointer)
