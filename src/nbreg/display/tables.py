"""Lists that show themselves: models, versions, events, drift.

Each is an immutable sequence of records with an HTML, a text and a JSON form. The JSON holds
only what stays true and is the same everywhere, so that a saved notebook can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar, overload

from nbreg.display import html
from nbreg.display.html import Column
from nbreg.display.text import LONGEST, NOTHING, brief, count, grid, listed, moment, number, pairs
from nbreg.records import DriftItem, Event, ModelRow, VersionRow

TABLE_MIME = "application/vnd.nbreg.table+json"
LARGEST = 200
"""Rows that a table shows; the rest is counted, and there by index."""

MOST_METRICS = 4
MOST_TAGS = 20
MOST_INSTALLED = 16
"""Requirements in one line to install; more are for a file."""

MOST_NOTED = 6
LONGEST_LINE = 2000
WIDEST = 60
"""Characters of a cell in a terminal."""

T = TypeVar("T")


class Later(Sequence[T], Generic[T]):
    """A list of known length whose first items are here; the others are fetched when one is asked for."""

    def __init__(self, first: Sequence[T], length: int, rest: Callable[[], Sequence[T]]) -> None:
        self._known: Sequence[T] = tuple(first)
        self._length = length
        self._rest: Callable[[], Sequence[T]] | None = rest if length > len(first) else None

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice) or not 0 <= index < len(self._known):
            self._fetch()
        return self._known[index]

    def _fetch(self) -> None:
        if self._rest is not None:
            self._known = (*self._known, *self._rest())
            self._length, self._rest = len(self._known), None


class Table(Sequence[T], Generic[T]):
    """A sequence of records that shows itself; indexing gives the records."""

    kind: ClassVar[str] = "table"
    noun: ClassVar[str] = "row"
    empty: ClassVar[str] = "nothing here"
    widest: int = WIDEST
    """Characters of a cell in the plain form, which longer ones are cut to."""
    is_twin: ClassVar[bool] = False
    """Whether a panel shows the same, and stands in for it where somebody can click."""

    def __init__(self, items: Sequence[T], *, title: str = "", total: int | None = None) -> None:
        self._items = items if isinstance(items, Later) else tuple(items)
        self._title = title
        self._total = len(self._items) if total is None else total

    def columns(self) -> list[Column]:
        """The columns, for these rows."""
        raise NotImplementedError

    def cells(self, index: int) -> list[str]:
        """One of the rows that are shown, as text, column by column."""
        raise NotImplementedError

    def facts(self, index: int) -> dict[str, Any]:
        """One row as the JSON form gives it."""
        raise NotImplementedError

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return self._plain()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        rows = [self.facts(i) for i in self._shown()]
        return {
            "text/plain": self._plain(),
            "text/html": html.view(self._html(), twin=self.is_twin),
            TABLE_MIME: {"kind": self.kind, "title": self._title, "count": len(self), "rows": rows},
        }

    def _shown(self) -> range:
        return range(min(len(self), LARGEST))

    def _rows(self, limit: int = LONGEST) -> list[list[str]]:
        return [[brief(cell, limit) if cell else NOTHING for cell in self.cells(i)] for i in self._shown()]

    def _more(self) -> str:
        hidden = len(self) - LARGEST
        return f"and {count(hidden, self.noun)} more" if hidden > 0 else ""

    def _amount(self) -> str:
        """How many there are, and how many of them these are."""
        some = f"{len(self)} of " if self._total > len(self) else ""
        return some + count(self._total, self.noun)

    def _plain(self) -> str:
        if not self._items:
            return f"{brief(self._title)} · {self.empty}" if self._title else self.empty
        columns = self.columns()
        body = grid(
            [brief(c.title, 60) for c in columns],
            self._rows(self.widest),
            [column.kind == "right" for column in columns],
            [column.kind == "long" for column in columns],
        )
        return "\n".join(part for part in (self._heading(), body, self._more()) if part)

    def body(self) -> str:
        """The HTML, for whoever has the style already."""
        return self._html()

    def _heading(self) -> str:
        total = self._amount()
        return f"{brief(self._title)} · {total}" if self._title else ""

    def _html(self) -> str:
        return self.head() + self.lines()

    def head(self) -> str:
        """The heading's HTML."""
        return html.heading(self._title, self._amount() if self._items else "") if self._title else ""

    def lines(self) -> str:
        """The HTML below the heading."""
        if not self._items:
            return html.quiet(self.empty)
        more = html.quiet(self._more()) if self._more() else ""
        return html.table(self.columns(), self._rows()) + more


