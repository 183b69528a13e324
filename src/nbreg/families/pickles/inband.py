"""One ordinary pickle out of a stream and its buffers, and back, without making anything of it.

What is stored beside the stream is put where the stream asks for it, so that `pickle.load` and
`joblib.load` read the file anywhere. Nothing is unpickled: opcodes are copied one by one.
"""

from __future__ import annotations

import pickle
import pickletools
from collections.abc import Iterable, Iterator
from itertools import pairwise

from nbreg.errors import DamagedObjectError
from nbreg.families.pickles.scanning import scan

Bytes = bytes | bytearray | memoryview

_BYTEARRAY = b"\x96"
_BYTES = b"\x8e"
_MOVED = ("FRAME", "BYTEARRAY8", "NEXT_BUFFER")
_HEAD = 9
"""Bytes of such an opcode and its size."""


def inband(stream: Bytes, buffers: Iterable[Bytes]) -> Iterator[Bytes]:
    """The pieces of the pickle, in order; raises `DamagedObjectError` where stream and buffers do not fit."""
    raw, left = bytes(stream), iter(buffers)
    start = 0
    for (name, at), (following, end) in pairwise(_operations(raw)):
        if name not in ("FRAME", "NEXT_BUFFER", "READONLY_BUFFER"):
            continue
        yield raw[start:at]
        start = end
        if name == "NEXT_BUFFER":
            buffer = next(left, None)
            if buffer is None:
                raise DamagedObjectError("the stream asks for more buffers than there are")
            kind = _BYTES if following == "READONLY_BUFFER" else _BYTEARRAY
            yield kind + memoryview(buffer).nbytes.to_bytes(8, "little")
            yield buffer
    yield raw[start:]


def _operations(raw: bytes) -> Iterator[tuple[str, int]]:
    """Name and place of each opcode, and of the end; one at a time, since a million numbers are as many."""
    try:
        yield from ((op.name, at or 0) for op, _, at in pickletools.genops(raw))
    except ValueError as error:
        raise DamagedObjectError(f"the stream cannot be read: {error}") from error
    yield "", len(raw)


def outband(stream: Bytes) -> tuple[Bytes, list[bytearray]]:
    """The stream and the buffers that `inband` made one pickle of; of any other pickle, too.

    Bytes that a stream can change lie beside it afterwards, where it cannot: only so do the numbers
    under an array stay what was looked at. A stream that no unpickler should read, or that asks for
    buffers already, is given back as it is.
    """
    if scan(stream):
        return stream, []
    raw = bytes(stream)
    try:
        moved = [(op.name, arg, at or 0) for op, arg, at in pickletools.genops(raw) if op.name in _MOVED]
    except ValueError:  # such as text that is none
        return stream, []
    if any(name == "NEXT_BUFFER" for name, _, _ in moved):
        return stream, []
    kept: list[bytes] = []
    buffers: list[bytearray] = []
    start = 0
    for _, arg, at in moved:
        kept.append(raw[start:at])
        start = at + _HEAD
        if isinstance(arg, bytearray):
            kept.append(pickle.NEXT_BUFFER)
            buffers.append(arg)
            start += len(arg)
    return b"".join([*kept, raw[start:]]), buffers
