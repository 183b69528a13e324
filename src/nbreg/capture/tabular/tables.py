"""Data as columns, whichever library it is from.

A library is found in `sys.modules`, so nothing is imported, and a type is compared exactly: a
subclass may override anything. What is of no known type is no table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, NamedTuple

from nbreg.capture.summaries import type_name

WIDEST: Final = 1_000
"""Wider tables, and arrays of more than two axes, are one column in the record."""

EVERY: Final = slice(None)

_BLOCK: Final = 1_000_000
_TEXT: Final = 64

MOST_CELLS: Final = 2_000_000
"""Cells of a list of lists that are read."""


class Values(NamedTuple):
    """The values of a column: an array of plain numbers and times, or a list of anything."""

    array: Any = None
    listed: list[Any] | None = None
    missing: Any = None
    """A mask of those that are not there, beside the ones that say so themselves (NaN)."""
    categories: list[Any] | None = None
    """What the numbers of `array` stand for."""


class ColumnOf(NamedTuple):
    """A column that is not read yet."""

    name: str
    dtype: str
    width: int
    """Bytes of one value, about."""
    read: Callable[[slice], Values]


class Table(NamedTuple):
    """A data set by columns, and how to take rows of it in its own type."""

    kind: str
    shape: list[int]
    columns: list[ColumnOf]
    named: bool
    take: Callable[[Any], Any]
    """The rows at these positions, a table of the same type."""
    pick: Callable[[list[str]], Any] | None = None
    """The same table with these columns alone."""
    block: Any = None
    """All columns as one array of two axes, where the table is small and of one kind of numbers."""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.shape[0] if self.shape else 0

    @property
    def bytes(self) -> int:
        """How large the values are, about."""
        return sum(column.width for column in self.columns) * self.rows


def as_table(value: object) -> Table | None:
    """The value as columns; None where it is of no known type, or numpy is not loaded."""
    if "numpy" not in sys.modules:
        return None
    kind = type(value)
    reader = next((reader for known, _, reader in _known() if kind is known), None)
    return reader(value) if reader else None


def rows_of_list(value: object) -> Table | None:
    """A list of rows as columns, also where numpy is not loaded."""
    return _list(value) if type(value) is list else None


def kind_of(value: object) -> str:
    """`pandas.DataFrame`, by the name that its library gives it to users; empty for what is no table."""
    kind = type(value)
    return next((name for known, name, _ in _known() if kind is known), "")


def _known() -> Iterator[tuple[type, str, Callable[[Any], Table | None]]]:
    for module, names, reader in _READERS:
        loaded = sys.modules.get(module)
        for name in names.split() if loaded is not None else ():
            found = vars(loaded).get(name)
            if isinstance(found, type):
                yield found, f"{module}.{name}", reader


# numpy, and what gives its arrays


def _array(value: Any, kind: str = "", take: Callable[[Any], Any] | None = None) -> Table | None:
    if value.ndim == 0:
        return None
    taken = take or (lambda rows: value[rows])
    block = value if value.ndim == 2 and value.shape[1] <= WIDEST and _is_block(value) else None
    told = kind or type_name(type(value))
    return Table(told, list(value.shape), list(_array_columns(value)), False, taken, block=block)


def _is_block(value: Any) -> bool:
    return value.dtype.kind in "biuf" and 0 < value.size <= _BLOCK and bool(value.dtype.isnative)


def _array_columns(value: Any) -> Iterator[ColumnOf]:
    dtype = value.dtype
    if dtype.names:
        for name in dtype.names:
            yield ColumnOf(name, str(dtype[name]), dtype[name].itemsize, _slicer(value[name]))
    elif value.ndim == 2 and value.shape[1] <= WIDEST:
        for index in range(value.shape[1]):
            yield ColumnOf(str(index), str(dtype), dtype.itemsize, _slicer(value[:, index]))
    else:
        cells = value.size // max(1, value.shape[0])
        yield ColumnOf("", str(dtype), dtype.itemsize * cells, _slicer(value))


def _slicer(array: Any) -> Callable[[slice], Values]:
    if array.dtype.hasobject:
        return lambda rows: Values(listed=array[rows].reshape(-1).tolist())
    return lambda rows: Values(array=_contiguous(array[rows]))


def _contiguous(array: Any) -> Any:
    """A column of a row-wise array is gone through several times: copying it first is quicker."""
    return array if array.flags.c_contiguous else array.copy(order="C")


def _sparse(value: Any) -> Table:
    rows = value.tocsr()
    rows = rows if rows.has_canonical_format else _canonical(rows)
    parts = {"indptr": rows.indptr, "indices": rows.indices, "data": rows.data}
    columns = [ColumnOf(name, str(part.dtype), 0, _whole(part)) for name, part in parts.items()]
    return Table(type_name(type(value)), list(value.shape), columns, False, lambda chosen: rows[chosen])


def _canonical(rows: Any) -> Any:
    rows = rows.copy()  # the user's own stays in the order that it is in
    rows.sum_duplicates()
    return rows


def _whole(array: Any) -> Callable[[slice], Values]:
    return lambda rows: Values(array=array)


def _tensor(value: Any) -> Table | None:
    torch = sys.modules["torch"]
    plain = value.detach().cpu()
    if plain.layout is not torch.strided or plain.is_quantized:
        return None
    if plain.dtype is torch.bfloat16:
        plain = plain.float()
    table = _array(plain.resolve_conj().resolve_neg().numpy(), type_name(type(value)), None)
    return table._replace(take=lambda rows: value[torch.as_tensor(rows)].detach()) if table else None


# frames


def _frame(value: Any) -> Table:
    array = one_array(value)
    columns = [
        ColumnOf(_label(name), *_pandas_dtype(series.dtype), _pandas_slicer(series))
        for name, series in (value.items() if array is None else ())
    ]
    if array is not None:
        text = str(array.dtype)
        columns = [
            ColumnOf(_label(name), text, array.dtype.itemsize, _slicer(array[:, index]))
            for index, name in enumerate(value.columns)
        ]
    return Table(
        "pandas.DataFrame",
        list(value.shape),
        columns,
        True,
        lambda rows: value.iloc[rows],
        lambda names: value[names],
        array if array is not None and _is_block(array) else None,
    )


def one_array(value: Any) -> Any:
    """A small frame of one plain dtype as an array, whose slices are its columns: series are slow."""
    dtype = _one_dtype(value) if value.size <= _BLOCK else None  # the array may be a copy
    if dtype is None or not type_name(type(dtype)).startswith("numpy.") or dtype.hasobject:
        return None
    return value.to_numpy()


def _one_dtype(value: Any) -> Any:
    """The dtype of all columns; `dtypes` makes a series, which takes longer than all else here."""
    blocks = getattr(getattr(value, "_mgr", None), "blocks", ())
    dtypes = {block.dtype for block in blocks} if len(blocks) == 1 else set(value.dtypes.array)
    return dtypes.pop() if len(dtypes) == 1 else None


def _series(value: Any) -> Table:
    dtype, width = _pandas_dtype(value.dtype)
    column = ColumnOf(_label(value.name), dtype, width, _pandas_slicer(value))
    named = value.name is not None
    return Table("pandas.Series", [len(value)], [column], named, lambda rows: value.iloc[rows])


def _pandas_slicer(series: Any) -> Callable[[slice], Values]:
    return lambda rows: _pandas(series if rows == EVERY else series.iloc[rows])


def _pandas_dtype(dtype: Any) -> tuple[str, int]:
    """The dtype's name, and about how many bytes a value has; of text its length is not known."""
    fixed = type_name(type(dtype)).startswith("numpy.") and not dtype.hasobject
    short = dtype.itemsize if fixed else 1 if type_name(type(dtype)).endswith("CategoricalDtype") else _TEXT
    return str(dtype)[:200], int(short)


