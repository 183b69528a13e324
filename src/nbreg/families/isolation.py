"""Loading code that travelled so that each version runs its own, and leaves everybody else's alone.

cloudpickle makes a class again under a name of its own, and where it knows a class of that
name it fills that one with what it read: loading an old version would change the class that
the notebook has now. Here a class of the notebook, or of an earlier load, is used where it is
the recorded one by value; else a new one is made, which nothing else refers to. Functions that
import a local module when they are called get the one that travelled, by a statement or by its name
as a text. Which one a name means that is made at that moment nobody knew when the version was stored:
then they get this process's own, and that is said.
"""

from __future__ import annotations

import builtins
import importlib
import io
import logging
import pickle
import sys
import weakref
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import resolve_name
from types import FunctionType, ModuleType
from typing import Any, Final

from nbreg.families.local import Importing, is_local
from nbreg.families.tokens import NoTokenError, token

log = logging.getLogger("nbreg")

Bytes = bytes | bytearray | memoryview

TRACKED: Final = {"_make_skeleton_class": 4, "_make_skeleton_enum": 5}
"""What makes a class again, and which of its arguments is cloudpickle's name for the class."""

_MAKERS: Final = frozenset(("cloudpickle", "cloudpickle.cloudpickle", "cloudpickle.cloudpickle_fast"))

_made: weakref.WeakValueDictionary[tuple[str, str], type] = weakref.WeakValueDictionary()
"""Classes that were made here, by name and token: another artifact of the version shares them."""


def load(stream: Bytes, buffers: Iterable[Bytes], facts: Mapping[str, Any]) -> object:
    """Make the object of a stream that `travelling.write` wrote; runs its code."""
    modules = facts.get("modules")
    late = bool(modules) or facts.get("by_text") is True
    unpickler = _Isolated(stream, buffers, dict(facts.get("classes") or {}), late=late)
    loaded: Any = unpickler.load()
    unpickler.share()
    if not modules:
        return loaded
    value, found = loaded
    unpickler.modules.update(found)
    return value


class _Isolated(pickle.Unpickler):
    def __init__(
        self, stream: Bytes, buffers: Iterable[Bytes], tokens: Mapping[str, str], *, late: bool
    ) -> None:
        super().__init__(io.BytesIO(stream), buffers=buffers)
        self.modules: dict[str, ModuleType] = {}
        self._tokens = tokens
        self._used: set[int] = set()
        self._fresh: dict[str, type] = {}
        self._late = late
        self._told: set[str] = set()
        self._builtins = {**builtins.__dict__, "__import__": self._import}
        self._importing = Importing(self._import_by_text)
        self._importlib = _like(importlib, import_module=self._importing)

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if self._late and found is importlib.import_module:
            return self._importing
        if module not in _MAKERS:
            return found
        if name in TRACKED:
            return lambda *given: self._class(found, TRACKED[name], list(given))
        if name == "_class_setstate":
            # One that is used as it is has its state already, and it is somebody else's.
            return lambda kind, state: kind if id(kind) in self._used else found(kind, state)
        if name == "_make_function" and self._late:
            return self._function
        if name == "_function_setstate" and self._late:
            return lambda function, state: self._filled(function, found(function, state))
        if name == "subimport" and self._late:
            return lambda name: self._own(found(name))
        return found

    def _class(self, make: Any, tracked: int, given: list[Any]) -> type:
        tracker, given[tracked] = str(given[tracked]), None
        if tracker not in self._fresh:
            # Looked for before one is made: a new subclass may make itself known to its base.
            known = self._same(tracker, *_called(given, is_enum=tracked == TRACKED["_make_skeleton_enum"]))
            if known is not None:
                self._used.add(id(known))
            self._fresh[tracker] = known or make(*given)
        return self._fresh[tracker]

    def _same(self, tracker: str, module: str, name: str, meta: type) -> type | None:
        """A class of this process that is the recorded one: by its name here, or made by an earlier load."""
        wanted = self._tokens.get(tracker)
        if wanted is None:
            return None
        names = vars(sys.modules.get(module, sys))
        for each in (names.get(name), _made.get((tracker, wanted))):
            if isinstance(each, type) and type(each) is meta and _token(each) == wanted:
                return each
        return None

    def share(self) -> None:
        """Let later loads use the classes that were made, as long as they are alive and unchanged."""
        for tracker, kind in self._fresh.items():
            if id(kind) not in self._used and tracker in self._tokens:
                _made[tracker, self._tokens[tracker]] = kind

    # what functions import when they are called

    def _function(
        self, code: Any, names: dict[str, Any], name: Any, defaults: Any, closure: Any
    ) -> FunctionType:
        names["__builtins__"] = self._builtins
        return FunctionType(code, names, name, defaults, closure)

    def _filled(self, function: FunctionType, given: Any) -> Any:
        """cloudpickle puts Python's own builtins back, and functions within the function would have them."""
        function.__globals__["__builtins__"] = self._builtins
        return given

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        package = str((globals or {}).get("__package__") or "")
        absolute = resolve_name("." * level + name, package) if level and package else name
        if absolute not in self.modules:
            found = builtins.__import__(name, globals, locals, fromlist or (), level)
            self._tell(absolute)
            return self._own(found)
        for each in fromlist or ():
            self._bind(f"{absolute}.{each}")
        if fromlist:
            return self.modules[absolute]
        self._bind_all(absolute)
        return self.modules[absolute.partition(".")[0]]

    def _import_by_text(self, name: str, package: str | None) -> ModuleType:
        absolute = resolve_name(name, package)
        if absolute not in self.modules:
            found = importlib.import_module(name, package)
            self._tell(absolute)
            return self._own(found)
        self._bind_all(absolute)
        return self.modules[absolute]

    def _tell(self, name: str) -> None:
        """Say once that a module of the user's own is not the version's."""
        module = sys.modules.get(name)
        if name in self._told or type(module) is not ModuleType or not is_local(name, module):
            return
        self._told.add(name)
        told = "code of a version imports %s, which was not stored with it: it gets the module that is here"
        log.warning(told, name)

    def _own(self, module: ModuleType) -> ModuleType:
        """The module, or what stands in for the one that imports others."""
        return self._importlib if module is importlib else module

    def _bind_all(self, name: str) -> None:
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            within = ".".join(parts[:length])
            self.modules.setdefault(within, ModuleType(within))  # a folder without a file is a package, too
            self._bind(within)

    def _bind(self, name: str) -> None:
        """A submodule is an attribute of its package, as after any import."""
        package, _, last = name.rpartition(".")
        if name in self.modules and package in self.modules:
            setattr(self.modules[package], last, self.modules[name])


def _like(module: ModuleType, **others: Any) -> ModuleType:
    """A module that differs from another in these attributes; that one stays as it is."""
    made = ModuleType(module.__name__)
    # What is imported into it later is found, too.
    vars(made).update({**vars(module), **others}, __getattr__=lambda name: getattr(module, name))
    return made


def _called(given: Sequence[Any], *, is_enum: bool) -> tuple[str, str, type]:
    """Module, name and metaclass of the class that cloudpickle would make of these arguments."""
    if is_enum:
        bases, name, _, _, module = given[:5]
        return str(module), str(name), type(bases[-1])
    meta, name, _, members = given[:4]
    return str(members.get("__module__", "")), str(name), meta


def _token(kind: type) -> str:
    try:
        return token(kind)
    except NoTokenError:
        return ""
