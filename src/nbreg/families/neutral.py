"""Values in a form that any release of their libraries reads: plain words, and elements of arrays as bytes.

What one pandas or numpy pickles another one may not read, and a pickle runs what it says. Here a value
is a tree of plain values and `[kind, …]` beside buffers that are not copied: arrays by the name of
their type and their elements, frames by columns, sparse matrices by their parts. Reading it
runs nothing, and checks that elements and shapes fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from math import prod
from typing import Any, Final, NamedTuple

from nbreg.errors import BadInputError

Buffer = bytes | bytearray | memoryview

HINT: Final = (
    "plain values, numpy arrays, frames of pandas and polars, and SciPy's sparse matrices can be passed on"
)

_DEEPEST: Final = 60
_ELEMENTS: Final = "biufcMmSU"
"""Kinds of numpy's types whose elements are bytes."""
_PLAIN: Final = frozenset((type(None), bool, float, str))
_SEQUENCES: Final[dict[type, str]] = {list: "list", tuple: "tuple", set: "set", frozenset: "frozenset"}
_MADE_OF: Final[dict[str, Callable[[list[Any]], Any]]] = {name: kind for kind, name in _SEQUENCES.items()}
_SPARSE: Final = {"csr": ("indices", "indptr"), "csc": ("indices", "indptr"), "coo": ("row", "col")}


class Packed(NamedTuple):
    """A value as a tree, and the buffers that the tree counts."""

    tree: Any
    buffers: list[Buffer]


def pack(value: object) -> Packed:
    """The neutral form. Raises `BadInputError` for what has none; the message names its type."""
    packer = Packer()
    return Packed(packer.tree(value), packer.buffers)


def unpack(tree: Any, buffers: Sequence[Buffer]) -> Any:
    """The value again, its arrays on top of the buffers.

    Raises `ValueError`, `TypeError` and the like for what `pack` did not write, and `ImportError`
    where the library of a value is not here.
    """
    return Unpacker(buffers).value(tree)


