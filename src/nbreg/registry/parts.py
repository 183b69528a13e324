"""Reading what a version's row leads to: its manifest, and the parts the manifest names."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from nbreg.errors import DamagedObjectError, StoreError, UnknownArtifactError
from nbreg.records import Captured, Manifest, Record
from nbreg.registry.desk import Desk, Entry

P = TypeVar("P", bound=Record)


def part(desk: Desk, entry: Entry, digest: str) -> bytearray | memoryview:
    """The bytes of a part, checked against its digest; the result may be written to.

    Raises `UnknownArtifactError` if the version was purged, or `DamagedObjectError`.
    """
    if entry.row.purged:
        raise UnknownArtifactError(
            f"the bytes of {entry.ref} were purged", hint="its record is all that is left"
        )
    return desk.folder.blobs.read(digest, entry.row.bundle)


def manifest(desk: Desk, entry: Entry) -> Manifest:
    """A version's immutable document, its bytes checked against the id."""
    return _decoded(part(desk, entry, entry.row.id), Manifest, entry)


def are_whole(desk: Desk, entry: Entry) -> bool:
    """Whether the artifacts can be read: the small parts by their digests, the large ones by their sizes."""
    blobs = desk.folder.blobs
    try:
        index = blobs.index(entry.row.bundle)
        for artifact in manifest(desk, entry).artifacts:
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


def captured(desk: Desk, entry: Entry, section: Captured, kind: type[P]) -> P:
    """A part of the capture as its record; an empty one where it was not captured."""
    return _decoded(part(desk, entry, section.digest), kind, entry) if section.is_there else kind()


def _decoded(data: bytearray | memoryview, kind: type[P], entry: Entry) -> P:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        what = kind.__name__.lower()
        raise DamagedObjectError(f"the {what} of {entry.ref} cannot be read: {error}") from error
