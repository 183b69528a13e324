"""What a cell's text gives to the calls that train or ask a model: read from the syntax, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from nbreg.capture.recipe import magics
from nbreg.capture.recipe.known import words
from nbreg.capture.recipe.syntax import FUNCTIONS, dotted

Kind = Literal["train", "ask", "other"]

_TRAINS: Final = frozenset(["fit", "train", "partial_fit", "fit_transform", "fit_predict", "train_on_batch"])
_ASKS: Final = words("predict predict_proba predict_log_proba decision_function score evaluate test_on_batch")
_SPLITS: Final = frozenset(["train_test_split", "eval", "train_mode"])


class Call(NamedTuple):
    """One call, with the names that the statement around it sets and whether it stands in a loop."""

    node: ast.Call
    targets: frozenset[str]

    @property
    def verb(self) -> str:
        """The last word of what is called: `fit`, `accuracy_score`."""
        function = self.node.func
        if isinstance(function, ast.Attribute):
            return function.attr
        return function.id if isinstance(function, ast.Name) else ""

    @property
    def kind(self) -> Kind:
        """Whether it trains, or asks a model, by its name."""
        verb = self.verb
        if verb in _ASKS:
            return "ask"
        word = verb.casefold()
        trains = verb in _TRAINS or word.startswith(("fit", "train")) or word.endswith(("_fit", "_train"))
        return "train" if trains and verb not in _SPLITS else "other"

    @property
    def receivers(self) -> set[str]:
        """The names that it is called on: `search.best_estimator_.predict` is called on `search`."""
        owner = self.node.func.value if isinstance(self.node.func, ast.Attribute) else None
        return roots(owner) if owner is not None else set()

    @property
    def bare(self) -> set[str]:
        """The names among its arguments, those in lists and tuples included."""
        arguments = [*self.node.args, *(each.value for each in self.node.keywords)]
        return {each.id for node in arguments for each in _flat(node) if isinstance(each, ast.Name)}


@dataclass(slots=True)
class Block:
    """The statements of a cell or of a function's body, in order."""

    calls: list[Call] = field(default_factory=list)
    binds: dict[str, list[ast.expr]] = field(default_factory=dict)
    """For each name, the expressions that it was set to."""
    loops: dict[str, ast.expr] = field(default_factory=dict)
    """For each name that a loop sets, what is gone through."""
    looped: set[str] = field(default_factory=set)
    """Names set in the body of a loop: afterwards they hold only the last turn's."""
    stored: list[tuple[int, str]] = field(default_factory=list)
    """Line and name of everything that is set or of which a part is set."""
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)

    @property
    def learns(self) -> bool:
        """Whether gradients are computed here."""
        return any(call.verb in ("backward", "apply_gradients") for call in self.calls)

    def sources(self, names: set[str]) -> set[str]:
        """The names in what these names were set to; a clone has nothing of what was learned."""
        values = [value for name in names for value in self.binds.get(name, ())]
        return {
            each.id
            for value in values
            if not (isinstance(value, ast.Call) and Call(value, frozenset()).verb == "clone")
            for each in ast.walk(value)
            if isinstance(each, ast.Name)
        }

    def is_set_after(self, name: str, line: int) -> bool:
        """Whether the name, or a part of it, is set below that line."""
        return any(stored == name and at > line for at, stored in self.stored)


@lru_cache(maxsize=256)
def block_of(source: str) -> Block:
    """Read a cell as IPython transforms it; one that does not parse does nothing."""
    found = Block()
    try:
        _read(ast.parse(source).body, found, in_loop=False)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Block()
    return found


def body_of(function: ast.FunctionDef) -> Block:
    """The statements of a function."""
    found = Block()
    _read(function.body, found, in_loop=False)
    return found


def _read(body: list[ast.stmt], found: Block, *, in_loop: bool) -> None:
    for statement in body:
        if isinstance(statement, FUNCTIONS):
            if isinstance(statement, ast.FunctionDef):
                found.functions[statement.name] = statement
                found.stored.append((statement.lineno, statement.name))
            continue
        if isinstance(statement, ast.ClassDef):
            continue
        targets = _statement(statement, found, in_loop)
        for node in _own_expressions(statement):
            _expression(node, found, targets, in_loop)
        loops = isinstance(statement, ast.For | ast.AsyncFor | ast.While)
        for inner in _inner_bodies(statement):
            _read(inner, found, in_loop=in_loop or loops)


