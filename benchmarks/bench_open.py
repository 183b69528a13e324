"""Opening a large model: what a fresh process waits for its first answer, and what that keeps in memory.

The file's pages are in the system's cache, as they are for whoever opens a registry twice a
day. The yardstick is reading the same file and taking its sha256, in turns with it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import harness
import models
from harness import Benchmark, Figure, Times

GOALS = {10_000: 100.0, 100_000: 1000.0}

OPEN = """
import gc, json, os, sys, time
import nbreg
nbreg.Registry
def resident():
    try:
        return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
if sys.argv[2] == "trace":
    import tracemalloc
    tracemalloc.start()
gc.collect()
before, cpu, start = resident(), time.process_time(), time.perf_counter()
registry = nbreg.Registry(sys.argv[1])
registry.get("churn@latest")
wall, cpu = time.perf_counter() - start, time.process_time() - cpu
gc.collect()
grown = tracemalloc.get_traced_memory()[0] if sys.argv[2] == "trace" else resident() - before
print(json.dumps([wall, cpu, grown]))
"""

READ = """
import hashlib, json, sys, time
cpu, start = time.process_time(), time.perf_counter()
with open(sys.argv[1], "rb") as file:
    hashlib.file_digest(file, "sha256")
print(json.dumps([time.perf_counter() - start, time.process_time() - cpu, 0]))
"""


def measure(scale: tuple[int, list[int]], work: Path) -> list[Figure]:
    """Each size, each time in a fresh process."""
    turns, sizes = scale
    figures = []
    for size in sizes:
        folder = work / str(size)
        registry = models.bare(folder)
        models.grow(registry, "churn", size)
        figures += _at(size, folder, registry._desk.folder.model_path("churn") / "journal.jsonl", turns)
    return figures


def _at(size: int, folder: Path, journal: Path, turns: int) -> list[Figure]:
    opened: list[list[float]] = []
    read: list[list[float]] = []
    for _ in range(turns):
        read.append(_ask(READ, journal))
        opened.append(_ask(OPEN, folder, "rss"))
    mine, floor = _times(opened), _times(read)
    traced = _ask(OPEN, folder, "trace")[2] / size
    label = f"open {size:,} versions"
    return [
        harness.seconds(label, mine, goal=GOALS.get(size)),
        harness.seconds(label, mine, clock="cpu"),
        harness.ratio(f"{label} / sha256 of the file", mine, floor),
        harness.spread(
            f"memory per version at {size:,}, RSS", [each[2] / size for each in opened], "B", goal=300
        ),
        Figure(what=f"memory per version at {size:,}, tracemalloc", value=traced, unit="B", goal=300),
        Figure(what=f"journal bytes per version at {size:,}", value=journal.stat().st_size / size, unit="B"),
    ]


def _ask(program: str, *arguments: Any) -> list[float]:
    answer: list[float] = json.loads(harness.python("-c", program, *map(str, arguments)))
    return answer


def _times(answers: list[list[float]]) -> Times:
    return Times([each[0] for each in answers], [each[1] for each in answers])


BENCHMARK = Benchmark(
    name="open",
    claim="a fresh process opens a model of 10,000 versions in 100 ms, of 100,000 in 1 s, "
    "and keeps 300 B a version",
    measure=measure,
    full=(21, [10_000, 100_000]),
    smallest=(2, [100]),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
