"""What callers give, checked and made plain: tags, metrics, parameters, content, texts.

No secret is ever written: what looks like one is withheld here, whoever gave it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nbreg.errors import BadValueError
from nbreg.names import LONGEST_NAME
from nbreg.records import plain

if TYPE_CHECKING:
    from nbreg.capture.secrets import Redactor


def checked_tags(tags: Iterable[str], redactor: Redactor | None = None) -> list[str]:
    """Tags, each once, in their order. Raises `BadValueError`."""
    if isinstance(tags, str):
        raise BadValueError("tags are a list", hint=f"[{tags[:60]!r}]")
    if not isinstance(tags, Iterable):
        raise BadValueError(f"tags are a {type(tags).__qualname__}", hint="give a list of words")
    found: dict[str, None] = {}
    for tag in tags:
        if not isinstance(tag, str) or not tag.strip() or len(tag) > LONGEST_NAME or not tag.isprintable():
            raise BadValueError(
                f"{ascii(tag)[:60]} is not a tag", hint=f"printable text of up to {LONGEST_NAME} characters"
            )
        found[without_secrets(plain(tag.strip(), "a tag"), redactor)] = None
    return list(found)


def checked_metrics(metrics: Mapping[str, Any] | None, redactor: Redactor | None = None) -> dict[str, float]:
    """Metrics as finite numbers, numpy's and torch's included. Raises `BadValueError`."""
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
    from nbreg.families.told import Teller  # with all families, of which a look-up needs none

    if params is not None and not isinstance(params, Mapping):
        raise BadValueError(
            f"params are a {type(params).__qualname__}", hint="give a dict of names and values"
        )
    plain(dict.fromkeys(params or ()), "params")  # the names have to be text
    teller = Teller()
    told: dict[str, Any] = without_secrets(
        {name: teller.told(value) for name, value in (params or {}).items()}, redactor
    )
    return told


def checked_mapping(
    value: Mapping[str, Any] | None, what: str, redactor: Redactor | None = None
) -> dict[str, Any]:
    """Names and plain values. Raises `BadValueError`."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadValueError(
            f"{what} are a {type(value).__qualname__}", hint="give a dict of names and values"
        )
    checked: dict[str, Any] = without_secrets(plain(value, what), redactor)
    return checked


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


def is_count(number: object) -> bool:
    """Whether it can be a limit or an offset."""
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0
