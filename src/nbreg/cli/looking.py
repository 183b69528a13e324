"""`models`, `versions`, `get`, `search`, `events`, `diff` …: what is there, and how it differs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from nbreg.cli.base import Answer, Family, argument
from nbreg.cli.kinds import MODEL, QUERY, REF, limit

if TYPE_CHECKING:
    from nbreg.registry import ModelVersion, Registry

_WIDE: Final = 2000

family = Family("Look at models and versions")


def document(version: ModelVersion) -> dict[str, Any]:
    """A version's row as JSON."""
    from nbreg.records import as_doc

    return {**as_doc(version.row), "aliases": sorted(version.aliases)}


@family.command("nbreg models", "nbreg models --registry ../other/.nbreg --json")
def models(registry: Registry) -> Answer:
    """List the models."""
    from nbreg.display import ModelTable

    rows = registry.models()
    if not rows:
        return Answer("no models yet; `nbreg register NAME FILE` registers one", rows)
    return Answer(repr(ModelTable(rows)), rows)


@family.command("nbreg model churn")
@argument("model", MODEL, "the model")
def model(registry: Registry, model: str) -> Answer:
    """Show one model in brief: how many versions, the latest, who holds production."""
    from nbreg.display import ModelTable

    row = registry.model(model)
    return Answer(repr(ModelTable([row])), row)


@family.command(
    "nbreg versions churn --limit 10",
    "nbreg versions churn --query 'metrics.auc > 0.9' --sort=-metrics.auc",
)
@argument("model", MODEL, "the model")
@click.option("--query", metavar="Q", help=QUERY)
@click.option("--sort", metavar="FIELD", help="a field; --sort=-FIELD descends")
@limit
@click.option("--deleted", is_flag=True, help="those that are deleted, too")
def versions(registry: Registry, model: str, query: str | None, deleted: bool, **listed: Any) -> Answer:
    """List the versions of a model, newest first."""
    from nbreg.display import VersionTable
    from nbreg.registry.offering import why_no_version

    found = registry.versions(model, query, deleted=deleted, **listed)
    brief = registry.model(model)
    total = brief.versions + (brief.deleted if deleted else 0)
    rows, aliases = [each.row for each in found], registry.aliases(model)
    why = "" if found else why_no_version(registry, query, model)
    table = VersionTable(model, rows, aliases, total=total, why_empty=why)
    return Answer(repr(table), [document(version) for version in found])


@family.command("nbreg get churn@production", "nbreg get churn@3 --json")
@argument(
    "ref", REF, "churn@3, churn@1.2.0, churn@production, churn@champion, churn@latest or churn@sha256:…"
)
def get(registry: Registry, ref: str) -> Answer:
    """Show all there is to say about a version."""
    from nbreg.display import VersionDetail

    version = registry.get(ref)
    row = version.row
    manifest = None if row.purged else version.manifest
    detail = VersionDetail(
        version.model,
        row,
        manifest,
        aliases=version.aliases,
        proof=version.proof,
        links=version.links,
        deployments=version.deployments,
        data=version.datasets if manifest is not None else (),
    )
    told = {"model": version.model, **document(version), "manifest": manifest, "proof": version.proof}
    return Answer(repr(detail), told)


@family.command("""nbreg search 'stage == "production" and metrics.auc > 0.9'""")
@argument("query", str, QUERY)
@limit
@click.option("--deleted", is_flag=True, help="those that are deleted, too")
def search(registry: Registry, query: str, **listed: Any) -> Answer:
    """List the versions of all models that a query chooses."""
    from nbreg.display.text import brief, grid, pairs
    from nbreg.registry.offering import why_no_version

    found = registry.search(query, **listed)
    rows = [[brief(v.ref, 60), v.stage, brief(pairs(v.metrics), 60), v.row.created[:10]] for v in found]
    table = grid(["version", "stage", "metrics", "created"], rows, [False] * 4) if rows else ""
    return Answer(
        table or why_no_version(registry, query),
        [{"model": version.model, **document(version)} for version in found],
    )


