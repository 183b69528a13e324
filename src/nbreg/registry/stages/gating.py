"""The gates of a stage: which there are, and what each finds.

They are asked without any lock, about rows as they were read at one moment. Under the lock it
is only compared whether these rows are still the same; if not, they are asked again.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from nbreg import lifecycle
from nbreg import rules as texts
from nbreg.errors import BadInputError, GateRefusedError, GateUnavailableError, option
from nbreg.errors import spelled as spelled_by_face
from nbreg.records import (
    AnyRule,
    Approval,
    ApprovedRule,
    Evidence,
    FunctionRule,
    GateResult,
    GatesRow,
    Lifecycle,
    MessageRequiredRule,
    NotWorseRule,
    ReasonRequiredRule,
    RequestRow,
    RequestsRow,
    StageRow,
    VersionRow,
)
from nbreg.registry.ground import bookkeeping, proofs
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.stages.asking import About, Seen, Wish
from nbreg.store.tiny import Draft, JournalDB

if TYPE_CHECKING:
    from nbreg.registry.making.request import Request
    from nbreg.registry.stages.gatefunctions import Function

TRIES: Final = 5
"""How often gates are asked again, since what they saw has changed, before it is a conflict."""

TABLE: Final = "gates"
REQUESTS: Final = "requests"
ALL_REQUESTS: Final = "all"


class Judged(NamedTuple):
    """What the gates of a stage found."""

    stage: str
    required: list[dict[str, Any]]
    results: list[GateResult]
    seen: Seen | None

    @property
    def failed(self) -> list[GateResult]:
        """Those that were not passed."""
        return [each for each in self.results if not each.passed]


class Moved(Exception):  # noqa: N818 - no error: it is answered by asking again
    """What the gates saw is not so any more."""


# which there are


def required(rules: Lifecycle, database: JournalDB | None, stage: str) -> list[dict[str, Any]]:
    """The rules of a stage as they stand in the registry: those of all models, then the model's own."""
    everywhere = rules.gates.get(stage, [])
    row = database.row(TABLE, stage, GatesRow) if database is not None else None
    own = row.rules if row else []
    return [*everywhere, *(each for each in own if each not in everywhere)] if own else everywhere


def understood(rule: Mapping[str, Any]) -> AnyRule | None:
    """The rule, if it is one that this nbreg knows."""
    try:
        found: AnyRule = msgspec.convert(rule, AnyRule)
    except msgspec.ValidationError:
        return None
    return found


def spelled(rule: Mapping[str, Any]) -> str:
    """A rule as people write it, also one that is not understood here."""
    known = understood(rule)
    return texts.spelled(known) if known is not None else f"{str(rule.get('rule', '?'))[:60]}(…)"


def split(desk: Desk, database: JournalDB, request: Request, *, now: str = "") -> tuple[str, str]:
    """The stage that a registration may begin in at once, or else the one whose gates are asked first.

    Neither where the version is in that stage by `now`, or above it.
    """
    stage = request.stage
    if not stage:
        return "", ""
    rules = desk.lifecycle
    if now and rules.stages.index(now) >= rules.stages.index(stage):
        return "", ""
    is_gated = required(rules, database, stage) or declared_for(rules, request.model, stage)
    return ("", stage) if is_gated else (stage, "")


def declared_for(rules: Lifecycle, model: str, stage: str) -> list[Function]:
    """The functions of this process; the module is there only if somebody declared one."""
    module = sys.modules.get("nbreg.registry.stages.gatefunctions")
    found: list[Function] = module.declared_for(model, stage, rules.stages) if module else []
    return found


# asking them


def judge(desk: Desk, entry: Entry, stage: str, wish: Wish) -> Judged:
    """Ask all gates of a stage about a version."""
    database, rules = entry.database, desk.lifecycle
    if stage not in lifecycle.held(rules):
        return Judged(stage, [], [], None)  # out of use everything goes
    wanted = required(rules, database, stage)
    functions = [(each, "process") for each in declared_for(rules, entry.model, stage)]
    functions += [(each, "call") for each in wish.functions]
    if not wanted and not functions:
        return Judged(stage, wanted, [], None)
    seen = see(database, entry.number, stage)
    about = About(desk, Entry(entry.model, database, seen.row), stage, wish, seen)
    results = [] if wish.force else _unavailable(wanted)
    if not results:
        results = [about.asked(rule) if (rule := understood(each)) else _overruled(each) for each in wanted]
        asked = {each.gate for each in results}
        results += [
            about.called(function, source=source, name=name)
            for function, source in functions
            if (name := function_name(function)) not in asked
        ]
    return Judged(stage, wanted, results, seen)


