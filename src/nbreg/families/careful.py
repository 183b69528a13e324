"""Pickling that nobody asked for: bounded, and without running a line of the user's.

A registration may run what a class tells the pickler of itself; what happens by itself may not.
So each class is looked at before its objects are, bytes are counted as they come, and whatever
is too much ends it with a reason that people can read.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import MemberDescriptorType
from typing import Any, Final, NoReturn

from nbreg.families import tabling
from nbreg.families.buffers import Buffers
from nbreg.families.local import is_library

_HOOKS: Final = (
    "__getstate__",
    "__reduce__",
    "__reduce_ex__",
    "__getnewargs__",
    "__getnewargs_ex__",
    "__getattribute__",
    "__getattr__",
)
_MARK: Final = "__slotnames__"
_class_mro = type.__dict__["__mro__"].__get__
_class_dict = type.__dict__["__dict__"].__get__
_class_name = type.__dict__["__name__"].__get__


class NotTakenError(Exception):
    """Why an object's bytes were not taken, in words for people."""


class Guard:
    """Looks at each object before it is pickled, and counts what comes of it."""

    def __init__(self, most: int, on_host: bool) -> None:
        self._most = most
        self._left = most
        self._on_host = on_host
        self._passed: set[type] = set()
        self.marked: list[type] = []
        """Classes on which pickling leaves a mark that was not there."""

    def begin(self) -> None:
        """The object is pickled anew."""
        self._left = self._most

    def forget(self) -> None:
        """Hold none of the user's classes any longer."""
        self.marked.clear()
        self._passed.clear()

    def spend(self, size: int) -> None:
        """So many bytes more. Raises `NotTakenError` where that is too much."""
        self._left -= size
        if self._left < 0:
            raise NotTakenError("too large")

    def check(self, value: Any) -> None:
        """Raises `NotTakenError` for what must not be pickled."""
        kind = type(value)
        if _is_compiled(kind):
            if not _is_of_library(value):
                _own(kind, "__reduce__")
        elif kind not in self._passed:
            _refuse_own_code(kind)
            self._passed.add(kind)
            if not _is_of_library(kind) and _MARK not in _class_dict(kind):
                self.marked.append(kind)
        if self._on_host and (where := device(value)):
            raise NotTakenError(f"its weights are on {where}")


class File(io.BytesIO):
    """Where a stream goes, counted."""

    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard

    def write(self, data: Any) -> int:
        """Take in what the pickler gives. Raises `NotTakenError`."""
        self._guard.spend(len(data))
        return super().write(data)


def _refuse_own_code(kind: type) -> None:
    reducer = copyreg.dispatch_table.get(kind)
    if reducer is not None and not _is_of_library(reducer):
        _own(kind, "reducer")
    for base in _class_mro(kind):
        if _is_of_library(base):
            continue
        own = _class_dict(base)
        found = next((hook for hook in _HOOKS if hook in own), "")
        if issubclass(base, dict) and "items" in own:
            found = "items"
        if issubclass(base, list) and "__iter__" in own:
            found = "__iter__"
        if found:
            _own(base, found)


def _own(kind: type, what: str) -> NoReturn:
    raise NotTakenError(f"{what} of {kind.__name__} runs only when you register it")


def _is_of_library(value: Any) -> bool:
    home = sys.modules.get(value.__module__ if type(value.__module__) is str else "")
    return home is not None and is_library(home)


def _is_compiled(kind: type) -> bool:
    """Whether it is Cython's class of functions: no module has it, and a pickler writes their names alone."""
    # Such a class has no module by its own word: `__module__` in it is that of each function.
    own = _class_dict(kind).get("__module__")
    return _class_name(kind) == "cython_function_or_method" and type(own) is MemberDescriptorType


def device(value: Any) -> str:
    """Where a tensor is, if that is not this machine's memory; empty for all else."""
    kind = type(value)
    if kind.__module__ not in ("torch", "torch.nn.parameter"):
        return ""
    tensor = getattr(sys.modules.get("torch"), "Tensor", None)
    if not isinstance(tensor, type) or not issubclass(kind, tensor):
        return ""
    where = str(value.device.type)
    return "" if where == "cpu" else where


@contextmanager
def guarded(*, most: int, on_host: bool = False) -> Iterator[Guard]:
    """A guard for at most so many bytes; with `on_host`, an accelerator's tensors are not fetched.

    Afterwards no class has a mark. Python's pickler caches the names of a class's slots in the
    class, where a recipe would see that the user's class has changed.
    """
    guard = Guard(most, on_host)
    try:
        yield guard
    finally:
        for kind in guard.marked:
            if _MARK in _class_dict(kind):
                type.__delattr__(kind, _MARK)
        guard.forget()


def plainly(value: object, guard: Guard) -> tuple[bytes, Buffers] | None:
    """Stream and buffers of the plain pickler; None for what it cannot pickle. Raises `NotTakenError`."""

    class Checking(pickle.Pickler):
        def reducer_override(self, value: Any) -> Any:
            guard.check(value)
            return NotImplemented

    buffers = Buffers(guard.spend)
    file = File(guard)
    guard.begin()
    try:
        pickler = Checking(file, protocol=5, buffer_callback=buffers.keep)
        pickler.dispatch_table = {**tabling.reducers(), **copyreg.dispatch_table}
        pickler.dump(value)
    except NotTakenError:
        raise
    except Exception:
        return None
    return file.getvalue(), buffers
