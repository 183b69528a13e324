"""Who looks on, and how a panel gets into a notebook beside its static twin.

A panel is two outputs: the view, which is there as long as its kernel is, and the twin, which the
saved notebook keeps. Style sheets (`display/style.py`) see to it that a reader sees one of them.
"""

from __future__ import annotations

import keyword
import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol
from uuid import uuid4

from nbreg.errors import BadInputError

VIEW_MIME: Final = "application/vnd.jupyter.widget-view+json"

MOST_OPEN: Final = 12
"""Panels that stay alive in one kernel; the one that was opened first gives way to its twin."""


class Panel(Protocol):
    """What can be opened: a twin that is always there, a view that is made when somebody looks on."""

    def twin(self) -> dict[str, Any]:
        """What a saved notebook keeps, as a mime bundle."""
        ...

    def metadata(self) -> dict[str, Any]:
        """What a front end is told beside the twin, and people are not."""
        ...

    def view(self) -> Any:
        """The root of the widgets; made once."""
        ...

    def close(self) -> None:
        """Let go of the widgets; the twin stays."""
        ...


class Shown:
    """What panels share: as the last line of a cell they show themselves, and closing leaves the twin."""

    _view: Any = None

    def twin(self) -> dict[str, Any]:
        """What a saved notebook keeps, as a mime bundle."""
        raise NotImplementedError

    def metadata(self) -> dict[str, Any]:
        """What a front end is told beside the twin, and people are not."""
        return {}

    def _make_view(self) -> Any:
        """An object with the widgets' `root`, and a `close`; imports ipywidgets only here."""
        raise NotImplementedError

    def view(self) -> Any:
        """The widgets; made when they are first asked for."""
        if self._view is None:
            self._view = self._make_view()
        return self._view.root

    def close(self) -> None:
        """Close the widgets and stop looking; the static form stays where it was shown."""
        closed(self)
        if self._view is not None:
            self._view.close()
            self._view = None

    def __repr__(self) -> str:
        return str(self.twin()["text/plain"])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return self.twin()

    def _ipython_display_(self) -> None:
        if not show(self):
            raise NotImplementedError  # nobody can click: IPython shows the twin


class Request(NamedTuple):
    """What a front end asked a kernel to run."""

    cell: str
    id: str


class _Opened(NamedTuple):
    request: Request
    panel: Panel
    twin: Twin


_open: list[_Opened] = []


def request_in_front() -> Request | None:
    """The cell that a front end with a person before it has asked to run; None where nobody can click.

    JupyterLab, Notebook and VS Code name the cell in each request. nbclient, papermill, nbval and
    a terminal do not, and what they run has to be the same wherever it runs.
    """
    asked = getattr(_shell(), "get_parent", None)
    parent = (asked() if asked is not None else None) or {}
    cell = (parent.get("metadata") or {}).get("cellId")
    request = str((parent.get("header") or {}).get("msg_id", ""))
    return Request(cell, request) if isinstance(cell, str) and cell else None


def _shell() -> Any:
    interactive = sys.modules.get("IPython.core.interactiveshell")  # not imported for the sake of asking
    kind = interactive.InteractiveShell if interactive else None
    return kind.instance() if kind is not None and kind.initialized() else None


def namespace() -> dict[str, Any]:
    """The names of the notebook; those of a script, where there is no notebook."""
    shell = _shell()
    names: dict[str, Any] = shell.user_ns if shell is not None else vars(sys.modules["__main__"])
    return names


def variable_name(text: str) -> str:
    """The text, if a variable may be called that. Raises `BadInputError`."""
    name = text.strip()
    if not name.isidentifier() or keyword.iskeyword(name):
        raise BadInputError(f"{name[:60]!r} is no name of a variable")
    return name


def show(panel: Panel) -> bool:
    """Show a panel's view and its twin; False, and nothing shown, where nobody can click."""
    request = request_in_front()
    if request is None:
        return False
    for each in list(_open):
        if each.request.cell == request.cell and each.request != request:
            each.panel.close()  # the cell ran again: its outputs are gone
    while len(_open) >= MOST_OPEN:
        _open[0].panel.close()
    from IPython.display import display

    twin = Twin(panel.twin, panel.metadata())
    view = {"version_major": 2, "version_minor": 0, "model_id": panel.view().model_id}
    publish: Callable[..., object] = display
    publish({VIEW_MIME: view}, raw=True)
    twin.show()
    _open.append(_Opened(request, panel, twin))
    return True


def closed(panel: Panel) -> None:
    """A panel closes: it is looked after no more."""
    _open[:] = [each for each in _open if each.panel is not panel]


def close_all() -> None:
    """Close every panel of this kernel."""
    while _open:
        _open[0].panel.close()


def keep_twin(panel: Panel) -> None:
    """Bring the static form up to date, so that the notebook is saved as it was last seen."""
    for each in _open:
        if each.panel is panel:
            each.twin.keep()


class Twin:
    """The static form in a notebook, replaced when it says something else."""

    def __init__(self, bundle: Callable[[], dict[str, Any]], metadata: dict[str, Any]) -> None:
        self._bundle, self._metadata = bundle, metadata
        self._id = uuid4().hex
        self._last: dict[str, Any] = {}

    def show(self) -> None:
        """Put it below the view."""
        self._publish(update=False)

    def keep(self) -> None:
        """Replace it if it changed."""
        self._publish(update=True)

    def _publish(self, *, update: bool) -> None:
        from IPython.display import publish_display_data

        bundle = self._bundle()
        if update and bundle == self._last:
            return
        self._last = bundle
        publish: Callable[..., object] = publish_display_data
        publish(bundle, self._metadata, transient={"display_id": self._id}, update=update)


def offer(result: Any, make: Callable[[], Panel]) -> Any:
    """The same result, which shows itself as a panel where somebody can click, and as ever elsewhere.

    Only when it is shown: a result that is assigned opens nothing.
    """

    def display_in_notebook() -> None:
        if not show(make()):
            raise NotImplementedError  # IPython goes on with the other forms

    result._ipython_display_ = display_in_notebook
    return result
