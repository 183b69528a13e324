"""What makes tables again: streams call these functions with plain values and numpy's arrays.

Each uses nothing of pandas but its public constructors, so another release reads what this one
wrote, and each checks what those believe. How objects are told to them stands in `tabling`,
what a stranger's stream may call them with in `tableuse`.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from nbreg.errors import CannotLoadError, DamagedObjectError

UNITS: Final = ("s", "ms", "us", "ns")
NULLABLE: Final = (
    "boolean Int8 Int16 Int32 Int64 UInt8 UInt16 UInt32 UInt64 Float32 Float64".split()  # noqa: SIM905 - a line
)
_LARGEST_PERIOD: Final = 1 << 55
"""Beyond it a period is in a year that its own calendar cannot count; nanoseconds reach the year 3100."""


def library_of(name: str) -> str:
    """The library that a maker, by the name in a stream, makes an object of; empty for another name."""
    module, _, maker = name.rpartition(".")
    if module != __name__ or maker == "zone":
        return ""
    return {"arrow": "pyarrow", "schema": "pyarrow", "polars": "polars"}.get(maker, "pandas")


def _pandas() -> Any:
    return _library("pandas")


def _library(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError as error:
        raise CannotLoadError(f"a table needs {name}, which is not here", hint=f"install {name}") from error


def _held(so: bool, what: str) -> None:
    if not so:
        raise DamagedObjectError(f"a table has {what}")


def _writable(values: Any) -> Any:
    """Frames are changed in place: memory that refuses it is copied."""
    return values if not hasattr(values, "flags") or values.flags.writeable else values.copy()


# whole ones


def frame(values: Any, columns: Any, index: Any, attrs: dict[Any, Any], unique: bool) -> Any:
    """A frame of one array of rows and columns, or of a tuple of columns."""
    pandas = _pandas()
    if type(values) is tuple:
        _held(len(values) == len(columns), "more columns or fewer than names")
        parts = {at: _series(each, index) for at, each in enumerate(values)}
        made = pandas.DataFrame(parts, index=index)
    else:
        made = pandas.DataFrame(_writable(values), index=index, dtype=values.dtype, copy=False)
    made.columns = columns
    return _labelled(made, attrs, unique)


def series(values: Any, name: Any, index: Any, attrs: dict[Any, Any], unique: bool) -> Any:
    """A series."""
    made = _series(values, index)
    made.name = name
    return _labelled(made, attrs, unique)


def _series(values: Any, index: Any) -> Any:
    _held(len(values) == len(index), "columns and labels of two lengths")
    return _pandas().Series(_writable(values), index=index, dtype=values.dtype, copy=False)


def _labelled(made: Any, attrs: dict[Any, Any], unique: bool) -> Any:
    if attrs:
        made.attrs = attrs
    if unique:
        made.flags.allows_duplicate_labels = False
    return made


# labels


def labels(values: Any, name: Any) -> Any:
    """An index of values; of tuples, too."""
    return _pandas().Index(values, dtype=values.dtype, name=name, tupleize_cols=False)


def stepped(values: Any, freq: str, name: Any) -> Any:
    """Times or time differences that are one step apart."""
    pandas = _pandas()
    kind = pandas.TimedeltaIndex if values.dtype.kind == "m" else pandas.DatetimeIndex
    return kind(values, freq=freq, name=name)


def span(start: int, stop: int, step: int, name: Any) -> Any:
    """A range of numbers."""
    return _pandas().RangeIndex(start, stop, step, name=name)


def nested(levels: tuple[Any, ...], codes: tuple[Any, ...], names: tuple[Any, ...]) -> Any:
    """An index of several levels."""
    return _pandas().MultiIndex(levels=list(levels), codes=list(codes), names=list(names))


# columns that are no arrays of numpy's


def text(data: bytes, lengths: Any, missing: Any, storage: str, nan: bool) -> Any:
    """Strings, which stand one after the other in UTF-8; PyArrow holds them where it is here."""
    import numpy as np

    ends = np.cumsum(lengths, dtype="i8")
    whole = not len(ends) or (int(lengths.min()) >= 0 and int(ends[-1]) == len(data))
    _held(whole and (len(ends) > 0 or not data), "texts of other lengths than it says")
    values = _cut(data, ends)
    for at in np.flatnonzero(missing).tolist() if missing is not None else ():
        values[at] = None
    return _pandas().array(values, dtype=string_type(storage, nan))


def _cut(data: bytes, ends: Any) -> list[Any]:
    whole = data.decode("utf-8", "surrogatepass")
    stops = ends.tolist()
    pairs = zip([0, *stops], stops, strict=False)
    if len(whole) == len(data):
        return [whole[start:end] for start, end in pairs]
    return [data[start:end].decode("utf-8", "surrogatepass") for start, end in pairs]


def wrapped(values: Any) -> Any:
    """An array of numpy's as a column."""
    return _pandas().arrays.NumpyExtensionArray(values)


def categorical(codes: Any, categories: Any, ordered: bool) -> Any:
    """Categories by number, -1 where there is none."""
    pandas = _pandas()
    return pandas.Categorical.from_codes(codes, dtype=pandas.CategoricalDtype(categories, ordered))


def moments(values: Any, zone: Any) -> Any:
    """Times, which stand in UTC if they have a zone, or time differences."""
    pandas = _pandas()
    if values.dtype.kind == "m":
        return pandas.TimedeltaIndex(values).array
    made = pandas.DatetimeIndex(values)
    return (made if zone is None else made.tz_localize("UTC").tz_convert(zone)).array


