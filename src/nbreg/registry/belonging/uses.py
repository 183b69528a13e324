"""Which versions used which data and which features: rows of the very line that made each version.

A row has the digest for an id, and every version with that digest writes it anew: so the lines that
wrote it are the versions that used it, and finding them scans nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import msgspec

from nbreg.errors import NbregError
from nbreg.records import Data, DataLink, DataUse, FeatureSet, FeatureUse, Manifest, Pointer, VersionRow
from nbreg.registry.ground import parts
from nbreg.registry.ground.desk import Desk, Entry, brief
from nbreg.store.tiny import Draft, JournalDB

_SETS: Final = "feature-sets"
_DIGEST: Final = re.compile("[0-9a-f]{64}")


class Uses(msgspec.Struct, frozen=True):
    """What a version is about to be said to use."""

    data: dict[str, DataUse] = {}
    """By snapshot; the number is filled in when there is one."""
    feature_set: str = ""
    features: int = 0
    parent: str = ""
    """The id of the version that it is derived from."""


def of(manifest: Manifest, data: Data) -> Uses:
    """The uses that a manifest tells of; `data` is its captured part, or an empty one."""
    features = manifest.data.summary.get("features", 0)
    digest = data.feature_set if _DIGEST.fullmatch(data.feature_set) else ""
    return Uses(
        _by_snapshot(manifest.links or data.sets) | _together(data),
        digest,
        features if isinstance(features, int) else 0,
        manifest.parent if _DIGEST.fullmatch(manifest.parent) else "",
    )


def of_entry(desk: Desk, entry: Entry) -> Uses:
    """The same of a version that is there; of one that cannot be read nothing is known."""
    with suppress(NbregError):
        manifest = parts.manifest(desk, entry)
        return of(manifest, parts.captured(desk, entry, manifest.data, Data))
    return Uses()


def _by_snapshot(links: list[DataLink]) -> dict[str, DataUse]:
    found: dict[str, DataUse] = {}
    for link in links:
        if not _DIGEST.fullmatch(link.snapshot):
            continue
        known = found.get(link.snapshot) or DataUse(number=0, inferred=True)
        found[link.snapshot] = DataUse(
            number=0,
            names=[*known.names, link.name],
            roles=[*known.roles, *([link.role] if link.role not in known.roles else [])],
            inferred=known.inferred and link.inferred,
        )
    return found


def _together(data: Data) -> dict[str, DataUse]:
    """All that it was trained on as one snapshot, which is the digest that a version shows of its data."""
    trained = [each for each in data.sets if each.role in ("", "train")]
    if not _DIGEST.fullmatch(data.snapshot):
        return {}
    inferred = all(each.inferred for each in trained)
    names = [each.name for each in trained]
    return {data.snapshot: DataUse(number=0, names=names, roles=["train"], inferred=inferred)}


def add(database: JournalDB, draft: Draft, row: VersionRow, uses: Uses) -> None:
    """Put the rows, in the transaction that makes the version."""
    for snapshot, use in uses.data.items():
        database.put("data", snapshot, msgspec.structs.replace(use, number=row.number))
    if uses.feature_set:
        place = _place(database, draft, row, uses)
        database.put("features", uses.feature_set, FeatureUse(number=row.number, set=place))

    if uses.parent:
        database.put("parents", uses.parent, Pointer(number=row.number))


def _place(database: JournalDB, draft: Draft, row: VersionRow, uses: Uses) -> int:
    """The feature set's number in its model; a new one is given."""
    known = database.row("features", uses.feature_set, FeatureUse)
    if known is not None:
        return known.set
    last = database.row(_SETS, "last", Pointer)
    number = (last.number if last else 0) + 1
    database.put(_SETS, "last", Pointer(number=number))
    made = FeatureSet(
        model=brief(database).name,
        number=number,
        digest=uses.feature_set,
        features=uses.features,
        first=row.number,
        at=draft.at,
        by=row.actor,
    )
    database.put(_SETS, str(number), made)
    return number


# reading


_KINDS: Final[dict[str, type[DataUse | FeatureUse | Pointer]]] = {
    "data": DataUse,
    "features": FeatureUse,
    "parents": Pointer,
}


def versions(database: JournalDB, table: str, digest: str) -> list[VersionRow]:
    """The versions whose line has the digest, newest first; those that are deleted are left out."""
    kind = _KINDS[table]
    found: dict[int, VersionRow] = {}
    for index in reversed(database.history(table, digest)):
        use = database.row(table, digest, kind, before=index + 1)
        row = database.row("versions", use.number, VersionRow) if use else None
        if row is not None and row.deleted is None:
            found[row.number] = row
    return [found[number] for number in sorted(found, reverse=True)]


def trained_on(desk: Desk, snapshot: str) -> Iterator[Entry]:
    """The versions of all models that used a snapshot, by model, newest first in each."""
    return _in_all(desk, "data", snapshot)


def children(desk: Desk, version_id: str) -> Iterator[Entry]:
    """The versions of all models that were derived from a version."""
    return _in_all(desk, "parents", version_id)


def _in_all(desk: Desk, table: str, digest: str) -> Iterator[Entry]:
    for model, database in _mentioning(desk, digest):
        yield from [Entry(model, database, row) for row in versions(database, table, digest)]


def _mentioning(desk: Desk, digest: str) -> Iterator[tuple[str, JournalDB]]:
    """The models whose journal names a digest, or the beginning of one, by name; no other is opened."""
    found = []
    for folder in desk.folder.mentioning(digest):
        with suppress(NbregError):  # `verify` tells of a journal that cannot be read
            row = desk.folder.brief(folder)
            found += [row.name] if row else []
    for name in sorted(found):
        with suppress(NbregError):
            yield name, desk.model(name)


def feature_sets(database: JournalDB) -> list[FeatureSet]:
    """The feature sets of a model, newest first."""
    last = database.refresh().row(_SETS, "last", Pointer)
    numbers = range(last.number if last else 0, 0, -1)
    found = (database.row(_SETS, str(number), FeatureSet) for number in numbers)
    return [each for each in found if each is not None]


def feature_set(database: JournalDB, digest: str) -> FeatureSet | None:
    """A feature set of a model by its digest."""
    use = database.row("features", digest, FeatureUse) if digest else None
    return database.row(_SETS, str(use.set), FeatureSet) if use else None


def snapshots_like(desk: Desk, beginning: str) -> set[str]:
    """The snapshots, named or not, whose digest begins so."""
    found = set(desk.folder.data.refresh().completions("snapshots", beginning))
    for _, database in _mentioning(desk, beginning):
        found.update(database.completions("data", beginning))
    return found
