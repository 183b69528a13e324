"""What `%load_ext nbreg` adds to a cell that does nothing.

Two real kernels in turns, alike but for nbreg, each with a day's work in it. A cell is timed
from sending it to the kernel's going idle, as a notebook would; and, with less noise, inside
the kernel by `run_cell`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NamedTuple

import harness
from harness import Benchmark, Figure
from kernels import Kernel, work_day

INSIDE = """
import json as _json, time as _time
_shell, _took = get_ipython(), []
for _i in range({cells}):
    _cpu, _start = _time.process_time(), _time.perf_counter()
    _shell.run_cell("pass", store_history=True)
    _took.append([_time.perf_counter() - _start, _time.process_time() - _cpu])
print(_json.dumps(_took))
"""


class Scale(NamedTuple):
    turns: int
    cells: int
    variables: int
    executed: int


def measure(scale: Scale, work: Path) -> list[Figure]:
    """The difference of the two kernels, pair by pair."""
    with Kernel(work) as plain, Kernel(work) as loaded:
        loaded.run("%load_ext nbreg")
        for kernel in (plain, loaded):
            work_day(kernel, scale.executed, scale.variables)
        pairs = [_pair(plain, loaded, turn) for turn in range(scale.turns)]
        inside = [
            (_inside(plain, scale.cells), _inside(loaded, scale.cells)) for _ in range(scale.turns // 10 or 1)
        ]
    walls = [(b[0] - a[0]) * 1e3 for one, two in inside for a, b in zip(one, two, strict=True)]
    cpus = [(b[1] - a[1]) * 1e3 for one, two in inside for a, b in zip(one, two, strict=True)]
    return [
        harness.spread("added to an empty cell, round trip", [(b - a) * 1e3 for a, b in pairs], "ms", goal=1),
        harness.spread("an empty cell without nbreg, round trip", [a * 1e3 for a, _ in pairs], "ms"),
        harness.spread("added to an empty cell inside the kernel, wall", walls, "ms", goal=1),
        harness.spread("added to an empty cell inside the kernel, cpu", cpus, "ms"),
    ]


def _pair(plain: Kernel, loaded: Kernel, turn: int) -> tuple[float, float]:
    """Each kernel goes first in every second turn: the second finds the client's memory warm."""
    if turn % 2:
        after = loaded.seconds("pass")
        return plain.seconds("pass"), after
    return plain.seconds("pass"), loaded.seconds("pass")


def _inside(kernel: Kernel, cells: int) -> list[list[float]]:
    took: list[list[float]] = json.loads(kernel.run(INSIDE.format(cells=cells)).splitlines()[-1])
    return took


BENCHMARK = Benchmark(
    name="cell",
    claim="%load_ext nbreg adds at most 1 ms to an empty cell",
    measure=measure,
    full=Scale(turns=200, cells=50, variables=100, executed=200),
    smallest=Scale(turns=2, cells=2, variables=5, executed=5),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
