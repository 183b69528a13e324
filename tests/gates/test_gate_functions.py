"""Functions as gates: asked about both versions, without a lock, and never skipped whatever they do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from refusals import QUICK, lines, refused

import nbreg
from nbreg import Registry
from nbreg.errors import BadInputError, ConflictError, GateRefusedError, UnknownStageError
from nbreg.records import Actor
from nbreg.registry.stages import gatefunctions


def test_a_function_is_asked_about_both_versions(quick: Registry) -> None:
    """With live objects: the versions, what they load, and who does it why."""
    asked: list[Any] = []

    @nbreg.gate
    def no_regression(new: Any, old: Any, ctx: Any) -> tuple[bool, dict[str, float]]:
        asked.append((new, old, ctx))
        gain = new.load() - old.load()
        return gain > 0, {"gain": gain}

    name = f"{__name__}:{no_regression.__qualname__}"
    quick.require("churn", "production", no_regression)
    assert [each.gate for each in quick.gates("churn")] == [name]
    quick.promote("churn@2", "production", reason="Better", message="of two")
    ((new, old, ctx),) = asked
    assert (new, old) == (quick.get("churn@2"), quick.get("churn@1"))
    assert (ctx.model, ctx.stage, ctx.actor.user, ctx.reason, ctx.message) == (
        "churn", "production", "ada", "Better", "of two",
    )  # fmt: skip
    assert ctx.registry is quick
    assert isinstance(dict(ctx.namespace), dict)
    with pytest.raises(AttributeError):
        ctx.stage = "staging"
    (result,) = quick.events("churn")[0].facts["gates"]
    assert (result["gate"], result["passed"], result["saw"]) == (
        name, True, {"evidence": {"gain": 1}, "holder": 1},
    )  # fmt: skip
    assert len(result["digest"]) == 16
    with pytest.raises(GateRefusedError, match="it said no") as caught:
        quick.promote("churn@1", "production")
    assert caught.value.gates[0].saw["evidence"] == {"gain": -1}


class FellError(Exception):
    """What a gate raises."""


def _raises(new: Any, old: Any, ctx: Any) -> None:
    raise FellError("auc fell")


def _asserts(new: Any, old: Any, ctx: Any) -> None:
    assert new.metrics["auc"] > 0.99


class _Bool:
    """As numpy's: no bool of Python, and one inside."""

    ndim = 0

    def __init__(self, value: bool) -> None:
        self._value = value

    def item(self) -> bool:
        return self._value


@pytest.mark.parametrize(
    ("gate", "passes", "said"),
    [
        (lambda new, old, ctx: True, True, ""),
        (lambda new, old, ctx: None, True, ""),
        (lambda new, old, ctx: _Bool(True), True, ""),
        (lambda new, old, ctx: (True, object()), True, ""),
        (lambda new, old, ctx: False, False, "it said no"),
        (lambda new, old, ctx: _Bool(False), False, "it said no"),
        (lambda new, old, ctx: (False, "why"), False, "it said no"),
        (lambda new, old, ctx: 0.93, False, "it gave 0.93, which is no yes and no no"),
        (lambda new, old, ctx: "yes", False, "it gave 'yes'"),
        (lambda new: True, False, "TypeError"),
        (_raises, False, "FellError: auc fell"),
        (_asserts, False, "AssertionError"),
    ],
)
def test_a_functions_answers(quick: Registry, gate: Any, passes: bool, said: str) -> None:
    """Yes, nothing, no, or an error; anything else is a mistake of the gate, and refuses."""
    if passes:
        quick.promote("churn@2", "production", gates=gate)
        (result,) = quick.events("churn")[0].facts["gates"]
        assert (result["source"], result["passed"]) == ("call", True)
        return
    before = lines(quick)
    with pytest.raises(GateRefusedError) as caught:
        quick.promote("churn@2", "production", gates=[gate])
    assert said in caught.value.message
    assert (lines(quick), quick.get("churn@production").number) == (before, 1)


@pytest.mark.parametrize(
    "wrong", [{"gates": "proven"}, {"gates": None}, {"gates": ["proven"]}, {"message": None}]
)
def test_what_is_no_gate_in_a_call_is_refused(quick: Registry, wrong: dict[str, Any]) -> None:
    """Rules are required of everybody; in a call there are functions."""
    quick.require("churn", "production", "message_required")
    before = lines(quick)
    with pytest.raises(BadInputError):
        quick.promote("churn@2", "production", **wrong)
    assert lines(quick) == before


def test_an_interrupted_gate_changes_nothing(quick: Registry) -> None:
    """Control-C while a slow gate runs."""

    def interrupted(new: Any, old: Any, ctx: Any) -> None:
        raise KeyboardInterrupt

    before = lines(quick)
    with pytest.raises(KeyboardInterrupt):
        quick.promote("churn@2", "production", gates=interrupted)
    assert lines(quick) == before


