"""The widgets of a lineage: the picture, and below it a version's card, or what it decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from nbreg.display import html
from nbreg.display.style import GRAPH_STYLE
from nbreg.display.text import brief
from nbreg.panels import front
from nbreg.panels.parts import Parts
from nbreg.panels.version import detail_of
from nbreg.panels.watching import Watch
from nbreg.records import Edge, Node

if TYPE_CHECKING:
    from nbreg.panels.lineage import Lineage


LISTED: Final = 50
"""Answers of a version that are listed."""


class _Choice(NamedTuple):
    kind: str
    ref: str


_NOTHING: Final = _Choice("", "")


def _choices(nodes: Sequence[Node], edges: Sequence[Edge]) -> list[tuple[str, _Choice]]:
    """The versions that are drawn, then what each of them decided."""
    label = {each.id: brief(each.label, 60) for each in nodes}
    versions = [
        (label[each.id], _Choice("version", each.ref))
        for each in nodes
        if each.kind in ("version", "parent", "child") and each.ref
    ]
    of = {edge.target: label.get(edge.source, "") for edge in edges if edge.kind == "decided"}
    decided = [
        (f"what {of.get(each.id)} decided", _Choice("decisions", each.ref))
        for each in nodes
        if each.kind == "decisions"
    ]
    return [*versions, *decided]


class LineageView:
    """The picture; a version of it is opened as a card."""

    def __init__(self, panel: Lineage) -> None:
        self._panel = panel
        self._parts = parts = Parts(lambda message, hint: self._say(message, hint))
        self._head, top = parts.heading(panel.close)
        self._head.value = parts.sheet(GRAPH_STYLE) + panel.head()
        self._picture = parts.html(width="100%")
        self._which = parts.dropdown(self._opened, label="version or decisions to open", width="260px")
        self._notice = parts.html()
        self._card = parts.html()
        rows = (top, self._picture, self._which, self._notice, self._card)
        self.root = parts.box("column", *rows, css="nbreg-view nbreg-panel nbreg-wide")
        look = lambda: panel.registry.seen(panel.model)  # noqa: E731
        self._watch = Watch(look, parts.guarded(self._changed))
        self._show()
        self._watch.start()

    def _show(self) -> None:
        nodes, edges = self._panel.look()
        self._picture.value = self._panel.body(nodes, edges)
        self._parts.quietly(lambda: self._offer([("open a version", _NOTHING), *_choices(nodes, edges)]))

    def _offer(self, options: list[tuple[str, _Choice]]) -> None:
        last = self._which.value
        self._which.options = options
        self._which.value = last if last in [choice for _, choice in options] else _NOTHING

    def _opened(self) -> None:
        self._say("")
        self._card.value = ""
        if self._which.value != _NOTHING:
            self._card.value = f'<div class="nbreg-parting">{self._body_of(self._which.value)}</div>'
        self._watch.touch()

    def _body_of(self, choice: _Choice) -> str:
        registry = self._panel.registry
        if choice.kind == "decisions":
            return registry.decided_by(choice.ref, limit=LISTED).body()
        return detail_of(registry.get(choice.ref)).body()

    def _changed(self) -> None:
        self._show()
        front.keep_twin(self._panel)

    def _say(self, message: str, hint: str = "") -> None:
        self._notice.value = html.said(message, hint, done=False)

    def close(self) -> None:
        """Let go of everything."""
        self._watch.close()
        self._parts.close()
