"""One request as the verbs see it: the registry that it is about, and who acts."""

from __future__ import annotations

from nbreg.access import Person
from nbreg.records import Actor, Changes, ModelRow
from nbreg.registry import Registry
from nbreg.registry.verbs.watching import Watch, shown
from nbreg.server.asked import Asked, OfRegistry
from nbreg.server.registries import Opened, Registries


class Visit:
    """What a verb of the server works with. The registry is opened when it is first asked for."""

    def __init__(
        self,
        registries: Registries,
        actor: Actor,
        asked: Asked,
        *,
        writes: bool,
        person: Person | None = None,
    ) -> None:
        self.registries = registries
        self.actor = actor
        self.person = person
        """Who is held to what the owners of models said."""
        self._key = asked.registry if isinstance(asked, OfRegistry) else ""
        self._writes = writes
        self._opened: Opened | None = None
        self._has_looked = False

    @property
    def registry(self) -> Registry:
        """The registry, with the request's own actor."""
        return self._open().registry.acting_as(self.actor, self.person)

    @property
    def cursor(self) -> str:
        """What the models of the registry were at the last look."""
        return self._watch().models()[1]

    def models(self) -> tuple[list[ModelRow], str]:
        """The models that are there for whoever asks, and the cursor of the last look."""
        rows, cursor = self._watch().models()
        return shown(self.registry, rows), cursor

    def changes(self, since: str = "") -> Changes:
        """What changed of them. What is not shown any more, or never was, is told by telling all that is."""
        changes = self._watch().changes(since)
        rows = shown(self.registry, changes.models)
        if not changes.all and (len(rows) < len(changes.models) or (changes.gone and self.person)):
            return Changes(cursor=changes.cursor, all=True, models=self.models()[0])
        return Changes(
            cursor=changes.cursor,
            all=changes.all,
            models=rows,
            gone=changes.gone,
            others=changes.others,
        )

    def _watch(self) -> Watch:
        """What knows which of its models changed; it has looked once for this request, and does not again."""
        watch = self._open().watch
        if not self._has_looked:
            watch.look()
            self._has_looked = True
        return watch

    def _open(self) -> Opened:
        if self._opened is None:
            find = self.registries.to_write if self._writes else self.registries.opened
            self._opened = find(self._key)
        return self._opened
