"""Where a version may go from its stage: what it shows, what it does, and its static twin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nbreg.display import html, label, moved, timeline, told_request
from nbreg.display.style import PANEL_STYLE
from nbreg.display.text import brief
from nbreg.panels import front
from nbreg.records import Move, TimelineItem
from nbreg.registry import ModelVersion, Registry

if TYPE_CHECKING:
    from nbreg.panels.stagesview import StagesPanel

_MOVES: Final = ("promoted", "retired", "rolled-back")
MOST: Final = 8
MOST_READ: Final = 100
"""Lines about the version that are looked through for its moves."""


class Stages:
    """A version's stage, and the moves that are allowed from there, each with a preview.

    A move is made as it was shown: if somebody moved a version meanwhile, it is refused and what is
    there now is shown. Raises what `Registry.get` does.
    """

    def __init__(self, ref: str | ModelVersion, registry: Registry | None = None) -> None:
        if isinstance(ref, ModelVersion):
            registry = registry or ref.registry
        self.registry = registry or Registry()
        self.version = self.registry.get(ref)
        self._view: StagesPanel | None = None

    @property
    def ref(self) -> str:
        """The version by its number, which never becomes another one's."""
        return f"{self.version.model}@{self.version.number}"

    def moves(self) -> list[Move]:
        """What may be done now."""
        return self.registry.moves(self.ref)

    def make(self, move: Move, *, reason: str = "", message: str = "") -> str:
        """Do it as it was foreseen; returns the sentence that tells it.

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
        return moved(move.model, version_label, before=move.before, after=move.to, displaced=displaced)

    def gates(self, move: Move) -> list[str]:
        """The gates that are asked before it; a rollback waits for none."""
        if move.kind == "rolled-back":
            return []
        return [each.gate for each in self.registry.gates(move.model, move.to)]

    def request(self, move: Move, *, reason: str = "", message: str = "") -> str:
        """Ask the others for it instead; returns the sentence that tells the request."""
        ref = f"{move.model}@{move.number}"
        asked = self.registry.request(ref, move.to, reason=reason.strip(), message=message.strip())
        return told_request(asked)

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
        if items:
            body += timeline.table(items)
            lines.append(timeline.text(items))
        bundle = html.view(f"<style>{PANEL_STYLE}</style>{body}", twin=True)
        return {"text/plain": "\n".join(lines), "text/html": bundle}

    def view(self) -> Any:
        """The widgets; made when they are first asked for."""
        if self._view is None:
            from nbreg.panels.stagesview import StagesPanel

            self._view = StagesPanel(self)
        return self._view.root

    def close(self) -> None:
        """Close the widgets and stop looking; the static form stays where it was shown."""
        front.closed(self)
        if self._view is not None:
            self._view.close()
            self._view = None

    def __repr__(self) -> str:
        return str(self.twin()["text/plain"])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return self.twin()

    def _ipython_display_(self) -> None:
        if not front.show(self):
            raise NotImplementedError  # nobody can click: IPython shows the twin
