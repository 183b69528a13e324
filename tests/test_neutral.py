"""Values on their way to another environment: plain words and buffers, which any release reads alike."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

from nbreg.errors import BadInputError
from nbreg.families import neutral

FRAME = pd.DataFrame(
    {
        "int": [1, 2, 3],
        "float": [1.0, np.nan, -np.inf],
        "text": ["x", None, "ü"],
        "kind": pd.Categorical(["u", "v", "u"], categories=["v", "u"], ordered=True),
        "number": pd.Categorical([3, 4, None]),
        "day": pd.to_datetime(["2026-01-01", None, "2026-03-29"]),
        "moment": pd.to_datetime(["2026-01-01 00:00", None, "2026-03-29 01:30"]).tz_localize("Europe/Berlin"),
        "count": pd.array([1, None, 3], dtype="Int64"),
        "flag": pd.array([True, None, False], dtype="boolean"),
        "ratio": pd.array([1.5, None, 3], dtype="Float32"),
        "string": pd.array(["a", None, "c"], dtype="string"),
        "any": pd.Series([1, "a", None], dtype=object),
        "texts": pd.Series(["a", "b", "c"], dtype=object),
        "nan": pd.arrays.FloatingArray(np.array([np.nan, 1.0, 2.0]), np.array([False, True, False])),
        "took": pd.to_timedelta([1, 2, 3], unit="s"),
    }
)
FRAMES = {
    "columns": FRAME,
    "indexed": FRAME.set_index("moment"),
    "levels": FRAME.set_index(["kind", "int"]),
    "block": pd.DataFrame(np.arange(12.0).reshape(3, 4), columns=list("abcd")),
    "by columns": pd.DataFrame(np.asfortranarray(np.arange(12.0).reshape(3, 4))),
    "steps": pd.DataFrame(
        {"a": range(3)}, index=pd.date_range("2026", periods=3, freq="ME", tz="Europe/Berlin")
    ),
    "steps of columns": pd.DataFrame([[1, 2]], columns=pd.timedelta_range("1h", periods=2, freq="90min")),
    "no rows": FRAME.iloc[:0],
    "nothing": pd.DataFrame(),
    "same names": pd.DataFrame([[1, "a"]], columns=["x", "x"]),
    "tuples": pd.DataFrame({("a", "b"): [1], ("a", "c"): ["2"]}),
}
ARRAYS = [
    np.arange(6).reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(20)[::-3],
    np.array(5, dtype="float16"),
    np.array(["a", "bb"]),
    np.array([b"", b"x"]),
    np.array(["a", None, 1.5], dtype=object),
    np.empty((0, 3)),
    np.array(["2026-01-01", "NaT"], dtype="M8[D]"),
    np.arange(3).astype(">f8"),
    np.array([1j, 2]),
    np.zeros((2, 2), dtype=bool),
]
VALUES = [
    None,
    True,
    2**63 - 1,
    2**80,
    -(2**70),
    float("inf"),
    "ü",
    b"\0x",
    [1, [2, (3,)], {"a": {1, 2}, (1, 2): frozenset([3])}],
    datetime(2026, 1, 1, 12, tzinfo=UTC),
    date(2026, 1, 1),
    timedelta(1, 2, 3),
    1 + 2j,
    Decimal("1.50"),
    np.float32(2),
    np.str_("ab"),
    np.str_(""),
    np.datetime64("2026"),
    np.bool_(True),
    pd.Timestamp("2026-01-01 00:00:00.000000001", tz="UTC"),
    pd.Timestamp("2026-07-25 02:30", tz="Europe/Berlin"),
    pd.Timestamp("2026-01-01"),
    pd.Timedelta("1h"),
]


def passed_on(value: object) -> Any:
    """The value after the way that it takes between two processes."""
    packed = neutral.pack(value)
    tree = msgspec.msgpack.decode(msgspec.msgpack.encode(packed.tree))
    return neutral.unpack(tree, [bytearray(each) for each in packed.buffers])


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_comes_back_as_it_was(name: str) -> None:
    """Types, missing values, zones, categories and their order, and names that stand twice."""
    frame = FRAMES[name]

    pd.testing.assert_frame_equal(passed_on(frame), frame)
    for at in range(frame.shape[1]):
        column = frame.iloc[:, at]
        pd.testing.assert_series_equal(passed_on(column), column)


@pytest.mark.parametrize("array", ARRAYS, ids=lambda each: f"{each.dtype}{each.shape}")
def test_an_array_comes_back_as_it_was(array: Any) -> None:
    """Elements, type, shape and order; and it may be written to, as a result of one's own."""
    found = passed_on(array)

    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert np.array_equal(found, array, equal_nan=array.dtype.kind in "fcM")
    assert found.flags.writeable
    if array.ndim == 2:
        assert found.flags.f_contiguous == array.flags.f_contiguous


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    """Also what JSON has no word for."""
    found = passed_on(value)

    assert type(found) is type(value)
    assert found == value
    assert str(getattr(found, "tz", None)) == str(getattr(value, "tz", None))


