"""Where a version or a whole model comes from and what became of it, as a picture to walk through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from nbreg.display import html
from nbreg.display.graph import graph, graph_text
from nbreg.display.style import FOLD_STYLE, GRAPH_STYLE, PANEL_STYLE
from nbreg.display.text import brief
from nbreg.errors import NbregError
from nbreg.panels.front import Shown
from nbreg.records import Edge, Node
from nbreg.records import Lineage as Traced
from nbreg.registry import ModelVersion, Registry

NEWEST: Final = 30
"""Versions of a model that are drawn; of the older ones those that hold a stage or are deployed."""


class Lineage(Shown):
    """Data, code, run and parent on the left, the version in the middle, on the right what became of it.

    With a model's name instead of a reference the whole model: its newest versions, those that
    hold a stage or are deployed, and one node that stands for the others. Raises what
    `Registry.get` or `Registry.model` does.
    """

    def __init__(self, ref: str | ModelVersion, registry: Registry | None = None) -> None:
        if isinstance(ref, ModelVersion):
            registry = registry or ref.registry
        self.registry = registry or Registry()
        text = "" if isinstance(ref, ModelVersion) else ref
        self.is_model = bool(text) and "@" not in text
        if self.is_model:
            self.model = self.registry.model(text).name
            self.title = self.model
        else:
            version = self.registry.get(ref)
            self.model, self.number, self.title = version.model, version.number, version.ref

    def look(self) -> tuple[list[Node], list[Edge]]:
        """What is known now."""
        if not self.is_model:
            traced = self.registry.lineage(f"{self.model}@{self.number}")
            return traced.nodes, traced.edges
        return self._of_model()

    def _of_model(self) -> tuple[list[Node], list[Edge]]:
        total = self.registry.model(self.model).versions
        newest = self.registry.versions(self.model, limit=NEWEST)
        shown = {each.number: each for each in newest}
        for number in self._in_use():
            shown.setdefault(number, self.registry.get(f"{self.model}@{number}"))
        traced = []
        for number in sorted(shown, reverse=True):
            try:
                traced.append(self.registry.lineage(shown[number]))
            except NbregError:
                continue  # one that is damaged or purged hides no other
        nodes, edges = merged(traced)
        if older := total - len(shown):
            told = f"{older} older version{'' if older == 1 else 's'}"
            note = "neither in use nor among the newest; %model_history has them"
            nodes.append(Node(id="older", kind="version", label=told, note=note))
        return nodes, edges

    def _in_use(self) -> list[int]:
        """The versions that hold a stage, and those that are deployed."""
        held = self.registry.model(self.model).stages.values()
        return [*held, *(each.number for each in self.registry.deployments(self.model))]

    # how it is shown

    def head(self) -> str:
        """What it is of."""
        return html.heading(self.title, "lineage")

    def body(self, nodes: list[Node], edges: list[Edge]) -> str:
        """The picture."""
        return graph(self.title, nodes, edges)

    def twin(self) -> dict[str, Any]:
        """The static form: the picture, which needs no kernel, and its text."""
        nodes, edges = self.look()
        sheet = f"<style>{PANEL_STYLE}{FOLD_STYLE}{GRAPH_STYLE}</style>"
        return {
            "text/plain": f"{brief(self.title)} · lineage\n{graph_text(nodes, edges)}",
            "text/html": html.view(sheet + self.head() + self.body(nodes, edges), twin=True),
        }

    def _make_view(self) -> Any:
        from nbreg.panels.lineageview import LineageView

        return LineageView(self)


def merged(traced: Sequence[Traced]) -> tuple[list[Node], list[Edge]]:
    """Several versions' lineages as one graph: what is the same thing is one node."""
    nodes = {node.id: node for each in traced for node in each.of_kind("version")}  # in their order
    edges: dict[tuple[str, str, str], Edge] = {}
    mine = {node.ref: node.id for each in traced for node in each.of_kind("version")}
    for each in traced:
        me = each.of_kind("version")[0]
        names: dict[str, str] = {}
        for node in each.nodes:
            name = _name(node, me, mine)
            names[node.id] = name
            was = node.note == "before" if node.kind == "stage" else False
            known = nodes.get(name)
            if known is None or (known.kind != "version" and node.kind == "version"):
                note = "" if node.kind == "stage" else node.note
                nodes[name] = msgspec.structs.replace(node, id=name, note=note)
            if was:
                names[node.id] += "|before"
        for edge in each.edges:
            past = names[edge.target].endswith("|before")
            kind = "held" if past else edge.kind
            source, target = names[edge.source], names[edge.target].removesuffix("|before")
            edges[source, target, kind] = Edge(source=source, target=target, kind=kind)
    return list(nodes.values()), list(edges.values())


def _name(node: Node, me: Node, mine: dict[str, str]) -> str:
    """A link is numbered within its version; a parent or child that is drawn itself is that version."""
    if node.kind == "link":
        return f"{me.id}:{node.id}"
    return mine.get(node.ref, node.id) if node.kind in ("parent", "child") else node.id
