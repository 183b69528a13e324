"""The lists: versions of one model, or of all, chosen by a query.

Rows are read one after the other, and no further than the limit asks for. What stands in the
manifest is read only for versions that the rest of the query leaves over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

from nbreg.errors import BadInputError, StoreError, did_you_mean
from nbreg.names import parse_semantic
from nbreg.query import Query, Read, parse_query
from nbreg.records import Captured, Evidence, Manifest, ModelRow, VersionRow, as_doc
from nbreg.registry.ground import parts, proofs
from nbreg.registry.ground.desk import Desk, Entry, aliases
from nbreg.registry.ground.given import is_count
from nbreg.store.folder import MODEL_ROW
from nbreg.store.tiny import JournalDB

_OF_THE_ROW: Final = (
    "number", "name", "id", "stage", "tags", "description", "message", "metrics", "created", "actor", "type",
    "size", "bump", "bump_reason", "run", "stages_held",
)  # fmt: skip
_OF_THE_MANIFEST: Final = ("params", "content", "parent", "described")
_CAPTURED: Final = ("environment", "variables", "recipe", "source", "data", "signature", "probe")

FIELDS: Final[dict[str, int]] = {
    **dict.fromkeys((*_OF_THE_ROW, "model", "deleted"), 0),
    **dict.fromkeys(("aliases", "proof"), 1),
    **dict.fromkeys((*_OF_THE_MANIFEST, *_CAPTURED, "artifacts"), 2),
}
"""What a query may ask for, and what it costs: the row is at hand, another row, the manifest's file."""


def versions(
    desk: Desk,
    model: str,
    *,
    query: str | None = None,
    sort: str | None,
    limit: int | None,
    offset: int,
    deleted: bool,
) -> list[Entry]:
    """A model's versions, newest first or sorted."""
    _check_counts(limit, offset)
    understood = None if query is None else parse_query(query, FIELDS)
    database = desk.model(model)
    found = _rows(database, deleted=deleted)
    if understood is not None:
        found = _chosen(desk, model, database, found, understood)
    if sort is None:
        chosen = (
            [row for i, row in zip(range(offset + limit), found, strict=False) if i >= offset]
            if (limit is not None)
            else list(found)[offset:]
        )
    else:
        rows = list(found)
        ordered = sorted_rows(rows, sort)
        if understood is None:
            _refuse_unknown(rows, sort.removeprefix("-"))
        chosen = ordered[offset:] if limit is None else ordered[offset : offset + limit]
    return [Entry(model, database, row) for row in chosen]


def _rows(database: JournalDB, *, deleted: bool) -> Any:
    """Rows from the newest down, read as they are asked for."""
    head = database.row(*MODEL_ROW, ModelRow)
    for number in range(head.next_number - 1 if head else 0, 0, -1):
        row = database.row("versions", number, VersionRow)
        if row is not None and (deleted or row.deleted is None):
            yield row


_SORTABLE = ("number", "name", "created", "stage", "size", "actor")


def sorted_rows(rows: list[VersionRow], sort: str) -> list[VersionRow]:
    """Rows by one field; those that lack it come last. Raises `BadInputError`."""
    if not isinstance(sort, str):
        raise BadInputError(f"versions are sorted by a field's name, not {type(sort).__name__}")
    field, descending = sort.removeprefix("-"), sort.startswith("-")
    if field not in _SORTABLE and not field.startswith("metrics."):
        raise BadInputError(
            f"versions cannot be sorted by {field!r}", hint=f"{', '.join(_SORTABLE)} or metrics.NAME"
        )
    metric = field.removeprefix("metrics.")

    def value(row: VersionRow) -> Any:
        return row.metrics.get(metric) if field.startswith("metrics.") else getattr(row, field)

    def key(row: VersionRow) -> tuple[object, ...]:
        semantic = parse_semantic(row.name) if field == "name" else None
        return (0, *semantic.order) if semantic else (1, value(row))  # 1.9.0 before 1.10.0

    with_value = [row for row in rows if value(row) is not None]
    without = [row for row in rows if value(row) is None]
    return sorted(with_value, key=key, reverse=descending) + without


