"""Where a registration happens: a plain script knows its own; a kernel installs one that sees cells."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, NamedTuple

from nbreg.capture import texts
from nbreg.records import Context, Execution, Recipe, RunLink, RunState, SeenData, new_run_id, timestamp

STARTED: Final = datetime.now(UTC)
"""When this process first thought of nbreg: what `{date}` and `{time}` mean in a script."""

SCRIPT_BYTES: Final = 1024 * 1024


class ScriptContext:
    """A plain script, a job or a bare interpreter: `__main__`'s names, its file, its arguments.

    Nothing was executed that nbreg could have seen, so `executions` is empty and the script's
    text stands in for them.
    """

    kind: Literal["notebook", "script"] = "script"

    def __init__(self) -> None:
        self.moment = STARTED
        self._run: RunLink | None = None
        self._process = 0
        self.argv = tuple(arg for arg in getattr(sys, "argv", ()) if type(arg) is str)

    @property
    def namespace(self) -> Mapping[str, object]:
        """The names of `__main__`, without those that Python gives every module; none of `nbreg …` itself."""
        main = sys.modules.get("__main__")
        names = dict(vars(main)) if main and not _is_command(main) else {}
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
        return os.path.dirname(self.script) if self.script else os.getcwd()  # noqa: PTH109, PTH120

    @property
    def notebook(self) -> str:
        """Empty: a script has no notebook."""
        return ""

    @cached_property
    def script(self) -> str:
        """The absolute path of the file that runs; empty in a bare interpreter and in `nbreg …` itself."""
        main = sys.modules.get("__main__")
        path = getattr(main, "__file__", None)
        if type(path) is not str or _is_our_own(main, path):
            return ""
        return str(Path(path).absolute())

    @property
    def run(self) -> RunLink | None:
        """The run of this process; a fork of it has one of its own."""
        if self._run is None or self._process != os.getpid():
            parent = self._run.id if self._run else ""
            self._process = os.getpid()
            self._run = RunLink(
                id=new_run_id(), kind="script", started_at=timestamp(datetime.now(UTC)), parent=parent
            )
        return self._run

    @property
    def run_params(self) -> Mapping[str, object]:
        """None: a script's arguments stand in its source."""
        return {}

    def start_run(self, run: RunLink) -> None:
        """The process's run from here on; the one before is the caller's to end."""
        self._process, self._run = os.getpid(), run

    def outcome(self) -> tuple[RunState, str]:
        """Failed, where an exception ended the script."""
        kind = getattr(sys, "last_type", None)
        return ("failed", kind.__name__) if isinstance(kind, type) else ("finished", "")


def script_text(path: str) -> str:
    """The script as it is in its file, or a comment in its place."""
    try:
        found = texts.read(path, SCRIPT_BYTES)
    except OSError:
        return ""
    if found.size > SCRIPT_BYTES:
        return f"# not captured: the script is larger than {SCRIPT_BYTES // 1024} KiB\n"
    return found.text


def _is_command(main: object) -> bool:
    path = getattr(main, "__file__", None)
    return type(path) is str and _is_our_own(main, path)


def _is_our_own(main: object, path: str) -> bool:
    """Whether `nbreg …` runs: what it registers was made where it was typed, and not by nbreg."""
    module = getattr(getattr(main, "__spec__", None), "name", None)
    own = type(module) is str and module.partition(".")[0] == "nbreg"
    return own or os.path.basename(path) == "nbreg"  # noqa: PTH119 - three times in each registration


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


# the run in progress

_in_block: ContextVar[tuple[RunLink, ...]] = ContextVar("nbreg_run", default=())
_started: dict[int, list[RunLink]] = {}
"""By thread, since the cells of a notebook share no ContextVar: what one cell starts, a later one ends."""


def started_run() -> RunLink | None:
    """The run that was started and has not ended: in this block, by this thread, or by the main one."""
    if inside := _in_block.get():
        return inside[-1]
    for thread in (threading.get_ident(), threading.main_thread().ident or 0):
        if found := _started.get(thread):
            return found[-1]
    return None


def current_run() -> RunLink | None:
    """The run in progress: the one that was started, else that of the notebook or script itself."""
    return started_run() or current_context().run


class Scope(NamedTuple):
    """What names mean in a step or pipeline: one moment for all of it, and what fills the templates."""

    moment: datetime
    substitutions: Mapping[str, str]


_scope: ContextVar[Scope | None] = ContextVar("nbreg_scope", default=None)


@contextmanager
def in_scope(scope: Scope) -> Iterator[None]:
    """In this block names are filled in so."""
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


def naming_scope() -> Scope:
    """What fills the templates of names here: of a step, else of the run, else of the script or cell."""
    if scope := _scope.get():
        return scope
    if run := started_run():
        return Scope(datetime.fromisoformat(run.started_at), {})
    return Scope(current_context().moment, {})


def set_started(run: RunLink) -> None:
    """From now on this is the run of this thread, until `set_ended`."""
    _started.setdefault(threading.get_ident(), []).append(run)


def set_ended(run: RunLink) -> None:
    """The run is over, wherever it was started."""
    for thread, runs in list(_started.items()):
        if run in runs:
            runs.remove(run)
        if not runs:
            _started.pop(thread, None)


@contextmanager
def in_run(run: RunLink) -> Iterator[None]:
    """In this block, in this thread and the tasks that it starts, this is the run."""
    set_ended(run)
    token = _in_block.set((*_in_block.get(), run))
    try:
        yield
    finally:
        _in_block.reset(token)
