"""What is known of other libraries' types: how to spell their scalars, and what to say of their arrays.

Types are found through `sys.modules`, so that nothing is imported, and compared exactly. To
teach nbreg another type, add a row to `_SCALARS` or `_SUMMARIES`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from types import ModuleType
from typing import Any, Final, NamedTuple

COLUMNS: Final = 50
"""How many columns of a frame a summary names."""

LONGEST_SCALAR: Final = 16 * 1024

Summary = dict[str, Any]


_type_module = type.__dict__["__module__"].__get__
_type_name = type.__dict__["__qualname__"].__get__


def type_name(kind: type) -> str:
    """`module.qualname` of a type without asking a metaclass; Python's and the notebook's by name alone."""
    module = _type_module(kind)
    name = str(_type_name(kind))[:200]
    if type(module) is not str or module in ("builtins", "__main__"):
        return name
    module = (
        module.removesuffix("._local") if module.startswith("pathlib.") else module
    )  # Python 3.13 moved it
    return f"{module[:200]}.{name}"


class LibraryTypes(NamedTuple):
    """The known types that are loaded now."""

    metaclasses: tuple[type, ...]
    scalars: dict[type, Callable[[Any], Any]]
    summaries: dict[type, Callable[[Any], Summary]]
    mappings: frozenset[type]
    spaces: frozenset[type]

    def kind(self, value: object) -> type:
        """The value's type as it may be looked up; `object` where hashing it could run a metaclass's code."""
        kind = type(value)
        if type(kind) is type or any(type(kind) is known for known in self.metaclasses):
            return kind
        return object


_last: tuple[list[object], list[tuple[int, int]], LibraryTypes] | None = None


def library_types() -> LibraryTypes:
    """Find the known types in the modules that the user has imported.

    They are looked for again when one of these modules is another one, or has got more names: a
    module is there before it has been executed to its end.
    """
    global _last
    loaded: list[object] = [sys.modules.get(module) for module in _MODULES]
    # By their ids, and kept so that these mean them: what stands in for a module may compare as it likes.
    moment = [(id(each), len(_namespace(each))) for each in loaded]
    known = _last
    if known is None or known[1] != moment:
        known = _last = loaded, moment, _library_types()
    return known[2]


def _library_types() -> LibraryTypes:
    scalars, summaries = dict(_found(_SCALARS)), dict(_found(_SUMMARIES))
    return LibraryTypes(
        metaclasses=tuple({type, *map(type, summaries)}),
        scalars=scalars,
        summaries=summaries,
        mappings=frozenset((dict, *(kind for kind, _ in _found(_MAPPINGS)))),
        spaces=frozenset(kind for kind, _ in _found(_SPACES)),
    )


def _namespace(module: object) -> dict[str, Any]:
    """What is in a module; nothing where it is none."""
    if not issubclass(type(module), ModuleType):
        return {}
    # Not getattr: a lazy module would import what it is asked for.
    found: dict[str, Any] = object.__getattribute__(module, "__dict__")
    return found


def _found(rows: Iterable[tuple[str, str, Any]]) -> Iterable[tuple[type, Any]]:
    for module, names, use in rows:
        namespace = _namespace(sys.modules.get(module))
        for name in names.split():
            kind: Any = namespace.get(name)
            if issubclass(type(kind), type):
                yield kind, use


# scalars


def _item(value: Any) -> Any:
    if value.nbytes > LONGEST_SCALAR:
        return None
    plain = value.item()
    return plain if type(plain) in (bool, int, float, str) else str(plain)


def _moment(value: Any) -> str:
    zone = value.tzinfo
    # A time zone may be a class of the user's: then even formatting would call it.
    known = zone is None or any(type(zone) is kind for kind, _ in _found(_ZONES))
    return str(value.isoformat() if known else value.replace(tzinfo=None).isoformat())


def _span(value: Any) -> str:
    return f"{value.start}:{value.stop}:{value.step}" if all(_is_plain(each) for each in _ends(value)) else ""


def _ends(value: Any) -> tuple[object, ...]:
    return (value.start, value.stop, value.step)


def _is_plain(value: object) -> bool:
    return value is None or (type(value) is int and value.bit_length() < 64)


_NUMPY_SCALARS = (
    "bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 longlong ulonglong float16 float32 float64 str_ "
    "datetime64 timedelta64"
)

_SCALARS: Final[tuple[tuple[str, str, Callable[[Any], Any]], ...]] = (
    ("builtins", "complex", str),
    ("builtins", "range slice", _span),
    ("decimal", "Decimal", str),
    ("datetime", "datetime", _moment),
    ("datetime", "date timedelta", str),
    ("pathlib", "PosixPath WindowsPath PurePosixPath PureWindowsPath", str),
    ("uuid", "UUID", str),
    ("numpy", _NUMPY_SCALARS, _item),
    ("pandas", "Timestamp", _moment),
    ("pandas", "Timedelta", str),
    ("torch", "device dtype", str),
)
_ZONES: Final = (("datetime", "timezone", None), ("zoneinfo", "ZoneInfo", None))
_MAPPINGS: Final = (("collections", "OrderedDict defaultdict Counter", None),)
_SPACES: Final = (("types", "SimpleNamespace", None), ("argparse", "Namespace", None))


# summaries


def _array(value: Any) -> Summary:
    return {
        "shape": list(value.shape),
        "dtype": _known_dtype(value.dtype)[0],
        "bytes": int(value.nbytes),
    }


def _sparse(value: Any) -> Summary:
    return {"shape": list(value.shape), "dtype": str(value.dtype), "stored": int(value.nnz)}


def _tensor(value: Any) -> Summary:
    size = value.element_size() * value.nelement()
    return {
        "shape": list(value.shape),
        "dtype": str(value.dtype),
        "bytes": size,
        "device": str(value.device),
        "requires_grad": bool(value.requires_grad),
    }


def _pandas_frame(value: Any) -> Summary:
    rows, width = value.shape
    known = [_known_dtype(kind) for kind in value.dtypes.array]
    names = value.columns if width <= COLUMNS else value.columns[:COLUMNS]
    columns = [[_label(name), kind] for name, (kind, _) in zip(names, known[:COLUMNS], strict=True)]
    size = {"bytes": rows * sum(size for _, size in known)} if all(size for _, size in known) else {}
    return {"shape": [rows, width], "columns": columns, **size}


def _pandas_series(value: Any) -> Summary:
    kind, size = _known_dtype(value.dtype)
    more = {"bytes": size * len(value)} if size else {}
    return {"shape": [len(value)], "dtype": kind, "name": _label(value.name), **more}


def _pandas_index(value: Any) -> Summary:
    return {"shape": [len(value)], "dtype": _known_dtype(value.dtype)[0]}


def _polars_frame(value: Any) -> Summary:
    names, kinds = value.columns[:COLUMNS], value.dtypes[:COLUMNS]
    columns = [[name[:200], str(kind)[:200]] for name, kind in zip(names, kinds, strict=True)]
    return {"shape": list(value.shape), "columns": columns, "bytes": int(value.estimated_size())}


def _polars_series(value: Any) -> Summary:
    return {"shape": [len(value)], "dtype": str(value.dtype), "name": str(value.name)[:200]}


def _arrow_table(value: Any) -> Summary:
    fields = list(value.schema)[:COLUMNS]
    columns = [[field.name[:200], str(field.type)[:200]] for field in fields]
    return {"shape": list(value.shape), "columns": columns, "bytes": int(value.nbytes)}


def _label(label: object) -> str:
    """A column's label, which may be any object: text and numbers are shown, the rest by type."""
    if type(label) is str:
        return label[:200]
    if label is None or type(label) in (int, float, bool):
        return str(label) if label is None or type(label) is not int or label.bit_length() < 64 else "int"
    if type(label) is tuple:
        return ", ".join(_label(each) for each in label[:8])
    return f"<{type_name(type(label))}>"


