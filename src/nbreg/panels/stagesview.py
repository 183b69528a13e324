"""The widgets of the stage controls: alone, or in another panel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nbreg.display import html, timeline
from nbreg.display.gatemarks import gate_marks
from nbreg.display.text import escaped
from nbreg.errors import ConflictError, GateError, GateRefusedError, NbregError
from nbreg.panels import front
from nbreg.panels.parts import Parts
from nbreg.panels.requestsview import RequestsView
from nbreg.panels.stages import Made
from nbreg.panels.watching import Watch
from nbreg.records import GateResult, Move
from nbreg.registry import ModelVersion

if TYPE_CHECKING:
    from nbreg.panels.stages import Stages

_GROUPS = (("promoted", "promote to"), ("retired", "retire to"), ("rolled-back", ""))
_REASONS = {"promoted": "ABTestWon", "retired": "Outdated", "rolled-back": "Complaints"}
"""An example of each."""
_ASK = "request it: then the others are asked to approve"
"""The next step where others have to agree: the panel has a button for it."""


class StagesView:
    """Buttons for the moves that are allowed; a pressed one says what it will do, and asks for a reason."""

    def __init__(self, stages: Stages, parts: Parts, on_moved: Callable[[], object]) -> None:
        self._stages = stages
        self._parts = parts
        self._on_moved = on_moved
        self._moves: list[Move] = []
        self._asked: Move | None = None
        self._ran: dict[str, GateResult] = {}
        """What functions said that were run for this very question."""
        self._buttons: dict[str, list[Any]] = {kind: [] for kind, _ in _GROUPS}
        self._build()
        self.refresh()

    def _build(self) -> None:
        parts = self._parts
        self._track = parts.html()
        self._labels = {
            kind: parts.html(f'<span class="nbreg-label">{escaped(text)}</span>', width="auto")
            for kind, text in _GROUPS
            if text
        }
        self._row = parts.box("row")
        self._foretold = parts.html()
        self._gates = parts.html()
        self._reason = parts.text("reason", self._show_gates, label="reason", width="190px")
        self._message = parts.text(
            "message for people",
            self._show_gates,
            label="message",
            flex="1 1 200px",
            width="auto",
            min_width="160px",
        )
        self._confirm = parts.button("", self._confirmed, primary=True)
        self._run = parts.button("run the gates", self._gates_run, tooltip="call the gates' functions now")
        self._request = parts.button("request it", self._requested, tooltip="ask the others for approval")
        self._cancel = parts.button("cancel", self._cancelled)
        fields = parts.box("row", self._reason, self._message)
        self._form = parts.box(
            "column",
            self._foretold,
            self._gates,
            fields,
            parts.box("row", self._confirm, self._run, self._request, self._cancel),
        )
        self._requests = RequestsView(self._stages, parts, self._answered, self._refused)
        self._result = parts.html()
        above = (self._track, self._requests.root, self._row)
        self.root = parts.box("column", *above, self._form, self._result)

    # what is clicked

    def turn_to(self, version: ModelVersion) -> None:
        """Show another version; what was asked about the one before is let go."""
        if version.number != self._stages.version.number:
            self._ask(None)
            self._result.value = ""
        self._stages.version = version
        self.refresh()

    def refresh(self) -> None:
        """Show what may be done now; a question that is open stays as it was asked."""
        stages = self._stages
        moves = stages.moves()
        if moves != self._moves:
            self._moves, self._ran = moves, {}
        self._track.value = timeline.track(stages.registry.lifecycle, stages.version.stage)
        self._row.children = tuple(self._controls())
        self._requests.refresh(self._moves)
        self._show_form()

    def _controls(self) -> list[Any]:
        shown = []
        for kind, _ in _GROUPS:
            moves = [each for each in self._moves if each.kind == kind]
            if moves and kind in self._labels:
                shown.append(self._labels[kind])
            shown += [self._button(kind, index, move) for index, move in enumerate(moves)]
        return shown

    def _button(self, kind: str, index: int, move: Move) -> Any:
        made = self._buttons[kind]
        if index == len(made):
            made.append(self._parts.button("", lambda: self._pressed(kind, index)))
        said = timeline.asked(move)
        made[index].description = said if kind == "rolled-back" else move.to
        made[index].tooltip = said
        return made[index]

    def _pressed(self, kind: str, index: int) -> None:
        self._result.value = ""
        self._ask([each for each in self._moves if each.kind == kind][index])

    def _ask(self, move: Move | None) -> None:
        self._asked = None  # the fields are emptied first, and ask nothing about it
        self._reason.value = self._message.value = ""
        self._asked, self._ran = move, {}
        self._show_form()

    def _show_form(self) -> None:
        move = self._asked
        self._parts.hide(self._form, hidden=move is None)
        if move is not None:
            self._foretold.value = (
                f'<div class="nbreg-foretold" role="status">{escaped(timeline.foretold(move))}</div>'
            )
            self._reason.placeholder = f"reason: {_REASONS[move.kind]}"
            self._confirm.description = timeline.asked(move)
            self._confirm.tooltip = timeline.foretold(move)
            self._show_gates()

    def _show_gates(self) -> None:
        """What each gate says beforehand; functions only once they were run."""
        if self._asked is not None:
            asked = self._stages.gates(self._asked, reason=self._reason.value, message=self._message.value)
            self._mark(
                [self._ran.get(each.gate, each) if each.state == "unasked" else each for each in asked]
            )

    def _gates_run(self) -> None:
        if self._asked is not None:
            said = {"reason": self._reason.value, "message": self._message.value}
            asked = self._stages.gates(self._asked, run=True, **said)
            self._ran = {each.gate: each for each in asked}
            self._mark(asked)

    def _mark(self, results: list[GateResult]) -> None:
        self._gates.value = gate_marks(results)
        waiting = any(each.state == "unasked" or each.digest for each in results)
        self._parts.hide(self._run, hidden=not waiting)
        self._parts.hide(self._request, hidden=not results)

    def _cancelled(self) -> None:
        self._ask(None)

    def _confirmed(self) -> None:
        move = self._asked
        if move is None:
            return
        try:
            told = self._stages.make(move, reason=self._reason.value, message=self._message.value)
        except NbregError as error:
            self._failed(error)
            return
        self._done(told)

    def _answered(self, made: Made) -> None:
        """A request was approved, rejected or withdrawn: by that a version may have moved."""
        self._done(made)

    def _done(self, made: Made) -> None:
        self._ask(None)
        self.refresh()
        self._say(made.text, "", done=True, gates=made.gates)
        self._on_moved()

    def _requested(self) -> None:
        """Ask the others, where the stage has gates: nothing is moved by it."""
        move = self._asked
        if move is None:
            return
        try:
            told = self._stages.request(move, reason=self._reason.value, message=self._message.value)
        except NbregError as error:
            self._failed(error)
            return
        self._done(told)

    def _failed(self, error: NbregError) -> None:
        """Nothing was changed. What was foreseen is no longer so, or was never allowed: it is asked anew."""
        hint = error.hint
        if isinstance(error, GateError):
            self._ran = {each.gate: each for each in error.gates if isinstance(each, GateResult)}
            self._show_gates()
        if isinstance(error, GateRefusedError) and any(each.lacks_approval for each in self._ran.values()):
            hint = _ASK
        self._say(error.message, hint, done=False)
        if error.code == "conflict":
            self._ask(None)
            self._on_moved()

    def _refused(self, error: NbregError) -> None:
        """An answer to a request was not given; a question about a move stays open beside it."""
        self._say(error.message, error.hint, done=False)
        if isinstance(error, ConflictError):
            self._on_moved()

    def _say(self, message: str, hint: str, *, done: bool, gates: Sequence[GateResult] = ()) -> None:
        self._result.value = html.said(message, hint, done=done, below=gate_marks(gates))


class StagesPanel:
    """The stage controls as a panel of their own."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._parts = parts = Parts(lambda message, hint: self.controls._say(message, hint, done=False))
        self._head, top = parts.heading(stages.close)
        self.controls = StagesView(stages, parts, self._moved)
        self.root = parts.box("column", top, self.controls.root, css="nbreg-view nbreg-panel")
        model = stages.version.model
        self._watch = Watch(lambda: stages.registry.seen(model), parts.guarded(self._changed))
        self._show()
        self._watch.start()

    def _show(self) -> None:
        version = self._stages.version
        self._head.value = self._parts.sheet() + timeline.headline(version.model, version.row)

    def _changed(self) -> None:
        self.controls.refresh()
        front.keep_twin(self._stages)

    def _moved(self) -> None:
        self._watch.know()
        self._watch.touch()
        self._changed()

    def close(self) -> None:
        """Let go of everything."""
        self._watch.close()
        self._parts.close()
