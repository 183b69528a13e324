"""A model that writes down what it decides, and is otherwise the model.

`isinstance` holds, attributes are the model's, and what is made of it (a copy, a pickle, a clone, a
version) is made of the model alone. Only `type(…)` tells. What the model asks itself on the way to an
answer, or for its own `score`, is no decision, and is not written down. It cannot be fitted: it would no
longer be the version that the ledger names.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, NoReturn

from nbreg.errors import BadInputError

Note = Callable[[object, str], Callable[[], None]]
"""Takes note of the rows before the model sees them; what it returns writes the answer down."""

ANSWERS: Final = ("predict", "predict_proba", "predict_log_proba", "decision_function", "__call__")
"""The methods whose answers are decisions."""

_FITTING: Final = ("fit", "partial_fit", "fit_predict", "fit_transform", "train_on_batch")
_CHAINED: Final = ("eval", "to", "cpu", "cuda", "float", "double", "half", "set_output")

_CONTAINER: Final = ("__call__", "__len__", "__getitem__", "__iter__", "__contains__", "__bool__")
_COMPARED: Final = ("__eq__", "__ne__", "__hash__", "__lt__", "__le__", "__gt__", "__ge__")
_OPERATORS: Final = (*_CONTAINER, *_COMPARED, "__int__", "__float__", "__index__", "__enter__", "__exit__")


class Stamped:
    """Stands before a model; see the module."""

    __slots__ = ("__weakref__", "_nbreg_model", "_nbreg_note")

    def __init__(self, model: object, note: Note) -> None:
        object.__setattr__(self, "_nbreg_model", model)
        object.__setattr__(self, "_nbreg_note", note)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._nbreg_model)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._nbreg_model, name)
        if name in ANSWERS and callable(value):
            return _noted(value, name, self._nbreg_note)
        if name in _FITTING:
            return _refused
        return _chained(self, value) if name in _CHAINED and callable(value) else value

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._nbreg_model, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._nbreg_model, name)

    def __dir__(self) -> list[str]:
        return dir(self._nbreg_model)

    def __repr__(self) -> str:
        return repr(self._nbreg_model)

    def __str__(self) -> str:
        return str(self._nbreg_model)

    def __copy__(self) -> object:
        from copy import copy

        return copy(self._nbreg_model)

    def __deepcopy__(self, memo: dict[int, Any]) -> object:
        from copy import deepcopy

        return deepcopy(self._nbreg_model, memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        try:
            return self._nbreg_model.__reduce_ex__(protocol)
        except TypeError:  # what pickles by its name, such as a function
            return _itself, (self._nbreg_model,)


def _itself(model: object) -> object:
    return model


def stamped(model: object, note: Note) -> Any:
    """The model behind a `Stamped` that has the operators which the model has."""
    kind = type(model)
    has = [
        name for name in _OPERATORS if getattr(kind, name, None) not in (None, getattr(object, name, None))
    ]
    own = {name: _forwarded(name) for name in has} | {"__slots__": ()}
    return type("Stamped", (Stamped,), own)(model, note)


def unstamped(value: Any) -> Any:
    """The model itself, of one that may be stamped."""
    return value._nbreg_model if issubclass(type(value), Stamped) else value


def _forwarded(name: str) -> Callable[..., Any]:
    def operator(self: Stamped, *arguments: Any, **options: Any) -> Any:
        use = getattr(type(self._nbreg_model), name)
        if name == "__call__":
            return _noted(self._nbreg_model, name, self._nbreg_note)(*arguments, **options)
        return use(self._nbreg_model, *map(unstamped, arguments), **options)

    return operator


def _refused(*arguments: Any, **options: Any) -> NoReturn:
    raise BadInputError(
        "this model writes down which version decides, and fitted again it would be another",
        hint="load it without a stamp, or clone it",
    )


def _chained(self: Stamped, method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that gives the model back, such as `model.eval()`: what comes back stamps as before."""

    @wraps(method, updated=())
    def same(*arguments: Any, **options: Any) -> Any:
        answer = method(*arguments, **options)
        return self if answer is self._nbreg_model else answer

    return same


def _noted(method: Callable[..., Any], name: str, note: Note) -> Callable[..., Any]:
    """A method whose answer is written down before it is given."""

    @wraps(method, updated=())
    def answered(*arguments: Any, **options: Any) -> Any:
        stamp = note(arguments[0] if arguments else next(iter(options.values()), None), name)
        answer = method(*arguments, **options)
        stamp()
        return answer

    return answered
