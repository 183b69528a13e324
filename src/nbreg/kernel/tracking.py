"""Feeds the shell's cells to `capture.recipe`, and answers for them when a model is registered."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from nbreg.capture.recipe import (
    Document,
    Pending,
    Ran,
    Slice,
    Trace,
    Tracker,
    data_seen_by,
    from_text,
    recipe_of,
    sliced,
)
from nbreg.records import Recipe, SeenData

log = logging.getLogger("nbreg")

MOST_TRANSFORMED: Final = 200
"""Cells whose text as IPython transforms it is remembered."""

_NUMBERED: Final = re.compile(r"_i?\d+")
_LAST_OUTPUTS: Final = frozenset(["_", "__", "___"])


class Tracking:
    """One shell's evidence. Nothing raised in here reaches the user's cell; the evidence is then the text."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._classified: set[str] = set()
        self._never: set[object] = set()
        self.tracker = Tracker(self.visible)
        self.deleted: set[str] = set()
        """Ids of cells that the front end says are gone."""
        self._last: tuple[tuple[int, ...], Sequence[Ran], Slice] = (), (), Slice()
        self._transformed: dict[str, str] = {}

    def visible(self, namespace: Mapping[str, object]) -> dict[str, object]:
        """The names without the shell's own, but for the last outputs, which cells may read.

        Every cell has IPython bind some more, so each name is looked at once, and then remembered.
        """
        hidden, never = self._shell.user_ns_hidden, self._never
        items = list(namespace.items())
        for name in namespace.keys() - self._classified:
            self._classified.add(name)
            # `globals()[1] = …` is legal, if odd.
            if type(name) is not str or _NUMBERED.fullmatch(name):
                never.add(name)
        return {
            name: value
            for name, value in items
            if name not in never
            and (name not in hidden or hidden[name] is not value or name in _LAST_OUTPUTS)
        }

    def before(self, info: Any) -> Pending | None:
        """A cell begins."""
        try:
            meta = getattr(info, "cell_meta", None) or {}
            self.deleted |= {each for each in meta.get("deletedCells", ()) if isinstance(each, str)}
            # Newer versions of IPython tell how they transformed the cell.
            source = getattr(info, "transformed_cell", None)
            source = source if type(source) is str else self._to_python(info.raw_cell)
            return self.tracker.before(self._shell.user_ns, source)
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
        return from_text(self._python(source), self.visible(self._shell.user_ns), self._shell.user_ns)

    def _python(self, source: str) -> str:
        try:
            transformed: str = self._shell.transform_cell(source)
        except Exception:
            return source  # it will not run either
        return transformed

    def recipe(
        self,
        values: Sequence[object],
        history: Sequence[Ran],
        *,
        running: bool,
        document: Document | None = None,
    ) -> Recipe:
        """The recipe of these objects; `document` is what the front end shows, if it told that."""
        found = sliced(values, history, self.tracker, self._shell.user_ns, running=running)
        self._last = tuple(map(id, values)), history, found
        return recipe_of(history, found, deleted=self.deleted, document=document)

    def data_seen(self, model: object, values: Sequence[object], *, running: bool) -> SeenData | None:
        """The data that the model saw and the files that were read, of the recipe that was asked for last.

        None where it was asked for other objects.
        """
        ids, history, found = self._last
        self._last = (), (), Slice()
        if ids != tuple(map(id, values)) or not history:
            return None
        names = self._shell.user_ns
        return data_seen_by(model, history, found, self.tracker, names, self._to_python, running=running)

    def _to_python(self, source: str) -> str:
        """A cell that ran is transformed once for all registrations."""
        if source not in self._transformed:
            if len(self._transformed) >= MOST_TRANSFORMED:
                self._transformed.clear()
            self._transformed[source] = self._python(source)
        return self._transformed[source]
