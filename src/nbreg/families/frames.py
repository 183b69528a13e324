"""Frames, series and indices in the neutral form: by column, each by the name of its type.

A type that the other side's pandas does not have comes back as the nearest that it has: `str` of
pandas 3 is `object` in pandas 2.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from nbreg.errors import BadInputError
from nbreg.families import tables

if TYPE_CHECKING:
    from nbreg.families.neutral import Packer, Unpacker

_ONE_BLOCK: Final = "biufcMm"
_MASKED: Final = ("Int", "UInt", "Float", "boolean")


def pack(packer: Packer, value: Any) -> Any:
    """A frame, series, index or moment of pandas, or a frame of polars; None for anything else."""
    library = import_module(type(value).__module__.partition(".")[0])
    if library.__name__ == "polars":
        return _polars(packer, value, library)
    if type(value) is library.DataFrame:
        return _frame(packer, value)
    if type(value) is library.Series:
        name = packer.tree(value.name)
        return ["series", _column(packer, value, value.name), _index(packer, value.index, library), name]
    if isinstance(value, library.Index):
        return _index(packer, value, library)
    if type(value) is library.Timestamp:
        return ["stamp", value.isoformat(), None if value.tz is None else str(value.tz)]
    if type(value) is library.Timedelta:
        return ["lapse", packer.tree(value.to_timedelta64())]
    return {id(library.NaT): ["NaT"], id(library.NA): ["NA"]}.get(id(value))


def _polars(packer: Packer, value: Any, library: Any) -> Any:
    is_series = isinstance(value, library.Series)
    if not is_series and not isinstance(value, library.DataFrame):
        return None
    file = BytesIO()
    (value.to_frame() if is_series else value).write_ipc(file)
    return ["polars", is_series, packer.buffer(file.getbuffer())]


def _frame(packer: Packer, frame: Any) -> Any:
    library = import_module("pandas")
    edges = [_index(packer, frame.index, library), _index(packer, frame.columns, library)]
    kinds = set(frame.dtypes)
    if len(kinds) == 1 and _is_numpy(kind := kinds.pop()) and kind.kind in _ONE_BLOCK:
        return ["block", *edges, packer.array(frame.to_numpy())]  # as it lies there, not copied
    columns = (frame.iloc[:, at] for at in range(frame.shape[1]))
    return ["frame", *edges, [_column(packer, each, each.name) for each in columns]]


def _column(packer: Packer, values: Any, name: object) -> Any:
    """The values of a series or an index."""
    dtype = values.dtype
    try:
        if _is_numpy(dtype):
            return packer.array(values.to_numpy())
        kind = type(dtype).__name__
        if kind == "CategoricalDtype":
            array = values.array
            told = _column(packer, array.categories, name)
            return ["category", packer.array(array.codes), told, bool(array.ordered)]
        if kind == "DatetimeTZDtype":
            naive = values.array.tz_convert("UTC").tz_localize(None)
            return ["zoned", str(dtype.tz), packer.array(naive.to_numpy())]
        if kind == "StringDtype":
            texts = values.array.to_numpy(dtype=object, na_value=None).tolist()
            return ["text", str(dtype), texts]
        if str(dtype).startswith(_MASKED) and hasattr(dtype, "numpy_dtype"):
            plain = values.array.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
            return ["masked", str(dtype), packer.array(plain), packer.array(values.array.isna())]
    except BadInputError as error:
        error.args = (f"column {name!r}: {error.message}",)
        raise
    raise BadInputError(
        f"column {name!r}: the type {dtype} cannot be passed to another environment",
        hint="astype('float64'), astype('object') or the like makes it one that can",
    )


def _is_numpy(dtype: Any) -> bool:
    return type(dtype).__module__.partition(".")[0] == "numpy"


def _index(packer: Packer, index: Any, library: Any) -> Any:
    if type(index) is library.RangeIndex:
        return ["range", index.start, index.stop, index.step, packer.tree(index.name)]
    if isinstance(index, library.MultiIndex):
        levels = [index.get_level_values(at) for at in range(index.nlevels)]
        return [
            "levels",
            [_column(packer, each, each.name) for each in levels],
            packer.trees(index.names),
        ]
    step = getattr(index, "freqstr", None)
    return ["index", _column(packer, index, index.name), packer.tree(index.name), step]


# reading


def unpack(unpacker: Unpacker, kind: str, parts: list[Any]) -> Any:
    """What `pack` wrote. Raises `ValueError` for another word."""
    if kind not in _READERS:
        raise ValueError(f"{str(kind)[:20]} is no kind of value")
    return _READERS[kind](unpacker, *parts)


def _pandas() -> Any:
    return import_module("pandas")


def _read_block(unpacker: Unpacker, index: Any, columns: Any, array: Any) -> Any:
    edges = {"index": unpacker.value(index), "columns": unpacker.value(columns)}
    return _pandas().DataFrame(unpacker.array(array), **edges, copy=False)


def _read_frame(unpacker: Unpacker, index: Any, columns: Any, trees: list[Any]) -> Any:
    rows = unpacker.value(index)
    series = {at: _as_column(unpacker.value(each), rows) for at, each in enumerate(trees)}
    frame = _pandas().DataFrame(series, index=rows, copy=False)
    frame.columns = unpacker.value(columns)
    return frame


def _read_series(unpacker: Unpacker, values: Any, index: Any, name: Any) -> Any:
    return _as_column(unpacker.value(values), unpacker.value(index), unpacker.value(name))


def _as_column(values: Any, index: Any, name: Any = None) -> Any:
    return _pandas().Series(values, index=index, name=name, copy=False, **_as_objects(values))


def _read_index(unpacker: Unpacker, values: Any, name: Any, step: Any = None) -> Any:
    found = unpacker.value(values)
    made = _pandas().Index(found, name=unpacker.value(name), **_as_objects(found))
    if type(step) is str:
        with suppress(ValueError, AttributeError):  # a step that this release calls by another name
            made.freq = step
    return made


def _read_stamp(_: Unpacker, text: str, zone: str | None) -> Any:
    made = _pandas().Timestamp(text)
    return made if zone is None else made.tz_convert(zone)


def _as_objects(values: Any) -> dict[str, Any]:
    """Objects stay objects: a newer pandas would look into them, and find texts."""
    return {"dtype": object} if str(values.dtype) == "object" else {}


def _read_range(unpacker: Unpacker, start: int, stop: int, step: int, name: Any) -> Any:
    return _pandas().RangeIndex(start, stop, step, name=unpacker.value(name))


def _read_levels(unpacker: Unpacker, levels: list[Any], names: list[Any]) -> Any:
    return _pandas().MultiIndex.from_arrays(
        [unpacker.value(each) for each in levels], names=unpacker.values(names)
    )


def _read_category(unpacker: Unpacker, codes: Any, categories: Any, ordered: bool) -> Any:
    library = _pandas()
    known = _read_index(unpacker, categories, None)
    return library.Categorical.from_codes(unpacker.array(codes), categories=known, ordered=ordered)


def _read_zoned(unpacker: Unpacker, zone: str, moments: Any) -> Any:
    return _pandas().DatetimeIndex(unpacker.array(moments)).tz_localize("UTC").tz_convert(zone).array


def _read_text(unpacker: Unpacker, dtype: str, texts: list[Any]) -> Any:
    library = _pandas()
    if any(type(each) is not str and each is not None for each in texts):
        raise ValueError("no texts")
    wanted = dtype if dtype in ("str", "string") else "string"
    try:
        return library.array(texts, dtype=wanted)
    except TypeError:
        import numpy as np

        return np.array([np.nan if each is None else each for each in texts], dtype=object)


def _read_masked(unpacker: Unpacker, dtype: str, plain: Any, mask: Any) -> Any:
    if not dtype.startswith(_MASKED):
        raise ValueError(f"{dtype[:20]} is no type with missing values")
    return tables.nullable(unpacker.array(plain), unpacker.array(mask))


def _read_polars(unpacker: Unpacker, is_series: bool, place: int) -> Any:
    frame = import_module("polars").read_ipc(BytesIO(unpacker.buffer(place)))
    return frame.to_series(0) if is_series else frame


_READERS: Final[dict[str, Callable[..., Any]]] = {
    "block": _read_block,
    "frame": _read_frame,
    "series": _read_series,
    "index": _read_index,
    "range": _read_range,
    "levels": _read_levels,
    "category": _read_category,
    "zoned": _read_zoned,
    "text": _read_text,
    "masked": _read_masked,
    "polars": _read_polars,
    "stamp": _read_stamp,
    "lapse": lambda unpacker, value: _pandas().Timedelta(unpacker.value(value)),
    "NaT": lambda _: _pandas().NaT,
    "NA": lambda _: _pandas().NA,
}
