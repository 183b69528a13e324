"""nbreg: a model registry that lives in the notebook.

    import nbreg

    registry = nbreg.Registry()
    version = registry.register("churn", model, metrics={"auc": 0.91}, data={"train": X})
    registry.promote("churn@1.0.0", "production", reason="FirstRelease")
    model = registry.load("churn@production")

In a notebook: `%load_ext nbreg`, then `%register_model churn`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbreg.errors import NbregError as NbregError
    from nbreg.registry import Dataset as Dataset
    from nbreg.registry import ModelVersion as ModelVersion
    from nbreg.registry import Registry as Registry
    from nbreg.registry import Run as Run
    from nbreg.registry import route as route
    from nbreg.registry.stages.gatefunctions import GateContext as GateContext
    from nbreg.registry.stages.gatefunctions import gate as gate
    from nbreg.runs import Model as Model
    from nbreg.runs import current_run as current_run
    from nbreg.runs import pipeline as pipeline
    from nbreg.runs import start_run as start_run
    from nbreg.runs import step as step

__version__ = "0.1.0"

# Names are fetched when first asked for, so that `import nbreg` costs next to nothing.
_HOMES = {
    "Dataset": "nbreg.registry",
    "GateContext": "nbreg.registry.stages.gatefunctions",
    "Model": "nbreg.runs",
    "ModelVersion": "nbreg.registry",
    "NbregError": "nbreg.errors",
    "Registry": "nbreg.registry",
    "Run": "nbreg.registry",
    "current_run": "nbreg.runs",
    "gate": "nbreg.registry.stages.gatefunctions",
    "load": "nbreg.registry",
    "pipeline": "nbreg.runs",
    "register": "nbreg.registry",
    "route": "nbreg.registry",
    "start_run": "nbreg.runs",
    "step": "nbreg.runs",
}

__all__ = [
    "Dataset",
    "GateContext",
    "Model",
    "ModelVersion",
    "NbregError",
    "Registry",
    "Run",
    "current_run",
    "gate",
    "load",
    "pipeline",
    "register",
    "route",
    "start_run",
    "step",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext nbreg` calls."""
    from nbreg.kernel import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext nbreg` calls."""
    from nbreg.kernel import unload

    unload(shell)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """What a Jupyter Server asks for; nothing else imports the server's part."""
    from nbreg.server.app import NbregServer

    return [{"module": "nbreg.server.app", "app": NbregServer}]
