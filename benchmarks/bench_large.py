"""A model of a gibibyte, in multiples of the floor: registered, again, changed a little, loaded.

An `MLPRegressor` of 256 float32 matrices of 4 MiB. The floor writes and digests it in turn, and
loads it with `joblib.load`, which verifies nothing. Each load is in a fresh process.
"""

from __future__ import annotations

import sys
from pathlib import Path

import contest
import harness
from contest import Scale
from harness import Benchmark, Figure


def measure(scale: Scale, work: Path) -> list[Figure]:
    """The floor and nbreg in turns."""
    found, out = contest.large(["floor", "nbreg"], scale, work)
    if out:
        raise RuntimeError(out)
    print(contest.large_tables(found))
    return contest.large_figures(found, scale)


BENCHMARK = Benchmark(
    name="large",
    claim="a model of 1 GiB is registered as fast as the floor, and mapped when it is loaded again",
    measure=measure,
    full=Scale(small=0, large=7, layers=256, width=1024),
    smallest=Scale(small=0, large=1, layers=4, width=512),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
