"""What each gate said of a version, before a move and after it: a line for each, never without its word."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from nbreg.display.text import brief, count, escaped, number
from nbreg.records import GateResult

MOST: Final = 20
_MOST_SEEN: Final = 4


def gate_marks(results: Iterable[GateResult]) -> str:
    """One line a gate: whether it was passed, and what it saw."""
    results = list(results)
    lines = [_line(each) for each in results[:MOST]]
    if len(results) > MOST:
        lines.append(f'<li class="nbreg-quiet">and {count(len(results) - MOST, "gate")} more</li>')
    return f'<ul class="nbreg-gates" aria-label="gates">{"".join(lines)}</ul>' if lines else ""


def told_gate(result: GateResult) -> str:
    """`passed: metrics.auc 0.93`; `not passed: metrics.auc is 0.81`; `cannot be asked here: why`."""
    if result.state == "unasked":
        return "not run yet: a function of this kernel, which runs when you ask it or make the move"
    if result.state == "unavailable":
        return f"cannot be asked here, so the move is refused: {brief(result.why, 300)}"
    if result.state == "overruled":
        return f"overruled: {brief(result.why, 300)}"
    if not result.passed:
        return f"not passed: {brief(result.why or _seen(result.saw), 300)}"
    seen = _seen(result.saw)
    return f"passed: {seen}" if seen else "passed"


def _line(result: GateResult) -> str:
    kind = "passed" if result.passed else "failed"
    mark = {"unasked": "○", "unavailable": "!", "overruled": "!"}.get(result.state, "")
    kind = "unasked" if result.state == "unasked" else kind
    mark = mark or ("✓" if result.passed else "✗")
    said = escaped(told_gate(result), 400)
    return (
        f'<li class="nbreg-gate-{kind}"><span class="nbreg-mark" aria-hidden="true">{mark}</span>'
        f"<span><b>{escaped(result.gate)}</b> <span class=nbreg-saw>{said}</span></span></li>"
    )


def _seen(saw: dict[str, Any]) -> str:
    """The evidence in a few words; who holds the stage is said beside the move."""
    told = {name: value for name, value in saw.items() if name != "holder"}
    if set(told) == {"evidence"}:
        evidence = told["evidence"]
        if not isinstance(evidence, dict):
            return brief(evidence)
        told = evidence
    shown = [f"{brief(name, 60)} {_value(value)}" for name, value in list(told.items())[:_MOST_SEEN]]
    return ", ".join(shown) + (" …" if len(told) > _MOST_SEEN else "")


def _value(value: object) -> str:
    if value is None:
        return "of nobody"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return brief(", ".join(value[:10]), 100) or "nobody"
    return number(value)
