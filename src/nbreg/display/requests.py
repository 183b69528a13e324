"""What stages require, and what people asked for: gates and requests as tables."""

from __future__ import annotations

from typing import Any

from nbreg.display.html import Column
from nbreg.display.tables import Table, label
from nbreg.display.text import LONGEST, brief, listed, moment
from nbreg.records import PromotionRequest, RequiredGate


class GateTable(Table[RequiredGate]):
    """The gates of stages: what has to hold before a version comes into each."""

    kind = "gates"
    noun = "gate"
    empty = "no gates"

    def columns(self) -> list[Column]:
        """Stage, gate, whose; and why one cannot be asked, where there is such a one."""
        return [
            Column("stage", "stage"),
            Column("gate", "key"),
            Column("of"),
            *([Column("cannot be asked here", "long")] if any(each.unavailable for each in self) else []),
        ]

    def cells(self, index: int) -> list[str]:
        """One gate."""
        gate = self[index]
        return [
            gate.stage,
            gate.gate,
            "all models" if gate.scope == "*" else gate.scope,
            *([gate.unavailable] if any(each.unavailable for each in self) else []),
        ]

    def facts(self, index: int) -> dict[str, Any]:
        """One gate as JSON; whether it can be asked is of one process, and left out."""
        gate = self[index]
        return {"stage": gate.stage, "gate": gate.gate[:LONGEST], "scope": gate.scope}


class RequestTable(Table[PromotionRequest]):
    """Requests for promotions, newest first as given."""

    kind = "requests"
    noun = "request"
    empty = "no requests"

    def columns(self) -> list[Column]:
        """Which, of what, by whom, and how far it is."""
        return [
            Column("request", "key"),
            Column("version"),
            Column("to", "stage"),
            Column("by"),
            Column("asked, UTC"),
            Column("state"),
            Column("approved by"),
            Column("message", "long"),
        ]

    def cells(self, index: int) -> list[str]:
        """One request."""
        each = self[index]
        return [
            each.id,
            f"{brief(each.model, 60)} {label(each.name or None, each.version)}",
            each.to,
            brief(each.by, 40),
            moment(each.at),
            told_state(each),
            listed(approval.by for approval in each.approvals),
            each.message or each.reason,
        ]

    def facts(self, index: int) -> dict[str, Any]:
        """One request as JSON."""
        each = self[index]
        return {
            "id": each.id,
            "version": each.version,
            "to": each.to,
            "by": each.by,
            "state": each.state,
            "approvals": [approval.by for approval in each.approvals],
            "message": each.message[:LONGEST],
        }


def told_state(request: PromotionRequest) -> str:
    """`rejected by bob: the probe moved`."""
    if request.state == "stale":
        return f"stale: the version {brief(request.why, 120)}"
    if request.closed is None:
        return request.state
    said = f": {brief(request.closed.message, 120)}" if request.closed.message else ""
    return f"{request.state} by {brief(request.closed.by, 40)}{said}"


def told_request(request: PromotionRequest) -> str:
    """`churn:r1: churn 1.1.0 (#2) to production, open; missing: approval by somebody else`."""
    version = f"{brief(request.model, 60)} {label(request.name or None, request.version)}"
    missing = f"; missing: {'; '.join(brief(each, 300) for each in request.needs)}" if request.needs else ""
    return f"{request.id}: {version} to {brief(request.to, 60)}, {told_state(request)}{missing}"
