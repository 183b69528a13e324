"""Whether a model that has many versions is slower than one that has few.

Four registries, the same in all but the number of versions, take turns. Nothing is captured,
since that costs the same everywhere and would hide what grows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import harness
import models
from harness import Benchmark, Figure

from nbreg import Registry

MODEL = "churn"
WARM = 3


def measure(scale: tuple[int, list[int]], work: Path) -> list[Figure]:
    """Each verb at each size; the figure is the largest against the smallest."""
    turns, sizes = scale
    registries = [_registry(work / str(size), size) for size in sizes]
    figures: list[Figure] = []
    for verb, (call, goal) in VERBS.items():
        contestants = [_bound(call, registry) for registry in registries]
        found = harness.in_turns(contestants, turns, warm=WARM)
        figures += [
            harness.ratio(f"{verb}: {size:,} / {sizes[0]:,} versions", times, found[0], goal=goal)
            for size, times in list(zip(sizes, found, strict=True))[1:]
        ]
        figures.append(
            harness.ratio(f"{verb}: {sizes[-1]:,} / {sizes[0]:,} versions", found[-1], found[0], clock="cpu")
        )
        figures.append(harness.seconds(f"{verb} at {sizes[-1]:,}", found[-1]))
    return figures


def _registry(folder: Path, versions: int) -> Registry:
    registry = models.bare(folder)
    models.grow(registry, MODEL, versions)
    latest = registry.get(f"{MODEL}@latest")
    assert latest.number == versions, latest
    registry.set_alias(latest, "champion")
    registry.promote(latest, "production")
    return registry


def _bound(call: Callable[[Registry, int], object], registry: Registry) -> Callable[[int], object]:
    return lambda turn: call(registry, turn)


def _register(registry: Registry, turn: int) -> None:
    registry.register(MODEL, {"turn": turn}, metrics=models.METRICS)


def _promote(registry: Registry, turn: int) -> None:
    """The version before the latest, to production: the holder is archived in the same line."""
    registry.promote(f"{MODEL}@{2 + turn}", "production")


def _alias(registry: Registry, turn: int) -> None:
    registry.set_alias(f"{MODEL}@{1 + turn % 2}", "champion")


def _many(reference: Callable[[Registry, int], str]) -> Callable[[Registry, int], None]:
    """A `get` is so short that twenty are timed together."""

    def call(registry: Registry, turn: int) -> None:
        for i in range(20):
            registry.get(reference(registry, 20 * turn + i))

    return call


VERBS: dict[str, tuple[Callable[[Registry, int], object], float]] = {
    "register": (_register, 1.2),
    "promote": (_promote, 2.0),
    "set_alias": (_alias, 2.0),
    "get by number": (_many(lambda registry, i: f"{MODEL}@{1 + 7919 * i % 10}"), 2.0),
    "get by stage": (_many(lambda registry, i: f"{MODEL}@production"), 2.0),
    "get by alias": (_many(lambda registry, i: f"{MODEL}@champion"), 2.0),
}

BENCHMARK = Benchmark(
    name="growth",
    claim="at 100,000 versions a model registers within 1.2 ×, and promotes, moves an alias and "
    "gets within 2 ×, of what it takes at 10",
    measure=measure,
    full=(60, [10, 1000, 10_000, 100_000]),
    smallest=(2, [10, 20]),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
