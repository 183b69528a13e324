"""The journal: one line is one transaction, and neither a crash nor a second process tears it."""

from __future__ import annotations

import gc
import json
import logging
import os
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from children import open_descriptors
from hypothesis import given, settings
from hypothesis import strategies as st

from nbreg.errors import BadValueError, JournalError, NoSpaceError, StoreError
from nbreg.records import Actor, Pointer
from nbreg.store import files
from nbreg.store.index import Digests, Numbers, Words, gone, line_of, took_away
from nbreg.store.journal import START, Journal, Unsealed, last_line, seal
from nbreg.store.tiny import JournalDB

ADA = Actor(user="ada")


def opened(folder: Path, **options: Any) -> JournalDB:
    folder.mkdir(exist_ok=True)
    return JournalDB(folder / "journal.jsonl", scrap=folder / "tmp", **options)


def write(database: JournalDB, table: str, row_id: str, doc: dict[str, Any] | None, **facts: Any) -> None:
    with database.transaction("edited", by=ADA) as draft:
        draft.facts.update(facts)
        database.table(table).put(row_id, doc)  # type: ignore[attr-defined]


def rows(database: JournalDB, table: str) -> dict[str, dict[str, Any]]:
    return {each.doc_id: dict(each) for each in database.refresh().table(table)}


def text(database: JournalDB) -> bytes:
    return database.journal.path.read_bytes()


def append_raw(database: JournalDB, **fields: Any) -> None:
    """A line as a program could write it that knows how to hash, and nothing else of nbreg."""
    database.refresh()
    given = {
        "seq": len(database.journal) + 1, "at": "2026-01-01T00:00:00.000000Z", "by": ADA, "kind": "edited",
        "keys": [], "docs": [], "prev": database.journal.head.hash,
    }  # fmt: skip
    with database.journal.path.open("ab") as file:
        file.write(seal(Unsealed(**{**given, **fields})))


# one line


def test_a_line_is_a_transaction_and_its_hash_is_over_the_bytes_as_written(tmp_path: Path) -> None:
    """Anyone with sha256 can check a journal, without nbreg and without its JSON."""
    database = opened(tmp_path)
    with database.transaction("promoted", by=ADA, reason="Won", message="lift 3 %") as draft:
        draft.facts["number"] = 2
        database.table("a").put("x", {"n": 1})  # type: ignore[attr-defined]
        database.table("b").put("y", {"n": 2})  # type: ignore[attr-defined]
    write(database, "a", "x", {"n": 3})

    first, second = text(database).splitlines()
    body, _, tail = first.rpartition(b',"hash":"')
    assert tail == sha256(body).hexdigest().encode() + b'"}'
    told = json.loads(first)
    assert list(told) == [
        "seq", "at", "by", "kind", "reason", "message", "facts", "keys", "prev", "docs", "hash",
    ]  # fmt: skip
    assert (told["seq"], told["prev"], told["keys"]) == (1, START, [["a", "x"], ["b", "y"]])
    assert told["docs"] == [{"n": 1}, {"n": 2}]
    assert json.loads(second)["prev"] == told["hash"]
    assert database.journal.head.hash == json.loads(second)["hash"]


def test_a_block_that_raises_or_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    """A promotion that fails half-way leaves no half promotion."""
    database = opened(tmp_path)
    write(database, "a", "x", {"n": 1})
    before = text(database)

    def half() -> None:
        with database.transaction("edited", by=ADA):
            database.table("a").put("x", {"n": 2})  # type: ignore[attr-defined]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    write(database, "a", "x", {"n": 1})
    write(database, "a", "never there", None)
    with database.transaction("edited", by=ADA) as draft:
        draft.facts["only"] = "facts"

    assert text(database) == before
    assert rows(database, "a") == {"x": {"n": 1}}


def test_transactions_do_not_nest_in_one_thread(tmp_path: Path) -> None:
    """A verb that calls a verb inside its transaction would wait for itself for ever."""
    database, same = opened(tmp_path), opened(tmp_path)
    with database.transaction("edited", by=ADA):
        with pytest.raises(StoreError, match="open transaction"), database.transaction("edited", by=ADA):
            pass
        with pytest.raises(StoreError, match="this very thread"), same.transaction("edited", by=ADA):
            pass


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 2**63, {1: 2}, b"x", object()])
def test_what_json_cannot_carry_is_refused_and_nothing_is_written(tmp_path: Path, bad: object) -> None:
    """JSON would turn NaN into null, and a metric into nothing."""
    database = opened(tmp_path)
    with pytest.raises(BadValueError):
        write(database, "a", "x", {"deep": [{"er": bad}]})
    with pytest.raises(BadValueError):
        write(database, "a", "x", {"n": 1}, fact=bad)
    assert not database.journal.path.exists() or text(database) == b""


