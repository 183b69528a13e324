"""Take in what another registry has: the way two git branches of one registry come together.

Chains cannot be spliced, so the other side's versions are appended here: with new numbers,
and the same ids and bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from nbreg.errors import BadInputError
from nbreg.records import Pointer, VersionRow
from nbreg.registry import bookkeeping, keeping
from nbreg.registry.moving import note
from nbreg.registry.version import ModelVersion
from nbreg.store.tiny import JournalDB

if TYPE_CHECKING:
    from nbreg.registry.core import Registry


def merge(registry: Registry, other: Registry) -> list[ModelVersion]:
    """Append the versions of another registry that are not here; see `Registry.merge`."""
    if other.location.resolve() == registry.location.resolve():
        raise BadInputError(f"{other.location} is this registry itself")
    if other._folder.row() is None:
        raise BadInputError(f"there is no registry in {other.location}")
    registry._folder.ready(registry.actor)
    return [added for model in other.models() for added in _merge_model(registry, other, model.name)]


def _merge_model(registry: Registry, other: Registry, model: str) -> list[ModelVersion]:
    theirs = other._model(model)
    if damage := theirs.journal.damage:
        raise damage.error()
    ours = registry._folder.model_to_write(model)
    rows = [theirs.row("versions", number, VersionRow) for number in theirs.ids("versions")]
    added = [
        _take(registry, other, ours, model, row) for row in rows if row and not row.purged and not row.deleted
    ]
    return [version for version in added if version is not None]


def _take(
    registry: Registry, other: Registry, ours: JournalDB, model: str, theirs: VersionRow
) -> ModelVersion | None:
    if ours.refresh().row("ids", theirs.id, Pointer) is not None:
        return None
    with registry._folder.blobs.kept():
        for digest in sorted(keeping.references(other, theirs)):
            if not registry._folder.blobs.is_stored(digest):
                registry._folder.blobs.write(_pieces(other._folder.blobs.path(digest)), digest)
        return _append(registry, other, ours, model, theirs)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            yield piece


def _append(
    registry: Registry, other: Registry, ours: JournalDB, model: str, theirs: VersionRow
) -> ModelVersion | None:
    with ours.transaction("merged", by=registry.actor) as draft:
        if ours.row("ids", theirs.id, Pointer) is not None:
            return None  # another merge was faster
        brief = bookkeeping.brief(ours, draft, new_model=model)
        free = theirs.name is not None and not any(
            ours.row(table, theirs.name, Pointer) for table in ("names", "aliases")
        )
        row = msgspec.structs.replace(
            theirs,
            number=brief.next_number,
            name=theirs.name if free else None,
            superseded_name=theirs.superseded_name if free else theirs.name or "",
            stage=registry.stages[0],
            base=None,
        )
        note(draft, row, registry=other.id, was_number=theirs.number)
        bookkeeping.add(ours, row)
    return ModelVersion(registry, ours, model, row)
