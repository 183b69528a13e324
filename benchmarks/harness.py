"""What every benchmark shares: taking turns, figures with their spread, a table, a line of results.

The machine is shared and its speed drifts, so contestants are never timed one after the other
but in turns (A B A B …), and a figure is the median of the ratios of the pairs. CPU seconds
stand beside wall time: they do not see who else was running.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Literal

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
SEED = 20260209
MILLISECOND = 1e-3
Clock = Literal["wall", "cpu"]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number; `goal` is what it should not exceed (or fall under, with `at_least`)."""

    what: str
    value: float
    unit: str
    low: float | None = None
    """The lower quartile."""
    high: float | None = None
    """The upper quartile."""
    goal: float | None = None
    at_least: bool = False

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


@dataclass(frozen=True)
class Times:
    """What each turn of one contestant took, in seconds."""

    wall: list[float]
    cpu: list[float]

    def of(self, clock: Clock) -> list[float]:
        """The seconds by one of the two clocks."""
        return self.wall if clock == "wall" else self.cpu


@dataclass(frozen=True)
class Benchmark:
    """A claim, and how it is measured; `scale` is whatever the benchmark understands by it."""

    name: str
    claim: str
    measure: Callable[[Any, Path], list[Figure]]
    full: Any
    smallest: Any


# timing


def in_turns(
    contestants: Sequence[Callable[[int], object]], turns: int, *, warm: int = 3, told: str = ""
) -> list[Times]:
    """Call each contestant once in each turn, and time it; the first `warm` turns do not count.

    A contestant is given the number of the turn, counted from the first warm one. The garbage
    collector is left as it is: it runs in users' kernels too. Where turns take seconds, `told` is
    what they are about: whoever waits sees between them how far it is.
    """
    gc.collect()
    found = [Times([], []) for _ in contestants]
    for turn in range(-warm, turns):
        if told:
            progress(f"{told}: turn {turn + warm + 1} of {turns + warm}")
        for contestant, times in zip(contestants, found, strict=True):
            wall, cpu = timed(lambda run=contestant, turn=turn: run(turn + warm))  # type: ignore[misc]
            if turn >= 0:
                times.wall.append(wall)
                times.cpu.append(cpu)
    return found


