"""The code that made the model: cells of the recipe, definitions, local modules, the script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from nbreg.changes.findings import NONE_RECORDED, Aspect, Finding, Side, amount, are_one, some
from nbreg.records import Recipe, Source

NAME: Final = "code"
_WHOLE: Final = ("complete", "verified")


def compare(base: Side, new: Side) -> Aspect:
    """What of the code is another one. A commit alone is none: it may have touched anything."""
    cells, cells_missing = _cells(base, new)
    beside, beside_missing = _beside(base, new)
    if found := [*cells, *beside]:
        return Aspect(NAME, [Finding("patch", f"code changed ({some(found)})")])
    return Aspect(NAME, missing=cells_missing if cells_missing and beside_missing else "")


def _cells(base: Side, new: Side) -> tuple[list[str], str]:
    if are_one(base, new, "recipe"):
        return [], ""
    before, after = base.part("recipe", Recipe), new.part("recipe", Recipe)
    if before is None or after is None:
        return [], NONE_RECORDED
    was, now = ([each.source.strip() for each in side.cells] for side in (before, after))
    if was == now:
        return [], "" if was else NONE_RECORDED
    if before.status not in _WHOLE or after.status not in _WHOLE:
        # Such a recipe also holds cells that have nothing to do with the model.
        return [], f"the recipe is {before.status if before.status not in _WHOLE else after.status}"
    other = sum((Counter(now) - Counter(was)).values()), sum((Counter(was) - Counter(now)).values())
    if not any(other):
        return ["cells in another order"], ""
    return [f"{amount(max(other), 'cell')} of {max(len(was), len(now))}"], ""


def _beside(base: Side, new: Side) -> tuple[list[str], bool]:
    """The differences, and whether there was nothing to compare."""
    if are_one(base, new, "source"):
        return [], False
    before, after = base.part("source", Source), new.part("source", Source)
    if before is None or after is None:
        return [], True
    found = [
        *_texts(before.definitions, after.definitions, ""),
        *_texts(before.modules, after.modules, "module "),
    ]
    if before.script and after.script and before.script != after.script:
        found.append("the script")
    compared = any(
        one and other
        for one, other in (
            (before.definitions, after.definitions),
            (before.modules, after.modules),
            (before.script, after.script),
        )
    )
    if found or compared or not before.git or not after.git:
        return found, not (found or compared)
    return _commits(before, after)


def _texts(before: Mapping[str, str], after: Mapping[str, str], what: str) -> Iterator[str]:
    """Those that both have; what only one imports or defines need not be the model's."""
    yield from (f"{what}{name}" for name in after if name in before and before[name] != after[name])


def _commits(before: Source, after: Source) -> tuple[list[str], bool]:
    was, now = before.git, after.git
    if not was or not now or (was.commit, was.diff) == (now.commit, now.diff):
        return [], True
    return [f"commit {was.commit[:8]} → {now.commit[:8]}"], False
