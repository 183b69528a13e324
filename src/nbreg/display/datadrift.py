"""Live data against the data that was trained on, as people see it: what moved, in words, the worst first."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from nbreg.display import html
from nbreg.display.html import Column
from nbreg.display.text import NOTHING, brief, count, grid, listed, number
from nbreg.records import ColumnDrift, DataDrift

DATA_DRIFT_MIME: Final = "application/vnd.nbreg.data-drift+json"

MOST: Final = 40
"""Columns that are shown; the rest is counted, and there in the record."""

_VERDICTS: Final = {
    "stable": "the live data is like the data that was trained on",
    "moved": "the live data has moved",
    "drifted": "the live data has drifted",
    "unknown": "whether the live data has drifted cannot be said",
}


class DataDriftView(DataDrift, frozen=True, kw_only=True):
    """A `DataDrift` that shows itself."""

    def __repr__(self) -> str:
        lines = [_title(self), _verdict(self)]
        if shown := _shown(self):
            cells = [[brief(cell, 200) or NOTHING for cell in _cells(each)] for each in shown]
            lines.append(grid([each.title for each in _COLUMNS], cells, [False, False, True, True, False]))
        return "\n".join([*lines, *_rest(self)])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {
            "text/plain": repr(self),
            "text/html": html.view(self.body()),
            DATA_DRIFT_MIME: msgspec.to_builtins(self),
        }

    def body(self) -> str:
        """The HTML, for whoever has the styles already."""
        shown = [[cell or NOTHING for cell in _cells(each)] for each in _shown(self)]
        table = html.table(_COLUMNS, shown) if shown else ""
        verdict = html.note(_verdict(self), "gap" if self.verdict == "unknown" else "note")
        return html.heading(_title(self)) + verdict + table + "".join(map(html.quiet, _rest(self)))


_COLUMNS: Final = (
    Column("column", "key"),
    Column("verdict", "stage"),
    Column("PSI", "right"),
    Column("gaps", "right"),
    Column("what is different", "long"),
)


def _title(found: DataDrift) -> str:
    trained = f"{found.set}, {count(found.trained_rows, 'row')}" if found.set else "nothing"
    return brief(f"{found.ref} · {trained} → {count(found.live_rows, 'live row')}")


def _verdict(found: DataDrift) -> str:
    """The verdict in a sentence, with the columns that it is for."""
    told = _VERDICTS[found.verdict]
    if found.why:
        return brief(f"{told}: {found.why}", 2000)
    words = {"drifted": ("drifted", "retyped", "missing"), "moved": ("moved",)}.get(found.verdict, ())
    blamed = [each.name for each in found.columns if each.verdict in words]
    return brief(f"{told}: {listed(blamed, 6)}" if blamed else told, 2000)


def _differing(found: DataDrift) -> list[ColumnDrift]:
    return [each for each in found.columns if each.verdict != "stable"]


def _shown(found: DataDrift) -> list[ColumnDrift]:
    return _differing(found)[:MOST]


def _rest(found: DataDrift) -> list[str]:
    """How many are not shown."""
    hidden = len(_differing(found)) - MOST
    stable = len(found.columns) - len(_differing(found))
    told = [f"and {count(hidden, 'column')} more, in .columns"] if hidden > 0 else []
    return [*told, *([f"{count(stable, 'column')} stable"] if stable else [])]


def _cells(each: ColumnDrift) -> list[str]:
    index = "" if each.psi is None else f"{each.psi:.2f}"
    return [each.name, each.verdict, index, _gaps(each), _words(each)]


def _gaps(each: ColumnDrift) -> str:
    if each.gaps_before is None or each.gaps_now is None or not (each.gaps_before or each.gaps_now):
        return ""
    return f"{_share(each.gaps_before)} → {_share(each.gaps_now)}"


def _share(share: float) -> str:
    """`12 %`; what is there but rare is not none, and nearly all is not all."""
    text = f"{100 * share:.0f}" if 0.0995 <= share <= 0.9905 or share in (0, 1) else f"{100 * share:.1f}"
    return f"{text} %" if text not in ("0.0", "100.0") else "< 0.1 %" if share < 0.5 else "> 99.9 %"


def _words(each: ColumnDrift) -> str:
    """What happened to the column, in words."""
    if each.verdict == "missing":
        return f"it is not there; it was {brief(each.recorded, 40)}"
    if each.verdict == "new":
        return "it was not trained on"
    words = [f"{brief(each.recorded, 40)} → {brief(each.live, 40)}"] if each.verdict == "retyped" else []
    if each.mean_before is not None and each.mean_now is not None:
        words.append(f"mean {number(each.mean_before)} → {number(each.mean_now)}")
    if each.outside:
        words.append(f"{_share(each.outside)} beyond all that was trained on")
    if each.share_before is not None and each.share_now is not None:
        words.append(f"{brief(each.value, 40)!r} {_share(each.share_before)} → {_share(each.share_now)}")
    if each.unseen and each.unseen_share:
        words.append(f"never seen: {listed(each.unseen, 3)} ({_share(each.unseen_share)})")
    return " · ".join([*words, *([each.why] if each.why else [])])
