"""A version's card: all that was captured, folded, and what is done with it from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from nbreg.display import VersionDetail, label
from nbreg.display.folds import Fold, Unreadable, cell_name, version_folds
from nbreg.display.text import brief
from nbreg.errors import ConflictError, NbregError
from nbreg.panels.front import Shown, namespace, variable_name
from nbreg.panels.identity import identity
from nbreg.records import Execution
from nbreg.registry import ModelVersion, Registry

FORMATS: Final = ("archive", "huggingface", "mlflow", "skops")
"""What a version is exported as; the first is one file with all of it."""

_CAPTURED: Final = ("data", "signature", "environment", "variables", "recipe", "source")
_BESIDE: Final = ("evidence", "links", "deployments")


class Version(Shown):
    """Everything that is known of a version, with its reference to copy, load and export.

    A proof that the background makes appears when it is done. Raises what `Registry.get` does.
    `on_loaded` is called with each object that the panel loads.
    """

    def __init__(
        self,
        ref: str | ModelVersion,
        registry: Registry | None = None,
        *,
        twin: Callable[[], dict[str, Any]] | None = None,
        on_loaded: Callable[[object], object] | None = None,
    ) -> None:
        if isinstance(ref, ModelVersion):
            registry = registry or ref.registry
        self.registry = registry or Registry()
        self.version = self.registry.get(ref)
        self._twin, self._on_loaded = twin, on_loaded
        self._captured: dict[str, Any] | None = None

    # what is read

    def detail(self) -> VersionDetail:
        """The version as it is now, with all its parts folded."""
        if self._captured is None:
            self._captured = captured_parts(self.version)
        self.version = self.registry.get(f"{self.version.model}@{self.version.number}")
        return detail_of(self.version, version_folds({**self._captured, **later_parts(self.version)}))

    def references(self) -> list[tuple[str, str]]:
        """What to write elsewhere to mean this version, with what each is good for."""
        version = self.version
        return [
            (version.ref, "the version, as people write it"),
            (f"{version.model}@sha256:{version.id}", "its content, for jobs: never another one's"),
            (f'nbreg.load("{version.ref}")', "in Python"),
        ]

    def cell(self) -> str:
        """The cell that registered it, as its notebook knows it; empty where nobody saw one."""
        recipe = (self._captured or {}).get("recipe")
        cells: list[Execution] = getattr(recipe, "cells", None) or []
        notebook = getattr((self._captured or {}).get("source"), "notebook", "")
        if not cells or not (cells[-1].cell_id or cells[-1].execution_count):
            return ""
        return cell_name(cells[-1]) + (f" of {Path(notebook).name}" if notebook else "")

    # what is done

    def load(self, name: str, *, overwrite: bool = False) -> str:
        """Load the model and give it a name in the notebook; returns the sentence that tells it.

        Raises `ConflictError` where the name is taken, unless `overwrite`.
        """
        name = variable_name(name)
        names = namespace()
        if name in names and not overwrite:
            raise ConflictError(f"there is a {name} already", hint="press again to replace it")
        value = self.registry.load(self.version)
        if self._on_loaded is not None:
            self._on_loaded(value)
        names[name] = value
        title = label(self.version.name, self.version.number)
        return f"{name} = {self.version.model} {title}, a {type(value).__name__}"

    def export(self, path: str, format: str) -> str:
        """Write it out; returns the sentence that tells where."""
        given = path.strip() or self.file_name(format)
        written = self.registry.export(self.version, Path(given).expanduser(), format)
        return f"written: {written}"

    def file_name(self, format: str) -> str:
        """What the export is called if nobody says otherwise."""
        stem = f"{self.version.model.replace('/', '-')}-{self.version.name or self.version.number}"
        return stem + {"archive": ".nbreg", "skops": ".skops"}.get(format, "")

    # how it is shown

    def twin(self) -> dict[str, Any]:
        """The static form: the card, with everything folded."""
        if self._twin is not None:
            return self._twin()
        return self.detail()._repr_mimebundle_()

    def metadata(self) -> dict[str, Any]:
        """Which version it is, for whoever asks another registry of it."""
        return identity(self.version)

    def _make_view(self) -> Any:
        from nbreg.panels.versionview import VersionView

        return VersionView(self)


def detail_of(version: ModelVersion, folds: Sequence[Fold] = ()) -> VersionDetail:
    """All there is to say about a version."""
    row = version.row
    manifest = None if row.purged else version.manifest
    return VersionDetail(
        version.model,
        row,
        manifest,
        aliases=version.aliases,
        proof=version.proof,
        links=version.links,
        deployments=version.deployments,
        data=version.datasets if manifest is not None else (),
        version=version,
        folds=folds,
    )


def captured_parts(version: ModelVersion) -> dict[str, Any]:
    """What was captured when it was made, which never changes: read once."""
    row = version.row
    if row.purged:
        return {}
    manifest = version.manifest
    parts: dict[str, Any] = {
        "artifacts": manifest.artifacts,
        "metrics": row.metrics,
        "params": manifest.params,
        "content": version.content,
    }
    return parts | {
        name: _read(lambda name=name: getattr(version, name))  # type: ignore[misc]
        for name in _CAPTURED
        if getattr(manifest, name).is_there
    }


def later_parts(version: ModelVersion) -> dict[str, Any]:
    """What was found out, linked or reported since."""
    return {name: _read(lambda name=name: getattr(version, name)) for name in _BESIDE}  # type: ignore[misc]


def _read(get: Callable[[], Any]) -> Any:
    try:
        return get()
    except NbregError as error:
        return Unreadable(brief(error.message))