def _refuse_unknown(rows: list[VersionRow], field: str) -> None:
    """A metric that no version has sorts nothing, and looks as if it did."""
    metric, known = field.removeprefix("metrics."), {name for row in rows for name in row.metrics}
    if rows and field.startswith("metrics.") and metric not in known:
        hint = did_you_mean(metric, known, "" if known else "they have no metrics")
        raise BadInputError(f"no version has the metric {ascii(metric)[:80]}", hint=hint)


def search(desk: Desk, query: str, *, limit: int | None, offset: int, deleted: bool) -> list[Entry]:
    """The versions of all models that a query chooses, by model, newest first in each."""
    _check_counts(limit, offset)
    understood = parse_query(query, FIELDS)
    found = (
        Entry(row.name, database, each)
        for row in desk.models()
        for database in (desk.model(row.name),)
        for each in _chosen(desk, row.name, database, _rows(database, deleted=deleted), understood)
    )
    return list(islice(found, offset, None if limit is None else offset + limit))


def _check_counts(limit: object, offset: object) -> None:
    if not is_count(offset) or not (limit is None or is_count(limit)):
        raise BadInputError("limit and offset are whole numbers from 0 on")


def _chosen(
    desk: Desk, model: str, database: JournalDB, rows: Iterator[VersionRow], query: Query
) -> Iterator[VersionRow]:
    by_number: dict[int, list[str]] = {}
    if "aliases" in query.fields:
        for alias, number in aliases(database).items():
            by_number.setdefault(number, []).append(alias)
    for row in rows:
        if query.matches(_Fields(desk, Entry(model, database, row), by_number)):
            yield row


def reader(desk: Desk, entry: Entry) -> Read:
    """What gives the fields of one version, for a query about it alone."""
    return _Fields(desk, entry, {entry.number: entry.aliases})


def is_chosen(desk: Desk, entry: Entry, query: Query) -> bool:
    """Whether a query chooses one version."""
    by_number = {entry.number: entry.aliases} if "aliases" in query.fields else {}
    return query.matches(_Fields(desk, entry, by_number))


class _Fields:
    """One version's fields, read when they are asked for."""

    def __init__(self, desk: Desk, entry: Entry, aliases: dict[int, list[str]]) -> None:
        self._desk, self._entry, self._aliases = desk, entry, aliases
        self._read: Manifest | None = None

    def __call__(self, name: str) -> object:
        row = self._entry.row
        if name in _OF_THE_ROW:
            return getattr(row, name)
        if name in _DERIVED:
            return _DERIVED[name](self)
        manifest = self._manifest()
        if name == "content" and row.content is not None:
            return row.content
        if manifest is None:
            return None
        found = getattr(manifest, name)
        if isinstance(found, Captured):
            return found.summary if found.is_there else None
        return found or None  # unset, or nothing said

    def _manifest(self) -> Manifest | None:
        """The manifest, None where it was purged or is damaged: a list is not the place to fail."""
        if self._read is None and not self._entry.row.purged:
            try:
                self._read = parts.manifest(self._desk, self._entry)
            except StoreError:
                return None
        return self._read

    def _proof(self) -> object:
        found: Evidence | None = proofs.proof_of(self._entry)
        return None if found is None else as_doc(found)

    def _artifacts(self) -> object:
        manifest = self._manifest()
        return [each.name for each in manifest.artifacts] if manifest else None


_DERIVED: Final[dict[str, Callable[[_Fields], object]]] = {
    "model": lambda fields: fields._entry.model,
    "deleted": lambda fields: fields._entry.row.deleted is not None,
    "aliases": lambda fields: fields._aliases.get(fields._entry.number, []),
    "proof": _Fields._proof,
    "artifacts": _Fields._artifacts,
}
