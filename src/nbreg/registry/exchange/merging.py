"""Take in what another registry has: the way two git branches of one registry come together.

Chains cannot be spliced, so the other side's versions are appended here: with new numbers,
and the same ids and bytes.
"""

from __future__ import annotations

import msgspec

from nbreg import trust
from nbreg.errors import BadInputError, BadNameError
from nbreg.names import check_version_name
from nbreg.records import DataLink, ModelRow, Pointer, VersionRow
from nbreg.registry.belonging import datasets, describing, links, uses
from nbreg.registry.ground import bookkeeping, parts, rights
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.store.folder import MODEL_ROW
from nbreg.store.tiny import JournalDB


def merge(desk: Desk, other: Desk) -> list[Entry]:
    """Append the versions of another registry that are not here; see `Registry.merge`."""
    if other.folder.path.resolve() == desk.folder.path.resolve():
        raise BadInputError(f"{other.folder.path} is this registry itself")
    if other.folder.row() is None:
        raise BadInputError(f"there is no registry in {other.folder.path}")
    desk.ready()
    _take_datasets(desk, other)
    return [added for model in other.models() for added in _merge_model(desk, other, model.name)]


def _take_datasets(desk: Desk, other: Desk) -> None:
    """Their data sets, oldest first; a content that is known here keeps its number here."""
    for latest in datasets.all_latest(other):
        for theirs in reversed(datasets.series(other, latest.dataset)):
            for origin in theirs.origins or [""]:
                link = DataLink(
                    name=theirs.dataset,
                    snapshot=theirs.snapshot,
                    summary=theirs.summary,
                    dataset=theirs.dataset,
                    origin=origin,
                )
                datasets.note(desk, datasets.checked([link]), reason="Merged")


def _merge_model(desk: Desk, other: Desk, model: str) -> list[Entry]:
    theirs = other.model(model)
    if damage := theirs.journal.damage:
        raise damage.error()
    ours = desk.folder.model_to_write(model)
    rows = [theirs.row("versions", number, VersionRow) for number in theirs.ids("versions")]
    wanted = [row for row in rows if row and not row.purged and not row.deleted]
    if wanted and ours.refresh().row(*MODEL_ROW, ModelRow) is None:
        describing.carry(desk, ours, model, rights.about(theirs))
    added = [_take(desk, other, ours, model, row) for row in wanted]
    return [entry for entry in added if entry is not None]


def _take(desk: Desk, other: Desk, ours: JournalDB, model: str, theirs: VersionRow) -> Entry | None:
    if ours.refresh().row("ids", theirs.id, Pointer) is not None:
        return None
    with desk.folder.blobs.kept():
        for digest in sorted(parts.references(other, theirs)):
            if not desk.folder.blobs.is_stored(digest):
                desk.folder.blobs.write(other.folder.blobs.pieces(digest), digest)
        manifest = parts.manifest(other, Entry(model, other.model(model), theirs))
        parts.check_complete(desk, manifest, theirs.bundle)
        return _append(desk, other, ours, model, theirs)


def _is_free(desk: Desk, ours: JournalDB, name: str | None) -> bool:
    """Whether a name from the other side may be one here: it is as untrusted as the rest of it."""
    try:
        kept = name is not None and check_version_name(name, desk.stages) == name
    except BadNameError:
        return False
    return kept and not bookkeeping.is_taken(ours, name or "")


def _append(desk: Desk, other: Desk, ours: JournalDB, model: str, theirs: VersionRow) -> Entry | None:
    used = uses.of_entry(other, Entry(model, other.model(model), theirs))
    linked = links.carried(links.of(other.model(model), theirs.number))
    with desk.transaction(ours, "merged") as draft:
        if ours.row("ids", theirs.id, Pointer) is not None:
            return None  # another merge was faster
        brief = bookkeeping.brief(ours, draft, new_model=model)
        free = _is_free(desk, ours, theirs.name)
        row = msgspec.structs.replace(
            theirs,
            number=brief.next_number,
            name=theirs.name if free else None,
            superseded_name=theirs.superseded_name if free else theirs.name or "",
            stage=desk.stages[0],
            stages_held=[],
            base=None,
        )
        bookkeeping.note(ours, draft, row, registry=other.id, was_number=theirs.number)
        bookkeeping.add(ours, row, is_vouched_for=trust.vouches_for(row.id, row.stamp))
        uses.add(ours, draft, row, used)
        links.carry(ours, row, linked)
    return Entry(model, ours, row)