@family.command("nbreg events churn --since 2026-02-09")
@argument("model", MODEL, "default: all models", required=False)
@click.option("--since", metavar="DATE", help="2026-02-09 or 2026-02-09T10:00Z")
@click.option("--limit", type=int, metavar="N", help="no more than N")
@click.option("--wide", is_flag=True, help="cut nothing, as where no terminal reads it")
def events(registry: Registry, model: str | None, since: str | None, limit: int | None, wide: bool) -> Answer:
    """List what happened, newest first: when, who, what and why."""
    from nbreg.display import EventTable

    found = registry.events(model, since=since, limit=limit)
    table = EventTable(found)
    if wide or not sys.stdout.isatty():
        table.widest = _WIDE  # which gates were passed over stands at the end
    return Answer(repr(table), found)


@family.command("nbreg diff churn@4", "nbreg diff churn@4 churn@production --all")
@argument("a", REF, "a version, for example churn@4")
@argument("b", REF, "default: the model's production, else its latest", required=False)
@click.option("--all", "everything", is_flag=True, help="what is the same, too")
def diff(registry: Registry, a: str, b: str | None, everything: bool) -> Answer:
    """Show what differs from B to A."""
    found: Any = registry.diff(a, b, everything=everything)
    return Answer(found.text(colour=_is_colourful(), typed=True), found)


def _is_colourful() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


@family.command("nbreg aliases churn")
@argument("model", MODEL, "the model")
def aliases(registry: Registry, model: str) -> Answer:
    """List a model's aliases, and the versions they point to."""
    from nbreg.display.text import grid

    found = registry.aliases(model)
    rows = [[alias, f"{model}@{number}"] for alias, number in sorted(found.items())]
    return Answer(grid(["alias", "version"], rows, [False] * 2) if rows else "no alias", found)


@family.command("nbreg pin churn@production", "nbreg pin churn@production > deployed-model.txt")
@argument("ref", REF, "the version")
def pin(registry: Registry, ref: str) -> Answer:
    """Print the reference that never moves."""
    pinned = registry.pin(ref)
    return Answer(pinned, {"ref": pinned})


@family.command("nbreg variables churn@3", "nbreg variables churn@3 threshold --json")
@argument("ref", REF, "the version")
@argument("names", str, "default: all that have a value", nargs=-1, required=False)
def variables(registry: Registry, ref: str, names: tuple[str, ...]) -> Answer:
    """Print recorded variables with the values that they had."""
    from nbreg.display.text import brief

    found = registry.variables(ref, *names)
    lines = [f"{name} = {brief(repr(value), 2000)}" for name, value in found.items()]
    return Answer("\n".join(lines) or "no variable with a value", _jsonable(found))


def _jsonable(values: dict[str, Any]) -> dict[str, Any]:
    """The values as JSON; what JSON has no word for as Python writes it."""
    import msgspec

    return {name: msgspec.to_builtins(value, enc_hook=repr, str_keys=True) for name, value in values.items()}


@family.command("nbreg drift churn@production", "nbreg drift churn@production --fail-on breaking")
@argument("ref", REF, "the version")
@click.option(
    "--fail-on",
    type=click.Choice(["breaking", "major", "minor"]),
    help="exit code 1 where a difference is as bad as that, or worse",
)
def drift(registry: Registry, ref: str, fail_on: str | None) -> Answer:
    """Show where this environment differs from a version's."""
    from nbreg.display import DriftTable

    found = registry.drift(ref)
    order = ("breaking", "major", "minor")
    bad = order[: order.index(fail_on) + 1] if fail_on else ()
    return Answer(repr(DriftTable(found)), found, not any(each.severity in bad for each in found))


@family.command(
    "nbreg data-drift churn@production live.parquet",
    "nbreg data-drift churn@production live.csv --threshold 0.2 --json",
)
@argument("ref", REF, "the version")
@argument("file", click.Path(), "live rows: a Parquet, CSV or JSON file")
@click.option("--threshold", type=float, default=0.25, metavar="PSI", help="drifted from there on; 0.25")
def data_drift(registry: Registry, ref: str, file: str, threshold: float) -> Answer:
    """Show how live data differs from the data that a version was trained on.

    Exit code 1 where it has drifted, or where that cannot be said. To train again only then:
    `nbreg run --when-drifted`.
    """
    from nbreg.words import existing_file

    found = registry.data_drift(ref, existing_file(file), threshold=threshold)
    return Answer(repr(found), found, found.verdict in ("stable", "moved"))
