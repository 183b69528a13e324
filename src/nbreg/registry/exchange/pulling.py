"""Pull: a version as ordinary files, for people and tools that know nothing of nbreg."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

from nbreg import families
from nbreg.errors import BadInputError, ConflictError, option
from nbreg.records import Artifact, Chunk, Data, DataLink, Environment, Manifest, Signature, as_doc, plain
from nbreg.registry.belonging import datasets, deployments, links, uses
from nbreg.registry.ground import parts, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.store.files import refused

_SAID = "version.json", "content.json", "model_metadata.json"


def pull(desk: Desk, ref: str, path: Path, *, artifacts: bool, overwrite: bool) -> Path:
    """Write a version out; see `Registry.pull`."""
    entry = reading.get(desk, ref)
    target = path.expanduser().absolute()
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ConflictError(f"{target} is no folder", hint="give the name of a folder")
    if target.is_dir() and any(target.iterdir()) and not overwrite:
        raise ConflictError(
            f"{target} is not empty",
            hint=f"{option('overwrite')} replaces files of the same names, and no other",
        )
    manifest = parts.manifest(desk, entry)
    fresh = target.with_name(f".{target.name}-{secrets.token_hex(6)}")
    try:
        fresh.mkdir(parents=True)
        for name, document in _documents(desk, entry, manifest):
            (fresh / name).write_text(json.dumps(document, indent=4, ensure_ascii=False) + "\n", "utf-8")
        if artifacts:
            _write_artifacts(desk, entry, manifest, fresh)
        _put_in_place(fresh, target)
    except OSError as error:
        raise refused(error, target) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _put_in_place(fresh: Path, target: Path) -> None:
    """All at once where nothing is there yet; else file by file, each of them whole."""
    with suppress(OSError):
        os.rename(fresh, target)  # noqa: PTH104 - an empty folder is replaced by it
        return
    files = sorted(path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file())
    for file in files:
        if (target / file.parent).resolve() != target.resolve() / file.parent:
            raise BadInputError(f"{target / file.parent} leads out of {target}", hint="take that link away")
    for file in files:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        (fresh / file).replace(target / file)


def files_of(desk: Desk, entry: Entry, artifact: Artifact) -> list[str]:
    """The names of the files that `pull` makes of an artifact."""
    return [name for name, _is_program, _pieces in _plain_files(desk, entry, artifact)]


def _plain_files(
    desk: Desk, entry: Entry, artifact: Artifact
) -> Iterator[tuple[str, bool, Iterable[bytes | bytearray | memoryview]]]:
    def read(chunk: Chunk, *, private: bool = False) -> bytearray | memoryview:
        return parts.chunk(desk, entry, chunk, private=private)

    return families.plain_files(artifact, read)


class _Places:
    """Where the files of a version's artifacts go: no two in one place, also where case says nothing."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def take(self, artifact: Artifact, relative: str) -> Path:
        """Its own name; below the artifact's where another file has that."""
        for turn in count():
            prefix = ("", artifact.name, f"{artifact.name}-{turn}")[min(turn, 2)]
            below = families.safe_target(Path(), prefix) if prefix else Path()
            found = families.safe_target(below, relative)
            path = unicodedata.normalize("NFC", found.as_posix().casefold())
            above = {str(each) for each in PurePosixPath(path).parents}
            taken = path in self._files or path in self._folders or not self._files.isdisjoint(above)
            if not taken:
                break
        self._files.add(path)
        self._folders |= above
        return found


def _write_artifacts(desk: Desk, entry: Entry, manifest: Manifest, folder: Path) -> None:
    places = _Places()
    # Objects and folders are called as their artifacts are, files as somebody called them.
    for artifact in sorted(manifest.artifacts, key=lambda each: each.kind == "file"):
        for relative, is_program, pieces in _plain_files(desk, entry, artifact):
            goal = folder / "artifacts" / places.take(artifact, relative)
            goal.parent.mkdir(parents=True, exist_ok=True)
            with goal.open("xb") as file:
                for piece in pieces:
                    file.write(piece)
            if is_program:
                goal.chmod(0o755)


def _documents(desk: Desk, entry: Entry, manifest: Manifest) -> Iterator[tuple[str, Any]]:
    row = entry.row
    pinned = f"{entry.model}@sha256:{row.id}"
    said = {"model": entry.model, "ref": pinned, **as_doc(row), "aliases": sorted(entry.aliases)}
    said["links"] = links.as_plain(links.of(entry.database, row.number))
    said["deployments"] = [as_doc(each) for each in deployments.of(entry.database, row.number)]
    yield _SAID[0], {**said, "manifest": plain(_builtins(manifest))}
    yield _SAID[1], plain(manifest.content if row.content is None else row.content)
    yield _SAID[2], metadata(desk, entry, manifest)


def metadata(desk: Desk, entry: Entry, manifest: Manifest) -> dict[str, Any]:
    """What a reader asks of a model first, flat and in common words."""
    environment = parts.captured(desk, entry, manifest.environment, Environment)
    signature = parts.captured(desk, entry, manifest.signature, Signature)
    versions = {each.name: each.version for each in environment.distributions if each.imported}
    features = parts.captured(desk, entry, manifest.data, Data).feature_set
    versions = {"python": environment.python.get("version", ""), **versions}
    return {
        "model_name": entry.model,
        "version": entry.row.name or str(entry.row.number),
        "number": entry.row.number,
        "training_date": manifest.created[:10],
        "stage": entry.row.stage,
        "dataset_snapshot_id": {link.name: link.snapshot for link in manifest.links},
        "datasets": {link.name: named for link in manifest.links if (named := _named(desk, link))},
        "feature_set_version": _feature_set(entry, features, manifest),
        "feature_set": features,
        "features": [str(each.get("name", "")) for each in signature.inputs if each.get("name")],
        "hyperparameters": plain(manifest.params),
        "metrics": dict(entry.row.metrics),
        "library_versions": versions,
        "os": dict(environment.os),
        "sklearn_version": versions.get("scikit-learn", ""),
        "id": f"sha256:{entry.row.id}",
        "actor": manifest.actor.user,
    }


def _named(desk: Desk, link: DataLink) -> list[str]:
    """What the data is called in this registry, as `customers@2`."""
    return datasets.names_of(desk, link.snapshot)


def _feature_set(entry: Entry, digest: str, manifest: Manifest) -> int | str:
    """Which of the model's feature sets it is, by number; else by what is known of its inputs."""
    found = uses.feature_set(entry.database, digest)
    return found.number if found else digest or manifest.signature.digest


def _builtins(manifest: Manifest) -> Any:
    import msgspec

    return msgspec.to_builtins(manifest)
