"""`nbreg …` on the command line: parse, call one verb, print what it returns.

A list is a JSON list under `--json`. A refusal is one line on stderr and exit code 1; wrong
arguments are exit code 2, as everywhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Final

import click

from nbreg import __version__
from nbreg.cli import (
    belonging,
    deciding,
    elsewhere,
    governing,
    keeping,
    looking,
    moving,
    registering,
    settingup,
    training,
)
from nbreg.cli.base import Families, Shown, located
from nbreg.errors import NbregError

COMMANDS: Final = Families(
    [
        looking.family,
        training.family,
        registering.family,
        moving.family,
        governing.family,
        deciding.family,
        belonging.family,
        elsewhere.family,
        keeping.family,
        settingup.family,
    ],
    name="nbreg",
    help="A model registry that lives in the notebook.",
    epilog="`nbreg COMMAND --help` tells more, with examples.",
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            help="print the version of nbreg",
            callback=lambda ctx, param, given: _version(ctx) if given else None,
        ),
        located(),
    ],
)
"""Each family in the order of `nbreg --help`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal or pipe that is not Unicode
    try:
        shown = _run(list(sys.argv[1:] if arguments is None else arguments))
        print(shown.text)
        sys.stdout.flush()
    except click.exceptions.Exit as ended:
        return ended.exit_code  # after --help
    except click.UsageError as error:
        error.show()
        return 2
    except NbregError as error:
        return _refused(error.shell_line)
    except KeyboardInterrupt:
        return _refused("interrupted")
    except BrokenPipeError:
        # Whoever read has seen enough (`nbreg versions churn | head`); Python would complain at exit.
        sys.stderr.close()
        return 0
    return shown.code


def _run(arguments: list[str]) -> Shown:
    asked = os.environ.get("_NBREG_COMPLETE")
    if asked:
        from nbreg.cli import shells

        return Shown(*shells.answer(asked))
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:2], "--help"]
    if not arguments:
        print(COMMANDS.get_help(click.Context(COMMANDS, info_name="nbreg")), file=sys.stderr)
        raise click.exceptions.Exit(2)
    with COMMANDS.make_context("nbreg", arguments) as context:
        shown: Shown = COMMANDS.invoke(context)
        return shown


def _version(ctx: click.Context) -> None:
    click.echo(f"nbreg {__version__}")
    ctx.exit()


def _refused(line: str) -> int:
    from nbreg.display.text import brief

    print(f"nbreg: {brief(line, 2000)}", file=sys.stderr)
    return 1
