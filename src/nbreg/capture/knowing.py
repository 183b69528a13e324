"""What is known to be secret where a registration happens: a redactor for a context."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nbreg.capture.context import current_context, script_text
from nbreg.capture.secrets import Redactor
from nbreg.records import Context


def redactor_of(context: Context, namespace: Mapping[str, object] | None = None) -> Redactor:
    """One that knows the environment, the names, and what the executed code asked for.

    Where the context fails, it knows the environment alone: no part is lost over it.
    """
    try:
        names = dict(context.namespace) if namespace is None else namespace
        sources = _sources(context)
    except Exception:
        names, sources = {}, []
    return Redactor.of_process(names, sources)


def redactor_here() -> Redactor:
    """That of the context of this call."""
    return redactor_of(current_context())


def _sources(context: Context) -> Iterable[str]:
    sources = [each.source for each in context.executions]
    return sources or ([script_text(context.script)] if context.script else [])
