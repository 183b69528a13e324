"""The files that the executions of a recipe read, and those that their text names by an expression.

What Python opens is seen when it happens. Readers that pass Python by (Arrow, Polars, HDF5,
safetensors) are known by the texts of a cell that name a file and, here, by expressions over
paths that still hold: `DATA / "train.parquet"`.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import PurePath
from typing import Final

from nbreg.capture.recipe.files import Stamp, is_watched, stamp
from nbreg.capture.recipe.slicing import Ran
from nbreg.records import ReadFile

MOST: Final = 200
"""Files that are told of."""

_CODE: Final = (".py", ".pyc", ".pyi", ".so", ".pyd", ".ipynb", ".toml", ".cfg", ".ini")


def files_of(
    history: Sequence[Ran],
    kept: Sequence[int],
    namespace: Mapping[str, object],
    to_python: Callable[[str], str],
) -> Iterator[ReadFile]:
    """Each file once, as the last of these executions left it; no folders, no code, nothing that is gone."""
    found: dict[str, Stamp | None] = {}
    for at in kept:
        ran = history[at]
        seen = ran.trace.files_read.items()
        found.update((path, then) for path, then in seen if then is not None and _is_input(path))
        for path in _named(to_python(ran.execution.source), namespace):
            found.setdefault(path, _if_older(path, ran))
    modules = _module_files() if found else frozenset()
    chosen = [(path, then) for path, then in found.items() if path not in modules]
    yield from (ReadFile(path, then) for path, then in chosen[:MOST])


_OWN: Final = tuple(
    f"{folder.rstrip('/')}/"
    for folder in {sys.prefix, sys.base_prefix, "/usr/share", "/usr/lib", os.path.expanduser("~/.config"),
                   os.path.expanduser("~/.cache/matplotlib"), os.path.expanduser("~/.cache/fontconfig")}
    if folder != "/"
)  # fmt: skip
"""Where Python and the system keep what is theirs."""


def _is_input(path: str) -> bool:
    return not path.endswith(_CODE) and not path.startswith(_OWN) and not os.path.isdir(path)


def _module_files() -> frozenset[str]:
    """The files of what is imported: that is code, whatever it is called."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return frozenset(file for file in files if type(file) is str)


def _if_older(path: str, ran: Ran) -> Stamp | None:
    """What tells the file apart now, if it is older than the end of the execution."""
    now, begun = stamp(path), ran.execution.started_at
    if now is None or not begun:
        return None
    with suppress(ValueError):
        end = datetime.fromisoformat(begun).timestamp() + (ran.execution.seconds or 0.0)
        if now[0] / 1e9 <= end:
            return now
    return None


def _named(source: str, namespace: Mapping[str, object]) -> Iterator[str]:
    for expression in _path_expressions(source):
        with suppress(Exception):
            text = _path(expression, namespace)
            path = os.path.abspath(text)
            if os.path.isfile(path) and is_watched(path) and _is_input(path):
                yield path


@lru_cache(maxsize=256)
def _path_expressions(source: str) -> tuple[ast.expr, ...]:
    """Joined paths and formatted texts in it."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.expr) and _is_joined(node))[:50]


def _is_joined(node: ast.expr) -> bool:
    match node:
        case ast.BinOp(op=ast.Div() | ast.Add()) | ast.JoinedStr():
            return True
        case ast.Call(func=ast.Attribute(attr="join" | "joinpath"), args=[_, *_]):
            return True
    return False


def _path(node: ast.expr, namespace: Mapping[str, object]) -> str:
    """The path as text, if nothing but texts, paths and whole numbers is in it; raises otherwise."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Name(id=name):
            value = namespace[name]
            if type(value) in (str, int) or (issubclass(type(value), PurePath) and _is_plain_path(value)):
                return str(value)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return os.path.join(_path(left, namespace), _path(right, namespace))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _path(left, namespace) + _path(right, namespace)
        case ast.JoinedStr(values=values):
            return "".join(_path(each, namespace) for each in values)
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            return _path(value, namespace)
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="path"), attr="join"), args=parts):
            return os.path.join(*(_path(each, namespace) for each in parts))
        case ast.Call(func=ast.Attribute(value=owner, attr="joinpath"), args=parts):
            return os.path.join(_path(owner, namespace), *(_path(each, namespace) for each in parts))
        case ast.Call(func=ast.Name(id="Path") | ast.Attribute(attr="Path"), args=[part]):
            return _path(part, namespace)
    raise ValueError


def _is_plain_path(value: object) -> bool:
    return type(value).__module__.startswith("pathlib")
