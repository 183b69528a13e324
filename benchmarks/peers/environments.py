"""An environment for each peer, made once below `.venv-peers/`; the same numpy and scikit-learn in all."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / ".venv-peers"
PACKAGES = {
    "mlflow": ["mlflow==3.17.2"],
    "modelstore": ["modelstore==0.0.82"],
    "vetiver": ["vetiver==0.2.6", "pins==0.9.2"],
    "bentoml": ["bentoml==1.4.39"],
}
HOMES = {
    "floor": "", "nbreg": "", "mlflow": "mlflow", "mlflow, given": "mlflow", "modelstore": "modelstore",
    "pins": "vetiver", "vetiver": "vetiver", "bentoml": "bentoml",
}  # fmt: skip
"""In whose environment a contestant runs; the empty one is this project's own."""


def interpreter(contestant: str) -> Path:
    """The Python that a contestant runs in."""
    home = HOMES[contestant]
    return FOLDER / home / "bin" / "python" if home else Path(sys.executable)


def make(name: str) -> str:
    """Make an environment if it is not there as it should be; why not, or nothing."""
    shared = [f"{each}=={importlib.metadata.version(each)}" for each in ("numpy", "scikit-learn", "joblib")]
    wanted = [*PACKAGES[name], *shared]
    folder, stamp = FOLDER / name, FOLDER / name / ".installed"
    if stamp.exists() and stamp.read_text() == "\n".join(wanted):
        return ""
    FOLDER.mkdir(exist_ok=True)
    for command in (
        [sys.executable, "-m", "venv", "--clear", folder],
        _install(folder / "bin" / "python", wanted),
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            told = (done.stderr or done.stdout).strip().splitlines() or ["it does not say why"]
            return told[-1][:300]
    stamp.write_text("\n".join(wanted))
    return ""


def _install(python: Path, packages: list[str]) -> list[str | Path]:
    uv = subprocess.run([sys.executable, "-m", "uv", "--version"], capture_output=True, check=False)
    if uv.returncode == 0:
        return [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python, *packages]
    return [python, "-m", "pip", "install", "--quiet", *packages]
