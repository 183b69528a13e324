"""What `%load_ext nbreg` adds to a cell that does nothing.

Two real kernels in turns, alike but for nbreg, each with a day's work in it. A cell is timed
from sending it to the kernel's going idle, as a notebook would; and, with less noise, nbreg's
hooks around the very same cells. (A cell that a cell runs is not watched, and so costs nothing.)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NamedTuple

import harness
from harness import Benchmark, Figure
from kernels import Kernel, work_day

WATCH = """
import time as _time
_took, _so_far = [], [0.0, 0.0]
def _timed(callback, ends):
    def timed(*arguments):
        _cpu, _start = _time.thread_time(), _time.perf_counter()
        try:
            return callback(*arguments)
        finally:
            _so_far[0] += _time.perf_counter() - _start
            _so_far[1] += _time.thread_time() - _cpu
            if ends:
                _took.append(tuple(_so_far))
                _so_far[:] = 0.0, 0.0
    return timed
for _event, _callbacks in get_ipython().events.callbacks.items():
    _modules = [getattr(_each, "__module__", "") for _each in _callbacks]
    _ours = [_i for _i, _module in enumerate(_modules) if _module.startswith("nbreg.")]
    for _i in _ours:
        _callbacks[_i] = _timed(_callbacks[_i], _event == "post_run_cell" and _i == _ours[-1])
"""
"""Time all of nbreg's own hooks around the cells that a user sends, not around cells that a cell runs."""


class Scale(NamedTuple):
    turns: int
    variables: int
    executed: int


def measure(scale: Scale, work: Path) -> list[Figure]:
    """The difference of the two kernels, pair by pair; and what the hooks took in the same cells."""
    with Kernel(work) as plain, Kernel(work) as loaded:
        loaded.run("%load_ext nbreg")
        for kernel in (plain, loaded):
            work_day(kernel, scale.executed, scale.variables)
        loaded.run(WATCH)
        pairs = [_pair(plain, loaded, turn) for turn in range(scale.turns)]
        took = json.loads(loaded.run("import json as _json; print(_json.dumps(_took))").splitlines()[-1])
    hooks = took[-scale.turns :]
    return [
        harness.spread("added to an empty cell, round trip", [(b - a) * 1e3 for a, b in pairs], "ms", goal=1),
        harness.spread("an empty cell without nbreg, round trip", [a * 1e3 for a, _ in pairs], "ms"),
        harness.spread("nbreg's hooks around an empty cell, wall", [w * 1e3 for w, _ in hooks], "ms", goal=1),
        harness.spread("nbreg's hooks around an empty cell, cpu", [c * 1e3 for _, c in hooks], "ms"),
    ]


def _pair(plain: Kernel, loaded: Kernel, turn: int) -> tuple[float, float]:
    """Each kernel goes first in every second turn: the second finds the client's memory warm."""
    if turn % 2:
        after = loaded.seconds("pass")
        return plain.seconds("pass"), after
    return plain.seconds("pass"), loaded.seconds("pass")


BENCHMARK = Benchmark(
    name="cell",
    claim="%load_ext nbreg adds at most 1 ms to an empty cell",
    measure=measure,
    full=Scale(turns=200, variables=100, executed=200),
    smallest=Scale(turns=2, variables=5, executed=5),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
