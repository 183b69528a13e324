"""Gates: what has to hold before a version comes into a stage.

`registry.require("churn", "production", "metrics.auc > 0.9", 'not_worse("auc")', "proven")` holds
for everybody from then on. `promote` refuses with each gate that failed and what it saw, and an
event of a promotion holds the evidence. A gate that cannot be asked refuses; none is skipped.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from children import run

import nbreg
from nbreg import Registry, rules
from nbreg.display import ModelTable
from nbreg.errors import (
    BadInputError,
    BadQueryError,
    ConflictError,
    GateRefusedError,
    GateUnavailableError,
    NameTakenError,
    NbregError,
    UnknownGateError,
    UnknownModelError,
    UnknownStageError,
    UnknownVersionError,
)
from nbreg.records import Actor, FunctionRule, GatesRow
from nbreg.registry.ground.listing import FIELDS
from nbreg.registry.stages import gatefunctions
from nbreg.settings import Settings

QUICK = Settings(capture=False)


@pytest.fixture(autouse=True)
def _no_functions() -> Iterator[None]:
    """What a test declares is no other test's."""
    yield
    gatefunctions._declared.clear()


@pytest.fixture
def quick(tmp_path: Path) -> Registry:
    """Two versions, the first in production."""
    registry = Registry(tmp_path / "r", settings=QUICK)
    registry.register("churn", 1, metrics={"auc": 0.90, "loss": 0.30})
    registry.register("churn", 2, metrics={"auc": 0.88, "loss": 0.28}, tags=["reviewed"])
    registry.promote("churn@1", "production")
    return registry


def lines(registry: Registry) -> int:
    return len(registry.events("churn"))


def refused(call: Callable[[], object]) -> list[str]:
    """The gates that a call was refused by."""
    with pytest.raises(GateRefusedError) as caught:
        call()
    return [each.gate for each in caught.value.gates if not each.passed]


# as they are written


@pytest.mark.parametrize(
    "text",
    [
        "metrics.auc > 0.9 and 'reviewed' in tags", "proof", "metrics.auc", "proven", "approved(2)",
        'not_worse("auc")', 'not_worse("loss", tolerance=0.0123456789, better="lower")', 'recipe("complete")',
        "same_signature", "no_warnings", 'tagged("a", "it\'s")', "message_required", "reason_required",
        "no_regression", "ourteam.gates:no_regression",
    ],
)  # fmt: skip
def test_a_rule_reads_as_it_is_written(text: str) -> None:
    """The same words in Python, on the command line and in a list."""
    rule = rules.parse(text, FIELDS)
    assert rules.spelled(rule) == text
    assert rules.parse(rules.spelled(rule), FIELDS) == rule
    assert type(rule) is not FunctionRule or text.endswith("no_regression")


@pytest.mark.parametrize(
    ("gate", "error", "said"),
    [
        ("", BadInputError, "a gate of 0 characters"),
        (7, BadInputError, "a gate is text or a function, not int"),
        ("approved(0)", BadInputError, "from 1 to 100"),
        ("approved(True)", BadInputError, "from 1 to 100"),
        pytest.param(f"approved(0x{'f' * 3900})", BadInputError, "approved is not asked so", id="endless"),
        pytest.param(f"not_worse('a', tolerance=0x{'f' * 3900})", BadInputError, "not asked so", id="so far"),
        ("approved(n)", BadInputError, "no text or number"),
        ("not_worse()", BadInputError, "not_worse is not asked so"),
        ('not_worse("auc", 0.1)', BadInputError, "not_worse is not asked so"),
        ('not_worse("auc", **{"a": 1})', BadInputError, "not_worse is not asked so"),
        ('not_worse("auc", tolerance=-1)', BadInputError, "from 0 on"),
        ('not_worse("auc", tolerance=1e999)', BadInputError, "from 0 on"),
        ('not_worse("auc", better="up")', BadInputError, "'higher' or 'lower'"),
        ("not_worse(1)", BadInputError, "no|not the name of a metric"),
        ('recipe("incomplete")', BadInputError, "a recipe is not"),
        ("tagged()", BadInputError, "tagged is not asked so"),
        ("provn()", BadInputError, "no gate is called 'provn'"),
        ("provn", UnknownGateError, "no gate 'provn' is known here"),
        ("metrics.auc >", BadQueryError, "cannot be read"),
        ("metric.auc > 1", BadQueryError, "no field 'metric'"),
        ("1 < 2", BadInputError, "asks nothing of a version"),
        ("x" * 5000, BadInputError, "5000 characters"),
        (lambda new, old, ctx: True, BadInputError, "was not declared as a gate"),
    ],
)
def test_what_is_no_gate_is_refused_when_it_is_required(
    quick: Registry, gate: Any, error: type[NbregError], said: str
) -> None:
    """Not on the day of the promotion."""
    before = lines(quick)
    with pytest.raises(error, match=said):
        quick.require("churn", "production", "proven", gate)
    assert (lines(quick), quick.gates("churn")) == (before, [])


