"""Stages and the moves between them: every pair, by the rule."""

from __future__ import annotations

import pytest

from nbreg import lifecycle
from nbreg.errors import BadInputError, TransitionError, UnknownStageError
from nbreg.records import Lifecycle

RULES = Lifecycle()


def allowed(check: object, stage: str, to: str) -> bool:
    assert callable(check)
    try:
        check(RULES, stage, to)
    except TransitionError as error:
        return not error.hint
    return True


@pytest.mark.parametrize("stage", RULES.stages)
@pytest.mark.parametrize("to", RULES.stages)
def test_promotions_go_up_and_retirements_down(stage: str, to: str) -> None:
    """Whichever of the two verbs fits, the other one refuses; from the last stage one only comes back up."""
    rank = RULES.stages.index
    up, down = allowed(lifecycle.check_promotion, stage, to), allowed(lifecycle.check_retirement, stage, to)
    if stage == to:
        return
    held = to in lifecycle.held(RULES)
    assert up == (held and (stage == "archived" or rank(to) > rank(stage)))
    assert down == (to == "archived" or (stage != "archived" and rank(to) < rank(stage)))
    assert up + down == (0 if (stage, to) == ("archived", "none") else 1)


def test_the_next_stage_up() -> None:
    """Never past the highest one that is held."""
    stages = ["none"]
    while stages[-1] != "production":
        stages.append(lifecycle.next_up(RULES, stages[-1]))
    assert stages == RULES.stages[:-1]
    for stage in ("production", "archived"):
        with pytest.raises(TransitionError):
            lifecycle.next_up(RULES, stage)


def test_stages_that_are_not_there_say_what_is_near() -> None:
    """A typo costs one look."""
    for check in (lifecycle.check_stage, lifecycle.check_held):
        with pytest.raises(UnknownStageError) as caught:
            check(RULES, "prodution")
        assert caught.value.hint == "did you mean 'production'?"
        assert check(RULES, "staging") == "staging"
    for stage in ("none", "archived"):
        with pytest.raises(UnknownStageError, match="no single version holds"):
            lifecycle.check_held(RULES, stage)
    assert (lifecycle.first(RULES), lifecycle.last(RULES)) == ("none", "archived")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("testing", "candidate"), ("Disabled", "archived"), ("retired", "archived"), ("serving", "production")],
)
def test_a_stage_by_anothers_word_is_told_what_it_is_called_here(word: str, meant: str) -> None:
    """Who comes from another registry knows the stage, and only not its name."""
    with pytest.raises(UnknownStageError) as caught:
        lifecycle.check_stage(RULES, word)
    assert caught.value.hint == f"did you mean {meant!r}?"
    others = Lifecycle(stages=["none", "testing", "live", "gone"], single=["live"])
    assert lifecycle.check_stage(others, "testing") == "testing"


@pytest.mark.parametrize(
    "rules",
    [
        Lifecycle(stages=["a", "b"]), Lifecycle(stages=["a", "b", "b"], single=[]),
        Lifecycle(stages=["a", "b", "c"], single=["a"]), Lifecycle(stages=["a", "b", "c"], single=["x"]),
    ],
)  # fmt: skip
def test_a_lifecycle_that_cannot_be_used_is_refused(rules: Lifecycle) -> None:
    """A single stage must be one that is held."""
    with pytest.raises(BadInputError):
        lifecycle.check_lifecycle(rules)
    assert lifecycle.check_lifecycle(RULES) == RULES
