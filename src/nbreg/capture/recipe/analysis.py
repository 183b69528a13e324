"""What a cell's text says of it: the names it reads before it sets them, sets, and may change.

The text proposes and what is seen at run time decides, so this errs on the side of reading too
much. A cell that does not parse reads and sets nothing: it cannot have run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from nbreg.capture.recipe import magics
from nbreg.capture.recipe.known import EVALUATING, HARMLESS_CALLS, STEADY_CONTEXTS
from nbreg.capture.recipe.syntax import (
    FUNCTIONS,
    dotted,
    free_names,
    is_call_of,
    leading_calls,
    only_shows,
    outside_of_body,
    runs_at_least_once,
)

_WORD = re.compile(r"[^\W\d]\w*")
_AT_NAME = re.compile(r"@([^\W\d]\w*)")


@dataclass(slots=True)
class Analysis:
    """One cell's text, read. `sure` names are set whenever the cell ends well."""

    reads: set[str] = field(default_factory=set)
    stores: set[str] = field(default_factory=set)
    sure: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    """Names that something is called on or given."""
    hard: set[str] = field(default_factory=set)
    """Names a part of which is assigned or deleted."""
    hinted: set[str] = field(default_factory=set)
    """Words in texts that may be evaluated; they count where such a name exists."""
    executed: set[str] = field(default_factory=set)
    """Names whose text is executed."""
    reads_all: bool = False
    may_touch_all: bool = False
    strings: list[str] = field(default_factory=list)
    chains: set[str] = field(default_factory=set)
    """Dotted names as read: `np.random.seed`."""
    imports: set[str] = field(default_factory=set)
    submodules: set[str] = field(default_factory=set)
    """Of `import a.b`, which makes `b` reachable by whoever has `a`."""
    bare_calls: list[tuple[str, bool]] = field(default_factory=list)
    """Dotted names of calls that stand alone, and whether such a call ends the cell."""
    leading: list[str] = field(default_factory=list)
    """Calls that stand alone before anything else could have drawn random numbers."""
    seeders: dict[str, list[str]] = field(default_factory=dict)
    """For each function defined here, the calls that its body begins with."""
    display_only: set[str] = field(default_factory=set)
    """Bare calls and assignments that only change how things are shown."""
    magics: set[str] = field(default_factory=set)
    """Magics that IPython does not have by itself."""
    loads_magics: bool = False
    outside: list[str] = field(default_factory=list)
    """What the cell takes from where nbreg cannot see, in words."""
    calls: bool = False
    """Whether anything is called at all."""
    parses: bool = True


