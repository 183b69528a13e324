"""Training as people write it: runs, handles of models, steps and pipelines.

with nbreg.start_run("logreg", experiment="churn", params={"C": 0.5}) as run:
    run.log_metric("loss", 0.31, step=1)
    run.log_model(clf)
    version = run.register("churn")
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbreg.registry import Registry, Run
from nbreg.registry.ground.given import checked_kind
from nbreg.runs.handles import Model
from nbreg.runs.steps import pipeline, step

__all__ = ["Model", "current_run", "pipeline", "start_run", "step"]


def start_run(
    name: str = "",
    *,
    experiment: str = "",
    params: Mapping[str, Any] | None = None,
    registry: Registry | None = None,
) -> Run:
    """Begin a run, in the default registry unless one is given; see `Registry.start_run`."""
    return _opened(registry).start_run(name, experiment=experiment, params=params)


def current_run(registry: Registry | None = None) -> Run:
    """The run in progress: the one that was started, else that of this notebook or script."""
    return _opened(registry).current_run()


def _opened(given: Registry | None) -> Registry:
    return Registry() if given is None else checked_kind(given, Registry, "the registry")