def runs_functions(desk: Desk, entry: Entry, stage: str) -> bool:
    """Whether asking the gates of a stage runs anybody's function, which may take long."""
    rules = desk.lifecycle
    wanted = map(understood, required(rules, entry.database, stage))
    return any(isinstance(rule, FunctionRule) for rule in wanted) or bool(
        declared_for(rules, entry.model, stage)
    )


def _overruled(rule: Mapping[str, Any]) -> GateResult:
    """One that a newer nbreg wrote, of a move that is forced."""
    return GateResult(gate=spelled(rule), passed=False, why=unavailable(rule), state="overruled")


def _unavailable(wanted: Sequence[Mapping[str, Any]]) -> list[GateResult]:
    """The required gates that cannot be asked here."""
    return [
        GateResult(gate=spelled(each), passed=False, why=why, state="unavailable")
        for each in wanted
        if (why := unavailable(each))
    ]


def unavailable(rule: Mapping[str, Any]) -> str:
    """Why a required gate cannot be asked here; empty where it can."""
    known = understood(rule)
    if known is None:
        return "this nbreg does not know such a rule; a newer one wrote it"
    if not isinstance(known, FunctionRule):
        return ""
    from nbreg.registry.stages import gatefunctions

    return gatefunctions.find(known)[1]


def function_name(function: Function) -> str:
    """`module:function`, which a gate is known by."""
    from nbreg.registry.stages import gatefunctions

    return gatefunctions.name_of(function)


def see(database: JournalDB, number: int, stage: str) -> Seen:
    """The rows that gates are asked about, as they are at this moment."""
    with database.journal.mutex:
        database.refresh()
        row = bookkeeping.version_row(database, number)
        held = database.row("stages", stage, StageRow)
        holder = bookkeeping.holder(database, stage) if held else None
        proof = database.row(proofs.TABLE, proofs.row_id(number), Evidence)
        asked = [each for each in open_requests(database) if (each.version, each.to) == (number, stage)]
    # What was approved of a version in another stage was approved of another move.
    return Seen(row, holder, proof, [each for each in asked if each.was == row.stage and not each.left])


def open_requests(database: JournalDB) -> list[RequestRow]:
    """The requests of a model that nobody has ended, oldest first."""
    brief = database.row(REQUESTS, ALL_REQUESTS, RequestsRow)
    found = (database.row(REQUESTS, number, RequestRow) for number in (brief.open if brief else ()))
    return [each for each in found if each is not None]


def settle(database: JournalDB, draft: Draft, row: VersionRow, stage: str, by: str) -> None:
    """Under the lock: what was asked for and comes to be now is open no longer."""
    done = [each for each in open_requests(database) if (each.version, each.to) == (row.number, stage)]
    for each in done:
        closed = Approval(by=by, at=draft.at, message=draft.message)
        database.put(REQUESTS, each.number, msgspec.structs.replace(each, state="promoted", closed=closed))
    if done:
        close(database, {each.number for each in done})
        approved = [each.by for asked in done if asked.was == row.stage for each in asked.approvals]
        draft.facts.update(request=done[-1].number, **({"approved_by": approved} if approved else {}))
    outdate(database, row, stage)


def outdate(database: JournalDB, row: VersionRow, to: str) -> None:
    """Under the lock: what was asked of a version where it was means nothing more, also if it comes back."""
    for each in open_requests(database):
        if (each.version, each.was, each.left) == (row.number, row.stage, ""):
            database.put(REQUESTS, each.number, msgspec.structs.replace(each, left=to))


def close(database: JournalDB, numbers: set[int]) -> None:
    """Under the lock: these requests are open no longer."""
    brief = database.row(REQUESTS, ALL_REQUESTS, RequestsRow) or RequestsRow()
    left = [number for number in brief.open if number not in numbers]
    database.put(REQUESTS, ALL_REQUESTS, msgspec.structs.replace(brief, open=left))


def confirm(rules: Lifecycle, entry: Entry, judged: Judged) -> None:
    """Under the lock: raise `Moved` unless all is as the gates saw it."""
    if required(rules, entry.database, judged.stage) != judged.required:
        raise Moved
    if judged.seen is not None and see(entry.database, entry.number, judged.stage) != judged.seen:
        raise Moved


