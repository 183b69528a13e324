"""What the harmless names may be used for: the second look at a stream that names nothing else.

A class that is harmless to call is not harmless to change, and an array is harmless only if its
elements are numbers or text. So each name has a contract, of what honest pickles do with it;
whatever is not in a contract breaks it off. Nothing real is made.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable
from itertools import repeat
from math import prod
from typing import Any, Final

Check = Callable[[tuple[Any, ...]], Any]
"""Makes the stand-in of what a call would make; raises `OddError` for arguments that no honest pickle has."""


class OddError(Exception):
    """A harmless name is used as no honest pickle uses it."""


def _must(held: bool, what: str = "") -> None:
    if not held:
        raise OddError(what)


class _Made:
    """What a call made: it may be part of other values, and takes only what its kind is filled with."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        raise OddError("given a state")


class _Sequence(_Made):
    __slots__ = ()

    def append(self, value: Any) -> None: ...

    def extend(self, values: Any) -> None: ...


class _Mapping(_Made):
    __slots__ = ()

    def __setitem__(self, key: Any, value: Any) -> None: ...


class _Set(_Made):
    __slots__ = ()

    def add(self, value: Any) -> None: ...


class _Uuid(_Made):
    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        _must(type(state) is dict and list(state) == ["int"] and type(state["int"]) is int)


class _Delta(_Made):
    __slots__ = ()


class _Zone(_Made):
    __slots__ = ()


class _Dtype(_Made):
    """One that stands for numbers, text or times: all its state follows from its name and byte order."""

    __slots__ = ("itemsize", "spec")

    def __init__(self, spec: str) -> None:
        plain = re.fullmatch(
            r"(b1|[iu][1248]|f(?:2|4|8|12|16)|c(?:8|16|24|32)|[mM]8)|([SU])([1-9]\d{0,7})", spec
        )
        _must(plain is not None, f"numpy.dtype({spec[:20]!r})")
        self.spec = spec
        self.itemsize = int(spec[1:]) * (4 if spec[0] == "U" else 1)

    def __setstate__(self, state: Any) -> None:
        _must(type(state) is tuple and len(state) >= 8, "numpy.dtype")
        sizes = {"S": (self.itemsize, 1, 0), "U": (self.itemsize, 4, 8)}.get(self.spec[0], (-1, -1, 0))
        version = 4 if self.spec[0] in "mM" else 3
        _must(_is(state[:8], (version, state[1], None, None, None, *sizes)), "the state of a numpy.dtype")
        _must(type(state[1]) is str and state[1] in "<>|=" and len(state[1]) == 1, "a byte order")
        _must(_is_unit(state[8:]) if version == 4 else len(state) == 8, "the state of a numpy.dtype")


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


class _Empty(_Made):
    """An array that waits for its state; a second one would free what views of it look at."""

    __slots__ = ("filled",)

    def __init__(self) -> None:
        self.filled = False

    def __setstate__(self, state: Any) -> None:
        _must(type(state) is tuple and len(state) == 5 and not self.filled, "an array's state")
        version, shape, dtype, fortran, data = state
        _must(_is((version,), (1,)) and type(fortran) is bool and type(dtype) is _Dtype, "an array's state")
        _must(_is_shape(shape) and type(data) is bytes, "an array's state")
        _must(prod(shape) * dtype.itemsize == len(data), "an array's size")
        self.filled = True


def _is_shape(shape: Any) -> bool:
    return (
        type(shape) is tuple
        and len(shape) <= 64
        and all(type(each) is int and 0 <= each < 1 << 60 for each in shape)
    )


_SCALAR: Final = _Made()
_CONTAINERS: Final = (list, tuple, dict, set, frozenset)


def _of_types(*allowed: tuple[type, ...], made: _Made = _SCALAR, least: int | None = None) -> Check:
    """A contract by the exact types of the arguments; those after the first `least` may be left out."""

    def check(args: tuple[Any, ...]) -> _Made:
        _must((len(allowed) if least is None else least) <= len(args) <= len(allowed))
        _must(all(type(each) in kinds for each, kinds in zip(args, allowed, strict=False)))
        return made

    return check


def _one_of(*checks: Check) -> Check:
    def check(args: tuple[Any, ...]) -> Any:
        for each in checks[:-1]:
            try:
                return each(args)
            except OddError:
                continue
        return checks[-1](args)

    return check


def _encode(args: tuple[Any, ...]) -> Any:
    _must(len(args) == 2 and type(args[0]) is str and type(args[1]) is str and args[1] == "latin1")
    return b""


def _fraction(args: tuple[Any, ...]) -> Any:
    if len(args) == 1 and type(args[0]) is str:
        _must(re.fullmatch(r"-?\d+(/\d+)?", args[0]) is not None)
        return _SCALAR
    return _of_types((int,), (int,))(args)