def progress(told: str) -> None:
    """Say on stderr how far it is: over the line before in a terminal, on a line of its own in a log."""
    if sys.stderr.isatty():
        print(f"\r\033[K{told}", end="", file=sys.stderr, flush=True)
    else:
        print(told, file=sys.stderr, flush=True)


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of a call, those of its finished child processes included."""
    children, own, start = _children(), time.process_time(), time.perf_counter()
    run()
    wall = time.perf_counter() - start
    return wall, time.process_time() - own + _children() - children


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# figures


def ratio(
    what: str, mine: Times, other: Times, *, clock: Clock = "wall", goal: float | None = None
) -> Figure:
    """How many times as long as the other it took, pair by pair."""
    pairs = [a / b for a, b in zip(mine.of(clock), other.of(clock), strict=True) if b > 0]
    return spread(f"{what}, {clock}", pairs, "×", goal=goal)


def seconds(
    what: str, times: Times, *, clock: Clock = "wall", unit: str = "ms", goal: float | None = None
) -> Figure:
    """How long it took."""
    factor = {"s": 1.0, "ms": 1e3}[unit]
    return spread(f"{what}, {clock}", [each * factor for each in times.of(clock)], unit, goal=goal)


def spread(
    what: str, values: Sequence[float], unit: str, *, goal: float | None = None, at_least: bool = False
) -> Figure:
    """The median of the values, with their quartiles."""
    low, _, high = quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
    return Figure(
        what=what, value=median(values), unit=unit, low=low, high=high, goal=goal, at_least=at_least
    )


def table(figures: Sequence[Figure]) -> str:
    """The figures, aligned, one a line."""
    rows = [("", "median", "quartiles", "goal", "")]
    for each in figures:
        between = "" if each.low is None or each.high is None else f"{_short(each.low)} – {_short(each.high)}"
        sign = "≥" if each.at_least else "≤"
        goal = "" if each.goal is None else f"{sign} {_short(each.goal)} {each.unit}"
        verdict = {None: "", True: "met", False: "MISSED"}[each.is_met]
        rows.append((each.what, f"{_short(each.value)} {each.unit}", between, goal, verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


# where


@contextlib.contextmanager
def scratch(folder: Path | None = None) -> Iterator[Path]:
    """A folder that goes away, and a home of its own: no key or setting of the user is touched."""
    with tempfile.TemporaryDirectory(prefix="nbreg-bench-", dir=folder) as name:
        path = Path(name).resolve()
        for variable in [each for each in os.environ if each.startswith(("NBREG_", "JPY_", "GIT_"))]:
            del os.environ[variable]
        for variable, below in (
            ("HOME", ""),
            ("XDG_CONFIG_HOME", "config"),
            ("IPYTHONDIR", "ipython"),
            ("JUPYTER_RUNTIME_DIR", "runtime"),
            ("JUPYTER_CONFIG_DIR", "jupyter"),
            ("JUPYTER_DATA_DIR", "jupyter-data"),
        ):
            os.environ[variable] = str(path / "home" / below)
        os.environ["NBREG_ACTOR"] = "bench"
        # Users have compiled modules; an environment that was just made has them after one run.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(path / "compiled")
        (path / "home").mkdir()
        (path / "work").mkdir()
        before = Path.cwd()
        os.chdir(path / "work")
        try:
            yield path / "work"
        finally:
            os.chdir(before)


def file_system(folder: Path) -> str:
    """The kind of file system; syncs cost nothing on a tmpfs, and no ratio made there counts."""
    best, kind = "", "unknown"
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mounts").read_text().splitlines():
            _, target, fs_type, *_ = line.split(" ")
            if f"{folder}/".startswith(target.rstrip("/") + "/") and len(target) >= len(best):
                best, kind = target, fs_type
    return kind


def python(*arguments: str, **environment: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    if done.returncode:
        raise RuntimeError(f"{arguments[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


# results


def record(benchmark: Benchmark, scale: Any, figures: Sequence[Figure], *, to: Path, work: Path) -> None:
    """Append one JSON line: what was claimed, what was found, and where."""
    line = {
        "benchmark": benchmark.name,
        "claim": benchmark.claim,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        **_commit(),
        "python": platform.python_version(),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "file_system": file_system(work),
            "load": round(os.getloadavg()[0], 2),
        },
        "scale": scale,
        "seed": SEED,
        "figures": [{**asdict(each), "met": each.is_met} for each in figures],
    }
    to.mkdir(exist_ok=True, parents=True)
    with (to / f"{benchmark.name}.jsonl").open("a") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _commit() -> dict[str, Any]:
    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(HERE), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    return {
        "commit": git("rev-parse", "--short=12", "HEAD"),
        "changed": bool(git("status", "--short", "../src")),
    }


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


# running one


def main(benchmark: Benchmark, arguments: Sequence[str] | None = None) -> bool:
    """Run a benchmark as its arguments say, print its table; whether all goals were met (at full scale)."""
    parser = argparse.ArgumentParser(description=benchmark.claim)
    parser.add_argument("--smallest", action="store_true", help="only see that it runs")
    parser.add_argument("--results", type=Path, default=None, help="folder of the results")
    parser.add_argument("--folder", type=Path, default=None, help="where to work; not on a tmpfs")
    given = parser.parse_args(arguments)
    scale = benchmark.smallest if given.smallest else benchmark.full
    with scratch(given.folder) as work:
        figures = benchmark.measure(scale, work)
        results = given.results or (None if given.smallest else RESULTS)
        if results:
            record(benchmark, scale, figures, to=results, work=work)
    if sys.stderr.isatty():
        progress("")
    print(f"\n{benchmark.name}: {benchmark.claim}\n{table(figures)}", flush=True)
    return given.smallest or all(each.is_met is not False for each in figures)
