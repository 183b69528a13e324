"""The arguments of magics: split as a shell would, filled in, parsed; one line when they are wrong.

`{x}` is filled from date and time, then `--sub`, then a text or number of the kernel. `$x` is
never expanded. What a `#` at the start of a word begins is a comment, so that a line may be
annotated like any other line of a cell.
"""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from IPython.core.error import UsageError

from nbreg.display.text import brief
from nbreg.errors import BadInputError, BadTemplateError, BadValueError, did_you_mean
from nbreg.names import fill_known, fill_template

_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")
_PATH_STARTS: Final = ("./", "../", "/", "~/", ".\\", "..\\")


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
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise BadTemplateError(f"--sub {text} names no value", hint="--sub team=A")
        given[name] = value
    return given


def pieces(texts: Iterable[str] | None) -> list[str]:
    """`a,b=[1,2]` given once or several times, as single pieces; commas in brackets and quotes stay."""
    return [piece for text in texts or () for piece in _split_commas(text)]


def _split_commas(text: str) -> list[str]:
    found, depth, quote, start = [], 0, "", 0
    for i, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and depth <= 0:
            found.append(text[start:i])
            start = i + 1
    found.append(text[start:])
    return [piece.strip() for piece in found if piece.strip()]


Lookup = Callable[[str], object]
"""Gives the value of a variable; raises `BadInputError` where there is none."""


def literal(text: str) -> object:
    """`0.5`, `true`, `[1, 2]` as what they are; any other text as text."""
    words = {"true": True, "false": False, "null": None, "none": None}
    if text.casefold() in words:
        return words[text.casefold()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def metrics(given: Iterable[str] | None, lookup: Lookup) -> dict[str, object]:
    """`a,b=0.9`: a name takes the variable's value, a dictionary all that is in it."""
    found: dict[str, object] = {}
    for piece in pieces(given):
        name, equals, text = piece.partition("=")
        value = literal(text) if equals else lookup(name)
        if equals and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise BadValueError(
                f"--metrics {piece} is no number", hint=f"{name}=0.9, or the name of a variable"
            )
        found.update(value if isinstance(value, Mapping) and not equals else {name: value})
    return found


def unset(flag: str) -> Lookup:
    """A lookup for when the variables are not set yet: it refuses what can never be one."""

    def lookup(name: str) -> float:
        if not name.isidentifier():
            raise BadInputError(f"{flag} {name} is neither a variable nor name=value", hint=f"{flag} a,b=0.9")
        return 0.0

    return lookup


def params(given: Iterable[str] | None, lookup: Lookup) -> dict[str, object]:
    """`--params settings` takes a dictionary whole; `lr=0.1` and `lr` add to it."""
    found: dict[str, object] = {}
    for piece in pieces(given):
        name, equals, text = piece.partition("=")
        value = literal(text) if equals else lookup(name)
        found.update(value if isinstance(value, Mapping) and not equals else {name: value})
    return found


def artifacts(given: Iterable[str] | None, lookup: Lookup) -> dict[str, object]:
    """`scaler,tok=./tok.json`: a name is a variable, `./…` is a file, and a variable's text is data."""
    sources = artifact_sources(given)
    return {name: existing_file(each) if is_path(each) else lookup(each) for name, each in sources.items()}


def artifact_sources(given: Iterable[str] | None) -> dict[str, str]:
    """The file or variable that each artifact is to be taken from.

    Raises `BadInputError` where two have one name: the second would silently replace the first.
    """
    found: dict[str, str] = {}
    for piece in pieces(given):
        name, _, source = piece.partition("=")
        if is_path(piece):
            name, source = Path(piece).stem, piece
        source = source or name
        if name == "model" or name in found:
            raise BadInputError(f"--artifacts gives {name!r} twice", hint=f"other_{name}={source}")
        if not is_path(source) and not source.isidentifier():
            raise BadInputError(f"--artifacts {piece} is neither a variable nor a file", hint="a,b=./file")
        found[name] = source
    return found


def is_path(text: str) -> bool:
    """Whether a word on a line means a file."""
    return text.startswith(_PATH_STARTS) or bool(re.match(r"[A-Za-z]:[\\/]", text))


def existing_file(text: str) -> Path:
    """The file or folder that a word means. Raises `BadInputError` where there is none."""
    path = Path(text).expanduser()
    if not path.exists():
        raise BadInputError(f"there is no file {text}", hint="a path is read from the kernel's folder")
    return path
