"""The recipe: from what was executed to the few executions that a model depends on.

`Tracker` watches cells, `Ran` is one execution with its evidence, and `recipe_for` cuts the
slice. Nothing here knows a shell: whoever runs cells calls `before` and `after`.

    source → analysis (text) ─┐
    objects → values (digests) ├→ tracker → traces → slicing → badge → Recipe
    process → ambient, files  ─┘

    traces, text → uses → inferring, inputs → SeenData: data that the model saw, files that were read
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from nbreg.capture.recipe.badge import Document, state_of
from nbreg.capture.recipe.inferring import Inference
from nbreg.capture.recipe.inputs import files_of
from nbreg.capture.recipe.slicing import Ran, Slice, slice_for
from nbreg.capture.recipe.traces import Trace, from_text
from nbreg.capture.recipe.tracker import Pending, Tracker
from nbreg.records import Execution, Recipe, SeenData

__all__ = [
    "Document",
    "Pending",
    "Ran",
    "Slice",
    "Trace",
    "Tracker",
    "data_seen_by",
    "from_text",
    "recipe_for",
    "recipe_of",
    "slice_for",
    "sliced",
]


def recipe_for(
    values: Sequence[object],
    history: Sequence[Ran],
    tracker: Tracker,
    namespace: Mapping[str, object],
    *,
    running: bool = False,
    deleted: Collection[str] = (),
    document: Document | None = None,
) -> Recipe:
    """The recipe of these objects as they are now; `running` says that the last execution still runs."""
    found = sliced(values, history, tracker, namespace, running=running)
    return recipe_of(history, found, deleted=deleted, document=document)


def sliced(
    values: Sequence[object],
    history: Sequence[Ran],
    tracker: Tracker,
    namespace: Mapping[str, object],
    *,
    running: bool = False,
) -> Slice:
    """The executions that these objects depend on."""
    bound_at = {name: at for at, ran in enumerate(history) for name in ran.trace.writes}
    prefer = history[-1].trace.reads | set(history[-1].trace.writes) if history and running else set()
    need: set[str] = set()
    made_here = False
    held: dict[int, list[str]] = {}
    for value in values:
        names = held[id(value)] = tracker.names_of(value, namespace, prefer)
        # Of several names, the one that the running cell uses, else the one that was bound last.
        names.sort(key=lambda name: (name not in prefer, name.startswith("_"), -bound_at.get(name, -1)))
        need |= set(names[:1])
        made_here |= not names
    need |= tracker.needed_by(list(values), namespace)
    found = slice_for(history, need, keep_last=made_here and running)
    found.held = held
    if made_here and not running:
        found.status = "incomplete"
        found.reasons.insert(0, "no name holds the model")
    return found


def data_seen_by(
    model: object,
    history: Sequence[Ran],
    found: Slice,
    tracker: Tracker,
    namespace: Mapping[str, object],
    to_python: Callable[[str], str],
    *,
    running: bool = False,
) -> SeenData:
    """The data that the model saw, and the files that the executions it depends on read."""
    names = set(found.held.get(id(model), ()))
    seen = Inference(history, namespace, to_python, tracker.is_as_seen)
    sets = seen.sets(names) if names or running else []
    return SeenData(sets, list(files_of(history, sorted(found.kept), namespace, to_python)))


def recipe_of(
    history: Sequence[Ran], found: Slice, *, deleted: Collection[str] = (), document: Document | None = None
) -> Recipe:
    """A slice as a recipe."""
    return _recipe(history, found, state_of(history, found, deleted=deleted, document=document))


def _recipe(history: Sequence[Ran], found: Slice, state: dict[str, object]) -> Recipe:
    """As a record. Where the evidence has a gap that the history may fill, all of it is the recipe."""
    every = [ran.execution for ran in history]
    cells = [_kept(history[at], why) for at, why in found.kept.items()]
    if found.needs_all:
        cells = [_kept(ran, found.kept.get(at, "")) for at, ran in enumerate(history)]
    return Recipe(status=found.status, reasons=found.reasons, state=state, cells=cells, history=every)


def _kept(ran: Ran, why: str) -> Execution:
    return msgspec.structs.replace(ran.execution, why=why, tokens=ran.trace.tokens)
