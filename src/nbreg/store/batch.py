"""The parts of one registration: small ones become one bundle, large ones objects of their own.

Large ones are written to `tmp/` while they are digested, and get their names when all the rest
is ready. So what is given up before leaves nothing, and what is killed leaves files in `tmp/`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from nbreg.errors import DamagedObjectError
from nbreg.progress import Progress
from nbreg.records import Chunk
from nbreg.store import large
from nbreg.store.blobs import TINY
from nbreg.store.files import make_folder, refused, sync_folder
from nbreg.store.large import Bytes, OnDisk, Source, size_of

if TYPE_CHECKING:
    from nbreg.store.blobs import Blobs


class Batch:
    """Parts that are taken in and then committed as one bundle; used in a `with`, inside `kept()`."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._parts: dict[str, Bytes | OnDisk] = {}
        self._elsewhere: dict[str, str] = {}
        self._large: dict[str, int] = {}
        self._written: dict[str, Path] = {}
        self._hints: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Remove what was written and not committed."""
        for path in self._written.values():
            _remove(path)
        self._written.clear()

    def take(self, sources: Sequence[Source]) -> list[str]:
        """Give the digest of each part, in their order; large ones are stored while they are read.

        What seems to be stored already is digested first and written only if it is not.

        Raises `NoSpaceError` before anything is written, where the room will not do.
        """
        if not any(map(self._is_large, sources)):
            return large.digests(sources)
        found = [self._hint(source) for source in sources]
        total = sum(map(size_of, sources))
        fresh = [size_of(s) for s, hint in zip(sources, found, strict=True) if self._is_large(s) and not hint]
        if fresh:
            large.refuse_full(self._blobs.folder, sum(fresh))
        progress = Progress("storing", total)
        jobs = [
            lambda source=source, hint=hint: self._take(source, hint, progress)
            for source, hint in zip(sources, found, strict=True)
        ]
        return large.side_by_side(jobs, progress, total)

    def _is_large(self, source: Source) -> bool:
        return size_of(source) >= self._blobs.inline_bytes

    def _hint(self, source: Source) -> str:
        """The object that the part probably is, if there is one."""
        if not self._is_large(source) or not (fingerprint := large.fingerprint(source)):
            return ""
        size, known = size_of(source), self._blobs.hints.bundles(fingerprint)
        return next((each for each in known if self._blobs.is_stored(each, size)), "")

    def _take(self, source: Source, hint: str, progress: Progress) -> str:
        """Runs in several threads at a time, each with a part of its own."""
        size = size_of(source)
        if not self._is_large(source):
            return large.digest(source, progress)
        if hint:
            digest = large.digest(source, progress)
            if self._blobs.is_stored(digest, size):
                self._large[digest] = size
                return digest
            large.refuse_full(self._blobs.folder, size)
        path, digest = self._blobs.write_scrap(source, progress)
        if self._blobs.is_stored(digest, size) or self._written.setdefault(digest, path) != path:
            _remove(path)  # the cache of hints was deleted, or two parts are the same
        self._large[digest] = size
        if fingerprint := large.fingerprint(source):
            self._hints[fingerprint] = digest
        return digest

    def add(self, source: Source, chunk: Chunk | None = None, *, is_new: bool = False) -> Chunk:
        """Put a part into the batch; a large one that was not taken is stored at once.

        One that `is_new` cannot be stored anywhere yet, and is not looked for.
        """
        if chunk is None:
            chunk = Chunk(digest=large.digests([source])[0], size=size_of(source))
        digest, size = chunk.digest, chunk.size
        if digest in self._parts or digest in self._elsewhere or digest in self._large:
            return chunk
        if size >= self._blobs.inline_bytes:
            if not self._blobs.is_stored(digest, size):
                self._blobs.write(large.pieces(source), digest)
            self._large[digest] = size
        elif size > TINY and not is_new and (bundle := self._blobs.find(digest)):
            self._elsewhere[digest] = bundle
        else:
            self._parts[digest] = source if isinstance(source, OnDisk) else large.in_one(source)
        return chunk

    def refer(self, digest: str, bundle: str) -> None:
        """Name a part that a bundle holds or names, without reading it. Raises `DamagedObjectError`."""
        if digest in self._parts or digest in self._elsewhere or digest in self._large:
            return
        index = self._blobs.index(bundle)
        if digest in index.large:
            self._large[digest] = index.large[digest]
        elif digest in index.parts or digest in index.elsewhere:
            self._elsewhere[digest] = index.elsewhere.get(digest, bundle)
        else:
            raise DamagedObjectError(f"{self._blobs.path(bundle)} does not hold the part {digest[:12]}…")

    def commit(self) -> str:
        """Name the large parts, store the others as a bundle; return its digest."""
        self._name_large()
        return self._blobs.write_bundle(self._parts, elsewhere=self._elsewhere, large=self._large)

    def _name_large(self) -> None:
        targets = {digest: self._blobs.path(digest) for digest in self._written}
        folders = {target.parent for target in targets.values()}
        new = [folder for folder in sorted(folders) if not folder.is_dir()]
        for folder in new:
            make_folder(folder, durable=False)
        for digest, target in targets.items():
            try:
                self._written[digest].rename(target)
            except OSError as error:
                raise refused(error, target) from error
            del self._written[digest]
        for folder in sorted(folders) + ([self._blobs.folder] if new else []):
            sync_folder(folder)
        for fingerprint, digest in self._hints.items():
            self._blobs.hints.add([fingerprint], digest)


def _remove(path: Path) -> None:
    with suppress(OSError):
        os.unlink(path)  # noqa: PTH108 - as the other calls that the kill tests count
