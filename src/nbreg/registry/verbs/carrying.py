"""The verbs that take a version elsewhere, and take in what comes from there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbreg.errors import BadInputError, call
from nbreg.registry.ground.given import checked_path
from nbreg.registry.verbs.base import Reference, Verbs
from nbreg.registry.version import ModelVersion

if TYPE_CHECKING:
    from nbreg.registry.core import Registry


class CarryVerbs(Verbs):
    """What a registry exchanges with other models, folders and registries."""

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
        from nbreg.registry.exchange import copying

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
        """Move a version to another model, where it has a new number and its name, or that of `version`.

        In the old model its record stays, and says where it went. A version that is in a stage
        or has an alias is refused (`VersionInUseError`), so that nobody who loads by those is
        left without. What a killed process left half done, doing it again finishes.

        Raises `NameTakenError` where another version there has the name, and `VersionInUseError`.
        """
        from nbreg.registry.exchange import copying

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

        Raises `ConflictError` for a folder that is not empty, unless `overwrite`; also then it
        replaces only files of the same names.
        """
        from nbreg.registry.exchange import pulling

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
        from nbreg.registry.exchange import exporting

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
        from nbreg.registry.exchange import archiving, foreign

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
        return self._registry.register(model, value, content=content, reason=reason, message=message)

    def merge(self, other: str | Path | Registry) -> list[ModelVersion]:
        """Append the versions of another registry that are not here: new numbers, same ids and bytes.

        A version whose name is taken here comes without it; stages, aliases and gates stay as they
        are here. Owners, description and the like come along for a model that is new here. What is
        deleted there is left out. Merging again adds nothing. Returns the versions that were added.

        Raises `BadInputError` where there is no registry, or `JournalError`.
        """
        from nbreg.registry.core import Registry
        from nbreg.registry.exchange import merging

        theirs = other if isinstance(other, Registry) else Registry(other)
        return [self._version(entry) for entry in merging.merge(self._desk, theirs._desk)]