def test_a_gate_nearly_written_is_told_what_it_is_called(quick: Registry) -> None:
    """`provn` is a typing error, and no function."""
    with pytest.raises(UnknownGateError) as caught:
        quick.require("churn", "production", "provn")
    assert caught.value.hint == "did you mean 'proven'?"
    for stage in ("prodution", "none", "archived"):
        with pytest.raises(UnknownStageError):
            quick.require("churn", stage, "proven")
    with pytest.raises(UnknownModelError):
        quick.require("chrun", "production", "proven")
    with pytest.raises(BadInputError, match="no gate is given"):
        quick.require("churn", "production")


# required


def test_a_policy_can_stand_there_before_the_first_version(registry: Registry) -> None:
    """A team agrees on what production takes, and then trains; everything else still works meanwhile."""
    with pytest.raises(UnknownModelError) as caught:
        registry.require("fraud", "production", "metrics.auc > 0.9")
    assert "new_model=True for one that has no version yet" in str(caught.value.hint)
    assert (registry.models(), registry.id) == ([], "")

    there = registry.require("fraud", "production", "metrics.auc > 0.9", new_model=True, reason="Policy")
    assert registry.gates("fraud") == there
    (model,) = registry.models()
    assert (model.name, model.versions, model.latest) == ("fraud", 0, None)
    assert (list(registry.versions("fraud")), list(registry.search("metrics.auc > 0"))) == ([], [])
    assert [event.kind for event in registry.events("fraud")] == ["gates-required"]
    assert registry.timeline("fraud").items
    assert registry.du().models == []
    assert "fraud" in repr(ModelTable(registry.models()))
    assert registry.verify().ok
    with pytest.raises(UnknownVersionError, match="'fraud' has no version"):
        registry.get("fraud@latest")
    with pytest.raises(UnknownVersionError, match="has no version 1") as caught_too:
        registry.get("fraud@1")
    assert caught_too.value.hint == "it has none yet"
    with pytest.raises(NameTakenError, match="only in case"):
        registry.require("Fraud", "production", "proven", new_model=True)
    assert registry.require("fraud", "production", "metrics.auc > 0.9", new_model=True) == there
    assert len(registry.events("fraud")) == 1

    assert registry.register("fraud", {"a": 1}, metrics={"auc": 0.8}).ref == "fraud@1.0.0"
    with pytest.raises(GateRefusedError):
        registry.promote("fraud@1", "production")
    registry.register("fraud", {"a": 2}, metrics={"auc": 0.95})
    assert registry.promote("fraud@2", "production").stage == "production"
    assert registry.verify().ok


def test_a_policy_travels_nowhere_by_itself(registry: Registry, tmp_path: Path) -> None:
    """Merging takes versions over; a model that has none brings nothing along, and breaks nothing."""
    registry.require("fraud", "production", "proven", new_model=True)
    other = Registry(tmp_path / "other")

    assert other.merge(registry) == []
    assert [model.name for model in other.models()] == []
    registry.merge(other)


