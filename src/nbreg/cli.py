"""`nbreg …` on the command line: parse, call one verb, print what it returns.

A list is a JSON list under `--json`. A refusal is one line on stderr and exit code 1; wrong
arguments are exit code 2, as everywhere.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from nbreg.errors import BadInputError, NbregError


class Answer(NamedTuple):
    """What a command has to say: to people, as JSON, and whether all is well."""

    text: str
    json: Any
    ok: bool = True


Command = Callable[[argparse.Namespace], Answer]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = _parser().parse_args(arguments)
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
    versions.add_argument("--limit", type=int, metavar="N", help="no more than N")
    pin = command("pin", _pin, "print the reference that never moves")
    pin.add_argument("ref", metavar="REF")
    verify = command("verify", _verify, "read everything and check it")
    verify.add_argument(
        "--expect", action="append", metavar="[MODEL=]HEAD", help="a head that was written down"
    )
    verify.add_argument("--repair", action="store_true", help="set aside the damaged end of a journal")
    command("du", _du, "what the registry takes up on disk")
    purge = command("purge", _purge, "say which bytes nothing refers to any more")
    purge.add_argument("--dry-run", action="store_true", help="remove nothing; required for now")
    return parser


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


def _versions(args: argparse.Namespace) -> Answer:
    from nbreg.display import VersionTable
    from nbreg.records import as_doc

    registry = _open(args)
    rows = [version.row for version in registry.versions(args.model, limit=args.limit)]
    aliases = registry.aliases(args.model)
    documents = [
        {**as_doc(row), "aliases": sorted(name for name, number in aliases.items() if number == row.number)}
        for row in rows
    ]
    return Answer(repr(VersionTable(args.model, rows, aliases)), documents)


def _pin(args: argparse.Namespace) -> Answer:
    pinned = _open(args).pin(args.ref)
    return Answer(pinned, {"ref": pinned})


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

    if not args.dry_run:
        raise BadInputError(
            "the command line does not remove bytes yet",
            hint="nbreg purge --dry-run says which; registry.purge(dry_run=False) removes them",
        )
    report = _open(args).purge(dry_run=True)
    rows = [[size(each.size), each.why, each.path] for each in report.leftovers]
    table = grid(["size", "why", "path"], rows, [True, False, False]) if rows else ""
    total = f"{size(report.size)} in {count(len(report.leftovers), 'file')} could be removed"
    return Answer("\n".join(part for part in (table, total) if part), report)


if __name__ == "__main__":
    sys.exit(main())
