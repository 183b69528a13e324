"""Drafts on disk: one file each, bounded in bytes, number and age.

    drafts/000042.draft

A file is a line with the digest of its header and the user's signature of it, the header (JSON),
and the parts that the header names by digest and size:

    "nbreg draft 1 " · length of the header · its sha256 · signature or dashes, LF · header · parts

They are written without sync and renamed into place: what a power cut takes was no version yet.
A file that is not whole is passed over, and swept. Nothing here is ever changed, only replaced.
"""

from __future__ import annotations

import itertools
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from nbreg.errors import DamagedObjectError
from nbreg.records import Chunk, DraftRecord, Manifest, digest_of
from nbreg.store.files import locked, make_folder, opened, refused, write_all

Bytes = bytes | bytearray | memoryview

_MAGIC: Final = b"nbreg draft 1 "
_NAME: Final = re.compile(r"(\d{6,})\.draft")
_SCRAP: Final = re.compile(r"\.\d+-[0-9a-f]{12}")
_LAST: Final = "last"
_LONGEST_NUMBER: Final = 18
_PREAMBLE: Final = len(_MAGIC) + 16 + 1 + 64 + 1 + 64 + 1
_LARGEST_HEADER: Final = 16 * 1024 * 1024
_LOCK_SECONDS: Final = 0.5
_SCRAP_SECONDS: Final = 3600.0
_DAY: Final = 86400.0
_KEPT_IN_MIND: Final = 128


class Header(msgspec.Struct, kw_only=True, frozen=True):
    """What a draft's file says of itself."""

    record: DraftRecord
    manifest: Manifest | None = None
    """What was captured with it; its artifact is there where the weights are kept."""
    parts: list[Chunk] = []


class DraftFile(NamedTuple):
    """A draft's file as it was read; its parts are still to be."""

    path: Path
    header: Header
    digest: str
    """That of the header, which names every part by digest: what a signature is of."""
    stamp: str
    start: int
    size: int

    @property
    def number(self) -> int:
        """The number by which it is named."""
        return self.header.record.number

    def part(self, digest: str) -> bytearray:
        """One part, checked. Raises `DamagedObjectError`."""
        offset = self.start
        for chunk in self.header.parts:
            if chunk.digest == digest:
                return self._read(chunk, offset)
            offset += chunk.size
        raise DamagedObjectError(f"{self.path} does not hold the part {digest[:12]}…")

    def _read(self, chunk: Chunk, offset: int) -> bytearray:
        try:
            with os.fdopen(opened(self.path), "rb") as file:
                file.seek(offset)
                data = bytearray(file.read(chunk.size))
        except OSError as error:
            raise refused(error, self.path, reading=True) from error
        if digest_of(data) != chunk.digest:
            raise DamagedObjectError(f"{self.path} is not what its digests say", hint="the draft is lost")
        return data


class Limits(NamedTuple):
    """What drafts may take up; the oldest go first."""

    size: int
    number: int
    days: float


_decoder = msgspec.json.Decoder(Header)
_read_before: dict[Path, tuple[tuple[int, int, int], DraftFile]] = {}


class DraftFolder:
    """The drafts of one registry: those in the folder that new ones go to, and in the others."""

    def __init__(self, folder: Path, *others: Path) -> None:
        self.folder = folder
        self._folders = (folder, *others)

    def all(self) -> list[DraftFile]:
        """Every draft that is whole, newest first."""
        found = [draft for path in self._paths() if (draft := _opened(path)) is not None]
        return sorted(found, key=lambda draft: (draft.number, draft.header.record.at), reverse=True)

    def get(self, number: int) -> DraftFile | None:
        """The draft of that number."""
        names = (folder / _name(number) for folder in self._folders)
        return next((draft for path in names if (draft := _opened(path)) is not None), None)

    def is_empty(self) -> bool:
        """Whether there is none: what most registrations ask."""
        return next(self._paths(), None) is None

    def _paths(self) -> Iterator[Path]:
        for folder in self._folders:
            # Closed also where only the first one is asked for.
            with suppress(OSError), os.scandir(folder) as entries:
                yield from (Path(each.path) for each in entries if _NAME.fullmatch(each.name))

    # writing

    def add(self, record: DraftRecord) -> DraftRecord:
        """Write a new draft of which no more is known; it gets the next number, which no other has.

        Raises `StoreError`.
        """
        make_folder(self.folder, durable=False)
        with locked(self.folder, _LOCK_SECONDS):
            record = msgspec.structs.replace(record, number=self._next())
            raw, digest = sealed(Header(record=record))
            # Nobody else writes these two: half of one is passed over, and the number counted anew.
            _write(self.folder / _name(record.number), [_preamble(raw, digest, ""), raw], os.O_EXCL)
            _write(self.folder / _LAST, [b"%d" % record.number], os.O_TRUNC)
        return record

    def _next(self) -> int:
        """One more than any that ever was: a number that is reused would register another model."""
        return max(map(_highest, self._folders)) + 1

    def write(self, header: Header, parts: Iterable[Bytes] = (), *, stamp: str = "") -> None:
        """Replace a draft by what is known of it now. Raises `StoreError`, or `DamagedObjectError`
        where a part is no longer what its digest says: somebody goes on changing it."""
        raw, digest = sealed(header)
        path = self.folder / _name(header.record.number)
        pieces = itertools.chain([_preamble(raw, digest, stamp), raw], _checked(header.parts, parts))
        temporary = path.parent / f".{os.getpid()}-{secrets.token_hex(6)}"
        try:
            _write(temporary, pieces, os.O_EXCL)
            temporary.replace(path)
        except BaseException as error:
            with suppress(OSError):
                temporary.unlink()
            if isinstance(error, OSError):
                raise refused(error, path) from error
            raise

    def remove(self, number: int) -> None:
        """Take a draft away; one that is gone is fine."""
        for folder in self._folders:
            with suppress(OSError):
                (folder / _name(number)).unlink()

    def sweep(self, limits: Limits) -> None:
        """Remove what is too old or too much, and what killed writers left. The newest stays."""
        now, size, kept = time.time(), 0, 0
        for path in sorted(self._paths(), key=lambda path: (len(path.name), path.name), reverse=True):
            with suppress(OSError):
                status = path.stat()
                size, kept = size + status.st_size, kept + 1
                is_old = now - status.st_mtime > limits.days * _DAY
                if kept > 1 and (size > limits.size or kept > limits.number or is_old):
                    path.unlink()
                    size -= status.st_size
        for path in (each for folder in self._folders for each in folder.glob(".*-*")):
            with suppress(OSError):
                if _SCRAP.fullmatch(path.name) and now - path.stat().st_mtime > _SCRAP_SECONDS:
                    path.unlink()


