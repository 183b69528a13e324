"""Aliases, and what may be updated of a version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import FunctionType
from typing import Any

import msgspec

from nbreg.capture.secrets import Redactor
from nbreg.capture.secrets.names import secret_kind
from nbreg.capture.secrets.syntax import is_secret_value
from nbreg.errors import BadValueError, NameTakenError, UnknownVersionError, did_you_mean
from nbreg.names import LONGEST_NAME, check_version_name
from nbreg.records import Pointer, VersionRow, plain
from nbreg.registry import bookkeeping, parts, reading
from nbreg.registry.desk import Desk, Entry


def set_alias(desk: Desk, ref: str, alias: str, *, reason: str, message: str) -> Entry:
    """Point an alias at a version; see `Registry.set_alias`."""
    alias = check_version_name(alias, desk.stages, what="alias")
    entry = reading.to_write(desk, ref)
    desk.ready()
    database = entry.database
    with desk.transaction(database, "alias-set", reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, entry.number)
        taken = database.row("names", alias, Pointer)
        if taken is not None:
            raise NameTakenError(
                f"{alias!r} is the name of {entry.model}@{taken.number}", hint="names and aliases differ"
            )
        known = database.row("aliases", alias, Pointer)
        if known is not None and known.number == row.number:
            return entry
        bookkeeping.note(database, draft, row, alias=alias, **({"before": known.number} if known else {}))
        database.put("aliases", alias, Pointer(number=row.number))
    return entry


def drop_alias(desk: Desk, model: str, alias: str, *, reason: str, message: str) -> None:
    """Take an alias away; see `Registry.drop_alias`."""
    database = desk.model(model)
    desk.ready()
    with desk.transaction(database, "alias-dropped", reason=reason, message=message) as draft:
        known = database.row("aliases", alias, Pointer)
        if known is None:
            raise UnknownVersionError(
                f"{model!r} has no alias {alias[:80]!r}", hint=did_you_mean(alias, database.ids("aliases"))
            )
        bookkeeping.note(
            database, draft, bookkeeping.version_row(database, known.number, deleted=True), alias=alias
        )
        database.put("aliases", alias, None)


def update(
    desk: Desk,
    ref: str,
    *,
    description: str | None,
    tags: Iterable[str] | None,
    content: Mapping[str, Any] | None,
    metrics: Mapping[str, Any] | None,
    reason: str,
    message: str,
) -> Entry:
    """Change what may change; see `Registry.update`."""
    changes: dict[str, Any] = {}
    if description is not None:
        changes["description"] = checked_text(description, "the description")
    if tags is not None:
        changes["tags"] = checked_tags(tags)
    if content is not None:
        changes["content"] = checked_mapping(content, "content")
    added = checked_metrics(metrics)
    entry = reading.to_write(desk, ref)
    _refuse_registered(desk, entry, added)
    desk.ready()
    database = entry.database
    with desk.transaction(database, "updated", reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, entry.number)
        after = msgspec.structs.replace(row, **changes, metrics={**row.metrics, **added})
        changed = [
            field for field in VersionRow.__struct_fields__ if getattr(row, field) != getattr(after, field)
        ]
        if not changed:
            return entry
        before = {name: row.metrics[name] for name in added if name in row.metrics}
        bookkeeping.note(database, draft, row, changed=changed, **({"before": before} if before else {}))
        database.put("versions", row.number, after)
    return entry


def _refuse_registered(desk: Desk, entry: Entry, added: dict[str, float]) -> None:
    """A metric that the version was registered with is part of it, and never changes."""
    if not added or entry.row.purged:
        return
    registered = parts.manifest(desk, entry).metrics
    for name, value in added.items():
        if name in registered and registered[name] != value:
            raise BadValueError(
                f"{entry.ref} was registered with {name} = {registered[name]:g}",
                hint="a version does not change; add the new value under another name",
            )


# what callers give


def checked_tags(tags: Iterable[str]) -> list[str]:
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
        found[plain(tag.strip(), "a tag")] = None
    return list(found)


def checked_metrics(metrics: Mapping[str, Any] | None) -> dict[str, float]:
    """Metrics as finite numbers, numpy's and torch's included. Raises `BadValueError`."""
    checked: dict[str, float] = {}
    for name, value in checked_mapping(metrics, "metrics").items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadValueError(
                f"metrics.{name} is not a number", hint="what is not a number belongs in content"
            )
        checked[name] = float(value)
    return checked


def checked_params(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Parameters as they can be recorded: what JSON has no form for is told in words, and never refused.

    `get_params()` gives NaN and estimators among its values; losing a version over them helps nobody.
    """
    if params is not None and not isinstance(params, Mapping):
        raise BadValueError(
            f"params are a {type(params).__qualname__}", hint="give a dict of names and values"
        )
    plain(dict.fromkeys(params or ()), "params")  # the names have to be text
    told: dict[str, Any] = without_secrets({name: _told(value) for name, value in (params or {}).items()})
    return told


def _told(value: Any, depth: int = 16) -> Any:
    """The value as JSON has it, or in words; asks no object for its own."""
    try:
        return plain(value, depth=depth)
    except BadValueError:
        pass
    if type(value) in (float, int):
        return str(value)
    if type(value) is str:
        return value.encode(errors="replace").decode()
    if type(value) in (list, tuple) and depth:
        return [_told(each, depth - 1) for each in value]
    if type(value) is dict and depth and all(type(key) is str for key in value):
        return {_told(key): _told(each, depth - 1) for key, each in value.items()}
    kind = value if isinstance(value, type | FunctionType) else type(value)
    return f"<{kind.__module__}.{kind.__qualname__}>"


def checked_mapping(value: Mapping[str, Any] | None, what: str) -> dict[str, Any]:
    """Names and plain values. Raises `BadValueError`."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadValueError(
            f"{what} are a {type(value).__qualname__}", hint="give a dict of names and values"
        )
    checked: dict[str, Any] = without_secrets(plain(value, what))
    return checked


def checked_text(text: str, what: str) -> str:
    """Text of at most a million characters. Raises `BadValueError`."""
    if not isinstance(text, str):
        raise BadValueError(f"{what} is text, not {type(text).__name__}")
    if len(text) > 1_000_000:
        raise BadValueError(
            f"{what} has {len(text):,} characters", hint="up to a million; put files into artifacts"
        )
    checked: str = without_secrets(plain(text, what))
    return checked


def without_secrets(value: Any) -> Any:
    """What a caller gave, with what looks like a secret withheld: none is ever written."""
    return _withheld(value, Redactor.of_process(), "") if value else value


def _withheld(value: Any, redactor: Redactor, name: str) -> Any:
    if isinstance(value, str):
        kind = secret_kind(name) if name else ""
        return redactor.named(kind) if kind and is_secret_value(value, kind) else redactor.value(value)
    if isinstance(value, dict):
        return {key: _withheld(each, redactor, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_withheld(each, redactor, name) for each in value]
    return value
