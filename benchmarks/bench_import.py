"""What it costs a script to import nbreg: whole processes, in turns with ones that import TinyDB."""

from __future__ import annotations

import sys
from pathlib import Path

import harness
from harness import Benchmark, Figure

PROGRAMS = {
    "nothing": "pass",
    "import tinydb": "import tinydb",
    "import nbreg": "import nbreg",
    "import nbreg; nbreg.Registry": "import nbreg; nbreg.Registry",
}


def measure(turns: int, work: Path) -> list[Figure]:
    """Process time is that of the child, its start included; bare Python is shown beside."""
    contestants = [
        lambda turn, program=program: harness.python("-c", program) for program in PROGRAMS.values()
    ]
    found = dict(zip(PROGRAMS, harness.in_turns(contestants, turns), strict=True))
    tinydb = found["import tinydb"]
    figures = []
    for name in ("import nbreg", "import nbreg; nbreg.Registry"):
        figures += [
            harness.ratio(f"{name} / import tinydb", found[name], tinydb, clock="cpu", goal=3),
            harness.ratio(f"{name} / import tinydb", found[name], tinydb),
        ]
    return figures + [harness.seconds(name, times, clock="cpu") for name, times in found.items()]


BENCHMARK = Benchmark(
    name="import",
    claim="a process that imports nbreg takes at most 3 × the CPU time of one that imports tinydb",
    measure=measure,
    full=31,
    smallest=2,
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
