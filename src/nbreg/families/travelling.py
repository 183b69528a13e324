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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final, NamedTuple

from nbreg.families import tabling, tokens
from nbreg.families.buffers import Buffers
from nbreg.families.careful import File, Guard
from nbreg.families.inspection import globals_of
from nbreg.families.tokens import NoTokenError, token

_PASSES: Final = 6
_by_value = threading.Lock()
"""cloudpickle's list of modules to write out is that of the process."""


_last: tuple[tuple[str, ...], list[str]] = ((), [])
"""The names of all modules, and those of the local ones: an import changes both, and nothing else does."""


class Written(NamedTuple):
    """A stream, its buffers, and what `isolation` needs to know of it."""

    stream: bytes
    buffers: Buffers
    facts: dict[str, Any]


def local_modules() -> dict[str, ModuleType]:
    """Imported modules that are Python source and neither installed nor Python's own, by name."""
    global _last
    names = tuple(sys.modules)
    if names != _last[0]:
        modules = {name: sys.modules.get(name) for name in names}
        _last = (
            names,
            [
                name
                for name, each in modules.items()
                if type(each) is ModuleType and tokens.is_local(name, each)
            ],
        )
    return {name: module for name in _last[1] if type(module := sys.modules.get(name)) is ModuleType}


def is_local(name: str) -> bool:
    """Whether a global, as `module.name`, comes from such a module."""
    while name := name.rpartition(".")[0]:
        module = sys.modules.get(name)
        if module is not None:
            return type(module) is ModuleType and tokens.is_local(name, module)
    return False


def write(value: object, guard: Guard | None = None, *, named: bool = False) -> Written:
    """Write an object out with its code. Raises whatever its parts raise, and what the guard does.

    With `named`, local modules stay named, and the facts say which of them the object needs.
    """
    local = {} if named else local_modules()
    with _written_out(local.values()):
        taken: set[str] = set()
        for _ in range(_PASSES):
            pickler, stream = _pickled(value, local, taken, guard)
            wanted = pickler.imported_late(local)
            if wanted <= taken:
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


def _pickled(
    value: object, local: dict[str, ModuleType], taken: set[str], guard: Guard | None
) -> tuple[Any, bytes]:
    """With modules that are imported late, the object and these; else the object alone."""
    root = (value, {name: local[name] for name in sorted(taken)}) if taken else value
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
            self._codes: list[tuple[str, CodeType]] = []
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
                if tokens.is_local(name, value):
                    self.named.add(name)
                return made, (name,)
            reduced = super().reducer_override(value)
            if type(reduced) is tuple:
                maker = getattr(reduced[0], "__name__", "")
                if maker in TRACKED:
                    self._classes.append((str(reduced[1][TRACKED[maker]]), value))
                elif type(value) is FunctionType:
                    package = value.__globals__.get("__package__")
                    self._codes.append((package if type(package) is str else "", value.__code__))
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

        def imported_late(self, local: dict[str, ModuleType]) -> set[str]:
            """Local modules that a function may import when it is called, and the packages they are in."""
            found = {each for package, code in self._codes for each in _imports(code, package, local)}
            return {
                ".".join(name.split(".")[:n]) for name in found for n in range(1, name.count(".") + 2)
            } & set(local)

    return Noting(Buffers(guard.spend if guard else None))


TRACKED: Final = {"_make_skeleton_class": 4, "_make_skeleton_enum": 5}
"""What makes a class again, and which of its arguments is cloudpickle's name for the class."""


def _imports(code: CodeType, package: str, local: dict[str, ModuleType]) -> Iterator[str]:
    """Names in the code that are those of local modules: more than it imports, and never less."""
    for name in code.co_names:
        for candidate in (name, f"{package}.{name}", f"{package.rpartition('.')[0]}.{name}"):
            if candidate in local:
                yield candidate
    for each in code.co_consts:
        if type(each) is CodeType:
            yield from _imports(each, package, local)
