"""In which order the kept cells were run, and what became of them since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

from nbreg.capture.recipe.slicing import Ran, Slice


def state_of(
    history: Sequence[Ran], found: Slice, *, deleted: Collection[str] = (), document: Sequence[str] = ()
) -> dict[str, Any]:
    """The state of the notebook as far as the kept executions are concerned, with the cells named.

    Where a cell stands is told by the document (ids, from the top) if somebody knows it, else by
    when it was first run. Without ids, cells are told apart by their text.
    """
    state: dict[str, Any] = {"order": _order(history, found, document)}
    first: dict[str, int] = {}
    for at, ran in enumerate(history):
        first.setdefault(_key(ran), at)
    again = [history[at].label for at in found.kept if first[_key(history[at])] < at]
    listed = {
        "run again": again,
        "edited": _edited(history, found),
        "deleted": [history[at].label for at in found.kept if history[at].execution.cell_id in deleted],
        "undefined": found.undefined,
        "unseeded": [each.strip("<>") for each in found.unseeded],
    }
    return state | {key: names for key, names in listed.items() if names}


def _key(ran: Ran) -> str:
    return ran.execution.cell_id or ran.execution.source


def _order(history: Sequence[Ran], found: Slice, document: Sequence[str]) -> str:
    """Whether running the notebook from its top would run the kept cells in the order they were run."""
    places: dict[str, int] = {key: at for at, key in enumerate(document)}
    for ran in history:
        places.setdefault(_key(ran), len(places))
    kept = [places[_key(history[at])] for at in found.kept]
    if any(after < before for before, after in pairwise(kept)):
        return "out of order"
    return "re-run" if len(set(kept)) < len(kept) else "linear"


def _edited(history: Sequence[Ran], found: Slice) -> list[str]:
    """The kept cells that were run later with another text."""
    labels, later = [], dict[str, set[str]]()
    for at in range(len(history) - 1, -1, -1):
        this = history[at].execution
        if this.cell_id:
            texts = later.setdefault(this.cell_id, set())
            if at in found.kept and not texts <= {this.source}:
                labels.append(history[at].label)
            texts.add(this.source)
    return labels[::-1]
