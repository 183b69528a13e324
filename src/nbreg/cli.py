"""`nbreg …` on the command line: parse, call one verb, print what it returns.

A list is a JSON list under `--json`. A refusal is one line on stderr and exit code 1; wrong
arguments are exit code 2, as everywhere.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from typing import Any, NamedTuple

from nbreg import __version__
from nbreg.errors import BadInputError, NbregError


class Answer(NamedTuple):
    """What a command has to say: to people, as JSON, and whether all is well."""

    text: str
    json: Any
    ok: bool = True


Command = Callable[[argparse.Namespace], Answer]


_QUERY = """for example 'metrics.auc > 0.9 and stage == "staging"'"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = _parser().parse_args(arguments)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal or pipe that is not Unicode
    try:
        answer: Answer = args.run(args)
    except NbregError as error:
        return _refused(error.line)
    except KeyboardInterrupt:
        return _refused("interrupted")
    try:
        print(_json(answer.json) if args.json else answer.text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough (`nbreg versions churn | head`); Python would complain at exit.
        sys.stderr.close()
    return 0 if answer.ok else 1


def _refused(line: str) -> int:
    from nbreg.display.text import brief

    print(f"nbreg: {brief(line, 2000)}", file=sys.stderr)
    return 1


def _json(value: Any) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON")
    common.add_argument(
        "--registry", metavar="LOCATION", help="default: $NBREG_REGISTRY, else the nearest .nbreg"
    )
    parser = argparse.ArgumentParser(prog="nbreg", description="A model registry that lives in the notebook.")
    parser.add_argument("--version", action="version", version=f"nbreg {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, parents=[common], help=text, description=text)
        made.set_defaults(run=run)
        return made

    command("enable", _enable, "load nbreg in every kernel of this user")
    command("disable", _disable, "undo enable")
    command("models", _models, "list the models")
    versions = command("versions", _versions, "list the versions of a model, newest first")
    versions.add_argument("model", metavar="MODEL")
    versions.add_argument("--query", metavar="Q", help=_QUERY)
    versions.add_argument("--sort", metavar="FIELD", help="a field; --sort=-FIELD descends")
    versions.add_argument("--limit", type=int, metavar="N", help="no more than N")
    search = command("search", _search, "the versions of all models that a query chooses")
    search.add_argument("query", metavar="QUERY", help=_QUERY)
    search.add_argument("--limit", type=int, metavar="N", help="no more than N")
    events = command("events", _events, "what happened, newest first")
    events.add_argument("model", metavar="MODEL", nargs="?", help="default: all models")
    events.add_argument("--since", metavar="DATE", help="2026-02-09 or 2026-02-09T10:00Z")
    events.add_argument("--limit", type=int, metavar="N", help="no more than N")
    command("drafts", _drafts, "list what notebooks trained and nobody registered, newest first")
    runs = command("runs", _runs, "list runs side by side, newest first, or tell all of one")
    runs.add_argument(
        "id", metavar="ID", nargs="?", help="8 digits of it or more: all there is to say about it"
    )
    runs.add_argument("--query", metavar="Q", help="for example 'metrics.auc > 0.9 and params.C < 1'")
    runs.add_argument("--experiment", metavar="E", help="those of one experiment")
    runs.add_argument("--state", metavar="S", help="running, finished, failed or interrupted")
    runs.add_argument(
        "--sort", metavar="BY", help="metrics.auc, params.C, name …; --sort=-metrics.auc for descending"
    )
    runs.add_argument("--limit", type=int, metavar="N", help="no more than N")
    diff = command("diff", _diff, "what differs from B to A")
    diff.add_argument("a", metavar="A", help="a version, for example churn@4")
    diff.add_argument("b", metavar="B", nargs="?", help="default: the model's production, else its latest")
    diff.add_argument("--all", action="store_true", help="what is the same, too")
    pin = command("pin", _pin, "print the reference that never moves")
    pin.add_argument("ref", metavar="REF")
    _add_moves(command)
    copy = command("copy", _copy, "make the same version again, in its model or another one")
    copy.add_argument("ref", metavar="REF")
    copy.add_argument("to", metavar="MODEL", nargs="?", help="default: the same model")
    transfer = command("transfer", _transfer, "move a version to another model")
    transfer.add_argument("ref", metavar="REF")
    transfer.add_argument("to", metavar="MODEL")
    for each in (copy, transfer):
        each.add_argument("--version", dest="name", metavar="NAME", help="its name there")
        _add_why(each)
    pull = command("pull", _pull, "write versions into a folder as ordinary files")
    pull.add_argument("ref", metavar="REF", help="a version, or with --all-versions or --query a model")
    pull.add_argument("path", metavar="FOLDER")
    pull.add_argument("--no-artifacts", action="store_true", help="what is recorded alone")
    pull.add_argument("--all-versions", action="store_true", help="each below FOLDER, by number")
    pull.add_argument("--query", metavar="Q", help=_QUERY)
    pull.add_argument("--overwrite", action="store_true", help="replace files of the same names")
    export = command("export", _export, "write a version in a form that others read")
    export.add_argument("ref", metavar="REF")
    export.add_argument("path", metavar="PATH")
    export.add_argument(
        "--format", default="archive", metavar="F", help="archive (default), huggingface, mlflow, skops"
    )
    take = command("import", _import, "take a version in: an archive, an MLflow folder, a skops file")
    take.add_argument("path", metavar="PATH")
    take.add_argument("model", metavar="MODEL", nargs="?", help="an archive's default: as it was called")
    take.add_argument("--trust", action="store_true", help="run its code, if loading it needs that")
    _add_why(take)
    verify = command("verify", _verify, "read everything and check it")
    verify.add_argument(
        "--expect", action="append", metavar="[MODEL=]HEAD", help="a head that was written down"
    )
    verify.add_argument("--repair", action="store_true", help="set aside the damaged end of a journal")
    prove = command("prove", _prove, "load versions in a clean process, and keep what comes out as evidence")
    prove.add_argument("ref", metavar="REF", nargs="?")
    prove.add_argument("--missing", action="store_true", help="all versions that nobody has tried to prove")
    prove.add_argument("--seconds", type=float, default=300.0, metavar="S", help="default: 300")
    prove.add_argument("--memory", type=float, default=8.0, metavar="GIB", help="default: 8")
    prove.add_argument("--accelerators", action="store_true", help="with GPUs; default: without")
    command("du", _du, "what the registry takes up on disk")
    purge = command("purge", _purge, "say which bytes nothing refers to any more, or remove them")
    what = purge.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="remove nothing; so it is without --remove too")
    what.add_argument("--remove", action="store_true", help="remove them; the versions' records stay")
    purge.add_argument("--older-than", type=float, metavar="DAYS", help="default: the retention time")
    trust = command("trust", _trust, "let this user load a version that somebody else registered")
    trust.add_argument("ref", metavar="REF")
    init = command("init", _init, "make a registry here, rather than by the first write")
    init.add_argument(
        "--git", action="store_true", help="let git take it in; conflicts show, and are never spliced"
    )
    merge = command("merge", _merge, "append the versions of another registry that are not here")
    merge.add_argument("other", metavar="OTHER", help="the other registry's folder")
    return parser


def _add_moves(command: Callable[[str, Command, str], argparse.ArgumentParser]) -> None:
    promote = command(
        "promote", _promote, "move a version to a higher stage; the one that held it is archived"
    )
    promote.add_argument("ref", metavar="REF")
    promote.add_argument("stage", metavar="STAGE", nargs="?", help="default: one up, never past production")
    retire = command("retire", _retire, "take a version out of use")
    retire.add_argument("ref", metavar="REF")
    retire.add_argument("--to", default="archived", metavar="STAGE", help="a lower stage; default: archived")
    rollback = command("rollback", _rollback, "give a stage back to the version that held it before")
    rollback.add_argument("model", metavar="MODEL")
    rollback.add_argument("--stage", default="production", metavar="STAGE", help="default: production")
    rollback.add_argument("--to", metavar="REF", help="default: the one before")
    for each in (promote, retire, rollback):
        _add_why(each)


def _add_why(command: argparse.ArgumentParser) -> None:
    command.add_argument("--reason", default="", metavar="WORD", help="why, in a short word for machines")
    command.add_argument("--message", default="", metavar="TEXT", help="why, in a sentence for people")


def _open(args: argparse.Namespace) -> Any:
    from nbreg.registry import Registry

    return Registry(args.registry)


def _enable(args: argparse.Namespace) -> Answer:
    from nbreg.autoload import enable

    path, changed = enable()
    done = "every kernel now loads nbreg" if changed else "every kernel loads nbreg already"
    return Answer(f"{done}: {path}", {"path": str(path), "changed": changed})


def _disable(args: argparse.Namespace) -> Answer:
    from nbreg.autoload import disable

    path, changed = disable()
    done = f"no kernel loads nbreg by itself any more: {path} is gone" if changed else "nbreg was not enabled"
    return Answer(done, {"path": str(path), "changed": changed})


def _models(args: argparse.Namespace) -> Answer:
    from nbreg.display import ModelTable

    rows = _open(args).models()
    return Answer(repr(ModelTable(rows)), rows)


def _document(version: Any) -> dict[str, Any]:
    from nbreg.records import as_doc

    return {**as_doc(version.row), "aliases": sorted(version.aliases)}


def _search(args: argparse.Namespace) -> Answer:
    from nbreg.display.text import brief, grid, pairs

    found = _open(args).search(args.query, limit=args.limit)
    rows = [[brief(v.ref, 60), v.stage, brief(pairs(v.metrics), 60), v.row.created[:10]] for v in found]
    table = grid(["version", "stage", "metrics", "created"], rows, [False] * 4) if rows else "no version"
    return Answer(table, [{"model": version.model, **_document(version)} for version in found])


def _versions(args: argparse.Namespace) -> Answer:
    from nbreg.display import VersionTable

    registry = _open(args)
    found = registry.versions(args.model, args.query, sort=args.sort, limit=args.limit)
    rows = [version.row for version in found]
    aliases = registry.aliases(args.model)
    documents = [_document(version) for version in found]
    total = registry.model(args.model).versions
    return Answer(repr(VersionTable(args.model, rows, aliases, total=total)), documents)


def _events(args: argparse.Namespace) -> Answer:
    from nbreg.display import EventTable

    found = _open(args).events(args.model, since=args.since, limit=args.limit)
    return Answer(repr(EventTable(found)), found)


def _drafts(args: argparse.Namespace) -> Answer:
    from nbreg.display import DraftTable

    records = [draft.record for draft in _open(args).drafts()]
    return Answer(repr(DraftTable(records)), records)


def _runs(args: argparse.Namespace) -> Answer:
    from nbreg.display import RunTable

    if args.id is not None:
        return _run(args)
    found = _open(args).runs(
        args.query, experiment=args.experiment, state=args.state, sort=args.sort, limit=args.limit
    )
    records = [each.record for each in found]
    chosen = bool(args.query or args.experiment or args.state)
    return Answer(repr(RunTable(records, chosen=chosen)), records)


def _run(args: argparse.Namespace) -> Answer:
    from nbreg.display import run_bundle

    record = _open(args).run(args.id).record
    return Answer(run_bundle(record)["text/plain"], record)


def _diff(args: argparse.Namespace) -> Answer:
    found = _open(args).diff(args.a, args.b, everything=args.all)
    return Answer(found.text(colour=_is_colourful()), found)


def _is_colourful() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _pin(args: argparse.Namespace) -> Answer:
    pinned = _open(args).pin(args.ref)
    return Answer(pinned, {"ref": pinned})


def _promote(args: argparse.Namespace) -> Answer:
    registry = _open(args)
    before = registry.get(args.ref).stage
    return _moved(registry.promote(args.ref, args.stage, reason=args.reason, message=args.message), before)


def _retire(args: argparse.Namespace) -> Answer:
    registry = _open(args)
    before = registry.get(args.ref).stage
    return _moved(registry.retire(args.ref, args.to, reason=args.reason, message=args.message), before)


def _rollback(args: argparse.Namespace) -> Answer:
    registry = _open(args)
    back = registry.rollback(args.model, args.stage, to=args.to, reason=args.reason, message=args.message)
    return Answer(f"{back.ref} is in {back.stage} again", {"ref": back.ref, "stage": back.stage})


def _moved(version: Any, before: str) -> Answer:
    from nbreg.display import label, moved

    text = moved(version.model, label(version.name, version.number), before=before, after=version.stage)
    return Answer(text, {"ref": version.ref, "stage": version.stage})


def _verify(args: argparse.Namespace) -> Answer:
    from nbreg.display.text import count, grid, size

    report = _open(args).verify(expect=_heads(args.expect), repair=args.repair)
    sound = "sound" if report.ok else count(len(report.problems), "problem")
    amount = f"{count(report.versions, 'version')}, {count(report.objects, 'object')}, {size(report.bytes)}"
    rows = [[model, str(head.seq), head.hash] for model, head in sorted(report.heads.items())]
    heads = grid(["journal", "seq", "head"], rows, [False, True, False]) if rows else ""
    told = [f"{each.code}  {each.where}: {each.message}" for each in report.problems]
    lines = [f"{sound} · {amount}", heads, *told, *(f"repaired: {each}" for each in report.repaired)]
    return Answer("\n".join(line for line in lines if line), report, report.ok)


def _heads(given: list[str] | None) -> dict[str, str] | list[str] | None:
    """Heads as they were written down: with the model's name, or all of them without."""
    if not given:
        return None
    named = [each.rpartition("=") for each in given]
    if all(equals for _, equals, _ in named):
        return {model: head for model, _, head in named}
    if any(equals for _, equals, _ in named):
        raise BadInputError("some heads have a model and some have none", hint="--expect MODEL=HEAD for each")
    return given


def _copy(args: argparse.Namespace) -> Answer:
    made = _open(args).copy(args.ref, args.to, version=args.name, reason=args.reason, message=args.message)
    return Answer(f"{args.ref} is {made.ref} (#{made.number}) too", {"model": made.model, **_document(made)})


def _transfer(args: argparse.Namespace) -> Answer:
    moved = _open(args).transfer(
        args.ref, args.to, version=args.name, reason=args.reason, message=args.message
    )
    return Answer(
        f"{args.ref} is {moved.ref} (#{moved.number}) now", {"model": moved.model, **_document(moved)}
    )


def _pull(args: argparse.Namespace) -> Answer:
    from pathlib import Path

    registry, folder = _open(args), Path(args.path)
    many = args.all_versions or args.query is not None
    chosen = registry.versions(args.ref, args.query) if many else [registry.get(args.ref)]
    lines, documents = [], []
    for version in chosen:
        path = registry.pull(
            version,
            folder / str(version.number) if many else folder,
            artifacts=not args.no_artifacts,
            overwrite=args.overwrite,
        )
        lines.append(f"{version.ref} → {path}")
        documents.append({"ref": registry.pin(version), "path": str(path)})
    return Answer("\n".join(lines) or "no version", documents)


def _export(args: argparse.Namespace) -> Answer:
    registry = _open(args)
    path = registry.export(args.ref, args.path, args.format)
    return Answer(f"{args.ref} → {path}", {"ref": registry.pin(args.ref), "path": str(path)})


def _import(args: argparse.Namespace) -> Answer:
    made = _open(args).import_(
        args.path, args.model, trust=args.trust or None, reason=args.reason, message=args.message
    )
    told = "was here already" if made.existing else "is taken in"
    return Answer(f"{made.ref} (#{made.number}) {told}", {"model": made.model, **_document(made)})


def _prove(args: argparse.Namespace) -> Answer:
    from nbreg.display.cards import proof_line
    from nbreg.errors import TrustError
    from nbreg.records import as_doc

    if (args.ref is None) != args.missing:
        raise BadInputError("prove what", hint="a reference, or --missing")
    registry = _open(args)
    limits = {
        "seconds": args.seconds,
        "memory": int(args.memory * 1024**3),
        "accelerators": args.accelerators,
    }
    lines, documents, ok = [], [], True
    for version in registry.unproven() if args.missing else [registry.get(args.ref)]:
        try:
            proof = version.prove(**limits)
        except TrustError as error:
            if not args.missing:
                raise
            lines.append(error.line)
            continue
        lines.append(f"{version.ref}: {proof_line(proof)}")
        documents.append({"ref": registry.pin(version), **as_doc(proof)})
        ok = ok and proof.verdict not in ("failed", "different")
    return Answer("\n".join(lines) or "nothing is missing", documents, ok)


def _du(args: argparse.Namespace) -> Answer:
    from nbreg.display.text import count, grid, size

    usage = _open(args).du()
    rows = [[each.model, str(each.versions), size(each.size), size(each.own)] for each in usage.models]
    table = grid(["model", "versions", "size", "its own"], rows, [False, True, True, True]) if rows else ""
    total = (
        f"{size(usage.size)} in {count(usage.objects, 'object')}, {size(usage.journals)} of journals, "
        f"{size(usage.unreferenced)} that nothing refers to"
    )
    return Answer("\n".join(part for part in (table, total) if part), usage)


def _purge(args: argparse.Namespace) -> Answer:
    from nbreg.display.text import count, grid, size

    report = _open(args).purge(dry_run=not args.remove, older_than=args.older_than)
    rows = [[size(each.size), each.why, each.path] for each in report.leftovers]
    table = grid(["size", "why", "path"], rows, [True, False, False]) if rows else ""
    done = "could be removed; --remove does it" if report.dry_run else "removed"
    total = f"{size(report.size)} in {count(len(report.leftovers), 'file')} {done}"
    return Answer("\n".join(part for part in (table, total) if part), report)


def _trust(args: argparse.Namespace) -> Answer:
    from nbreg.trust import remember

    registry = _open(args)
    version = registry.get(args.ref)
    path = remember(version.id)
    told = f"{registry.pin(version)} by {version.row.actor} is trusted from now on: {path}"
    return Answer(told, {"ref": registry.pin(version), "path": str(path)})


def _init(args: argparse.Namespace) -> Answer:
    registry = _open(args)
    path = registry.init(git=args.git)
    kept = "git may take it in" if args.git else "git ignores it"
    done = "new registry in" if registry.is_new else "there is a registry in"
    return Answer(f"{done} {path}; {kept}", {"path": str(path), "new": registry.is_new, "git": args.git})


def _merge(args: argparse.Namespace) -> Answer:
    from nbreg.display.text import count

    added = _open(args).merge(args.other)
    lines = [f"{count(len(added), 'version')} appended", *(f"  {each.ref}" for each in added)]
    return Answer("\n".join(lines), [{"ref": each.ref, "id": each.id} for each in added])


if __name__ == "__main__":
    sys.exit(main())
