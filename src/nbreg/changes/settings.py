"""Parameters: those of preprocessing steps apart from the model's own.

A step is known by its place in the pipeline, so that naming it otherwise changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from nbreg.changes import architecture
from nbreg.changes.architecture import Tree, class_of, parts_of
from nbreg.changes.findings import NONE_RECORDED, Aspect, Finding, Side, some, spelled, step
from nbreg.names import Bump

NAME: Final = "hyperparameters"
PREPROCESSING: Final = "preprocessing"

_GONE: Final = object()
_SPLITTERS: Final = ("ColumnTransformer", "FeatureUnion")
_TOLD_BY_THE_TREE: Final = {
    "torch": ("parameters", "structure"),
    "keras": ("parameters",),
    "statsmodels": ("model", "family", "link"),
}
_OF_RUNNING: Final = frozenset(("memory", "verbose", "n_jobs"))
"""How a step runs: no preprocessing, whatever step it is of."""
_WHERE_A_SEARCH_LOOKED: Final = ("param_grid", "param_distributions", "estimator__")


_WANTED_TREES: Final = ("n_estimators", "num_iterations", "num_boost_round")


class Setting(NamedTuple):
    """One parameter: of which step, by place; how it is called; its value."""

    place: tuple[int | str, ...]
    step: str
    name: str
    value: Any
    prepares: bool


def compare(base: Side, new: Side) -> tuple[Aspect, Aspect]:
    """Preprocessing, and the hyperparameters."""
    alike = architecture.tree_of(base) == architecture.tree_of(new)
    before, after = _where_they_differ(base, new, alike=alike)
    prepares = [] if alike else [*_columns_chosen(base, new)]
    told = base.manifest.params, new.manifest.params
    if _source(base) != _source(new) and not told[0].keys() & told[1].keys():
        reason = "told by the model in one, by hand in the other" if all(told) else NONE_RECORDED
        return _aspect(PREPROCESSING, prepares, reason), Aspect(NAME, missing=reason)
    both = _source(base) == _source(new) and (not _source(new) or _is_one_release(base, new))
    changed = list(_changed(before, after, both=both))
    several = Counter(each.name for each, _, _ in changed)
    steps = [
        (each.prepares, f"{_called(each, several[each.name] > 1)} {_step(was, now)}")
        for each, was, now in changed
    ]
    prepares += [text for prepared, text in steps if prepared]
    own = [text for prepared, text in steps if not prepared]
    if not own and not alike and not _says_rounds(after):
        own = [f"{name} {_step(was, now)}" for name, was, now in _of_the_tree(base, new)]
    missing = "" if any(told) or architecture.tree_of(new) else NONE_RECORDED
    hyper = _aspect(NAME, own, missing)
    if not any(told) and not own and not missing:
        hyper = Aspect(NAME, empty=True)
    return _aspect(PREPROCESSING, prepares, missing), hyper


def _aspect(name: str, told: list[str], missing: str) -> Aspect:
    if not told:
        return Aspect(name, missing=missing)
    bump: Bump = "minor" if name == PREPROCESSING else "patch"
    return Aspect(name, [Finding(bump, f"{name} changed ({some(told)})")])


def _source(side: Side) -> bool:
    """Whether the parameters were read off the model."""
    return "params" in side.manifest.inferred


def _is_one_release(base: Side, new: Side) -> bool:
    """Another release of the library has other parameters: those that only one has say nothing."""
    return base.described.get("framework") == new.described.get("framework")


def _called(setting: Setting, ambiguous: bool) -> str:
    return (
        f"{setting.step}.{setting.name}" if setting.step and (ambiguous or setting.prepares) else setting.name
    )


def _step(was: Any, now: Any) -> str:
    if was is _GONE:
        return f"set to {spelled(now)}"
    return "no longer set" if now is _GONE else step(was, now)


def _changed(
    before: dict[Any, Setting], after: dict[Any, Setting], *, both: bool
) -> Iterator[tuple[Setting, Any, Any]]:
    for key in dict.fromkeys([*after, *before]):
        was, now = before.get(key), after.get(key)
        if was is None or now is None:
            if both and (known := now or was):
                yield known, was.value if was else _GONE, now.value if now else _GONE
        elif not _are_equal(was.value, now.value):
            yield now, was.value, now.value


def _where_they_differ(
    base: Side, new: Side, *, alike: bool
) -> tuple[dict[Any, Setting], dict[Any, Setting]]:
    """The parameters of both; of two that are built alike only those that are not the same."""
    if alike and _spelled(base) == _spelled(new):  # as in most: another fit of the same
        return {}, {}
    was, now = base.manifest.params, new.manifest.params
    if alike:
        was, now = (
            {name: value for name, value in one.items() if not _are_the_same(value, other.get(name, _GONE))}
            for one, other in ((was, now), (now, was))
        )
    return _settings(base, dict(flat(was))), _settings(new, dict(flat(now)))


def _spelled(side: Side) -> bytes:
    """The parameters in JSON, where `1` and `True` are not the same."""
    return msgspec.json.encode(side.manifest.params)


def _are_the_same(one: Any, other: Any) -> bool:
    """Whether there is nothing to look for; what is in a dictionary is looked at one by one."""
    return not isinstance(one, dict) and _are_equal(one, other)


def _are_equal(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _settings(side: Side, params: dict[str, Any]) -> dict[Any, Setting]:
    """Parameters by the place of their step and their name."""
    tree = architecture.tree_of(side)
    left_out = _TOLD_BY_THE_TREE.get(str(side.described.get("family")), ()) if _source(side) else ()
    found = {}
    for name, value in params.items():
        setting = _placed(name, value, tree)
        searched = "best_params_" in side.manifest.params and name.startswith(_WHERE_A_SEARCH_LOOKED)
        if name not in left_out and not searched:
            found[(*setting.place, setting.name)] = setting
    return found


def flat(params: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Nested dictionaries as one: `optimizer.lr`."""
    for name, value in params.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def _placed(name: str, value: Any, tree: Tree) -> Setting:
    """`logisticregression__C` belongs to the step of that name, if the model has one."""
    place: list[int | str] = []
    step_name, rest, node, prepares = "", name, tree, False
    while "__" in rest:
        head, _, tail = rest.partition("__")
        parts = parts_of(node)
        at = next((i for i, part in enumerate(parts) if part.get("name") == head), None)
        if at is None:
            break
        prepares = prepares or _prepares(node, at, len(parts))
        place.append(at)
        step_name, rest, node = head, tail, parts[at]
    prepares = (prepares or _is_splitter(node)) and rest not in _OF_RUNNING
    return Setting(tuple(place), step_name, rest, value, prepares)


