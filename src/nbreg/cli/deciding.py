"""`route`, `split`, `set-split`, `who-decided`, `decided-by`: which version answers whom, and which did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nbreg.cli.base import Answer, Family, argument, why
from nbreg.cli.kinds import MODEL, REF
from nbreg.errors import BadInputError, option

if TYPE_CHECKING:
    from nbreg.records import SplitRow
    from nbreg.registry import Registry

family = Family("Share out traffic, and find who decided")


@family.command("nbreg route churn customer-4711")
@argument("model", MODEL, "the model")
@argument("key", str, "whoever asks, such as a customer's number")
def route(registry: Registry, model: str, key: str) -> Answer:
    """Print the version that answers for a key, by the model's split."""
    version = registry.route(model, key=key)
    return Answer(version.ref, {"ref": version.ref, "number": version.number, "id": version.id})


@family.command("nbreg split churn")
@argument("model", MODEL, "the model")
def split(registry: Registry, model: str) -> Answer:
    """Show how a model's traffic is shared out."""
    row = registry.split(model)
    return Answer(_told(model, row), row)


@family.command(
    "nbreg set-split churn production=90 staging=10 --reason ABTest",
    "nbreg set-split churn --end --reason ABTestOver",
)
@argument("model", MODEL, "the model")
@argument("shares", str, "REF=SHARE …, 1 or 100 in all", nargs=-1, required=False)
@click.option("--end", is_flag=True, help="there is no split any more")
@why
def set_split(
    registry: Registry, model: str, shares: tuple[str, ...], end: bool, reason: str, message: str
) -> Answer:
    """Share out a model's traffic; servers that route without weights of their own follow at once."""
    if end == bool(shares):
        raise BadInputError("there are no shares", hint=f"production=90 staging=10, or {option('end')}")
    weights = None if end else dict(_share(each) for each in shares)
    row = registry.set_split(model, weights, reason=reason, message=message)
    return Answer(_told(model, row), row)


def _share(text: str) -> tuple[str, float]:
    ref, _, share = text.rpartition("=")
    try:
        return ref, float(share)
    except ValueError:
        raise BadInputError(f"{text!r} is no share", hint="production=90") from None


def _told(model: str, row: SplitRow | None) -> str:
    if row is None:
        return "no split"
    return ", ".join(f"{model}@{ref} {share:.4%}".replace(".0000", "") for ref, share in row.weights.items())


@family.command(
    "nbreg who-decided complaint.csv --model churn",
    """nbreg who-decided '{"age": 36, "plan": "pro"}' --since 2026-02-09 --json""",
)
@argument("rows", str, "a CSV or JSON file, or JSON itself")
@click.option("--model", type=MODEL, metavar="MODEL", help="default: all models")
@click.option("--since", metavar="DATE", help="2026-02-09 or 2026-02-09T10:00Z")
def who_decided(registry: Registry, rows: str, model: str | None, since: str | None) -> Answer:
    """Show which version decided about each row: when, for whom, in which stage it was.

    A column of a CSV file is numbers if all of it is. What the version does not take is passed over. The
    exit code is 1 where some decisions could not be searched.
    """
    from nbreg.registry.serving import rowfiles

    found = registry.who_decided(rowfiles.read(rows), model, since=since)
    return Answer(repr(found), found, not found.unread)


@family.command("nbreg decided-by churn@production", "nbreg decided-by churn@3 --limit 500 --json")
@argument("ref", REF, "the version")
@click.option(
    "--limit",
    type=click.IntRange(0, 10_000),
    default=20,
    metavar="N",
    help="no more than N; default: 20",
)
def decided_by(registry: Registry, ref: str, limit: int) -> Answer:
    """Show how much a version decided since when, and its newest answers.

    Which rows an answer was about cannot be read from it; who-decided finds a row that is given. The exit
    code is 1 where some answers could not be read.
    """
    found = registry.decided_by(ref, limit=limit)
    return Answer(repr(found), found, not found.unread)
