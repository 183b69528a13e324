"""A pickler of cloudpickle's that notes which classes and functions it writes out."""

from __future__ import annotations

import io
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import Any

import cloudpickle
from cloudpickle.cloudpickle import _module_reduce

from nbreg.errors import CannotStoreError
from nbreg.families import local, tabling
from nbreg.families.buffers import Buffers
from nbreg.families.careful import Guard
from nbreg.families.isolation import TRACKED
from nbreg.families.tokens import NoTokenError, importable, own_annotations, token


class Noting(cloudpickle.Pickler):  # type: ignore[misc,unused-ignore]
    """Notes what is written, and writes modules so that they may refer to each other."""

    def __init__(self, file: io.BytesIO, guard: Guard | None) -> None:
        self.buffers = buffers = Buffers(guard.spend if guard else None)
        self._guard = guard
        self._told = {**tabling.reducers(), **buffers.reducers}
        self.named: set[str] = set()
        self._classes: list[tuple[str, type]] = []
        self._functions: list[FunctionType] = []
        super().__init__(file, protocol=5, buffer_callback=buffers.keep)

    def reducer_override(self, value: Any) -> Any:
        if self._guard is not None:
            self._guard.check(value)
        if type(value) in self._told:
            return self._told[type(value)](value)
        if type(value) is ModuleType:
            made, (name, *names) = _module_reduce(value)
            if names:  # filled when it is made: cloudpickle's own way never ends in a cycle of modules
                return made, (name, {}), *names
            if local.is_local(name, value):
                self.named.add(name)
            return made, (name,)
        if isinstance(value, type) and not importable(value):
            own_annotations(value)  # or they stay behind
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

    def imports_by_text(self) -> bool:
        """Whether a function may import a module by a name that nobody knows before."""
        return any(local.imports_by_text(function.__code__) for function in self._functions)

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
