"""A run as the user holds it: what it logged, and while it goes on, the verbs that log.

All that writes is imported when it is first called: who only looks something up does not wait for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from nbreg.records import (
    Actor,
    CurvePoint,
    RunArtifact,
    RunKind,
    RunLink,
    RunRecord,
    RunVersion,
    plain,
    short_run,
)
from nbreg.registry.ground.desk import Desk
from nbreg.registry.ground.given import checked_kind, checked_params

if TYPE_CHECKING:
    from nbreg.registry.core import Registry
    from nbreg.registry.making.running import Meter
    from nbreg.registry.version import ModelVersion
    from nbreg.store.runlog import RunLog


class Run:
    """One execution of training.

    As a context manager it ends with the block: finished, or failed with the class of what was
    raised. Otherwise `end` ends it, or the end of the process. A run that is started while another
    goes on has that one as its `parent`. What it logged is read anew each time.
    """

    def __init__(
        self, registry: Registry, desk: Desk, link: RunLink, *, is_ambient: bool = False, note: str = ""
    ) -> None:
        self.registry = registry
        self.link = link
        """What versions keep of it."""
        self._desk = desk
        self._is_ambient = is_ambient
        self._stack = ExitStack()
        self._meter: tuple[RunLog, Meter] | None = None
        self._frozen: RunRecord | None = None
        self.note = note

    # what is known

    @property
    def id(self) -> str:
        """32 hex digits that begin with the time; 8 of them are enough where they are no other run's."""
        return self.link.id

    @property
    def record(self) -> RunRecord:
        """All that is known of it now, as one plain record."""
        from nbreg.registry.making import runrecords

        if self._frozen is not None:
            return self._frozen
        if self._is_ambient and not self._desk.folder.runs.is_there(self.id):
            return runrecords.not_begun(self._desk, self.link)
        return runrecords.record(self._desk, self.id)

    @property
    def name(self) -> str:
        """Its name."""
        return self.link.name

    @property
    def experiment(self) -> str:
        """The runs that it belongs to."""
        return self.link.experiment

    @property
    def kind(self) -> RunKind:
        """Whether it is a notebook's, a script's or a pipeline's."""
        return self.link.kind

    @property
    def parent(self) -> str:
        """The id of the run that it was started in, or empty."""
        return self.link.parent

    @property
    def state(self) -> str:
        """`running`, `finished`, `failed`, or `interrupted`: its process was killed."""
        return self.record.state

    @property
    def error(self) -> str:
        """The class of the exception that ended it."""
        return self.record.error

    @property
    def started_at(self) -> str:
        """When it began, UTC."""
        return self.link.started_at

    @property
    def ended_at(self) -> str:
        """When it ended; of an interrupted one, when it last wrote something."""
        return self.record.ended_at

    @property
    def actor(self) -> Actor:
        """Who ran it."""
        return self.record.actor

    @property
    def params(self) -> dict[str, Any]:
        """Its parameters."""
        return plain(self.record.params)  # type: ignore[no-any-return]  # a copy

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each metric."""
        return {name: float(value) for name, value in self.record.metrics.items()}

    @property
    def artifacts(self) -> dict[str, RunArtifact]:
        """What it logged, by name."""
        return {each.name: each for each in self.record.artifacts}

    @property
    def versions(self) -> list[RunVersion]:
        """The versions that were registered from it, oldest first."""
        return list(self.record.versions)

    def curve(self, metric: str, points: int = 1000) -> list[CurvePoint]:
        """A metric over its steps, in at most that many points.

        Where there are more values, neighbours become one point with the last, the least and the
        greatest of them. Takes as much memory as it has points, however long the run is. Values are
        floats, NaN and infinities included. Raises `BadInputError` for a metric that was never logged.
        """
        from nbreg.registry.making import runrecords

        return [each.numbers() for each in runrecords.curve(self._desk, self.id, metric, points)]

    # logging

    def log_params(self, params: Mapping[str, Any] | None) -> None:
        """Record parameters; what has no form in JSON is told in words, what looks like a secret withheld.

        Logging a name again replaces its value. Raises `RunEndedError` or `BadValueError`.
        """
        from nbreg.registry.making import running

        running.log_params(self._log(), params)

    def log_metric(self, name: str, value: float, step: int | None = None) -> None:
        """Record a value; without `step` it is the next one of that metric. NaN and infinities are allowed.

        It may be lost if the process is killed within a second. Raises `RunEndedError` or `BadValueError`.
        """
        self._metering().add({name: value}, step)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Record several values of one step; see `log_metric`."""
        self._metering().add(metrics, step)

    def log_model(
        self,
        model: object,
        name: str = "model",
        *,
        data: Mapping[str, object] | None = None,
        framework: str = "",
        allow_secrets: bool = False,
    ) -> RunArtifact:
        """Store a model, or with a `Path` its file, with all that is captured when one is registered.

        `register` makes a version of it later, in any process, without loading it. Logging the
        same name again replaces it. Raises `RunEndedError`, `CannotStoreError` or `SecretFoundError`.
        """
        return self._store(
            name, model, data=data, framework=framework, captured=True, allow_secrets=allow_secrets
        )

    def log_artifact(self, value: object, name: str = "", *, allow_secrets: bool = False) -> RunArtifact:
        """Store a file or folder (a `Path`), or an object; a file's name is its own unless one is given.

        Text is data, and no path. Raises what `log_model` does.
        """
        name = name or (value.name if isinstance(value, Path) else "")
        return self._store(name, value, data=None, framework="", captured=False, allow_secrets=allow_secrets)

    def add_note(self, note: str) -> None:
        """Say something of the run that is neither a parameter nor a metric."""
        from nbreg.registry.making import running

        running.note(self._log(), note)

    def _store(
        self,
        name: str,
        value: object,
        *,
        data: Mapping[str, object] | None,
        framework: str,
        captured: bool,
        allow_secrets: bool,
    ) -> RunArtifact:
        from nbreg.registry.making import logged
        from nbreg.registry.making.request import Request, objects

        checked_kind(framework, str, "a framework")
        objects(None, {checked_kind(name, str, "an artifact's name"): value})  # refuses what is no name
        request = Request.checked(self._desk, "run", run=self.link, allow_secrets=allow_secrets)
        return logged.store(
            self._desk,
            self._log(),
            request,
            name,
            value,
            data=data,
            framework=framework,
            captured=captured,
        )

    def register(
        self,
        model_name: str,
        model: object = None,
        *,
        artifacts: Mapping[str, object] | Sequence[str] | None = None,
        **options: Any,
    ) -> ModelVersion:
        """Register from this run: what it logged, or a live object; `artifacts` are names of what it logged.

        Without anything named it is the artifact `model`. The run's params and last metrics become
        the version's where none are given; a metric that is not finite stays with the run.
        Raises `UnknownArtifactError`, or what `Registry.register` does.
        """
        from nbreg.registry.making import running

        if model is None and artifacts is None:
            artifacts = ["model"]
        if model is not None:
            record = self.record
            finite = {key: value for key, value in self.metrics.items() if math.isfinite(value)}
            options = {"params": record.params or None, "metrics": finite or None} | options
        running.flush(self._desk, self.id)
        return self.registry.register(model_name, model, artifacts=artifacts, run=self, **options)

    def _log(self) -> RunLog:
        """The open file. Raises `RunEndedError` where this process does not run it."""
        from nbreg.registry.making import running

        return running.writer(self._desk, self.link, begin_it=self._is_ambient)

    def _metering(self) -> Meter:
        if self._meter is None or not self._meter[0].is_open:
            from nbreg.registry.making.running import Meter

            log = self._log()
            self._meter = log, Meter(log, monotonic)
        return self._meter[1]

    # the end

    def end(self, state: str = "finished", error: str = "") -> None:
        """End it: `finished`, or `failed`. Ending twice is harmless."""
        from nbreg.registry.making import running

        self._stack.close()
        running.end(self._desk, self.link, state, error)

    def __enter__(self) -> Self:
        from nbreg.capture.context import in_run

        self._log()
        self._stack.enter_context(in_run(self.link))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_failure = kind is not None and not (isinstance(error, SystemExit) and not error.code)
        self.end("failed" if is_failure else "finished", kind.__name__ if kind and is_failure else "")

    # showing

    def __repr__(self) -> str:
        record = self.record
        name = f" {record.name}" if record.name else ""
        return f"<Run {short_run(self.id)}{name} {record.state}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from nbreg.display import run_bundle

        return run_bundle(self.record, note=self.note)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)


