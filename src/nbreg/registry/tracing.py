"""Lineage: where a version comes from and what became of it, as nodes and edges."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from nbreg.display.lineage import LineageView
from nbreg.errors import NbregError
from nbreg.names import parse_reference
from nbreg.records import (
    Data,
    Edge,
    Git,
    Link,
    Manifest,
    Node,
    Pointer,
    RunLink,
    Source,
    StageRow,
    UsedDataset,
    VersionRow,
)
from nbreg.registry.auditing import used_data
from nbreg.registry.belonging import deployments, links, uses
from nbreg.registry.ground import parts, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.serving import decided

_Found = tuple[Node, str, bool]
"""A node, the kind of its edge, and whether it comes before the version."""


def lineage(desk: Desk, ref: str) -> LineageView:
    """Trace a version; see `Registry.lineage`."""
    entry = reading.get(desk, ref)
    manifest = parts.manifest(desk, entry)
    me = Node(
        id=f"version:{entry.row.id[:16]}",
        kind="version",
        label=entry.ref,
        ref=f"{entry.model}@sha256:{entry.row.id}",
        note=entry.row.message or entry.row.bump_reason,
    )
    found = list(_around(desk, entry, manifest))
    before = [node for node, _, is_before in found if is_before]
    after = [node for node, _, is_before in found if not is_before]
    edges = [
        Edge(source=node.id, target=me.id, kind=kind)
        if is_before
        else Edge(source=me.id, target=node.id, kind=kind)
        for node, kind, is_before in found
    ]
    return LineageView(ref=entry.ref, nodes=[*before, me, *after], edges=edges)


def _around(desk: Desk, entry: Entry, manifest: Manifest) -> Iterator[_Found]:
    for used in used_data(desk, manifest):
        yield _data(used), "trained-on" if used.role in ("", "train") else "judged-on", True
    if features := _feature_set(desk, entry, manifest):
        yield features, "features", True
    with suppress(NbregError):
        if git := parts.captured(desk, entry, manifest.source, Source).git:
            yield _code(git), "code", True
    if manifest.run is not None:
        yield _run(manifest.run), "made-by", True
    if manifest.parent:
        yield _parent(desk, manifest.parent), "derived-from", True
    yield from ((child, "derived-from", False) for child in _children(desk, entry))
    yield from ((stage, "holds", False) for stage in _stages(desk, entry))
    for each in deployments.of(entry.database, entry.number):
        since = each.since[:10]
        note = f"from {since} to {each.ended[:10]}" if each.ended else f"{each.status} since {since}"
        node = Node(id=f"deployment:{each.id}", kind="deployment", label=each.where, ref=each.url, note=note)
        yield node, "deployed-at", False
    yield from ((_link(each), "linked", False) for each in links.of(entry.database, entry.number))
    if told := decided.note_of(desk, entry.row.id):
        yield _decisions(entry, *told), "decided", False


def _data(used: UsedDataset) -> Node:
    shape = "×".join(map(str, used.summary.get("shape") or ()))
    told = (used.role, shape, "inferred" if used.inferred else "", used.origin)
    return Node(
        id=f"data:{used.snapshot[:16] or used.name}:{used.name}",
        kind="data",
        label=", ".join(used.datasets) or used.name,
        ref=used.datasets[0] if used.datasets else f"sha256:{used.snapshot}" if used.snapshot else "",
        note=" · ".join(word for word in told if word),
    )


def _feature_set(desk: Desk, entry: Entry, manifest: Manifest) -> Node | None:
    digest = ""
    with suppress(NbregError):
        digest = parts.captured(desk, entry, manifest.data, Data).feature_set
    found = uses.feature_set(entry.database, digest)
    if found is None:
        return None
    return Node(
        id=f"features:{digest[:16]}",
        kind="feature-set",
        label=f"feature set {found.number}",
        ref=f"sha256:{digest}",
        note=f"{found.features} features",
    )


def _code(git: Git) -> Node:
    told = (git.branch, "with uncommitted changes" if git.dirty else "")
    return Node(
        id=f"code:{git.commit[:16]}",
        kind="code",
        label=f"git {git.commit[:10]}",
        ref=git.commit,
        note=" · ".join(word for word in told if word),
    )


def _run(run: RunLink) -> Node:
    told = (run.kind, run.experiment, run.started_at[:16].replace("T", " "))
    return Node(
        id=f"run:{run.id[:16]}",
        kind="run",
        label=run.name or f"run {run.id[:12]}",
        ref=run.id,
        note=" · ".join(word for word in told if word),
    )


def _parent(desk: Desk, parent_id: str) -> Node:
    """The version that it was derived from, which may be of any model; by its id where it is not here."""
    node = Node(id=f"version:{parent_id[:16]}", kind="parent", label=f"sha256:{parent_id[:12]}")
    for model in desk.models():
        with suppress(NbregError):
            database = desk.model(model.name)
            pointer = database.row("ids", parent_id, Pointer)
            row = database.row("versions", pointer.number, VersionRow) if pointer else None
            if row is not None:
                label = Entry(model.name, database, row).ref
                return Node(id=node.id, kind="parent", label=label, ref=f"{model.name}@sha256:{parent_id}")
    return node


def _children(desk: Desk, entry: Entry) -> Iterator[Node]:
    for child in uses.children(desk, entry.row.id):
        yield Node(
            id=f"version:{child.row.id[:16]}:{child.model}@{child.number}",
            kind="child",
            label=child.ref,
            ref=f"{child.model}@sha256:{child.row.id}",
        )


def _stages(desk: Desk, entry: Entry) -> Iterator[Node]:
    """The stage that it is in, and those that it alone held before."""
    row = entry.row
    if row.stage != desk.stages[0]:
        held = entry.database.row("stages", row.stage, StageRow)
        since = held.at[:10] if held is not None and held.number == row.number else ""
        note = f"since {since}" if since else ""
        yield Node(
            id=f"stage:{row.stage}", kind="stage", label=row.stage, ref=_by_stage(desk, entry), note=note
        )
    for stage in row.stages_held:
        if stage != row.stage:
            yield Node(id=f"stage:{stage}", kind="stage", label=stage, note="before")


def _by_stage(desk: Desk, entry: Entry) -> str:
    ref = f"{entry.model}@{entry.row.stage}"
    with suppress(NbregError):
        parse_reference(ref)
        if reading.get(desk, ref).number == entry.number:
            return ref
    return ""


def _link(each: Link) -> Node:
    return Node(
        id=f"link:{each.id}", kind="link", label=each.title or each.target, ref=each.target, note=each.kind
    )


def _decisions(entry: Entry, amount: str, since: str) -> Node:
    return Node(
        id=f"decisions:{entry.row.id[:16]}",
        kind="decisions",
        label=amount,
        ref=f"{entry.model}@sha256:{entry.row.id}",
        note=since,
    )
