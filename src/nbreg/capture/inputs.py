"""Files that were read on the way to a model: where they are, how large, and their content by digest.

A file is digested whole up to a budget for all of them together; of one beyond it the first and
the last mebibyte are, and the entry says so. One that changed since it was read is told as
changed, and not digested as if it were the one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from nbreg.capture.project.git import find_repository
from nbreg.capture.secrets import Redactor
from nbreg.records import ReadFile, timestamp

WHOLE: Final = 64 * 1024 * 1024
"""Bytes of all files together that are digested whole."""

END: Final = 1024 * 1024
"""Bytes at the beginning and at the end of a larger one."""

_BLOCK: Final = 1024 * 1024
_digests: dict[tuple[int, int, int, int, bool], str] = {}
"""By device, inode, size, time and scope: a file that did not change is not read again."""


def read_files(files: Sequence[ReadFile], folder: str, redactor: Redactor) -> Iterator[dict[str, Any]]:
    """What is recorded of each file, in the order given."""
    top, left = _project(folder), WHOLE
    for each in files:
        entry: dict[str, Any] = {"path": redactor.text(shown(each.path, top))}
        with suppress(OSError, ValueError):
            status = Path(each.path).stat()
            now = (status.st_mtime_ns, status.st_size, status.st_ino)
            entry |= {"size": status.st_size, "modified": _time(status.st_mtime)}
            if each.stamp is not None and each.stamp != now:
                yield {**entry, "changed": True}
                continue
            whole = status.st_size <= left
            left -= status.st_size if whole else 0
            entry |= {"digest": _digest(each.path, status, whole=whole)}
            entry["scope"] = "whole" if whole else "the first and the last MiB"
            if each.stamp is None:
                entry["since"] = "unseen"
        yield entry if "size" in entry else {**entry, "changed": True}


def shown(path: str, top: Path | None) -> str:
    """Relative to the project where it is inside; else absolute, the user's home as `~`."""
    real = Path(os.path.realpath(path))
    for base, sign in ((top, ""), (_home(), "~/")):
        if base is not None and real.is_relative_to(base):
            return sign + real.relative_to(base).as_posix()
    return real.as_posix()


def _project(folder: str) -> Path | None:
    with suppress(OSError, ValueError):
        repository = find_repository(folder)
        return repository.top if repository else Path(os.path.realpath(folder))
    return None


def _home() -> Path | None:
    with suppress(RuntimeError):
        return Path.home().resolve()
    return None


def _time(seconds: float) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))


def _digest(path: str, status: os.stat_result, *, whole: bool) -> str:
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, whole)
    if key not in _digests:
        if len(_digests) > 10_000:
            _digests.clear()
        _digests[key] = _read(Path(path), status.st_size, whole=whole)
    return _digests[key]


def _read(path: Path, size: int, *, whole: bool) -> str:
    hasher = sha256()
    with path.open("rb", buffering=0) as file:
        if not whole and size > 2 * END:
            hasher.update(file.read(END))
            file.seek(size - END)
        while block := file.read(_BLOCK):
            hasher.update(block)
    return hasher.hexdigest()
