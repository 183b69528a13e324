"""The registry: one object, one method for each verb; the verbs stand by what they are about.

The verbs that need all of capture are imported when they are first called: who only looks
something up does not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from datetime import datetime
from pathlib import Path
from typing import Any

from nbreg.access import Person
from nbreg.errors import BadInputError
from nbreg.records import Actor, Lifecycle
from nbreg.registry.ground import location
from nbreg.registry.ground.desk import Desk
from nbreg.registry.ground.given import checked_kind
from nbreg.registry.housekeeping import keeping
from nbreg.registry.verbs.carrying import CarryVerbs
from nbreg.registry.verbs.decisions import DecisionVerbs
from nbreg.registry.verbs.defining import DefineVerbs
from nbreg.registry.verbs.drifting import DriftVerbs
from nbreg.registry.verbs.entering import EnterVerbs
from nbreg.registry.verbs.finding import FindVerbs
from nbreg.registry.verbs.governing import GovernVerbs
from nbreg.registry.verbs.history import HistoryVerbs
from nbreg.registry.verbs.isolation import IsolationVerbs
from nbreg.registry.verbs.lineage import LineageVerbs
from nbreg.registry.verbs.run import RunVerbs
from nbreg.registry.verbs.staging import StageVerbs
from nbreg.registry.verbs.upkeep import UpkeepVerbs
from nbreg.registry.verbs.watching import WatchVerbs
from nbreg.registry.version import ModelVersion
from nbreg.settings import Settings
from nbreg.store.files import note_own
from nbreg.store.folder import Folder
from nbreg.store.verified import cache_folder
from nbreg.trust import config_folder


class Registry(
    EnterVerbs,
    FindVerbs,
    StageVerbs,
    CarryVerbs,
    UpkeepVerbs,
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

    Besides what a method names it raises, one that takes a reference raises `BadReferenceError`,
    `UnknownModelError` or `UnknownVersionError`, and one that writes `ReadOnlyError`, `RegistryBusyError`
    or `NoSpaceError`. Whatever it raises, it has changed nothing, unless it says otherwise.
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
        return f"<Registry {self.location}{'' if self.id else ', not there yet'}>"

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

    @property
    def is_new(self) -> bool:
        """Whether this object made the registry, so that a face can say where it is."""
        return self._desk.folder.made


def find_location(given: str | Path | None) -> Path:
    """The folder that `Registry(given)` opens."""
    return location.find(given)


def register(model_name: str, model: object = None, **options: Any) -> ModelVersion:
    """Register in the default registry; `options` are those of `Registry.register`."""
    return Registry().register(model_name, model, **options)


def load(ref: str, artifact: str = "model", **options: Any) -> Any:
    """Load from the default registry; `options` are those of `Registry.load`."""
    return Registry().load(ref, artifact, **options)
