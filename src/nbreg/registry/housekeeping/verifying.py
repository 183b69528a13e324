"""Verify: read everything again, trusting nothing that is in memory."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from typing import Final

import msgspec

from nbreg.errors import BadInputError, ConflictError, NbregError
from nbreg.names import SHORTEST_DIGEST
from nbreg.records import (
    NO_RECORD,
    Evidence,
    Head,
    Manifest,
    ModelRow,
    Pointer,
    Problem,
    VerifyReport,
    VersionRow,
)
from nbreg.registry.exchange import copying
from nbreg.registry.ground import bookkeeping, parts, proofs
from nbreg.registry.ground.desk import Desk
from nbreg.registry.ground.given import checked_kind
from nbreg.registry.housekeeping import ledgerchecks
from nbreg.store.folder import MODEL_ROW, Folder
from nbreg.store.tiny import JournalDB

DATA: Final = "data/"
"""What the chain of the data sets is called among those of models: no model has such a name."""

Expected = Mapping[str, str | Head] | Iterable[str] | str
"""Heads as they were written down: by journal, as `VerifyReport.heads` gives them, or hashes alone."""


def verify(desk: Desk, *, expect: Expected | None, repair: bool) -> VerifyReport:
    """Check every line, row, object and part; see `Registry.verify`."""
    desk.check_admin("a check of the whole registry")
    wanted = _wanted(expect)
    found = Findings(desk)
    with closing(Folder(desk.folder.path, desk.settings)) as folder:  # which has read nothing yet
        if folder.path.is_dir():
            for name, database in folder.databases():
                found.look_at(name, database, repair=repair)
            # Where nobody named data, there is nothing to repair.
            found.look_at(DATA, folder.data, repair=repair and folder.data.journal.path.exists())
            found.look_at_transfers(repair=repair)
            found.look_at_runs()
            ledgerchecks.look_at(found, folder, repair=repair)
            found.look_at_objects()
        if not found.heads:
            found.add("no-registry", folder.path, "there is no registry")
        found.expect(wanted)
    return found.report()


def verify_model(desk: Desk, model: str) -> VerifyReport:
    """Check one model that is there for whoever asks: its lines, its rows, every object that they need."""
    desk.model(model)
    found = Findings(desk)
    with closing(Folder(desk.folder.path, desk.settings)) as folder:
        database = folder.model(model)
        found.look_at(model, database, repair=False)
        found.look_at_objects(_needed(desk, database))
    return found.report()


class Findings:
    """What one look over a registry finds."""

    def __init__(self, desk: Desk) -> None:
        self.heads: dict[str, Head] = {}
        self.problems: list[Problem] = []
        self.repaired: list[str] = []
        self.versions = self.objects = self.bytes = 0
        self.desk = desk
        self._good: set[tuple[str, str]] = set()
        self._chains: dict[str, JournalDB] = {}

    def report(self) -> VerifyReport:
        """All of it as a record."""
        return VerifyReport(
            heads=self.heads,
            versions=self.versions,
            objects=self.objects,
            bytes=self.bytes,
            problems=self.problems,
            repaired=self.repaired,
        )

    def add(self, code: str, where: object, message: str) -> None:
        self.problems.append(Problem(code=code, where=str(where), message=message))

    def look_at(self, name: str, database: JournalDB, *, repair: bool, is_model: bool = True) -> None:
        """A journal: its chain, then the rows of a model."""
        path = database.journal.path
        try:
            database.refresh()
            if repair:
                self._repair(database)
        except NbregError as error:
            return self.add(error.code, path, error.message)
        if (damage := database.journal.damage) is not None:
            self.add("journal-damaged", f"{path}:{damage.line}", f"line {damage.line} {damage.why}")
        if len(database.journal) == 0:
            return None
        self.heads[name or "registry"] = database.journal.head
        self._chains[name or "registry"] = database
        if name and is_model and name != DATA:
            try:
                self._rows(database)
            except NbregError as error:
                self.add(error.code, path, error.message)
        return None

    def _repair(self, database: JournalDB) -> None:
        """Set the damaged end aside; numbers that its lines may have given are not given again."""
        journal = database.journal
        kept, lines = journal.repair()
        if not kept:
            return
        self.repaired.append(f"{journal.path}: what followed line {len(journal)} is in {kept}")
        model = database.row(*MODEL_ROW, ModelRow)
        if model is not None:
            with self.desk.transaction(database, "repaired") as draft:
                draft.facts.update(lines=lines, kept=kept)
                bookkeeping.brief(database, draft)
                bookkeeping.change(database, next_number=model.next_number + lines)

    def _rows(self, database: JournalDB) -> None:
        model = database.row(*MODEL_ROW, ModelRow)
        live = unread = 0
        for number in database.ids("versions"):
            self.versions += 1
            try:
                live += self._version(database, number, model.name if model else "?")
            except NbregError as error:  # its row, or one that leads to it, is no record
                self.add(error.code, f"{model.name if model else '?'}@{number}", error.message)
                unread += 1
        if model is None or not live <= model.versions <= live + unread:
            self.add(
                "rows-disagree",
                database.journal.path,
                f"it counts {model and model.versions} versions, not {live}",
            )

    def _version(self, database: JournalDB, number: str, model: str) -> bool:
        """One version, and whether it is there for readers. Raises what reading its rows raises."""
        row = database.row("versions", number, VersionRow)
        if row is None:
            return False
        if str(row.number) != number:
            told = f"versions/{number} says that it is {row.number}"
            self.add("rows-disagree", database.journal.path, told)
        self._row(database, row, model)
        return row.deleted is None

    def _row(self, database: JournalDB, row: VersionRow, model: str) -> None:
        where = f"{model}@{row.number}"
        for table, key in (("ids", row.id), *((("names", row.name),) if row.name else ())):
            if not _leads_to(database, table, key, row):
                self.add("rows-disagree", where, f"{table}/{key[:20]} does not lead to it")
        if row.purged:
            return
        proof = database.row(proofs.TABLE, proofs.row_id(row.number), Evidence)
        try:
            for problem in self._parts(row):
                self.add("object-damaged", where, problem)
            if proof is not None:
                for chunk in [*proof.outputs, *proof.chances]:
                    self.desk.folder.blobs.read(chunk.digest, proof.bundle)
        except NbregError as error:
            self.add(error.code, where, error.message)

    def _parts(self, row: VersionRow) -> Iterator[str]:
        """What is wrong with a version's manifest and the parts it names; each part is read once."""
        blobs = self.desk.folder.blobs
        try:
            manifest = msgspec.json.decode(blobs.read(row.id, row.bundle), type=Manifest)
        except NO_RECORD as error:
            yield f"the manifest cannot be read: {error}"
            return
        if manifest.content_digest != row.content_digest:
            yield "the manifest's content is not the row's"
        index = blobs.index(row.bundle)
        for digest in parts.named(manifest):
            home = "" if digest in index.large else index.elsewhere.get(digest, row.bundle)
            if (digest, home) in self._good:
                continue
            try:
                blobs.read(digest, row.bundle)
                self._good.add((digest, home))
            except NbregError as error:
                yield error.message

    def look_at_transfers(self, *, repair: bool) -> None:
        """A transfer whose second half a kill prevented: it is finished, or told."""
        for source, arrived in copying.half_done(self.desk):
            if not repair:
                told = f"it arrived as {arrived.ref}, and is still here: transfer it again, or repair"
                self.add("half-transfer", source.ref, told)
                continue
            try:
                copying.finish(self.desk, source, arrived, reason="TransferFinished", message="")
                self.repaired.append(f"{source.ref} has left for {arrived.ref}")
            except ConflictError as error:
                self.repaired.append(f"{arrived.ref} is withdrawn: {error.message}")

    def look_at_runs(self) -> None:
        """What runs logged has to be there; a torn line of a run is what a kill left, and no damage."""
        runs = self.desk.folder.runs
        for run_id in runs.ids():
            try:
                fold = runs.fold(run_id)
                if fold.begun is None or fold.begun.id != run_id:
                    self.add("run-damaged", runs.path(run_id), "its first line is not the beginning of it")
                for artifact in fold.artifacts.values():
                    self.desk.folder.blobs.read(artifact.manifest, artifact.bundle)
            except NbregError as error:
                self.add(error.code, runs.path(run_id), error.message)

    def look_at_objects(self, wanted: Container[str] | None = None) -> None:
        """Every object's bytes against its name; or those of some that are wanted."""
        blobs = self.desk.folder.blobs
        for digest, path, size in blobs.objects():
            if wanted is not None and digest not in wanted:
                continue
            self.objects += 1
            self.bytes += size
            try:
                if not blobs.is_whole(digest):
                    self.add("object-damaged", path, "its bytes are not those of its name")
            except NbregError as error:
                self.add(error.code, path, error.message)

    def expect(self, wanted: list[tuple[str, str]]) -> None:
        """Heads that were written down before must be in their chains."""
        for name, head in wanted:
            chains = (
                [self._chains[name]] if name in self._chains else [] if name else list(self._chains.values())
            )
            if len(head) < SHORTEST_DIGEST or not any(
                line.startswith(head) for chain in chains for line in _hashes(chain)
            ):
                where = name or "all chains"
                self.add("head-missing", where, f"no line has the hash {head[:16]}… that was expected")


