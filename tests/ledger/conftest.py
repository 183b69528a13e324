"""What tests of the ledger have: a version that decides, and a registry whose segments are soon full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from answers import rule
from deciders import SMALL

from nbreg import ModelVersion, Registry


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "registry", settings=SMALL)
    registry.register("sum", rule)
    yield registry
    registry.close()


@pytest.fixture
def version(registry: Registry) -> ModelVersion:
    return registry.get("sum@1")
