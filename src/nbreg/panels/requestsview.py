"""The widgets of what was asked for a version: each request with its answers beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nbreg.display import html, timeline, told_request
from nbreg.display.gatemarks import gate_marks
from nbreg.display.text import count, escaped
from nbreg.panels.parts import Parts
from nbreg.panels.stages import MOST_REQUESTS, WORDS, Made
from nbreg.records import Move, PromotionRequest

if TYPE_CHECKING:
    from nbreg.panels.stages import Answer, Stages


class _Line(NamedTuple):
    root: Any
    text: Any
    buttons: dict[Answer, Any]


class RequestsView:
    """The open requests of a version, with approve and reject, or withdraw for one's own."""

    def __init__(self, stages: Stages, parts: Parts, on_answered: Callable[[Made], object]) -> None:
        self._stages, self._parts, self._on_answered = stages, parts, on_answered
        self._shown: list[PromotionRequest] = []
        self._lines: list[_Line] = []
        self._comment: Any = None
        self._more = parts.html()
        self.root = parts.box("column")

    def refresh(self, moves: Sequence[Move]) -> None:
        """Show what is open now, and what agreeing to it would do."""
        found = self._stages.requests()
        self._shown = found[:MOST_REQUESTS]
        for index, request in enumerate(self._shown):
            self._show(self._line(index), request, moves)
        left = len(found) - len(self._shown)
        self._more.value = html.quiet(f"and {count(left, 'request')} more") if left else ""
        roots = [each.root for each in self._lines[: len(self._shown)]]
        self.root.children = (*roots, self._comment, self._more) if roots else ()

    def _line(self, index: int) -> _Line:
        """Made when it is first needed: most versions are asked for by nobody."""
        parts = self._parts
        if self._comment is None:
            self._comment = parts.text("comment: why yes, or why not", width="100%")
            self._comment.tooltip = "comment"
        if index == len(self._lines):
            text = parts.html()
            buttons = {word: self._button(index, word) for word in WORDS}
            root = parts.box("column", text, parts.box("row", *buttons.values()), css="nbreg-asked")
            self._lines.append(_Line(root, text, buttons))
        return self._lines[index]

    def _button(self, index: int, word: Answer) -> Any:
        return self._parts.button(word, lambda: self._answer(index, word))

    def _show(self, line: _Line, request: PromotionRequest, moves: Sequence[Move]) -> None:
        stages = self._stages
        mine, stale = stages.is_mine(request), request.state == "stale"
        shown = f"<div><b>{escaped(told_request(request), 600)}</b></div>" + html.quiet(_said(request))
        move = next((each for each in moves if (each.kind, each.to) == ("promoted", request.to)), None)
        if move is not None and not stale:
            shown += gate_marks(stages.gates(move, reason=request.reason, message=request.message))
            if not mine:
                told = f"once approved, and if no gate is missing: {timeline.foretold(move)}"
                shown += html.quiet(told)
        line.text.value = shown
        allowed = {"approve": not mine and not stale, "reject": not mine, "withdraw": mine}
        for word, button in line.buttons.items():
            button.tooltip = f"{word} {request.id}"[:200]
            self._parts.hide(button, hidden=not allowed[word])

    def _answer(self, index: int, word: Answer) -> None:
        made = self._stages.answer(self._shown[index], word, self._comment.value)
        self._comment.value = ""
        self._on_answered(made)


def _said(request: PromotionRequest) -> str:
    """Who asked, why, and who agreed so far."""
    words = [f"asked by {request.by}", request.reason, request.message]
    agreed = [
        f"{each.by} approved" + (f": {each.message}" if each.message else "") for each in request.approvals
    ]
    return " · ".join(each for each in [*words, *agreed] if each)
