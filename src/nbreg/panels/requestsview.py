"""The widgets of what was asked for a version: each request with its answers beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from nbreg.display import html, timeline, told_request
from nbreg.display.gatemarks import gate_marks
from nbreg.display.text import count, escaped
from nbreg.errors import NbregError
from nbreg.panels.parts import Parts
from nbreg.panels.stages import MOST_REQUESTS, WORDS, Made
from nbreg.records import Move, PromotionRequest

if TYPE_CHECKING:
    from nbreg.panels.stages import Answer, Stages

_SPARE: Final = 2
"""Lines that were taken away last and still answer for what they showed."""


class RequestsView:
    """The open requests of a version, with approve and reject, or withdraw for one's own."""

    def __init__(
        self,
        stages: Stages,
        parts: Parts,
        on_answered: Callable[[Made], object],
        on_refused: Callable[[NbregError], object],
    ) -> None:
        self._stages, self._parts = stages, parts
        self._on_answered, self._on_refused = on_answered, on_refused
        self._shown: list[_Line] = []
        self._spare: list[_Line] = []
        """What was taken away, the longest ago first."""
        self._comment: Any = None
        self._more = parts.html()
        self.root = parts.box("column")

    def refresh(self, moves: Sequence[Move]) -> None:
        """Show what is open now, and what agreeing to it would do."""
        found = self._stages.requests()
        shown = [self._line(each, _move(each, moves)) for each in found[:MOST_REQUESTS]]
        self._spare += [each for each in self._shown if each not in shown]
        self._shown = shown
        for line in shown:
            line.show(self._stages)
        left = len(found) - len(shown)
        self._more.value = html.quiet(f"and {count(left, 'request')} more") if left else ""
        self.root.children = (*(each.root for each in shown), self._comment, self._more) if shown else ()

    def _line(self, request: PromotionRequest, move: Move | None) -> _Line:
        """The line that shows just that: a press that comes late, after a cell, is about what it showed.

        Made when it is first needed: most versions are asked for by nobody.
        """
        if self._comment is None:
            self._comment = self._parts.text("comment: why yes, or why not", label="comment", width="100%")
        for line in self._shown:
            if (line.request.id, line.move) == (request.id, move):
                line.request = request
                return line
        line = self._spare.pop(0) if len(self._spare) > _SPARE else _Line(self._parts, self._answer)
        line.request, line.move = request, move
        return line

    def _answer(self, line: _Line, word: Answer) -> None:
        try:
            made = self._stages.answer(line.request, word, self._comment.value, expect=line.move)
        except NbregError as error:
            self._on_refused(error)
            return
        self._comment.value = ""
        self._on_answered(made)


class _Line:
    """One request on the screen."""

    request: PromotionRequest
    move: Move | None

    def __init__(self, parts: Parts, answer: Callable[[_Line, Answer], object]) -> None:
        self._parts = parts
        self._text = parts.html()
        self._buttons = {word: self._button(word, answer) for word in WORDS}
        answers = parts.box("row", *self._buttons.values())
        self.root = parts.box("column", self._text, answers, css="nbreg-asked")

    def _button(self, word: Answer, answer: Callable[[_Line, Answer], object]) -> Any:
        return self._parts.button(word, lambda: answer(self, word))

    def show(self, stages: Stages) -> None:
        """What was asked, what the gates say of it, and the answers that whoever looks on may give."""
        request = self.request
        mine, stale = stages.is_mine(request), request.state == "stale"
        shown = f"<div><b>{escaped(told_request(request), 600)}</b></div>" + html.quiet(_said(request))
        if self.move is not None and not stale:
            shown += gate_marks(stages.gates(self.move, reason=request.reason, message=request.message))
            if not mine:
                told = f"once approved, and if no gate is missing: {timeline.foretold(self.move)}"
                shown += html.quiet(told)
        self._text.value = shown
        allowed = {"approve": not mine and not stale, "reject": not mine, "withdraw": mine}
        for word, button in self._buttons.items():
            button.tooltip = f"{word} {request.id}"[:200]
            self._parts.hide(button, hidden=not allowed[word])


def _move(request: PromotionRequest, moves: Sequence[Move]) -> Move | None:
    """What agreeing to it would do, where it may be done at all."""
    return next((each for each in moves if (each.kind, each.to) == ("promoted", request.to)), None)


def _said(request: PromotionRequest) -> str:
    """Who asked, why, and who agreed so far."""
    words = [f"asked by {request.by}", request.reason, request.message]
    agreed = [
        f"{each.by} approved" + (f": {each.message}" if each.message else "") for each in request.approvals
    ]
    return " · ".join(each for each in [*words, *agreed] if each)
