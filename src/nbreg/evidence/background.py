"""Proofs beside the work: a kernel asks for them, and one process of this user works them off.

What was asked lies as small files in the user's cache, so that a kernel that dies leaves it to
the next one, or to `nbreg prove --missing`. The process goes when nothing is asked any more, and
takes turns with those of other users. No request is overlooked: whoever works looks once more
after giving the lock back, and whoever asks puts the request down before it looks at the lock.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from nbreg.evidence.turns import Turns
from nbreg.store.verified import cache_folder

log = logging.getLogger("nbreg")


class Asked(msgspec.Struct, frozen=True):
    """A version that wants a proof."""

    location: str
    ref: str
    """With the whole digest: what `latest` means may change before its turn comes."""


def queue_folder() -> Path:
    """Where requests lie: `$XDG_CACHE_HOME/nbreg/prove`, or `~/.cache/nbreg/prove`.

    Raises `OSError` where this user has neither.
    """
    folder = cache_folder()
    if folder is None:
        raise FileNotFoundError(errno.ENOENT, "this user has no home to keep requests in")
    return folder / "prove"


def ask(location: Path, ref: str) -> subprocess.Popen[bytes] | None:
    """Ask for a proof; returns the process that was started, or None where one is at work already.

    Raises `OSError` where this user's cache cannot be written.
    """
    folder = queue_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    request = folder / secrets.token_hex(8)
    unfinished = request.with_suffix(".part")
    unfinished.write_bytes(msgspec.json.encode(Asked(str(location.absolute()), ref)))
    unfinished.rename(request.with_suffix(".json"))
    with _alone(folder) as nobody_works:
        if not nobody_works:
            return None
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "nbreg.evidence.background"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # an interrupt of the kernel is not meant for it, nor is the kernel's end
    )


def work() -> None:
    """Prove what was asked for, one after the other, until nothing is left."""
    folder, turns = queue_folder(), Turns()
    with suppress(OSError):
        os.nice(10)
    while requests := _requests(folder):
        with _alone(folder) as mine:
            if not mine:
                return
            while requests:
                with turns.mine():
                    _prove(requests[0])
                requests = _requests(folder)


def _requests(folder: Path) -> list[Path]:
    """What was asked, the oldest first."""
    found = []
    for path in folder.glob("*.json"):
        with suppress(OSError):
            found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found)]


def _prove(request: Path) -> None:
    """Prove it if nobody has; a request that cannot be met is dropped, and `--missing` finds the version."""
    from nbreg.registry import Registry

    try:
        asked = msgspec.json.decode(request.read_bytes(), type=Asked)
        version = Registry(asked.location).get(asked.ref)
        if version.proof is None:
            version.prove()
    except Exception:
        log.debug("%s is not met", request, exc_info=True)
    request.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether this is the one process of this user that proves, for as long as the block lasts."""
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(fd)


if __name__ == "__main__":
    work()
