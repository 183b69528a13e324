"""A difference as people see it: what differs, section by section, in HTML, text and JSON.

Only what differs is shown; what was not compared is said on a line of its own, and what is the
same is not spoken of unless all of it is. Code stands line by line with the signs of a diff.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from nbreg.display import html
from nbreg.display.style import DIFF_STYLE
from nbreg.display.text import brief, escaped, number
from nbreg.records import Diff, DiffItem, DiffSection

DIFF_MIME: Final = "application/vnd.nbreg.diff+json"

MOST: Final = 12
"""Items of a section that are shown in full; the rest is counted, and there in the record."""

MOST_TEXTS: Final = 40
MOST_LINES: Final = 60
_WIDEST: Final = 60
_VALUE: Final = 120
_LONGEST_LINE: Final = 500
_SIGNS: Final = {"changed": "~", "added": "+", "removed": "-", "same": "="}
_COLOURS: Final = {"+": "32", "-": "31", "~": "33", "@": "36"}


class DiffView(Diff, frozen=True, kw_only=True):
    """A `Diff` that shows itself."""

    @classmethod
    def of(cls, diff: Diff) -> DiffView:
        """The same record, with its displays."""
        return cls(**{name: getattr(diff, name) for name in Diff.__struct_fields__})

    def text(self, *, colour: bool = False, typed: bool = False) -> str:
        """What a terminal shows; in colour only where the caller knows that it is one.

        `typed` says that a shell reads it, where the rest is found by an option.
        """
        lines = [_title(self), *_verdict(self)]
        for section in self.sections:
            lines += _section_lines(section, typed=typed)
        if not self.differs:
            lines.append("nothing differs" + (" in what was compared" if _gaps(self) else ""))
        lines += _gaps(self)
        return "\n".join(_coloured(line) for line in lines) if colour else "\n".join(lines)

    def body(self) -> str:
        """The HTML, for whoever has the styles already."""
        return _html(self)

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {
            "text/plain": self.text(),
            "text/html": html.view(f"<style>{DIFF_STYLE}</style>{self.body()}"),
            DIFF_MIME: _json(self),
        }


# what both forms say


def _title(diff: Diff) -> str:
    return f"{brief(_sides(diff))}"


def _sides(diff: Diff) -> str:
    stage = diff.before.stage
    where = f" ({stage})" if stage not in ("", "none") else ""
    return f"{diff.before.said}{where} → {diff.after.said}"


def _verdict(diff: Diff) -> list[str]:
    """The step and its reason; of a live object, which version it would be."""
    lines = []
    if diff.bump_reason:
        would = f"would be {diff.name}" if diff.name else ""
        counted = f", counted from {diff.counted_from}" if diff.counted_from else ""
        reason = diff.bump_reason
        if diff.bump and not reason.startswith(f"{diff.bump}: "):
            reason = f"{diff.bump}: {reason}"
        lines.append(brief(f"{would}{counted}{': ' if would else ''}{reason}", 2000))
    if diff.message and diff.name:
        lines.append(brief(f'draft: --message "{diff.message}"', 2000))
    return lines


def _gaps(diff: Diff) -> list[str]:
    """What was not compared; sections of one reason on one line."""
    reasons: dict[str, list[str]] = {}
    for section in diff.sections:
        if section.missing and not (diff.after.is_live and section.name == "stage"):
            reasons.setdefault(brief(section.missing), []).append(brief(section.name, _WIDEST))
    return [brief(f"not compared: {', '.join(names)} ({reason})", 2000) for reason, names in reasons.items()]


def _is_shown(section: DiffSection) -> bool:
    return bool(section.items or section.note) and not section.missing


def _shown(section: DiffSection) -> list[DiffItem]:
    texts = any(each.lines for each in section.items)
    return section.items[: MOST_TEXTS if texts else MOST]


def _more(section: DiffSection, *, typed: bool = False) -> str:
    hidden = len(section.items) - len(_shown(section))
    where = "with --json" if typed else f"in .section({section.name!r}).items"
    return f"and {hidden} more, {where}" if hidden > 0 else ""


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return brief(", ".join(map(str, value[:50])), _VALUE)
    return number(value) if isinstance(value, float) else brief(value, _VALUE)


def _change(item: DiffItem, section: str) -> str:
    """`0.5 → 1 (+0.5)`, or what there is on one side."""
    named = section == "params"  # each has a value, which may be None
    was, now = _value(item.before), _value(item.after)
    if item.kind == "same":
        told = now or was
    elif item.kind in ("added", "removed"):
        told = now if item.kind == "added" else was
        told = told or ("" if item.note or item.lines or not named else "None")
    elif was == now:
        told = was
    else:
        told = f"{was or 'none'} → {now or 'none'}" if was or now else ""
    delta = "" if item.delta is None else f"({'+' if item.delta > 0 else ''}{number(item.delta)})"
    return " ".join(word for word in (told, delta) if word)


def _lines(item: DiffItem) -> list[str]:
    shown = [brief(line, _LONGEST_LINE) for line in item.lines[:MOST_LINES]]
    hidden = len(item.lines) - len(shown)
    return [*shown, f"@@ and {hidden} more lines @@"] if hidden > 0 else shown


# text


def _section_lines(section: DiffSection, *, typed: bool) -> Iterator[str]:
    if not _is_shown(section):
        return
    note = f" · {brief(section.note, 400)}" if section.note else ""
    yield f"{brief(section.name, _WIDEST)}{note}"
    shown = _shown(section)
    width = min(max((len(brief(each.name, _WIDEST)) for each in shown), default=0), _WIDEST)
    for item in shown:
        words = [brief(item.name, _WIDEST).ljust(width), _change(item, section.name), brief(item.note)]
        yield f"  {_SIGNS[item.kind]} {'  '.join(word for word in words if word)}".rstrip()
        yield from (f"      {line}" for line in _lines(item))
    if more := _more(section, typed=typed):
        yield f"    {brief(more)}"


def _coloured(line: str) -> str:
    """By the sign that the line begins with; the escapes are nbreg's own, all others are spelled out."""
    colour = _COLOURS.get(line.strip()[:1]) if line.startswith("  ") else None
    if colour:
        return f"\x1b[{colour}m{line}\x1b[0m"
    return line if line.startswith(" ") else f"\x1b[1m{line}\x1b[0m"


