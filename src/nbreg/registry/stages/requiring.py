"""Require gates, and protect aliases: the rules of a registry, changed by event."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from nbreg import lifecycle, rules
from nbreg.errors import (
    BadInputError,
    NameTakenError,
    UnknownGateError,
    UnknownModelError,
    UnknownVersionError,
    did_you_mean,
    option,
)
from nbreg.names import check_model_name, check_version_name
from nbreg.query import parse_query
from nbreg.records import (
    AnyRule,
    FunctionRule,
    GatesRow,
    Pointer,
    Protection,
    QueryRule,
    RequiredGate,
    as_doc,
)
from nbreg.registry.ground import bookkeeping, listing
from nbreg.registry.ground.desk import Desk
from nbreg.registry.ground.given import without_secrets
from nbreg.registry.stages import gatefunctions, gating

EVERYWHERE = "*"

Change = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def require(
    desk: Desk,
    model: str | None,
    stage: str,
    gates: Sequence[object],
    *,
    new_model: bool,
    reason: str,
    message: str,
) -> list[RequiredGate]:
    """Require gates before a version comes into a stage; see `Registry.require`."""
    lifecycle.check_held(desk.lifecycle, stage)
    if not gates:
        raise BadInputError("no gate is given", hint="""for example 'metrics.auc > 0.9' or 'proven'""")
    wanted = [as_doc(_rule(each)) for each in gates]
    if without_secrets(wanted) != wanted:
        raise BadInputError("a gate holds what looks like a secret")

    if not _is_everywhere(model):
        assert model is not None
        new_model = _is_to_come(desk, model, new_model=new_model)

    def added(there: list[dict[str, Any]]) -> list[dict[str, Any]]:
        fresh = [each for i, each in enumerate(wanted) if each not in there and each not in wanted[:i]]
        return [*there, *fresh]

    _change(
        desk,
        model,
        stage,
        "gates-required",
        wanted,
        added,
        new_model=new_model,
        reason=reason,
        message=message,
    )
    return required(desk, model, stage)


def _is_to_come(desk: Desk, model: str, *, new_model: bool) -> bool:
    """Whether nothing is known of a model yet. Raises `UnknownModelError` unless that is meant."""
    check_model_name(model)
    try:
        desk.model(model)
    except UnknownModelError as error:
        if not new_model:
            error.add_hint(f"{option('new_model')} for one that has no version yet")
            raise
        return True
    return False


def drop_gate(
    desk: Desk, model: str | None, stage: str, gate: object, *, reason: str, message: str
) -> list[RequiredGate]:
    """Require a gate no longer; see `Registry.drop_gate`."""
    lifecycle.check_held(desk.lifecycle, stage)
    if not isinstance(reason, str) or not reason.strip():
        raise BadInputError("dropping a gate needs a reason", hint=option("reason", "WHY"))
    name = gatefunctions.name_of(gate) if callable(gate) else str(gate).strip()

    def is_meant(rule: dict[str, Any]) -> bool:
        text = gating.spelled(rule)
        return name == text or (isinstance(gate, str) and _same(gate, text))

    there = _rules(desk, model, stage)
    meant = [each for each in there if is_meant(each)]
    if not meant:
        known = [gating.spelled(each) for each in there]
        whose = "all models" if _is_everywhere(model) else repr(model)
        raise UnknownGateError(
            f"{stage} of {whose} has no gate {name[:80]!r}",
            hint=did_you_mean(name, known, "no gate is required there" if not known else ""),
        )

    def left(now: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [each for each in now if each not in meant]

    _change(desk, model, stage, "gate-dropped", meant, left, reason=reason, message=message)
    return required(desk, model, stage)


def _same(given: str, text: str) -> bool:
    """Whether a gate that is written otherwise is that one: `approved` is `approved(1)`."""
    try:
        return rules.spelled(rules.parse(given, listing.FIELDS)) == text
    except BadInputError:
        return False


def _rule(gate: object) -> AnyRule:
    """What was given, as a rule that means something here. Raises `BadInputError` in one of its kinds."""
    if callable(gate):
        return gatefunctions.rule_of(gate)
    rule = rules.parse(gate, listing.FIELDS)  # type: ignore[arg-type]  # it says what is no text
    if isinstance(rule, FunctionRule):
        return gatefunctions.rule_of(rule.name)
    if isinstance(rule, QueryRule) and not parse_query(rule.text, listing.FIELDS).fields:
        raise BadInputError(f"{rule.text[:60]!r} asks nothing of a version", hint="metrics.auc > 0.9")
    return rule


def _is_everywhere(model: str | None) -> bool:
    return model is None or model == EVERYWHERE


def _rules(desk: Desk, model: str | None, stage: str) -> list[dict[str, Any]]:
    if _is_everywhere(model):
        return desk.lifecycle.gates.get(stage, [])
    assert model is not None
    row = desk.model(model).row(gating.TABLE, stage, GatesRow)
    return row.rules if row else []


def _change(
    desk: Desk,
    model: str | None,
    stage: str,
    kind: str,
    which: list[dict[str, Any]],
    change: Change,
    *,
    new_model: bool = False,
    reason: str,
    message: str,
) -> None:
    """One line, of the model's journal or the registry's; none where nothing changes."""
    told = {"stage": stage, "gates": [gating.spelled(each) for each in which]}
    if _is_everywhere(model):
        desk.ready()
        with desk.transaction(desk.folder.own, kind, reason=reason, message=message) as draft:
            row = desk.folder.own_row()
            before = row.lifecycle.gates
            after = {**before, stage: change(before.get(stage, []))}
            gates = {name: each for name, each in after.items() if each}
            changed = msgspec.structs.replace(row.lifecycle, gates=gates)
            draft.facts.update(told)
            desk.folder.put_own(msgspec.structs.replace(row, lifecycle=changed))
        return
    assert model is not None
    if new_model:
        desk.ready()
    database = desk.folder.model_to_write(model) if new_model else desk.model(model)
    desk.ready()
    with desk.transaction(database, kind, reason=reason, message=message) as draft:
        now = database.row(gating.TABLE, stage, GatesRow) or GatesRow()
        rules_after = change(now.rules)
        if rules_after == now.rules:
            return
        draft.facts.update(told)
        desk.folder.refuse_twin(model, bookkeeping.brief(database, draft, new_model=model))
        database.put(gating.TABLE, stage, GatesRow(rules=rules_after) if rules_after else None)


def required(desk: Desk, model: str | None, stage: str | None = None) -> list[RequiredGate]:
    """The gates of a model's stages, those of all models first; see `Registry.gates`."""
    if stage is not None:
        lifecycle.check_held(desk.lifecycle, stage)
    stages = [stage] if stage is not None else lifecycle.held(desk.lifecycle)
    return [each for one in stages for each in _listed(desk, model, one)]


