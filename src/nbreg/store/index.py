"""Where each row stands: from table and id to the lines that wrote it.

The index is all of a journal that stays in memory, so its size decides how large a model may
grow: a row costs some 8 to 100 bytes here. It remembers every line that wrote a row, so what a
row was at any earlier time is one bisect away, and no row has to carry its own history.
"""

from __future__ import annotations

import re
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

_HEX: Final = re.compile("[0-9a-f]{1,64}")
_GONE: Final = -(1 << 62)  # added to the line that took a row away
_NEVER: Final = _GONE - 1
_MANY: Final = 1024


def _present(entry: int) -> bool:
    return entry >= 0


class RowIds(Protocol):
    """The rows of one table. An entry is the index of a line; negative if it took the row away."""

    def add(self, row_id: str, entry: int) -> None: ...

    def entries(self, row_id: str) -> Sequence[int]:
        """All entries that may be of this row, oldest first; to be read, not kept."""
        ...

    def ids(self) -> Iterator[str]: ...


class Words:
    """Rows by any text: names, aliases, stages."""

    IDS: Final = "any text"
    fits: Final = re.compile(".*", re.DOTALL).fullmatch

    def __init__(self) -> None:
        self._entries: dict[str, int | array[int]] = {}

    def add(self, row_id: str, entry: int) -> None:
        """Remember that a line wrote the row."""
        known = self._entries.get(row_id)
        if known is None:
            self._entries[row_id] = entry
        elif isinstance(known, int):
            self._entries[row_id] = array("q", (known, entry))
        else:
            known.append(entry)

    def entries(self, row_id: str) -> Sequence[int]:
        """The lines that wrote the row; not copied, since a model's own row is on every line."""
        known = self._entries.get(row_id)
        return [] if known is None else [known] if isinstance(known, int) else known

    def ids(self) -> Iterator[str]:
        """The ids, in the order in which they first came."""
        return iter(list(self._entries))


class Numbers:
    """Rows by 1, 2, 3 …: versions. A row costs eight bytes until it changes."""

    IDS: Final = "a number from 1 to 9,999,999"
    fits: Final = re.compile("[1-9][0-9]{0,6}").fullmatch

    def __init__(self) -> None:
        self._latest = array("q")
        self._earlier: dict[int, array[int]] = {}

    def add(self, row_id: str, entry: int) -> None:
        """Remember that a line wrote the row."""
        number, latest = int(row_id), self._latest
        while len(latest) < number - 1:
            latest.append(_NEVER)
        if len(latest) < number:
            return latest.append(entry)
        known = latest[number - 1]
        if known != _NEVER:
            self._earlier.setdefault(number, array("q")).append(known)
        latest[number - 1] = entry
        return None

    def entries(self, row_id: str) -> Sequence[int]:
        """The lines that wrote the row."""
        if not self.fits(row_id):
            return []
        number = int(row_id)
        if number > len(self._latest) or self._latest[number - 1] == _NEVER:
            return []
        return [*self._earlier.get(number, ()), self._latest[number - 1]]

    def ids(self) -> Iterator[str]:
        """The ids in the order of their numbers."""
        return (str(i + 1) for i, entry in enumerate(self._latest) if entry != _NEVER)


class Digests:
    """Rows by a digest in hex, 16 bytes a row: the first 64 bits, sorted, and the line.

    Two digests may share their first 64 bits: whoever reads the line sees which one it is.
    """

    IDS: Final = "64 lower-case hex digits"
    fits: Final = re.compile("[0-9a-f]{64}").fullmatch

    def __init__(self) -> None:
        self._keys = array("Q")
        self._entries = array("q")
        self._recent: dict[int, list[int]] = {}  # settled, and too few to sort them in
        self._new_keys = array("Q")
        self._new_entries = array("q")
        self._unread: list[str] = []  # the last of the new keys, in hex: many are read faster than one by one

    def add(self, row_id: str, entry: int) -> None:
        """Remember that a line wrote the row; it is sorted in when something is looked for."""
        self._unread.append(row_id[:16])
        self._new_entries.append(entry)
        if len(self._unread) == _MANY:
            self._read()

    def _read(self) -> None:
        keys = array("Q", bytes.fromhex("".join(self._unread)))
        if sys.byteorder == "little":
            keys.byteswap()
        self._new_keys.extend(keys)
        self._unread.clear()

    def entries(self, row_id: str) -> Sequence[int]:
        """The lines that wrote a row whose digest begins like this one, or with it."""
        if not _HEX.fullmatch(row_id):
            return []
        self.settle()
        low = int(row_id[:16].ljust(16, "0"), 16)
        high = int(row_id[:16].ljust(16, "f"), 16)
        found = []
        for at in range(bisect_left(self._keys, low), len(self._keys)):
            if self._keys[at] > high:
                break
            found.append(self._entries[at])
        if low == high:
            found += self._recent.get(low, ())
        else:
            found += [entry for key, each in self._recent.items() if low <= key <= high for entry in each]
        return sorted(found, key=line_of)

    def ids(self) -> Iterator[str]:
        """The digests' first 16 hex digits: the lines know the rest."""
        self.settle()
        keys = sorted({*self._keys, *self._recent})
        return (f"{key:016x}" for key in keys)

    def settle(self) -> None:
        """Sort what came, if it is much; else keep it where a few are found quickly."""
        self._read()
        if not self._new_keys:
            return
        new = zip(self._new_keys, self._new_entries, strict=True)
        if len(self._recent) + len(self._new_keys) < _MANY:
            for key, entry in new:
                self._recent.setdefault(key, []).append(entry)
        else:
            self._merge(array("Q", self._keys), array("q", self._entries))
        self._new_keys, self._new_entries = array("Q"), array("q")

    def _merge(self, keys: array[int], entries: array[int]) -> None:
        for key, each in self._recent.items():
            for entry in each:
                keys.append(key)
                entries.append(entry)
        keys.extend(self._new_keys)
        entries.extend(self._new_entries)
        order = sorted(
            range(len(keys)), key=keys.__getitem__
        )  # stable: the entries of a key keep their order
        self._keys = array("Q", map(keys.__getitem__, order))
        self._entries = array("q", map(entries.__getitem__, order))
        self._recent = {}


def gone(index: int) -> int:
    """The entry of a line that took a row away."""
    return index + _GONE


def line_of(entry: int) -> int:
    """The line of an entry."""
    return entry if _present(entry) else entry - _GONE


def took_away(entry: int) -> bool:
    """Whether the entry's line took the row away."""
    return not _present(entry)
