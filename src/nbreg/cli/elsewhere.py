"""`copy`, `pull`, `export`, `import`, `merge` …: versions and what belongs to them, in another place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nbreg.cli.base import Answer, Family, argument, opened, why
from nbreg.cli.kinds import MODEL, QUERY, REF, Words
from nbreg.cli.looking import document
from nbreg.errors import BadInputError

if TYPE_CHECKING:
    from nbreg.registry import ModelVersion, Registry

family = Family("Take versions elsewhere")


@family.command("nbreg copy churn@3 churn-eu", "nbreg copy churn@3 --version 1.2.0-rc1")
@argument("ref", REF, "the version")
@argument("to", MODEL, "default: the same model", metavar="MODEL", required=False)
@click.option("--version", metavar="NAME", help="its name there; default: as it is called, and -copy")
@click.option("--force", is_flag=True, help="take a name that is taken; needs --reason")
@why
def copy(registry: Registry, ref: str, to: str | None, **given: Any) -> Answer:
    """Make the same version again, in its model or another one."""
    made = registry.copy(ref, to, **given)
    return Answer(f"{ref} is {made.ref} (#{made.number}) too", {"model": made.model, **document(made)})


@family.command("nbreg transfer churn@3 churn-eu --reason Reorganised")
@argument("ref", REF, "the version")
@argument("to", MODEL, "the model that it goes to", metavar="MODEL")
@click.option("--version", metavar="NAME", help="its name there; default: as it is called")
@why
def transfer(registry: Registry, ref: str, to: str, **given: Any) -> Answer:
    """Move a version to another model."""
    moved = registry.transfer(ref, to, **given)
    return Answer(f"{ref} is {moved.ref} (#{moved.number}) now", {"model": moved.model, **document(moved)})


@family.command(
    "nbreg pull churn@production model/",
    "nbreg pull churn all/ --all-versions --no-artifacts",
)
@argument("ref", REF, "a version, or with --all-versions or --query a model")
@argument("path", click.Path(), "the folder to write into", metavar="FOLDER")
@click.option("--no-artifacts", is_flag=True, help="what is recorded alone")
@click.option("--all-versions", is_flag=True, help="each below FOLDER, by number")
@click.option("--query", metavar="Q", help=QUERY)
@click.option("--overwrite", is_flag=True, help="replace files of the same names")
def pull(
    registry: Registry,
    ref: str,
    path: str,
    no_artifacts: bool,
    all_versions: bool,
    query: str | None,
    overwrite: bool,
) -> Answer:
    """Write versions into a folder as ordinary files."""
    many = all_versions or query is not None
    lines, documents = [], []
    for version in registry.versions(ref, query) if many else [registry.get(ref)]:
        folder = Path(path, str(version.number)) if many else Path(path)
        written = registry.pull(version, folder, artifacts=not no_artifacts, overwrite=overwrite)
        lines.append(f"{version.ref} → {written}")
        documents.append({"ref": registry.pin(version), "path": str(written)})
    return Answer("\n".join(lines) or "no version", documents)


@family.command("nbreg export churn@3 churn-3.nbreg", "nbreg export churn@3 card/ --format huggingface")
@argument("ref", REF, "the version")
@argument("path", click.Path(), "the file or folder to write")
@click.option(
    "--format",
    type=Words("archive", "huggingface", "mlflow", "skops"),
    default="archive",
    metavar="F",
    help="archive (default), huggingface, mlflow, skops",
)
def export(registry: Registry, ref: str, path: str, format: str) -> Answer:
    """Write a version in a form that others read."""
    return _written(registry, ref, registry.export(ref, path, format))


@family.command("nbreg import churn-3.nbreg", "nbreg import line.skops churn --trust", opens="any")
@argument("path", click.Path(), "an archive, an MLflow folder, a skops file")
@argument("model", MODEL, "an archive's default: as it was called", required=False)
@click.option("--trust", is_flag=True, help="run its code, if loading it needs that")
@why
def import_(registry: Registry, path: str, model: str | None, trust: bool, **given: Any) -> Answer:
    """Take in an archive, an MLflow folder or a skops file."""
    made: ModelVersion = registry.import_(path, model, trust=trust or None, **given)
    told = "was here already" if made.existing else "is taken in"
    return Answer(f"{made.ref} (#{made.number}) {told}", {"model": made.model, **document(made)})


@family.command(
    "nbreg export-environment churn@3 requirements.txt",
    "nbreg export-environment churn@3 environment.yml --format conda --needed-only",
)
@argument("ref", REF, "the version")
@argument("path", click.Path(), "the file to write")
@click.option(
    "--format",
    type=click.Choice(["requirements", "pylock", "conda"]),
    default="requirements",
    help="default: requirements",
)
@click.option("--needed-only", is_flag=True, help="what the model needs, instead of all that was installed")
@click.option("--overwrite", is_flag=True, help="replace the file")
def export_environment(registry: Registry, ref: str, path: str, **given: Any) -> Answer:
    """Write a version's environment for pip, uv or conda."""
    return _written(registry, ref, registry.get(ref).export_environment(path, **given))


@family.command("nbreg recipe churn@3 churn-3.ipynb", "nbreg recipe churn@3 churn-3.py")
@argument("ref", REF, "the version")
@argument("path", click.Path(), "the file to write: .ipynb is a notebook, .py or .ipy a script")
@click.option("--overwrite", is_flag=True, help="replace the file")
def recipe(registry: Registry, ref: str, path: str, overwrite: bool) -> Answer:
    """Write the cells that a version needs; in executed order, and as executed."""
    target = Path(path)
    if target.suffix not in (".ipynb", ".py", ".ipy"):
        raise BadInputError(f"{path} is neither a notebook nor a script", hint="name it .ipynb or .py")
    if target.exists() and not overwrite:
        raise BadInputError(f"{path} is there already", hint="--overwrite replaces it")
    found = registry.get(ref).recipe
    write = found.to_notebook if target.suffix == ".ipynb" else found.to_script
    try:
        return _written(registry, ref, write(target))
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror}", hint="another path") from None


def _written(registry: Registry, ref: str, path: Path) -> Answer:
    return Answer(f"{ref} → {path}", {"ref": registry.pin(ref), "path": str(path)})


@family.command("nbreg merge ../laptop/.nbreg", opens="any")
@argument("other", click.Path(), "the other registry's folder")
def merge(registry: Registry, other: str) -> Answer:
    """Append what another registry has and this one has not.

    The versions get new numbers, and keep their ids and bytes.
    """
    from nbreg.display.text import count

    added = registry.merge(opened(other))
    lines = [f"{count(len(added), 'version')} appended", *(f"  {each.ref}" for each in added)]
    return Answer("\n".join(lines), [{"ref": each.ref, "id": each.id} for each in added])
