"""Code that no index has: local modules beside the notebook, and what cells defined.

Only a file that was imported is read, and only as far as the bounds allow; a module object is
looked into without running its code.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Final, NamedTuple

from nbreg.capture import texts
from nbreg.capture.secrets import Redactor
from nbreg.capture.surroundings.distributions import module_file
from nbreg.records import Execution

MODULE_BYTES: Final = 256 * 1024
MODULES_BYTES: Final = 1024 * 1024
"""How much text of all local modules is kept; those of the project come first."""

MOST_MODULES: Final = 500
DEFINITION_BYTES: Final = 256 * 1024
MOST_DEFINITIONS: Final = 500

_PIECE: Final = 32 * 1024
"""Texts are redacted in pieces that are remembered: an edit costs the pieces it touches."""

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_INSTALLED = re.compile(r"[\\/](?:site|dist)-packages[\\/]")
_OWN = "nbreg"


class LocalModule(NamedTuple):
    """An imported module that is neither installed nor Python's own."""

    name: str
    file: str


_last: tuple[tuple[str, ...], str, list[LocalModule]] = ((), "", [])


def local_modules(
    modules: Mapping[str, object], folder: str, names: tuple[str, ...] | None = None
) -> list[LocalModule]:
    """Those of `sys.modules`, the ones below `folder` first, then by name; looked for after imports."""
    global _last
    names = tuple(modules) if names is None else names
    known, where, found = _last
    if names != known or folder != where:
        found = _local_modules(modules, names, folder)
        _last = (names, folder, found)
    return found


def _local_modules(modules: Mapping[str, object], names: Iterable[str], folder: str) -> list[LocalModule]:
    found = [
        LocalModule(name, file)
        for name in names
        if (file := module_file(modules.get(name)))
        and _is_local(file)
        and name.partition(".")[0] not in (_OWN, "__main__", "__mp_main__")
        and _is_imported_from(modules.get(name), file)
    ]
    here = os.path.realpath(folder) + os.sep
    found.sort(key=lambda each: (not os.path.realpath(each.file).startswith(here), each.name))
    return found


def _is_imported_from(module: object, file: str) -> bool:
    """Whether an import read the file; a `__file__` that merely says so is not believed."""
    spec = object.__getattribute__(module, "__dict__").get("__spec__")
    return type(spec).__name__ == "ModuleSpec" and getattr(spec, "origin", None) == file


@lru_cache(maxsize=8192)
def _is_local(file: str) -> bool:
    return not _INSTALLED.search(file) and not file.startswith(_python_folders())


@lru_cache(maxsize=1)
def _python_folders() -> tuple[str, ...]:
    """Where Python's own modules are; `os` is one of them, frozen or not."""
    library = os.path.dirname(os.path.abspath(os.__file__))  # noqa: PTH100, PTH120
    folders = {library, os.path.realpath(library)}
    return tuple(folder + os.sep for folder in sorted(folders))


class Modules(NamedTuple):
    """The texts by name, and those whose files have changed since they were imported."""

    texts: dict[str, str]
    edited: list[str]


def capture_modules(redactor: Redactor, folder: str, names: tuple[str, ...] | None = None) -> Modules:
    """The texts of local modules within the bounds, without secrets; what is left out says why."""
    loaded = sys.modules
    found = local_modules(loaded, folder, names)
    kept, edited, left = {}, [], MODULES_BYTES
    for each in found[:MOST_MODULES]:
        text, size, changed = _text(each.file, left)
        left -= size
        kept[each.name] = redacted(text, redactor)
        module = loaded.get(each.name)
        if size and module is not None and is_edited(module, text, each.file, changed):
            edited.append(each.name)
    if more := len(found) - MOST_MODULES:
        kept |= {"…": f"# not captured: {more} more modules\n"} if more > 0 else {}
    return Modules(dict(sorted(kept.items())), sorted(edited))


def _text(file: str, left: int) -> texts.Text:
    """A module's text, or of no size why there is none."""
    if not file.endswith(".py"):
        return _without("not a file of Python source")
    try:
        found = texts.read(file, MODULE_BYTES)
    except OSError:
        return _without("the file is gone")
    if found.size > MODULE_BYTES:
        return _without(f"larger than {MODULE_BYTES // 1024} KiB")
    if found.size > left:
        return _without(f"{MODULES_BYTES // 1024} KiB of modules are kept already")
    return found


def _without(why: str) -> texts.Text:
    return texts.Text(f"# not captured: {why}\n", 0, 0.0)