def _statement(statement: ast.stmt, found: Block, in_loop: bool) -> frozenset[str]:
    """Note what a statement sets, and tell its names."""
    pairs: list[tuple[ast.expr, ast.expr]] = []
    if isinstance(statement, ast.Assign):
        pairs = [pair for target in statement.targets for pair in _paired(target, statement.value)]
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign) and statement.value is not None:
        pairs = [(statement.target, statement.value)]
    elif isinstance(statement, ast.With | ast.AsyncWith):
        pairs = [(each.optional_vars, each.context_expr) for each in statement.items if each.optional_vars]
    elif isinstance(statement, ast.For | ast.AsyncFor):
        found.loops.update(dict.fromkeys(_stored(statement.target), statement.iter))
    for target, value in pairs:
        for name in _stored(target):
            found.binds.setdefault(name, []).append(value)
            found.stored.append((statement.lineno, name))
            if in_loop:
                found.looped.add(name)
    return frozenset(name for target, _ in pairs for name in _stored(target))


def _paired(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """`a, b = f(X), g(Y)` sets each of the names to its own."""
    both = isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List)
    if both and len(target.elts) == len(value.elts):  # type: ignore[attr-defined]
        return list(zip(target.elts, value.elts, strict=True))  # type: ignore[attr-defined]
    return [(target, value)]


def _stored(target: ast.expr) -> set[str]:
    """The names that it sets, or a part of which it sets."""
    if isinstance(target, ast.Tuple | ast.List):
        return set().union(*map(_stored, target.elts)) if target.elts else set()
    return roots(target)


def roots(node: ast.expr) -> set[str]:
    """The name that an expression begins with, and those in the calls that it goes through."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    if isinstance(node, ast.Name):
        return {node.id}
    return roots(node.func) if isinstance(node, ast.Call) else set()


def _own_expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement, without those of the statements in it."""
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.expr):
            yield node
        elif isinstance(node, ast.withitem):
            yield node.context_expr


def _inner_bodies(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        if isinstance(inner := getattr(statement, name, None), list):
            yield inner
    for handler in [*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())]:
        yield handler.body


def _expression(node: ast.expr, found: Block, targets: frozenset[str], in_loop: bool) -> None:
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            inner = magics.call_of(each)
            if inner is None:
                found.calls.append(Call(each, targets))
            elif body := magics.python_in(inner):
                _inline(body, found, in_loop)
        elif isinstance(each, ast.NamedExpr):
            found.binds.setdefault(each.target.id, []).append(each.value)
            found.stored.append((each.lineno, each.target.id))
        elif isinstance(each, ast.comprehension):
            found.loops.update(dict.fromkeys(_stored(each.target), each.iter))


def _inline(body: str, found: Block, in_loop: bool) -> None:
    """The Python that a magic runs, as if it stood here."""
    try:
        _read(ast.parse(body.strip("\n") + "\n").body, found, in_loop=in_loop)
    except (SyntaxError, ValueError):
        return


def _flat(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Tuple | ast.List):
        for each in node.elts:
            yield from _flat(each)
    else:
        yield node.value if isinstance(node, ast.Starred) else node


# arguments

_TARGETS: Final = words("y y_train ytrain label labels target targets endog y_true")
_HELD_OUT: Final = words("eval_set validation_data valid_sets evals x_val y_val eval_data val_data")
_NO_DATA: Final = words(
    "sample_weight weight weights groups classes callbacks params eval_metric epochs fit_params"
)
_LABELLED: Final = words("DMatrix QuantileDMatrix Dataset TensorDataset Pool")
_OUTCOME_FIRST: Final = words("OLS GLM GLS WLS Logit Probit Poisson NegativeBinomial MNLogit RLM QuantReg")


class Given(NamedTuple):
    """One argument: the expression, whether it is what is predicted, and whether it is held out."""

    node: ast.expr
    is_target: bool = False
    held_out: bool = False


def is_fit(call: ast.Call) -> bool:
    """Whether it takes X and y in the way that everybody's `fit` does."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in _TRAINS - {"train"}


def arguments_of(call: ast.Call) -> list[Given]:
    """The arguments of a call that may be data."""
    verb = (dotted(call.func) or "").rpartition(".")[2] or getattr(call.func, "attr", "")
    outcome = 0 if verb in _OUTCOME_FIRST else 1
    is_plain = verb in _OUTCOME_FIRST or verb in _LABELLED or verb in _ASKS or is_fit(call)
    found = [
        Given(each, is_target=is_plain and at == outcome and not isinstance(each, ast.Starred))
        for at, each in enumerate(call.args)
    ]
    for each in call.keywords:
        name = (each.arg or "").casefold()
        if name not in _NO_DATA:
            found.append(Given(each.value, name in _TARGETS, name in _HELD_OUT))
    return found
