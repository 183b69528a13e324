"""What a stranger's stream may call the makers of tables with.

The makers themselves check what pandas would believe. Here it is held that nothing but arrays
and plain values comes to them, that no label costs more to hash than its length, that nothing is
written out which the stream does not have, and that an array is whole before it is handed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from nbreg.families import tables
from nbreg.families.pickles.scanning import DEAREST_KEY
from nbreg.families.pickles.standins import LEAVES, Array, Beside, Made, Scalar, Zone, must

Check = Callable[[tuple[Any, ...]], Any]

_NUMBERS: Final = "biufc"
_TIMES: Final = "mM"
_OBJECTS: Final = "O"
_FREQ: Final = re.compile(r"-?\d{0,9}[A-Za-z]{1,4}(-[A-Z]{3})?(-\d{1,2})?(-[A-Z]{3})?")
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_CLOSED: Final = ("left", "right", "both", "neither")
_WIDEST: Final = 1 << 63
_SHORT: Final = 1 << 20


class Column(Made):
    """Values of one of pandas' own kinds."""

    __slots__ = ()


class Wrapped(Column):
    """An array of numpy's as a column: of objects, too."""

    __slots__ = ()


class Labels(Made):
    """An index."""

    __slots__ = ()


class Span(Labels):
    """A range: it has as many values as it says, however few bytes it says it in."""

    __slots__ = ()

    @property
    def size(self) -> int:
        """How many values it stands for."""
        start, stop, step, _ = self.parts
        must(step != 0, "a range without a step")
        size: int = -((start - stop) // step)
        return max(0, size)


class Moment(Made):
    """A single time, period or interval."""

    __slots__ = ()


def _is_array(value: Any, kinds: str, *dimensions: int) -> bool:
    return type(value) is Array and any(value.is_of(kinds, each) for each in dimensions)


def _is_label(value: Any, depth: int = 1) -> bool:
    """What may stand in an index, or be a name: hashed in a time that goes with its size."""
    kind = type(value)
    if (kind in LEAVES and kind is not Beside) or kind in (Scalar, Moment):
        return True
    if kind is Made:  # such as a date
        return type(value.parts) is tuple and all(
            type(part) in LEAVES or type(part) is Zone for part in value.parts
        )
    if kind is not tuple or not depth or len(value) > DEAREST_KEY:
        return False
    return all(_is_label(each, depth - 1) for each in value)


def _are_labels(values: Iterable[Any]) -> bool:
    """Each is looked at once, however often it stands there."""
    return all(map(_is_label, {id(each): each for each in values}.values()))


def _is_values(value: Any) -> bool:
    """One dimension of anything."""
    return isinstance(value, Column) or _is_array(value, _NUMBERS + _TIMES + _OBJECTS, 1)


def _is_zone(value: Any) -> bool:
    return value is None or type(value) is Zone


def _is_freq(value: Any) -> bool:
    return type(value) is str and _FREQ.fullmatch(value) is not None


def _is_key(value: Any) -> bool:
    return type(value) is str and len(value) < 100 and _ZONE.fullmatch(value) is not None


def _is_flag(value: Any) -> bool:
    return type(value) is bool


def _is_integer(value: Any) -> bool:
    return type(value) is int and -_WIDEST <= value < _WIDEST


def _is_index(value: Any) -> bool:
    return isinstance(value, Labels)


def _is_held(value: Any) -> bool:
    """An index whose values all stand in the stream."""
    return type(value) is Labels


def _is_known(value: Any, used: int = 0) -> bool:
    """Categories or a level, which pandas writes out: a range has to be as long as what uses it, or short."""
    return _is_held(value) or (type(value) is Span and value.size <= max(used, _SHORT))


def _is_one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: type(value) is str and value in words


def _is_columns(value: Any) -> bool:
    if type(value) is tuple:
        return all(map(_is_values, value))
    return _is_array(value, _NUMBERS + _TIMES + _OBJECTS, 2)


def _is_labels(value: Any) -> bool:
    if type(value) is Wrapped:
        (value,) = value.parts
    if _is_array(value, _OBJECTS, 1):
        return _are_labels(value.objects)
    return _is_values(value)


def _is_attrs(value: Any) -> bool:
    return type(value) is dict


def _is_data(value: Any) -> bool:
    return type(value) in (bytes, Beside)


def _is_bytes(value: Any) -> bool:
    return type(value) is bytes


def _array_of(kinds: str) -> Callable[[Any], bool]:
    return lambda value: _is_array(value, kinds, 1)


def _or_none(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or holds(value)


def _takes(made: type[Made], *wanted: Callable[[Any], bool]) -> Check:
    def check(args: tuple[Any, ...]) -> Made:
        must(len(args) == len(wanted) and all(holds(each) for holds, each in zip(wanted, args, strict=True)))
        return made(args)

    return check


def _nested(args: tuple[Any, ...]) -> Made:
    must(len(args) == 3 and all(type(each) is tuple for each in args))
    levels, codes, names = args
    must(all(_is_array(each, "i", 1) for each in codes) and _are_labels(names))
    used = codes[0].shape[0] if codes else 0
    must(all(_is_known(each, used) for each in levels))
    return Labels(args)


def _categorical(args: tuple[Any, ...]) -> Made:
    must(len(args) == 3 and _is_array(args[0], "i", 1) and type(args[2]) is bool)
    must(_is_known(args[1], args[0].shape[0]))
    return Column(args)


_UNIT: Final = _is_one_of(*tables.UNITS)
_LABELLED: Final = (_is_attrs, _is_flag)
_BY_NAME: Final[dict[str, Check]] = {
    "frame": _takes(Made, _is_columns, _is_index, _is_index, *_LABELLED),
    "series": _takes(Made, _is_values, _is_label, _is_index, *_LABELLED),
    "labels": _takes(Labels, _is_labels, _is_label),
    "stepped": _takes(Labels, _is_values, _is_freq, _is_label),
    "span": _takes(Span, _is_integer, _is_integer, _is_integer, _is_label),
    "nested": _nested,
    "text": _takes(
        Column,
        _is_bytes,
        _array_of("i"),
        _or_none(_array_of("b")),
        _is_one_of("python", "pyarrow"),
        _is_flag,
    ),
    "wrapped": _takes(Wrapped, _array_of(_NUMBERS + _OBJECTS)),
    "categorical": _categorical,
    "moments": _takes(Column, _array_of(_TIMES), _is_zone),
    "nullable": _takes(Column, _array_of("biuf"), _array_of("b")),
    "periods": _takes(Column, _array_of("i"), _is_freq),
    "intervals": _takes(Column, _is_held, _is_held, _is_one_of(*_CLOSED)),
    "moment": _takes(Moment, _is_integer, _UNIT, _is_zone),
    "difference": _takes(Moment, _is_integer, _UNIT),
    "period": _takes(Moment, _is_integer, _is_freq),
    "interval": _takes(Moment, _is_label, _is_label, _is_one_of(*_CLOSED)),
    "missing": _takes(Moment, _is_one_of("NA", "NaT")),
    "zone": _takes(Zone, _is_key),
    "string_type": _takes(Made, _is_one_of("python", "pyarrow"), _is_flag),
    "category_type": _takes(Made, _or_none(_is_known), _or_none(_is_flag)),
    "zoned_type": _takes(Made, _UNIT, lambda zone: type(zone) is Zone),
    "period_type": _takes(Made, _is_freq),
    "nullable_type": _takes(Made, _is_one_of(*tables.NULLABLE)),
    "arrow": _takes(Made, _is_data, _is_one_of("table", "batch", "chunked")),
    "schema": _takes(Made, _is_bytes),
}

CALLS: Final[dict[str, Check]] = {f"nbreg.families.tables.{name}": each for name, each in _BY_NAME.items()}
"""The makers of tables, each by its exact name."""
