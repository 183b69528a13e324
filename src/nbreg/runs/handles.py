"""`Model`: a model and one of its versions by name, to make in a training run or to fetch anywhere.

Outside a run a handle only fetches. In one (`step`, `pipeline`, `start_run`) a name that is not
taken is the version that the run makes, and one that is taken is fetched and noted in the run.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from nbreg.capture.context import Scope, naming_scope, started_run
from nbreg.errors import (
    BadInputError,
    BadTemplateError,
    ExistingVersionWarning,
    NotRegisteredYetError,
    UnknownModelError,
    UnknownRunError,
    UnknownVersionError,
)
from nbreg.names import LATEST, fill_template, refuse_all_unused, template_values
from nbreg.registry import ModelVersion, Registry, Run
from nbreg.registry.ground.given import checked_substitutions

_PACKAGE: Final = str(Path(__file__).parent.parent) + os.sep
_told: set[tuple[str, str]] = set()
"""The versions that somebody was warned about in this process."""

active: ContextVar[Model | None] = ContextVar("nbreg_model", default=None)

of_run: ContextVar[Registry | None] = ContextVar("nbreg_registry", default=None)
"""The registry of the step or pipeline that runs."""


class Model:
    """A handle: it names a model and a version, both possibly templates (`{date}`, `{time}`, `{team}`).

    `version` is a name, a number, a stage, an alias or `latest`. Without it, it is a new version
    in a training run and the latest one outside. A stage, a number, an alias or `latest` never
    makes a version. What is made in a run is there when the run has ended: until then `number`
    and the rest raise `NotRegisteredYetError`.
    """

    def __init__(
        self,
        name: str,
        version: str | int | None = None,
        substitutions: Mapping[str, str] | None = None,
        registry: Registry | str | Path | None = None,
    ) -> None:
        if not isinstance(name, str):
            raise BadTemplateError(f"a model's name is text, not {type(name).__name__}", hint="'churn'")
        if isinstance(version, bool) or not isinstance(version, str | int | None):
            raise BadTemplateError(
                f"a version is text or a number, not {type(version).__name__}", hint="'1.0.5' or 'production'"
            )
        self._name = name
        self._wanted = None if version is None else str(version)
        self.substitutions = checked_substitutions(substitutions)
        self.registry = _opened(registry)
        self._scope: Scope | None = None
        self._run: Run | None = None
        self.promotions: list[dict[str, str]] = []
        if (link := started_run()) is not None:
            with suppress(UnknownRunError):  # of another registry: here it is only fetched
                self._bind(self.registry.run(link.id), naming_scope())

    def __repr__(self) -> str:
        return f"Model({self._name!r}, {self._wanted!r})" if self._wanted else f"Model({self._name!r})"

    @classmethod
    def active(cls) -> Model:
        """The model of the step or pipeline that runs. Raises `BadInputError` outside of one."""
        found = active.get()
        if found is None:
            raise BadInputError("no step or pipeline with a model runs here", hint="@nbreg.step(model=…)")
        return found

    # what it means

    @property
    def name(self) -> str:
        """The model's name, filled in. Raises `BadTemplateError`."""
        return fill_template(self._name, self._values())

    @property
    def wanted(self) -> str | None:
        """The version that was asked for, filled in; None where none was."""
        return None if self._wanted is None else fill_template(self._wanted, self._values())

    def _values(self) -> dict[str, object]:
        scope = self._scope or naming_scope()
        return {**template_values(scope.moment), **self.substitutions, **scope.substitutions}

    @property
    def only_fetches(self) -> bool:
        """Whether the version is one that can only be there: a stage, a number, an alias, `latest`."""
        wanted = self.wanted
        if wanted is None:
            return False
        if wanted in (LATEST, *self.registry.stages) or wanted.isdigit() or wanted.startswith("sha256:"):
            return True
        try:
            return wanted in self.registry.aliases(self.name)
        except UnknownModelError:
            return False

    def get(self) -> ModelVersion:
        """The version. Raises `UnknownVersionError`, or `NotRegisteredYetError` in the run that makes it."""
        if made := self._made():
            return made
        if self._run is None:
            return self.registry.get(f"{self.name}@{self.wanted or LATEST}")
        if self.wanted is not None and (there := self.existing()):
            return there
        raise NotRegisteredYetError(
            f"{self.name} {self.wanted or ''}".rstrip() + " is not registered yet",
            hint="it is when the run that makes it has ended",
        )

    def _made(self) -> ModelVersion | None:
        """The version that its run registered."""
        if self._run is None or self.only_fetches:
            return None
        mine = [each for each in self._run.versions if each.model == self.name]
        return self.registry.get(f"{mine[-1].model}@{mine[-1].number}") if mine else None

    def existing(self) -> ModelVersion | None:
        """The version of that name, if there is one now."""
        try:
            return self.registry.get(f"{self.name}@{self.wanted}")
        except (UnknownModelError, UnknownVersionError):
            return None

    # the version

    @property
    def number(self) -> int:
        """The version's place in the model's sequence."""
        return self.get().number

    @property
    def version(self) -> str | None:
        """The version's name; None where it has only a number."""
        return self.get().name

    @property
    def id(self) -> str:
        """The version's id."""
        return self.get().id

    @property
    def ref(self) -> str:
        """The shortest reference that means it."""
        return self.get().ref

    @property
    def stage(self) -> str:
        """Where the version is in its life."""
        return self.get().stage

    def load(self, artifact: str = "model", *, trust: bool | None = None, on_drift: str = "show") -> Any:
        """Load an artifact of the version; see `Registry.load`."""
        return self.get().load(artifact, trust=trust, on_drift=on_drift)

    def register(
        self, model: object = None, *, substitutions: Mapping[str, str] | None = None, **options: Any
    ) -> ModelVersion:
        """Register an object as this model's next version, or as the one that is named.

        `substitutions` are stronger than the handle's own. See `Registry.register`. Raises
        `BadInputError` for a handle that only fetches.
        """
        given = checked_substitutions(substitutions)
        refuse_all_unused(given, self._name, self._wanted)
        scope = self._scope or naming_scope()
        named = self.scoped(Scope(scope.moment, {**scope.substitutions, **given}))
        if named.only_fetches:
            raise BadInputError(
                f"{self!r} fetches a version, and makes none", hint="give a name, or no version"
            )
        return self.registry.register(named.name, model, **{"version": named.wanted} | options)

    def promote(self, to: str | None = None, *, reason: str = "", message: str = "") -> None:
        """Move the version to a higher stage; in the run that makes it, as soon as it is registered."""
        try:
            self.get().promote(to, reason=reason, message=message)
        except NotRegisteredYetError:
            self.promotions.append({"to": to or "", "reason": reason, "message": message})

    # in a run

    def scoped(self, scope: Scope) -> Model:
        """The same handle, whose names are filled in as in that scope."""
        copy = Model.__new__(Model)
        copy.__dict__.update(self.__dict__, _scope=scope)
        return copy

    def bound(self, run: Run, scope: Scope) -> Model:
        """A copy of it for one run."""
        copy = Model.__new__(Model)
        copy._name, copy._wanted = self._name, self._wanted
        copy.substitutions, copy.registry = self.substitutions, self.registry
        copy.promotions = []
        copy._bind(run, scope)
        return copy

    def _bind(self, run: Run, scope: Scope) -> None:
        """Find out now what could not be registered later; a version that is there is noted in the run."""
        self._run, self._scope = run, scope
        if self.only_fetches:
            self._note(self.registry.get(f"{self.name}@{self.wanted}"))
            return
        there = self.existing() if self.wanted is not None else None
        if there is None:
            self.registry.check(self.name, version=self.wanted)
            return
        self._note(there)
        known = (str(self.registry.location), there.ref)
        if known not in _told:
            _told.add(known)
            warnings.warn(
                f"{there.ref} is there already, so it is fetched and not made: "
                "say which is meant, by a new name or by a stage, a number or an alias",
                ExistingVersionWarning,
                stacklevel=_outside(),
            )

    def _note(self, version: ModelVersion) -> None:
        assert self._run is not None
        self._run.add_note(f"{version.ref} is active: {self.registry.pin(version)}")


def _opened(given: Registry | str | Path | None) -> Registry:
    """The registry; without one that of the step or pipeline that runs, else the default one."""
    if isinstance(given, Registry):
        return given
    return (of_run.get() if given is None else None) or Registry(given)


def _outside() -> int:
    """How far up the caller's own code is, for a warning to name its line."""
    level, frame = 1, sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back  # type: ignore[assignment]
    return level


def moment_of(run: Run) -> datetime:
    """What `{date}` and `{time}` mean in a run: when it began."""
    return datetime.fromisoformat(run.started_at)
