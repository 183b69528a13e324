"""Who decided: a model's split of the traffic, sealed pieces of the ledger, and what the ledger answers."""

from __future__ import annotations

from collections.abc import Iterator

from nbreg.records.base import Actor, Record, Row
from nbreg.records.reports import Problem


class SplitRow(Row, frozen=True, kw_only=True):
    """How a model's traffic is shared out: references without the model, and their shares of 1."""

    weights: dict[str, float]
    at: str = ""
    by: str = ""


class LedgerRow(Row, frozen=True, kw_only=True):
    """The first row of the ledger's journal: whose decisions it seals."""

    registry: str
    created: str


class Tally(Row, frozen=True, kw_only=True):
    """How many decisions a version made, with the moments of the first and the last."""

    decisions: int = 0
    first: str = ""
    last: str = ""

    def __add__(self, other: Tally) -> Tally:
        if not (self.decisions and other.decisions):
            return self if self.decisions else other
        return Tally(
            decisions=self.decisions + other.decisions,
            first=min(self.first, other.first),
            last=max(self.last, other.last),
        )


class SegmentRow(Row, frozen=True, kw_only=True):
    """A file of decisions that is finished, with the digest that makes a later change of it show."""

    id: str
    digest: str
    size: int
    first: str = ""
    """When its first decision was made, and its last; empty where it holds none."""
    last: str = ""
    answers: int = 0
    host: str = ""
    pid: int = 0
    torn: int = 0
    """Bytes of a line at its end that a killed process did not finish."""
    purged: str = ""
    tallies: dict[str, Tally] = {}
    """What is in it of each version, by the version's id."""


class Given(Record, frozen=True, kw_only=True):
    """An answer: when it was given, and by whom."""

    at: str
    by: Actor
    """Who answered: the process's actor."""
    stage: str = ""
    """The stage that the version was in then; empty where its journal does not tell."""
    request: str = ""
    """The caller's own id of the request."""
    method: str = "predict"


class Decision(Given, frozen=True, kw_only=True):
    """One answer that a version gave about one row."""

    model: str
    number: int
    id: str
    ref: str
    """The version by the name that it had then."""


class Decisions(Record, frozen=True, kw_only=True):
    """For each row that was asked about, in order, the decisions on it, newest first.

    It may be used as that list. `unread` names what could not be searched: where there is some,
    that a row has no decision is no proof that none was made.
    """

    rows: list[list[Decision]]
    unread: list[Problem] = []

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[list[Decision]]:
        return iter(self.rows)

    def __getitem__(self, row: int) -> list[Decision]:
        return self.rows[row]


class Answered(Given, frozen=True, kw_only=True):
    """One answer of a version, which decided about one row or many."""

    rows: int


class DecidedBy(Record, frozen=True, kw_only=True):
    """What a version decided: how much in all, and its newest answers."""

    ref: str
    tally: Tally
    is_whole: bool = True
    """Whether all was counted; else it is at least as much."""
    answers: list[Answered] = []
    unread: list[Problem] = []
    """What could not be read; it may hold answers that are not here."""
