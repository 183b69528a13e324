"""What happened to a model, line by line, and what may be done next: the bodies of panels and their twins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from nbreg.display import html
from nbreg.display.html import Column
from nbreg.display.tables import label, what, why
from nbreg.display.text import NOTHING, brief, escaped, grid, moment, number
from nbreg.records import Lifecycle, ModelRow, Move, TimelineItem, VersionRow

_COLUMNS: Final = (
    Column("when, UTC"),
    Column("version", "key"),
    Column("event"),
    Column("by"),
    Column("message", "long"),
)

_MADE: Final = ("registered", "copied", "imported", "received")
"""Events that a version begins with."""


def rows(items: Sequence[TimelineItem], metric: str = "") -> str:
    """A line for each thing that happened, all of one height, with a rail that joins them."""
    return f'<div class="nbreg-rows" role="list">{"".join(_row(each, metric) for each in items)}</div>'


def is_beginning(item: TimelineItem) -> bool:
    """Whether a version begins with it."""
    return item.event.kind in _MADE


def _row(item: TimelineItem, metric: str) -> str:
    event, version = item.event, item.version
    made = is_beginning(item)
    value = version.metrics.get(metric) if version is not None and made else None
    said = _told(item)
    cells = (
        f'<span class="nbreg-rail nbreg-rail-{_colour(item)}"></span>',
        _cell("what", what(event)),
        # what happened later has no number, and room for more words
        _cell("number", "" if value is None else number(value)) if made else "",
        _cell("said", said),
        _when(moment(event.at)),
        _cell("who", brief(event.by.user, 40)),
    )
    kind = " nbreg-made" if made else ""
    return f'<div class="nbreg-row{kind}" role="listitem">{"".join(cells)}</div>'


def _cell(name: str, text: str) -> str:
    shown = escaped(text, 300)
    return f'<span class="nbreg-{name}" title="{shown}">{shown}</span>'


def _when(at: str) -> str:
    """The year by itself: a narrow panel leaves it out."""
    year, rest = escaped(at[:5]), escaped(at[5:])
    return f'<span class="nbreg-when"><span class="nbreg-year">{year}</span>{rest}</span>'


def _told(item: TimelineItem) -> str:
    """What was said of it: the reason's word, then the message; else why the version is called so."""
    event = item.event
    words = [each for each in (event.reason, event.message) if each]
    return " · ".join(words) or why(event)


def _colour(item: TimelineItem) -> str:
    event = item.event
    if event.kind in ("deleted", "purged"):
        return "bad"
    if event.kind in ("retired", "rolled-back"):
        return "warn" if event.kind == "rolled-back" else "quiet"
    stage = event.facts.get("stage")
    return {"production": "good", "staging": "warn"}.get(str(stage), "info" if stage else "plain")


def table(items: Sequence[TimelineItem]) -> str:
    """The same as a table, for hosts that keep no style."""
    return html.table(_COLUMNS, _cells(items))


def text(items: Sequence[TimelineItem]) -> str:
    """The same in a terminal."""
    cells = [[brief(each, 60) for each in row] for row in _cells(items)]
    return grid([column.title for column in _COLUMNS], cells, [False] * len(_COLUMNS))


def _cells(items: Sequence[TimelineItem]) -> list[list[str]]:
    return [
        [
            moment(each.event.at),
            _version(each),
            what(each.event),
            brief(each.event.by.user, 40),
            brief(_told(each)) or NOTHING,
        ]
        for each in items
    ]


def _version(item: TimelineItem) -> str:
    if item.version is not None:
        return label(item.version.name, item.version.number)
    return f"#{item.event.number}" if item.event.number else NOTHING


def summary(model: ModelRow, holders: Sequence[tuple[str, str]]) -> str:
    """A model's heading: how many versions, and who holds which stage."""
    amount = f"{model.versions} version{'' if model.versions == 1 else 's'}"
    held = "".join(
        f' · <span class="nbreg-whole">{html.dotted(stage)} {escaped(version, 60)}</span>'
        for stage, version in holders
    )
    return (
        f'<div class="nbreg-head"><b>{escaped(model.name)}</b> '
        f'<span class="nbreg-beside">{amount}{held}</span></div>'
    )


# stages


def track(rules: Lifecycle, stage: str) -> str:
    """The stages in their order, the present one marked."""
    marks = "".join(
        f"<li{' class=nbreg-here aria-current=step' if each == stage else ''}>{html.dotted(each)}</li>"
        for each in rules.stages
    )
    return f'<ol class="nbreg-track" aria-label="stages">{marks}</ol>'


def headline(model: str, row: VersionRow) -> str:
    """`cancer 1.1.0 (#2)`."""
    return html.heading(model, label(row.name, row.number))


def asked(move: Move) -> str:
    """What a button says: `promote to production`, `archive`, `roll back production`."""
    if move.kind == "rolled-back":
        return f"roll back {brief(move.to, 40)}"
    return f"{'promote' if move.kind == 'promoted' else 'retire'} to {brief(move.to, 40)}"


def foretold(move: Move) -> str:
    """What it will do: `1.1.0 (#2) goes to production; 1.0.0 (#1) is archived`."""
    version = label(move.name, move.number)
    if move.kind == "rolled-back":
        first = f"{brief(move.to, 40)} goes back to {version}"
    else:
        first = f"{version} goes from {brief(move.before, 40)} to {brief(move.to, 40)}"
    if move.displaced is None:
        return first
    return f"{first}; {label(move.displaced_name, move.displaced)} goes to {brief(move.displaced_to, 40)}"
