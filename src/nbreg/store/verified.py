"""Which objects were found whole before: a user's own cache, so that a gigabyte is digested once.

An object counts as the one that was verified while its device, inode, size and both times are
the same: whoever writes to a file changes its `ctime`, which only the system sets. (Through a map it
does so once for each page until that is on the disk; who has an object mapped to write to it can
change what is loaded anyhow.) The cache is the user's and stands in no registry: what comes with the
bytes cannot vouch for the bytes. Losing it costs one more look at the bytes.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

log = logging.getLogger("nbreg")

SETTLED: Final = 2.0
"""Seconds after which a change shows in a file's times, however coarse the file system's clock."""

_ENTRY: Final = 32
_MOST: Final = 32_768
_FORM: Final = b"nbreg verified 1\n"


def cache_folder() -> Path | None:
    """Where this user's caches are: `$XDG_CACHE_HOME/nbreg`, or `~/.cache/nbreg`; None without a home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):
        base = os.path.expanduser("~/.cache")  # noqa: PTH111 - pathlib raises for who has no home
    return Path(base, "nbreg") if base.startswith("/") else None


class Verified:
    """The objects that this user has verified; read once, appended to."""

    def __init__(self) -> None:
        folder = cache_folder()
        self._path = folder / "verified" if folder else None
        self._known: set[bytes] | None = None

    def knows(self, digest: str, status: os.stat_result) -> bool:
        """Whether that very file was found to have that digest."""
        if self._known is None:
            self._known = self._read()
        return _key(digest, status) in self._known

    def note(self, found: list[tuple[str, os.stat_result]]) -> None:
        """Remember files that were found whole, if they have been as they are for a while."""
        now = time.time()
        settled = [_key(digest, status) for digest, status in found if now - status.st_ctime >= SETTLED]
        if not settled or self._path is None:
            return
        self._known = (self._known or set()) | set(settled)
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            fd = os.open(self._path, flags, 0o600)
            try:
                size = os.fstat(fd).st_size
                if size > _ENTRY * _MOST or size % _ENTRY:
                    os.ftruncate(fd, 0)  # full, or torn by a crash: start over, it is a cache
                os.write(fd, b"".join(settled))
            finally:
                os.close(fd)

    def _read(self) -> set[bytes]:
        if self._path is None:
            return set()
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return set()
        with os.fdopen(fd, "rb") as file:
            status = os.fstat(fd)
            if status.st_uid != os.geteuid() or status.st_mode & 0o022:
                log.warning("%s can be written by others, so it says nothing", self._path)
                return set()
            entries = file.read(2 * _ENTRY * _MOST)
        return {entries[at : at + _ENTRY] for at in range(0, len(entries), _ENTRY)}


def _key(digest: str, status: os.stat_result) -> bytes:
    told = (digest, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return sha256(_FORM + repr(told).encode()).digest()
