"""Reading what a version's row leads to: its manifest, and the parts the manifest names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

import msgspec

from nbreg.errors import DamagedObjectError, NbregError, StoreError, UnknownArtifactError
from nbreg.records import NO_RECORD, Captured, Chunk, Manifest, Record, VersionRow
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.store.blobs import Blobs, BundleIndex
from nbreg.store.tiny import JournalDB
from nbreg.store.verified import Verified

P = TypeVar("P", bound=Record)


def part(desk: Desk, entry: Entry, digest: str, *, private: bool = False) -> bytearray | memoryview:
    """The bytes of a part, checked against its digest; the result may be written to.

    Raises `UnknownArtifactError` if the version was purged, or `DamagedObjectError`.
    """
    _refuse_purged(entry)
    return desk.folder.blobs.read(digest, entry.row.bundle, private=private)


def chunk(desk: Desk, entry: Entry, told: Chunk, *, private: bool = False) -> bytearray | memoryview:
    """The same of a part as the manifest tells of it: its size, too. Raises what `part` raises."""
    return _of_size(part(desk, entry, told.digest, private=private), told)


def _of_size(data: bytearray | memoryview, told: Chunk) -> bytearray | memoryview:
    """What a card says that a model takes is what it takes, however small the file that it came in."""
    if memoryview(data).nbytes != told.size:
        raise DamagedObjectError(f"the part {told.digest[:12]}… has another size than the manifest says")
    return data


def many(
    desk: Desk, entry: Entry, chunks: Sequence[Chunk], plain: Sequence[bool], memory: Verified | None
) -> list[bytearray | memoryview]:
    """Several parts, each as `chunk` gives it; of the large `plain` ones an earlier check may do.

    Raises what `part` raises.
    """
    _refuse_purged(entry)
    blobs, bundle = desk.folder.blobs, entry.row.bundle
    digests = [each.digest for each in chunks]
    large = blobs.index(bundle).large
    found: dict[int, bytearray | memoryview] = {}
    for group, known in ((False, None), (True, memory)):
        places = [at for at, each in enumerate(digests) if each in large and plain[at] is group]
        found.update(zip(places, blobs.read_large([digests[at] for at in places], known), strict=True))
    read = (found[at] if at in found else blobs.read(each, bundle) for at, each in enumerate(digests))
    return [_of_size(data, told) for data, told in zip(read, chunks, strict=True)]


def _refuse_purged(entry: Entry) -> None:
    if entry.row.purged:
        raise UnknownArtifactError(
            f"the bytes of {entry.ref} were purged", hint="its record is all that is left"
        )


def manifest(desk: Desk, entry: Entry) -> Manifest:
    """A version's immutable document, its bytes checked against the id."""
    return _decoded(part(desk, entry, entry.row.id), Manifest, entry)


def are_whole(desk: Desk, entry: Entry) -> bool:
    """Whether the artifacts can be read: the small parts by their digests, the large ones by their sizes."""
    blobs = desk.folder.blobs
    try:
        index = blobs.index(entry.row.bundle)
        document = manifest(desk, entry)
        if document.content_digest != entry.row.content_digest:
            return False
        for artifact in document.artifacts:
            stored = [(chunk.digest, chunk.size) for chunk in artifact.chunks]
            stored += [(file.digest, file.size) for file in artifact.files]
            for digest, size in stored:
                if digest not in index.large:
                    part(desk, entry, digest)
                elif not blobs.is_stored(digest, size):
                    return False
    except StoreError:
        return False
    return True


def named(manifest: Manifest) -> Iterator[str]:
    """The digests of all parts that a manifest names."""
    for artifact in manifest.artifacts:
        yield from (chunk.digest for chunk in artifact.chunks)
        yield from (entry.digest for entry in artifact.files)
    if manifest.run is not None:
        yield from (chunk.digest for chunk in manifest.run.chunks)
    sections = (getattr(manifest, field) for field in Manifest.__struct_fields__)
    yield from (each.digest for each in sections if isinstance(each, Captured) and each.is_there)


def check_complete(desk: Desk, manifest: Manifest, bundle: str) -> None:
    """Refuse a version that does not bring all its parts along. Raises `DamagedObjectError`."""
    index = desk.folder.blobs.index(bundle)
    there = {*index.parts, *index.elsewhere, *index.large}
    missing = [digest for digest in named(manifest) if digest not in there]
    if missing:
        raise DamagedObjectError(f"it lacks {len(missing)} of the parts that its manifest names")


def captured(desk: Desk, entry: Entry, section: Captured, kind: type[P]) -> P:
    """A part of the capture as its record; an empty one where it was not captured."""
    return _decoded(part(desk, entry, section.digest), kind, entry) if section.is_there else kind()


def _decoded(data: bytearray | memoryview, kind: type[P], entry: Entry) -> P:
    try:
        return msgspec.json.decode(data, type=kind)
    except NO_RECORD as error:
        what = kind.__name__.lower()
        raise DamagedObjectError(f"the {what} of {entry.ref} cannot be read: {error}") from error


def references(desk: Desk, row: VersionRow) -> set[str]:
    """The objects that a version needs: its bundle, the bundles of shared parts, large parts.

    A bundle that cannot be read refers to nothing that could be known; it stays itself.
    """
    with suppress(NbregError):
        return needed(desk.folder.blobs.index(row.bundle), row)
    return {row.bundle}


def needed_by_bundle(blobs: Blobs, bundle: str) -> set[str]:
    """The objects that a bundle needs: itself, the bundles of shared parts, large parts."""
    index = blobs.index(bundle)
    return {bundle, *index.elsewhere.values(), *index.large}


def needed(index: BundleIndex, row: VersionRow) -> set[str]:
    """The same, of a bundle whose index is at hand."""
    return {row.bundle, *index.elsewhere.values(), *index.large}


def all_versions(desk: Desk, *, whole: bool = True) -> Iterator[tuple[JournalDB, VersionRow]]:
    """Every version of every model, deleted ones too; `whole` refuses damage, which may hide some."""
    for name, database in desk.folder.databases():
        if not name:
            continue
        if (damage := database.refresh().journal.damage) and whole:
            raise damage.error()  # what a damaged journal refers to is not known
        for number in database.ids("versions"):
            try:
                row = database.row("versions", number, VersionRow)
            except NbregError:
                if whole:
                    raise
                continue
            if row is not None:
                yield database, row
