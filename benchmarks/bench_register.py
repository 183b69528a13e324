"""One registration, everything captured, in multiples of the floor.

In a real kernel in the middle of a day's work: 200 cells executed, 100 variables, in a git work
tree or not, or with 300 distributions installed. The models are all different, so nothing is
answered from what is stored already. The first registrations, which list the distributions and
import what is imported late, are the warm-up; `first` says what the very first one took.

As people work, one cell trains, and the next one registers. The clock runs from the beginning of
that cell, before nbreg's hooks, until `register` returns. After each cell the benchmark waits
until the process is idle: the threads of numerical libraries spin for some 25 ms after a fit,
and would take one of the cores from whoever comes first.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import harness
from harness import Benchmark, Figure, Times

WARM = 5

SCRIPT = """import sys
sys.path.insert(0, {here!r})
import bench_register
bench_register.contest({folder!r}, {turns})
"""


class Scale(NamedTuple):
    turns: int
    cells: int
    variables: int
    distributions: int


def measure(scale: Scale, work: Path) -> list[Figure]:
    """In kernels with and without git and with many distributions, then in a plain script."""
    figures = []
    for name, git, distributions in (
        ("kernel, git work tree", True, 0),
        ("kernel, no git", False, 0),
        ("kernel, 300 distributions", False, scale.distributions),
    ):
        folder = work / name.replace(" ", "-").replace(",", "")
        project(folder, git=git)
        times = _in_kernel(folder, scale, distributions)
        figures += _figures(name, times, goal=8)
    folder = work / "script"
    project(folder, git=True)
    script = folder / "train.py"
    script.write_text(SCRIPT.format(here=str(harness.HERE), folder=str(folder), turns=scale.turns))
    told = harness.python(str(script))
    return figures + _figures("plain script, git work tree", _read(told), goal=8)


def project(folder: Path, *, git: bool) -> None:
    """A folder with twenty modules and a script, in a git work tree or not."""
    folder.mkdir()
    for i in range(20):
        (folder / f"module_{i}.py").write_text(f"VALUE = {i}\n")
    (folder / "train.py").write_text("print('nothing yet')\n")
    if git:
        identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")
        for words in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "first")):
            subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def install(folder: Path, count: int) -> None:
    """That many distributions, of a module and some metadata each, as an installer leaves them."""
    for i in range(count):
        info = folder / f"made_up_{i}-1.{i}.0.dist-info"
        info.mkdir(parents=True)
        (folder / f"made_up_{i}.py").write_text(f"VALUE = {i}\n")
        (info / "INSTALLER").write_text("pip\n")
        (info / "RECORD").write_text(f"made_up_{i}.py,,\n{info.name}/METADATA,,\n" * 20)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: made-up-{i}\nVersion: 1.{i}.0\n"
            f"Requires-Dist: made-up-{(i + 1) % count}\nRequires-Dist: numpy (>=1.20)\n\n" + "word " * 2000
        )


def _in_kernel(folder: Path, scale: Scale, distributions: int) -> dict[str, Times]:
    from kernels import Kernel, work_day

    found: dict[str, list[tuple[float, float]]] = {"nbreg": [], "floor": []}
    with Kernel(folder) as kernel:
        if distributions:
            site = folder.with_name(f"{folder.name}-site")
            install(site, distributions)
            kernel.run(f"import sys; sys.path.append({str(site)!r})")
        kernel.run("import bench_register; bench_register.watch_the_clock()")
        kernel.run("%load_ext nbreg")
        work_day(kernel, scale.cells, scale.variables)
        kernel.run(f"place = {str(folder)!r}; registry = bench_register.prepare(place)")
        kernel.run("metrics = bench_register.metrics()")
        kernel.run("from models import pipeline")  # of the clock's own module, each cell changes something
        for turn in range(WARM + scale.turns + 1):
            _turn(kernel, turn, found)
        # What is remembered of cells does not know those that are new.
        work_day(kernel, scale.cells, scale.variables, start=1000)
        _turn(kernel, WARM + scale.turns + 1, found)
        kernel.run(f"bench_register.check(place, {scale.turns + 1})")
    after, _ = found["nbreg"].pop(), found["floor"].pop()
    chosen = {name: each[WARM + 1 :] for name, each in found.items()}
    chosen |= {"first": found["nbreg"][:1], "after": [after]}
    return {name: Times([w for w, _ in each], [c for _, c in each]) for name, each in chosen.items()}


def _turn(kernel: Any, turn: int, found: dict[str, list[tuple[float, float]]]) -> None:
    """A cell that trains, then one that registers or stores: each is first in every second turn."""
    cells = {
        "nbreg": 'version = registry.register("cancer", clf, metrics=metrics, message="weekly run")',
        "floor": f"bench_register.floor(place, {turn}, clf)",
    }
    kernel.run(f"clf = pipeline({turn})")
    for name in sorted(cells, reverse=bool(turn % 2)):
        kernel.run("bench_register.settle()")
        kernel.run(cells[name])
        found[name].append(tuple(json.loads(kernel.run("bench_register.tell()").splitlines()[-1])))


# in the kernel


_clock: dict[str, float] = {}
_took: list[tuple[float, float]] = []


def watch_the_clock() -> None:
    """Note when each cell begins, before anybody else's hook, and when `register` has returned."""
    from IPython import get_ipython

    import nbreg

    get_ipython().events.register("pre_run_cell", lambda info: _start())
    plain = nbreg.Registry.register

    def register(*args: Any, **kwargs: Any) -> Any:
        version = plain(*args, **kwargs)
        _stop()
        return version

    nbreg.Registry.register = register  # type: ignore[method-assign]


