"""The widgets of a version's card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbreg.display import html
from nbreg.errors import ConflictError
from nbreg.panels import front
from nbreg.panels.parts import Parts
from nbreg.panels.version import FORMATS
from nbreg.panels.watching import Watch

if TYPE_CHECKING:
    from nbreg.panels.version import Version


class VersionView:
    """Load and export above, and all that was captured below."""

    def __init__(self, panel: Version) -> None:
        self._panel = panel
        self._parts = Parts(lambda message, hint: self._say(message, hint, done=False))
        self._warned = ""
        self._build()
        model = panel.version.model
        self._watch = Watch(lambda: panel.registry.seen(model), self._parts.guarded(self._changed))
        self._show()
        self._watch.start()

    def _build(self) -> None:
        parts, panel = self._parts, self._panel
        self._head, top = parts.heading(panel.close)
        self._name = parts.text("name of a variable", width="150px")
        load = parts.button("load as", self._loaded, tooltip="verify it, load it, and give it this name")
        self._path = parts.text(
            panel.file_name(FORMATS[0]),
            label="file or folder to write",
            flex="1 1 150px",
            width="auto",
            min_width="120px",
        )
        self._format = parts.dropdown(self._chosen, label="format of the export", width="120px")
        export = parts.button("export to", self._exported, tooltip="write it for another registry or tool")
        parts.quietly(self._begin)
        self._result = parts.html()
        self._body = parts.html()
        row = parts.box("row", load, self._name, export, self._path, self._format)
        self.root = parts.box("column", top, row, self._result, self._body, css="nbreg-view nbreg-panel")

    def _begin(self) -> None:
        self._name.value = "model"
        self._format.options = list(FORMATS)
        self._format.value = FORMATS[0]

    # what is clicked

    def _chosen(self) -> None:
        self._path.placeholder = self._panel.file_name(self._format.value)

    def _loaded(self) -> None:
        name = self._name.value
        sure, self._warned = name == self._warned, ""
        try:
            told = self._panel.load(name, overwrite=sure)
        except ConflictError:
            self._warned = name
            raise
        self._say(told, "", done=True)

    def _exported(self) -> None:
        self._say(self._panel.export(self._path.value, self._format.value), "", done=True)

    # what is seen

    def _show(self) -> None:
        panel = self._panel
        detail = panel.detail()
        references = "".join(
            html.reference(ref, f"{told}: a click selects it") + " " for ref, told in panel.references()
        )
        cell = panel.cell()
        made = html.quiet(f"registered by {cell}") if cell else ""
        self._head.value = self._parts.sheet() + detail.heading() + made + f"<div>{references}</div>"
        self._body.value = detail.facts()

    def _changed(self) -> None:
        """A proof is done, a stage moved, a link was made: here, or in another kernel."""
        self._show()
        front.keep_twin(self._panel)

    def _say(self, message: str, hint: str, *, done: bool) -> None:
        self._watch.touch()
        self._result.value = html.said(message, hint, done=done)

    def close(self) -> None:
        """Let go of everything."""
        self._watch.close()
        self._parts.close()
