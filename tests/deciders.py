"""A version that decides, and a ledger whose files are soon full."""

from __future__ import annotations

from nbreg import ModelVersion
from nbreg.settings import Settings

SMALL = Settings(capture=False, segment_bytes=4096)


def decide(version: ModelVersion, count: int, start: int = 0) -> None:
    """So many decisions, each about a row of its own, which its number asks for."""
    for number in range(start, start + count):
        version.predict([[number, 1]], request=str(number))
