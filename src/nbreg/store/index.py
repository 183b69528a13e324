"""Where each row stands: from table and id to the lines that wrote it.

The index is all of a journal that stays in memory, so its size decides how large a model may
grow: a row costs some 8 to 100 bytes here. It remembers every line that wrote a row, so what a
row was at any earlier time is one bisect away, and no row has to carry its own history.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, Protocol

_HEX: Final = re.compile("[0-9a-f]{1,64}")
_GONE: Final = -(1 << 62)  # added to the line that took a row away
_NEVER: Final = _GONE - 1


def _present(entry: int) -> bool:
    return entry >= 0


class RowIds(Protocol):
    """The rows of one table. An entry is the index of a line; negative if it took the row away."""

    def add(self, row_id: str, entry: int) -> None: ...

    def entries(self, row_id: str) -> list[int]:
        """All entries that may be of this row, oldest first."""
        ...

    def ids(self) -> Iterator[str]: ...

    def settle(self) -> None: ...


class Words:
    """Rows by any text: names, aliases, stages."""

    IDS: Final = "any text"

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

    def entries(self, row_id: str) -> list[int]:
        """The lines that wrote the row."""
        known = self._entries.get(row_id)
        return [] if known is None else [known] if isinstance(known, int) else list(known)

    def ids(self) -> Iterator[str]:
        """The ids, in the order in which they first came."""
        return iter(list(self._entries))

    def settle(self) -> None:
        """Nothing to put in order."""

    @staticmethod
    def fits(row_id: str) -> bool:
        """Whether a row may have that id."""
        return True


class Numbers:
    """Rows by 1, 2, 3 …: versions. A row costs eight bytes until it changes."""

    IDS: Final = "a number from 1 to 9,999,999"

    def __init__(self) -> None:
        self._latest = array("q")
        self._earlier: dict[int, array[int]] = {}

    def add(self, row_id: str, entry: int) -> None:
        """Remember that a line wrote the row."""
        number = int(row_id)
        while len(self._latest) < number:
            self._latest.append(_NEVER)
        known = self._latest[number - 1]
        if known != _NEVER:
            self._earlier.setdefault(number, array("q")).append(known)
        self._latest[number - 1] = entry

    def entries(self, row_id: str) -> list[int]:
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

    def settle(self) -> None:
        """Nothing to put in order."""

    @staticmethod
    def fits(row_id: str) -> bool:
        """Whether a row may have that id."""
        return row_id.isascii() and row_id.isdigit() and row_id[0] != "0" and len(row_id) < 8


class Digests:
    """Rows by a digest in hex, 16 bytes a row: the first 64 bits, sorted, and the line.

    Two digests may share their first 64 bits: whoever reads the line sees which one it is.
    """

    IDS: Final = "64 lower-case hex digits"

    def __init__(self) -> None:
        self._keys = array("Q")
        self._entries = array("q")
        self._recent: dict[int, list[int]] = {}

    def add(self, row_id: str, entry: int) -> None:
        """Remember that a line wrote the row."""
        self._recent.setdefault(self._key(row_id), []).append(entry)

    def entries(self, row_id: str) -> list[int]:
        """The lines that wrote a row whose digest begins like this one, or with it."""
        if not _HEX.fullmatch(row_id):
            return []
        low = self._key(row_id.ljust(16, "0"))
        high = self._key(row_id.ljust(16, "f"))
        found = []
        for at in range(bisect_left(self._keys, low), len(self._keys)):
            if self._keys[at] > high:
                break
            found.append(self._entries[at])
        if low == high:
            found += self._recent.get(low, ())
        else:
            found += [entry for key, each in self._recent.items() if low <= key <= high for entry in each]
        return sorted(found, key=lambda entry: entry if _present(entry) else entry - _GONE)

    def ids(self) -> Iterator[str]:
        """The digests' first 16 hex digits: the lines know the rest."""
        keys = sorted({*self._keys, *self._recent})
        return (f"{key:016x}" for key in keys)

    def settle(self) -> None:
        """Sort what came since, once it is much: so that the cost stays small for each."""
        if len(self._recent) < max(1024, len(self._keys) // 4):
            return
        pairs = list(zip(self._keys, self._entries, strict=True))
        pairs += ((key, entry) for key, entries in self._recent.items() for entry in entries)
        pairs.sort(key=lambda pair: pair[0])  # stable: the entries of one key stay in their order
        self._keys = array("Q", (key for key, _ in pairs))
        self._entries = array("q", (entry for _, entry in pairs))
        self._recent = {}

    @staticmethod
    def fits(row_id: str) -> bool:
        """Whether a row may have that id."""
        return len(row_id) == 64 and _HEX.fullmatch(row_id) is not None

    @staticmethod
    def _key(row_id: str) -> int:
        return int(row_id[:16], 16)


def gone(index: int) -> int:
    """The entry of a line that took a row away."""
    return index + _GONE


def line_of(entry: int) -> int:
    """The line of an entry."""
    return entry if _present(entry) else entry - _GONE


def took_away(entry: int) -> bool:
    """Whether the entry's line took the row away."""
    return not _present(entry)
