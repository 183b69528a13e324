"""What a capture is made of: its parts, each a record to store and the facts that a card shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import UNSET, UnsetType

from nbreg.records import Record


class Part(NamedTuple):
    """One captured part: the record to store, and the few facts of it that a card shows."""

    record: Record
    summary: dict[str, Any]
    stored: Sequence[bytes] = ()
    """Bytes that the record names."""


class Capture(NamedTuple):
    """The parts by name, a text where one is missing saying why; and what was withheld, by kind."""

    parts: dict[str, Part | str]
    redactions: dict[str, int]
    described: dict[str, Any] | UnsetType = UNSET
    """What the model's family tells of it."""
    inferred: Sequence[str] = ()
    """Fields of the manifest that were worked out, rather than told."""
