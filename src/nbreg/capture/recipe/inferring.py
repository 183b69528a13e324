"""Which data a model was trained on and asked about, worked out from the cells that made it.

The text of a cell says which names went into `fit`; what was seen of the cells after it says
whether those names still hold what they held then. What is found is live objects, so nothing
of it is kept.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import FunctionType
from typing import Any, Final, NamedTuple

from nbreg.capture.recipe import uses
from nbreg.capture.recipe.expressions import Evaluator
from nbreg.capture.recipe.known import words
from nbreg.capture.recipe.slicing import Ran
from nbreg.capture.recipe.uses import Block, Call, Given
from nbreg.capture.tabular.data import role_of
from nbreg.capture.tabular.tables import as_table, kind_of
from nbreg.records import UsedData

MOST: Final = 12
"""Sets that are told of."""

_DEEPEST: Final = 10
_COPIED: Final = 64 * 1024 * 1024
"""Bytes of a table of which a part is worked out."""

_WRAPPERS: Final = words(
    "asarray array tensor as_tensor from_numpy from_pandas from_dlpack TensorDataset Dataset DataLoader "
    "DMatrix QuantileDMatrix Pool add_constant DataFrame Series to float double long cuda csr_matrix "
    "enumerate zip tqdm list iter cycle astype copy reset_index ravel to_frame values"
)
"""Calls that give the data on as it is."""

_MEASURES: Final = (
    "score",
    "loss",
    "error",
    "metric",
    "report",
    "matrix",
    "auc",
    "roc",
    "accuracy",
    "eval",
    "test",
)


class _Scope(NamedTuple):
    """Where an expression stands: a cell, or a function called in it with these arguments."""

    at: int
    block: Block
    line: int
    arguments: Mapping[str, tuple[ast.expr, Any]] | None = None


class _Found(NamedTuple):
    """A table that an expression leads to; `is_part` where only something made of it went in."""

    name: str
    value: object
    names: frozenset[str]
    is_part: bool


class Inference:
    """What the executions tell of one model's data; holds the user's objects, so use and drop it."""

    def __init__(
        self,
        history: Sequence[Ran],
        namespace: Mapping[str, object],
        to_python: Callable[[str], str],
        is_as_seen: Callable[[str, object], bool],
    ) -> None:
        self._history = history
        self._namespace = namespace
        self._to_python = to_python
        self._is_as_seen = is_as_seen
        self._models: set[str] = set()

    def block(self, at: int) -> Block:
        """The statements of an execution."""
        return uses.block_of(self._to_python(self._history[at].execution.source))

    def sets(self, names: set[str]) -> list[UsedData]:
        """The data that went into the model that these names hold, then what it was asked about."""
        self._models = names
        trained, since = self._trained(names)
        found: dict[str, UsedData] = {}
        for each in [*trained, *self._asked(names, since)]:
            before = found.get(each.name)
            if before is None and len(found) < MOST:
                found[each.name] = each
            elif before is not None and before.role == "train" != each.role:
                found[each.name] = before._replace(asked=True)
        return list(found.values())

    # training

    def _trained(self, names: set[str]) -> tuple[list[UsedData], int]:
        """Backwards through the cells that made the model, or what it was taken from."""
        want, seen, found = set(names), set[str](), list[UsedData]()
        since = -1
        for at in range(len(self._history) - 1, -1, -1):
            trace = self._history[at].trace
            written = want & trace.writes.keys()
            if names and not written:
                continue
            block = self.block(at)
            calls, mine = self._training(block, written, at)
            found += mine
            if since < 0 and (mine or names & trace.kills):
                since = at  # before that it was another model
            if not names:
                break  # made in the running cell, and held by no name
            seen |= written
            want -= trace.kills & written
            if not mine:
                want |= block.sources(written) - seen
            if mine and all(call.verb == "fit" for call in calls):
                want -= written  # it begins anew whenever it is fitted
            if not want:
                break
        return found, since if since >= 0 else len(self._history) - 1

    def _training(self, block: Block, written: set[str], at: int) -> tuple[list[Call], list[UsedData]]:
        """The calls that trained, with their data: the first kind of calls that has any."""
        for calls in self._candidates(block, written, at):
            if found := [each for call in calls for each in self._data_of(call, at, block)]:
                return calls, found
        return [], []

    def _candidates(self, block: Block, written: set[str], at: int) -> Iterator[list[Call]]:
        """Those that train by name and concern these names, others that do, then all that train."""
        why = self._history[at].trace.writes
        changed = {name for name in written if why[name] == "changed"}
        close = [
            call for call in block.calls
            if call.kind != "ask" and self._concerns(call, written, changed, block, at)
        ]  # fmt: skip
        yield [call for call in close if call.kind == "train"]
        yield close
        if changed or not written:
            yield [call for call in block.calls if call.kind == "train"]

    def _concerns(self, call: Call, written: set[str], changed: set[str], block: Block, at: int) -> bool:
        """Whether it sets these names, is called on them, or is given them and trains or changed them."""
        if call.targets & written or (call.kind == "train" and call.receivers & written):
            return True
        if call.bare & written:
            return call.kind == "train" or bool(call.bare & changed) or self._defines(call, at)
        called = call.node.func.id if isinstance(call.node.func, ast.Name) else ""
        return block.learns and called in written

    def _data_of(self, call: Call, at: int, block: Block) -> list[UsedData]:
        scope = _Scope(at, block, call.node.end_lineno or 0)
        inside = self._inside(call, scope, "train")
        return inside or self._arguments(call.node, scope, "train")

    def _arguments(self, node: ast.Call, scope: _Scope, role: str) -> list[UsedData]:
        """What is given to a call or, where that is nothing, to the call that made what it is called on."""
        while True:
            by_name = role == "train" and not uses.is_fit(node)
            found = [
                each for given in uses.arguments_of(node) for each in self._used(given, scope, role, by_name)
            ]
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            if found or not isinstance(owner, ast.Call):
                return found
            node = owner

    def _used(self, given: Given, scope: _Scope, role: str, by_name: bool) -> Iterator[UsedData]:
        for found, is_target in self._resolved(given.node, scope, 0, is_target=given.is_target):
            named = role_of(found.name)
            if not by_name and (role == "train" or named == "train"):
                named = role  # what it is called does not make it another thing than what it was used for
            yield self._told(found, scope, "validation" if given.held_out else named, is_target=is_target)

    def _told(self, found: _Found, scope: _Scope, role: str, *, is_target: bool) -> UsedData:
        state = self._since(found.names, found.value, scope)
        value = None if state == "changed" else found.value
        return UsedData(found.name, role, value, is_target=is_target, is_part=found.is_part, since=state)

    # functions of the user's

    def _defines(self, call: Call, at: int) -> bool:
        """Whether it is a function of an executed cell that trains."""
        function = self._function(call, at)
        return function is not None and any(each.kind == "train" for each in uses.body_of(function).calls)

    def _function(self, call: Call, at: int) -> ast.FunctionDef | None:
        if not isinstance(call.node.func, ast.Name):
            return None
        name = call.node.func.id
        if type(self._namespace.get(name)) is not FunctionType:
            return None
        for index in range(at, -1, -1):
            if name in self._history[index].trace.writes or index == at:
                function = self.block(index).functions.get(name)
                if function is not None:
                    return function
        return None

    def _inside(self, call: Call, scope: _Scope, kind: str, depth: int = 0) -> list[UsedData]:
        """What a function that a cell defined trains or asks with, in terms of what was given to it."""
        function = self._function(call, scope.at)
        if function is None or depth > 2:
            return []
        block = uses.body_of(function)
        inner = scope._replace(block=block, arguments=_bound(function, call.node, scope))
        found: list[UsedData] = []
        for each in block.calls:
            if each.kind == kind or (kind == "train" and block.learns and _calls_parameter(each, function)):
                found += self._arguments(each.node, inner, kind if kind == "train" else "test")
            elif each.kind == "other":
                found += self._inside(each, inner, kind, depth + 1)
        return found

    # asking

    def _asked(self, names: set[str], since: int) -> list[UsedData]:
        """What the model was asked about, from the cell on that trained it last."""
        found: list[UsedData] = []
        known, answers = set(names), set[str]()
        for at in range(since, len(self._history)):
            trace = self._history[at].trace
            if not (known | answers) & (trace.reads | trace.writes.keys()):
                continue
            block = self.block(at)
            for call in block.calls:
                scope = _Scope(at, block, call.node.end_lineno or 0)
                if self._asks(call, known, block):
                    found += self._arguments(call.node, scope, "test")
                    answers |= call.targets - names
                elif call.bare & answers and any(word in call.verb.casefold() for word in _MEASURES):
                    found += [
                        each for each in self._arguments(call.node, scope, "test") if each.name not in answers
                    ]
                elif (call.bare | call.targets) & known and call.kind != "ask":
                    found += self._inside(call, scope, "ask")
        return found

    def _asks(self, call: Call, names: set[str], block: Block) -> bool:
        if call.kind == "ask":
            return bool(call.receivers & names)
        called = call.node.func.id if isinstance(call.node.func, ast.Name) else ""
        return called in names and not block.learns and bool(call.node.args)

    # from an expression to tables

    def _resolved(
        self, node: ast.expr, scope: _Scope, depth: int, *, is_target: bool = False, part: bool = False
    ) -> Iterator[tuple[_Found, bool]]:
        if depth > _DEEPEST or (isinstance(node, ast.Name) and node.id in self._models):
            return  # the model is not its own data
        found = self._evaluated(node, scope)
        if found is not None:
            yield found._replace(is_part=part), is_target
            return
        for inner, target, is_part, where in self._beneath(node, scope, is_target):
            yield from self._resolved(inner, where, depth + 1, is_target=target, part=part or is_part)

    def _evaluated(self, node: ast.expr, scope: _Scope) -> _Found | None:
        """The table that stands there; none where it is another one than the name holds now."""
        if isinstance(node, ast.Constant | ast.List | ast.Tuple | ast.Dict):
            return None
        evaluator = Evaluator(_Visible(self._namespace, scope), _is_small)
        with suppress(Exception):
            value = evaluator.value(node)
            kind = kind_of(value)
            if kind and (type(value) not in (list, dict) or _is_long(value)):
                return _Found(ast.unparse(node)[:80], value, frozenset(evaluator.names), False)
        return None

    def _beneath(
        self, node: ast.expr, scope: _Scope, is_target: bool
    ) -> Iterator[tuple[ast.expr, bool, bool, _Scope]]:
        """The expressions that it is made of: with whether they are the target, or only go in partly."""
        if isinstance(node, ast.Name):
            for value, is_part, where in self._origins(node.id, scope):
                yield value, is_target, is_part, where
        elif isinstance(node, ast.Call):
            yield from self._call_parts(node, scope, is_target)
        elif isinstance(node, ast.Tuple | ast.List):
            for at, each in enumerate(node.elts):  # validation_data=(Xv, yv)
                yield each, is_target or (at == 1 and len(node.elts) == 2), False, scope
        elif isinstance(node, ast.Starred | ast.Subscript | ast.Attribute):
            yield node.value, is_target, not isinstance(node, ast.Starred), scope
        elif isinstance(node, ast.Dict):
            yield from ((each, is_target, False, scope) for each in node.values)
        elif not isinstance(node, ast.Constant | ast.Lambda):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    yield child, is_target, True, scope
                elif isinstance(child, ast.comprehension):
                    yield child.iter, is_target, True, scope

    def _call_parts(
        self, node: ast.Call, scope: _Scope, is_target: bool
    ) -> Iterator[tuple[ast.expr, bool, bool, _Scope]]:
        verb = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = uses.arguments_of(node)
        part = verb not in _WRAPPERS
        for each in given:
            yield each.node, is_target or (each.is_target and not part), part, scope
        if isinstance(node.func, ast.Attribute):
            yield node.func.value, is_target, part, scope

    def _origins(self, name: str, scope: _Scope) -> Iterator[tuple[ast.expr, bool, _Scope]]:
        """What a name was set to, where what it holds is no table, or not the one that went in."""
        if scope.arguments is not None and name in scope.arguments:
            expression, where = scope.arguments[name]
            yield expression, False, where
        elif name in scope.block.loops:
            yield scope.block.loops[name], False, scope
        elif name in scope.block.binds and (scope.arguments is not None or name in scope.block.looped):
            yield scope.block.binds[name][-1], name in scope.block.looped, scope
        elif not kind_of(self._namespace.get(name)):
            yield from self._earlier(name, scope)
        else:
            # It holds a table, only not as a whole: told by its name.
            return

    def _earlier(self, name: str, scope: _Scope) -> Iterator[tuple[ast.expr, bool, _Scope]]:
        """The last expression that it was set to, in this cell or an earlier one."""
        for at in range(scope.at, -1, -1):
            block = scope.block if at == scope.at and scope.arguments is None else self.block(at)
            if at != scope.at and name not in self._history[at].trace.writes:
                continue
            if values := block.binds.get(name):
                yield values[-1], False, _Scope(at, block, values[-1].end_lineno or 0)
                return

    # since then

    def _since(self, names: frozenset[str], value: object, scope: _Scope) -> str:
        """`changed` where a name no longer holds what went in, `unseen` where that was not seen."""
        states = {self._state(name, scope) for name in names}
        return "changed" if "changed" in states else "unseen" if "unseen" in states else ""

    def _state(self, name: str, scope: _Scope) -> str:
        if scope.arguments is None and scope.block.is_set_after(name, scope.line):
            return "changed"
        then, unseen = self._token(name, scope.at), False
        for ran in self._history[scope.at + 1 :]:
            if name in ran.trace.between:
                return "changed"
            why = ran.trace.writes.get(name)
            if why in ("bound", "changed", "deleted"):
                now = ran.trace.tokens.get(name)
                if not then or now != then:
                    return "changed"
            elif why == "assumed":
                unseen = unseen or not ran.trace.from_text
        if not self._is_as_seen(name, self._namespace.get(name)):
            return "changed"
        return "unseen" if unseen or self._history[scope.at].trace.from_text else ""

    def _token(self, name: str, at: int) -> str:
        """Its digest as the last cell left it that set or changed it, up to this one."""
        for ran in reversed(self._history[: at + 1]):
            if name in ran.trace.writes and ran.trace.writes[name] != "assumed":
                return ran.trace.tokens.get(name, "")
        return ""


class _Visible(Mapping[str, object]):
    """The namespace as an expression in that scope sees it: a function's own names hide those outside."""

    def __init__(self, namespace: Mapping[str, object], scope: _Scope) -> None:
        self._namespace, self._scope = namespace, scope

    def __getitem__(self, name: str) -> object:
        scope = self._scope
        local = scope.arguments is not None and (name in scope.arguments or name in scope.block.binds)
        if local or name in scope.block.loops or name in scope.block.looped:
            raise KeyError(name)
        return self._namespace[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._namespace)

    def __len__(self) -> int:
        return len(self._namespace)


def _bound(function: ast.FunctionDef, call: ast.Call, scope: _Scope) -> dict[str, tuple[ast.expr, Any]]:
    """The parameters with the expressions that were given for them."""
    names = [each.arg for each in [*function.args.posonlyargs, *function.args.args]]
    keywords = {*names, *(each.arg for each in function.args.kwonlyargs)}
    found: dict[str, tuple[ast.expr, Any]] = {}
    for name, value in zip(names, call.args, strict=False):
        found[name] = value, scope
    found.update({str(each.arg): (each.value, scope) for each in call.keywords if each.arg in keywords})
    return found


def _calls_parameter(call: Call, function: ast.FunctionDef) -> bool:
    """`net(batch)` in a function that is given `net`."""
    names = {each.arg for each in function.args.args}
    return isinstance(call.node.func, ast.Name) and call.node.func.id in names


def _is_small(value: object) -> bool:
    table = as_table(value)
    return table is not None and table.bytes <= _COPIED


def _is_long(value: Any) -> bool:
    """Whether a list or dictionary is more likely data than settings."""
    table = as_table(value)
    return table is not None and table.rows >= 8
