"""What the search for secrets costs: µs per kB of cells, of modules and of a log, nothing cached.

The cells are the harmless lines of `tests/secrets`, the modules nbreg's own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import harness
from harness import Benchmark, Figure

from nbreg.capture.secrets import Redactor, _redacted

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "secrets"))


def measure(turns: int, work: Path) -> list[Figure]:
    """CPU time by the length of the text; and one redactor made for a notebook of 200 cells."""
    texts = _texts()
    contestants = [
        *(lambda turn, each=each: [_redacted(text, False) for text in each] for each in texts.values()),
        lambda turn: Redactor.of_process(NAMESPACE, SOURCES),
    ]
    *found, made = harness.in_turns(contestants, turns)
    figures = [
        Figure(what=name, value=median(times.cpu) * 1e9 / sum(map(len, texts[name])), unit="µs/kB")
        for name, times in zip(texts, found, strict=True)
    ]
    figures.append(
        Figure(what="what is known, 100 names and 200 cells", value=median(made.cpu) * 1e6, unit="µs")
    )
    return figures


NAMESPACE: dict[str, object] = {
    **{f"name_{i}": i for i in range(80)},
    **{f"config_{i}": {"lr": 0.1, "kind": "text", "sizes": [1, 2, 3]} for i in range(20)},
}
SOURCES = [f"x{i} = {i}\nframe_{i} = frame[{i}]\n" * 5 for i in range(200)]


def _texts() -> dict[str, Sequence[str]]:
    import harmless

    modules = sorted((HERE.parent / "src" / "nbreg").rglob("*.py"))
    epochs = (f"epoch {i} loss={1 / (i + 1):.6f} tokens={i * 100}\n" for i in range(2_000))
    return {
        "cells": harmless.lines(),
        "modules": [path.read_text() for path in modules],
        "a log": ["".join(epochs)],
    }


BENCHMARK = Benchmark(
    name="secrets",
    claim="what the search for secrets takes by the length of the text",
    measure=measure,
    full=21,
    smallest=2,
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
