"""The widgets of the environment's drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbreg.display import html
from nbreg.panels import front
from nbreg.panels.parts import Parts

if TYPE_CHECKING:
    from nbreg.panels.drift import Drift


class DriftView:
    """The table, looked at again after something was installed, and the way out beside it."""

    def __init__(self, panel: Drift) -> None:
        self._panel = panel
        self._parts = parts = Parts(lambda message, hint: self._say(message, hint, done=False))
        self._head, top = parts.heading(panel.close, ("look again", self._again))
        self._body = parts.html()
        self._name = parts.text("name of a variable", width="150px")
        parts.quietly(lambda: setattr(self._name, "value", "model"))
        tooltip = "a process with the recorded environment answers; making it may take minutes"
        isolate = parts.button("answer from its own environment as", self._isolated, tooltip=tooltip)
        self._row = parts.box("row", isolate, self._name)
        self._result = parts.html()
        self.root = parts.box(
            "column", top, self._body, self._row, self._result, css="nbreg-view nbreg-panel"
        )
        self._show()

    def _show(self) -> None:
        items = self._panel.look()
        self._head.value = self._parts.sheet() + self._panel.head(items)
        self._body.value = self._panel.body(items)
        self._parts.hide(self._row, hidden=not items)

    def _again(self) -> None:
        self._show()
        self._result.value = ""
        front.keep_twin(self._panel)

    def _isolated(self) -> None:
        name = front.variable_name(self._name.value)
        self._say("working: its environment is made or found", "", done=True)
        self._say(self._panel.isolate(name), "", done=True)

    def _say(self, message: str, hint: str, *, done: bool) -> None:
        self._result.value = html.said(message, hint, done=done)

    def close(self) -> None:
        """Let go of everything."""
        self._parts.close()
