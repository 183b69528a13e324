"""Rows of a model's input as digests: the same for the same values, in whatever form they are given.

A row is spelled by value: every number as a float64, missing values as one NaN, and anything else
behind the numbers, with a letter for its kind. Columns stand in the order of a `Layout`, so a frame,
an array, a dictionary and a line of a CSV file have one spelling. The digest is keyed: who has no key
cannot try out what a row might have been.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from nbreg.capture.summaries import type_name
from nbreg.capture.tabular.tables import Table, Values, as_table, one_array, rows_of_list
from nbreg.errors import BadValueError
from nbreg.records import Signature, canonical, plain

DIGEST: Final = 15
"""Bytes of a digest: 20 characters of base64, so that several in a row can be found as text."""

_LARGEST: Final = 2**53
_MOST_CELLS: Final = 50_000_000
_FEW: Final = 64
_TOLD: Final = 2_000  # as many columns as a signature names
_MISSING: Final = struct.pack("<Q", 0x7FF8_0000_0000_0000)
_BEHIND: Final = 0x7FF8_0000_0000_0001  # a NaN that no arithmetic makes: the value stands behind the numbers
_BEHIND_BYTES: Final = struct.pack("<Q", _BEHIND)
_float: Final = struct.Struct("<d").pack
_length: Final = struct.Struct("<I").pack
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Layout(NamedTuple):
    """Which columns a row has, in order; without names only how many."""

    columns: tuple[str, ...]
    width: int


def layout_of(signature: Signature | None, rows: Any) -> Layout:
    """How the rows of a version's input are spelled: as its signature has them, else as they are given."""
    named = names_of(signature)
    if named:
        return Layout(named, len(named))
    given = _names(rows) if signature is None else None
    if given:
        return Layout(tuple(given), len(given))
    width = width_of(signature)
    return Layout((), width if width is not None else _width(rows))


def names_of(signature: Signature | None) -> tuple[str, ...]:
    """The names of the columns that a version takes; none where it knows none, or not all of them."""
    if signature is None or not signature.inputs or len(signature.inputs) >= _TOLD:
        return ()
    names = tuple(str(each.get("name", "")) for each in signature.inputs)
    hidden = any(not name or "redacted" in name for name in names)
    return () if hidden or any("shape" in each for each in signature.inputs) else names


def width_of(signature: Signature | None) -> int | None:
    """How many cells a row of a version's input has; None where that is not known."""
    if signature is None or not signature.inputs:
        return None
    shape = signature.inputs[0].get("shape")
    if shape is None:
        return len(signature.inputs) if len(signature.inputs) < _TOLD else None
    sizes = [size for size in shape[1:] if isinstance(size, int) and size > 0]
    width = 1
    for size in sizes:
        width *= size
    return width if len(sizes) == len(shape) - 1 else None


def digests(rows: Any, layout: Layout, key: bytes) -> bytes:
    """The digests of all rows, one after the other, `DIGEST` bytes each.

    Raises `BadValueError` for what has no rows, no such columns, or cells without a value.
    """
    spelled = _spelled(rows, layout)
    start = blake2b(key=key, digest_size=DIGEST, person=b"nbreg row 1")
    start.update(canonical([list(layout.columns), 0 if layout.columns else layout.width]))
    copy, found = start.copy, []
    for each in spelled:
        digest = copy()
        digest.update(each)
        found.append(digest.digest())
    return b"".join(found)


def fits(rows: Any, layout: Layout) -> bool:
    """Whether rows can be spelled in a layout: they have its columns, or as many as it."""
    names = _names(rows)
    if names is not None and layout.columns:
        return set(layout.columns) <= set(names)
    return _width(rows) == layout.width


# what is given, as rows


def as_rows(given: Any) -> object:
    """One row that is given as a dictionary, a series or a plain list, as the rows that it is one of."""
    if isinstance(given, Mapping):
        return [given] if any(_is_cell(each) for each in given.values()) else given
    if _has_text_index(given):
        return [given.to_dict()]
    return given


