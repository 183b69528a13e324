"""The arrays of a stored object by name, read without making the object, and how far two of them are apart.

The stream is read by the real unpickler into inert nodes: nothing that it names is imported or
called, so this is safe for anybody's bytes. Buffers stay where they are until two are compared.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import prod
from typing import Any, Final, NamedTuple

import msgspec

from nbreg.families.pickles.inspection import UNREADABLE, globals_of
from nbreg.families.pickles.scanning import scan
from nbreg.records import Artifact, Chunk, digest_of

Bytes = bytes | bytearray | memoryview
Read = Callable[[Chunk], Bytes]

MOST: Final = 2_000
"""Arrays of one object that are named."""

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of an array that is compared number by number."""

_DEEPEST: Final = 60
_STREAM: Final = 64 * 1024 * 1024
_BLOCK: Final = 1 << 20
_UNSAID: Final = frozenset(("_parameters", "_buffers", "_modules", "steps"))
_KINDS: Final = {"f": "float", "i": "int", "u": "uint", "c": "complex"}
_STORAGE: Final = re.compile(rb"ctorch\n(\w+)Storage\n")
_ELEMENTS: Final = {
    b"Double": "<f8", b"Float": "<f4", b"Half": "<f2", b"BFloat16": "bfloat16", b"Long": "<i8", b"Int": "<i4",
    b"Short": "<i2", b"Char": "|i1", b"Byte": "|u1", b"Bool": "|b1", b"ComplexFloat": "<c8",
    b"ComplexDouble": "<c16",
}  # fmt: skip

_TENSORS: Final = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bfloat16", "I64": "<i8", "I32": "<i4", "I16": "<i2",
    "I8": "|i1", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip


class Array(NamedTuple):
    """An array that was named and not read: its type and shape, and what tells its content apart."""

    dtype: str
    shape: tuple[int, ...]
    digest: str
    read: Callable[[], Bytes]
    order: str = "C"

    @property
    def said(self) -> str:
        """`float64 3×30`."""
        kind, size = self.dtype.lstrip("<|=>")[:1], self.dtype.lstrip("<|=>")[1:]
        name = f"{_KINDS[kind]}{int(size) * 8}" if kind in _KINDS and size.isdigit() else self.dtype
        return (
            f"{'bool' if kind == 'b' and size == '1' else name} {'×'.join(map(str, self.shape)) or 'scalar'}"
        )


class Moved(NamedTuple):
    """How far two arrays of one type and shape are apart."""

    share: float
    """Of the elements, those that differ."""
    most: float | None
    """The largest difference of two numbers; None where they have none."""


class _Node:
    """Stands for what the stream makes: what it was made of, and what it was filled with."""

    __slots__ = ("args", "items", "kind", "pairs", "state")

    def __init__(self, kind: str, args: tuple[Any, ...]) -> None:
        self.kind = kind
        self.args = args
        self.state: Any = None
        self.items: list[Any] = []
        self.pairs: list[tuple[Any, Any]] = []

    def __call__(self, *args: Any, **kwargs: Any) -> _Node:
        return _Node(self.kind, args)

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.pairs.append((key, value))

    def append(self, value: Any) -> None:
        self.items.append(value)

    def extend(self, values: Any) -> None:
        self.items.extend(values)

    def add(self, value: Any) -> None:
        self.items.append(value)


class _NamedType(type):
    """A class or function that the stream names; calling it makes a node."""

    full: str

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return _Node(cls.full, args)

    def __setstate__(cls, state: Any) -> None: ...


def _named_type(full: str) -> _NamedType:
    def new(cls: Any, *args: Any, **kwargs: Any) -> Any:
        return _Node(full, args)

    return _NamedType("Named", (), {"full": full, "__new__": new, "__slots__": ()})


