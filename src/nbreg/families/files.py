"""Files and folders, as they are. A `pathlib.Path` is a file; a string is data."""

from __future__ import annotations

import atexit
import mmap
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

from nbreg.errors import CannotStoreError, DamagedObjectError
from nbreg.families import wire
from nbreg.families.taking import Take, chunks, digested
from nbreg.records import Artifact, Chunk, FileEntry, canonical, digest_of
from nbreg.store.files import refused
from nbreg.store.large import OnDisk, Source, refuse_full

NAME: Final = "files"
FORM: Final = "raw"

_SMALL: Final = 256 * 1024
_MOST_HELD: Final = 64 * 1024 * 1024
_NO_MODEL: Final = (".git", ".nbreg")

Part = tuple[Chunk, Source]


def claims(value: object) -> bool:
    """Whether the value is a path."""
    return isinstance(value, Path)


def digest(value: Path) -> str:
    """The digest of the files, without storing them."""
    return dump("", value)[0].token


def dump(name: str, value: Path, take: Take = digested) -> tuple[Artifact, list[Part]]:
    """Read a file, or every file below a folder; links that lead out of it are refused."""
    path = value.expanduser()
    left_out: list[str] = []
    if path.is_dir():
        found, left_out = _all_below(path)
        root, kind = path.resolve(), "folder"
    elif path.is_file():
        found, root, kind = [path], path.resolve().parent, "file"
    else:
        if path.exists():
            raise _irregular(path)
        raise CannotStoreError(
            f"there is no file {str(path)!r}", hint="paths are relative to the working directory"
        )
    whole = kind == "folder"
    sources = _in_memory([_opened(each, root, whole=whole) for each in found])
    names = [each.relative_to(path).as_posix() if whole else each.name for each in found]
    for each, file in zip(names, found, strict=True):
        if missing := _missing_from(each, file, names):
            raise CannotStoreError(
                f"{each!r} keeps tensors in {missing!r}, which is not stored with it",
                hint="give the folder that holds both" if not whole else "save them beside the model",
            )
    parts = chunks(sources, take, words=True)
    entries = [
        FileEntry(
            path=relative,
            digest=chunk.digest,
            size=chunk.size,
            executable=os.access(each, os.X_OK),
        )
        for each, relative, chunk in zip(found, names, parts, strict=True)
    ]
    token = digest_of(canonical([NAME, kind, entries]))
    artifact = Artifact(
        name=name,
        kind="folder" if kind == "folder" else "file",
        family=NAME,
        form=FORM,
        token=token,
        files=entries,
        facts={"left_out": left_out} if left_out else {},
    )
    return artifact, list(zip(parts, sources, strict=True))


def _all_below(folder: Path) -> tuple[list[Path], list[str]]:
    """What is below a folder and is no folder itself; and what of it is no part of a model, such as `.git`.

    A registry would hold itself, and with it all models of the project.
    """
    found, left_out = list[Path](), list[str]()
    for each in sorted(folder.iterdir()):
        is_folder = each.is_dir() and not each.is_symlink()
        if each.name in _NO_MODEL or (is_folder and (each / "registry.jsonl").is_file()):
            left_out.append(each.name)
        elif is_folder:
            within = _all_below(each)
            found += within[0]
            left_out += [f"{each.name}/{name}" for name in within[1]]
        else:
            found.append(each)
    return sorted(found), left_out


def _opened(path: Path, root: Path, *, whole: bool) -> OnDisk:
    if whole and not _resolved(path).is_relative_to(root):
        raise CannotStoreError(
            f"{str(path)!r} leads out of the folder", hint="give what it points to instead"
        )
    if not path.is_file():
        raise _irregular(path)
    if not _is_text(str(path)):
        raise CannotStoreError(
            f"{str(path)!r} has a name that is not UTF-8", hint="rename it: the record of files is text"
        )
    try:
        return OnDisk(path)
    except OSError as error:
        raise CannotStoreError(f"{str(path)!r} cannot be read: {error.strerror}") from error


def _in_memory(files: list[OnDisk]) -> list[Source]:
    """Small files as they are now, if they are not too many; the others are read when they are stored."""
    left, found = _MOST_HELD, list[Source]()
    for file in files:
        is_held = file.nbytes <= _SMALL and file.nbytes <= left
        left -= file.nbytes if is_held else 0
        found.append(b"".join(file.pieces()) if is_held else file)
    return found


