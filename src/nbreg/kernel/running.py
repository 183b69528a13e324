"""A notebook's parameters, which are its run's.

Papermill writes what it is given into a cell of its own; in a kernel that cell is told by its
comment alone, since nbclient sends neither its tags nor its id. JupyterLab sends the tags.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from nbreg.kernel.hooks import quietly

if TYPE_CHECKING:
    from nbreg.kernel.session import Session

_TAGS: Final = frozenset(("parameters", "injected-parameters"))
_COMMENTS: Final = ("# parameters",)


class Running:
    """Follows the cells of a kernel for the sake of its run."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._before = ""

    def start(self) -> None:
        """Take over what ran before, and follow from now on."""
        self._take_history()
        self._session.shell.events.register("post_run_cell", self._post)

    def stop(self) -> None:
        """Follow no more; stopping twice is harmless."""
        events = self._session.shell.events
        if self._post in events.callbacks.get("post_run_cell", ()):
            events.unregister("post_run_cell", self._post)

    @quietly
    def _take_history(self) -> None:
        for each in self._session.context.executions:
            self._look(each.source, ())

    @quietly
    def _post(self, result: Any) -> None:
        info = result.info
        source = info.raw_cell if isinstance(info.raw_cell, str) else ""
        meta = getattr(info, "cell_meta", None)
        tags = meta.get("tags") if isinstance(meta, Mapping) else None
        if result.success:
            self._look(source, tags if isinstance(tags, list | tuple) else ())

    def _look(self, source: str, tags: Iterable[object]) -> None:
        """If the cell gives parameters, they are the run's."""
        before, self._before = self._before, source
        tagged = any(tag in _TAGS for tag in tags if isinstance(tag, str))
        if not tagged and not source.lstrip().casefold().startswith(_COMMENTS):
            return
        names = assigned(source, literals=not tagged)
        if names:
            defaults = assigned(before, literals=True)
            # The cell that papermill's stands below has the parameters that it leaves as they are.
            names = [*names, *(defaults if set(defaults) & set(names) else ())]
            namespace = self._session.namespace
            self._session.take_params({name: namespace[name] for name in names if name in namespace})


def assigned(source: str, *, literals: bool) -> list[str]:
    """The names that a cell sets; with `literals` none, unless setting names to literals is all it does."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    names: list[str] = []
    for node in tree.body:
        targets = _targets(node)
        value = getattr(node, "value", None)
        if literals and not (targets and _is_literal(value)) and not _is_text(node):
            return []
        names += targets
    return list(dict.fromkeys(name for name in names if not name.startswith("_")))


def _targets(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Assign):
        return [each.id for each in node.targets if isinstance(each, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_literal(value: ast.expr | None) -> bool:
    """A literal, or `float('nan')` as papermill writes what has none."""
    if value is None:
        return True
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return isinstance(value, ast.Call) and ast.unparse(value.func) == "float"
    return True
