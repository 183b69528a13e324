"""Messages between two processes: a small document, and buffers that are sent from where they lie.

Nothing of a message is run: the document is read into the types below, and sizes are checked
before room is made for them.
"""

from __future__ import annotations

import mmap
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from nbreg.errors import BadInputError
from nbreg.families.neutral import HINT, Buffer

_HEAD: Final = struct.Struct("<QQ")
_MOST_BUFFERS: Final = 1_000_000
_MOST_BYTES: Final = 2**40
_MAPPED: Final = 1024 * 1024

M = TypeVar("M", bound=msgspec.Struct)


class Request(msgspec.Struct, omit_defaults=True):
    """What the process is asked."""

    do: str
    """`load`, `call` or `read`."""
    name: str = ""
    """The method or attribute; empty for the model itself."""
    artifact: bytes = b""
    device: str = ""
    arguments: Any = None
    keywords: Any = None


class Raised(msgspec.Struct, omit_defaults=True):
    """An exception, as far as another environment can know it."""

    kind: str
    """`module.class`."""
    bases: list[str]
    """The built-in classes among its bases, the nearest first; nbreg's own by their codes."""
    message: str
    trace: str = ""
    hint: str = ""


class Reply(msgspec.Struct, omit_defaults=True):
    """What the process answers."""

    value: Any = None
    is_model: bool = False
    """What came out is the model itself."""
    raised: Raised | None = None
    unsendable: str = ""
    """Why what came out cannot be passed on."""
    warnings: list[tuple[str, str]] = []


class GarbledError(Exception):
    """What came is no message."""


class Channel:
    """One end of a connection; it is of no use any more once a message was sent or received in part."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def close(self) -> None:
        self._connection.close()

    def send(
        self, message: msgspec.Struct, buffers: Sequence[Buffer] = (), *, until: float | None = None
    ) -> None:
        """Send it by the moment `until` of the monotonic clock.

        Raises `TimeoutError` or `OSError`; `BadInputError` where nothing was sent.
        """
        try:
            document = msgspec.msgpack.encode(message)
        except (UnicodeEncodeError, OverflowError) as error:
            raise BadInputError(f"a value cannot be passed on: {error}", hint=HINT) from None
        views = [memoryview(each) for each in buffers]
        sizes = struct.pack(f"<{len(views)}Q", *(each.nbytes for each in views))
        whole: list[Buffer] = [_HEAD.pack(len(document), len(views)) + sizes, document, *views]
        for each in whole:
            self._limit(until)
            self._connection.sendall(each)

    def receive(self, kind: type[M], *, until: float | None = None) -> tuple[M, list[Buffer]]:
        """The next message. Raises `EOFError` at its end, `TimeoutError`, `GarbledError` or `OSError`."""
        length, count = _HEAD.unpack(self._exactly(_HEAD.size, until))
        if count > _MOST_BUFFERS or length > _MOST_BYTES:
            raise GarbledError("a message without measure")
        sizes = struct.unpack(f"<{count}Q", self._exactly(8 * count, until))
        if sum(sizes) > _MOST_BYTES:
            raise GarbledError("a message without measure")
        document = self._exactly(length, until)
        try:
            message = msgspec.msgpack.decode(document, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise GarbledError(f"{kind.__name__.lower()} that cannot be read") from error
        return message, [self._exactly(size, until) for size in sizes]

    def _exactly(self, size: int, until: float | None) -> bytearray | memoryview:
        room = _room(size)
        view = memoryview(room)
        filled = 0
        while filled < size:
            self._limit(until)
            count = self._connection.recv_into(view[filled:])
            if not count:
                raise EOFError
            filled += count
        return room

    def _limit(self, until: float | None) -> None:
        if until is None:
            self._connection.settimeout(None)
            return
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)


def _room(size: int) -> bytearray | memoryview:
    """Memory that takes up room only as it is filled."""
    if size < _MAPPED:
        return bytearray(size)
    try:
        return memoryview(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    except (OSError, ValueError, OverflowError) as error:
        raise MemoryError(f"no room for {size} bytes") from error
