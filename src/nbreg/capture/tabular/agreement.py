"""Whether two outputs on the same rows say the same: to the bit, within rounding, or not.

Outputs are compared as they are frozen (`probe.frozen`), so that what a process found last
year and what one finds today are alike whatever library holds them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec

RELATIVE: Final = 1e-9
ABSOLUTE: Final = 1e-12
"""Up to which difference two numbers are the same within rounding: other threads add in another order."""


class Agreement(NamedTuple):
    """How two outputs compare, row by row."""

    verdict: Literal["equal", "equivalent", "different"]
    rows: int
    changed: int
    """Rows that differ by more than rounding."""
    max_delta: float | None
    """The largest difference of two numbers; None where none can be taken."""


def agree(expected: Sequence[bytes], found: Sequence[bytes]) -> Agreement:
    """Compare two frozen outputs."""
    first, second = _columns(expected), _columns(found)
    rows = len(first[0]) if first else 0
    if list(expected) == list(found):
        return Agreement("equal", rows, 0, 0.0 if first else None)
    if [len(each) for each in first] != [len(each) for each in second]:
        return Agreement("different", rows, rows, None)
    differences = [_compared(a, b) for a, b in zip(first, second, strict=True)]
    deltas = [delta for delta, _ in differences if delta is not None]
    changed = {row for _, rows_of_one in differences for row in rows_of_one}
    delta = max(deltas) if deltas else None
    verdict: Literal["equal", "equivalent", "different"] = "different" if changed else "equivalent"
    if not changed and not delta:
        verdict = "equal"  # another type of the same numbers, or of the same text
    return Agreement(verdict, rows, len(changed), delta)


def _columns(parts: Sequence[bytes]) -> list[list[Any]]:
    """The cells, column by column; an array's trailing dimensions are its columns."""
    document = msgspec.json.decode(parts[0])
    if "columns" in document:
        return [[_cell(each) for each in column["values"]] for column in document["columns"]]
    import numpy as np

    array = np.frombuffer(parts[1], dtype=np.dtype(document["dtype"])).reshape(document["shape"])
    flat = array.reshape(len(array), math.prod(array.shape[1:]))
    return [flat[:, at].tolist() for at in range(flat.shape[1])]


def _cell(cell: Any) -> Any:
    if isinstance(cell, dict):
        return float(cell["float"]) if "float" in cell else cell["text"]
    return cell


def _compared(first: list[Any], second: list[Any]) -> tuple[float | None, list[int]]:
    """The largest difference of the numbers, and the rows that differ by more than rounding."""
    largest, changed = None, []
    for row, (a, b) in enumerate(zip(first, second, strict=True)):
        if _are_numbers(a, b):
            delta = abs(a - b)
            if delta == delta and delta != float("inf"):
                largest = delta if largest is None else max(largest, delta)
            if not _is_close(a, b, delta):
                changed.append(row)
        elif a != b:
            changed.append(row)
    return largest, changed


def _are_numbers(a: Any, b: Any) -> bool:
    kinds = (int, float, complex)
    return isinstance(a, kinds) and isinstance(b, kinds) and type(a) is not bool and type(b) is not bool


def _is_close(a: Any, b: Any, delta: float) -> bool:
    same = a == b or (a != a and b != b)  # NaN on both sides is the same answer
    is_finite = delta - delta == 0
    return bool(same or (is_finite and delta <= ABSOLUTE + RELATIVE * max(abs(a), abs(b))))
