"""One proof at a time on a machine, whoever asked for it.

The lock is on a file that all users find. Whoever holds it too long, out of malice or because
they stopped, costs the others a wait and nothing else: after that they prove without it.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SHARED: Final = Path("/tmp/nbreg-one-proof-at-a-time")  # noqa: S108 - that anybody may squat it is reckoned with
"""Not below `$TMPDIR`, which may be one user's own."""

PATIENCE: Final = 600.0
"""Seconds; an honest proof has ended by then."""

_MOMENT: Final = 0.2


class Turns:
    """What one process that proves waits for, before each proof."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience

    @contextmanager
    def mine(self) -> Iterator[bool]:
        """Whether nobody else on this machine proves for as long as the block lasts.

        False where that cannot be found out, and once waiting was in vain: not every proof waits again.
        """
        fd = _opened(shared())
        try:
            yield fd is not None and self._locked(fd)
        finally:
            if fd is not None:
                os.close(fd)

    def _locked(self, fd: int) -> bool:
        until = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if time.monotonic() > until:
                    self._patience = 0.0
                    return False
                time.sleep(_MOMENT)
            except OSError:
                return False


def shared() -> Path:
    """The file that is locked: `$NBREG_PROOF_LOCK`, for those whose `/tmp` is not everybody's."""
    return Path(os.environ.get("NBREG_PROOF_LOCK", "") or SHARED)


def _opened(path: Path) -> int | None:
    """The file, made if need be; None where what has its name is no file that anybody may lock.

    It is opened for reading alone: a lock needs no more, so nobody can be made to write anywhere.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    for more in (0, os.O_CREAT | os.O_EXCL, 0):
        try:
            fd = os.open(path, flags | more, 0o444)
        except (FileNotFoundError, FileExistsError):
            continue
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            return None
        if more:
            os.fchmod(fd, 0o444)  # others may lock it, whatever this user's mask
        return fd
    return None
