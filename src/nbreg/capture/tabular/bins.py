"""How the numbers of a column are spread: where each of a dozen bins begins, and how many it holds.

A bin is a tenth of the values; a column of few values has one for each. A bin begins between two
values that were there, so that neither rounding nor a narrower type moves one into another bin. Values are
told apart as floats, as those of live data are: beyond 2**53, neighbouring integers are one value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

BINS: Final = 10
FEW: Final = 20
"""Values that have a bin each."""


def of_ordered(ordered: Any, changed: Any) -> list[dict[str, Any]]:
    """The bins of each row of an array, which is in order and has no gap; `changed` says where it steps up.

    Where one value is more than a tenth, bins begin at the same place, and all but one are empty.
    """
    import numpy as np

    if ordered.dtype.itemsize >= 8 and ordered.dtype != float:
        ordered = ordered.astype(float)
        changed = ordered[:, 1:] != ordered[:, :-1]
    rows, length = ordered.shape
    runs = np.ones(ordered.shape, bool)  # where a run of equal values begins
    runs[:, 1:] = changed
    begins, flat = np.flatnonzero(runs), ordered.reshape(-1)
    firsts = np.arange(0, rows * length, length)
    tenths = firsts[:, None] + np.arange(BINS) * length // BINS
    starts = begins[np.searchsorted(begins, tenths, side="right") - 1]
    edges = _edges(flat, starts, firsts[:, None]).tolist()
    counts = np.diff(starts, append=firsts[:, None] + length).tolist()
    ends = np.searchsorted(begins, np.append(firsts, rows * length))
    for row in np.flatnonzero(np.diff(ends) <= FEW).tolist():
        own = begins[ends[row] : ends[row + 1]]
        edges[row] = _edges(flat, own, own[0]).tolist()
        counts[row] = np.diff(own, append=(row + 1) * length).tolist()
    return [{"edges": edge, "counts": count} for edge, count in zip(edges, counts, strict=True)]


def _edges(flat: Any, starts: Any, firsts: Any) -> Any:
    """The middle between the value at each start and the one before it; the first of a row has none."""
    import numpy as np

    first = flat[starts].astype(float)
    before = flat[np.maximum(starts - 1, firsts)].astype(float)
    middle = first / 2 + before / 2  # the sum of two large ones is infinite
    return np.where(middle > before, middle, first)  # between two floats that are neighbours there is none


def counted(edges: Sequence[float], numbers: Any) -> list[int]:
    """How many of these numbers fall into each bin; the first and the last one have no end."""
    import numpy as np

    places = np.searchsorted(np.array(edges[1:]), numbers, side="right")
    counts: list[int] = np.bincount(places, minlength=len(edges)).tolist()
    return counts
