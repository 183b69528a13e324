"""What can be read of objects, classes and code without running any of it."""

from __future__ import annotations

import dis
import gc
import sys
from collections.abc import Mapping
from functools import lru_cache
from types import CodeType, FrameType, FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any, Final, Generic, TypeVar
from weakref import ref

from nbreg.capture.recipe.frames import root_of
from nbreg.capture.recipe.libraries import is_library

_NOT_VALUE: Final = frozenset(["__dict__", "__weakref__", "__doc__", "__module__", "__firstlineno__",
                               "__static_attributes__", "_abc_impl", "__annotations__",
                               "__annotations_cache__", "__annotate_func__", "__conditional_annotations__",
                               "__slotnames__"])  # fmt: skip


ITERATORS: Final = frozenset(
    type(each)  # type: ignore[var-annotated]
    for each in (
        iter([]), iter(()), iter({}), iter({}.values()), iter({}.items()), iter(set()), iter(""), iter(b""),
        iter(range(0)), reversed([]), zip(), map(abs, []), filter(None, []), enumerate([]),
    )
)  # fmt: skip


def member_value(member: Any) -> object:
    if type(member) is property:
        return ("property", member.fget, member.fset, member.fdel)
    if type(member) in (staticmethod, classmethod):
        return (type(member).__name__, member.__func__)
    return member


def held(value: object, kind: type) -> dict[str, object]:
    """An object's attributes, from its dictionary and slots, without running anything of its class."""
    found: dict[str, object] = {}
    if kind.__dictoffset__ != 0:
        own = object.__getattribute__(value, "__dict__")
        found.update(own if type(own) is dict else {})
    for cls in kind.__mro__[:-1]:
        for name, member in list(vars(cls).items()):
            if type(member) is MemberDescriptorType and name not in found and not is_library(cls.__module__):
                try:
                    found[name] = member.__get__(value)
                except AttributeError:
                    continue
    return found


def is_empty_type(kind: type) -> bool:
    """Whether its instances, made by Python code, can hold nothing but slots."""
    return bool(kind.__flags__ & (1 << 9)) and kind.__basicsize__ <= object.__basicsize__ + 8 * sum(
        len(vars(cls).get("__slots__", ())) for cls in kind.__mro__ if "__slots__" in vars(cls)
    )


@lru_cache(maxsize=2048)
def holds_more(kind: type) -> bool:
    """Whether its instances hold something in C beside what their dictionary and slots tell.

    A class of Python's over one in C looks like any other, but is larger than its parts.
    """
    slots = sum(len(vars(cls).get("__slots__", ())) for cls in kind.__mro__ if "__slots__" in vars(cls))
    return kind.__basicsize__ > object.__basicsize__ + 8 * (2 + slots)  # a dictionary, weak references


@lru_cache(maxsize=2048)
def has_own_state(kind: type) -> bool:
    """Whether the type was written in C or tells the pickler more than its attributes."""
    if kind.__dictoffset__ == 0 and not is_empty_type(kind):
        return True
    return any(
        name in vars(cls)
        for cls in kind.__mro__[:-1]
        if cls.__name__ != "BaseEstimator"  # which only adds its version
        for name in ("__reduce__", "__reduce_ex__", "__getstate__")
    )


def is_filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


T = TypeVar("T")


class OfCode(Generic[T]):
    """What was found out of code objects, as long as they live: code never changes."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[ref[CodeType], T]] = {}

    def of(self, code: CodeType) -> T | None:
        """What is remembered of this very object."""
        known = self._known.get(id(code))
        return known[1] if known is not None and known[0]() is code else None

    def remember(self, code: CodeType, found: T) -> None:
        """Keep it until the code is gone."""
        key, all_known = id(code), self._known
        all_known[key] = ref(code, lambda _: all_known.pop(key, None)), found


_CONSTANTS: Final = frozenset([str, bytes, int, float, complex, bool, type(None), type(...)])


def is_constant(value: Any) -> bool:
    """Whether a constant of some code is what the compiler makes, so that it can never change."""
    kind = type(value)
    if kind is tuple or kind is frozenset:
        return all(map(is_constant, value))
    return kind in _CONSTANTS or (kind is CodeType and is_constant(value.co_consts))


_names: Final = OfCode[frozenset[str]]()


def global_names(code: CodeType) -> frozenset[str]:
    """The global names that a code object reads or sets, those of its inner functions included."""
    known = _names.of(code)
    if known is None:
        found = set(_globals_of(code.co_code, code.co_names))
        for constant in code.co_consts:
            if type(constant) is CodeType:
                found |= global_names(constant)
        known = frozenset(found)
        _names.remember(code, known)
    return known


_GLOBAL_OPS: Final = frozenset(
    ["LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL", "STORE_NAME", "LOAD_FROM_DICT_OR_GLOBALS"]
)


def _globals_of(raw: bytes, names: tuple[str, ...]) -> frozenset[str]:
    found, extended = set(), 0
    for offset in range(0, len(raw), 2):
        op, argument = raw[offset], raw[offset + 1] | extended
        name = dis.opname[op]
        extended = argument << 8 if name == "EXTENDED_ARG" else 0
        if name in _GLOBAL_OPS:
            index = argument >> 1 if name == "LOAD_GLOBAL" else argument
            if index < len(names):
                found.add(names[index])
    return frozenset(found)


def class_members(cls: type) -> list[tuple[str, object]]:
    """What a class of the user's says that it does, without Python's own book-keeping."""
    own = type.__dict__["__dict__"].__get__(cls)
    passed_over = (GetSetDescriptorType, MemberDescriptorType)
    return [
        (key, member_value(each))
        for key, each in sorted(own.items())
        if key not in _NOT_VALUE and type(each) not in passed_over
    ]


_MOST_REACHED: Final = 400_000
_NOT_FOLLOWED: Final = (ModuleType, FunctionType, FrameType, CodeType, type)


def widely_reached(value: object, reach: set[int], namespace: Mapping[str, object]) -> bool:
    """Add the ids of all that the garbage collector sees in a large object; False if that is too much.

    It tells who shares something with it, at the speed of C, where a look at every value is too slow.
    """
    array = getattr(sys.modules.get("numpy"), "ndarray", None)
    seen, frontier = {id(namespace)}, [value]
    while frontier:
        seen.update(map(id, frontier))
        if len(seen) > _MOST_REACHED:
            return False
        below = {id(each): each for each in gc.get_referents(*frontier)}
        reach.update(root_of(each) for each in below.values() if array is not None and type(each) is array)
        frontier = [
            each
            for key, each in below.items()
            if key not in seen and gc.is_tracked(each) and not issubclass(type(each), _NOT_FOLLOWED)
        ]
    reach |= seen - {id(namespace)}
    return True
