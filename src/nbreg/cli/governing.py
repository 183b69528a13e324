"""`require`, `request`, `approve` …: what has to hold before a version moves, and who agrees."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from nbreg.cli.base import Answer, Family, argument, why
from nbreg.cli.kinds import MODEL, REF, STAGE, Known
from nbreg.cli.moving import told_move

if TYPE_CHECKING:
    from nbreg.records import PromotionRequest, RequiredGate
    from nbreg.registry import Registry

family = Family("Say what is required, ask and approve")


def _open_requests(registry: Registry, typed: str, ctx: click.Context) -> Iterable[str]:
    return (each.id for each in registry.requests(state="open"))


def _required(registry: Registry, typed: str, ctx: click.Context) -> Iterable[str]:
    return (each.gate for each in registry.gates(ctx.params["model"], ctx.params["stage"]))


def _named_rules(registry: Registry, typed: str, ctx: click.Context) -> Iterable[str]:
    from nbreg.rules import NAMES

    return NAMES


def _states(registry: Registry, typed: str, ctx: click.Context) -> Iterable[str]:
    from nbreg.registry.stages.requesting import STATES

    return STATES


def _protected(registry: Registry, typed: str, ctx: click.Context) -> Iterable[str]:
    return registry.protected(ctx.params["model"])


REQUEST = Known("request", _open_requests)
GATE = Known("gate", _required)
RULE = Known("gate", _named_rules)
STATE = Known("state", _states)
PROTECTED = Known("alias", _protected)
_REQUEST = "for example churn:r3, as `nbreg requests` lists it"
_SCOPE = "the model, or '*' for all models"


@family.command(
    "nbreg require churn production 'metrics.auc > 0.9' proven 'not_worse(\"auc\", tolerance=0.01)'",
    "nbreg require '*' production message_required 'approved(2)' --reason Policy",
    "nbreg require churn production ourteam.gates:no_regression",
    "nbreg require fraud production proven --new-model",
    opens="any",
)
@argument("model", MODEL, _SCOPE)
@argument("stage", STAGE, "the stage")
@argument("gates", RULE, "queries, rules or functions", nargs=-1, required=True, metavar="GATE…")
@click.option("--new-model", is_flag=True, help="of a model that has no version yet")
@why
def require(
    registry: Registry,
    model: str,
    stage: str,
    gates: tuple[str, ...],
    new_model: bool,
    reason: str,
    message: str,
) -> Answer:
    """Require gates before a version comes into a stage; of everybody, in the registry itself."""
    from nbreg.registry.offering import metrics_missing

    there = registry.require(model, stage, *gates, new_model=new_model, reason=reason, message=message)
    answer = _gates(there, stage)
    missing = metrics_missing(registry, None if model == "*" else model, gates)
    return answer._replace(text="\n".join([answer.text, *missing]))


@family.command("nbreg drop-gate churn production proven --reason TooSlow")
@argument("model", MODEL, _SCOPE)
@argument("stage", STAGE, "the stage")
@argument("gate", GATE, "as `nbreg gates` lists it")
@why
def drop_gate(registry: Registry, model: str, stage: str, gate: str, reason: str, message: str) -> Answer:
    """Require a gate no longer; that needs --reason."""
    return _gates(registry.drop_gate(model, stage, gate, reason=reason, message=message), stage)


@family.command("nbreg gates churn", "nbreg gates churn production", "nbreg gates")
@argument("model", MODEL, "default: what holds for all models", required=False)
@argument("stage", STAGE, "default: all stages", required=False)
def gates(registry: Registry, model: str | None, stage: str | None) -> Answer:
    """List what is required before a version comes into a stage, and what cannot be asked here."""
    return _gates(registry.gates(model, stage), model or "required of all models")


def _gates(found: list[RequiredGate], title: str) -> Answer:
    from nbreg.display import GateTable

    return Answer(repr(GateTable(found, title=title)), found)


@family.command("nbreg request churn@3 production --message 'two weeks, +3 %'")
@argument("ref", REF, "the version")
@argument("stage", STAGE, "where it is to go")
@why
def request(registry: Registry, ref: str, stage: str, reason: str, message: str) -> Answer:
    """Ask the others that a version come into a stage; nothing is moved yet."""
    return _request(registry.request(ref, stage, reason=reason, message=message))


@family.command("nbreg requests --state open", "nbreg requests churn")
@argument("model", MODEL, "default: all models", required=False)
@click.option("--state", type=STATE, metavar="S", help="open, stale, promoted, rejected or withdrawn")
def requests(registry: Registry, model: str | None, state: str | None) -> Answer:
    """List what was asked for, newest first."""
    from nbreg.display import RequestTable

    found = registry.requests(model, state)
    return Answer(repr(RequestTable(found, title=model or "")), found)


@family.command("nbreg approve churn:r3 --message 'looked at the rows'")
@argument("request", REQUEST, _REQUEST)
@why
def approve(registry: Registry, request: str, reason: str, message: str) -> Answer:
    """Agree to a request; it is promoted as soon as it passes all that the stage requires."""
    done = registry.approve(request, reason=reason, message=message)
    if done.state != "promoted":
        return _request(done)
    moved = told_move(registry.get(f"{done.model}@{done.version}"), "")
    return Answer(moved.text, done)


@family.command("nbreg reject churn:r3 --message 'the probe moved'")
@argument("request", REQUEST, _REQUEST)
@why
def reject(registry: Registry, request: str, reason: str, message: str) -> Answer:
    """Say no to a request, which ends it."""
    return _request(registry.reject(request, reason=reason, message=message))


@family.command("nbreg withdraw churn:r3")
@argument("request", REQUEST, _REQUEST)
@why
def withdraw(registry: Registry, request: str, reason: str, message: str) -> Answer:
    """Take back what you have asked for."""
    return _request(registry.withdraw(request, reason=reason, message=message))


def _request(made: PromotionRequest) -> Answer:
    from nbreg.display import told_request

    return Answer(told_request(made), made)


@family.command("nbreg protect churn champion --reason Serving")
@argument("model", MODEL, "the model")
@argument("alias", str, "the alias, which need not be there yet")
@why
def protect(registry: Registry, model: str, alias: str, reason: str, message: str) -> Answer:
    """Let an alias be set or dropped only with --force and --reason."""
    registry.protect(model, alias, reason=reason, message=message)
    return Answer(f"{alias} of {model} is protected", {"model": model, "alias": alias})


@family.command("nbreg unprotect churn champion --reason Moved")
@argument("model", MODEL, "the model")
@argument("alias", PROTECTED, "the alias")
@why
def unprotect(registry: Registry, model: str, alias: str, reason: str, message: str) -> Answer:
    """Let a protected alias move freely again; that needs --reason."""
    registry.unprotect(model, alias, reason=reason, message=message)
    return Answer(f"{alias} of {model} is protected no longer", {"model": model, "alias": alias})


@family.command("nbreg protected churn")
@argument("model", MODEL, "the model")
def protected(registry: Registry, model: str) -> Answer:
    """List the protected aliases of a model."""
    from nbreg.display.text import grid

    found = registry.protected(model)
    rows = [[alias, row.by, row.at[:10], row.reason] for alias, row in found.items()]
    table = grid(["alias", "by", "since", "reason"], rows, [False] * 4) if rows else "no protected aliases"
    return Answer(table, found)
