"""A captured record as bytes, with their digest; a long one that stays the same is spelled once."""

from __future__ import annotations

from nbreg.records import Chunk, Environment, Record, canonical, digest_of

_environment: tuple[Record, tuple[bytes, str]] | None = None
"""The last environment as bytes: a long record, and the very same one as long as nothing of it changes."""


def spelled(record: Record) -> tuple[bytes, str]:
    """The record's bytes and their digest."""
    global _environment
    known = _environment
    if known is not None and known[0] is record:
        return known[1]
    raw = canonical(record)
    found = raw, digest_of(raw)
    if type(record) is Environment:
        _environment = record, found
    return found


def chunk_known_of(raw: bytes) -> Chunk | None:
    """The chunk of the last environment's bytes, which are not digested anew for each version; else None."""
    known = _environment
    if known is None or known[1][0] is not raw:
        return None
    return Chunk(digest=known[1][1], size=len(raw))
