"""What `preview` returns: the manifest that `register` would write, and the parts that it names."""

from __future__ import annotations

from typing import Any

from nbreg.capture import Capture, Part
from nbreg.records import Manifest


class Preview(Manifest, frozen=True, kw_only=True):
    """A manifest that was not written, with its parts at hand: `preview.parts["variables"]`."""

    model: str
    parts: dict[str, Any]
    """The captured records by part; of one that could not be taken the manifest says why."""

    @classmethod
    def of(cls, model: str, manifest: Manifest, captured: Capture) -> Preview:
        """The preview of a model's version."""
        parts = {name: part.record for name, part in captured.parts.items() if isinstance(part, Part)}
        fields = {name: getattr(manifest, name) for name in Manifest.__struct_fields__}
        return cls(model=model, parts=parts, **fields)

    def __repr__(self) -> str:
        return str(self._repr_mimebundle_()["text/plain"])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        from nbreg.display.previews import preview_bundle

        return preview_bundle(self.model, self, self.parts)
