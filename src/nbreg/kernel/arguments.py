"""The arguments of magics: split as a shell would, filled in, parsed; one line when they are wrong.

`{x}` is filled from date and time, then `--sub`, then a text or number of the kernel. `$x` is
never expanded. What a `#` at the start of a word begins is a comment, so that a line may be
annotated like any other line of a cell.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn

from IPython.core.error import UsageError

from nbreg.display.text import brief
from nbreg.errors import BadInputError, did_you_mean
from nbreg.names import fill_known, fill_template
from nbreg.registry.belonging.datasets import Dataset
from nbreg.words import Lookup as Lookup
from nbreg.words import artifact_sources as artifact_sources
from nbreg.words import artifacts as artifacts
from nbreg.words import existing_file as existing_file
from nbreg.words import is_path as is_path
from nbreg.words import literal as literal
from nbreg.words import metrics as metrics
from nbreg.words import params as params
from nbreg.words import pieces as pieces
from nbreg.words import substitution
from nbreg.words import unset as unset

_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")


class HelpShown(Exception):  # noqa: N818 - it is not an error: `--help` was asked for and is answered
    """`--help` was given; `text` is the answer."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help of the same width everywhere, since a notebook keeps it."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, **{**options, "width": 96, "max_help_position": 30})


class Parser(argparse.ArgumentParser):
    """An argument parser that never exits: it raises `UsageError` in one line."""

    def __init__(self, name: str, description: str) -> None:
        super().__init__(
            prog=name,
            description=description,
            add_help=False,
            allow_abbrev=False,
            formatter_class=_Formatter,
        )
        self.color = (
            False  # from Python 3.14 on: a docstring and a notebook show signs for terminals as they are
        )
        self.add_argument("--help", "-h", action="store_true", help="show this and do nothing")

    def read(self, words: list[str]) -> argparse.Namespace:
        """Parse; flags and positions may be mixed. Raises `HelpShown` or `UsageError`."""
        if "--help" in words or "-h" in words:
            raise HelpShown(self.format_help())
        return self.parse_intermixed_args(words)

    def error(self, message: str) -> NoReturn:
        """What is wrong, and where to read more."""
        unknown = message.removeprefix("unrecognized arguments: ")
        hint = f"{self.prog} --help shows what there is"
        if unknown != message:
            near = did_you_mean(unknown.split()[0], self.flags()) if unknown.startswith("--") else ""
            hint = near if near.startswith("did you mean") else hint
            if not unknown.startswith("-"):
                hint = f"several words stand in quotes; {hint}"
            message = f"{unknown} is not an argument of {self.prog}"
        raise UsageError(brief(f"{brief(message, 400)} ({hint})", 2000))

    def flags(self) -> list[str]:
        """All flags, for completion and hints."""
        return [flag for action in self._actions for flag in action.option_strings if flag.startswith("--")]


def split(line: str) -> list[str]:
    """The words of a line, with a shell's quotes and comments.

    Raises `BadInputError` where a quote is not closed.
    """
    try:
        return shlex.split(_without_comment(line), posix=True)
    except ValueError:
        raise BadInputError(
            "a quote is opened and not closed", hint='an apostrophe stands in double quotes: "it\'s"'
        ) from None


def _without_comment(line: str) -> str:
    """The line up to the first `#` that starts a word outside quotes."""
    quote = ""
    before = " "
    escaped = False
    for i, character in enumerate(line):
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#" and before.isspace():
            return line[:i]
        before = character
    return line


_FOR_PEOPLE: Final = ("--message", "--description")


def data_variables(given: Iterable[str] | None) -> list[tuple[str, str]]:
    """`X` or `customers=X`: the data set where one is named, and the variable."""
    parted = (piece.rpartition("=") for piece in pieces(given))
    return [(name.strip(), variable.strip()) for name, _, variable in parted]


def data(given: Iterable[str] | None, lookup: Lookup) -> dict[str, object]:
    """The variables' values by their names, as versions of data sets where those are named."""
    found = {}
    for name, variable in data_variables(given):
        found[variable] = Dataset(name, lookup(variable)) if name else lookup(variable)
    return found


def needs_filling(words: Iterable[str]) -> bool:
    """Whether any of them holds a `{x}`."""
    return any(_PLACEHOLDER.search(word) for word in words)


def fill(words: Iterable[str], values: Mapping[str, object]) -> list[str]:
    """Each word with its `{x}` filled in; in what is written for people, braces may mean something else."""
    filled = []
    for_people = False
    for word in words:
        free = for_people or word.startswith(tuple(f"{flag}=" for flag in _FOR_PEOPLE))
        filled.append(fill_known(word, values) if free else fill_template(word, values))
        for_people = word in _FOR_PEOPLE and not for_people
    return filled


def substitutions(words: Iterable[str]) -> dict[str, str]:
    """What `--sub team=A` gives, read before anything else since the rest is filled with it."""
    given: dict[str, str] = {}
    following = False
    for word in words:
        text = word if following else word.removeprefix("--sub=") if word.startswith("--sub=") else None
        following = word == "--sub" and not following
        if text is None:
            continue
        name, value = substitution(text)
        given[name] = value
    return given
