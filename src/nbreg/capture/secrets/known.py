"""The values that this process holds and that are known to be secrets, wherever they turn up later.

Environment variables with a secret's name; the notebook's own variables, keys and fields with
one; and what somebody typed or fetched when a cell asked for it (`asked.py`).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from types import GetSetDescriptorType
from typing import Any, Final, NamedTuple

from nbreg.capture.secrets.asked import Asked
from nbreg.capture.secrets.names import secret_kind
from nbreg.capture.secrets.shapes import is_placeholder, looks_random

SHORTEST: Final = 8
"""Shorter values are not looked for inside texts: they would be found in ordinary words."""

SHORTEST_WHOLE: Final = 4
"""Down to this length they are withheld where they are all of a text, or of a literal."""

LONGEST: Final = 16_384

_LOOKED_AT = 2_000
_ITEMS = 100
_NOTHING_INSIDE = frozenset(map(id, (int, float, bool, complex, type(None))))
_DEPTH = 4
_HAS_GAP = re.compile(r"\s").search
_class_mro = type.__dict__["__mro__"].__get__
_class_dict = type.__dict__["__dict__"].__get__


class Held(NamedTuple):
    """A text that the process holds under a name or a key."""

    kind: str
    text: str
    is_variable: bool


def environment_values() -> set[str]:
    """The values of the secret environment variables as they are now; the names are read once."""
    raw = getattr(os.environ, "_data", None)  # decoding each name and encoding it again takes its time
    secret = _secret_names(tuple(raw if type(raw) is dict else os.environb))
    return known_values({name: os.environ.get(name) for name in secret})


def _is_place(value: str) -> bool:
    """`PWD` is no password, and where credentials are kept is no secret."""
    return value.startswith((os.sep, "~")) and os.path.exists(os.path.expanduser(value))  # noqa: PTH110, PTH111


@lru_cache(maxsize=4)
def _secret_names(names: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(name for name in map(os.fsdecode, names) if secret_kind(name))


def known_values(named: Mapping[str, object], *, sure: bool = True) -> set[str]:
    """The values of secret names, to be withheld wherever they turn up.

    Not `sure` are a notebook's variables: there a plain word under the name `token` is as
    likely a piece of text, and withholding it everywhere would ruin the recipe. A variable
    named `password` holds a password even if that is a word.
    """
    return {held.text for held in _held(named) if _is_secret(held, sure=sure) and not _is_place(held.text)}


def _is_secret(held: Held, *, sure: bool) -> bool:
    if held.is_variable and (sure or held.kind == "password"):
        return True
    if held.kind in ("token", "key", "session"):  # {"token": "New York"} is a piece of text
        return is_no_word(held.text) and any(map(str.isdigit, held.text)) and not _HAS_GAP(held.text)
    return is_no_word(held.text)


def is_no_word(text: str) -> bool:
    """Whether a text is neither one plain word nor a name made of words."""
    return looks_random(text) and not text.isspace() and not text.replace("_", "").isalpha()


def _held(named: Mapping[str, object]) -> Iterator[Held]:
    """Texts under secret names: variables, and what stands in dictionaries, pairs and fields."""
    left = _LOOKED_AT
    waiting = _worth_looking([(name, value, "", 0) for name, value in list(named.items())])
    while waiting and left > 0:
        left -= 1
        name, value, inherited, depth = waiting.pop()
        kind = (secret_kind(name) if type(name) is str else "") or inherited
        # Exact types only: a subclass's methods are somebody's code.
        if type(value) is bytes and kind and len(value) <= LONGEST and value.isascii():
            value = value.decode()
        if type(value) is str:
            if kind and SHORTEST_WHOLE <= len(value) <= LONGEST and not is_placeholder(value):
                yield Held(kind, value, is_variable=depth == 0)
        elif depth < _DEPTH:
            waiting += _worth_looking([(key, each, kind, depth + 1) for key, each in _inside(value)])


_Waiting = tuple[Any, object, str, int]


def _worth_looking(waiting: list[_Waiting]) -> list[_Waiting]:
    """Without numbers, and without texts that no name speaks of: most of what there is."""
    # Ids of types, not types: a metaclass may hash and compare as it likes.
    return [
        each
        for each in waiting
        if id(type(each[1])) not in _NOTHING_INSIDE and (type(each[1]) is not str or each[0] or each[2])
    ]


def _inside(value: object) -> Iterable[tuple[Any, object]]:
    kind = type(value)
    if kind is dict:
        return list(islice(value.items(), _ITEMS))  # type: ignore[attr-defined]
    if kind is list or kind is tuple:
        few: Any = value
        if len(few) == 2 and type(few[0]) is str and secret_kind(few[0]):
            return [(few[0], few[1])]
        return [("", each) for each in few[:_ITEMS]] if len(few) <= _ITEMS else ()
    return list(islice(_fields(value), _ITEMS))


def _fields(value: object) -> Iterable[tuple[Any, object]]:
    """The fields of a plain object: read from its dictionary, so that no property of it runs."""
    for base in _class_mro(type(value)):
        own = _class_dict(base).get("__dict__")
        if own is not None:
            if type(own) is not GetSetDescriptorType or issubclass(type(value), type | type(sys)):
                return ()
            fields = own.__get__(value)
            return fields.items() if type(fields) is dict else ()
    return ()


def answers(sources: Iterable[str], namespace: Mapping[str, object]) -> set[str]:
    """What was typed or fetched when a cell asked for it, as far as names still hold it."""
    found: set[str] = set()
    for each in Asked.of(sources):
        value = namespace.get(each.name)
        for key in each.keys:
            value = _item(value, key)
        texts = {value} if type(value) is str else {held.text for held in _held({"secret": value})}
        for text in texts:
            sure = each.sure and type(value) is str
            if (
                SHORTEST_WHOLE <= len(text) <= LONGEST
                and not is_placeholder(text)
                and (sure or is_no_word(text))
            ):
                found.add(text)
    return found


def _item(value: object, key: object) -> object:
    if type(value) is dict:
        return value.get(key)
    if type(value) is list or type(value) is tuple:
        return value[key] if type(key) is int and key < len(value) else None
    return None