def test_times_never_go_back_even_if_the_clock_does(tmp_path: Path) -> None:
    """As-of is a bisect over times, so a clock set back must not disorder them."""
    now = datetime(2026, 5, 1, tzinfo=UTC)
    database = opened(tmp_path, clock=lambda: now)
    write(database, "a", "x", {"n": 1})
    now -= timedelta(days=400)
    write(database, "a", "x", {"n": 2})
    now += timedelta(days=401)
    write(database, "a", "x", {"n": 3})

    times = [json.loads(line)["at"] for line in text(database).splitlines()]
    assert times == ["2026-05-01T00:00:00.000000Z"] * 2 + ["2026-05-02T00:00:00.000000Z"]
    assert [database.journal.index_at(at) for at in ("2026-04", times[0], times[2])] == [0, 2, 3]


# readers


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


# torn tails


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


# damage


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


# failing writes


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


# threads, descriptors


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


# last lines


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


# against a simple model

DIGESTS = [sha256(bytes([i % 3])).hexdigest()[: 16 if i < 6 else 0] + f"{i:064x}"[-48:] for i in range(6)]
KEYS = st.one_of(
    st.tuples(st.just("versions"), st.integers(1, 30).map(str)),
    st.tuples(st.just("ids"), st.sampled_from(DIGESTS)),
    st.tuples(st.sampled_from(["names", "stages"]), st.text(min_size=1, max_size=3)),
)
DOCS = st.none() | st.dictionaries(st.text(max_size=3), st.integers(-9, 9) | st.text(max_size=4), max_size=3)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(KEYS, DOCS, min_size=1, max_size=4), max_size=12), st.data())
def test_a_journal_is_its_transactions_replayed(
    tmp_path_factory: pytest.TempPathFactory, transactions: list[dict[Any, Any]], data: st.DataObject
) -> None:
    """The same rows now, then, in this process and in a fresh one."""
    folder = tmp_path_factory.mktemp("journal")
    database = opened(folder)
    states: list[dict[Any, Any]] = [{}]
    for transaction in transactions:
        with database.transaction("edited", by=ADA):
            for (table, row_id), doc in transaction.items():
                database.table(table).put(row_id, doc)  # type: ignore[attr-defined]
        after = {**states[-1], **transaction}
        after = {key: doc for key, doc in after.items() if doc is not None}
        if after != states[-1]:
            states.append(after)

    for each in (database, opened(folder)):
        each.refresh()
        assert len(each.journal) == len(states) - 1
        for table in ("versions", "ids", "names", "stages"):
            expected = {row_id: doc for (name, row_id), doc in states[-1].items() if name == table}
            assert rows(each, table) == expected
            assert len(each.table(table)) == len(expected)
        before = data.draw(st.integers(0, len(states) - 1))
        for key in {key for state in states for key in state}:
            raw = each._storage.raw(*key, before=before)
            assert (None if raw is None else msgspec.json.decode(raw)) == states[before].get(key)
    assert opened(folder).refresh().journal.damage is None


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([Words, Numbers, Digests]),
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=40),
)
def test_an_index_remembers_every_line_of_a_row(kind: Any, adds: list[tuple[int, bool]]) -> None:
    """As-of needs them all, in order; a digest's may come with those of another that begins alike."""
    index = kind()
    names = [str(i * 7 + 1) for i in range(6)] if kind is Numbers else DIGESTS
    expected: dict[str, list[int]] = {}
    for line, (which, away) in enumerate(adds):
        index.add(names[which], gone(line) if away else line)
        expected.setdefault(names[which], []).append(line)
    for name in names:
        entries = index.entries(name)
        lines = [line_of(entry) for entry in entries]
        assert lines == sorted(lines)
        if kind is Digests:
            assert set(expected.get(name, [])) <= set(lines)
        else:
            assert lines == expected.get(name, [])
        assert all(took_away(entry) == adds[line_of(entry)][1] for entry in entries)
    wanted = {name[:16] for name in expected} if kind is Digests else set(expected)
    assert set(index.ids()) == wanted


def test_digests_stay_in_order_when_they_are_sorted_in() -> None:
    """Thousands of rows are sorted in batches; the lines of one row stay oldest first."""
    index, expected = Digests(), {}
    for line in range(9000):
        digest = sha256(str(line % 2500).encode()).hexdigest()
        index.add(digest, line)
        expected.setdefault(digest, []).append(line)
        index.settle()
    assert len(index._keys) >= 1024
    assert all(index.entries(digest) == lines for digest, lines in expected.items())
    assert index.entries("not hex") == []


def test_a_follower_is_told_each_line_once(tmp_path: Path) -> None:
    """An index that was told a line twice would answer as-of wrongly."""

    class Counting:
        def __init__(self) -> None:
            self.seen: list[int] = []

        def refuses(self, line: Any) -> str:
            return ""

        def apply(self, index: int, line: Any) -> None:
            self.seen.append(index)

        def settle(self) -> None: ...

        def reset(self) -> None:
            self.seen.clear()

    database = opened(tmp_path)
    follower = Counting()
    journal = Journal(database.journal.path, follower, scrap=tmp_path / "tmp")
    for n in range(4):
        write(database, "a", "x", {"n": n})
        journal.refresh()
        journal.refresh()
    assert follower.seen == [0, 1, 2, 3]
