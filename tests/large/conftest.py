"""What tests of large models have: what is done for gigabytes is done for megabytes, too, and digests are counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sizes import BARE, MIB, Counting

from nbreg import Registry
from nbreg.store import large, verified


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry", settings=BARE)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done for gigabytes is done for megabytes, too."""
    monkeypatch.setattr(large, "_ALONE", 1)
    monkeypatch.setattr(large, "_SPLIT", 3 * MIB)


@pytest.fixture
def quick_to_remember(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written a moment ago may be remembered, and 8 MiB are a large artifact."""
    monkeypatch.setattr(verified, "SETTLED", -1.0)
    monkeypatch.setattr("nbreg.registry.opening.loading._SMALL", 2 * MIB)


@pytest.fixture
def digested(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counting]:
    """Counts the bytes that any part of nbreg digests."""
    import hashlib
    import sys

    counting = Counting(hashlib.sha256)
    for name, module in list(sys.modules.items()):
        signs = name == "nbreg.trust"  # hmac wants the real one
        if name.startswith("nbreg") and not signs and getattr(module, "sha256", None) is hashlib.sha256:
            monkeypatch.setattr(module, "sha256", counting)
    return counting
