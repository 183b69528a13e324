"""The shape of all that travels, as TypeScript spells it: what a frontend is written against.

`tools/contract.py` makes `contract.ts` of it. At run time it is only a digest, by which a frontend and
a server find out whether they fit.
"""

from __future__ import annotations

import types
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from nbreg.records import Foretold, Holding, canonical, digest_of
from nbreg.server.asked import Asked
from nbreg.server.replies import Refusal
from nbreg.server.routes import ROUTES, Route

OF_KERNELS = (Holding, Foretold)
"""What a frontend is told by a kernel: the same page reads it, so the same file types it."""

_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null", Any: "unknown"}


class Field(NamedTuple):
    """A field of a record, and its type in TypeScript."""

    name: str
    kind: str
    may_miss: bool


def records() -> list[type[msgspec.Struct]]:
    """All records that are asked with, answered, or part of such a one, by name."""
    found: set[type[msgspec.Struct]] = set()
    waiting: list[Any] = [
        Refusal,
        *OF_KERNELS,
        *(each for route in ROUTES for each in (route.takes, route.gives)),
    ]
    while waiting:
        each = waiting.pop()
        if not _is_record(each):
            waiting += get_args(each) if get_origin(each) is not Literal else ()
        elif each not in found:
            found.add(each)
            waiting += get_type_hints(each).values()
    return sorted(found, key=lambda each: each.__name__)


def fields(record: type[msgspec.Struct]) -> list[Field]:
    """The fields of a record: all are there in an answer, in a question only those without a default."""
    hints = get_type_hints(record)
    config = record.__struct_config__
    tag = [Field(str(config.tag_field), repr(config.tag), False)] if config.tag is not None else []
    return tag + [
        Field(
            each.name,
            spelled(hints[each.name]),
            msgspec.UnsetType in get_args(hints[each.name])
            or (issubclass(record, Asked) and not each.required),
        )
        for each in msgspec.structs.fields(record)
    ]


def answer_of(route: Route) -> str:
    """The type of a route's answer."""
    return "Blob" if route.is_download else spelled(route.gives)


def interface(record: type) -> str:
    """The name that a record has in TypeScript."""
    return f"I{record.__name__}"


def spelled(kind: Any) -> str:
    """A Python type as TypeScript writes it."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if _is_record(kind):
        return interface(kind)
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if origin is Annotated:
        return spelled(arguments[0])
    if origin is Literal:
        return " | ".join(f"'{each}'" for each in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(spelled(each) for each in arguments if each is not msgspec.UnsetType))
    if origin is list:
        inner = spelled(arguments[0]) if arguments else "unknown"
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if origin is dict:
        return f"{{ [name: string]: {spelled(arguments[1]) if arguments else 'unknown'} }}"
    raise TypeError(f"{kind} has no form in TypeScript yet")


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


@cache
def contract_digest() -> str:
    """One short word for all of it: equal in a frontend and a server that fit."""
    table = [(each.method, each.path, interface(each.takes), answer_of(each)) for each in ROUTES]
    return digest_of(canonical([table, [(interface(each), fields(each)) for each in records()]]))[:16]
