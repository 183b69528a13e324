"""`promote`, `retire`, `rollback`: from stage to stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nbreg.cli.base import Answer, Family, argument, why
from nbreg.cli.kinds import MODEL, REF, STAGE

if TYPE_CHECKING:
    from nbreg.registry import ModelVersion, Registry

family = Family("Move versions from stage to stage")

force = click.option("--force", is_flag=True, help="past the gates of the stage; needs --reason")


@family.command("nbreg promote churn@3 production --reason ABTestWon --message 'two weeks, +3 %'")
@argument("ref", REF, "the version")
@argument("stage", STAGE, "default: one up, never past production", required=False)
@force
@why
def promote(
    registry: Registry, ref: str, stage: str | None, force: bool, reason: str, message: str
) -> Answer:
    """Move a version to a higher stage; the one that held it is archived."""
    before = registry.get(ref).stage
    return told_move(registry.promote(ref, stage, reason=reason, message=message, force=force), before)


@family.command("nbreg retire churn@2 --reason Superseded", "nbreg retire churn@2 development")
@argument("ref", REF, "the version")
@argument("stage", STAGE, "a lower stage; default: archived", required=False)
@click.option("--to", type=STAGE, metavar="STAGE", help="the same")
@force
@why
def retire(
    registry: Registry, ref: str, stage: str | None, to: str | None, force: bool, reason: str, message: str
) -> Answer:
    """Take a version out of use."""
    before, to = registry.get(ref).stage, stage or to
    return told_move(registry.retire(ref, to, reason=reason, message=message, force=force), before)


@family.command("nbreg rollback churn --reason ErrorRate", "nbreg rollback churn --to churn@3")
@argument("model", MODEL, "the model")
@click.option("--stage", type=STAGE, metavar="STAGE", help="default: production")
@click.option("--to", type=REF, metavar="REF", help="default: the one before")
@why
def rollback(
    registry: Registry, model: str, stage: str | None, to: str | None, reason: str, message: str
) -> Answer:
    """Give a stage back to the version that held it before."""
    return told_move(registry.rollback(model, stage, to=to, reason=reason, message=message), "")


def told_move(version: ModelVersion, before: str) -> Answer:
    """A move, from the journal's own line about it."""
    from nbreg import display

    row, last = version.row, version.last_event
    facts = last.facts if before != row.stage and last.number == row.number else {}
    text = display.told_move(version.model, row, facts, before=before)
    gates = {name: facts[name] for name in ("gates", "forced", "approved_by") if name in facts}
    return Answer(text, {"ref": version.ref, "stage": row.stage, **gates})
