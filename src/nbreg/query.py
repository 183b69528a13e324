"""The query language: one line that chooses versions, the same in Python, on the command line and in panels.

    metrics.accuracy > 0.9 and stage == "staging"
    "baseline" in tags and name >= "1.2.0"
    params["clf__C"] in [0.5, 1.0] or created >= "2026-02-01"
    not proof and stages_held

It is spelled as Python is, and it is no Python: the text is parsed into a tree, of which a few
kinds of nodes mean something here, and everything else is refused. Nothing is ever evaluated.

A field that a version does not have is None. None is smaller or larger than nothing, contains
nothing, and equals None alone, so `metrics.auc > 0.9` passes over versions without that metric,
and `metrics.auc == None` finds them. Values of different kinds are never equal and have no
order; that is no error, since versions may differ in what they call a number.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from nbreg.errors import BadQueryError, did_you_mean
from nbreg.names import parse_semantic

LONGEST: Final = 4_000
"""Characters of a query."""

Read = Callable[[str], object]
"""Gives the value of a field, by its first name."""

_ORDER: Final[dict[type, Callable[[Any, Any], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None, "none": None}
"""As JSON and people spell them."""


class Query:
    """A query that was understood; `fields` are the first names that it asks for."""

    def __init__(self, text: str, tree: ast.expr, fields: frozenset[str]) -> None:
        self.text = text
        self.fields = fields
        self._tree = tree

    def __repr__(self) -> str:
        return f"<Query {self.text[:200]!r}>"

    def asked(self, read: Read) -> dict[str, object]:
        """What it asks for, as that is written in the query, with the values."""
        return {
            ".".join([name, *(str(each.value) for each in way if isinstance(each, ast.Constant))]): _value(
                node, read
            )
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and isinstance(node.slice, ast.Tuple)
            for name, way in [(node.value.id, node.slice.elts)]
        }

    def without(self, field: str, known: Iterable[str]) -> str:
        """Which name that it asks for in a field, as `metrics.acuracy`, nothing there has, and which is near.

        Empty where all are known. That is no error of the query: what comes later may have it.
        """
        begin, known = f"{field}.", set(known)
        asked = [each.removeprefix(begin) for each in self.asked(lambda _: None) if each.startswith(begin)]
        missing = next((name for name in asked if name not in known), None)
        if missing is None:
            return ""
        near = did_you_mean(missing, known, "" if known else "there are none")
        return f"none has {begin}{missing[:60]}" + (f" ({near})" if near else "")

    def matches(self, read: Read) -> bool:
        """Whether a version is meant; `read` is asked for no field that does not matter."""
        return _is_true(_value(self._tree, read))


def parse_query(text: str, known: Mapping[str, int] | Collection[str], *, what: str = "versions") -> Query:
    """Understand a query over fields of these names.

    Where `known` tells what reading each field costs, the sides of an `and` and of an `or` are
    asked in the order of that, so that what is cheap decides first. Raises `BadQueryError`,
    which shows where, and calls what is chosen by `what` it is.
    """
    if not isinstance(text, str):
        raise BadQueryError(f"a query is text, not {type(text).__name__}")
    if len(text) > LONGEST:
        raise BadQueryError(f"the query has {len(text)} characters", hint=f"up to {LONGEST} are read")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise BadQueryError(
            f"the query cannot be read: {error.msg} {_at(text, error.offset)}", hint=_syntax_hint(text)
        ) from None
    except (ValueError, MemoryError, RecursionError):
        raise BadQueryError("the query cannot be read", hint=_EXAMPLE) from None
    costs = known if isinstance(known, Mapping) else dict.fromkeys(known, 0)
    reader = _Reader(text, costs, what)
    try:
        return Query(text, reader.checked(tree), frozenset(reader.fields))
    except RecursionError:
        raise BadQueryError("the query is nested too deeply", hint="make it flatter") from None


def _syntax_hint(text: str) -> str:
    """A single `=` is the likeliest slip; texts are left out, which may hold one."""
    outside = re.sub(r"'[^']*'|\"[^\"]*\"", "", text)
    return "== compares" if re.search(r"(?<![=<>!])=(?!=)", outside) else _EXAMPLE


_EXAMPLE: Final = "for example: metrics.accuracy > 0.9 and stage == 'staging'"


def _at(text: str, offset: int | None) -> str:
    """`at 'accuracy >'`: the place as the user typed it."""
    start = max(0, (offset or 1) - 1)
    return f"at {text.strip()[start : start + 20]!r}" if text.strip()[start:] else "at the end"


class _Reader:
    """Checks a tree, node by node, and puts cheap conditions first."""

    def __init__(self, text: str, costs: Mapping[str, int], what: str) -> None:
        self._what = what
        self.fields: set[str] = set()
        self._text = text.strip()
        self._costs = costs

    def checked(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.BoolOp():
                sides = [self.checked(each) for each in node.values]
                return ast.BoolOp(op=node.op, values=sorted(sides, key=self._cost))
            case ast.UnaryOp(op=ast.Not()):
                return ast.UnaryOp(op=node.op, operand=self.checked(node.operand))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return ast.Constant(value=-number)
            case ast.Compare():
                return self._comparison(node)
            case ast.Constant(value=str() | int() | float() | None):  # a bool is an int
                return node
            case ast.List() | ast.Tuple():
                return ast.Tuple(elts=[self._constant(each) for each in node.elts], ctx=ast.Load())
            case ast.Name(id=name) if name in _WORDS and name not in self._costs:
                return ast.Constant(value=_WORDS[name])
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self._field(node)
        raise self._refused(node)

    def _comparison(self, node: ast.Compare) -> ast.expr:
        for sign in node.ops:
            if isinstance(sign, ast.Is | ast.IsNot):
                raise BadQueryError("`is` compares nothing here", hint="== and != do, with None too")
        return ast.Compare(
            left=self.checked(node.left), ops=node.ops, comparators=[*map(self.checked, node.comparators)]
        )

    def _constant(self, node: ast.expr) -> ast.expr:
        found = self.checked(node)
        if not isinstance(found, ast.Constant):
            raise self._refused(node, "a list holds values, no fields")
        return found

    def _field(self, node: ast.expr) -> ast.expr:
        """`metrics.accuracy` and `metrics["accuracy"]` become the field's name and the way into it."""
        way: list[ast.Constant] = []
        inner = node
        while not isinstance(inner, ast.Name):
            match inner:
                case ast.Attribute(value=outer, attr=name):
                    way.append(ast.Constant(value=name))
                case ast.Subscript(value=outer, slice=ast.Constant(value=str() | int() as key)):
                    way.append(ast.Constant(value=key))
                case _:
                    raise self._refused(node)
            inner = outer
        if inner.id not in self._costs:
            raise BadQueryError(
                f"{self._what} have no field {inner.id[:60]!r}", hint=self._nearest(inner, node)
            )
        self.fields.add(inner.id)
        return ast.Subscript(value=inner, slice=ast.Tuple(elts=[*reversed(way)]), ctx=ast.Load())

    def _nearest(self, name: ast.Name, node: ast.expr) -> str:
        """What may have been meant: a field of nearly that name, or a metric by its name alone."""
        listed = did_you_mean(name.id, self._costs, f"fields: {', '.join(sorted(self._costs))}")
        if node is name and "metrics" in self._costs and not listed.startswith("did you mean"):
            return f"did you mean metrics.{name.id[:60]} or params.{name.id[:60]}?"
        return listed

    def _cost(self, node: ast.expr) -> int:
        names = [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]
        return max((self._costs[name] for name in names), default=0)

    def _refused(self, node: ast.expr, why: str = "") -> BadQueryError:
        shown = ast.get_source_segment(self._text, node) or type(node).__name__
        return BadQueryError(
            f"{shown[:60]!r} means nothing in a query",
            hint=why or "fields, numbers, texts, lists; == != < <= > >= in, not in; and, or, not",
        )


