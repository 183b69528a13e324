"""One request as the verbs see it: the registry that it is about, and who acts."""

from __future__ import annotations

from nbreg.records import Actor
from nbreg.registry import Registry
from nbreg.registry.watching import Watch
from nbreg.server.asked import Asked, OfRegistry
from nbreg.server.registries import Opened, Registries


class Visit:
    """What a verb of the server works with. The registry is opened when it is first asked for."""

    def __init__(self, registries: Registries, actor: Actor, asked: Asked, *, writes: bool) -> None:
        self.registries = registries
        self.actor = actor
        self._key = asked.registry if isinstance(asked, OfRegistry) else ""
        self._writes = writes
        self._opened: Opened | None = None
        self._has_looked = False

    @property
    def registry(self) -> Registry:
        """The registry, with the request's own actor."""
        return self._open().registry.acting_as(self.actor)

    @property
    def watch(self) -> Watch:
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
