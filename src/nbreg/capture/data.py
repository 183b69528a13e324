"""The data that a model saw: shape, columns, content, and the rows that two sets share.

The content is digested column by column, up to a budget of bytes in all; of what goes beyond
it every n-th row is, and the summary says so. A frame's index is no part of its content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final, NamedTuple

from nbreg import families
from nbreg.capture import columns
from nbreg.capture.secrets import Redactor
from nbreg.capture.summaries import type_name
from nbreg.capture.tables import Table, as_table
from nbreg.records import Column, Data, DataLink

WHOLE: Final = 256 * 1024 * 1024
"""Bytes of all sets together that are digested whole."""

SAMPLED: Final = 32 * 1024 * 1024
"""Bytes of a set beyond that."""

COMPARED: Final = 1_000_000
"""Rows of a set that are looked for in another."""

_ROLES: Final = (
    ("test", re.compile(r"test|(?:^|[_xy])te(?:$|[_\d])")),
    ("validation", re.compile(r"valid|(?:^|_)(?:x|y)?_?(?:val|dev)(?:$|[_\d])|hold_?out|eval")),
    ("train", re.compile(r"train|(?:^|[_xy])tr(?:$|[_\d])")),
)


class DataSet(NamedTuple):
    """A set that the caller named, as it is recorded, and as columns where it can be read so."""

    link: DataLink
    table: Table | None
    columns: list[Column]


def read(data: Mapping[str, object], redactor: Redactor) -> list[DataSet]:
    """Digest and sketch each set; one of no known type has a digest by value alone."""
    left, found = WHOLE, []
    for name, value in data.items():
        table = _table(value)
        step = _step(table, left) if table else 1
        left -= 0 if table is None else table.bytes // step
        found.append(_data_set(str(name), value, table, step, redactor))
    return found


def _table(value: object) -> Table | None:
    try:
        return as_table(value)
    except Exception:  # another release of the library: the digest by value is left
        return None


def _step(table: Table, left: int) -> int:
    return 1 if table.bytes <= left else -(-table.bytes // SAMPLED)


def _data_set(name: str, value: object, table: Table | None, step: int, redactor: Redactor) -> DataSet:
    clean = redactor.text(name)
    try:
        if table is not None:
            return _of_table(clean, role_of(name), table, step, redactor)
    except Exception:  # noqa: S110 - a column that cannot be read: the digest by value is left
        pass
    snapshot = families.snapshot(_without_secret(value, redactor))
    summary = {"kind": type_name(type(value))}
    return DataSet(DataLink(name=clean, role=role_of(name), snapshot=snapshot, summary=summary), None, [])


def _without_secret(value: object, redactor: Redactor) -> object:
    """Plain values without the secrets in them: no digest is made of one."""
    kind = type(value)
    if not (kind is str or kind is dict or kind is list):  # a metaclass may compare as it likes
        return value
    clean = redactor.plain(value)
    return value if clean == value else clean


def _of_table(name: str, role: str, table: Table, step: int, redactor: Redactor) -> DataSet:
    rows = slice(None) if step == 1 else slice(None, None, step)
    found = [columns.record(column, rows, redactor) for column in table.columns]
    scope = "whole" if step == 1 else f"every {step}th row"
    unread = [column.name for column in found if not column.digest]
    summary = {"kind": table.kind, "shape": table.shape, "bytes": table.bytes, "scope": scope}
    if unread:
        summary["without"] = unread[:20]
    snapshot = columns.of_columns(found, table.shape, scope)
    return DataSet(DataLink(name=name, role=role, snapshot=snapshot, summary=summary), table, found)


def role_of(name: str) -> str:
    """`train` unless the name says otherwise: what is named is what the model was trained on."""
    word = name.casefold()
    return next((role for role, pattern in _ROLES if pattern.search(word)), "train")


def record(sets: list[DataSet]) -> Data:
    """The sets with their columns, and the rows that two of them share."""
    return Data(
        sets=[each.link for each in sets],
        columns={each.link.name: each.columns for each in sets if each.columns},
        overlaps=list(_overlaps(sets)),
    )


def data_summary(data: Data) -> dict[str, Any]:
    """What a card says of the data: each set's shape, and how many rows are shared."""
    summary: dict[str, Any] = {"sets": {each.name: shape_of(each.summary) for each in data.sets}}
    if shared := sum(each["rows"] for each in data.overlaps):
        summary["shared_rows"] = shared
    return summary


def shape_of(summary: Mapping[str, Any]) -> str:
    """`426×30`; a set of no known type by that type."""
    shape = summary.get("shape")
    return "×".join(map(str, shape)) if shape else str(summary.get("kind", ""))


def _overlaps(sets: list[DataSet]) -> Iterator[dict[str, Any]]:
    """Of each pair of tables with the same columns: how many rows of the second are in the first."""
    wide = [each for each in sets if each.table and _is_comparable(each.table)]
    paired = [(a, b) for a, b in combinations(wide, 2) if _are_alike(a.table, b.table)]
    if not paired:
        return
    hashes = {id(each): _hashes(each.table) for pair in paired for each in pair}
    for a, b in paired:
        first, second = (b, a) if b.link.role == "train" != a.link.role else (a, b)
        shared = columns.shared(hashes[id(first)], hashes[id(second)])
        yield {
            "a": first.link.name,
            "b": second.link.name,
            "rows": shared,
            "of": len(hashes[id(second)]),
            "scope": "whole" if max(first.table.rows, second.table.rows) <= COMPARED  # type: ignore[union-attr]
            else f"the first {COMPARED} rows of each",
        }  # fmt: skip


def _is_comparable(table: Table) -> bool:
    """A target alone shares its values with any other; a sparse table's columns are no columns."""
    return len(table.shape) == 2 and table.shape[1] > 1 and len(table.columns) == table.shape[1]


def _are_alike(a: Table | None, b: Table | None) -> bool:
    if a is None or b is None or a.shape[1] != b.shape[1]:
        return False
    both_named = a.named and b.named
    return not both_named or [each.name for each in a.columns] == [each.name for each in b.columns]


def _hashes(table: Table | None) -> Any:
    assert table is not None
    return columns.row_hashes(table.columns, slice(0, COMPARED))[:COMPARED]
