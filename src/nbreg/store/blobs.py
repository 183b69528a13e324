"""Bytes by digest: one bundle for each registration, and large parts as files of their own.

    objects/9f/2c41…      a bundle or a large part, named by the sha256 of the file
    objects/parts/9f      which bundle holds which part: a cache, 64 bytes an entry
    objects/hints/9f      which large part looks like that from afar: a cache, too

A bundle is a header and its parts, aligned:

    "nbreg bundle 1\\n"  ·  length of the index, 16 hex digits and LF  ·  index (JSON)  ·  parts

Its index gives each part's offset and size, and names the bundles that hold the parts which
were stored before. A part is looked up by its digest wherever it stands, so nothing but tiny
parts is written twice; an object, once named, is never written again.
"""

from __future__ import annotations

import os
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from nbreg.errors import DamagedObjectError, NbregError
from nbreg.records import NO_RECORD, digest_of
from nbreg.store.files import inherit, locked, make_folder, opened, refused, sync_folder, write_all
from nbreg.store.mapping import mapped

if TYPE_CHECKING:
    from nbreg.progress import Progress
    from nbreg.store.batch import Batch
    from nbreg.store.large import OnDisk, Source
    from nbreg.store.verified import Verified

Bytes = bytes | bytearray | memoryview

TINY: Final = 256  # saying where such a part is takes half as much room, and looking it up far more time
_OBJECT_NAME: Final = re.compile("[0-9a-f]{62}")
_MAGIC: Final = b"nbreg bundle 1\n"
_LENGTH: Final = 17
_ALIGNED: Final = 64
_LARGEST_INDEX: Final = 64 * 1024 * 1024
_LARGEST_CACHE: Final = 64 * 1024 * 1024  # of 256 files: 250 million parts
_INDEXES_KEPT: Final = 256
_PARTS_KEPT: Final = 4096
_JOINED: Final = 1024 * 1024


class BundleIndex(msgspec.Struct, kw_only=True):
    """What a bundle holds, and where the rest is."""

    parts: dict[str, tuple[int, int]]
    """Offset (from the end of the index, aligned) and size of each part."""
    elsewhere: dict[str, str] = {}
    """The bundle of each part that was stored before."""
    large: dict[str, int] = {}
    """The size of each part that is a file of its own."""


_index_decoder = msgspec.json.Decoder(BundleIndex)


