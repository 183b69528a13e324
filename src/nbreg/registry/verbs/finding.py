"""The verbs that find versions, and give what is in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from nbreg.records import DriftItem, Event, ModelRow
from nbreg.registry.ground import listing, reading
from nbreg.registry.ground.desk import aliases, brief
from nbreg.registry.verbs.base import Reference, Verbs
from nbreg.registry.version import ModelVersion


class FindVerbs(Verbs):
    """What a registry finds."""

    def get(self, ref: Reference) -> ModelVersion:
        """The version that a reference means now, or meant then: `churn@3`, `churn@production@2026-02-09`.

        Raises `BadReferenceError`, `UnknownModelError` or `UnknownVersionError`.
        """
        if isinstance(ref, ModelVersion) and ref.registry.location == self._desk.folder.path:
            return ref
        return self._version(reading.get(self._desk, self._text(ref)))

    def pin(self, ref: Reference) -> str:
        """The reference that never moves: `churn@sha256:…`, with all 64 digits.

        Raises what `get` does.
        """
        version = self.get(ref)
        return f"{version.model}@sha256:{version.id}"

    def load(
        self,
        ref: Reference,
        artifact: str = "model",
        *,
        trust: bool | None = None,
        on_drift: str = "show",
        device: str | None = None,
        stamp: bool = False,
    ) -> Any:
        """Load an artifact: an object, or for a file or folder the path of a private copy.

        Bytes are checked against their digests first. Then: what only makes plain values
        loads; anything that would run code loads if this user registered it, or decided to
        trust it, or says `trust=True`. What is loaded is what was checked, whoever can write
        to the folder; only the numbers of large arrays stay mapped copy-on-write, so never
        overwrite an object's file in place: a truncated one ends the process that reads it.
        `on_drift="error"` refuses where the running environment is too far from the recorded
        one; `"isolate"` gives what `isolated` does where what the model needs is another release
        here. A PyTorch module comes on the CPU, or on the `device`. Nothing in the registry changes.

        With `stamp`, what it answers from then on is written into the ledger of decisions, as
        `ModelVersion.predict` does it. `isinstance` holds for such a model, and a copy, a clone or a
        pickle of it is the model alone, which writes nothing down.

        Raises `TrustError`, `DriftError`, `NotPinnedError`, `UnknownArtifactError`, `CannotLoadError`
        or `DamagedObjectError`.
        """
        from nbreg.registry.opening import loading

        if stamp:
            return self._registry._stamping(ref, artifact, trust=trust, on_drift=on_drift, device=device)
        return loading.load(
            self._desk, self._text(ref), artifact, trust=trust, on_drift=on_drift, device=device
        )

    def variables(self, ref: Reference, *names: str) -> dict[str, Any]:
        """Recorded variables as the values they had, by name: all that have one, or those that are named.

        Tuples, sets, numpy's numbers, dates and the like come back as what they were; the keys of
        a plain dictionary stand in the order of the alphabet. Nothing but plain values is made,
        so nothing needs trust. What was only summarised (frames, arrays, long texts) or withheld
        has no value: among all it is left out, named it raises.

        Raises `UnknownVariableError` or `NotRestorableError`, which says why and what to do.
        """
        from nbreg.registry.opening import restoring

        return restoring.values(self.get(ref), names)

    def drift(self, ref: Reference) -> list[DriftItem]:
        """Where the running environment differs from the version's, worst first.

        `breaking` is another minor of Python, or a library that is missing; `major` a release that does
        not promise to be compatible (of scikit-learn and those at 0.x already another minor); `minor`
        the rest. Empty also where the environment was not captured, which the manifest says.
        """
        from nbreg.registry.opening import loading

        return loading.drift(self._desk, reading.get(self._desk, self._text(ref)))

    def models(self) -> list[ModelRow]:
        """Every model in brief, by name."""
        return self._desk.models()

    def model(self, name: str) -> ModelRow:
        """One model in brief: how many versions, the latest, who holds which stage.

        Raises `UnknownModelError`.
        """
        return brief(self._desk.model(name))

    def versions(
        self,
        model: str,
        query: str | None = None,
        *,
        sort: str | None = None,
        limit: int | None = None,
        offset: int = 0,
        deleted: bool = False,
    ) -> list[ModelVersion]:
        """A model's versions, newest first; with `sort`, by a field or `metrics.NAME`, `-` for descending.

        A `query` chooses some: `metrics.accuracy > 0.9 and stage == "staging"`. Raises
        `UnknownModelError`, `BadQueryError` or `BadInputError`.
        """
        found = listing.versions(
            self._desk, model, query=query, sort=sort, limit=limit, offset=offset, deleted=deleted
        )
        return [self._version(entry) for entry in found]

    def search(
        self, query: str, *, limit: int | None = None, offset: int = 0, deleted: bool = False
    ) -> list[ModelVersion]:
        """The versions of all models that a query chooses, by model, newest first in each.

        Raises `BadQueryError`, which shows where the query cannot be read.
        """
        found = listing.search(self._desk, query, limit=limit, offset=offset, deleted=deleted)
        return [self._version(entry) for entry in found]

    def events(
        self, model: str | None = None, *, since: str | datetime | None = None, limit: int | None = None
    ) -> list[Event]:
        """What happened, newest first; of one model, or of all, ordered by time, model and seq.

        `since` is a day (`2026-02-09`, from its beginning), a moment or a `datetime`, in UTC unless it
        says otherwise. Raises `UnknownModelError` or `BadReferenceError`.
        """
        return reading.events(self._desk, model, since=since, limit=limit)

    def aliases(self, model: str) -> dict[str, int]:
        """A model's aliases and the numbers of the versions they point to. Raises `UnknownModelError`."""
        return aliases(self._desk.model(model))
