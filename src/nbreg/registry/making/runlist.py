"""The list of runs: chosen by a query, newest first or sorted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from nbreg.errors import BadInputError, NbregError, did_you_mean
from nbreg.query import parse_query
from nbreg.records import RunRecord
from nbreg.registry.ground.desk import Desk
from nbreg.registry.ground.given import checked_kind, is_count
from nbreg.registry.making.runrecords import STATES, record

SORTABLE: Final = ("started_at", "ended_at", "name", "experiment", "state")
_AS_THEY_ARE: Final = (
    "id", "name", "experiment", "kind", "parent", "state", "error", "started_at", "ended_at", "place",
    "commit", "python", "params", "counts", "notes",
)  # fmt: skip
_DERIVED: Final[dict[str, Callable[[RunRecord], object]]] = {
    "metrics": lambda run: {key: _number(value) for key, value in run.compared.items()},
    "actor": lambda run: run.actor.user,
    "artifacts": lambda run: [each.name for each in run.artifacts],
    "versions": lambda run: [f"{each.model}@{each.name or each.number}" for each in run.versions],
    "models": lambda run: sorted({each.model for each in run.versions}),
    "deleted": lambda run: run.deleted is not None,
}
FIELDS: Final = (*_AS_THEY_ARE, *_DERIVED)
"""What a query of runs may ask for."""


def _number(value: float | str) -> float:
    return float(value)  # `nan` is smaller or larger than nothing, as anywhere


def _read(run: RunRecord) -> Callable[[str], object]:
    return lambda name: _DERIVED[name](run) if name in _DERIVED else getattr(run, name) or None


def runs(
    desk: Desk,
    *,
    query: str | None,
    experiment: str | None,
    state: str | None,
    sort: str | None,
    limit: int | None,
    offset: int,
    deleted: bool,
) -> list[RunRecord]:
    """The runs, newest first or sorted; no more are read than are asked for."""
    if state is not None and state not in STATES:
        raise BadInputError(f"{state!r} is no state of a run", hint=f"one of {', '.join(STATES)}")
    if experiment is not None:
        checked_kind(experiment, str, "an experiment's name")
    if not is_count(offset) or not (limit is None or is_count(limit)):
        raise BadInputError("limit and offset are whole numbers from 0 on")
    understood = None if query is None else parse_query(query, FIELDS, what="runs")

    def chosen(found: RunRecord) -> bool:
        return (
            (deleted or found.deleted is None)
            and (experiment is None or found.experiment == experiment)
            and (state is None or found.state == state)
            and (understood is None or understood.matches(_read(found)))
        )

    found: list[RunRecord] = []
    enough = offset + limit if limit is not None and sort is None else None
    for run_id in desk.folder.runs.ids():
        if enough is not None and len(found) >= enough:
            break
        try:
            each = record(desk, run_id)
        except NbregError:
            continue  # `verify` tells of it
        if chosen(each):
            found.append(each)
    ordered = found if sort is None else _sorted(found, sort)
    return ordered[offset:] if limit is None else ordered[offset : offset + limit]


def _sorted(found: list[RunRecord], sort: str) -> list[RunRecord]:
    """By one field; those that lack it, or have no number there, come last."""
    checked_kind(sort, str, "what runs are sorted by")
    field, descending = sort.removeprefix("-"), sort.startswith("-")
    group, dot, name = field.partition(".")
    if field not in SORTABLE and not (dot and group in ("metrics", "params")):
        known = f"{', '.join(SORTABLE)}, metrics.NAME or params.NAME"
        raise BadInputError(f"runs cannot be sorted by {field[:60]!r}", hint=known)

    def value(each: RunRecord) -> Any:
        if group == "metrics" and dot:
            measured = each.compared.get(name)
            return None if isinstance(measured, str) else measured
        return each.params.get(name) if dot else getattr(each, field) or None

    def key(each: RunRecord) -> tuple[int, Any]:
        found = value(each)
        is_number = isinstance(found, int | float)
        return (0, found) if is_number else (1, str(found))

    having = [each for each in found if value(each) is not None]
    lacking = [each for each in found if value(each) is None]
    if dot and found and not having:
        there = {each for run in found for each in (run.compared if group == "metrics" else run.params)}
        raise BadInputError(f"no run has {field[:80]}", hint=did_you_mean(name, there))
    return sorted(having, key=key, reverse=descending) + lacking