class Blobs:
    """A folder of bytes, named by their sha256."""

    def __init__(self, folder: Path, scrap: Path, *, inline_bytes: int, lock_seconds: float) -> None:
        self.folder = folder
        self._scrap = str(scrap)
        self.inline_bytes = inline_bytes
        self._seconds = lock_seconds
        self._indexes: OrderedDict[str, tuple[BundleIndex, int]] = OrderedDict()
        self._read_whole: OrderedDict[str, str] = OrderedDict()
        self._beginning = f"{folder}/"
        self._cache = PartCache(folder / "parts")
        self.hints = PartCache(folder / "hints")

    def path(self, digest: str) -> Path:
        """Where the object of that digest is, or would be."""
        return Path(self._name(digest))

    def _name(self, digest: str) -> str:
        if len(digest) != 64 or not digest.isalnum():
            raise DamagedObjectError(f"{digest[:80]!r} is not the digest of an object")
        return f"{self._beginning}{digest[:2]}/{digest[2:]}"

    # purge waits for registrations, and registrations for purge

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Nothing is purged inside: from the first "is it there?" to the journal line."""
        make_folder(self._scrap)
        with ExitStack() as inside:
            with locked(self._scrap, self._seconds, shared=True):
                inside.enter_context(locked(self.folder, self._seconds, shared=True))
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No registration is under way inside.

        New ones wait at the scrap folder, so that a stream of them cannot keep purge out.
        """
        make_folder(self._scrap)
        with locked(self._scrap, self._seconds), locked(self.folder, self._seconds):
            yield

    # writing

    def batch(self) -> Batch:
        """Collect the parts of one registration; inside `kept()`, and in a `with` if parts are taken."""
        from nbreg.store.batch import Batch  # only who writes needs it

        return Batch(self)

    def find(self, digest: str) -> str | None:
        """The bundle that holds a part, if one is known and really does: the part is read once to see."""
        known = self._read_whole.get(digest)
        # Another process may have purged the bundle since.
        if known is not None and self.is_stored(known):
            return known
        for bundle in self._cache.bundles(digest):
            with suppress(NbregError):
                if not self.is_stored(bundle) or digest not in self.index(bundle).parts:
                    continue
                self.read(digest, bundle)
                self._read_whole[digest] = bundle
                while len(self._read_whole) > _PARTS_KEPT:
                    self._read_whole.popitem(last=False)
                return bundle
        return None

    def is_stored(self, digest: str, size: int | None = None) -> bool:
        """Whether there is an object of that digest, and of that size where it is known."""
        try:
            found = os.stat(self._name(digest)).st_size  # noqa: PTH116 - many times in each registration
        except FileNotFoundError:
            return False
        return size is None or found == size

    def write(self, pieces: Iterable[Bytes], digest: str) -> None:
        """Store an object durably.

        Raises `CannotStoreError` where the pieces together do not have that digest: another
        thread, or another program in the case of a file, changed them meanwhile.
        """
        with self._new_object(digest) as fd:
            hasher = sha256()
            for piece in pieces:
                write_all(fd, memoryview(piece))
                hasher.update(piece)
            if hasher.hexdigest() != digest:
                from nbreg.store.large import changed

                raise changed("what is being stored")

    @contextmanager
    def _new_object(self, digest: str) -> Iterator[int]:
        """A file that is the object of that digest, durably, as soon as it was written inside."""
        target = self._name(digest)
        folder = target[:-63]
        with self._scrap_file() as (fd, temporary):
            yield fd
            os.fsync(fd)
            make_folder(folder)
            os.rename(temporary, target)  # noqa: PTH104
            sync_folder(folder)

    def write_scrap(self, source: Source, progress: Progress) -> tuple[Path, str]:
        """Store a part under a passing name, durably; that name, and the digest of what was written."""
        from nbreg.store.large import write_digested

        with self._scrap_file() as (fd, temporary):
            return Path(temporary), write_digested(fd, source, progress)

    @contextmanager
    def _scrap_file(self) -> Iterator[tuple[int, str]]:
        """A new file that will be an object; it is removed if anything goes wrong inside."""
        temporary = f"{self._scrap}/{os.getpid()}-{secrets.token_hex(6)}"
        try:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
        except OSError as error:
            raise refused(error, temporary) from error
        try:
            inherit(fd, self.folder, keep=0o444)
            yield fd, temporary
        except BaseException as error:
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
            if isinstance(error, OSError):
                raise refused(error, temporary) from error
            raise
        finally:
            os.close(fd)

    def write_bundle(
        self, parts: Mapping[str, Bytes | OnDisk], *, elsewhere: dict[str, str], large: dict[str, int]
    ) -> str:
        """Store parts as one object; return its digest. Raises `CannotStoreError` for a file that changed."""
        from nbreg.store.large import size_of

        offsets, offset = {}, 0
        for digest, data in parts.items():
            offsets[digest] = (offset, size_of(data))
            offset += _aligned(size_of(data))
        contents = BundleIndex(parts=offsets, elsewhere=elsewhere, large=large)
        index = msgspec.json.encode(contents)
        header = b"%b%016x\n%b" % (_MAGIC, len(index), index)
        pieces = partial(_laid_out, header, parts)
        bundle = self._write_joined(pieces()) if offset <= _JOINED else self._write_pieces(pieces)
        self._remember(bundle, contents, _aligned(len(header)))
        self._cache.add((digest for digest, (_, size) in offsets.items() if size > TINY), bundle)
        return bundle

    def _write_joined(self, pieces: Iterable[Bytes]) -> str:
        """Store pieces as one object: a copy takes fewer calls, and nobody changes it meanwhile."""
        whole = b"".join(pieces)
        digest = digest_of(whole)
        with self._new_object(digest) as fd:
            write_all(fd, whole)
        return digest

    def _write_pieces(self, pieces: Callable[[], Iterable[Bytes]]) -> str:
        """The same of too many bytes to copy: they are gone through twice."""
        hasher = sha256()
        for piece in pieces():
            hasher.update(piece)
        digest = hasher.hexdigest()
        self.write(pieces(), digest)
        return digest

    # reading

    def index(self, bundle: str) -> BundleIndex:
        """What a bundle holds. Raises `DamagedObjectError`."""
        return self._index(bundle)[0]

    def _index(self, bundle: str) -> tuple[BundleIndex, int]:
        known = self._indexes.get(bundle)
        if known is None:
            path = self._name(bundle)
            with self._opened(path) as fd:
                index, start = _read_index(fd, path)
            self._remember(bundle, index, start)
            known = index, start
        return known

    def _remember(self, bundle: str, index: BundleIndex, start: int) -> None:
        self._indexes[bundle] = index, start
        while len(self._indexes) > _INDEXES_KEPT:
            self._indexes.popitem(last=False)

    def forget(self, bundle: str) -> None:
        """A bundle was purged."""
        self._indexes.pop(bundle, None)
        for digest in [each for each, home in list(self._read_whole.items()) if home == bundle]:
            self._read_whole.pop(digest, None)  # other threads look for parts meanwhile

    def read(self, digest: str, bundle: str, *, private: bool = False) -> bytearray | memoryview:
        """A part that a bundle holds or names, its digest checked; the result may be written to.

        A large part is mapped copy-on-write: changing it changes nothing stored. But someone who
        overwrites the object's file in place changes what is not yet looked at, and reading what
        a truncation took ends the process (SIGBUS). A `private` part is copied before it is
        checked: for bytes that say what is done, not only what is computed with.

        Raises `DamagedObjectError`, which names the file.
        """
        index, start = self._index(bundle)
        if digest in index.large:
            return self._copied(digest) if private else self._mapped(digest)
        home = index.elsewhere.get(digest, bundle)
        if home != bundle:
            index, start = self._index(home)
        if digest not in index.parts:
            raise DamagedObjectError(f"{self.path(home)} does not hold the part {digest[:12]}…")
        offset, size = index.parts[digest]
        data = bytearray(size)
        with self._opened(self._name(home)) as fd:
            got = os.preadv(fd, [data], start + offset) if size else 0
        if got != size or digest_of(data) != digest:
            raise DamagedObjectError(
                f"{self.path(home)}: the part {digest[:12]}… is not what its digest says",
                hint="restore the file from a copy; nothing else is affected",
            )
        return data

    def read_large(self, digests: Sequence[str], memory: Verified | None = None) -> list[memoryview]:
        """Parts that are objects of their own, each mapped as `read` maps it; checked in several threads.

        With a `memory`, those that it knows are not checked again, and it learns of the others.

        Raises `DamagedObjectError`, which names the file.
        """
        from nbreg.progress import Progress
        from nbreg.store.large import side_by_side

        mapped = [(digest, *self._map(digest)) for digest in digests]
        # One that is asked for twice is looked at once: it is the same file, however often it is mapped.
        files = {(each[0], each[2].st_dev, each[2].st_ino): each for each in mapped}
        unknown = [each for each in files.values() if memory is None or not memory.knows(each[0], each[2])]
        total = sum(view.nbytes for _, view, _ in unknown)
        progress = Progress("verifying", total)
        checks = [partial(self._check, digest, view, progress) for digest, view, _ in unknown]
        side_by_side(checks, progress, total)
        if memory is not None:
            # Of what was changed while it was looked at, nothing is known.
            still = [(digest, status) for digest, _, status in unknown if self._is_still(digest, status)]
            memory.note(still)
        return [view for _, view, _ in mapped]

    def _mapped(self, digest: str) -> memoryview:
        view, _ = self._map(digest)
        if digest_of(view) != digest:
            raise self._not_whole(digest)
        return view

    def _check(self, digest: str, view: memoryview, progress: Progress) -> None:
        from nbreg.store.large import digest as digest_in_blocks

        if digest_in_blocks(view, progress) != digest:
            raise self._not_whole(digest)

    def _not_whole(self, digest: str) -> DamagedObjectError:
        return DamagedObjectError(
            f"{self.path(digest)} is not what its name says", hint="restore the file from a copy"
        )

    def _map(self, digest: str) -> tuple[memoryview, os.stat_result]:
        path = self.path(digest)
        with self._opened(path) as fd:
            status = os.fstat(fd)
            if status.st_size == 0:
                raise DamagedObjectError(f"{path} is empty", hint="restore the file from a copy")
            return mapped(fd, status.st_size), status

    def _is_still(self, digest: str, before: os.stat_result) -> bool:
        try:
            after = self.path(digest).stat()
        except OSError:
            return False
        fields = ("st_dev", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns")
        return all(getattr(before, field) == getattr(after, field) for field in fields)

    def _copied(self, digest: str) -> bytearray:
        path = self.path(digest)
        with self._opened(path) as fd, open(fd, "rb", buffering=0, closefd=False) as file:
            data = bytearray(os.fstat(fd).st_size)
            view, got = memoryview(data), 0
            while got < len(data) and (count := file.readinto(view[got:])):
                got += count
        if digest_of(data) != digest:
            raise self._not_whole(digest)
        return data

    @contextmanager
    def _opened(self, path: Path | str) -> Iterator[int]:
        try:
            fd = opened(path)
        except FileNotFoundError:
            raise DamagedObjectError(f"{path} is missing", hint="restore the file from a copy") from None
        except OSError as error:
            raise DamagedObjectError(
                f"{path} cannot be read: {error.strerror}", hint="restore the file from a copy"
            ) from error
        try:
            yield fd
        except OSError as error:
            raise DamagedObjectError(f"{path} cannot be read: {error.strerror}") from error
        finally:
            os.close(fd)

    # looking over everything

    def objects(self) -> Iterator[tuple[str, Path, int]]:
        """Digest, path and size of every object."""
        for folder in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            if folder.is_symlink():
                continue  # what it leads to is not this registry's
            for entry in sorted(os.scandir(folder), key=lambda each: each.name):
                if entry.is_file(follow_symlinks=False) and _OBJECT_NAME.fullmatch(entry.name):
                    yield (
                        folder.name + entry.name,
                        Path(entry.path),
                        entry.stat(follow_symlinks=False).st_size,
                    )

    def pieces(self, digest: str) -> Iterator[bytes]:
        """An object's bytes as they are, a bounded piece at a time. Raises `DamagedObjectError`."""
        with self._opened(self.path(digest)) as fd:
            while piece := os.read(fd, 1024 * 1024):
                yield piece

    def is_whole(self, digest: str) -> bool:
        """Whether an object's bytes are those of its name."""
        hasher = sha256()
        for piece in self.pieces(digest):
            hasher.update(piece)
        return hasher.hexdigest() == digest


class PartCache:
    """Which bundle holds which part that is not tiny: 256 small files that may be deleted at any time.

    They are appended to without sync: an entry that a crash loses costs one part stored
    twice, and an entry that lies is found out by asking the bundle.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._beginning = f"{folder}/"

    def bundles(self, digest: str) -> Iterator[str]:
        """The bundles that are said to hold the part, latest first."""
        key = bytes.fromhex(digest)
        try:
            fd = opened(self._beginning + digest[:2])
        except OSError:
            return
        try:
            size = os.fstat(fd).st_size
            entries = os.pread(fd, size, 0) if size <= _LARGEST_CACHE else b""
        except OSError:
            return
        finally:
            os.close(fd)
        at = entries.rfind(key)
        while at >= 0:
            if at % 64 == 0 and len(entries) >= at + 64:
                yield entries[at + 32 : at + 64].hex()
            at = entries.rfind(key, 0, at + 31)

    def add(self, digests: Iterable[str], bundle: str) -> None:
        """Note where parts are."""
        with suppress(OSError):
            make_folder(self._beginning, durable=False)
        for digest in digests:
            with suppress(OSError):
                self._append(digest, bytes.fromhex(digest + bundle))

    def _append(self, digest: str, entry: bytes) -> None:
        name = self._beginning + digest[:2]
        fd = opened(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            size = os.fstat(fd).st_size
            if size == 0:
                inherit(fd, self._folder, keep=0o666)
            elif size % 64 or size > _LARGEST_CACHE:
                os.ftruncate(fd, 0)  # torn by a crash, or none that was ever filled: start over
            os.write(fd, entry)
        finally:
            os.close(fd)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED


def _laid_out(header: bytes, parts: Mapping[str, Bytes | OnDisk]) -> Iterator[Bytes]:
    """A bundle's bytes. What is in memory is as it was digested; a file is held against its digest again."""
    from nbreg.store.large import OnDisk, size_of

    yield header.ljust(_aligned(len(header)), b"\0")
    for digest, data in parts.items():
        if isinstance(data, OnDisk):
            yield from data.checked(digest)
        else:
            yield data
        if fill := -size_of(data) % _ALIGNED:
            yield b"\0" * fill


def _read_index(fd: int, path: Path | str) -> tuple[BundleIndex, int]:
    size = os.fstat(fd).st_size
    start = len(_MAGIC) + _LENGTH
    head = os.pread(fd, start + 4096, 0)
    try:
        if not head.startswith(_MAGIC):
            raise ValueError
        length = int(head[len(_MAGIC) : start - 1], 16)
        if not 0 < length <= min(size, _LARGEST_INDEX):
            raise ValueError
        raw = head[start : start + length]
        if len(raw) < length:
            raw += os.pread(fd, length - len(raw), start + len(raw))
        index = _index_decoder.decode(raw)
    except (ValueError, *NO_RECORD):
        raise DamagedObjectError(f"{path} is not a bundle", hint="restore the file from a copy") from None
    beginning = _aligned(start + length)
    if any(
        offset < 0 or count < 0 or beginning + offset + count > size for offset, count in index.parts.values()
    ):
        raise DamagedObjectError(f"{path} ends before its parts do", hint="restore the file from a copy")
    return index, beginning
