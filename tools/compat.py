"""The tests under each Python that nbreg is for, and over the oldest and newest of what it stands on.

    python tools/compat.py                                  every leg; some hours
    python tools/compat.py 3.14 lowest                      some of them
    python tools/compat.py 3.14 -- tests/test_tokens.py -x  with arguments for pytest

A leg is an environment in .compat that `uv` resolves and makes; Python itself is taken from PATH, or fetched.
`packed` is the release: the wheel and the sdist are built, checked, installed where no source is, and used.
At the end stand the rows of the table in docs/compatibility.md.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import packed

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".compat"
TOLD = (
    *("ipython", "ipykernel", "ipywidgets", "jupyterlab"),
    *("numpy", "pandas", "scikit-learn", "msgspec", "tinydb"),
)
"""What decides most; the whole list is in `.compat/LEG/requirements.txt`."""


@dataclass(frozen=True)
class Leg:
    """One environment, and what is run in it."""

    python: str
    resolution: str = "highest"
    but: tuple[str, ...] = ()
    """Bounds that make it another one than the resolver would choose."""


LEGS = {
    "3.11": Leg("3.11"),
    "3.12": Leg("3.12"),
    "3.13": Leg("3.13"),
    "3.14": Leg("3.14"),
    "lowest": Leg("3.11", resolution="lowest-direct", but=("numpy<2",)),
}


def main(arguments: list[str]) -> int:
    """Run what is asked for; 1 where something of it failed."""
    names, more = _divided(arguments)
    unknown = set(names) - {*LEGS, "packed"}
    if unknown:
        print(f"no such leg: {', '.join(sorted(unknown))}; there are {', '.join([*LEGS, 'packed'])}")
        return 2
    rows, failed = [], False
    for name in names or [*LEGS, "packed"]:
        if name == "packed":
            failed |= packed.main([]) != 0
            continue
        print(f"{name}: making its environment …", flush=True)
        python = _made(name, LEGS[name])
        passed, told = _tested(python, more)
        failed |= not passed
        rows.append(_row(name, python, told))
    print("\n".join(rows))
    return int(failed)


def _divided(arguments: list[str]) -> tuple[list[str], list[str]]:
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def _made(name: str, leg: Leg) -> Path:
    """The Python of a leg, with everything in its environment."""
    home = FOLDER / name
    python, wanted, bounds = home / "bin" / "python", home / "requirements.txt", home / "bounds.txt"
    if not python.exists():
        uv("venv", "--quiet", "--python", leg.python, home)
    bounds.write_text("\n".join(leg.but))
    uv(
        "pip", "compile", "--quiet", "--python", python, "--resolution", leg.resolution, "--extra", "test",
        "--constraint", bounds, "--no-header", "--no-annotate", "--upgrade", "-o", wanted, "pyproject.toml",
    )  # fmt: skip
    uv("pip", "sync", "--quiet", "--python", python, wanted)
    uv("pip", "install", "--quiet", "--python", python, "--no-deps", "--editable", ".")
    subprocess.run([python, ROOT / "tools" / "labextension.py"], cwd=ROOT, check=True)
    return python


def uv(*arguments: str | Path) -> None:
    """Have uv do something, for Python alone; its own words are shown where it cannot."""
    quiet = {**os.environ, "NBREG_SKIP_LABEXTENSION": "1"}
    subprocess.run([sys.executable, "-m", "uv", *arguments], cwd=ROOT, env=quiet, check=True)


def _tested(python: Path, arguments: Iterable[str]) -> tuple[bool, str]:
    """Whether pytest was content, and its last line."""
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", "--dist", "loadfile"]
    running = subprocess.Popen([*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    last = ""
    for line in running.stdout:
        print(line, end="", flush=True)
        last = line if re.search(r"\d+ (passed|failed|error)", line) else last
    counts = re.findall(r"\d+ (?:passed|failed|errors?|skipped)", last)
    return running.wait() == 0, ", ".join(counts) or "nothing ran"


def _row(name: str, python: Path, told: str) -> str:
    asked = (
        "import json, platform, sys; from importlib.metadata import version;"
        "print(json.dumps([platform.python_version(), *map(version, sys.argv[1:])]))"
    )
    done = subprocess.run([python, "-c", asked, *TOLD], capture_output=True, text=True, check=True)
    release, *versions = json.loads(done.stdout)
    libraries = " · ".join(f"{each} {version}" for each, version in zip(TOLD, versions, strict=True))
    return f"| `{name}` | {release} | {libraries} | {told} | {datetime.now(UTC):%Y-%m-%d} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
