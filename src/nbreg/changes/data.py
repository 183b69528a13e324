"""The training data: sets by name or role, their rows and columns, by content.

Data that only judges a model (test, validation) has not trained it: another test set is no
change of the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from nbreg.changes.findings import NONE_RECORDED, Aspect, Finding, Side, are_one, some, step
from nbreg.records import Column, Data, DataLink

NAME: Final = "data"
_JUDGING: Final = ("test", "validation")

Pair = tuple[DataLink, DataLink]


class Sets(NamedTuple):
    """What is known of one side's data."""

    links: list[DataLink]
    columns: dict[str, list[Column]]
    files: list[dict[str, Any]]
    feature_set: str


def compare(base: Side, new: Side) -> Aspect:
    """Whether the training data changed, and how."""
    after = sets_of(new)
    if are_one(base, new, "data"):  # one part may also say that nothing is known but the features
        return Aspect(NAME, missing="" if after.links or digests(after.files) else NONE_RECORDED)
    before = sets_of(base)
    pairs, gone, come = paired(before.links, after.links)
    training = [pair for pair in pairs if pair[1].role not in _JUDGING]
    found = [told for pair in training for told in _changes(pair, before, after)]
    if training and _are_told_alike(before.links, after.links):
        found += [f"{each.name} no longer used" for each in gone if each.role not in _JUDGING]
        found += [f"{each.name} added" for each in come if each.role not in _JUDGING]
    if not training:
        files = list(_other_files(before.files, after.files))
        if not found and not files and not _have_files(before, after):
            return Aspect(NAME, missing=NONE_RECORDED)
        found += files
    if found:
        return Aspect(NAME, [Finding("minor", f"training data changed ({some(dict.fromkeys(found))})")])
    return Aspect(NAME, missing=_unread([pair for pair in training if not _is_comparable(*pair)]))


def _unread(pairs: list[Pair]) -> str:
    """Why no more can be said of these; empty where there are none."""
    moved = [now.name for was, now in pairs if _is_another(was) or _is_another(now)]
    rest = [now.name for _, now in pairs if now.name not in moved]
    told = [f"{some(moved)} changed since"] if moved else []
    return ", ".join([*told, f"{some(rest)} cannot be told apart by content"] if rest else told)


def _is_another(link: DataLink) -> bool:
    """Whether what was trained on was gone when it could be read: only its name is known."""
    return link.summary.get("since") == "changed"


def _are_told_alike(before: list[DataLink], after: list[DataLink]) -> bool:
    """Whether both sides were given, or both inferred: who names one set need not have used it alone."""
    one, other = (
        any(each.inferred for each in side if each.role not in _JUDGING) for side in (before, after)
    )
    return one == other


def judging(base: Side, new: Side) -> list[str]:
    """The sets that only judge the model and have changed."""
    if are_one(base, new, "data"):
        return []
    pairs, _, _ = paired(sets_of(base).links, sets_of(new).links)
    return [
        now.name
        for was, now in pairs
        if now.role in _JUDGING and was.snapshot and now.snapshot and was.snapshot != now.snapshot
    ]


def sets_of(side: Side) -> Sets:
    """The sets as captured; where they were not, those that the caller named."""
    data = side.part("data", Data)
    if data is None:
        return Sets(list(side.manifest.links), {}, [], "")
    return Sets(data.sets or list(side.manifest.links), data.columns, data.files, data.feature_set)


def paired(
    before: list[DataLink], after: list[DataLink]
) -> tuple[list[Pair], list[DataLink], list[DataLink]]:
    """Sets that are each other's: by name, else the same place among those of the same role; and the rest."""
    old = {each.name: each for each in before}
    pairs = [(old[each.name], each) for each in after if each.name in old]
    named = {each.name for _, each in pairs}
    gone = [each for each in before if each.name not in named]
    come = [each for each in after if each.name not in named]
    for new in list(come):
        match = next((each for each in gone if _is_alike(each, new)), None)
        if match is not None:
            pairs.append((match, new))
            gone.remove(match)
            come.remove(new)
    return pairs, gone, come


