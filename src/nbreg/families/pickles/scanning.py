"""A look at a pickle's opcodes before any unpickler sees them: none but today's, none larger than they are.

The unpickler believes what a stream declares. A few bytes can ask it for gigabytes of memo, or for
the hash of a tuple whose parts are one tuple, sixty levels deep, which takes longer than anybody
lives. What is allowed here is what `pickle` and `cloudpickle` write at protocols 4 and 5, in a
stream that is consistent in itself; all else, such as names by number, persistent ids and the
opcodes of older protocols, is not needed by any honest one.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Final

MOST_OPCODES: Final = 5_000_000
LARGEST_INTEGER: Final = 4096
"""Bytes of an integer: what Python does with larger ones takes quadratic time."""
DEAREST_KEY: Final = 1000
"""Parts that hashing a key, or an element of a set, may visit."""
LONG_KEYS: Final = 1000
"""Keys that are integers of more than 8 bytes: such can be chosen to have one hash."""

_HOLDER: Final = DEAREST_KEY + 2
"""From this number on a value is a list, dictionary or set: what it holds is counted beside the stack."""

Bytes = bytes | bytearray | memoryview


class ScanError(Exception):
    """The stream is not one that a pickler wrote."""


def scan(stream: Bytes) -> str:
    """Why no unpickler should read the stream; empty where one may."""
    try:
        _Scan(stream).run()
    except ScanError as error:
        return str(error)
    except (IndexError, KeyError):
        return "it ends, or takes from its stack, where it should not"
    return ""


class _Scan:
    """The stack machine; each value is what hashing it would cost, below 0 for a long integer.

    What holds others has no hash, or keeps it. But a call may make a tuple of it, so it has the cost of that.
    """

    def __init__(self, stream: Bytes) -> None:
        self._bytes = bytes(stream) if isinstance(stream, memoryview) else stream
        self._end = len(self._bytes)
        self._at = 0
        self._stack: list[int] = []
        self._outer: list[list[int]] = []
        self._memo: list[int] = []
        self._held: list[int] = []
        self._long_keys = 0

    def run(self) -> None:
        if self._bytes[:2] not in (b"\x80\x04", b"\x80\x05"):
            raise ScanError("it is of no protocol that is read here")
        self._at = 2
        for _ in range(MOST_OPCODES):
            op = self._bytes[self._at]
            self._at += 1
            if op == _STOP:
                return self._stop()
            found = _STEPS[op]
            if found is None:
                raise ScanError(f"it has the opcode {bytes((op,))!r}")
            step, number = found
            step(self, number)
        raise ScanError("it has too many steps")

    def _stop(self) -> None:
        if len(self._stack) != 1 or self._outer or self._at != self._end:
            raise ScanError("it does not end with its value")

    # what stands in the stream

    def _take(self, width: int) -> int:
        """A little-endian number; the stream must have it."""
        start, self._at = self._at, self._at + width
        if self._at > self._end:
            raise ScanError("it is cut off")
        return int.from_bytes(self._bytes[start : self._at], "little")

    def _skip(self, size: int) -> None:
        if size > self._end - self._at:
            raise ScanError(f"it declares {size} bytes and does not have them")
        self._at += size

    def fixed(self, width: int) -> None:
        self._skip(width)
        self._stack.append(1)

    def counted(self, width: int) -> None:
        self._skip(self._take(width))
        self._stack.append(1)

    def integer(self, width: int) -> None:
        size = self._take(width)
        if size > LARGEST_INTEGER:
            raise ScanError(f"it has an integer of {size} bytes")
        self._skip(size)
        self._stack.append(-1 if size > 8 else 1)

    def frame(self, width: int) -> None:
        if self._take(width) > self._end - self._at:
            raise ScanError("it has a frame that is longer than itself")

    # memo and stack

    def memoize(self, _: int) -> None:
        self._memo.append(self._stack[-1])

    def get(self, width: int) -> None:
        self._stack.append(self._memo[self._take(width)])

    def mark(self, _: int) -> None:
        self._outer.append(self._stack)
        self._stack = []

    def _marked(self) -> list[int]:
        found, self._stack = self._stack, self._outer.pop()
        return found

    def drop(self, _: int) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._marked()

    def drop_marked(self, _: int) -> None:
        self._marked()

    def tuple_of(self, size: int) -> None:
        """Also of a call: what it makes may be its arguments again."""
        cost = 1
        for _ in range(size):
            cost += self._cost(self._stack.pop())
        self._stack.append(min(cost, DEAREST_KEY + 1))

    def tuple_marked(self, _: int) -> None:
        cost = 1 + sum(map(self._cost, self._marked()))
        self._stack.append(min(cost, DEAREST_KEY + 1))

    def _cost(self, value: int) -> int:
        return abs(value) if value < _HOLDER else self._held[value - _HOLDER]

    # what holds others

    def holder(self, _: int) -> None:
        self._stack.append(_HOLDER + len(self._held))
        self._held.append(1)

    def _hold(self, values: list[int]) -> None:
        """Put values into what is on top of the stack; of an object it is not counted."""
        at = self._stack[-1] - _HOLDER
        if at >= 0 and (cost := self._held[at]) <= DEAREST_KEY:
            self._held[at] = min(cost + sum(map(self._cost, values)), DEAREST_KEY + 1)

    def extend(self, _: int) -> None:
        self._hold(self._marked())

    def append(self, _: int) -> None:
        self._hold([self._stack.pop()])

    def build(self, _: int) -> None:
        self._stack.pop()
        self._stack[-1]

    # what is hashed

    def _hash(self, value: int) -> None:
        if value < 0:
            self._long_keys += 1
        if DEAREST_KEY < value < _HOLDER or self._long_keys > LONG_KEYS:
            raise ScanError("it has keys that are made to be slow")

    def _hash_all(self, keys: list[int]) -> None:
        for key in keys:
            self._hash(key)
        self._hold(keys)

    def set_item(self, _: int) -> None:
        self._stack.pop()
        self._hash_all([self._stack.pop()])

    def set_items(self, _: int) -> None:
        self._hash_all(self._marked()[::2])

    def add_items(self, _: int) -> None:
        self._hash_all(self._marked())

    def frozen(self, _: int) -> None:
        keys = self._marked()
        self.holder(0)
        self._hash_all(keys)


_Step = tuple[Callable[[_Scan, int], None], int]
_STOP: Final = pickle.STOP[0]
_BY_STEP: Final[dict[Callable[[_Scan, int], None], dict[bytes, int]]] = {
    _Scan.fixed: {
        pickle.NONE: 0, pickle.NEWTRUE: 0, pickle.NEWFALSE: 0, pickle.BININT: 4, pickle.BININT1: 1,
        pickle.BININT2: 2, pickle.BINFLOAT: 8, pickle.EMPTY_TUPLE: 0, pickle.NEXT_BUFFER: 0,
    },
    _Scan.holder: {pickle.EMPTY_DICT: 0, pickle.EMPTY_LIST: 0, pickle.EMPTY_SET: 0},
    _Scan.counted: {
        pickle.SHORT_BINBYTES: 1, pickle.BINBYTES: 4, pickle.BINBYTES8: 8, pickle.BYTEARRAY8: 8,
        pickle.SHORT_BINUNICODE: 1, pickle.BINUNICODE: 4, pickle.BINUNICODE8: 8,
    },
    _Scan.integer: {pickle.LONG1: 1, pickle.LONG4: 4},
    _Scan.frame: {pickle.FRAME: 8},
    _Scan.memoize: {pickle.MEMOIZE: 0},
    _Scan.get: {pickle.BINGET: 1, pickle.LONG_BINGET: 4},
    _Scan.mark: {pickle.MARK: 0},
    _Scan.drop: {pickle.POP: 0},
    _Scan.drop_marked: {pickle.POP_MARK: 0},
    _Scan.tuple_of: {
        pickle.TUPLE1: 1, pickle.TUPLE2: 2, pickle.TUPLE3: 3, pickle.READONLY_BUFFER: 1,
        pickle.STACK_GLOBAL: 2, pickle.REDUCE: 2, pickle.NEWOBJ: 2, pickle.NEWOBJ_EX: 3,
    },
    _Scan.tuple_marked: {pickle.TUPLE: 0},
    _Scan.extend: {pickle.APPENDS: 0},
    _Scan.append: {pickle.APPEND: 0},
    _Scan.build: {pickle.BUILD: 0},
    _Scan.set_item: {pickle.SETITEM: 0},
    _Scan.set_items: {pickle.SETITEMS: 0},
    _Scan.add_items: {pickle.ADDITEMS: 0},
    _Scan.frozen: {pickle.FROZENSET: 0},
}  # fmt: skip
_NUMBERS: Final = {op: (step, n) for step, ops in _BY_STEP.items() for op, n in ops.items()}
_STEPS: Final[list[_Step | None]] = [_NUMBERS.get(bytes((op,))) for op in range(256)]
