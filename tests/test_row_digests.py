"""A row of a model's input has one digest, in whatever form it is given; another row has another one."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbreg.capture.tabular import rows
from nbreg.capture.tabular.rows import DIGEST, Layout
from nbreg.errors import BadValueError
from nbreg.records import Signature

KEY = bytes(range(32))
NAMES = ("age", "plan", "spent")
LAYOUT = Layout(NAMES, 3)
ADA = {"age": 36, "plan": "pro", "spent": 12.5}


def one(row: Any, layout: Layout = LAYOUT) -> bytes:
    """The digest of a single row, given as rows are given to `who_decided`."""
    found = rows.digests(rows.one_by_position(rows.as_rows(row), layout.width), layout, KEY)
    assert len(found) == DIGEST
    return found


def cell(value: Any) -> bytes:
    return one([{"x": value}], Layout(("x",), 1))


FORMS = {
    "frame": pd.DataFrame([ADA]),
    "columns in another order": pd.DataFrame([ADA])[["spent", "age", "plan"]],
    "further columns": pd.DataFrame([{"id": 9, **ADA, "label": True}]),
    "a row of a frame": pd.DataFrame([ADA]).iloc[0],
    "text of objects": pd.DataFrame([ADA]).astype({"plan": object}),
    "a category": pd.DataFrame([ADA]).astype({"plan": "category"}),
    "pandas' own integers": pd.DataFrame([ADA]).astype({"age": "Int64"}),
    "list of lists": [[36, "pro", 12.5]],
    "one list": [36, "pro", 12.5],
    "array of objects": np.array([[36, "pro", 12.5]], dtype=object),
    "dictionary of columns": {"age": [36], "plan": ["pro"], "spent": [12.5]},
    "list of dictionaries": [{"spent": 12.5, "plan": "pro", "age": 36.0}],
    "structured array": np.array([(36, "pro", 12.5)], dtype=[("age", "i4"), ("plan", "U9"), ("spent", "f8")]),
    "a large frame's row": pd.DataFrame([ADA] * 200)[:1],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_row_has_one_digest_in_every_form(form: str) -> None:
    """A server is asked in JSON, an auditor has a CSV file: it is the same row."""
    assert one(FORMS[form]) == one(ADA)


def test_frames_of_other_libraries_are_spelled_alike() -> None:
    """Who serves with polars or arrow is found by who asks with pandas."""
    polars, arrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")

    assert one(polars.DataFrame([ADA])) == one(ADA) == one(arrow.Table.from_pylist([ADA]))


def test_many_rows_have_the_digests_that_each_has_alone() -> None:
    """Vectorised or one by one, numbers alone or mixed: how many come at once does not matter."""
    frame = pd.DataFrame(
        {
            "age": np.arange(500),
            "plan": [f"plan {i % 7}" for i in range(500)],
            "spent": np.linspace(-1, 1, 500),
        }
    )
    frame.loc[3, "spent"] = math.nan
    frame.loc[4, "plan"] = None
    together = rows.digests(frame, LAYOUT, KEY)

    assert [together[i * DIGEST :][:DIGEST] for i in range(500)] == [
        one(frame[i : i + 1]) for i in range(500)
    ]
    assert len({together[i * DIGEST :][:DIGEST] for i in range(500)}) == 500


NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=True), st.booleans()
)


@given(a=NUMBERS, b=NUMBERS)
@settings(deadline=None)
def test_numbers_have_one_digest_exactly_if_they_are_equal(a: float, b: float) -> None:
    """Also large ids, which are equal as float64 and are not the same customer."""
    assert (cell(a) == cell(b)) == (a == b)


@given(st.lists(st.floats(width=64), min_size=1, max_size=8))
@settings(deadline=None)
def test_numbers_in_an_array_are_spelled_as_those_in_a_list(values: list[float]) -> None:
    """The quick way of an array of numbers and the way of one cell at a time agree, whatever the number."""
    layout = Layout((), len(values))

    assert one(np.array([values]), layout) == one([values], layout)


@pytest.mark.parametrize(
    ("value", "same"),
    [
        (2**60, 2.0**60), (10**18, Decimal(10**18)), (3, 3.0), (3, np.int8(3)), (3, np.uint64(3)), (True, 1), (0.0, -0.0), (2.5, np.float32(2.5)),
        (Decimal("0.1"), 0.1), (None, math.nan), (None, pd.NA), (None, pd.NaT), (None, np.datetime64("NaT")),
        ("pro", np.str_("pro")), (b"ab", bytearray(b"ab")), ([1, 2], np.array([1, 2])),
        (pd.Timestamp("2026-02-09T10:00:00.000001"), dt.datetime(2026, 2, 9, 10, 0, 0, 1)),
        (pd.Timestamp("2026-02-09T11:00+01:00"), dt.datetime(2026, 2, 9, 10, tzinfo=dt.UTC)),
        (np.datetime64("2026-02-09"), dt.date(2026, 2, 9)), (pd.Timedelta("1D"), dt.timedelta(days=1)),
        (np.datetime64("2026-02-09T10:00:00.123456789"), pd.Timestamp("2026-02-09T10:00:00.123456789")),
    ],
)  # fmt: skip
def test_equal_values_of_two_types_are_one(value: Any, same: Any) -> None:
    """What a library made of a value on its way is not what was decided about."""
    assert cell(value) == cell(same)


@pytest.mark.parametrize(
    ("value", "other"),
    [
        (10**400, 10**401), (2**60 + 1, 2.0**60), (3, "3"), ("", None), (0, None), (2**53, 2**53 + 1), (0.1, np.float32(0.1)), ("a", b"a"),
        (dt.date(2026, 2, 9), "2026-02-09"), (pd.Timestamp(1), pd.Timestamp(2)), ([1, 2], [2, 1]),
        ("a", "A"), (math.inf, -math.inf),
    ],
)  # fmt: skip
def test_other_values_have_another_digest(value: Any, other: Any) -> None:
    """No row is blamed for another one's decision."""
    assert cell(value) != cell(other)


