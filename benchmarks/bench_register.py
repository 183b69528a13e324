"""One registration, everything captured, in multiples of the floor.

In a real kernel in the middle of a day's work: 200 cells executed, 100 variables, the
environment's own distributions, in a git work tree. The models are all different, so nothing
is answered from what is stored already. The first registrations, which list the distributions
and import what is imported late, are the warm-up; `first` says what the very first one took.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
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


def measure(scale: Scale, work: Path) -> list[Figure]:
    """In a kernel with and without git, then in a plain script."""
    figures = []
    for name, git in (("kernel, git work tree", True), ("kernel, no git", False)):
        folder = work / ("git" if git else "plain")
        project(folder, git=git)
        times = _in_kernel(folder, scale)
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


def _in_kernel(folder: Path, scale: Scale) -> dict[str, Times]:
    from kernels import Kernel, work_day

    with Kernel(folder) as kernel:
        kernel.run("%load_ext nbreg")
        work_day(kernel, scale.cells, scale.variables)
        kernel.run(f"import bench_register; place = {str(folder)!r}; bench_register.prepare(place)")
        found: dict[str, list[tuple[float, float]]] = {"nbreg": [], "floor": []}
        for turn in range(WARM + scale.turns + 1):
            # As people work: one cell trains, another one registers what it trained.
            kernel.run(f"clf = bench_register.trained({turn})")
            for name in found:
                told = kernel.run(f"bench_register.{name}(place, {turn}, clf)")
                found[name].append(tuple(json.loads(told.splitlines()[-1])))
        kernel.run(f"bench_register.check(place, {scale.turns})")
    times = {name: each[WARM + 1 :] for name, each in found.items()} | {"first": found["nbreg"][:1]}
    return {name: Times([wall for wall, _ in each], [cpu for _, cpu in each]) for name, each in times.items()}


@cache
def _registry(folder: str) -> Any:
    import nbreg as library

    return library.Registry(Path(folder) / ".nbreg")


def prepare(folder: str) -> None:
    """What the turns in cells need beside the registry."""
    Path(folder, ".nbreg-floor").mkdir()
    if Path(folder, ".git").is_dir():
        Path(folder, ".git", "info", "exclude").write_text(".nbreg-floor\n")


def trained(turn: int) -> Any:
    """A model unlike those of the other turns."""
    import models

    return models.pipeline(turn)


def nbreg(folder: str, turn: int, model: Any) -> None:
    """Register in the running cell, and print what it took."""
    import models

    run = partial(_registry(folder).register, "cancer", model, metrics=models.METRICS, message="weekly run")
    print(json.dumps(harness.timed(run)))


def floor(folder: str, turn: int, model: Any) -> None:
    """Store durably and no more, and print what it took."""
    from floor import store

    print(json.dumps(harness.timed(lambda: store(Path(folder) / ".nbreg-floor", str(turn), model))))


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
    ]


BENCHMARK = Benchmark(
    name="register",
    claim="one registration of a small scikit-learn pipeline, everything captured, costs 8 × the floor",
    measure=measure,
    full=Scale(turns=60, cells=200, variables=100),
    smallest=Scale(turns=2, cells=5, variables=5),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
