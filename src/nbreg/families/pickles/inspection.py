"""Reading a pickle without running it: which globals it asks for.

The stream is read by the real unpickler, but each global it names becomes an inert stand-in
that can be called, filled and subscripted, and does nothing. So what is listed is what loading
would import, however the stream spells it. Where all of it is harmless by name, a second look
(`contracts`) asks whether it is used as honest pickles use it.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from contextlib import suppress
from itertools import islice, repeat
from typing import Any, Final

import nbreg.families.pickles.contracts as contracts
from nbreg.families.pickles.scanning import scan
from nbreg.families.pickles.standins import Buffer, OddError, Tensors

Bytes = bytes | bytearray | memoryview

UNREADABLE: Final = "a stream that cannot be inspected"
_SHOWN: Final = 10_000


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


def inert() -> Any:
    """What stands in for anything that a stream names, and does nothing."""
    return _Inert


class _Listing(pickle.Unpickler):
    """An unpickler that notes each global and hands out stand-ins."""

    def __init__(self, stream: Bytes) -> None:
        super().__init__(io.BytesIO(stream), buffers=repeat(b""))
        self.found: dict[str, None] = {}

    def find_class(self, module: str, name: str) -> Any:
        self.found[f"{module}.{name}"] = None
        return _Inert


def _none(index: int) -> Bytes:
    raise OddError("a buffer that is not there")


def names_in(stream: Bytes) -> list[str]:
    """What a stream that no unpickler should read seems to name; only to be shown."""
    import pickletools

    found: dict[str, None] = {}
    words: list[str] = []
    with suppress(Exception):
        for op, value, _ in islice(pickletools.genops(bytes(stream)), _SHOWN):
            if op.name in ("GLOBAL", "INST"):
                found[".".join(str(value).split(" ", 1))[:200]] = None
            elif op.name == "STACK_GLOBAL" and len(words) > 1:
                found[".".join(words[-2:])[:200]] = None
            elif type(value) is str:
                words.append(value)
    return list(found)


def globals_of(stream: Bytes) -> list[str]:
    """The globals that loading would ask for, in order; `UNREADABLE` at the end if it breaks off."""
    if _has_extensions(stream):
        return [UNREADABLE]
    listing = _Listing(stream)
    try:
        listing.load()
    except Exception:
        return [*listing.found, UNREADABLE]
    return list(listing.found)


def untrusted_in(
    stream: Bytes, buffer: Buffer = _none, tensors: Tensors | None = None, buffers: int | None = None
) -> list[str]:
    """What of a stream needs somebody's word, in words for people: names, or an odd use of harmless ones.

    `buffer` gives the bytes of what stands beside the stream, where they have to be looked at, and
    `buffers` is how many there are; `tensors` is what is told of those that it names.
    """
    if reason := scan(stream):
        return [*names_in(stream), f"{UNREADABLE}: {reason}"]
    named = globals_of(stream)
    unknown = [each for each in named if not is_harmless(each)]
    if unknown:
        return unknown
    odd = contracts.oddity(stream, buffer, tensors or {}, buffers)
    return [odd] if odd else []


def is_harmless(name: str) -> bool:
    """Whether a global is one of the known ones that only make a value, if used as usual."""
    return contracts.is_known(name)


def _has_extensions(stream: Bytes) -> bool:
    """Whether a global may be named by a number: such a one is remembered by the process, and not asked for.

    Without any registered number the unpickler itself breaks off.
    """
    registered: Any = copyreg
    if not registered._inverted_registry and not registered._extension_cache:
        return False
    import pickletools

    try:
        return any(op.name in ("EXT1", "EXT2", "EXT4") for op, _, _ in pickletools.genops(bytes(stream)))
    except Exception:
        return True
