"""What tests of a registry's verbs have: a clock that they move, and a registry that captures nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from versions import Clock

from nbreg import Registry
from nbreg.records import Actor
from nbreg.settings import Settings


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(tmp_path: Path, clock: Clock) -> Registry:
    return Registry(
        tmp_path / "registry",
        settings=Settings(capture=False),
        clock=clock,
        actor=Actor(user="ada", host="lab"),
    )
