"""Each rule finds what it says, and `promote` refuses with every gate that failed and what it saw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from refusals import lines, refused

from nbreg import Registry
from nbreg.errors import GateRefusedError, GateUnavailableError
from nbreg.records import GatesRow


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
