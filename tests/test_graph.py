"""Lineage as a picture: pure, the same each time, legible when there is much of it, and of no one else's making."""

from __future__ import annotations

from itertools import combinations

from nbreg import Registry
from nbreg.display.graph import ALIKE, HEIGHT, MOST, WIDTH, gathered, graph, graph_text, layout
from nbreg.panels import Lineage
from nbreg.panels.lineage import NEWEST
from nbreg.records import Edge, Node

EVIL = "<script>alert(1)</script>\"'\x1b[31m\u202e"


def many(versions: int) -> tuple[list[Node], list[Edge]]:
    """A model with a data set, a run and a link for each version, and one feature set for all."""
    nodes = [
        Node(id="f", kind="feature-set", label="feature set 1"),
        Node(id="s", kind="stage", label="none"),
    ]
    edges = []
    for at in range(versions):
        nodes += [
            Node(id=f"v{at}", kind="version", label=f"m@{at}"),
            Node(id=f"d{at}", kind="data", label="train", note="train · 60×30"),
            Node(id=f"r{at}", kind="run", label=f"run {at}"),
            Node(id=f"l{at}", kind="link", label=f"T-{at}"),
        ]
        edges += [Edge(source=f"{each}{at}", target=f"v{at}", kind="made-by") for each in "dr"]
        edges += [
            Edge(source="f", target=f"v{at}", kind="features"),
            Edge(source=f"v{at}", target=f"l{at}", kind="linked"),
            Edge(source=f"v{at}", target="s", kind="holds"),
        ]
    return nodes, edges


def test_no_two_boxes_touch_and_none_is_outside_at_two_hundred_nodes() -> None:
    """What overlaps cannot be read."""
    made = layout(*many(50))
    assert len(made.placed) == 202
    for each in made.placed:
        assert 0 <= each.x <= made.width - WIDTH
        assert 0 <= each.y <= made.height - HEIGHT
    for one, other in combinations(made.placed, 2):
        assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT


def test_what_belongs_to_a_version_stands_beside_it() -> None:
    """Whatever order the registry told it in: lines are level, not a tangle."""
    nodes, edges = many(12)
    nodes = [each for each in nodes if each.kind == "version"] + [
        each for each in reversed(nodes) if each.kind != "version"
    ]
    at = {each.node.id: each.y for each in layout(nodes, edges).placed}
    assert all(at[f"r{number}"] == at[f"v{number}"] == at[f"l{number}"] for number in range(12))


def test_the_same_lineage_is_the_same_picture() -> None:
    """A notebook that runs again shows no difference where there is none."""
    assert graph("m", *many(20)) == graph("m", *many(20))


def test_more_than_is_drawn_is_said_and_an_edge_to_nowhere_is_none() -> None:
    """A picture that silently leaves things out would be believed."""
    shown = graph("m", *many(MOST))
    assert "more, which are not drawn" in shown
    lonely = [Node(id="v", kind="version", label="m@1")]
    assert not layout(lonely, [Edge(source="gone", target="v", kind="made-by")]).edges


def star(links: int) -> tuple[list[Node], list[Edge]]:
    """A version with as many tickets and sites, and data that leads to another version, too."""
    versions = [Node(id=f"v{at}", kind="version", label=f"m@{at}") for at in (1, 2)]
    told = [Node(id=f"l{at}", kind="link", label=f"T-{at}") for at in range(links)]
    sites = [Node(id=f"s{at}", kind="deployment", label=f"site {at}") for at in range(links)]
    data = Node(id="d", kind="data", label="train")
    edges = [Edge(source="v1", target=each.id, kind="linked") for each in (*told, *sites)]
    edges += [Edge(source="d", target=each.id, kind="trained-on") for each in versions]
    return [data, *versions, *told, *sites], edges


def test_a_hundred_tickets_of_one_version_are_some_and_one_for_the_others() -> None:
    """A column of two hundred boxes is six screens high, with the version alone in the middle of it."""
    nodes, edges = gathered(*star(100))
    labels = [each.label for each in nodes]
    assert labels[:4] == ["train", "m@1", "m@2", "T-0"]
    assert labels.count("94 more") == 2
    assert len(nodes) == 3 + 2 * (ALIKE + 1)
    assert layout(nodes, edges).height < 480  # what a notebook shows of it without scrolling
    shown = graph("m", *star(100))
    assert "T-59" in shown
    assert "T-0, T-1, T-2, T-3, T-4, T-5, T-6, T-7 and 192 more" in shown  # what the version led to
    assert "T-6</text>" not in shown


def test_what_need_not_be_gathered_is_not() -> None:
    """A node in the place of one other would say less in as much room; what two versions share is of both."""
    for nodes, edges in (star(ALIKE + 1), many(20)):
        assert gathered(nodes, edges) == (nodes, edges)


def test_names_in_a_picture_are_text() -> None:
    """A data set is called what a stranger called it."""
    nodes = [
        Node(id=EVIL, kind="data", label=EVIL, ref=EVIL, note=EVIL),
        Node(id="v", kind="version", label=EVIL),
    ]
    shown = graph(EVIL, nodes, [Edge(source=EVIL, target="v", kind="trained-on")])
    assert "<script>" not in shown
    assert "\x1b" not in shown + graph_text(nodes, [])
    assert "\u202e" not in shown


def test_a_models_lineage_is_one_graph(registry: Registry) -> None:
    """What two versions share is there once, and a parent that is drawn is the version itself."""
    first = registry.register("churn", {"w": 1.0})
    with registry.start_run() as run:
        second = run.register("churn", {"w": 2.0}, parent=first.ref)
    registry.promote(first, "production")
    registry.promote(second, "production")
    for each in (first, second):
        each.link("https://example.org/T-1", "ticket")
    registry.deploy(second, "eu-west")

    nodes, edges = Lineage("churn", registry).look()
    kinds = [each.kind for each in nodes]
    assert [kinds.count(each) for each in ("version", "stage", "link", "deployment", "parent", "child")] == [
        2, 2, 2, 1, 0, 0,
    ]  # fmt: skip
    known = {each.id: each.label for each in nodes}
    told = {(known[e.source], known[e.target], e.kind) for e in edges}
    assert ("churn@1.0.0", "churn@1.1.0", "derived-from") in told
    assert ("churn@1.0.0", "production", "held") in told
    assert ("churn@1.1.0", "production", "holds") in told
    text = Lineage("churn", registry).twin()["text/plain"]
    assert "eu-west" in text


def test_old_versions_are_one_node_unless_they_are_in_use(registry: Registry) -> None:
    """A picture of ten thousand versions is of the newest, and of those that matter."""
    for value in range(NEWEST + 5):
        registry.register("churn", {"w": float(value)}, metrics={"auc": value / 100})
    registry.promote("churn@1", "production")
    nodes, _ = Lineage("churn", registry).look()
    versions = [each.label for each in nodes if each.kind == "version"]
    assert len(versions) == NEWEST + 2
    assert versions[-1] == "4 older versions"
    assert "churn@1.0.0" in versions