def nullable(values: Any, missing: Any) -> Any:
    """Numbers or truth values, some of which are missing."""
    arrays = _pandas().arrays
    kinds = {"b": arrays.BooleanArray, "f": arrays.FloatingArray}
    return kinds.get(values.dtype.kind, arrays.IntegerArray)(_writable(values), _writable(missing))


def periods(ordinals: Any, freq: str) -> Any:
    """Periods by their numbers."""
    import numpy as np

    there = ordinals[ordinals != np.iinfo("i8").min]
    _held(not len(there) or int(np.abs(there).max()) < _LARGEST_PERIOD, "a period beyond all years")
    return _pandas().arrays.PeriodArray(ordinals, dtype=period_type(freq))


def intervals(left: Any, right: Any, closed: str) -> Any:
    """Intervals by their ends."""
    return _pandas().arrays.IntervalArray.from_arrays(left, right, closed=closed)


# single values


def moment(value: int, unit: str, zone: Any) -> Any:
    """A time, in UTC if it has a zone."""
    made = _pandas().Timestamp(_library("numpy").datetime64(value, unit))
    return made if zone is None else made.tz_localize("UTC").tz_convert(zone)


def difference(value: int, unit: str) -> Any:
    """A time difference."""
    return _pandas().Timedelta(_library("numpy").timedelta64(value, unit))


def period(ordinal: int, freq: str) -> Any:
    """A period."""
    _held(abs(ordinal) < _LARGEST_PERIOD, "a period beyond all years")
    return _pandas().Period(ordinal=ordinal, freq=freq)


def interval(left: Any, right: Any, closed: str) -> Any:
    """An interval."""
    return _pandas().Interval(left, right, closed=closed)


def missing(name: str) -> Any:
    """What stands for no value."""
    pandas = _pandas()
    return pandas.NA if name == "NA" else pandas.NaT


def zone(key: str) -> Any:
    """A time zone by its name, which zoneinfo itself keeps inside its folders."""
    from zoneinfo import ZoneInfo

    return ZoneInfo(key)


# types


def string_type(storage: str, nan: bool) -> Any:
    """That of strings; Python holds them where PyArrow is not here."""
    pandas = _pandas()
    if storage == "pyarrow" and not _is_here("pyarrow"):
        storage = "python"
    try:
        return pandas.StringDtype(storage, na_value=float("nan") if nan else pandas.NA)
    except TypeError:  # a release that has one name for both
        return pandas.StringDtype("pyarrow_numpy" if nan and storage == "pyarrow" else storage)


def _is_here(name: str) -> bool:
    from importlib.util import find_spec

    return name in sys.modules or find_spec(name) is not None


def category_type(categories: Any, ordered: bool) -> Any:
    """That of categories."""
    return _pandas().CategoricalDtype(categories, ordered)


def zoned_type(unit: str, zone: Any) -> Any:
    """That of times with a zone."""
    return _pandas().DatetimeTZDtype(unit, zone)


def period_type(freq: str) -> Any:
    """That of periods."""
    return _pandas().PeriodDtype(freq)


def nullable_type(name: str) -> Any:
    """That of numbers, some of which are missing."""
    _held(name in NULLABLE, "a type that is none")
    return _pandas().api.types.pandas_dtype(name)


# PyArrow's and Polars' own, by Arrow's format of streams

EXTENSION: Final = b"ARROW:extension:name"
"""Where a schema has it, the class that somebody registered makes a type of what the bytes say."""


def _refuse_extensions(data: Any) -> None:
    """Of a stream of Arrow's, whose first message is its schema, or of a schema alone."""
    view = memoryview(data).cast("B")
    start = 4 if bytes(view[:4]) == b"\xff\xff\xff\xff" else 0
    size = int.from_bytes(view[start : start + 4], "little")
    _held(EXTENSION not in bytes(view[: start + 4 + size]), "a type that is not Arrow's own")


def arrow(data: Any, kind: str) -> Any:
    """A table, a batch, or a column of PyArrow's; validated, since reading Arrow's format is not enough."""
    _refuse_extensions(data)
    library = _library("pyarrow")
    ipc = __import__("pyarrow.ipc").ipc
    try:
        with ipc.open_stream(library.py_buffer(data)) as reader:
            made = reader.read_all()
        made.validate(full=True)
        if kind == "table":
            return made
        if kind == "batch":
            return made.combine_chunks().to_batches()[0] if made.num_rows else _empty(library, made.schema)
        column = made.column(0)
        return column if kind == "chunked" else column.combine_chunks()
    except (library.ArrowException, IndexError, OSError) as error:
        raise DamagedObjectError(f"a table of Arrow's cannot be read: {type(error).__name__}") from error


def _empty(library: Any, schema: Any) -> Any:
    return library.RecordBatch.from_pylist([], schema=schema)


def schema(data: Any) -> Any:
    """A schema of PyArrow's."""
    _refuse_extensions(data)
    library = _library("pyarrow")
    try:
        return __import__("pyarrow.ipc").ipc.read_schema(library.py_buffer(data))
    except (library.ArrowException, OSError) as error:
        raise DamagedObjectError(f"a schema of Arrow's cannot be read: {type(error).__name__}") from error


def polars(data: Any, kind: str) -> Any:
    """A frame or a series of Polars."""
    made = _library("polars").read_ipc_stream(bytes(data))
    return made if kind == "frame" else made.to_series()