# HTML


def _html(diff: Diff) -> str:
    head = html.heading(_sides(diff))
    verdict = "".join(html.note(line) for line in _verdict(diff))
    body = "".join(map(_section_html, filter(_is_shown, diff.sections)))
    nothing = (
        ""
        if diff.differs
        else html.quiet("nothing differs" + (" in what was compared" if _gaps(diff) else ""))
    )
    return head + verdict + body + nothing + "".join(map(html.quiet, _gaps(diff)))


def _section_html(section: DiffSection) -> str:
    note = f' <span class="nbreg-quiet">{escaped(section.note, 400)}</span>' if section.note else ""
    rows = "".join(_item_html(each, section.name) for each in _shown(section))
    table = f'<table class="nbreg-facts nbreg-diff"><tbody>{rows}</tbody></table>' if rows else ""
    more = html.quiet(_more(section)) if _more(section) else ""
    return f'<div class="nbreg-part"><b>{escaped(section.name)}</b>{note}</div>{table}{more}'


def _item_html(item: DiffItem, section: str) -> str:
    note = f' <span class="nbreg-quiet">{escaped(item.note)}</span>' if item.note else ""
    lines = f"<pre>{''.join(map(_line_html, _lines(item)))}</pre>" if item.lines else ""
    sign = _SIGNS[item.kind]
    return (
        f'<tr><th><span class="nbreg-{item.kind}">{sign}</span> {escaped(item.name, _WIDEST)}</th>'
        f"<td>{escaped(_change(item, section), 400)}{note}{lines}</td></tr>"
    )


def _line_html(line: str) -> str:
    kind = {"+": "added", "-": "removed", "@": "quiet"}.get(line[:1], "")
    said = escaped(line, _LONGEST_LINE)
    return f'<span class="nbreg-{kind}">{said}</span>\n' if kind else f"{said}\n"


# JSON


def _json(diff: Diff) -> dict[str, Any]:
    """What a saved notebook keeps: names and numbers, no digests or machines and no code."""
    return {
        "before": diff.before.ref,
        "after": diff.after.ref,
        "bump": diff.bump,
        "bump_reason": diff.bump_reason,
        "name": diff.name,
        "sections": [
            {
                "name": section.name,
                "changed": [brief(each.name) for each in _differing(section)][:MOST],
                "missing": section.missing,
            }
            for section in diff.sections
            if section.name not in _OF_THE_PLACE
        ],
    }


_OF_THE_PLACE: Final = ("environment", "source")


def _differing(section: DiffSection) -> Iterable[DiffItem]:
    return (each for each in section.items if each.kind != "same")


def as_json(diff: Diff) -> Any:
    """All of it as plain values."""
    return msgspec.to_builtins(diff)
