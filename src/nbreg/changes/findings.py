"""What a comparison is made of: two sides, what was found on an aspect, and the words for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from nbreg.names import BUMPS, Bump
from nbreg.records import Captured, DiffSection, Manifest, Record

P = TypeVar("P", bound=Record)

NONE_RECORDED: Final = "none recorded"
_SHOWN: Final = 3
_LONGEST: Final = 40


class Implied(NamedTuple):
    """A bump and the sentence that gives the reason for it."""

    bump: Bump | None
    reason: str


FIRST: Final = Implied(None, "first version")
NOT_COMPARED: Final = Implied("minor", "not compared")


def asked_for(bump: Bump) -> Implied:
    """The bump that the caller gave."""
    return Implied(bump, f"{bump}: asked for")


def not_compared(why: str) -> Implied:
    """The middle step, where the two could not be compared."""
    return Implied("minor", f"{NOT_COMPARED.reason}: {why}")


class Side(NamedTuple):
    """One of the two: its manifest, and a way to the parts that it names, used only where they differ."""

    manifest: Manifest
    read: Callable[[str, type[Any]], Any]
    """Gives a captured part by its name, as a record of that kind."""

    def section(self, name: str) -> Captured:
        """Where a part is, or why there is none."""
        found: Captured = getattr(self.manifest, name)
        return found

    def part(self, name: str, kind: type[P]) -> P | None:
        """A captured part; None where it was not captured."""
        return self.read(name, kind) if self.section(name).is_there else None

    @property
    def described(self) -> dict[str, Any]:
        """What the model's family told; empty where nothing was asked."""
        found = self.manifest.described
        return found if isinstance(found, dict) else {}


class Finding(NamedTuple):
    """One difference that matters, and the step that it asks for."""

    bump: Bump
    what: str


class Aspect(NamedTuple):
    """What was found on one aspect: nothing is equal, unless `missing` says why it was not compared."""

    name: str
    found: Sequence[Finding] = ()
    missing: str = ""
    empty: bool = False
    """Whether there is nothing of the kind on either side."""

    @property
    def is_same(self) -> bool:
        """Whether it was compared and found equal."""
        return not self.found and not self.missing and not self.empty


def rank(bump: Bump) -> int:
    """0 for the largest step."""
    return BUMPS.index(bump)


def are_one(base: Side, new: Side, section: str) -> bool:
    """Whether both have the very same part, so that there is nothing to read."""
    one = base.section(section)
    return one.is_there and one.digest == new.section(section).digest


def why_missing(base: Side, new: Side, section: str) -> str:
    """Why a part cannot be compared; empty where both sides have it."""
    for each in (base.section(section), new.section(section)):
        if not each.is_there:
            reason = each.missing.removeprefix("not captured").lstrip(": ")
            return reason or NONE_RECORDED
    return ""


def both(
    base: Side, new: Side, section: str, kind: type[P], *, everything: bool
) -> tuple[P, P] | DiffSection:
    """A part of both sides; or the section that says that there is nothing to compare, and why."""
    if missing := why_missing(base, new, section):
        return DiffSection(name=section, missing=missing)
    if are_one(base, new, section) and not everything:
        return DiffSection(name=section, same=1)
    before, after = base.part(section, kind), new.part(section, kind)
    assert before is not None
    assert after is not None
    return before, after


# words


def spelled(value: Any) -> str:
    """A plain value in a few characters."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def step(before: Any, after: Any) -> str:
    """`0.5 → 1`."""
    return f"{spelled(before)} → {spelled(after)}"


def some(words: Iterable[str], limit: int = _SHOWN) -> str:
    """`a, b, c and 4 more`."""
    every = list(words)
    shown = ", ".join(every[:limit])
    return f"{shown} and {len(every) - limit} more" if len(every) > limit else shown


def joined(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1] if words else "") if part)


def amount(number: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def short_class(name: str) -> str:
    """A class's own name."""
    return name.rpartition(".")[2] or name
