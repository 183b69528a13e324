"""Which object of a step is the model, what goes into its version, and what is no step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from means import MEANS, Mean, Scaler, fitted

import nbreg
from nbreg import Model, Registry
from nbreg.errors import BadInputError, GateRefusedError


def test_the_model_is_what_predicts_and_the_rest_are_its_artifacts(registry: Registry) -> None:
    """A preprocessor that another step fits belongs to the version, under the step's name."""

    @nbreg.step
    def scaling() -> Scaler:
        return Scaler().fit(MEANS["a"])

    @nbreg.step
    def train(scaler: Scaler) -> tuple[Mean, float]:
        return Mean().fit(scaler.transform(MEANS["a"])), 0.5

    @nbreg.pipeline(model=Model("m", registry=registry))
    def training() -> None:
        train(scaling())

    training()

    version = registry.get("m")
    assert set(version.artifacts) == {"model", "scaling"}
    assert version.load("scaling").top == 2.0
    assert version.load().mean == 0.75


def test_of_several_models_the_pipeline_returns_the_one_that_is_meant(registry: Registry) -> None:
    """A search trains ten and returns the best; without that nbreg asks rather than guess."""

    @nbreg.step
    def train(scale: float) -> Mean:
        return fitted(scale)

    @nbreg.pipeline(model=Model("m", registry=registry))
    def search(best: float | None) -> Mean | None:
        found = [train(scale) for scale in (1.0, 2.0, 3.0)]
        return next((each for each in found if each.scale == best), None)

    search(2.0)
    assert registry.get("m").load().scale == 2.0
    with pytest.raises(BadInputError, match="3 models were trained for m, by train") as caught:
        search(None)

    assert len(registry.versions("m")) == 1
    assert "return the one that is meant" in caught.value.hint
    assert len(registry.runs()[0].artifacts) == 3


def test_what_a_run_logged_goes_into_the_version(registry: Registry) -> None:
    """Arguments are params, what the steps measured are metrics, and nobody said so twice."""

    @nbreg.step
    def train(scale: float) -> Mean:
        nbreg.current_run(registry).log_metric("mse", 0.25)
        return fitted(scale)

    @nbreg.pipeline(model=Model("m", registry=registry))
    def training(scale: float, rows: list[int], name: str = "x") -> None:
        train(scale)

    training(2.0, [1, 2])

    version = registry.get("m")
    assert (version.params, version.metrics) == ({"scale": 2.0, "name": "x"}, {"mse": 0.25})
    assert version.run is not None
    assert version.run.experiment == "training"


def test_a_business_rule_promotes_in_the_run(registry: Registry) -> None:
    """The rule stands where the metric is known, before the version is there."""

    @nbreg.step(model=Model("m", registry=registry))
    def train(accuracy: float) -> Mean:
        if accuracy > 0.9:
            Model.active().promote("staging", reason="AccuracyRule")
        return fitted(accuracy)

    train(0.5)
    train(0.95)

    assert [(each.name, each.stage) for each in registry.versions("m")] == [
        ("1.0.1", "staging"),
        ("1.0.0", "none"),
    ]
    assert registry.events("m")[0].reason == "AccuracyRule"


def test_a_promotion_that_a_gate_refuses_keeps_no_other_model_from_being_registered(
    registry: Registry,
) -> None:
    """Two models of one pipeline, and the first does not pass."""

    @nbreg.step(model=Model("first", registry=registry))
    def first() -> Mean:
        Model.active().promote("staging", reason="Rule")
        return fitted(1.0)

    @nbreg.step(model=Model("second", registry=registry))
    def second() -> Mean:
        return fitted(2.0)

    @nbreg.pipeline(model=Model("second", registry=registry))
    def training() -> None:
        first()
        second()

    registry.require(None, "staging", "metrics.auc > 0.9")
    with pytest.raises(GateRefusedError):
        training()

    assert [(row.name, row.versions, row.stages) for row in registry.models()] == [
        ("first", 1, {}),
        ("second", 1, {}),
    ]


def test_without_a_model_a_step_is_a_run_and_registers_nothing(tmp_path: Path) -> None:
    """Decorating a function does not fill a registry with what nobody named."""

    @nbreg.step
    def train() -> Mean:
        return fitted(1.0)

    assert train().mean == 1.5
    assert [each.state for each in Registry().runs()] == ["finished"]
    assert Registry().models() == []


def test_a_step_may_be_a_method(registry: Registry) -> None:
    """Trainers are often classes."""

    class Trainer:
        scale = 2.0

        @nbreg.step(model=Model("m", registry=registry))
        def train(self) -> Mean:
            return fitted(self.scale)

    Trainer().train()

    assert registry.get("m").load().scale == 2.0


@pytest.mark.parametrize(
    "use",
    [
        lambda: nbreg.step(model=3),  # type: ignore[call-overload]
        lambda: nbreg.step(3),  # type: ignore[call-overload]
        lambda: nbreg.pipeline(substitutions={"a": 1}),  # type: ignore[dict-item]
        lambda: Model("m", substitutions=["a"]),  # type: ignore[arg-type]
        lambda: Model(3),  # type: ignore[arg-type]
        lambda: Model("m", 1.5),  # type: ignore[arg-type]
        Model.active,
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_stands(use: Callable[[], Any]) -> None:
    """At the decorator, not after the training."""
    with pytest.raises(BadInputError):
        use()


def test_a_coroutine_is_no_step() -> None:
    """A run that ended before its function would register nothing, silently."""

    async def train() -> None: ...

    with pytest.raises(BadInputError, match="coroutine"):
        nbreg.step(train)
