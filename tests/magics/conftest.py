"""What tests of the magics have: a real kernel for each module, with an empty registry for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels import MODEL, Kernel, running_kernel


@pytest.fixture(scope="module")
def shared() -> Iterator[Kernel]:
    """One kernel for the module: starting one takes longer than most tests."""
    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        yield kernel


@pytest.fixture
def kernel(shared: Kernel, tmp_path: Path) -> Kernel:
    """The kernel with an empty namespace, an empty registry and a folder of its own."""
    (tmp_path / "work").mkdir()
    shared.good("%reset -f")
    shared.good(f"import os; os.chdir({str(tmp_path / 'work')!r}); del os")
    shared.good("%use_registry ./registry")
    shared.good(MODEL)
    return shared


@pytest.fixture
def trained(kernel: Kernel) -> Kernel:
    """The kernel with a trained model and a metric."""
    kernel.good("clf = Mean().fit([1, 2, 3])\naccuracy = 0.9")
    return kernel
