"""Versions are promoted, retired and rolled back, and nobody else's stage is lost by it."""

from __future__ import annotations

import pytest
from versions import lines, three

from nbreg import Registry
from nbreg.errors import TransitionError, UnknownStageError, UnknownVersionError


def test_promotion_archives_the_holder_in_the_same_line(registry: Registry) -> None:
    """There is never a moment with two productions or none."""
    one, two, _ = three(registry)
    registry.promote(one, "production", reason="First")
    before = lines(registry)
    promoted = registry.promote("churn@2", "production", reason="Better", message="lift 3 %")
    assert lines(registry) == before + 1
    assert (promoted.stage, one.stage, two.stage) == ("production", "archived", "production")
    event = registry.events("churn")[0]
    assert event.facts == {
        "number": 2, "name": "1.1.0", "was": "none", "stage": "production",
        "archived": 1, "archived_name": "1.0.0",
    }  # fmt: skip
    assert registry.promote(two, "production") == two
    assert registry.promote("churn@2", "production") == two
    assert lines(registry) == before + 1, "promoting to where it is writes nothing"


def test_promotion_goes_one_stage_up_and_never_past_production(registry: Registry) -> None:
    """Without a stage named."""
    version = three(registry)[0]
    assert [version.promote().stage for _ in range(4)] == [
        "development",
        "candidate",
        "staging",
        "production",
    ]
    with pytest.raises(TransitionError, match="highest"):
        version.promote()
    with pytest.raises(TransitionError, match="below"):
        version.promote("staging")
    assert version.retire("staging").stage == "staging"
    assert version.retire().stage == "archived"
    with pytest.raises(TransitionError, match="not clear"):
        version.promote()
    assert version.promote("candidate").stage == "candidate"
    for to, error in (("archived", TransitionError), ("none", TransitionError), ("prod", UnknownStageError)):
        with pytest.raises(error):
            version.promote(to)
    with pytest.raises(TransitionError):
        version.retire("production")


def test_rolling_back_walks_back_and_archives_what_it_leaves(registry: Registry) -> None:
    """Twice is one further, not there and back."""
    for version in three(registry):
        registry.promote(version, "production")
    assert registry.rollback("churn", reason="Complaints", message="too many").number == 2
    assert [version.stage for version in registry.versions("churn")] == ["archived", "production", "archived"]
    event = registry.events("churn")[0]
    assert (event.kind, event.reason, event.number, event.facts["archived"]) == (
        "rolled-back", "Complaints", 2, 3,
    )  # fmt: skip
    assert registry.rollback("churn").number == 1
    with pytest.raises(TransitionError, match="is left to go back to in production"):
        registry.rollback("churn")
    registry.promote("churn@3", "production")
    assert registry.rollback("churn").number == 1
    with pytest.raises(TransitionError, match="is left to go back to"):
        registry.rollback("churn")


def test_rolling_back_passes_over_what_is_deleted_and_goes_to_what_is_named(registry: Registry) -> None:
    """The version before may be the one that must not come back."""
    versions = [*three(registry), registry.register("churn", 4)]
    for version in versions:
        registry.promote(version, "production")
    registry.delete("churn@3", "Broken", include_protected=True)
    assert registry.rollback("churn").number == 2
    registry.promote("churn@4", "production")
    assert registry.rollback("churn", to="1.0.0").number == 1
    with pytest.raises(TransitionError, match="did not hold"):
        registry.rollback("churn", to="churn@4")
    with pytest.raises(TransitionError, match="another model"):
        registry.rollback("churn", to="other@1")
    with pytest.raises(UnknownVersionError):
        registry.rollback("churn", to="3")
    for stage in ("none", "archived"):
        with pytest.raises(UnknownStageError):
            registry.rollback("churn", stage)
    with pytest.raises(TransitionError):
        registry.rollback("churn", "staging")


def test_a_retired_production_comes_back_by_rolling_back(registry: Registry) -> None:
    """Nobody holds it; it goes back to who held it last."""
    one, two, _ = three(registry)
    registry.promote(one, "production")
    registry.promote(two, "production")
    registry.retire(two)
    with pytest.raises(UnknownVersionError):
        registry.get("churn@production")
    assert registry.models()[0].stages == {}
    assert registry.rollback("churn").number == 2
    assert registry.rollback("churn").number == 1


def test_rolling_back_a_stage_of_many_ends(registry: Registry) -> None:
    """It once went round for ever, under the lock."""
    for version in three(registry):
        registry.promote(version, "staging")
    assert registry.rollback("churn", "staging").number == 2
    assert registry.rollback("churn", "staging").number == 1
    assert registry.models()[0].stages == {"staging": 1}


def test_rolling_back_one_stage_never_empties_a_higher_one(registry: Registry) -> None:
    """Staging goes back; what is in production by now stays there."""
    for n in range(3):
        registry.register("churn", {"n": n})
    registry.promote("churn@1", "staging")
    registry.promote("churn@1", "production")
    registry.promote("churn@2", "staging")

    with pytest.raises(TransitionError):
        registry.rollback("churn", "staging")
    with pytest.raises(TransitionError):
        registry.rollback("churn", "staging", to="1")
    assert registry.get("churn@production").number == 1
    assert registry.get("churn@staging").number == 2


def test_a_stage_of_several_goes_to_who_is_still_there(registry: Registry) -> None:
    """Also after a rollback that cut the way back short."""
    for n in (1, 2, 3):
        registry.register("m", n)
        registry.promote(f"m@{n}", "staging")
    registry.rollback("m", "staging", to="m@1")
    registry.promote("m@1", "production")

    assert registry.get("m@staging").number == 2