def test_what_is_missing_stays_missing() -> None:
    """These three are equal to nothing, themselves included."""
    assert passed_on(pd.NA) is pd.NA
    assert passed_on(pd.NaT) is pd.NaT
    assert np.isnan(passed_on(float("nan")))


@pytest.mark.parametrize("form", ["csr_matrix", "csc_matrix", "coo_matrix", "csr_array", "csc_array"])
def test_a_sparse_matrix_stays_sparse(form: str) -> None:
    """The words of a million texts are never written out in full."""
    matrix = getattr(sp, form)(np.eye(4)[:, :3])

    found = passed_on(matrix)

    assert type(found) is type(matrix)
    assert (found.toarray() == matrix.toarray()).all()


def test_a_frame_of_polars_stays_one() -> None:
    """It goes as Arrow's own bytes."""
    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"]})

    assert passed_on(frame).equals(frame)
    assert passed_on(frame["b"]).equals(frame["b"])


def test_large_arrays_are_not_copied_to_be_sent() -> None:
    """A frame that just fits into memory can still be asked about."""
    array = np.zeros((1000, 10))
    frame = pd.DataFrame(array, copy=False)

    for value in (array, array.T, frame):
        (buffer,) = neutral.pack(value).buffers
        assert np.shares_memory(np.frombuffer(buffer, "u1"), array)


NOT_PASSED = {
    "object": object(),
    "MaskedArray": np.ma.array([1]),
    "function": lambda: None,
    "OrderedDict": __import__("collections").OrderedDict(),
    "array of": np.zeros(2, dtype=[("a", int)]),
}


@pytest.mark.parametrize("name", NOT_PASSED)
def test_what_has_no_neutral_form_is_refused(name: str) -> None:
    """Half of a value, or a value of another type, would be worse than none."""
    with pytest.raises(BadInputError, match=name):
        neutral.pack([NOT_PASSED[name]])


def test_a_value_inside_of_itself_is_refused() -> None:
    """It has no end."""
    value: list[Any] = []
    value.append(value)

    with pytest.raises(BadInputError, match="nested that deep"):
        neutral.pack(value)


GARBLED = {
    "objects for elements": (["array", "|O", [1], "C", 0], [b"\0" * 8]),
    "more shape than elements": (["array", "<f8", [2**40], "C", 0], [b"\0" * 8]),
    "a shape without elements": (["array", "<f8", [3], "C", 0], [b""]),
    "a negative shape": (["array", "<f8", [-1, -1], "C", 0], [b"\0" * 8]),
    "no such buffer": (["array", "<f8", [1], "C", 7], []),
    "a type with names": (["array", "i4,O", [1], "C", 0], [b"\0" * 12]),
    "an index outside": (
        [
            "sparse",
            "csr_matrix",
            [1, 2],
            [
                ["array", "<f8", [1], "C", 0],
                ["array", "<i4", [1], "C", 1],
                ["array", "<i4", [2], "C", 2],
            ],
        ],
        [np.ones(1).tobytes(), np.array([9], "i4").tobytes(), np.array([0, 1], "i4").tobytes()],
    ),
    "a code outside": (
        ["category", ["array", "|i1", [1], "C", 0], ["objects", [1], ["a"]], False],
        [b"\5"],
    ),
    "another word": (["exec", "import os"], []),
    "another matrix": (["sparse", "load_npz", [1], []], []),
}


@pytest.mark.parametrize("name", GARBLED)
def test_what_was_not_packed_is_not_believed(name: str) -> None:
    """A process that a model has broken may answer anything: that is an error, and no crash of the notebook."""
    tree, buffers = GARBLED[name]

    with pytest.raises((ValueError, TypeError)):
        neutral.unpack(tree, [bytearray(each) for each in buffers])


def test_the_neutral_form_brings_no_library() -> None:
    """The process on the other side has what its version recorded, and perhaps no pandas."""
    code = "import sys; from nbreg.families import neutral; neutral.pack([1, 'a']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert {"numpy", "pandas", "polars", "scipy", "tinydb"}.isdisjoint(done.stdout.split())
