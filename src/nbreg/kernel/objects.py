"""Which of the user's objects are models, and which of them was trained last."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from nbreg.errors import BadInputError, did_you_mean
from nbreg.families.describing.describe import is_model, predicts
from nbreg.records import Execution

_NOT_TRAINING = frozenset(("load_model",))


class Candidate(NamedTuple):
    """A variable that holds a model."""

    name: str
    value: object


def candidates(namespace: Mapping[str, object]) -> list[Candidate]:
    """All variables that hold a model, each object once under the name it got last."""
    last: dict[int, Candidate] = {}
    for name, value in namespace.items():
        if is_model(value):
            last[id(value)] = Candidate(name, value)
    return list(last.values())


def last_trained(
    executions: Iterable[Execution],
    namespace: Mapping[str, object],
    to_python: Callable[[str], str],
    line: Callable[[str], str] = "MODEL {}".format,
) -> Candidate:
    """The one model of the execution that trained one last.

    Raises `BadInputError`, which lists the candidates, where that is no single object: to
    register the wrong model silently would be worse than to ask. `line` gives what to type for one of them.
    """
    for execution in reversed(list(executions)):
        found = trained_by(execution.source, namespace, to_python)
        if len(found) == 1:
            return found[0]
        if found:
            raise ambiguous(found, line)
    everything = candidates(namespace)
    raise ambiguous(everything, line, "no cell trained a model" if everything else "")


def ambiguous(found: Iterable[Candidate], line: Callable[[str], str], fact: str = "") -> BadInputError:
    """The refusal to guess, with what could be meant."""
    names = [each.name for each in found]
    if not names:
        return BadInputError(fact or "no model was trained here", hint=f"name a variable: {line('VARIABLE')}")
    there = "there is" if len(names) == 1 else "there are"
    fact = f"{fact}; {there} {{}}" if fact else "it is not clear which model is meant: {}"
    return BadInputError(fact.format(", ".join(names[:8])), hint=f"name it, for example: {line(names[-1])}")


def trained_by(
    source: str, namespace: Mapping[str, object], to_python: Callable[[str], str]
) -> list[Candidate]:
    """The models that a cell binds or fits; those that predict, where there are such."""
    last: dict[int, Candidate] = {}
    for name in written_names(source, to_python):
        value = namespace.get(name)
        if value is not None and is_model(value):
            last.pop(id(value), None)
            last[id(value)] = Candidate(name, value)
    found = list(last.values())
    return [each for each in found if predicts(each.value)] or found


def written_names(source: str, to_python: Callable[[str], str]) -> list[str]:
    """Names that the cell's own statements bind, or call `.fit…(` on, in the order they stand."""
    try:
        tree = ast.parse(to_python(_inner(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # Python's words for too deeply nested
        return []
    found = [(node.lineno, node.col_offset, name) for node, name in _writes(tree)]
    return [name for _, _, name in sorted(found)]


def _inner(source: str) -> str:
    """The body of a cell magic, and of `%%time` within `%%capture`; magics of other languages have none."""
    while source.lstrip().startswith("%%"):
        first, _, rest = source.lstrip().partition("\n")
        if first[2:].split(" ", 1)[0].strip() not in ("time", "capture", "prun", "register_model"):
            return ""
        source = rest
    return source


def _writes(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    for node in _outside_functions(tree):
        if isinstance(node, ast.Assign) and not _is_loading(node.value):
            for target in node.targets:
                yield from _targets(target)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.For):
            yield from _targets(node.target)
        elif isinstance(node, ast.Call):
            yield from _fitted(node)


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those in functions and classes; a long sum nests deeper than Python recurses."""
    waiting = [tree]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
                yield node
                waiting.append(node)


def _targets(target: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node, node.id


def _fitted(call: ast.Call) -> Iterator[tuple[ast.expr, str]]:
    """`clf.fit(…)`, `clf.partial_fit(…)`, and arguments of what may train: `train(net, data)`."""
    function = call.func
    if (
        isinstance(function, ast.Attribute)
        and "fit" in function.attr
        and isinstance(function.value, ast.Name)
    ):
        yield function, function.value.id
    elif isinstance(function, ast.Name) and any(word in function.id.casefold() for word in ("fit", "train")):
        yield from ((each, each.id) for each in call.args if isinstance(each, ast.Name))


def _is_loading(value: ast.expr) -> bool:
    """`clf = %load_model …` as IPython rewrites it: what comes out was trained elsewhere."""
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and value.func.attr == "run_line_magic"
        and bool(value.args)
        and isinstance(value.args[0], ast.Constant)
        and value.args[0].value in _NOT_TRAINING
    )


def variable(name: str, namespace: Mapping[str, object]) -> object:
    """The value of one of the user's variables.

    Raises `BadInputError` where there is none, with the nearest name.
    """
    try:
        return namespace[name]
    except KeyError:
        hint = did_you_mean(name, namespace) if namespace else "no variable is set"
        near = hint if hint.startswith("did you mean") else "run the cell that sets it first"
        raise BadInputError(f"there is no variable {name[:60]!r}", hint=near) from None
