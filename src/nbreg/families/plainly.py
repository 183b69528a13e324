"""Any other object: classes of the user's, functions, plain values; nothing of theirs is called."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, Final

from nbreg.families.told import class_name

NAME: Final = "plain"

_PLAIN: Final = (bool, int, float, str, type(None))


def params(model: Any) -> dict[str, Any]:
    """The plain attributes of an object that can be fitted or predicts, by scikit-learn's custom.

    Names that end with `_` are what was learned, those that begin with it are the object's own business.
    """
    kind = type(model)
    if not any(hasattr(kind, use) for use in ("fit", "predict")):
        return {}
    own = object.__getattribute__(model, "__dict__")
    return {
        name: value
        for name, value in own.items()
        if type(name) is str and name.strip("_") == name and type(value) in _PLAIN
    }


def architecture(model: Any) -> dict[str, Any]:
    """The class; of a function its name and arguments."""
    if type(model) is FunctionType:
        code = model.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        return {"function": class_name(model), "arguments": list(names)}
    return {"class": class_name(model)}


def features(model: Any) -> list[str]:
    """None that are known."""
    return []


def width(model: Any) -> int | None:
    """Not known."""
    return None


def quick_predict(model: Any) -> Callable[[Any], Any] | None:
    """None: it is the user's code."""
    return None
