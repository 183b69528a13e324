"""Run the benchmarks, all or those named: `python benchmarks/run.py [register growth …]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def names() -> list[str]:
    """All benchmarks there are."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def main(arguments: list[str]) -> int:
    """Each in a process of its own; a missed goal is said in its table and in the exit code."""
    options = arguments[
        next((i for i, each in enumerate(arguments) if each.startswith("-")), len(arguments)) :
    ]
    chosen = arguments[: len(arguments) - len(options)] or names()
    if unknown := set(chosen) - set(names()):
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    missed = 0
    for name in chosen:
        missed += (
            subprocess.run([sys.executable, HERE / f"bench_{name}.py", *options], check=False).returncode != 0
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
