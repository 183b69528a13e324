"""What one person may do in a registry. Asked at the desk, where every verb gets its journals from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nbreg.access import Level, Person, level
from nbreg.errors import HandoverError, NotPermittedError, option
from nbreg.records import About, Actor

if TYPE_CHECKING:
    from nbreg.store.folder import Folder
    from nbreg.store.tiny import JournalDB

ABOUT: Final = ("about", "about")
"""Where a model's journal has what is said of it."""

_OF_OWNERS: Final = frozenset(
    ("model-updated", "gates-required", "gate-dropped", "alias-protected", "alias-unprotected")
)
_OF_READERS: Final = frozenset(("requested", "withdrawn"))
"""Kinds of lines by who may write them; all others are for those who may change the model."""

Stamp = tuple[int, int, int]


def about(database: JournalDB) -> About:
    """What is said of a model."""
    return database.row(*ABOUT, About) or About()


def creator(database: JournalDB) -> str:
    """Who made the model."""
    return database.journal.line(0).by.user if len(database.journal) else ""


class Abouts:
    """Whose the models of a folder are, read again where a journal has changed. May be shared by threads."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._known: dict[str, tuple[Stamp, About, str]] = {}

    def of(self, model: str) -> tuple[About, str]:
        """What is said of a model, and who made it. Raises where its journal cannot be read."""
        status = (self._folder.model_path(model) / "journal.jsonl").stat()
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._known.get(model)
        if known is None or known[0] != stamp:
            database = self._folder.model(model)
            known = self._known[model] = (stamp, about(database), creator(database))
        return known[1], known[2]


class Rights:
    """A person at a desk. What it refuses it refuses in words; what is not shown to them is not there."""

    def __init__(self, person: Person, abouts: Abouts) -> None:
        self.person = person
        self._abouts = abouts

    def shows(self, model: str) -> bool:
        """Whether a model of this registry is there for them; quick, for lists of many."""
        try:
            said, by = self._abouts.of(model)
        except Exception:  # what cannot be read says of nobody that they may
            return self.person.is_admin
        return level(said, by, self.person) >= Level.LOOK

    def level(self, database: JournalDB) -> Level:
        """What they may do with a model, as its journal says now: by it verbs refuse, and replies tell."""
        return level(about(database), creator(database), self.person)

    def check_write(self, database: JournalDB, model: str, kind: str, actor: Actor) -> None:
        """Under the lock of a model's journal: may they write such a line? A new model is theirs.

        Raises `NotPermittedError`.
        """
        if not len(database.journal):
            return
        have = self.level(database)
        need = Level.OWN if kind in _OF_OWNERS else Level.LOOK if kind in _OF_READERS else Level.CHANGE
        if have >= need:
            return
        if have == Level.NOTHING:
            raise NotPermittedError(f"{actor.user} may not write to {model!r}")
        why = (
            f"that is for the owners of {model!r}, and {actor.user} is none of them"
            if need == Level.OWN
            else f"{actor.user} may look at {model!r}, and not change it"
        )
        asks = ", ".join(about(database).owners or [creator(database)])
        raise NotPermittedError(why, hint=f"ask its owners: {asks[:200]}")

    def check_keeps(self, database: JournalDB, model: str, after: About, actor: Actor) -> None:
        """Refuse to make a model nobody's whom they speak for: only others could take it back.

        Raises `HandoverError`.
        """
        if level(after, creator(database), self.person) < Level.OWN:
            raise HandoverError(
                f"{actor.user} would be no owner of {model!r} any more",
                hint=f"name yourself or a team of yours; or {option('force')} and a reason, which only "
                "its owners or an administrator can take back",
            )

    def is_of(self, actor: Actor) -> bool:
        """Whether what somebody did is theirs to see and to take back."""
        return self.person.is_admin or actor.user in self.person.names

    def check_admin(self, what: str, actor: Actor) -> None:
        """For what is about all models at once. Raises `NotPermittedError`."""
        if not self.person.is_admin:
            raise NotPermittedError(f"{what} is for administrators, and {actor.user} is none")
