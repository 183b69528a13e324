"""The few pieces that every card and table is made of; whatever goes in is escaped here.

No script, no external asset. Where a host strips the style sheet (GitHub does), what remains
still reads well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from nbreg.display.style import STYLE, TWIN_STYLE
from nbreg.display.text import NOTHING, escaped

Kind = Literal["left", "right", "key", "long", "stage"]
"""How a column is set: `right` for numbers, `key` for what the row is about, `stage` with a dot."""


class Column(NamedTuple):
    """A column of a table: its title and how it is set."""

    title: str
    kind: Kind = "left"


def view(body: str, *, card: bool = False, twin: bool = False) -> str:
    """The body in nbreg's own scope, with the style it needs; a `twin` may have a panel stand in for it."""
    # The last two keep MathJax from reading dollar signs in somebody's message as formulas.
    name = f"nbreg-view{' nbreg-card' if card else ''} tex2jax_ignore mathjax_ignore"
    name, style = (f"{name} nbreg-twin", STYLE + TWIN_STYLE) if twin else (name, STYLE)
    return f'<div class="{name}"><style>{style}</style>{body}</div>'


def heading(name: str, rest: str = "", sub: str = "") -> str:
    """A name in bold, what belongs to it beside it, one quiet line below."""
    beside = f'<span class="nbreg-beside">{escaped(rest)}</span>' if rest else ""
    below = quiet(sub) if sub else ""
    return f'<div class="nbreg-head"><b>{escaped(name)}</b> {beside}</div>{below}'


def quiet(text: str) -> str:
    """A line that steps back."""
    return f'<div class="nbreg-sub nbreg-quiet">{escaped(text, 2000)}</div>'


def reference(text: str, told: str, *, whole: bool = False) -> str:
    """Text that one click selects, for copying; with `whole` it is as many lines as it needs."""
    kind = "nbreg-ref nbreg-whole-ref" if whole else "nbreg-ref"
    return f'<code class="{kind}" tabindex="0" title="{escaped(told)}">{escaped(text, 2000)}</code>'


def note(text: str, kind: str = "note") -> str:
    """A remark set off from the rest; `gap` where something is missing."""
    return f'<div class="nbreg-{kind}">{escaped(text, 2000)}</div>'


def said(message: str, hint: str = "", *, done: bool, below: str = "") -> str:
    """What came of something that was pressed: done, or refused with the next step. `below` is HTML."""
    step = f' <span class="nbreg-quiet">{escaped(hint, 300)}</span>' if hint else ""
    kind, role = ("nbreg-error nbreg-done", "status") if done else ("nbreg-error", "alert")
    return f'<div class="{kind}" role="{role}">{escaped(message, 600)}{step}{below}</div>' if message else ""


def dot(word: str) -> str:
    """The coloured dot of a stage or a severity; never without the word beside it."""
    known = "".join(each for each in word.casefold()[:40] if each.isalnum() and each.isascii())
    return f'<span class="nbreg-dot nbreg-{known}"></span>'


def dotted(word: str) -> str:
    """A stage or a severity: a dot that helps the eye, and the word that says it."""
    return dot(word) + escaped(word, 60)


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """A table of text; every cell is escaped here."""
    head = "".join(f"<th{_class(column)}><span>{escaped(column.title, 60)}</span></th>" for column in columns)
    body = "".join(
        f"<tr>{''.join(_cell(column, text) for column, text in zip(columns, row, strict=True))}</tr>"
        for row in rows
    )
    return f'<table class="nbreg-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """Names and values, one pair a line."""
    body = "".join(
        f"<tr>{f'<th>{escaped(name)}</th>' if name else '<td></td>'}<td>{escaped(text, 2000)}</td></tr>"
        for name, text in rows
    )
    return f'<table class="nbreg-facts"><tbody>{body}</tbody></table>' if rows else ""


_WIDEST_KEY: Final = 40
"""Characters of what a row is about, before it takes several lines: nothing is pushed out of sight."""


def _class(column: Column) -> str:
    return "" if column.kind in ("left", "stage") else f' class="nbreg-{column.kind}"'


def _cell(column: Column, text: str) -> str:
    if column.kind == "stage" and text != NOTHING:
        return f"<td>{dotted(text)}</td>"
    if column.kind == "key" and len(text) > _WIDEST_KEY:
        return f'<td class="nbreg-key nbreg-long">{escaped(text)}</td>'
    return f"<td{_class(column)}>{escaped(text)}</td>"
