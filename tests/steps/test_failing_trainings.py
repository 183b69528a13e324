"""A training that fails makes no version and loses nothing."""

from __future__ import annotations

import pytest
from means import Mean, explicit_name, fitted

import nbreg
from nbreg import Model, Registry
from nbreg.errors import FailedToRegisterError, SecretFoundError


def test_a_run_that_fails_makes_no_version(registry: Registry) -> None:
    """Half a training is no model."""

    @nbreg.step
    def train() -> Mean:
        return fitted(1.0)

    @nbreg.pipeline(model=Model("m", registry=registry))
    def training() -> None:
        train()
        raise RuntimeError("evaluation failed")

    with pytest.raises(RuntimeError):
        training()

    assert registry.models() == []
    assert [(each.state, each.error, each.kind) for each in registry.runs()] == [
        ("failed", "RuntimeError", "pipeline")
    ]


@pytest.mark.filterwarnings("ignore::nbreg.errors.ExistingVersionWarning")
def test_other_content_under_a_name_that_is_there_fails_and_loses_nothing(registry: Registry) -> None:
    """The night's work is kept, and the line that registers it is in the error."""
    explicit_name(registry, 1.0)

    with pytest.raises(FailedToRegisterError) as caught:
        explicit_name(registry, 2.0)

    assert caught.value.code == "failed-to-register"
    assert "churn@1.0.5 is there already" in caught.value.message
    assert "the next free name is 1.1.0" in caught.value.hint
    run = registry.runs()[0]
    assert (run.state, run.error) == ("failed", "FailedToRegisterError")
    assert f"'runs:/{run.id}/model'" in caught.value.hint
    kept = registry.register("churn", f"runs:/{run.id}/model")
    assert (kept.name, kept.load().scale) == ("1.0.6", 2.0)
    assert Model("churn", "1.0.5", registry=registry).load().scale == 1.0


def test_a_name_that_is_taken_during_the_training_fails_too(registry: Registry) -> None:
    """Two people with one name: the second one is told, and keeps the work."""

    @nbreg.step(model=Model("m", "1.0.5", registry=registry))
    def train() -> Mean:
        with registry.start_run():  # somebody else's
            registry.register("m", {"theirs": 1}, version="1.0.5")
        return fitted(1.0)

    with pytest.raises(FailedToRegisterError):
        train()

    assert registry.get("m@1.0.5").load() == {"theirs": 1}


def test_a_model_that_cannot_be_registered_fails_the_run_with_the_reason(registry: Registry) -> None:
    """A secret in a model stops it in a pipeline as it does anywhere."""
    token = "ghp_" + "a1B2" * 9

    @nbreg.step(model=Model("m", registry=registry))
    def train() -> Mean:
        model = fitted(1.0)
        model.token = token  # type: ignore[attr-defined]
        return model

    with pytest.raises(SecretFoundError):
        train()

    assert registry.runs()[0].error == "SecretFoundError"
    assert registry.models() == []
