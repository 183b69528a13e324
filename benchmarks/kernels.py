"""A real kernel, driven as a notebook drives one."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import Any, Self

from jupyter_client.manager import start_new_kernel

HERE = Path(__file__).resolve().parent


class Kernel:
    """An ipykernel in a process of its own; use it in a `with`."""

    def __init__(self, folder: Path) -> None:
        self._manager, self._client = start_new_kernel(
            kernel_name="python3", cwd=str(folder), stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> Self:
        self.run(f"import sys; sys.path.insert(0, {str(HERE)!r})")
        return self

    def __exit__(self, *error: object) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def run(self, source: str) -> str:
        """Execute a cell; what it printed. Raises `RuntimeError` with its traceback if it fails."""
        printed: list[str] = []

        def keep(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                printed.append(message["content"]["text"])

        reply = self._client.execute_interactive(source, output_hook=keep, timeout=1800)
        if reply["content"]["status"] != "ok":
            told = "\n".join(reply["content"].get("traceback", ["the kernel died"]))
            raise RuntimeError(re.sub(r"\x1b\[[0-9;]*m", "", told)[-3000:])
        return "".join(printed)

    def seconds(self, source: str) -> float:
        """From sending a cell to the reply and the kernel's going idle."""
        start = time.perf_counter()
        self._client.execute_interactive(source, output_hook=lambda message: None, timeout=60)
        return time.perf_counter() - start


def work_day(kernel: Kernel, cells: int, variables: int, *, start: int = 0) -> None:
    """Fill the kernel as an analyst's afternoon does: cells executed, names of all common kinds bound.

    With another `start` the cells are others, and bind the same names.
    """
    kernel.run("import numpy as np, pandas as pd\nrng = np.random.default_rng(0)")
    for i in range(cells):
        kernel.run(_CELLS[i % len(_CELLS)].format(i=i % variables, n=start + i))


_CELLS = (
    "frame_{i} = pd.DataFrame(rng.normal(size=(1000, 8)), columns=list('abcdefgh'))\nframe_{i}.describe();",
    "array_{i} = rng.normal(size=(200, 30))\nmean_{i} = float(array_{i}.mean())",
    "threshold_{i} = 0.{n}\nnames_{i} = ['age', 'income', 'tenure', 'region']",
    "params_{i} = {{'C': 0.{n}, 'penalty': 'l2', 'solver': 'lbfgs', 'max_iter': {n}}}",
    "def feature_{i}(frame, column='a'):\n"
    "    # ratio to the mean, clipped\n"
    "    return (frame[column] / frame[column].mean()).clip(-{n}, {n})",
)
"""Each binds one or two names that are not yet there, or rebinds them on the next round."""
