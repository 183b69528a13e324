"""A lineage as a picture: nodes in columns from data to deployments, as inline SVG without a script.

A column is what a node is. Versions stand newest first; the other columns are ordered by where
their neighbours stand, so that few lines cross. A hundred tickets of one version are some of them and a
node for the others: else the version would stand alone somewhere in the middle of them. A node can be
focused (by click or Tab), and a style rule then shows what it stands for below. The same nodes give the
same picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from nbreg.display import html
from nbreg.display.text import brief, count, escaped, listed
from nbreg.records import Edge, Node

COLUMNS: Final = (
    ("data", "feature-set", "code"),
    ("run",),
    ("parent",),
    ("version",),
    ("stage", "child"),
    ("deployment", "link"),
    ("decisions",),
)
MOST: Final = 400
"""Nodes of a picture; whoever asks for more is told that there are."""

ALIKE: Final = 6
"""Nodes of one kind that lead to the same node and to no other, before the rest of them are one."""
MOST_NAMED: Final = 60
"""Of the rest, those that are told by name."""

WIDTH: Final = 148
HEIGHT: Final = 24
_GAP: Final = 36
_STEP: Final = 31
_EDGE: Final = 10
_HEAD: Final = 22
_CHARACTERS: Final = 19
_SWEEPS: Final = 4


class Placed(NamedTuple):
    """A node with the upper left corner of its box."""

    node: Node
    x: int
    y: int


class Layout(NamedTuple):
    """Where everything is, and how large the picture is; what columns are called stands above it."""

    placed: list[Placed]
    edges: list[Edge]
    titles: list[tuple[int, str]]
    width: int
    height: int


def gathered(nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[list[Node], list[Edge]]:
    """The same lineage with few nodes that are alike: of many, one stands for those beyond the first."""
    near: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        near[edge.source].add(edge.target)
        near[edge.target].add(edge.source)
    alike: dict[tuple[str, str], list[Node]] = defaultdict(list)
    for node in nodes:
        if node.kind != "version" and len(near[node.id]) == 1:
            alike[node.kind, min(near[node.id])].append(node)
    stands: dict[str, Node] = {}
    for (kind, other), group in alike.items():
        rest = group[ALIKE:]
        if len(rest) > 1:
            label = f"{len(rest)} more"
            told = listed((each.label for each in rest), MOST_NAMED)
            one = Node(id=f"{kind} of {other}", kind=group[0].kind, label=label, note=told)
            stands |= {each.id: one for each in rest}
    drawn = {stands.get(each.id, each).id: stands.get(each.id, each) for each in nodes}
    names = {each: node.id for each, node in stands.items()}
    lines = [(names.get(e.source, e.source), names.get(e.target, e.target), e.kind) for e in edges]
    return list(drawn.values()), [
        Edge(source=source, target=target, kind=kind) for source, target, kind in dict.fromkeys(lines)
    ]


def layout(nodes: Sequence[Node], edges: Sequence[Edge]) -> Layout:
    """Put nodes into columns and order them; what leads to no node that is there is left out."""
    nodes = list(nodes)[:MOST]
    there = {each.id for each in nodes}
    edges = [each for each in edges if each.source in there and each.target in there]
    columns = [[node for node in nodes if node.kind in kinds] for kinds in COLUMNS]
    columns = [column for column in columns if column]
    _order(columns, edges)
    longest = max((len(column) for column in columns), default=0)
    placed = [
        Placed(node, _EDGE + at * (WIDTH + _GAP), _offset(len(column), longest, row))
        for at, column in enumerate(columns)
        for row, node in enumerate(column)
    ]
    titles = [(_EDGE + at * (WIDTH + _GAP), _title(column)) for at, column in enumerate(columns)]
    width = 2 * _EDGE + len(columns) * (WIDTH + _GAP) - _GAP
    return Layout(placed, edges, titles, width, _EDGE + longest * _STEP)


def _offset(amount: int, longest: int, row: int) -> int:
    """Short columns are spread over the height, so that their lines are short."""
    return int((row + 0.5) * longest / amount * _STEP - HEIGHT / 2)


def _title(column: Sequence[Node]) -> str:
    kinds = list(dict.fromkeys(node.kind for node in column))
    return ", ".join(_WORDS.get(each, each) for each in kinds)


_WORDS: Final = {
    "feature-set": "features",
    "run": "runs",
    "parent": "derived from",
    "version": "versions",
    "stage": "stages",
    "child": "derived",
    "deployment": "deployed",
    "link": "links",
    "decisions": "decided",
}


def _order(columns: list[list[Node]], edges: Sequence[Edge]) -> None:
    """Sort each column by the mean place of its neighbours, again and again; versions stay as they came."""
    near = defaultdict(list)
    for edge in edges:
        near[edge.source].append(edge.target)
        near[edge.target].append(edge.source)
    for _ in range(_SWEEPS):
        place = {node.id: (row + 0.5) / len(column) for column in columns for row, node in enumerate(column)}
        for column in columns:
            if column[0].kind != "version":
                column.sort(key=lambda node: _mean(place, near[node.id], place[node.id]))


def _mean(place: Mapping[str, float], neighbours: Sequence[str], here: float) -> float:
    return sum(place[each] for each in neighbours) / len(neighbours) if neighbours else here


# the picture


def graph(title: str, nodes: Sequence[Node], edges: Sequence[Edge]) -> str:
    """The picture in a frame that scrolls below the names of its columns, a way to see the whole of it,
    and what each node stands for."""
    drawn, lines = gathered(nodes, edges)
    made = layout(drawn, lines)
    if not made.placed:
        return html.quiet("nothing is known of its lineage")
    left_out = len(drawn) - len(made.placed)
    more = html.quiet(f"and {count(left_out, 'node')} more, which are not drawn") if left_out else ""
    known = {each.id for each in nodes}
    details = "".join(
        _detail(at, each.node, *((nodes, edges) if each.node.id in known else (drawn, lines)))
        for at, each in enumerate(made.placed)
    )
    rules = "".join(_rules(number) for number in range(len(made.placed)))
    return (
        f'<div class="nbreg-graph"><style>{rules}</style><div class="nbreg-scroll">{_svg(title, made)}</div>'
        '<details class="nbreg-whole-graph"><summary>fit into the width</summary></details>'
        f'<div class="nbreg-details"><div class="nbreg-quiet nbreg-hint">click a node, or Tab to it, to see '
        f"what it stands for</div>{details}</div>{more}</div>"
    )


def _rules(number: int) -> str:
    """What a node that is focused shows: what it stands for, and which lines are its own."""
    chosen = f".nbreg-view .nbreg-graph:has(.n{number}:focus)"
    own = f"{chosen} svg path.a{number}"
    return f"{chosen} .d{number}{{display:block}}{own}{{opacity:1;stroke:var(--nbreg-info);stroke-width:1.8}}"


def _svg(title: str, made: Layout) -> str:
    at = {each.node.id: (number, each) for number, each in enumerate(made.placed)}
    lines = "".join(_line(*at[edge.source], *at[edge.target], edge.kind) for edge in made.edges)
    boxes = "".join(_box(number, each) for number, each in enumerate(made.placed))
    heads = "".join(_head(x, title) for x, title in made.titles)
    told = f"lineage of {brief(title)}: {count(len(made.placed), 'node')}, {count(len(made.edges), 'line')}"
    columns = f"from left to right: {listed(title for _, title in made.titles)}"
    return (
        f'<svg class="nbreg-heads" role="img" aria-label="{escaped(columns)}" width="{made.width}" '
        f'height="{_HEAD}" viewBox="0 0 {made.width} {_HEAD}">{heads}</svg>'
        f'<svg class="nbreg-lineage" role="group" aria-label="{escaped(told)}" width="{made.width}" '
        f'height="{made.height}" viewBox="0 0 {made.width} {made.height}">{lines}{boxes}</svg>'
    )


def _head(x: int, title: str) -> str:
    return f'<text class="nbreg-tick" x="{x}" y="14">{escaped(title, 40)}</text>'


def _line(first: int, source: Placed, last: int, target: Placed, kind: str) -> str:
    """From right to left side; within a column a bow on the left."""
    x1, y1 = source.x + WIDTH, source.y + HEIGHT // 2
    x2, y2 = target.x, target.y + HEIGHT // 2
    if source.x == target.x:
        bow = min(_GAP - 6, 14 + abs(y2 - y1) // 12)
        path = f"M{x2} {y1}C{x2 - bow} {y1} {x2 - bow} {y2} {x2} {y2}"
    else:
        middle = _GAP * 2 // 3 if x2 > x1 else -_GAP
        path = f"M{x1} {y1}C{x1 + middle} {y1} {x2 - middle} {y2} {x2} {y2}"
    css = "nbreg-line nbreg-past" if kind == "held" else "nbreg-line"
    return f'<path class="{css} a{first} a{last}" d="{path}"/>'


def _box(number: int, each: Placed) -> str:
    node = each.node
    shown = _short(node)
    told = " · ".join(word for word in (node.kind, node.label, node.note) if word)
    return (
        f'<g class="nbreg-node nbreg-is-{node.kind} n{number}" tabindex="0" role="button" '
        f'aria-label="{escaped(told)}"><title>{escaped(told)}</title>'
        f'<rect x="{each.x}" y="{each.y}" width="{WIDTH}" height="{HEIGHT}" rx="4"/>'
        f'<text x="{each.x + 9}" y="{each.y + 16}">{escaped(shown, 40)}</text></g>'
    )


def _short(node: Node) -> str:
    """The label, of data with its shape: there are many trainings of one name."""
    shape = next((word for word in node.note.split(" · ") if "×" in word), "")
    text = f"{node.label} {shape}".strip() if node.kind == "data" else node.label
    room = _CHARACTERS - (node.kind == "version")  # in bold
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _detail(number: int, node: Node, nodes: Sequence[Node], edges: Sequence[Edge]) -> str:
    label = {each.id: each.label for each in nodes}
    before = [label[e.source] for e in edges if e.target == node.id and e.source in label]
    after = [label[e.target] for e in edges if e.source == node.id and e.target in label]
    kind, ref = (node.kind, node.ref) if node.kind != "decisions" else ("", "")  # the version's
    rows = [("ref", ref), ("what", node.note), ("from", listed(before)), ("led to", listed(after))]
    if node.kind == "decisions" and before:
        rows.append(("list", f'registry.decided_by("{before[0]}")'))
    body = html.heading(node.label, kind) + html.facts([row for row in rows if row[1]])
    return f'<div class="nbreg-detail d{number}">{body}</div>'


def graph_text(nodes: Sequence[Node], edges: Sequence[Edge]) -> str:
    """The same in words: a line for each version, with what came before it and what became of it."""
    return "\n".join(_told(nodes, edges))


def _told(nodes: Sequence[Node], edges: Sequence[Edge]) -> Iterator[str]:
    label = {each.id: each.label for each in nodes}
    for node in nodes[:MOST]:
        if node.kind != "version":
            continue
        before = [label[e.source] for e in edges if e.target == node.id and e.source in label]
        after = [label[e.target] for e in edges if e.source == node.id and e.target in label]
        yield " ".join(
            word
            for word in (
                brief(node.label),
                f"← {listed(before)}" if before else "",
                f"→ {listed(after)}" if after else "",
            )
            if word
        )
