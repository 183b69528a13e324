"""Panels: what a person clicks in a notebook, over the same verbs as everything else.

    nbreg.panels.History("churn")             timeline, metric plot, comparison, stage controls
    nbreg.panels.Stages("churn@1.1.0")        where a version may go from here
    nbreg.panels.Version("churn@1.1.0")       all that was captured of it; load and export
    nbreg.panels.Lineage("churn")             from data to deployments, as a picture
    nbreg.panels.Drift("churn@1.1.0")         what is different here, and what brings it back
    nbreg.panels.Drafts()                     what was trained and not registered

A panel is two things. What it shows is read from the registry and rendered by `display/`: that is
its *twin*, static HTML and text, which a saved notebook keeps. Only where somebody looks on who can
click is a *view* of widgets made over it, and only then ipywidgets imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbreg.panels.drafts import Drafts as Drafts
    from nbreg.panels.drift import Drift as Drift
    from nbreg.panels.front import offer as offer
    from nbreg.panels.history import History as History
    from nbreg.panels.lineage import Lineage as Lineage
    from nbreg.panels.stages import Stages as Stages
    from nbreg.panels.version import Version as Version

_HOMES = {
    "Drafts": "nbreg.panels.drafts",
    "Drift": "nbreg.panels.drift",
    "History": "nbreg.panels.history",
    "Lineage": "nbreg.panels.lineage",
    "Stages": "nbreg.panels.stages",
    "Version": "nbreg.panels.version",
    "offer": "nbreg.panels.front",
}

__all__ = ["Drafts", "Drift", "History", "Lineage", "Stages", "Version", "offer"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
