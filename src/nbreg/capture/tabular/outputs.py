"""Two predictions on the same rows: how many rows come out otherwise, by how much, and which."""

from __future__ import annotations

import sys
from typing import Any, Final, NamedTuple

from nbreg.capture.tabular.agreement import ABSOLUTE, RELATIVE
from nbreg.capture.tabular.signature import predict
from nbreg.families.describing import describe

MOST_ROWS: Final = 20
"""Rows that are named."""

_CLASSES: Final = "biuSUO"
_TOLD: Final = ("sklearn", "xgboost", "lightgbm", "statsmodels")
"""Families whose `predict` leaves the model as it is; what else runs is the user's own code."""


class Difference(NamedTuple):
    """How two predictions differ."""

    rows: int
    other: int
    """Rows that come out otherwise: another class, or another number."""
    classes: bool
    """Whether what comes out are classes."""
    most: float | None
    """The largest difference of two numbers."""
    which: list[int]
    """The first rows that differ, counted from 0."""
    examples: list[tuple[Any, Any]]
    """What came out for these rows, before and after."""


def of_live(model: object, rows: Any) -> Any:
    """What a live model says of the rows; None where it cannot, or where only the user's code would tell."""
    use = describe.quick_predict(model)
    if use is None and describe.ask(model).family in _TOLD:
        use = getattr(model, "predict", None)
    return predict(use, rows) if callable(use) else None


def chances_of_live(model: object, rows: Any) -> Any:
    """How sure a live classifier is of each class; None where only the user's code would tell."""
    use = describe.chances(model) if describe.ask(model).family in _TOLD else None
    return None if use is None else predict(use, rows)


def difference(before: Any, after: Any) -> Difference | None:
    """How the two differ, row by row; None where they cannot be compared."""
    if "numpy" not in sys.modules:
        return None
    one, other = _array(before), _array(after)
    if one is None or other is None or one.shape != other.shape or not one.ndim:
        return None
    import numpy as np

    classes = one.dtype.kind in _CLASSES or other.dtype.kind in _CLASSES
    unequal = one != other
    most = None
    if not classes:
        unequal &= ~(np.isnan(one) & np.isnan(other))
        with np.errstate(invalid="ignore"):
            gaps = np.abs(one - other)
            room = ABSOLUTE + RELATIVE * np.maximum(np.abs(one), np.abs(other))
        unequal &= ~(np.isfinite(gaps) & (gaps <= room))  # other threads add in another order
        finite = gaps[unequal & np.isfinite(gaps)]
        most = float(finite.max()) if finite.size else None
    by_row = unequal.reshape(len(one), -1).any(axis=1) if one.size else unequal.reshape(0)
    which = np.flatnonzero(by_row)[:MOST_ROWS].tolist()
    examples = [(_plain(one[row]), _plain(other[row])) for row in which]
    return Difference(len(one), int(by_row.sum()), classes, most, which, examples)


def _array(value: Any) -> Any:
    import numpy as np

    if isinstance(value, dict):  # columns that were thawed without pandas
        value = next(iter(value.values())) if len(value) == 1 else list(zip(*value.values(), strict=True))
    try:
        found = np.asarray(value)
    except Exception:
        return None
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    return found.astype("f8") if found.dtype.kind == "f" else found


def _plain(value: Any) -> Any:
    told = value.tolist() if hasattr(value, "tolist") else value
    return told if isinstance(told, bool | int | float | str | list) else str(told)
