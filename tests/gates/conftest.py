"""What tests of gates have: two versions, the first in production, and no gate that another test declared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from refusals import QUICK

from nbreg import Registry
from nbreg.registry.stages import gatefunctions


@pytest.fixture(autouse=True)
def _no_functions() -> Iterator[None]:
    """What a test declares is no other test's."""
    yield
    gatefunctions._declared.clear()


@pytest.fixture
def quick(tmp_path: Path) -> Registry:
    """Two versions, the first in production."""
    registry = Registry(tmp_path / "r", settings=QUICK)
    registry.register("churn", 1, metrics={"auc": 0.90, "loss": 0.30})
    registry.register("churn", 2, metrics={"auc": 0.88, "loss": 0.28}, tags=["reviewed"])
    registry.promote("churn@1", "production")
    return registry
