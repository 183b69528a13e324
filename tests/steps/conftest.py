"""What tests of handles and steps have: a registry whose clock goes by seconds, and no warning given before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nbreg import Registry
from nbreg.runs import handles


class Clock:
    """A time that tests set."""

    def __init__(self) -> None:
        self.now = datetime(2024, 11, 27, 11, 7, 9, 326492, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now - timedelta(seconds=1)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry", clock=Clock())


@pytest.fixture(autouse=True)
def _untold() -> Iterator[None]:
    handles._told.clear()
    yield
    handles._told.clear()
