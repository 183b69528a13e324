"""The data that a model saw: shape, columns, content, and the rows that two sets share.

The content is digested column by column, up to a budget of bytes in all; of what goes beyond
it every n-th row is, and the summary says so. A frame's index is no part of its content.
What nobody named is worked out from the cells (`capture.recipe.inferring`): it has a smaller
budget, is marked as inferred, and is no part of what makes two registrations equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from nbreg import families
from nbreg.capture.secrets import Redactor
from nbreg.capture.summaries import type_name
from nbreg.capture.tabular import columns, tablefiles
from nbreg.capture.tabular.tables import EVERY, Table, as_table, kind_of
from nbreg.records import Column, Data, DataLink, UsedData, canonical, digest_of

WHOLE: Final = 256 * 1024 * 1024
"""Bytes of all sets together that are digested whole."""

SAMPLED: Final = 32 * 1024 * 1024
"""Bytes of a set beyond that."""

UNASKED: Final = 64 * 1024 * 1024
"""Bytes of all sets that were not named together that are digested whole: nobody waits long for them."""

FILE: Final = 64 * 1024 * 1024
"""Bytes of a file whose table is read for the sake of its columns."""

COMPARED: Final = 1_000_000
"""Rows of a set that are looked for in another."""

_TH_ROW: Final = "th row"
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
        found.append(_data_set(str(name), role_of(str(name)), value, table, step, redactor))
    return found


def read_used(used: Sequence[UsedData], redactor: Redactor) -> list[DataSet]:
    """The same of sets that were worked out; those that the model was only asked about are not sketched."""
    left, found = UNASKED, []
    for each in used:
        if far := _is_far(each.value, left):
            found.append(_told_only(each, far, redactor))
            continue
        table = None if each.value is None else _table(each.value)
        step = _step(table, left, sampled=UNASKED // 8) if table else 1
        left -= 0 if table is None else table.bytes // step
        found.append(_used(each, table, step, redactor))
    return found


def _is_far(value: Any, left: int) -> str:
    """The device of a tensor that would have to be fetched from there, if it is larger than the budget."""
    if kind_of(value) != "torch.Tensor" or value.device.type == "cpu":
        return ""
    return str(value.device) if value.element_size() * value.nelement() > left else ""


def _told_only(used: UsedData, device: str, redactor: Redactor) -> DataSet:
    value: Any = used.value
    summary = {"kind": "torch.Tensor", "shape": list(value.shape), "scope": f"not read: it is on {device}"}
    link = DataLink(name=redactor.text(used.name), role=used.role, summary=summary, inferred=True)
    return DataSet(link, None, [])


def _used(used: UsedData, table: Table | None, step: int, redactor: Redactor) -> DataSet:
    told = {
        "target": used.is_target,
        "part": used.is_part,
        "since": used.since,
        "asked": used.asked,
    }
    known = DataSet(DataLink(name=redactor.text(used.name), role=used.role), None, [])
    if table is not None:
        sketched = used.role == "train" and not used.is_target
        known = _data_set(used.name, used.role, used.value, table, step, redactor, sketched=sketched)
    summary = {**known.link.summary, **{key: value for key, value in told.items() if value}}
    return known._replace(link=msgspec.structs.replace(known.link, inferred=True, summary=summary))


def _table(value: object) -> Table | None:
    try:
        return as_table(value)
    except Exception:  # another release of the library: the digest by value is left
        return None


def _step(table: Table, left: int, *, sampled: int | None = None) -> int:
    return 1 if table.bytes <= left else -(-table.bytes // (sampled or SAMPLED))


def _data_set(
    name: str,
    role: str,
    value: object,
    table: Table | None,
    step: int,
    redactor: Redactor,
    *,
    sketched: bool = True,
) -> DataSet:
    clean = redactor.text(name)
    try:
        if table is not None:
            return _of_table(clean, role, table, step, redactor, sketched=sketched)
    except Exception:  # noqa: S110 - a column that cannot be read: the digest by value is left
        pass
    snapshot = families.snapshot(_without_secret(value, redactor))
    shape, found = _in_file(value, redactor) if isinstance(value, Path) and sketched else ([], [])
    summary = {"kind": type_name(type(value)), **({"shape": shape, "scope": "whole"} if found else {})}
    return DataSet(DataLink(name=clean, role=role, snapshot=snapshot, summary=summary), None, found)


def _in_file(path: Path, redactor: Redactor) -> tuple[list[int], list[Column]]:
    """Shape and columns of a table in a file of moderate size; its content is told by the file's bytes."""
    try:
        table = as_table(tablefiles.read(path)) if path.stat().st_size <= FILE else None
        return ([], []) if table is None else (table.shape, columns.records(table, EVERY, redactor))
    except Exception:  # no table, or nothing that reads one: its digest is known all the same
        return [], []


