"""Attacks by the forms that are no pickle's: columns that do not fit, and Arrow's bytes."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from assembler import Does, built, called, named, number, stream, text
from figures import Pickled, alone, dumped

from nbreg.families import tables

TABLE = pa.table({"s": ["a", "bc", None], "n": [1, 2, 3], "d": pa.array(["x", "y", "x"]).dictionary_encode()})
ONE = Does(tables.labels, np.array(["a"], object), None)
THREE = Does(tables.span, 0, 3, 1, None)
LONG = Does(tables.span, 0, 1 << 32, 1, None)
_UNMADE = called(
    named("numpy._core.multiarray", "_reconstruct"), named("numpy", "ndarray"), b"K\x00\x85", b"C\x01b"
)


INNER = pa.field(
    "item", pa.int64(), metadata={"ARROW:extension:name": "x", "ARROW:extension:metadata": "cos"}
)
EXTENDED = pa.table({"a": pa.array([[1]], pa.list_(INNER))})


def arrow(table: pa.Table = TABLE) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def made(maker: Callable[..., Any], *args: Any) -> Callable[[], Pickled]:
    return lambda: dumped(Does(maker, *args))


def changed(old: bytes, new: bytes) -> Callable[[], Pickled]:
    data = arrow()
    assert old in data
    return made(tables.arrow, data.replace(old, new), "table")


def deep() -> tuple[Any, ...]:
    value: tuple[Any, ...] = ("a",)
    for _ in range(60):
        value = (value, value)
    return value


def holding(value: Any) -> Any:
    """An array of one object; numpy would look into it otherwise."""
    array = np.empty(1, object)
    array[0] = value
    return array


def repeated(value: Any, times: int) -> Any:
    """An array of one object many times, which costs a stream two bytes each."""
    array = np.empty(times, object)
    array[:] = [value] * times
    return array


def mutants(count: int) -> list[bytes]:
    """Arrow's bytes with a few others in them, always the same ones."""
    chance, data = random.Random(0), arrow()
    found = []
    for _ in range(count):
        each = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8))):
            each[chance.randrange(len(each))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        found.append(bytes(each))
    return found


ATTACKS: dict[str, Callable[[], Pickled]] = {
    "texts longer than they are": made(tables.text, b"ab", np.array([1 << 30], "i4"), None, "python", True),
    "texts of negative lengths": made(tables.text, b"ab", np.array([4, -2], "i4"), None, "python", True),
    "texts that are no text": made(tables.text, b"\xff\xff", np.array([2], "i4"), None, "python", True),
    "more missing texts than texts": made(
        tables.text, b"ab", np.array([2], "i4"), np.ones(9, bool), "python", True
    ),
    "a category beyond the categories": made(tables.categorical, np.array([1 << 30], "i8"), ONE, False),
    "a negative category": made(tables.categorical, np.array([-7], "i1"), ONE, False),
    "a level beyond the levels": made(tables.nested, (ONE,), (np.array([9], "i1"),), ("a",)),
    "fewer levels than names": made(tables.nested, (ONE,), (np.array([0], "i1"),), ("a", "b")),
    "levels of other lengths": made(
        tables.nested, (ONE, ONE), (np.array([0], "i1"), np.array([0, 0], "i1")), (None, None)
    ),
    "columns of other lengths": made(tables.frame, (np.zeros(2), np.zeros(3), np.zeros(3)), THREE, THREE, {}, False),
    "fewer columns than names": made(tables.frame, (np.zeros(3),), THREE, THREE, {}, False),
    "rows without end": made(
        tables.series, np.zeros(3), None, Does(tables.span, 0, 1 << 62, 1, None), {}, False
    ),
    "a range without end, backwards": made(tables.span, 1 << 70, 0, -1, None),
    "a range without a step": made(tables.span, 0, 9, 0, None),
    "more missing numbers than numbers": made(tables.nullable, np.zeros(1), np.ones(1 << 10, bool)),
    "missing numbers of objects": made(tables.nullable, np.array([1], object), np.ones(1, bool)),
    "a period beyond all years": made(tables.periods, np.array([1 << 62]), "D"),
    "one period beyond all years": made(tables.period, -(1 << 62), "ns"),
    "a step that is a program": made(tables.periods, np.array([1]), "__import__('os').system('true')"),
    "a step that time does not have": made(tables.stepped, np.array([0, 5], "M8[ns]"), "D", None),
    "a zone that is a file": made(tables.zone, "../../../../etc/passwd"),
    "a zone that is a file's name": made(tables.zone, "/etc/passwd"),
    "a zone in a folder without end": made(tables.zone, "a/" * 100_000 + "a"),
    "a label that is slow to hash": made(tables.labels, holding(deep()), None),
    "a label that is slow to hash, in a column": made(
        tables.categorical, np.zeros(1, "i1"), Does(tables.labels, Does(tables.wrapped, holding(deep())), None), False
    ),
    "one long label many times": made(tables.labels, repeated(tuple(range(100_000)), 100_000), None),
    "one long name many times": made(tables.nested, (ONE,), (np.zeros(1, "i1"),), (tuple(range(100_000)),) * 100_000),
    "a level that is written out": made(tables.nested, (LONG,), (np.zeros(1, "i1"),), (None,)),
    "categories that are written out": made(tables.categorical, np.zeros(1, "i1"), LONG, False),
    "intervals that are written out": made(tables.intervals, LONG, LONG, "left"),
    "a type of categories that are written out": made(tables.category_type, LONG, False),
    "a name that is slow to hash": made(tables.labels, np.array(["a"], object), deep()),
    "a label that can be changed": made(tables.labels, holding(["a"]), None),
    "an index of records": made(tables.labels, np.zeros(1, [("a", "i4")]), None),
    "an index of bytes": made(tables.labels, b"abc", None),
    "intervals with one end": made(tables.intervals, ONE, THREE, "left"),
    "a type that is none": made(tables.nullable_type, "object"),
    "a unit that is none": made(tables.moment, 1, "fortnight", None),
    "a time that is none": made(tables.moment, 1 << 80, "ns", None),
    "a maker that is made": lambda: alone(pickle.dumps(Does(object.__new__, tables.frame), 5)),
    "a maker of another name": lambda: alone(stream(called(named("nbreg.families.tables", "_library"), text("os")))),
    "a maker's module's module": lambda: alone(stream(called(named("nbreg.families.tables", "sys.exit"), number(1)))),
    "an array that is not made yet": lambda: alone(
        stream(called(named("nbreg.families.tables", "labels"), _UNMADE, pickle.NONE))
    ),
    "a frame that is filled": lambda: alone(
        stream(
            built(
                called(named("nbreg.families.tables", "missing"), text("NA")),
                pickle.EMPTY_DICT,
            )
        )
    ),
    "a frame of Polars'": made(tables.polars, b"ARROW1", "frame"),
    "Arrow's bytes cut off": made(tables.arrow, arrow()[:-40], "table"),
    "no bytes of Arrow's": made(tables.arrow, b"", "table"),
    "Arrow's bytes of absurd lengths": made(tables.arrow, b"\xff\xff\xff\xff\xff\xff\xff\x7f" + bytes(64), "table"),
    "texts of Arrow's beyond their memory": changed(
        np.array([0, 1, 3, 3], "i4").tobytes(), np.array([0, 1, 1 << 30, 1 << 30], "i4").tobytes()
    ),
    "a dictionary's place beyond it": changed(
        np.array([0, 1, 0], "i4").tobytes(), np.array([0, 1 << 20, 0], "i4").tobytes()
    ),
    "a type of Arrow's that a class of others makes": made(tables.arrow, arrow(EXTENDED), "table"),
    "the same in a schema": made(tables.schema, EXTENDED.schema.serialize().to_pybytes()),
    "a kind that is none": made(tables.arrow, arrow(), "pickle"),
    "a schema that is none": made(tables.schema, b"\xff" * 64),
}  # fmt: skip
assert pd.__version__  # the makers import it in the victim's process otherwise, which has little memory