def _missing_from(name: str, path: Path, names: list[str]) -> str:
    """What a model names of other files, and is not there; of most files, nothing has to be read for that."""
    if not wire.may_name_files(name) or not path.stat().st_size:
        return ""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return wire.missing_from(name, data, names)


def _irregular(path: Path) -> CannotStoreError:
    return CannotStoreError(f"{str(path)!r} is no regular file", hint="leave sockets, pipes and devices out")


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise CannotStoreError(f"{str(path)!r} leads nowhere", hint="take the link out") from error


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


class Opened:
    """Files that can be copied out; plain bytes run nothing."""

    untrusted: list[str]

    def __init__(self, artifact: Artifact, read: Any) -> None:
        if artifact.kind != "folder" and len(artifact.files) != 1:
            raise DamagedObjectError(
                f"the artifact {artifact.name!r} is a file of {len(artifact.files)} files"
            )
        self._artifact = artifact
        self._read = read
        self._targets = [safe_target(Path(), entry.path) for entry in artifact.files]
        self.untrusted = []
        folders = {above for target in self._targets for above in target.parents}
        if len(set(self._targets)) < len(self._targets) or folders.intersection(self._targets):
            raise DamagedObjectError(f"the artifact {artifact.name!r} has two files in one place")

    def load(self) -> Path:
        """Copy the files into a folder that is removed when this process ends; a fork of it leaves it.

        Raises `NoSpaceError` before anything is copied, where the room will not do.
        """
        root = _private_folder()
        try:
            refuse_full(root, sum(entry.size for entry in self._artifact.files))
            for entry, relative in zip(self._artifact.files, self._targets, strict=True):
                _copy(_whole(self._artifact, entry, self._read), root / relative, entry)
        except BaseException as error:
            _remove(root, os.getpid())
            if isinstance(error, OSError):
                raise refused(error, root) from error
            raise
        return root if self._artifact.kind == "folder" else root / self._targets[0]


def _copy(data: Any, target: Path, entry: FileEntry) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:  # two names may be one where case says nothing
        file.write(data)
    if entry.executable:
        target.chmod(0o755)


def _whole(artifact: Artifact, entry: FileEntry, read: Any) -> Any:
    """A file's bytes. Raises `DamagedObjectError` for a model that would open files of others."""
    data = read(Chunk(digest=entry.digest, size=entry.size))
    if missing := wire.missing_from(entry.path, data, (each.path for each in artifact.files)):
        raise DamagedObjectError(
            f"the model {entry.path!r} names {missing[:80]!r}, which is not its own file"
        )
    return data


def _private_folder() -> Path:
    import tempfile  # brings shutil and the compressors: not for those who only register

    root = Path(tempfile.mkdtemp(prefix="nbreg-"))
    atexit.register(_remove, root, os.getpid())
    return root


def _remove(root: Path, owner: int) -> None:
    import shutil

    if os.getpid() == owner:
        shutil.rmtree(root, ignore_errors=True)


def safe_target(root: Path, relative: str) -> Path:
    """Where a stored file goes below `root`.

    Raises `DamagedObjectError` if it would leave it, or cannot be.
    """
    parts = PurePosixPath(relative).parts
    if not parts or relative.startswith("/") or ".." in parts or "\0" in relative or not _is_text(relative):
        raise DamagedObjectError(f"a stored file is named {relative[:80]!r}, which leaves its folder")
    if any(len(part.encode()) > 255 for part in parts) or len(relative.encode()) > 3000:
        raise DamagedObjectError(f"a stored file is named {relative[:80]!r}…, which is too long for a name")
    return root.joinpath(*parts)


def plain_files(artifact: Artifact, read: Any) -> Iterator[tuple[str, bool, Iterable[Any]]]:
    """The files as they were; those of a folder below its name."""
    for entry in artifact.files:
        relative = safe_target(Path(), entry.path)
        if artifact.kind == "folder":
            relative = safe_target(Path(), artifact.name) / relative
        yield str(relative), entry.executable, [_whole(artifact, entry, read)]
