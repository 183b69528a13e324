"""Text that people read: safe to print, safe in HTML, short, and the same on every machine."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Final

LONGEST: Final = 200
"""Characters of one shown value; beyond that it is cut and ends in `…`."""

_LEAST: Final = 16
"""Characters that a column keeps in a terminal that is too narrow for it."""

NOTHING: Final = "–"
"""What an empty cell of a table shows."""

# Cc: control characters, ANSI escapes with them. Cf: bidi marks, zero-width. Zl, Zp: line separators.
_INVISIBLE: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_DULL: Final = (None, False, "", "auto", "warn", "deprecated")
_ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


def visible(text: str) -> str:
    """The text with everything that hides, reorders or controls spelled out as an escape.

    What a name or a message looks like is what it is: no colour codes, no line breaks, no
    right-to-left override.
    """
    if text.isprintable() and text.isascii():
        return text
    return "".join(_spelled(character) for character in text)


def _spelled(character: str) -> str:
    if unicodedata.category(character) not in _INVISIBLE:
        return character
    return character.encode("unicode_escape").decode("ascii")


def brief(value: object, limit: int = LONGEST) -> str:
    """One line of at most `limit` characters; a long text is cut before anything else is done to it."""
    text = value if isinstance(value, str) else str(value)
    shown = visible(text[: limit + 1])
    return shown if len(text) <= limit and len(shown) <= limit else shown[: limit - 1] + "…"


def escaped(value: object, limit: int = LONGEST) -> str:
    """`brief`, as HTML text or a quoted attribute may hold it."""
    return brief(value, limit).translate(_ENTITIES)


def number(value: object) -> str:
    """A metric as a table shows it: whole numbers whole, others with four digits that count."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return brief(value, 40)
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return str(int(value)) if abs(value) < 10**15 else f"{value:.4g}"
    return f"{value:.4g}"


def size(count: int) -> str:
    """Bytes in the unit that a person would choose."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 99.95 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def moment(at: str) -> str:
    """A recorded time to the minute, in UTC as it was recorded."""
    return brief(at.replace("T", " ")[:16], 20)


def count(amount: int, noun: str) -> str:
    """`1 version`, `2 versions`."""
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"


def is_dull(param: object) -> bool:
    """Whether a param says little: nothing, or the estimator's own choice, or too much for a line."""
    return isinstance(param, dict | list) or param in _DULL


def telling_first(params: Mapping[str, object]) -> dict[str, object]:
    """The params with those first that say something: a line shows only a few."""
    return dict(sorted(params.items(), key=lambda each: is_dull(each[1])))


def pairs(values: Mapping[str, object], limit: int = 6) -> str:
    """`accuracy 0.951 · loss 0.12`, and how many more there are."""
    shown = [f"{brief(key, 60)} {number(value)}" for key, value in list(values.items())[:limit]]
    if len(values) > limit:
        shown.append(f"and {len(values) - limit} more")
    return " · ".join(shown)


def listed(words: Iterable[str], limit: int = 8) -> str:
    """`a, b, c`, and how many more there are."""
    words = list(words)
    shown = ", ".join(brief(word, 60) for word in words[:limit])
    return f"{shown} and {len(words) - limit} more" if len(words) > limit else shown


room: ContextVar[int] = ContextVar("nbreg_room", default=0)
"""Characters of a terminal's line, which a face that writes to one sets; 0 cuts nothing."""


def grid(
    titles: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool], long: Sequence[bool] = ()
) -> str:
    """Aligned columns for a terminal, without trailing spaces.

    Where it is narrow, columns that say nothing are left out of a table, and the `long` ones give way.
    """
    lines = [list(titles), *(list(row) for row in rows)]
    widths = [max(_columns(line[i]) for line in lines) for i in range(len(titles))]
    if long and 0 < room.get() < sum(widths) + 2 * (len(widths) - 1):
        kept = [i for i in range(len(titles)) if any(line[i] != NOTHING for line in lines[1:])]
        lines = [[line[i] for i in kept] for line in lines]
        widths = [widths[i] for i in kept]
        right, long = [right[i] for i in kept], [long[i] for i in kept]
    for i in (i for i, gives_way in enumerate(long) if gives_way):
        over = sum(widths) + 2 * (len(widths) - 1) - room.get()
        if room.get() and over > 0:
            widths[i] = max(min(widths[i], _LEAST), widths[i] - over)
            for line in lines:
                line[i] = _cut(line[i], widths[i])
    return "\n".join(
        "  ".join(
            " " * (width - _columns(cell)) + cell if to_right else cell + " " * (width - _columns(cell))
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _columns(text: str) -> int:
    """The columns of a terminal that a text takes: Chinese, Japanese and Korean characters take two."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(each) in "WF" else not unicodedata.combining(each) for each in text
    )


def _cut(text: str, width: int) -> str:
    if _columns(text) <= width:
        return text
    while text and _columns(text) > width - 1:
        text = text[:-1]
    return text + "…"
