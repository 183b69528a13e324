"""`verify`, `prove`, `du`, `purge`, `delete` …: that what is kept is sound, loads, and is worth its room."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from nbreg.cli.base import Answer, Family, argument, why
from nbreg.cli.kinds import REF
from nbreg.cli.looking import document
from nbreg.errors import BadInputError, UnknownVersionError

if TYPE_CHECKING:
    from nbreg.registry import Registry

family = Family("Check and keep")


@family.command("nbreg verify", "nbreg verify --expect churn=3f1c…")
@click.option("--expect", multiple=True, metavar="[MODEL=]HEAD", help="a head that was written down")
@click.option("--repair", is_flag=True, help="set aside the damaged end of a journal")
def verify(registry: Registry, expect: tuple[str, ...], repair: bool) -> Answer:
    """Read everything and check it."""
    from nbreg.display.text import count, grid, size

    report = registry.verify(expect=_heads(expect), repair=repair)
    sound = "sound" if report.ok else count(len(report.problems), "problem")
    amount = f"{count(report.versions, 'version')}, {count(report.objects, 'object')}, {size(report.bytes)}"
    rows = [[model, str(head.seq), head.hash] for model, head in sorted(report.heads.items())]
    heads = grid(["journal", "seq", "head"], rows, [False, True, False]) if rows else ""
    told = [f"{each.code}  {each.where}: {each.message}" for each in report.problems]
    lines = [f"{sound} · {amount}", heads, *told, *(f"repaired: {each}" for each in report.repaired)]
    return Answer("\n".join(line for line in lines if line), report, report.ok)


def _heads(given: tuple[str, ...]) -> dict[str, str] | list[str] | None:
    """Heads as they were written down: with the model's name, or all of them without."""
    if not given:
        return None
    named = [each.rpartition("=") for each in given]
    for _, _, head in named:
        # A slip of the pen is no damage of a registry.
        if not re.fullmatch(r"[0-9a-f]{8,64}", head):
            raise BadInputError(
                f"{head[:80]!r} is no head", hint="8 to 64 hex digits, as `nbreg verify` prints them"
            )
    if all(equals for _, equals, _ in named):
        return {model: head for model, _, head in named}
    if any(equals for _, equals, _ in named):
        raise BadInputError("some heads have a model and some have none", hint="--expect MODEL=HEAD for each")
    return list(given)


@family.command("nbreg prove churn@3", "nbreg prove --missing --seconds 60")
@argument("ref", REF, "the version", required=False)
@click.option("--missing", is_flag=True, help="all versions that nobody has tried to prove")
@click.option("--seconds", type=float, default=300.0, metavar="S", help="default: 300")
@click.option("--memory", type=float, default=8.0, metavar="GIB", help="default: 8")
@click.option("--accelerators", is_flag=True, help="with GPUs; default: without")
def prove(
    registry: Registry, ref: str | None, missing: bool, seconds: float, memory: float, accelerators: bool
) -> Answer:
    """Load versions in a clean process; what comes out is kept as evidence."""
    from nbreg.display.cards import proof_line
    from nbreg.errors import TrustError
    from nbreg.records import as_doc

    if (ref is None) != missing:
        raise BadInputError("prove what", hint="a reference, or --missing")
    memory_bytes = int(memory * 1024**3)
    lines, documents, ok = [], [], True
    for version in registry.unproven() if ref is None else [registry.get(ref)]:
        try:
            proof = version.prove(seconds=seconds, memory=memory_bytes, accelerators=accelerators)
        except TrustError as error:
            if not missing:
                raise
            lines.append(error.shell_line)
            continue
        lines.append(f"{version.ref}: {proof_line(proof)}")
        documents.append({"ref": registry.pin(version), **as_doc(proof)})
        ok = ok and proof.verdict not in ("failed", "different")
    return Answer("\n".join(lines) or "nothing is missing", documents, ok)


@family.command("nbreg trust churn@sha256:9f2c41d0")
@argument("ref", REF, "the version")
def trust(registry: Registry, ref: str) -> Answer:
    """Let this user load what somebody else registered."""
    from nbreg.trust import remember

    version = registry.get(ref)
    path = remember(version.id)
    told = f"{registry.pin(version)} by {version.row.actor} is trusted from now on: {path}"
    return Answer(told, {"ref": registry.pin(version), "path": str(path)})


