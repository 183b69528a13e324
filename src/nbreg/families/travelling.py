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
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nbreg.families import local
from nbreg.families.buffers import Buffers
from nbreg.families.careful import File, Guard
from nbreg.families.pickles.inspection import globals_of

if TYPE_CHECKING:
    from nbreg.families.noting import Noting

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
        if pickler.imports_by_text():
            facts["by_text"] = True
        if named and (needs := pickler.named | set(needed_modules(globals_of(stream)))):
            facts["needs"] = sorted(needs)
        return Written(stream, pickler.buffers, facts)


def needed_modules(names: Iterable[str]) -> list[str]:
    """The local modules that globals, as `module.name`, come from: who loads them has to have these."""
    return sorted({name.rpartition(".")[0] for name in names if is_local(name)})


def _pickled(value: object, taken: dict[str, ModuleType], guard: Guard | None) -> tuple[Noting, bytes]:
    """With modules that are imported late, the object and these; else the object alone."""
    from nbreg.families.noting import Noting  # brings cloudpickle

    root = (value, dict(sorted(taken.items()))) if taken else value
    if guard is not None:
        guard.begin()
    file = io.BytesIO() if guard is None else File(guard)
    pickler = Noting(file, guard)
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