def refuse(entry: Entry, judged: Judged, wish: Wish) -> None:
    """Raise what the gates found, unless they were passed, or the move is forced."""
    failed = judged.failed
    if not failed or wish.force:
        return
    told = _listed(failed)
    if any(each.state == "unavailable" for each in failed):
        raise GateUnavailableError(
            f"{entry.ref} is not moved to {judged.stage}, since a required gate cannot be asked here: {told}",
            hint="do it where the gate is installed or declared; nothing was changed",
            gates=judged.results,
        )
    hint = f"{option('force')} with a reason overrules gates, and is recorded"
    if any(each.lacks_approval for each in failed):
        asked = f"registry.request({entry.ref!r}, {judged.stage!r})"
        words = f"request {entry.ref} {judged.stage}"
        hint = f"ask the others: {spelled_by_face(asked, f'`%{words}`', f'`nbreg {words}`')}"
    elif told_later := _unmeasured(entry, judged):
        hint = f"{told_later}; or {hint}"
    raise GateRefusedError(
        f"{entry.ref} does not pass the gates of {judged.stage}: {told}", hint=hint, gates=judged.results
    )


def _unmeasured(entry: Entry, judged: Judged) -> str:
    """How to give a metric that a gate compares to a version that was registered without it."""
    seen = judged.seen
    for rule in map(understood, judged.required):
        if not isinstance(rule, NotWorseRule) or seen is None:
            continue
        rows = [row for row in (seen.row, seen.holder) if row is not None and rule.metric not in row.metrics]
        if rows:
            ref = Entry(entry.model, entry.database, rows[0]).ref
            python = f"registry.update({ref!r}, metrics={{{rule.metric!r}: …}})"
            return f"{spelled_by_face(python, f'`nbreg update {ref} --metrics {rule.metric}=…`')} adds it"
    return ""


def facts(judged: Judged) -> dict[str, Any]:
    """What the event of the move says of its gates."""
    if not judged.results:
        return {}
    found: dict[str, Any] = {"gates": [brief(each) for each in judged.results]}
    if judged.failed:
        found["forced"] = [each.gate for each in judged.failed]
    return found


def brief(result: GateResult) -> dict[str, Any]:
    """A result without what says nothing."""
    empty = GateResult(gate="", passed=True)
    told: dict[str, Any] = msgspec.to_builtins(result)
    return {
        name: value
        for name, value in told.items()
        if name in ("gate", "passed") or value != getattr(empty, name)
    }


def checked(gates: Sequence[Function] | Function, *, force: bool, reason: str) -> tuple[Function, ...]:
    """The functions given in a call, and whether force is given with a reason. Raises `BadInputError`."""
    if force and not (isinstance(reason, str) and reason.strip()):
        raise BadInputError("overruling gates needs a reason", hint=option("reason", "WHY"))
    if not (callable(gates) or isinstance(gates, list | tuple)):
        raise BadInputError(f"the gates of a call are a list of functions, not {type(gates).__name__}")
    found = (gates,) if callable(gates) else tuple(gates)
    for each in found:
        if not callable(each):
            raise BadInputError(
                f"a gate in a call is a function (new, old, ctx), not {type(each).__name__}",
                hint="registry.require(model, stage, …) takes rules",
            )
    return found


def check_beforehand(desk: Desk, request: Request) -> None:
    """Refuse, before there is a version, what the gates of its stage would refuse in any case."""
    stage = request.stage
    if not stage:
        return
    wanted = required(desk.lifecycle, desk.model_if_any(request.model), stage)
    failed = _unavailable(wanted)
    if failed:
        raise GateUnavailableError(
            f"a gate of {stage} cannot be asked here: {_listed(failed)}",
            hint="do it where the gate is installed or declared, or register without a stage",
            gates=failed,
        )
    for each in map(understood, wanted):
        if missing := _missing(each, request):
            raise GateRefusedError(
                f"{stage} wants {missing}", hint="or register without a stage, and promote later"
            )


def _missing(rule: AnyRule | None, request: Request) -> str:
    match rule:
        case MessageRequiredRule() if not request.message.strip():
            return "a message"
        case ReasonRequiredRule() if not request.reason.strip():
            return "a reason"
        case ApprovedRule():
            return "approval, which a version that is not there yet cannot have"
    return ""


def _listed(results: Sequence[GateResult]) -> str:
    return "; ".join(f"{each.gate} ({each.why})" if each.why else each.gate for each in results)
