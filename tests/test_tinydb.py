"""TinyDB over a journal: all of its verbs, none of its whole-file rewriting."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import tinydb
from children import start
from tinydb import TinyDB, where
from tinydb.operations import delete, increment
from tinydb.table import Document, Table
from tinydb.utils import LRUCache

from nbreg.errors import BadValueError, StoreError
from nbreg.records import Actor
from nbreg.store.tiny import JournalDB, JournalStorage, JournalTable

ADA = Actor(user="ada")


@pytest.fixture
def database(tmp_path: Path) -> JournalDB:
    return JournalDB(tmp_path / "journal.jsonl", scrap=tmp_path / "tmp")


@pytest.fixture
def fruit(database: JournalDB) -> JournalTable:
    """Three documents in a table."""
    table = database.table("fruit")
    table.insert_multiple(
        [
            Document({"kind": "apple", "n": 1}, doc_id="a"),
            Document({"kind": "pear", "n": 2}, doc_id="b"),
            Document({"kind": "apple", "n": 3}, doc_id="c"),
        ]
    )
    return table


def lines(database: JournalDB) -> int:
    path = database.journal.path
    return path.read_bytes().count(b"\n") if path.exists() else 0


def fresh(database: JournalDB) -> JournalTable:
    """The same table as another process sees it."""
    return JournalDB(database.journal.path, scrap=database.journal.path.parent / "tmp").table("fruit")


# reading


def test_every_reading_verb_reads(database: JournalDB, fruit: JournalTable) -> None:
    """Whoever knows TinyDB knows the store."""
    assert {each.doc_id: each["n"] for each in fruit.all()} == {"a": 1, "b": 2, "c": 3}
    assert [each.doc_id for each in fruit] == ["a", "b", "c"]
    assert len(fruit) == 3
    assert [each["n"] for each in fruit.search(where("kind") == "apple")] == [1, 3]
    assert fruit.search(where("kind") == "plum") == []
    assert fruit.get(doc_id="b") == {"kind": "pear", "n": 2}
    assert fruit.get(doc_id="z") is None
    assert [each.doc_id for each in fruit.get(doc_ids=["c", "a", "z"])] == ["a", "c"]
    found = fruit.get(where("n") > 1)
    assert isinstance(found, Document)
    assert (found.doc_id, type(found.doc_id)) == ("b", str)
    assert fruit.get(where("n") > 9) is None
    assert fruit.contains(where("n") == 3)
    assert not fruit.contains(where("n") == 4)
    assert fruit.contains(doc_id="a")
    assert not fruit.contains(doc_id="z")
    assert fruit.count(where("kind") == "apple") == 2
    assert database.tables() == {"fruit"}
    assert len(database.table("empty")) == 0
    assert database.table("empty").all() == []
    assert lines(database) == 1


def test_the_default_table_is_reached_through_the_database(database: JournalDB) -> None:
    """TinyDB hands unknown names on to it."""
    database.insert(Document({"n": 1}, doc_id="x"))
    assert database.get(doc_id="x") == {"n": 1}
    assert database.tables() == {"_default"}
    assert len(database) == 1


def test_a_document_is_a_copy(fruit: JournalTable) -> None:
    """Changing what was read changes nothing stored, and no other reader's copy."""
    fruit.update({"deep": {"list": [1]}}, doc_ids=["a"])
    first, second = fruit.get(doc_id="a"), fruit.get(doc_id="a")
    first["deep"]["list"].append(2)
    first["kind"] = "worm"
    for each in fruit.all():
        each["n"] = 0
    assert second["deep"]["list"] == [1]
    assert fruit.get(doc_id="a") == {"kind": "apple", "n": 1, "deep": {"list": [1]}}


def test_what_is_inserted_is_copied_too(database: JournalDB, fruit: JournalTable) -> None:
    """A list that the caller goes on using is not the store's."""
    mine = {"list": [1]}
    with database.transaction("edited", by=ADA):
        fruit.insert(Document(mine, doc_id="d"))
        mine["list"].append(2)
        assert fruit.get(doc_id="d") == {"list": [1]}
        fruit.get(doc_id="d")["list"].append(3)
    assert fresh(database).get(doc_id="d") == {"list": [1]}


# writing


