"""Eight processes that register at once into one model, against eight that store by the floor at once.

The processes are started once, train their models, and then do round after round together,
one round of nbreg and one of the floor in turns. A round is timed from the moment all are let
go until the last one is done. Every version must be there, with numbers that have no gap.
In a git work tree each registration also asks git for its state, a process of its own.
"""

from __future__ import annotations

import sys
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import floor
import harness
import models
from bench_register import project
from harness import Benchmark, Figure, Times

MODEL = "cancer"


class Scale(NamedTuple):
    rounds: int
    processes: int
    registrations: int


def measure(scale: Scale, work: Path) -> list[Figure]:
    """Without and with git; throughput is registrations per second of the whole group."""
    figures = []
    for name, git in (("no git", False), ("git work tree", True)):
        folder = work / name.replace(" ", "-")
        project(folder, git=git)
        figures += _contest(name, scale, folder)
    return figures


def _contest(name: str, scale: Scale, work: Path) -> list[Figure]:
    """Rounds in turns."""
    context = get_context("spawn")
    start, done = context.Barrier(scale.processes + 1), context.Barrier(scale.processes + 1)
    spent = context.Queue()
    group = [
        context.Process(target=_worker, args=(me, scale, work, start, done, spent))
        for me in range(scale.processes)
    ]
    for process in group:
        process.start()
    walls = [_round(start, done) for _ in range(2 * (scale.rounds + 1))]
    cpus = [spent.get(timeout=60) for _ in group]
    for process in group:
        process.join()
    _check(scale, work)
    ours = Times(walls[2::2], [sum(each[0][i] for each in cpus) for i in range(1, scale.rounds + 1)])
    floors = Times(walls[3::2], [sum(each[1][i] for each in cpus) for i in range(1, scale.rounds + 1)])
    return _figures(name, scale, ours, floors)


def _round(start: Any, done: Any) -> float:
    start.wait(timeout=600)
    began = time.perf_counter()
    done.wait(timeout=600)
    return time.perf_counter() - began


def _worker(me: int, scale: Scale, work: Path, start: Any, done: Any, spent: Any) -> None:
    sys.modules["__main__"].__file__ = str(work / "train.py")  # the script whose project is captured
    registry = models.Registry(work / ".nbreg")
    floors = work.with_name(f"{work.name}-floor")
    floors.mkdir(exist_ok=True)
    count = (scale.rounds + 1) * scale.registrations
    pipelines = [_changed(each, me) for each in models.pipelines(count)]
    cpu: tuple[list[float], list[float]] = ([], [])
    for turn in range(scale.rounds + 1):
        mine = range(turn * scale.registrations, (turn + 1) * scale.registrations)
        start.wait()
        before = _cpu()
        for i in mine:
            registry.register(MODEL, pipelines[i], metrics=models.METRICS)
        cpu[0].append(_cpu() - before)
        done.wait()
        start.wait()
        before = _cpu()
        for i in mine:
            floor.store(floors, f"{me}-{i}", pipelines[i])
        cpu[1].append(_cpu() - before)
        done.wait()
    spent.put(cpu)


def _cpu() -> float:
    return time.process_time() + harness._children()


def _changed(pipeline: Any, me: int) -> Any:
    """Another process's model is another model."""
    pipeline[-1].intercept_ = pipeline[-1].intercept_ + me
    return pipeline


def _check(scale: Scale, work: Path) -> None:
    registry = models.bare(work / ".nbreg")
    expected = (scale.rounds + 1) * scale.processes * scale.registrations
    numbers = [version.number for version in registry.versions(MODEL)]
    assert numbers == list(range(expected, 0, -1)), f"{len(numbers)} of {expected} versions"
    assert registry.verify().ok


def _figures(name: str, scale: Scale, ours: Times, floors: Times) -> list[Figure]:
    each = scale.processes * scale.registrations
    what = f"{scale.processes} × {scale.registrations}, {name}"
    shares = [b / a for a, b in zip(ours.wall, floors.wall, strict=True)]
    return [
        harness.spread(f"{what}: throughput / the floor's", shares, "×", goal=1 / 3, at_least=True),
        harness.ratio(f"{what}: nbreg / floor", ours, floors, clock="cpu"),
        harness.spread(f"{what}: nbreg, cpu of one", [cpu / each * 1e3 for cpu in ours.cpu], "ms"),
        harness.spread(f"{what}: floor, cpu of one", [cpu / each * 1e3 for cpu in floors.cpu], "ms"),
        harness.spread(f"{what}: nbreg", [each / wall for wall in ours.wall], "/s"),
        harness.spread(f"{what}: floor", [each / wall for wall in floors.wall], "/s"),
    ]


BENCHMARK = Benchmark(
    name="together",
    claim="8 processes that register 25 versions each at once reach a third of the floor's throughput",
    measure=measure,
    full=Scale(rounds=9, processes=8, registrations=25),
    smallest=Scale(rounds=2, processes=2, registrations=2),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
