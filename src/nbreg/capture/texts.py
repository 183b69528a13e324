"""The texts of code files, read again only where a file may have changed since.

A registration looks at the script and at each local module, and from one registration to the next
they hardly ever change. A file is taken for the one that was read as git does it: by device, inode,
size, mtime and ctime, which nobody can set back; and not where it had changed so shortly before it
was read that another change could bear the same times.
"""

from __future__ import annotations

import os
import time
from typing import Final, NamedTuple

SETTLED_NS: Final = 2_000_000_000
"""How long ago the last change must have been: the coarsest clock that a file system has."""

KEPT_BYTES: Final = 4 * 1024 * 1024
"""How much text is kept in mind: more than twice what a registration can record."""

Stamp = tuple[int, int, int, int, int]


class Text(NamedTuple):
    """A file's text and size; no text where it is larger than was asked for."""

    text: str
    size: int
    changed: float
    """When the file was changed, by its own word."""


_known: dict[str, tuple[Stamp, Text]] = {}


def read(path: str, most: int) -> Text:
    """The text of a file of at most so many bytes. Raises `OSError`."""
    now = time.time_ns()
    status = os.stat(path)  # noqa: PTH116 - for each module of each registration
    known = _known.get(path)
    if known is not None and known[0] == _stamp(status):
        return known[1] if known[1].size <= most else known[1]._replace(text="")
    with open(path, "rb") as file:  # noqa: PTH123
        # Of the file that is read, and before it is: what changes meanwhile is found changed next time.
        status = os.fstat(file.fileno())
        raw = file.read(most + 1)
    if len(raw) > most:
        return Text("", max(len(raw), status.st_size), status.st_mtime)
    found = Text(raw.decode("utf-8", "backslashreplace"), len(raw), status.st_mtime)
    if max(status.st_mtime_ns, status.st_ctime_ns) < now - SETTLED_NS:
        _keep(path, _stamp(status), found)
    return found


def _keep(path: str, stamp: Stamp, text: Text) -> None:
    if sum(each.size for _, each in list(_known.values())) + text.size > KEPT_BYTES:
        _known.clear()
    _known[path] = stamp, text


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
