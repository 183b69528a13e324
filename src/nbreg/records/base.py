"""What every record is, and who did what."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

FORMAT: Final = 1
"""The number of the on-disk form; a higher one than this is refused."""

NO_RECORD: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises where bytes are no record: also for one that is nested without end."""

Json = None | bool | int | float | str | list[Any] | dict[str, Any]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen record; unknown fields of a later release are ignored when it is read."""


class Row(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A record that stands in a journal: small, so its empty fields are left out."""


class Actor(Record, frozen=True, kw_only=True):
    """Who did it: self-asserted on a folder, and shown as such."""

    user: str
    source: Literal["jupyterhub", "server", "environment", "system"] = "system"
    host: str = ""


class Event(Record, frozen=True, kw_only=True):
    """One accepted change of a model, as its journal line tells it."""

    model: str
    seq: int
    at: str
    by: Actor
    kind: str
    reason: str = ""
    message: str = ""
    number: int | None = None
    facts: dict[str, Any] = {}
