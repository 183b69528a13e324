"""Files that a cell opens, and what it starts, as the interpreter's audit events tell.

There is one hook for the whole process, since Python lets none be removed; while no cell is
watched it returns at once. Readers that pass Python by (Arrow, HDF5) are covered by the texts
of a cell that name a file.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from sysconfig import get_path
from types import FrameType
from typing import Any, Final

from nbreg.store.files import is_own

_MOST: Final = 2000
_IGNORED: Final = (
    "/proc/", "/dev/", "/sys/", "/etc/",
    *(path for name in ("stdlib", "purelib", "platlib") if (path := get_path(name))),
)  # fmt: skip
_PASSED_OVER: Final = ("/.ipython/", "/.nbreg/", "/site-packages/", "/.ipynb_checkpoints/", "/.git/")
_STARTS: Final = frozenset(
    ["subprocess.Popen", "os.system", "os.posix_spawn", "os.fork", "os.forkpty", "os.spawn", "pty.spawn"]
)
_TWO_PATHS: Final = frozenset(
    ["os.rename", "shutil.copyfile", "shutil.move", "shutil.copytree", "os.link", "os.symlink"]
)
_ONE_PATH: Final = frozenset(["os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree"])
_LISTS: Final = frozenset(["os.listdir", "os.scandir", "glob.glob"])

Stamp = tuple[int, int, int]


class Watch:
    """What one cell does to files. `killed` ones no longer depend on what they were."""

    def __init__(self) -> None:
        self.read: dict[str, None] = {}
        self.written: dict[str, None] = {}
        self.killed: set[str] = set()
        self.listed: dict[str, None] = {}
        self.databases: dict[str, Stamp | None] = {}
        self.sockets = False
        self._before: dict[str, Stamp | None] = {}
        self._folders: dict[str, dict[str, Stamp]] = {}
        self._thread = threading.get_ident()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was written and no other program started, as far as was told by now."""
        return not (self.written or self.databases or self._folders)

    def begin(self, texts: Iterable[str]) -> None:
        """Look at what the cell's texts name, then listen."""
        for path in paths_in(texts):
            self._before[path] = stamp(path)
        _listen(self)

    def end(self) -> None:
        """Listen no more, and see what changed without being told."""
        _silence(self)
        for path, before in self._before.items():
            after = stamp(path)
            if after != before:
                self.written[path] = None
            elif after is not None:
                self.read[path] = None
        for path, before in self.databases.items():
            if stamp(path) != before:
                self.written[path] = None
            self.read[path] = None
        for folder, old in self._folders.items():
            new = _listing(folder)
            for path in {*old, *new}:
                if old.get(path) != new.get(path):
                    self.written[path] = None

    # events

    def event(self, name: str, arguments: tuple[Any, ...]) -> None:
        """One audit event of this process."""
        if name == "open":
            self._opened(*arguments[:3])
        elif name in _STARTS:
            self._started()
        elif name in _TWO_PATHS and len(arguments) > 1:
            source, target = _path(arguments[0]), _path(arguments[1])
            self._note(source, target)
            if name in ("os.rename", "shutil.move") and source:
                self.written[source] = None
        elif name in _ONE_PATH:
            if path := _path(arguments[0]):
                self.written[path] = None
        elif name in _LISTS and not _is_import():
            folder = arguments[0] if arguments[0] is not None else "."
            if path := _path(folder):
                self.listed[path if name != "glob.glob" else os.path.dirname(path)] = None
        elif name == "os.chdir":
            if path := _path(arguments[0]):
                self.read[path] = None
        elif name == "sqlite3.connect":
            self._connected(arguments[0])
        elif name == "socket.connect":
            self.sockets = True

    def _opened(self, file: Any, mode: Any, flags: Any) -> None:
        path = _path(file)
        if path is None or len(self.read) + len(self.written) > _MOST:
            return
        mode = mode if isinstance(mode, str) else ""
        flags = flags if isinstance(flags, int) else 0
        if "w" in mode or "x" in mode or flags & os.O_TRUNC:
            if path not in self.read:
                self.killed.add(path)
            self.written[path] = None
        elif set("a+") & set(mode) or flags & (os.O_WRONLY | os.O_RDWR):
            self.written[path] = self.read[path] = None
        elif path not in self.written:
            self.read[_source_of(path)] = None

    def _note(self, source: str | None, target: str | None) -> None:
        if source and source not in self.written:
            self.read[source] = None
        if target:
            self.written[target] = None

    def _connected(self, database: Any) -> None:
        if issubclass(type(database), str | bytes) and os.fsdecode(database) in (":memory:", ""):
            return
        path = _path(database)
        if path is not None:
            self.databases.setdefault(path, stamp(path))

    def _started(self) -> None:
        """Another program runs: what it does to the working folder is seen afterwards."""
        folders = {os.getcwd(), *(os.path.dirname(path) for path in self._before)}
        for folder in sorted(folders)[:8]:
            if folder and folder not in self._folders:
                self._folders[folder] = _listing(folder)


