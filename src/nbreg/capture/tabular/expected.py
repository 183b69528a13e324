"""What a version's signature expects of the rows that it is asked about, and what they lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nbreg.capture.tabular import rows as rows_of
from nbreg.capture.tabular.tables import kind_of, one_array
from nbreg.errors import InputMismatchError, did_you_mean
from nbreg.records import Signature

_NUMBERS: Final = ("int", "uint", "float", "bool", "Int", "UInt", "Float", "boolean")
_TEXTS: Final = ("str", "string", "category", "String", "Utf8")
_SHOWN: Final = 5


def matched(given: Any, signature: Signature | None, ref: str) -> Any:
    """The rows as the version takes them: dictionaries as a frame, named columns in its order.

    Raises `InputMismatchError` for columns that are missing or that it does not know, for numbers
    that are text, and for rows that are too wide or too narrow.
    """
    columns, width = rows_of.names_of(signature), rows_of.width_of(signature)
    given = _as_frame(given, columns)
    names = _frame_names(given)
    if columns and names is not None:
        _check_names(names, columns, ref)
        _check_kinds(given, signature, ref)
        return given if tuple(names) == columns else _in_order(given, columns)
    shape = getattr(given, "shape", None)
    if width is not None and isinstance(shape, tuple) and len(shape) == 2 and shape[1] != width:
        raise InputMismatchError(
            f"{ref} takes rows of {width} columns, and these have {shape[1]}",
            hint=f"its columns are {_listed(columns)}" if columns else "`v.signature` tells what it takes",
        )
    return given


def names_lacking(given: Any, signature: Signature | None) -> str:
    """The names that the version knows its columns by, where the rows have none; else empty."""
    columns = rows_of.names_of(signature)
    is_bare = _frame_names(given) is None and (hasattr(given, "shape") or isinstance(given, list | tuple))
    return _listed(columns) if is_bare else ""


def _as_frame(given: Any, columns: tuple[str, ...]) -> Any:
    """Dictionaries, of one row or in a list, as a frame: what comes as JSON."""
    if isinstance(given, Mapping):
        given = rows_of.as_rows(given)
    is_records = isinstance(given, Sequence) and len(given) > 0 and isinstance(given[0], Mapping)
    if not (columns and (is_records or isinstance(given, Mapping))):
        return given
    try:
        import pandas
    except ImportError:
        return given  # the model may take dictionaries
    return pandas.DataFrame(given)


def _frame_names(given: Any) -> list[str] | None:
    if kind_of(given) not in ("pandas.DataFrame", "polars.DataFrame", "pyarrow.Table"):
        return None
    columns = getattr(given, "column_names", None) or given.columns
    return [str(each) for each in columns]


def _in_order(given: Any, columns: tuple[str, ...]) -> Any:
    if kind_of(given) == "pandas.DataFrame":
        places = {str(name): place for place, name in enumerate(given.columns)}
        return given.iloc[:, [places[name] for name in columns]]
    return given.select(list(columns))


def _check_names(names: list[str], columns: tuple[str, ...], ref: str) -> None:
    missing = [name for name in columns if name not in set(names)]
    unknown = [name for name in names if name not in set(columns)]
    if missing:
        renamed = did_you_mean(missing[0], unknown, " ").replace("did you mean", "is it").strip()
        told = f"these have {_listed(unknown)} instead; {renamed}".rstrip("; ") if unknown else ""
        raise InputMismatchError(
            f"{ref} needs the column{'s' if len(missing) > 1 else ''} {_listed(missing)}",
            hint=told or "`v.signature` tells what it takes",
        )
    if unknown:
        raise InputMismatchError(
            f"{ref} was not trained on the column{'s' if len(unknown) > 1 else ''} {_listed(unknown)}",
            hint="leave out what it does not take",
        )
    if len(names) != len(set(names)):
        raise InputMismatchError("a column stands there twice", hint="each name once")


def _check_kinds(given: Any, signature: Signature | None, ref: str) -> None:
    """Only what the dtype alone tells: a column of objects may hold anything."""
    if kind_of(given) != "pandas.DataFrame" or signature is None:
        return
    if one_array(given) is not None:
        return  # numbers throughout
    found = {str(name): str(dtype) for name, dtype in zip(given.columns, given.dtypes.array, strict=True)}
    for each in signature.inputs:
        name, kind = str(each.get("name")), str(each.get("type", ""))
        if kind.startswith(_NUMBERS) and found.get(name, "").startswith(_TEXTS):
            raise InputMismatchError(
                f"{ref} takes {name!r} as {kind}, and here it is {found[name]}",
                hint="convert the column to numbers",
            )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(repr(name[:80]) for name in names[:_SHOWN]) + more
