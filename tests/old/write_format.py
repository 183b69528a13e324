"""Write a small registry with something of everything, to be kept for ever: `write_format.py FOLDER`.

Each released format has one, made once by the release that brought it: `tests/old/format-N`.
They are read by `tests/test_old_formats.py` and never written again. Values are plain ones, so
that no library's version plays a part.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbreg import Registry
from nbreg.records import Actor
from nbreg.settings import Settings


def write(folder: Path) -> None:
    """The registry that the tests describe."""
    now = datetime(2026, 2, 1, 12, tzinfo=UTC)

    def clock() -> datetime:
        nonlocal now
        now += timedelta(minutes=1)
        return now

    registry = Registry(
        folder,
        settings=Settings(capture=False, inline_bytes=2048),
        clock=clock,
        actor=Actor(user="ada", source="system", host="lab"),
    )
    with tempfile.TemporaryDirectory() as scratch:
        files = _files(Path(scratch))
        _churn(registry, files)
        registry.register("risk/fraud", {"rules": ["a", "b"]}, artifacts=files, tags=["shared"])
    shutil.rmtree(folder / "tmp")
    shutil.rmtree(folder / "objects" / "parts")  # a cache
    (folder / ".gitignore").unlink()  # or git would not keep it


def _files(scratch: Path) -> dict[str, object]:
    small, large, tree = scratch / "small.txt", scratch / "large.bin", scratch / "tree"
    small.write_text("small and shared\n")
    large.write_bytes(bytes(range(256)) * 16)
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "run.sh").write_text("#!/bin/sh\n")
    (tree / "sub" / "run.sh").chmod(0o755)
    return {"small": small, "large": large, "tree": tree}


def _churn(registry: Registry, files: dict[str, object]) -> None:
    first = registry.register(
        "churn",
        {"weights": [0.5, -1.25], "name": "Łódź"},
        artifacts=files,
        metrics={"auc": 0.875},
        params={"C": 0.5, "solver": "lbfgs"},
        content={"ticket": "A-1"},
        tags=["baseline"],
        description="the first cut",
        message="hello",
        reason="Start",
    )
    second = registry.register(
        "churn", {"weights": [0.75]}, artifacts=files, metrics={"auc": 0.9}, parent=first
    )
    third = registry.register("churn", {"weights": []}, version="rc1", stage="staging")
    gone = registry.register("churn", {"weights": None})
    registry.register("churn", {"weights": [0.75]}, artifacts=files, metrics={"auc": 0.9}, parent=first)
    registry.promote(first, "production", reason="FirstRelease")
    registry.promote(second, "production", reason="ABTestWon", message="lift 3 %")
    registry.rollback("churn", reason="Complaints")
    registry.set_alias(second, "champion")
    registry.set_alias(third, "champion")
    registry.set_alias(second, "challenger")
    registry.set_alias(first, "dropped")
    registry.drop_alias("churn", "dropped")
    registry.update(second, tags=["late"], metrics={"f1": 0.5}, content={"ticket": "A-2"})
    registry.register("churn", {"weights": [9]}, version="1.1.0", force=True, reason="Supersede")
    registry.delete(gone, "WrongData", message="see mail")


if __name__ == "__main__":
    write(Path(sys.argv[1]).absolute())