def test_requiring_is_an_event_and_holds_for_every_reader(quick: Registry) -> None:
    """Who asked for it, when and why; no user's configuration has a part in it."""
    there = quick.require("churn", "production", "proven", "metrics.auc > 0.9", reason="Audit", message="Q3")
    assert [(each.stage, each.gate, each.scope) for each in there] == [
        ("production", "proven", "churn"),
        ("production", "metrics.auc > 0.9", "churn"),
    ]
    event = quick.events("churn")[0]
    assert (event.kind, event.by.user, event.reason, event.message) == (
        "gates-required",
        "ada",
        "Audit",
        "Q3",
    )
    assert event.facts == {"stage": "production", "gates": ["proven", "metrics.auc > 0.9"]}
    before = lines(quick)
    assert quick.require("churn", "production", "proven") == there
    assert lines(quick) == before, "what is required already writes nothing"
    assert Registry(quick.location).gates("churn", "production") == there
    assert quick.gates("churn", "staging") == []
    assert quick.verify().ok

    quick.drop_gate("churn", "production", "proven", reason="TooSlow")
    assert [each.gate for each in quick.gates("churn")] == ["metrics.auc > 0.9"]
    assert (quick.events("churn")[0].kind, quick.events("churn")[0].reason) == ("gate-dropped", "TooSlow")
    with pytest.raises(UnknownGateError, match=r"has no gate 'metrics\.auc > 0\.8'"):
        quick.drop_gate("churn", "production", "metrics.auc > 0.8", reason="x")
    with pytest.raises(BadInputError, match="needs a reason"):
        quick.drop_gate("churn", "production", "metrics.auc > 0.9", reason=" ")
    assert lines(quick) == before + 1


def test_gates_of_all_models_stand_in_the_registry_itself(quick: Registry) -> None:
    """A rule of the team holds for a model that is not there yet, too."""
    for everywhere in (None, "*"):
        quick.require(everywhere, "production", "message_required", reason="Policy")
    assert [(each.gate, each.scope) for each in quick.gates("churn")] == [("message_required", "*")]
    assert refused(lambda: quick.promote("churn@2", "production")) == ["message_required"]
    quick.register("risk/new", 1)
    assert refused(lambda: quick.promote("risk/new@1", "production")) == ["message_required"]
    assert quick.promote("risk/new@1", "production", message="first").stage == "production"
    quick.require("churn", "production", "message_required", "reason_required")
    assert refused(lambda: quick.promote("churn@2", "production")) == ["message_required", "reason_required"]
    (event,) = [each for each in quick.events() if each.kind == "gates-required" and not each.model]
    assert (event.reason, event.facts["gates"]) == ("Policy", ["message_required"])
    quick.drop_gate(None, "production", "message_required", reason="Enough")
    assert quick.gates() == []
    assert refused(lambda: quick.promote("churn@2", "production")) == ["message_required", "reason_required"]
    assert Registry(quick.location).verify().ok


def test_a_model_without_gates_promotes_by_one_plain_line(quick: Registry) -> None:
    """Who requires nothing sees and pays nothing."""
    quick.promote("churn@2", "production", reason="Test")
    assert quick.events("churn")[0].facts == {
        "number": 2, "name": quick.get("churn@2").name, "was": "none", "stage": "production",
        "archived": 1, "archived_name": "1.0.0",
    }  # fmt: skip


# what they find


def test_a_query_refuses_and_says_what_it_saw(quick: Registry) -> None:
    """The number that was not enough stands in the refusal, and the one that was in the event."""
    quick.require("churn", "production", "metrics.auc > 0.89 and metrics.rmse == None", "proven")
    before = lines(quick)
    with pytest.raises(GateRefusedError) as caught:
        quick.promote("churn@2", "production", reason="Try")
    query, proven = caught.value.gates
    assert (query.saw["metrics.auc"], query.saw["metrics.rmse"], query.saw["holder"]) == (0.88, None, 1)
    assert caught.value.code == "gate-refused"
    assert caught.value.message.endswith(
        "does not pass the gates of production: metrics.auc > 0.89 and metrics.rmse == None "
        "(metrics.auc is 0.88, metrics.rmse is not there); "
        f"proven ({proven.why})"
    )
    assert (lines(quick), quick.get("churn@production").number) == (before, 1)

    quick.prove("churn@2")
    quick.update("churn@2", metrics={"extra": 1})
    quick.drop_gate("churn", "production", "metrics.auc > 0.89 and metrics.rmse == None", reason="New")
    quick.require("churn", "production", "metrics.auc > 0.85")
    quick.promote("churn@2", "production")
    gates = quick.events("churn")[0].facts["gates"]
    assert [(each["gate"], each["passed"]) for each in gates] == [
        ("proven", True),
        ("metrics.auc > 0.85", True),
    ]
    assert gates[1]["saw"] == {"metrics.auc": 0.88, "holder": 1}
    assert gates[0]["saw"]["verdict"] == "loads"


