"""What stands in for the values of a stream while it is looked at: nothing real is made.

A stand-in keeps what it was made of, so that it can be asked whether the real thing would be
whole, and takes only what its kind is filled with in honest pickles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import prod
from typing import Any, Final

_HARMLESS: Final = 8 | 16 | 128
"""Flags of a dtype that say how it is laid out; the others say that it holds objects."""

Buffer = Callable[[int], bytes | bytearray | memoryview]
"""Gives the bytes of a buffer that stands beside the stream, in memory that nobody else can change."""


Tensors = dict[str, tuple[str, tuple[int, ...]]]
"""Type and shape of each tensor in a file beside the stream, by its name."""


class OddError(Exception):
    """A harmless name is used as no honest pickle uses it."""


def must(held: bool, what: str = "") -> None:
    """Break off unless it is so."""
    if not held:
        raise OddError(what)


class Beside(bytes):
    """Stands in for a buffer beside the stream; bytes, so that nothing can be written into it."""

    number: int


def besides() -> Iterator[Beside]:
    """One stand-in after the other, as the unpickler asks for buffers."""
    index = 0
    while True:
        made = Beside(b"")
        made.number = index
        yield made
        index += 1


class NamedType(type):
    """A class or function that the stream names; it is never changed."""

    name: str

    def __setstate__(cls, state: Any) -> None:
        raise OddError(cls.name)

    def __setattr__(cls, name: str, value: Any) -> None:
        raise OddError(cls.name)


def is_named(value: Any, name: str) -> bool:
    """Whether the value is the stand-in of this global."""
    return isinstance(value, NamedType) and value.name == name


class Made:
    """What a call made: it may be part of other values, and takes only what its kind is filled with."""

    __slots__ = ("parts",)

    def __init__(self, parts: Any = ()) -> None:
        self.parts = parts

    def inner(self) -> Any:
        """The values inside, as they are in the end."""
        return self.parts

    def __setstate__(self, state: Any) -> None:
        raise OddError("given a state")


class Scalar(Made):
    """A number or text of numpy's."""

    __slots__ = ()


class _Items(Made):
    """What items are put into."""

    __slots__ = ("items",)

    def __init__(self, parts: Any = ()) -> None:
        super().__init__(parts)
        self.items: list[Any] = []

    def inner(self) -> Any:
        return [self.parts, *self.items]


class Sequence(_Items):
    """A list or a deque."""

    __slots__ = ()

    def append(self, value: Any) -> None:
        self.items.append(value)

    def extend(self, values: Any) -> None:
        self.items.extend(values)


class Mapping(_Items):
    """A dictionary of some class."""

    __slots__ = ()

    def __init__(self, parts: Any = ()) -> None:
        # What is made of pairs has what was in them then; the stream may put something else into a pair.
        pairs = [pair for each in parts if type(each) in (list, tuple) for pair in each if type(pair) is list]
        super().__init__((*parts, *map(tuple, pairs)))

    def __setitem__(self, key: Any, value: Any) -> None:
        self.items += (key, value)


class Bunch(Mapping):
    """scikit-learn's dictionary with attributes; it ignores its state."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        must(type(state) is dict, "the state of a Bunch")


class SetOf(_Items):
    """A set."""

    __slots__ = ()

    def add(self, value: Any) -> None:
        self.items.append(value)


class Uuid(Made):
    """A UUID, which is its number."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        must(type(state) is dict and list(state) == ["int"] and type(state["int"]) is int)


class Delta(Made):
    """A time difference."""

    __slots__ = ()


class Zone(Made):
    """A time zone by its difference."""

    __slots__ = ()


class Filled(Made):
    """What waits for its state, and takes it once."""

    __slots__ = ("state",)

    def __init__(self, parts: Any = ()) -> None:
        super().__init__(parts)
        self.state: Any = None

    def inner(self) -> Any:
        return [self.parts, self.state]

    def __setstate__(self, state: Any) -> None:
        must(self.state is None, "a second state")
        self.state = self.checked(state)

    def checked(self, state: Any) -> Any:
        """The state, if an honest pickle could have it."""
        raise OddError("given a state")

    def check(self, buffer: Buffer) -> None:
        """Ask, when all is there, whether the real thing would be whole."""


