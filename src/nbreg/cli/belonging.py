"""`datasets`, `deploy`, `link`, `audit` …: what models hang together with, and whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nbreg.cli.base import Answer, Family, argument, why
from nbreg.cli.kinds import DATASET, MODEL, PLACE, REF, Words
from nbreg.errors import BadInputError

if TYPE_CHECKING:
    from nbreg.registry import Registry

family = Family("Data, links, deployments, audits")


@family.command("nbreg lineage churn@production")
@argument("ref", REF, "the version")
def lineage(registry: Registry, ref: str) -> Answer:
    """Show where a version comes from and what became of it."""
    found = registry.lineage(ref)
    return Answer(repr(found), found)


@family.command("nbreg audit churn -o churn.html", "nbreg audit churn -o churn.md --no-verify")
@argument("model", MODEL, "the model")
@click.option("--output", "-o", type=click.Path(), metavar="FILE", help="an .html or .md file to write")
@click.option("--verify/--no-verify", default=True, help="read and check every byte first; the default")
@click.option("--overwrite", is_flag=True, help="replace the file if it is there")
def audit(registry: Registry, model: str, output: str | None, verify: bool, overwrite: bool) -> Answer:
    """Tell all that is recorded of a model: who, when, why, evidence, and what it does not prove.

    Exit code 1 where the check found something wrong; the report is written all the same.
    """
    told = registry.audit(model, output, verify=verify, overwrite=overwrite)
    text = "\n".join([repr(told), *([f"  written: {output}"] if output else [])])
    return Answer(text, told, told.verified is None or told.verified.ok)


# data


@family.command("nbreg datasets", "nbreg datasets customers")
@argument("name", DATASET, "the versions of this one; default: the newest of each", required=False)
def datasets(registry: Registry, name: str | None) -> Answer:
    """List the data sets that were named: content, first seen when and by whom, where from."""
    from nbreg.display.belonging import DatasetTable
    from nbreg.registry.belonging.datasets import as_facts

    found = registry.dataset(name).history if name else registry.datasets()
    records = [each.record for each in found]
    how = "no data set was named yet; `nbreg register-dataset NAME PATH` names one"
    return Answer(repr(DatasetTable(records)) if records else how, [as_facts(each) for each in records])


@family.command("nbreg dataset customers@2")
@argument("ref", DATASET, "the data set, as customers or customers@2")
def dataset(registry: Registry, ref: str) -> Answer:
    """Show one version of a data set, and the versions of models that used it."""
    from nbreg.display.belonging import DatasetTable
    from nbreg.registry.belonging.datasets import as_facts

    found = registry.dataset(ref)
    used = [each.ref for each in found.versions]
    told = f"used by {', '.join(used)}" if used else "no version used it"
    return Answer(f"{DatasetTable([found.record])!r}\n{told}", {**as_facts(found.record), "versions": used})


@family.command(
    "nbreg register-dataset customers data/customers.parquet --origin s3://lake/customers", opens="any"
)
@argument("name", DATASET, "the data set")
@argument("path", click.Path(), "a file or a folder, which is digested and not stored")
@click.option("--origin", default="", metavar="TEXT", help="where it comes from: a path, a URL, a query")
@why
def register_dataset(registry: Registry, name: str, path: str, **told: Any) -> Answer:
    """Give a file of data a name and a version, by its content."""
    from nbreg.registry.belonging.datasets import as_facts
    from nbreg.words import existing_file

    made = registry.register_dataset(name, existing_file(path), **told)
    return Answer(f"{made.ref} · snapshot sha256:{made.snapshot[:12]}", as_facts(made.record))


@family.command("nbreg trained-on customers@2", "nbreg trained-on sha256:9f2c41d0")
@argument("data", DATASET, "a data set, or the digest of a snapshot")
def trained_on(registry: Registry, data: str) -> Answer:
    """List the versions of all models that used some data."""
    found = [each.ref for each in registry.trained_on(data)]
    return Answer("\n".join(found) or "no version used it", found)


@family.command("nbreg feature-sets churn")
@argument("model", MODEL, "default: all models", required=False)
def feature_sets(registry: Registry, model: str | None) -> Answer:
    """List the feature sets of a model, newest first."""
    from nbreg.display.belonging import FeatureSetTable

    found = registry.feature_sets(model)
    how = "no version has features that are known; `nbreg register MODEL FILE --data train=PATH` tells them"
    return Answer(repr(FeatureSetTable(found)) if found else how, found)


# links


@family.command("nbreg links churn@3")
@argument("ref", REF, "the version")
def links(registry: Registry, ref: str) -> Answer:
    """List what outside belongs to a version."""
    return _links(registry, ref)


@family.command(
    "nbreg link churn@3 https://jira.example.org/browse/CHURN-12 --kind ticket --title 'Retrain for Q3'"
)
@argument("ref", REF, "the version")
@argument("target", str, "a URL, or words")
@click.option("--kind", default="document", metavar="WORD", help="ticket, report, business case …")
@click.option("--title", default="", metavar="TEXT", help="what it is called")
@why
def link(registry: Registry, ref: str, target: str, **told: Any) -> Answer:
    """Tie a ticket, a report or a business case to a version."""
    registry.get(ref).link(target, **told)
    return _links(registry, ref)


@family.command("nbreg unlink churn@3 1")
@argument("ref", REF, "the version")
@argument("target", str, "the link's target or id")
@why
def unlink(registry: Registry, ref: str, target: str, reason: str, message: str) -> Answer:
    """Take a link away; the journal still tells of it."""
    registry.get(ref).unlink(target, reason=reason, message=message)
    return _links(registry, ref)


def _links(registry: Registry, ref: str) -> Answer:
    from nbreg.display.belonging import LinkTable
    from nbreg.registry.belonging.links import as_plain

    found = registry.get(ref).links
    return Answer(repr(LinkTable(found)), as_plain(found))


# deployments


@family.command("nbreg deployments", "nbreg deployments churn --ended")
@argument("model", MODEL, "default: all models", required=False)
@click.option("--ended", is_flag=True, help="those that are over, too; newest first")
def deployments(registry: Registry, model: str | None, ended: bool) -> Answer:
    """List what is at work where, as it was reported; and where production is another version."""
    from nbreg.display.belonging import DeploymentTable

    found = registry.deployments(model, ended=ended)
    models = {each.model for each in found}
    stage = registry.serving
    holders = {row.name: row.stages[stage] for row in registry.models() if stage in row.stages}
    told = {name: holders[name] for name in models & set(holders)}
    table = DeploymentTable(found, holders=told, stage=stage)
    return Answer(repr(table), found)


@family.command(
    "nbreg deploy churn@production prod-eu --url https://churn.example.org --reason Release",
    "nbreg deploy churn@4 prod-eu --alongside",
)
@argument("ref", REF, "the version")
@argument("where", PLACE, "the place, in a word of yours")
@click.option("--url", default="", metavar="URL", help="where it answers")
@click.option("--status", default="serving", metavar="S", help="pending, serving (the default) or failed")
@click.option("--alongside", is_flag=True, help="what is there stays; default: it ends")
@why
def deploy(registry: Registry, ref: str, where: str, **told: Any) -> Answer:
    """Record that a version is at work somewhere; nbreg itself deploys nothing."""
    made = registry.deploy(ref, where, **told)
    pinned = f"{made.model}@sha256:{made.version_id[:16]}"
    return Answer(f"{made.where}: {made.status} {made.model} #{made.number} · pinned {pinned}", made)


@family.command("nbreg undeploy churn@3 prod-eu --reason Replaced")
@argument("ref", REF, "the version")
@argument("where", PLACE, "the place")
@why
def undeploy(registry: Registry, ref: str, where: str, reason: str, message: str) -> Answer:
    """Record that a version is no longer at work somewhere."""
    over = registry.undeploy(ref, where, reason=reason, message=message)
    return Answer(f"{over.model} #{over.number} is no longer at {over.where}", over)


# owners


@family.command("nbreg about churn")
@argument("model", MODEL, "the model")
def about(registry: Registry, model: str) -> Answer:
    """Show whose a model is, who may see it, and what it is."""
    from nbreg.display.belonging import about_text

    found = registry.about(model)
    return Answer(about_text(model, found), found)


@family.command(
    "nbreg update-model churn --owners ada,team-risk --readers audit --visibility organisation",
    "nbreg update-model churn --readme README.md --reason Handover",
)
@argument("model", MODEL, "the model")
@click.option("--owners", metavar="a,b", multiple=True, help="replace the owners; '' for none")
@click.option("--editors", metavar="a,b", multiple=True, help="who may change versions; '' for none")
@click.option("--readers", metavar="a,b", multiple=True, help="who may look all the same; '' for none")
@click.option(
    "--visibility",
    type=Words("private", "organisation", "public"),
    metavar="V",
    help="who may look: private, organisation or public; a folder only records it",
)
@click.option("--description", metavar="TEXT", help="what it is, in a sentence or two")
@click.option("--readme", type=click.Path(), metavar="FILE", help="a file with more about it")
@why
def update_model(
    registry: Registry,
    model: str,
    owners: tuple[str, ...],
    editors: tuple[str, ...],
    readers: tuple[str, ...],
    readme: str | None,
    **told: Any,
) -> Answer:
    """Say whose a model is, who may do what, and what it is; what is not given stays."""
    from nbreg.display.belonging import about_text
    from nbreg.words import existing_file, pieces

    text = None
    if readme is not None:
        try:
            text = existing_file(readme).read_text("utf-8")
        except (UnicodeDecodeError, OSError) as error:
            raise BadInputError(
                f"{readme} is no text: {type(error).__name__}", hint="a file of UTF-8"
            ) from None
    named = {"owners": owners, "editors": editors, "readers": readers}
    people: dict[str, Any] = {part: pieces(names) for part, names in named.items() if names}
    changed = registry.update_model(model, readme=text, **people, **told)
    return Answer(about_text(model, changed), changed)