def test_a_gate_that_misses_a_metric_says_how_to_add_it(quick: Registry) -> None:
    """Else a holder that was registered without the metric would keep everybody out."""
    quick.require("churn", "production", 'not_worse("f1")')
    quick.update("churn@2", metrics={"f1": 0.7})
    with pytest.raises(GateRefusedError, match="has no metric 'f1'") as refusal:
        quick.promote("churn@2", "production")

    holder = quick.get("churn@production").ref
    assert f"registry.update('{holder}', metrics={{'f1': …}}) adds it" in refusal.value.hint
    assert f"`nbreg update {holder} --metrics f1=…` adds it" in refusal.value.shell_line
    quick.update(holder, metrics={"f1": 0.6})
    assert quick.promote("churn@2", "production").stage == "production"


@pytest.mark.parametrize(
    ("gate", "passes"),
    [
        ('not_worse("auc")', False),
        ('not_worse("auc", tolerance=0.02)', True),
        ('not_worse("auc", tolerance=0.019)', False),
        ('not_worse("auc", better="lower")', True),
        ('not_worse("loss")', False),
        ('not_worse("loss", better="lower")', True),
        ('not_worse("f1")', False),
        ("tagged('reviewed')", True),
        ("tagged('reviewed', 'legal')", False),
        ("no_warnings", True),
        ("proven", False),
        ("recipe('conservative')", False),
        ("same_signature", False),
        ("metrics.loss < 0.29", True),
    ],
)
def test_each_rule_finds_what_it_says(quick: Registry, gate: str, passes: bool) -> None:
    """Against the present holder: auc 0.90 → 0.88, loss 0.30 → 0.28; nothing was captured or proven."""
    (there,) = quick.require("churn", "production", gate)
    if passes:
        assert quick.promote("churn@2", "production").stage == "production"
    else:
        assert refused(lambda: quick.promote("churn@2", "production")) == [there.gate]
        assert quick.get("churn@2").stage == "none"


def test_what_compares_with_the_holder_passes_where_there_is_none(quick: Registry) -> None:
    """The first version of a model has nobody to be worse than; a metric that it lacks it lacks all the same."""
    quick.require("churn", "staging", 'not_worse("auc")', "same_signature")
    assert quick.promote("churn@2", "staging").stage == "staging"
    quick.register("churn", 3)
    assert "it has no metric 'auc'" in _message(lambda: quick.promote("churn@3", "staging"))
    quick.update("churn@2", metrics={"f1": 1})
    quick.require("churn", "candidate", 'not_worse("f1")')
    quick.register("churn", 4, metrics={"f1": 0.5})
    quick.promote("churn@4", "candidate")
    quick.register("churn", 5)
    assert "it has no metric 'f1'" in _message(lambda: quick.promote("churn@5", "candidate"))


def _message(call: Callable[[], object]) -> str:
    with pytest.raises(GateRefusedError) as caught:
        call()
    return caught.value.message


def test_the_signature_and_the_recipe_are_compared_as_recorded(registry: Registry) -> None:
    """A model that wants another column breaks whoever calls it."""
    pandas = pytest.importorskip("pandas")
    sklearn = pytest.importorskip("sklearn.linear_model")

    def trained(*names: str) -> tuple[Any, Any]:
        frame = pandas.DataFrame({name: [0.0, 1.0, 2.0, 3.0] for name in names})
        return sklearn.LogisticRegression().fit(frame, [0, 0, 1, 1]), frame

    for names in (("a", "b"), ("a", "b"), ("a", "c")):
        model, frame = trained(*names)
        registry.register("churn", model, data={"train": frame}, new=True)
    registry.promote("churn@1", "production")
    registry.require("churn", "production", "same_signature")
    assert "other inputs than churn@1.0.0 has" in _message(lambda: registry.promote("churn@3", "production"))
    assert registry.promote("churn@2", "production").stage == "production"
    registry.require("churn", "staging", "recipe('complete')")
    status = registry.get("churn@2").manifest.recipe.summary.get("status")
    assert f"its recipe is {status}" in _message(lambda: registry.promote("churn@3", "staging"))


def test_a_message_and_a_reason_can_be_required(quick: Registry) -> None:
    """Nothing reaches production without a word about it."""
    quick.require("churn", "production", "message_required", "reason_required")
    assert refused(lambda: quick.promote("churn@2", "production", message=" ")) == [
        "message_required",
        "reason_required",
    ]
    assert refused(lambda: quick.promote("churn@2", "production", message="why")) == ["reason_required"]
    assert quick.promote("churn@2", "production", message="why", reason="Why").stage == "production"