def one_by_position(given: Any, width: int) -> object:
    """A single row of as many cells as the layout has, as the rows that it is one of."""
    if getattr(given, "ndim", None) == 1 and width != 1 and len(given) == width:
        return [list(given.tolist())]
    flat = isinstance(given, list | tuple) and len(given) == width != 1
    if flat and all(map(_is_cell, given)) and not isinstance(given[0], Mapping):
        return [list(given)]
    return given


def count(rows: Any) -> int:
    """How many rows there are. Raises `BadValueError` for what has none."""
    if _is_records(rows):
        return len(rows)
    shape = getattr(rows, "shape", None)
    if isinstance(shape, tuple) and shape:
        return int(shape[0])
    return _table(rows).rows


def _is_pandas(value: Any, name: str) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and type(value) is getattr(pandas, name)


def _has_text_index(value: Any) -> bool:
    return _is_pandas(value, "Series") and str(value.index.dtype) in ("object", "str", "string")


def _is_cell(value: Any) -> bool:
    return isinstance(value, str | bytes) or not (hasattr(value, "__len__") and getattr(value, "ndim", True))


def _is_records(rows: Any) -> bool:
    return isinstance(rows, list | tuple) and bool(rows) and isinstance(rows[0], Mapping)


def _names(rows: Any) -> list[str] | None:
    """The names of the columns; None where they have none."""
    if _is_records(rows):
        return list(rows[0])
    if _is_pandas(rows, "DataFrame"):
        return [str(each) for each in rows.columns.tolist()]
    if getattr(rows, "ndim", None) == 1 and not getattr(getattr(rows, "dtype", None), "names", None):
        return None
    table = as_table(rows)
    names = [each.name for each in table.columns] if table else []
    is_structured = bool(getattr(getattr(rows, "dtype", None), "names", None))
    return (
        names if table and (table.named or is_structured) and len(table.shape) >= 2 - is_structured else None
    )


def _width(rows: Any) -> int:
    if _is_records(rows):
        return len(rows[0])
    shape = getattr(rows, "shape", None)
    if not isinstance(shape, tuple):
        shape = tuple(_table(rows).shape)
    width = 1
    for size in shape[1:]:
        width *= int(size)
    return width


def _table(rows: Any) -> Table:
    if not hasattr(rows, "toarray"):
        table = as_table(rows) or rows_of_list(rows)
        if table is not None and table.shape:
            return table
    raise BadValueError(
        f"a {type_name(type(rows))} has no rows that could be told apart",
        hint="frames, arrays, lists of lists and lists of dictionaries do",
    )


# spelling


def _spelled(rows: Any, layout: Layout) -> Iterator[Any]:
    block = _block(rows, layout)
    if block is not None:
        return _slices(block)
    return _by_column(_columns(rows, layout), count(rows))


def _block(rows: Any, layout: Layout) -> Any:
    """All cells as one array of float64, where they are numbers that have one exactly; else None."""
    array = _as_array(rows, layout)
    if array is None or array.dtype.kind not in "biuf" or not _is_exact(array):
        return None
    import numpy as np

    flat = array.reshape(len(array), math.prod(array.shape[1:]))
    _refuse_width(flat.shape[1], layout)
    block = np.array(flat, dtype="<f8", order="C")
    block += 0.0  # there is one zero
    missing = np.isnan(block)
    if missing.any():
        block[missing] = np.nan
    return block


def _as_array(rows: Any, layout: Layout) -> Any:
    if _is_pandas(rows, "DataFrame"):
        if layout.columns:
            names = [str(each) for each in rows.columns.tolist()]
            if tuple(names) != layout.columns:
                places = {name: place for place, name in enumerate(names)}
                rows = rows.iloc[:, [_place(places, name) for name in layout.columns]]
        return one_array(rows)
    if hasattr(rows, "toarray"):
        cells = rows.shape[0] * rows.shape[1]
        if cells > _MOST_CELLS:
            raise BadValueError("a sparse matrix of that size is not digested", hint="give it in pieces")
        return rows.toarray()
    if type_name(type(rows)) == "numpy.ndarray" and not rows.dtype.names:
        return rows
    return None


def _place(places: Mapping[str, int], name: str) -> int:
    if name not in places:
        raise BadValueError(f"the rows have no column {name!r}")
    return places[name]


