"""About how many bytes an object's weights take, found out without pickling it or running its code.

What is counted is there; what is hidden in C objects that nothing is known of is not. So it is
a lower bound, in a millisecond for most models, and whoever pickles counts again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final, NamedTuple

from nbreg.families.careful import device

MOST_NODES: Final = 20_000
_LONGEST: Final = 10_000
"""Elements of a container that are looked at one by one."""
_TREE_OF_BOOSTER: Final = 6_000
_NOT_FOLLOWED: Final = (type, FunctionType, ModuleType, CodeType)


class Weight(NamedTuple):
    """Bytes at least, and the accelerator that holds some of them."""

    size: int
    device: str


def weigh(value: object) -> Weight:
    """The weight of an object; never raises an `Exception`."""
    seen: set[int] = set()
    waiting: list[Any] = [value]
    size, where = 0, ""
    while waiting and len(seen) < MOST_NODES:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        try:
            seen_of_it = _look(each)
        except Exception:  # noqa: S112 - what answers in an unforeseen way weighs nothing
            continue
        size += max(seen_of_it.size, 64)
        where = where or seen_of_it.device
        waiting.extend(seen_of_it.parts)
    return Weight(size, where)


class _Seen(NamedTuple):
    size: int = 0
    device: str = ""
    parts: Sequence[Any] = ()


def _look(value: Any) -> _Seen:
    """The bytes of an object alone, and what it holds; no code of its class runs."""
    kind = type(value)
    if kind in (str, bytes, bytearray):
        return _Seen(len(value))
    if value is None or kind in (int, float, bool, complex) or issubclass(kind, _NOT_FOLLOWED):
        return _Seen()
    if _is_a(value, "numpy", "ndarray"):
        return _Seen(int(value.nbytes))
    if kind.__module__ in ("torch", "torch.nn.parameter") and _is_a(value, "torch", "Tensor"):
        return _Seen(int(value.numel() * value.element_size()), device(value))
    known = _KNOWN.get(f"{kind.__module__}.{kind.__qualname__}")
    if known is not None:
        return _Seen(int(known(value)))
    if issubclass(kind, dict):
        return _several(list(dict.values(value)) if dict.__len__(value) <= _LONGEST else dict.__len__(value))
    if kind in (list, tuple, set, frozenset):
        return _several(list(value) if len(value) <= _LONGEST else len(value))
    own = object.__getattribute__(value, "__dict__")
    return _several(list(own.values()))


def _several(parts: list[Any] | int) -> _Seen:
    """Parts to look at; of very many, about what so many numbers take in a pickle."""
    return _Seen(size=parts * 9) if isinstance(parts, int) else _Seen(parts=parts)


def _is_a(value: object, module: str, name: str) -> bool:
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and issubclass(type(value), kind)


_KNOWN: Final[dict[str, Any]] = {
    "sklearn.tree._tree.Tree": lambda tree: tree.node_count * (64 + 8 * tree.max_n_classes * tree.n_outputs),
    "xgboost.core.Booster": lambda booster: booster.num_boosted_rounds() * _TREE_OF_BOOSTER,
    "lightgbm.basic.Booster": lambda booster: booster.num_trees() * _TREE_OF_BOOSTER,
    "pandas.DataFrame": lambda frame: frame.memory_usage(deep=False).sum(),
    "pandas.Series": lambda series: series.memory_usage(deep=False),
    "pandas.core.frame.DataFrame": lambda frame: frame.memory_usage(deep=False).sum(),
    "pandas.core.series.Series": lambda series: series.memory_usage(deep=False),
}
"""What hides its numbers from Python, or copies them where it is asked for them."""
