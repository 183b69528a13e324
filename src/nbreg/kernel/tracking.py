"""Feeds the shell's cells to `capture.recipe`, and answers for them when a model is registered."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any, Final

from nbreg.capture.recipe import Pending, Ran, Trace, Tracker, from_text, recipe_for
from nbreg.records import Recipe

log = logging.getLogger("nbreg")

_NUMBERED: Final = re.compile(r"_i?\d+")
_LAST_OUTPUTS: Final = frozenset(["_", "__", "___"])


class Tracking:
    """One shell's evidence. Nothing raised in here reaches the user's cell; the evidence is then the text."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.tracker = Tracker(self._is_hidden)
        self.deleted: set[str] = set()
        """Ids of cells that the front end says are gone."""

    def _is_hidden(self, name: str) -> bool:
        """The shell's own names, but for the last outputs, which cells may read."""
        if name in _LAST_OUTPUTS:
            return False
        hidden, missing = self._shell.user_ns_hidden, object()
        return bool(_NUMBERED.fullmatch(name)) or hidden.get(name, missing) is self._shell.user_ns.get(name)

    def before(self, info: Any) -> Pending | None:
        """A cell begins."""
        try:
            meta = getattr(info, "cell_meta", None) or {}
            self.deleted |= {each for each in meta.get("deletedCells", ()) if isinstance(each, str)}
            return self.tracker.before(self._shell.user_ns, self._python(info.raw_cell))
        except Exception:
            log.debug("a cell is not tracked", exc_info=True)
            self.tracker.forget()
            return None

    def after(self, pending: Pending | None, source: str, result: Any) -> Trace:
        """It has ended; `result` is IPython's."""
        if pending is None:
            return self.told(source)
        try:
            return self.tracker.after(
                pending,
                self._shell.user_ns,
                failed=not result.success,
                displayed=result.result is not None,
            )
        except Exception:
            log.debug("a cell's effects are not known", exc_info=True)
            self.tracker.forget()
            return self.told(source)

    def so_far(self, pending: Pending | None, source: str) -> Trace:
        """What a cell that still runs has done by now."""
        if pending is None:
            return self.told(source)
        return self.tracker.after(pending, self._shell.user_ns, failed=True, final=False)

    def told(self, source: str) -> Trace:
        """What the text of a cell tells that nobody saw run."""
        names = [name for name in list(self._shell.user_ns) if not self._is_hidden(name)]
        return from_text(self._python(source), names, self._shell.user_ns)

    def _python(self, source: str) -> str:
        try:
            transformed: str = self._shell.transform_cell(source)
        except Exception:
            return source  # it will not run either
        return transformed

    def recipe(self, values: Sequence[object], history: Sequence[Ran], *, running: bool) -> Recipe:
        """The recipe of these objects."""
        return recipe_for(
            values, history, self.tracker, self._shell.user_ns, running=running, deleted=self.deleted
        )
