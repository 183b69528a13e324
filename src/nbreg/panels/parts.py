"""The few kinds of widgets that panels are made of; few models, since each is a message and saved state.

Layouts and styles are shared. What is text to ipywidgets (descriptions, tooltips, placeholders) is
made brief and visible here; what is HTML comes from `display/`, where it was escaped.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, Literal

import ipywidgets

from nbreg.display.style import DIFF_STYLE, FOLD_STYLE, LIVE_STYLE, PANEL_STYLE, STYLE
from nbreg.display.text import brief
from nbreg.errors import NbregError

log = logging.getLogger("nbreg")

Act = Callable[[], object]


class Parts:
    """Makes widgets, answers for their callbacks, and closes them."""

    def __init__(self, on_trouble: Callable[[str, str], None]) -> None:
        self._on_trouble = on_trouble
        self._made: list[Any] = []
        self._layouts: dict[tuple[tuple[str, str], ...], Any] = {}
        self._styles: dict[type[Any], Any] = {}
        # Comm messages may come in by a thread of their own (subshells), beside the watch.
        self.lock = threading.RLock()
        self._quiet_in: int | None = None
        """The thread in which the panel itself changes values: observers are for what a person does."""

    # safe callbacks

    def guarded(self, act: Act) -> Act:
        """The act under the panel's lock, with what it refuses shown in the panel."""

        @wraps(act)
        def run(*_: object) -> None:
            with self.lock:
                try:
                    act()
                except NbregError as error:
                    self._on_trouble(error.message, error.hint)
                except Exception as error:
                    log.exception("a panel's action failed")
                    self._on_trouble(f"{type(error).__name__}: {error}", "the kernel's log has the traceback")

        return run

    def quietly(self, act: Act) -> None:
        """Change values as the panel itself does: nobody is told. What comes in meanwhile is a person's."""
        self._quiet_in = threading.get_ident()
        try:
            act()
        finally:
            self._quiet_in = None

    # kinds

    def sheet(self, more: str = "") -> str:
        """The styles that panels share, and `more`; once in a panel, in its first piece of HTML."""
        return f"<style>{STYLE}{DIFF_STYLE}{FOLD_STYLE}{more}{PANEL_STYLE}{LIVE_STYLE}</style>"

    def html(self, value: str = "", **layout: str) -> Any:
        """A piece of HTML that `display/` made."""
        return self._keep(ipywidgets.HTML, value=value, layout=self._layout(**layout))

    def button(self, text: str, act: Act, *, tooltip: str = "", primary: bool = False, **layout: str) -> Any:
        """A button with words: an icon alone has no name that a screen reader could say."""
        made = self._keep(
            ipywidgets.Button,
            description=brief(text, 60),
            tooltip=brief(tooltip or text, 200),
            button_style="primary" if primary else "",
            layout=self._layout(**{"width": "auto", **layout}),
        )
        made.add_class("nbreg-plain")
        made.on_click(self.guarded(act))
        return made

    def heading(self, close: Act, *more: tuple[str, Act]) -> tuple[Any, Any]:
        """A panel's first line: the HTML that is its heading, and the row with the buttons beside it."""
        head = self.html(flex="1 1 auto", width="auto")
        buttons = [self.button(text, act, flex="0 0 auto") for text, act in (*more, ("close", close))]
        return head, self.box("row", head, *buttons, flex_flow="row nowrap", align_items="flex-start")

    def toggle(self, act: Callable[[Any], object], **layout: str) -> Any:
        """A button that stays pressed; `act` is given it when a person presses it."""
        made = self._keep(ipywidgets.ToggleButton, layout=self._layout(**layout))
        made.add_class("nbreg-plain")
        made.add_class("nbreg-name")
        self._observe(made, lambda: act(made))
        return made

    def text(self, placeholder: str, act: Act | None = None, *, label: str = "", **layout: str) -> Any:
        """A line to type; `act` when it is entered or left. Its label is heard, and seen as a tooltip."""
        made = self._keep(
            ipywidgets.Text,
            placeholder=placeholder,
            description=label or placeholder,
            tooltip=label or placeholder,
            continuous_update=False,
            layout=self._layout(**layout),
        )
        if act is not None:
            self._observe(made, act)
        return made

    def dropdown(self, act: Act, *, label: str, **layout: str) -> Any:
        """A choice of one, with a label as a line to type has it."""
        made = self._keep(
            ipywidgets.Dropdown, description=label, tooltip=label, options=[], layout=self._layout(**layout)
        )
        self._observe(made, act)
        return made

    def box(self, kind: Literal["row", "column"], *children: Any, css: str = "", **layout: str) -> Any:
        """Widgets beside or below each other."""
        flow = {"flex_flow": "row wrap", "align_items": "center"} if kind == "row" else {}
        made = self._keep(
            ipywidgets.HBox if kind == "row" else ipywidgets.VBox,
            children=children,
            layout=self._layout(**{**flow, "overflow": "visible", **layout}),
        )
        for each in css.split():
            made.add_class(each)
        return made

    def hide(self, widget: Any, *, hidden: bool) -> None:
        """Leave a widget out, or show it; two shared layouts rather than one changed."""
        widget.layout = self._layout(display="none") if hidden else self._shown(widget)

    def close(self) -> None:
        """Close all that was made, layouts and styles as well."""
        for each in [*self._made, *self._layouts.values(), *self._styles.values()]:
            each.close()
        self._made.clear()
        self._layouts.clear()
        self._styles.clear()

    # models

    def _observe(self, made: Any, act: Act) -> None:
        guarded = self.guarded(act)

        def told(_: object) -> None:
            if self._quiet_in != threading.get_ident():
                guarded()

        made.observe(told, names="value")

    def _keep(self, kind: type[Any], **traits: Any) -> Any:
        if kind in self._styles:
            traits["style"] = self._styles[kind]
        made = kind(**traits)
        if hasattr(made, "style"):
            self._styles.setdefault(kind, made.style)
        _keep_in_order(made)
        made._nbreg_layout = traits["layout"]
        self._made.append(made)
        return made

    def _shown(self, widget: Any) -> Any:
        return widget._nbreg_layout

    def _layout(self, **wanted: str) -> Any:
        key = tuple(sorted(wanted.items()))
        if key not in self._layouts:
            self._layouts[key] = ipywidgets.Layout(**wanted)
        return self._layouts[key]


def _keep_in_order(widget: Any) -> None:
    """Take what a front end says to a widget where the front end sent it, as all of the panel's.

    A kernel with subshells answers each widget where that was spoken of last: in a cell for a line to
    type, beside the cells for a button that was renamed. While a cell runs, a press would overtake what
    was typed before it.
    """
    if widget.comm is not None:
        widget.comm._reply_subshell_for = None