def _is_alike(before: DataLink, after: DataLink) -> bool:
    """Under another name: the same role, and as wide (a frame is no target)."""
    return before.role == after.role and len(_shape(before)) == len(_shape(after))


def _shape(link: DataLink) -> list[Any]:
    found = link.summary.get("shape")
    return found if isinstance(found, list) else []


def _is_comparable(before: DataLink, after: DataLink) -> bool:
    """Of what is read in part, only the same part can be compared."""
    scopes = before.summary.get("scope"), after.summary.get("scope")
    return bool(before.snapshot and after.snapshot) and scopes[0] == scopes[1]


def _changes(pair: Pair, before: Sets, after: Sets) -> Iterator[str]:
    was, now = pair
    if (was.snapshot and was.snapshot == now.snapshot) or _is_another(was) or _is_another(now):
        return
    old, new = _shape(was), _shape(now)
    if old[:1] != new[:1] and old and new:
        yield f"{old[0]} → {new[0]} rows"
    columns, others = before.columns.get(was.name, []), after.columns.get(now.name, [])
    if columns and others:
        told = list(_columns(columns, others, same_rows=old[:1] == new[:1], whole=_is_comparable(was, now)))
        yield from told
        if told or old[:1] != new[:1]:
            return
    elif old[1:] != new[1:]:
        yield f"{_rest(old)} → {_rest(new)} columns"
        return
    if _is_comparable(was, now) and old[:1] == new[:1]:
        yield f"content of {now.name}"


def shape_said(link: DataLink) -> str:
    """`426×30`, or the kind of what has no shape."""
    return "×".join(map(str, _shape(link))) or str(link.summary.get("kind", ""))


def _rest(shape: list[Any]) -> str:
    return "×".join(map(str, shape[1:])) or "1"


def _columns(before: list[Column], after: list[Column], *, same_rows: bool, whole: bool) -> Iterator[str]:
    old, new = {each.name: each for each in before}, {each.name: each for each in after}
    come, gone = [name for name in new if name not in old], [name for name in old if name not in new]
    if come:
        yield f"{_columns_said(come)} added"
    if gone:
        yield f"{_columns_said(gone)} removed"
    shared = [name for name in old if name in new]
    retyped = [name for name in shared if old[name].dtype != new[name].dtype]
    yield from (f"{name} {step(old[name].dtype, new[name].dtype)}" for name in retyped[:3])
    if not same_rows or not whole:  # with other rows, every column is another one
        return
    other = [
        name
        for name in shared
        if name not in retyped
        and old[name].digest
        and new[name].digest
        and old[name].digest != new[name].digest
    ]
    if other and len(other) == len(shared) > 1:
        yield f"other values in all {len(shared)} columns"
    elif other:
        yield f"other values in {_columns_said(other)}"
    elif not come and not gone and list(old) != list(new):
        yield "another order of the columns"


def _columns_said(names: list[str]) -> str:
    named = [name or "the only column" for name in names]
    return some(named, 4)


def _have_files(before: Sets, after: Sets) -> bool:
    return bool(digests(before.files) and digests(after.files))


def digests(files: list[dict[str, Any]]) -> dict[str, str]:
    """Files by name, as far as their content is known."""
    found = {}
    for each in files:
        name, digest = _text(each, "path", "name"), _text(each, "digest", "sha256", "snapshot")
        if name and digest:
            found[name] = digest
    return found


def _text(entry: dict[str, Any], *keys: str) -> str:
    return next((entry[key] for key in keys if isinstance(entry.get(key), str)), "")


def _other_files(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Iterator[str]:
    old, new = digests(before), digests(after)
    if old and new:
        yield from (f"file {name}" for name in new if name in old and old[name] != new[name])
        yield from (f"file {name} no longer read" for name in old if name not in new)
        yield from (f"file {name} read as well" for name in new if name not in old)
