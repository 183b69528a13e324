"""`runs`, `drafts`: what was trained, and what of it nobody registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nbreg.cli.base import Answer, Family, argument
from nbreg.cli.kinds import DRAFT, REF, RUN, limit

if TYPE_CHECKING:
    from nbreg.registry import Registry

family = Family("Look at what was trained")


@family.command(
    "nbreg runs --experiment churn --sort=-metrics.auc",
    "nbreg runs --query 'metrics.auc > 0.9 and params.C < 1'",
    "nbreg runs 01a2154b66f0",
)
@argument("run", RUN, "8 digits of it or more: all there is to say about it", metavar="ID", required=False)
@click.option("--query", metavar="Q", help="for example 'metrics.auc > 0.9 and params.C < 1'")
@click.option("--experiment", metavar="E", help="those of one experiment")
@click.option("--state", metavar="S", help="running, finished, failed or interrupted")
@click.option("--sort", metavar="BY", help="metrics.auc, params.C, name …; --sort=-metrics.auc descends")
@limit
@click.option("--deleted", is_flag=True, help="those that are deleted, too")
def runs(registry: Registry, run: str | None, query: str | None, **listed: Any) -> Answer:
    """List runs side by side, or tell all of one."""
    from nbreg.display import RunTable, run_bundle
    from nbreg.registry.offering import why_no_run

    if run is not None:
        record = registry.run(run).record
        return Answer(run_bundle(record)["text/plain"], record)
    records = [each.record for each in registry.runs(query, **listed)]
    chosen = bool(query or listed["experiment"] or listed["state"])
    why = "" if records else why_no_run(registry, query)
    return Answer(repr(RunTable(records, chosen=chosen, why_empty=why)), records)


@family.command(
    "nbreg run train.ipynb -p C 0.5 -p since 2026-02-01 --output out.ipynb",
    "nbreg run train.ipynb --when-drifted churn@production live.parquet",
    "nbreg run train.ipynb --cell-seconds 3600 --json",
    opens="any",
)
@argument("notebook", click.Path(), "the notebook; it stays as it is", metavar="NOTEBOOK")
@click.option(
    "-p",
    "--parameter",
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="of the cell that is tagged `parameters`; as JSON, else text",
)
@click.option("--output", type=click.Path(), metavar="FILE", help="where to write the executed notebook")
@click.option("--cell-seconds", type=float, metavar="S", help="the longest that a cell may take")
@click.option(
    "--when-drifted",
    type=(REF, click.Path()),
    default=None,
    metavar="REF FILE",
    help="only if live data has drifted from that of a version",
)
def run(
    registry: Registry,
    notebook: str,
    parameters: tuple[tuple[str, str], ...],
    output: str | None,
    cell_seconds: float | None,
    when_drifted: tuple[str, str] | None,
) -> Answer:
    """Execute a notebook in a fresh kernel; exit code 1 if a cell fails, or its promotion is refused."""
    from nbreg import jobs
    from nbreg.display import EventTable
    from nbreg.records import short_run
    from nbreg.words import existing_file

    given = {name: jobs.parameter(value) for name, value in parameters}
    live = None if when_drifted is None else (when_drifted[0], existing_file(when_drifted[1]))
    job = jobs.run(
        notebook, given, registry=registry, output=output, cell_seconds=cell_seconds, when_drifted=live
    )
    if not job.run:
        return Answer(f"{job.data_drift!r}\n{notebook} was not run", job)
    at = f"failed in code cell {job.cell}" if job.cell else "did not begin"
    how = "ran to its end" if job.ok else f"{at}: {job.error}"
    made = repr(EventTable(job.events)) if job.events else "nothing was registered or moved"
    where = [f"the executed notebook is {output}"] if output else []
    drift = [repr(job.data_drift)] if job.data_drift else []
    ran = f"{notebook} {how} · run {short_run(job.run)}"
    return Answer("\n".join([*drift, ran, made, *where]), job, job.ok)


@family.command("nbreg delete-run 01a2154b66f0 --reason WrongData")
@argument("run", RUN, "8 digits of it or more", metavar="ID")
@click.option("--reason", default="", metavar="WORD", help="why, in a short word for machines")
def delete_run(registry: Registry, run: str, reason: str) -> Answer:
    """Hide a run, restorably; `nbreg purge` removes it after the retention time."""
    from nbreg.records import short_run

    record = registry.delete_run(run, reason).record
    return Answer(f"the run {short_run(record.id)} is deleted; `nbreg restore-run` brings it back", record)


@family.command("nbreg restore-run 01a2154b66f0")
@argument("run", RUN, "8 digits of it or more", metavar="ID")
def restore_run(registry: Registry, run: str) -> Answer:
    """Bring a deleted run back."""
    from nbreg.records import short_run

    record = registry.restore_run(run).record
    return Answer(f"the run {short_run(record.id)} is back", record)


@family.command("nbreg drafts", "nbreg drafts --drop 2", "nbreg register churn --draft 2")
@click.option("--drop", type=DRAFT, metavar="N", help="forget that draft")
def drafts(registry: Registry, drop: int | None) -> Answer:
    """List what was trained and not registered; newest first, of this project's notebooks."""
    from nbreg.display import DraftTable

    if drop is not None:
        registry.draft(drop).remove()
    records = [draft.record for draft in registry.drafts()]
    return Answer(repr(DraftTable(records)), records)
