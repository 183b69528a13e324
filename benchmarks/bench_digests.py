"""How fast values become digests, against the speed at which memory can be copied.

Tokens (sha256, what a manifest promises) and the recorder's own digests (whether a cell changed
something) of an array; a data set's columns, as registering with data reads them. In turns with
a copy of the same bytes.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import harness
from harness import Benchmark, Figure


class Scale(NamedTuple):
    turns: int
    megabytes: int
    texts: int


def measure(scale: Scale, work: Path) -> list[Figure]:
    """Rates in GB/s, and multiples of the time that copying takes."""
    import numpy as np
    import pandas as pd

    from nbreg.capture.recipe.digests import digest_array
    from nbreg.capture.tabular import columns, tables
    from nbreg.families.tokens import token

    rng = np.random.default_rng(harness.SEED)
    array = rng.normal(size=(scale.megabytes * 1_000_000 // 80, 10))
    frame = pd.DataFrame(array).rename(columns=str)
    texts = pd.DataFrame({"text": [f"customer {i % 5000}" for i in range(scale.texts)]}, dtype=object)
    target = np.empty_like(array)

    def of_columns(value: Any) -> None:
        table = tables.as_table(value)
        assert table is not None
        for column in table.columns:
            columns.digest(column.read(slice(None)))

    figures = []
    for what, run in (
        ("token of an array", partial(token, array)),
        ("the recorder's digest of an array", partial(digest_array, array)),
        ("columns of a frame of numbers", partial(of_columns, frame)),
    ):
        copied, took = harness.in_turns(
            [lambda turn: np.copyto(target, array), lambda turn, run=run: run()], scale.turns
        )
        figures += _figures(what, array.nbytes, copied, took)
    size = int(texts["text"].str.len().sum())
    (took,) = harness.in_turns([lambda turn: of_columns(texts)], scale.turns)
    rates = [scale.texts / each / 1e6 for each in took.wall]
    return [
        *figures,
        harness.spread(f"columns of texts, {size / scale.texts:.0f} letters each", rates, "M/s"),
    ]


def _figures(what: str, size: int, copied: harness.Times, took: harness.Times) -> list[Figure]:
    return [
        harness.spread(f"{what}", [size / each / 1e9 for each in took.wall], "GB/s"),
        harness.ratio(f"{what} / copying it", took, copied),
        harness.ratio(f"{what} / copying it", took, copied, clock="cpu"),
    ]


BENCHMARK = Benchmark(
    name="digests",
    claim="an array's digest is taken at a speed that can be told in multiples of copying it",
    measure=measure,
    full=Scale(turns=15, megabytes=160, texts=200_000),
    smallest=Scale(turns=2, megabytes=1, texts=1_000),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
