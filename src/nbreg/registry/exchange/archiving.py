"""A version in a single file, and back: nothing is lost, and nothing is believed.

    manifest.json     the immutable document; its sha256 is the version's id
    version.json      its row when it was exported: name, labels, metrics
    events.jsonl      the journal's lines about it, as written, each with its own hash
    parts/SHA256      every part that the manifest leads to

It is a zip whose members are stored as they are, so that it cannot unpack to more than it is. On
import each byte is checked against the digest that names it, down from the id.
"""

from __future__ import annotations

import json
import os
import secrets
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from nbreg import trust
from nbreg.errors import BadInputError, BadNameError, ConflictError, DamagedObjectError
from nbreg.names import check_model_name, check_version_name
from nbreg.records import Chunk, Link, Manifest, Pointer, VersionRow, as_doc
from nbreg.registry.belonging import datasets, links, uses
from nbreg.registry.ground import bookkeeping, parts
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import checked_mapping, checked_metrics, checked_tags, checked_text
from nbreg.store.files import refused, sync_folder
from nbreg.store.large import BLOCK, Bytes, digests
from nbreg.store.tiny import JournalDB

_DOCUMENTS: Final = ("manifest.json", "version.json", "events.jsonl")
_MOST_TEXT: Final = 64 * 1024 * 1024
_WHEN: Final = (1980, 1, 1, 0, 0, 0)  # the same version gives the same file


def export(desk: Desk, entry: Entry, path: Path) -> Path:
    """Write the archive, whole or not at all."""
    target = path.expanduser().absolute()
    if target.exists():
        raise ConflictError(f"{target} is there already", hint="name another file")
    unfinished = target.with_name(f".{target.name}-{secrets.token_hex(6)}")  # nobody else's, and no link
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("xb") as file:
            _write(file, _members(desk, entry))
            file.flush()
            os.fsync(file.fileno())  # who has it may purge the version
        unfinished.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise refused(error, target) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def _write(file: BinaryIO, members: Iterable[tuple[str, Bytes]]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            member = zipfile.ZipInfo(name, _WHEN)
            member.file_size = memoryview(data).nbytes  # from 2 GiB on the header is another one
            with archive.open(member, "w") as opened:
                opened.write(data)


def _members(desk: Desk, entry: Entry) -> Iterator[tuple[str, Bytes]]:
    row = entry.row
    yield "manifest.json", parts.part(desk, entry, row.id)
    linked = links.as_plain(links.of(entry.database, row.number))
    said = {"model": entry.model, **as_doc(row), **({"links": linked} if linked else {})}
    yield "version.json", json.dumps(said, indent=2).encode()
    yield "events.jsonl", b"".join(_lines(entry))
    index = desk.folder.blobs.index(row.bundle)
    for digest in sorted({*index.parts, *index.elsewhere, *index.large} - {row.id}):
        yield f"parts/{digest}", parts.part(desk, entry, digest)


def _lines(entry: Entry) -> Iterator[bytes]:
    journal = entry.database.journal
    for index in entry.database.history("versions", str(entry.number)):
        yield journal.raw(index) + b"\n"


def restore(desk: Desk, path: Path, *, model: str | None, reason: str, message: str) -> Entry:
    """Take a version in from an archive; see `Registry.import_`."""
    with _opened(path.expanduser()) as archive:
        raw = _text(archive, "manifest.json")
        manifest = _decoded(raw, Manifest, "manifest.json")
        told = _decoded(_text(archive, "version.json"), dict, "version.json")
        name = check_model_name(str(model or told.get("model") or ""))
        excerpt = _text(archive, "events.jsonl")
        _check_lines(excerpt)
        version_id = sha256(raw).hexdigest()
        if told.get("id") != version_id:
            raise DamagedObjectError(f"{path}: its manifest is not the one that version.json names")
        desk.ready()
        database = desk.folder.model_to_write(name)
        if known := _known(database.refresh(), name, version_id):
            return known
        blobs = desk.folder.blobs
        with blobs.kept():
            batch = blobs.batch()
            batch.add(raw)
            events = batch.add(excerpt).digest
            for digest in _parts_in(archive):
                part = _Part(archive, digest)
                batch.add(part, part.checked())
            bundle = batch.commit()
            parts.check_complete(desk, manifest, bundle)
            row = _row(desk, manifest, told, version_id, bundle)
            used = uses.of_entry(desk, Entry(name, database, row))
            datasets.note(desk, datasets.checked(manifest.links), reason="Imported")
            linked = links.carried(_list(told.get("links")))
            return _append(desk, database, name, row, events, used, linked, reason=reason, message=message)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
                    raise DamagedObjectError(
                        f"{path}: {member.filename[:80]!r} is packed, as nbreg packs none"
                    )
                if member.file_size != member.compress_size:
                    raise DamagedObjectError(f"{path}: {member.filename[:80]!r} has two sizes")
            if len(set(archive.namelist())) != len(archive.namelist()):
                raise DamagedObjectError(f"{path} has two members of one name")
            if sum(member.file_size for member in archive.infolist()) > path.stat().st_size:
                # Members may stand on top of each other, and not every Python looks.
                raise DamagedObjectError(f"{path} has members that hold more than it does")
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} is no archive: {error}", hint="one that `nbreg export` wrote") from error
    except OSError as error:
        raise refused(error, path, reading=True) from error