def test_a_rule_of_a_newer_nbreg_refuses(quick: Registry) -> None:
    """A rule that is not understood is no rule that is passed."""
    database = quick._desk.model("churn")
    rules_there = [{"rule": "fairness", "over": "age"}, {"rule": "proven", "hours": 3}]
    with quick._desk.transaction(database, "gates-required"):
        database.put("gates", "production", GatesRow(rules=rules_there))
    with pytest.raises(GateUnavailableError, match="newer one wrote it"):
        quick.promote("churn@2", "production")
    assert [each.gate for each in quick.gates("churn")] == ["fairness(…)", "proven(…)"]
    quick.promote("churn@2", "production", force=True, reason="Incident")
    assert quick.events("churn")[0].facts["forced"] == ["fairness(…)", "proven(…)"]


# functions


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


# force, and other ways into a stage


def test_force_needs_a_reason_and_is_recorded(quick: Registry) -> None:
    """An incident at night; the audit in the morning."""

    @nbreg.gate
    def hangs(new: Any, old: Any, ctx: Any) -> bool:
        raise AssertionError("a forced move runs no function")

    quick.require("churn", "production", "metrics.auc > 0.95", "tagged('reviewed')", hangs)
    for reason in ("", " "):
        with pytest.raises(BadInputError, match="needs a reason"):
            quick.promote("churn@2", "production", force=True, reason=reason)
    quick.promote("churn@2", "production", force=True, reason="Incident")
    facts = quick.events("churn")[0].facts
    assert facts["forced"] == ["metrics.auc > 0.95", f"{__name__}:{hangs.__qualname__}"]
    assert [each["passed"] for each in facts["gates"]] == [False, True, False]
    assert facts["gates"][2]["state"] == "overruled"


def test_registering_into_a_stage_passes_its_gates(quick: Registry) -> None:
    """No way round: and what was trained is registered all the same."""
    quick.require("churn", "production", "metrics.auc > 0.9")
    with pytest.raises(GateRefusedError) as caught:
        quick.register("churn", 3, metrics={"auc": 0.5}, stage="production", reason="Trained")
    made = quick.get("churn@latest")
    assert (made.number, made.stage, quick.get("churn@production").number) == (3, "none", 1)
    assert f"{made.ref} is registered, in no stage" in caught.value.hint
    good = quick.register("churn", 4, metrics={"auc": 0.95}, stage="production", reason="Trained")
    assert (good.stage, quick.events("churn")[0].kind) == ("production", "promoted")
    assert quick.events("churn")[0].reason == "Trained"
    with pytest.raises(GateRefusedError):
        quick.register("churn", 3, metrics={"auc": 0.5}, stage="production")
    assert quick.get("churn@3").stage == "none"
    again = quick.register("churn", 4, metrics={"auc": 0.95}, stage="production")
    assert (again.existing, again.number) == (True, 4)


def test_what_gates_refuse_in_any_case_is_refused_before_the_training(quick: Registry) -> None:
    """An hour of training must not end in a missing message."""
    quick.require("churn", "production", "message_required")
    with pytest.raises(GateRefusedError, match="production wants a message"):
        quick.check("churn", stage="production")
    quick.check("churn", stage="production", message="weekly")
    quick.check("churn", stage="staging")
    quick.require("churn", "production", "approved(1)")
    with pytest.raises(GateRefusedError, match="approval"):
        quick.check("churn", stage="production", message="weekly")


def test_going_down_to_a_stage_passes_its_gates_and_out_of_use_none(quick: Registry) -> None:
    """A version that skipped staging does not come to it from above; a bad one always goes."""
    quick.require("churn", "staging", "tagged('reviewed')")
    assert refused(lambda: quick.retire("churn@1", "staging")) == ['tagged("reviewed")']
    assert quick.retire("churn@1", "development").stage == "development"
    quick.promote("churn@1", "production")
    assert quick.retire("churn@1", "staging", force=True, reason="Check").stage == "staging"
    assert quick.retire("churn@1").stage == "archived"


def test_rolling_back_waits_for_no_gate_and_says_which(quick: Registry) -> None:
    """In an incident the version that was good yesterday comes back at once."""
    quick.promote("churn@2", "production")
    quick.require("churn", "production", "metrics.auc > 0.99", reason="Stricter")
    assert quick.rollback("churn", reason="Complaints").number == 1
    assert quick.events("churn")[0].facts["not_asked"] == ["metrics.auc > 0.99"]


