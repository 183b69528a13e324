"""What each kind of gate finds about a version on its way to a stage."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from nbreg import rules
from nbreg.errors import NbregError
from nbreg.records import (
    AnyRule,
    ApprovedRule,
    Evidence,
    FunctionRule,
    GateResult,
    Manifest,
    MessageRequiredRule,
    Move,
    NotWorseRule,
    NoWarningsRule,
    ProvenRule,
    QueryRule,
    ReasonRequiredRule,
    RecipeRule,
    RequestRow,
    SameSignatureRule,
    Signature,
    TaggedRule,
    VersionRow,
)
from nbreg.registry.ground.desk import Desk, Entry

if TYPE_CHECKING:
    from nbreg.registry.core import Registry
    from nbreg.registry.stages.gatefunctions import Function

_LARGEST_EVIDENCE: Final = 8_000
_PROVEN: Final = ("equal", "equivalent", "loads")


class Wish(NamedTuple):
    """A move as somebody wants it, with all that gates may ask of whoever wants it."""

    registry: Registry
    reason: str = ""
    message: str = ""
    force: bool = False
    functions: Sequence[Function] = ()
    approver: str = ""
    """Who approves by this very move."""
    request: int = 0
    expect: Move | None = None
    """The move as it was foreseen; another one is refused."""


class Seen(NamedTuple):
    """The rows that gates were asked about."""

    row: VersionRow
    holder: VersionRow | None
    proof: Evidence | None
    requests: list[RequestRow]


Found = tuple[bool, dict[str, Any], str]


class About:
    """One version on its way to a stage, and what there is to know of it; read when asked for."""

    def __init__(self, desk: Desk, entry: Entry, stage: str, wish: Wish, seen: Seen) -> None:
        self.desk, self.entry, self.stage, self.wish, self.seen = desk, entry, stage, wish, seen
        self.holder = Entry(entry.model, entry.database, seen.holder) if seen.holder else None

    def asked(self, rule: AnyRule) -> GateResult:
        """What a rule finds. What it cannot read it does not pass."""
        gate = rules.spelled(rule)
        if isinstance(rule, FunctionRule):
            return self._required_function(rule)
        started = perf_counter()
        try:
            passed, saw, why = _RULES[type(rule)](self, rule)
        except NbregError as error:
            passed, saw, why = False, {}, error.message
        return self._result(gate, passed, saw, "" if passed else why, started)

    def _required_function(self, rule: FunctionRule) -> GateResult:
        from nbreg.registry.stages import gatefunctions

        if self.wish.force:
            why = "not asked: the move was forced"
            return GateResult(gate=rule.name, passed=False, why=why, state="overruled")
        function, why = gatefunctions.find(rule)
        if function is None:
            return GateResult(gate=rule.name, passed=False, why=why, state="unavailable")
        return self.called(function, source="required", name=rule.name)

    def called(self, function: Function, *, source: str, name: str) -> GateResult:
        """What a function finds; whatever it raises is its way to refuse."""
        from nbreg.registry.stages import gatefunctions

        if self.wish.force and source != "call":
            why = "not asked: the move was forced"
            return GateResult(gate=name, passed=False, why=why, state="overruled", source=source)  # type: ignore[arg-type]
        view = self.wish.registry._version
        context = gatefunctions.GateContext(
            model=self.entry.model,
            stage=self.stage,
            actor=self.desk.actor,
            reason=self.wish.reason,
            message=self.wish.message,
            registry=self.wish.registry,
            namespace=gatefunctions.namespace_here(),
        )
        started = perf_counter()
        evidence: object = None
        try:
            answer = function(view(self.entry), view(self.holder) if self.holder else None, context)
            passed, evidence, why = gatefunctions.told(answer)
        except Exception as error:  # the user's code
            passed, why = False, _raised(error)
        saw = {} if evidence is None else {"evidence": evidence}
        result = self._result(name, passed, saw, why, started)
        return msgspec.structs.replace(
            result, source=source, digest=gatefunctions.digest_of_text(function)[:16]
        )

    def _result(self, gate: str, passed: bool, saw: dict[str, Any], why: str, started: float) -> GateResult:
        from nbreg.registry.ground.given import without_secrets

        if self.holder is not None:
            saw = {**saw, "holder": self.holder.number}
        return GateResult(
            gate=gate,
            passed=passed,
            why=without_secrets(why[:500]),
            saw=without_secrets(_bounded(saw)),
            seconds=round(perf_counter() - started, 4),
        )

    def manifest(self) -> Manifest:
        """The version's manifest. Raises where it was purged or is damaged."""
        from nbreg.registry.ground import parts

        return parts.manifest(self.desk, self.entry)

    def signature_of(self, entry: Entry) -> Signature | None:
        """What goes in and comes out, or None where that was not captured."""
        from nbreg.registry.ground import parts

        section = parts.manifest(self.desk, entry).signature
        return parts.captured(self.desk, entry, section, Signature) if section.is_there else None


