"""Tables as artifacts and inside models: equal to the last type, and read without anybody's word."""

from __future__ import annotations

import datetime as dt
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal, assert_index_equal, assert_series_equal
from sklearn.preprocessing import OrdinalEncoder

from nbreg import Registry, families
from nbreg.errors import DamagedObjectError, TrustError
from nbreg.families import tables
from nbreg.families.pickles import inspection
from nbreg.settings import Settings

BERLIN = "Europe/Berlin"
DAYS = pd.date_range("2026-01-01", periods=3, freq="D")
FRAME = pd.DataFrame(
    {
        "count": [1, 2, 3],
        "small": np.array([1, 2, 3], "i2"),
        "share": [0.5, np.nan, -0.0],
        "flag": [True, False, True],
        "name": ["Ångström", None, "b"],
        "code": pd.array(["x", pd.NA, ""], "string[python]"),
        "arrow": pd.array(["日本", pd.NA, ""], "string[pyarrow]"),
        "object": pd.Series(["s", 1, None], dtype=object),
        "kind": pd.Categorical(["low", None, "high"], categories=["low", "mid", "high"], ordered=True),
        "bucket": pd.cut([1, 5, 9], [0, 5, 10]),
        "day": DAYS,
        "second": np.array(["2026-01-01", "NaT", "1700-01-01"], "M8[s]"),
        "here": DAYS.tz_localize(BERLIN),
        "fixed": DAYS.tz_localize(dt.timezone(dt.timedelta(hours=2))),
        "took": pd.to_timedelta([1, None, 3], unit="s"),
        "whole": pd.array([1, None, 3], "Int16"),
        "real": pd.array([1.5, None, 3], "Float64"),
        "maybe": pd.array([True, None, False], "boolean"),
        "month": pd.period_range("2026-01", periods=3, freq="M"),
    },
    index=pd.Index(["a", "b", "b"], name="key"),
)
NESTED = pd.MultiIndex.from_product([["x", "y"], [1, 2]], names=["letter", None])
FRAMES = {
    "many kinds": FRAME,
    "one kind": pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=list("abc")),
    "one kind in rows": pd.DataFrame(np.asfortranarray(np.arange(12).reshape(4, 3))),
    "objects alone": pd.DataFrame({"a": ["x", "y"], "b": ["z", None]}, dtype=object),
    "nested labels": pd.DataFrame({("a", 1): [1, 2, 3, 4], ("a", 2): list("wxyz")}, index=NESTED),
    "labels twice": pd.DataFrame([[1, "x"], [2, "y"]], columns=["a", "a"]),
    "labels of all kinds": pd.DataFrame({1: [1], "b": ["x"], None: [2.0], (1, "c"): [True]}),
    "times as labels": pd.DataFrame({"a": range(3)}, index=DAYS.tz_localize("UTC")),
    "no rows": FRAME.iloc[:0],
    "no columns": pd.DataFrame(index=pd.RangeIndex(3, name="n")),
    "nothing": pd.DataFrame(),
    "a part of another": pd.DataFrame(np.arange(12).reshape(4, 3)).iloc[1:3, [2, 0]],
}
INDEXES = {
    "range": pd.RangeIndex(3, 30, 4, name="n"),
    "numbers": pd.Index([3, 1, 2], dtype="u1"),
    "strings": pd.Index(["b", "a"], name="s"),
    "objects": pd.Index(["b", 1, None, dt.date(2026, 1, 1), pd.Timestamp("2026")], dtype=object),
    "tuples": pd.Index([("a", 1), ("b", 2)], tupleize_cols=False),
    "days": DAYS,
    "month ends": pd.date_range("2026", periods=3, freq="2ME", tz=BERLIN, unit="s"),
    "weeks": pd.date_range("2026", periods=3, freq="W-SUN"),
    "differences": pd.timedelta_range("1h", periods=3, freq="90min"),
    "quarters": pd.period_range("2026Q1", periods=3, freq="Q-JAN"),
    "categories": pd.CategoricalIndex(["a", "b", "a"], name="c"),
    "intervals": pd.interval_range(0.0, 3.0, closed="left"),
    "nested": NESTED,
    "nullable": pd.Index(pd.array([1, None], "UInt8")),
}
VALUES: dict[str, Any] = {
    "a time": pd.Timestamp("2026-03-29T02:30:00.123456789"),
    "a time with a zone": pd.Timestamp("2026-10-25T00:30Z").tz_convert(BERLIN),
    "a time of seconds": pd.Timestamp("0999-01-01").as_unit("s"),
    "a difference": pd.Timedelta("1 days 3 ns"),
    "a period": pd.Period("2026-02", "M"),
    "an interval": pd.Interval(0, 1.5, "both"),
    "no time": pd.NaT,
    "nothing": pd.NA,
    "a zone": ZoneInfo(BERLIN),
    "a date with a zone": dt.datetime(2026, 1, 1, tzinfo=ZoneInfo(BERLIN)),
    "types": list(FRAME.dtypes),
    "a type without categories": pd.CategoricalDtype(),
    "a number": np.float32(0.1),
    "a day": np.datetime64("2026-01-01"),
    "a text": np.str_("é"),
}
ARRAYS = {
    "records": np.array([(1, 2.5, "x")], [("a", "i4"), ("b", "f8"), ("c", "U3")]),
    "texts": np.array(["a", "bc"]),
    "objects": np.array(["a", None, "bc"], object),
    "days": np.array(["2026-01-01", "NaT"], "M8[D]"),
    "differences": np.array([1, 2], "m8[ms]"),
    "in Fortran's order": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "big ends": np.arange(3, dtype=">i4"),
    "halves": np.arange(3, dtype="f2"),
    "no numbers": np.zeros((0, 3)),
    "one number": np.array(1.5),
    "large": np.arange(100_000.0),
}


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=Settings(capture=False, inline_bytes=4096))