class _Buffer(bytes):
    """A buffer's place, in eight bytes: the stream may ask for it as a read-only view."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _named_type(f"{module}.{name}")


def arrays_of(artifact: Artifact, read: Read) -> dict[str, Array]:
    """The arrays of an object by the path that leads to them: `logisticregression.coef_`.

    Empty where its bytes are in no form that is known here, or hold no array.
    """
    if artifact.kind != "object" or not artifact.chunks or artifact.chunks[0].size > _STREAM:
        return {}
    stream, *buffers = artifact.chunks
    if artifact.family == "torch" and type(beside := artifact.facts.get("buffers")) is int:
        return dict(_tensors(buffers[beside:], read))
    data = read(stream)
    # Also where a global is named by a number, and would be a real one.
    if scan(data) or UNREADABLE in globals_of(data):
        return {}
    places = (_Buffer(place.to_bytes(8, "little")) for place in range(len(buffers)))
    try:
        root = _Reader(io.BytesIO(data), buffers=places).load()
        return dict(_Walk(buffers, read).found(root))
    except Exception:  # a form of another release, or bytes that break off
        return {}


def _tensors(chunks: Sequence[Chunk], read: Read) -> Iterator[tuple[str, Array]]:
    """The tensors of a safetensors file that is cut between them: its header says what each is."""
    if not chunks or not 8 <= chunks[0].size <= _STREAM:
        return
    try:
        told = msgspec.json.decode(bytes(read(chunks[0]))[8:], type=dict[str, dict[str, Any]])
        entries = [(name, each) for name, each in told.items() if name != "__metadata__"]
        for (name, each), chunk in zip(entries[:MOST], chunks[1:], strict=False):
            shape = tuple(int(size) for size in each["shape"])
            yield name, Array(_TENSORS[each["dtype"]], shape, chunk.digest, partial(read, chunk))
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):  # bytes of another release, or damaged
        return


class _Walk:
    """One walk through the nodes of a stream; what is shared is named once."""

    def __init__(self, buffers: Sequence[Chunk], read: Read) -> None:
        self._buffers = buffers
        self._read = read
        self._seen: set[int] = set()
        self._left = MOST

    def found(self, node: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Array]]:
        if depth > _DEEPEST or not isinstance(node, _Node | dict | list | tuple) or id(node) in self._seen:
            return
        self._seen.add(id(node))
        array = self._array(node) if isinstance(node, _Node) else None
        if array is not None:
            if self._left:
                self._left -= 1
                yield path or "array", array
            return
        for step, child in _children(node):
            yield from self.found(child, f"{path}{step}".lstrip("."), depth + 1)

    def _array(self, node: _Node) -> Array | None:
        name = node.kind.rpartition(".")[2]
        if name == "_frombuffer" and len(node.args) >= 3:
            order = "F" if node.args[3:4] == ("F",) else "C"
            return self._of_buffer(node.args[0], _dtype(node.args[1]), node.args[2], order)
        if name == "_reconstruct" and isinstance(node.state, tuple) and len(node.state) == 5:
            _, shape, dtype, fortran, data = node.state
            order = "F" if fortran else "C"
            return self._of_buffer(data, _dtype(dtype), shape, order) if isinstance(data, bytes) else None
        if name == "_rebuild_tensor_v2" and len(node.args) >= 4:
            return _tensor(*node.args[:4])
        return None

    def _of_buffer(self, data: Any, dtype: str, shape: Any, order: str) -> Array | None:
        if not dtype or not _is_shape(shape):
            return None
        place = data.obj if isinstance(data, memoryview) else data
        if isinstance(place, _Buffer):
            chunk = self._buffers[int.from_bytes(place, "little")]
            return Array(dtype, shape, chunk.digest, lambda: self._read(chunk), order)
        if not isinstance(data, bytes | bytearray | memoryview):
            return None
        held = bytes(data)
        return Array(dtype, shape, digest_of(held), lambda: held, order)


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        yield from ((_step(key), value) for key, value in node.items())
        return
    if isinstance(node, list | tuple):
        for at, each in enumerate(node):
            if (
                isinstance(each, tuple)
                and len(each) >= 2
                and type(each[0]) is str
                and isinstance(each[1], _Node)
            ):
                yield f".{each[0]}", each[1]  # a step of a pipeline, by its name
            else:
                yield f"[{at}]", each
        return
    states = node.state if isinstance(node.state, tuple) else (node.state,)
    for state in states:
        if isinstance(state, dict | _Node):
            yield "", state
    for at, each in enumerate(node.args):
        yield ("", each) if len(node.args) == 1 or isinstance(each, _Node) else (f"({at})", each)
    yield from ((_step(key), value) for key, value in node.pairs)
    yield from ((f"[{at}]", value) for at, value in enumerate(node.items))


def _step(key: Any) -> str:
    if type(key) is str:
        return "" if key in _UNSAID else f".{key}"
    return f"[{key!r}]" if type(key) is int else "[…]"


def _dtype(node: Any) -> str:
    if not isinstance(node, _Node) or not node.args or type(node.args[0]) is not str:
        return ""
    order = node.state[1] if isinstance(node.state, tuple) and len(node.state) > 1 else "|"
    return f"{order if order in ('<', '>', '|', '=') else '|'}{node.args[0]}"


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, tuple) and all(type(each) is int and each >= 0 for each in shape)


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any) -> Array | None:
    """A tensor whose storage stands in the stream as torch's older form of bytes: the elements come last."""
    size = shape.args[0] if isinstance(shape, _Node) and shape.args else shape  # torch.Size
    if not isinstance(storage, _Node) or not storage.args or not isinstance(storage.args[0], bytes):
        return None
    data: bytes = storage.args[0]
    kind = _STORAGE.search(data[:4096])
    element = _ELEMENTS.get(kind[1] if kind else b"", "")
    if not element or not _is_shape(size) or type(offset) is not int:
        return None
    width, count = 2 if element == "bfloat16" else int(element[2:]), prod(size)
    whole = _stored(data, width)
    if stride != _contiguous(size) or whole is None or (offset + count) * width > len(whole):
        return None
    held = whole[offset * width : (offset + count) * width]
    return Array(element, size, digest_of(held), lambda: held)


