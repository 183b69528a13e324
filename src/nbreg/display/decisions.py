"""Who decided, as people see it: a line for each decision, below the row that it was about."""

from __future__ import annotations

from typing import Any

from nbreg.display import html
from nbreg.display.html import Column
from nbreg.display.tables import Table
from nbreg.display.text import brief, moment
from nbreg.records import Answered, DecidedBy, Decision, Decisions


class DecisionTable(Table[tuple[int, Decision | None]]):
    """The decisions on rows; a row that nobody decided about has a line that says so."""

    kind = "decisions"
    noun = "decision"
    empty = "no rows were asked about"

    @classmethod
    def of(cls, found: Decisions) -> DecisionTable:
        """A line for each decision, the rows in the order in which they were given."""
        lines: list[tuple[int, Decision | None]] = []
        for row, decisions in enumerate(found):
            lines += [(row, each) for each in decisions] or [(row, None)]
        return cls(lines, total=sum(map(len, found)))

    def columns(self) -> list[Column]:
        """Which row, who decided, when, for whom, in which stage."""
        return [
            Column("row", "right"),
            Column("version", "key"),
            Column("stage then"),
            Column("when, UTC"),
            Column("by"),
            Column("request"),
            Column("id"),
        ]

    def cells(self, index: int) -> list[str]:
        """One decision."""
        row, decision = self[index]
        if decision is None:
            return [str(row), "nobody", "", "", "", "", ""]
        return [
            str(row),
            decision.ref,
            decision.stage,
            moment(decision.at),
            decision.by.user,
            decision.request,
            decision.id[:12],
        ]

    def facts(self, index: int) -> dict[str, Any]:
        """One decision as JSON."""
        row, decision = self[index]
        if decision is None:
            return {"row": row, "model": None, "number": None, "stage": "", "request": ""}
        return {
            "row": row,
            "model": decision.model,
            "number": decision.number,
            "stage": decision.stage,
            "request": decision.request,
        }


class DecisionsView(Decisions, frozen=True, kw_only=True):
    """`Decisions` that show themselves."""

    @classmethod
    def of(cls, found: Decisions) -> DecisionsView:
        """The same decisions."""
        return cls(rows=found.rows, unread=found.unread)

    def __repr__(self) -> str:
        return "\n".join([repr(DecisionTable.of(self)), *self._unread()])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        bundle = DecisionTable.of(self)._repr_mimebundle_()
        gaps = "".join(html.note(each, "gap") for each in self._unread())
        shown = bundle["text/html"] + (html.view(gaps) if gaps else "")
        return bundle | {"text/plain": repr(self), "text/html": shown}

    def _unread(self) -> list[str]:
        return [f"not searched: {each.where}: {each.message}" for each in self.unread]


class AnswerTable(Table[Answered]):
    """The answers of a version, newest first."""

    kind = "answers"
    noun = "answer"
    empty = "no answer was written down"

    def columns(self) -> list[Column]:
        """When, about how much, for whom, in which stage."""
        names = [Column("when, UTC", "key"), Column("rows", "right"), Column("stage then"), Column("by")]
        return [*names, Column("request"), *([Column("method")] if self._methods() else [])]

    def cells(self, index: int) -> list[str]:
        """One answer."""
        each = self[index]
        shown = [moment(each.at), f"{each.rows:,}", each.stage, each.by.user, each.request]
        return [*shown, *([each.method] if self._methods() else [])]

    def facts(self, index: int) -> dict[str, Any]:
        """One answer as JSON, without what is another one each time."""
        each = self[index]
        return {"rows": each.rows, "stage": each.stage, "request": each.request, "method": each.method}

    def _methods(self) -> bool:
        return any(self[index].method != "predict" for index in self._shown())


class DecidedByView(DecidedBy, frozen=True, kw_only=True):
    """`DecidedBy` that shows itself."""

    def amount(self) -> str:
        """`12,408 decisions`, or at least that many."""
        number = self.tally.decisions
        least = "" if self.is_whole else "at least "
        return f"{least}{number:,} decision{'' if number == 1 else 's'}"

    def __repr__(self) -> str:
        return "\n".join([self._heading(), repr(AnswerTable(self.answers)), *self._unread()])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": html.view(self.body())}

    def body(self) -> str:
        """The HTML, for whoever has the style already."""
        gaps = "".join(html.note(each, "gap") for each in self._unread())
        return html.heading(self.ref, self._since()) + AnswerTable(self.answers).body() + gaps

    def _heading(self) -> str:
        return f"{brief(self.ref)} · {self._since()}"

    def _since(self) -> str:
        tally = self.tally
        if not tally.decisions:
            return self.amount()
        told = f"{self.amount()} since {moment(tally.first)} UTC, the last {moment(tally.last)}"
        return f"{told}; the newest answers" if self.answers else told

    def _unread(self) -> list[str]:
        return [f"not read: {each.where}: {each.message}" for each in self.unread]
