"""What a capture is taken from when it happens in a kernel."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from nbreg.kernel.hooks import Recorder
from nbreg.records import Execution, Recipe, RunLink, RunState, SeenData, new_run_id, timestamp


class KernelContext:
    """The kernel as `records.Context` describes it: read when asked, nothing kept.

    The run begins when nbreg is loaded and ends with the kernel.
    """

    kind: Literal["notebook", "script"] = "notebook"

    def __init__(self, shell: Any, recorder: Recorder) -> None:
        self._shell = shell
        self._recorder = recorder
        self.params: dict[str, object] = {}
        self._run = _new_run()

    @property
    def moment(self) -> datetime:
        """When the executing cell began: all names it gives agree on date and time."""
        return self._recorder.moment

    @property
    def namespace(self) -> Mapping[str, object]:
        """The user's names, without the shell's own and without private ones."""
        hidden = self._shell.user_ns_hidden
        missing = object()
        return {
            name: value
            for name, value in list(self._shell.user_ns.items())
            # `globals()[1] = …` is legal, if odd.
            if type(name) is str and not name.startswith("_") and hidden.get(name, missing) is not value
        }

    @property
    def executions(self) -> Iterable[Execution]:
        """What ran so far, oldest first; the running cell is the last."""
        return self._recorder.executions

    def recipe_for(self, *values: object) -> Recipe | None:
        """The executions that these objects depend on, as far as cells were watched."""
        return self._recorder.recipe_for(*values)

    def data_seen_by(self, model: object, *values: object) -> SeenData | None:
        """The data that the model saw, and the files that were read for these objects."""
        return self._recorder.data_seen_by(model, *values)

    @property
    def folder(self) -> str:
        """The notebook's folder where the notebook is known, else the working folder."""
        notebook = self.notebook
        if notebook and Path(notebook).is_absolute():
            return str(Path(notebook).parent)
        try:
            return str(Path.cwd())
        except OSError:
            return ""

    @property
    def notebook(self) -> str:
        """The notebook's path as VS Code or the Jupyter server tells it; empty rather than guessed."""
        told = self._shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME", "")
        return told if isinstance(told, str) and told.endswith(".ipynb") else ""

    @property
    def script(self) -> str:
        """A notebook has none."""
        return ""

    @property
    def run(self) -> RunLink | None:
        """The kernel's own run."""
        return self._run

    @property
    def run_params(self) -> Mapping[str, object]:
        """What the cell of parameters set, as it was read after that cell."""
        return self.params

    def start_run(self, run: RunLink) -> None:
        """The kernel's run from here on; the one before is the caller's to end."""
        self._run = run  # the notebook is still given what it was given

    def outcome(self) -> tuple[RunState, str]:
        """A kernel that ends after a cell that failed (papermill stops there) ends a failed run.

        Where a person types, a line that was refused is no end: it did nothing, and is typed again.
        """
        done = self._recorder.ended
        if self._somebody_types:
            done = (each for each in done if not each.refused)
        last = next(iter(done), None)
        error = last.execution.error if last is not None else ""
        return ("failed", error) if error else ("finished", "")

    @property
    def _somebody_types(self) -> bool:
        """Whether the front end could ask its user something: one that executes a notebook could not."""
        kernel = getattr(self._shell, "kernel", None)
        if kernel is not None:
            return bool(getattr(kernel, "_allow_stdin", False))
        with suppress(AttributeError, ValueError):  # there is none, or it was closed
            return sys.stdin.isatty()
        return False


def _new_run() -> RunLink:
    """The kernel's run; a job gives it its id and the notebook's name, for this kernel alone."""
    given, _, name = os.environ.pop("NBREG_RUN", "").partition(":")
    run_id = given if re.fullmatch(r"[0-9a-f]{32}", given) else new_run_id()
    return RunLink(
        id=run_id,
        name=name if run_id == given else "",
        kind="notebook",
        started_at=timestamp(datetime.now(UTC)),
    )
