"""How pandas', PyArrow's and Polars' objects are told to a pickler: as calls of the functions in `tables`.

What pandas tells of itself is how one release of it keeps a frame in memory. Told like this, an
object is names, arrays and plain values, which other releases read and which can be looked at.
Told are exact types: a subclass, and what has no form here, is pickled in its own way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from nbreg.families import tables

Reduce = Callable[[Any], Any]

_known: tuple[tuple[Any, ...], dict[type, Reduce]] = ((), {})


def reducers() -> Mapping[type, Reduce]:
    """The reducers of the libraries that are loaded, by exact type."""
    global _known
    loaded = tuple(sys.modules.get(name) for name in ("pandas", "pyarrow", "polars", "zoneinfo"))
    if loaded != _known[0]:
        _known = (loaded, _found(*loaded))
    return _known[1]


def _found(pandas: Any, pyarrow: Any, polars: Any, zoneinfo: Any) -> dict[type, Reduce]:
    found: dict[type, Reduce] = {}
    for library, names in ((pandas, _PANDAS), (pyarrow, _ARROW), (polars, _POLARS), (zoneinfo, _ZONES)):
        for name, tell in names.items():
            kind = _named(library, name)
            if isinstance(kind, type):  # a library that is just being imported, or an older one, has fewer
                found[kind] = _or_its_own(tell)
    return found


def _named(library: Any, name: str) -> Any:
    for part in name.split("."):
        library = getattr(library, part, None)
    return type(library) if name in _SINGLE else library


def _or_its_own(tell: Reduce) -> Reduce:
    """What has no form here is told as its class tells it."""

    def reduce(value: Any) -> Any:
        try:
            told = tell(value)
        except Exception:  # a value that is odd, or a release with other attributes
            told = None
        return value.__reduce_ex__(5) if told is None else told

    return reduce


# frames, series, labels


def _frame(frame: Any) -> Any:
    if _is_one_array(frame):
        values: Any = _still(frame.to_numpy())
    else:
        values = tuple(_values(column) for _, column in frame.items())
    return tables.frame, (values, frame.columns, frame.index, *_labels(frame))


def _is_one_array(frame: Any) -> bool:
    kinds = set(frame.dtypes)
    return len(kinds) == 1 and _is_plain(kinds.pop())


def _series(series: Any) -> Any:
    return tables.series, (_values(series), series.name, series.index, *_labels(series))


def _labels(value: Any) -> tuple[Any, ...]:
    return dict(value.attrs), not value.flags.allows_duplicate_labels


def _values(held: Any) -> Any:
    """Those of a series or an index: numpy's array where there is one."""
    return _still(held.to_numpy()) if _is_plain(held.dtype) else held.array


def _is_plain(dtype: Any) -> bool:
    return isinstance(dtype, sys.modules["numpy"].dtype)


def _still(values: Any) -> Any:
    """pandas gives a view that refuses to be changed; what is loaded may be."""
    if not values.flags.writeable:
        view = values.view()
        try:
            view.flags.writeable = True
        except ValueError:
            return values
        return view
    return values


def _index(index: Any) -> Any:
    return tables.labels, (_values(index), index.name)


def _stepped(index: Any) -> Any:
    if index.freq is None:
        return _index(index)
    step, offset = index.freq.freqstr, sys.modules["pandas"].tseries.frequencies.to_offset
    if offset(step) != index.freq:
        return None
    zoned = getattr(index, "tz", None) is not None
    return (tables.stepped, (index.array if zoned else _values(index), step, index.name))


def _range(index: Any) -> Any:
    return tables.span, (index.start, index.stop, index.step, index.name)


def _nested(index: Any) -> Any:
    codes = tuple(_still(sys.modules["numpy"].asarray(each)) for each in index.codes)
    return tables.nested, (tuple(index.levels), codes, tuple(index.names))


# columns


def _text(array: Any) -> Any:
    dtype = array.dtype
    is_arrow = dtype.storage != "python"
    nan = getattr(dtype, "na_value", None) is not sys.modules["pandas"].NA
    told = _text_of_arrow(array) if is_arrow else None
    data, lengths, missing = told if told is not None else _text_of_objects(array)
    return tables.text, (data, lengths, missing, "pyarrow" if is_arrow else "python", nan)


def _text_of_arrow(array: Any) -> Any:
    """From the memory in which the strings stand already; None where it holds more than they are."""
    numpy, arrow = sys.modules["numpy"], sys.modules["pyarrow"]
    held = array.__arrow_array__()
    if isinstance(held, arrow.ChunkedArray):
        held = held.combine_chunks()
    if not len(held):
        return b"", numpy.zeros(0, "i4"), None
    kind = {arrow.string(): "i4", arrow.large_string(): "i8"}.get(held.type)
    if kind is None:
        return None
    _, offsets, data = held.buffers()
    ends = numpy.frombuffer(offsets, kind)[held.offset : held.offset + len(held) + 1]
    lengths = numpy.diff(ends)
    missing = held.is_null().to_numpy(zero_copy_only=False) if held.null_count else None
    if int(lengths.max()) >= 1 << 31 or (missing is not None and lengths[missing].any()):
        return None
    text = b"" if data is None else memoryview(data)[int(ends[0]) : int(ends[-1])].tobytes()
    return text, lengths.astype("i4"), missing


def _text_of_objects(array: Any) -> Any:
    numpy = sys.modules["numpy"]
    missing = numpy.asarray(array.isna())
    values = ["" if gone else each for each, gone in zip(array, missing.tolist(), strict=True)]
    pieces = [each.encode("utf-8", "surrogatepass") for each in values]
    lengths = numpy.fromiter(map(len, pieces), "i4", len(pieces))
    return b"".join(pieces), lengths, missing if missing.any() else None


