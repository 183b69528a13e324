"""The registry: one object, one method for each verb.

The verbs that need all of capture are imported when they are first called: who only looks
something up does not wait for them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbreg.access import Person
from nbreg.errors import BadInputError, BadReferenceError, call
from nbreg.names import Bump
from nbreg.records import (
    Actor,
    Diff,
    DriftItem,
    Event,
    Evidence,
    Lifecycle,
    ModelRow,
    Move,
    PurgeReport,
    RunLink,
    Usage,
    VerifyReport,
)
from nbreg.registry import (
    drafting,
    gating,
    keeping,
    listing,
    location,
    moving,
    proofs,
    reading,
)
from nbreg.registry.datasets import Dataset
from nbreg.registry.decisions import DecisionVerbs
from nbreg.registry.defining import DefineVerbs
from nbreg.registry.desk import Desk, Entry, aliases, brief
from nbreg.registry.drafting import Draft
from nbreg.registry.drifting import DriftVerbs
from nbreg.registry.given import checked_kind, checked_path
from nbreg.registry.governing import GovernVerbs
from nbreg.registry.history import HistoryVerbs
from nbreg.registry.isolation import IsolationVerbs
from nbreg.registry.lineage import LineageVerbs
from nbreg.registry.run import Run, RunVerbs
from nbreg.registry.version import ModelVersion
from nbreg.registry.watching import WatchVerbs
from nbreg.settings import Settings
from nbreg.store.files import note_own
from nbreg.store.folder import Folder
from nbreg.store.verified import cache_folder
from nbreg.trust import config_folder

if TYPE_CHECKING:
    from nbreg.registry.previewing import Preview
    from nbreg.registry.verifying import Expected

Reference = str | ModelVersion


class Registry(
    DefineVerbs,
    RunVerbs,
    GovernVerbs,
    DecisionVerbs,
    DriftVerbs,
    HistoryVerbs,
    IsolationVerbs,
    LineageVerbs,
    WatchVerbs,
):
    """A folder of models and their versions.

    Opening one makes no file: the folder is created by the first write. Without a location it
    is `$NBREG_REGISTRY`, else the nearest `.nbreg` upward from the working directory, else
    `.nbreg` in the project's root; in a kernel it is first of all what `%use_registry` or
    `Nbreg.registry` chose there, so that code and magics mean one. An object may be shared by
    threads and survives a fork; any number of processes may use the same folder.

    `clock` and `actor` replace the time and the user, for tests and for services that act for
    someone else.
    """

    def __init__(
        self,
        location: str | Path | None = None,
        *,
        settings: Settings | None = None,
        clock: Callable[[], datetime] | None = None,
        actor: Actor | None = None,
    ) -> None:
        settings = Settings() if settings is None else checked_kind(settings, Settings, "settings")
        if actor is not None:
            checked_kind(actor, Actor, "the actor")
        if not (clock is None or callable(clock)):
            raise BadInputError(f"a clock is called for the time, and {type(clock).__name__} cannot be")
        self._desk: Desk = Desk(Folder(find_location(location), settings, clock), settings, actor)
        note_own(self._desk.folder.path, cache_folder(), config_folder())

    def __repr__(self) -> str:
        return f"<Registry {self.location}>"

    def close(self) -> None:
        """Let go of all open files; using the registry again opens them again.

        What this process decided is sealed, as at its end.
        """
        self._desk.folder.close_ledger(self.actor)
        self._desk.folder.close()

    # what it is

    @property
    def location(self) -> Path:
        """The registry's folder, which may not be there yet."""
        return self._desk.folder.path

    @property
    def settings(self) -> Settings:
        """What this process decided for itself."""
        return self._desk.settings

    @property
    def id(self) -> str:
        """The registry's own id; empty until the first write has made it."""
        return self._desk.id

    @property
    def lifecycle(self) -> Lifecycle:
        """The stages of this registry and the rules between them."""
        return self._desk.lifecycle

    @property
    def stages(self) -> list[str]:
        """The stages, from the lowest to the last."""
        return self.lifecycle.stages

    @property
    def actor(self) -> Actor:
        """Who acts through this object."""
        return self._desk.actor

    def acting_as(self, actor: Actor, person: Person | None = None) -> Registry:
        """The same registry for somebody else, for services; what it has read of it, both have.

        With `person` it holds them to what the models' owners said: what is not theirs to see is not
        there, and what they may not do raises `NotPermittedError`. Without, everything is allowed.
        """
        checked_kind(actor, Actor, "the actor")
        if person is not None:
            checked_kind(person, Person, "the person")
        other = copy(self)
        other._desk = self._desk.of(actor, person)
        return other

    # register

    def register(
        self,
        model_name: str,
        model: object = None,
        *,
        version: str | None = None,
        bump: Bump | None = None,
        stage: str | None = None,
        description: str = "",
        tags: Iterable[str] = (),
        metrics: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        content: Mapping[str, Any] | None = None,
        artifacts: Mapping[str, object] | Sequence[str] | None = None,
        data: Mapping[str, object] | Dataset | Sequence[Dataset] | None = None,
        run: Run | RunLink | str | None = None,
        parent: Reference | None = None,
        substitutions: Mapping[str, str] | None = None,
        base: Reference | None = None,
        new: bool = False,
        force: bool = False,
        reason: str = "",
        message: str = "",
        allow_secrets: bool = False,
        git_tag: bool | str = False,
        allow_dirty: bool = False,
    ) -> ModelVersion:
        """Make an immutable version out of a live object and all that was captured with it.

        Any Python object will do; a `pathlib.Path` is stored as the file or folder it names,
        a `Draft` as it was trained, a string as data, but for `runs:/ID/NAME`: that is what a run
        logged, and `artifacts` may then be names of what it logged; nothing of it is loaded. Equal
        content (artifacts by
        value, params, metrics, content, data, parent) returns the version that is there already,
        whose `existing` is then true; `new` makes another one. A taken `version` is an error;
        `force` takes the name over from its holder, which keeps number and bytes, and needs a
        `reason`. `metrics` are finite numbers, numpy's included. With a `stage` that has gates, it
        is registered first, and then promoted as `promote` does: if it does not pass, it is there
        without that stage, and the error says so.
        `git_tag` makes an annotated tag of the
        commit, `MODEL-vNAME` or as it says; it is refused beforehand where tracked files are changed
        (unless `allow_dirty`) or the tag is there. A tag that git refuses afterwards is told on the
        version, which stays.

        Raises `BadInputError`, `NameTakenError`, `CannotStoreError`, `SecretFoundError`,
        `StoreError`; then nothing is changed.
        """
        from nbreg.registry import logged, registering, tagging
        from nbreg.registry.request import Request, linked, objects

        request = Request.checked(
            self._desk,
            model_name,
            version=version,
            bump=bump,
            stage=stage,
            description=description,
            tags=tags,
            metrics=metrics,
            params=params,
            content=content,
            parent=None if parent is None else self._text(parent),
            base=None if base is None else self._text(base),
            substitutions=substitutions,
            run=run,
            new=new,
            force=force,
            reason=reason,
            message=message,
            allow_secrets=allow_secrets,
        )
        tag = tagging.asked(self._desk, git_tag, request.model, request.version, allow_dirty=allow_dirty)
        if isinstance(model, Draft):
            if artifacts or data:
                raise BadInputError("a draft is registered as it was kept", hint="without artifacts and data")
            entry = drafting.register(self._desk, request, model)
            model.remove()
        elif logged.is_source(model, artifacts):
            entry = logged.register(self._desk, *logged.source(self._desk, request, model, artifacts, data))
        else:
            named = request.with_datasets(data)
            entry = registering.register(self._desk, named, objects(model, artifacts), linked(data))
        made = self._version(tagging.tag(self._desk, entry, tag) if tag else entry)
        drafting.settle(self._desk, made)
        if entry.waits_for:
            wish = self._wish(reason=request.reason, message=request.message)
            moving.promote_registered(self._desk, entry, wish)
        return made

    def drafts(self) -> list[Draft]:
        """Models that notebooks of this project trained and nobody registered, newest first.

        Each is what `register` takes in place of a model: the version then has the bytes,
        parameters, environment and recipe that the draft was kept with.
        """
        return drafting.drafts(self._desk)

    def draft(self, number: int) -> Draft:
        """The draft of that number. Raises `UnknownDraftError`."""
        return drafting.draft(self._desk, number)

    def check(self, model_name: str, **options: Any) -> None:
        """Find out all that `register` would refuse before there is a model: names, stage, lock, space.

        Takes `register`'s options; of `artifacts` and `data` nothing can be known yet. Raises
        what `register` would.
        """
        from nbreg.registry import registering, tagging
        from nbreg.registry.request import Request

        later = ("artifacts", "data", "git_tag", "allow_dirty")
        known = {name: value for name, value in options.items() if name not in later}
        request = Request.checked(self._desk, model_name, **self._texts(known))
        registering.check(self._desk, request)
        asked = options.get("git_tag", False), bool(options.get("allow_dirty"))
        tagging.asked(self._desk, asked[0], request.model, request.version, allow_dirty=asked[1])

    def preview(self, model_name: str, model: object = None, **options: Any) -> Preview:
        """What `register` would write, with all that it would capture; nothing is written.

        It is the manifest, and shows itself: artifacts with their sizes, data, cells, and each
        variable with its value, or why that is withheld.
        """
        from nbreg.registry import logged, registering
        from nbreg.registry.request import Request, linked, objects

        artifacts, data = options.pop("artifacts", None), options.pop("data", None)
        request = Request.checked(self._desk, model_name, **self._texts(options))
        if logged.is_source(model, artifacts):
            return logged.preview(self._desk, *logged.source(self._desk, request, model, artifacts, data))
        named = request.with_datasets(data)
        return registering.preview(self._desk, named, objects(model, artifacts), linked(data))

    def diff(self, a: object, b: Reference | None = None, **options: Any) -> Diff:
        """What differs from `b` to `a`: two versions, or a live object against a version.

        Text and a `ModelVersion` are references; anything else is a live object, looked at as
        `register` would (with its options), and nothing is written: the result tells the name
        it would get, and why. Without `b` it is the model's production, else its latest.
        `everything` lists what is the same, too; `called` names a live object in the result.

        Raises `BadReferenceError`, `UnknownVersionError`, or what `register` would.
        """
        from nbreg.registry import diffing

        return diffing.diff(self._desk, self._text, a, b, **self._texts(options))

    # read

    def get(self, ref: Reference) -> ModelVersion:
        """The version that a reference means now, or meant then: `churn@3`, `churn@production@2026-02-09`.

        Raises `BadReferenceError`, `UnknownModelError` or `UnknownVersionError`.
        """
        if isinstance(ref, ModelVersion) and ref.registry.location == self.location:
            return ref
        return self._version(reading.get(self._desk, self._text(ref)))

    def pin(self, ref: Reference) -> str:
        """The reference that never moves: `churn@sha256:…`, with all 64 digits."""
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

        Raises `TrustError`, `DriftError`, `NotPinnedError`, `UnknownArtifactError` or
        `DamagedObjectError`.
        """
        from nbreg.registry import loading

        if stamp:
            return self._stamping(ref, artifact, trust=trust, on_drift=on_drift, device=device)
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
        from nbreg.registry import restoring

        return restoring.values(self.get(ref), names)

    def drift(self, ref: Reference) -> list[DriftItem]:
        """Where the running environment differs from the version's, worst first."""
        from nbreg.registry import loading

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
        """What happened, newest first; of one model, or of all, ordered by time, model and seq."""
        return reading.events(self._desk, model, since=since, limit=limit)

    def aliases(self, model: str) -> dict[str, int]:
        """A model's aliases and the numbers of the versions they point to."""
        return aliases(self._desk.model(model))

    # move

    def promote(
        self,
        ref: Reference,
        to: str | None = None,
        *,
        reason: str = "",
        message: str = "",
        force: bool = False,
        gates: Sequence[Callable[..., Any]] | Callable[..., Any] = (),
        expect: Move | None = None,
    ) -> ModelVersion:
        """Move a version to a higher stage; without `to` one stage up, never past production.

        A stage with one holder takes it from the holder, which is archived in the same
        transaction. Promoting to where it is already writes nothing. The gates of the stage
        (`require`) are asked first, and functions given as `gates`; what each saw stands in the
        event. `force` with a reason overrules them, and is recorded with those it overruled.
        With `expect`, one of `moves`, it is done as it was foreseen or, if somebody moved a
        version meanwhile, not at all.

        Raises `TransitionError`, `UnknownStageError`, `ConflictError`, `GateRefusedError` or
        `GateUnavailableError`; then nothing is moved.
        """
        functions = gating.checked(gates, force=force, reason=reason)
        wish = self._wish(reason=reason, message=message, force=force, functions=functions, expect=expect)
        return self._version(moving.promote(self._desk, self._text(ref), to, wish))

    def retire(
        self,
        ref: Reference,
        to: str | None = None,
        *,
        reason: str = "",
        message: str = "",
        force: bool = False,
        expect: Move | None = None,
    ) -> ModelVersion:
        """Move a version out of use (`archived`), or to a lower stage, whose gates are asked as in `promote`.

        Raises `TransitionError`, or `GateRefusedError`; out of use a version always goes.
        """
        gating.checked((), force=force, reason=reason)
        wish = self._wish(reason=reason, message=message, force=force, expect=expect)
        return self._version(moving.retire(self._desk, self._text(ref), to, wish))

    def rollback(
        self,
        model: str,
        stage: str | None = None,
        *,
        to: Reference | None = None,
        reason: str = "",
        message: str = "",
        expect: Move | None = None,
    ) -> ModelVersion:
        """Give a stage back to the version that held it before; the present holder is archived.

        Without a stage that is `production`, or what this registry has in its place.
        Rolling back again walks further back. With `to`, it goes back to that version, which
        must have held the stage. It never waits for a gate; the event names those that the
        stage requires. Raises `TransitionError` where nobody held the stage before.
        """
        back_to = None if to is None else self._text(to)
        return self._version(
            moving.rollback(
                self._desk, model, stage, to=back_to, reason=reason, message=message, expect=expect
            )
        )

    # label

    def set_alias(
        self, ref: Reference, alias: str, *, reason: str = "", message: str = "", force: bool = False
    ) -> ModelVersion:
        """Point an alias at one version; setting it to where it points writes nothing.

        One that is protected (`protect`) moves only with `force` and a reason. Raises
        `BadNameError`, `ProtectedAliasError`, or `NameTakenError` if a version has that name.
        """
        from nbreg.registry import labelling

        text = self._text(ref)
        return self._version(
            labelling.set_alias(self._desk, text, alias, reason=reason, message=message, force=force)
        )

    def drop_alias(
        self, model: str, alias: str, *, reason: str = "", message: str = "", force: bool = False
    ) -> None:
        """Take an alias away, as in `set_alias`. Raises `UnknownVersionError` if there is none."""
        from nbreg.registry import labelling

        labelling.drop_alias(self._desk, model, alias, reason=reason, message=message, force=force)

    def update(
        self,
        ref: Reference,
        *,
        description: str | None = None,
        tags: Iterable[str] | None = None,
        content: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
        reason: str = "",
        message: str = "",
    ) -> ModelVersion:
        """Change what may change of a version; what is not given stays.

        Tags and content are replaced, metrics are added to those that are there. The manifest
        and the id stay as they were.
        """
        from nbreg.registry import labelling

        entry = labelling.update(
            self._desk,
            self._text(ref),
            description=description,
            tags=tags,
            content=content,
            metrics=metrics,
            reason=reason,
            message=message,
        )
        return self._version(entry)

    # elsewhere

    def copy(
        self,
        ref: Reference,
        to: str | None = None,
        *,
        version: str | None = None,
        description: str | None = None,
        tags: Iterable[str] | None = None,
        content: Mapping[str, Any] | None = None,
        force: bool = False,
        reason: str = "",
        message: str = "",
    ) -> ModelVersion:
        """Make the same version again, in this model or another: same id and bytes, another number and name.

        The name is `<name>-copy` unless given; a taken one is an error, which `force` with a
        reason overrules. What is not given is as in the original; stage and aliases are not taken along.

        Raises `NameTakenError`, `BadNameError` or `UnknownVersionError`.
        """
        from nbreg.registry import copying

        entry = copying.copy(
            self._desk,
            self._text(ref),
            to,
            version=version,
            description=description,
            tags=tags,
            content=content,
            force=force,
            reason=reason,
            message=message,
        )
        return self._version(entry)

    def transfer(
        self, ref: Reference, to: str, *, version: str | None = None, reason: str = "", message: str = ""
    ) -> ModelVersion:
        """Move a version to another model, where it has a new number and, if that is free, its name.

        In the old model its record stays, and says where it went. A version that is in a stage
        or has an alias is refused (`VersionInUseError`), so that nobody who loads by those is
        left without. What a killed process left half done, doing it again finishes.
        """
        from nbreg.registry import copying

        return self._version(
            copying.transfer(self._desk, self._text(ref), to, version=version, reason=reason, message=message)
        )

    def pull(
        self,
        ref: Reference,
        path: str | os.PathLike[str],
        *,
        artifacts: bool = True,
        overwrite: bool = False,
    ) -> Path:
        """Write a version into a folder as ordinary files; returns the folder.

        `version.json` is all that is recorded, `content.json` the user's own, and
        `model_metadata.json` the facts that people ask for first. Below `artifacts/`
        files and folders are as they were; an object is one pickle, which `pickle.load` reads,
        at the reader's own risk. Bytes are checked, and nothing of them is run.

        Refuses a folder that is not empty (`ConflictError`) unless `overwrite`; also then it
        replaces only files of the same names.
        """
        from nbreg.registry import pulling

        return pulling.pull(
            self._desk, self._text(ref), checked_path(path), artifacts=artifacts, overwrite=overwrite
        )

    def export(self, ref: Reference, path: str | os.PathLike[str], format: str = "archive") -> Path:
        """Write a version out in one of the `formats` that others read; returns where it is.

        `archive` is a single file with all of it, for another registry's `import_`;
        `huggingface` a folder with a model card; `mlflow` a folder that MLflow loads; `skops` a
        file for scikit-learn's models, for which the model is loaded.

        Raises `ConflictError` where something is there already, or `BadInputError` for a version
        that has no such form.
        """
        from nbreg.registry import exporting

        return exporting.export(self._desk, self._text(ref), checked_path(path), format)

    def import_(
        self,
        path: str | os.PathLike[str],
        model: str | None = None,
        *,
        trust: bool | None = None,
        reason: str = "",
        message: str = "",
    ) -> ModelVersion:
        """Take in what `export` or another tool wrote: an archive, an MLflow folder, a skops file.

        An archive gives the same id and the next number: every byte is checked against the
        digest that names it, nothing of it is run, and a version that is here already is
        returned. Its name comes along if it is free; stage and aliases do not.

        The others are registered as `model` like any object, for which they have to be loaded:
        what would run code needs `trust=True`. An MLflow folder of another flavour than
        scikit-learn's is stored as it is.

        Raises `BadInputError`, `TrustError` or `DamagedObjectError`; then nothing is changed.
        """
        from nbreg.registry import archiving, foreign

        source = checked_path(path).expanduser()
        found = foreign.read(source, trust=trust)
        if found is None:
            entry = archiving.restore(self._desk, source, model=model, reason=reason, message=message)
            return self._version(entry)
        if model is None:
            raise BadInputError(
                f"{source.name} does not say which model it is", hint=call("import_", source.name, "churn")
            )
        value, content = found
        return self.register(model, value, content=content, reason=reason, message=message)

    # keep

    def delete(
        self, ref: Reference, reason: str = "", *, message: str = "", include_protected: bool = False
    ) -> ModelVersion:
        """Hide a version, restorably; its bytes stay for the retention time.

        One that holds a stage, was ever in production or has an alias needs
        `include_protected` and a reason. Raises `VersionInUseError`.
        """
        text = self._text(ref)
        return self._version(
            keeping.delete(
                self._desk, text, reason=reason, message=message, include_protected=include_protected
            )
        )

    def restore(self, ref: Reference, *, reason: str = "", message: str = "") -> ModelVersion:
        """Bring a deleted version back, with its number and name; `churn@3` or `churn@1.2.0`."""
        return self._version(keeping.restore(self._desk, self._text(ref), reason=reason, message=message))

    def purge(
        self,
        dry_run: bool = True,
        *,
        older_than: float | None = None,
        include_protected: bool = False,
        reason: str = "",
    ) -> PurgeReport:
        """Remove bytes that nothing kept refers to; by default only say which.

        Those are leftovers of killed writers, and the bytes of versions deleted more than
        `older_than` days ago (the retention time, unless given). The record of a version
        never goes away.
        """
        from nbreg.registry import purging

        return purging.purge(
            self._desk,
            dry_run=dry_run,
            older_than=older_than,
            include_protected=include_protected,
            reason=reason,
        )

    def du(self) -> Usage:
        """What the registry takes up on disk, by model."""
        return keeping.du(self._desk)

    def verify(self, *, expect: Expected | None = None, repair: bool = False) -> VerifyReport:
        """Read everything and check it: chains, rows, objects and parts.

        `expect` are heads that were written down before (`model: hash`, or hashes alone): each
        must be in its chain. `repair` sets aside the damaged end of a journal; nothing else
        ever does.
        """
        from nbreg.registry import verifying

        return verifying.verify(self._desk, expect=expect, repair=repair)

    # find out

    def prove(
        self,
        ref: Reference,
        *,
        seconds: float = 300.0,
        memory: int = 8 * 1024**3,
        accelerators: bool = False,
    ) -> Evidence:
        """Load a version in a clean process and predict on its probe; what comes out is kept as evidence.

        The process has this interpreter, no working folder and no GPU (unless `accelerators`),
        and ends after `seconds` or when it needs more than `memory` bytes: a crash, a hang and
        a missing library are evidence, too. The evidence compares with the outputs that were
        recorded; where none were, it keeps those that it finds.

        Raises `TrustError` for what this user does not vouch for; then nothing is written.
        """
        from nbreg.registry import proving

        entry = proving.prove(
            self._desk, self._text(ref), seconds=seconds, memory=memory, accelerators=accelerators
        )
        evidence = proofs.proof_of(entry)
        assert evidence is not None
        return evidence

    def unproven(self) -> Iterator[ModelVersion]:
        """The versions that nobody has tried to prove yet."""
        return map(self._version, proofs.unproven(self._desk))

    # the folder

    def init(self, *, git: bool = False, stages: Iterable[str] | None = None) -> Path:
        """Make the registry now, rather than by the first write; returns its folder.

        `stages` are others than the usual ones: versions begin in the first, the last is out of use, and
        `production`, or else the highest between, has one holder. They are chosen before there is a model.
        Raises `BadInputError`, `ConflictError`.

        A registry is kept out of git, unless `git`: then its files may be committed, and two
        branches that both wrote to a model are a conflict that git shows, never a splice.
        Take the other side in with `merge`.
        """
        keeping.begin(self._desk, stages)
        if git:
            self._desk.check_admin("what holds for all models")
            self._desk.folder.allow_git(self.actor)
        return self.location

    def merge(self, other: str | Path | Registry) -> list[ModelVersion]:
        """Append the versions of another registry that are not here: new numbers, same ids and bytes.

        A version whose name is taken here comes without it; stages, aliases and gates stay as they
        are here. Owners, description and the like come along for a model that is new here. Merging
        again adds nothing.
        """
        theirs = other if isinstance(other, Registry) else Registry(other)
        from nbreg.registry import merging

        return [self._version(entry) for entry in merging.merge(self._desk, theirs._desk)]

    @property
    def is_new(self) -> bool:
        """Whether this object made the registry, so that a face can say where it is."""
        return self._desk.folder.made

    # versions as users hold them, and as verbs pass them on

    def _version(self, entry: Entry) -> ModelVersion:
        return ModelVersion(self, self._desk, entry)

    def _texts(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options of a registration, versions among them as references."""
        options = {name: value for name, value in options.items() if name not in ("git_tag", "allow_dirty")}
        versions = {
            name: self._text(options[name]) for name in ("parent", "base") if options.get(name) is not None
        }
        return options | versions

    def _text(self, ref: Reference) -> str:
        if isinstance(ref, str):
            return ref
        if not isinstance(ref, ModelVersion):
            raise BadReferenceError(
                f"a reference is text, not {type(ref).__name__}", hint="'churn@production'"
            )
        if ref.registry.location == self.location:
            return f"{ref.model}@{ref.number}"
        return f"{ref.model}@sha256:{ref.id}"  # another registry's: its number means nothing here


def find_location(given: str | Path | None) -> Path:
    """The folder that `Registry(given)` opens."""
    return location.find(given)


def register(model_name: str, model: object = None, **options: Any) -> ModelVersion:
    """`Registry().register(…)`: register in the default registry."""
    return Registry().register(model_name, model, **options)


def load(ref: str, artifact: str = "model", **options: Any) -> Any:
    """`Registry().load(…)`: load from the default registry."""
    return Registry().load(ref, artifact, **options)
