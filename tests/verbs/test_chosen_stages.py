"""The stages that a team chose for its registry, before it had a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nbreg import Registry
from nbreg.errors import BadInputError, BadNameError, ConflictError, UnknownStageError


def test_a_registry_has_the_stages_that_were_chosen_for_it(tmp_path: Path) -> None:
    """A team that tests before it stages says so once, and everybody's references and moves know it."""
    registry = Registry(tmp_path / "r")
    registry.init(stages=["none", "testing", "staging", "production", "archived"])
    registry.register("churn", 1)
    registry.promote("churn@1")
    again = Registry(tmp_path / "r")
    assert again.get("churn@testing").number == 1
    assert [again.promote("churn@1").stage, again.promote("churn@1", "production").stage] == [
        "staging",
        "production",
    ]
    with pytest.raises(BadNameError, match="reserved"):
        again.register("churn", 2, version="testing")
    with pytest.raises(UnknownStageError):
        again.promote("churn@1", "candidate")
    assert again.verify().ok

    again.init(stages=again.stages)
    with pytest.raises(ConflictError, match="before it has a model"):
        again.init(stages=["none", "production", "archived"])
    assert again.stages == ["none", "testing", "staging", "production", "archived"]


@pytest.mark.parametrize(
    "stages",
    [
        [], "none", ["none", "production"], ["production", "none", "archived"],
        ["none", "1", "production", "archived"], ["none", "latest", "production", "archived"],
        ["none", "production", "production", "archived"], ["none", "a b", "production", "archived"], [1, 2, 3],
    ],
)  # fmt: skip
def test_stages_that_could_not_be_used_make_no_registry(tmp_path: Path, stages: Any) -> None:
    """A mistake is found before there is a folder."""
    with pytest.raises(BadInputError):
        Registry(tmp_path / "r").init(stages=stages)
    assert not (tmp_path / "r").exists()
