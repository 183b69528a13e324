"""Digests for telling that a value changed: quick, by value, the same in every process.

They are for comparison within a session and between a session and its replay. What a manifest
promises is digested with sha256, in families/.
"""

from __future__ import annotations

import marshal
import struct
import sys
import zlib
from hashlib import blake2b
from typing import Any, Final

Buffer = bytes | bytearray | memoryview

_BLOCK: Final = 1 << 20
_SMALL: Final = 1 << 16
_SIMPLE: Final = frozenset([int, float, bool, type(None), complex])
_FLAT: Final = _SIMPLE | {str, bytes}


def digest(tag: str, *parts: Buffer) -> bytes:
    """Each part with its length before it, so that no two lists of parts look the same."""
    hasher = blake2b(tag.encode() + b"\0", digest_size=16)
    for part in parts:
        hasher.update(struct.pack("<Q", len(part)))
        hasher.update(part)
    return hasher.digest()


def digest_buffer(data: Buffer) -> bytes:
    """Of many bytes: a cyclic redundancy check of each mebibyte, five times as fast as a hash.

    Nobody has a motive to forge what only tells whether a cell changed something; a change is
    missed once in 2³² times.
    """
    view = memoryview(data).cast("B") if not isinstance(data, bytes) else memoryview(data)
    if len(view) <= _SMALL:
        return digest("bytes", view)
    sums = [zlib.crc32(view[start : start + _BLOCK]) for start in range(0, len(view), _BLOCK)]
    return digest("blocks", struct.pack("<Q", len(view)), struct.pack(f"<{len(sums)}I", *sums))


def digest_flat(values: list[Any] | tuple[Any, ...]) -> bytes | None:
    """Of a long list of plain values at the speed of C, or None where one of them is not plain."""
    kinds = set(map(type, values))
    if kinds <= _SIMPLE:
        return digest_buffer(marshal.dumps(list(values), 2))
    if kinds <= _FLAT:
        # Version 0 neither shares nor interns: equal lists, equal bytes.
        return digest_buffer(marshal.dumps(list(values), 0))
    return None


def plain(value: object) -> bytes | None:
    """What stands for a value without parts, or None where it has some."""
    kind = type(value)
    if kind is str:
        encoded = value.encode("utf-8", "surrogatepass")  # type: ignore[attr-defined]
        return b"s" + encoded if len(encoded) < 64 else b"S" + digest_buffer(encoded)
    if kind is int:
        number: int = value  # type: ignore[assignment]
        return b"i%d" % number if abs(number) < 1 << 64 else b"I" + hex(number).encode()
    if kind is float:
        return b"f" + struct.pack("<d", value)
    if value is None or kind is bool or value is Ellipsis or value is NotImplemented:
        return b"c" + repr(value).encode()
    if kind is bytes:
        return b"b" + value if len(value) < 64 else b"B" + digest_buffer(value)  # type: ignore[arg-type, operator]
    if kind is complex:
        return b"z" + struct.pack("<dd", value.real, value.imag)  # type: ignore[attr-defined]
    return None


def digest_array(array: Any) -> bytes:
    """Of a numpy array without objects, by type, shape and elements, in whatever order they lie."""
    shape = struct.pack(f"<{array.ndim}q", *array.shape)
    dtype = (array.dtype.str if array.dtype.fields is None else str(array.dtype)).encode()
    if not array.size:
        return digest("array", dtype, shape)
    if array.flags.c_contiguous:
        return digest("array", dtype, shape, digest_buffer(memoryview(array.reshape(-1).view("u1"))))
    numpy = sys.modules["numpy"]
    if array.nbytes <= _BLOCK:
        whole = numpy.ascontiguousarray(array)
        return digest("array", dtype, shape, digest_buffer(memoryview(whole.reshape(-1).view("u1"))))
    return digest("array", dtype, shape, _in_blocks(array, numpy))


def _in_blocks(array: Any, numpy: Any) -> bytes:
    """The same digest as of the whole, without a copy of the whole."""
    sums, rest, size = [], b"", 0
    rows = max(1, _BLOCK // max(1, array.nbytes // array.shape[0]))
    for start in range(0, array.shape[0], rows):
        part = numpy.ascontiguousarray(array[start : start + rows])
        rest += memoryview(part.reshape(-1).view("u1")).tobytes()
        while len(rest) >= _BLOCK:
            sums.append(zlib.crc32(rest[:_BLOCK]))
            rest, size = rest[_BLOCK:], size + _BLOCK
    if rest:
        sums.append(zlib.crc32(rest))
        size += len(rest)
    if size <= _SMALL:
        return digest("bytes", rest)
    return digest("blocks", struct.pack("<Q", size), struct.pack(f"<{len(sums)}I", *sums))
