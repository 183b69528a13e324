"""`%register_model` and `%%register_model`: from a parsed line to a version."""

from __future__ import annotations

import argparse
import asyncio
import shlex
from functools import cached_property
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from nbreg.display import Note
from nbreg.errors import BadInputError, NbregError
from nbreg.kernel import arguments as given
from nbreg.kernel.objects import Candidate, ambiguous, candidates, last_trained, trained_by, variable

if TYPE_CHECKING:
    from nbreg.kernel.session import Session
    from nbreg.registry import ModelVersion


class Registering:
    """One registration, from its arguments; `words` are the line as it was written."""

    def __init__(self, session: Session, args: argparse.Namespace, words: list[str]) -> None:
        self._session = session
        self._args = args
        self._words = words
        if args.draft is not None:
            raise BadInputError("--draft is not in this release", hint="name the variable: MODEL VARIABLE")
        self._refuse_lone_variable()

    def now(self) -> ModelVersion:
        """Register what the line names, or the model trained last."""
        candidate = self._named() or self._last_trained()
        return self._register(candidate.value)

    def after_cell(self, body: str) -> ModelVersion:
        """Check all that can be known, run the cell, register what it trained.

        If the cell fails, IPython has shown why; then nothing is registered. If registering
        fails, the object stays in the namespace and the line that tries again is in the error.
        """
        self._check(body)
        self._run(body)
        name = self._args.variable or ""
        try:
            candidate = self._named() or self._trained_by(body)
            name = candidate.name
            return self._register(candidate.value)
        except NbregError as error:
            error.hint = "; ".join(part for part in (error.hint, f"then: {self._retry(name)}") if part)
            raise

    # before the cell

    def _check(self, body: str) -> None:
        """Whatever would be refused after hours of training is refused now."""
        given.metric_names(self._args.metrics)
        self._session.registry.check(self._args.model, **self._options)
        if not body.strip():
            raise BadInputError("there is no cell to run", hint="one % registers what is there already")
        shell = self._session.shell
        if shell.should_run_async(body, transformed_cell=shell.transform_cell(body)) and _loop_is_running():
            raise BadInputError(
                "a cell with `await` cannot be run by %%register_model",
                hint="run it by itself, then %register_model",
            )

    def _refuse_lone_variable(self) -> None:
        """`%register_model clf` more likely means the variable than a new model of that name."""
        name = self._args.model
        if self._args.variable is not None or name not in self._session.namespace:
            return
        if any(row.name == name for row in self._session.registry.models()):
            return
        raise BadInputError(
            f"{name!r} is a variable, and there is no model of that name",
            hint=f"the name comes first: %register_model MODEL {name}, or %register_model {name} {name}",
        )

    @cached_property
    def _options(self) -> dict[str, Any]:
        """What `register` and `check` both take."""
        args = self._args
        return {
            "version": args.version,
            "bump": None if args.bump == "auto" else args.bump,
            "stage": args.stage,
            "description": args.description,
            "tags": given.pieces(args.tags),
            "base": args.base,
            "substitutions": given.substitutions(self._words),
            "new": args.new,
            "force": args.force,
            "reason": args.reason,
            "message": args.message,
            "allow_secrets": args.allow_secrets,
        }

    # the cell

    def _run(self, body: str) -> None:
        result = self._session.shell.run_cell(body, store_history=False)
        if not result.success:
            error = result.error_before_exec or result.error_in_exec
            raise UsageError(f"the cell ended with {type(error).__name__}, so nothing was registered")

    def _retry(self, name: str) -> str:
        words = list(self._words)
        if self._args.variable is None and name:
            words.insert(words.index(self._args.model) + 1 if self._args.model in words else len(words), name)
        return f"%register_model {shlex.join(words)}"

    # what is registered

    def _named(self) -> Candidate | None:
        name = self._args.variable
        if name is None:
            return None
        if given.is_path(name):
            return Candidate(name, given.existing_file(name))
        return Candidate(name, self._variable(name))

    def _variable(self, name: str) -> object:
        return variable(name, self._session.namespace)

    def _last_trained(self) -> Candidate:
        context = self._session.context
        found = last_trained(context.executions, context.namespace, self._to_python)
        self._session.show(Note(f"registering {found.name}, the model trained last"))
        return found

    def _trained_by(self, body: str) -> Candidate:
        namespace = self._session.namespace
        found = trained_by(body, namespace, self._to_python)
        if len(found) == 1:
            return found[0]
        raise ambiguous(found or candidates(namespace), "the cell trained no model" if not found else "")

    def _to_python(self, source: str) -> str:
        transformed: str = self._session.shell.transform_cell(source)
        return transformed

    def _register(self, model: object) -> ModelVersion:
        args = self._args
        version = self._session.registry.register(
            args.model,
            model,
            metrics=given.metrics(args.metrics, self._variable),
            params=given.params(args.params, self._variable),
            artifacts=given.artifacts(args.artifacts, self._variable),
            data={name: self._variable(name) for name in given.pieces(args.data)},
            **self._options,
        )
        self._session.remember(version)
        return version


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
