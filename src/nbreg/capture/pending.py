"""A capture under way: what runs beside is begun, and the parts are taken when they are wanted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from nbreg.capture.cells import capture_recipe, recipe_summary
from nbreg.capture.knowing import redactor_of
from nbreg.capture.parts import Capture, Part
from nbreg.capture.project.git import GitStatus
from nbreg.capture.project.git import begin as begin_git
from nbreg.capture.project.notebook import capture_notebook
from nbreg.capture.project.source import capture_source, source_summary
from nbreg.capture.secrets import Redactor
from nbreg.capture.surroundings.environment import capture_environment, environment_summary
from nbreg.capture.variables import capture_variables, variables_summary
from nbreg.records import Context
from nbreg.settings import Settings

T = TypeVar("T")

PARTS: Final = ("environment", "variables", "recipe", "source")

NO_TIME: Final = "the next cell began at once"
"""Why a brief capture has no variables and no source."""


_loaded: tuple[int, tuple[str, object], tuple[str, ...]] | None = None


def loaded_names() -> tuple[str, ...]:
    """The names of `sys.modules`, once for all parts: there are thousands, and touching each takes its time.

    It is the very same tuple until something is imported. What is imported comes last, so how many
    there are and the last one tell; a module that is imported anew is another one.
    """
    global _loaded
    modules = sys.modules
    try:
        now = len(modules), next(reversed(modules.items()))
    except RuntimeError:  # another thread imports right now
        return tuple(modules)
    known = _loaded
    if known is None or known[0] != now[0] or known[1][0] != now[1][0] or known[1][1] is not now[1][1]:
        known = _loaded = *now, tuple(modules)
    return known[2]


class Pending:
    """A capture under way; `finish` takes what is there at that moment."""

    def __init__(
        self,
        context: Context,
        settings: Settings,
        *,
        registry: Path | None,
        brief: bool = False,
        redactor: Redactor | None = None,
    ) -> None:
        self._context = context
        self._redactor = redactor
        self._settings = settings
        self._brief = brief
        self._git: GitStatus | str = "switched off"
        if settings.capture and not brief:
            self._git = _tried(lambda: begin_git(context.folder, registry))

    def finish(self, *models: object) -> Capture:
        """The parts as they are now; the recipe is that of these objects, where cells were watched.

        Raises no `Exception`; an interrupt of the user passes through.
        """
        if not self._settings.capture:
            return Capture(dict.fromkeys(PARTS, "switched off"), {})
        prepared = _tried(self._prepare)
        if isinstance(prepared, str):
            return Capture(dict.fromkeys(PARTS, prepared), {})
        namespace, redactor = prepared
        names = loaded_names()
        parts: dict[str, Part | str] = {
            "environment": _tried(lambda: self._environment(redactor, names)),
            "recipe": _tried(lambda: self._recipe(redactor, models)),
        }
        if self._brief:
            parts |= dict.fromkeys(("variables", "source"), NO_TIME)
        else:
            parts["variables"] = _tried(lambda: self._variables(namespace, redactor))
            parts["source"] = _tried(lambda: self._source(redactor, names))
            if self._context.kind == "notebook":
                parts["notebook"] = _tried(lambda: capture_notebook(self._context, redactor))
        return Capture(parts, dict(sorted(redactor.counts.items())))

    def _prepare(self) -> tuple[Mapping[str, object], Redactor]:
        # One copy for all parts: other threads go on to change the namespace itself.
        namespace = dict(self._context.namespace)
        known = self._redactor
        return namespace, known.again() if known else redactor_of(self._context, namespace)

    def _environment(self, redactor: Redactor, names: tuple[str, ...]) -> Part:
        record = capture_environment(redactor, names)
        return Part(record, environment_summary(record))

    def _variables(self, namespace: Mapping[str, object], redactor: Redactor) -> Part:
        record = capture_variables(namespace, redactor, self._settings)
        return Part(record, variables_summary(record))

    def _recipe(self, redactor: Redactor, models: tuple[object, ...]) -> Part:
        record = capture_recipe(self._context, redactor, models)
        return Part(record, recipe_summary(record))

    def _source(self, redactor: Redactor, names: tuple[str, ...]) -> Part:
        if isinstance(self._git, str):
            raise CaptureFailed(self._git)
        record = capture_source(self._context, self._git, redactor, names)
        return Part(record, source_summary(record))


class CaptureFailed(Exception):  # noqa: N818 - it says what happened, and never leaves this module
    """A part could not be taken, and why is already known."""


def _tried(take: Callable[[], T]) -> T | str:
    """What was taken, or the class of what went wrong: its text may hold the user's values."""
    try:
        return take()
    except CaptureFailed as failed:
        return str(failed)
    except Exception as error:
        return type(error).__name__


def begin(
    context: Context,
    settings: Settings,
    *,
    registry: Path | None = None,
    brief: bool = False,
    redactor: Redactor | None = None,
) -> Pending:
    """Start a capture: git begins to look at the project, leaving out the registry's own folder.

    A `brief` one takes no more than environment and recipe: a few milliseconds while a cell waits.
    `redactor` knows what is secret here, if somebody has found out already.
    """
    return Pending(context, settings, registry=registry, brief=brief, redactor=redactor)
