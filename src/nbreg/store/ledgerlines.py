"""The lines of a file of decisions.

    {"line":"begun", …}      first, once: format, registry, which key the digests are made with
    {"line":"version", …}    a version that decides from here on, and a number to call it by
    {"line":"decided", …}    one answer: when, by which of these, and the digests of its rows

`rows` is base64 of 15 bytes for each row, so that the digest of any row stands there as 20
characters that can be searched as text.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, Final

import msgspec

from nbreg.records import NO_RECORD, Actor

DIGEST: Final = 15
"""Bytes of a row's digest."""

WIDTH: Final = 20
"""Characters of it."""


class Line(msgspec.Struct, tag_field="line", frozen=True, kw_only=True, omit_defaults=True):
    """One line; unknown fields of a later release are ignored when it is read."""


class Begun(Line, tag="begun", frozen=True, kw_only=True):
    """A process begins to write decisions down."""

    format: int = 1
    id: str
    registry: str
    key: str
    """The id of the key that the digests are made with; never the key."""
    at: str
    host: str = ""
    pid: int = 0


class Deciding(Line, tag="version", frozen=True, kw_only=True):
    """A version that decides, for whom, and how its rows are spelled."""

    v: int = 0
    model: str
    number: int
    id: str
    by: Actor
    method: str = "predict"
    columns: tuple[str, ...] = ()
    width: int = 0


class Decided(Line, tag="decided", frozen=True, kw_only=True):
    """One answer."""

    at: str
    v: int
    rows: str
    request: str = ""


AnyLine = Begun | Deciding | Decided

encode: Final = msgspec.json.Encoder().encode
_decoder: Final = msgspec.json.Decoder(AnyLine)


def decode(data: Any) -> Begun | Deciding | Decided | None:
    """The line that bytes spell, or None for what is no line of a ledger."""
    try:
        line: Begun | Deciding | Decided = _decoder.decode(data)
    except NO_RECORD:
        return None
    return line


def to_text(digests: bytes) -> str:
    """Digests as they stand in a line."""
    return b64encode(digests).decode()


def from_text(text: str) -> bytes:
    """Digests of a line."""
    return b64decode(text)
