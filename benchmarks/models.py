"""The models that are stored, and registries that already hold many."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from nbreg import Registry
from nbreg.records import Actor
from nbreg.settings import Settings
from nbreg.store.journal import Unsealed, seal

METRICS = {"accuracy": 0.9720279720279721, "auc": 0.9958847736625515}


def pipelines(count: int) -> list[Any]:
    """Small scikit-learn pipelines, all different: StandardScaler + LogisticRegression on breast_cancer."""
    return [pipeline(i) for i in range(count)]


def pipeline(number: int) -> Any:
    """One of them, unlike those of other numbers."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = load_breast_cancer(return_X_y=True)
    last = LogisticRegression(C=0.1 + number / 100, max_iter=20, tol=1e-2)
    return make_pipeline(StandardScaler(), last).fit(X, y)


def bare(folder: Path) -> Registry:
    """A registry that captures nothing, so that only its own work is measured."""
    return Registry(folder, settings=Settings(capture=False))


def journal_of(registry: Registry, model: str) -> Path:
    """The file that is the truth about a model."""
    return registry.location / "models" / f"{model}.model" / "journal.jsonl"


def grow(registry: Registry, model: str, versions: int) -> None:
    """Bring a model to that many versions, by lines exactly as registering writes them.

    The first two versions are really registered; the lines of the others are the second one's
    with their own number, name and digests, chained and sealed by the journal's own functions.
    They share the second one's bundle, which is enough for all that reads rows.
    """
    for number in range(min(versions, 2)):
        registry.register(model, {"seed": number}, metrics=METRICS, tags=["baseline"], message="weekly run")
    path = registry._desk.folder.model_path(model) / "journal.jsonl"
    lines = path.read_bytes().splitlines()
    if versions <= len(lines):
        return
    registry.close()
    with path.open("ab", buffering=1 << 20) as file:
        _append(file, json.loads(lines[-1]), range(len(lines) + 1, versions + 1))
        file.flush()
        os.fsync(file.fileno())


def _append(file: Any, line: dict[str, Any], numbers: range) -> None:
    head = line.pop("hash")
    line["by"] = msgspec.convert(line["by"], Actor)
    for number in numbers:
        data = seal(Unsealed(**_line(line, number, head)))
        head = data[-67:-3].decode()
        file.write(data)


def _line(line: dict[str, Any], number: int, prev: str) -> dict[str, Any]:
    """The line of one more version, after the pattern of a registered one."""
    name = f"1.{number - 1}.0"
    digests = {"ids": sha256(b"%d" % number).hexdigest(), "content": sha256(b"c%d" % number).hexdigest()}
    changes: dict[str, dict[str, Any]] = {
        "versions": {
            "number": number, "name": name, "id": digests["ids"], "content_digest": digests["content"],
            "base": number - 1,
        },
        "model": {
            "next_number": number + 1, "versions": number, "latest": number, "latest_name": name,
            "highest": name, "highest_number": number,
        },
    }  # fmt: skip
    ids = {"versions": str(number), "names": name, "model": "model", **digests}
    return {
        **line,
        "seq": number,
        "prev": prev,
        "facts": {**line["facts"], "number": number, "name": name},
        "keys": [(table, ids[table]) for table, _ in line["keys"]],
        "docs": [
            {**doc, **changes.get(table, {"number": number})}
            for (table, _), doc in zip(line["keys"], line["docs"], strict=True)
        ],
    }
