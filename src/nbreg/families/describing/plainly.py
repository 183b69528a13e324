"""Any other object: classes of the user's, functions, plain values; nothing of theirs is called."""

from __future__ import annotations

import dis
from collections.abc import Callable
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any, Final

from nbreg.families.describing.told import class_name

NAME: Final = "plain"

_PLAIN: Final = (bool, int, float, str, type(None))


def params(model: Any) -> dict[str, Any]:
    """Of an object that can be fitted or predicts, the plain attributes that its constructor takes.

    Whatever else it keeps may be what it learned.
    """
    kind = type(model)
    if not any(hasattr(kind, use) for use in ("fit", "predict")):
        return {}
    own, taken = object.__getattribute__(model, "__dict__"), _taken(kind)
    return {
        name: value
        for name, value in own.items()
        if type(name) is str and name.strip("_") == name and name in taken and type(value) in _PLAIN
    }


def _taken(kind: type) -> tuple[str, ...]:
    """The names of the constructor's arguments; none where it is not written in Python."""
    code = getattr(getattr(kind, "__init__"), "__code__", None)  # noqa: B009 - mypy's word for an instance's
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if isinstance(code, CodeType) else ()


def architecture(model: Any) -> dict[str, Any]:
    """The class; of a function its name and arguments."""
    if type(model) is FunctionType:
        code = model.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        placed, defaults = code.co_varnames[: code.co_argcount], len(model.__defaults__ or ())
        optional = [*placed[len(placed) - defaults :], *(model.__kwdefaults__ or {})]
        return {"function": class_name(model), "arguments": list(names), "optional": optional}
    return {"class": class_name(model)}


def features(model: Any) -> list[str]:
    """None that are known."""
    return []


def width(model: Any) -> int | None:
    """Not known."""
    return None


def is_trained(model: Any) -> bool:
    """Whether something that its `fit` sets is set. Where `fit` sets nothing itself, it may well be."""
    own = object.__getattribute__(model, "__dict__")
    if any(type(name) is str and name.endswith("_") and not name.startswith("_") for name in own):
        return True
    fits = [_static(type(model), name) for name in ("fit", "partial_fit")]
    learned = {name for fit in fits if type(fit) is FunctionType for name in _attributes_set(fit.__code__)}
    return not learned or any(own.get(name) is not None for name in learned)


def _static(kind: type, name: str) -> object:
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


@lru_cache(maxsize=256)
def _attributes_set(code: CodeType) -> frozenset[str]:
    return frozenset(each.argval for each in dis.get_instructions(code) if each.opname == "STORE_ATTR")


def quick_predict(model: Any) -> Callable[[Any], Any] | None:
    """None: it is the user's code."""
    return None
