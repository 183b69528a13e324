"""A handle is one version in the run that makes it, and the latest elsewhere."""

from __future__ import annotations

import warnings

import pytest
from means import Mean, fitted

import nbreg
from nbreg import Model, Registry
from nbreg.errors import ExistingVersionWarning, NotRegisteredYetError, UnknownVersionError


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
