"""What people see of a difference, aspect by aspect: what differs by name, before and after.

Only what differs is listed, unless `everything` is asked for; how much is the same is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from nbreg.changes import architecture, data, inputs, settings, texts
from nbreg.changes.findings import NONE_RECORDED, Side, both, short_class, spelled, why_missing
from nbreg.records import Column, Data, DataLink, DiffItem, DiffSection, Distribution, Environment, Json

_ABSENT: Final = object()
_DEEPEST: Final = 20
_SKETCH: Final = ("mean", "min", "max", "nulls", "distinct")


def section(
    name: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    everything: bool = False,
    note: Callable[[str], str] = lambda _: "",
    deltas: bool = False,
) -> DiffSection:
    """Two mappings, name by name."""
    items, same = [], 0
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key, _ABSENT), after.get(key, _ABSENT)
        kind = _kind(was, now)
        same += kind == "same"
        if kind == "same" and not everything:
            continue
        items.append(
            DiffItem(
                name=key,
                kind=kind,  # type: ignore[arg-type]
                before=_json(was),
                after=_json(now),
                delta=_delta(was, now) if deltas and kind == "changed" else None,
                note=note(key),
            )
        )
    return DiffSection(name=name, items=items, same=same)


def _kind(was: Any, now: Any) -> str:
    if was is _ABSENT:
        return "added"
    if now is _ABSENT:
        return "removed"
    return "same" if was == now and isinstance(was, bool) == isinstance(now, bool) else "changed"


def _json(value: Any) -> Json:
    return None if value is _ABSENT else value


def _delta(was: Any, now: Any) -> float | None:
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (was, now))
    return now - was if numbers else None


# what the manifest says


def metrics(before: Mapping[str, float], after: Mapping[str, float], **how: Any) -> DiffSection:
    """Metrics, with how much each rose or fell."""
    if not before and not after:
        return DiffSection(name="metrics", missing=NONE_RECORDED)
    return section("metrics", before, after, deltas=True, **how)


def params(base: Side, new: Side, *, everything: bool) -> DiffSection:
    """Parameters, nested ones by their path."""
    if not base.manifest.params and not new.manifest.params:
        return DiffSection(name="params", missing=NONE_RECORDED)
    was, now = (dict(settings.flat(side.manifest.params)) for side in (base, new))
    found = section("params", was, now, everything=everything, deltas=True)
    by_hand = ["params" not in side.manifest.inferred for side in (base, new)]
    note = "told by the model on one side, given by hand on the other" if by_hand[0] != by_hand[1] else ""
    return DiffSection(name=found.name, items=found.items, same=found.same, note=note)


def built(base: Side, new: Side, *, everything: bool) -> DiffSection:
    """The architecture as a tree of classes, line by line."""
    name = "architecture"
    trees = architecture.tree_of(base), architecture.tree_of(new)
    if not all(trees):
        return DiffSection(name=name, missing="not described")
    was, now = ("\n".join(_tree(each, "")) for each in trees)
    return DiffSection(name=name, **texts.compared([("model", was, now)], everything=everything))


def _tree(node: architecture.Tree, indent: str) -> Iterator[str]:
    built = node.get("built")
    given = {
        **(built if isinstance(built, dict) else {}),
        **{k: node[k] for k in ("trees", "rounds") if k in node},
    }
    told = ", ".join(f"{name}={spelled(value)}" for name, value in given.items())
    name = f"{node['name']}: " if node.get("name") else ""
    on = f" on {spelled(node['columns'])}" if "columns" in node else ""
    yield f"{indent}{name}{short_class(architecture.class_of(node))}{f'({told})' if told else ''}{on}"
    if len(indent) < 2 * _DEEPEST:
        for part in architecture.parts_of(node):
            yield from _tree(part, indent + "  ")


def signature(base: Side, new: Side, *, everything: bool) -> DiffSection:
    """Inputs and outputs by name and type, and the classes that are told apart."""
    was, now = inputs.given(base), inputs.given(new)
    if not was or not now:
        return DiffSection(name="signature", missing=NONE_RECORDED)
    typed = [any(each.get("type") for each in side) for side in (was, now)]
    if typed[0] != typed[1]:  # what is known of one side only is no difference
        was, now = ([{**each, "type": ""} for each in side] for side in (was, now))
    comes_out = [inputs.outputs_of(side) for side in (base, new)]
    one_sided = bool(comes_out[0]) != bool(comes_out[1])
    told = [
        _signature(side, given, [] if one_sided else known)
        for side, given, known in zip((base, new), (was, now), comes_out, strict=True)
    ]
    found = section("signature", *told, everything=everything)
    names = [[each.get("name") for each in side] for side in (was, now)]
    moved = names[0] != names[1] and sorted(map(str, names[0])) == sorted(map(str, names[1]))
    notes = ["the inputs are in another order"] if moved else []
    gaps = [*(["types"] if typed[0] != typed[1] else []), *(["outputs"] if one_sided else [])]
    notes += [f"{' and '.join(gaps)} are known on one side only"] if gaps else []
    return DiffSection(name=found.name, items=found.items, same=found.same, note="; ".join(notes))


def _signature(
    side: Side, given: Sequence[inputs.Given], comes_out: Sequence[inputs.Given]
) -> dict[str, Any]:
    told = {f"input {each.get('name') or 'array'}": _type(each) for each in given}
    told |= {f"output {each.get('name') or 'array'}": _type(each) for each in comes_out}
    classes = side.described.get("classes")
    return told | ({"classes": classes} if classes else {})


def _type(each: inputs.Given) -> str:
    shape = each.get("shape")
    size = "×".join("n" if axis == -1 else str(axis) for axis in shape) if isinstance(shape, list) else ""
    words = (each.get("type"), size, "optional" if each.get("optional") else "")
    return " ".join(str(word) for word in words if word) or "any type"


# the data


def datasets(base: Side, new: Side, *, everything: bool) -> DiffSection:
    """Each set: its shape, and its columns by content and sketch, those that moved most first."""
    before, after = data.sets_of(base), data.sets_of(new)
    if not (before.links and after.links) and not (before.files and after.files):
        return DiffSection(name="data", missing=why_missing(base, new, "data") or NONE_RECORDED)
    pairs, gone, come = data.paired(before.links, after.links)
    items = [DiffItem(name=each.name, kind="removed", before=data.shape_said(each)) for each in gone]
    items += [DiffItem(name=each.name, kind="added", after=data.shape_said(each)) for each in come]
    items += [_set(old, other) for old, other in pairs]
    for old, other in pairs:
        items += _columns(other.name, before.columns.get(old.name, []), after.columns.get(other.name, []))
    rest = section("data", _beside(base, before), _beside(new, after), everything=True)
    items += rest.items
    return DiffSection(
        name="data",
        items=[each for each in items if everything or each.kind != "same"],
        same=sum(each.kind == "same" for each in items),
    )


def _set(old: DataLink, new: DataLink) -> DiffItem:
    was, now = data.shape_said(old), data.shape_said(new)
    notes = ["inferred"] if new.inferred else []
    notes += [f"was named {old.name}"] if old.name != new.name else []
    if not old.snapshot or not new.snapshot:
        notes.append("its content cannot be told apart")
    elif old.summary.get("scope") != new.summary.get("scope") and old.snapshot != new.snapshot:
        notes.append("read in part, and not the same part")
    elif old.snapshot != new.snapshot and was == now:
        notes.append("other content")
    same = bool(old.snapshot) and old.snapshot == new.snapshot
    return DiffItem(
        name=new.name, kind="same" if same else "changed", before=was, after=now, note=", ".join(notes)
    )


def _columns(name: str, before: Sequence[Column], after: Sequence[Column]) -> list[DiffItem]:
    old, new = {each.name: each for each in before}, {each.name: each for each in after}
    if not old or not new:  # one side is of a kind whose columns are not read
        return []
    items = [
        DiffItem(name=f"{name}.{each}", kind="removed", before=old[each].dtype)
        for each in old
        if each not in new
    ]
    items += [
        DiffItem(name=f"{name}.{each}", kind="added", after=new[each].dtype)
        for each in new
        if each not in old
    ]
    shared = sorted((each for each in new if each in old), key=lambda each: -_shift(old[each], new[each]))
    return items + [_column(f"{name}.{each}", old[each], new[each]) for each in shared]


def _shift(old: Column, new: Column) -> float:
    """How far the mean moved, in parts of what it was; what changed its type stands first."""
    if old.dtype != new.dtype:
        return float("inf")
    if old.mean is None or new.mean is None:
        return 0.0
    return abs(new.mean - old.mean) / (abs(old.mean) or 1.0)


def _column(name: str, old: Column, new: Column) -> DiffItem:
    """Only those facts that differ."""
    if old.digest and old.digest == new.digest and old.dtype == new.dtype:
        return DiffItem(name=name, kind="same", before=old.dtype, after=new.dtype)
    if old.withheld or new.withheld:
        return DiffItem(name=name, before=old.dtype, after=new.dtype, note="withheld, so not compared")
    facts = ["dtype", *_SKETCH]
    other = [each for each in facts if getattr(old, each) != getattr(new, each)]
    was, now = (", ".join(f"{each} {spelled(getattr(side, each))}" for each in other) for side in (old, new))
    return DiffItem(name=name, before=was, after=now, note="" if other else "other values, or another order")


def _beside(side: Side, sets: data.Sets) -> dict[str, Any]:
    """Files, the feature set, and rows that two sets share."""
    told: dict[str, Any] = {f"file {name}": digest[:12] for name, digest in data.digests(sets.files).items()}
    if sets.feature_set:
        told["feature set"] = sets.feature_set[:12]
    return told | _overlaps(side)


def _overlaps(side: Side) -> dict[str, Any]:
    found = side.part("data", Data)
    shared = found.overlaps if found else []
    return {
        f"rows of {each.get('b')} in {each.get('a')}": each.get("rows") for each in shared if each.get("rows")
    }


# the environment


def environment(base: Side, new: Side, *, everything: bool) -> DiffSection:
    """What the model needs first, then what was imported, then Python and the machine, then all else."""
    name = "environment"
    parts = both(base, new, name, Environment, everything=everything)
    if isinstance(parts, DiffSection):
        return parts
    before, after = parts
    old, there = _distributions(before), _distributions(after)
    packages = section(
        name,
        {each.name: _release(each) for each in old.values()},
        {each.name: _release(each) for each in there.values()},
        everything=everything,
        note=lambda package: _weight(old.get(package), there.get(package)),
    )
    machine = section(name, _machine(before), _machine(after), everything=everything)
    ranked = sorted(packages.items, key=lambda item: _RANK[item.note])
    mattering = [item for item in ranked if _RANK[item.note] < _RANK[""]]
    rest = [item for item in ranked if _RANK[item.note] == _RANK[""]]
    return DiffSection(
        name=name, items=[*mattering, *machine.items, *rest], same=packages.same + machine.same
    )


_RANK: Final = {"the model needs it": 0, "imported": 1, "": 2}


def _distributions(side: Environment) -> dict[str, Distribution]:
    return {each.name: each for each in side.distributions}


def _release(each: Distribution) -> str:
    """The version, and where it is from if that is no index."""
    origin = (
        ""
        if each.origin in ("index", "unknown")
        else f" ({each.origin}{f' {each.commit[:8]}' if each.commit else ''})"
    )
    return f"{each.version}{origin}"


def _weight(*sides: Distribution | None) -> str:
    known = [each for each in sides if each is not None]
    if any(each.needed for each in known):
        return "the model needs it"
    return "imported" if any(each.imported for each in known) else ""


def _machine(side: Environment) -> dict[str, Any]:
    python = {f"python {key}": value for key, value in side.python.items() if key != "build"}
    facts = {
        "os": side.os,
        "cpu": side.cpu,
        "numerics": side.numerics,
        "locale": side.locale,
        "variable": side.variables,
    }
    told = {f"{what} {key}": value for what, group in facts.items() for key, value in settings.flat(group)}
    devices = {f"accelerator {at}": str(each.get("name", "")) for at, each in enumerate(side.accelerators, 1)}
    return {**python, **told, **devices, **{f"conda {spec.partition('=')[0]}": spec for spec in side.conda}}
