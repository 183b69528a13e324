"""What pandas objects hold and numpy arrays share, read without asking the objects to compute.

Reading `frame.values` or an index's properties would fill caches and consolidate blocks, which
is a change nobody asked for; so the blocks are read as they lie.
"""

from __future__ import annotations

from typing import Any, NamedTuple

_CACHES = frozenset(
    ["_cache", "_engine", "_references", "_item_cache", "_is_copy", "_reset_identity", "_id", "_freq"]
)
_MANY_COLUMNS = 512


class Parts(NamedTuple):
    """The values that an object consists of, and the ids of what in it can change."""

    values: list[Any]
    reach: set[int]


def root_of(array: Any) -> int:
    """The id of what owns an array's memory."""
    base = array
    while (below := getattr(base, "base", None)) is not None:
        base = below
    if isinstance(base, memoryview):
        base = base.obj
    return id(base)


def parts(value: Any) -> Parts | None:
    """The parts of a frame, series or index; None for anything else of pandas."""
    held = getattr(value, "__dict__", None)
    manager = held.get("_mgr") if type(held) is dict else None
    if manager is not None:
        return _of_manager(value, manager)
    if "Index" in type(value).__name__ and type(held) is dict:
        values = [part for key, each in sorted(held.items()) if key not in _CACHES for part in (key, each)]
        return Parts(values, {id(value)})
    return None


def _of_manager(value: Any, manager: Any) -> Parts:
    values: list[Any] = [type(value).__name__, tuple((value.__dict__.get("_attrs") or {}).items())]
    values.append(value.__dict__.get("_name"))
    reach = {id(value), id(manager)}
    values += list(manager.axes)
    if len(manager.axes) == 1:
        return Parts([*values, manager.blocks[0].values], reach)
    columns: dict[int, Any] = {}
    for block in manager.blocks:
        reach.add(id(block))
        _add_columns(block, columns, values)
    values += [columns[at] for at in sorted(columns)]
    return Parts(values, reach)


def _add_columns(block: Any, columns: dict[int, Any], values: list[Any]) -> None:
    """Column by column, so that it does not matter how pandas has put them together."""
    held = block.values
    places = [int(at) for at in block.mgr_locs.as_array]
    if getattr(held, "ndim", 1) == 1 or len(places) > _MANY_COLUMNS:
        columns[places[0] if places else -1] = held
        if len(places) > 1:
            values.append(tuple(places))
        return
    for index, at in enumerate(places):
        columns[at] = held[index]
