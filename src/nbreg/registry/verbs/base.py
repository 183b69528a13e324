"""What the verbs of a registry share: its desk, and versions as users hold them and as verbs pass them on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbreg.errors import BadReferenceError, BadValueError
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.version import ModelVersion

if TYPE_CHECKING:
    from nbreg.registry.core import Registry
    from nbreg.registry.stages.asking import Wish

Reference = str | ModelVersion


class Verbs:
    """Some of the verbs of a registry, by what they are about: it is made of several of these."""

    _desk: Desk

    @property
    def _registry(self) -> Registry:
        """The registry that these verbs are of."""
        return self  # type: ignore[return-value]

    def _version(self, entry: Entry) -> ModelVersion:
        return ModelVersion(self._registry, self._desk, entry)

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
        if ref.registry.location == self._desk.folder.path:
            return f"{ref.model}@{ref.number}"
        return f"{ref.model}@sha256:{ref.id}"  # another registry's: its number means nothing here

    def _wish(self, **wish: Any) -> Wish:
        from nbreg.registry.stages.asking import Wish

        for name in ("reason", "message"):
            if not isinstance(wish[name], str):
                raise BadValueError(f"the {name} is text, not {type(wish[name]).__name__}")
        return Wish(self._registry, **wish)
