"""A journal is its transactions replayed: against a few dictionaries, and by an index that remembers lines."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import ADA, opened, rows, write

from nbreg.store.index import Digests, Numbers, Words, gone, line_of, took_away
from nbreg.store.journal import Journal

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