@pytest.fixture
def returned(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """What a stranger, who vouches for nothing, loads; and what is loaded is the same version again."""

    def back(value: Any) -> Any:
        version = registry.register("table", value)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
        loaded = version.load(trust=False)
        assert registry.register("table", loaded).number == version.number
        return loaded

    return back


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_comes_back_to_the_last_type(returned: Callable[[Any], Any], name: str) -> None:
    """A column that comes back as another type trains another model."""
    frame = FRAMES[name]
    loaded = returned(frame)
    assert_frame_equal(loaded, frame, check_exact=True, check_freq=True)
    assert [*map(str, loaded.dtypes)] == [*map(str, frame.dtypes)]


def test_a_frame_that_is_loaded_is_an_ordinary_one(returned: Callable[[Any], Any]) -> None:
    """It can be changed, in place and by new columns, and is not what another one looks at."""
    loaded = returned(FRAMES["one kind"])
    loaded.loc[0, "a"] = 7.0
    loaded["d"] = 1
    other = returned(FRAME)
    other.loc["a", "count"] = 9
    assert (loaded.loc[0, "a"], loaded["d"].sum(), other["count"].iloc[0]) == (7.0, 4, 9)
    assert (FRAMES["one kind"].loc[0, "a"], FRAME["count"].iloc[0]) == (0.0, 1)


def test_what_stands_beside_the_columns_is_kept(returned: Callable[[Any], Any]) -> None:
    """Notes and the promise of unique labels."""
    frame = pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False)
    frame.attrs = {"source": "sensor", "scale": [1, 2.5]}
    loaded = returned(frame)
    assert loaded.attrs == frame.attrs
    assert not loaded.flags.allows_duplicate_labels


@pytest.mark.parametrize("column", FRAME.columns)
def test_a_series_comes_back(returned: Callable[[Any], Any], column: str) -> None:
    """Of every type, with its name and labels."""
    assert_series_equal(returned(FRAME[column]), FRAME[column], check_exact=True)
    assert type(returned(FRAME[column].array)) is type(FRAME[column].array)


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_comes_back(returned: Callable[[Any], Any], name: str) -> None:
    """Its class, its step and its names too."""
    loaded = returned(INDEXES[name])
    assert_index_equal(loaded, INDEXES[name], exact=True)
    assert getattr(loaded, "freq", None) == getattr(INDEXES[name], "freq", None)
    assert loaded.names == INDEXES[name].names


