"""The line that says how far a long registration or load is; at its end it says what was done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IPython.display import display

from nbreg.display import Note
from nbreg.progress import Step, watcher


@contextmanager
def progress_shown(shell: Any) -> Iterator[None]:
    """Inside, work of more than a second is shown below the cell."""
    token = watcher.set(_Notebook() if hasattr(shell, "kernel") else _terminal)
    try:
        yield
    finally:
        watcher.reset(token)


class _Notebook:
    """One output for each piece of work, replaced as it goes on: what is saved says how it ended."""

    def __init__(self) -> None:
        self._output: Any = None

    def __call__(self, step: Step) -> None:
        note = Note(str(step))
        if self._output is None:
            show: Any = display
            self._output = show(note, display_id=True)
        else:
            self._output.update(note)
        if step.state != "running":
            self._output = None


def _terminal(step: Step) -> None:
    """One line that is written over, and gone at the end."""
    if sys.stderr.isatty():
        text = str(step) if step.state == "running" else ""
        sys.stderr.write(f"\r{text[:78]:<78}\r" if not text else f"\r{text[:78]:<78}")
        sys.stderr.flush()
