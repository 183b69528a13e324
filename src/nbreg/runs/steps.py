"""`step` and `pipeline`: functions whose run makes a version of what they train, without being told.

There is no scheduler and no graph: a pipeline is a function that calls others, a run goes from its
call to its return, and what its steps trained is registered when it has returned.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial, update_wrapper
from typing import Any, Generic, NamedTuple, ParamSpec, Self, TypeVar, overload

from nbreg.errors import BadInputError
from nbreg.registry.ground.given import checked_substitutions
from nbreg.runs.handles import Model
from nbreg.runs.training import Training, current_training

P = ParamSpec("P")
R = TypeVar("R")


class Options(NamedTuple):
    """What the decorator or `with_options` was given."""

    model: Model | None = None
    substitutions: Mapping[str, str] = {}

    @classmethod
    def checked(cls, model: Model | str | None, substitutions: Mapping[str, str] | None) -> Options:
        """Raises `BadInputError`."""
        if isinstance(model, str):
            model = Model(model)
        if not isinstance(model, Model | None):
            raise BadInputError(
                f"a model is a Model or a name, not {type(model).__name__}", hint="nbreg.Model('churn')"
            )
        return cls(model, checked_substitutions(substitutions))

    def under(self, stronger: Options) -> Options:
        """Both, where the other one wins."""
        return Options(stronger.model or self.model, {**self.substitutions, **stronger.substitutions})


class Task(Generic[P, R]):
    """A function with options; see `Step` and `Pipeline`."""

    def __init__(self, function: Callable[P, R], options: Options) -> None:
        if not callable(function):
            raise BadInputError(
                f"a {type(function).__name__} is no function", hint="options are given by name: model=…"
            )
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise BadInputError(
                f"{getattr(function, '__name__', 'it')} is a coroutine or generator",
                hint="a run goes from the call of a plain function to its return",
            )
        update_wrapper(self, function)
        self.function = function
        self.options = options

    def with_options(
        self, *, model: Model | str | None = None, substitutions: Mapping[str, str] | None = None
    ) -> Self:
        """A copy with other options: they win over those of the decorator."""
        return type(self)(self.function, self.options.under(Options.checked(model, substitutions)))

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        # As a method: `self` is the first argument, as it is of any function.
        return self if instance is None else partial(self, instance)  # type: ignore[arg-type]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The function's name."""
        return str(getattr(self.function, "__name__", type(self.function).__name__))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class Step(Task[P, R]):
    """A function that trains or reads a model: alone a run of its own, in a pipeline a part of its run."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function; what it trains is registered when the run has ended."""
        training = current_training()
        if training is not None:
            inner: R = training.step(self.name, self.function, self.options, args, kwargs)
            return inner
        with Training.begun(self.name, self.options.model) as training:
            training.log_arguments(self.function, args, kwargs)
            result: R = training.step(self.name, self.function, self.options, args, kwargs)
        return result


class Pipeline(Task[P, R]):
    """A function that calls steps; one run, whose options hold for all of them."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function; what its steps train is registered when it has returned."""
        with Training.begun(self.name, self.options.model, self.options) as training:
            training.log_arguments(self.function, args, kwargs)
            result: R = training.whole(self.name, self.function, args, kwargs)
        return result


@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(
    *, model: Model | str | None = None, substitutions: Mapping[str, str] | None = None
) -> Callable[[Callable[P, R]], Step[P, R]]: ...
def step(
    function: Callable[..., Any] | None = None,
    /,
    *,
    model: Model | str | None = None,
    substitutions: Mapping[str, str] | None = None,
) -> Any:
    """Make a function a step: a model that it returns, or fits in place, becomes a version of `model`.

    Its options win over those of the pipeline that calls it. It is registered when the pipeline has
    returned, or the step itself where it is called alone; a run that fails registers nothing.
    """
    options = Options.checked(model, substitutions)
    return partial(Step, options=options) if function is None else Step(function, options)


@overload
def pipeline(function: Callable[P, R], /) -> Pipeline[P, R]: ...
@overload
def pipeline(
    *, model: Model | str | None = None, substitutions: Mapping[str, str] | None = None
) -> Callable[[Callable[P, R]], Pipeline[P, R]]: ...
def pipeline(
    function: Callable[..., Any] | None = None,
    /,
    *,
    model: Model | str | None = None,
    substitutions: Mapping[str, str] | None = None,
) -> Any:
    """Make a function a pipeline: one run, and `model` and `substitutions` hold for all its steps."""
    options = Options.checked(model, substitutions)
    return partial(Pipeline, options=options) if function is None else Pipeline(function, options)