def test_every_writing_verb_is_one_line(database: JournalDB, fruit: JournalTable) -> None:
    """One verb, one transaction, one event; a fresh reader sees the same."""

    def state() -> dict[str, Any]:
        seen = {each.doc_id: dict(each) for each in fruit}
        assert seen == {each.doc_id: dict(each) for each in fresh(database)}
        return seen

    def after(result: Any, expected: Any, count: int) -> None:
        assert result == expected
        assert lines(database) == count

    after(fruit.insert(Document({"n": 4}, doc_id="d")), "d", 2)
    after(
        fruit.insert_multiple([Document({"n": i}, doc_id=f"e{i}") for i in range(3)]), ["e0", "e1", "e2"], 3
    )
    after(fruit.update({"sold": True}, where("n") == 4), ["d"], 4)
    after(fruit.update(increment("n"), doc_ids=["a", "z"]), ["a"], 5)
    after(fruit.update(lambda doc: doc.pop("kind", None), where("kind") == "pear"), ["b"], 6)
    after(fruit.update(delete("kind"), doc_ids=["c"]), ["c"], 7)
    after(fruit.update({"seen": 1}), ["a", "b", "c", "d", "e0", "e1", "e2"], 8)
    after(fruit.update_multiple([({"n": 50}, where("n") == 0), ({"n": 60}, where("n") == 4)]), ["d", "e0"], 9)
    after(fruit.upsert({"big": True}, where("n") > 40), ["d", "e0"], 10)
    after(fruit.upsert(Document({"n": 7}, doc_id="f")), ["f"], 11)
    after(fruit.upsert(Document({"n": 8}, doc_id="f")), ["f"], 12)
    assert state()["f"] == {"n": 8}
    assert state()["a"] == {"kind": "apple", "n": 2, "seen": 1}
    assert state()["d"] == {"n": 60, "sold": True, "seen": 1, "big": True}
    after(fruit.remove(where("big").exists()), ["d", "e0"], 13)
    after(fruit.remove(doc_ids=["f", "z"]), ["f"], 14)
    assert set(state()) == {"a", "b", "c", "e1", "e2"}
    after(fruit.truncate(), None, 15)
    assert state() == {}
    after(fruit.insert(Document({"n": 9}, doc_id="a")), "a", 16)
    assert state() == {"a": {"n": 9}}


def test_unchanged_documents_write_nothing(database: JournalDB, fruit: JournalTable) -> None:
    """Setting what is set already is no event."""
    fruit.update({"n": 1}, doc_ids=["a"])
    fruit.update(lambda doc: None)
    fruit.update({"n": 9}, where("n") == 100)
    fruit.upsert(Document({"n": 2}, doc_id="b"))
    fruit.update_multiple([({"kind": "pear"}, where("kind") == "pear")])
    assert fruit.remove(doc_ids=["z"]) == []
    assert fruit.remove(where("n") == 100) == []
    assert fruit.insert_multiple([]) == []
    database.table("empty").truncate()
    assert lines(database) == 1
    fruit.update({"n": 5}, where("kind") == "apple")
    assert database.journal.line(1).keys == [("fruit", "a"), ("fruit", "c")], "only what changed is written"


def test_deletes_are_tombstones_and_history_stays(database: JournalDB, fruit: JournalTable) -> None:
    """What was, can still be asked for."""
    fruit.remove(doc_ids=["a"])
    fruit.insert(Document({"n": 99}, doc_id="a"))
    fruit.truncate()
    storage = database._storage
    assert [storage.raw("fruit", "a", before=n) for n in (0, 2, 4)] == [None, None, None]
    assert bytes(storage.raw("fruit", "a", before=1) or b"") == b'{"kind":"apple","n":1}'
    assert bytes(storage.raw("fruit", "a", before=3) or b"") == b'{"n":99}'
    assert database.history("fruit", "a") == [0, 1, 2, 3]


def test_several_verbs_in_a_transaction_are_one_line(database: JournalDB, fruit: JournalTable) -> None:
    """They see each other's changes before anyone else does."""
    with database.transaction("mixed", by=ADA):
        fruit.remove(doc_ids=["a"])
        fruit.insert(Document({"n": 10}, doc_id="d"))
        fruit.update(increment("n"))
        database.table("other").insert(Document({"x": 1}, doc_id="y"))
        assert {each.doc_id: each["n"] for each in fruit} == {"b": 3, "c": 4, "d": 11}
        assert len(fruit) == 3
        assert database.tables() == {"fruit", "other"}
        assert {each.doc_id for each in fresh(database)} == {"a", "b", "c"}
    assert lines(database) == 2
    assert {each.doc_id: each["n"] for each in fresh(database)} == {"b": 3, "c": 4, "d": 11}


def test_an_updater_that_raises_changes_nothing(database: JournalDB, fruit: JournalTable) -> None:
    """As a statement that fails in a database."""

    def second_fails(doc: Any) -> None:
        if doc["n"] == 2:
            raise ZeroDivisionError
        doc["n"] = 100

    with pytest.raises(ZeroDivisionError):
        fruit.update(second_fails)
    with pytest.raises(ValueError, match="already exists"):
        fruit.insert_multiple([Document({}, doc_id="new"), Document({}, doc_id="a")])
    with pytest.raises(BadValueError, match="nan"):
        fruit.update({"n": float("nan")}, doc_ids=["a"])
    assert lines(database) == 1
    assert {each["n"] for each in fruit} == {1, 2, 3}


# refused


