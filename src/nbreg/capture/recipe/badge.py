"""In which order the kept cells were run, and what became of them since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from nbreg.capture.recipe.slicing import Ran, Slice


@dataclass(frozen=True, slots=True)
class Document:
    """The notebook's code cells as a front end has them, from the top: ids, and texts where they are told."""

    cells: dict[str, str | None] = field(default_factory=dict)
    is_whole: bool = False
    """Whether a cell that ran and is not in it is in no other document either."""


def state_of(
    history: Sequence[Ran], found: Slice, *, deleted: Collection[str] = (), document: Document | None = None
) -> dict[str, Any]:
    """The state of the notebook as far as the kept executions are concerned, with the cells named.

    Where a cell stands is told by the document if somebody knows it, else by when it was first
    run; so are edits that were not run yet. Without ids, cells are told apart by their text.
    """
    document = document or Document()
    state: dict[str, Any] = {"order": _order(history, found, document)}
    first: dict[str, int] = {}
    for at, ran in enumerate(history):
        first.setdefault(_key(ran), at)
    again = [history[at].label for at in found.kept if first[_key(history[at])] < at]
    listed = {
        "run again": again,
        "edited": _edited(history, found, document),
        "deleted": [history[at].label for at in found.kept if _is_gone(history[at], deleted, document)],
        "undefined": found.undefined,
        "unseeded": [each.strip("<>") for each in found.unseeded],
    }
    return state | {key: names for key, names in listed.items() if names}


def _is_gone(ran: Ran, deleted: Collection[str], document: Document) -> bool:
    cell = ran.execution.cell_id
    if cell in document.cells:
        return False  # cut, and pasted elsewhere
    return cell in deleted or bool(cell and document.is_whole)


def _key(ran: Ran) -> str:
    return ran.execution.cell_id or ran.execution.source


def _order(history: Sequence[Ran], found: Slice, document: Document) -> str:
    """Whether running the notebook from its top would run the kept cells in the order they were run."""
    places: dict[str, int] = {key: at for at, key in enumerate(document.cells)}
    if not places:
        for ran in history:
            places.setdefault(_key(ran), len(places))
    keys = [_key(history[at]) for at in found.kept]
    kept = [places[key] for key in keys if key in places]  # others stand nowhere
    if any(after < before for before, after in pairwise(kept)):
        return "out of order"
    return "re-run" if len(set(keys)) < len(keys) else "linear"


def _edited(history: Sequence[Ran], found: Slice, document: Document) -> list[str]:
    """The kept cells that were run later with another text, or have another one by now."""
    labels, later = [], dict[str, set[str]]()
    for at in range(len(history) - 1, -1, -1):
        this = history[at].execution
        if this.cell_id:
            told = document.cells.get(this.cell_id)
            texts = later.setdefault(this.cell_id, set() if told is None else {told})
            if at in found.kept and not texts <= {this.source}:
                labels.append(history[at].label)
            texts.add(this.source)
    return labels[::-1]
