"""What callers give, checked and made plain: tags, metrics, parameters, content, texts.

No secret is ever written: what looks like one is withheld here, whoever gave it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from nbreg.errors import BadInputError, BadValueError
from nbreg.names import LONGEST_NAME
from nbreg.records import Move, as_mapping, dimensions, plain

if TYPE_CHECKING:
    from nbreg.capture.secrets import Redactor

K = TypeVar("K")
_SPOKEN: Final[Mapping[type, str]] = {str: "text", Move: "one of `registry.moves`"}
"""Kinds that people call otherwise than Python does."""


def checked_kind(value: Any, kind: type[K], what: str, *, hint: str = "") -> K:
    """Return the value if it is of a kind, as it is. Raises `BadInputError`."""
    if not isinstance(value, kind):
        wanted = _SPOKEN.get(kind, f"a {kind.__name__}")
        raise BadInputError(f"{what} is {wanted}, not {type(value).__name__}", hint=hint)
    return value


def checked_path(path: object, what: str = "the path") -> Path:
    """A path as people give it: text, or a `Path`. Raises `BadInputError`."""
    spelled = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(spelled, str):
        raise BadInputError(f"{what} is text or a Path, not {type(path).__name__}")
    return Path(spelled)


def checked_consent(trust: object) -> bool | None:
    """Whether somebody says that they trust it: what is merely true does not. Raises `BadInputError`."""
    if trust is None or isinstance(trust, bool):
        return trust
    raise BadInputError(f"trust is True, False or None, not {type(trust).__name__}")


def checked_word(text: str, what: str, redactor: Redactor | None = None) -> str:
    """One line of text, without secrets. Raises `BadValueError`."""
    if not isinstance(text, str) or len(text) > LONGEST_NAME or not (text.isprintable() or text == ""):
        raise BadValueError(
            f"{ascii(text)[:60]} is not {what}", hint=f"printable text of up to {LONGEST_NAME} characters"
        )
    checked: str = without_secrets(plain(text.strip(), what), redactor)
    return checked


def checked_tags(tags: object, redactor: Redactor | None = None, *, what: str = "tags") -> list[str]:
    """Tags, or other words such as names, each once, in their order. Raises `BadValueError`."""
    if isinstance(tags, str):
        raise BadValueError(f"{what} are a list", hint=f"[{tags[:60]!r}]")
    if isinstance(tags, bytes) or not isinstance(tags, Iterable):
        raise BadValueError(f"{what} are a {type(tags).__qualname__}", hint="give a list of words")
    found: dict[str, None] = {}
    for tag in tags:
        if not isinstance(tag, str) or not tag.strip() or len(tag) > LONGEST_NAME or not tag.isprintable():
            raise BadValueError(
                f"{ascii(tag)[:60]} is no {what.removesuffix('s')}",  # a tag, or an owner
                hint=f"printable text of up to {LONGEST_NAME} characters",
            )
        found[without_secrets(plain(tag.strip(), f"one of the {what}"), redactor)] = None
    return list(found)


def checked_substitutions(given: Mapping[str, str] | None) -> dict[str, str]:
    """What fills templates. Raises `BadInputError`."""
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(
        isinstance(each, str) for pair in given.items() for each in pair
    ):
        raise BadInputError("substitutions are texts by name", hint="{'team': 'A'}")
    return dict(given)


def checked_labels(
    description: str | None, tags: Iterable[str] | None, content: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What is said anew of a version, by field; what is None stays as it is. Raises `BadValueError`."""
    labels: dict[str, Any] = {}
    if description is not None:
        labels["description"] = checked_text(description, "the description")
    if tags is not None:
        labels["tags"] = checked_tags(tags)
    if content is not None:
        labels["content"] = checked_mapping(content, "content")
    return labels


def checked_metrics(metrics: Mapping[str, Any] | None, redactor: Redactor | None = None) -> dict[str, float]:
    """Metrics as finite numbers, numpy's and torch's included. Raises `BadValueError`."""
    for name, value in named({} if metrics is None else metrics, "metrics").items():
        if dimensions(value):  # a column, an array: no wrong kind of text, but many numbers
            raise BadValueError(
                f"metrics.{name} is a {type(value).__qualname__}, not one number",
                hint="a mean or a last value; what is not a number belongs in content",
            )
    checked: dict[str, float] = {}
    for name, value in checked_mapping(metrics, "metrics", redactor).items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadValueError(
                f"metrics.{name} is not a number", hint="what is not a number belongs in content"
            )
        checked[name] = float(value)
    return checked


def checked_params(params: Mapping[str, Any] | None, redactor: Redactor | None = None) -> dict[str, Any]:
    """Parameters as they can be recorded: what JSON has no form for is told in words, and never refused.

    `get_params()` gives NaN and estimators among its values; losing a version over them helps nobody.
    """
    from nbreg.families.describing.told import Teller  # with all families, of which a look-up needs none

    given = {} if params is None else named(params, "params")
    plain(dict.fromkeys(given), "params")  # the names have to be text
    teller = Teller()
    told: dict[str, Any] = without_secrets(
        {name: teller.told(value) for name, value in given.items()}, redactor
    )
    return told


def checked_mapping(
    value: Mapping[str, Any] | None, what: str, redactor: Redactor | None = None
) -> dict[str, Any]:
    """Names and plain values. Raises `BadValueError`."""
    if value is None:
        return {}
    checked: dict[str, Any] = without_secrets(plain(named(value, what), what), redactor)
    return checked


def named(value: object, what: str) -> Mapping[Any, Any]:
    """Values by name, as a mapping or as a Series has them. Raises `BadValueError`."""
    found = as_mapping(value)
    if found is None:
        raise BadValueError(
            f"{what} are a {type(value).__qualname__}", hint="give a dict of names and values"
        )
    return found


def checked_text(text: str, what: str, redactor: Redactor | None = None) -> str:
    """Text of at most a million characters. Raises `BadValueError`."""
    if not isinstance(text, str):
        raise BadValueError(f"{what} is text, not {type(text).__name__}")
    if len(text) > 1_000_000:
        raise BadValueError(
            f"{what} has {len(text):,} characters", hint="up to a million; put files into artifacts"
        )
    checked: str = without_secrets(plain(text, what), redactor)
    return checked


def without_secrets(value: Any, redactor: Redactor | None = None) -> Any:
    """What a caller gave, with what looks like a secret withheld: none is ever written."""
    if not value:
        return value
    if redactor is None:
        from nbreg.capture.knowing import redactor_here  # a page of patterns, for who writes

        redactor = redactor_here()
    return redactor.plain(value)


def is_number(number: object) -> bool:
    """Whether it can measure something: an int or a float, numpy's included, and not NaN."""
    return not isinstance(number, bool) and isinstance(number, Real) and number == number


def is_count(number: object) -> bool:
    """Whether it can be a limit or an offset; numpy's integers can, as a column of numbers has them."""
    return not isinstance(number, bool) and isinstance(number, Integral) and int(number) >= 0
