"""The verbs about who decides, as `Registry` has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbreg.records import SplitRow
from nbreg.registry.ground.desk import Desk
from nbreg.registry.ground.given import checked_kind
from nbreg.settings import default_location

if TYPE_CHECKING:
    from nbreg.display import DecidedByView, DecisionsView
    from nbreg.registry.core import Registry
    from nbreg.registry.serving.routing import Router
    from nbreg.registry.version import ModelVersion


class DecisionVerbs:
    """Route traffic to versions, and find out which of them decided."""

    _desk: Desk
    _version: Callable[..., ModelVersion]
    _text: Callable[[Any], str]
    _routes: Router | None = None

    def route(
        self, model: str, weights: Mapping[Any, float] | None = None, *, key: str | int | bytes
    ) -> ModelVersion:
        """The version that answers for a key: always the same one, for as long as the split is the same.

        `weights` are shares by reference, `{"production": 0.9, "staging": 0.1}`, that add up to 1 (or
        100); without them it is the split that `set_split` recorded, which an operator can change
        while servers run. A key belongs to a *reference*: a customer of `staging` stays one when another
        version comes to be there. If weights change, a key moves from A to B only if B's weight grew
        against A's. `7`, `"7"` and `b"7"` are one key. A stage that nobody is in gives its share to
        the others.

        References mean what they mean now, looked up again when the model's journal has a new line.
        Weights that a process uses for the first time are recorded as an event, in a registry that
        can be written; no call after that writes anything.

        Raises `BadValueError`, `BadReferenceError` or `UnknownVersionError`.
        """
        return self._router().route(model, weights, key)

    def set_split(
        self, model: str, weights: Mapping[Any, float] | None, *, reason: str = "", message: str = ""
    ) -> SplitRow | None:
        """Record how a model's traffic is shared out, for every `route` without weights; None ends it.

        Setting what is set already writes nothing. Raises `BadValueError` or `UnknownVersionError`.
        """
        from nbreg.registry.serving import routing

        given = self._router().texts(weights)
        return routing.set_split(self._desk, model, given, reason=reason, message=message)

    def split(self, model: str) -> SplitRow | None:
        """How a model's traffic is shared out, as it was last recorded; None where it never was."""
        from nbreg.registry.serving import routing

        return routing.split(self._desk, model)

    def who_decided(
        self, rows: Any, model: str | None = None, *, since: str | datetime | None = None
    ) -> DecisionsView:
        """For each row, in order, the decisions on it: version, time, actor, request, stage held then.

        Rows are given as the model was asked about them: a frame, array, list of dictionaries, or one
        dictionary. Further columns do not matter where the version knows its own. A value has to be
        what it was: `float32` 0.1 is not 0.1, text "3" is not 3, a missing value is any missing value.

        What could not be searched is in the answer's `unread`.
        """
        from nbreg.registry.serving import deciding

        return deciding.who_decided(self._desk, rows, model=model, since=since)

    def decided_by(self, ref: str | ModelVersion, *, limit: int = 50) -> DecidedByView:
        """What a version decided: how many decisions since when, and its newest answers.

        The amount is of all that was ever written down, also of what `purge` took since. What it
        costs depends on the files that are being written, and not on what was decided before.
        An answer is listed by when, for whom and about how many rows: which rows, nobody can read
        from it, and `who_decided` finds one that is given.
        """
        from nbreg.registry.serving import decided

        return decided.decided_by(self._desk, self._text(ref), limit)

    def _router(self) -> Router:
        if self._routes is None:
            from nbreg.registry.serving.routing import Router

            self._routes = Router(self._desk, self._version, self._text)
        return self._routes

    def _stamping(self: Any, ref: Any, artifact: str, **options: Any) -> Any:
        from nbreg.registry.serving import deciding, predicting

        registry: Registry = self
        version = registry.get(ref)
        model = registry.load(ref, artifact, **options)
        stamper = deciding.Stamper(self._desk, version.model, version.row)
        return predicting.stamping(version, stamper, model, artifact)


def route(
    model: str,
    weights: Mapping[Any, float] | None = None,
    *,
    key: str | int | bytes,
    registry: Registry | None = None,
) -> ModelVersion:
    """The version that answers for a key, in the default registry if none is given; see `Registry.route`."""
    from nbreg.registry.core import Registry

    if registry is None:
        place = (default_location(), str(Path.cwd()))  # all that the default depends on
        registry = _opened.get(place)
        if registry is None:
            registry = _opened.setdefault(place, Registry())
    return checked_kind(registry, Registry, "the registry").route(model, weights, key=key)


_opened: dict[tuple[str | None, str], Registry] = {}
