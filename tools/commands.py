"""Write `docs/command-line.md` from the commands themselves.

.venv/bin/python tools/commands.py           write it
.venv/bin/python tools/commands.py --check   say whether it is up to date
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import click

from nbreg.cli import COMMANDS
from nbreg.cli.base import Command, Family

PAGE = Path(__file__).resolve().parent.parent / "docs" / "command-line.md"

HEADING = """\
# The command line

Made by `tools/commands.py` from the commands themselves; `nbreg COMMAND --help` says the same.

- `--json` prints what a command has found out as JSON; a list is a JSON list.
- `--registry LOCATION` names a registry, which must be there; else it is `$NBREG_REGISTRY`, else the nearest
  `.nbreg` folder upward.
- Exit code 0: done, and all is well. 1: refused, with one line on stderr that says why and what to do next;
  or a check that failed. 2: the arguments are wrong.
- `nbreg completion bash` (or zsh, fish) prints what makes Tab complete commands, models, versions and runs.
- `python -m nbreg` is the same command.
"""


def page() -> str:
    """The whole page."""
    parts = [HEADING, *(_contents(family) for family in COMMANDS.families)]
    for family in COMMANDS.families:
        parts += [f"## {family.title}", *(_command(each) for each in family.commands)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _contents(family: Family) -> str:
    links = " · ".join(f"[{each.name}](#nbreg-{each.name})" for each in family.commands)
    return f"**{family.title}**: {links}"


def _command(command: Command) -> str:
    ctx = click.Context(command, info_name=f"nbreg {command.name}")
    usage = " ".join(["nbreg", str(command.name), *command.collect_usage_pieces(ctx)])
    common = ("--registry", "--json", "-h")
    options = [each for each in command.options(ctx) if not each[0].startswith(common)]
    rows = [*command.arguments(), *options]
    table = "\n".join(["| | |", "|---|---|", *(f"| `{name}` | {_cell(told)} |" for name, told in rows)])
    examples = "\n".join(f"    {each}" for each in command.examples)
    parts = [
        f"### nbreg {command.name}",
        f"    {usage}",
        inspect.cleandoc(command.help or ""),
        table if rows else "",
        examples,
    ]
    return "\n\n".join(part for part in parts if part)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    made = page()
    if arguments == ["--check"]:
        same = PAGE.exists() and PAGE.read_text() == made
        print("up to date" if same else "not up to date: .venv/bin/python tools/commands.py")
        return 0 if same else 1
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