@pytest.mark.parametrize("name", VALUES)
def test_single_values_come_back(returned: Callable[[Any], Any], name: str) -> None:
    """As parts of a model's parameters they are everywhere."""
    value = VALUES[name]
    loaded = returned({"value": value})["value"]
    assert type(loaded) is type(value)
    assert repr(loaded) == repr(value)
    assert getattr(loaded, "unit", None) == getattr(value, "unit", None)


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_comes_back(returned: Callable[[Any], Any], name: str) -> None:
    """Of every type of numpy's."""
    loaded, array = returned(ARRAYS[name]), ARRAYS[name]
    assert (loaded.dtype, loaded.shape, loaded.flags.f_contiguous) == (
        array.dtype,
        array.shape,
        array.flags.f_contiguous,
    )
    assert loaded.tolist() == array.tolist() or np.isnat(array).any()


def test_a_masked_array_comes_back(returned: Callable[[Any], Any]) -> None:
    """With its mask and what stands in for the masked."""
    array = np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False], fill_value=-1)
    loaded = returned(array)
    assert (loaded.mask.tolist(), loaded.data.tolist(), loaded.fill_value) == (
        array.mask.tolist(),
        [1.0, 2.0, 3.0],
        -1,
    )


def test_a_large_column_is_stored_once_and_lies_beside_the_stream(registry: Registry) -> None:
    """A frame with one column more stores that column."""
    frame = pd.DataFrame({"a": np.arange(100_000), "b": np.arange(100_000.0)})
    first = {chunk.digest for chunk in registry.register("t", frame).artifacts["model"].chunks}
    second = {chunk.digest for chunk in registry.register("t", frame.assign(c=1.5)).artifacts["model"].chunks}
    assert len(first & second) == 2


def test_strings_are_searched_for_secrets(registry: Registry) -> None:
    """They stand in the stream, where whoever registers looks."""
    from nbreg.errors import SecretFoundError

    with pytest.raises(SecretFoundError):
        registry.register("t", pd.DataFrame({"url": ["postgresql://me:hunter2hunter2@db.internal/x"]}))


def test_a_model_with_tables_in_it_needs_no_word(returned: Callable[[Any], Any]) -> None:
    """Categories that were learned from a frame, and a frame that was kept."""
    data = FRAME[["name", "kind"]].astype("category")
    model = OrdinalEncoder().fit(data)
    model.seen_ = {"data": data, "since": pd.Timestamp("2026-01-01", tz="UTC")}
    loaded = returned(model)
    assert np.array_equal(loaded.transform(data), model.transform(data), equal_nan=True)
    assert_frame_equal(loaded.seen_["data"], data)


