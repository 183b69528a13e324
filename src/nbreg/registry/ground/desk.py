"""What every verb works with: the folder, the rules, who acts; and a version as verbs pass it on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from nbreg.access import Level, Person
from nbreg.errors import UnknownModelError, did_you_mean, spelled
from nbreg.names import check_model_name
from nbreg.records import Actor, Lifecycle, ModelRow, Permission, Pointer, VersionRow
from nbreg.registry.ground.actor import current_actor
from nbreg.registry.ground.rights import Abouts, Rights
from nbreg.settings import Settings
from nbreg.store.folder import MODEL_ROW, Folder
from nbreg.store.tiny import Draft, JournalDB

if TYPE_CHECKING:
    from nbreg.capture.secrets import Redactor


class Desk:
    """A registry's folder, with the settings and the actor of whoever opened it.

    With `rights` it is the desk of a person: models that are not shown to them are not there, and
    what they may not write no verb writes.
    """

    def __init__(self, folder: Folder, settings: Settings, actor: Actor | None = None) -> None:
        self.folder = folder
        self.settings = settings
        self.rights: Rights | None = None
        self._actor = actor
        self._abouts = Abouts(folder)

    def of(self, actor: Actor, person: Person | None) -> Desk:
        """The same for somebody else, who may do less."""
        other = Desk(self.folder, self.settings, actor)
        other._abouts = self._abouts
        other.rights = None if person is None else Rights(person, self._abouts)
        return other

    @property
    def id(self) -> str:
        """The registry's own id; empty until the first write has made it."""
        row = self.folder.row()
        return row.id if row else ""

    @property
    def lifecycle(self) -> Lifecycle:
        """The stages of this registry and the rules between them."""
        row = self.folder.row()
        return row.lifecycle if row else Lifecycle()

    @property
    def stages(self) -> list[str]:
        """The stages, from the lowest to the last."""
        return self.lifecycle.stages

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return self._actor or current_actor()

    def ready(self) -> None:
        """Make the registry if it is not there. Before any write."""
        self.folder.ready(self.actor)

    def model(self, name: str) -> JournalDB:
        """The journal of a model; the error for one that is not there knows which names are near."""
        return self._found(name)[0]

    def permission(self, name: str) -> Permission:
        """What whoever acts may do with a model; see `Registry.may`."""
        return self._found(name)[1].permission

    def _found(self, name: str) -> tuple[JournalDB, Level]:
        """A model that is there for whoever acts, and what they may do with it: by one look."""
        check_model_name(name)
        try:
            database = self.folder.model(name)
            have = self._level(database)
            if have > Level.NOTHING:
                return database, have
            unknown = UnknownModelError(f"no model named {name!r}")
        except UnknownModelError as error:
            # Of who may not see all of them, not even a hint may name one that is not shown.
            unknown = error if self.rights is None else UnknownModelError(f"no model named {name!r}")
        if not unknown.hint:
            lists = spelled("registry.models()", "%models", "`nbreg models`")
            known = [row.name for row in self.models()]
            unknown.hint = did_you_mean(name, known, f"{lists} lists them")
        raise unknown

    def model_if_any(self, name: str) -> JournalDB | None:
        """The journal of a model, or None where there is none of that name for whoever asks."""
        database = self.folder.model_if_any(name)
        return database if database is None or self._level(database) > Level.NOTHING else None

    def models(self) -> list[ModelRow]:
        """Every model in brief, by name."""
        return sorted(self.shown(self.folder.models()), key=lambda row: row.name)

    def like(self, is_meant: Callable[[str], bool]) -> list[ModelRow]:
        """Those whose folder has such a name, by name; no other is looked into, however many there are."""
        folder = self.folder
        found = (folder.last_row(name, path) for name, path in folder.journals() if is_meant(name))
        return sorted(self.shown([row for row in found if row is not None]), key=lambda row: row.name)

    def shown(self, rows: list[ModelRow]) -> list[ModelRow]:
        """Those of some models that are there for whoever asks."""
        rights = self.rights
        return rows if rights is None else [row for row in rows if rights.shows(row.name)]

    def _level(self, database: JournalDB) -> Level:
        return Level.OWN if self.rights is None else self.rights.level(database)

    @property
    def sees_all(self) -> bool:
        """Whether all models are there for whoever acts."""
        return self.rights is None or self.rights.person.is_admin

    def check_admin(self, what: str) -> None:
        """Refuse what is about all models at once to who may not see them all."""
        if self.rights is not None:
            self.rights.check_admin(what, self.actor)

    @contextmanager
    def transaction(
        self,
        database: JournalDB,
        kind: str,
        *,
        reason: str = "",
        message: str = "",
        redactor: Redactor | None = None,
    ) -> Iterator[Draft]:
        """One line of a model's journal, by this desk's actor; what is said on it holds no secret."""
        # It brings the search for secrets: only writers need it.
        from nbreg.registry.ground.given import checked_text

        reason = checked_text(reason, "the reason", redactor)
        message = checked_text(message, "the message", redactor)
        with database.transaction(kind, by=self.actor, reason=reason, message=message) as draft:
            self.check_write(database, kind)
            yield draft

    def check_write(self, database: JournalDB, kind: str) -> None:
        """Refuse a line that whoever acts may not write; under its lock, since that may have changed.

        Raises `NotPermittedError`.
        """
        if self.rights is None or database is self.folder.data:
            return
        if database is self.folder.own:
            self.rights.check_admin("what holds for all models", self.actor)
        else:
            self.rights.check_write(database, model_name(database), kind, self.actor)


class Entry(msgspec.Struct, frozen=True):
    """A version as the verbs work on it: its model's journal, and its row as it was read."""

    model: str
    database: JournalDB
    row: VersionRow
    existing: bool = False
    """Whether `register` found equal content and made nothing."""
    waits_for: str = ""
    """The stage that it was to begin in, and whose gates are still to be asked."""

    @property
    def number(self) -> int:
        """Its place in the model's sequence."""
        return self.row.number

    @property
    def ref(self) -> str:
        """The shortest reference that means it."""
        return f"{self.model}@{self.row.name or self.row.number}"

    @property
    def aliases(self) -> list[str]:
        """The aliases that point to it."""
        return [alias for alias, number in aliases(self.database).items() if number == self.number]


def aliases(database: JournalDB) -> dict[str, int]:
    """A model's aliases and the numbers of the versions they point to."""
    found = ((name, database.row("aliases", name, Pointer)) for name in database.ids("aliases"))
    return {name: pointer.number for name, pointer in sorted(found) if pointer is not None}


def brief(database: JournalDB) -> ModelRow:
    """The model's own row."""
    return database.row(*MODEL_ROW, ModelRow) or ModelRow(name="", created="")


def model_name(database: JournalDB) -> str:
    """The model's name as its own row has it."""
    return brief(database).name
