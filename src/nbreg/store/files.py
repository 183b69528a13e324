"""Files that survive a crash, and locks that survive threads, forks and other processes.

A lock is an `flock` on the very file or folder it protects: there is no side file that could
be deleted under a holder, and the system gives the lock back when a holder dies. It belongs to
an open file description, so each use opens, locks and closes one of its own.
"""

from __future__ import annotations

import errno
import fcntl
import os
import random
import stat
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

from nbreg.errors import FileSystemError, NoSpaceError, ReadOnlyError, RegistryBusyError, StoreError

_NO_SPACE: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_READ_ONLY: Final = frozenset((errno.EACCES, errno.EPERM, errno.EROFS))
_MISSING: Final = frozenset((errno.ENOENT, errno.ENOTDIR))
_SYNC: Final = 0.0005  # a holder syncs one line: who asks sooner asks for nothing
_TURN: Final = 0.002  # a holder compares, and then syncs one
_FOREIGN: Final = "it stands where a file of the registry's own should: see where that folder comes from"
_NETWORK: Final = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "afs",
    "ceph",
    "fuse.sshfs",
    "fuse.s3fs",
    "fuse.gcsfuse",
    "lustre",
)


_own: dict[str, None] = {}
_own_beginnings: tuple[str, ...] = ()
_made_for_own: set[str] = set()


def note_own(*folders: Path | str | None) -> None:
    """Everything below these is nbreg's own: what it reads and writes there is no doing of a cell's."""
    global _own_beginnings
    given = [os.path.abspath(each) for each in folders if each is not None]  # noqa: PTH100 - strings, quickly
    for each in given:
        if f"{each}/" not in _own:
            _own[f"{each}/"] = _own[f"{os.path.realpath(each)}/"] = None
            _own_beginnings = tuple(_own)
            above = os.path.dirname(each)  # noqa: PTH120
            if not os.path.exists(above):  # noqa: PTH110 - a `~/.config` that nbreg is the first to need
                _made_for_own.add(above)


def is_own(path: str) -> bool:
    """Whether an absolute path is such a folder, below one that this process has used, or made for one."""
    return f"{path}/".startswith(_own_beginnings) or path in _made_for_own


def holds(path: Path, text: bytes, block: int = 4 * 1024 * 1024) -> bool:
    """Whether a file has these bytes in it; also where it cannot be read, for whoever reads on says why."""
    try:
        with os.fdopen(opened(path), "rb", buffering=0) as file:
            end = b""
            while piece := file.read(block):
                seen = end + piece
                if text in seen:
                    return True
                end = seen[-len(text) :]
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def refused(error: OSError, path: Path | str, *, reading: bool = False) -> StoreError:
    """The typed error for what the system refused."""
    if reading:
        hint = "is the path right?" if error.errno in _MISSING else "check its rights"
        return StoreError(
            f"{path} cannot be read: {error.strerror or error}",
            hint=_FOREIGN if isinstance(error, ForeignError) else hint,
        )
    if error.errno in _NO_SPACE:
        return NoSpaceError(
            f"no room to write {path}: {error.strerror}",
            hint="nothing was changed; free some space and try again",
        )
    if error.errno in _READ_ONLY:
        return ReadOnlyError(
            f"{path} cannot be written: {error.strerror}",
            hint="reading works; writing needs the rights to it, or another registry in NBREG_REGISTRY",
        )
    hint = _FOREIGN if isinstance(error, ForeignError) else ""
    return StoreError(f"{path}: {error.strerror or error}", hint=hint)


class ForeignError(OSError):
    """What stands in the place of a file of the registry's own is no such file."""


def opened(path: Path | str, flags: int = os.O_RDONLY, mode: int = 0o666) -> int:
    """A descriptor of a file that is the registry's own, to read or write as the flags say.

    A link is not followed: what a folder brings along, such as a clone of somebody's project, would
    have this user's files read, cut off or written to. A pipe or a device is none, and nobody waits for it.

    Raises `OSError`; `ForeignError` for these.
    """
    try:
        fd = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, mode)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            what = "it is a link" if error.errno == errno.ELOOP else "it is no regular file"
            raise ForeignError(error.errno, what, str(path)) from None
        raise
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise ForeignError(errno.EINVAL, "it is no regular file", str(path))