def test_no_secret_comes_into_the_journal_by_a_gate(quick: Registry) -> None:
    """Evidence is what a function gives, and a function may give anything."""
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"

    def leaks(new: Any, old: Any, ctx: Any) -> Any:
        return True, {"token": token, "note": f"with {token}"}

    quick.promote("churn@2", "production", gates=leaks)
    with pytest.raises(BadInputError, match="secret"):
        quick.require("churn", "production", f"message == '{token}'")
    assert all(token.encode() not in path.read_bytes() for path in quick.location.rglob("*.jsonl"))


def test_evidence_without_end_is_cut(quick: Registry) -> None:
    """A journal is no place for a matrix."""
    quick.promote("churn@2", "production", gates=lambda new, old, ctx: (True, list(range(100_000))))
    assert len(str(quick.events("churn")[0].facts["gates"])) < 10_000


# where a function comes from

GATE = """
import nbreg

@nbreg.gate
def no_regression(new, old, ctx):
    return {answer}
"""


def test_a_gate_of_one_process_is_unavailable_in_another(tmp_path: Path) -> None:
    """A required function is asked or refuses; it is never skipped."""
    folder = tmp_path / "r"
    script = tmp_path / "a.py"
    script.write_text(
        GATE.format(answer="new.metrics['auc'] > 0.9")
        + f"""
registry = nbreg.Registry({str(folder)!r}, settings=__import__("nbreg.settings").settings.Settings(capture=False))
registry.register("churn", 1, metrics={{"auc": 0.95}})
registry.require("churn", "production", no_regression)
"""
    )
    exec_script(script)
    registry = Registry(folder, settings=QUICK)
    with pytest.raises(GateUnavailableError) as caught:
        registry.promote("churn@1", "production")
    assert caught.value.code == "gate-unavailable"
    assert "__main__:no_regression" in caught.value.message
    (gate,) = registry.gates("churn")
    assert gate.unavailable
    with pytest.raises(GateUnavailableError):
        registry.register("churn", 2, stage="production")
    with pytest.raises(GateUnavailableError):
        registry.check("churn", stage="production")

    promote = f"\nnbreg.Registry({str(folder)!r}).promote('churn@1', 'production')"
    other = tmp_path / "b.py"
    other.write_text(GATE.format(answer="True") + promote)
    assert "another function here than the one that is required" in exec_script(other, fails=True)
    assert registry.get("churn@1").stage == "none"
    same = tmp_path / "c.py"
    same.write_text(GATE.format(answer="new.metrics['auc'] > 0.9") + promote)
    exec_script(same)
    assert registry.get("churn@1").stage == "production"


def exec_script(path: Path, *, fails: bool = False) -> str:
    import subprocess

    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=60)
    assert bool(done.returncode) == fails, done.stderr
    return done.stderr


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution with a gate among its entry points, as pip would have installed it."""
    site = tmp_path / "site"
    package = site / "ourteam_gates"
    info = site / "ourteam-1.0.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (package / "__init__.py").write_text(
        "def strict(new, old, ctx):\n    return new.metrics.get('auc', 0) > 0.89\n"
    )
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ourteam\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[nbreg.gates]\nstrict = ourteam_gates:strict\nbroken = ourteam_gates:missing\n"
    )
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    yield site
    sys.modules.pop("ourteam_gates", None)


@pytest.mark.parametrize("name", ["strict", "ourteam_gates:strict"])
def test_an_installed_gate_is_found_by_its_entry_point(quick: Registry, installed: Path, name: str) -> None:
    """In every process that has the package; in others it refuses."""
    quick.require("churn", "production", name)
    assert refused(lambda: quick.promote("churn@2", "production")) == [name]
    promote = "Registry(sys.argv[1]).promote('churn@1', 'staging'); print(Registry(sys.argv[1]).get('churn@1').stage)"
    quick.retire("churn@1")
    quick.require("churn", "staging", name)
    assert run(promote, quick.location).strip() == "staging"
    (installed / "ourteam-1.0.dist-info" / "entry_points.txt").write_text("")
    assert "gate-unavailable" in run(
        "try:\n    Registry(sys.argv[1]).promote('churn@2', 'staging')\nexcept NbregError as error:\n"
        "    print(error.code)",
        quick.location,
    )


def test_a_gate_whose_package_is_broken_is_unavailable(quick: Registry, installed: Path) -> None:
    """An import that fails is no gate that was passed."""
    quick.require("churn", "production", "broken")
    with pytest.raises(GateUnavailableError, match="cannot be imported"):
        quick.promote("churn@2", "production")


def test_nothing_that_a_registry_names_is_imported(quick: Registry, tmp_path: Path) -> None:
    """Who can write to the folder must not thereby run code in everybody's kernel."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "evil_module.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\ndef gate(new, old, ctx):\n    return True\n"
    )
    database = quick._desk.model("churn")
    rule = {"rule": "function", "name": "evil_module:gate"}
    with quick._desk.transaction(database, "gates-required"):
        database.put("gates", "production", GatesRow(rules=[rule]))
    out = run(
        """
sys.path.insert(0, sys.argv[2])
registry = Registry(sys.argv[1], settings=QUICK)
for call in (lambda: registry.promote("churn@2", "production"), lambda: registry.gates("churn"),
             lambda: registry.register("churn", 9, stage="production")):
    try:
        call()
    except NbregError as error:
        print(error.code)
print("evil_module" in sys.modules)
""",
        quick.location,
        tmp_path / "site",
    )
    assert out.split() == ["gate-unavailable", "gate-unavailable", "False"]
    assert not (tmp_path / "ran").exists()


