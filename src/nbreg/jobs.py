"""A notebook run as a job: a fresh kernel, its parameters, and what it registered and promoted.

The notebook decides, by its own cells and by the gates of the registry; the job says whether it
got to its end. A cell that fails, a promotion that is refused among them, ends it.
"""

from __future__ import annotations

import ast
import json
import math
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from nbreg.errors import BadInputError, CannotLoadError, ConflictError, NbregError, did_you_mean
from nbreg.records import DataDrift, Event, new_run_id
from nbreg.registry import Registry

_PARAMETERS: Final = "parameters"
_INJECTED: Final = "injected-parameters"
_KINDS: Final = ("registered", "registered-again", "promoted", "retired", "rolled-back")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """How it went."""

    notebook: str
    run: str
    """The id of the run that the kernel was."""
    ok: bool
    cell: int = 0
    """The number of the notebook's code cell that failed, from 1 on."""
    error: str = ""
    output: str = ""
    """Where the executed notebook is."""
    events: list[Event] = []
    """What it registered and moved, in that order."""
    data_drift: DataDrift | None = None
    """How live data differs, where it was to run only if that has drifted; `run` is empty if it has not."""


def run(
    notebook: str | os.PathLike[str],
    parameters: Mapping[str, Any] | None = None,
    *,
    registry: Registry | None = None,
    output: str | os.PathLike[str] | None = None,
    cell_seconds: float | None = None,
    when_drifted: tuple[str, Any] | None = None,
) -> Job:
    """Execute a notebook in a fresh kernel, in its own folder, with `NBREG_REGISTRY` set.

    nbreg is loaded in it, and its run has the notebook's name. `parameters` are set in a cell
    below the one that is tagged `parameters`, and must be named there. The notebook itself
    stays as it is; `output` is the executed one, also where a cell failed. With a reference and live
    rows as `when_drifted` it is executed only where these have drifted from what that version was
    trained on (`Registry.data_drift`).

    Raises `BadInputError` for a notebook or parameter that cannot be meant, and where nobody can
    say whether the data has drifted; a cell that fails is no error here but what the job tells.
    """
    path = Path(notebook).expanduser().absolute()
    target = None if output is None else Path(output).expanduser().absolute()
    document = _read(path)
    if target is not None:
        _refuse_target(path, target)
    _set(document, dict(parameters or {}))
    registry = registry or Registry()
    drift = None if when_drifted is None else _drift(registry, *when_drifted)
    if drift is not None and drift.verdict != "drifted":
        return Job(notebook=str(path), run="", ok=True, data_drift=drift)
    run_id, started = new_run_id(), datetime.now(UTC)
    environment = {
        **os.environ,
        "NBREG_REGISTRY": str(registry.location),
        "NBREG_RUN": f"{run_id}:{path.stem}",
        "JPY_SESSION_NAME": str(path),
    }
    cell, error = _execute(document, path.parent, environment, cell_seconds)
    if target is not None:
        _write(document, target)
    return Job(
        notebook=str(path),
        run=run_id,
        ok=not error,
        cell=cell,
        error=error,
        output=str(target or ""),
        events=list(_events(registry, run_id, started)),
        data_drift=drift,
    )


def _drift(registry: Registry, ref: str, rows: Any) -> DataDrift:
    """Whether the data has drifted. A job that cannot say so must not look as if all were well."""
    found = registry.data_drift(ref, rows)
    if found.verdict == "unknown":
        raise BadInputError(
            f"whether the data of {found.ref} has drifted cannot be said"
            + (f": {found.why}" if found.why else ""),
            hint=f"`nbreg data-drift {ref} …` tells of each column",
        )
    return found