def _categorical(array: Any) -> Any:
    return tables.categorical, (_still(array.codes), array.categories, bool(array.ordered))


def _moments(array: Any) -> Any:
    zone = getattr(array, "tz", None)
    kind = "M8" if hasattr(array, "tz") else "m8"
    return tables.moments, (_still(array.to_numpy(f"{kind}[{array.unit}]")), zone)


def _nullable(array: Any) -> Any:
    """What stands where a value is missing is nobody's value."""
    missing = array.isna()
    kind = array.dtype.numpy_dtype if hasattr(array.dtype, "numpy_dtype") else sys.modules["numpy"].dtype("?")
    return tables.nullable, (array.to_numpy(kind, na_value=kind.type(0)), missing)


def _periods(array: Any) -> Any:
    return tables.periods, (_still(array.asi8), _step_of(array.dtype))


def _step_of(dtype: Any) -> str:
    """`M` of `period[M]`."""
    name: str = dtype.name
    return name[7:-1]


def _intervals(array: Any) -> Any:
    return tables.intervals, (_written_out(array.left), _written_out(array.right), array.closed)


def _written_out(index: Any) -> Any:
    """A range may not be as long as it says where a stranger says it; pandas writes these ends out anyway."""
    pandas = sys.modules["pandas"]
    return pandas.Index(index.to_numpy()) if type(index) is pandas.RangeIndex else index


# single values


def _moment(value: Any) -> Any:
    held = value.to_datetime64()
    return tables.moment, (int(held.astype("i8")), value.unit, value.tz)


def _difference(value: Any) -> Any:
    return tables.difference, (int(value.to_timedelta64().astype("i8")), value.unit)


def _period(value: Any) -> Any:
    return tables.period, (value.ordinal, value.freqstr)


def _interval(value: Any) -> Any:
    return tables.interval, (value.left, value.right, value.closed)


def _zone(value: Any) -> Any:
    return (tables.zone, (value.key,)) if type(value.key) is str else None


# types


def _string_type(dtype: Any) -> Any:
    nan = getattr(dtype, "na_value", None) is not sys.modules["pandas"].NA
    return tables.string_type, ("python" if dtype.storage == "python" else "pyarrow", nan)


def _category_type(dtype: Any) -> Any:
    return tables.category_type, (dtype.categories, dtype.ordered)


# PyArrow and Polars


def _arrow(kind: str) -> Reduce:
    def tell(value: Any) -> Any:
        library: Any = sys.modules["pyarrow"]
        table = _as_table(library, kind, value)
        if tables.EXTENSION in table.schema.serialize().to_pybytes():
            return None  # the class of a type may be the user's own
        sink = library.BufferOutputStream()
        with __import__("pyarrow.ipc").ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return tables.arrow, (_beside(sink.getvalue()), kind)

    return tell


def _as_table(library: Any, kind: str, value: Any) -> Any:
    if kind == "table":
        return value
    if kind == "batch":
        return library.Table.from_batches([value])
    return library.table([value], names=["column"])


def _schema(value: Any) -> Any:
    data = value.serialize().to_pybytes()
    return None if tables.EXTENSION in data else (tables.schema, (data,))


def _polars(kind: str) -> Reduce:
    def tell(value: Any) -> Any:
        import io

        frame = value if kind == "frame" else value.to_frame()
        file = io.BytesIO()
        frame.write_ipc_stream(file)
        return tables.polars, (_beside(file.getbuffer()), kind)

    return tell


def _beside(data: Any) -> Any:
    import pickle

    return pickle.PickleBuffer(data)


_PANDAS: Final[Mapping[str, Reduce]] = {
    "DataFrame": _frame,
    "Series": _series,
    "Index": _index,
    "CategoricalIndex": _index,
    "IntervalIndex": _index,
    "PeriodIndex": _index,
    "DatetimeIndex": _stepped,
    "TimedeltaIndex": _stepped,
    "RangeIndex": _range,
    "MultiIndex": _nested,
    "arrays.NumpyExtensionArray": lambda array: (tables.wrapped, (_still(array.to_numpy()),)),
    "arrays.StringArray": _text,
    "arrays.ArrowStringArray": _text,
    "Categorical": _categorical,
    "arrays.DatetimeArray": _moments,
    "arrays.TimedeltaArray": _moments,
    "arrays.BooleanArray": _nullable,
    "arrays.IntegerArray": _nullable,
    "arrays.FloatingArray": _nullable,
    "arrays.PeriodArray": _periods,
    "arrays.IntervalArray": _intervals,
    "Timestamp": _moment,
    "Timedelta": _difference,
    "Period": _period,
    "Interval": _interval,
    "NA": lambda value: (tables.missing, ("NA",)),
    "NaT": lambda value: (tables.missing, ("NaT",)),
    "StringDtype": _string_type,
    "CategoricalDtype": _category_type,
    "DatetimeTZDtype": lambda dtype: (tables.zoned_type, (dtype.unit, dtype.tz)),
    "PeriodDtype": lambda dtype: (tables.period_type, (_step_of(dtype),)),
    **{
        f"{each[0].upper()}{each[1:]}Dtype": lambda dtype: (tables.nullable_type, (dtype.name,))
        for each in tables.NULLABLE
    },
}
_SINGLE: Final = ("NA", "NaT")
_ARROW: Final[Mapping[str, Reduce]] = {
    "Table": _arrow("table"),
    "RecordBatch": _arrow("batch"),
    "ChunkedArray": _arrow("chunked"),
    "Schema": _schema,
}
_POLARS: Final[Mapping[str, Reduce]] = {"DataFrame": _polars("frame"), "Series": _polars("series")}
_ZONES: Final[Mapping[str, Reduce]] = {"ZoneInfo": _zone}
