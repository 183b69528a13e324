"""What a capture is taken from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from nbreg.records.manifest import Execution, Recipe, RunLink, RunState


class UsedData(NamedTuple):
    """Data that a model was trained on or asked about, as cells tell; it holds the user's object."""

    name: str
    """The name, or the expression over names, that was given."""
    role: str
    value: object
    """None where the name no longer holds what went in."""
    is_target: bool = False
    is_part: bool = False
    """Whether only something made of it went in."""
    since: str = ""
    """`changed` since then, or `unseen` where a change would not have been seen."""
    asked: bool = False
    """Whether the model was asked about its own training data."""


class ReadFile(NamedTuple):
    """A file that cells read, and what told it from another one then; None where that was not seen."""

    path: str
    stamp: tuple[int, int, int] | None = None


class SeenData(NamedTuple):
    """What executed cells tell of a model's data: live objects, for the moment of a registration."""

    sets: list[UsedData] = []
    files: list[ReadFile] = []


class Context(Protocol):
    """Where a registration happens; the kernel gives one, a script has its own."""

    kind: Literal["notebook", "script"]

    @property
    def moment(self) -> datetime:
        """What `{date}` and `{time}` mean here: the run's start, or the executed cell's."""
        ...

    @property
    def namespace(self) -> Mapping[str, object]:
        """The user's names, without the shell's own."""
        ...

    @property
    def executions(self) -> Iterable[Execution]:
        """What was executed so far, oldest first; the running cell is the last."""
        ...

    def recipe_for(self, *values: object) -> Recipe | None:
        """The executions that these objects depend on; None where nobody watched any."""
        ...

    def data_seen_by(self, model: object, *values: object) -> SeenData | None:
        """The model's data and the files read, by the recipe that was asked for last; None without one."""
        ...

    @property
    def folder(self) -> str:
        """The folder that the project is looked for from."""
        ...

    @property
    def notebook(self) -> str:
        """The notebook's path, or empty where it is not known."""
        ...

    @property
    def script(self) -> str:
        """The script's path, or empty."""
        ...

    @property
    def run(self) -> RunLink | None:
        """The run in progress."""
        ...

    @property
    def run_params(self) -> Mapping[str, object]:
        """The parameters that the notebook was given, such as papermill's."""
        ...

    def start_run(self, run: RunLink) -> None:
        """Make this the run from here on."""
        ...

    def outcome(self) -> tuple[RunState, str]:
        """How a run ends that the end of the process ends: the state, and the class of the error."""
        ...
