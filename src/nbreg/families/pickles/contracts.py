"""What the harmless names may be used for: the second look at a stream that names nothing else.

A class that is harmless to call is not harmless to change, and an array is harmless only if its
elements are. So each name has a contract, of what honest pickles do with it; whatever is not in
a contract breaks it off. Some names are called, some are made by `__new__` and get their
attributes, some may only stand as a value, such as a scorer's function. Nothing real is made.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable
from copy import copy
from functools import cache
from itertools import islice
from typing import Any, Final

import nbreg.families.pickles.known as known
import nbreg.families.pickles.natives as natives
import nbreg.families.pickles.tableuse as tableuse
from nbreg.families.pickles.classes import check_class
from nbreg.families.pickles.consistency import check_instance
from nbreg.families.pickles.scanning import DEAREST_KEY
from nbreg.families.pickles.standins import (
    Array,
    Beside,
    Buffer,
    Bunch,
    Delta,
    Dtype,
    Filled,
    Instance,
    Made,
    Mapping,
    Masked,
    NamedType,
    OddError,
    Scalar,
    Sequence,
    SetOf,
    Tensors,
    Uuid,
    Weight,
    Zone,
    besides,
    is_named,
    is_shape,
    must,
    reachable,
)

Check = Callable[[tuple[Any, ...]], Any]
"""Makes the stand-in of what a call would make; raises `OddError` for arguments that no honest pickle has."""

_CONTAINERS: Final = (list, tuple, dict, set, frozenset)
_SIMPLE: Final = ("list", "dict", "set", "tuple", "int", "float", "str", "bool")


def _of_types(*allowed: tuple[type, ...], made: type[Made] = Made, least: int | None = None) -> Check:
    """A contract by the exact types of the arguments; those after the first `least` may be left out."""

    def check(args: tuple[Any, ...]) -> Made:
        must((len(allowed) if least is None else least) <= len(args) <= len(allowed))
        must(all(type(each) in kinds for each, kinds in zip(args, allowed, strict=False)))
        return made(args)

    return check


def _hashing(made: type[Made], key: Callable[[Any], Any]) -> Check:
    """A contract of what hashes at once what it is made of: each key at no more than a key may cost."""
    plain = _of_types(_CONTAINERS, least=0, made=made)

    def check(args: tuple[Any, ...]) -> Any:
        found = plain(args)
        for given in args:
            if type(given) in (list, tuple):  # others have hashed theirs, which `scanning` counts
                must(all(_is_quick(key(each)) for each in given), "keys that are made to be slow")
        return found

    return check


def _itself(value: Any) -> Any:
    return value


def _first(pair: Any) -> Any:
    """The key of a pair that a dictionary is made of."""
    must(type(pair) in (list, tuple) and len(pair) == 2, "a pair that is none")
    return pair[0]


def _is_quick(key: Any) -> bool:
    """Whether hashing it visits no more parts than a key may have, through calls as well."""
    waiting, left = [key], DEAREST_KEY
    while waiting:
        each = waiting.pop()
        left -= 1
        if left < 0:
            return False
        if type(each) in _CONTAINERS:
            waiting.extend(islice(each, DEAREST_KEY + 1))
        elif isinstance(each, Made) and type(each.parts) is tuple:
            waiting.extend(each.parts)
    return True


def _encode(args: tuple[Any, ...]) -> Any:
    must(len(args) == 2 and type(args[0]) is str and type(args[1]) is str and args[1] == "latin1")
    return Made()  # its bytes are not known here, so no array may look at them


def _fraction(args: tuple[Any, ...]) -> Any:
    if len(args) == 1 and type(args[0]) is str:
        must(re.fullmatch(r"-?\d+(/\d+)?", args[0]) is not None)
        return Made()
    return _of_types((int,), (int,))(args)


def _default(args: tuple[Any, ...]) -> Any:
    """A dictionary that makes what is missing: by a type that makes an empty value, and nothing else."""
    must(len(args) <= 1)
    must(not args or args[0] is None or any(is_named(args[0], f"builtins.{each}") for each in _SIMPLE))
    return Mapping(args)


def _dtype(args: tuple[Any, ...]) -> Any:
    # Without the copy, the state would go to a dtype that all arrays share.
    must(len(args) == 3 and type(args[0]) is str and args[1] is False and args[2] is True)
    return Dtype(args[0])


def _reconstruct(args: tuple[Any, ...]) -> Any:
    must(len(args) == 3 and is_named(args[0], "numpy.ndarray"))
    must(is_shape(args[1]) and args[1] == (0,) and type(args[2]) is bytes and args[2] == b"b")
    return Array()


def _frombuffer(args: tuple[Any, ...]) -> Any:
    must(4 <= len(args) <= 5 and type(args[0]) in (bytes, bytearray, memoryview, Beside))
    must(type(args[1]) is Dtype and is_shape(args[2]))
    must(type(args[3]) is str and args[3] in ("C", "F", "K"))
    must(len(args) == 4 or args[4] is None or is_shape(args[4]))
    data, dtype, shape, order, *axes = args
    return Array.over(data, dtype, shape, order, axes[0] if axes else None)


def _scalar(args: tuple[Any, ...]) -> Any:
    must(len(args) == 2 and type(args[0]) is Dtype and args[0].use().spec[0] not in "OV")
    must(type(args[1]) is bytes and len(args[1]) == args[0].itemsize)
    return Scalar()


def _masked(args: tuple[Any, ...]) -> Any:
    must(len(args) == 4 and is_named(args[0], "numpy.ma.MaskedArray") and is_named(args[1], "numpy.ndarray"))
    must(is_shape(args[2]) and args[2] == (0,) and type(args[3]) is str and args[3] == "b")
    return Masked()


_INTEGER = (int,)
_LIMIT = (int, type(None))
CALLS: Final[dict[str, Check]] = {
    "builtins.bytearray": _of_types((bytes,), least=0),
    "builtins.complex": _of_types((float,), (float,)),
    "builtins.frozenset": _hashing(Made, _itself),
    "builtins.list": _of_types(_CONTAINERS, least=0, made=Sequence),
    "builtins.tuple": _of_types(_CONTAINERS, least=0),
    "builtins.dict": _hashing(Mapping, _first),
    "builtins.set": _hashing(SetOf, _itself),
    "builtins.range": _of_types(_INTEGER, _INTEGER, _INTEGER),
    "builtins.slice": _of_types(*[(int, float, str, type(None), Made)] * 3),
    "collections.OrderedDict": _hashing(Mapping, _first),
    "collections.Counter": _of_types((dict,), made=Mapping),
    "collections.defaultdict": _default,
    "collections.deque": _of_types(_CONTAINERS, _LIMIT, least=0, made=Sequence),
    "_codecs.encode": _encode,
    "datetime.date": _of_types((bytes,)),
    "datetime.datetime": _of_types((bytes,), (Zone,), least=1),
    "datetime.time": _of_types((bytes,), (Zone,), least=1),
    "datetime.timedelta": _of_types(_INTEGER, _INTEGER, _INTEGER, made=Delta),
    "datetime.timezone": _of_types((Delta,), (str,), least=1, made=Zone),
    "decimal.Decimal": _of_types((str,)),
    "fractions.Fraction": _fraction,
    "pathlib.PurePosixPath": lambda args: _path(args),
    "pathlib.PureWindowsPath": lambda args: _path(args),
    "pathlib._local.PurePosixPath": lambda args: _path(args),  # as Python 3.13 calls them
    "pathlib._local.PureWindowsPath": lambda args: _path(args),
    "numpy.dtype": _dtype,
    "numpy._core.numeric._frombuffer": _frombuffer,
    "numpy.core.numeric._frombuffer": _frombuffer,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy.ma.core._mareconstruct": _masked,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.core.multiarray.scalar": _scalar,
    "nbreg.families.modules.weight": _of_types((str,), (bool,), (bool,), made=Weight),
    **natives.CALLS,
    **tableuse.CALLS,
}
"""Classes and functions, each by its exact name, that only make the value they stand for, and are called."""


def _path(args: tuple[Any, ...]) -> Any:
    must(all(type(each) is str for each in args))
    return Made()


NEWS: Final[dict[str, Check]] = {
    "builtins.object": _of_types(),
    "sklearn.impute._iterative._ImputerTriplet": _of_types((int, Scalar), (Array,), (Instance,)),
    "uuid.UUID": _of_types(made=Uuid),
    "sklearn.utils._bunch.Bunch": _of_types(made=Bunch),
}
"""Those that honest pickles make by `__new__`; beside them, every class of `known.ATTRIBUTES`."""

ARGUMENTS: Final = frozenset(("numpy.ndarray", "numpy.ma.MaskedArray", *natives.ARGUMENTS))
"""Classes that are told to a function, and never called or kept."""


def is_known(name: str) -> bool:
    """Whether a global is one of those that only make a value, if used as usual."""
    return (
        name in CALLS or name in NEWS or name in ARGUMENTS or name in known.ATTRIBUTES or name in known.VALUES
    )


class _Named(NamedType):
    """A class or function that is called by its contract."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _made(self.name, CALLS.get(self.name), args, kwargs)