def _dtype(args: tuple[Any, ...]) -> Any:
    # Without the copy, the state would go to a dtype that all arrays share.
    _must(len(args) == 3 and type(args[0]) is str and args[1] is False and args[2] is True)
    return _Dtype(args[0])


def _reconstruct(args: tuple[Any, ...]) -> Any:
    _must(len(args) == 3 and args[0] is _NAMED["numpy.ndarray"])
    _must(_is_shape(args[1]) and args[1] == (0,) and type(args[2]) is bytes and args[2] == b"b")
    return _Empty()


def _frombuffer(args: tuple[Any, ...]) -> Any:
    _must(4 <= len(args) <= 5 and type(args[0]) in (bytes, bytearray, memoryview))
    _must(type(args[1]) is _Dtype and _is_shape(args[2]))
    _must(type(args[3]) is str and args[3] in ("C", "F", "K"))
    _must(len(args) == 4 or args[4] is None or _is_shape(args[4]))
    return _SCALAR


def _never(args: tuple[Any, ...]) -> Any:
    raise OddError


_INTEGER = (int,)
_LIMIT = (int, type(None))
CONTRACTS: Final[dict[str, Check]] = {
    "builtins.bytearray": _of_types((bytes,), least=0),
    "builtins.complex": _of_types((float,), (float,)),
    "builtins.frozenset": _of_types(_CONTAINERS, least=0),
    "builtins.list": _of_types(_CONTAINERS, least=0, made=_Sequence()),
    "builtins.tuple": _of_types(_CONTAINERS, least=0),
    "builtins.dict": _of_types(_CONTAINERS, least=0, made=_Mapping()),
    "builtins.set": _of_types(_CONTAINERS, least=0, made=_Set()),
    "builtins.range": _of_types(_INTEGER, _INTEGER, _INTEGER),
    "builtins.slice": _of_types(*[(int, float, str, type(None), _Made)] * 3),
    "builtins.object": _of_types(),
    "collections.OrderedDict": _of_types(_CONTAINERS, least=0, made=_Mapping()),
    "collections.deque": _of_types(_CONTAINERS, _LIMIT, least=0, made=_Sequence()),
    "_codecs.encode": _encode,
    "datetime.date": _of_types((bytes,)),
    "datetime.datetime": _of_types((bytes,), (_Zone,), least=1),
    "datetime.time": _of_types((bytes,), (_Zone,), least=1),
    "datetime.timedelta": _of_types(_INTEGER, _INTEGER, _INTEGER, made=_Delta()),
    "datetime.timezone": _of_types((_Delta,), (str,), least=1, made=_Zone()),
    "decimal.Decimal": _of_types((str,)),
    "fractions.Fraction": _fraction,
    "uuid.UUID": _of_types(made=_Uuid()),
    "numpy.dtype": _dtype,
    "numpy.ndarray": _never,
    "numpy._core.numeric._frombuffer": _frombuffer,
    "numpy.core.numeric._frombuffer": _frombuffer,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray._reconstruct": _reconstruct,
}
"""Classes and functions, each by its exact name, that only make the value they stand for."""

_BY_NEW: Final = frozenset(("uuid.UUID", "builtins.object"))
"""Those that honest pickles make by `__new__`; all others they call."""


class _NamedType(type):
    """A class or function that the stream names: it can be called, and never changed."""

    name: str

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return _made(cls.name, args, kwargs)

    def __setstate__(cls, state: Any) -> None:
        raise OddError(cls.name)

    def __setattr__(cls, name: str, value: Any) -> None:
        raise OddError(cls.name)


def _made(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        _must(not kwargs)
        return CONTRACTS[name](args)
    except OddError as error:
        raise OddError(str(error) or name) from None


def _named(name: str) -> _NamedType:
    def new(cls: Any, *args: Any, **kwargs: Any) -> Any:
        _must(name in _BY_NEW, name)
        return _made(name, args, kwargs)

    return _NamedType("Named", (), {"name": name, "__new__": new, "__slots__": ()})


_NAMED: Final = {name: _named(name) for name in CONTRACTS}


class _Strict(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _NAMED[exact(module, name)]


class Guarded(pickle.Unpickler):
    """Makes the real values of a stream that was looked at, and refuses every name without a contract."""

    def find_class(self, module: str, name: str) -> Any:
        exact(module, name)
        return super().find_class(module, name)


def exact(module: str, name: str) -> str:
    """The full name of a global that has a contract. Raises `OddError` for any other."""
    full = f"{module}.{name}"
    _must("." not in name and full in CONTRACTS, full)
    return full


def oddity(stream: bytes | bytearray | memoryview) -> str:
    """What in a stream of harmless names is not as in an honest pickle; empty where all is."""
    try:
        _Strict(io.BytesIO(stream), fix_imports=False, buffers=repeat(b"")).load()
    except OddError as error:
        return f"an unusual use of {error}"
    except Exception as error:
        return f"a stream that cannot be inspected ({type(error).__name__})"
    return ""