class ModelTable(Table[ModelRow]):
    """The models of a registry, with who holds their stages."""

    kind = "models"
    noun = "model"
    empty = "no models yet; %register_model NAME registers the model trained last"

    def columns(self) -> list[Column]:
        """Name, latest, how many, stage holders."""
        return [
            Column("model", "key"),
            Column("latest"),
            Column("versions", "right"),
            Column("stages", "long"),
        ]

    def cells(self, index: int) -> list[str]:
        """One model."""
        row = self[index]
        return [row.name, _latest(row), str(row.versions), listed(_holders(row))]

    def facts(self, index: int) -> dict[str, Any]:
        """One model as JSON."""
        row = self[index]
        return {
            "name": row.name,
            "versions": row.versions,
            "deleted": row.deleted,
            "latest": row.latest,
            "latest_name": row.latest_name,
            "stages": dict(row.stages),
        }


def _latest(row: ModelRow) -> str:
    return label(row.latest_name, row.latest) if row.latest else ""


def _holders(row: ModelRow) -> list[str]:
    return [f"{stage} #{number}" for stage, number in row.stages.items()]


def label(name: str | None, version_number: int) -> str:
    """`1.0.0 (#1)`, or `#1` where the version has no name."""
    return f"{brief(name, 60)} (#{version_number})" if name else f"#{version_number}"


class VersionTable(Table[Any]):
    """The versions of one model, newest first as given.

    `items` are what indexing gives, where that should be more than the rows.
    """

    kind = "versions"
    noun = "version"
    empty = "no versions"
    is_twin = True

    def __init__(
        self,
        model: str,
        versions: Sequence[VersionRow],
        aliases: Mapping[str, int] | None = None,
        *,
        items: Sequence[Any] | None = None,
        total: int | None = None,
        why_empty: str = "",
    ) -> None:
        super().__init__(versions if items is None else items, title=model, total=total)
        self.empty = why_empty or self.empty  # type: ignore[misc]  # of this one
        self._versions = tuple(versions)
        self._aliases = aliases or {}
        self._metrics = _common_metrics(self._versions[:LARGEST])

    def columns(self) -> list[Column]:
        """Only those that say something for at least one version."""
        return [column for column, _ in self._filled]

    def cells(self, index: int) -> list[str]:
        """One version."""
        return [cells[index] for _, cells in self._filled]

    def facts(self, index: int) -> dict[str, Any]:
        """One version as JSON."""
        row = self._versions[index]
        return {
            "number": row.number,
            "name": row.name,
            "stage": row.stage,
            "aliases": self._names(row),
            "metrics": dict(row.metrics),
            "tags": [tag[:LONGEST] for tag in row.tags[:MOST_TAGS]],
            "message": row.message[:LONGEST],
            "deleted": row.deleted is not None,
        }

    @cached_property
    def _filled(self) -> list[tuple[Column, list[str]]]:
        """Every column with its cells; made once, since a table is asked row by row."""
        rows = self._versions[:LARGEST]
        optional = [
            (Column("stage", "stage"), [_stage(row) for row in rows]),
            (Column("aliases"), [listed(self._names(row)) for row in rows]),
            *((Column(key, "right"), [_metric(row, key) for row in rows]) for key in self._metrics),
            (Column("registered, UTC"), [moment(row.created) for row in rows]),
            (Column("tags"), [listed(row.tags) for row in rows]),
            (Column("message", "long"), [row.message or row.description for row in rows]),
        ]
        return [
            (Column("#", "right"), [str(row.number) for row in rows]),
            (Column("version", "key"), [row.name or row.superseded_name for row in rows]),
            *(each for each in optional if any(each[1])),
        ]

    def _names(self, row: VersionRow) -> list[str]:
        return sorted(alias for alias, held in self._aliases.items() if held == row.number)


