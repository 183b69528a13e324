"""One line is one transaction: whole or not there, hashed as it was written, in the order of `seq`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from journals import ADA, opened, rows, text, write

from nbreg.errors import BadValueError, StoreError
from nbreg.store.journal import START


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
