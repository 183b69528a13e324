"""What was trained and not registered: each draft is registered or dropped from where one reads of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from nbreg.display import DraftTable, html, label
from nbreg.display.text import brief
from nbreg.errors import UnknownDraftError
from nbreg.panels.front import Shown
from nbreg.registry import Registry

MOST: Final = 50
"""Drafts that can be chosen; `%drafts` lists all."""


class Drafts(Shown):
    """The drafts of a registry, newest first, to register or to drop.

    `table` is how whoever knows more lists them: a kernel knows which are about to be saved.
    """

    def __init__(
        self, registry: Registry | None = None, *, table: Callable[[], DraftTable] | None = None
    ) -> None:
        self.registry = registry or Registry()
        self._table = table

    def look(self) -> DraftTable:
        """What there is now."""
        if self._table is not None:
            return self._table()
        found = self.registry.drafts()
        return DraftTable([each.record for each in found], items=found)

    @staticmethod
    def choices(table: DraftTable) -> list[tuple[str, int]]:
        """What can be chosen: a few words for each, and its number."""
        told = [(each.number, each.record) for each in table[:MOST]]
        return [
            (f"#{number} {brief(record.variable, 40)}: {brief(record.type.rpartition('.')[2], 40)}", number)
            for number, record in told
        ]

    def register(self, number: int, model: str, message: str = "") -> str:
        """Make a version of a draft, with what was captured when it was trained; returns what tells it.

        Raises what `Registry.register` does, or `UnknownDraftError` for one that is gone.
        """
        draft = self.registry.draft(number)
        version = self.registry.register(model.strip(), draft, message=message.strip())
        return f"{version.model} {label(version.name, version.number)} is draft {number}"

    def drop(self, number: int) -> str:
        """Take a draft away; it cannot be had back."""
        self.registry.draft(number).remove()
        return f"draft {number} was dropped"

    def told(self, number: int) -> str:
        """What would be lost with it."""
        try:
            record = self.registry.draft(number).record
        except UnknownDraftError as error:
            return error.message
        kept = "" if record.is_kept else f"; its weights are not kept: {brief(record.why)}"
        return f"draft {number}: {brief(record.variable, 60)}, {brief(record.type, 80)}{kept}"

    def twin(self) -> dict[str, Any]:
        """The static form: the list."""
        return self.look()._repr_mimebundle_()

    def _make_view(self) -> Any:
        from nbreg.panels.draftsview import DraftsView

        return DraftsView(self)


def limit_told(table: DraftTable) -> str:
    """That only the newest can be chosen, where there are many."""
    many = len(table) > MOST
    return html.quiet(f"the newest {MOST} can be chosen here; registry.draft(N) has any") if many else ""
