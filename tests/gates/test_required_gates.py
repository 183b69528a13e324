"""`registry.require(…)` holds for everybody from then on, is an event, and shows itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from refusals import lines, refused

from nbreg import Registry
from nbreg.display import ModelTable
from nbreg.errors import (
    BadInputError,
    GateRefusedError,
    NameTakenError,
    UnknownGateError,
    UnknownModelError,
    UnknownVersionError,
)


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
