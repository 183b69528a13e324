"""`%register_model` and `%%register_model`: from a parsed line to a version."""

from __future__ import annotations

import argparse
import asyncio
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nbreg.display import Note
from nbreg.errors import BadInputError, NbregError
from nbreg.kernel import arguments as given
from nbreg.kernel.interrupting import Interrupted
from nbreg.kernel.objects import Candidate, ambiguous, candidates, last_trained, trained_by, variable
from nbreg.records import timestamp
from nbreg.registry.belonging.datasets import check_dataset_name

if TYPE_CHECKING:
    from nbreg.kernel.session import Session
    from nbreg.registry import ModelVersion
    from nbreg.registry.making.previewing import Preview


class Registering:
    """One registration, from its arguments; `words` are the line as it was written."""

    def __init__(self, session: Session, args: argparse.Namespace, words: list[str]) -> None:
        self._session = session
        self._args = args
        self._words = words
        self._refuse_lone_variable()

    def now(self) -> ModelVersion | Preview:
        """Register what the line names, or the model trained last."""
        if self._args.draft is not None:
            return self._register_draft(self._args.draft)
        candidate = self._named() or self._last_trained()
        if self._args.preview:
            return self._session.registry.preview(self._args.model, candidate.value, **self._given)
        return self._register(candidate.value)

    def after_cell(self, body: str) -> ModelVersion:
        """Check all that can be known, run the cell, register what it trained.

        If the cell fails, IPython has shown why; then nothing is registered. If the cell or
        registering fails, what was made stays in the namespace, and the line that registers it
        is in the error.
        """
        if self._args.preview:
            raise BadInputError("--preview runs no cell", hint="one % previews what is there already")
        if self._args.draft is not None:
            raise BadInputError("--draft registers what was trained before", hint="one %: %register_model")
        self._check(body)
        self._run(body)
        name = self._args.variable or ""
        try:
            candidate = self._named() or self._trained_by(body)
            name = candidate.name
            return self._register(candidate.value)
        except NbregError as error:
            if name:  # else the hint has the line already
                error.add_hint(f"then: {self._retry(name)}")
            raise

    # before the cell

    def _check(self, body: str) -> None:
        """Whatever would be refused after hours of training is refused now."""
        args = self._args
        given.artifact_sources(args.artifacts)
        data = given.data_variables(args.data)
        for name, _ in data:
            if name:
                check_dataset_name(name)
        for name in [*(each for _, each in data), *([args.variable] if args.variable else [])]:
            if not name.isidentifier() and not given.is_path(name):
                raise BadInputError(f"{name[:60]!r} cannot be a variable", hint="name what the cell sets")
        metrics = given.metrics(args.metrics, given.unset("--metrics"))
        params = given.params(args.params, given.unset("--params"))
        self._session.registry.check(args.model, metrics=metrics, params=params, **self._options)
        if not body.strip():
            raise BadInputError("there is no cell to run", hint="one % registers what is there already")
        if self._awaits(body) and _loop_is_running():
            raise BadInputError(
                "a cell with `await` cannot be run by %%register_model",
                hint="run it by itself, then %register_model",
            )

    def _awaits(self, body: str) -> bool:
        shell = self._session.shell
        try:
            return bool(shell.should_run_async(body, transformed_cell=shell.transform_cell(body)))
        except Exception:
            return False  # a transformer refuses the cell: running it shows why

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
            "new": args.new,
            "force": args.force,
            "reason": args.reason,
            "message": args.message,
            "allow_secrets": args.allow_secrets,
            "git_tag": args.git_tag,
            "allow_dirty": args.allow_dirty,
        }

    # the cell

    def _run(self, body: str) -> None:
        # Ids, not objects: the cell may count on being able to free what it replaces.
        before = {name: id(value) for name, value in self._session.namespace.items()}
        result = self._session.shell.run_cell(body, store_history=False)
        if result.success:
            return
        error = result.error_before_exec or result.error_in_exec
        made = [each for each in self._models_of(body) if before.get(each.name) != id(each.value)]
        hint = f"to register what it made: {self._retry(made[0].name)}" if len(made) == 1 else ""
        told = f"the cell ended with {type(error).__name__}, so nothing was registered"
        raise NbregError(told, hint=hint) from error  # how the run ends is the cell's own error

    def _models_of(self, body: str) -> list[Candidate]:
        return trained_by(body, self._session.namespace, self._to_python)

    def _retry(self, name: str) -> str:
        """The line as it was written, with the variable that it left open."""
        words = list(self._words)
        if self._args.variable is None and name:
            # After the model where that comes first; a flag's value may be the same word.
            words.insert(len(words) if words[0].startswith("-") else 1, name)
        return f"%register_model {shlex.join(words)}"

    # what is registered

    def _named(self) -> Candidate | None:
        name = self._args.variable
        if name is None:
            return None
        if given.is_path(name):
            return Candidate(name, given.existing_file(name))
        if name.startswith("runs:/"):
            return Candidate(name, name)  # what a run logged
        try:
            return Candidate(name, self._variable(name))
        except BadInputError as error:
            if self._args.message or self._args.description:
                error.hint = 'put texts in quotes: --message "first cut"'
            raise

    def _variable(self, name: str) -> object:
        return variable(name, self._session.namespace)

    def _last_trained(self) -> Candidate:
        context = self._session.context
        found = last_trained(context.executions, context.namespace, self._to_python, self._retry)
        self._session.show(Note(f"registering {found.name}, the model trained last"))
        return found

    def _trained_by(self, body: str) -> Candidate:
        found = self._models_of(body)
        if len(found) == 1:
            return found[0]
        everything = candidates(self._session.namespace)
        raise ambiguous(found or everything, self._retry, "the cell trained no model" if not found else "")

    def _to_python(self, source: str) -> str:
        transformed: str = self._session.shell.transform_cell(source)
        return transformed

    def _register(self, model: object) -> ModelVersion:
        began = timestamp(datetime.now(UTC))
        try:
            version = self._session.registry.register(self._args.model, model, **self._given)
        except KeyboardInterrupt:
            raise Interrupted(self._came_of_it(began)) from None
        self._session.drafter.is_known(model)
        self._session.remember(version)
        return version

    def _came_of_it(self, began: str) -> str:
        """Whether the interrupt came before the version was there, or a moment after."""
        registry = self._session.registry
        try:
            newest = registry.get(f"{self._args.model}@latest")
        except NbregError:
            return "nothing was registered"
        if newest.row.run == registry.current_run().id and newest.row.created >= began:
            return f"{newest.ref} (#{newest.number}) was registered before that"
        return "nothing was registered"

    @property
    def _given(self) -> dict[str, Any]:
        """What the line gives beside the model, variables as their values."""
        args = self._args
        return {
            "metrics": given.metrics(args.metrics, self._variable),
            "params": given.params(args.params, self._variable),
            "artifacts": given.artifacts(args.artifacts, self._variable) or None,
            "data": given.data(args.data, self._variable) or None,
            **self._options,
        }

    def _register_draft(self, number: int) -> ModelVersion:
        """Register a draft as it was; a variable's value is today's, so none is taken."""
        args = self._args
        for flag in ("variable", "data", "artifacts", "preview"):
            if getattr(args, flag):
                raise BadInputError("a draft is registered as it was kept", hint=f"--draft without {flag}")
        draft = self._session.registry.draft(number)
        version = self._session.registry.register(
            args.model,
            draft,
            metrics=given.metrics(args.metrics, _of_draft(draft.record.metrics)),
            params=given.params(args.params, _of_draft(draft.params)),
            **self._options,
        )
        self._session.remember(version)
        return version


def _of_draft(known: Mapping[str, object]) -> given.Lookup:
    """A lookup of what was recorded with a draft."""

    def lookup(name: str) -> object:
        if name not in known:
            raise BadInputError(
                f"the draft has no {name[:60]!r}, and the variable's value is of today",
                hint=f"{name[:60]}=0.9, or one of {', '.join(list(known)[:6]) or 'none'}",
            )
        return known[name]

    return lookup


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
