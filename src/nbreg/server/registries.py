"""Which registries this server opens, and how a client may name them.

A key is the name that the configuration gives to a folder, or `~` and a folder below the server's
root: then it is the registry that a kernel in that folder would use. What a client says is never
joined to a folder unchecked: it may not lead out of the root, by `..` or by a link. The registry
itself may stand above the root, where a kernel would find it, too; nothing of that is the client's say.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from nbreg.errors import BadInputError, NbregError, NotFoundError, ReadOnlyError, RefusedError, did_you_mean
from nbreg.records import Lifecycle
from nbreg.registry import Registry
from nbreg.registry.ground.location import FOLDER, find
from nbreg.registry.verbs.watching import Watch
from nbreg.server.people import People
from nbreg.server.replies import RegistryInfo
from nbreg.settings import Settings

BELOW: Final = "~"
"""What the keys begin with that name a folder below the root."""

_OPEN: Final = 16


class Configured(NamedTuple):
    """A registry that the configuration names."""

    path: Path
    read_only: bool


class Opened(NamedTuple):
    """A registry as requests share it: what one has read, the next one does not read again."""

    registry: Registry
    watch: Watch


class Place(NamedTuple):
    """Where a key leads."""

    key: str
    title: str
    location: Path
    read_only: bool


class Registries:
    """The registries of one server. May be shared by threads."""

    def __init__(
        self,
        root: Path | None,
        configured: Mapping[str, Configured],
        *,
        read_only: bool = False,
        settings: Settings | None = None,
        people: People | None = None,
    ) -> None:
        self._root = root.resolve() if root else None
        self._configured = dict(configured)
        self._read_only = read_only
        self._settings = settings
        self.people = people
        """Who is held to what the models' owners said; nobody, where it is None."""
        self._open: OrderedDict[Path, Opened] = OrderedDict()
        self._guard = threading.Lock()

    def opened(self, key: str) -> Opened:
        """The registry of a key. Raises `NotFoundError`, `BadInputError` or `RefusedError`."""
        return self._opened(self.place(key).location)

    def to_write(self, key: str) -> Opened:
        """The same, for a verb that writes. Raises `ReadOnlyError` where this server only reads."""
        place = self.place(key)
        if place.read_only:
            raise ReadOnlyError(
                f"this server only reads the registry {place.title}", hint="write to it from a notebook"
            )
        return self._opened(place.location)

    def _opened(self, location: Path) -> Opened:
        with self._guard:
            known = self._open.pop(location, None)
            if known is None:
                registry = Registry(location, settings=self._settings)
                known = Opened(registry, registry.watch())
            self._open[location] = known
            while len(self._open) > _OPEN:
                self._open.popitem(last=False)[1].registry.close()
            return known

    # where

    def place(self, key: str) -> Place:
        """Where a key leads. Raises `NotFoundError`, `BadInputError` or `RefusedError`."""
        if key.startswith(BELOW):
            return self._near(key.removeprefix(BELOW))
        known = self._configured.get(key)
        if known is None:
            raise NotFoundError(
                f"this server has no registry {key[:80]!r}",
                hint=did_you_mean(key, self._configured, "`~` is that of the server's own folder"),
            )
        location = find(known.path)
        return Place(key, key, location, known.read_only or self._read_only)

    def _near(self, path: str) -> Place:
        """The registry that a notebook or folder below the root has."""
        if self._root is None:
            raise NotFoundError(
                "this server's notebooks are in no folder", hint="name registries in NbregServer.registries"
            )
        location = find(None, self._folder(path))
        home = location.parent if location.name == FOLDER else location
        inside = home.is_relative_to(self._root) and location.name == FOLDER
        if inside:
            self._refuse_leading_out(location)
        key = BELOW + (home.relative_to(self._root).as_posix() if inside and home != self._root else "")
        return Place(key, home.name or str(home), location, self._read_only)

    def _folder(self, path: str) -> Path:
        """The folder of something that a client names, as the file system has it."""
        assert self._root is not None
        parts = path.strip("/").split("/") if path.strip("/") else []
        if "\0" in path or any(part in ("", ".", "..") or _is_foreign(part) for part in parts):
            raise BadInputError(f"{path[:80]!r} is no path below the server's folder")
        try:
            found = self._root.joinpath(*parts).resolve()
            folder = found if found.is_dir() else found.parent
        except (OSError, RuntimeError, ValueError):
            raise BadInputError(f"{path[:80]!r} is no path below the server's folder") from None
        if not found.is_relative_to(self._root):
            raise RefusedError(
                f"{path[:80]!r} leads out of the server's folder",
                hint="name its registry in NbregServer.registries",
            )
        return folder

    def _refuse_leading_out(self, location: Path) -> None:
        assert self._root is not None
        real = location.resolve()
        if real.is_relative_to(self._root) or real in {find(each.path) for each in self._configured.values()}:
            return
        raise RefusedError(
            f"the registry of {location.parent.name!r} is a link that leads out of the server's folder",
            hint="name it in NbregServer.registries",
        )

    def notebook_path(self, told: str) -> str:
        """What the contents API calls a notebook that a kernel told of; empty where it is not below the root.

        What a version has on record may be the name of any file; a page opens nothing but notebooks for it.
        """
        if self._root is None or not is_notebook(told):
            return ""
        try:
            found = Path(told).resolve() if Path(told).is_absolute() else None
            if found is None or not found.is_relative_to(self._root) or not found.is_file():
                return ""
            if not is_notebook(found.name):  # a link to something else
                return ""
        except (OSError, RuntimeError, ValueError):
            return ""
        return found.relative_to(self._root).as_posix()

    # what there is

    def list(self, near: str = "") -> list[RegistryInfo]:
        """That of a notebook or folder first, then those of the configuration, by name."""
        keys = [BELOW + near.strip("/")] if self._root is not None else []
        found = [self._info(key) for key in keys]
        return found + [self._info(key) for key in sorted(self._configured)]

    def _info(self, key: str) -> RegistryInfo:
        place = self.place(key)
        why = "this server only reads it" if place.read_only else _unwritable(place.location)
        registry_id, lifecycle = "", Lifecycle()
        try:
            registry = self._opened(place.location).registry
            registry_id, lifecycle = registry.id, registry.lifecycle
        except NbregError as error:
            why = error.message
        return RegistryInfo(
            key=place.key,
            title=place.title,
            location=str(place.location),
            exists=bool(registry_id),
            writable=not why,
            why=why,
            id=registry_id,
            lifecycle=lifecycle,
        )


def is_notebook(path: str) -> bool:
    """Whether that is the name of a notebook."""
    return path.endswith(".ipynb")


def _is_foreign(part: str) -> bool:
    """What another system takes for a separator or a drive."""
    return os.sep != "/" and any(each in part for each in (os.sep, ":"))


def _unwritable(location: Path) -> str:
    while not location.exists() and location != location.parent:
        location = location.parent
    return "" if os.access(location, os.W_OK) else "its folder cannot be written by this server"
