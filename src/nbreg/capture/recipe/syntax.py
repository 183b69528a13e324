"""Questions to parts of a syntax tree."""

from __future__ import annotations

import ast

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def dotted(node: ast.expr) -> str | None:
    """`a.b.c` as text, or None where it is not just names."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def is_call_of(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def runs_at_least_once(node: ast.expr) -> bool:
    """Whether a loop over this certainly has a first turn."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return any(not isinstance(each, ast.Starred) for each in node.elts)
    match node:
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int() as count)]):
            return count > 0
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]):
            return runs_at_least_once(inner)
    return False


def outside_of_body(arguments: ast.arguments) -> list[ast.expr]:
    """Defaults and annotations: evaluated where the function is defined."""
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [each for each in (arguments.vararg, arguments.kwarg) if each]
    annotations = [each.annotation for each in every if each.annotation]
    return [*arguments.defaults, *(each for each in arguments.kw_defaults if each), *annotations]


def free_names(node: ast.AST) -> set[str]:
    """The names that the body of a function, lambda or class takes from outside, inner ones included."""
    if isinstance(node, ast.ClassDef):
        return _free(node.body, set(), is_class=True)
    if not isinstance(node, FUNCTIONS | ast.Lambda):
        return set()
    arguments = node.args
    bound = {each.arg for each in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    bound |= {each.arg for each in (arguments.vararg, arguments.kwarg) if each}
    return _free([node.body] if isinstance(node, ast.Lambda) else node.body, bound)


def _free(body: list[ast.stmt] | list[ast.expr], bound: set[str], *, is_class: bool = False) -> set[str]:
    loaded: set[str] = set()
    inner: set[str] = set()
    told: set[str] = set()
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name):
            (loaded if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.Global):
            told |= set(node.names)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
        if isinstance(node, FUNCTIONS | ast.ClassDef):
            bound.add(node.name)
        if isinstance(node, FUNCTIONS | ast.Lambda):
            inner |= free_names(node)
            todo += [*outside_of_body(node.args), *getattr(node, "decorator_list", [])]
        elif isinstance(node, ast.ClassDef):
            inner |= free_names(node)
            todo += [*node.decorator_list, *node.bases, *(each.value for each in node.keywords)]
        else:
            todo += ast.iter_child_nodes(node)
    # What a class sets is not seen by its methods.
    seen = (loaded - bound) | inner if is_class else (loaded | inner) - bound
    return seen | told


def leading_calls(body: list[ast.stmt]) -> list[str]:
    """Calls that stand alone, up to the first statement that calls something in another way."""
    found = []
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            called = dotted(statement.value.func)
            inside = [*statement.value.args, *(each.value for each in statement.value.keywords)]
            if called is None or any(isinstance(each, ast.Call) for arg in inside for each in ast.walk(arg)):
                break
            found.append(called)
        elif not isinstance(statement, FUNCTIONS | ast.ClassDef | ast.Import | ast.ImportFrom) and any(
            isinstance(each, ast.Call | ast.For | ast.While | ast.With) for each in ast.walk(statement)
        ):
            break
    return found


def only_shows(name: str, call: ast.Call) -> bool:
    """Whether a setting is about how things are displayed."""
    last = name.rpartition(".")[2]
    if last in ("set_printoptions", "filterwarnings", "simplefilter"):
        return not any(isinstance(each, ast.Constant) and each.value == "error" for each in call.args)
    if last in ("set_option", "reset_option") and call.args:
        first = call.args[0]
        return isinstance(first, ast.Constant) and str(first.value).startswith(
            ("display", "max_", "plotting")
        )
    return last == "set_config" and [each.arg for each in call.keywords] == ["display"]
