"""Files and folders, as they are. A `pathlib.Path` is a file; a string is data."""

from __future__ import annotations

import mmap
import os
from pathlib import Path, PurePosixPath
from typing import Final

from nbreg.errors import CannotStoreError, DamagedObjectError
from nbreg.records import Artifact, Chunk, FileEntry, canonical, digest_of

NAME: Final = "files"
FORM: Final = "raw"

Part = tuple[Chunk, bytes | memoryview]


def claims(value: object) -> bool:
    """Whether the value is a path."""
    return isinstance(value, Path)


def dump(name: str, value: Path) -> tuple[Artifact, list[Part]]:
    """Read a file, or every file below a folder; links that lead out of it are refused."""
    path = value.expanduser()
    if path.is_dir():
        found = sorted(each for each in path.rglob("*") if each.is_symlink() or not each.is_dir())
        root, kind = path.resolve(), "folder"
    elif path.is_file():
        found, root, kind = [path], path.resolve().parent, "file"
    else:
        raise CannotStoreError(
            f"there is no file {str(path)!r}", hint="paths are relative to the working directory"
        )
    entries, parts = [], []
    for each in found:
        entry, part = _read(each, path, root, whole=kind == "folder")
        entries.append(entry)
        parts.append(part)
    token = digest_of(canonical([NAME, kind, entries]))
    artifact = Artifact(
        name=name,
        kind="folder" if kind == "folder" else "file",
        family=NAME,
        form=FORM,
        token=token,
        files=entries,
    )
    return artifact, parts


def _read(path: Path, top: Path, root: Path, *, whole: bool) -> tuple[FileEntry, Part]:
    if whole and not _resolved(path).is_relative_to(root):
        raise CannotStoreError(
            f"{str(path)!r} leads out of the folder", hint="give what it points to instead"
        )
    if not path.is_file():
        raise CannotStoreError(
            f"{str(path)!r} is no regular file", hint="leave sockets, pipes and devices out"
        )
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data: bytes | memoryview = (
                memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) if size else b""
            )
    except OSError as error:
        raise CannotStoreError(f"{str(path)!r} cannot be read: {error.strerror}") from error
    chunk = Chunk(digest=digest_of(data), size=len(data))
    relative = path.relative_to(top).as_posix() if whole else path.name
    entry = FileEntry(
        path=relative, digest=chunk.digest, size=chunk.size, executable=os.access(path, os.X_OK) and whole
    )
    return entry, (chunk, data)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise CannotStoreError(f"{str(path)!r} leads nowhere", hint="take the link out") from error


def untrusted(artifact: Artifact, read: object) -> list[str]:
    """Nothing: plain bytes run nothing."""
    return []


def load(artifact: Artifact, read: object) -> Path:
    """Copy the files into a folder of this process, which goes when the path object does not need it."""
    import tempfile  # brings shutil and the compressors: not for those who only register

    assert callable(read)
    holder = tempfile.TemporaryDirectory(prefix="nbreg-")
    root = Path(holder.name)
    for entry in artifact.files:
        target = safe_target(root, entry.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(read(Chunk(digest=entry.digest, size=entry.size)))
        if entry.executable:
            target.chmod(0o755)
    _kept.append(holder)
    return root if artifact.kind == "folder" else root / artifact.files[0].path


_kept: list[object] = []
"""Removed when the process ends."""


def safe_target(root: Path, relative: str) -> Path:
    """Where a stored file goes below `root`. Raises `DamagedObjectError` if it would leave it."""
    parts = PurePosixPath(relative).parts
    if not parts or relative.startswith("/") or ".." in parts or "\0" in relative:
        raise DamagedObjectError(f"a stored file is named {relative[:80]!r}, which leaves its folder")
    return root.joinpath(*parts)
