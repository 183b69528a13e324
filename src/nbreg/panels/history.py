"""A model's history: what it shows, page by page, and its static twin. The widgets are in `historyview`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nbreg.display import html, timeline
from nbreg.display.diffs import DiffView
from nbreg.display.plots import Point, curve_plot, metric_plot
from nbreg.display.style import DIFF_STYLE, PANEL_STYLE
from nbreg.display.tables import label
from nbreg.display.text import brief
from nbreg.errors import NbregError, UnknownVersionError
from nbreg.panels.front import Shown
from nbreg.records import ModelRow, Timeline
from nbreg.registry import ModelVersion, Registry

if TYPE_CHECKING:
    from collections.abc import Callable


PAGE: Final = 12
"""Lines of a page: each has a button, and each button is a model of the front end."""

LOOKED: Final = 2_000
"""Lines that a page with a filter looks through at most: it is there at once, and goes on when asked."""

PLOTTED: Final = 60
"""The newest versions, in the plot; no more of them are read."""

MOST_METRICS: Final = 50
MOST_CURVES: Final = 6
POINTS: Final = 160
UNTOLD: Final = ("proved",)
"""What is said of a version elsewhere, and would double the lines here."""


class Seen(NamedTuple):
    """What was read for one look at the panel."""

    model: ModelRow
    page: Timeline
    metrics: list[str]
    plot: str
    holders: list[tuple[str, str]]


class History(Shown):
    """A model's timeline of versions and events, with a plot, comparison and stage controls.

    As the last line of a cell it shows itself: as a panel where somebody can click, else as the
    static form that a saved notebook keeps anyway. `query` is nbreg's query language. Other
    kernels' writes appear by themselves for as long as somebody uses the panel.

    Raises `UnknownModelError` or `BadQueryError`.
    """

    def __init__(
        self,
        model: str,
        registry: Registry | None = None,
        *,
        query: str = "",
        metric: str = "",
        twin: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        self.registry = registry or Registry()
        self.model = self.registry.model(model).name
        self.query = query
        self.metric = metric
        self.chosen: list[int] = []
        self._starts = [0]
        self._twin = twin
        if query:
            self.registry.timeline(model, query, limit=0)

    # where it stands

    def filter(self, query: str) -> None:
        """Show what a query chooses, from the newest on. Raises `BadQueryError`; then nothing changes."""
        self.registry.timeline(self.model, query.strip() or None, limit=0)
        self.query, self._starts = query.strip(), [0]

    def older(self, rest: int) -> None:
        """Turn to the page that goes on before that line."""
        self._starts.append(rest)

    def newer(self) -> None:
        """Turn back by a page."""
        if len(self._starts) > 1:
            self._starts.pop()

    @property
    def is_at_start(self) -> bool:
        """Whether the newest page is shown."""
        return len(self._starts) == 1

    def choose(self, number: int) -> None:
        """Choose a version, or let go of it; of three the first gives way."""
        self.chosen = (
            [each for each in self.chosen if each != number]
            if number in self.chosen
            else [*self.chosen[-1:], number]
        )

    # what is read

    def look(self) -> Seen:
        """Read what one look shows: a page of lines, the newest versions, who held the stage since."""
        page = self.registry.timeline(
            self.model, self.query or None, before=self._starts[-1], limit=PAGE, without=UNTOLD, look=LOOKED
        )
        recent = self.registry.registered(self.model, limit=PLOTTED)
        rows = [each.version for each in recent]
        metrics = list(dict.fromkeys(name for row in reversed(rows) for name in row.metrics))[:MOST_METRICS]
        if self.metric not in metrics:
            self.metric = metrics[0] if metrics else ""
        points = [
            Point(each.version.number, each.version.name, each.version.stage, each.seq,
                  each.version.metrics.get(self.metric))
            for each in recent
        ]  # fmt: skip
        tenures = []
        if points:
            tenures = self.registry.tenures(self.model, since=points[0].seq)
        plot = metric_plot(self.metric, points, tenures, self.registry.serving) if self.metric else ""
        self.chosen = [each for each in self.chosen if self._is_there(each)]
        model = self.registry.model(self.model)
        return Seen(model, page, metrics, plot, self._holders(model))

    def bound_told(self, page: Timeline) -> str:
        """That a filter has not looked through everything, where that is so."""
        if not page.rest or len(page.items) >= PAGE:
            return ""
        return f"looked through {LOOKED:,} lines, down to line {page.rest - 1:,}; there are older ones"

    def _holders(self, model: ModelRow) -> list[tuple[str, str]]:
        held = []
        for stage in reversed(self.registry.stages):
            if number := model.stages.get(stage):
                row = self.version(number).row
                held.append((stage, label(row.name, row.number)))
        return held

    def version(self, number: int) -> ModelVersion:
        """One of the model's versions."""
        return self.registry.get(f"{self.model}@{number}")

    def _is_there(self, number: int) -> bool:
        try:
            self.version(number)
        except UnknownVersionError:  # deleted meanwhile
            return False
        return True

    def difference(self) -> DiffView:
        """What differs between the two that were chosen, from the older to the newer."""
        older, newer = sorted(self.chosen)
        return DiffView.of(self.registry.diff(self.version(newer).ref, self.version(older).ref))

    def curves(self, version: ModelVersion) -> str:
        """The metrics that the version's run logged step by step, as small pictures."""
        try:
            link = version.run
            if link is None:
                return ""
            run = self.registry.run(link)
            stepped = [name for name, times in run.record.counts.items() if times > 1][:MOST_CURVES]
            return "".join(curve_plot(name, run.curve(name, POINTS)) for name in stepped)
        except NbregError:
            return ""  # a run that is gone takes nothing away from its version

    # how it is shown

    def twin(self) -> dict[str, Any]:
        """The static form, as things are now."""
        if self._twin is not None:
            return self._twin()
        seen = self.look()
        title = f"{brief(self.model)} · {seen.model.versions} versions"
        where = f"where {brief(self.query)}" if self.query else ""
        bound = self.bound_told(seen.page)
        lines = [each for each in (title, where, timeline.text(seen.page.items), bound) if each]
        body = timeline.summary(seen.model, seen.holders) + (html.quiet(where) if where else "")
        body += seen.plot + timeline.table(seen.page.items) + (html.quiet(bound) if bound else "")
        if len(self.chosen) == 2:
            difference = self.difference()
            body += f'<div class="nbreg-parting">{difference.body()}</div>'
            lines.append(difference.text())
        sheet = f"<style>{PANEL_STYLE}{DIFF_STYLE}</style>"
        return {"text/plain": "\n".join(lines), "text/html": html.view(sheet + body, twin=True)}

    def _make_view(self) -> Any:
        from nbreg.panels.historyview import HistoryView

        return HistoryView(self)
