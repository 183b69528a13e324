"""What runs look like: side by side in a table, and one of them by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from nbreg.display import html
from nbreg.display.html import Column
from nbreg.display.tables import Table
from nbreg.display.text import brief, listed, moment, number, pairs, size
from nbreg.records import RunRecord, short_run

RUN_MIME = "application/vnd.nbreg.run+json"

MOST_COLUMNS: Final = 6
"""Params and metrics, each, that have a column of their own."""

MOST: Final = 100


class RunTable(Table[Any]):
    """Runs to compare: what differs among their params, and their last metrics.

    Iterating and indexing give the runs; `records` are what is shown.
    """

    kind = "runs"
    noun = "run"
    empty = "no runs yet; nbreg.start_run() begins one, and registering a model locks the notebook's own"

    def __init__(
        self,
        records: Sequence[RunRecord],
        *,
        items: Sequence[Any] | None = None,
        chosen: bool = False,
        why_empty: str = "",
    ) -> None:
        super().__init__(records if items is None else items)
        self.records = tuple(records)
        if chosen:  # there may be others
            self.empty = why_empty or "no run is like that"  # type: ignore[misc]

    @cached_property
    def _params(self) -> list[str]:
        """The params that most runs have; those that are the same in all of them tell nothing apart."""
        shown = [self.records[i] for i in self._shown()]
        names = _most_common([each.params for each in shown])
        differing = [
            name
            for name in names
            if len({repr(each.params.get(name)) for each in shown}) > 1 or len(shown) == 1
        ]
        return differing[:MOST_COLUMNS]

    @cached_property
    def _metrics(self) -> list[str]:
        return _most_common([self.records[i].compared for i in self._shown()])[:MOST_COLUMNS]

    def columns(self) -> list[Column]:
        """Run, state, when, then params and metrics, then what came of it."""
        return [
            Column("run", "key"),
            Column("name"),
            *([Column("experiment")] if any(each.experiment for each in self.records) else []),
            Column("state", "stage"),
            Column("started, UTC"),
            *(Column(brief(name, 40), "right") for name in self._params),
            *(Column(brief(name, 40), "right") for name in self._metrics),
            Column("registered as", "long"),
        ]

    def cells(self, index: int) -> list[str]:
        """One run."""
        each = self.records[index]
        metrics = each.compared
        return [
            short_run(each.id),
            each.name,
            *([each.experiment] if any(one.experiment for one in self.records) else []),
            _state(each),
            moment(each.started_at),
            *(_value(each.params, name) for name in self._params),
            *(_value(metrics, name) for name in self._metrics),
            listed(_versions(each), 3),
        ]

    def facts(self, index: int) -> dict[str, Any]:
        """One run as JSON."""
        each = self.records[index]
        return {
            "id": each.id,
            "name": each.name,
            "experiment": each.experiment,
            "state": _state(each),
            "params": dict(list(each.params.items())[:MOST]),
            "metrics": dict(list(each.compared.items())[:MOST]),
            "versions": _versions(each)[:MOST],
        }


def run_bundle(record: RunRecord, *, note: str = "") -> dict[str, Any]:
    """A run by itself: HTML, text and JSON."""
    title = record.name or short_run(record.id)
    told = _facts(record)
    remarks = [*([note] if note else []), *record.notes[:10]]
    width = max(len(name) for name, _ in told)
    lines = [f"run {brief(title)} · {_state(record)}"]
    lines += [f"  {name.ljust(width)}  {brief(text, 2000)}" for name, text in told]
    lines += [f"  {brief(remark, 2000)}" for remark in remarks]
    return {
        "text/plain": "\n".join(lines),
        "text/html": html.view(
            html.heading(title, _state(record)) + html.facts(told) + "".join(map(html.note, remarks)),
            card=True,
        ),
        RUN_MIME: {
            "id": record.id,
            "name": record.name,
            "experiment": record.experiment,
            "state": _state(record),
            "params": dict(list(record.params.items())[:MOST]),
            "metrics": dict(list(record.metrics.items())[:MOST]),
            "versions": _versions(record)[:MOST],
        },
    }


def _facts(record: RunRecord) -> list[tuple[str, str]]:
    ended = f" to {moment(record.ended_at)}" if record.ended_at else ""
    when = f"{moment(record.started_at)}{ended} UTC by {brief(record.actor.user, 40)}"
    code = " · ".join(
        part for part in (record.place, f"commit {record.commit[:12]}" if record.commit else "") if part
    )
    known = [
        ("id", record.id),
        ("experiment", record.experiment),
        ("when", when),
        ("code", code),
        ("parent", record.parent),
        ("params", pairs(record.params, 12)),
        ("metrics", pairs(record.metrics, 12)),
        ("values", listed((f"{name} × {times}" for name, times in record.counts.items()), 12)),
        ("artifacts", listed((f"{each.name} ({size(each.size)})" for each in record.artifacts), 12)),
        ("registered as", listed(_versions(record), 12)),
        ("deleted", _deleted(record)),
    ]
    return [(name, text) for name, text in known if text]


def _deleted(record: RunRecord) -> str:
    gone = record.deleted
    return f"by {gone.by}, {moment(gone.at)}{f': {gone.reason}' if gone.reason else ''}" if gone else ""


def _state(record: RunRecord) -> str:
    """In words that stay true in a saved notebook: that it runs is true for a moment only."""
    if record.deleted:
        return "deleted"
    if record.state == "running":
        return "not ended yet"
    return f"{record.state}: {brief(record.error, 60)}" if record.error else record.state


def _versions(record: RunRecord) -> list[str]:
    return [f"{each.model}@{each.name or each.number}" for each in record.versions]


def _value(values: Mapping[str, Any], name: str) -> str:
    return number(values[name]) if name in values else ""


def _most_common(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names, those that most rows have first; the rest in the order they come."""
    seen: dict[str, int] = {}
    for row in rows:
        for name in row:
            seen[name] = seen.get(name, 0) + 1
    return sorted(seen, key=lambda name: -seen[name])
