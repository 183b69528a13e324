"""What is installed, read from the folders that installers leave, and what of it is imported.

`importlib.metadata` parses every METADATA file for this, which takes 40 to 140 ms. Here a name
and version come from a folder's name; what else is needed is read once and kept until the
folder's own time changes, so that looking again costs one `stat` per entry of `sys.path`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal, NamedTuple

import msgspec

from nbreg.capture.secrets import without_credentials

Origin = Literal["index", "editable", "vcs", "local", "conda", "unknown"]

ENTRIES: Final = 20_000
"""How many entries of a folder on `sys.path` are looked at: the working directory may be full of data."""

METADATA_BYTES: Final = 512 * 1024
"""How far the requirements of a distribution are looked for; the rest is its description."""

_EGG = re.compile(r"(?P<name>.+?)(?:-(?P<version>\d[^-]*))?(?:-py\d[\d.]*)?(?:-[\w.]+)?\.egg-info")
_CONDA = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)-(?P<build>[^-]+)\.json")
_CHANNEL = re.compile(rb'"channel"\s*:\s*"([^"\\]*)"')
_VERSION_LINE = re.compile(rb"^Version:[ \t]*(\S+)", re.MULTILINE)
_TOP = re.compile(rb'^"?([A-Za-z_]\w*)(?:[/.][^,\n]*)?\.(?:py|so|pyd)"?,', re.MULTILINE)
_MODULE = re.compile(rb'^"?((?:[A-Za-z_]\w*/)*[A-Za-z_]\w*)(?:\.[\w.-]*)?\.(?:py|so|pyd)"?,', re.MULTILINE)
_NOBODYS = sys.stdlib_module_names | {"__main__"}
_REQUIRES = re.compile(
    rb"^Requires-Dist:[ \t]*(?P<name>[A-Za-z0-9._-]+)[^;\n]*(?P<marker>[^\n]*)", re.MULTILINE
)
_INSTALLED_HERE = re.compile(r"[\\/](?:site|dist)-packages[\\/]")


class Installed(NamedTuple):
    """One installed distribution, as its folder tells it."""

    name: str
    version: str
    origin: Origin
    url: str = ""
    commit: str = ""
    project: str = ""
    """The folder that its modules are imported from, where it is editable."""
    tops: frozenset[str] = frozenset()
    """The names that an import of it begins with."""
    record: str = ""
    """Its list of files."""


class CondaPackage(NamedTuple):
    """One package of a conda environment."""

    name: str
    version: str
    build: str
    channel: str

    @property
    def spec(self) -> str:
        """`conda-forge::openssl=3.3.1=h4ab18f5_0`, as conda itself spells exactly this package."""
        channel = self.channel.rstrip("/").split("/")
        name = channel[-2] if len(channel) > 3 else ""
        return f"{name}::{self.name}={self.version}={self.build}".removeprefix("::")


class Listing:
    """All that is installed, by name, and who owns an imported module."""

    def __init__(self, installed: Iterable[Installed], conda: Iterable[CondaPackage] = ()) -> None:
        self.conda = tuple(sorted(conda))
        """All that conda installed, Python or not."""
        first: dict[str, Installed] = {}
        for each in installed:
            first.setdefault(each.name, each)  # as an import would find it
        self.installed = tuple(sorted(first.values()))
        self._editable = [each for each in self.installed if each.project]
        self._last: tuple[tuple[str, ...], list[str], frozenset[str]] = ((), [], frozenset())
        self._files = _Files()
        owners: dict[str, list[Installed]] = {}
        for each in self.installed:
            for top in each.tops:
                owners.setdefault(top, []).append(each)
        self._owner = {top: each[0].name for top, each in owners.items() if len(each) == 1}
        # Namespace packages: only the modules below tell `google-auth` from `google-cloud-storage`.
        self._sharing = {
            top: [(each.name, _modules(each.record)) for each in several]
            for top, several in owners.items()
            if len(several) > 1
        }

    def with_requirements(self, names: Iterable[str], among: Iterable[str]) -> frozenset[str]:
        """These distributions, and what they require in turn as far as it is `among` those given.

        A requirement that was not imported did nothing, so no marker has to be evaluated.
        """
        records = {each.name: each.record for each in self.installed}
        allowed = frozenset(among)
        found: set[str] = set()
        ahead = list(names)
        while ahead:
            name = ahead.pop()
            if name not in found:
                found.add(name)
                ahead += _requirements(records.get(name, "")) & allowed
        return frozenset(found)

    def imported(self, modules: Mapping[str, object], names: tuple[str, ...] | None = None) -> frozenset[str]:
        """Names of the distributions that these modules (`sys.modules`, of these names) come from."""
        names = tuple(modules) if names is None else names
        known, tops, found = self._last
        if names != known:
            tops = [name for name in names if "." not in name and name not in _NOBODYS]
            found = frozenset(self._by_name(tops, modules))
            if modules is sys.modules:  # the others that are asked about are a handful
                self._last = (names, tops, found)
        if self._editable:  # their files are asked for each time: a module may have been loaded anew
            files = self._files.of([modules.get(top) for top in tops])
            found |= {each.name for each in self._editable if _holds_any(each.project, files)}
        return found

    def _by_name(self, tops: Iterable[str], modules: Mapping[str, object]) -> Iterator[str]:
        for top in tops:
            if top in self._owner:
                yield self._owner[top]
            for name, owned in self._sharing.get(top, ()):
                if any(module in modules for module in owned):
                    yield name


def _holds_any(project: str, files: Iterable[str]) -> bool:
    """Whether a file is the project's own, and not installed in an environment inside its folder."""
    prefix = project.rstrip(os.sep) + os.sep
    return any(f.startswith(prefix) and not _INSTALLED_HERE.search(f, len(prefix) - 1) for f in files)