def _value(node: ast.expr, read: Read) -> object:
    """The value of a checked node."""
    match node:
        case ast.BoolOp(op=ast.And()):
            return all(_is_true(_value(each, read)) for each in node.values)
        case ast.BoolOp():
            return any(_is_true(_value(each, read)) for each in node.values)
        case ast.UnaryOp():
            return not _is_true(_value(node.operand, read))
        case ast.Compare():
            return _all_hold(node, read)
        case ast.Constant():
            return node.value
        case ast.Tuple():
            return [_value(each, read) for each in node.elts]
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=way)):
            return _inside(read(name), [each.value for each in way if isinstance(each, ast.Constant)])
    raise AssertionError(node)


def _inside(value: object, way: list[Any]) -> object:
    for at, key in enumerate(way):
        if isinstance(value, Mapping):
            dotted = ".".join(map(str, way[at:]))
            if (
                key not in value and dotted in value
            ):  # `metrics.test.auc`: a metric may have a dot in its name
                return value[dotted]
            value = value.get(key)
        elif isinstance(value, list | tuple) and type(key) is int:
            value = value[key] if -len(value) <= key < len(value) else None
        else:
            return None
    return value


def _all_hold(node: ast.Compare, read: Read) -> bool:
    """`0.5 < metrics.auc < 0.9`: each two neighbours."""
    left = _value(node.left, read)
    is_name = _is_version_name(node.left)
    for sign, side in zip(node.ops, node.comparators, strict=True):
        right = _value(side, read)
        names = is_name or _is_version_name(side)
        if not _holds(sign, left, right, names=names):
            return False
        left, is_name = right, _is_version_name(side)
    return True


def _is_version_name(node: ast.expr) -> bool:
    match node:
        case ast.Subscript(value=ast.Name(id="name"), slice=ast.Tuple(elts=[])):
            return True
    return False


def _holds(sign: ast.cmpop, left: object, right: object, *, names: bool) -> bool:
    match sign:
        case ast.Eq():
            return _are_equal(left, right)
        case ast.NotEq():
            return not _are_equal(left, right)
        case ast.In():
            return _contains(right, left)
        case ast.NotIn():
            return not _contains(right, left)
    if left is None or right is None or _kind(left) != _kind(right):
        return False
    compare = _ORDER[type(sign)]
    if names and isinstance(left, str) and isinstance(right, str):
        semantic = parse_semantic(left), parse_semantic(right)
        if semantic[0] is not None and semantic[1] is not None:
            return compare(semantic[0].order, semantic[1].order)  # 1.9.0 is before 1.10.0
    try:
        return bool(compare(left, right))
    except TypeError:
        return False


def _are_equal(left: object, right: object) -> bool:
    return _kind(left) == _kind(right) and bool(left == right)


def _contains(whole: object, part: object) -> bool:
    """A text holds a text, a list an element, an object a key."""
    if isinstance(whole, str):
        return isinstance(part, str) and part in whole
    if isinstance(whole, Mapping):
        return isinstance(part, str) and part in whole
    if isinstance(whole, list | tuple):
        return any(_are_equal(each, part) for each in whole)
    return False


def _kind(value: object) -> str:
    """What may be compared with what: numbers with numbers, whatever their type; a truth is no number."""
    if value is None or isinstance(value, bool | str):
        return type(value).__name__
    if isinstance(value, int | float):
        return "number"
    return "list" if isinstance(value, list | tuple) else "object"


def _is_true(value: object) -> bool:
    """A field by itself: whether there is something in it."""
    return bool(value)
