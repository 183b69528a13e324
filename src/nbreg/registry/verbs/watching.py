"""What changed in a registry since somebody last looked, whoever did it: cheap to ask every second.

Nothing is told by a writer. Looking is one `stat` for each journal, and reading the last line of
those that are not as they were.
"""

from __future__ import annotations

import secrets
import threading
from pathlib import Path
from typing import Final, NamedTuple

from nbreg.names import check_model_name
from nbreg.records import Changes, Head, ModelRow
from nbreg.registry.ground.desk import Desk

Stamp = tuple[int, int, int]
"""Inode, size and time of a file: another one after every write."""

_ABSENT: Final[Stamp] = (0, 0, 0)
_OTHERS: Final = {
    "registry": "registry.jsonl",
    "runs": "runs",
    "drafts": "drafts",
    "data": "data/journal.jsonl",
}


class _Seen(NamedTuple):
    stamp: Stamp
    row: ModelRow | None
    tick: int


class Watch:
    """Remembers the models of a registry as they were at the last `look`, and counts what is new.

    May be shared by threads. A cursor is of one `Watch`: another one's is answered with everything.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._epoch = secrets.token_hex(4)
        self._tick = 0
        self._models: dict[str, _Seen] = {}
        self._others: dict[str, tuple[Stamp, int]] = {}
        self._gone: dict[str, int] = {}
        self._guard = threading.Lock()

    def look(self) -> str:
        """See what changed; returns the cursor from which on the next changes count."""
        with self._guard:
            self._look()
            return self._cursor

    def models(self) -> tuple[list[ModelRow], str]:
        """Every model in brief, by name, and the cursor of the last look."""
        with self._guard:
            return self._rows(-1), self._cursor

    def changes(self, since: str = "") -> Changes:
        """The models that changed between a cursor and the last look; with `all` these are all there are."""
        with self._guard:
            tick = self._tick_of(since)
            if tick is None:
                return Changes(cursor=self._cursor, all=True, models=self._rows(-1))
            return Changes(
                cursor=self._cursor,
                models=self._rows(tick),
                gone=sorted(name for name, at in self._gone.items() if at > tick),
                others=[name for name, (_, at) in self._others.items() if at > tick],
            )

    @property
    def _cursor(self) -> str:
        return f"{self._epoch}.{self._tick}"

    def _tick_of(self, cursor: str) -> int | None:
        epoch, _, tick = cursor.partition(".")
        if epoch != self._epoch or not (tick.isascii() and tick.isdigit()) or int(tick) > self._tick:
            return None
        return int(tick)

    def _rows(self, tick: int) -> list[ModelRow]:
        rows = [seen.row for seen in self._models.values() if seen.row is not None and seen.tick > tick]
        return sorted(rows, key=lambda row: row.name)

    def _look(self) -> None:
        folder = self._desk.folder
        tick = self._tick + 1
        changed = False
        there = set()
        for name, path in folder.journals():
            there.add(name)
            stamp, known = _stamp(path), self._models.get(name)
            if known is None or known.stamp != stamp:
                row = folder.last_row(name, path)
                self._models[name] = _Seen(stamp, row, tick)
                self._gone.pop(row.name if row else name, None)
                changed = True
        for name in self._models.keys() - there:
            row = self._models.pop(name).row
            self._gone[row.name if row else name] = tick
            changed = True
        for name, below in _OTHERS.items():
            stamp = _stamp(folder.path / below)
            if self._others.get(name, (_ABSENT, 0))[0] != stamp:
                self._others[name] = stamp, tick
                changed = True
        self._tick += changed


class WatchVerbs:
    """What a registry offers to those who keep looking at it."""

    _desk: Desk

    def watch(self) -> Watch:
        """Something to ask what changed, by any process: `watch.look()`, then `watch.changes(cursor)`."""
        self._desk.check_admin("watching a whole registry")
        return Watch(self._desk)

    def head(self, model: str) -> Head:
        """The end of a model's chain. Raises `UnknownModelError`."""
        return self._desk.model(model).journal.head

    def stamp(self, *models: str) -> tuple[Stamp, ...]:
        """Another value after every write to one of these models, or to the registry's own rules."""
        folder = self._desk.folder
        journals = [folder.model_path(check_model_name(model)) / "journal.jsonl" for model in models]
        return tuple(_stamp(path) for path in (folder.path / "registry.jsonl", *journals))


def shown(registry: WatchVerbs, rows: list[ModelRow]) -> list[ModelRow]:
    """Those of some models that are there for whoever this registry acts as."""
    return registry._desk.shown(rows)


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return _ABSENT
    return (status.st_ino, status.st_size, status.st_mtime_ns)
