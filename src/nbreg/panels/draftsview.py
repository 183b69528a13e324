"""The widgets of the drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbreg.display import html
from nbreg.panels import front
from nbreg.panels.drafts import limit_told
from nbreg.panels.parts import Parts

if TYPE_CHECKING:
    from nbreg.panels.drafts import Drafts


class DraftsView:
    """The list, and below it what is done with the one that is chosen."""

    def __init__(self, panel: Drafts) -> None:
        self._panel = panel
        self._sure: int | None = None
        self._parts = parts = Parts(lambda message, hint: self._say(message, hint, done=False))
        self._head, top = parts.heading(panel.close, ("look again", self._again))
        self._list = parts.html()
        self._which = parts.dropdown(self._chosen, label="draft", width="320px", max_width="100%")
        self._drop = parts.button("drop it", self._dropped, tooltip="take it away: it cannot be had back")
        self._model = parts.text("name of the model", width="170px")
        self._message = parts.text("message for people", flex="1 1 180px", width="auto", min_width="140px")
        register = parts.button("register as", self._registered, primary=True)
        first = parts.box("row", self._which, self._drop)
        second = parts.box("row", register, self._model, self._message)
        self._form = parts.box("column", first, second)
        self._result = parts.html()
        rows = (top, self._list, self._form, self._result)
        self.root = parts.box("column", *rows, css="nbreg-view nbreg-panel nbreg-wide")
        self._show()

    # what is clicked

    def _chosen(self) -> None:
        self._let_go()
        self._result.value = ""

    def _registered(self) -> None:
        self._let_go()
        told = self._panel.register(self._which.value, self._model.value, self._message.value)
        self._message.value = ""
        self._done(told)

    def _dropped(self) -> None:
        number = self._which.value
        if self._sure != number:
            self._sure = number
            self._drop.description = "drop it for good"
            self._say(self._panel.told(number), "press again to drop it: it cannot be had back", done=False)
            return
        self._let_go()
        self._done(self._panel.drop(number))

    def _again(self) -> None:
        self._let_go()
        self._done("")

    def _done(self, told: str) -> None:
        self._show()
        self._say(told, "", done=True)
        front.keep_twin(self._panel)

    def _let_go(self) -> None:
        self._sure = None
        self._drop.description = "drop it"

    # what is seen

    def _show(self) -> None:
        table = self._panel.look()
        choices = self._panel.choices(table)
        self._head.value = self._parts.sheet() + table.head()
        # What scrolls sideways in a narrow window is reached by Tab, too.
        lines = f'<div tabindex="0" style="overflow-x: auto; padding-bottom: 6px">{table.lines()}</div>'
        self._list.value = lines + limit_told(table)
        self._parts.quietly(lambda: self._choose(choices))
        self._parts.hide(self._form, hidden=not choices)

    def _choose(self, choices: list[tuple[str, int]]) -> None:
        last = self._which.value
        self._which.options = choices
        numbers = [number for _, number in choices]
        if numbers:
            self._which.value = last if last in numbers else numbers[0]

    def _say(self, message: str, hint: str, *, done: bool) -> None:
        self._result.value = html.said(message, hint, done=done)

    def close(self) -> None:
        """Let go of everything."""
        self._parts.close()