class _Files:
    """The files of modules, of which there are hundreds; what does not change of each is looked up once."""

    def __init__(self) -> None:
        self._modules: list[object] = []
        self._ids: list[int] = []
        self._namespaces: list[dict[str, Any]] = []

    def of(self, modules: list[object]) -> list[str]:
        """Their files as they are now; none of a module that has none."""
        # By their ids, and kept so that these mean them: what stands in for a module may compare as it likes.
        ids = list(map(id, modules))
        if ids != self._ids:
            self._modules, self._ids = modules, ids
            self._namespaces = [found for each in modules if (found := _namespace(each))]
        files = [namespace.get("__file__") for namespace in self._namespaces]
        return [file for file in files if type(file) is str]


def _namespace(module: object) -> dict[str, Any]:
    """What is in a module, without running a lazy module's code; nothing where it is none."""
    if not issubclass(type(module), ModuleType):
        return {}
    names = object.__getattribute__(module, "__dict__")
    return names if type(names) is dict else {}


def module_file(module: object) -> str:
    """A module's file, without running a lazy module's code; empty where there is none."""
    file = _namespace(module).get("__file__")
    return file if type(file) is str else ""


def normal_name(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


# finding


def signature(path: Iterable[object], prefix: str) -> tuple[tuple[str, int], ...]:
    """What changes when something is installed or removed: the folders looked at, and their times."""
    folders = [each or os.curdir for each in path if type(each) is str]
    folders.append(os.path.join(prefix, "conda-meta"))  # noqa: PTH118 - on the path of every registration
    return tuple((folder, _time(folder)) for folder in dict.fromkeys(folders))


def _time(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 - as above
    except OSError:
        return 0


def read_listing(folders: Iterable[tuple[str, int]]) -> Listing:
    """What is installed in the folders of a `signature`; only those that changed are read again."""
    *paths, (conda, conda_time) = folders
    packages = _conda_packages(conda, conda_time) if conda_time else {}
    found = (each for path, time in paths if time for each in _installed_in(os.path.abspath(path), time))  # noqa: PTH100
    return Listing((_from_conda(each, packages) for each in found), packages.values())


@lru_cache(maxsize=64)
def _installed_in(folder: str, time: int) -> tuple[Installed, ...]:
    """The distributions of one folder; `time` is there to tell an old answer from a new one."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in islice(entries, ENTRIES):
                if entry.name.endswith((".dist-info", ".egg-info")) and not entry.name.startswith("~"):
                    found.append(_installed(entry.path, entry.stat().st_mtime_ns))
    except OSError:
        return ()
    return tuple(each for each in found if each is not None)


@lru_cache(maxsize=8192)
def _installed(path: str, time: int) -> Installed | None:
    folder = Path(path)
    name, version = _name_and_version(folder)
    if not name:
        return None
    tops = frozenset(_tops(folder))
    record = str(folder / "RECORD")
    direct = _json(folder / "direct_url.json")
    if direct:
        return _direct(direct)._replace(name=name, version=version, tops=tops, record=record)
    installer = _text(folder / "INSTALLER").strip()
    origin: Origin = "conda" if installer == "conda" else "index" if installer else "unknown"
    return Installed(name, version, origin, tops=tops, record=record)


def _name_and_version(folder: Path) -> tuple[str, str]:
    if folder.name.endswith(".dist-info"):
        name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
        return normal_name(name), version
    match = _EGG.fullmatch(folder.name)
    if match is None:
        return "", ""
    version = match["version"] or ""
    if not version:
        line = _VERSION_LINE.search(_bytes(folder / "PKG-INFO" if folder.is_dir() else folder))
        version = line[1].decode("utf-8", "replace") if line else ""
    return normal_name(match["name"]), version


def _tops(folder: Path) -> Iterator[str]:
    recorded = set(_TOP.findall(_bytes(folder / "RECORD")))
    names = recorded or _bytes(folder / "top_level.txt").split()
    for name in names:
        yield name.decode("utf-8", "replace").partition("/")[0]


@lru_cache(maxsize=512)
def _modules(record: str) -> frozenset[str]:
    found = (match.decode().replace("/", ".") for match in _MODULE.findall(_bytes(Path(record))))
    return frozenset(name.removesuffix(".__init__") for name in found)


def _requirements(record: str) -> frozenset[str]:
    """The distributions that one asks for, those of its extras left out."""
    if not record:
        return frozenset()
    metadata = os.path.join(os.path.dirname(record), "METADATA")  # noqa: PTH118, PTH120 - as above
    return _required_in(metadata, _time(metadata))


@lru_cache(maxsize=1024)
def _required_in(metadata: str, time: int) -> frozenset[str]:
    headers = _bytes(Path(metadata), METADATA_BYTES).partition(b"\n\n")[0] if time else b""
    lines = (match for match in _REQUIRES.finditer(headers) if b"extra" not in match["marker"])
    return frozenset(normal_name(match["name"].decode("ascii", "replace")) for match in lines)


# where from


def _direct(direct: Mapping[str, Any]) -> Installed:
    """Origin, URL and commit by PEP 610; the name and the rest are the caller's to fill in."""
    url = str(direct.get("url", ""))
    vcs, folder, archive = (direct.get(kind) for kind in ("vcs_info", "dir_info", "archive_info"))
    bare = without_credentials(url)
    if isinstance(vcs, dict):
        commit = str(vcs.get("commit_id", ""))
        return Installed("", "", "vcs", f"{vcs.get('vcs', 'git')}+{bare}", commit)
    if isinstance(folder, dict) and folder.get("editable"):
        return Installed("", "", "editable", bare, project=_local_path(url))
    local = isinstance(folder, dict) or url.startswith("file:")
    return Installed("", "", "local" if local else "unknown", bare, commit=_archive_digest(archive))


def _archive_digest(archive: object) -> str:
    """The digest of an archive installed by its URL: what a commit is to a repository."""
    if not isinstance(archive, dict):
        return ""
    hashes = archive.get("hashes")
    if isinstance(hashes, dict) and hashes.get("sha256"):
        return f"sha256:{hashes['sha256']}"
    return str(archive.get("hash", "")).replace("=", ":", 1)


def _local_path(url: str) -> str:
    from urllib.parse import unquote, urlsplit
    from urllib.request import url2pathname

    return os.path.realpath(url2pathname(unquote(urlsplit(url).path))) if url.startswith("file:") else ""


def _from_conda(installed: Installed, packages: Mapping[str, CondaPackage]) -> Installed:
    """What pip put there says so; all else that conda lists in the same version is conda's."""
    package = packages.get(installed.name)
    if installed.origin in ("conda", "unknown") and package and package.version == installed.version:
        return installed._replace(origin="conda", url=package.channel)
    return installed


@lru_cache(maxsize=4)
def _conda_packages(folder: str, time: int) -> dict[str, CondaPackage]:
    packages = {}
    try:
        names = os.listdir(folder)  # noqa: PTH208
    except OSError:
        return {}
    for name in names:
        if match := _CONDA.fullmatch(name):
            channel = _CHANNEL.search(_bytes(Path(folder) / name, 4096))
            url = channel[1].decode("utf-8", "replace") if channel else ""
            packages[normal_name(match["name"])] = CondaPackage(
                match["name"], match["version"], match["build"], without_credentials(url)
            )
    return packages


def _bytes(path: Path, most: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError:
        return b""


def _text(path: Path) -> str:
    return _bytes(path, 4096).decode("utf-8", "replace")


def _json(path: Path) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(_bytes(path) or b"{}")
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
