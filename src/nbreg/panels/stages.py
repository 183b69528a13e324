"""Where a version may go from its stage: what it shows, what it does, and its static twin."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import msgspec

from nbreg.display import html, label, moved, timeline, told_gates, told_request
from nbreg.display.style import PANEL_STYLE
from nbreg.display.text import brief, moment
from nbreg.panels.front import Shown
from nbreg.records import GateResult, Move, PromotionRequest, TimelineItem
from nbreg.registry import ModelVersion, Registry

_MOVES: Final = ("promoted", "retired", "rolled-back")
MOST_REQUESTS: Final = 5
MOST: Final = 8
MOST_READ: Final = 100
"""Lines about the version that are looked through for its moves."""


Answer = Literal["approve", "reject", "withdraw"]
WORDS: Final[tuple[Answer, ...]] = ("approve", "reject", "withdraw")


class Made(NamedTuple):
    """A move or an answer that was written: the sentence that tells it, and what the gates said."""

    text: str
    gates: list[GateResult]


class Stages(Shown):
    """A version's stage, and the moves that are allowed from there, each with a preview.

    A move is made as it was shown: if somebody moved a version meanwhile, it is refused and what is
    there now is shown. Raises what `Registry.get` does.
    """

    def __init__(self, ref: str | ModelVersion, registry: Registry | None = None) -> None:
        if isinstance(ref, ModelVersion):
            registry = registry or ref.registry
        self.registry = registry or Registry()
        self.version = self.registry.get(ref)

    @property
    def ref(self) -> str:
        """The version by its number, which never becomes another one's."""
        return f"{self.version.model}@{self.version.number}"

    def moves(self) -> list[Move]:
        """What may be done now."""
        return self.registry.moves(self.ref)

    def make(self, move: Move, *, reason: str = "", message: str = "") -> Made:
        """Do it as it was foreseen.

        Raises `ConflictError` where somebody moved a version meanwhile.
        """
        ref = f"{move.model}@{move.number}"
        said: dict[str, Any] = {"reason": reason.strip(), "message": message.strip()}
        if move.kind == "promoted":
            version = self.registry.promote(ref, move.to, **said, expect=move)
        elif move.kind == "retired":
            version = self.registry.retire(ref, move.to, **said, expect=move)
        else:
            version = self.registry.rollback(move.model, move.to, **said, expect=move)
        displaced = (
            [(label(move.displaced_name, move.displaced), move.displaced_to)] if move.displaced else []
        )
        version_label = label(version.name, version.number)
        facts = self._facts(move)
        told = moved(
            move.model,
            version_label,
            before=move.before,
            after=move.to,
            displaced=displaced,
            gates=told_gates(facts),
        )
        return Made(told, _results(facts))

    def _facts(self, move: Move) -> dict[str, Any]:
        """What the line that was just written says; only the newest are looked at."""
        lines = self.registry.events(move.model, limit=MOST_READ)
        return next((e.facts for e in lines if (e.number, e.kind) == (move.number, move.kind)), {})

    def gates(
        self, move: Move, *, run: bool = False, reason: str = "", message: str = ""
    ) -> list[GateResult]:
        """What each gate says that is asked before it; a rollback waits for none.

        Functions are called only with `run`: that may take its time.
        """
        if move.kind == "rolled-back":
            return []
        ref = f"{move.model}@{move.number}"
        return self.registry.ask_gates(ref, move.to, run=run, reason=reason.strip(), message=message.strip())

    # requests

    def request(self, move: Move, *, reason: str = "", message: str = "") -> Made:
        """Ask the others for it instead; nothing is moved by it."""
        ref = f"{move.model}@{move.number}"
        asked = self.registry.request(ref, move.to, reason=reason.strip(), message=message.strip())
        return Made(told_request(asked), [])

    def requests(self) -> list[PromotionRequest]:
        """What was asked for this version and nobody has ended, oldest first."""
        model, number = self.version.model, self.version.number
        found = [
            each
            for state in ("open", "stale")
            for each in self.registry.requests(model, state)
            if each.version == number
        ]
        return sorted(found, key=lambda each: (each.at, each.id))

    def is_mine(self, request: PromotionRequest) -> bool:
        """Whether it was asked by whoever runs this kernel: then it is withdrawn, not approved."""
        return request.by == self.registry.actor.user

    def answer(
        self, request: PromotionRequest, word: Answer, comment: str = "", *, expect: Move | None = None
    ) -> Made:
        """Approve, reject or withdraw a request. An approval promotes where nothing is missing any more.

        Raises `ConflictError` where that would do something else than `expect`.
        """
        message = comment.strip()
        if word == "approve":
            done = self.registry.approve(request.id, message=message, expect=expect)
        elif word == "reject":
            done = self.registry.reject(request.id, message=message)
        else:
            done = self.registry.withdraw(request.id, message=message)
        gates = []
        if word == "approve" and done.state == "open":
            gates = self.registry.ask_gates(done.ref, done.to, run=False, message=comment.strip())
        return Made(told_request(done), gates)

    # how it is shown

    def journey(self) -> list[TimelineItem]:
        """The moves that the version has made, or was moved by, newest first."""
        found = self.registry.timeline(self.version.model, number=self.version.number, limit=MOST_READ)
        return [each for each in found.items if each.event.kind in _MOVES][:MOST]

    def twin(self) -> dict[str, Any]:
        """The static form: the stages with the present one marked, and how it came there."""
        row, items = self.version.row, self.journey()
        title = f"{brief(self.version.model)} {label(row.name, row.number)}"
        stages = " → ".join(f"[{each}]" if each == row.stage else each for each in self.registry.stages)
        body = timeline.headline(self.version.model, row) + timeline.track(self.registry.lifecycle, row.stage)
        lines = [title, stages]
        for each in self.requests()[:MOST_REQUESTS]:
            body += html.quiet(_asked(each))
            lines.append(brief(_asked(each), 300))
        if items:
            body += timeline.table(items)
            lines.append(timeline.text(items))
        bundle = html.view(f"<style>{PANEL_STYLE}</style>{body}", twin=True)
        return {"text/plain": "\n".join(lines), "text/html": bundle}

    def _make_view(self) -> Any:
        from nbreg.panels.stagesview import StagesPanel

        return StagesPanel(self)


def _asked(request: PromotionRequest) -> str:
    """A request as it stays true, whatever becomes of it."""
    agreed = "".join(f"; {each.by} approved" for each in request.approvals)
    said = f": {request.message}" if request.message else ""
    return f"{moment(request.at)} UTC, {request.by} asked for {request.to}{said}{agreed}"


def _results(facts: dict[str, Any]) -> list[GateResult]:
    """The gates as an event tells of them; one of another release may tell less."""
    try:
        return msgspec.convert(facts.get("gates") or [], list[GateResult])
    except msgspec.ValidationError:
        return []
