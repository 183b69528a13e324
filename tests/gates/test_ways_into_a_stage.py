"""Every way into a stage passes its gates, or says in the event that it did not; what they saw holds no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from children import together
from refusals import QUICK, refused

import nbreg
from nbreg import Registry
from nbreg.errors import BadInputError, GateRefusedError


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


def test_several_who_promote_at_once_through_a_gate_leave_the_best(tmp_path: Path) -> None:
    """Each is compared with who holds the stage at that moment, and not with who did."""
    registry = Registry(tmp_path / "r", settings=QUICK)
    for i in range(6):
        registry.register("churn", i, metrics={"auc": 0.5 + i / 100})
    registry.require("churn", "production", 'not_worse("auc")')
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