def test_a_frame_with_code_in_it_names_the_code(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function in a cell of a table is a function."""
    version = registry.register("t", pd.DataFrame({"a": [pickle.loads]}))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
    with pytest.raises(TrustError) as caught:
        version.load(trust=False)
    assert caught.value.untrusted == ("_pickle.loads",)


class Own(pd.DataFrame):
    """A frame with a method more."""


def test_a_class_of_ones_own_is_pickled_its_own_way(registry: Registry) -> None:
    """Its frame would be no `Own` otherwise."""
    loaded = registry.register("t", Own({"a": [1]})).load(trust=True)
    assert type(loaded).__name__ == "Own"
    assert loaded["a"].tolist() == [1]


SPARSE = pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1])})
ARROW_TYPED = pd.DataFrame({"a": pd.array([1, None], dtype="int64[pyarrow]")})


@pytest.mark.parametrize("frame", [SPARSE, ARROW_TYPED], ids=["sparse", "Arrow's types"])
def test_a_column_without_a_form_is_still_stored(registry: Registry, frame: pd.DataFrame) -> None:
    """It asks its reader's consent, and nothing else is lost."""
    assert_frame_equal(registry.register("t", frame).load(), frame)


# PyArrow and Polars

TABLE = pa.table(
    {
        "n": [1, None, 3],
        "s": ["a", None, "ü"],
        "l": [[1], [], None],
        "d": pa.array(["x", "y", "x"]).dictionary_encode(),
        "t": pa.array([0, 1, None], pa.timestamp("us", "Europe/Berlin")),
        "m": pa.array([{"a": 1}, None, {"a": 2}]),
    }
).replace_schema_metadata({"by": "me"})
ARROW = {
    "a table": TABLE,
    "no rows": TABLE.slice(0, 0),
    "chunks": pa.concat_tables([TABLE, TABLE]),
    "a batch": TABLE.to_batches()[0],
    "a column": TABLE["s"],
    "a schema": TABLE.schema,
}


@pytest.mark.parametrize("name", ARROW)
def test_a_table_of_arrow_comes_back(returned: Callable[[Any], Any], name: str) -> None:
    """With the metadata of its schema; as Arrow's own format, which other languages read."""
    loaded = returned(ARROW[name])
    assert loaded.equals(ARROW[name])
    assert getattr(loaded, "schema", None) == getattr(ARROW[name], "schema", None)


class Celsius(pa.ExtensionType):
    """A type of the user's own."""

    def __init__(self) -> None:
        super().__init__(pa.float64(), "nbreg.tests.celsius")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: pa.DataType, serialized: bytes) -> Celsius:
        return cls()


def test_a_type_of_ones_own_within_a_list_is_pickled_its_own_way(registry: Registry) -> None:
    """Its class would make it of a stranger's bytes, so it is no part of the form that everybody reads."""
    inner = pa.ExtensionArray.from_storage(Celsius(), pa.array([20.5, 21.0]))
    table = pa.table({"t": pa.ListArray.from_arrays([0, 2], inner)})
    pa.register_extension_type(Celsius())
    try:
        version = registry.register("t", table)
        assert version.load(trust=True).equals(table)
        (_, stream), *_ = families.dump("t", table).parts
        assert "nbreg.families.tables.arrow" not in inspection.globals_of(bytes(stream))
    finally:
        pa.unregister_extension_type("nbreg.tests.celsius")


def test_a_frame_of_polars_comes_back(registry: Registry) -> None:
    """Its reader has to consent: Polars promises nothing of hostile bytes."""
    frame = pl.DataFrame({"n": [1, None], "s": ["a", "ü"], "c": pl.Series(["x", "y"], dtype=pl.Categorical)})
    frame = frame.with_columns(
        t=pl.datetime(2026, 1, 1, time_zone="UTC"), e=pl.col("s").cast(pl.Enum(["a", "ü"]))
    )
    version = registry.register("t", frame)
    loaded = version.load()
    assert loaded.equals(frame)
    assert loaded.schema == frame.schema
    assert registry.register("t", loaded).number == version.number
    assert registry.register("t", frame["c"]).load().to_list() == ["x", "y"]


# what no honest pickle says


@pytest.mark.parametrize(
    "damage",
    [
        lambda: tables.text(b"ab", np.array([5], "i4"), None, "python", True),
        lambda: tables.text(b"ab", np.array([4, -2], "i4"), None, "python", True),
        lambda: tables.periods(np.array([1 << 62]), "D"),
        lambda: tables.frame((np.zeros(3),), pd.Index([]), pd.RangeIndex(3), {}, False),
        lambda: tables.series(np.zeros(3), None, pd.RangeIndex(1 << 40), {}, False),
        lambda: tables.arrow(b"ARROW1\0\0" + b"\xff" * 64, "table"),
        lambda: tables.nullable_type("object"),
    ],
)
def test_what_pandas_would_believe_is_checked(damage: Callable[[], Any]) -> None:
    """The makers are what a stranger's bytes reach."""
    with pytest.raises(DamagedObjectError):
        damage()


def test_the_pickle_names_no_part_of_pandas() -> None:
    """Another release of pandas has other parts; only `families.tables` has to know it."""
    (_, stream), *_ = families.dump("t", FRAME).parts
    assert not [each for each in inspection.globals_of(bytes(stream)) if each.startswith("pandas")]
