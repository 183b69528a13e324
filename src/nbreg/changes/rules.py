"""The rules in their order, and the sentence that a colleague would accept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nbreg.changes import architecture, code, data, inputs, settings
from nbreg.changes.findings import Aspect, Finding, Implied, Side, joined, rank, some

_SAID_SAME: Final = (architecture.NAME, inputs.NAME, data.NAME, settings.NAME, code.NAME)
_WEIGHTS: Final = "weights"

LONGEST: Final = 800
"""Characters of a reason: it stands in every list of events, and names come from anywhere."""


def implied(base: Side, new: Side) -> Implied:
    """The step from `base` to `new`, and why."""
    seen: list[Aspect] = []
    for aspect in aspects(base, new):
        seen.append(aspect)
        if aspect.name == inputs.NAME and any(map(_is_major, seen)):
            break  # nothing that follows asks for more
        if aspect.name == settings.NAME and any(each.found for each in seen):
            break  # the code is read only where nothing else tells the two apart
    bump, reason = _sentence(seen, base, new)
    return Implied(bump, reason if len(reason) <= LONGEST else f"{reason[: LONGEST - 1]}…")


def _is_major(aspect: Aspect) -> bool:
    return any(finding.bump == "major" for finding in aspect.found)


def aspects(base: Side, new: Side) -> Iterator[Aspect]:
    """All that is compared, in the order of the rules; each is looked at when it is asked for."""
    yield architecture.compare(base, new)
    yield inputs.compare(base, new)
    yield inputs.compare_outputs(base, new)
    yield data.compare(base, new)
    yield _other_artifacts(base, new)
    yield from settings.compare(base, new)
    yield code.compare(base, new)


def _other_artifacts(base: Side, new: Side) -> Aspect:
    """What stands beside the model, such as a scaler: it prepares, or judges."""
    was, now = (
        {each.name: each.token for each in side.manifest.artifacts if each.name != "model"}
        for side in (base, new)
    )
    told = [f"{name} added" for name in now if name not in was]
    told += [f"{name} removed" for name in was if name not in now]
    told += [name for name in now if name in was and was[name] != now[name]]
    return Aspect("artifacts", [Finding("minor", f"artifacts changed ({some(told)})")] if told else [])


def _token(side: Side) -> str:
    return next((each.token for each in side.manifest.artifacts if each.name == "model"), "")


def _sentence(seen: list[Aspect], base: Side, new: Side) -> Implied:
    by_name = {each.name: each for each in seen}
    found = [(aspect.name, finding) for aspect in seen for finding in aspect.found]
    if not found:
        return _nothing_seen(by_name, base, new)
    bump = min((finding.bump for _, finding in found), key=rank)
    first = [(name, finding) for name, finding in found if finding.bump == bump]
    also = [finding.what for _, finding in found if finding.bump != bump]
    unsure = first[0][0] == code.NAME and by_name[data.NAME].missing and _token(base) != _token(new)
    if unsure:  # the code that changed may be that which makes the data
        rest = _rest(by_name, code.NAME)
        return Implied("minor", f"minor: {first[0][1].what}, and with it perhaps the data{rest}")
    words = joined([finding.what for _, finding in first])
    more = f"; also {joined(also)}" if also else ""
    return Implied(bump, f"{bump}: {words}{more}{_rest(by_name, first[0][0])}")


def _nothing_seen(by_name: dict[str, Aspect], base: Side, new: Side) -> Implied:
    if _token(base) != _token(new):
        return Implied("minor", f"minor: nothing but the weights changed{_rest(by_name, _WEIGHTS)}")
    was, now = base.manifest, new.manifest
    told = [f"{each} data" for each in data.judging(base, new)]
    told += ["metrics"] if was.metrics != now.metrics else []
    told += ["content"] if was.content != now.content else []
    told += ["parent"] if was.parent != now.parent else []
    return Implied("patch", f"patch: only {joined(told)} changed" if told else "patch: nothing changed")


def _rest(by_name: dict[str, Aspect], decided_by: str) -> str:
    """What is the same, and what could have decided otherwise and was not compared."""
    order = [*_SAID_SAME, _WEIGHTS]
    place = order.index(decided_by) if decided_by in order else order.index(settings.NAME)
    if decided_by in (architecture.NAME, inputs.NAME, inputs.OUTPUTS):
        place = 2
    before = [by_name[name] for name in _SAID_SAME[:place] if name in by_name]
    same = [each.name for each in before if each.is_same]
    said = f", same {joined(same)}" if same else ""
    reasons: dict[str, list[str]] = {}
    for each in before:
        if each.missing:
            reasons.setdefault(each.missing, []).append(each.name)
    gaps = [f"{joined(names)} ({reason})" for reason, names in reasons.items()]
    return f"{said}; not compared: {', '.join(gaps)}" if gaps else said
