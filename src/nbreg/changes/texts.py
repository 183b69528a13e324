"""Texts of two versions line by line: cells of the recipe, modules, definitions, the script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher, unified_diff
from typing import Any, Final

from nbreg.changes.findings import NONE_RECORDED, Side, both
from nbreg.records import DiffItem, DiffSection, Execution, Git, Recipe, Source

LINES: Final = 400
"""Lines of a difference that are kept."""

_LONGEST: Final = 5_000
"""Lines of a text that is compared line by line."""

_BLOCK: Final = 40
_ALIKE: Final = 0.4

Change = tuple[Execution | None, Execution | None]


def lines(before: str, after: str) -> list[str]:
    """What differs, as a unified diff without its head."""
    was, now = before.splitlines(), after.splitlines()
    if max(len(was), len(now)) > _LONGEST:
        return [f"@@ {len(was)} and {len(now)} lines: too long to be compared line by line @@"]
    found = list(unified_diff(was, now, lineterm="", n=2))[2:]
    return _cut(found or ["@@ only the ends of lines @@"])


def _cut(found: list[str]) -> list[str]:
    return found if len(found) <= LINES else [*found[:LINES], f"@@ and {len(found) - LINES} more lines @@"]


def item(name: str, before: str | None, after: str | None, note: str = "") -> DiffItem:
    """One text; None where one side does not have it."""
    if before is None:
        return DiffItem(
            name=name,
            kind="added",
            note=note,
            lines=_cut([f"+{each}" for each in (after or "").splitlines()]),
        )
    if after is None:
        return DiffItem(
            name=name, kind="removed", note=note, lines=_cut([f"-{each}" for each in before.splitlines()])
        )
    if before == after:
        return DiffItem(name=name, kind="same", note=note)
    return DiffItem(name=name, note=note, lines=lines(before, after))


def compared(texts: Iterable[tuple[str, str | None, str | None]], *, everything: bool) -> dict[str, Any]:
    """The items of a section, and how many of them are the same."""
    found = [item(*each) for each in texts]
    shown = [each for each in found if everything or each.kind != "same"]
    return {"items": shown, "same": sum(each.kind == "same" for each in found)}


# the recipe


def recipe(base: Side, new: Side, *, everything: bool) -> DiffSection:
    """The cells, those that are each other's side by side."""
    name = "recipe"
    parts = both(base, new, name, Recipe, everything=everything)
    if isinstance(parts, DiffSection):
        return parts
    before, after = parts
    if not before.cells and not after.cells:
        return DiffSection(name=name, missing="no cell was executed")
    aligned = list(align(before.cells, after.cells))
    found = [_cell(was, now, at) for at, (was, now) in enumerate(aligned, 1)]
    items = [each for each in found if everything or each.kind != "same"]
    same = sum(each.kind == "same" for each in found)
    statuses = (
        "" if before.status == after.status else f"the recipe was {before.status}, and is {after.status}"
    )
    return DiffSection(name=name, items=items, same=same, note=statuses)


def _cell(before: Execution | None, after: Execution | None, at: int) -> DiffItem:
    shown = after or before
    assert shown is not None
    why = shown.why
    return item(
        f"cell {at}",
        None if before is None else before.source.strip(),
        None if after is None else after.source.strip(),
        why,
    )


def align(before: Sequence[Execution], after: Sequence[Execution]) -> Iterator[Change]:
    """Cells beside each other: equal ones, then those of one id, then those that are most alike."""
    was, now = ([each.source.strip() for each in side] for side in (before, after))
    for kind, start, end, other, other_end in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        gone, come = before[start:end], after[other:other_end]
        if kind == "replace":
            yield from _paired(list(gone), list(come))
        elif kind == "equal":
            yield from zip(gone, come, strict=True)
        else:
            yield from ((each, None) for each in gone)
            yield from ((None, each) for each in come)


def _paired(gone: list[Execution], come: list[Execution]) -> Iterator[Change]:
    """Each new cell with the old one that it was, in the order of the new ones."""
    for each in come:
        match = _partner(each, gone)
        if match is None:
            yield None, each
            continue
        for left in gone[:match]:
            yield left, None
        yield gone[match], each
        del gone[: match + 1]
    yield from ((each, None) for each in gone)


def _partner(cell: Execution, gone: list[Execution]) -> int | None:
    by_id = next((i for i, each in enumerate(gone) if cell.cell_id and each.cell_id == cell.cell_id), None)
    if by_id is not None:
        return by_id
    matcher = SequenceMatcher(None, b=cell.source, autojunk=False)
    best, place = _ALIKE, None
    for i, each in enumerate(gone[:_BLOCK]):
        matcher.set_seq1(each.source)
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best:
            best, place = matcher.quick_ratio(), i
    return place


# source


def source(base: Side, new: Side, *, everything: bool) -> DiffSection:
    """The commit, what stood uncommitted, the script, local modules and definitions."""
    name = "source"
    parts = both(base, new, name, Source, everything=everything)
    if isinstance(parts, DiffSection):
        return parts
    before, after = parts
    texts: list[tuple[str, str | None, str | None]] = []
    if before.git and after.git:
        texts.append(("uncommitted changes", before.git.diff, after.git.diff))
    if before.script or after.script:
        texts.append(("script", before.script or None, after.script or None))
    for what, old, there in (
        ("module", before.modules, after.modules),
        ("definition", before.definitions, after.definitions),
    ):
        texts += [
            (f"{what} {each}", old.get(each), there.get(each)) for each in dict.fromkeys([*old, *there])
        ]
    found = compared(texts, everything=everything)
    git = [each for each in _git(before.git, after.git) if everything or each.kind != "same"]
    if not texts and not git and not (before.git and after.git):
        return DiffSection(name=name, missing=before.git_missing or after.git_missing or NONE_RECORDED)
    return DiffSection(name=name, items=[*git, *found["items"]], same=found["same"])


def _git(before: Git | None, after: Git | None) -> Iterator[DiffItem]:
    was, now = (_facts(each) for each in (before, after))
    for name in dict.fromkeys([*was, *now]):
        old, there = was.get(name), now.get(name)
        kind = (
            "same"
            if old == there
            else "added"
            if name not in was
            else "removed"
            if name not in now
            else "changed"
        )
        yield DiffItem(name=f"git {name}", kind=kind, before=old, after=there)  # type: ignore[arg-type]


def _facts(git: Git | None) -> dict[str, Any]:
    if git is None:
        return {}
    return {"commit": git.commit[:12], "branch": git.branch, "uncommitted": len(git.changed)}
