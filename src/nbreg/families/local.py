"""Which modules are the user's own: no library's, so that their code travels and their names say nothing.

Also which of them a function imports only when it is called: neither its globals nor a pickler see those.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from importlib.util import resolve_name
from sysconfig import get_path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

_OWN: Final = "nbreg"
_BY_TEXT: Final = frozenset(("import_module", "__import__"))
"""What imports a module by a text."""
_OF_HERE: Final = frozenset(("__package__", "__name__"))
"""What tells it of which package a name is that begins with a dot."""
_LIBRARIES: Final = tuple({path for name in ("stdlib", "platstdlib") if (path := get_path(name))})

_last: tuple[tuple[str, ...], list[str]] = ((), [])
"""The names of all modules, and those of the local ones: an import changes both, and nothing else does."""


def is_library(module: ModuleType) -> bool:
    """Whether a module is installed or Python's own, so that its name says what its code is."""
    name, file = module.__name__, getattr(module, "__file__", None)
    if name == "__main__":  # even where a library's program runs the user's code
        return False
    if file is not None:
        return file.startswith(_LIBRARIES) or "site-packages" in file or "dist-packages" in file
    if getattr(getattr(module, "__spec__", None), "origin", None) in ("built-in", "frozen"):
        return True
    above = sys.modules.get(name.rpartition(".")[0])  # compiled modules make more of them
    return above is not None and is_library(above)


def is_local(name: str, module: ModuleType) -> bool:
    """Whether a module is Python source that is neither installed nor Python's own: its code travels."""
    file = module.__dict__.get("__file__")
    return (
        type(file) is str
        and file.endswith(".py")
        and name.partition(".")[0] not in (_OWN, "__main__", "__mp_main__")
        and not is_library(module)
    )


def local_modules() -> dict[str, ModuleType]:
    """Imported modules that are Python source and neither installed nor Python's own, by name."""
    global _last
    names = tuple(sys.modules)
    if names != _last[0]:
        modules = {name: sys.modules.get(name) for name in names}
        local = [name for name, each in modules.items() if type(each) is ModuleType and is_local(name, each)]
        _last = names, local
    return {name: module for name in _last[1] if type(module := sys.modules.get(name)) is ModuleType}


class Importing:
    """`importlib.import_module` as code that travelled has it; written out, it is the one of Python."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., ModuleType]) -> None:
        self._call = call

    def __call__(self, name: str, package: str | None = None) -> ModuleType:
        return self._call(name, package)

    def __reduce__(self) -> Any:
        return getattr, (importlib, "import_module")


def imported(code: CodeType, package: str, among: Collection[str]) -> Iterator[str]:
    """Names in the code that are those of such modules: more than it imports, and never less.

    Of a name that is made when it is called, the beginning may stand in the code, as in `f"plugins.{name}"`:
    then all modules of that package. Others nobody knows before; see `imports_by_text`.
    """
    for name in code.co_names:
        for candidate in (name, f"{package}.{name}", f"{package.rpartition('.')[0]}.{name}"):
            if candidate in among:
                yield candidate
    if not _BY_TEXT.isdisjoint(code.co_names):
        yield from (name for name in _texts(code, package) if name in among)
        for beginning in _beginnings(code, package):
            yield from (name for name in among if name.startswith(beginning))
    for each in code.co_consts:
        if type(each) is CodeType:
            yield from imported(each, package, among)


def _texts(code: CodeType, package: str) -> Iterator[str]:
    """The texts in the code, as names of modules."""
    for each in code.co_consts:
        if type(each) is str:
            try:
                yield resolve_name(each, package)
            except ImportError:  # it leads out of the package
                continue


def _beginnings(code: CodeType, package: str) -> Iterator[str]:
    """The texts in the code that name a package and end before the name of a module in it."""
    for each in code.co_consts:
        text = re.split("[{%]", each, maxsplit=1)[0] if type(each) is str else ""
        if text == "." and package and not _OF_HERE.isdisjoint(code.co_names):
            yield f"{package}."
        elif text.endswith(".") and len(text) > 1:
            with suppress(ImportError):
                yield f"{resolve_name(text.removesuffix('.'), package)}."


def imports_by_text(code: CodeType) -> bool:
    """Whether code may import a module that it does not name: what it gets is told when it is called."""
    if not _BY_TEXT.isdisjoint(code.co_names):
        return True
    return any(imports_by_text(each) for each in code.co_consts if type(each) is CodeType)


def package_of(function: FunctionType) -> str:
    """The package that a function's relative imports begin in."""
    package = function.__globals__.get("__package__")
    return package if type(package) is str else ""


def travelled(function: FunctionType) -> Mapping[str, ModuleType]:
    """The modules that came with a function that was loaded, and that it imports; none for any other."""
    any_function: Any = function
    # As they were when it was made; those that its globals name may be others.
    importing = any_function.__builtins__.get("__import__")
    modules = getattr(getattr(importing, "__self__", None), "modules", None)
    return modules if type(modules) is dict else {}


def late_modules(function: FunctionType, here: Mapping[str, ModuleType]) -> dict[str, ModuleType]:
    """What a function may import when it is called: modules that came with it, else such as are here."""
    among = travelled(function) or here
    found = imported(function.__code__, package_of(function), among) if among else ()
    return {name: among[name] for name in sorted(set(found))}
