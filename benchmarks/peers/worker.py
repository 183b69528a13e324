"""Does what it is told, a JSON line at a time, and says what it took: `worker.py CONTESTANT FOLDER`.

Runs in the contestant's own environment. Models are made here, not sent.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

MIB = 1024 * 1024


def pipeline(number: int) -> Any:
    """A small pipeline unlike those of other numbers."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = load_breast_cancer(return_X_y=True)
    last = LogisticRegression(C=0.1 + number / 100, max_iter=20, tol=1e-2)
    return make_pipeline(StandardScaler(), last).fit(X, y)


def network(layers: int, width: int, seed: int) -> Any:
    """An `MLPRegressor` of so many float32 matrices of `width` × `width`."""
    import numpy as np
    from sklearn.neural_network import MLPRegressor

    rng = np.random.default_rng(seed)
    data = rng.random((8, width), dtype=np.float32)
    model = MLPRegressor(hidden_layer_sizes=(2,), max_iter=1).fit(data, data)
    model.n_layers_ = layers + 1
    model.coefs_ = [rng.standard_normal((width, width), dtype=np.float32) for _ in range(layers)]
    for matrix in model.coefs_:
        matrix *= np.float32(width**-0.5)
    model.intercepts_ = [np.zeros(width, np.float32) for _ in range(layers)]
    model._optimizer = None
    return model


class Worker:
    """One contestant in one process."""

    def __init__(self, name: str, folder: Path) -> None:
        from peers.adapters import CONTESTANTS

        self._folder = folder
        self._contestant = CONTESTANTS[name](folder)
        self._model: Any = None
        self._key = ""
        self._is_large = False

    def warm(self, key: str = "") -> dict[str, Any]:
        """Load something tiny, registered first where no key is given: all imports are behind it."""
        self._contestant.model = "warm"
        if not key:
            key = self._contestant.register(network(2, 64, 0))
            self._contestant.name(key)
        self._contestant.load(key)
        self._contestant.model = "cancer"
        return {"key": key}

    def small(self, number: int) -> dict[str, Any]:
        """Make a small model, untimed."""
        self._model = pipeline(number)
        return {}

    def large(self, layers: int, width: int, seed: int) -> dict[str, Any]:
        """Make a large model, untimed."""
        self._model = network(layers, width, seed)
        self._is_large = True
        return {}

    def change(self, count: int) -> dict[str, Any]:
        """Train so many of its layers on, untimed."""
        for number in range(count):
            self._model.coefs_[number * 7] += 1
        return {}

    def register(self) -> dict[str, Any]:
        def run() -> None:
            self._key = self._contestant.register(self._model)

        return {**self._measured(run), "key": self._key}

    def name(self, key: str) -> dict[str, Any]:
        """Put what was registered last into production, untimed."""
        self._contestant.name(key)
        return {}

    def load(self, key: str) -> dict[str, Any]:
        loaded: list[Any] = []
        return self._measured(lambda: loaded.append(self._contestant.load(key)))

    def load_and_predict(self, key: str, width: int) -> dict[str, Any]:
        import numpy as np

        row = np.ones((1, width), np.float32)
        loaded: list[Any] = []
        first = self._measured(lambda: loaded.append(self._contestant.load(key)))
        then = self._measured(lambda: loaded[0].predict(row))
        return {**first, "predicted": first["wall"] + then["wall"]}

    def digest(self, layers: int, width: int) -> dict[str, Any]:
        """What sha256 of so many bytes takes, in one thread: the price of looking at them."""
        from hashlib import sha256

        block = bytes(width * width * 4)

        def run() -> None:
            hasher = sha256()
            for _ in range(layers):
                hasher.update(block)

        return self._measured(run)

    def _measured(self, run: Any) -> dict[str, Any]:
        gc.collect()
        if self._is_large:
            os.sync()  # what others left for later is not this one's
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        resident, disk, io = _status("VmRSS"), _used(self._folder), _written()
        children, own, start = _children(), time.process_time(), time.perf_counter()
        run()
        wall = time.perf_counter() - start
        return {
            "wall": wall,
            "cpu": time.process_time() - own + _children() - children,
            "peak": max(0, _status("VmHWM") - resident) / MIB,
            "disk": (_used(self._folder) - disk) / MIB,
            "written": (_written() - io) / MIB,
        }


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _status(field: str) -> int:
    """Bytes, as the system tells of this process."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    return 0


def _written() -> int:
    """Bytes that this process handed to the system for files, so far."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/io").read_text().splitlines():
            if line.startswith("wchar"):
                return int(line.split()[1])
    return 0


def _used(folder: Path) -> int:
    total = 0
    for top, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += Path(top, name).lstat().st_size
    return total


def main(name: str, folder: Path) -> None:
    """Answer until there is nothing more; what a contestant prints goes to stderr."""
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(name, folder)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).resolve())