# the hook

_watches: list[Watch] = []
_hooked = False
_inside = threading.local()


def _listen(watch: Watch) -> None:
    global _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    _watches.append(watch)


def _silence(watch: Watch) -> None:
    if watch in _watches:
        _watches.remove(watch)


def _hook(name: str, arguments: tuple[Any, ...]) -> None:
    if not _watches:
        return
    if name not in _EVENTS or getattr(_inside, "busy", False) or _is_ours():
        return
    _inside.busy = True
    try:
        for watch in list(_watches):
            watch.event(name, arguments)
    except Exception:  # noqa: S110 - an exception here would be the user's `open` failing
        pass
    finally:
        _inside.busy = False


_EVENTS: Final = (
    {"open", "os.chdir", "sqlite3.connect", "socket.connect"} | _STARTS | _TWO_PATHS | _ONE_PATH | _LISTS
)


@contextmanager
def unwatched() -> Iterator[None]:
    """What this thread does inside is nbreg's own doing, and no cell's."""
    before, _inside.busy = getattr(_inside, "busy", False), True
    try:
        yield
    finally:
        _inside.busy = before


def _is_ours() -> bool:
    """Whether nbreg's own threads do it."""
    return threading.current_thread().name.startswith("nbreg-")


def _is_import() -> bool:
    """Whether Python itself looks for a module."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return frame is not None and "importlib" in frame.f_code.co_filename


# paths


def _path(file: Any) -> str | None:
    """The absolute path, or None for a descriptor and for what no notebook's result rests on."""
    if not issubclass(type(file), str | bytes | PurePath):
        return None
    path = os.path.abspath(os.fsdecode(file))
    return path if is_watched(path) else None


def is_watched(path: str) -> bool:
    """Whether a result may rest on it, not on a library, the system or nbreg's own files."""
    return not (path.startswith(_IGNORED) or is_own(path) or any(part in path for part in _PASSED_OVER))


def _source_of(path: str) -> str:
    """Python reads a module's cache where its source is meant."""
    folder, name = os.path.split(path)
    if os.path.basename(folder) == "__pycache__" and name.endswith(".pyc"):
        return os.path.join(os.path.dirname(folder), name.partition(".")[0] + ".py")
    return path


def paths_in(texts: Iterable[str]) -> list[str]:
    """Texts that may name a file, as absolute paths: at most 50."""
    found: dict[str, None] = {}
    for text in texts:
        if (
            1 < len(text) < 512
            and "\n" not in text
            and ("." in text or "/" in text)
            and " " not in text.strip()
        ):
            path = _path(text)
            if path is not None and not path.endswith("/.") and len(found) < 50 and _may_be_file(text):
                found[path] = None
    return list(found)


def _may_be_file(text: str) -> bool:
    name = os.path.basename(text)
    return bool(os.path.splitext(name)[1][1:].isalnum() or os.path.exists(text))


def stamp(path: str) -> Stamp | None:
    """What tells whether a file changed; None where there is none, and for folders."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if os.path.isdir(path):
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _listing(folder: str) -> dict[str, Stamp]:
    found: dict[str, Stamp] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if len(found) >= _MOST:
                    break
                status = entry.stat()
                kind = (0, 0, 0) if entry.is_dir() else (status.st_mtime_ns, status.st_size, status.st_ino)
                found[os.path.join(folder, entry.name)] = kind
    except OSError:
        return found
    return found


def above(path: str) -> list[str]:
    """The folders that must be there for the file to be."""
    found: list[str] = []
    for _ in range(8):
        path = os.path.dirname(path)
        if len(path) < 2:
            break
        found.append(path)
    return found
