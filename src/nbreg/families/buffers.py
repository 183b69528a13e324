"""The buffers beside a pickle stream: taken as they lie in memory, and known again when they are read.

An array whose elements lie with gaps is not copied into the stream, as numpy would: it is
gathered block by block when it is written.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from nbreg.families.pickles.inspection import inert
from nbreg.store.large import BLOCK, Source

SMALLEST: Final = 256 * 1024
"""Below this numpy's own way is as good."""

_NUMBERS: Final = "biufc"
_PLAIN: Final = re.compile("f(?:2|4|8|12|16)|c(?:8|16|24|32)|b1|[iu][12]")
_FROMBUFFER: Final = frozenset(("numpy._core.numeric._frombuffer", "numpy.core.numeric._frombuffer"))

Known = Mapping[tuple[Any, ...], bytes]
"""Digests of arrays' elements, by where and how they lie: for as long as the buffers are held."""


class Gaps:
    """An array whose elements are gathered in C order, block by block."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.nbytes: int = array.nbytes
        self.readonly = False

    def pieces(self) -> Iterator[memoryview]:
        """Copies of its elements."""
        yield from gathered(self._array)


def gathered(array: Any) -> Iterator[memoryview]:
    """Copies of an array's elements in C order, block by block."""
    if array.nbytes <= BLOCK:
        yield memoryview(array.copy(order="C").reshape(-1).view("u1"))
        return
    rows = max(1, BLOCK * len(array) // array.nbytes)
    for at in range(0, len(array), rows):
        part = array[at : at + rows]
        yield from gathered(part[0] if len(part) == 1 and part.ndim > 1 else part)


class Buffers:
    """What one pickling puts beside its stream, in the order of the stream.

    With `spend`, it is told the size of each as it comes, and none is left to be gathered.
    """

    def __init__(self, spend: Callable[[int], None] | None = None) -> None:
        self._spend = spend
        self.sources: list[Source] = []
        self._gaps: dict[int, tuple[pickle.PickleBuffer, Gaps]] = {}
        self._numpy = sys.modules.get("numpy")

    def keep(self, buffer: pickle.PickleBuffer) -> None:
        """What the pickler calls for each buffer."""
        if self._spend is not None:
            self._spend(buffer.raw().nbytes)
        stand_in = self._gaps.get(id(buffer))
        self.sources.append(buffer.raw() if stand_in is None else stand_in[1])

    @property
    def reducers(self) -> dict[type, Callable[[Any], Any]]:
        """How arrays are told to the pickler."""
        if self._numpy is None or self._spend or self._numpy.ndarray in copyreg.dispatch_table:
            return {}
        return {self._numpy.ndarray: self._reduce}

    def _reduce(self, array: Any) -> Any:
        flags = array.flags
        if (
            array.nbytes < SMALLEST
            or flags.c_contiguous
            or flags.f_contiguous
            or array.dtype.kind not in _NUMBERS
        ):
            return array.__reduce_ex__(5)
        assert self._numpy is not None
        makes = self._numpy.zeros(1).__reduce_ex__(5)[0]  # its name is another one in each numpy
        stand_in = pickle.PickleBuffer(bytearray())
        self._gaps[id(stand_in)] = stand_in, Gaps(array)
        return makes, (stand_in, array.dtype, array.shape, "C")

    def known(self, digests: list[str]) -> Known:
        """The digests of the sources, by where their elements lie."""
        if self._numpy is None:
            return {}
        found: dict[tuple[Any, ...], bytes] = {}
        for source, digest in zip(self.sources, digests, strict=True):
            if isinstance(source, Gaps):
                found[_strided(source._array)] = bytes.fromhex(digest)
            elif isinstance(source, memoryview) and source.nbytes >= SMALLEST:
                flat = self._numpy.frombuffer(source, "u1")
                found[_start(flat), source.nbytes] = bytes.fromhex(digest)
        return found


def _start(array: Any) -> int:
    start: int = array.__array_interface__["data"][0]
    return start


def _strided(array: Any) -> tuple[Any, ...]:
    return (_start(array), array.shape, array.strides, array.itemsize)


def content_in(known: Known, array: Any) -> bytes | None:
    """The digest of an array's elements in the order in which they are stored, if it is known."""
    if not known or array.nbytes < SMALLEST:
        return None
    flags = array.flags
    if flags.c_contiguous or flags.f_contiguous:
        return known.get((_start(array), array.nbytes))
    return known.get(_strided(array))


# reading


class _Dtype:
    """A numpy dtype as the stream names it."""

    def __init__(self, spec: Any = "", *rest: Any) -> None:
        self.is_plain = type(spec) is str and _PLAIN.fullmatch(spec) is not None

    def __setstate__(self, state: Any) -> None: ...


class _Uses(pickle.Unpickler):
    """Reads a stream without making anything of it, and notes what each buffer is used for."""

    def __init__(self, stream: bytes | bytearray | memoryview, count: int) -> None:
        super().__init__(io.BytesIO(stream), buffers=(bytearray(b"%d" % at) for at in range(count)))
        self.plain = [False] * count

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full == "numpy.dtype":
            return _Dtype
        return self._array if full in _FROMBUFFER else inert()

    def _array(self, buffer: Any = None, dtype: Any = None, *rest: Any) -> Any:
        if isinstance(buffer, bytearray | memoryview) and isinstance(dtype, _Dtype) and dtype.is_plain:
            self.plain[int(bytes(buffer))] = True
        return inert()


def plain_ones(stream: bytes | bytearray | memoryview, count: int) -> list[bool]:
    """Of each buffer of a stream, whether it holds nothing but numbers that are computed with.

    Records and 4 or 8 byte integers are no such: compiled code may follow them as indices
    without looking.
    """
    uses = _Uses(stream, count)
    try:
        uses.load()
    except Exception:
        return [False] * count
    return uses.plain
