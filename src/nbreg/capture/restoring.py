"""Recorded variables back as Python values: what `variables.py` wrote, read the other way.

Nothing is looked up by a name that the record gives: the types that can come back stand in one
table here, so that a record which somebody else wrote makes plain values and runs nothing.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Final

from nbreg.capture.secrets.syntax import MARK
from nbreg.capture.variables import EXCLUDED
from nbreg.errors import NotRestorableError
from nbreg.records import Variable, Variables

_SPAN = re.compile(r"(?:(-?\d+) days?, )?(\d+):(\d\d):(\d\d)(?:\.(\d{6}))?")
_NUMPY = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 longlong ulonglong float16 float32 float64 str_"
)


class _NoValueError(Exception):
    """Why there is no value, in a few words."""


def restorable(variables: Variables) -> dict[str, Variable]:
    """The variables that have a value which can come back here, by name."""
    return {each.name: each for each in variables.variables if not why_not(each)}


def why_not(variable: Variable) -> str:
    """Why a variable cannot come back, or nothing."""
    try:
        _value(variable)
    except _NoValueError as why:
        return str(why)
    return ""


def restored(variable: Variable) -> Any:
    """The value that the variable had.

    Raises `NotRestorableError`: the value was summarised, withheld, or of a type unknown here.
    """
    try:
        return _value(variable)
    except _NoValueError as why:
        raise NotRestorableError(
            f"the variable {variable.name!r} has no recorded value: {why}", hint=_remedy(variable)
        ) from None


def _remedy(variable: Variable) -> str:
    if variable.redacted == EXCLUDED:
        return "the setting variables_include or variables_exclude of who registered it decides"
    if variable.redacted or _is_marked(variable.value):
        return "secrets are never recorded; read it from where it is kept"
    return f"artifacts={{{variable.name!r}: {variable.name}}} at registration keeps the whole object"


def _value(variable: Variable) -> Any:
    if variable.redacted:
        reason = "excluded by settings" if variable.redacted == EXCLUDED else f"it is a {variable.redacted}"
        raise _NoValueError(f"withheld ({reason})")
    if variable.summary:
        raise _NoValueError(f"only summarised ({variable.type}{_shape(variable.summary)})")
    if variable.value is None and variable.type != "NoneType":
        raise _NoValueError(f"an object of type {variable.type}")
    if _is_marked(variable.value):
        raise _NoValueError("a secret inside it was withheld")
    return _made(variable.type, variable.value)


def _shape(summary: Mapping[str, Any]) -> str:
    shape = summary.get("shape")
    if isinstance(shape, list):
        return f" {'×'.join(map(str, shape))}"
    return f" of length {summary['length']}" if "length" in summary else ""


def _is_marked(value: Any) -> bool:
    """Whether a secret was withheld in it; the record does not say of which type it was."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str) and MARK in each:
            return True
        if isinstance(each, dict):
            waiting += [*each, *each.values()]
        elif isinstance(each, list):
            waiting += each
    return False


def _made(kind: str, told: Any) -> Any:
    """A value of a type, from what is told of it."""
    make = _MAKERS.get(kind)
    if make is None:
        raise _NoValueError(f"values of {kind} do not come back")
    try:
        return make(told)
    except _NoValueError:
        raise
    except (ImportError, AttributeError) as error:
        raise _NoValueError(f"{kind} needs what is not here ({error})") from None
    except (ValueError, TypeError, ArithmeticError, KeyError) as error:
        raise _NoValueError(f"what is recorded is no {kind} ({type(error).__name__})") from None


def _inside(told: Any) -> Any:
    """A value within another one: plain, or with its type beside it."""
    if isinstance(told, list):
        return list(map(_inside, told))
    if not isinstance(told, dict):
        return told
    kind = told.get("$type")
    if kind is None:
        return {key: _inside(each) for key, each in told.items()}
    if "value" not in told and "items" not in told:
        raise _NoValueError(f"a {kind}{_shape(told)} inside it was only summarised")
    return _made(kind, told["items"] if "items" in told else told["value"])


def _pairs(told: Any) -> dict[Any, Any]:
    """A dictionary: as JSON has it, or as pairs where keys are no text."""
    if isinstance(told, dict) and told.get("$type") == "dict":
        told = told["items"]
    if isinstance(told, dict):
        return {key: _inside(each) for key, each in told.items()}
    return {_inside(key): _inside(each) for key, each in told}


def _items(told: Any) -> Iterator[Any]:
    if not isinstance(told, list):
        raise _NoValueError("what is recorded is no list")
    return map(_inside, told)


def _plain(kind: type) -> Callable[[Any], Any]:
    def make(told: Any) -> Any:
        if type(told) is not kind:
            raise ValueError(told)
        return told

    return make


def _ends(make: Callable[..., Any]) -> Callable[[Any], Any]:
    """`range` and `slice`, told as `0:10:1`."""

    def made(told: str) -> Any:
        if not told:
            raise _NoValueError("its ends are no plain numbers")
        return make(*(None if each == "None" else int(each) for each in told.split(":")))

    return made


def _span(told: str) -> Any:
    from datetime import timedelta

    match = _SPAN.fullmatch(told)
    if match is None:
        raise ValueError(told)
    days, hours, minutes, seconds, parts = (int(each or 0) for each in match.groups())
    return timedelta(days, seconds, parts, 0, minutes, hours)


def _of(module: str, name: str, method: str = "") -> Callable[[Any], Any]:
    """A class of a library that is imported when a value of it comes back."""

    def make(told: Any) -> Any:
        kind = getattr(import_module(module), name)
        return (getattr(kind, method) if method else kind)(told)

    return make


def _space(module: str, name: str) -> Callable[[Any], Any]:
    return lambda told: getattr(import_module(module), name)(**_pairs(told))


_MAKERS: Final[dict[str, Callable[[Any], Any]]] = {
    "NoneType": lambda told: None,
    "bool": _plain(bool),
    "str": _plain(str),
    "int": int,
    "float": float,
    "complex": complex,
    "list": lambda told: list(_items(told)),
    "tuple": lambda told: tuple(_items(told)),
    "set": lambda told: set(_items(told)),
    "frozenset": lambda told: frozenset(_items(told)),
    "dict": _pairs,
    "collections.OrderedDict": lambda told: OrderedDict(_pairs(told)),
    "collections.Counter": lambda told: Counter(_pairs(told)),
    "types.SimpleNamespace": _space("types", "SimpleNamespace"),
    "argparse.Namespace": _space("argparse", "Namespace"),
    "range": _ends(range),
    "slice": _ends(slice),
    "decimal.Decimal": _of("decimal", "Decimal"),
    "datetime.datetime": _of("datetime", "datetime", "fromisoformat"),
    "datetime.date": _of("datetime", "date", "fromisoformat"),
    "datetime.timedelta": _span,
    **{
        f"pathlib.{name}": _of("pathlib", name)
        for name in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
    },
    "uuid.UUID": _of("uuid", "UUID"),
    **{f"numpy.{name}": _of("numpy", name) for name in _NUMPY.split()},
    "numpy.bool_": _of("numpy", "bool_"),
    "pandas.Timestamp": _of("pandas", "Timestamp"),
    "pandas.Timedelta": _of("pandas", "Timedelta"),
}
"""What comes back, by the name that `type_name` gives its type. A factory of a `defaultdict` does not."""
