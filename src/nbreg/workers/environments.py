"""Environments that were made again: one folder for each plan, in this user's cache.

One is made under another name and renamed when it is whole. Its lock is held exclusively while it is made or
removed, and shared by each process that runs in it: what is in use is not swept. uv makes it where
it is installed, else venv and pip; both ask the indexes that the user has configured for them.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from nbreg.capture.surroundings.export import uv_here
from nbreg.errors import CannotRebuildError
from nbreg.progress import Progress
from nbreg.records import NO_RECORD
from nbreg.store.verified import cache_folder
from nbreg.workers.plans import Plan

_RECORD: Final = "environment.json"
_BETWEEN: Final = 0.1
_NOT_FOR_TOOLS: Final = re.compile(
    r"VIRTUAL_ENV|CONDA_PREFIX|PYTHON(?!DONTWRITE).*|PIP_(TARGET|USER|PREFIX|REQUIRE_VIRTUALENV)"
)
_NO_NETWORK: Final = re.compile(
    r"dns error|error sending request|failed to lookup|could not connect|no route to host|proxyerror"
    r"|connection (?:refused|error|timed out)|network is unreachable|network connectivity is disabled"
    r"|temporary failure|newconnectionerror|name resolution",
    re.IGNORECASE,
)
_NO_SOLUTION: Final = re.compile(r"No solution found|ResolutionImpossible|conflicting dependencies")
_TELLING: Final = ("scikit-learn", "torch", "xgboost", "lightgbm", "keras", "tensorflow", "statsmodels")
_CREDENTIALS: Final = re.compile(r"//[^/@\s]+@")


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in an environment's folder about it."""

    python: str
    requirements: tuple[str, ...]
    size: int
    seconds: float

    @property
    def told(self) -> str:
        """What is in it, in a few words."""
        known = sorted(self.requirements, key=lambda each: not each.startswith(_TELLING))
        return ", ".join(each.replace("==", " ") for each in known[:3])

    @property
    def document(self) -> dict[str, object]:
        """The same as plain values."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


class Kept(NamedTuple):
    """An environment that was made and is still there."""

    path: Path
    made: Made
    used: float
    """When it was last begun to be used, in seconds since 1970."""


class Held(NamedTuple):
    """An environment that stays for as long as its lock is open, here or in a process that inherited it."""

    python: Path
    lock: int


def folder(given: str = "") -> Path:
    """Where environments are kept: the given folder, `$NBREG_ENVIRONMENTS`, or one in the user's cache.

    Programs are run from it, so it has to be this user's alone. Raises `CannotRebuildError`.
    """
    told = given or os.environ.get("NBREG_ENVIRONMENTS", "")
    cache = cache_folder()
    if not told and cache is None:
        raise CannotRebuildError(
            "there is no folder to make environments in", hint="NBREG_ENVIRONMENTS names one"
        )
    home = Path(told).expanduser().absolute() if told else Path(cache or "", "environments")
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = home.stat()
    except OSError as error:
        raise CannotRebuildError(
            f"{home} cannot be made: {error.strerror}", hint="NBREG_ENVIRONMENTS names another folder"
        ) from error
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise CannotRebuildError(
            f"{home} can be written by others, and programs would be run from it",
            hint="chmod go-w, or a folder of your own in NBREG_ENVIRONMENTS",
        )
    return home


def hold(plan: Plan, home: Path, *, most: int, what: str) -> Held:
    """The environment of a plan, made first if it is not there; whoever gets it closes the lock.

    Another process that makes the same one is waited for. Afterwards those that were longest
    unused go, until all take up no more than `most` bytes. Raises `CannotRebuildError`.
    """
    target = home / plan.digest.removeprefix("sha256:")[:24]
    lock = _opened(target)
    try:
        while True:
            _wait(lock, fcntl.LOCK_SH, what)
            if _is_whole(target):
                with suppress(OSError):
                    os.utime(target / _RECORD)
                return Held(_python_of(target), lock)
            _wait(lock, fcntl.LOCK_EX, what)
            if not _is_whole(target):
                _make(plan, target, what, lock)
                _sweep(home, most, but=target)
    except BaseException:
        os.close(lock)
        raise


def kept(home: Path) -> list[Kept]:
    """All that are there, those that were used last first."""
    found = []
    for path in home.iterdir() if home.is_dir() else ():
        made = _made(path)
        if made is not None:
            with suppress(FileNotFoundError):  # somebody removes it just now
                found.append(Kept(path, made, (path / _RECORD).stat().st_mtime))
    return sorted(found, key=lambda each: -each.used)


def remove(path: Path, *, scraps_only: bool = False) -> bool:
    """Remove one and what killed makers left of it, unless it is in use; says whether it did."""
    lock = _opened(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not scraps_only:
            _discard(path)
        _remove_scraps(path)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def _sweep(home: Path, most: int, *, but: Path) -> None:
    for scrap in home.glob("tmp-*"):  # a maker that was killed has no lock any more
        if (whose := scrap.name.split("-")[1]) != but.name:
            remove(home / whose, scraps_only=True)
    left = kept(home)
    size = sum(each.made.size for each in left)
    for each in reversed(left):
        if size > most and each.path != but and remove(each.path):
            size -= each.made.size


def _remove_scraps(target: Path) -> None:
    for left in target.parent.glob(f"tmp-{target.name}-*"):
        shutil.rmtree(left, ignore_errors=True)


def _discard(path: Path) -> None:
    """Renamed first: what is half removed has no name that anybody looks for."""
    gone = path.with_name(f"tmp-{path.name}-{secrets.token_hex(4)}")
    with suppress(FileNotFoundError):
        path.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _is_whole(path: Path) -> bool:
    """Also whether the interpreter that it leads to is still there: an upgrade of the system removes it."""
    return _made(path) is not None and _python_of(path).exists()


def _python_of(path: Path) -> Path:
    return path / "bin" / "python"


def _made(path: Path) -> Made | None:
    if path.name.startswith("tmp-"):
        return None
    try:
        return msgspec.json.decode((path / _RECORD).read_bytes(), type=Made)
    except (OSError, *NO_RECORD):
        return None


def _opened(target: Path) -> int:
    # The lock's file stays when the environment goes: one that is made anew would be another lock.
    name = target.with_name(f"{target.name}.lock")
    try:
        return os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise CannotRebuildError(
            f"{name.parent} cannot be written: {error.strerror}",
            hint="NBREG_ENVIRONMENTS names another folder",
        ) from error


def _wait(lock: int, kind: int, what: str) -> None:
    """Take the lock; waiting is told, and can be interrupted."""
    with _told(f"waiting for another process that makes the environment of {what}") as progress:
        while True:
            try:
                return fcntl.flock(lock, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                progress.tell()
                time.sleep(_BETWEEN)


@contextmanager
def _told(doing: str) -> Iterator[Progress]:
    progress = Progress(doing)
    try:
        yield progress
    except BaseException:
        progress.end("stopped")
        raise
    progress.end("done")


# making


def _make(plan: Plan, target: Path, what: str, lock: int) -> None:
    """Make it under another name. What killed makers left of it is removed: this one has the lock."""
    _remove_scraps(target)
    begun = time.monotonic()
    temporary = Path(tempfile.mkdtemp(prefix=f"tmp-{target.name}-", dir=target.parent))
    try:
        with _told(f"making the environment of {what}: {_said(plan)}") as progress:
            _Maker(plan, temporary, what, progress, lock).make()
        made = Made(
            python=plan.python,
            requirements=plan.requirements,
            size=_size(temporary),
            seconds=round(time.monotonic() - begun, 1),
        )
        (temporary / _RECORD).write_bytes(msgspec.json.encode(made))
        if target.exists():
            _discard(target)
        temporary.rename(target)
    except OSError as error:
        raise CannotRebuildError(f"the environment of {what} cannot be made: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _said(plan: Plan) -> str:
    return f"{plan.python}, {len(plan.requirements)} distributions"


def _size(path: Path) -> int:
    return sum(
        os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118 - thousands of files
        for root, _, names in os.walk(path)
        for name in names
    )


class _Maker:
    """Makes one environment with uv, else with venv and pip."""

    def __init__(self, plan: Plan, path: Path, what: str, progress: Progress, lock: int) -> None:
        self._plan = plan
        self._path = path
        self._what = what
        self._progress = progress
        self._lock = lock
        self._uv = uv_here()
        self._is_contradiction = False

    def make(self) -> None:
        wanted, limits = self._path / "requirements.txt", self._path / "constraints.txt"
        wanted.write_text("".join(f"{line}\n" for line in self._plan.requirements))
        limits.write_text("".join(f"{line}\n" for line in self._plan.constraints))
        python = str(self._path / "bin" / "python")
        if self._uv:
            venv = [
                self._uv,
                "venv",
                "--quiet",
                "--allow-existing",
                "--no-project",
                "--python",
                self._python(),
            ]
            downloads = [] if "UV_PYTHON_DOWNLOADS" in os.environ else ["--no-python-downloads"]
            self._do([*venv, *downloads, str(self._path)])
            install = [self._uv, "pip", "install", "--color", "never", "--python", python]
        else:
            self._do([self._python(), "-m", "venv", str(self._path)])
            install = [python, "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
        install += ["--quiet", "-r", str(wanted)]
        try:
            self._do([*install, "-c", str(limits)])
        except CannotRebuildError:
            if not self._is_contradiction:
                raise
            # What was there did work together, whatever its metadata say.
            self._do([*install, "--no-deps"])

    def _python(self) -> str:
        """An interpreter of the recorded minor: this one, one that uv finds, or one on the path."""
        if self._plan.suits_this_python:
            return sys.executable
        if self._uv:
            return self._plan.python.replace(" ", "@")
        found = shutil.which(f"python{self._plan.minor}")
        if found and self._plan.python.startswith("cpython"):
            with suppress(CannotRebuildError):
                self._do([found, "-c", "import venv"])  # a shim on the path may lead nowhere
                return found
        raise self._no_python()

    def _no_python(self) -> CannotRebuildError:
        return CannotRebuildError(
            f"{self._what} was made with {self._plan.python}, and no such interpreter is here",
            hint=f"`uv python install {self._plan.minor}`, with uv beside nbreg, brings one",
        )

    def _do(self, command: list[str]) -> None:
        """Run a tool to its end. Raises `CannotRebuildError` in one sentence of what it says."""
        environment = {name: text for name, text in os.environ.items() if not _NOT_FOR_TOOLS.fullmatch(name)}
        with tempfile.TemporaryFile() as said:
            tool = subprocess.Popen(
                command,
                cwd=self._path.parent,  # no project of the user's has a say in it
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                # It outlives a maker that is killed, and goes on to write: nobody begins before it has ended.
                pass_fds=(self._lock,),
            )
            try:
                while tool.poll() is None:
                    self._progress.tell()
                    with suppress(subprocess.TimeoutExpired):
                        tool.wait(_BETWEEN)
            finally:
                if tool.returncode is None:
                    with suppress(ProcessLookupError, PermissionError):
                        os.killpg(tool.pid, signal.SIGKILL)
                    tool.wait()
            if tool.returncode:
                said.seek(0)
                raise self._refusal(said.read().decode("utf-8", "replace"))

    def _refusal(self, said: str) -> CannotRebuildError:
        if re.search(r"No interpreter found|Failed to inspect Python|Invalid version request", said):
            return self._no_python()
        if "certificate" in said.lower():
            return CannotRebuildError(
                f"the environment of {self._what} is not made: the index's certificate is not trusted",
                hint="UV_SYSTEM_CERTS=true lets uv believe whom the system believes",
            )
        if _NO_NETWORK.search(said):
            return CannotRebuildError(
                f"the environment of {self._what} is not made yet, and the index cannot be reached",
                hint="once with the network; it is kept, and needs none after that",
            )
        self._is_contradiction = _NO_SOLUTION.search(said) is not None
        lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
        reason = _CREDENTIALS.sub("//", " ".join(lines[-4:]))[:400] or "no reason given"
        hint = "; ".join(self._plan.notes[:3]) or "look at its environment: v.export_environment(path)"
        return CannotRebuildError(
            f"the environment of {self._what} cannot be made again: {reason}", hint=hint
        )
