"""The widgets of a lineage: the picture, and the card of the version that is chosen below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbreg.display import html
from nbreg.display.text import brief
from nbreg.panels import front
from nbreg.panels.parts import Parts
from nbreg.panels.version import detail_of
from nbreg.panels.watching import Watch

if TYPE_CHECKING:
    from nbreg.panels.lineage import Lineage


class LineageView:
    """The picture; a version of it is opened as a card."""

    def __init__(self, panel: Lineage) -> None:
        self._panel = panel
        self._parts = parts = Parts(lambda message, hint: self._say(message, hint))
        self._picture = parts.html(parts.sheet(), width="100%")
        self._which = parts.dropdown(self._opened, label="version to open", width="220px")
        close = parts.button("close", panel.close)
        self._notice = parts.html()
        self._card = parts.html()
        row = parts.box("row", self._which, close)
        rows = (self._picture, row, self._notice, self._card)
        self.root = parts.box("column", *rows, css="nbreg-view nbreg-panel nbreg-wide")
        look = lambda: panel.registry.seen(panel.model)  # noqa: E731
        self._watch = Watch(look, parts.guarded(self._changed))
        self._show()
        self._watch.start()

    def _show(self) -> None:
        nodes, edges = self._panel.look()
        self._picture.value = self._parts.sheet() + self._panel.body(nodes, edges)
        kinds = ("version", "parent", "child")
        refs = [(brief(each.label, 60), each.ref) for each in nodes if each.kind in kinds and each.ref]
        self._parts.quietly(lambda: self._offer([("open a version", ""), *refs]))

    def _offer(self, options: list[tuple[str, str]]) -> None:
        last = self._which.value
        self._which.options = options
        self._which.value = last if last in [ref for _, ref in options] else ""

    def _opened(self) -> None:
        self._say("")
        self._card.value = ""
        if ref := self._which.value:
            version = self._panel.registry.get(ref)
            self._card.value = f'<div class="nbreg-parting">{detail_of(version).body()}</div>'
        self._watch.touch()

    def _changed(self) -> None:
        self._show()
        front.keep_twin(self._panel)

    def _say(self, message: str, hint: str = "") -> None:
        self._notice.value = html.said(message, hint, done=False)

    def close(self) -> None:
        """Let go of everything."""
        self._watch.close()
        self._parts.close()
