"""Reading a pickle without running it: which globals it asks for.

The stream is read by the real unpickler, but each global it names becomes an inert stand-in
that can be called, filled and subscripted, and does nothing. So what is listed is what loading
would import, however the stream spells it.
"""

from __future__ import annotations

import io
import pickle
from itertools import repeat
from typing import Any, Final

HARMLESS: Final = frozenset(
    (
        *(
            f"builtins.{name}"
            for name in ("bytearray", "complex", "frozenset", "list", "dict", "set", "tuple")
        ),
        *(f"builtins.{name}" for name in ("range", "slice", "object")),
        "collections.OrderedDict",
        "collections.deque",
        "_codecs.encode",
        *(f"datetime.{name}" for name in ("date", "datetime", "time", "timedelta", "timezone")),
        "decimal.Decimal",
        "fractions.Fraction",
        "uuid.UUID",
        "numpy.dtype",
        "numpy.ndarray",
        "numpy._core.numeric._frombuffer",
        "numpy.core.numeric._frombuffer",
        "numpy._core.multiarray._reconstruct",
        "numpy.core.multiarray._reconstruct",
    )
)
"""Classes and functions, each by its exact name, that only make the value they stand for."""

UNREADABLE: Final = "a stream that cannot be inspected"


class _InertType(type):
    """Takes every call and every filling, and keeps nothing."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls

    def __setstate__(cls, state: Any) -> None: ...

    def __setitem__(cls, key: Any, value: Any) -> None: ...

    def append(cls, value: Any) -> None: ...

    def extend(cls, values: Any) -> None: ...

    def add(cls, value: Any) -> None: ...


class _Inert(metaclass=_InertType):
    """Stands in for anything a pickle names, makes of it, or makes of that: always this class itself.

    It is a class, since the stream may make instances of what it was handed.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls


class _Listing(pickle.Unpickler):
    """An unpickler that notes each global and hands out stand-ins."""

    def __init__(self, stream: bytes) -> None:
        super().__init__(io.BytesIO(stream), buffers=repeat(b""))
        self.found: dict[str, None] = {}

    def find_class(self, module: str, name: str) -> Any:
        self.found[f"{module}.{name}"] = None
        return _Inert


def globals_of(stream: bytes) -> list[str]:
    """The globals that loading would ask for, in order; `UNREADABLE` at the end if it breaks off."""
    listing = _Listing(stream)
    try:
        listing.load()
    except Exception:
        return [*listing.found, UNREADABLE]
    return list(listing.found)


def is_harmless(name: str) -> bool:
    """Whether a global is one of the known ones that only make a value."""
    return name in HARMLESS
