"""A registry that something happened to, as one looks at it afterwards."""

from __future__ import annotations

import os
from pathlib import Path

from nbreg import Registry
from nbreg.settings import Settings

SETTINGS = Settings(capture=False, inline_bytes=4096)


def fresh(registry: Registry) -> Registry:
    return Registry(registry.location, settings=SETTINGS)


def journal(registry: Registry, model: str = "churn") -> Path:
    return registry.location / "models" / f"{model}.model" / "journal.jsonl"


def problems(registry: Registry) -> list[tuple[str, str]]:
    return [(problem.code, problem.where) for problem in registry.verify().problems]


def others_are_well(registry: Registry) -> None:
    assert registry.load("other") == "kept"
    assert registry.register("other", os.urandom(8)).number > 1
