"""A difference of two large versions: what a person waits for after `%model_diff`.

Two versions of a small pipeline, each with 300 distributions and 200 cells, every tenth of which
differs; and the comparison alone that every registration makes with its base, in the common case
of another retrained pipeline.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import harness
from harness import Benchmark, Figure


class Scale(NamedTuple):
    turns: int
    distributions: int
    cells: int


def measure(scale: Scale, work: Path) -> list[Figure]:
    """Two stored versions; a live object against one; what comparing adds to a registration."""
    import models

    from nbreg import Registry

    registry = Registry(work / ".nbreg")
    pipelines = models.pipelines(scale.turns + 8)
    for number in range(2):
        with _as_if(scale, number):
            registry.register("cancer", pipelines[number], metrics=models.METRICS)
    latest = registry.get("cancer@latest")
    assert len(latest.recipe.cells) == scale.cells
    assert len(latest.environment.distributions) >= scale.distributions

    def shown(turn: int) -> None:
        diff: Any = registry.diff("cancer@2", "cancer@1")
        assert diff.section("recipe").differs
        assert diff._repr_mimebundle_()["text/html"]

    def stored(turn: int) -> None:
        registry.diff("cancer@2", "cancer@1")

    def live(turn: int) -> None:
        registry.diff(pipelines[turn + 2], "cancer@1", metrics=models.METRICS)

    found = harness.in_turns([stored, shown, live], scale.turns)
    return [
        harness.seconds("two versions: diff", found[0], goal=50),
        harness.seconds("two versions: diff and its HTML", found[1], goal=100),
        harness.seconds("a live pipeline against a version", found[2], goal=250),
        harness.seconds("what comparing adds to a registration", _comparing(work, pipelines), goal=0.5),
    ]


class _as_if:  # noqa: N801 - used as a statement
    """Registrations within are captured as in a kernel of so many cells and distributions."""

    def __init__(self, scale: Scale, number: int) -> None:
        self._scale, self._number = scale, number

    def __enter__(self) -> None:
        import msgspec

        import nbreg.capture.pending as capture
        from nbreg.records import Distribution, Execution, Recipe

        self._module, self._kept = capture, (capture.capture_environment, capture.capture_recipe)
        environment = capture.capture_environment

        def distributions(*given: Any) -> Any:
            record = environment(*given)
            more = [
                Distribution(name=f"package-{at}", version=f"1.{self._number if at % 10 == 0 else 0}")
                for at in range(self._scale.distributions)
            ]
            return msgspec.structs.replace(record, distributions=[*record.distributions, *more])

        def recipe(*given: Any) -> Any:
            cells = [
                Execution(source=_cell(at, self._number if at % 10 == 0 else 0), why="sets x")
                for at in range(self._scale.cells)
            ]
            return Recipe(status="complete", cells=cells)

        capture.capture_environment, capture.capture_recipe = distributions, recipe  # type: ignore[assignment]

    def __exit__(self, *error: object) -> None:
        self._module.capture_environment, self._module.capture_recipe = self._kept  # type: ignore[assignment]


def _cell(at: int, change: int) -> str:
    lines = [f"column_{at}_{line} = frame['{line}'] * {line + change}" for line in range(8)]
    return "\n".join(lines)


def _comparing(work: Path, pipelines: list[Any]) -> harness.Times:
    """The comparison alone, timed where registering makes it."""
    import models

    from nbreg import Registry
    from nbreg.registry.making import comparing

    registry = Registry(work / ".nbreg-compared")
    judge, times = comparing.judge, harness.Times([], [])

    def timed(*given: Any) -> Any:
        answer: list[Any] = []
        wall, cpu = harness.timed(lambda: answer.append(judge(*given)))
        times.wall.append(wall)
        times.cpu.append(cpu)
        return answer[0]

    comparing.judge = timed
    try:
        for pipeline in pipelines:
            registry.register("cancer", pipeline, metrics=models.METRICS, message="weekly run")
    finally:
        comparing.judge = judge
    return harness.Times(times.wall[3:], times.cpu[3:])


BENCHMARK = Benchmark(
    name="diff",
    claim="two versions with 300 distributions and 200 cells are compared and shown in 100 ms",
    measure=measure,
    full=Scale(turns=40, distributions=300, cells=200),
    smallest=Scale(turns=2, distributions=30, cells=20),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
