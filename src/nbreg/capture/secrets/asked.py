"""Which names a cell bound to what it asked a person or a vault for: `entered = getpass()`.

Nothing about such a value gives it away, neither its name nor its shape; the cell's text does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from nbreg.capture.secrets.names import secret_kind, word_set

_ASKING: Final = word_set(
    "getpass get_password get_secret get_secret_value getSecret access_secret_version get_credential "
    "getpw pwinput askpass stdiask read_password get_api_key get_token get_access_token read_secret"
)
_LOOKING_UP: Final = word_set("get getenv pop input prompt ask raw_input")
"""They ask for a secret where their first argument says so: `input("Password: ")`."""

_LONGEST: Final = 256 * 1024
"""What is longer is pasted data: parsing a megabyte takes seconds."""

_HIDING: Final = frozenset(("password", "hide_input"))
_LIKELY = re.compile(r"getp|pass|secret|token|key|credential|askp|stdiask", re.IGNORECASE)
_NOT_PYTHON = re.compile(r"^[ \t]*[%!?].*$", re.MULTILINE)
_LAST_WORDS = re.compile(r"[\W_]+$")


class Answer(NamedTuple):
    """A name that holds an answer, and the keys that lead to it."""

    name: str
    keys: tuple[object, ...]
    sure: bool


class Asked(NamedTuple):
    """What one source tells: its answers, and the names under which it can ask from then on."""

    answers: tuple[Answer, ...]
    asking: frozenset[str]

    @staticmethod
    def of(sources: Iterable[str]) -> list[Answer]:
        """The answers of all sources; a name for `getpass` counts in the sources after it, too."""
        asking = _ASKING
        found: list[Answer] = []
        for source in sources:
            told = _asked(source, asking)
            asking = told.asking
            found += told.answers
        return found


@lru_cache(maxsize=4096)
def _asked(source: str, asking: frozenset[str]) -> Asked:
    if len(source) > _LONGEST:
        return Asked((), asking)
    renamed = asking - _ASKING
    if not _LIKELY.search(source) and not any(name in source for name in renamed):
        return Asked((), asking)
    try:
        tree = ast.parse(_NOT_PYTHON.sub(_blank, source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Asked((), asking)
    reader = _Reader(asking | frozenset(_renamed(tree)))
    asking = reader.asking | frozenset(reader.functions(tree))
    return Asked(tuple(_Reader(asking).answers(tree)), asking)


def _blank(match: re.Match[str]) -> str:
    line = match.group()
    return line[: len(line) - len(line.lstrip())] + "pass"


def _renamed(tree: ast.Module) -> Iterator[str]:
    """`from getpass import getpass as ask`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (each.asname for each in node.names if each.asname and each.name in _ASKING)


class _Reader:
    def __init__(self, asking: frozenset[str]) -> None:
        self.asking = asking

    def functions(self, tree: ast.Module) -> Iterator[str]:
        """Functions that give back what they asked for."""
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                returned = (each.value for each in ast.walk(node) if isinstance(each, ast.Return))
                if any(value is not None and self._asks(value) == "sure" for value in returned):
                    yield node.name

    def answers(self, tree: ast.Module) -> Iterator[Answer]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    yield from self._bound(target, node.value)
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
                yield from self._bound(node.target, node.value)

    def _bound(self, target: ast.expr, value: ast.expr) -> Iterator[Answer]:
        if (
            isinstance(target, ast.Tuple)
            and isinstance(value, ast.Tuple)
            and len(target.elts) == len(value.elts)
        ):
            for each, part in zip(target.elts, value.elts, strict=True):
                yield from self._bound(each, part)
        elif isinstance(target, ast.Name):
            yield from (Answer(target.id, keys, how == "sure") for keys, how in self._answers(value, ()))

    def _answers(self, value: ast.expr, keys: tuple[object, ...]) -> Iterator[tuple[tuple[object, ...], str]]:
        if isinstance(value, ast.Dict):
            for key, each in zip(value.keys, value.values, strict=True):
                if isinstance(key, ast.Constant):
                    yield from self._answers(each, (*keys, key.value))
        elif isinstance(value, ast.List | ast.Tuple):
            for at, each in enumerate(value.elts):
                yield from self._answers(each, (*keys, at))
        elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
            for keyword in value.keywords:
                if keyword.arg:
                    yield from self._answers(keyword.value, (*keys, keyword.arg))
        elif how := self._asks(value):
            yield keys, how

    def _asks(self, value: ast.expr) -> str:
        """`sure`, `likely` or nothing: whether this expression is an answer, or text made of one."""
        if isinstance(value, ast.Call):
            return self._call(value)
        if isinstance(value, ast.Subscript):
            return "likely" if isinstance(value.slice, ast.Constant) and _is_secret(value.slice.value) else ""
        parts: list[ast.expr] = []
        if isinstance(value, ast.BoolOp | ast.JoinedStr):
            parts = list(value.values)
        elif isinstance(value, ast.BinOp):
            parts = [value.left, value.right]
        elif isinstance(value, ast.IfExp):
            parts = [value.body, value.orelse]
        elif isinstance(value, ast.Await | ast.FormattedValue):
            parts = [value.value]
        return max(map(self._asks, parts), default="")

    def _call(self, call: ast.Call) -> str:
        function = call.func
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        if name in self.asking or any(
            each.arg in _HIDING and isinstance(each.value, ast.Constant) and each.value.value is True
            for each in call.keywords
        ):
            return "sure"
        if name in _LOOKING_UP and any(
            isinstance(each, ast.Constant) and _is_secret(each.value) for each in call.args[:1]
        ):
            return "sure" if name in ("input", "raw_input", "prompt", "ask") else "likely"
        if name == "get" and "secrets" in ast.unparse(function):
            return "sure"
        # answer.strip(), answer.encode()
        return self._asks(function.value) if isinstance(function, ast.Attribute) else ""


def _is_secret(word: object) -> bool:
    return type(word) is str and bool(secret_kind(_LAST_WORDS.sub("", word)))
