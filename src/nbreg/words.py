"""What stands on a line, of a magic or of a shell: lists with commas, `name=value`, files.

A bare name is looked up by the face: a kernel has variables, a shell has none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from nbreg.errors import BadInputError, BadTemplateError, BadValueError

_PATH_STARTS: Final = ("./", "../", "/", "~/", ".\\", "..\\")


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


def metrics(given: Iterable[str] | None, lookup: Lookup, *, variables: bool = True) -> dict[str, object]:
    """`a,b=0.9,c=acc`: a name takes the variable's value, a dictionary all that is in it.

    Where there are no `variables`, as in a shell, what stands behind `=` is a number.
    """
    found: dict[str, object] = {}
    for piece in pieces(given):
        name, equals, text = piece.partition("=")
        value = literal(text) if equals else lookup(name)
        if equals and variables and isinstance(value, str) and value.isidentifier():
            value = lookup(value)
        if equals and not _is_number(value):
            hint = f"{name}=0.9" + (", or the name of a variable that is one" if variables else "")
            raise BadValueError(f"--metrics {piece} is no number", hint=hint)
        found.update(_by_name(name, value, whole=not equals))
    return found


def _by_name(name: str, value: object, *, whole: bool) -> Mapping[str, object]:
    """A dictionary's or a Series' own values where it is given by its name alone; else one value."""
    from nbreg.records import as_mapping  # typed records: `nbreg --help` needs none

    several = as_mapping(value) if whole else None
    return {name: value} if several is None else several


def _is_number(value: object) -> bool:
    """Whether it is one number, of Python or of numpy; a truth is none."""
    return not isinstance(value, bool | str) and (
        isinstance(value, int | float) or hasattr(value, "__float__")
    )


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
        found.update(_by_name(name, value, whole=not equals))
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


def substitution(text: str) -> tuple[str, str]:
    """`team=A`. Raises `BadTemplateError`."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise BadTemplateError(f"--sub {text} names no value", hint="--sub team=A")
    return name, value


def named_files(flag: str, given: Iterable[str] | None) -> dict[str, Path]:
    """`train=train.parquet,test.parquet`: files by name; one without a name has that of the file."""
    named: dict[str, Path] = {}
    for piece in pieces(given):
        name, equals, path = piece.partition("=")
        name, path = (name, path) if equals else (Path(piece).stem, piece)
        if name in named:
            raise BadInputError(f"{flag} gives {name!r} twice", hint=f"other_{name}={path}")
        named[name] = existing_file(path)
    return named


def is_path(text: str) -> bool:
    """Whether a word on a line means a file."""
    return text.startswith(_PATH_STARTS) or bool(re.match(r"[A-Za-z]:[\\/]", text))


def existing_file(text: str) -> Path:
    """The file or folder that a word means. Raises `BadInputError` where there is none."""
    path = Path(text).expanduser()
    if not path.exists():
        raise BadInputError(f"there is no file {text}", hint=f"a path is read from {Path.cwd()}")
    return path