def _pandas(series: Any) -> Values:
    dtype = series.dtype
    kind = type_name(type(dtype))
    if kind.startswith("numpy."):
        return Values(listed=series.tolist()) if dtype.hasobject else Values(array=series.to_numpy())
    name = kind.rpartition(".")[2]
    if name == "CategoricalDtype":
        return Values(array=series.cat.codes.to_numpy(), categories=list(dtype.categories))
    if name == "DatetimeTZDtype":
        return Values(array=series.dt.tz_convert(None).to_numpy())
    if kind.startswith("pandas.") and getattr(dtype, "_is_numeric", False):
        missing = series.isna().to_numpy()
        return Values(array=series.fillna(0).to_numpy(dtype=dtype.numpy_dtype), missing=missing)
    return Values(listed=series.tolist())


def _polars_frame(value: Any) -> Table:
    columns = [_polars_column(each) for each in value.iter_columns()]
    return Table(
        "polars.DataFrame",
        list(value.shape),
        columns,
        True,
        lambda rows: value[list(map(int, rows))],
        lambda names: value[names],
    )


def _polars_series(value: Any) -> Table:
    column = _polars_column(value)
    return Table(
        "polars.Series", [len(value)], [column], bool(value.name), lambda rows: value[list(map(int, rows))]
    )