def _text(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise BadInputError(f"the archive has no {name}", hint="one that `nbreg export` wrote") from None
    if info.file_size > _MOST_TEXT:
        raise DamagedObjectError(f"{name} of the archive is {info.file_size} bytes long")
    return archive.read(info)


def _parts_in(archive: zipfile.ZipFile) -> Iterator[str]:
    for name in archive.namelist():
        folder, _, digest = name.partition("/")
        if name in _DOCUMENTS:
            continue
        if folder != "parts" or len(digest) != 64 or not digest.isalnum():
            raise DamagedObjectError(f"the archive holds {name[:80]!r}, which is no part of a version")
        yield digest


class _Part:
    """A part as the archive holds it, of which no more than a block is in memory."""

    def __init__(self, archive: zipfile.ZipFile, digest: str) -> None:
        self._archive = archive
        self._digest = digest
        self._name = f"parts/{digest}"
        self.nbytes: int = archive.getinfo(self._name).file_size

    def pieces(self) -> Iterator[memoryview]:
        """Its bytes, block by block."""
        with self._archive.open(self._name) as file:
            while piece := file.read(BLOCK):
                yield memoryview(piece)

    def checked(self) -> Chunk:
        """Its digest and size, read before anything is stored. Raises `DamagedObjectError`."""
        if digests([self]) != [self._digest]:
            raise DamagedObjectError(f"the archive's part {self._digest[:12]}… is not what its name says")
        return Chunk(digest=self._digest, size=self.nbytes)


def _decoded(data: bytes, kind: Any, name: str) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise DamagedObjectError(f"{name} of the archive cannot be read: {error}") from error


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _check_lines(excerpt: bytes) -> None:
    """Each line by its own hash; that they are all, and were in that order, only their registry can say."""
    from nbreg.store.journal import is_sealed

    for number, line in enumerate(excerpt.splitlines(), 1):
        if not is_sealed(line):
            raise DamagedObjectError(
                f"line {number} of the archive's events was changed after it was written"
            )


def _known(database: JournalDB, model: str, version_id: str) -> Entry | None:
    pointer = database.row("ids", version_id, Pointer)
    row = database.row("versions", pointer.number, VersionRow) if pointer else None
    if row is None or row.deleted is not None or row.purged:
        return None
    return Entry(model, database, row, existing=True)


def _row(desk: Desk, manifest: Manifest, told: Mapping[str, Any], version_id: str, bundle: str) -> VersionRow:
    """What the archive says of the row is as untrusted as a stranger's arguments, and checked like them."""
    first = next((each for each in manifest.artifacts if each.name == "model"), None)
    content = told.get("content")
    name = None
    with suppress(BadNameError):  # what is no name here is left out
        name = check_version_name(str(told.get("name") or ""), desk.stages)
    return VersionRow(
        number=0,
        stage=desk.stages[0],
        name=name,
        id=version_id,
        content_digest=manifest.content_digest,
        bundle=bundle,
        tags=checked_tags(told.get("tags") or ()),
        description=checked_text(str(told.get("description") or ""), "the description"),
        message=checked_text(str(told.get("message") or ""), "the message"),
        metrics=checked_metrics(told.get("metrics") or {}),
        content=None if content is None else checked_mapping(content, "content"),
        created=manifest.created,
        actor=manifest.actor.user,
        type=first.type if first else "",
        size=sum(each.size for each in manifest.artifacts),
        stamp=str(told.get("stamp") or "")[:64],
    )


def _append(
    desk: Desk,
    database: JournalDB,
    model: str,
    row: VersionRow,
    events: str,
    used: uses.Uses,
    linked: list[Link],
    *,
    reason: str,
    message: str,
) -> Entry:
    with desk.transaction(database, "imported", reason=reason, message=message) as draft:
        if known := _known(database, model, row.id):
            return known  # another import was faster
        brief = bookkeeping.brief(database, draft, new_model=model)
        desk.folder.refuse_twin(model, brief)
        taken = row.name and bookkeeping.is_taken(database, row.name)
        row = msgspec.structs.replace(
            row,
            number=brief.next_number,
            name=None if taken else row.name,
            superseded_name=row.name or "" if taken else "",
        )
        bookkeeping.note(database, draft, row, excerpt=events)
        bookkeeping.add(database, row, is_vouched_for=trust.vouches_for(row.id, row.stamp))
        uses.add(database, draft, row, used)
        links.carry(database, row, linked)
    return Entry(model, database, row)
