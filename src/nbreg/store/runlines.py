"""The lines of a run's file, and what they come to.

    {"line":"begun", …}      first, once
    {"line":"params", …}     {"line":"metrics", …}     {"line":"artifact", …}     {"line":"note", …}
    {"line":"ended", …}      how it ended, and all of the above in brief: a list reads only this one

What happens to a run afterwards is not its writer's to tell, and stands in a file beside it:
`registering` (before the line of the model's journal, which alone says whether the version came
to be), `deleted` and `restored`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from nbreg.records import Actor, CurvePoint, Measure, RunArtifact, RunKind

ENDED: Final = b'{"line":"ended"'


class Line(msgspec.Struct, tag_field="line", frozen=True, kw_only=True, omit_defaults=True):
    """One line; unknown fields of a later release are ignored when it is read."""


class Begun(Line, tag="begun", frozen=True, kw_only=True):
    """A run begins: who, where, with which code."""

    format: int = 1
    id: str
    name: str = ""
    experiment: str = ""
    kind: RunKind = "script"
    parent: str = ""
    started_at: str
    actor: Actor
    place: str = ""
    commit: str = ""
    python: str = ""


class Params(Line, tag="params", frozen=True, kw_only=True):
    """Parameters; later ones replace those of the same name."""

    params: dict[str, Any]


class Metrics(Line, tag="metrics", frozen=True, kw_only=True):
    """Values of metrics at one step, `t` seconds after the beginning."""

    t: float
    step: int
    values: dict[str, Measure]


class Logged(Line, tag="artifact", frozen=True, kw_only=True):
    """An artifact, whose bytes were stored before."""

    artifact: RunArtifact


class Noted(Line, tag="note", frozen=True, kw_only=True):
    """Something to know of the run, such as which version it read."""

    note: str


class Ended(Line, tag="ended", frozen=True, kw_only=True):
    """How it ended, and what all lines before come to."""

    at: str
    state: str
    error: str = ""
    params: dict[str, Any] = {}
    metrics: dict[str, Measure] = {}
    counts: dict[str, int] = {}
    artifacts: list[RunArtifact] = []
    notes: list[str] = []


class Registering(Line, tag="registering", frozen=True, kw_only=True):
    """A version is about to be registered from the run; whether it was, the model's journal says."""

    model: str
    id: str


class Deleted(Line, tag="deleted", frozen=True, kw_only=True):
    """The run is hidden."""

    at: str
    by: str
    reason: str = ""


class Restored(Line, tag="restored", frozen=True, kw_only=True):
    """It is there again."""

    at: str
    by: str


OwnLine = Begun | Params | Metrics | Logged | Noted | Ended
Event = Registering | Deleted | Restored

encode: Final = msgspec.json.Encoder().encode
_own: Final = msgspec.json.Decoder(OwnLine)
_event: Final = msgspec.json.Decoder(Event)


def own_lines(raw: Iterable[bytes]) -> Iterator[OwnLine]:
    """The lines that can be read: what a kill tore is no line."""
    for line in raw:
        try:
            yield _own.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue


def events(raw: Iterable[bytes]) -> Iterator[Event]:
    """The lines of the file beside it that can be read."""
    for line in raw:
        try:
            yield _event.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue


class Fold:
    """What the lines of a run come to; takes as much room as the run has names, however long it is."""

    def __init__(self) -> None:
        self.begun: Begun | None = None
        self.ended: Ended | None = None
        self.params: dict[str, Any] = {}
        self.metrics: dict[str, Measure] = {}
        self.counts: dict[str, int] = {}
        self.artifacts: dict[str, RunArtifact] = {}
        self.notes: list[str] = []

    def take(self, line: OwnLine) -> None:
        """One more line."""
        match line:
            case Metrics():
                self.metrics |= line.values
                for name in line.values:
                    self.counts[name] = self.counts.get(name, 0) + 1
            case Params():
                self.params |= line.params
            case Logged():
                self.artifacts[line.artifact.name] = line.artifact
            case Noted():
                self.notes.append(line.note)
            case Begun():
                self.begun = self.begun or line
            case Ended():
                self.params, self.metrics, self.counts = (
                    dict(line.params),
                    dict(line.metrics),
                    dict(line.counts),
                )
                self.artifacts = {each.name: each for each in line.artifacts}
                self.notes = list(line.notes)
        # A run that was ended to save a descriptor may be gone on with.
        self.ended = line if isinstance(line, Ended) else None

    def end(self, at: str, state: str, error: str) -> Ended:
        """The line that ends it."""
        return Ended(
            at=at,
            state=state,
            error=error,
            params=self.params,
            metrics=self.metrics,
            counts=self.counts,
            artifacts=list(self.artifacts.values()),
            notes=self.notes,
        )


class Curve:
    """A metric over its steps in bounded room: when there are too many points, neighbours become one.

    A point of several keeps the last of their values, the least and the greatest, so that a spike
    stays visible.
    """

    def __init__(self, points: int) -> None:
        self._most = max(2, points) * 2
        self._each = 1
        self._points: list[CurvePoint] = []
        self._open: list[CurvePoint] = []

    def take(self, step: int, value: Measure) -> None:
        """The next value."""
        self._open.append(CurvePoint(step=step, value=value, low=value, high=value))
        if len(self._open) == self._each:
            self._points.append(_joined(self._open))
            self._open = []
            if len(self._points) == self._most:
                pairs = zip(self._points[::2], self._points[1::2], strict=True)
                self._points = [_joined(list(pair)) for pair in pairs]
                self._each *= 2

    def result(self) -> list[CurvePoint]:
        """The points so far, in the order of time."""
        found = [*self._points, *([_joined(self._open)] if self._open else [])]
        if len(found) <= self._most // 2:
            return found
        return [_joined(found[i : i + 2]) for i in range(0, len(found), 2)]


def _joined(points: list[CurvePoint]) -> CurvePoint:
    if len(points) == 1:
        return points[0]
    lows = [each.low for each in points if isinstance(each.low, float | int)]
    highs = [each.high for each in points if isinstance(each.high, float | int)]
    last = points[-1]
    return CurvePoint(
        step=last.step,
        value=last.value,
        low=min(lows, default=last.low),
        high=max(highs, default=last.high),
    )