def test_several_who_promote_at_once_through_a_gate_leave_the_best(tmp_path: Path) -> None:
    """Each is compared with who holds the stage at that moment, and not with who did."""
    registry = Registry(tmp_path / "r", settings=QUICK)
    for i in range(6):
        registry.register("churn", i, metrics={"auc": 0.5 + i / 100})
    registry.require("churn", "production", 'not_worse("auc")')
    from test_many_kernels import together

    together(
        """
registry = Registry(sys.argv[2], settings=QUICK)
go()
try:
    registry.promote(f"churn@{int(sys.argv[1]) + 1}", "production", reason="Raced")
except NbregError as error:
    assert error.code == "gate-refused", error
""",
        6,
        tmp_path / "r",
    )
    order = [each.number for each in registry.events("churn") if each.kind == "promoted"][::-1]
    assert order == sorted(order), "never from a better one to a worse one"
    assert registry.get("churn@production").number == 6
    assert registry.verify().ok


def test_actors_are_who_acts(tmp_path: Path) -> None:
    """A service that acts for somebody says so to the gate."""
    registry = Registry(tmp_path / "r", settings=QUICK, actor=Actor(user="robot"))
    registry.register("churn", 1)
    told: list[str] = []
    registry.promote("churn@1", "staging", gates=lambda new, old, ctx: told.append(ctx.actor.user))
    assert told == ["robot"]


def test_the_page_names_every_rule() -> None:
    """Whoever looks for a gate finds all there are, spelled as they are read."""
    page = (Path(__file__).parent.parent / "docs" / "gates.md").read_text()
    table = page.split("|---|---|\n")[1].split("\n\n")[0]
    found = re.findall(r"`([^`]+)`", "\n".join(row.split("|")[1] for row in table.splitlines()))
    read = [rules.parse(text, FIELDS) for text in found]
    assert {rules.spelled(rule).partition("(")[0] for rule in read} >= set(rules.NAMES)
    assert sum(isinstance(rule, FunctionRule) for rule in read) == 2


def test_gates_and_requests_show_themselves_escaped(quick: Registry) -> None:
    """As HTML and as text; what people wrote is text in both."""
    from nbreg.display import EventTable, GateTable, RequestTable

    quick.require("churn", "production", "message != '<b>bold</b>'")
    table = GateTable(quick.gates("churn"), title="churn")
    assert "message != '<b>bold</b>'" in repr(table)
    assert "<b>bold" not in table._repr_mimebundle_()["text/html"]
    quick.request("churn@2", "production", message="<script>alert(1)</script>")
    asked = RequestTable(quick.requests("churn"))
    assert "churn:r1" in repr(asked)
    assert "<script>" not in asked._repr_mimebundle_()["text/html"]
    quick.promote("churn@2", "production")
    shown = EventTable(quick.events("churn"))._repr_mimebundle_()
    assert "<b>bold" not in shown["text/html"]
    assert repr(GateTable([])) == "no gates"
