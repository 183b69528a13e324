"""Where this environment differs from the one a version was made in, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from nbreg.display import DriftTable, html, label
from nbreg.display.style import FOLD_STYLE, PANEL_STYLE
from nbreg.display.text import brief
from nbreg.panels.front import Shown, namespace
from nbreg.records import DriftItem
from nbreg.registry import ModelVersion, Registry

_WAY_OUT: Final = "or change nothing here, and have it answer from its own environment:"
_RANKS: Final = ("breaking", "major", "minor")


class Drift(Shown):
    """What is another release here than where a version was made, what matters most first.

    It says which line installs what was recorded, and that a version can answer from its own
    environment where nothing here is to be changed. Raises what `Registry.get` does.
    """

    def __init__(self, ref: str | ModelVersion, registry: Registry | None = None) -> None:
        if isinstance(ref, ModelVersion):
            registry = registry or ref.registry
        self.registry = registry or Registry()
        self.version = self.registry.get(ref)

    def look(self) -> list[DriftItem]:
        """What differs now, worst first."""
        return self.registry.drift(self.version)

    def isolate(self, name: str = "model") -> str:
        """Give a name of the notebook to the model as it answers in its own environment.

        The environment is made where it is not there yet, which takes its time. Raises what
        `Registry.load` does.
        """
        value = self.registry.load(self.version, on_drift="isolate")
        namespace()[name] = value
        return f"{name} answers in its own environment"

    def headline(self, items: Sequence[DriftItem]) -> str:
        """How much is different, in words."""
        if not items:
            return "the environment is the recorded one"
        amounts = Counter(each.severity for each in items)
        return ", ".join(f"{amounts[rank]} {rank}" for rank in _RANKS if amounts[rank])

    def head(self, items: Sequence[DriftItem]) -> str:
        """The version, and how much is different."""
        version = self.version
        title = label(version.name, version.number)
        return html.heading(version.model, title, f"environment here: {self.headline(items)}")

    def body(self, items: Sequence[DriftItem]) -> str:
        """The table, the line to copy, and the other way out."""
        if not items:
            return ""
        way_out = html.reference(self._way_out(), "a click selects it", whole=True)
        return f"{DriftTable(items).lines_to_copy()}{html.quiet(_WAY_OUT)}<div>{way_out}</div>"

    def _way_out(self) -> str:
        return f'registry.load("{self.version.ref}", on_drift="isolate")'

    def twin(self) -> dict[str, Any]:
        """The static form, as it was when it was shown."""
        items, version = self.look(), self.version
        title = f"{brief(version.model)} {label(version.name, version.number)}"
        lines = [f"{title} · environment here: {self.headline(items)}"]
        if items:
            lines += [repr(DriftTable(items)), f"{_WAY_OUT} {self._way_out()}"]
        sheet = f"<style>{PANEL_STYLE}{FOLD_STYLE}</style>"
        return {
            "text/plain": "\n".join(lines),
            "text/html": html.view(sheet + self.head(items) + self.body(items), twin=True),
        }

    def _make_view(self) -> Any:
        from nbreg.panels.driftview import DriftView

        return DriftView(self)
