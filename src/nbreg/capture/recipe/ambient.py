"""State of the process that a value may silently depend on, as names of the same graph.

Random states, the environment, the working folder, the module search path, and what libraries
let themselves be extended with. Taking it costs some tens of microseconds.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Mapping
from types import BuiltinFunctionType, BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from nbreg.capture.recipe.digests import digest, digest_array

PYTHON_RANDOM: Final = "<random state of Python>"
NUMPY_RANDOM: Final = "<random state of numpy>"
TORCH_RANDOM: Final = "<random state of torch>"
RANDOM: Final = frozenset([PYTHON_RANDOM, NUMPY_RANDOM, TORCH_RANDOM])

ENVIRONMENT: Final = "<environment>"
FOLDER: Final = "<working folder>"
PATH: Final = "<module search path>"
ALWAYS: Final = {ENVIRONMENT: "sets environment variables", FOLDER: "changes the working folder",
                 PATH: "changes where modules are found"}  # fmt: skip
"""What any later cell may depend on without saying so."""

_LONGEST_FOLDER: Final = 4096

_SEEDS: Final = {
    "numpy.random.seed": NUMPY_RANDOM,
    "numpy.random.set_state": NUMPY_RANDOM,
    "random.seed": PYTHON_RANDOM,
    "random.setstate": PYTHON_RANDOM,
    "torch.manual_seed": TORCH_RANDOM,
    "torch.random.manual_seed": TORCH_RANDOM,
    "torch.set_rng_state": TORCH_RANDOM,
}


def snapshot() -> dict[str, object]:
    """The state now, by name; only texts, numbers and digests."""
    found: dict[str, object] = {PYTHON_RANDOM: hash(random.getstate())}
    numpy = _tried(_numpy_random)
    if numpy is not None:
        found[NUMPY_RANDOM] = numpy
    torch = _tried(_torch_random)
    if torch is not None:
        found[TORCH_RANDOM] = torch
    found[ENVIRONMENT] = _environment()
    found[FOLDER] = _tried(_folder)
    found[PATH] = tuple(each for each in sys.path if isinstance(each, str))
    found["<library pandas>"] = _tried(_accessors)
    return found


def _folder() -> str:
    """The working folder, asked for without letting go of the interpreter.

    `os.getcwd` lets another thread have it, and a kernel's always wants it when a cell begins and ends:
    getting it back takes longer than all else here.
    """
    import ctypes

    getcwd = getattr(ctypes.pythonapi, "getcwd", None) if os.name == "posix" else None
    place = ctypes.create_string_buffer(_LONGEST_FOLDER)
    if getcwd is not None and getcwd(place, len(place)):
        return os.fsdecode(place.value)
    return os.getcwd()  # noqa: PTH109 - it tells why there is none, too


def _tried(take: Any) -> Any:
    try:
        return take()
    except Exception:
        return None


def _environment() -> int:
    """Of all variables but KMP_…, which numerical libraries set when they are imported."""
    # As the process has them: decoding each by `os.environ` costs ten times as much, twice a cell.
    raw = getattr(os.environ, "_data", None)
    items: Any = raw.items() if type(raw) is dict else os.environ.items()
    return hash(frozenset(each for each in items if each[0][:4] not in (b"KMP_", "KMP_")))


_numpy_last: tuple[object, bytes, object] | None = None


def _numpy_random() -> object:
    """Asking numpy takes 100 µs, twice a cell: not where its generator's memory is as it was.

    A normal number that was drawn and is not yet given out stands elsewhere, so with one, numpy is asked.
    """
    global _numpy_last
    module = sys.modules.get("numpy.random.mtrand")
    state = module._rand if module is not None else None
    if state is None:
        return None
    raw = _memory_of(state._bit_generator)
    last = _numpy_last
    if last is not None and raw and last[0] == id(state) and last[1] == raw:
        return last[2]
    told = state.get_state(legacy=False)
    inner = told["state"]
    parts = [digest_array(each) if hasattr(each, "dtype") else repr(each).encode() for each in inner.values()]
    found = digest("numpy", *parts, repr((told.get("has_gauss"), told.get("gauss"))).encode())
    _numpy_last = None if told.get("has_gauss") else (id(state), raw, found)
    return found


def _memory_of(bits: Any) -> bytes:
    """The Mersenne twister's 624 numbers and its position; empty for any other generator."""
    if type(bits).__name__ != "MT19937":
        return b""
    import ctypes

    return ctypes.string_at(bits.ctypes.state_address, 624 * 4 + 4)


def _torch_random() -> object:
    torch = sys.modules.get("torch")
    return None if torch is None else hash(torch.get_rng_state().numpy().tobytes())


def _accessors() -> object:
    """What has been hung on pandas' frames: importing a module may do that."""
    pandas = sys.modules.get("pandas")
    frame, series = getattr(pandas, "DataFrame", None), getattr(pandas, "Series", None)
    if frame is None or series is None:
        return None
    return hash((frozenset(frame._accessors), frozenset(series._accessors)))


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    """What is not as it was; a library that was loaded meanwhile brings its own state and changes none."""
    return {
        name
        for name, state in after.items()
        if before.get(name, state) != state and not (before.get(name) is None and name != FOLDER)
    }


def seeded_by(chain: str, namespace: Mapping[str, object]) -> set[str]:
    """The random states that a call of this dotted name sets anew."""
    root, _, rest = chain.partition(".")
    value = namespace.get(root)
    if type(value) is ModuleType:
        found = _SEEDS.get(f"{value.__name__}.{rest}")
        return {found} if found else set()
    if rest or type(value) not in (BuiltinFunctionType, BuiltinMethodType, FunctionType, MethodType):
        return set()
    return _seeded_by_function(value)


def _seeded_by_function(function: Any) -> set[str]:
    """`from numpy.random import seed` and the like."""
    if function.__name__ not in ("seed", "set_state", "setstate", "manual_seed"):
        return set()
    owner = type(getattr(function, "__self__", None)).__name__
    if owner == "RandomState":
        return {NUMPY_RANDOM}
    if owner == "Random":
        return {PYTHON_RANDOM}
    return {TORCH_RANDOM} if function.__module__ == "torch.random" else set()
