"""Digests by value of what modules other than `builtins` make, known when those modules are loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from nbreg.capture.recipe import tensors
from nbreg.capture.recipe.digests import digest

if TYPE_CHECKING:
    from nbreg.capture.recipe.values import _Walk


def _deque(walk: _Walk, value: Any) -> bytes:
    walk.reach.add(id(value))
    return digest("deque", walk.flat(list(value)), repr(value.maxlen).encode())


def _number_array(walk: _Walk, value: Any) -> bytes:
    walk.reach.add(id(value))
    return digest("array", value.typecode.encode(), walk.buffer(value.tobytes()))


def _text_io(walk: _Walk, value: Any) -> bytes:
    walk.reach.add(id(value))
    return walk.all("io", ("closed",) if value.closed else (value.getvalue(), value.tell()))


def _counting(walk: _Walk, value: Any) -> bytes:
    walk.reach.add(id(value))
    return digest("itertools", repr(value).encode())


def _dtype(walk: _Walk, value: Any) -> bytes:
    return digest("dtype", repr(value).encode())


KINDS: Final[list[tuple[str, str, Callable[[Any, Any], bytes]]]] = [
    ("collections", "deque", _deque),
    ("array", "array", _number_array),
    ("io", "StringIO", _text_io),
    ("itertools", "count", _counting),
    ("io", "BytesIO", _text_io),
    ("numpy", "dtype", _dtype),
    ("numpy", "ufunc", lambda walk, value: digest("ufunc", value.__name__.encode())),
    *tensors.KINDS,
]
"""Module, class, and what digests it."""
