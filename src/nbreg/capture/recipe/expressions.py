"""A few expressions over data that can be worked out again without changing anything.

`Xtr.iloc[:300]`, `df[features]`, `df.drop(columns="y")`, `df[df.split == "train"]`: over tables of known
libraries by their exact types, with indices that are plain. Everything else is refused.
"""

from __future__ import annotations

import ast
import operator
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from nbreg.capture.tabular.tables import kind_of

_PLAIN: Final = (int, str, bool, float, type(None))
_COMPARES: Final[dict[type, Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_JOINS: Final[dict[type, Callable[[Any, Any], Any]]] = {ast.BitAnd: operator.and_, ast.BitOr: operator.or_}
_METHODS: Final = frozenset(["drop", "head", "tail", "to_numpy", "select", "numpy"])
_FRAMES: Final = ("pandas.DataFrame", "pandas.Series")


class Unsafe(Exception):  # noqa: N818 - it says what the expression is
    """What stands there may do more than give a part of a table."""


class Evaluator:
    """Works out expressions over one namespace; `names` are those that it took from it."""

    def __init__(self, namespace: Mapping[str, object], is_small: Callable[[object], bool]) -> None:
        self._namespace = namespace
        self._is_small = is_small
        self.names: set[str] = set()

    def value(self, node: ast.expr) -> Any:
        """The value; raises `Unsafe`, or what the library raises."""
        match node:
            case ast.Constant(value=value) if type(value) in _PLAIN:
                return value
            case ast.Name(id=name):
                return self._named(name)
            case ast.Tuple(elts=elements):
                return tuple(self.value(each) for each in elements)
            case ast.List(elts=elements):
                return [self.value(each) for each in elements]
            case ast.Slice(lower=lower, upper=upper, step=step):
                return slice(*(None if each is None else self.value(each) for each in (lower, upper, step)))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)):
                return -number
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                return ~self._numbers(operand)
            case ast.Subscript(value=ast.Attribute(value=owner, attr="iloc" | "loc" as which), slice=index):
                return getattr(self._frame(owner), which)[self.value(index)]
            case ast.Subscript(value=owner, slice=index):
                return self._table(owner)[self.value(index)]
            case ast.Attribute(value=owner, attr="values"):
                return self._frame(owner).values
            case ast.Attribute(value=owner, attr=name):
                return self._column(self._frame(owner), name)
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in _METHODS:
                return self._called(owner, name, node)
            case ast.Compare(left=left, ops=[compare], comparators=[right]) if type(compare) in _COMPARES:
                return _COMPARES[type(compare)](self._numbers(left), self._plain(right))
            case ast.BinOp(left=left, op=join, right=right) if type(join) in _JOINS:
                return _JOINS[type(join)](self._numbers(left), self._numbers(right))
        raise Unsafe

    def _named(self, name: str) -> Any:
        value = self._namespace.get(name)
        if name not in self._namespace or not (type(value) in _PLAIN or _is_index(value) or kind_of(value)):
            raise Unsafe
        if type(value) is list and not _is_plain_list(value):
            raise Unsafe
        self.names.add(name)
        return value

    def _table(self, node: ast.expr) -> Any:
        value = self.value(node)
        if type(value) in (list, dict) or not kind_of(value) or not self._is_small(value):
            raise Unsafe
        return value

    def _frame(self, node: ast.expr) -> Any:
        value = self._table(node)
        if kind_of(value) not in _FRAMES:
            raise Unsafe
        return value

    def _column(self, frame: Any, name: str) -> Any:
        """`df.split` as `df["split"]`, where it is no attribute of every frame."""
        if hasattr(type(frame), name) or kind_of(frame) != "pandas.DataFrame":
            raise Unsafe
        return frame[name]

    def _called(self, owner: ast.expr, name: str, node: ast.Call) -> Any:
        table = self._table(owner)
        if not hasattr(type(table), name) or any(each.arg is None for each in node.keywords):
            raise Unsafe
        arguments = [self._plain(each) for each in node.args]
        options = {str(each.arg): self._plain(each.value) for each in node.keywords}
        if options.get("inplace"):
            raise Unsafe
        return getattr(table, name)(*arguments, **options)

    def _plain(self, node: ast.expr) -> Any:
        """A plain value, or a list of such."""
        value = self.value(node)
        if type(value) not in _PLAIN and not (type(value) is list and _is_plain_list(value)):
            raise Unsafe
        return value

    def _numbers(self, node: ast.expr) -> Any:
        """A column or array whose elements are none of the user's objects."""
        value = self._table(node)
        dtype = getattr(value, "dtype", None)
        if dtype is None or getattr(dtype, "hasobject", False):
            raise Unsafe
        return value


def _is_index(value: object) -> bool:
    pandas = sys.modules.get("pandas")
    return type(value) is slice or (pandas is not None and type(value) is vars(pandas).get("Index"))


def _is_plain_list(value: list[Any]) -> bool:
    return len(value) < 100_000 and {type(each) for each in value} <= set(_PLAIN)
