"""A captured record as bytes, with their digest; one that stays the same is spelled once."""

from __future__ import annotations

from typing import Final

from nbreg.records import Chunk, Environment, Record, Source, canonical, digest_of

Piece = tuple[Chunk, bytes]
"""Bytes to store, and the chunk that names them: they are digested once."""

_REPEATED: Final = (Environment, Source)
"""Long records that mostly are what they were in the registration before.

Only such as hold nothing but text: `1`, `1.0` and `True` are equal, and not spelled alike.
"""

_last: dict[type[Record], tuple[Record, Piece]] = {}


def spelled(record: Record) -> Piece:
    """The record's bytes, and the chunk that names them."""
    kind = type(record)
    known = _last.get(kind)
    # An environment has hundreds of lines to compare, and is the very same one where none of them changed.
    if known is not None and (known[0] is record or (kind is Source and known[0] == record)):
        return known[1]
    found = piece_of(canonical(record))
    if kind in _REPEATED:
        _last[kind] = record, found
    return found


def piece_of(raw: bytes) -> Piece:
    """Bytes with the chunk that names them."""
    return Chunk(digest=digest_of(raw), size=len(raw)), raw