def _without_secret(value: object, redactor: Redactor) -> object:
    """Plain values without the secrets in them: no digest is made of one."""
    kind = type(value)
    if not (kind is str or kind is dict or kind is list):  # a metaclass may compare as it likes
        return value
    clean = redactor.plain(value)
    return value if clean == value else clean


def _of_table(
    name: str, role: str, table: Table, step: int, redactor: Redactor, *, sketched: bool
) -> DataSet:
    rows = slice(None) if step == 1 else slice(None, None, step)
    found = columns.records(table, rows, redactor, sketched=sketched)
    scope = "whole" if step == 1 else f"every {step}{_TH_ROW}"
    unread = [column.name for column in found if not column.digest]
    summary = {"kind": table.kind, "shape": table.shape, "bytes": table.bytes, "scope": scope}
    if unread:
        summary["without"] = unread[:20]
    snapshot = columns.of_columns(found, table.shape, scope)
    link = DataLink(name=name, role=role, snapshot=snapshot, summary=summary)
    return DataSet(link, table, found if sketched else [])


def rows_read(summary: Mapping[str, Any]) -> int:
    """How many rows of a recorded set its columns tell of."""
    shape, scope = summary.get("shape") or [0], str(summary.get("scope", ""))
    step = scope.removeprefix("every ").removesuffix(_TH_ROW)
    return -(-int(shape[0]) // max(1, int(step) if step.isdigit() else 1))


def role_of(name: str) -> str:
    """`train` unless the name says otherwise: what is named is what the model was trained on."""
    word = name.casefold()
    return next((role for role, pattern in _ROLES if pattern.search(word)), "train")


def record(
    sets: list[DataSet], files: Sequence[dict[str, Any]] = (), features: Sequence[Mapping[str, Any]] = ()
) -> Data:
    """The sets with their columns and the rows that two of them share, files, and the feature set."""
    return Data(
        sets=[each.link for each in sets],
        columns={each.link.name: each.columns for each in sets if each.columns},
        files=list(files),
        overlaps=list(_overlaps(sets)),
        feature_set=feature_set(features),
    )


def feature_set(features: Sequence[Mapping[str, Any]]) -> str:
    """The version of a feature set: a digest of names, types and order; empty where nothing is known of it.

    Where only the names are known they alone are digested, so it is compared with its like.
    """
    told = [[each.get("name", ""), each.get("type", ""), each.get("shape", [])[1:]] for each in features]
    return digest_of(canonical(told)) if told else ""


def data_summary(data: Data, features: int = 0) -> dict[str, Any]:
    """What a card says of the data: each set's shape, and how many rows are shared."""
    summary: dict[str, Any] = {}
    if data.sets:
        summary["sets"] = {each.name: shape_of(each.summary) for each in data.sets}
    if any(each.inferred for each in data.sets):
        summary["inferred"] = [each.name for each in data.sets if each.inferred]
    if changed := [each.name for each in data.sets if each.summary.get("since") == "changed"]:
        summary["changed"] = changed
    if data.snapshot:
        summary["snapshot"] = data.snapshot[:12]
    if shared := sum(each["rows"] for each in data.overlaps):
        summary["shared_rows"] = shared
    if data.sets and _asked_about_training_alone(data):
        summary["asked_about_training"] = True
    if data.files:
        summary["files"] = len(data.files)
    if changed_files := sum(bool(each.get("changed")) for each in data.files):
        summary["changed_files"] = changed_files
    if data.feature_set:
        summary["feature_set"] = data.feature_set[:12]
        summary["features"] = features
    return summary


def _asked_about_training_alone(data: Data) -> bool:
    """Whether the model was only ever asked about what it was trained on."""
    held_out = [each for each in data.sets if each.role != "train"]
    return not held_out and any(each.summary.get("asked") for each in data.sets)


def shape_of(summary: Mapping[str, Any]) -> str:
    """`426×30`; a set of no known type by that type."""
    shape = summary.get("shape")
    return "×".join(map(str, shape)) if shape else str(summary.get("kind", ""))


def _overlaps(sets: list[DataSet]) -> Iterator[dict[str, Any]]:
    """Of each pair of tables with the same columns: how many rows of the second are in the first."""
    wide = [each for each in sets if each.table and _is_comparable(each.table)]
    paired = [(a, b) for a, b in combinations(wide, 2) if _are_alike(a.table, b.table) and _differ(a, b)]
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


def _differ(a: DataSet, b: DataSet) -> bool:
    """Two that were worked out are compared where one is trained on and the other is not."""
    return a.link.role != b.link.role or not (a.link.inferred and b.link.inferred)


def _are_alike(a: Table | None, b: Table | None) -> bool:
    if a is None or b is None or a.shape[1] != b.shape[1]:
        return False
    both_named = a.named and b.named
    return not both_named or [each.name for each in a.columns] == [each.name for each in b.columns]


def _hashes(table: Table | None) -> Any:
    assert table is not None
    return columns.row_hashes(table.columns, slice(0, COMPARED), table.block)[:COMPARED]