def sealed(header: Header) -> tuple[bytes, str]:
    """A header's bytes and their digest."""
    raw = msgspec.json.encode(header, order="sorted")
    return raw, digest_of(raw)


def _preamble(raw: bytes, digest: str, stamp: str) -> bytes:
    return b"%b%016x %b %b\n" % (_MAGIC, len(raw), digest.encode(), (stamp or "-" * 64).encode())


def _highest(folder: Path) -> int:
    """The highest number that a folder ever gave, as it noted; else the highest that is there."""
    with suppress(OSError, ValueError), os.fdopen(opened(folder / _LAST), "rb") as file:
        return int(file.read(_LONGEST_NUMBER))
    with suppress(OSError):
        names = (match for each in os.scandir(folder) if (match := _NAME.fullmatch(each.name)))
        return max((int(match[1]) for match in names), default=0)
    return 0


def _name(number: int) -> str:
    return f"{number:06d}.draft"


def _checked(chunks: Sequence[Chunk], parts: Iterable[Bytes]) -> Iterator[Bytes]:
    for chunk, part in zip(chunks, parts, strict=True):
        hasher = sha256()
        hasher.update(part)
        if hasher.hexdigest() != chunk.digest:
            raise DamagedObjectError("what is being kept as a draft changed meanwhile")
        yield part


def _write(path: Path, pieces: Iterable[Bytes], flags: int) -> None:
    try:
        fd = opened(path, os.O_WRONLY | os.O_CREAT | flags, 0o600)
        try:
            for piece in pieces:
                write_all(fd, memoryview(piece).cast("B"))
        finally:
            os.close(fd)
    except OSError as error:
        raise refused(error, path) from error


def _opened(path: Path) -> DraftFile | None:
    """A draft's file; one that was read before is not read again, since files are only ever replaced."""
    try:
        status = path.stat(follow_symlinks=False)
    except OSError:
        return None
    which = status.st_ino, status.st_mtime_ns, status.st_size
    known = _read_before.get(path)
    if known is not None and known[0] == which:
        return known[1]
    found = _read(path)
    if found is not None:
        if len(_read_before) >= _KEPT_IN_MIND:
            _read_before.clear()
        _read_before[path] = which, found
    return found


def _read(path: Path) -> DraftFile | None:
    """The same from the disk, its header checked; None for one that is not whole, or of a later nbreg."""
    try:
        fd = opened(path)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        size = os.fstat(fd).st_size
        try:
            line = file.read(_PREAMBLE)
            length = int(line[len(_MAGIC) : len(_MAGIC) + 16], 16)
            digest, stamp = line[len(_MAGIC) + 17 : -1].decode("ascii").split(" ")
            if not line.startswith(_MAGIC) or not 0 < length <= min(size, _LARGEST_HEADER):
                return None
            raw = file.read(length)
            header = _decoder.decode(raw) if digest_of(raw) == digest else None
        except (OSError, ValueError, msgspec.DecodeError):
            return None
    start = _PREAMBLE + length
    if header is None or start + sum(chunk.size for chunk in header.parts) != size:
        return None
    if _name(header.record.number) != path.name:
        return None
    return DraftFile(path, header, digest, stamp.strip("-"), start, size)
