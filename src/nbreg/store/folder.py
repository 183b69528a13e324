"""A registry's folder: where everything is, and how it comes to be.

    registry.jsonl                    the registry's own journal: format, id, stages
    models/churn.model/journal.jsonl  a model
    runs/                             executions of training, a file each
    decisions/                        who decided, a file of each process
    data/journal.jsonl                data sets that were named
    objects/  tmp/                    bytes · what is being written, and what was set aside

Reading makes no file, so a registry in a read-only folder works.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from nbreg.errors import (
    FileSystemError,
    FormatError,
    NameTakenError,
    ReadOnlyError,
    StoreError,
    UnknownModelError,
    spelled,
)
from nbreg.records import FORMAT, NO_RECORD, Actor, Lifecycle, ModelRow, RegistryRow, Row, timestamp
from nbreg.settings import Settings
from nbreg.store.blobs import Blobs
from nbreg.store.files import forgetful, holds, in_turn, make_folder, network_file_system, opened, refused
from nbreg.store.journal import Line, last_line
from nbreg.store.tiny import JournalDB

if TYPE_CHECKING:
    from nbreg.store.ledger import Ledger
    from nbreg.store.runs import Runs

log = logging.getLogger("nbreg")

_SUFFIX = ".model"
_OPEN_MODELS = 128
_TURN_SECONDS = 0.5
_REGISTRY_ROW = ("registry", "registry")
MODEL_ROW = ("model", "model")


class _FormatRow(Row, frozen=True, kw_only=True):
    format: int = FORMAT


class Folder:
    """The embedded store: journals under TinyDB, and blobs, in one folder."""

    def __init__(self, path: Path, settings: Settings, clock: Callable[[], datetime] | None = None) -> None:
        self.path = path
        self.objects = path / "objects"
        self.scrap = path / "tmp"
        self._models = path / "models"
        self._settings = settings
        self._clock = clock or (lambda: datetime.now(UTC))
        self._open: OrderedDict[str, JournalDB] = OrderedDict()
        self._own = self._database(path / "registry.jsonl")
        self._ready = False
        self._checked = ""
        self._guard = threading.Lock()
        forgetful.add(self)
        self.made = False
        self.blobs = Blobs(
            self.objects, self.scrap, inline_bytes=settings.inline_bytes, lock_seconds=settings.lock_seconds
        )

    def _database(self, path: Path) -> JournalDB:
        return JournalDB(path, scrap=self.scrap, lock_seconds=self._settings.lock_seconds, clock=self._clock)

    @cached_property
    def runs(self) -> Runs:
        """The runs; imported when first asked for."""
        from nbreg.store.runs import Runs

        return Runs(self.path / "runs", self.scrap)

    @cached_property
    def ledger(self) -> Ledger:
        """The decisions; imported when first asked for."""
        from nbreg.store.ledger import Ledger

        path = self.path / "decisions"
        return Ledger(path, self.scrap, self._database(path / "journal.jsonl"))

    def begin_ledger(self, actor: Actor) -> None:
        """Say in the registry's own journal that decisions are written down, once."""
        row = self.row()
        if row is None or row.ledger:
            return
        with self._own.transaction("ledger-begun", by=actor) as draft:
            row = self._own.row(*_REGISTRY_ROW, RegistryRow)
            if row is not None and not row.ledger:
                self._own.put(*_REGISTRY_ROW, msgspec.structs.replace(row, ledger=draft.at))

    @cached_property
    def data(self) -> JournalDB:
        """The journal of data sets, which may not be there; `data_to_write` makes its folder."""
        return self._database(self.path / "data" / "journal.jsonl")

    def data_to_write(self) -> JournalDB:
        """The same, to be written."""
        make_folder(self.path / "data")
        return self.data

    def now(self) -> str:
        """The time, as it is recorded."""
        return timestamp(self._clock())

    def forget_after_fork(self) -> None:
        """In a fork: a thread of the parent may have held the guard."""
        self._guard = threading.Lock()

    # the registry itself

    def row(self) -> RegistryRow | None:
        """The registry's own facts, or None where there is no registry yet.

        Raises `FormatError` for one that a newer nbreg wrote.
        """
        self.check_format()
        row = self._own.row(*_REGISTRY_ROW, RegistryRow)
        if row is None and self._own.journal.damage is not None:
            raise self._own.journal.damage.error()
        return row

    @property
    def own(self) -> JournalDB:
        """The registry's own journal."""
        return self._own

    def own_row(self) -> RegistryRow:
        """The registry's own facts, inside a transaction on them."""
        row = self._own.row(*_REGISTRY_ROW, RegistryRow)
        assert row is not None
        return row

    def put_own(self, row: RegistryRow) -> None:
        """Change the registry's own facts, inside a transaction on them."""
        self._own.put(*_REGISTRY_ROW, row)

    def check_format(self) -> None:
        """Raises `FormatError` for a registry that a newer nbreg wrote. Before anything is read."""
        head = self._own.refresh().journal.head.hash
        if head == self._checked:
            return
        # Of a newer one no more is known than that it says its format.
        row = self._own.row(*_REGISTRY_ROW, _FormatRow)
        if row is not None and row.format > FORMAT:
            raise FormatError(
                f"{self.path} has format {row.format}; this nbreg reads up to {FORMAT}",
                hint="pip install --upgrade nbreg",
            )
        self._checked = head

    def ready(self, actor: Actor) -> RegistryRow:
        """The registry's facts; it is made if it is not there. Before any write."""
        row = self.row()
        if row is not None and self._ready:
            self._refuse_unwritable()
            return row
        kind = network_file_system(_nearest(self.path))
        if kind:
            raise FileSystemError(
                f"{self.path} is on a network file system ({kind}), where locks cannot be relied on",
                hint="keep the registry on a local disk; a Jupyter Server there lets a team use it",
            )
        for folder in (self.path, self.objects, self.scrap, self._models):
            make_folder(folder)
        self._refuse_unwritable()
        self._ready = True
        return row or self._create(actor)

    def _refuse_unwritable(self) -> None:
        for folder in (self.path, self.objects, self.scrap, self._models):
            if not os.access(folder, os.W_OK) and folder.is_dir():
                raise ReadOnlyError(
                    f"the registry {self.path} cannot be written by this user",
                    hint="reading works; for the rest ask who owns it, or name another one in NBREG_REGISTRY",
                )

    def _create(self, actor: Actor) -> RegistryRow:
        if not (self.path / ".gitignore").exists():
            self._write(".gitignore", "*\n")
        with self._own.transaction("created", by=actor) as draft:
            row = self._own.row(*_REGISTRY_ROW, RegistryRow)
            if row is None:
                row = RegistryRow(id=secrets.token_hex(16), created=draft.at, lifecycle=Lifecycle())
                self._own.put(*_REGISTRY_ROW, row)
                self.made = True
        log.info("new registry in %s", self.path)
        return row

    def allow_git(self, actor: Actor) -> None:
        """Let git take the registry in, all but its caches, and never merge two chains by itself."""
        self._write(".gitignore", "tmp/\ndrafts/\ndecisions/\nobjects/parts/\nobjects/hints/\n")
        self._write(".gitattributes", "*.jsonl -text -merge\nobjects/** -text -merge -diff\n")
        with self._own.transaction("git-allowed", by=actor):
            self.put_own(msgspec.structs.replace(self.own_row(), git=True))

    def _write(self, name: str, text: str) -> None:
        try:
            with os.fdopen(opened(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w") as file:
                file.write(text)
        except OSError as error:
            raise refused(error, self.path / name) from error

    # models

    def model_path(self, model: str) -> Path:
        """The folder of a model; case folded, so that it is one folder on every system."""
        *groups, last = model.casefold().split("/")
        return self._models.joinpath(*groups, last + _SUFFIX)

    def model(self, name: str) -> JournalDB:
        """The journal of a model that is there, up to date.

        Raises `UnknownModelError`; `JournalError` where none of it can be read.
        """
        self.check_format()
        database = self._opened(name)
        found = database.refresh().row(*MODEL_ROW, ModelRow)
        if found is None:
            if database.journal.damage is not None:
                raise database.journal.damage.error()
            if self.row() is None:
                raise UnknownModelError(
                    f"no model named {name!r}: there is no registry in {self.path}",
                    hint=spelled(
                        "Registry(location) or $NBREG_REGISTRY says where it is",
                        "%use_registry LOCATION says where it is",
                        "cd to where it is, --registry, or $NBREG_REGISTRY",
                    ),
                )
            raise UnknownModelError(f"no model named {name!r} in {self.path}")
        if found.name != name:
            raise UnknownModelError(f"no model named {name!r}", hint=f"did you mean {found.name!r}?")
        return database

    def model_if_any(self, name: str) -> JournalDB | None:
        """The journal of a model, or None where there is none of that name."""
        try:
            return self.model(name)
        except UnknownModelError:
            return None

    def model_to_write(self, name: str) -> JournalDB:
        """The journal of a model, which may be new: its folder is made.

        Raises `NameTakenError` for a name that differs from a model's only in case.
        """
        database = self._opened(name)
        self.refuse_twin(name, self.brief(name))
        make_folder(database.journal.path.parent)
        return database

    @contextmanager
    def in_turn(self, name: str) -> Iterator[None]:
        """Register into a model one after the other, as far as that can be had: nobody relies on it.

        A version is compared with its base before the journal's lock. Of eight processes that compare
        at once, seven find another base under the lock, and have compared in vain.
        """
        with in_turn(self._opened(name).journal.path.parent, _TURN_SECONDS):
            yield

    def brief(self, name: str) -> ModelRow | None:
        """The row of the model in that folder, whatever the case of its name."""
        return self._opened(name).refresh().row(*MODEL_ROW, ModelRow)

    def refuse_twin(self, name: str, found: ModelRow | None) -> None:
        """Two models may not differ in case alone. Raises `NameTakenError`."""
        if found is not None and found.name != name:
            raise NameTakenError(
                f"{name!r} differs from the model {found.name!r} only in case", hint=f"use {found.name!r}"
            )

    def _opened(self, name: str) -> JournalDB:
        with self._guard:
            return self._open_one(name.casefold())

    def _open_one(self, name: str) -> JournalDB:
        database = self._open.get(name)
        if database is None:
            database = self._open[name] = self._database(self.model_path(name) / "journal.jsonl")
            while len(self._open) > _OPEN_MODELS:
                self._open.popitem(last=False)[1].close()
        else:
            self._open.move_to_end(name)
        return database

    def journals(self) -> Iterator[tuple[str, Path]]:
        """Folder name and journal of each model, in the order of their names."""
        yield from ((name, self._models / f"{name}{_SUFFIX}" / "journal.jsonl") for name in self.names())

    def names(self) -> Iterator[str]:
        """The name of each model's folder, in their order; none is looked into."""
        self.check_format()
        yield from self._walk(self._models, "", 3)

    def _walk(self, folder: Path, prefix: str, depth: int) -> Iterator[str]:
        try:
            names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise refused(error, folder, reading=True) from error
        for name in names:
            if name.endswith(_SUFFIX):
                yield prefix + name.removesuffix(_SUFFIX)
            elif depth > 1:
                yield from self._walk(folder / name, f"{prefix}{name}/", depth - 1)

    def models(self) -> list[ModelRow]:
        """Every model in brief, from the last line of its journal alone."""
        found = (self.last_row(name, path) for name, path in self.journals())
        return [row for row in found if row is not None]

    def mentioning(self, text: str) -> Iterator[str]:
        """The models whose journal has this text in it, by the names of their folders.

        A digest is told from all others, so this finds those that may have a row about it without
        reading the lines of any: a thousand journals in the time in which one is opened.
        """
        yield from (name for name, path in self.journals() if holds(path, text.encode()))

    def last_row(self, name: str, path: Path) -> ModelRow | None:
        """The row of a model that `journals` names; None where nothing of it can be read."""
        line = last_line(path)
        row = _model_row(line) if line else None
        if row is None and path.exists() and path.stat().st_size:
            return self._slowly(name)
        return row

    def _slowly(self, name: str) -> ModelRow | None:
        """A model whose last line is torn or damaged: read what stands before it."""
        try:
            return self._opened(name).refresh().row(*MODEL_ROW, ModelRow)
        except StoreError as error:
            log.error("%s", error)
            return None

    def databases(self) -> Iterator[tuple[str, JournalDB]]:
        """Each model's journal that can be read at all, and the registry's own as ''."""
        yield "", self._own
        for name, _path in self.journals():
            yield name, self._opened(name)

    def close(self) -> None:
        """Let go of all files."""
        for database in [self._own, self.data, *self._open.values()]:  # a list: other threads may open more
            database.close()
        self._open.clear()

    def close_ledger(self, actor: Actor) -> None:
        """Seal what this process decided, if it did, and let go of the ledger."""
        if "ledger" in vars(self):
            from nbreg.store import ledger

            ledger.finish(self.ledger, actor)


def _model_row(line: Line) -> ModelRow | None:
    for key, doc in zip(line.keys, line.docs, strict=False):
        if key == MODEL_ROW:
            with suppress(*NO_RECORD):
                return msgspec.json.decode(doc, type=ModelRow)
    return None


def _nearest(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
