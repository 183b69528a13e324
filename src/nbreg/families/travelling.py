"""Code that travels with an object: classes and functions of cells, and of modules that nothing installs.

A pickle names them, and whoever loads it finds another class of that name, or none. So they are
written out with the object, by cloudpickle, together with the local modules that their
functions import when they are called. Modules that cannot be written out stay named, and the
artifact says so.
"""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any, Final, NamedTuple

from nbreg.errors import CannotStoreError
from nbreg.families import local, tabling
from nbreg.families.buffers import Buffers
from nbreg.families.careful import File, Guard
from nbreg.families.pickles.inspection import globals_of
from nbreg.families.tokens import NoTokenError, token

_PASSES: Final = 6
_by_value = threading.Lock()
"""cloudpickle's list of modules to write out is that of the process."""


class Written(NamedTuple):
    """A stream, its buffers, and what `isolation` needs to know of it."""

    stream: bytes
    buffers: Buffers
    facts: dict[str, Any]


def is_local(name: str) -> bool:
    """Whether a global, as `module.name`, comes from such a module."""
    while name := name.rpartition(".")[0]:
        module = sys.modules.get(name)
        if module is not None:
            return type(module) is ModuleType and local.is_local(name, module)
    return False


def write(value: object, guard: Guard | None = None, *, named: bool = False) -> Written:
    """Write an object out with its code. Raises whatever its parts raise, and what the guard does.

    With `named`, local modules stay named, and the facts say which of them the object needs.
    """
    known = {} if named else local.local_modules()
    with _written_out(known.values()):
        taken: dict[str, ModuleType] = {}
        for _ in range(_PASSES):
            pickler, stream = _pickled(value, taken, guard)
            wanted = {} if named else pickler.imported_late(known)
            if wanted.keys() <= taken.keys():
                break
            taken |= wanted
        facts: dict[str, Any] = {"classes": classes} if (classes := pickler.known()) else {}
        if taken:
            facts["modules"] = sorted(taken)
        if named and (needs := pickler.named | set(needed_modules(globals_of(stream)))):
            facts["needs"] = sorted(needs)
        return Written(stream, pickler.buffers, facts)


def needed_modules(names: Iterable[str]) -> list[str]:
    """The local modules that globals, as `module.name`, come from: who loads them has to have these."""
    return sorted({name.rpartition(".")[0] for name in names if is_local(name)})


def _pickled(value: object, taken: dict[str, ModuleType], guard: Guard | None) -> tuple[Any, bytes]:
    """With modules that are imported late, the object and these; else the object alone."""
    root = (value, dict(sorted(taken.items()))) if taken else value
    if guard is not None:
        guard.begin()
    file = io.BytesIO() if guard is None else File(guard)
    pickler = _pickler(file, guard)
    pickler.dump(root)
    return pickler, file.getvalue()


@contextmanager
def _written_out(modules: Iterable[ModuleType]) -> Iterator[None]:
    """cloudpickle writes these modules' code out instead of naming it; the user's own list stays."""
    import cloudpickle

    with _by_value:
        before = cloudpickle.list_registry_pickle_by_value()
        mine = [module for module in modules if module.__name__ not in before]
        try:
            for module in mine:
                cloudpickle.register_pickle_by_value(module)
            yield
        finally:
            for module in mine:
                cloudpickle.unregister_pickle_by_value(module)


def _pickler(file: io.BytesIO, guard: Guard | None) -> Any:
    """A pickler of cloudpickle that notes which classes and functions it writes out."""
    import cloudpickle
    from cloudpickle.cloudpickle import _module_reduce

    class Noting(cloudpickle.Pickler):  # type: ignore[misc,unused-ignore]
        """Notes what is written, and writes modules so that they may refer to each other."""

        def __init__(self, buffers: Buffers) -> None:
            # Only here: what the class itself named, or a method of it, would be part of a cycle, and
            # would keep all that was pickled until somebody collects it.
            self.buffers = buffers
            self._told = {**tabling.reducers(), **buffers.reducers}
            self.named: set[str] = set()
            self._classes: list[tuple[str, type]] = []
            self._functions: list[FunctionType] = []
            super().__init__(file, protocol=5, buffer_callback=buffers.keep)

        def reducer_override(self, value: Any) -> Any:
            if guard is not None:
                guard.check(value)
            if type(value) in self._told:
                return self._told[type(value)](value)
            if type(value) is ModuleType:
                made, (name, *names) = _module_reduce(value)
                if names:  # filled when it is made: cloudpickle's own way never ends in a cycle of modules
                    return made, (name, {}), *names
                if local.is_local(name, value):
                    self.named.add(name)
                return made, (name,)
            reduced = super().reducer_override(value)
            if type(reduced) is tuple:
                maker = getattr(reduced[0], "__name__", "")
                if maker in TRACKED:
                    self._classes.append((str(reduced[1][TRACKED[maker]]), value))
                elif type(value) is FunctionType:
                    self._functions.append(value)
            return reduced

        def known(self) -> dict[str, str]:
            """The token of each class that was written out, by cloudpickle's name for the class."""
            found = {}
            for tracker, kind in self._classes:
                try:
                    found[tracker] = token(kind)
                except NoTokenError:
                    continue
            return found

        def imported_late(self, known: Mapping[str, ModuleType]) -> dict[str, ModuleType]:
            """Modules that a function may import when it is called, and the packages they are in."""
            found: dict[str, ModuleType] = {}
            for function in self._functions:
                among = local.travelled(function) or known
                for name in local.imported(function.__code__, local.package_of(function), among):
                    for above in (".".join(name.split(".")[:n]) for n in range(1, name.count(".") + 2)):
                        if above in among and found.setdefault(above, among[above]) is not among[above]:
                            raise CannotStoreError(
                                f"parts of it import two modules that are both named {above}",
                                hint="register each part by itself",
                            )
            return found

    return Noting(Buffers(guard.spend if guard else None))


TRACKED: Final = {"_make_skeleton_class": 4, "_make_skeleton_enum": 5}
"""What makes a class again, and which of its arguments is cloudpickle's name for the class."""