def _is_exact(array: Any) -> bool:
    if array.dtype.kind == "f":
        return bool(array.dtype.itemsize <= 8)
    if array.dtype.kind == "b" or array.dtype.itemsize < 8 or not array.size:
        return True
    return bool(array.min() >= -_LARGEST and array.max() <= _LARGEST)


def _refuse_width(width: int, layout: Layout) -> None:
    if width != layout.width:
        raise BadValueError(f"the rows have {width} columns, not {layout.width}")


def _slices(block: Any) -> Iterator[Any]:
    size = block.shape[1] * 8
    data = memoryview(block.tobytes())
    return (data[at : at + size] for at in range(0, len(data), size)) if size else iter([b""] * len(block))


class _Column(NamedTuple):
    """The numbers of a column, and what stands behind them."""

    slots: bytes
    """Eight bytes for each cell of each row."""
    behind: Sequence[bytes] | None = None


def _by_column(columns: Iterable[_Column], rows: int) -> Iterator[Any]:
    """Each row: its numbers, then what stands behind them."""
    told = list(columns)
    numbers = _side_by_side([each.slots for each in told], rows)
    others = [each.behind for each in told if each.behind is not None]
    if not others:
        return numbers
    behind = map(b"".join, zip(*others, strict=True))
    return (b"".join(pair) for pair in zip(numbers, behind, strict=True))


