"""Keras models as the parts of a .keras archive: configuration, weights, and nothing that is packed.

The archive is taken apart when it is stored and put together when it is loaded, so no archive of
a stranger is ever unpacked. What Keras makes of a configuration may be anything that it can
import, so a model that this user did not sign needs consent; code in it is told apart. A model
with classes of the user's own is pickled: Keras would only name them.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from nbreg.errors import CannotLoadError, CannotStoreError, DamagedObjectError
from nbreg.families import generic, taking
from nbreg.families.files import safe_target
from nbreg.families.taking import Take, digested
from nbreg.families.tokens import NoTokenError, token
from nbreg.records import Artifact, Chunk, canonical, digest_of
from nbreg.store.large import Source

NAME: Final = "keras"
FORM: Final = "keras"
NEEDED: Final = ("config.json", "model.weights.h5")
CODE: Final = "code in a Lambda layer"

_MOST: Final = 10_000
_LAMBDAS: Final = (b"__lambda__", b'"Lambda"')
_OF_THE_SESSION: Final = ("shared_object_id", "date_saved")


def claims(value: object) -> bool:
    """Whether it is a model of Keras' own classes alone; Keras is not imported to find out."""
    kind = getattr(sys.modules.get("keras"), "Model", None)
    return isinstance(kind, type) and isinstance(value, kind) and all(map(_is_kerass, _layers(value)))


def _layers(model: Any) -> Iterator[Any]:
    waiting = [model]
    for _ in range(_MOST):
        if not waiting:
            return
        each = waiting.pop()
        yield each
        waiting += [*getattr(each, "layers", ()), *filter(None, [vars(each).get("layer")])]


def _is_kerass(layer: Any) -> bool:
    return type(layer).__module__.partition(".")[0] == "keras"


def dump(name: str, value: Any, take: Take = digested) -> tuple[Artifact, list[tuple[Chunk, Source]]]:
    """Store a model with its optimizer. Raises `CannotStoreError`."""
    members = _saved(value)
    words = [data for member, data in members.items() if member.endswith(".json")]
    rest = [data for member, data in members.items() if not member.endswith(".json")]
    names = sorted(members, key=lambda member: not member.endswith(".json"))
    chunks = taking.chunks(words, take, words=True) + taking.chunks(rest, take)
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    artifact = Artifact(
        name=name,
        kind="object",
        family=NAME,
        form=FORM,
        type=kind,
        token=_token(value, members, chunks),
        chunks=chunks,
        facts={"members": names},
    )
    return artifact, list(zip(chunks, [*words, *rest], strict=True))


def _saved(model: Any) -> dict[str, bytes]:
    try:
        with tempfile.TemporaryDirectory(prefix="nbreg-") as folder:
            path = Path(folder) / "model.keras"
            model.save(path)
            with zipfile.ZipFile(path) as archive:
                return {each: archive.read(each) for each in archive.namelist() if not each.endswith("/")}
    except Exception as error:
        raise CannotStoreError(
            f"Keras cannot save this {type(model).__qualname__}: {type(error).__name__}",
            hint="model.save says more",
        ) from error


def _token(model: Any, members: dict[str, bytes], chunks: list[Chunk]) -> str:
    """By the configuration and the numbers: what Keras counts in a session is nobody's value."""
    convert = sys.modules["keras"].ops.convert_to_numpy
    optimizer = getattr(model, "optimizer", None)
    held = [*model.weights, *(optimizer.variables if optimizer is not None else ())]
    config = _without_session(json.loads(members["config.json"]))
    more = [digest_of(data) for name, data in sorted(members.items()) if name.startswith("assets")]
    try:
        return digest_of(canonical([NAME, config, token([convert(each) for each in held]), more]))
    except NoTokenError:
        return digest_of(canonical([NAME, *(chunk.digest for chunk in chunks)]))


def _without_session(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_session(each) for key, each in value.items() if key not in _OF_THE_SESSION}
    return [_without_session(each) for each in value] if isinstance(value, list) else value


class Opened:
    """A model's parts, which were looked at."""

    untrusted: list[str]

    def __init__(self, artifact: Artifact, read: Any) -> None:
        self._artifact = artifact
        self._members = _members(artifact, read)
        self._has_code = any(mark in self._members["config.json"] for mark in _LAMBDAS)
        self.untrusted = ["keras.saving.load_model", *([CODE] if self._has_code else [])]

    def load(self) -> object:
        """Have Keras make the model. Raises `CannotLoadError`."""
        saving = generic.needed("keras", self._artifact).saving
        with tempfile.TemporaryDirectory(prefix="nbreg-") as folder:
            path = Path(folder) / "model.keras"
            path.write_bytes(_packed(self._members))
            try:
                model: object = saving.load_model(path, safe_mode=not self._has_code)
            except Exception as error:
                raise CannotLoadError(
                    f"Keras does not make this {self._artifact.type}: {type(error).__name__}",
                    hint="the release that it was stored with stands in its environment",
                ) from error
        return model


def _members(artifact: Artifact, read: Any) -> dict[str, bytes]:
    told = artifact.facts.get("members")
    names = [name for name in told if type(name) is str] if isinstance(told, list) else []
    if len(set(names)) != len(artifact.chunks) or len(names) != len(artifact.chunks):
        raise DamagedObjectError(f"the artifact {artifact.name!r} has other parts than it says")
    if not set(NEEDED) <= set(names):
        raise DamagedObjectError(f"the artifact {artifact.name!r} is no model of Keras'")
    targets = [safe_target(Path(), name).as_posix() for name in names]
    read_ones = [bytes(read(chunk, private=True)) for chunk in artifact.chunks]
    return dict(zip(targets, read_ones, strict=True))


def _packed(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return file.getvalue()


def plain_files(artifact: Artifact, read: Any) -> Iterator[tuple[str, bool, Iterable[Any]]]:
    """The model as a .keras file."""
    members = _members(artifact, lambda chunk, private=False: read(chunk))
    yield str(safe_target(Path(), f"{artifact.name}.keras")), False, [_packed(members)]
