"""Where a registration happens: a plain script knows its own; a kernel installs one that sees cells."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from nbreg.records import Context, Execution, Recipe, RunLink, SeenData

STARTED: Final = datetime.now(UTC)
"""When this process first thought of nbreg: what `{date}` and `{time}` mean in a script."""


class ScriptContext:
    """A plain script, a job or a bare interpreter: `__main__`'s names, its file, its arguments.

    Nothing was executed that nbreg could have seen, so `executions` is empty and the script's
    text stands in for them.
    """

    kind: Literal["notebook", "script"] = "script"

    def __init__(self) -> None:
        self.moment = STARTED
        self.argv = tuple(arg for arg in getattr(sys, "argv", ()) if type(arg) is str)

    @property
    def namespace(self) -> Mapping[str, object]:
        """The names of `__main__`, without those that Python gives every module."""
        main = sys.modules.get("__main__")
        names = dict(vars(main)) if main else {}
        return {name: value for name, value in names.items() if not name.startswith("__")}

    @property
    def executions(self) -> Iterable[Execution]:
        """None: a script has no cells."""
        return ()

    def recipe_for(self, *values: object) -> Recipe | None:
        """None: there are no cells to choose from."""
        return None

    def data_seen_by(self, model: object, *values: object) -> SeenData | None:
        """None: what a script reads is not watched."""
        return None

    @property
    def folder(self) -> str:
        """The script's folder, else the working directory."""
        return str(Path(self.script).parent) if self.script else os.getcwd()  # noqa: PTH109

    @property
    def notebook(self) -> str:
        """Empty: a script has no notebook."""
        return ""

    @cached_property
    def script(self) -> str:
        """The absolute path of the file that runs, or empty in a bare interpreter."""
        path = getattr(sys.modules.get("__main__"), "__file__", None)
        return str(Path(path).absolute()) if type(path) is str else ""

    @property
    def run(self) -> RunLink | None:
        """None: no run was started."""
        return None


_installed: Context | None = None
_script: ScriptContext | None = None
_override: ContextVar[Context | None] = ContextVar("nbreg_context", default=None)


def current_context() -> Context:
    """The context of this call: the one in `using_context`, else the installed one, else the script's."""
    global _script
    for found in (_override.get(), _installed):
        if found is not None:
            return found
    if _script is None:
        _script = ScriptContext()
    return _script


def install_context(context: Context) -> None:
    """Make a context that of the whole process, all threads included; the kernel's face does."""
    global _installed
    _installed = context


def uninstall_context() -> None:
    """Go back to the script's own context."""
    global _installed
    _installed = None


@contextmanager
def using_context(context: Context) -> Iterator[Context]:
    """Use a context in this block only, in this thread and the tasks that it starts."""
    token = _override.set(context)
    try:
        yield context
    finally:
        _override.reset(token)
