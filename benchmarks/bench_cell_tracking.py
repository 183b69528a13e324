"""What it costs a cell to be watched, by what the cell touches.

Each cell is run many times in one shell that is watched; the figure is the time spent before
and after it by the tracker alone, beside that of the cell itself.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import harness
from harness import Benchmark, Figure

from nbreg.capture.recipe import Tracker

SETUP = """
import random
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
rng = np.random.default_rng(0)
small = pd.DataFrame(rng.normal(size=(1_000, 10))).rename(columns=str)
large = pd.DataFrame(rng.normal(size=({rows}, 20))).rename(columns=str)
X, y = small.to_numpy(), (small["0"] > 0).to_numpy()
clf = LogisticRegression().fit(X, y)
numbers = list(range({rows}))
def helper(x):
    return x + offset
offset = 1
""" + "\n".join(f"variable_{i} = [{i}, 'text', {{{{'key': {i}}}}}]" for i in range(100))

CELLS = {
    "pass": "pass",
    "a number": "value = helper(2) * 3",
    "a list": "variable_1.append(1)",
    "a model": "score = clf.score(X[:10], y[:10])",
    "a small frame": "small['c'] = small['0'] * 2",
    "a large frame": "rows = len(large)",
    "a long list": "length = len(numbers)",
}
GOALS = {"pass": 1.0, "a number": 1.0, "a list": 1.0, "a model": 2.0, "a small frame": 2.0}


class Scale(NamedTuple):
    turns: int
    rows: int


def measure(scale: Scale, work: Path) -> list[Figure]:
    """The tracker's own time for each kind of cell, in one namespace of a hundred variables."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    tracker = Tracker(_visible)
    for source in (SETUP.format(rows=scale.rows), "pass"):
        _run(tracker, namespace, source)
    figures = []
    for name, source in CELLS.items():
        _run(tracker, namespace, source)
        took = [_run(tracker, namespace, source) * 1e3 for _ in range(scale.turns)]
        what = f"watching a cell that touches {name}"
        figures.append(harness.spread(what, took, "ms", goal=GOALS.get(name)))
    return figures


def _visible(namespace: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in namespace.items() if not name.startswith("__")}


def _run(tracker: Tracker, namespace: dict[str, Any], source: str) -> float:
    start = time.perf_counter()
    pending = tracker.before(namespace, source)
    before = time.perf_counter() - start
    exec(compile(source, "<cell>", "exec"), namespace)
    start = time.perf_counter()
    tracker.after(pending, namespace)
    return before + time.perf_counter() - start


BENCHMARK = Benchmark(
    name="cell_tracking",
    claim="watching a cell that touches little takes less than 1 ms",
    measure=measure,
    full=Scale(turns=200, rows=1_000_000),
    smallest=Scale(turns=2, rows=1_000),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