class Packer:
    """Writes trees, and collects their buffers."""

    def __init__(self) -> None:
        self.buffers: list[Buffer] = []

    def tree(self, value: Any, depth: int = 0) -> Any:
        """One value."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is int:
            return value if -(2**63) <= value < 2**63 else ["int", hex(value)]
        if depth > _DEEPEST:
            raise BadInputError("a value nested that deep cannot be passed on", hint=HINT)
        if kind in _SEQUENCES:
            return [_SEQUENCES[kind], self.trees(value, depth)]
        if kind is dict:
            return ["dict", self.trees(value, depth), self.trees(value.values(), depth)]
        return self._other(value, kind)

    def trees(self, values: Iterable[Any], depth: int = 0) -> list[Any]:
        """Several values; most are plain, and then nothing is made anew."""
        values = list(values)
        if _PLAIN.issuperset(map(type, values)):
            return values
        return [self.tree(each, depth + 1) for each in values]

    def _other(self, value: Any, kind: type) -> Any:
        home = kind.__module__.partition(".")[0]
        found = None
        if kind in (bytes, bytearray):
            found = ["bytes", self.buffer(bytes(value))]
        elif home == "numpy":
            found = self._of_numpy(value, kind)
        elif home == "scipy":
            found = self._sparse(value)
        elif home in ("pandas", "polars"):
            from nbreg.families import frames

            found = frames.pack(self, value)
        elif kind in _SAID:
            found = [kind.__name__, _SAID[kind](value)]
        if found is None:
            raise BadInputError(
                f"a {kind.__module__}.{kind.__qualname__} cannot be passed to another environment", hint=HINT
            )
        return found

    def buffer(self, data: Buffer) -> int:
        """Keep a buffer, and say which one it is."""
        self.buffers.append(data)
        return len(self.buffers) - 1

    def _of_numpy(self, value: Any, kind: type) -> Any:
        import numpy as np

        if kind is np.ndarray or kind is np.memmap:
            return self.array(value)
        if isinstance(value, np.generic) and value.dtype.kind in _ELEMENTS:
            return ["scalar", value.dtype.str, value.tobytes()]
        return None

    def array(self, array: Any) -> Any:
        """An array: its elements as they lie, those of Python objects one by one."""
        if array.dtype.kind in "OT":
            return ["objects", list(array.shape), self.trees(array.ravel().tolist())]
        if array.dtype.kind not in _ELEMENTS:
            raise BadInputError(
                f"an array of {array.dtype} cannot be passed to another environment", hint=HINT
            )
        by_columns = array.flags.f_contiguous and not array.flags.c_contiguous
        place = self.buffer(_elements(array.T if by_columns else array))
        return ["array", array.dtype.str, list(array.shape), "F" if by_columns else "C", place]

    def _sparse(self, value: Any) -> Any:
        form = getattr(value, "format", None)
        if form not in _SPARSE:
            return None
        parts = [self.array(getattr(value, name)) for name in ("data", *_SPARSE[form])]
        kind = "array" if type(value).__name__.endswith("_array") else "matrix"
        return ["sparse", f"{form}_{kind}", [int(each) for each in value.shape], parts]


_SAID: Final[dict[type, Callable[[Any], Any]]] = {
    datetime: datetime.isoformat,
    date: date.isoformat,
    timedelta: lambda value: [value.days, value.seconds, value.microseconds],
    complex: lambda value: [value.real, value.imag],
    Decimal: str,
}


def _elements(array: Any) -> memoryview:
    """The bytes of an array, copied only where they do not lie one after the other."""
    import numpy as np

    if array.nbytes == 0:
        return memoryview(b"")
    flat: Any = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return memoryview(flat)


class Unpacker:
    """Reads trees; what does not fit is an error before anything is made of it."""

    def __init__(self, buffers: Sequence[Buffer]) -> None:
        self._buffers = buffers

    def value(self, tree: Any) -> Any:
        """One value."""
        if type(tree) is not list:
            return tree
        kind, *parts = tree
        if kind in _MADE_OF:
            return _MADE_OF[kind](self.values(parts[0]))
        if kind in self._READERS:
            return self._READERS[kind](self, *parts)
        from nbreg.families import frames

        return frames.unpack(self, kind, parts)

    def values(self, trees: list[Any]) -> list[Any]:
        """Several values."""
        return [self.value(each) if type(each) is list else each for each in trees]

    def buffer(self, place: int) -> Buffer:
        """A buffer by the number that the tree has."""
        if type(place) is not int or not 0 <= place < len(self._buffers):
            raise ValueError("a buffer that is not there")
        return self._buffers[place]

    def array(self, tree: Any) -> Any:
        """An array, where nothing else may be."""
        if tree[0] not in ("array", "objects"):
            raise ValueError(f"{str(tree[0])[:20]} for an array")
        return self.value(tree)

    def _elements(self, dtype: str, shape: list[int], order: str, place: int) -> Any:
        import numpy as np

        kind, data = _checked_type(dtype), self.buffer(place)
        if any(type(each) is not int or each < 0 for each in shape) or order not in ("C", "F"):
            raise ValueError("no shape")
        if prod(shape) * kind.itemsize != len(data):
            raise ValueError("elements that do not fill their shape")
        flat: Any = np.frombuffer(data, kind) if len(data) else np.empty(prod(shape), kind)
        return flat.reshape(shape, order=order)

    def _objects(self, shape: list[int], trees: list[Any]) -> Any:
        import numpy as np

        flat = np.empty(len(trees), object)
        flat[:] = self.values(trees)
        return flat.reshape(shape)

    def _scalar(self, dtype: str, data: bytes) -> Any:
        import numpy as np

        kind = _checked_type(dtype)
        return np.frombuffer(data, kind)[0] if kind.itemsize else kind.type()

    def _sparse(self, name: str, shape: list[int], parts: list[Any]) -> Any:
        form, _, kind = name.partition("_")
        if form not in _SPARSE or kind not in ("array", "matrix"):
            raise ValueError(f"{name[:20]} is no sparse matrix")
        data, *places = (self.array(each) for each in parts)
        given = (data, tuple(places)) if form == "coo" else (data, *places)
        library = import_module("scipy.sparse")
        make = getattr(library, name, None) or getattr(library, f"{form}_matrix")  # arrays came with 1.8
        made = make(given, shape=tuple(shape))
        if form != "coo":
            made.check_format(full_check=True)  # compiled code believes the indices
        return made

    _READERS: Final[dict[str, Callable[..., Any]]] = {
        "int": lambda _, text: int(text, 16),
        "dict": lambda self, keys, values: dict(zip(self.values(keys), self.values(values), strict=True)),
        "bytes": lambda self, place: bytes(self.buffer(place)),
        "datetime": lambda _, text: datetime.fromisoformat(text),
        "date": lambda _, text: date.fromisoformat(text),
        "timedelta": lambda _, parts: timedelta(*parts),
        "complex": lambda _, parts: complex(*parts),
        "Decimal": lambda _, text: Decimal(text),
        "array": _elements,
        "objects": _objects,
        "scalar": _scalar,
        "sparse": _sparse,
    }


def _checked_type(name: str) -> Any:
    import numpy as np

    kind = np.dtype(name)
    if kind.kind not in _ELEMENTS or kind.names:
        raise ValueError(f"{name[:20]} is no type of plain elements")
    return kind
