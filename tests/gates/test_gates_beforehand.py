"""Asking the gates before a move: what each would say, with nothing moved, written or skipped.

`registry.ask_gates("churn@2", "production")` is what a panel shows beside its button. Rules are
read at once; a function runs only when somebody wants it to.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nbreg
from nbreg import Registry
from nbreg.display.gatemarks import MOST, gate_marks, told_gate
from nbreg.errors import GateUnavailableError, UnknownStageError
from nbreg.panels import Stages
from nbreg.records import Actor, GateResult
from nbreg.registry.stages import gatefunctions
from nbreg.settings import Settings

EVIL = "<script>alert(1)</script>\x1b[31m\u202e"


@pytest.fixture(autouse=True)
def _no_functions() -> Iterator[None]:
    yield
    gatefunctions._declared.clear()


@pytest.fixture
def quick(tmp_path: Path) -> Registry:
    """Two versions, the first in production."""
    registry = Registry(tmp_path / "r", settings=Settings(capture=False))
    registry.register("churn", 1, metrics={"auc": 0.90})
    registry.register("churn", 2, metrics={"auc": 0.88})
    registry.promote("churn@1", "production")
    return registry


def test_asking_says_what_each_gate_saw_and_writes_nothing(quick: Registry) -> None:
    """Whoever is curious changes nothing, and reads the same as a refusal would say."""
    quick.require("churn", "production", "metrics.auc > 0.8", 'not_worse("auc")', "message_required")
    before = quick.events("churn")
    found = quick.ask_gates("churn@2", "production")
    assert [each.passed for each in found] == [True, False, False]
    assert found[1].why == "auc is 0.88, and 0.9 of churn@1.0.0"
    assert [each.passed for each in quick.ask_gates("churn@2", "production", message="why")][2]
    assert quick.events("churn") == before
    assert quick.ask_gates("churn@2", "archived") == []
    with pytest.raises(UnknownStageError):
        quick.ask_gates("churn@2", "prod")


def test_a_function_runs_only_when_it_is_wanted(quick: Registry) -> None:
    """It may take minutes: a form that is opened starts nothing."""
    ran: list[int] = []

    @nbreg.gate
    def slow(new: Any, old: Any, ctx: Any) -> tuple[bool, dict[str, float]]:
        ran.append(new.number)
        return True, {"p99": 12.5}

    @nbreg.gate("production")
    def ours(new: Any, old: Any, ctx: Any) -> bool:
        ran.append(-new.number)
        return False

    quick.require("churn", "production", slow, "metrics.auc > 0.8")
    waiting = quick.ask_gates("churn@2", "production", run=False)
    assert [each.state for each in waiting] == ["unasked", "asked", "unasked"]
    assert not any(each.passed for each in waiting if each.state == "unasked")
    assert ran == []
    asked = quick.ask_gates("churn@2", "production")
    assert [each.passed for each in asked] == [True, True, False]
    assert ran == [2, -2]
    assert told_gate(asked[0]) == "passed: p99 12.5"


def test_one_that_cannot_be_asked_is_explained_beside_the_others(quick: Registry) -> None:
    """It is never skipped, and hides nothing of what the others say; the move is refused all the same."""

    @nbreg.gate
    def elsewhere(new: Any, old: Any, ctx: Any) -> bool:
        return True

    quick.require("churn", "production", elsewhere, "metrics.auc > 0.8")
    gatefunctions._declared.clear()
    found = quick.ask_gates("churn@2", "production")
    assert [(each.state, each.passed) for each in found] == [("unavailable", False), ("asked", True)]
    assert "cannot be asked here, so the move is refused" in gate_marks(found)
    panel = Stages("churn@2", quick)
    move = next(each for each in panel.moves() if each.to == "production")
    with pytest.raises(GateUnavailableError):
        panel.make(move, message="all the same")


def test_a_move_tells_what_its_gates_saw(quick: Registry) -> None:
    """Afterwards the evidence stands in the panel as it stands in the event."""
    quick.require("churn", "production", "metrics.auc > 0.8")
    panel = Stages("churn@2", quick)
    made = panel.make(next(each for each in panel.moves() if each.to == "production"))
    assert "passed 1 gate" in made.text
    assert [(each.gate, each.passed) for each in made.gates] == [("metrics.auc > 0.8", True)]
    assert made.gates[0].saw["metrics.auc"] == 0.88


def test_requests_are_of_this_version_and_answered_by_others(quick: Registry) -> None:
    """Who asked withdraws, who did not approves or rejects; what is missing is said."""
    quick.require("churn", "production", "approved(1)", "metrics.auc > 0.885")
    quick.request("churn@2", "production", message="please")
    mine = Stages("churn@2", quick)
    [asked] = mine.requests()
    assert mine.is_mine(asked)
    assert Stages("churn@1", quick).requests() == []

    others = Stages("churn@2", Registry(quick.location, actor=Actor(user="grace")))
    assert not others.is_mine(asked)
    made = others.answer(asked, "approve", "looked at it")
    assert "missing: metrics.auc > 0.885" in made.text
    assert [each.passed for each in made.gates] == [True, False]
    assert "asked for production: please; grace approved" in repr(mine)
    assert "rejected" in others.answer(asked, "reject", "too few").text
    assert mine.requests() == []


def test_what_gates_and_people_say_is_text() -> None:
    """A gate's name, reason and evidence come from whoever wrote them; and there are only so many lines."""
    hostile = GateResult(gate=EVIL, passed=False, why=EVIL, saw={EVIL: EVIL})
    shown = gate_marks([hostile] * (MOST + 3))
    assert "<script>" not in shown
    assert "\u202e" not in shown
    assert "and 3 gates more" in shown or "and 3 gates" in shown
    assert shown.count("<li") == MOST + 1