@lru_cache(maxsize=512)
def analyse(source: str) -> Analysis:
    """Read a cell as IPython transforms it. The result is shared: do not change it."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Analysis(parses=False)
    reader = _Reader()
    try:
        reader.block(tree.body)
    except RecursionError:
        return Analysis(reads_all=True, may_touch_all=True, calls=True)
    reader.found.sure = reader.sure
    _bare_calls(tree.body, reader.found)
    return reader.found


class _Reader(ast.NodeVisitor):
    """Walks in the order of evaluation; `sure` holds what is certainly set at this point."""

    def __init__(self) -> None:
        self.found = Analysis()
        self.sure: set[str] = set()
        self._deferred: dict[str, set[str]] = {}
        self._local: list[set[str]] = []
        self._calls = 0

    def block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self.visit(statement)

    @contextmanager
    def _maybe(self) -> Iterator[None]:
        """What is set in here may not be set after it."""
        before = set(self.sure)
        yield
        self.sure = before

    # names

    def load(self, name: str) -> None:
        if any(name in scope for scope in self._local):
            return
        if self._calls:
            self.found.touched.add(name)
        for needed in self._deferred.get(name, ()):
            if needed not in self.sure:
                self.found.reads.add(needed)
            if self._calls:
                self.found.touched.add(needed)
        if name not in self.sure:
            self.found.reads.add(name)

    def store(self, name: str, *, sure: bool = True) -> None:
        self.found.stores.add(name)
        self._deferred.pop(name, None)
        if sure:
            self.sure.add(name)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.load(node.id)
            if node.id == "get_ipython":
                self.found.may_touch_all = self.found.reads_all = True
        elif self._local and node.id in self._local[-1]:
            return
        elif isinstance(node.ctx, ast.Del):
            self.load(node.id)
            self.found.stores.add(node.id)
            self.sure.discard(node.id)
        else:
            self.store(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if chain := dotted(node):
            self.found.chains.add(chain)
        self._part(node, node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if is_call_of(node.value, {"globals", "locals", "vars"}) and isinstance(node.slice, ast.Constant):
            self._global_by_name(node)
            return
        self._part(node, node.value)
        self.visit(node.slice)

    def _global_by_name(self, node: ast.Subscript) -> None:
        """`globals()["x"]` is the name itself."""
        name = str(node.slice.value)  # type: ignore[attr-defined]
        if isinstance(node.ctx, ast.Load):
            self.load(name)
        else:
            self.store(name, sure=isinstance(node.ctx, ast.Store))

    def _part(self, node: ast.Attribute | ast.Subscript, owner: ast.expr) -> None:
        if isinstance(node.ctx, ast.Load):
            self.visit(owner)
            return
        if not is_call_of(owner, {"globals", "locals", "vars"}):
            self._change(owner)

    def _change(self, owner: ast.expr) -> None:
        """A part of what this expression gives is assigned: any name in it may be changed."""
        names = {each.id for each in ast.walk(owner) if isinstance(each, ast.Name)}
        self.found.hard |= {name for name in names if not any(name in scope for scope in self._local)}
        self._calls += 1
        self.visit(owner)
        self._calls -= 1

    # statements

    def visit_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if isinstance(node.value, ast.Lambda) and isinstance(target, ast.Name) and len(node.targets) == 1:
            needed = free_names(node.value)
            self.store(target.id)
            self._defer(target.id, needed)
            return
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self._calls += 1
            self.load(node.target.id)
            self._calls -= 1
        self.visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.store(node.target.id, sure=not self._local)

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        before = set(self.sure)
        self.block(node.body)
        after, self.sure = self.sure, before
        self.block(node.orelse)
        self.sure &= after

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        for branch in (node.body, node.orelse):
            with self._maybe():
                self.visit(branch)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])
        with self._maybe():
            for value in node.values[1:]:
                self.visit(value)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self._iterated(node.iter)
        if runs_at_least_once(node.iter):
            self.visit(node.target)
            self.block(node.body)
        else:
            with self._maybe():
                self.visit(node.target)
                self.block(node.body)
        with self._maybe():
            self.block(node.orelse)

    visit_AsyncFor = visit_For  # noqa: N815

    def _iterated(self, node: ast.expr) -> None:
        self._calls += 1
        self.visit(node)
        self._calls -= 1

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        with self._maybe():
            self.block([*node.body, *node.orelse])

    def visit_Try(self, node: Any) -> None:
        if node.handlers:
            with self._maybe():
                self.block([*node.body, *node.orelse])
            for handler in node.handlers:
                with self._maybe():
                    self._handler(handler)
        else:
            self.block([*node.body, *node.orelse])
        self.block(node.finalbody)

    visit_TryStar = visit_Try  # noqa: N815

    def _handler(self, handler: ast.ExceptHandler) -> None:
        if handler.type is not None:
            self.visit(handler.type)
        if handler.name:
            self.store(handler.name)
        self.block(handler.body)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        steady = True
        for item in node.items:
            self._iterated(item.context_expr)
            called = item.context_expr.func if isinstance(item.context_expr, ast.Call) else item.context_expr
            steady &= (dotted(called) or "").rpartition(".")[2] in STEADY_CONTEXTS
            if item.optional_vars is not None:
                self.visit(item.optional_vars)
        if steady:
            self.block(node.body)
        else:
            with self._maybe():
                self.block(node.body)

    visit_AsyncWith = visit_With  # noqa: N815

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        for case in node.cases:
            with self._maybe():
                self.visit(case.pattern)
                if case.guard is not None:
                    self.visit(case.guard)
                self.block(case.body)

    def _capture(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:
        self.generic_visit(node)
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name:
            self.store(name, sure=False)

    visit_MatchAs = visit_MatchStar = visit_MatchMapping = _capture  # noqa: N815

    # imports

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.found.imports.add(alias.name)
            if "." in alias.name:
                self.found.submodules.add(alias.name)
            self.store(alias.asname or alias.name.partition(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        self.found.imports.add(module)
        for alias in node.names:
            self.found.imports.add(f"{module}.{alias.name}")
            if alias.name != "*":
                self.store(alias.asname or alias.name)
            elif module == "__main__":
                self.found.may_touch_all = self.found.reads_all = True
        if module == "__main__":
            self.found.reads |= {alias.name for alias in node.names}

    # definitions

    def visit_FunctionDef(self, node: FUNCTIONS) -> None:
        for outer in [*node.decorator_list, *outside_of_body(node.args)]:
            self.visit(outer)
        if node.returns is not None:
            self.visit(node.returns)
        needed = free_names(node)
        if node.decorator_list:
            self._loads(needed)
        self.store(node.name)
        self._defer(node.name, needed)
        self.found.seeders[node.name] = leading_calls(node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def _defer(self, name: str, needed: set[str]) -> None:
        """Calling it may read these, and all that functions of this cell read which it calls."""
        deep = set(needed)
        for each in needed:
            deep |= self._deferred.get(each, set())
        if not self._local:
            self._deferred[name] = deep
            for other, names in self._deferred.items():
                if name in names:
                    names |= deep - {other}

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for outer in outside_of_body(node.args):
            self.visit(outer)
        self._loads(free_names(node))

    def _loads(self, names: set[str]) -> None:
        self._calls += 1
        for name in names:
            self.load(name)
        self._calls -= 1

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for outer in [*node.decorator_list, *node.bases, *(each.value for each in node.keywords)]:
            self._iterated(outer)
        needed = free_names(node)
        inner = _Reader()
        inner.block(node.body)
        self.found.strings += inner.found.strings
        self._loads(inner.found.reads)  # its body runs now
        if node.decorator_list or node.bases:
            self._loads(needed)
        self.store(node.name)
        self._defer(node.name, needed)

    # expressions

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        self._iterated(node.generators[0].iter)
        self._local.append(set())
        for index, generator in enumerate(node.generators):
            if index:
                self._iterated(generator.iter)
            targets = {each.id for each in ast.walk(generator.target) if isinstance(each, ast.Name)}
            self._local[-1] |= targets
            for test in generator.ifs:
                self.visit(test)
        for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            self.visit(part)
        self._local.pop()

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension  # noqa: N815

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and node.value:
            if len(node.value) < 1024 and len(self.found.strings) < 100:
                self.found.strings.append(node.value)
            self.found.hinted |= set(_AT_NAME.findall(node.value))

    def visit_Call(self, node: ast.Call) -> None:
        if self._magic(node):
            return
        self.found.calls = True
        name = dotted(node.func) or ""
        harmless = name in HARMLESS_CALLS and name not in self.sure
        self._special(name, node)
        self._calls += not harmless
        self.generic_visit(node)
        self._calls -= not harmless

    def _special(self, name: str, node: ast.Call) -> None:
        found, last = self.found, name.rpartition(".")[2]
        texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
        if name in ("setattr", "delattr") and node.args:
            self._change(node.args[0])
        elif name in ("exec", "eval", "compile"):
            self._executed(node)
        elif name in ("globals", "locals", "vars", "dir", "__import__") and not node.args:
            found.may_touch_all = found.reads_all = True
        elif last in ("input", "getpass"):
            found.outside.append(f"asks for {last}()")
        if last in EVALUATING or (isinstance(node.func, ast.Attribute) and node.func.attr in EVALUATING):
            found.hinted |= {word for text in texts for word in _WORD.findall(str(text))}

    def _executed(self, node: ast.Call) -> None:
        self.found.may_touch_all = True
        match node.args:
            case [ast.Constant(value=str() as text), *_]:
                self.inline(text)
            case [ast.Name(id=name), *_]:
                self.found.executed.add(name)
            case _:
                self.found.reads_all = True

    def inline(self, text: str) -> bool:
        """Read a text as if it stood here, in a place that may not be reached."""
        try:
            tree = ast.parse(text.strip("\n") + "\n")
        except (SyntaxError, ValueError):
            return False
        with self._maybe():
            self.block(tree.body)
        return True

    # magics

    def _magic(self, node: ast.Call) -> bool:
        call = magics.call_of(node)
        if call is None:
            return False
        body = magics.python_in(call)
        if body is not None and call.is_steady:
            try:
                self.block(ast.parse(body).body)
            except (SyntaxError, ValueError):
                self.found.may_touch_all = self.found.reads_all = True
        elif body is not None:
            self.inline(body)
        for name in magics.stored_by(call):
            self.store(name)
        self._magic_effects(call)
        return True

    def _magic_effects(self, call: magics.Call) -> None:
        found = self.found
        words = magics.names_in(call)
        found.hinted |= words
        found.touched |= words
        found.strings += magics.texts_in(call)
        found.may_touch_all |= magics.touches_all(call)
        found.reads_all |= magics.reads_all(call)
        if call.name in ("load_ext", "reload_ext") and not call.line.strip().startswith("nbreg"):
            found.loads_magics = True
        if not call.is_known:
            found.magics.add(call.name)
        if outside := magics.outside(call):
            found.outside.append(outside)


def _bare_calls(body: list[ast.stmt], found: Analysis) -> None:
    found.leading = leading_calls(body)
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                name = dotted(node.value.func)
                if name:
                    found.bare_calls.append((name, statement is body[-1] and node is statement))
                    if only_shows(name, node.value):
                        found.display_only.add(name)
