"""Families of other packages: a module like those here, by an entry point.

    [project.entry-points."nbreg.families"]
    mylib = "mylib.for_nbreg"

The entry point's name is the top-level module of the classes that the family stores, and its
module's `NAME`, which artifacts carry, is the same. Reading what is installed takes a while, so
it is done once, and only for an object whose class nobody here knows, or an artifact of a family
that is not here.
"""

from __future__ import annotations

import logging
import sys
from functools import cache
from types import ModuleType
from typing import Any, Final

log = logging.getLogger("nbreg")

GROUP: Final = "nbreg.families"
_KNOWN: Final = frozenset(
    (
        "__main__",
        "nbreg",
        "keras",
        "lightgbm",
        "numpy",
        "onnx",
        "pandas",
        "polars",
        "pyarrow",
        "scipy",
        "sklearn",
        "statsmodels",
        "tokenizers",
        "torch",
        "xgboost",
    )
)
_NEEDED: Final = ("NAME", "claims", "dump", "Opened", "plain_files")


def claiming(value: object) -> ModuleType | None:
    """The family of another package that stores this object."""
    for kind in type(value).__mro__:
        root = kind.__module__.partition(".")[0]
        if root in _KNOWN or root in sys.stdlib_module_names:
            continue
        family = named(root)
        if family is not None and family.claims(value):
            return family
    return None


def named(name: str) -> ModuleType | None:
    """The family of that name, if a package here has one; one that cannot be used is logged, and is none."""
    found = _found().get(name)
    if found is None:
        return None
    return _loaded(name, found)


@cache
def _found() -> dict[str, Any]:
    from importlib.metadata import entry_points

    return {each.name: each for each in entry_points(group=GROUP)}


@cache
def _loaded(name: str, entry: Any) -> ModuleType | None:
    try:
        family = entry.load()
        missing = [each for each in _NEEDED if not hasattr(family, each)]
    except Exception as error:
        log.warning("the family %r of %s cannot be imported: %s", name, entry.value, error)
        return None
    if missing or name != family.NAME:
        log.warning(
            "the family %r of %s is none: it lacks %s", name, entry.value, missing or f"NAME = {name!r}"
        )
        return None
    return family  # type: ignore[no-any-return]
