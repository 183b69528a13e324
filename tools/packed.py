"""What is released, as strangers get it: built, checked, installed where no source is, and used.

    python tools/packed.py          the wheel and the sdist; some minutes

Each is put into an empty environment of its own, with what nbreg requires and nothing else, and used from
an empty folder: from the shell, from Python, by a type checker, and by JupyterLab's list of extensions.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("build", "check-wheel-contents", "twine")
SHARE = "share/jupyter/labextensions/nbreg/"

IN_WHEEL = (
    r"nbreg/__init__\.py",
    r"nbreg/py\.typed",
    r"nbreg-[^/]+\.dist-info/entry_points\.txt",
    r"nbreg-[^/]+\.dist-info/licenses/LICENSE",
    rf".*/data/{SHARE}package\.json",
    rf".*/data/{SHARE}install\.json",
    rf".*/data/{SHARE}schemas/nbreg/plugin\.json",
    rf".*/data/{SHARE}static/remoteEntry\.\w+\.js",
    r".*/data/etc/jupyter/jupyter_server_config\.d/nbreg\.json",
)
NOT_IN_WHEEL = (r"(tests|tools|docs|benchmarks|notebooks)/.*", r".*\.(map|ts|tsx|pyc)")
IN_SDIST = (
    "LICENSE",
    "README.md",
    "hatch_build.py",
    "pyproject.toml",
    "tests/conftest.py",
    "tools/labextension.py",
)
NOT_IN_SDIST = (r"(.*/)?(node_modules|\.venv|\.compat|\.nbreg|\.git|\.ci|__pycache__)/.*",)

USED = """
import pathlib
import nbreg

registry = nbreg.Registry("registry")
first = registry.register("churn", {"weights": [1.0, 2.0]}, metrics={"auc": 0.9})
registry.promote("churn@1", "production", reason="FirstRelease")
second = registry.register("churn", {"weights": [1.0, 3.0]})
registry.promote("churn@2", "production", reason="Better")
registry.rollback("churn", reason="Complaints")
assert registry.load("churn@production") == {"weights": [1.0, 2.0]}
assert (first.name, second.name, registry.get("churn@production").number) == ("1.0.0", second.name, 1)
assert "site-packages" in pathlib.Path(nbreg.__file__).parts, nbreg.__file__
"""
TYPED = """
import nbreg

version = nbreg.Registry("registry").register("churn", 1)
reveal_type(version.number)
number: str = version.number
"""
IN_A_NOTEBOOK = """
%load_ext nbreg
model = {"weights": [1.0]}
%register_model churn model --reason First
%model_history churn
print("made", nbreg.Registry().get("churn@latest").ref)
"""


def main(arguments: list[str]) -> int:
    """Build, check and use; what is wrong ends it with a line that says so."""
    with tempfile.TemporaryDirectory(prefix="nbreg-packed-") as folder:
        work = Path(folder)
        tools = _environment(work / "tools", *TOOLS)
        _run(tools, "-m", "build", "--outdir", work / "dist", ROOT)
        (wheel,), (sdist,) = (work / "dist").glob("*.whl"), (work / "dist").glob("*.tar.gz")
        _run(tools, "-m", "twine", "check", "--strict", wheel, sdist)
        _run(tools, "-m", "check_wheel_contents", wheel)
        _look_into(wheel, sdist)
        for name, archive in (("wheel", wheel), ("sdist", sdist)):
            _use(_environment(work / name, str(archive)), work / f"{name}-used")
            print(f"{name}: {archive.name}, {archive.stat().st_size / 1000:.0f} kB, installs and works")
    return 0


def _look_into(wheel: Path, sdist: Path) -> None:
    """Everything that belongs into them is there, and nothing of this folder's own."""
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        entries = next(file.read(each).decode() for each in names if each.endswith("entry_points.txt"))
    missing = [each for each in IN_WHEEL if not any(re.fullmatch(each, name) for name in names)]
    with tarfile.open(sdist) as archive:
        sources = [name.partition("/")[2] for name in archive.getnames()]
    missing += [each for each in IN_SDIST if each not in sources]
    odd = [name for name in names for each in NOT_IN_WHEEL if re.fullmatch(each, name)]
    odd += [name for name in sources for each in NOT_IN_SDIST if re.fullmatch(each, name)]
    _must(not missing, f"missing: {missing}")
    _must(not odd, f"not to be given away: {odd}")
    _must("nbreg = nbreg.cli:main" in entries, f"the command is not among the entry points: {entries}")


def _use(python: Path, folder: Path) -> None:
    """All that a stranger tries in the first minutes."""
    folder.mkdir()
    shell = python.parent / "nbreg"
    _must(
        re.fullmatch(r"nbreg \d+\.\d+\.\d+\n", _run(shell, "--version", cwd=folder)) is not None, "no version"
    )
    _run(python, "-c", USED, cwd=folder)
    told = _run(shell, "versions", "churn", "--registry", folder / "registry", "--json", cwd=folder)
    _must(told.count('"number"') == 2, f"the command line shows {told}")
    _in_a_notebook(python, folder)
    _typed(python, folder)
    _in_jupyterlab(python, folder)


def _in_a_notebook(python: Path, folder: Path) -> None:
    script = folder / "cells.ipy"
    script.write_text(f"import nbreg\n{IN_A_NOTEBOOK}")
    told = _run(python, "-m", "IPython", "--colors=NoColor", script, cwd=folder)
    _must("made churn@1.0.0" in told, f"a notebook shows {told}")


def _typed(python: Path, folder: Path) -> None:
    """A checker reads the types of what is installed, and finds the slip."""
    _install(python, "mypy")
    script = folder / "typed.py"
    script.write_text(TYPED)
    done = subprocess.run(
        [python, "-m", "mypy", script], cwd=folder, capture_output=True, text=True, check=False
    )
    _must('Revealed type is "int"' in done.stdout.replace("builtins.", ""), f"mypy says {done.stdout}")
    _must("Incompatible types in assignment" in done.stdout, f"mypy says {done.stdout}")


def _in_jupyterlab(python: Path, folder: Path) -> None:
    _install(python, "jupyterlab")
    for asked in ("labextension", "server"):
        command = [python, "-m", "jupyter", asked, *(["extension"] if asked == "server" else []), "list"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        told = re.sub(r"\x1b\[\d*m", "", done.stdout + done.stderr)
        _must(re.search(r"nbreg.*(?:enabled|OK)", told) is not None, f"jupyter {asked} list says {told}")


def _environment(home: Path, *packages: str) -> Path:
    _run(sys.executable, "-m", "uv", "venv", "--quiet", "--python", sys.executable, home)
    python = home / "bin" / "python"
    _install(python, *packages)
    return python


def _install(python: Path, *packages: str) -> None:
    _run(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python, *packages)


def _run(*command: str | Path, cwd: Path = ROOT) -> str:
    """What it says on stdout. It finds nothing of this folder or, where it is used, of this user."""
    ours = ("NBREG_", "PYTHON", "VIRTUAL_", "XDG_", "JUPYTER", "IPYTHON")
    clean = {name: each for name, each in os.environ.items() if not name.startswith(ours)}
    if cwd != ROOT:
        clean["HOME"] = str(cwd)
    done = subprocess.run(
        [str(each) for each in command], cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    _must(done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SystemExit(f"packed: {otherwise}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
