"""What tests of damage have: a registry with something in it, and a folder that other users can get to."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from damages import SETTINGS

from nbreg import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Two models, three versions of the one, a large part, a production."""
    registry = Registry(tmp_path / "r", settings=SETTINGS)
    (tmp_path / "large").write_bytes(b"l" * 9000)
    for n in (1, 2, 3):
        registry.register("churn", {"n": n}, artifacts={"large": tmp_path / "large"})
    registry.register("other", "kept")
    registry.promote("churn@2", "production")
    return registry


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that other users can get to: pytest's own is private."""
    folder = Path(tempfile.mkdtemp(prefix="nbreg-test-"))
    folder.chmod(0o755)
    yield folder
    subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=False)
    shutil.rmtree(folder)
