"""Large models, what a registry has of them, and how many bytes were digested."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from nbreg import Registry
from nbreg.settings import Settings

MIB = 1024 * 1024
BARE = Settings(capture=False)


def matrix(seed: int, rows: int = 512, columns: int = 1024) -> Any:
    return np.random.default_rng(seed).random((rows, columns), dtype=np.float32)


def network(layers: int, width: int = 512) -> Any:
    """A trained-looking network of that many layers, each a matrix of its own."""
    from sklearn.neural_network import MLPRegressor

    data = np.random.default_rng(0).random((8, width), dtype=np.float32)
    with warnings.catch_warnings(action="ignore"):
        made = MLPRegressor(hidden_layer_sizes=(2,), max_iter=1).fit(data, data)
    made.n_layers_ = layers + 1
    made.coefs_ = [matrix(seed, width, width) / width for seed in range(layers)]
    made.intercepts_ = [np.zeros(width, np.float32) for _ in range(layers)]
    return made


def objects(registry: Registry) -> dict[str, tuple[int, int]]:
    """Each object's size and when it was last written."""
    blobs = registry._desk.folder.blobs
    return {digest: (size, path.stat().st_mtime_ns) for digest, path, size in blobs.objects()}


def scrap(registry: Registry) -> list[Path]:
    return list((registry.location / "tmp").iterdir())


class Counting:
    """`sha256`, and how many bytes went through it."""

    count = 0

    def __init__(self, real: Any) -> None:
        self._real = real

    def __call__(self, data: Any = b"") -> Any:
        outer = self
        outer.count += memoryview(data).nbytes

        class Hasher:
            def __init__(self, inner: Any) -> None:
                self._inner = inner

            def update(self, more: Any) -> None:
                outer.count += memoryview(more).nbytes
                self._inner.update(more)

            def digest(self) -> bytes:
                return self._inner.digest()

            def hexdigest(self) -> str:
                return self._inner.hexdigest()

        return Hasher(self._real(data))
