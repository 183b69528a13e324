"""Small pictures of numbers as inline SVG: a metric over versions, and over the steps of a run.

Colours are those of the style sheet. Each has a text that says what it shows, for whoever cannot
see it; where a host strips SVG, the tables beside it have the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from nbreg.display.tables import label
from nbreg.display.text import brief, count, escaped, number
from nbreg.records import CurvePoint, Tenure

WIDTH: Final = 640
HEIGHT: Final = 128
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 20, 22
_CHARACTER: Final = 6.2
_LINE: Final = 12
"""How wide a character of a label is and how high a line, about: labels that would touch are left out."""

CURVE_WIDTH: Final = 180
CURVE_HEIGHT: Final = 48


class Point(NamedTuple):
    """One version: its place in the journal, and the metric if it has it."""

    number: int
    name: str | None
    stage: str
    seq: int
    value: float | None


def metric_plot(
    metric: str, points: Sequence[Point], tenures: Sequence[Tenure] = (), stage: str = "production"
) -> str:
    """A metric of versions, oldest first, and the line of those that held a stage while they did.

    Empty where fewer than two versions have the metric: there is nothing to see in one dot.
    """
    values = {
        each.number: each.value for each in points if each.value is not None and math.isfinite(each.value)
    }
    if len(values) < 2:
        return ""
    frame = _Frame(len(points), min(values.values()), max(values.values()))
    body = [
        *_scale(frame, metric),
        *_held(frame, points, values, tenures, stage),
        *_dots(frame, points, values, metric),
        *_ends(frame, points),
    ]
    told = _told(metric, points, values, tenures, stage)
    return _svg("nbreg-plot", WIDTH, HEIGHT, told, "".join(body))


class _Frame:
    """Where things stand in the picture."""

    def __init__(self, amount: int, low: float, high: float) -> None:
        self.low, self.high = low, high
        self._amount = amount

    def x(self, index: float) -> float:
        step = (WIDTH - _LEFT - _RIGHT) / max(1, self._amount - 1)
        return _LEFT + step * min(max(index, 0), self._amount - 1)

    def y(self, value: float) -> float:
        room = HEIGHT - _TOP - _BOTTOM
        if self.high == self.low:
            return _TOP + room / 2
        return _TOP + room * (self.high - value) / (self.high - self.low)


def _scale(frame: _Frame, metric: str) -> Iterator[str]:
    """The highest and the lowest value, and what is measured."""
    for value in dict.fromkeys((frame.high, frame.low)):
        y = frame.y(value)
        yield f'<path class="nbreg-rule" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>'
        yield _text(_LEFT - 8, y + 4, number(value), "end")
    yield _text(_LEFT, 11, brief(metric, 60))


def _ends(frame: _Frame, points: Sequence[Point]) -> Iterator[str]:
    first, last = points[0], points[-1]
    yield _text(frame.x(0), HEIGHT - 5, _short(first.number, first.name))
    yield _text(frame.x(len(points) - 1), HEIGHT - 5, _short(last.number, last.name), "end")


def _dots(frame: _Frame, points: Sequence[Point], values: dict[int, float], metric: str) -> Iterator[str]:
    radius = 4 if len(points) <= 40 else 2.5
    for index, each in enumerate(points):
        if each.number not in values:
            continue
        value = values[each.number]
        stage = "" if each.stage == "none" else f" · {brief(each.stage, 40)}"
        said = f"{label(each.name, each.number)} · {brief(metric, 60)} {number(value)}{stage}"
        kind = "".join(c for c in each.stage.casefold()[:40] if c.isalnum() and c.isascii())
        yield (
            f'<circle class="nbreg-point nbreg-at-{kind}" r="{radius}" cx="{frame.x(index):.1f}" '
            f'cy="{frame.y(value):.1f}"><title>{escaped(said)}</title></circle>'
        )


def _held(
    frame: _Frame,
    points: Sequence[Point],
    values: dict[int, float],
    tenures: Sequence[Tenure],
    stage: str,
) -> Iterator[str]:
    """A line at the metric of each holder, from the version that was newest then to the one at its end."""
    taken: list[tuple[float, float, float]] = []
    for tenure in reversed(tenures):
        value = values.get(tenure.number)
        if value is None:
            continue
        last = len(points) - 1 if tenure.until is None else _index_at(points, tenure.until)
        left, right, y = frame.x(_index_at(points, tenure.since)), frame.x(last), frame.y(value)
        right = min(max(right, left + 10), WIDTH - _RIGHT + 8)
        said = f"{label(tenure.name, tenure.number)} held {brief(stage, 40)}"
        line = f"M{left:.1f} {y:.1f}H{right:.1f}"
        yield f'<path class="nbreg-held" d="{line}"><title>{escaped(said)}</title></path>'
        name = _short(tenure.number, tenure.name)
        width = len(name) * _CHARACTER + 4
        begins = min(left + 2, WIDTH - _RIGHT - width)
        if not any(
            abs(y - at) < _LINE and begins < end and begins + width > start for start, end, at in taken
        ):
            yield _text(begins, y - 7, name, css="nbreg-holder")
            taken.append((begins, begins + width, y))


def _index_at(points: Sequence[Point], seq: int) -> int:
    """The newest version there was at a line of the journal."""
    return max(0, sum(1 for each in points if each.seq <= seq) - 1)


def _short(version: int, name: str | None) -> str:
    return brief(name, 14) if name else f"#{version}"


def _told(
    metric: str,
    points: Sequence[Point],
    values: dict[int, float],
    tenures: Sequence[Tenure],
    stage: str,
) -> str:
    low, high = number(min(values.values())), number(max(values.values()))
    held = next((each for each in tenures if each.until is None), None)
    now = f"; {brief(stage, 40)} is {label(held.name, held.number)}" if held else ""
    return f"{brief(metric, 60)} of {count(len(points), 'version')}, from {low} to {high}{now}"


# the steps of a run


def curve_plot(metric: str, curve: Sequence[CurvePoint]) -> str:
    """A metric over the steps of a run, with the band between the least and the greatest values."""
    known = [(each.step, *values) for each in curve if (values := _band(each)) is not None]
    if len(known) < 2:
        return ""
    low, high = min(each[1] for each in known), max(each[3] for each in known)
    first, span = known[0][0], (high - low) or 1.0
    steps = (known[-1][0] - first) or 1

    def at(step: int, value: float) -> str:
        x = 3 + (CURVE_WIDTH - 6) * (step - first) / steps
        return f"{x:.1f} {4 + (CURVE_HEIGHT - 8) * (high - value) / span:.1f}"

    line = "L".join(at(step, value) for step, _, value, _ in known)
    above = "L".join(at(step, most) for step, _, _, most in known)
    below = "L".join(at(step, least) for step, least, _, _ in reversed(known))
    last = number(known[-1][2])
    said = f"{brief(metric, 60)} over {steps + 1} steps, {last} at the end"
    drawn = f'<path class="nbreg-band" d="M{above}L{below}Z"/><path class="nbreg-curve" d="M{line}"/>'
    picture = _svg("nbreg-small", CURVE_WIDTH, CURVE_HEIGHT, said, drawn)
    return (
        f'<figure class="nbreg-figure"><figcaption>{escaped(metric, 60)} <b>{escaped(last)}</b>'
        f"</figcaption>{picture}</figure>"
    )


def _band(point: CurvePoint) -> tuple[float, float, float] | None:
    """The least, the last and the greatest value; None where the last is no number that can be drawn."""
    low, value, high = point.low, point.value, point.high
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    least = low if isinstance(low, int | float) and math.isfinite(low) else value
    most = high if isinstance(high, int | float) and math.isfinite(high) else value
    return least, value, most


# pieces


def _text(x: float, y: float, text: str, anchor: str = "start", css: str = "nbreg-tick") -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escaped(text, 60)}</text>'


def _svg(css: str, width: int, height: int, told: str, body: str) -> str:
    return (
        f'<svg class="{css}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escaped(told)}">{body}</svg>'
    )
