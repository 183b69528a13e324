"""A version that is written down: a mapping, or a JSON file, instead of a call with live objects.

    {"version": "1.0.5", "tags": ["eu"], "content": {"threshold": 0.4}, "files": {"model": "model.onnx"}}

It says what the call of `register` would say, in the same words, and is checked before anything is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from nbreg.errors import BadInputError, did_you_mean
from nbreg.records import NO_RECORD

if TYPE_CHECKING:
    from nbreg.registry.version import ModelVersion

FILES: Final = "files"
WORDS: Final = (
    "model", "artifacts", FILES, "version", "bump", "stage", "description", "tags", "metrics", "params",
    "content", "parent", "base", "run", "substitutions", "reason", "message",
)  # fmt: skip
"""What a definition may say: what overrules a refusal (`force`, `new`) is said by whoever runs it."""


class DefineVerbs:
    """Registering what is written down."""

    register: Callable[..., ModelVersion]

    def define(self, model_name: str, definition: Mapping[str, Any] | Path, **options: Any) -> ModelVersion:
        """Register the version that a mapping or a JSON file describes, in the words of `register`.

        `model` and `artifacts` are plain data. `files` are artifacts by name that are files or folders,
        a relative path being read from the definition's folder. Without any of these, `content` is the
        model: what is loaded is a copy of it. `options` win over what is written down.

        Raises `BadInputError` for a word that means nothing, and what `register` raises; then nothing
        is changed.
        """
        asked = {**_read(definition), **options}
        _check_names(asked)
        folder = definition.parent if isinstance(definition, Path) else Path()
        files = _files(asked.pop(FILES, None), folder)
        artifacts = {**(asked.pop("artifacts", None) or {}), **files}
        model = asked.pop("model", None)
        if model is None and not artifacts and asked.get("content"):
            model = asked["content"]
        return self.register(model_name, artifacts.pop("model", model), artifacts=artifacts or None, **asked)


def _read(definition: Mapping[str, Any] | Path) -> dict[str, Any]:
    """What it says, with every word known. Raises `BadInputError`."""
    told = _decoded(definition) if isinstance(definition, Path) else definition
    if not isinstance(told, Mapping):
        raise BadInputError("a definition is a mapping", hint='{"version": "1.0.5", "content": {…}}')
    for word in told:
        if word not in WORDS:
            hint = did_you_mean(str(word), WORDS, f"one of {', '.join(WORDS)}")
            raise BadInputError(f"a definition does not say {ascii(word)[:60]}", hint=hint)
    return dict(told)


def _check_names(asked: Mapping[str, Any]) -> None:
    """Artifacts and files are given by name, and each name once. Raises `BadInputError`."""
    artifacts = asked.get("artifacts")
    if not isinstance(artifacts, Mapping | None):
        raise BadInputError("the artifacts of a definition are data by name", hint=f"paths are {FILES!r}")
    names = [
        *(artifacts or ()),
        *_named(asked.get(FILES)),
        *(["model"] if asked.get("model") is not None else []),
    ]
    for name in {each for each in names if names.count(each) > 1}:
        raise BadInputError(
            f"two artifacts are named {ascii(name)[:60]}", hint="give one of them another name"
        )


def _decoded(path: Path) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}", hint="a JSON file") from error
    except NO_RECORD as error:
        raise BadInputError(f"{path} is no JSON: {error}", hint='{"version": "1.0.5", …}') from None


def _named(files: object) -> Mapping[str, Any]:
    if not isinstance(files, Mapping | None) or not all(
        isinstance(each, str) for each in (files or {}).values()
    ):
        raise BadInputError("the files of a definition are paths by name", hint='{"model": "model.onnx"}')
    return files or {}


def _files(files: object, folder: Path) -> dict[str, Path]:
    """Each file or folder as it is on this machine. Raises `BadInputError` where one is not there."""
    return {name: _file(name, path, folder) for name, path in _named(files).items()}


def _file(name: str, told: str, folder: Path) -> Path:
    try:
        path = folder / Path(told).expanduser()
        path.stat()
    except (OSError, RuntimeError, ValueError):  # too long, of a user who is not here, or no path at all
        raise BadInputError(
            f"there is no file {told[:200]} for {name!r}", hint="paths are read from the definition's folder"
        ) from None
    return path