def _side_by_side(columns: list[bytes], rows: int) -> Iterator[Any]:
    """The slots of each row, one column's after the other's."""
    numpy = sys.modules.get("numpy")
    if numpy is None or rows <= _FEW or not all(columns):
        widths = [len(each) // rows for each in columns] if rows else []
        pairs = list(zip(columns, widths, strict=bool(rows)))
        return (b"".join(each[at * w : (at + 1) * w] for each, w in pairs) for at in range(rows))
    parts = [numpy.frombuffer(each, "<u8").reshape(rows, -1) for each in columns]
    return _slices(numpy.hstack(parts))


def _columns(rows: Any, layout: Layout) -> Iterator[_Column]:
    if _is_records(rows):
        return _of_records(rows, layout)
    if _is_pandas(rows, "DataFrame") and len(rows) <= _FEW:
        return _of_few(rows, layout)
    table = _table(rows)
    picked = table.columns
    if layout.columns and _names(rows) is not None:
        by_name = {each.name: place for place, each in enumerate(table.columns)}
        picked = [table.columns[_place(by_name, name)] for name in layout.columns]
    else:
        _refuse_width(_width(rows), layout)
    return (_column(each.read(slice(None)), table.rows) for each in picked)


def _of_records(rows: Sequence[Mapping[str, Any]], layout: Layout) -> Iterator[_Column]:
    """Dictionaries, by name; without names by their order."""
    if not layout.columns:
        for row in rows:
            _refuse_width(len(row), layout)
        return (_of_cells(column) for column in zip(*(row.values() for row in rows), strict=True))
    for row in rows:
        for name in layout.columns:
            if name not in row:
                raise BadValueError(f"a row has no {name!r}")
    return (_of_cells([row[name] for row in rows]) for name in layout.columns)


def _of_few(frame: Any, layout: Layout) -> Iterator[_Column]:
    """A few rows of several types, cell by cell: a series for each column would take longer."""
    import numpy as np

    cells = frame.to_numpy(dtype=object)
    names = [str(each) for each in frame.columns.tolist()]
    places: Iterable[int] = range(len(names))
    if layout.columns:
        known = {name: place for place, name in enumerate(names)}
        places = [_place(known, name) for name in layout.columns]
    else:
        _refuse_width(len(names), layout)
    return (_of_cells(np.asarray(cells)[:, place].tolist()) for place in places)


def _column(values: Values, rows: int) -> _Column:
    if values.listed is not None:
        return _of_cells(values.listed)
    array = values.array
    if values.categories is not None:
        return _of_categories(array, values.categories)
    if array.dtype.kind in "biuf" and _is_exact(array):
        return _of_numbers(array, values.missing, rows)
    listed = array.reshape(-1).tolist() if array.dtype.kind not in "mM" else list(array.reshape(-1))
    if values.missing is not None:
        listed = [None if gone else each for each, gone in zip(listed, values.missing.tolist(), strict=True)]
    return _of_cells(listed)


def _of_numbers(array: Any, missing: Any, rows: int) -> _Column:
    import numpy as np

    block = np.array(array.reshape(rows, -1), dtype="<f8", order="C") + 0.0
    gone = np.isnan(block)
    if missing is not None:
        gone |= missing.reshape(rows, -1)
    block[gone] = np.nan
    return _Column(block.tobytes())


def _of_categories(codes: Any, categories: list[Any]) -> _Column:
    known = [_cell(each) for each in categories]
    known.append((_MISSING, b""))  # the code -1
    return _joined([known[code] for code in codes.tolist()])


def _of_cells(cells: Iterable[Any]) -> _Column:
    return _joined([_cell(each) for each in cells])


def _joined(cells: list[tuple[bytes, bytes]]) -> _Column:
    behind = [each for _, each in cells]
    return _Column(b"".join([slot for slot, _ in cells]), behind if any(behind) else None)


def _cell(value: Any) -> tuple[bytes, bytes]:
    """A value in its slot among the numbers, or the sign that it stands behind them, and it."""
    kind = type(value)
    if kind is float:
        return (_float(value + 0.0) if value == value else _MISSING), b""
    if kind is str:
        return _behind(b"s", value.encode("utf-8", "surrogatepass"))
    if kind is int or kind is bool:
        return _whole_number(value)
    if value is None:
        return _MISSING, b""
    return _rarer(value)


def _whole_number(value: int) -> tuple[bytes, bytes]:
    if -_LARGEST <= value <= _LARGEST:
        return _float(float(value)), b""
    with suppress(OverflowError):
        if (number := float(value)) == value:  # exactly: such a one has the same value as a float
            return _float(number), b""
    return _behind(b"i", str(value).encode())


def _behind(letter: bytes, data: bytes) -> tuple[bytes, bytes]:
    return _BEHIND_BYTES, letter + _length(len(data)) + data


def _rarer(value: Any) -> tuple[bytes, bytes]:
    moment = _moment(value)
    if moment is not None:
        return moment
    if isinstance(value, str):
        return _behind(b"s", str(value).encode("utf-8", "surrogatepass"))
    if isinstance(value, bytes | bytearray):
        return _behind(b"b", bytes(value))
    if isinstance(value, Decimal):
        return _cell(float(value))
    if type_name(type(value)).rpartition(".")[2] in ("NAType", "NaTType"):
        return _MISSING, b""
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", None) == 0:
        scalar = item()
        if type(scalar) in (bool, int, float, str, bytes):
            return _cell(scalar)
    listed = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(listed, list | tuple | Mapping):
        return _behind(b"j", canonical(plain(listed, "a cell")))
    raise BadValueError(f"a cell holds a {type_name(type(value))}, which has no digest")


def _moment(value: Any) -> tuple[bytes, bytes] | None:
    """A time in whole nanoseconds since 1970, UTC where it has a zone; a span of time likewise."""
    if type_name(type(value)) in ("numpy.datetime64", "numpy.timedelta64"):
        letter = b"d" if type_name(type(value)).endswith("datetime64") else b"t"
        return (_MISSING, b"") if value != value else _behind(letter, str(_nanoseconds(value)).encode())
    if not isinstance(value, date | timedelta) or value != value:  # NaT is a date, and unlike itself
        return None
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return _behind(b"d", str(_of_span(aware - _EPOCH) + getattr(value, "nanosecond", 0)).encode())
    if not isinstance(value, timedelta):
        return _behind(b"d", str(_of_span(datetime(*value.timetuple()[:3], tzinfo=UTC) - _EPOCH)).encode())
    return _behind(b"t", str(_of_span(value) + getattr(value, "nanoseconds", 0)).encode())


def _of_span(span: timedelta) -> int:
    return ((span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds) * 1000


def _nanoseconds(value: Any) -> int:
    """Of numpy's times in any unit, exactly; a unit finer than a nanosecond is cut."""
    import numpy as np

    whole = value.astype("M8[us]" if isinstance(value, np.datetime64) else "m8[us]")
    rest = (value - whole).astype("m8[ns]")
    return int(whole.astype("i8")) * 1000 + int(rest.astype("i8"))
