"""`register`, `update`, `set-alias` …: versions made of files, and what may change of a version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from nbreg.cli.base import Answer, Family, argument, why
from nbreg.cli.kinds import ALIAS, DRAFT, MODEL, REF, RUN, STAGE, as_object, no_variable
from nbreg.cli.looking import document
from nbreg.errors import BadInputError
from nbreg.words import existing_file, metrics, named_files, params, pieces, substitution

if TYPE_CHECKING:
    from nbreg.registry import ModelVersion, Registry

family = Family("Register and describe")

_METRICS: Final[dict[str, Any]] = {"metavar": "auc=0.9,…", "multiple": True, "help": "finite numbers"}
_TAGS: Final[dict[str, Any]] = {"metavar": "a,b", "multiple": True, "help": "keywords"}


@family.command(
    "nbreg register churn model.onnx --metrics auc=0.91 --stage staging",
    "nbreg register churn runs:/01a2154b66f0/model --tags nightly",
    "nbreg register churn exported/ --version 2.0.0 --artifacts card=README.md",
    "nbreg register churn model.onnx --data train=train.parquet,test=test.parquet",
    "nbreg register '{team}_churn' model.onnx --sub team=A",
    "nbreg register churn --draft 2",
    opens="any",
)
@argument("model", MODEL, "name of the model, for example churn or risk/churn")
@argument("source", click.Path(), "a file, a folder, or runs:/ID/NAME", required=False)
@click.option("--version", metavar="V", help="name of the version; default: the next one")
@click.option("--bump", type=click.Choice(["auto", "major", "minor", "patch"]), help="which number goes up")
@click.option("--from", "base", type=REF, metavar="REF", help="the version to count on from")
@click.option("--stage", type=STAGE, metavar="S", help="stage to begin in")
@click.option("--description", default="", metavar="TEXT", help="what this version is")
@click.option("--tags", **_TAGS)
@click.option("--metrics", **_METRICS)
@click.option("--params", metavar="lr=0.1,…", multiple=True, help="the settings it was trained with")
@click.option("--content", metavar="JSON", help="what else you want to keep with it, as a JSON object")
@click.option(
    "--artifacts", metavar="name=path,…", multiple=True, help="more files; of a run the names that it logged"
)
@click.option(
    "--data", metavar="name=path,…", multiple=True, help="files of data it was trained on; not stored"
)
@click.option("--sub", metavar="team=A", multiple=True, help="what {team} in names stands for")
@click.option("--run", type=RUN, metavar="ID", help="the run that produced it")
@click.option("--parent", type=REF, metavar="REF", help="the version that it was derived from")
@click.option("--draft", type=DRAFT, metavar="N", help="a draft, by its number in `nbreg drafts`")
@click.option("--preview", is_flag=True, help="show what would be stored, and store nothing")
@click.option("--new", is_flag=True, help="a version even if equal content is registered")
@click.option("--force", is_flag=True, help="take a name that is taken; needs --reason")
@click.option("--git-tag", metavar="TAG", is_flag=False, flag_value="", help="tag the commit; MODEL-vNAME")
@click.option("--allow-dirty", is_flag=True, help="--git-tag despite uncommitted changes")
@click.option("--allow-secrets", is_flag=True, help="store bytes that look like a secret")
@why
def register(
    registry: Registry,
    model: str,
    source: str | None,
    draft: int | None,
    preview: bool,
    artifacts: tuple[str, ...],
    data: tuple[str, ...],
    sub: tuple[str, ...],
    **given: Any,
) -> Answer:
    """Make a new version of a file, a folder or what a run logged.

    Equal content gives the version that is there already. The bytes are stored as they are, and
    nothing of them is run.
    """
    given["bump"] = None if given["bump"] == "auto" else given["bump"]
    given["tags"] = pieces(given["tags"])
    given["git_tag"] = given["git_tag"] is not None and (given["git_tag"] or True)
    given["metrics"] = metrics(given["metrics"], no_variable("--metrics"), variables=False)
    given["params"] = params(given["params"], no_variable("--params"))
    given["content"] = as_object("--content", given["content"])
    given["data"] = named_files("--data", data) or None
    given["substitutions"] = substitutions = dict(map(substitution, sub))
    from nbreg.names import refuse_unused  # --help needs no records

    refuse_unused(substitutions, model, given["version"])
    given["artifacts"] = _artifacts(artifacts, logged=(source or "").startswith("runs:/"))
    if draft is not None and (source or preview):
        raise BadInputError(
            "a draft is registered as it was kept", hint="--draft without SOURCE and --preview"
        )
    value = registry.draft(draft) if draft is not None else _source(source)
    if preview:
        shown = registry.preview(model, value, **given)
        return Answer(repr(shown), shown)
    return _made(registry.register(model, value, **given))


def _made(made: ModelVersion) -> Answer:
    from nbreg.registry.offering import model_near

    if near := model_near(made):
        click.echo(f"nbreg: {near}", err=True)
    told = "was here already" if made.existing else made.bump_reason or "is registered"
    text = f"{made.ref} (#{made.number}) {told}"
    return Answer(text, {"model": made.model, "existing": made.existing, **document(made)})


def _source(source: str | None) -> str | Path | None:
    if source is None or source.startswith("runs:/"):
        return source
    return existing_file(source)


def _artifacts(given: tuple[str, ...], *, logged: bool) -> list[str] | dict[str, Path] | None:
    """Names of what a run logged, or files by name; a file without one has that of the file."""
    found = pieces(given)
    if logged or not found:
        return found or None
    return named_files("--artifacts", given)


@family.command(
    "nbreg define churn version.json",
    "nbreg define churn version.json --stage staging --reason Nightly",
    opens="any",
)
@argument("model", MODEL, "name of the model, for example churn or risk/churn")
@argument("file", click.Path(), "a JSON file with the words of `register`, and paths under `files`")
@click.option("--stage", type=STAGE, metavar="S", help="stage to begin in")
@click.option("--new", is_flag=True, help="a version even if equal content is registered")
@click.option("--force", is_flag=True, help="take a name that is taken; needs --reason")
@why
def define(registry: Registry, model: str, file: str, new: bool, force: bool, **given: Any) -> Answer:
    """Make a new version that a JSON file describes.

    What is given here wins over what the file says. Paths in it are read from its folder.
    """
    said = {name: value for name, value in given.items() if value}
    return _made(registry.define(model, existing_file(file), new=new, force=force, **said))


@family.command(
    "nbreg update churn@3 --description 'trained on all of 2026'",
    "nbreg update churn@3 --tags reviewed,eu --metrics latency_ms=12",
)
@argument("ref", REF, "the version")
@click.option("--description", metavar="TEXT", help="what this version is")
@click.option("--tags", **{**_TAGS, "help": "replace the keywords; '' for none"})
@click.option("--metrics", **{**_METRICS, "help": "more of them; those that are there stay"})
@click.option("--content", metavar="JSON", help="replace the content, by a JSON object")
@why
def update(
    registry: Registry,
    ref: str,
    description: str | None,
    tags: tuple[str, ...],
    content: str | None,
    **given: Any,
) -> Answer:
    """Change what may change of a version; what is not given stays."""
    if description is None and content is None and not tags and not given["metrics"]:
        raise BadInputError(
            "there is nothing to change", hint="--description, --tags, --metrics or --content"
        )
    given["metrics"] = metrics(given["metrics"], no_variable("--metrics"), variables=False) or None
    changed = registry.update(
        ref,
        description=description,
        tags=pieces(tags) if tags else None,
        content=as_object("--content", content),
        **given,
    )
    return Answer(
        f"{changed.ref} (#{changed.number}) is changed", {"model": changed.model, **document(changed)}
    )


@family.command("nbreg set-alias churn@3 champion")
@argument("ref", REF, "the version")
@argument("alias", str, "the alias")
@click.option("--force", is_flag=True, help="one that is protected, too; needs --reason")
@why
def set_alias(registry: Registry, ref: str, alias: str, force: bool, reason: str, message: str) -> Answer:
    """Point an alias at one version."""
    version = registry.set_alias(ref, alias, force=force, reason=reason, message=message)
    told = {"ref": version.ref, "aliases": sorted(version.aliases)}
    return Answer(f"{version.model}@{alias} is {version.ref} (#{version.number})", told)


@family.command("nbreg drop-alias churn champion")
@argument("model", MODEL, "the model")
@argument("alias", ALIAS, "the alias")
@click.option("--force", is_flag=True, help="one that is protected, too; needs --reason")
@why
def drop_alias(registry: Registry, model: str, alias: str, force: bool, reason: str, message: str) -> Answer:
    """Take an alias away."""
    registry.drop_alias(model, alias, force=force, reason=reason, message=message)
    return Answer(f"{model} has no alias {alias} any more", {"model": model, "alias": alias})
