"""The code that made the model: cells of the recipe, definitions, local modules, the script."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from nbreg.changes.findings import NONE_RECORDED, Aspect, Finding, Side, amount, are_one, some, step
from nbreg.records import Execution, Recipe, Source

NAME: Final = "code"
_WHOLE: Final = ("complete", "verified")
_TO_BE_SAFE: Final = "kept to be safe"
_OF_NBREG: Final = re.compile(
    r"\s*(?:[\w, ]+=\s*)?%%?"
    r"(?:register_model|promote|retire|rollback|load_model|models?|model_\w+|use_registry)\b"
)


def compare(base: Side, new: Side) -> Aspect:
    """What of the code is another one.

    A commit may be of anything, and so may a definition of the notebook's: they count where the
    cells that the model depends on are not known.
    """
    cells, unsure = _cells(base, new)
    beside, is_known = _beside(base, new, definitions=bool(unsure))
    if found := [*cells, *beside]:
        return Aspect(NAME, [Finding("patch", f"code changed ({some(found)})")])
    if unsure == NONE_RECORDED:  # no notebook: its script and modules are the same, or there are none
        return Aspect(NAME) if is_known else _commits(base, new)
    return Aspect(NAME, missing=unsure)


def _commits(base: Side, new: Side) -> Aspect:
    before, after = base.part("source", Source), new.part("source", Source)
    was, now = before.git if before else None, after.git if after else None
    if not was or not now or not was.commit or not now.commit:
        return Aspect(NAME, missing=NONE_RECORDED)
    if (was.commit, was.diff) == (now.commit, now.diff):
        return Aspect(NAME)
    told = (
        f"commit {step(was.commit[:8], now.commit[:8])}"
        if was.commit != now.commit
        else "what stood uncommitted"
    )
    return Aspect(NAME, [Finding("patch", f"code changed ({told})")])


def _cells(base: Side, new: Side) -> tuple[list[str], str]:
    """The differences; else why it is not known that there are none."""
    after = new.part("recipe", Recipe)
    before = after if are_one(base, new, "recipe") else base.part("recipe", Recipe)
    if before is None or after is None or not (before.cells or after.cells):
        return [], NONE_RECORDED
    was, now = (_counted(side.cells) for side in (before, after))
    if was == now:
        return _order(before, after), ""
    old, there = _surely_needed(before), _surely_needed(after)
    other = max(sum((there - old).values()), sum((old - there).values()))
    if other:
        return [f"{amount(other, 'cell')} of {max(old.total(), there.total())}"], ""
    # They also hold cells that may have nothing to do with the model.
    return [], f"the recipe is {before.status if before.status not in _WHOLE else after.status}"


def _order(before: Recipe, after: Recipe) -> list[str]:
    was, now = ([text for each in side.cells if (text := _code(each))] for side in (before, after))
    return [] if was == now else ["cells in another order"]


def _surely_needed(recipe: Recipe) -> Counter[str]:
    """The cells that are known to have made the model, and are not kept to be safe."""
    return _counted(each for each in recipe.cells if recipe.status in _WHOLE or _is_sure(each))


def _counted(cells: Iterable[Execution]) -> Counter[str]:
    return Counter(text for each in cells if (text := _code(each)))


def _code(cell: Execution) -> str:
    """The cell without the lines that only speak to nbreg: registering is in a recipe, and makes no model."""
    if "%" not in cell.source:
        return cell.source.strip()
    return "\n".join(line for line in cell.source.splitlines() if not _OF_NBREG.match(line)).strip()


def _is_sure(cell: Execution) -> bool:
    return bool(cell.why) and not cell.why.startswith(_TO_BE_SAFE)


def _beside(base: Side, new: Side, *, definitions: bool) -> tuple[list[str], bool]:
    """The differences of what stands beside cells, and whether there was anything to compare."""
    after = new.part("source", Source)
    if after is None or not base.section("source").is_there:
        return [], False
    if are_one(base, new, "source"):
        return [], bool(after.definitions or after.modules or after.script)
    before = base.part("source", Source)
    if before is None:
        return [], False
    found = [
        *(_texts(before.definitions, after.definitions, "") if definitions else ()),
        *_texts(before.modules, after.modules, "module "),
    ]
    if before.script and after.script and before.script != after.script:
        found.append("the script")
    pairs = (
        (before.definitions, after.definitions),
        (before.modules, after.modules),
        (before.script, after.script),
    )
    return found, any(one and other for one, other in pairs)


def _texts(before: Mapping[str, str], after: Mapping[str, str], what: str) -> Iterator[str]:
    """Those that both have; what only one imports or defines need not be the model's."""
    yield from (f"{what}{name}" for name in after if name in before and before[name] != after[name])
