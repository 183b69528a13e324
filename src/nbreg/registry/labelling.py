"""Aliases, and what may be updated of a version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from nbreg.errors import BadValueError, NameTakenError, UnknownVersionError, did_you_mean
from nbreg.names import LONGEST_NAME, check_version_name
from nbreg.records import Pointer, VersionRow, plain
from nbreg.registry import bookkeeping, reading
from nbreg.registry.moving import note
from nbreg.registry.version import ModelVersion

if TYPE_CHECKING:
    from nbreg.registry.core import Registry

Reference = str | ModelVersion


def set_alias(registry: Registry, ref: Reference, alias: str, *, reason: str, message: str) -> ModelVersion:
    """Point an alias at a version; see `Registry.set_alias`."""
    alias = check_version_name(alias, registry.stages, what="alias")
    version = reading.to_write(registry, ref)
    registry._folder.ready(registry.actor)
    database = registry._model(version.model)
    with database.transaction("alias-set", by=registry.actor, reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, version.number)
        taken = database.row("names", alias, Pointer)
        if taken is not None:
            raise NameTakenError(
                f"{alias!r} is the name of {version.model}@{taken.number}", hint="names and aliases differ"
            )
        known = database.row("aliases", alias, Pointer)
        if known is not None and known.number == row.number:
            return version
        note(draft, row, alias=alias, **({"before": known.number} if known else {}))
        bookkeeping.brief(database, draft)
        database.put("aliases", alias, Pointer(number=row.number))
    return version


def drop_alias(registry: Registry, model: str, alias: str, *, reason: str, message: str) -> None:
    """Take an alias away; see `Registry.drop_alias`."""
    database = registry._model(model)
    registry._folder.ready(registry.actor)
    with database.transaction("alias-dropped", by=registry.actor, reason=reason, message=message) as draft:
        known = database.row("aliases", alias, Pointer)
        if known is None:
            raise UnknownVersionError(
                f"{model!r} has no alias {alias[:80]!r}", hint=did_you_mean(alias, database.ids("aliases"))
            )
        note(draft, bookkeeping.version_row(database, known.number, deleted=True), alias=alias)
        bookkeeping.brief(database, draft)
        database.put("aliases", alias, None)


def update(
    registry: Registry,
    ref: Reference,
    *,
    description: str | None,
    tags: Iterable[str] | None,
    content: Mapping[str, Any] | None,
    metrics: Mapping[str, Any] | None,
    reason: str,
    message: str,
) -> ModelVersion:
    """Change what may change; see `Registry.update`."""
    changes: dict[str, Any] = {}
    if description is not None:
        changes["description"] = checked_text(description, "the description")
    if tags is not None:
        changes["tags"] = checked_tags(tags)
    if content is not None:
        changes["content"] = checked_mapping(content, "content")
    added = checked_metrics(metrics)
    version = reading.to_write(registry, ref)
    registry._folder.ready(registry.actor)
    database = registry._model(version.model)
    with database.transaction("updated", by=registry.actor, reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, version.number)
        after = msgspec.structs.replace(row, **changes, metrics={**row.metrics, **added})
        changed = [
            field for field in VersionRow.__struct_fields__ if getattr(row, field) != getattr(after, field)
        ]
        if not changed:
            return version
        note(draft, row, changed=changed)
        bookkeeping.brief(database, draft)
        database.put("versions", row.number, after)
    return version


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


def checked_mapping(value: Mapping[str, Any] | None, what: str) -> dict[str, Any]:
    """Names and plain values. Raises `BadValueError`."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadValueError(
            f"{what} are a {type(value).__qualname__}", hint="give a dict of names and values"
        )
    checked: dict[str, Any] = plain(value, what)
    return checked


def checked_text(text: str, what: str) -> str:
    """Text of at most a million characters. Raises `BadValueError`."""
    if not isinstance(text, str):
        raise BadValueError(f"{what} is text, not {type(text).__name__}")
    if len(text) > 1_000_000:
        raise BadValueError(
            f"{what} has {len(text):,} characters", hint="up to a million; put files into artifacts"
        )
    checked: str = plain(text, what)
    return checked