@family.command("nbreg delete churn@2 --reason WrongData")
@argument("ref", REF, "the version")
@click.option(
    "--include-protected",
    is_flag=True,
    help="also one that is staged, was in production or has an alias; needs --reason",
)
@why
def delete(registry: Registry, ref: str, reason: str, message: str, include_protected: bool) -> Answer:
    """Hide a version, restorably; its bytes stay for the retention time."""
    gone = registry.delete(ref, reason, message=message, include_protected=include_protected)
    place = f"{gone.model}@{gone.number}"
    told = f"{gone.ref} (#{gone.number}) is deleted; `nbreg restore {place}` brings it back"
    return Answer(told, {"model": gone.model, **document(gone)})


@family.command("nbreg restore churn@2")
@argument("ref", REF, "the version, by number or name")
@why
def restore(registry: Registry, ref: str, reason: str, message: str) -> Answer:
    """Bring a deleted version back, with its number and name."""
    was_there = _is_there(registry, ref)
    back = registry.restore(ref, reason=reason, message=message)
    told = "was not deleted, so nothing is changed" if was_there else "is back"
    return Answer(f"{back.ref} (#{back.number}) {told}", {"model": back.model, **document(back)})


def _is_there(registry: Registry, ref: str) -> bool:
    try:
        registry.get(ref)
    except UnknownVersionError:
        return False
    return True


@family.command("nbreg du")
def du(registry: Registry) -> Answer:
    """Tell what the registry takes up on disk."""
    from nbreg.display.text import count, grid, size

    usage = registry.du()
    rows = [[each.model, str(each.versions), size(each.size), size(each.own)] for each in usage.models]
    table = grid(["model", "versions", "size", "its own"], rows, [False, True, True, True]) if rows else ""
    total = (
        f"{size(usage.size)} in {count(usage.objects, 'object')}, {size(usage.journals)} of journals, "
        f"{size(usage.unreferenced)} that nothing refers to"
        + (f", {size(usage.decisions)} of decisions" if usage.decisions else "")
    )
    return Answer("\n".join(part for part in (table, total) if part), usage)


@family.command("nbreg environments", "nbreg environments churn@production", opens="any")
@argument("ref", REF, "a version whose environment is made now", required=False)
@click.option("--remove", is_flag=True, help="remove all that no process is in")
def environments(registry: Registry, ref: str | None, remove: bool) -> Answer:
    """List the environments in which versions answer that are isolated.

    With a version, make its environment now, and see whether the version loads in it.
    """
    from nbreg.display.text import count, grid, size
    from nbreg.workers import environments as made

    if ref is not None and remove:
        raise click.UsageError("a version and --remove exclude each other")
    if ref is not None and hasattr(model := registry.isolated(ref), "close"):
        model.close()
    home = made.folder(registry.settings.environments)
    removed = [each for each in made.kept(home) if remove and made.remove(each.path)]
    kept = made.kept(home)
    rows = [[size(each.made.size), each.made.python, each.made.told, str(each.path)] for each in kept]
    lines = (
        [grid(["size", "python", "distributions", "path"], rows, [True, False, False, False])] if rows else []
    )
    if remove:
        total = sum(each.made.size for each in removed)
        lines.append(f"{count(len(removed), 'environment')} removed, {size(total)}")
    documents = [{**each.made.document, "path": str(each.path), "used": each.used} for each in kept]
    return Answer("\n".join(lines) or f"no environment is kept in {home}", documents)


@family.command("nbreg purge", "nbreg purge --remove --older-than 30")
@click.option("--dry-run", is_flag=True, help="remove nothing; so it is without --remove too")
@click.option("--remove", is_flag=True, help="remove them; the versions' records stay")
@click.option("--older-than", type=float, metavar="DAYS", help="default: the retention time")
@click.option(
    "--include-protected", is_flag=True, help="also of versions that were in production; needs --reason"
)
@click.option("--reason", default="", metavar="WORD", help="why, in a short word for machines")
def purge(registry: Registry, dry_run: bool, remove: bool, older_than: float | None, **given: str) -> Answer:
    """Find bytes that nothing refers to; --remove removes them."""
    from nbreg.display.text import count, grid, size

    if dry_run and remove:
        raise click.UsageError("--dry-run and --remove exclude each other")
    report = registry.purge(dry_run=not remove, older_than=older_than, **given)  # type: ignore[arg-type]
    rows = [[size(each.size), each.why, each.path] for each in report.leftovers]
    table = grid(["size", "why", "path"], rows, [True, False, False]) if rows else ""
    done = "could be removed; --remove does it" if report.dry_run else "removed"
    total = f"{size(report.size)} in {count(len(report.leftovers), 'file')} {done}"
    return Answer("\n".join(part for part in (table, total) if part), report)