def _stage(row: VersionRow) -> str:
    if row.deleted:
        return "deleted"
    return "" if row.stage == "none" else row.stage


def _metric(row: VersionRow, key: str) -> str:
    return number(row.metrics[key]) if key in row.metrics else ""


def _common_metrics(versions: Sequence[VersionRow]) -> list[str]:
    """The metrics that most versions have, in the order the newest gives them."""
    seen: dict[str, int] = {}
    for row in versions:
        for key in row.metrics:
            seen[key] = seen.get(key, 0) + 1
    most = sorted(seen, key=lambda key: -seen[key])[:MOST_METRICS]
    return [key for key in seen if key in most]


class EventTable(Table[Event]):
    """What happened to a model or to all of them: when, who, what, why."""

    kind = "events"
    noun = "event"
    empty = "nothing has happened yet"

    @cached_property
    def _of_several_models(self) -> bool:
        # Once: a table is asked row by row, and there may be a hundred thousand events.
        return not self._title or len({event.model for event in self}) > 1

    def columns(self) -> list[Column]:
        """When, what and why; the model only where there are several."""
        return [
            Column("when, UTC"),
            *([Column("model", "key")] if self._of_several_models else []),
            Column("version"),
            Column("event"),
            Column("by"),
            Column("reason"),
            Column("message", "long"),
        ]

    def cells(self, index: int) -> list[str]:
        """One event."""
        event = self[index]
        return [
            moment(event.at),
            *([event.model or "all models"] if self._of_several_models else []),
            _version_of(event),
            what(event),
            brief(event.by.user, 40),
            event.reason,
            event.message or why(event),
        ]

    def facts(self, index: int) -> dict[str, Any]:
        """One event as JSON."""
        event = self[index]
        return {
            "model": event.model,
            "kind": event.kind,
            "number": event.number,
            "reason": event.reason,
            "message": event.message[:LONGEST],
        }


def _version_of(event: Event) -> str:
    return label(str(event.facts.get("name") or "") or None, event.number) if event.number else ""


def why(event: Event) -> str:
    """Why a version has its number, where nobody said anything of it; or what is doubtful."""
    return str(event.facts.get("why") or "") or warned(event)


def warned(event: Event) -> str:
    """What was doubtful about it, as the event has it."""
    told = event.facts.get("warnings")
    return "; ".join(map(str, told)) if isinstance(told, list) else ""


_JOINTS = {
    "registered": " in ",
    "rolled-back": " ",
    "promoted": " to ",
    "retired": " to ",
    "requested": ": ",
    "approved": ": ",
    "rejected": ": ",
    "withdrawn": ": ",
    "gates-required": " for ",
    "gate-dropped": " of ",
}


def what(event: Event) -> str:
    """`promoted to production; 1.0.0 (#1) archived`: the kind, and what the event adds to it."""
    to = event.facts.get("stage") or event.facts.get("alias")
    words = event.kind.replace("-", " ")
    if isinstance(to, str) and to and to != "none":
        words += f"{_JOINTS.get(event.kind, ' ')}{brief(to, 60)}"
    if event.kind in ("proved", "not-proved"):
        verdict, why = event.facts.get("verdict"), event.facts.get("why")
        told = str(why if verdict in ("failed", "loads") else verdict)
        words = f"{words}: {brief(told)}"
    if event.kind == "split-set" and isinstance(weights := event.facts.get("weights"), dict):
        words += f": {pairs(weights)}" if weights else ": none"
    words += _about(event)
    archived = event.facts.get("archived")
    if isinstance(archived, int):
        out = brief(str(event.facts.get("archived_to") or "archived"), 40)
        words += f"; {label(str(event.facts.get('archived_name') or '') or None, archived)} {out}"
    return "; ".join([words, *told_gates(event.facts)])