def _stored(data: bytes, width: int) -> bytes | None:
    """What follows the last eight bytes that say how many elements there are."""
    for end in re.finditer(rb"a\.|e\.", data):  # the list of keys ends, and with it the last pickle
        count = int.from_bytes(data[end.end() : end.end() + 8], "little")
        if end.end() + 8 + count * width == len(data):
            return data[end.end() + 8 :]
    return None


def _contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides, step = [], 1
    for each in reversed(shape):
        strides.append(step)
        step *= max(1, each)
    return tuple(reversed(strides))


def moved(before: Array, after: Array) -> Moved | None:
    """How far two arrays are apart; None where they are of other types or shapes, or too large."""
    if (before.dtype, before.shape, before.order) != (after.dtype, after.shape, after.order):
        return None
    one, other = before.read(), after.read()
    if memoryview(one).nbytes != memoryview(other).nbytes or memoryview(one).nbytes > LARGEST:
        return None
    return _apart(_elements(one, before.dtype), _elements(other, after.dtype))


def _elements(data: Bytes, dtype: str) -> Any:
    import numpy as np

    if dtype != "bfloat16":
        return np.frombuffer(data, dtype=np.dtype(dtype))
    return (np.frombuffer(data, dtype="<u2").astype("<u4") << 16).view("<f4")


def _apart(one: Any, other: Any) -> Moved | None:
    """Block by block, so that no third array of that size is made."""
    import numpy as np

    differ, most = 0, None
    for start in range(0, one.size, _BLOCK):
        a, b = one[start : start + _BLOCK], other[start : start + _BLOCK]
        unequal = a != b
        if a.dtype.kind in "fc":
            unequal &= ~(np.isnan(a) & np.isnan(b))
        differ += int(unequal.sum())
        if a.dtype.kind in "iufc" and unequal.any():
            wide = "c16" if a.dtype.kind == "c" else "f8"
            gaps = np.abs(a[unequal].astype(wide) - b[unequal].astype(wide))
            finite = gaps[np.isfinite(gaps)]
            most = max(most or 0.0, float(finite.max())) if finite.size else most
    return Moved(differ / one.size if one.size else 0.0, most)