# writing


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write every byte: the system may take fewer than it is given."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_folder(path: Path | str) -> None:
    """Make the names in a folder as durable as the files they name."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def inherit(fd: int, folder: Path | str, *, keep: int) -> None:
    """Give a new file or folder its folder's group, and the rights of the folder that `keep` lets through.

    So what one member of a group creates in a shared folder, the others can go on with,
    whatever the umask of the first.
    """
    parent, own = os.stat(folder), os.fstat(fd)  # noqa: PTH116
    with suppress(PermissionError):
        if own.st_gid != parent.st_gid:
            os.fchown(fd, -1, parent.st_gid)
            own = os.fstat(fd)  # which may have taken rights away
    with suppress(PermissionError):
        if stat.S_IMODE(own.st_mode) != parent.st_mode & keep:
            os.fchmod(fd, parent.st_mode & keep)


def make_folder(path: Path | str, *, durable: bool = True) -> None:
    """Create a folder and what it stands in; one that is there already is fine."""
    if os.path.isdir(path):  # noqa: PTH112 - several times in each registration
        return
    path = Path(path)
    if not path.parent.is_dir():
        make_folder(path.parent, durable=durable)
    try:
        path.mkdir()
    except FileExistsError:
        return
    except OSError as error:
        raise refused(error, path) from error
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        inherit(fd, path.parent, keep=0o2777)
    finally:
        os.close(fd)
    if durable:
        sync_folder(path.parent)


# locks


class _Gate:
    """One inode's lock among the threads of this process, and who holds it."""

    __slots__ = ("__weakref__", "lock", "owner")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.owner = 0


Inode = tuple[int, int]
_gates: weakref.WeakValueDictionary[Inode, _Gate] = weakref.WeakValueDictionary()
_gates_guard = threading.RLock()
_locked_fds: set[int] = set()


class Forgetful(Protocol):
    """What holds locks or half-made state that a fork must not go on with."""

    def forget_after_fork(self) -> None: ...


forgetful: weakref.WeakSet[Forgetful] = weakref.WeakSet()
"""Told in the child of a fork: another thread of the parent may have been anywhere."""


def _forget_after_fork() -> None:
    """A child holds no lock: it drops its copies of the descriptors and of the gates.

    Closing a copy leaves the parent's lock alone; keeping it would hold the lock for as long
    as the child lives, also when the parent is gone.
    """
    global _gates_guard
    _gates_guard = threading.RLock()
    _gates.clear()
    for fd in _locked_fds:
        with suppress(OSError):
            os.close(fd)
    _locked_fds.clear()
    for each in list(forgetful):
        each.forget_after_fork()


os.register_at_fork(
    before=lambda: _gates_guard.acquire(),
    after_in_parent=lambda: _gates_guard.release(),
    after_in_child=_forget_after_fork,
)


class _Held:
    """A lock that is held, or about to be: what has to be given back, however far that came."""

    __slots__ = ("_gate", "fd")

    def __init__(self) -> None:
        self.fd = -1
        self._gate: _Gate | None = None

    def enter(self, inode: Inode, path: Path | str, seconds: float) -> None:
        """Wait among this process's threads first: they need not poll the system for each other."""
        gate = _gate_of(inode)
        if gate.owner == threading.get_ident():
            raise StoreError(f"{path} is being written by this very thread", hint="do not nest transactions")
        if not gate.lock.acquire(timeout=seconds):
            raise RegistryBusyError(
                f"{path} is locked by another thread of this process",
                hint="it did not finish in time; try again",
            )
        gate.owner = threading.get_ident()
        self._gate = gate

    def give_back(self) -> None:
        """Let go of all of it."""
        try:
            if self.fd >= 0:
                _give_back(self.fd)
        finally:
            self.fd = -1
            if self._gate is not None:
                self._gate.owner = 0
                self._gate.lock.release()
                self._gate = None


def _gate_of(inode: Inode) -> _Gate:
    with _gates_guard:
        gate = _gates.get(inode)
        if gate is None:
            gate = _gates[inode] = _Gate()
        return gate


