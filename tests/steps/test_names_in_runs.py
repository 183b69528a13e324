"""Names of versions that a run makes: its date and time, what is refused before the training, and whose option wins."""

from __future__ import annotations

import re

import pytest
from means import Mean, date_in_names, fitted, names

import nbreg
from nbreg import Model, Registry
from nbreg.errors import BadNameError, BadTemplateError, NameTakenError, NbregError, UnknownModelError


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
