"""Handles, steps and pipelines: versions that training makes by itself."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import nbreg
from nbreg import Model, Registry
from nbreg.errors import (
    BadInputError,
    BadNameError,
    BadTemplateError,
    ExistingVersionWarning,
    FailedToRegisterError,
    GateRefusedError,
    NameTakenError,
    NbregError,
    NotRegisteredYetError,
    SecretFoundError,
    UnknownModelError,
    UnknownVersionError,
)
from nbreg.runs import handles

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


class Clock:
    """A time that tests set."""

    def __init__(self) -> None:
        self.now = datetime(2024, 11, 27, 11, 7, 9, 326492, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now - timedelta(seconds=1)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry", clock=Clock())


@pytest.fixture(autouse=True)
def _untold() -> Iterator[None]:
    handles._told.clear()
    yield
    handles._told.clear()


def names(registry: Registry) -> list[str]:
    return [
        f"{row.name}@{version.name}"
        for row in registry.models()
        for version in registry.versions(row.name)[::-1]
    ]


# every pattern of use, twice in a row


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


def fitted(scale: float) -> Mean:
    return Mean(scale).fit(MEANS["a"])


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


def explicit_name(registry: Registry, scale: float) -> Any:
    @nbreg.step(model=Model("churn", "1.0.5", registry=registry))
    def train() -> Mean:
        return fitted(scale)

    return train()


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


def date_in_names(registry: Registry, scale: float) -> Any:
    @nbreg.step
    def train() -> Mean:
        return fitted(scale)

    @nbreg.pipeline(model=Model("m_{date}", "v_{date}_{time}", registry=registry))
    def training() -> None:
        train()

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
        registry.register("{team}_mine", fitted(scale), substitutions={"other": "B"})
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


# names


def test_date_and_time_are_those_of_the_run_in_every_step(registry: Registry) -> None:
    """One training, one name, also when it goes on past midnight."""
    seen = []

    @nbreg.step
    def train() -> Mean:
        seen.append((Model.active().name, Model.active().wanted))
        return fitted(1.0)

    @nbreg.step
    def other() -> None:
        seen.append((Model.active().name, Model.active().wanted))
        seen.append((registry.register("x", {"n": 1}, version="v_{date}_{time}").name or "", None))

    @nbreg.pipeline(model=Model("m_{date}", "v_{date}_{time}", registry=registry))
    def training() -> None:
        train()
        other()

    training()

    version = registry.versions(seen[0][0])[0]
    assert re.fullmatch(r"v_2024_11_27_11_07_\d\d_326492", version.name or "")
    assert seen[0] == seen[1] == ("m_2024_11_27", version.name)
    assert seen[2][0] == version.name


def test_the_next_run_has_a_time_of_its_own(registry: Registry) -> None:
    """A name with the time in it is unique for each run."""
    date_in_names(registry, 1.0)
    date_in_names(registry, 2.0)

    assert len(set(names(registry))) == 2


@pytest.mark.parametrize(
    ("template", "version", "error", "words"),
    [
        ("{team}_m", None, BadTemplateError, "unknown placeholder {team}"),
        ("m", "{team}", BadTemplateError, "known: {date}, {empty}, {time}"),
        ("{empty}", None, BadTemplateError, "gives an empty name"),
        ("a/b/c/d", None, BadNameError, "has 4 parts"),
        ("m", "2024-11-27", BadNameError, "is a date"),
        ("m", "production", UnknownModelError, "no model named 'm'"),
        ("m", "7", UnknownModelError, "no model named 'm'"),
    ],
)
def test_what_cannot_be_registered_is_refused_before_the_training(
    registry: Registry, template: str, version: str | None, error: type[NbregError], words: str
) -> None:
    """Nobody trains for hours for a name that could never be."""

    @nbreg.step(model=Model(template, version, {"empty": ""}, registry=registry))
    def train() -> Mean:
        raise AssertionError("the training began")

    with pytest.raises(error) as caught:
        train()

    assert words in caught.value.line
    assert registry.models() == []
    assert [each.state for each in registry.runs()] == ["failed"]


def test_a_deleted_versions_name_is_refused_before_the_training(registry: Registry) -> None:
    """It can neither be fetched nor made: that is certain before the first epoch."""
    registry.register("m", {"a": 1}, version="1.0.5")
    registry.register("m", {"a": 2})
    registry.delete("m@1.0.5", "Wrong")

    @nbreg.step(model=Model("m", "1.0.5", registry=registry))
    def train() -> Mean:
        raise AssertionError("the training began")

    with pytest.raises(NameTakenError):
        train()


def test_options_of_a_call_win_over_the_decorators(registry: Registry) -> None:
    """One definition serves every team."""

    @nbreg.step
    def train(scale: float) -> Mean:
        return fitted(scale)

    @nbreg.pipeline(model=Model("{team}_m", registry=registry), substitutions={"team": "A"})
    def training(scale: float) -> None:
        train(scale)

    training(1.0)
    training.with_options(substitutions={"team": "B"})(1.0)
    training.with_options(model=Model("other", registry=registry))(1.0)
    train.with_options(model=Model("alone", registry=registry))(1.0)
    training(2.0)

    assert names(registry) == ["A_m@1.0.0", "A_m@1.0.1", "B_m@1.0.0", "alone@1.0.0", "other@1.0.0"]


# handles


def test_numbers_count_on_whatever_versions_are_called(registry: Registry) -> None:
    """`really_good_version` is the fifth, and the one after it the sixth."""
    for number in range(4):
        registry.register("m", {"n": number})
    registry.register("m", {"n": 4}, version="really_good_version")
    registry.register("m", {"n": 5}, version="even_better_version")

    assert Model("m", "really_good_version", registry=registry).number == 5
    assert Model("m", "even_better_version", registry=registry).number == 6
    assert Model("m", registry=registry).number == 6
    assert Model("m", 2, registry=registry).load() == {"n": 1}
    with pytest.raises(UnknownVersionError):
        _ = Model("m", "no_such", registry=registry).number
    assert len(registry.versions("m")) == 6


def test_a_handle_is_one_version_in_the_run_that_makes_it_and_the_latest_elsewhere(
    registry: Registry,
) -> None:
    """Inside a training a name means what is being made, never by mistake the one before."""
    registry.register("m", {"n": 0})
    inside = []

    @nbreg.step(model=Model("m", registry=registry))
    def train() -> Mean:
        inside.append(Model("m"))
        with pytest.raises(NotRegisteredYetError):
            _ = inside[0].number
        assert Model("m", "latest").number == 1
        return fitted(1.0)

    train()
    registry.register("m", {"n": 3})

    assert inside[0].number == 2
    assert Model("m", registry=registry).number == 3


def test_what_is_fetched_in_a_run_is_noted_and_warned_of_once(registry: Registry) -> None:
    """Create or fetch: the one who meant the other finds out, and is not told every night."""
    registry.register("m", fitted(1.0), version="rc1")

    @nbreg.step(model=Model("m", "rc1", registry=registry))
    def score() -> float:
        return float(Model.active().load().predict([0])[0])

    with pytest.warns(ExistingVersionWarning, match="m@rc1 is there already") as caught:
        score()
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert score() == 1.5
        Model("m", "rc1", registry=registry).load()  # outside of a run nothing could have been made

    assert registry.pin("m@rc1") in registry.runs()[0].record.notes[0]


# failing


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


# which object is the model


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
