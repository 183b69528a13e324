"""Predicting with a version: it is loaded once for each process, looks at its input, and is stamped."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nbreg.capture.tabular import rows as rows_of
from nbreg.errors import BadInputError, InputMismatchError, NbregError, UnknownArtifactError
from nbreg.records import Signature
from nbreg.registry.ground.given import checked_consent
from nbreg.registry.serving import deciding
from nbreg.registry.serving.deciding import Stamp, Stamper
from nbreg.registry.serving.stamped import stamped
from nbreg.store.files import forgetful

if TYPE_CHECKING:
    from nbreg.capture.tabular.rows import Layout
    from nbreg.registry.version import ModelVersion

_MOST: Final = 8
"""Models that are kept loaded; a server that routes between more of them loads them again and again."""


class Ready:
    """A version that is ready to answer: its model, what it takes, and who writes down what it says."""

    def __init__(self, version: ModelVersion, model: object) -> None:
        self.model = model
        self.signature = _signature(version)
        self._use = _predict_of(version, model)

    def predict(self, rows: Any) -> Any:
        """What the model's own `predict` returns."""
        return self._use(rows)


def _predict_of(version: ModelVersion, model: object) -> Callable[[Any], Any]:
    from nbreg.families.describing.describe import predictor

    own = getattr(model, "predict", None)
    found = own if callable(own) else predictor(model)
    if found is None:
        raise BadInputError(
            f"{version.ref} is a {type(model).__qualname__}, which does not predict",
            hint="`v.load()` gives it",
        )
    return found


def _signature(version: ModelVersion) -> Signature | None:
    """What it takes; None where that was not captured."""
    try:
        found = version.signature
    except NbregError:
        return None
    return found if found.inputs else None


class _Loaded:
    """The models that this process keeps loaded; who wants one that another thread loads waits for it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: OrderedDict[tuple[Path, str, bool | None], Ready] = OrderedDict()
        self._turns: dict[tuple[Path, str, bool | None], threading.Lock] = {}
        forgetful.add(self)

    def forget_after_fork(self) -> None:
        """In a fork: another thread of the parent may have been loading."""
        self._guard = threading.Lock()
        self._turns = {}

    def get(self, version: ModelVersion, trust: bool | None) -> Ready:
        name = (version.registry.location, version.id, trust)
        with self._guard:
            found = self._kept.get(name)
            if found is not None:
                self._kept.move_to_end(name)
                return found
            turn = self._turns.setdefault(name, threading.Lock())
        with turn:
            found = self._kept.get(name)
            if found is None:
                found = Ready(version, version.load(trust=trust))
                self._keep(name, found)
        return found

    def _keep(self, name: tuple[Path, str, bool | None], ready: Ready) -> None:
        with self._guard:
            self._kept[name] = ready
            self._turns.pop(name, None)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)


_loaded = _Loaded()


def ready(version: ModelVersion, trust: bool | None = None) -> Ready:
    """A version, loaded: from this process's memory if it is there. Raises what `load` raises."""
    return _loaded.get(version, checked_consent(trust))


def predict(
    version: ModelVersion,
    stamper: Stamper,
    given: Any,
    *,
    request: str,
    how: Stamp,
    trust: bool | None,
) -> Any:
    """Answer, and write the answer down before it is given; see `ModelVersion.predict`."""
    from nbreg.capture.tabular import expected

    request = deciding.checked_request(request)
    model = ready(version, trust)
    rows = expected.matched(given, model.signature, stamper.ref)
    if how == "off":
        return _answer(model, rows, stamper.ref)
    layout = _layout(model.signature, rows)
    stamp = stamper.prepared(rows, layout, request=request, method="predict", how=how)
    answer = _answer(model, rows, stamper.ref)
    stamp()
    return answer


def _answer(model: Ready, rows: Any, ref: str) -> Any:
    """What the model says. An array that it cannot read for want of names is no fault of the model's."""
    from nbreg.capture.tabular import expected

    try:
        return model.predict(rows)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        if names := expected.names_lacking(rows, model.signature):
            raise InputMismatchError(
                f"{ref} tells its columns by name, and these rows have none",
                hint=f"its columns are {names}: give a frame or dictionaries",
            ) from error
        raise


def stamping(version: ModelVersion, stamper: Stamper, model: object, artifact: str) -> Any:
    """A loaded model whose answers are written down; see `Registry.load`."""
    if isinstance(model, Path):
        raise UnknownArtifactError(
            f"{artifact!r} of {version.ref} is a file, which decides nothing",
            hint="only a model can be loaded to be stamped",
        )
    settings = version.registry.settings
    how: Stamp = "required" if settings.stamp == "off" else settings.stamp  # it was asked for
    signature = _signature(version) if artifact == "model" else None

    def prepare(rows: object, method: str) -> Callable[[], None]:
        return stamper.prepared(rows, _layout(signature, rows), request="", method=method, how=how)

    return stamped(model, prepare)


def _layout(signature: Signature | None, rows: object) -> Callable[[], Layout]:
    return lambda: deciding.own_layout(rows) if signature is None else rows_of.layout_of(signature, rows)