def test_a_document_needs_an_id_of_its_own(database: JournalDB, fruit: JournalTable) -> None:
    """Two kernels would count to the same number."""
    for refused in (
        lambda: fruit.insert({"n": 1}),
        lambda: fruit.insert_multiple([{"n": 1}]),
        lambda: fruit.upsert({"n": 1}, where("n") == 100),
        lambda: fruit.insert(Document({"n": 1}, doc_id=5)),
        lambda: fruit.insert(Document({"n": 1}, doc_id="")),
    ):
        with pytest.raises(BadValueError, match="id"):
            refused()
    assert lines(database) == 1


def test_whole_writes_and_dropped_tables_are_refused(database: JournalDB, fruit: JournalTable) -> None:
    """History is never dropped, by no verb."""
    for refused in (
        database.drop_tables,
        lambda: database.drop_table("fruit"),
        lambda: database.storage.write({}),
        lambda: database.storage.write({"fruit": {"a": {}}}),
    ):
        with pytest.raises(StoreError, match="cannot be overwritten"):
            refused()
    database.drop_table("never there")
    assert len(database.table("fruit")) == 3
    assert lines(database) == 1


# other processes


def test_a_query_never_answers_from_before_another_process_wrote(
    database: JournalDB, fruit: JournalTable
) -> None:
    """TinyDB's query cache would: the third promotion of the day would read yesterday's holder."""
    query = where("kind") == "plum"
    assert fruit.search(query) == []
    child = start(
        """
from nbreg.records import Actor
from nbreg.store.tiny import Document, JournalDB
path = Path(sys.argv[1])
table = JournalDB(path, scrap=path.parent / "tmp").table("fruit")
for n, _ in enumerate(sys.stdin):
    table.insert(Document({"kind": "plum", "n": n}, doc_id=f"p{n}"))
    print(n, flush=True)
""",
        database.journal.path,
    )
    with child:
        assert child.stdin
        assert child.stdout
        for n in range(3):
            print("next", file=child.stdin, flush=True)
            assert child.stdout.readline().strip() == str(n)
            assert len(fruit.search(query)) == fruit.count(query) == n + 1
            assert fruit.contains(doc_id=f"p{n}")
            assert len(fruit) == 4 + n
        child.stdin.close()


def test_the_query_cache_is_off_however_it_is_asked_for(database: JournalDB) -> None:
    """A class attribute does nothing in TinyDB, so it is forced where the table is made."""
    for table in (
        database.table("a"),
        database.table("b", cache_size=50),
        JournalTable(database._storage, "c", cache_size=50),
    ):
        table.insert(Document({"n": 1}, doc_id="x"))
        table.search(where("n") == 1)
        assert table._query_cache.capacity == 0
        assert len(table._query_cache) == 0


# what is relied on of TinyDB itself


def test_tinydb_is_what_the_store_was_built_on() -> None:
    """If an upgrade changes one of these, it shows here and not in a registry."""
    assert issubclass(JournalDB, TinyDB)
    assert JournalDB.default_storage_class is JournalStorage
    assert JournalDB.table_class is JournalTable
    assert tinydb.__version__.startswith("4.")
    parameters = list(inspect.signature(Table.__init__).parameters)
    assert parameters == ["self", "storage", "name", "cache_size", "persist_empty"]
    for name in ("_update_table", "_read_table", "_get_next_id"):
        assert callable(getattr(Table, name))
    assert list(inspect.signature(Table._update_table).parameters) == ["self", "updater"]


def test_tinydbs_verbs_all_go_through_the_two_methods_that_are_replaced() -> None:
    """A new verb of TinyDB that wrote by itself would go round the journal."""
    source = inspect.getsource(Table)
    body = source.replace(inspect.getsource(Table._update_table), "").replace(
        inspect.getsource(Table._read_table), ""
    )
    assert "_storage.write" not in body
    assert "_storage.read" not in body
    public = {name for name in vars(Table) if not name.startswith("_")}
    assert public == {
        "all", "clear_cache", "contains", "count", "default_query_cache_capacity", "document_class",
        "document_id_class", "get", "insert", "insert_multiple", "name", "query_cache_class", "remove",
        "search", "storage", "truncate", "update", "update_multiple", "upsert",
    }  # fmt: skip


def test_tinydb_copies_documents_and_asks_the_cache_first(tmp_path: Path) -> None:
    """The two reasons for the store's own table: TinyDB shares nested values, and remembers answers."""
    from tinydb.storages import MemoryStorage

    upstream = TinyDB(storage=MemoryStorage)
    upstream.insert({"list": [1]})
    upstream.all()[0]["list"].append(2)
    assert upstream.all()[0]["list"] == [1, 2]
    assert Table.default_query_cache_capacity > 0
    cache: LRUCache[str, int] = LRUCache(capacity=0)
    cache["x"] = 1
    assert len(cache) == 0