def _known_dtype(dtype: Any) -> tuple[str, int]:
    """A dtype's name and the bytes of one value, 0 where they are of no fixed size.

    Only numpy's plain ones are looked up: hashing any other may ask the user's objects.
    """
    name = type_name(type(dtype))
    if name.startswith("numpy."):
        return _plain_dtype(dtype) if dtype.kind in _PLAIN_KINDS else _numpy_dtype(dtype)
    # An extension's own type is not asked for its name.
    return (str(dtype)[:200] if name.startswith("pandas.") else name), 0


def _numpy_dtype(dtype: Any) -> tuple[str, int]:
    return str(dtype)[:200], 0 if dtype.kind == "O" else int(dtype.itemsize)


_PLAIN_KINDS: Final = "biufcmMOSU"
# Numpy takes 4 µs to spell a dtype, and a notebook's frames have the same few in all their columns.
_plain_dtype = lru_cache(maxsize=256)(_numpy_dtype)


_SUMMARIES: Final[tuple[tuple[str, str, Callable[[Any], Summary]], ...]] = (
    ("numpy", "ndarray", _array),
    ("pandas", "DataFrame", _pandas_frame),
    ("pandas", "Series", _pandas_series),
    ("pandas", "Index RangeIndex MultiIndex DatetimeIndex", _pandas_index),
    ("polars", "DataFrame", _polars_frame),
    ("polars", "Series", _polars_series),
    ("pyarrow", "Table RecordBatch", _arrow_table),
    ("torch", "Tensor", _tensor),
    ("torch.nn.parameter", "Parameter", _tensor),
    ("scipy.sparse", "csr_matrix csc_matrix coo_matrix csr_array csc_array coo_array", _sparse),
)

_ALL: Final = (_SCALARS, _SUMMARIES, _MAPPINGS, _SPACES)
_MODULES: Final = tuple({module for rows in _ALL for module, *_ in rows})
"""Where the known types are."""