def _raised(error: Exception) -> str:
    """What an error of the user's code says; it may fail at that, too."""
    try:
        said = str(error)
    except Exception:
        said = ""
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _bounded(saw: dict[str, Any]) -> dict[str, Any]:
    """Evidence as JSON can carry it, and not too much of it."""
    from nbreg.families.describing.told import Teller

    told: dict[str, Any] = {str(name): Teller().told(value) for name, value in saw.items()}
    raw = msgspec.json.encode(told)
    return (
        told if len(raw) <= _LARGEST_EVIDENCE else {"cut": raw[:_LARGEST_EVIDENCE].decode(errors="replace")}
    )


def _query(about: About, rule: QueryRule) -> Found:
    from nbreg.query import parse_query
    from nbreg.registry.ground import listing

    query = parse_query(rule.text, listing.FIELDS)
    read = listing.reader(about.desk, about.entry)
    saw = query.asked(read)
    told = ", ".join(f"{name} is {_shown(value)}" for name, value in saw.items())
    return query.matches(read), saw, told


def _shown(value: object) -> str:
    if value is None:
        return "not there"
    return f"{value:g}" if isinstance(value, float) else str(value)[:80]


def _not_worse(about: About, rule: NotWorseRule) -> Found:
    mine = about.entry.row.metrics.get(rule.metric)
    theirs = about.holder.row.metrics.get(rule.metric) if about.holder else None
    saw = {"new": mine, "old": theirs}
    if mine is None:
        return False, saw, f"it has no metric {rule.metric!r}"
    if about.holder is None:
        return True, saw, ""
    if theirs is None:
        return False, saw, f"{about.holder.ref}, which holds {about.stage}, has no metric {rule.metric!r}"
    gain = mine - theirs if rule.better == "higher" else theirs - mine
    passed = gain >= -rule.tolerance or math.isclose(gain, -rule.tolerance, rel_tol=1e-9, abs_tol=1e-12)
    return passed, saw, f"{rule.metric} is {mine:g}, and {theirs:g} of {about.holder.ref}"


def _proven(about: About, rule: ProvenRule) -> Found:
    proof = about.seen.proof
    if proof is None:
        return False, {}, "nobody has proven it yet"
    saw = {"verdict": proof.verdict, "at": proof.at}
    return (
        proof.verdict in _PROVEN,
        saw,
        f"its proof {proof.verdict}" + (f": {proof.why}" if proof.why else ""),
    )


def _recipe(about: About, rule: RecipeRule) -> Found:
    section = about.manifest().recipe
    status = str(section.summary.get("status", "incomplete")) if section.is_there else ""
    if not status:
        return False, {}, f"its recipe was not captured: {section.missing}"
    rank = rules.STATUSES.index
    passed = status in rules.STATUSES and rank(status) >= rank(rule.status)
    return passed, {"status": status}, f"its recipe is {status}"


def _same_signature(about: About, rule: SameSignatureRule) -> Found:
    if about.holder is None:
        return True, {}, ""
    mine, theirs = about.signature_of(about.entry), about.signature_of(about.holder)
    if mine is None or theirs is None:
        whose = about.entry.ref if mine is None else about.holder.ref
        return False, {}, f"the signature of {whose} was not captured"
    different = [side for side in ("inputs", "outputs") if getattr(mine, side) != getattr(theirs, side)]
    why = f"other {' and '.join(different)} than {about.holder.ref} has"
    return not different, {"different": different} if different else {}, why


def _no_warnings(about: About, rule: NoWarningsRule) -> Found:
    warnings = [*about.manifest().warnings, *about.entry.row.warnings]
    return not warnings, {"warnings": warnings[:20]} if warnings else {}, "; ".join(warnings)[:300]


def _tagged(about: About, rule: TaggedRule) -> Found:
    missing = [tag for tag in rule.tags if tag not in about.entry.row.tags]
    return not missing, {"tags": about.entry.row.tags[:50]}, f"it is not tagged {', '.join(missing)}"


def _message(about: About, rule: MessageRequiredRule) -> Found:
    return bool(about.wish.message.strip()), {}, "no message was given"


def _reason(about: About, rule: ReasonRequiredRule) -> Found:
    return bool(about.wish.reason.strip()), {}, "no reason was given"


def _approved(about: About, rule: ApprovedRule) -> Found:
    by = sorted(set(approvers(about.seen.requests, about.wish)))
    return len(by) >= rule.by, {"by": by}, f"{len(by)} of {rule.by} so far" if by else "nobody has so far"


def approvers(requests: Sequence[RequestRow], wish: Wish) -> Iterator[str]:
    """Who approved what is open; `approve` takes no approval of who asked for it."""
    for each in requests:
        yield from (approval.by for approval in each.approvals)
    if wish.approver:
        yield wish.approver


_RULES: Final[dict[type, Callable[[About, Any], Found]]] = {
    QueryRule: _query,
    NotWorseRule: _not_worse,
    ProvenRule: _proven,
    RecipeRule: _recipe,
    SameSignatureRule: _same_signature,
    NoWarningsRule: _no_warnings,
    TaggedRule: _tagged,
    MessageRequiredRule: _message,
    ReasonRequiredRule: _reason,
    ApprovedRule: _approved,
}
"""What finds out what a rule asks; functions are asked by name."""
