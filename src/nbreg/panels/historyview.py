"""The widgets of the history panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nbreg.display import VersionDetail, html, label, timeline
from nbreg.display.text import brief
from nbreg.errors import NbregError
from nbreg.panels import front
from nbreg.panels.history import PAGE
from nbreg.panels.parts import Parts
from nbreg.panels.stages import Stages
from nbreg.panels.stagesview import StagesView
from nbreg.panels.watching import Watch
from nbreg.records import Timeline, VersionRow

if TYPE_CHECKING:
    from nbreg.panels.history import History, Seen

_EXAMPLE: Final = 'filter: metrics.accuracy > 0.9 and stage == "staging"'

ROOM: Final = 12
"""Characters of a button."""


class HistoryView:
    """One panel on the screen; it asks its `History` what there is, and is told what was clicked."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._parts = Parts(self._trouble)
        self._stages: StagesView | None = None
        self._rest = 0
        self._shown: list[int] = []
        self._watch = Watch(lambda: history.registry.seen(history.model), self._parts.guarded(self._changed))
        self._build()
        self.refresh()
        self._watch.start()

    # what it is made of

    def _build(self) -> None:
        parts = self._parts
        self._head, top = parts.heading(self._history.close, ("refresh", self._again))
        self._filter = parts.text(
            _EXAMPLE,
            self._filtered,
            label="filter versions by a query",
            flex="1 1 280px",
            width="auto",
            min_width="160px",
        )
        self._metric = parts.dropdown(self._measured, label="metric of the plot", width="150px")
        bar = parts.box("row", self._filter, self._metric)
        self._notice = parts.html()
        self._plot = parts.html()
        self._names = [parts.toggle(self._pressed, width="100%") for _ in range(PAGE)]
        column = parts.box("column", *self._names, width="112px", flex="0 0 112px")
        self._rows = parts.html(flex="1 1 0", width="auto")
        body = parts.box("row", column, self._rows, flex_flow="row nowrap", align_items="flex-start")
        self._newer = parts.button("newer", self._turn_newer)
        self._older = parts.button("older", self._turn_older)
        self._where = parts.html(flex="1 1 auto", width="auto")
        pager = parts.box("row", self._newer, self._older, self._where)
        self._title = parts.html()
        self._controls = parts.box("column")
        self._detail = parts.html()
        chosen = (self._title, self._controls, self._detail)
        above = (top, bar, self._notice, self._plot, body, pager)
        self.root = parts.box("column", *above, *chosen, css="nbreg-view nbreg-panel")

    # what is clicked

    def _filtered(self) -> None:
        self._history.filter(self._filter.value)
        self.refresh()

    def _measured(self) -> None:
        self._history.metric = self._metric.value or ""
        self.refresh()

    def _pressed(self, button: Any) -> None:
        before = self._history.chosen
        self._history.choose(self._shown[self._names.index(button)])
        self._said("")
        self._show_names()
        try:
            self._show_chosen()
        except NbregError:  # deleted, or damaged: what was chosen before it stays
            self._history.chosen = before
            self._show_names()
            self._show_chosen()
            raise
        front.keep_twin(self._history)
        self._watch.touch()

    def _turn_older(self) -> None:
        self._history.older(self._rest)
        self.refresh()

    def _turn_newer(self) -> None:
        self._history.newer()
        self.refresh()

    def _again(self) -> None:
        self.refresh()
        self._show_chosen()

    def close(self) -> None:
        """Let go of everything."""
        self._watch.close()
        self._parts.close()

    # what is seen

    def refresh(self) -> None:
        """Read and show what there is now."""
        seen = self._history.look()
        self._watch.know()
        self._watch.touch()
        self._said("")
        self._show(seen)

    def _changed(self) -> None:
        """Somebody wrote: here, or in another kernel."""
        self._show(self._history.look())
        self._show_chosen()
        front.keep_twin(self._history)

    def _show(self, seen: Seen) -> None:
        history, items = self._history, seen.page.items
        self._head.value = self._parts.sheet() + timeline.summary(seen.model, seen.holders)
        self._show_metrics(seen.metrics)
        self._plot.value = seen.plot
        self._rows.value = timeline.rows(items, history.metric)
        self._shown = [each.event.number or 0 for each in items]
        self._texts = [
            (_short(each.version), timeline.is_beginning(each)) if each.version else None for each in items
        ]
        self._show_names()
        self._rest = seen.page.rest
        self._newer.disabled, self._older.disabled = history.is_at_start, not self._rest
        self._where.value = html.quiet(self._said_below(seen.page))

    def _said_below(self, page: Timeline) -> str:
        if bound := self._history.bound_told(page):
            return bound
        if not page.items:
            return "nothing is like that" if self._history.query else "nothing has happened yet"
        return "" if self._history.chosen else "press a version to see it, another one to compare the two"

    def _show_metrics(self, metrics: list[str]) -> None:
        options = [(brief(name, 60), name) for name in metrics]
        self._parts.quietly(lambda: self._set_metrics(options))
        self._parts.hide(self._metric, hidden=len(metrics) < 2)

    def _set_metrics(self, options: list[tuple[str, str]]) -> None:
        if list(self._metric.options) != options:
            self._metric.options = options
        if options:
            self._metric.value = self._history.metric

    def _show_names(self) -> None:
        self._parts.quietly(self._set_names)

    def _set_names(self) -> None:
        for index, button in enumerate(self._names):
            told = self._texts[index] if index < len(self._texts) else None
            self._parts.hide(button, hidden=index >= len(self._shown))
            if told is None:
                button.disabled, button.description, button.value = True, "", False
                continue
            text, begins = told
            with button.hold_sync():
                pressed = self._shown[index] in self._history.chosen
                button.disabled = False
                button.description = brief(text, 60)
                button.tooltip = brief(f"{text}, chosen" if pressed else f"{text}: show it", 200)
                button.value = pressed
            if begins:
                button.remove_class("nbreg-again")
            elif "nbreg-again" not in button._dom_classes:
                button.add_class("nbreg-again")

    def _show_chosen(self) -> None:
        if len(self._history.chosen) == 1:
            self._show_version()
            return
        self._controls.children, self._title.value = (), ""
        if not self._history.chosen:
            self._detail.value = ""
        else:
            difference = self._history.difference()
            self._detail.value = f'<div class="nbreg-parting">{difference.body()}</div>'

    def _show_version(self) -> None:
        history = self._history
        version = history.version(history.chosen[0])
        row = version.row
        manifest = None if row.purged else version.manifest
        detail = VersionDetail(version.model, row, manifest, aliases=version.aliases, proof=version.proof)
        curves = history.curves(version)
        self._title.value = f'<div class="nbreg-parting">{detail.heading()}</div>'
        self._detail.value = curves + detail.facts()
        if self._stages is None:
            self._stages = StagesView(Stages(version, history.registry), self._parts, self._moved)
        else:
            self._stages.turn_to(version)
        self._controls.children = (self._stages.root,)

    def _moved(self) -> None:
        """A version was moved here: show it without waiting for the watch."""
        self._show(self._history.look())
        self._watch.know()
        self._show_version()
        front.keep_twin(self._history)

    def _trouble(self, message: str, hint: str) -> None:
        self._said(message, hint)

    def _said(self, message: str, hint: str = "") -> None:
        body = html.said(message, hint, done=False)
        if self._notice.value != body:
            self._notice.value = body


def _short(row: VersionRow) -> str:
    """As long as a button is: the number is left out before the name is cut."""
    text = label(row.name, row.number)
    return text if len(text) <= ROOM or not row.name else brief(row.name, 60)