def test_a_gate_declared_for_a_stage_is_asked_in_this_process(quick: Registry) -> None:
    """`@nbreg.gate("production")` in a notebook's cell, and nothing else to call."""

    @nbreg.gate("production", model="churn")
    def never(new: Any, old: Any, ctx: Any) -> bool:
        return False

    (gate,) = refused(lambda: quick.promote("churn@2", "production"))
    assert gate.endswith("never")
    assert quick.promote("churn@2", "staging").stage == "staging"
    quick.register("other", 1)
    assert quick.promote("other@1", "production").stage == "production"
    assert refused(lambda: quick.register("churn", 9, stage="production")) == [gate]

    @nbreg.gate("production")  # the cell is run again, corrected
    def never(new: Any, old: Any, ctx: Any) -> bool:  # noqa: F811
        return True

    assert quick.promote("churn@2", "production").stage == "production"
    assert quick.events("churn")[0].facts["gates"][0]["source"] == "process"


def test_a_gate_is_declared_for_several_stages(quick: Registry) -> None:
    """Two lines above one function: both hold, and the second takes nothing back from the first."""

    @nbreg.gate("staging")
    @nbreg.gate("production")
    def never(new: Any, old: Any, ctx: Any) -> bool:
        return False

    for stage in ("staging", "production"):
        (gate,) = refused(lambda stage=stage: quick.promote("churn@2", stage))  # type: ignore[misc]
        assert gate.endswith("never")

    @nbreg.gate("staging")  # the cell is run again, with less above it
    def never(new: Any, old: Any, ctx: Any) -> bool:  # noqa: F811
        return False

    assert quick.promote("churn@2", "production").stage == "production"


def test_what_a_gate_raises_or_shows_need_not_be_sayable(quick: Registry) -> None:
    """An error that fails to say what it is refuses as any other; a number too long to spell is told."""

    class Mute(Exception):  # noqa: N818
        def __str__(self) -> str:
            raise RuntimeError("no words")

    def mute(new: Any, old: Any, ctx: Any) -> None:
        raise Mute

    with pytest.raises(GateRefusedError, match=r"mute \(Mute\)"):
        quick.promote("churn@2", "staging", gates=[mute])

    def endless(new: Any, old: Any, ctx: Any) -> tuple[bool, int]:
        return True, 10**5000

    quick.promote("churn@2", "staging", gates=[endless])
    assert quick.events("churn")[0].facts["gates"][0]["saw"]["evidence"] == "<builtins.int>"


def test_where_a_version_that_did_not_pass_is_now_is_said(quick: Registry) -> None:
    """Registering equal content again does not take it out of the stage that it is in."""
    quick.require("churn", "production", 'tagged("never")')
    quick.promote("churn@2", "staging")
    with pytest.raises(GateRefusedError) as caught:
        quick.register("churn", 2, metrics={"auc": 0.88, "loss": 0.28}, stage="production")
    assert caught.value.hint == "churn@1.1.0 is registered, in staging; promote it when it passes"


def test_a_gate_for_a_stage_that_is_not_there_refuses(quick: Registry) -> None:
    """It would never be asked, and nobody would know."""

    @nbreg.gate("prodution")
    def fine(new: Any, old: Any, ctx: Any) -> bool:
        return True

    with pytest.raises(UnknownStageError) as caught:
        quick.promote("churn@2", "production")
    assert caught.value.hint == "did you mean 'production'?"
    for wrong in (7, ["production"]):
        with pytest.raises(BadInputError):
            nbreg.gate(wrong)  # type: ignore[call-overload]
    with pytest.raises(BadInputError):
        nbreg.gate(model="churn")


def test_gates_run_without_the_lock_and_again_where_their_ground_moved(quick: Registry) -> None:
    """A gate that takes an hour holds up nobody; and what it allowed is what is promoted."""
    quick.register("churn", 3, metrics={"auc": 0.95})
    seen: list[int] = []

    @nbreg.gate("production")
    def slow(new: Any, old: Any, ctx: Any) -> bool:
        seen.append(old.number)
        if len(seen) == 1:  # somebody else comes first, while it runs
            Registry(quick.location).promote("churn@3", "production", force=True, reason="First")
        return bool(new.metrics["auc"] + 0.05 >= old.metrics["auc"])

    with pytest.raises(GateRefusedError):
        quick.promote("churn@2", "production")
    assert seen == [1, 3], "it passed beside the first holder, and not beside the one that came"
    gatefunctions._declared.clear()
    seen.clear()

    def restless(new: Any, old: Any, ctx: Any) -> bool:
        seen.append(new.number)
        new.update(metrics={"seen": len(seen)})
        return True

    with pytest.raises(ConflictError, match="change faster than they can be asked"):
        quick.promote("churn@2", "production", gates=restless)
    assert len(seen) == 5
    assert quick.get("churn@production").number == 3


def test_a_gate_required_while_another_is_asked_is_asked_too(quick: Registry) -> None:
    """Between the answer and the line nothing is skipped."""

    def requires(new: Any, old: Any, ctx: Any) -> bool:
        quick.require("churn", "production", "message_required")
        return True

    assert refused(lambda: quick.promote("churn@2", "production", gates=requires)) == ["message_required"]


def test_actors_are_who_acts(tmp_path: Path) -> None:
    """A service that acts for somebody says so to the gate."""
    registry = Registry(tmp_path / "r", settings=QUICK, actor=Actor(user="robot"))
    registry.register("churn", 1)
    told: list[str] = []
    registry.promote("churn@1", "staging", gates=lambda new, old, ctx: told.append(ctx.actor.user))
    assert told == ["robot"]
