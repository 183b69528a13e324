"""What drafts add to the cells around a training.

Two real kernels in turns, both with nbreg, one with `Nbreg.implicit = 'draft'` and one with `'off'`:
a cell that trains, and the cell after it, as Run All would send them; by the wall, from sending
to going idle. Beside it the kernel's own account of what its cells were made to wait for drafts.
The large model is bytes in memory only: what is measured is that nobody reads them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NamedTuple

import harness
from harness import Benchmark, Figure
from kernels import Kernel, work_day

MODELS = """
import numpy as np
from sklearn.linear_model import LogisticRegression
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 10)); y = (X[:, 0] > 0).astype(int)
class Large:
    def fit(self, size):
        self.weights = np.ones(size, dtype='u1')
        return self
    def predict(self, x):
        return x
"""
WAITED = """
import json as _json
from nbreg.kernel import _LOADED
_seconds = _LOADED[get_ipython()][0].drafter.seconds
print(_json.dumps(_seconds)); _seconds.clear()
"""


class Scale(NamedTuple):
    turns: int
    bytes: int
    large_turns: int
    variables: int
    executed: int


def measure(scale: Scale, work: Path) -> list[Figure]:
    """A small model a cell, many of them; then a large one."""
    with Kernel(work) as plain, Kernel(work) as drafting:
        for kernel, mode in ((plain, "off"), (drafting, "draft")):
            kernel.run("%load_ext nbreg")
            kernel.run(f"%config Nbreg.implicit = {mode!r}")
            work_day(kernel, scale.executed, scale.variables)
            kernel.run(MODELS)
        small = _turns(plain, drafting, "clf = LogisticRegression(C=1 + {turn} / 100).fit(X, y)", scale.turns)
        source = f"big = None\nbig = Large().fit({scale.bytes} + {{turn}})"
        large = _turns(plain, drafting, source, scale.large_turns)
    return [*_figures("a small model", small), *_figures(f"{scale.bytes / 1e9:g} GB", large)]


class Added(NamedTuple):
    """Milliseconds, turn by turn."""

    to_cell: list[float]
    to_next: list[float]
    waited: list[float]
    """By the kernel's own account, in the cell and the next one together."""
    spent: list[float]
    """The processor time of that."""


def _figures(what: str, added: Added) -> list[Figure]:
    return [
        harness.spread(
            f"{what}: spent on drafts in a cell that trains it and the next, cpu", added.spent, "ms", goal=10
        ),
        harness.spread(f"{what}: the same, wall", added.waited, "ms"),
        harness.spread(f"{what}: added to the cell that trains it, round trip", added.to_cell, "ms"),
        harness.spread(f"{what}: added to the cell sent at once after it, round trip", added.to_next, "ms"),
    ]


def _turns(plain: Kernel, drafting: Kernel, source: str, turns: int) -> Added:
    """Each kernel goes first in every second turn; the first turn imports, and does not count."""
    added = Added([], [], [], [])
    for turn in range(-1, turns):
        drafting.run(WAITED)
        took = {}
        for kernel in (plain, drafting) if turn % 2 else (drafting, plain):
            took[kernel] = kernel.seconds(source.format(turn=turn)), kernel.seconds("pass")
        if turn < 0:
            continue
        told = json.loads(drafting.run(WAITED).splitlines()[-1])
        added.waited.append(1e3 * sum(wall for wall, _ in told))
        added.spent.append(1e3 * sum(cpu for _, cpu in told))
        added.to_cell.append(1e3 * (took[drafting][0] - took[plain][0]))
        added.to_next.append(1e3 * (took[drafting][1] - took[plain][1]))
    return added


BENCHMARK = Benchmark(
    name="drafts",
    claim="a training that nobody registers costs its cell and the next at most 10 ms, whatever its size",
    measure=measure,
    full=Scale(turns=40, bytes=2_000_000_000, large_turns=5, variables=100, executed=200),
    smallest=Scale(turns=2, bytes=10_000_000, large_turns=2, variables=5, executed=5),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