def _start() -> None:
    _clock.update(cpu=time.process_time() + harness._children(), wall=time.perf_counter())


def _stop() -> None:
    wall = time.perf_counter() - _clock["wall"]
    _took.append((wall, time.process_time() + harness._children() - _clock["cpu"]))


def tell() -> None:
    """Print what the last one took."""
    print(json.dumps(_took[-1]))


def settle() -> None:
    """Wait until no thread of this process computes any more."""
    for _ in range(200):
        cpu, start = time.process_time(), time.perf_counter()
        time.sleep(0.005)
        if time.process_time() - cpu < 0.2 * (time.perf_counter() - start):
            break


def metrics() -> dict[str, float]:
    """What is registered with each model."""
    import models

    return dict(models.METRICS)


@cache
def _registry(folder: str) -> Any:
    import nbreg as library

    return library.Registry(Path(folder) / ".nbreg")


def prepare(folder: str) -> Any:
    """What the turns in cells need: the registry, and a place for the floor."""
    Path(folder, ".nbreg-floor").mkdir()
    if Path(folder, ".git").is_dir():
        Path(folder, ".git", "info", "exclude").write_text(".nbreg-floor\n")
    return _registry(folder)


def floor(folder: str, turn: int, model: Any) -> None:
    """Store durably and no more; the floor has no hooks, so its clock runs from here."""
    from floor import store

    _took.append(harness.timed(lambda: store(Path(folder) / ".nbreg-floor", str(turn), model)))


def check(folder: str, turns: int) -> None:
    """Nothing was left out, and nothing was answered from what was there."""
    _check(_registry(folder), turns)


def contest(folder: str, turns: int) -> None:
    """Take turns in this very process, and print what each turn took."""
    import floor
    import models

    import nbreg

    registry = nbreg.Registry(Path(folder) / ".nbreg")
    floors = Path(folder) / ".nbreg-floor"
    floors.mkdir()
    pipelines = models.pipelines(turns + WARM + 1)

    def register(turn: int) -> None:
        registry.register("cancer", pipelines[turn], metrics=models.METRICS, message="weekly run")

    def store(turn: int) -> None:
        floor.store(floors, str(turn), pipelines[turn])

    if Path(folder, ".git").is_dir():
        Path(folder, ".git", "info", "exclude").write_text(".nbreg-floor\n")
    first = harness.timed(lambda: register(turns + WARM))
    found = harness.in_turns([store, register], turns, warm=WARM)
    _check(registry, turns)
    times = {"floor": found[0], "nbreg": found[1], "first": Times([first[0]], [first[1]])}
    print(json.dumps({name: asdict(each) for name, each in times.items()}))


def _check(registry: Any, turns: int) -> None:
    """Nothing was left out, and nothing was answered from what was there."""
    latest = registry.get("cancer@latest")
    captured = {
        name: getattr(latest.manifest, name) for name in ("environment", "variables", "recipe", "source")
    }
    missing = {name: each.missing for name, each in captured.items() if not each.is_there}
    assert not missing, missing
    assert latest.number == turns + WARM + 1, latest


def _read(told: str) -> dict[str, Times]:
    return {name: Times(**each) for name, each in json.loads(told.splitlines()[-1]).items()}


def _figures(name: str, times: dict[str, Times], *, goal: float) -> list[Figure]:
    mine, floor = times["nbreg"], times["floor"]
    return [
        harness.ratio(f"{name}: register / floor", mine, floor, goal=goal),
        harness.ratio(f"{name}: register / floor", mine, floor, clock="cpu"),
        harness.seconds(f"{name}: register", mine),
        harness.seconds(f"{name}: register", mine, clock="cpu"),
        harness.seconds(f"{name}: floor", floor),
        harness.seconds(f"{name}: first registration", times["first"]),
        *(
            [
                harness.ratio(f"{name}: after 200 new cells / floor", times["after"], floor_of(times)),
                harness.seconds(f"{name}: after 200 new cells", times["after"]),
            ]
            if "after" in times
            else []
        ),
    ]


def floor_of(times: dict[str, Times]) -> Times:
    """The median of the floor, for what was done once."""
    return Times([median(times["floor"].wall)], [median(times["floor"].cpu)])


BENCHMARK = Benchmark(
    name="register",
    claim="one registration of a small scikit-learn pipeline, everything captured, costs 8 × the floor",
    measure=measure,
    full=Scale(turns=60, cells=200, variables=100, distributions=300),
    smallest=Scale(turns=2, cells=5, variables=5, distributions=3),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
