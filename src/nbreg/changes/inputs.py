"""What goes in and what comes out: whether what used to work still does.

A type is widened where every value of the old one is one of the new one; anything else that
changes it is taken for a break, as is another name, place or number of columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from nbreg.changes.findings import (
    NONE_RECORDED,
    Aspect,
    Finding,
    Side,
    are_one,
    some,
    step,
)
from nbreg.records import Signature

NAME: Final = "features"
OUTPUTS: Final = "outputs"
_KIND: Final = re.compile(r"(bool|uint|int|float|complex)(\d*)")
_DATA: Final = frozenset(("builtins", "numpy", "pandas", "polars", "pyarrow"))
_FAMILIES: Final = ("bool", "uint", "int", "float", "complex")
_TEXTS: Final = frozenset(("str", "string", "object", "utf8", "large_string", "String"))

Given = dict[str, Any]


def compare(base: Side, new: Side) -> Aspect:
    """The inputs: names, order, types and shapes."""
    if _is_data(base) != _is_data(new):
        return Aspect(NAME, empty=True)  # what was trained on says nothing of what a table takes
    if are_one(base, new, "signature") and _arguments(base) == _arguments(new):
        return Aspect(NAME)
    before, after = given(base), given(new)
    if not before or not after:
        return Aspect(NAME, missing=NONE_RECORDED)
    broken = list(_broken(before, after))
    if broken:
        return Aspect(NAME, [Finding("major", f"inputs that used to work no longer do ({some(broken)})")])
    eased = list(_eased(before, after))
    said = f"inputs changed ({some(eased)}), and the old ones still work"
    return Aspect(NAME, [Finding("minor", said)] if eased else [])


def _is_data(side: Side) -> bool:
    """Whether what is registered as the model is a value or a table, which takes no input."""
    kind = next((each.type for each in side.manifest.artifacts if each.name == "model"), "")
    return kind.partition(".")[0] in _DATA


def given(side: Side) -> list[Given]:
    """Each input by name and type: of the signature, else what the model itself remembers."""
    arguments = _arguments(side)
    if arguments:
        return arguments
    signature = side.part("signature", Signature)
    if signature is not None and signature.inputs:
        return signature.inputs
    features, width = side.described.get("features"), side.described.get("width")
    if isinstance(features, list) and features:
        return [{"name": name} for name in features]
    return [{"name": "", "shape": [-1, width]}] if isinstance(width, int) else []


def _arguments(side: Side) -> list[Given]:
    """Those of a function."""
    tree = side.described.get("architecture")
    names = tree.get("arguments") if isinstance(tree, dict) else None
    if not isinstance(names, list):
        return []
    optional = tree.get("optional", []) if isinstance(tree, dict) else []
    return [{"name": name, **({"optional": True} if name in optional else {})} for name in names]


def _broken(before: list[Given], after: list[Given]) -> Iterator[str]:
    if _is_array(before) or _is_array(after):
        was, now = _width(before), _width(after)
        if was != now and None not in (was, now):
            yield f"{was} → {now} features"
        if _is_array(before) and _is_array(after):
            yield from _other_rest(before[0], after[0])
        return
    old, new = _by_name(before), _by_name(after)
    gone = [name for name in old if name not in new]
    come = [name for name in new if name not in old and not new[name].get("optional")]
    if len(gone) == len(come) == 1 and len(before) == len(after):
        yield f"{gone[0]} renamed to {come[0]}"
    else:
        yield from (f"{name} removed" for name in gone)
        yield from (f"{name} added" for name in come)
    shared = [name for name in old if name in new]
    if shared != [name for name in new if name in old]:
        yield "another order"
    yield from (f"{name} {told}" for name in shared if (told := _narrowed(old[name], new[name])))
    yield from (
        f"{name} no longer optional"
        for name in shared
        if old[name].get("optional") and not new[name].get("optional")
    )


def _other_rest(before: Given, after: Given) -> Iterator[str]:
    """Of arrays: what stands behind the number of features, and the type."""
    was, now = before.get("shape", []), after.get("shape", [])
    if isinstance(was, list) and isinstance(now, list) and was[2:] != now[2:]:
        yield step("×".join(map(str, was[1:])), "×".join(map(str, now[1:])))
    if told := _narrowed(before, after):
        yield told


def _eased(before: list[Given], after: list[Given]) -> Iterator[str]:
    if _is_array(before) != _is_array(after):
        yield step(*("an array" if _is_array(each) else "named columns" for each in (before, after)))
        return
    old, new = _by_name(before), _by_name(after)
    yield from (f"{name} added, optional" for name in new if name not in old)
    for name in old:
        if name in new and not old[name].get("optional") and new[name].get("optional"):
            yield f"{name} optional now"
        if name in new and _types(old[name], new[name]) and old[name]["type"] != new[name]["type"]:
            yield f"{_of(name)}widened {step(old[name]['type'], new[name]['type'])}"


def _of(name: str) -> str:
    return f"{name} " if name else ""


def _by_name(inputs: list[Given]) -> dict[str, Given]:
    return {str(each.get("name", "")): each for each in inputs}


def _is_array(inputs: list[Given]) -> bool:
    return "shape" in inputs[0]


def _width(inputs: list[Given]) -> int | None:
    if not _is_array(inputs):
        return len(inputs)
    shape = inputs[0]["shape"]
    found = shape[1] if isinstance(shape, list) and len(shape) > 1 else None
    return found if isinstance(found, int) else None


def _types(before: Given, after: Given) -> bool:
    return bool(before.get("type")) and bool(after.get("type"))


def _narrowed(before: Given, after: Given) -> str:
    """The step from one type to another that does not take all the first one held; else empty."""
    if not _types(before, after) or takes(str(after["type"]), str(before["type"])):
        return ""
    return step(before["type"], after["type"])


def takes(wide: str, narrow: str) -> bool:
    """Whether a column of one type may stand where another was expected."""
    if wide == narrow or (wide in _TEXTS and narrow in _TEXTS) or wide.casefold() == narrow:
        return True  # the last: pandas' Int64 is its int64, and takes gaps as well
    mine, theirs = _KIND.fullmatch(wide.casefold()), _KIND.fullmatch(narrow.casefold())
    if mine is None or theirs is None or (narrow[:1].isupper() and not wide[:1].isupper()):
        return False
    kind, kind_of = _FAMILIES.index(mine[1]), _FAMILIES.index(theirs[1])
    bits, bits_of = int(mine[2] or 64), int(theirs[2] or 64)
    if kind != kind_of:
        return kind > kind_of and (theirs[1] != "uint" or mine[1] != "int" or bits > bits_of)
    return bits >= bits_of


# outputs


def compare_outputs(base: Side, new: Side) -> Aspect:
    """What comes out: the classes, and the types of the columns."""
    found = [*_classes(base, new), *_types_out(base, new)]
    if not found and not (_classes_of(base) and _classes_of(new)):
        known = are_one(base, new, "signature") or (outputs_of(base) and outputs_of(new))
        return Aspect(OUTPUTS, missing="" if known else NONE_RECORDED)
    return Aspect(OUTPUTS, found)


def _classes_of(side: Side) -> list[Any]:
    found = side.described.get("classes")
    return found if isinstance(found, list) else []


def _classes(base: Side, new: Side) -> list[Finding]:
    was, now = _classes_of(base), _classes_of(new)
    if not was or not now or was == now:
        return []
    gone, come = [each for each in was if each not in now], [each for each in now if each not in was]
    if gone:
        told = [f"{each} gone" for each in gone] + [f"{each} added" for each in come]
        return [Finding("major", f"outputs changed (class {some(told)})")]
    if come:
        noun = "class" if len(come) == 1 else "classes"
        return [Finding("minor", f"outputs changed ({noun} {some(map(str, come))} added)")]
    return [Finding("major", "outputs changed (another order of the classes)")]


def outputs_of(side: Side) -> list[Given]:
    """What comes out, as the signature tells."""
    signature = side.part("signature", Signature)
    return signature.outputs if signature else []


def _types_out(base: Side, new: Side) -> list[Finding]:
    if are_one(base, new, "signature"):
        return []
    was, now = outputs_of(base), outputs_of(new)
    if not was or not now or was == now:
        return []
    told = step(*(" and ".join(_told(each) for each in side) for side in (was, now)))
    return [Finding("major", f"outputs changed ({told})")]


def _told(output: Given) -> str:
    shape = output.get("shape")
    tail = "×".join(map(str, shape[1:])) if isinstance(shape, list) and len(shape) > 1 else ""
    return " ".join(str(word) for word in (output.get("name"), output.get("type"), tail) if word)