def redacted(text: str, redactor: Redactor) -> str:
    """The text without secrets, piece by piece between top-level statements."""
    if len(text) <= _PIECE:
        return redactor.text(text)
    return "".join(redactor.text(piece) for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    piece: list[str] = []
    size = 0
    for line in text.splitlines(keepends=True):
        if size > _PIECE and line.startswith(("def ", "class ", "async def ", "@")):
            yield "".join(piece)
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    yield "".join(piece)


# edited since


def is_edited(module: object, text: str, file: str, changed: float) -> bool:
    """Whether functions of the module are not those that its file, of that text and time, holds now.

    A changed line moves all that stands below it, so an edit above a function is seen too; one
    below the last function is not. Asked only of files that changed after this process began.
    """
    if changed <= _started() or not _is_loaded_plainly(module):
        return False
    written = _written(text, file, changed)
    return written is None or not written.issuperset(_codes_of(module, file))


def _is_loaded_plainly(module: object) -> bool:
    """Whether Python's own loader compiled it: pytest and type checkers at run time compile their own way."""
    names = object.__getattribute__(module, "__dict__")
    loader = type(names.get("__loader__"))
    return (loader.__module__, loader.__name__) == ("_frozen_importlib_external", "SourceFileLoader")


@lru_cache(maxsize=64)
def _written(text: str, file: str, changed: float) -> frozenset[CodeType] | None:
    """The functions that the text holds; None where it is no Python any more. Once for each change."""
    import warnings

    # Compiling warns of odd escapes; the import of the module has done so already.
    with warnings.catch_warnings(action="ignore"):
        try:
            return frozenset(_codes_in(compile(text, file, "exec", dont_inherit=True)))
        except (SyntaxError, ValueError):
            return None


@lru_cache(maxsize=1)
def _started() -> float:
    """When this process began, a little early: the time of its own entry under `/proc`."""
    try:
        return os.stat(f"/proc/{os.getpid()}").st_mtime - 2  # noqa: PTH116
    except OSError:
        return 0.0


def _codes_of(module: object, file: str) -> Iterator[CodeType]:
    names = object.__getattribute__(module, "__dict__") if isinstance(module, ModuleType) else {}
    for value in list(names.values()):
        for function in (value, *_methods(value)):
            if type(function) is FunctionType and function.__code__.co_filename == file:
                yield function.__code__


def _methods(value: object) -> Iterable[object]:
    if not issubclass(type(value), type):
        return ()
    names: Mapping[str, object] = type.__dict__["__dict__"].__get__(value)
    return list(names.values())


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes_in(each)


# what cells defined


def capture_definitions(
    namespace: Mapping[str, object], executions: Iterable[Execution], redactor: Redactor
) -> dict[str, str]:
    """The source of each class and function of `__main__`, by its name in the namespace."""
    cells = [each.source for each in executions]
    found: dict[str, str] = {}
    left = DEFINITION_BYTES
    for name in sorted(name for name, value in namespace.items() if _is_defined_here(value)):
        source = _source_of(namespace[name], cells)
        if not source or len(found) == MOST_DEFINITIONS:
            continue
        fits = len(source) <= left
        left -= len(source) if fits else 0
        kept = redacted(source, redactor) if fits else "# not captured: too much is kept already\n"
        found[redactor.text(name)] = kept
    return found


def _is_defined_here(value: object) -> bool:
    return _own_module(_unwrapped(value)) == "__main__"


def _unwrapped(value: object) -> object:
    """What a decorator with `functools.wraps` stands in front of."""
    for _ in range(20):
        if type(value) is not FunctionType or "__wrapped__" not in value.__dict__:
            break
        value = value.__dict__["__wrapped__"]
    return value


def _own_module(value: object) -> object:
    if type(value) is FunctionType:
        return value.__module__
    if issubclass(type(value), type):
        names: Mapping[str, object] = type.__dict__["__dict__"].__get__(value)
        return names.get("__module__")
    return None


def _source_of(value: object, cells: list[str]) -> str:
    value = _unwrapped(value)
    if type(value) is FunctionType:
        code = value.__code__
        return _in_cell(code.co_filename, code.co_firstlineno) or _last_defined(code.co_name, cells)
    # A metaclass may do anything when it is asked for an attribute: `type` is asked instead.
    name = type.__dict__["__name__"].__get__(value)
    qualified = type.__dict__["__qualname__"].__get__(value)
    for method in _methods(value):
        if type(method) is FunctionType and method.__qualname__.startswith(f"{qualified}."):
            code = method.__code__
            if found := _in_cell(code.co_filename, code.co_firstlineno, holding=name):
                return found
    return _last_defined(name, cells)


def _in_cell(filename: str, line: int, *, holding: str = "") -> str:
    """The definition that begins at a line of an executed cell, or the class that holds that line."""
    # Read from the table itself: `linecache.getlines` would open files.
    import linecache

    entry = linecache.cache.get(filename)
    if entry is None or len(entry) != 4 or entry[1] is not None:  # cells have no time of change
        return ""
    return _definition_at("".join(entry[2]), line, holding)


_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@lru_cache(maxsize=1024)
def _definitions(text: str) -> tuple[tuple[_Definition, int], ...]:
    """The definitions in a cell, each with its first line, that of a decorator counted."""
    try:
        tree = ast.parse(_ESCAPE.sub(_harmless_escape, text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    nodes = [each for each in ast.walk(tree) if isinstance(each, _Definition)]
    return tuple((n, min([n.lineno, *(d.lineno for d in n.decorator_list)])) for n in nodes)


def _harmless_escape(match: re.Match[str]) -> str:
    """Only places are wanted of a cell, and parsing an odd escape would warn the user once more."""
    return match[0] if match[1] in "\n\"'\\" else "/" + match[1]


@lru_cache(maxsize=4096)
def _definition_at(text: str, line: int, holding: str) -> str:
    for node, first in _definitions(text):
        last = node.end_lineno or node.lineno
        if holding:
            fits = isinstance(node, ast.ClassDef) and node.name == holding and first <= line <= last
        else:
            fits = not isinstance(node, ast.ClassDef) and first == line
        if fits:
            return _lines(text, first, last)
    return ""


def _last_defined(name: str, cells: list[str]) -> str:
    """The definition of that name in the cell that was executed last; for classes without methods."""
    for cell in reversed(cells):
        if name in cell and ("class " in cell or "def " in cell):
            for node, first in reversed(_definitions(cell)):
                if node.name == name:
                    return _lines(cell, first, node.end_lineno or node.lineno)
    return ""


def _lines(text: str, first: int, last: int) -> str:
    from textwrap import dedent

    return dedent("\n".join(text.split("\n")[first - 1 : last])) + "\n"