class RunVerbs:
    """What a registry does with runs."""

    _desk: Desk

    def start_run(
        self,
        name: str = "",
        *,
        experiment: str = "",
        params: Mapping[str, Any] | None = None,
        kind: RunKind | None = None,
    ) -> Run:
        """Begin a run: `with registry.start_run() as run:`, or `run = …` and `run.end()`.

        What is registered before it ends is registered from it. It is ended by the process that
        began it, which alone writes to it.
        """
        from nbreg.registry.making import running

        return self._run(running.start(self._desk, name, experiment, params, kind))

    def current_run(self, *, own: bool = False) -> Run:
        """The run in progress: the one that was started, else that of this notebook or script.

        That one, which is meant by `own` in any case, has no file before something is logged to it,
        or registered from it.
        """
        from nbreg.capture.context import current_context, started_run
        from nbreg.registry.making import running

        started = None if own else started_run()
        link = started or current_context().run or running.new_link(self._desk)
        return Run(self, self._desk, link, is_ambient=started is None)  # type: ignore[arg-type]

    def start_own_run(
        self, name: str = "", *, experiment: str = "", params: Mapping[str, Any] | None = None
    ) -> Run:
        """End the run of this notebook or script, and begin another in its place: `%start_run`."""
        from nbreg.capture.context import current_context
        from nbreg.registry.making import running

        link = running.new_link(self._desk, name=name, experiment=experiment)
        checked_params(params)
        self.current_run(own=True).end()
        current_context().start_run(link)
        run = self.current_run(own=True)
        run._log()
        run.log_params(params or {})
        return run

    def runs(
        self,
        query: str | None = None,
        *,
        experiment: str | None = None,
        state: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        offset: int = 0,
        deleted: bool = False,
    ) -> list[Run]:
        """The runs, newest first; `sort` by a field, `metrics.NAME` or `params.NAME`, `-` for descending.

        `query` chooses as it does among versions: `metrics.auc > 0.9 and "churn" in models`.
        Raises `BadQueryError`.
        """
        from nbreg.registry.making import runlist, runrecords

        found = runlist.runs(
            self._desk,
            query=query,
            experiment=experiment,
            state=state,
            sort=sort,
            limit=limit,
            offset=offset,
            deleted=deleted,
        )
        return [self._run(runrecords.link_of(each)) for each in found]

    def run(self, run: str | RunLink | ModelVersion) -> Run:
        """A run by its id, 8 digits or more of it; or the run of a version.

        The run of a version is as the version locked it where its own file is gone. Raises
        `UnknownRunError`.
        """
        from nbreg.registry.making import runrecords

        link, frozen = runrecords.find(self._desk, run)
        found = self._run(link)
        found._frozen = frozen
        return found

    def delete_run(self, run: str, reason: str = "") -> Run:
        """Hide a run, restorably; `purge` removes it, and what it logged, after the retention time.

        Raises `VersionInUseError` where a version was registered from it.
        """
        from nbreg.registry.making import runrecords

        run_id = self._desk.folder.runs.resolve(run)
        return self._run(runrecords.link_of(runrecords.delete(self._desk, run_id, reason=reason)))

    def restore_run(self, run: str) -> Run:
        """Bring a deleted run back."""
        from nbreg.registry.making import runrecords

        run_id = self._desk.folder.runs.resolve(run)
        return self._run(runrecords.link_of(runrecords.restore(self._desk, run_id)))

    def _run(self, link: RunLink) -> Run:
        return Run(self, self._desk, link)  # type: ignore[arg-type]
