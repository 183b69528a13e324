"""One run of a pipeline, or of a step alone: what it trained, and the versions made of it at the end."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

from nbreg.capture.context import Scope, in_scope
from nbreg.errors import BadInputError, FailedToRegisterError, NameTakenError, NbregError
from nbreg.families import snapshot
from nbreg.families.describing import describe
from nbreg.registry import ModelVersion, Registry, Run
from nbreg.runs.handles import Model, active, moment_of, of_run

_current: ContextVar[Training | None] = ContextVar("nbreg_training", default=None)


def current_training() -> Training | None:
    """The pipeline that runs, or the step that runs alone."""
    return _current.get()


class Given(Protocol):
    """The options of a step or pipeline."""

    @property
    def model(self) -> Model | None: ...
    @property
    def substitutions(self) -> Mapping[str, str]: ...


class Made(NamedTuple):
    """A model that a step trained."""

    target: Model
    step: str
    value: object


class Training:
    """A run under way."""

    def __init__(self, run: Run, options: Given | None) -> None:
        self.run = run
        self._options = options
        self._made: list[Made] = []
        self._bound: dict[tuple[str, str | None], Model] = {}
        self._returned: object = None

    @classmethod
    @contextmanager
    def begun(cls, name: str, model: Model | None, options: Given | None = None) -> Iterator[Training]:
        """A run of that name; at its end, unless something was raised, what it trained is registered."""
        registry = model.registry if model is not None else Registry()
        with registry.start_run(experiment=name, kind="pipeline") as run:
            training = cls(run, options)
            tokens = _current.set(training), of_run.set(registry)
            try:
                yield training
            finally:
                _current.reset(tokens[0])
                of_run.reset(tokens[1])
            training.register()

    def log_arguments(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        """The plain ones among the arguments are the run's params."""
        try:
            bound = inspect.signature(function).bind(*args, **kwargs)
        except (TypeError, ValueError):
            return  # the call itself says what is wrong
        bound.apply_defaults()
        plain = (str, int, float, bool, type(None))
        given = {name: value for name, value in bound.arguments.items() if type(value) in plain}
        if given:
            self.run.log_params(given)

    # running

    def whole(
        self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        """Call the pipeline's own function."""
        # Only a step may know what fills the name: it is resolved when something needs it.
        scope = Scope(moment_of(self.run), dict(self._options.substitutions) if self._options else {})
        with in_scope(scope):
            result = function(*args, **kwargs)
        self._returned = result
        known = {id(each.value) for each in self._made}
        new = [each for each in models_in(result) if id(each) not in known]
        if new and (target := self._target(None)):
            self._made += [Made(target, name, each) for each in new]
        return result

    def step(
        self,
        name: str,
        function: Callable[..., Any],
        options: Given,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """Call a step; what cannot be registered later is refused before."""
        target = self._target(options)
        token = active.set(target)
        try:
            given = [each for each in (*args, *kwargs.values()) if describe.is_model(each)]
            before = [_looks(each) for each in given] if target is not None else []
            with in_scope(self._scope(options, target)):
                result = function(*args, **kwargs)
        finally:
            active.reset(token)
        if target is not None:
            fitted = [each for each, was in zip(given, before, strict=True) if _looks(each) != was]
            self._made += [Made(target, name, each) for each in models_in(result) or fitted]
        return result

    def _scope(self, options: Given | None, target: Model | None = None) -> Scope:
        own = dict(target.substitutions) if target is not None else {}
        wide = self._options.substitutions if self._options else {}
        narrow = options.substitutions if options else {}
        return Scope(moment_of(self.run), {**own, **wide, **narrow})

    def _target(self, options: Given | None) -> Model | None:
        """The model that a step is for, its own before the pipeline's; the same one for all that name it."""
        model = (options.model if options else None) or (self._options.model if self._options else None)
        if model is None:
            return None
        if model.registry.location != self.run.registry.location:
            raise BadInputError(
                f"{model!r} is in another registry than the run", hint="one registry for all of a pipeline"
            )
        scope = self._scope(options)
        # By its name, which the steps' substitutions may make another one.
        named = model.scoped(scope)
        key = named.name, named.wanted
        if key not in self._bound:
            self._bound[key] = model.bound(self.run, scope)
        return self._bound[key]

    # the end

    def register(self) -> None:
        """Make a version of what was trained for each model; what cannot become one stays with the run.

        Promotions come after: one that a gate refuses keeps no other model from being registered.
        """
        versions: list[tuple[Model, ModelVersion]] = []
        for target in self._bound.values():
            mine = [each for each in self._made if each.target is target]
            version = self._register(target, mine) if mine else None
            versions += [(target, version)] if version is not None else []
        for target, version in versions:
            for wish in target.promotions:
                version.promote(wish["to"] or None, reason=wish["reason"], message=wish["message"])

    def _register(self, target: Model, mine: list[Made]) -> ModelVersion | None:
        try:
            chosen = self._chosen(target, mine)
            others = {each.step: each.value for each in mine if not describe.predicts(each.value)}
            others = {
                name: value for name, value in others.items() if value is not chosen and name != "model"
            }
            if target.only_fetches:
                self._compare(target, chosen, others)
                return None
            return self.run.register(target.name, chosen, artifacts=others or None, version=target.wanted)
        except NameTakenError as error:
            raise self._failed(mine, error) from error
        except NbregError as error:
            self._keep(mine, error)
            raise

    def _compare(self, target: Model, chosen: object, others: dict[str, object]) -> None:
        """A stage, number or alias makes no version: only to train the same again is fine."""
        there = target.get()
        record = self.run.record
        finite = {name: value for name, value in record.metrics.items() if not isinstance(value, str)}
        options = {"params": record.params or None, "metrics": finite or None, "artifacts": others or None}
        for given in (options, {}):
            if self.run.registry.preview(there.model, chosen, **given).content_digest == there.content_digest:
                return
        raise NameTakenError(
            f"{target!r} means {there.ref}, and another model was trained",
            hint=f"Model({there.model!r}) makes a new version",
        )

    def _chosen(self, target: Model, mine: list[Made]) -> object:
        """The one object that is the model: what the pipeline returned, else the one that predicts."""
        objects = list({id(each.value): each.value for each in mine}.values())
        returned = models_in(self._returned)
        for found in (
            [each for each in objects if any(each is other for other in returned)],
            [each for each in objects if describe.predicts(each)],
            objects,
        ):
            if len(found) == 1:
                return found[0]
        steps = ", ".join(dict.fromkeys(each.step for each in mine))
        raise BadInputError(
            f"{len(objects)} models were trained for {target.name}, by {steps}",
            hint="return the one that is meant from the pipeline, or give the steps models of their own",
        )

    def _failed(self, mine: list[Made], error: NameTakenError) -> FailedToRegisterError:
        failed = FailedToRegisterError(f"failed to register: {error.message}", hint=error.hint)
        self._keep(mine, failed)
        return failed

    def _keep(self, mine: list[Made], error: NbregError) -> None:
        """What was trained stays in the run, from where it can be registered under another name."""
        names: list[str] = []
        for each in {id(one.value): one for one in mine}.values():
            name = "model" if not names else f"{each.step}-{len(names)}"
            try:
                self.run.log_model(each.value, name)
                names.append(name)
            except NbregError:
                continue  # it cannot be stored: the error that is raised says why
        if names:
            kept = f"what was trained is kept: register(MODEL, 'runs:/{self.run.id}/{names[0]}')"
            error.add_hint(kept)


def models_in(result: object) -> list[object]:
    """The models that a function returned, by themselves or in a tuple, list or dictionary."""
    if describe.is_model(result):
        return [result]
    if type(result) in (tuple, list):
        return [each for each in result if describe.is_model(each)]  # type: ignore[attr-defined]
    if type(result) is dict:
        return [each for each in result.values() if describe.is_model(each)]
    return []


def _looks(value: object) -> str:
    """A model by value, to see whether a step fitted it; empty for what has no value to walk."""
    try:
        return snapshot(value)
    except Exception:  # the object's own code
        return ""
