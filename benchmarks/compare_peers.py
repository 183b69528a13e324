"""nbreg and its peers, on the same work in one run: `make peers`.

Each peer is used as its documentation tells, in an environment of its own below `.venv-peers/`.
What cannot be installed or does not work is left out, and said. Read the ratios: the machine
differs. What each of them does for its time differs, too: only nbreg and the floor sync and
digest what they write; only nbreg verifies what it loads.
"""

from __future__ import annotations

import sys
from pathlib import Path

import contest
import harness
from contest import Scale
from harness import Benchmark, Figure
from peers import environments


def measure(scale: Scale, work: Path) -> list[Figure]:
    """All contestants in turns; at the smallest scale only those that need no environment of their own."""
    names = [name for name, home in environments.HOMES.items() if not home]
    if scale is not BENCHMARK.smallest:
        names = _installed()
    small, out = contest.small(names, scale.small, work)
    large, more = contest.large([name for name in names if name not in out], scale, work)
    for name, why in {**out, **more}.items():
        print(f"left out: {name}: {why}")
    print(contest.table("a small pipeline, new", small, "register"))
    print(contest.table("loading it, by stage or alias where there is one", small, "load"))
    print(contest.large_tables(large))
    return _small_figures(small) + contest.large_figures(large, scale)


def _installed() -> list[str]:
    reasons = {}
    for home in environments.PACKAGES:
        print(f"environment of {home} …", flush=True)
        reasons[home] = environments.make(home)
    for home, why in reasons.items():
        if why:
            print(f"left out: {home} cannot be installed: {why}")
    return [name for name, home in environments.HOMES.items() if not reasons.get(home)]


def _small_figures(found: contest.Found) -> list[Figure]:
    mine, loads = found["register"]["nbreg"], found["load"]
    figures = [contest.pairs("small: load by stage / joblib.load", loads["nbreg"], loads["floor"], goal=5)]
    for peer, goal in (("mlflow", 0.01), ("mlflow, given", 0.25)):
        if other := found["register"].get(peer):
            figures.append(contest.pairs(f"small: register / {peer}", mine, other, goal=goal))
            cpu = [a["cpu"] / b["cpu"] for a, b in zip(mine, other, strict=False)]
            figures.append(harness.spread(f"small: register / {peer}, cpu", cpu, "×"))
    return figures


BENCHMARK = Benchmark(
    name="peers",
    claim="registering and loading beside mlflow, modelstore, pins, vetiver, bentoml and the floor",
    measure=measure,
    full=Scale(small=20, large=3, layers=256, width=1024),
    smallest=Scale(small=2, large=1, layers=4, width=512),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