def told_gates(facts: Mapping[str, Any]) -> list[str]:
    """Who approved, which gates were passed, overruled, or not asked at all."""
    told = []
    for name, words in (
        ("approved_by", "approved by"),
        ("forced", "forced past"),
        ("not_asked", "not asked:"),
    ):
        named = facts.get(name)
        if isinstance(named, list) and named:
            told.append(f"{words} {listed([brief(str(each), 60) for each in named])}")
    gates = facts.get("gates")
    if isinstance(gates, list) and gates:
        texts = [each for each in gates if isinstance(each, str)]  # of an event that required them
        passed = [each for each in gates if isinstance(each, dict) and each.get("passed")]
        told += [listed([brief(each, 60) for each in texts])] if texts else []
        told += [f"passed {count(len(passed), 'gate')}"] if passed else []
    return told


def _about(event: Event) -> str:
    """What a link or a deployment is of."""
    facts = event.facts
    if event.kind in ("linked", "unlinked"):
        return f" {brief(facts.get('link', ''), 40)}: {brief(facts.get('target', ''), 60)}"
    if event.kind in ("deployed", "undeployed"):
        return f" at {brief(facts.get('where', ''), 60)}"
    if event.kind == "model-updated" and isinstance(facts.get("changed"), list):
        return f": {listed(map(str, facts['changed']), 6)}"
    return ""


class DriftTable(Table[DriftItem]):
    """Where the running environment differs from the one the version was made in."""

    kind = "drift"
    noun = "difference"
    empty = "the environment is the recorded one"

    def columns(self) -> list[Column]:
        """What, then, now, how much."""
        return [
            Column("environment", "key"),
            Column("recorded"),
            Column("running"),
            Column("change", "stage"),
        ]

    def cells(self, index: int) -> list[str]:
        """One difference."""
        item = self[index]
        return [item.name, item.recorded, item.running or "not installed", item.severity]

    def facts(self, index: int) -> dict[str, Any]:
        """One difference as JSON."""
        item = self[index]
        return {
            "name": item.name,
            "recorded": item.recorded,
            "running": item.running,
            "severity": item.severity,
            "install": item.install,
        }

    def _plain(self) -> str:
        told = [each for each in (self._installing(), *self._remarks()) if each]
        return "\n".join([super()._plain(), *(brief(each, LONGEST_LINE) for each in told)])

    def lines(self) -> str:
        """The table, the line that brings it back, and what no line does."""
        told = [each for each in (self._installing(), *self._remarks()) if each]
        return super().lines() + "".join(html.quiet(each) for each in told)

    def lines_to_copy(self) -> str:
        """The same for a panel, where a click selects the line."""
        wanted = self._installing()
        line = f"<div>{html.reference(wanted, 'a click selects it', whole=True)}</div>" if wanted else ""
        return super().lines() + line + "".join(html.quiet(each) for each in self._remarks())

    def _installing(self) -> str:
        """The line that brings back what can be had, the worst first."""
        wanted = [item.install for item in self if item.install]
        words = " ".join(f'"{each}"' for each in wanted[:MOST_INSTALLED])
        return f"pip install {words}" if words else ""

    def _remarks(self) -> list[str]:
        """What that line leaves out, and what no line brings back."""
        left = sum(1 for item in self if item.install) - MOST_INSTALLED
        lines = [f"and {left} more: .export_environment(…) writes them all"] if left > 0 else []
        noted = [f"{brief(item.name, 60)}: {brief(item.note)}" for item in self if item.note]
        more = [f"and {len(noted) - MOST_NOTED} more"] if len(noted) > MOST_NOTED else []
        return lines + noted[:MOST_NOTED] + more
