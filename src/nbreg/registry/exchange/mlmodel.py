"""MLflow's model folder: written so that MLflow loads it, read so that nothing of it runs unasked.

What is written needs no nbreg where it is loaded: the model is one pickle, and beside it
lies a loader of a few lines, which MLflow's `python_function` calls. scikit-learn's estimators
are MLflow's own flavour as well.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec

from nbreg.capture.surroundings import export
from nbreg.errors import BadInputError, CannotLoadError, ConflictError, option
from nbreg.families import PickleFile
from nbreg.records import Environment, Manifest, Signature
from nbreg.registry.exchange import pulling
from nbreg.registry.ground import parts
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.store.files import refused

_TYPES: Final = {
    "float64": "double",
    "float32": "float",
    "int64": "long",
    "int32": "integer",
    "bool": "boolean",
    "object": "string",
    "str": "string",
    "string": "string",
}
_LONGEST: Final = 1_000_000
_LOADER: Final = '''"""Loads model.pkl for MLflow's python_function, without nbreg."""

import pickle
from pathlib import Path


def _load_pyfunc(path):
    """The model; loading a pickle runs code."""
    with Path(path).open("rb") as file:
        return pickle.load(file)
'''


def write(desk: Desk, entry: Entry, path: Path) -> Path:
    """Write the folder; see `Registry.export`."""
    manifest = parts.manifest(desk, entry)
    model = next((each for each in manifest.artifacts if each.name == "model"), None)
    if model is None or model.kind != "object":
        raise BadInputError(f"{entry.ref} has no object as its model", hint="`pull` writes files as they are")
    if model.facts.get("modules"):
        raise BadInputError(
            f"{entry.ref} takes modules along that its functions import when they are called",
            hint=f"MLflow has no place for them; {option('format', 'archive')} keeps them",
        )
    if pulling.files_of(desk, entry, model) != ["model.pkl"]:
        raise BadInputError(
            f"{entry.ref} is not stored as a pickle alone", hint="`pull` writes it in its own format"
        )
    folder = pulling.pull(desk, f"{entry.model}@{entry.number}", path, artifacts=True, overwrite=False)
    (folder / "artifacts" / "model.pkl").rename(folder / "model.pkl")
    loader = f"nbreg_model_{entry.row.id[:12]}"
    (folder / "code").mkdir()
    (folder / "code" / f"{loader}.py").write_text(_LOADER, "utf-8")
    environment = parts.captured(desk, entry, manifest.environment, Environment)
    requirements = _requirements(environment)
    (folder / "requirements.txt").write_text(requirements, "utf-8")
    python = environment.python.get("version", "") or ".".join(map(str, sys.version_info[:3]))
    for name, document in _documents(desk, entry, manifest, python, loader).items():
        (folder / name).write_text(json.dumps(document, indent=2) + "\n", "utf-8")  # JSON is YAML, too
    return folder


def _requirements(environment: Environment) -> str:
    """What the model needs; where its code says more than its names, what was imported."""
    if any(each.needed is not None for each in environment.distributions):
        return export.requirements(environment, needed_only=True)
    imported = [each for each in environment.distributions if each.imported]
    return export.requirements(msgspec.structs.replace(environment, distributions=imported))


def _documents(desk: Desk, entry: Entry, manifest: Manifest, python: str, loader: str) -> dict[str, Any]:
    flavors: dict[str, Any] = {
        "python_function": {
            "loader_module": loader,
            "data": "model.pkl",
            "code": "code",
            "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
            "python_version": python,
        }
    }
    framework = _framework(manifest)
    if framework.get("distribution") == "scikit-learn":
        flavors["sklearn"] = {
            "pickled_model": "model.pkl",
            "serialization_format": "cloudpickle",
            "sklearn_version": framework.get("version", ""),
            "code": None,
        }
    pip = ["-r requirements.txt"]
    return {
        "MLmodel": {
            "flavors": flavors,
            "model_uuid": entry.row.id[:32],
            "utc_time_created": manifest.created[:26].replace("T", " "),
            "metadata": {"nbreg": f"{entry.model}@sha256:{entry.row.id}"},
            **_signature(desk, entry, manifest),
        },
        "conda.yaml": {
            "name": "nbreg-env",
            "channels": ["conda-forge"],
            "dependencies": [f"python={python}", "pip", {"pip": pip}],
        },
        "python_env.yaml": {"python": python, "build_dependencies": ["pip"], "dependencies": pip},
    }


def _framework(manifest: Manifest) -> Mapping[str, Any]:
    described = manifest.described
    found = described.get("framework") if isinstance(described, dict) else None
    return found if isinstance(found, dict) else {}


def _signature(desk: Desk, entry: Entry, manifest: Manifest) -> dict[str, Any]:
    """As MLflow spells it, where it has a word for every column."""
    recorded = parts.captured(desk, entry, manifest.signature, Signature)
    inputs = [_column(each) for each in recorded.inputs]
    if not inputs or None in inputs:
        return {}
    return {"signature": {"inputs": json.dumps(inputs), "outputs": None, "params": None}}


def _column(told: Mapping[str, Any]) -> dict[str, Any] | None:
    kind = _TYPES.get(str(told.get("type", "")))
    if kind is None or not told.get("name"):
        return None
    return {"type": kind, "name": str(told["name"]), "required": True}


# reading


def read(folder: Path, *, trust: bool | None) -> tuple[object, dict[str, Any]]:
    """The model of an MLflow folder, and what MLflow says of it.

    A model that MLflow would load by other code is the folder itself. Raises `TrustError` where
    loading would run code, `BadInputError` or `CannotLoadError`.
    """
    said = _mlmodel(folder)
    signature = said.get("signature")
    about = {
        "mlflow_version": _word(said, "mlflow_version"),
        "flavors": sorted(each[:64] for each in said["flavors"] if isinstance(each, str)),
        "model_uuid": _word(said, "model_uuid"),
        "run_id": _word(said, "run_id"),
        "signature": _columns(signature) if isinstance(signature, dict) else None,
        "created": _word(said, "utc_time_created"),
    }
    flavor = said["flavors"].get("sklearn")
    if not isinstance(flavor, dict):
        return folder, about
    file = _inside(folder, str(flavor.get("pickled_model", "")))
    if flavor.get("serialization_format") == "skops":
        from nbreg.families import skops

        return skops.read(file, trust=trust), about
    return PickleFile(file).load(trust=trust), about


def _word(said: dict[Any, Any], name: str) -> str:
    """A short text. What else may stand there is left out: YAML spells a list of billions in a line."""
    found = said.get(name)
    return str(found)[:64] if isinstance(found, str | int | float | date) else ""


def _columns(signature: dict[Any, Any]) -> dict[str, str]:
    """MLflow's signature, whose parts are texts of JSON."""
    parts = {name: signature.get(name) for name in ("inputs", "outputs", "params")}
    return {name: each for name, each in parts.items() if isinstance(each, str)}


def _mlmodel(folder: Path) -> dict[str, Any]:
    try:
        with (folder / "MLmodel").open("rb") as file:
            data = file.read(_LONGEST + 1)
        text = data.decode()
    except OSError as error:
        raise refused(error, folder / "MLmodel", reading=True) from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{folder / 'MLmodel'} is no text") from error
    if len(data) > _LONGEST:
        raise BadInputError(f"{folder / 'MLmodel'} is longer than {_LONGEST} bytes")
    said = _document(folder, text)
    if not isinstance(said, dict) or not isinstance(said.get("flavors"), dict):
        raise BadInputError(
            f"{folder / 'MLmodel'} names no flavour", hint="it is no folder of an MLflow model"
        )
    return said


def _document(folder: Path, text: str) -> Any:
    """JSON, as nbreg writes it, is read without a reader of YAML."""
    with suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(text)
    try:
        import yaml
    except ImportError as error:
        raise CannotLoadError(
            "reading MLflow's folder needs PyYAML, which is not here", hint="pip install pyyaml"
        ) from error
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BadInputError(f"{folder / 'MLmodel'} cannot be read: {type(error).__name__}") from error


def _inside(folder: Path, name: str) -> Path:
    file = folder / name
    if not name or not file.is_file() or not file.resolve().is_relative_to(folder.resolve()):
        raise ConflictError(f"{folder} has no file {name[:80]!r}", hint="the folder is not whole")
    return file
