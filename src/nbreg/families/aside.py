"""Values that a family takes out of the pickle around them, whichever pickler writes it."""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from threading import RLock
from typing import Any

Reduce = Callable[[Any], Any]
"""Tells the pickler what to write for a value; None leaves it as it is."""

_reduce: ContextVar[Reduce | None] = ContextVar("nbreg_reduce", default=None)
_by_type = RLock()


@contextmanager
def taken_out(kinds: tuple[type, ...], reduce: Reduce) -> Iterator[None]:
    """Inside, pickles of these exact types are what `reduce` tells; in other threads as ever."""
    token = _reduce.set(reduce)
    try:
        with _by_type:
            before = {kind: copyreg.dispatch_table.get(kind) for kind in kinds}
            try:
                for kind in kinds:
                    copyreg.pickle(kind, partial(_told, before[kind]))
                yield
            finally:
                _put_back(before)
    finally:
        _reduce.reset(token)


def _put_back(before: dict[type, Any]) -> None:
    for kind, reducer in before.items():
        copyreg.dispatch_table.pop(kind, None)
        if reducer is not None:
            copyreg.pickle(kind, reducer)


def _told(before: Reduce | None, value: Any) -> Any:
    reduce = _reduce.get()
    told = reduce(value) if reduce is not None else None
    if told is not None:
        return told
    return value.__reduce_ex__(4) if before is None else before(value)
