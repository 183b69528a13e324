"""Versions to try verbs on, and a clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from nbreg import ModelVersion, Registry


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 2, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def three(registry: Registry, model: str = "churn") -> list[ModelVersion]:
    return [registry.register(model, {"n": n}, metrics={"auc": n / 10}) for n in (1, 2, 3)]


def lines(registry: Registry, model: str = "churn") -> int:
    return len(registry._desk.model(model).journal)
