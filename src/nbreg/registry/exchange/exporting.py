"""Export: a version in the forms that other tools read."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from nbreg.errors import BadInputError, ConflictError, did_you_mean
from nbreg.records import Manifest
from nbreg.registry.exchange import archiving, mlmodel, pulling
from nbreg.registry.ground import parts, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import checked_kind
from nbreg.store.files import refused

_LIBRARIES: Final = {
    "sklearn": "sklearn",
    "torch": "pytorch",
    "keras": "keras",
    "transformers": "transformers",
}


def export(desk: Desk, ref: str, path: Path, format: str) -> Path:
    """Write a version out; see `Registry.export`."""
    write = _FORMATS.get(checked_kind(format, str, "the format"))
    if write is None:
        raise BadInputError(
            f"there is no format {format[:40]!r}",
            hint=did_you_mean(format, _FORMATS, f"one of {', '.join(_FORMATS)}"),
        )
    return write(desk, reading.get(desk, ref), path)


def _huggingface(desk: Desk, entry: Entry, path: Path) -> Path:
    """The files of `pull`, and a model card above them."""
    folder = pulling.pull(desk, f"{entry.model}@{entry.number}", path, artifacts=True, overwrite=False)
    manifest = parts.manifest(desk, entry)
    for artifact in sorted(manifest.artifacts, key=lambda each: each.name != "model"):
        if artifact.form == "pretrained":
            _lift(folder / "artifacts" / artifact.name, folder)
    card = _card(desk, entry, manifest)
    (folder / "README.md").write_text(card, "utf-8")
    return folder


def _lift(held: Path, folder: Path) -> None:
    """What `from_pretrained` reads stands where the hub looks for it, unless another has the name."""
    for path in sorted(held.iterdir()):
        if not (folder / path.name).exists():
            path.rename(folder / path.name)
    if not any(held.iterdir()):
        held.rmdir()
    if not any(held.parent.iterdir()):
        held.parent.rmdir()


def _card(desk: Desk, entry: Entry, manifest: Manifest) -> str:
    """A model card: what the hub reads in front, what people read below."""
    facts = pulling.metadata(desk, entry, manifest)
    home = entry.row.type.partition(".")[0]
    front: dict[str, Any] = {"tags": ["nbreg", *entry.row.tags]}
    if home in _LIBRARIES:
        front["library_name"] = _LIBRARIES[home]
    if entry.row.metrics:
        results = [{"type": name, "value": value} for name, value in sorted(entry.row.metrics.items())]
        front["model-index"] = [{"name": entry.model, "results": [{"metrics": results}]}]
    lines = [
        "---",
        *(f"{name}: {json.dumps(value)}" for name, value in front.items()),  # JSON is YAML, too
        "---",
        f"# {_plain(entry.model)} {_plain(facts['version'])}",
        "",
        *([_plain(entry.row.description), ""] if entry.row.description else []),
        f"Trained {facts['training_date']}; registered by {_plain(facts['actor'])} as {facts['id']}.",
        "",
        *_table("metric", entry.row.metrics),
        *_table("parameter", facts["hyperparameters"]),
        *_table("library", {"python": facts["library_versions"].get("python", "")} | _main(facts)),
        "`artifacts/` holds what is not here. A `.pkl` runs code when it is loaded: trust its maker first.",
        "",
    ]
    return "\n".join(lines)


def _main(facts: dict[str, Any]) -> dict[str, Any]:
    known = ("scikit-learn", "torch", "xgboost", "lightgbm", "keras", "statsmodels", "numpy", "pandas")
    return {name: facts["library_versions"][name] for name in known if name in facts["library_versions"]}


def _table(noun: str, values: dict[str, Any]) -> list[str]:
    if not values:
        return []
    rows = [f"| {_cell(name)} | {_cell(value)} |" for name, value in values.items()]
    return [f"| {noun} | value |", "|---|---|", *rows, ""]


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _plain(text[:200]).replace("|", "\\|")


def _plain(text: str) -> str:
    """Text as text: neither markup nor HTML, on one line."""
    for mark in "\\`*_{}[]<>#":
        text = text.replace(mark, f"\\{mark}" if mark != "<" else "&lt;")
    return " ".join(text.split())


def _skops(desk: Desk, entry: Entry, path: Path) -> Path:
    """The model itself, as skops writes it: for that it is loaded, so this user has to vouch for it."""
    from nbreg.families import skops
    from nbreg.registry.opening import loading

    target = path.expanduser().absolute()
    if target.exists():
        raise ConflictError(f"{target} is there already", hint="name another file")
    model = loading.load(desk, f"{entry.model}@{entry.number}", "model", trust=None, on_drift="ignore")
    unfinished = target.with_name(f".{target.name}-{secrets.token_hex(6)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        skops.write(model, unfinished)
        unfinished.rename(target)
    except OSError as error:
        raise refused(error, target) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return target


_FORMATS: Final[dict[str, Callable[[Desk, Entry, Path], Path]]] = {
    "archive": archiving.export,
    "huggingface": _huggingface,
    "mlflow": mlmodel.write,
    "skops": _skops,
}
