"""What other tools wrote, as an object to register and what is known of it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from nbreg.errors import BadInputError
from nbreg.registry.exchange import mlmodel
from nbreg.registry.ground.given import checked_consent


def read(path: Path, *, trust: bool | None) -> tuple[object, dict[str, Any]] | None:
    """The object and its story; None for what looks like nbreg's own archive, or like nothing."""
    checked_consent(trust)
    if path.is_dir():
        if not (path / "MLmodel").is_file():
            raise BadInputError(
                f"{path} is no folder of an MLflow model",
                hint="register(model, Path(folder)) takes any folder",
            )
        model, about = mlmodel.read(path, trust=trust)
        return model, {"imported": {"from": "mlflow", **about}}
    if path.exists() and not path.is_file():  # to read a pipe is to wait for who writes it
        raise BadInputError(f"{path} is no regular file", hint="give a file, or MLflow's folder")
    if _is_skops(path):
        from nbreg.families import skops

        return skops.read(path, trust=trust), {"imported": {"from": "skops", "file": path.name}}
    return None


def _is_skops(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "schema.json" in archive.namelist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError):
        return False