def test_large_whole_numbers_in_a_column_are_exact() -> None:
    """Two customers whose ids differ in the last of 18 digits are two, in a frame as well."""
    frame = pd.DataFrame({"x": [2**60, 2**60 + 1]})
    found = rows.digests(frame, Layout(("x",), 1), KEY)

    assert found == cell(2**60) + cell(2**60 + 1)
    many = pd.DataFrame({"x": [2**60 + i for i in range(100)]})
    assert rows.digests(many, Layout(("x",), 1), KEY)[:DIGEST] == cell(2**60)


def test_values_cannot_slide_into_the_next_cell() -> None:
    """`("ab", "c")` is not `("a", "bc")`: lengths are part of the spelling."""
    layout = Layout((), 2)

    assert one([["ab", "c"]], layout) != one([["a", "bc"]], layout)
    assert one([["1", 2]], layout) != one([[1, "2"]], layout)


def test_columns_are_part_of_what_is_digested() -> None:
    """The same numbers under other names are another question to another model."""
    assert one([[1, 2]], Layout(("a", "b"), 2)) != one([[1, 2]], Layout(("b", "a"), 2))


def test_another_key_gives_other_digests() -> None:
    """Who has the files without the key cannot try out which row it was."""
    frame = pd.DataFrame([ADA])

    assert rows.digests(frame, LAYOUT, KEY) != rows.digests(frame, LAYOUT, bytes(32))


def test_texts_and_images_are_rows_too() -> None:
    """A list of texts has a row for each; an array of images one for each image."""
    images = np.arange(24.0).reshape(2, 3, 4)

    assert len(rows.digests(["good", "bad"], Layout((), 1), KEY)) == 2 * DIGEST
    found = rows.digests(images, Layout((), 12), KEY)
    assert found[DIGEST:] == rows.digests(images[1:], Layout((), 12), KEY)


def test_a_sparse_row_is_the_same_row() -> None:
    """The zeros that a matrix leaves out are zeros."""
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.array([[0.0, 1.0, 0.0], [2.0, 0.0, 3.0]])

    assert rows.digests(sparse.csr_matrix(dense), Layout((), 3), KEY) == rows.digests(
        dense, Layout((), 3), KEY
    )


def test_no_rows_have_no_digests() -> None:
    """An empty frame is an answer about nobody."""
    assert rows.digests(pd.DataFrame([ADA])[:0], LAYOUT, KEY) == b""
    assert rows.digests(np.empty((0, 3)), Layout((), 3), KEY) == b""


@pytest.mark.parametrize("value", [object(), 3, {"age": 1}, [{"age": 1}], np.zeros((1, 2)), [[object()] * 3]])
def test_what_cannot_be_spelled_is_refused(value: Any) -> None:
    """Nothing is written down that nobody could find again."""
    with pytest.raises(BadValueError):
        rows.digests(rows.as_rows(value), LAYOUT, KEY)


def test_a_layout_is_the_signature_s_and_else_the_rows_own() -> None:
    """Names where the version knows them, a width where it was trained on an array."""
    named = Signature(inputs=[{"name": name, "type": "float64"} for name in NAMES])
    wide = Signature(inputs=[{"name": "", "type": "float64", "shape": [-1, 3]}])
    frame = pd.DataFrame([ADA])

    assert rows.layout_of(named, np.zeros((1, 3))) == LAYOUT
    assert rows.layout_of(wide, frame) == Layout((), 3)
    assert rows.layout_of(None, frame) == LAYOUT
    assert rows.layout_of(None, np.zeros((4, 2, 5))) == Layout((), 10)