def _wanted(expect: Expected | None) -> list[tuple[str, str]]:
    """The chains, where they are named, and the hashes that are to be in them. Raises `BadInputError`."""
    if isinstance(expect, bytes) or not isinstance(expect, str | Iterable | None):
        raise BadInputError(f"heads are a list of hashes, not {type(expect).__name__}")
    given = [expect] if isinstance(expect, str) else expect or []
    named = given.items() if isinstance(given, Mapping) else [("", each) for each in given]
    return [
        (
            checked_kind(name, str, "a chain's name"),
            head.hash if isinstance(head, Head) else checked_kind(head, str, "a head"),
        )
        for name, head in named
    ]


def _needed(desk: Desk, database: JournalDB) -> set[str]:
    """The objects of a model's versions and of what was found out about them."""
    found: set[str] = set()
    for number in database.ids("versions"):
        with suppress(NbregError):  # what cannot be read is told of already
            row = database.row("versions", number, VersionRow)
            if row is not None and not row.purged:
                found |= parts.references(desk, row)
    with suppress(NbregError):
        found.update(proofs.objects_of(desk, database))
    return found


def _leads_to(database: JournalDB, table: str, key: str, row: VersionRow) -> bool:
    """Whether a pointer leads to the version; versions of one instant may be the same, and share an id."""
    pointer = database.row(table, key, Pointer)
    if pointer is None or table == "names":
        return pointer is not None and pointer.number == row.number
    led = database.row("versions", pointer.number, VersionRow)
    return led is not None and led.id == row.id


def _hashes(database: JournalDB) -> Iterator[str]:
    journal = database.journal
    return (journal.line(index).hash for index in range(len(journal) - 1, -1, -1))