class Instance(Filled):
    """An object that is nothing but its attributes; honest ones have no attribute with `__` before it.

    What looks such names up at the object, and not at its class, would believe them: numpy takes
    `__array_interface__` for an address in memory.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def checked(self, state: Any) -> Any:
        must(type(state) is dict, f"the state of {self.name}")
        must(all(type(key) is str and key[:2] != "__" for key in state), f"an attribute of {self.name}")
        return dict(state)

    def get(self, key: str) -> Any:
        """An attribute, or None."""
        return self.state.get(key) if self.state else None


class Weight(Made):
    """A tensor that stands in a file beside the stream: its type and shape are told there."""

    __slots__ = ("dtype", "shape")

    dtype: str
    shape: tuple[int, ...]

    def find(self, tensors: Tensors) -> None:
        """Take what is told of it."""
        must(self.parts[0] in tensors, "a tensor that is not there")
        self.dtype, self.shape = tensors[self.parts[0]]


class Dtype(Made):
    """One of numbers, text, times, objects, or of fields: all else follows from its name and order."""

    __slots__ = ("_used", "fields", "filled", "itemsize", "order", "spec")

    def __init__(self, spec: str) -> None:
        super().__init__()
        plain = re.fullmatch(
            r"(b1|O8|[iu][1248]|f(?:2|4|8|12|16)|c(?:8|16|24|32)|[mM]8)|([SUV])([1-9]\d{0,7})", spec
        )
        must(plain is not None, f"numpy.dtype({spec[:20]!r})")
        self.spec = spec
        self.order = "="
        self.itemsize = int(spec[1:]) * (4 if spec[0] == "U" else 1)
        self.fields: dict[str, tuple[Dtype, int]] = {}
        self.filled = self._used = False

    def __setstate__(self, state: Any) -> None:
        must(type(state) is tuple and len(state) >= 8 and not self.filled and not self._used, "numpy.dtype")
        must(type(state[1]) is str and state[1] in "<>|=" and len(state[1]) == 1, "a byte order")
        self.order, self.filled = state[1], True
        if self.spec[0] == "V":
            return self._set_fields(state)
        sizes = {"S": (self.itemsize, 1, 0), "U": (self.itemsize, 4, 8), "O": (-1, -1, 63)}
        version = 4 if self.spec[0] in "mM" else 3
        wanted = (version, state[1], None, None, None, *sizes.get(self.spec[0], (-1, -1, 0)))
        must(_is(state[:8], wanted), "the state of a numpy.dtype")
        must(_is_unit(state[8:]) if version == 4 else len(state) == 8, "the state of a numpy.dtype")
        return None

    def _set_fields(self, state: Any) -> None:
        must(len(state) == 8 and _is((state[0], *state[1:3]), (3, "|", None)), "the state of a numpy.dtype")
        names, fields, size, alignment, flags = state[3:]
        must(type(names) is tuple and len(names) > 0 and type(fields) is dict, "the fields of a numpy.dtype")
        must(all(type(each) is str for each in names) and list(fields) == list(names), "names of fields")
        must(type(size) is int and size == self.itemsize, "the size of a numpy.dtype")
        must(type(alignment) is int and alignment in (1, 2, 4, 8, 16), "the alignment of a numpy.dtype")
        must(type(flags) is int and flags >= 0 and not flags & ~_HARMLESS, "the flags of a numpy.dtype")
        for name, field in fields.items():
            must(type(field) is tuple and len(field) == 2 and type(field[0]) is Dtype, "a field")
            dtype, offset = field
            must(dtype.use().spec[0] != "O" and type(offset) is int, "a field")
            must(0 <= offset <= self.itemsize - dtype.itemsize, "a field that leaves its record")
            self.fields[name] = (dtype, offset)

    def use(self) -> Dtype:
        """This dtype, which is not changed from now on."""
        must(self.filled or self.spec[0] not in "OV", "a dtype that is not whole")
        self._used = True
        return self

    def real(self) -> Any:
        """What numpy calls it; not for objects."""
        import numpy as np

        if not self.fields:
            return np.dtype(self.spec if self.order == "|" else self.order + self.spec)
        return np.dtype(
            {
                "names": list(self.fields),
                "formats": [dtype.real() for dtype, _ in self.fields.values()],
                "offsets": [offset for _, offset in self.fields.values()],
                "itemsize": self.itemsize,
            }
        )


def _is(given: tuple[Any, ...], wanted: tuple[Any, ...]) -> bool:
    """Equal, and of the same types: True is no 1 here."""
    return given == wanted and [type(each) for each in given] == [type(each) for each in wanted]


def _is_unit(rest: tuple[Any, ...]) -> bool:
    if len(rest) != 1 or type(rest[0]) is not tuple or len(rest[0]) != 2 or type(rest[0][1]) is not tuple:
        return False
    metadata, (unit, *numbers) = rest[0][0], rest[0][1] or (None,)
    known = (b"generic", b"Y", b"M", b"W", b"D", b"h", b"m", b"s", b"ms", b"us", b"ns", b"ps", b"fs", b"as")
    return (
        (metadata is None or (type(metadata) is dict and not metadata))
        and (type(unit) is bytes and unit in known and len(numbers) == 3)
        and all(type(each) is int and 0 < each < 1 << 31 for each in numbers)
    )


def is_shape(shape: Any) -> bool:
    """Whether this may be an array's shape."""
    return (
        type(shape) is tuple
        and len(shape) <= 64
        and all(type(each) is int and 0 <= each < 1 << 60 for each in shape)
    )


