"""What a cell may have done to libraries: settings, registries, patches; and which modules it reaches."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Final

from nbreg.capture.recipe import ambient
from nbreg.capture.recipe.analysis import Analysis
from nbreg.capture.recipe.known import SHOW_ONLY, STATEFUL
from nbreg.capture.recipe.libraries import is_library

INTERPRETER: Final = "<interpreter>"

_SETTINGS: Final = frozenset(
    ["sys.setrecursionlimit", "sys.set_int_max_str_digits", "locale.setlocale", "socket.setdefaulttimeout"]
)


def on_libraries(
    cell: Analysis, values: Mapping[str, object], displayed: bool, explained: bool
) -> dict[str, str]:
    """The libraries whose own state the cell may have changed, and by what."""
    found: dict[str, str] = {}
    for name in cell.hard:
        root = _library_of(values.get(name))
        if root == "builtins" or name == "__builtins__":
            found[INTERPRETER] = "changes Python's built-in names"
        elif root and root not in SHOW_ONLY and not _display_option(name, cell):
            found[root] = f"sets a part of `{name}`"
    for chain, last in cell.bare_calls:
        if chain in _SETTINGS:
            found[INTERPRETER] = f"calls `{chain}`"
            continue
        silent = not (last and displayed) and not explained
        root = _library_of(values.get(chain.partition(".")[0]))
        seeds = ambient.seeded_by(chain, values)
        if silent and root and _may_keep_state(root) and not seeds and chain not in cell.display_only:
            found.setdefault(root, f"calls `{chain}`, which gives nothing back")
    return found


def _may_keep_state(root: str) -> bool:
    return root not in SHOW_ONLY and (root in STATEFUL or root not in sys.stdlib_module_names)


def _display_option(name: str, cell: Analysis) -> bool:
    """`pd.options.display.…` is about how things look."""
    options = [chain for chain in cell.chains if chain.startswith(f"{name}.options.")]
    return bool(options) and all(chain.startswith(f"{name}.options.display") for chain in options)


def _library_of(value: object) -> str:
    """The top-level package of a library's module, function or class; empty for everything else."""
    if type(value) is ModuleType:
        module: object = value.__name__
    elif (
        issubclass(type(value), type)
        or callable(getattr(type(value), "__get__", None))
        or type(value).__name__ == "builtin_function_or_method"
    ):
        module = getattr(value, "__module__", None)
    else:
        return ""
    return str(module).partition(".")[0] if is_library(module) else ""


def modules_reached(chains: Iterable[str], values: Mapping[str, object]) -> set[str]:
    """Submodules that are reached as attributes: `scipy.stats` by `import scipy` alone."""
    found = set()
    for chain in chains:
        root, *rest = chain.split(".")
        value = values.get(root)
        if type(value) is not ModuleType:
            continue
        name = value.__name__
        for part in rest:
            name = f"{name}.{part}"
            if name not in sys.modules:
                break
            found.add(name)
    return found
