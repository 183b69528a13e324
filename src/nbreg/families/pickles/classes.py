"""Whether a known class is still what it was when it was audited: no code of its own runs at loading.

The table names classes; the library that is installed here defines them, and may be another
release. So each class is asked again, when its name is about to be made: it is made by
`object.__new__`, and takes its attributes as a dictionary, or by a `__setstate__` that was read.
"""

from __future__ import annotations

import importlib
from abc import ABCMeta
from collections.abc import Iterable
from functools import cache
from typing import Any

import nbreg.families.pickles.known as known
from nbreg.families.pickles.standins import must

_OBJECTS = ("__new__", "__setattr__", "__getattribute__", "__delattr__")


def check_class(name: str, attributes: Iterable[str]) -> None:
    """Break off if making an object of this class, with these attributes, would run more than was audited.

    What cannot be imported here is left to the loading, which says what is missing.
    """
    kind = _resolved(name)
    if kind is None:
        return
    hook = surprise(kind)
    must(not hook, f"{name}, whose {hook} is not the one that was looked at")
    hidden = [each for each in attributes if _defines(kind, each)]
    must(not hidden, f"{name}, whose own {hidden[:1]} would be hidden")


@cache
def _resolved(name: str) -> Any:
    module, _, qualname = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), qualname)
    except (ImportError, AttributeError):
        return None


@cache
def surprise(kind: Any) -> str:
    """What of a class would run other code than `object`'s when it is loaded; empty where nothing would."""
    if type(kind) not in (type, ABCMeta):
        return "metaclass"
    for hook in _OBJECTS:
        found = getattr(kind, hook)
        if found is not getattr(object, hook) and hook_name(found) not in known.AUDITED:
            return hook
    if "__del__" in dir(kind) or not kind.__dictoffset__:
        return "__del__" if "__del__" in dir(kind) else "__slots__"
    setstate = getattr(kind, "__setstate__", None)
    if setstate is not None and hook_name(setstate) not in known.AUDITED:
        return "__setstate__"
    return ""


def hook_name(function: Any) -> str:
    """`module.qualname` of a method."""
    return f"{function.__module__}.{function.__qualname__}"


@cache
def _own_names(kind: Any) -> frozenset[str]:
    return frozenset(name for base in kind.__mro__ for name in vars(base))


def _defines(kind: Any, name: str) -> bool:
    return name in _own_names(kind) and (kind.__name__, name) not in known.SHADOWING