def _polars_column(series: Any) -> ColumnOf:
    def read(rows: slice) -> Values:
        part = series[rows] if rows.step else series
        if not part.dtype.is_numeric():
            return Values(listed=part.to_list())
        nulls = part.is_null().to_numpy() if part.null_count() else None
        return Values(array=(part if nulls is None else part.fill_null(0)).to_numpy(), missing=nulls)

    return ColumnOf(series.name, str(series.dtype)[:200], 8 if series.dtype.is_numeric() else 32, read)


def _arrow(value: Any) -> Table:
    columns = [
        ColumnOf(field.name, str(field.type)[:200], 8, _arrow_slicer(value.column(index)))
        for index, field in enumerate(value.schema)
    ]
    return Table(
        type_name(type(value)),
        list(value.shape),
        columns,
        True,
        lambda rows: value.take(list(map(int, rows))),
        lambda names: value.select(names),
    )


def _arrow_slicer(column: Any) -> Callable[[slice], Values]:
    def read(rows: slice) -> Values:
        part = column.take(list(range(0, len(column), rows.step))) if rows.step else column
        if part.null_count:
            return Values(listed=part.to_pylist())
        array = part.to_numpy(zero_copy_only=False) if hasattr(part, "chunks") else part.to_numpy(False)
        return Values(listed=part.to_pylist()) if array.dtype.hasobject else Values(array=array)

    return read


# Python's own


def _list(value: Any) -> Table | None:
    """Rows: plain values, or lists of them that are all of one length."""
    first = value[0] if value else None
    if type(first) not in (list, tuple):
        column = ColumnOf("", type_name(type(first)), 32, lambda rows: Values(listed=list(value[rows])))
        return Table("list", [len(value)], [column], False, lambda rows: [value[each] for each in rows])
    assert isinstance(first, list | tuple)
    width = len(first)
    if (
        width * len(value) > MOST_CELLS
        or width > WIDEST
        or not all(type(row) in (list, tuple) and len(row) == width for row in value)
    ):
        return None
    columns = [ColumnOf(str(at), "", 32, _cells(value, at)) for at in range(width)]
    return Table("list", [len(value), width], columns, False, lambda rows: [value[each] for each in rows])


def _cells(rows: Any, at: int) -> Callable[[slice], Values]:
    return lambda chosen: Values(listed=[row[at] for row in rows[chosen]])


def _dict(value: Any) -> Table | None:
    """Columns: lists of one length, or arrays of one axis."""
    if len(value) > WIDEST or not all(type(name) is str for name in value):
        return None
    tables = {name: as_table(column) for name, column in islice(value.items(), WIDEST)}
    read = {name: table for name, table in tables.items() if table and len(table.columns) == 1}
    lengths = {table.rows for table in read.values()}
    if len(read) != len(value) or len(lengths) != 1:
        return None
    columns = [table.columns[0]._replace(name=name) for name, table in read.items()]
    return Table(
        "dict",
        [lengths.pop(), len(columns)],
        columns,
        True,
        lambda rows: {name: table.take(rows) for name, table in read.items()},
        lambda names: {name: value[name] for name in names},
    )


def _label(label: object) -> str:
    return str(label) if type(label) in (str, int, float) else type_name(type(label))


_READERS: Final[tuple[tuple[str, str, Callable[[Any], Table | None]], ...]] = (
    ("numpy", "ndarray", _array),
    ("pandas", "DataFrame", _frame),
    ("pandas", "Series", _series),
    ("polars", "DataFrame", _polars_frame),
    ("polars", "Series", _polars_series),
    ("pyarrow", "Table RecordBatch", _arrow),
    ("torch", "Tensor", _tensor),
    ("scipy.sparse", "csr_matrix csc_matrix coo_matrix csr_array csc_array coo_array", _sparse),
    ("builtins", "list", _list),
    ("builtins", "dict", _dict),
)
