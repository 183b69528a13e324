"""What a ledger has, as one looks at it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nbreg import Registry
from nbreg.records import SegmentRow

CHILD = """
def rule(rows):
    return [sum(row) for row in rows]
SMALL = Settings(capture=False, segment_bytes=4096)
version = Registry(sys.argv[1], settings=SMALL).get('sum@1')
"""


def rule(rows: Any) -> list[Any]:
    return [sum(row) for row in rows]


def requests(registry: Registry, numbers: range) -> list[list[str]]:
    found = registry.who_decided([[number, 1] for number in numbers])
    assert found.unread == []
    return [[each.request for each in decisions] for decisions in found]


def finish(registry: Registry) -> None:
    """What the end of a process does."""
    registry.close()


def sealed(registry: Registry) -> list[Path]:
    return sorted((registry.location / "decisions" / "sealed").iterdir())


def unsealed(registry: Registry) -> list[Path]:
    found = (registry.location / "decisions").glob("*.jsonl")
    return sorted(path for path in found if path.name != "journal.jsonl")


def lines(registry: Registry) -> list[dict[str, Any]]:
    path = registry.location / "decisions" / "journal.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def rows(registry: Registry) -> list[SegmentRow]:
    return Registry(registry.location)._desk.folder.ledger.rows()