def parameter(text: str) -> Any:
    """A parameter as it is typed: a number, `true`, `null`, a list, or else text."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


# the notebook


def _read(path: Path) -> Any:
    nbformat = _nbformat()
    if path.suffix != ".ipynb":
        raise BadInputError(f"{path.name} is no notebook", hint="a file that ends with .ipynb")
    try:
        document = nbformat.read(path, as_version=4)
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # many kinds, for the many ways of being no notebook
        raise BadInputError(f"{path.name} is no notebook: {type(error).__name__}") from error
    return document


def _nbformat() -> Any:
    try:
        import nbformat
    except ImportError as error:
        raise _missing("nbformat") from error
    return nbformat


def _nbclient() -> Any:
    try:
        import nbclient
    except ImportError as error:
        raise _missing("nbclient") from error
    return nbclient


def _missing(name: str) -> CannotLoadError:
    return CannotLoadError(
        f"running notebooks needs {name}, which is not here", hint="pip install nbclient ipykernel"
    )


def _refuse_target(path: Path, target: Path) -> None:
    if target == path or (target.exists() and target.samefile(path)):
        raise BadInputError("the executed notebook would replace the notebook", hint="another file")
    if not target.parent.is_dir():
        raise BadInputError(f"there is no folder {target.parent}")
    if target.is_dir():
        raise ConflictError(f"{target} is a folder", hint="name a file")


def _write(document: Any, target: Path) -> None:
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_text(_nbformat().writes(document), encoding="utf-8")
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConflictError(f"{target} cannot be written: {error.strerror or error}") from error


def _set(document: Any, parameters: dict[str, Any]) -> None:
    """Put a cell that sets the parameters below the one that gives their defaults."""
    document.cells = [cell for cell in document.cells if _INJECTED not in _tags(cell)]
    if not parameters:
        return
    at = next((i for i, cell in enumerate(document.cells) if _PARAMETERS in _tags(cell)), None)
    if at is None:
        raise BadInputError(
            "the notebook has no cell for parameters", hint=f"tag the one with the defaults {_PARAMETERS!r}"
        )
    known = _assigned(document.cells[at].source)
    for name in parameters:
        if name not in known:
            raise BadInputError(
                f"the notebook has no parameter {name[:60]!r}", hint=did_you_mean(name, known)
            )
    lines = [f"{name} = {_literal(name, value)}" for name, value in parameters.items()]
    cell = _nbformat().v4.new_code_cell("\n".join(["# Parameters", *lines]), metadata={"tags": [_INJECTED]})
    document.cells.insert(at + 1, cell)


def _tags(cell: Any) -> list[str]:
    tags = cell.metadata.get("tags")
    return tags if isinstance(tags, list) and cell.cell_type == "code" else []


def _assigned(source: str) -> list[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise BadInputError(f"the cell of parameters cannot be read: {error.msg}") from error
    names = [each for node in tree.body for each in _targets(node)]
    return list(dict.fromkeys(names))


def _targets(node: ast.stmt) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        for each in ast.walk(target) if isinstance(target, ast.expr) else ():
            if isinstance(each, ast.Name):
                yield each.id


def _literal(name: str, value: Any) -> str:
    """The value as Python spells it."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    text = repr(value)
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise BadInputError(
            f"the parameter {name} is a {type(value).__name__}", hint="numbers, texts, lists, dictionaries"
        ) from None
    return text


# the kernel


def _execute(
    document: Any, folder: Path, environment: dict[str, str], cell_seconds: float | None
) -> tuple[int, str]:
    """Run all cells; gives the number of the code cell that failed, and how."""
    nbclient = _nbclient()
    exceptions = nbclient.exceptions
    ran: list[int] = []
    client = nbclient.NotebookClient(
        document,
        timeout=cell_seconds,
        resources={"metadata": {"path": str(folder)}},
        # The kernel is on this machine: what it logs of its transport is no news of the notebook.
        extra_arguments=["--IPKernelApp.extra_extensions=nbreg", "--IPKernelApp.log_level=ERROR"],
        on_cell_execute=lambda cell, cell_index: ran.append(cell_index),
    )
    try:
        client.execute(env=environment)
    except exceptions.CellExecutionError as error:
        return _number(document, ran), f"{error.ename}: {error.evalue}"
    except exceptions.CellTimeoutError:
        return _number(document, ran), f"it took longer than {cell_seconds:g} s"
    except exceptions.DeadKernelError:
        return _number(document, ran), "the kernel died"
    except AssertionError:
        # At SIGINT and SIGTERM nbclient ends the kernel itself, and then does not find it.
        if client.km is not None:
            raise
        return _number(document, ran), "it was interrupted"
    except Exception as error:  # no kernel of that name, none that starts
        if not ran:
            raise CannotLoadError(
                f"no kernel could be started: {type(error).__name__}: {error}",
                hint="pip install ipykernel, or choose another kernel in the notebook",
            ) from error
        raise
    return 0, ""


def _number(document: Any, ran: list[int]) -> int:
    """Which of the notebook's own code cells it was, as people count: the one of `_set` is none of them."""
    begun = document.cells[: ran[-1] + 1] if ran else []
    return sum(1 for cell in begun if cell.cell_type == "code" and _INJECTED not in _tags(cell))


def _events(registry: Registry, run_id: str, started: datetime) -> Iterator[Event]:
    """What the run registered and moved, oldest first; what others did meanwhile is not among it."""
    for event in reversed(registry.events(since=started)):
        if event.kind in _KINDS and run_id in (event.facts.get("run"), _run_of(registry, event)):
            yield event


def _run_of(registry: Registry, event: Event) -> str:
    """The run that registered a version; other events name their run themselves."""
    if event.kind != "registered" or event.number is None:
        return ""
    try:
        return registry.get(f"{event.model}@{event.number}").row.run
    except NbregError:  # it was deleted meanwhile
        return ""
