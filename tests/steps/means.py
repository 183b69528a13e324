"""Models that need no library, trainings that make them, and what a registry has of these."""

from __future__ import annotations

from typing import Any

import nbreg
from nbreg import Model, Registry

MEANS = {"a": [1.0, 2.0], "b": [3.0]}


class Mean:
    """A model that needs no library."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def fit(self, values: list[float]) -> Mean:
        self.mean = self.scale * sum(values) / len(values)
        return self

    def predict(self, values: list[float]) -> list[float]:
        return [self.mean for _ in values]


class Scaler:
    """A preprocessor: it transforms, and predicts nothing."""

    def fit(self, values: list[float]) -> Scaler:
        self.top = max(values)
        return self

    def transform(self, values: list[float]) -> list[float]:
        return [each / self.top for each in values]


def names(registry: Registry) -> list[str]:
    return [
        f"{row.name}@{version.name}"
        for row in registry.models()
        for version in registry.versions(row.name)[::-1]
    ]


def fitted(scale: float) -> Mean:
    return Mean(scale).fit(MEANS["a"])


def explicit_name(registry: Registry, scale: float) -> Any:
    @nbreg.step(model=Model("churn", "1.0.5", registry=registry))
    def train() -> Mean:
        return fitted(scale)

    return train()


def date_in_names(registry: Registry, scale: float) -> Any:
    @nbreg.step
    def train() -> Mean:
        return fitted(scale)

    @nbreg.pipeline(model=Model("m_{date}", "v_{date}_{time}", registry=registry))
    def training() -> None:
        train()

    return training()
