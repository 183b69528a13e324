"""How a model is built: classes, steps and their order, the graph of modules; by what its family told.

Numbers with a fraction (a dropout's rate) are settings, and so is how many trees were grown. Names
of steps are no part of it: two pipelines of the same classes in the same order are built alike.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any, Final

from nbreg.changes.findings import Aspect, Finding, Side, short_class, some, step

Tree = dict[str, Any]

NAME: Final = "architecture"
_OF_NO_WEIGHT: Final = frozenset(("inplace",))
_LEARNED: Final = ("trees", "rounds")
_NUMBERED: Final = re.compile(r"_\d+$")


def compare(base: Side, new: Side) -> Aspect:
    """Whether the two are built alike; by the model's class alone where no more is known."""
    before, after = tree_of(base), tree_of(new)
    if not before or not after:
        return _by_type(base, new)
    if before == after:
        return Aspect(NAME)
    found = list(dict.fromkeys(_differences(before, after, "")))
    if not found and before.get("structure") != after.get("structure"):
        found = ["shapes or types of the weights"]
    return Aspect(NAME, [Finding("major", f"architecture changed ({some(found)})")] if found else [])


def _by_type(base: Side, new: Side) -> Aspect:
    was, now = _type(base), _type(new)
    if was and now and not _is_one_class(was, now):
        return Aspect(NAME, [Finding("major", f"architecture changed ({_classes(was, now)})")])
    return Aspect(NAME, missing="not described")


def _type(side: Side) -> str:
    return next((each.type for each in side.manifest.artifacts if each.name == "model"), "")


def tree_of(side: Side) -> Tree:
    """The model's tree; empty where its family told none."""
    found = side.described.get("architecture")
    return found if isinstance(found, dict) and class_of(found) else {}


def class_of(node: Tree) -> str:
    """The class of a node; of a function its name."""
    found = node.get("class") or node.get("function") or ""
    return found if isinstance(found, str) else ""


def parts_of(node: Tree) -> list[Tree]:
    """What it is made of, in order."""
    found = node.get("parts")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _is_one_class(was: str, now: str) -> bool:
    """Modules move within a library from release to release, and out of a notebook into a file."""
    if was == now:
        return True
    home_was, home_now = was.partition(".")[0], now.partition(".")[0]
    moved = home_was == home_now or "__main__" in (home_was, home_now)
    return moved and short_class(was) == short_class(now)


def _classes(was: str, now: str) -> str:
    one, other = short_class(was), short_class(now)
    return f"{was} → {now}" if one == other else f"{one} → {other}"


def _differences(before: Tree, after: Tree, where: str) -> Iterator[str]:
    was, now = class_of(before), class_of(after)
    if not _is_one_class(was, now):
        yield f"{_at(where)}{_classes(was, now)}"
        return
    yield from _built(before, after, where)
    mine, theirs = parts_of(before), parts_of(after)
    one, other = [_key(each) for each in mine], [_key(each) for each in theirs]
    if one == other:
        for each, its in zip(mine, theirs, strict=True):
            yield from _differences(each, its, str(its.get("name", "")))
    elif Counter(one) == Counter(other):
        yield f"{_at(where)}order of {some(short_class(class_of(each)) for each in theirs)}"
    else:
        yield from _other_parts(mine, theirs, one, other)


def _key(part: Tree) -> str:
    return short_class(class_of(part))


def _other_parts(mine: list[Tree], theirs: list[Tree], one: list[str], other: list[str]) -> Iterator[str]:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    for kind, start, end, their_start, their_end in matcher.get_opcodes():
        gone, come = mine[start:end], theirs[their_start:their_end]
        if kind == "replace" and len(gone) == len(come):
            yield from (_classes(class_of(was), class_of(now)) for was, now in zip(gone, come, strict=True))
        elif kind != "equal":
            yield from (f"{_key(each)} removed" for each in gone)
            yield from (f"{_key(each)} added" for each in come)


def _built(before: Tree, after: Tree, where: str) -> Iterator[str]:
    was, now = _constants(before), _constants(after)
    for name in dict.fromkeys([*was, *now]):
        if name in _OF_NO_WEIGHT or was.get(name) == now.get(name):
            continue
        if not isinstance(was.get(name), float) and not isinstance(now.get(name), float):
            yield f"{_at(where)}{name} {step(was.get(name), now.get(name))}"


def _constants(node: Tree) -> dict[str, Any]:
    built = node.get("built")
    own = dict(built) if isinstance(built, dict) else {}
    return own | ({"booster": node["booster"]} if "booster" in node else {})


def _at(where: str) -> str:
    return f"{where} " if where else ""


def settings(side: Side) -> dict[str, Any]:
    """The numbers of the tree that are settings: rates by path, and how many trees were grown."""
    tree = tree_of(side)
    grown = {name: tree[name] for name in _LEARNED if isinstance(tree.get(name), int)}
    return dict(_rates(tree, "")) | grown


def _rates(node: Tree, path: str) -> Iterator[tuple[str, Any]]:
    yield from ((f"{path}{name}", value) for name, value in _constants(node).items() if type(value) is float)
    for at, part in enumerate(parts_of(node)):
        name = _NUMBERED.sub("", str(part.get("name") or at))
        yield from _rates(part, f"{path}{name}.")
