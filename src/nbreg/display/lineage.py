"""A version's lineage as people see it: what came before it, and what became of it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from nbreg.display import html
from nbreg.display.text import brief
from nbreg.records import Edge, Lineage, Node

LINEAGE_MIME = "application/vnd.nbreg.lineage+json"
MOST: Final = 200
"""Nodes that are shown."""

_WORDS: Final = {
    "trained-on": "trained on",
    "judged-on": "judged on",
    "features": "features",
    "code": "code",
    "made-by": "made by",
    "derived-from": "derived from",
    "holds": "stage",
    "deployed-at": "deployed at",
    "linked": "linked",
    "decided": "decided",
}


class LineageView(Lineage, frozen=True, kw_only=True):
    """A `Lineage` that shows itself."""

    def __repr__(self) -> str:
        rows = self._rows()
        width = max((len(name) for name, _ in rows), default=0)
        return "\n".join([brief(self.ref), *(f"  {name.ljust(width)}  {text}" for name, text in rows)])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        nodes = [msgspec.to_builtins(each) for each in self.nodes[:MOST]]
        known = {each["id"] for each in nodes}
        edges = [msgspec.to_builtins(each) for each in self.edges if {each.source, each.target} <= known]
        return {
            "text/plain": repr(self),
            "text/html": html.view(html.heading(self.ref, "lineage") + html.facts(self._rows()), card=True),
            LINEAGE_MIME: {"ref": self.ref, "nodes": nodes, "edges": edges},
        }

    def _rows(self) -> list[tuple[str, str]]:
        """What came before, then what became of it: `trained on`, and what it was."""
        me = next((each.id for each in self.nodes if each.kind == "version"), "")
        nodes = {each.id: each for each in self.nodes}
        before = [(_word(e, before=True), _told(nodes[e.source])) for e in self.edges if e.target == me]
        after = [(_word(e, before=False), _told(nodes[e.target])) for e in self.edges if e.source == me]
        return [*before, *after][:MOST]


def _word(edge: Edge, *, before: bool) -> str:
    if edge.kind == "derived-from" and not before:
        return "parent of"
    return _WORDS.get(edge.kind, brief(edge.kind, 40))


def _told(node: Node) -> str:
    """The label with its note, and where it leads if that says more."""
    address = (
        f" · {brief(node.ref)}" if node.kind in ("link", "deployment") and node.ref != node.label else ""
    )
    note = f" · {brief(node.note)}" if node.note else ""
    return f"{brief(node.label)}{note}{address if node.ref else ''}"