def _made(name: str, check: Check | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        must(check is not None and not kwargs)
        assert check is not None
        return check(tuple(map(_as_it_is_now, args)))
    except OddError as error:
        raise OddError(str(error) or name) from None


def _as_it_is_now(value: Any) -> Any:
    """What a call copies; the stream may put something else into the original afterwards."""
    return copy(value) if type(value) in (list, dict, set, bytearray) else value


@cache
def _named(name: str) -> _Named:
    """The stand-in of a global, one for each name."""

    def new(cls: Any, *args: Any, **kwargs: Any) -> Any:
        check = _instance(name) if name in known.ATTRIBUTES else NEWS.get(name)
        return _made(name, check, args, kwargs)

    return _Named("Named", (), {"name": name, "__new__": new, "__slots__": ()})


def _instance(name: str) -> Check:
    def check(args: tuple[Any, ...]) -> Instance:
        must(not args)
        return Instance(name)

    return check


class _Strict(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _named(exact(module, name))


class Guarded(pickle.Unpickler):
    """Makes the real values of a stream that was looked at, and refuses every name that is not known."""

    def find_class(self, module: str, name: str) -> Any:
        exact(module, name)
        return super().find_class(module, name)


def exact(module: str, name: str) -> str:
    """The full name of a global that is known. Raises `OddError` for any other."""
    full = f"{module}.{name}"
    must("." not in name and is_known(full), full)
    return full


def oddity(
    stream: bytes | bytearray | memoryview, buffer: Buffer, tensors: Tensors, buffers: int | None = None
) -> str:
    """What in a stream of harmless names is not as in an honest pickle; empty where all is.

    With the number of `buffers`, each has to be asked for: one that is named a million times costs nothing.
    """
    asked = besides()
    try:
        root = _Strict(io.BytesIO(stream), fix_imports=False, buffers=asked).load()
        must(buffers is None or next(asked).number == buffers, "buffers that nobody asks for")
        _check(list(reachable(root)), buffer, tensors)
    except OddError as error:
        return f"an unusual use of {error}"
    except Exception as error:
        return f"a stream that cannot be inspected ({type(error).__name__})"
    return ""


def _check(values: list[Any], buffer: Buffer, tensors: Tensors) -> None:
    """Look at all that the value leads to, as it is in the end."""
    for value in values:
        if type(value) is Weight:
            value.find(tensors)
    for value in values:
        if isinstance(value, NamedType):
            must(value.name in known.VALUES, value.name)
        elif isinstance(value, Array):
            must(value.filled, "an array without a state")
        elif type(value) is Instance:
            check_class(value.name, value.state or {})
            check_instance(value, buffer)
        elif isinstance(value, Filled):
            value.check(buffer)
