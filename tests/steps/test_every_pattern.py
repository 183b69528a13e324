"""Every way to write a training, run twice: what it makes, and what it makes when it is run again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from means import MEANS, Mean, explicit_name, fitted, names

import nbreg
from nbreg import Model, Registry
from nbreg.errors import FailedToRegisterError, NameTakenError, NbregError, NotRegisteredYetError


@dataclass
class Pattern:
    """A way to write a training, what it makes, and what it makes when it is run again."""

    use: Callable[[Registry, float], Any]
    once: list[str]
    """All versions after the first run."""
    again: list[str]
    """All versions after the same training was run again with other data."""
    refused: type[NbregError] | None = None
    """What the second run raises."""


def step_with_model(registry: Registry, scale: float) -> Any:
    @nbreg.step(model=Model("churn", registry=registry))
    def train() -> Mean:
        return fitted(scale)

    return train()


def pipeline_with_model(registry: Registry, scale: float) -> Any:
    @nbreg.step
    def train() -> Mean:
        return fitted(scale)

    @nbreg.pipeline(model=Model("churn", registry=registry))
    def training() -> Mean:
        return train()

    return training()


def step_wins(registry: Registry, scale: float) -> Any:
    @nbreg.step(model=Model("of_step", registry=registry))
    def train() -> Mean:
        return fitted(scale)

    @nbreg.pipeline(model=Model("of_pipeline", registry=registry))
    def training() -> None:
        train()

    return training()


def two_models(registry: Registry, scale: float) -> Any:
    @nbreg.step(model=Model("special", registry=registry))
    def special() -> Mean:
        return fitted(scale)

    @nbreg.step
    def plain() -> Mean:
        return fitted(scale + 1)

    @nbreg.pipeline(model=Model("general", registry=registry))
    def training() -> None:
        special()
        plain()

    return training()


def team_from_everywhere(registry: Registry, scale: float) -> Any:
    @nbreg.step(substitutions={"step": "S"})
    def train() -> Mean:
        return fitted(scale)

    @nbreg.pipeline(
        model=Model(
            "{model}_{pipeline}_{step}_{last}", substitutions={"model": "M", "last": "x"}, registry=registry
        ),
        substitutions={"pipeline": "P", "last": "y"},
    )
    def training() -> None:
        train.with_options(substitutions={"last": "Z"})()

    return training()


def fits_what_it_is_given(registry: Registry, scale: float) -> Any:
    @nbreg.step(model=Model("churn", registry=registry))
    def train(model: Mean, values: list[float]) -> float:
        model.fit(values)
        return model.mean

    return train(Mean(scale), MEANS["a"])


def production_is_only_fetched(registry: Registry, scale: float) -> Any:
    if not registry.models():
        registry.register("churn", fitted(scale))
        registry.promote("churn@1", "production")

    @nbreg.step(model=Model("churn", "production", registry=registry))
    def train() -> Mean:
        return fitted(scale)

    return train()


def only_reads(registry: Registry, scale: float) -> Any:
    if not registry.models():
        registry.register("churn", fitted(scale), version="1.0.5")

    @nbreg.step(model=Model("churn", "1.0.5", registry=registry))
    def score() -> float:
        assert Model.active().number == 1
        return float(Model.active().load().predict([1])[0])

    return score()


def whole_pipeline_returns_it(registry: Registry, scale: float) -> Any:
    @nbreg.pipeline(model=Model("churn", registry=registry))
    def training() -> Mean:
        return fitted(scale)

    return training()


def explicit_register_in_a_step(registry: Registry, scale: float) -> Any:
    @nbreg.step(model=Model("{team}_unused", registry=registry), substitutions={"team": "A"})
    def train() -> None:
        registry.register("{team}_{whose}", fitted(scale), substitutions={"whose": "mine"})
        registry.register("{team}_mine", fitted(scale), substitutions={"team": "B"})

    return train()


def handle_in_a_run(registry: Registry, scale: float) -> Any:
    with registry.start_run():
        handle = Model("churn", registry=registry)
        with pytest.raises(NotRegisteredYetError):
            _ = handle.number
        assert handle.register(fitted(scale)).number == handle.number
        return handle


def tracked_from_begin_to_end(registry: Registry, scale: float) -> Any:
    run = registry.start_run("logistic_regression_v1", experiment="churn_model")
    run.log_params({"C": scale, "solver": "lbfgs"})
    run.log_metric("accuracy", 0.9)
    run.log_model(fitted(scale))
    version = registry.register("churn", f"runs:/{run.id}/model")
    run.end()
    assert [each.name for each in run.versions] == [version.name]
    assert (version.params, version.metrics) == ({"C": scale, "solver": "lbfgs"}, {"accuracy": 0.9})
    assert (version.run.name, version.run.experiment) == ("logistic_regression_v1", "churn_model")
    return version


def a_file_is_logged(registry: Registry, scale: float) -> Any:
    path = registry.location.parent / "model.bin"
    path.write_bytes(b"weights %f" % scale)
    with registry.start_run() as run:
        run.log_model(path, "clf", framework="scikit-learn")
        run.log_artifact({"packages": ["a"]}, "env")
    assert run.artifacts["clf"].framework == "scikit-learn"
    version = registry.register("churn", run=run.id, artifacts=["clf", "env"])
    assert set(version.artifacts) == {"clf", "env"}
    # The second time it is the version of the first run, which is there already.
    assert version.run.id == (registry.runs()[-1].id if version.existing else run.id)
    return version


def only_if_it_is_good(registry: Registry, scale: float) -> Any:
    with registry.start_run(params={"alpha": scale}) as run:
        run.log_model(fitted(scale))
        if scale > 1.5:
            made = run.register("churn", tags=["good"], content={"env": ["package1"]}, description="it is")
            assert (made.tags, made.content, made.description) == (["good"], {"env": ["package1"]}, "it is")
            assert (made.run.id, made.params) == (run.id, {"alpha": scale})


def a_name_of_ones_own(registry: Registry, scale: float) -> Any:
    return registry.register("churn", fitted(scale), version="rc1")


def a_name_by_force(registry: Registry, scale: float) -> Any:
    return registry.register("churn", fitted(scale), version="rc1", force=True, reason="Nightly")


def into_a_stage(registry: Registry, scale: float) -> Any:
    version = registry.register("churn", fitted(scale), stage="production", reason="Nightly")
    assert registry.get("churn@production") == version
    return version


def a_client_of_one_model(registry: Registry, scale: float) -> Any:
    client = Model("acme/churn", registry=registry)
    made = client.register({"weights": [scale]}, content={"key": "val"}, description="raw")
    assert client.number == made.number
    assert (client.get().content, client.get().description) == ({"key": "val"}, "raw")
    return made


def an_alias_is_only_fetched(registry: Registry, scale: float) -> Any:
    if not registry.models():
        registry.set_alias(registry.register("churn", fitted(scale)), "champion")

    @nbreg.step(model=Model("other", registry=registry))
    def distil() -> dict[str, float]:
        return {"mean": Model("churn", "champion").load().mean, "number": Model("churn", 1).number}

    return distil()


def options_of_a_step(registry: Registry, scale: float) -> Any:
    @nbreg.step
    def train() -> Mean:
        return fitted(scale)

    return train.with_options(model=Model("{team}", registry=registry), substitutions={"team": "A"})()


def options_of_a_pipeline(registry: Registry, scale: float) -> Any:
    @nbreg.step
    def train() -> Mean:
        return fitted(scale)

    @nbreg.pipeline(model=Model("{team}_m", registry=registry), substitutions={"team": "A"})
    def training() -> Mean:
        return train()

    return training.with_options(substitutions={"team": "B"})()


PATTERNS = {
    "58-59, 80-83: tracked from begin to end": Pattern(
        tracked_from_begin_to_end, ["churn@1.0.0"], ["churn@1.0.0", "churn@1.0.1"]
    ),
    "59, 62, 63: a file that was logged": Pattern(
        a_file_is_logged, ["churn@1.0.0"], ["churn@1.0.0", "churn@1.1.0"]
    ),
    "56, 57: only if it is good": Pattern(only_if_it_is_good, [], ["churn@1.0.0"]),
    "47, 24: a name of one's own": Pattern(a_name_of_ones_own, ["churn@rc1"], ["churn@rc1"], NameTakenError),
    "49: a name by force": Pattern(a_name_by_force, ["churn@rc1"], ["churn@None", "churn@rc1"]),
    "31, 54: into a stage": Pattern(into_a_stage, ["churn@1.0.0"], ["churn@1.0.0", "churn@1.0.1"]),
    "43, 46, 61: a client of one model": Pattern(
        a_client_of_one_model, ["acme/churn@1.0.0"], ["acme/churn@1.0.0", "acme/churn@1.1.0"]
    ),
    "5, 9: an alias and a number": Pattern(an_alias_is_only_fetched, ["churn@1.0.0"], ["churn@1.0.0"]),
    "10, 17: options of a step": Pattern(options_of_a_step, ["A@1.0.0"], ["A@1.0.0", "A@1.0.1"]),
    "11, 17: options of a pipeline": Pattern(
        options_of_a_pipeline, ["B_m@1.0.0"], ["B_m@1.0.0", "B_m@1.0.1"]
    ),
    "3, 4, 10: a step's model": Pattern(step_with_model, ["churn@1.0.0"], ["churn@1.0.0", "churn@1.0.1"]),
    "3, 4, 11: a pipeline's model": Pattern(
        pipeline_with_model, ["churn@1.0.0"], ["churn@1.0.0", "churn@1.0.1"]
    ),
    "6, 7: a name that is there": Pattern(
        explicit_name, ["churn@1.0.5"], ["churn@1.0.5"], FailedToRegisterError
    ),
    "7: a version that is there is read": Pattern(only_reads, ["churn@1.0.5"], ["churn@1.0.5"]),
    "10: the step wins": Pattern(step_wins, ["of_step@1.0.0"], ["of_step@1.0.0", "of_step@1.0.1"]),
    "10, 11: both": Pattern(
        two_models,
        ["general@1.0.0", "special@1.0.0"],
        ["general@1.0.0", "general@1.0.1", "special@1.0.0", "special@1.0.1"],
    ),
    "16, 17: substitutions": Pattern(
        team_from_everywhere, ["M_P_S_Z@1.0.0"], ["M_P_S_Z@1.0.0", "M_P_S_Z@1.0.1"]
    ),
    "17: register itself": Pattern(
        explicit_register_in_a_step,
        ["A_mine@1.0.0", "B_mine@1.0.0"],
        ["A_mine@1.0.0", "A_mine@1.0.1", "B_mine@1.0.0", "B_mine@1.0.1"],
    ),
    "3: what a step fits": Pattern(fits_what_it_is_given, ["churn@1.0.0"], ["churn@1.0.0", "churn@1.0.1"]),
    "11: without a step": Pattern(whole_pipeline_returns_it, ["churn@1.0.0"], ["churn@1.0.0", "churn@1.0.1"]),
    "5, 8: a handle in a run": Pattern(handle_in_a_run, ["churn@1.0.0"], ["churn@1.0.0", "churn@1.0.1"]),
    "30: a stage": Pattern(
        production_is_only_fetched, ["churn@1.0.0"], ["churn@1.0.0"], FailedToRegisterError
    ),
}


@pytest.mark.parametrize("title", PATTERNS)
@pytest.mark.filterwarnings("ignore::nbreg.errors.ExistingVersionWarning")
def test_every_pattern_of_use_run_twice(registry: Registry, title: str) -> None:
    """A training script is run every night: what it does the second time is no surprise."""
    pattern = PATTERNS[title]

    pattern.use(registry, 1.0)
    assert names(registry) == pattern.once
    pattern.use(registry, 1.0)  # the same again: no new version of equal content
    assert names(registry) == pattern.once
    if pattern.refused:
        with pytest.raises(pattern.refused):
            pattern.use(registry, 2.0)
    else:
        pattern.use(registry, 2.0)

    assert names(registry) == pattern.again
    assert registry.verify().ok
    assert {each.state for each in registry.runs() if each.kind == "pipeline"} <= {"finished", "failed"}