class Array(Made):
    """An array: of numbers or text, with its bytes, or of objects, each of which was looked at.

    One that waits for its state takes it once: a second one would free what views of it look at.
    """

    __slots__ = ("_axes", "_order", "data", "dtype", "filled", "objects", "shape")

    def __init__(self) -> None:
        super().__init__()
        self.filled = False
        self.shape: tuple[int, ...] = (0,)
        self.objects: list[Any] = []
        self.data: Any = b""
        self.dtype: Dtype | None = None
        self._order = "C"
        self._axes: tuple[int, ...] | None = None

    @classmethod
    def over(cls, data: Any, dtype: Dtype, shape: Any, order: str, axes: Any) -> Array:
        """One that is seen through a buffer."""
        must(dtype.use().spec[0] != "O", "an array of pointers")
        made = cls()
        made.data, made.dtype, made.shape, made.filled, made._order = data, dtype, shape, True, order
        if axes is not None:
            must(order == "K" and sorted(axes) == list(range(len(shape))), "an array's axes")
            made._axes, made.shape = axes, tuple(shape[axis] for axis in axes)
        return made

    def inner(self) -> Any:
        return self.objects

    def __setstate__(self, state: Any) -> None:
        must(type(state) is tuple and len(state) == 5 and not self.filled, "an array's state")
        version, shape, dtype, fortran, data = state
        must(_is((version,), (1,)) and type(fortran) is bool and type(dtype) is Dtype, "an array's state")
        must(is_shape(shape), "an array's shape")
        if dtype.use().spec[0] == "O":
            must(type(data) is list and prod(shape) == len(data), "an array's elements")
            self.objects = list(data)
        else:
            must(type(data) is bytes and prod(shape) * dtype.itemsize == len(data), "an array's size")
            self.data = data
        self._order = "F" if fortran else "C"
        self.shape, self.dtype, self.filled = shape, dtype, True

    def real(self, buffer: Buffer) -> Any:
        """The numbers themselves, from bytes that cannot change any more."""
        import numpy as np

        must(
            type(self) is Array and self.filled and self.dtype is not None and self.dtype.spec[0] != "O",
            "an array of numbers",
        )
        assert self.dtype is not None
        must(
            type(self.data) in (bytes, Beside),
            "writable bytes under an array: the file could change them after this look",
        )
        data = buffer(self.data.number) if type(self.data) is Beside else self.data
        try:
            array = np.frombuffer(data, self.dtype.real())
            if self._axes is None:
                return array.reshape(self.shape, order="F" if self._order == "F" else "C")
            within = [self.shape[self._axes.index(axis)] for axis in range(len(self._axes))]
            return array.reshape(within).transpose(self._axes)
        except (ValueError, IndexError, TypeError) as error:
            raise OddError("an array that its bytes do not make") from error

    def is_of(self, kinds: str, dimensions: int) -> bool:
        """Whether it has numbers of these kinds, and so many dimensions."""
        return (
            self.filled
            and self.dtype is not None
            and self.dtype.spec[0] in kinds
            and len(self.shape) == dimensions
        )


LEAVES: Final = (str, int, float, bool, bytes, type(None), Beside, complex)


def reachable(root: Any) -> Iterator[Any]:
    """Every value that the loaded one leads to, each once, in no order; plain ones are left out."""
    seen: dict[int, Any] = {}  # kept, since the number of one that is gone would be another's
    waiting = [root]
    while waiting:
        value = waiting.pop()
        kind = type(value)
        if kind in LEAVES or id(value) in seen:
            continue
        seen[id(value)] = value
        yield value
        if kind is dict:
            waiting.extend(value)
            waiting.extend(value.values())
        elif kind in (list, tuple, set, frozenset):
            waiting.extend(value)
        elif isinstance(value, Made):
            waiting.append(value.inner())


class Masked(Array):
    """numpy's array with a mask, which is filled with both at once."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        must(type(state) is tuple and len(state) == 7, "a masked array's state")
        *inner, mask, fill = state
        super().__setstate__(tuple(inner))
        must(type(mask) is bytes and len(mask) == prod(self.shape), "a masked array's mask")
        known = (type(None), bool, int, float, str, Scalar)
        must(type(fill) in known or (type(fill) is Array and fill.shape == ()), "a masked array's filling")