def _listed(desk: Desk, model: str | None, stage: str) -> Iterator[RequiredGate]:
    everywhere = _rules(desk, None, stage)
    own = [] if _is_everywhere(model) else _rules(desk, model, stage)
    for scope, found in ((EVERYWHERE, everywhere), (model or "", own)):
        for each in found:
            yield RequiredGate(
                stage=stage, gate=gating.spelled(each), scope=scope, unavailable=gating.unavailable(each)
            )


# protected aliases


def protect(desk: Desk, model: str, alias: str, *, reason: str, message: str) -> None:
    """Let an alias move by force alone; see `Registry.protect`."""
    alias = check_version_name(alias, desk.stages, what="alias")
    data = desk.model(model)
    desk.ready()
    with desk.transaction(data, "alias-protected", reason=reason, message=message) as draft:
        if data.row("names", alias, Pointer) is not None:
            raise NameTakenError(
                f"{alias!r} is the name of a version of {model!r}", hint="names and aliases differ"
            )
        if not bookkeeping.is_protected(data, alias):
            mine = Protection(by=desk.actor.user, at=draft.at, reason=draft.reason)
            draft.facts["alias"] = alias
            bookkeeping.brief(data, draft)
            data.put(bookkeeping.PROTECTED, alias, mine)


def unprotect(desk: Desk, model: str, alias: str, *, reason: str, message: str) -> None:
    """Let an alias move freely again; see `Registry.unprotect`."""
    if not isinstance(reason, str) or not reason.strip():
        raise BadInputError("unprotecting an alias needs a reason", hint=option("reason", "WHY"))
    alias = check_version_name(alias, desk.stages, what="alias")
    data = desk.model(model)
    desk.ready()
    with desk.transaction(data, "alias-unprotected", reason=reason, message=message) as draft:
        if not bookkeeping.is_protected(data, alias):
            known = data.ids(bookkeeping.PROTECTED)
            raise UnknownVersionError(
                f"{model!r} has no protected alias {alias[:80]!r}", hint=did_you_mean(alias, known)
            )
        draft.facts["alias"] = alias
        bookkeeping.brief(data, draft)
        data.put(bookkeeping.PROTECTED, alias, None)


def protected(desk: Desk, model: str) -> dict[str, Protection]:
    """The protected aliases of a model, with who protected them and why."""
    database = desk.model(model)
    found = (
        (alias, database.row(bookkeeping.PROTECTED, alias, Protection))
        for alias in sorted(database.ids(bookkeeping.PROTECTED))
    )
    return {alias: row for alias, row in found if row is not None}