def _flock(fd: int, path: Path | str, seconds: float, *, shared: bool, pause: float) -> None:
    operation = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    deadline = time.monotonic() + seconds
    while True:
        try:
            return fcntl.flock(fd, operation)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            raise FileSystemError(
                f"{path} cannot be locked: {error.strerror}", hint="keep the registry on a local file system"
            ) from error
        if time.monotonic() > deadline:
            raise RegistryBusyError(
                f"{path} is locked by {_holder(fd)} for more than {seconds:g} s",
                hint="wait for it or end it; a lock is never broken by time",
            )
        # Uneven pauses, so that waiting processes do not keep step with each other.
        time.sleep(pause * (0.5 + random.random()))  # noqa: S311
        pause = min(pause * 1.5, 0.01)


def _holder(fd: int) -> str:
    """Who holds the lock, as far as the system tells (`/proc/locks`)."""
    status = os.fstat(fd)
    inode = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()
            if "->" not in words and words[1] == "FLOCK" and words[5] == inode:
                pid = int(words[4])
                command = (
                    Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
                return f"process {pid} ({command.strip()[:80]})"
    return "another process"


@contextmanager
def locked(
    path: Path | str, seconds: float, *, shared: bool = False, create: bool = False, pause: float = _SYNC
) -> Iterator[int]:
    """Hold the lock of a file or folder, and give its descriptor.

    A file is opened for reading and writing (and made, with `create`), a folder for reading.
    Nothing slow may run inside: others wait for it.

    Raises `RegistryBusyError`, `ReadOnlyError` or `FileSystemError`.
    """
    held = _Held()
    try:
        while True:
            held.fd = _open(path, create=create)
            inode = _inode(os.fstat(held.fd))
            if not shared:
                held.enter(inode, path, seconds)
            _flock(held.fd, path, seconds, shared=shared, pause=pause)
            if _is_at(path, inode):
                break
            held.give_back()  # it was replaced while we waited: lock the one that is there now
        yield held.fd
    finally:
        held.give_back()


@contextmanager
def in_turn(path: Path, seconds: float) -> Iterator[None]:
    """Hold the lock of a folder where it can be had in that time, and else go on without it.

    For what is right also when several do it at once, and only costs less one after the other.
    """
    with ExitStack() as held:
        with suppress(StoreError):
            held.enter_context(locked(path, seconds, pause=_TURN))
        yield


def _open(path: Path | str, *, create: bool) -> int:
    try:
        if create:
            return _noted(path, os.O_RDWR | os.O_CREAT)
        try:
            return _noted(path, os.O_RDONLY | os.O_DIRECTORY)
        except NotADirectoryError:
            return _noted(path, os.O_RDWR)
    except OSError as error:
        raise refused(error, path) from error


def _noted(path: Path | str, flags: int) -> int:
    with _gates_guard:  # no fork between opening and noting: the child would not know what to close
        fd = os.open(path, flags | os.O_CLOEXEC) if flags & os.O_DIRECTORY else opened(path, flags)
        _locked_fds.add(fd)
    return fd


def _give_back(fd: int) -> None:
    if fd not in _locked_fds:
        return  # this process is a fork of the holder, and has let go already
    with _gates_guard:
        _locked_fds.discard(fd)
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_UN)  # closing is not enough while a fork holds a copy
        os.close(fd)


def _is_at(path: Path | str, inode: Inode) -> bool:
    with suppress(FileNotFoundError):
        return _inode(os.stat(path)) == inode  # noqa: PTH116
    return False


def _inode(status: os.stat_result) -> Inode:
    return status.st_dev, status.st_ino


# file systems


def network_file_system(path: Path) -> str:
    """The kind of network file system that the path is on, or nothing."""
    try:
        mounts = Path("/proc/self/mounts").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    resolved = f"{path.resolve()}/"
    for mount in mounts:
        _device, target, fs_type, *_ = mount.split(" ")
        target = target.replace("\\040", " ").rstrip("/") + "/"
        if resolved.startswith(target) and len(target) >= len(best):
            best, kind = target, fs_type
    return kind if kind.startswith(_NETWORK) else ""
