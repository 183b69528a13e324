"""Listing a registry of many models.

The yardstick is finding the same files and reading their ends, in turns with it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import harness
import models
from harness import Benchmark, Figure


def measure(scale: tuple[int, int, int], work: Path) -> list[Figure]:
    """`models()` by an object that never saw them, and again by one that did."""
    turns, count, versions = scale
    folder = work / "registry"
    registry = models.bare(folder)
    for i in range(count):
        models.grow(registry, f"team-{i % 10}/model-{i}", versions)
    seen = models.bare(folder)

    def new(turn: int) -> None:
        _check(models.bare(folder).models(), count, versions)

    def again(turn: int) -> None:
        _check(seen.models(), count, versions)

    ends, fresh, repeated = harness.in_turns([lambda turn: _read_ends(folder), new, again], turns, warm=2)
    what = f"list {count:,} models × {versions} versions"
    return [
        harness.seconds(what, fresh, goal=200),
        harness.seconds(what, fresh, clock="cpu"),
        harness.seconds(f"{what}, again", repeated, goal=200),
        harness.ratio(f"{what} / reading the ends of the files", fresh, ends),
    ]


def _check(rows: list[Any], count: int, versions: int) -> None:
    assert len(rows) == count
    assert all(row.versions == versions for row in rows)


def _read_ends(folder: Path) -> None:
    for group in os.scandir(folder / "models"):
        for model in os.scandir(group.path):
            with open(f"{model.path}/journal.jsonl", "rb", buffering=0) as file:
                file.seek(-min(8192, os.fstat(file.fileno()).st_size), os.SEEK_END)
                file.read(8192)


BENCHMARK = Benchmark(
    name="list",
    claim="1,000 models of 100 versions each are listed in 200 ms",
    measure=measure,
    full=(21, 1000, 100),
    smallest=(2, 5, 3),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
