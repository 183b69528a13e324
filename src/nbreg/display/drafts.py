"""The list of drafts: what was trained, where, and whether it can still be registered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from nbreg.display.html import Column
from nbreg.display.tables import LARGEST, Table
from nbreg.display.text import LONGEST, brief, is_dull, moment, pairs, size
from nbreg.records import DraftRecord

_PARAMS: Final = 3


class DraftTable(Table[Any]):
    """Models that were trained and are not registered, newest first as given."""

    kind = "drafts"
    noun = "draft"
    is_twin = True
    empty = "no drafts: nothing was trained that is not registered"

    def __init__(self, records: Sequence[DraftRecord], *, items: Sequence[Any] | None = None) -> None:
        super().__init__(records if items is None else items, title="drafts")
        self._records = tuple(records)

    def columns(self) -> list[Column]:
        """Which, what it is, how good, where it was trained, and whether it is kept."""
        return [
            Column("#", "right"),
            Column("variable", "key"),
            Column("class"),
            Column("params", "long"),
            *([Column("metrics")] if self._has_metrics else []),
            Column("cell", "right"),
            Column("notebook"),
            Column("trained, UTC"),
            Column("size", "right"),
            Column("weights", "long"),
        ]

    @property
    def _has_metrics(self) -> bool:
        return any(record.metrics for record in self._records[:LARGEST])

    def cells(self, index: int) -> list[str]:
        """One draft."""
        record = self._records[index]
        return [
            str(record.number),
            record.variable,
            record.type.rpartition(".")[2],
            told_params(record.params),
            *([pairs(record.metrics, 3)] if self._has_metrics else []),
            told_cell(record.cell),
            _file_name(record.notebook),
            moment(record.at),
            size(record.size) if record.size else "",
            "kept" if record.is_kept else f"not kept: {record.why}",
        ]

    def facts(self, index: int) -> dict[str, Any]:
        """One draft as JSON: what is the same wherever the notebook runs."""
        record = self._records[index]
        return {
            "number": record.number,
            "variable": record.variable[:LONGEST],
            "type": record.type[:LONGEST],
            "metrics": dict(record.metrics),
            "kept": record.is_kept,
            "why": record.why[:LONGEST],
        }


def told_params(params: dict[str, Any]) -> str:
    """The first few that say something: most of an estimator's are None, False or its own choice."""
    telling = {name: value for name, value in params.items() if not is_dull(value)}
    return pairs(dict(list(telling.items())[:_PARAMS])) + (" …" if len(telling) > _PARAMS else "")


def told_cell(cell: dict[str, Any]) -> str:
    """`[3]`, and what it ended with where it failed."""
    count, error = cell.get("execution_count"), cell.get("error")
    told = f"[{count}]" if isinstance(count, int) else brief(cell.get("cell_id") or "", 12)
    return f"{told} {brief(error, 40)}".strip() if error else told


def _file_name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def told_origin(draft: dict[str, Any]) -> str:
    """`draft 2: clf of cell [3] in analysis.ipynb, trained 2026-02-09 11:07`."""
    notebook = _file_name(str(draft.get("notebook") or ""))
    where = told_cell(draft)
    words = [
        f"draft {brief(draft.get('number', ''), 12)}: {brief(draft.get('variable', ''), 60)}",
        f"of cell {where}" if where else "",
        f"in {brief(notebook, 60)}" if notebook else "",
    ]
    return " ".join(word for word in words if word) + f", trained {moment(str(draft.get('trained') or ''))}"