def _prepares(node: Tree, at: int, count: int) -> bool:
    kind = class_of(node)
    if kind.endswith("Pipeline"):
        return at < count - 1
    return _is_splitter(node) or parts_of(node)[at].get("name") == "transformer"


def _is_splitter(node: Tree) -> bool:
    return class_of(node).endswith(_SPLITTERS)


def _columns_chosen(base: Side, new: Side) -> Iterator[str]:
    """Transformers that work on other columns than before."""
    yield from _other_columns(architecture.tree_of(base), architecture.tree_of(new))


def _other_columns(before: Tree, after: Tree) -> Iterator[str]:
    for was, now in zip(parts_of(before), parts_of(after), strict=False):
        if was.get("columns") != now.get("columns"):
            yield f"{now.get('name', '')} on {step(_listed(was), _listed(now))}"
        yield from _other_columns(was, now)


def _listed(part: Tree) -> str:
    columns = part.get("columns")
    return some(map(str, columns)) if isinstance(columns, list) else spelled(columns)


def _of_the_tree(base: Side, new: Side) -> Iterator[tuple[str, Any, Any]]:
    """Rates of layers, and how many trees a booster has."""
    was, now = architecture.settings(base), architecture.settings(new)
    for name in dict.fromkeys([*now, *was]):
        if was.get(name) != now.get(name):
            yield name, was.get(name, _GONE), now.get(name, _GONE)


def _says_rounds(after: dict[Any, Setting]) -> bool:
    """Where the wanted number of trees is a parameter, the grown number is learned."""
    return any(each.name in _WANTED_TREES for each in after.values())
