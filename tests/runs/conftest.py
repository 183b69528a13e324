"""What tests of runs have."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbreg import Registry
from nbreg.settings import Settings


@pytest.fixture
def quick(tmp_path: Path) -> Registry:
    """A registry that captures nothing, where only the run matters."""
    return Registry(tmp_path / "registry", settings=Settings(capture=False))
