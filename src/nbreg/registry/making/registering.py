"""Register: a live object becomes an immutable version.

The order is what makes it safe. Everything that can be refused is refused first; the object
is turned into bytes and the capture taken without any lock; the bytes are stored and synced;
then one line of the model's journal makes the version exist.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any

import msgspec

from nbreg import __version__ as nbreg_version
from nbreg import capture, changes, families, lifecycle, trust
from nbreg.capture.surroundings import environment
from nbreg.errors import NameTakenError, NoSpaceError, TransitionError, option
from nbreg.records import (
    Captured,
    Data,
    DataLink,
    Environment,
    Manifest,
    Pointer,
    Record,
    VersionRow,
    canonical,
    digest_of,
    plain,
)
from nbreg.registry.belonging import datasets, uses
from nbreg.registry.ground import bookkeeping, parts
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import without_secrets
from nbreg.registry.making import comparing, naming, running, searching, spelling
from nbreg.registry.making.previewing import Preview
from nbreg.registry.making.request import Request
from nbreg.registry.making.spelling import Piece
from nbreg.registry.stages import cautions, gating
from nbreg.store.batch import Batch
from nbreg.store.large import Source
from nbreg.store.tiny import Draft as Line
from nbreg.store.tiny import JournalDB

_LEAST_SPACE = 16 * 1024 * 1024


class Made(msgspec.Struct, frozen=True):
    """A version before it is stored: the manifest, and all bytes that it names."""

    manifest: Manifest
    artifacts: list[families.Dumped]
    captured: list[Piece]
    mine: bool = True
    """Whether this user made it, and so vouches for it."""
    records: dict[str, Record] = {}
    """The captured parts by name, where they are at hand."""
    stored: Callable[[str], bytes | bytearray | memoryview] | None = None
    """Reads a captured part by its digest, where a run stored it before."""

    @property
    def size(self) -> int:
        return sum(dumped.artifact.size for dumped in self.artifacts)

    @property
    def side(self) -> changes.Side:
        """It, as it is compared with others."""
        return changes.Side(self.manifest, self._part)

    @property
    def uses(self) -> uses.Uses:
        """The data and the features that it is registered with."""
        there = self.manifest.data.is_there
        return uses.of(self.manifest, self._part("data", Data) if there else Data())

    def _part(self, name: str, kind: type[Any]) -> Any:
        """A captured part; of a draft or of what a run logged, whose capture is bytes alone, decoded."""
        if name in self.records:
            return self.records[name]
        digest = getattr(self.manifest, name).digest
        known = (raw for chunk, raw in self.captured if chunk.digest == digest)
        raw = self.stored(digest) if self.stored else next(known)
        return msgspec.json.decode(raw, type=kind)


def register(
    desk: Desk, request: Request, values: dict[str, object], data: Mapping[str, object] | None
) -> Entry:
    """Make a version; see `Registry.register`."""
    pending = _begin_capture(desk, request)
    desk.ready()
    asked, (request, seen) = request, look(desk, request, values, data)
    with desk.folder.blobs.kept(), desk.folder.blobs.batch() as batch:
        dumped = _dump(request, values, batch.take)
        content_digest = content_digest_of(request, dumped, seen.links)
        read_off = request.params is not asked.params
        naming.refuse_taken(desk, request, content_digest)
        request, frozen = running.locked_by(desk, request)
        if not request.new and (known := known_version(desk, request, content_digest)):
            datasets.note(desk, seen.links)
            return known
        seen, captured = _captured(desk, pending, seen, request, values, params=read_off)
        made = _made(desk, request, dumped, seen.links, content_digest, captured)
        written = _store(desk, request, made, frozen, batch)
    # Somebody registered the same meanwhile; what was stored for nothing is found by purge.
    return written or known_version(desk, request, content_digest) or register(desk, asked, values, data)


def _begin_capture(desk: Desk, request: Request) -> capture.Pending:
    return capture.begin(request.context, desk.settings, registry=desk.folder.path, redactor=request.redactor)


def store(desk: Desk, request: Request, made: Made, frozen: Sequence[Piece] = ()) -> Entry | None:
    """Write the bytes and the run's, then the line; None where its content has come to be meanwhile."""
    with desk.folder.blobs.kept(), desk.folder.blobs.batch() as batch:
        return _store(desk, request, made, frozen, batch)


def _store(desk: Desk, request: Request, made: Made, frozen: Sequence[Piece], batch: Batch) -> Entry | None:
    for chunk, piece in frozen:
        batch.add(piece, chunk)
    version_id = add_parts(batch, made)
    bundle = batch.commit()
    datasets.note(desk, made.manifest.links)
    return write(desk, request, made, version_id, bundle)


def add_parts(batch: Batch, made: Made) -> str:
    """All bytes that are named, and the manifest, whose digest is returned."""
    for each in made.artifacts:
        for chunk, part in each.parts:
            batch.add(part, chunk)
    for chunk, raw in made.captured:
        batch.add(raw, chunk)
    chunk, raw = spelling.piece_of(canonical(made.manifest))
    return batch.add(raw, chunk, is_new=True).digest  # it says when it was made


def preview(
    desk: Desk, request: Request, values: dict[str, object], data: Mapping[str, object] | None
) -> Preview:
    """What `register` would write."""
    made, captured = drafted(desk, request, values, data)
    return Preview.of(request.model, made.manifest, captured)


def drafted(
    desk: Desk, request: Request, values: dict[str, object], data: Mapping[str, object] | None
) -> tuple[Made, capture.Capture]:
    """The version that `register` would write, with all its bytes and its capture; nothing is stored."""
    pending = _begin_capture(desk, request)
    asked, (request, seen) = request, look(desk, request, values, data)
    dumped = _dump(request, values)
    content_digest = content_digest_of(request, dumped, seen.links)
    seen, captured = _captured(
        desk, pending, seen, request, values, params=request.params is not asked.params
    )
    return _made(desk, request, dumped, seen.links, content_digest, captured), captured


def check(desk: Desk, request: Request) -> None:
    """Refuse now what `register` would refuse after the training."""
    folder = desk.folder
    desk.ready()
    room = os.statvfs(folder.path)
    if room.f_bavail * room.f_frsize < _LEAST_SPACE:
        raise NoSpaceError(f"there is almost no room left for {folder.path}", hint="free some space first")
    gating.check_beforehand(desk, request)
    database = folder.model_if_any(request.model)
    if database is None:
        folder.refuse_twin(request.model, folder.brief(request.model))
        return
    desk.check_write(database, "registered")
    with database.journal.locked():
        naming.choose(desk, database, request, naming.base_row(database, request))


def look(
    desk: Desk, request: Request, values: dict[str, object], data: Mapping[str, object] | None
) -> tuple[Request, capture.Subject]:
    """The data and the model as they are, and the request with the model's params where none were given."""
    seen = capture.look(
        values.get("model"),
        data,
        request.context,
        wanted=desk.settings.capture,
        redactor=request.redactor,
    )
    if request.datasets:
        told = datasets.told(seen.links, request.datasets)
        seen = seen._replace(
            sets=[each._replace(link=link) for each, link in zip(seen.sets, told, strict=True)]
        )
    request = msgspec.structs.replace(
        request,
        doubts=without_secrets([*cautions.paths(values), *cautions.classes(values)], request.redactor),
    )
    if request.params or not seen.described.params:
        return request, seen
    params = without_secrets(seen.described.params, request.redactor)  # they are told in plain values
    return msgspec.structs.replace(request, params=params), seen


def _captured(
    desk: Desk,
    pending: capture.Pending,
    seen: capture.Subject,
    request: Request,
    values: dict[str, object],
    *,
    params: bool,
) -> tuple[capture.Subject, capture.Capture]:
    """All that is captured; data that nobody named is looked for now, when the content is known to be new."""
    found = pending.finish(*values.values())
    seen = seen.completed(request.context, list(values.values()), infer=desk.settings.infer_data)
    return seen, seen.added_to(found, params=params)


def _dump(
    request: Request,
    values: dict[str, object],
    take: Callable[[Sequence[Source]], list[str]] = families.digested,
) -> list[families.Dumped]:
    """The artifacts, their large parts stored by `take`."""
    known = request.redactor.values

    def dump(name: str, value: object) -> families.Dumped:
        searched: list[bool] = []

        def search_and_take(sources: Sequence[Source], *, words: bool = False) -> list[str]:
            if words and not request.allow_secrets:
                searching.refuse(name, searching.secrets_among(sources, known))
                searched.append(True)
            return take(sources)

        dumped = families.dump(name, value, search_and_take)
        if not (searched or request.allow_secrets):  # by a family that hands nothing over
            searching.refuse_secrets(dumped, known)
        return dumped

    return [dump(name, value) for name, value in values.items()]


def content_digest_of(request: Request, dumped: list[families.Dumped], links: list[DataLink]) -> str:
    """What makes two registrations the same: values, not bytes, and nothing of when or by whom."""
    content = {
        "artifacts": {each.artifact.name: each.artifact.token for each in dumped},
        "params": request.params,
        "metrics": request.metrics,
        "content": request.content,
        "data": {link.name: link.snapshot for link in links},
        "parent": request.parent,
    }
    return digest_of(canonical(content))


def _made(
    desk: Desk,
    request: Request,
    dumped: list[families.Dumped],
    links: list[DataLink],
    content_digest: str,
    captured: capture.Capture,
) -> Made:
    told = _with_needs(captured, dumped)
    parts, stored = sections(told)
    manifest = msgspec.structs.replace(
        without_capture(desk, request, dumped, links, content_digest, captured), **parts
    )
    records = {name: part.record for name, part in told.items() if isinstance(part, capture.Part)}
    return Made(manifest, dumped, stored, records=records)


def sections(parts: Mapping[str, capture.Part | str]) -> tuple[dict[str, Captured], list[Piece]]:
    """The captured parts as a manifest names them, and their bytes."""
    stored: list[Piece] = []
    found: dict[str, Captured] = {}
    for name, part in parts.items():
        if isinstance(part, str):
            found[name] = Captured(missing=part)
            continue
        piece = spelling.spelled(part.record)
        stored += [piece, *map(spelling.piece_of, part.stored)]
        chunk, _ = piece
        found[name] = Captured(digest=chunk.digest, size=chunk.size, summary=plain(part.summary, name))
    return found, stored


def _with_needs(captured: capture.Capture, dumped: list[families.Dumped]) -> dict[str, capture.Part | str]:
    """The parts, the environment telling which distributions the stored bytes need."""
    part = captured.parts.get("environment")
    modules = families.modules_needed(each.artifact for each in dumped)
    if modules is None or isinstance(part, str | None) or not isinstance(part.record, Environment):
        return captured.parts
    record = environment.needed_by(part.record, modules)
    told = capture.Part(record, environment.environment_summary(record))
    return {**captured.parts, "environment": told}


def without_capture(
    desk: Desk,
    request: Request,
    dumped: list[families.Dumped],
    links: list[DataLink],
    content_digest: str,
    captured: capture.Capture,
) -> Manifest:
    """The manifest as far as the captured parts are not in it yet."""
    return Manifest(
        created=desk.folder.now(),
        actor=desk.actor,
        content_digest=content_digest,
        artifacts=[each.artifact for each in dumped],
        params=request.params,
        metrics=request.metrics,
        content=request.content,
        parent=request.parent,
        run=request.run,
        links=links,
        described=captured.described,
        inferred=list(captured.inferred),
        redactions=dict(captured.redactions),
        warnings=[f"{each.artifact.name} {warning}" for each in dumped for warning in each.warnings],
        tool=f"nbreg {nbreg_version}",
    )


# the line


def known_version(desk: Desk, request: Request, content_digest: str) -> Entry | None:
    """The version that has this content already; the event on it links the run."""
    database = desk.folder.model_if_any(request.model)
    known = _holder_of(database, content_digest) if database is not None else None
    if database is None or known is None or not parts.are_whole(desk, Entry(request.model, database, known)):
        return None
    running.registering(desk, request.run, request.model, known.id)
    with _line(desk, database, "registered-again", request) as draft:
        row = _holder_of(database, content_digest)
        if row is None:
            return None
        _refuse_other_wishes(desk, request, row)
        bookkeeping.note(database, draft, row, run=request.run.id if request.run else "")
        row = _relabelled(database, draft, request, row)
        stage, waits_for = gating.split(desk, database, request, now=row.stage)
        if stage:
            row = bookkeeping.enter(database, draft, desk.lifecycle, row, stage)
            draft.facts["stage"] = stage
    return Entry(request.model, database, row, existing=True, waits_for=waits_for)


def _refuse_other_wishes(desk: Desk, request: Request, row: VersionRow) -> None:
    """What was asked for and the version that is there cannot have: said, and never dropped in silence."""
    ref = f"{request.model}@{row.name or row.number}"
    if request.version is not None and request.version != row.name:
        raise NameTakenError(
            f"equal content is {ref} already, so it is not registered as {request.version}",
            hint=f"{option('new')} makes another version of it",
        )
    if request.stage and row.stage == lifecycle.last(desk.lifecycle):
        raise TransitionError(
            f"equal content is {ref}, which was put out of use, so it is not put in {request.stage}",
            hint=f"promote {ref} if that is meant, or {option('new')} makes another version of it",
        )


def _relabelled(database: JournalDB, draft: Line, request: Request, row: VersionRow) -> VersionRow:
    """Tags are added, and a description that is given replaces the one that is there."""
    tags = [*row.tags, *(tag for tag in request.tags if tag not in row.tags)]
    after = msgspec.structs.replace(row, tags=tags, description=request.description or row.description)
    if after != row:
        draft.facts["changed"] = [
            field for field in ("tags", "description") if getattr(row, field) != getattr(after, field)
        ]
        database.put("versions", row.number, after)
    return after


def holder(desk: Desk, request: Request, content_digest: str) -> Entry | None:
    """The version of that content which `register` would return instead of making one."""
    database = desk.model_if_any(request.model)
    row = None if database is None or request.new else _holder_of(database, content_digest)
    return Entry(request.model, database, row) if database is not None and row is not None else None


def _holder_of(database: JournalDB, content_digest: str) -> VersionRow | None:
    """The latest version of that content that is neither deleted nor purged."""
    for index in reversed(database.history("content", content_digest)):
        pointer = database.row("content", content_digest, Pointer, before=index + 1)
        row = database.row("versions", pointer.number, VersionRow) if pointer else None
        if row is not None and row.deleted is None and not row.purged:
            return row
    return None


def write(desk: Desk, request: Request, made: Made, version_id: str, bundle: str) -> Entry | None:
    """Compare with the base and write; where another version became the base meanwhile, once more."""
    stamp = trust.sign(version_id) if made.mine else ""
    running.registering(desk, request.run, request.model, version_id)
    with desk.folder.in_turn(request.model):
        for left in range(comparing.TRIES - 1, -1, -1):
            judged = comparing.judge(desk, request, made.side)
            with suppress(comparing.BaseMoved):
                written = _write(desk, request, made, version_id, bundle, judged, stamp, last=not left)
                comparing.remember(version_id, made.manifest)
                return written
    raise AssertionError("the last try takes what was found")


def _write(
    desk: Desk,
    request: Request,
    made: Made,
    version_id: str,
    bundle: str,
    judged: comparing.Judged,
    stamp: str,
    *,
    last: bool,
) -> Entry | None:
    """The moment the version comes to be: one line, under the lock. None if its content has come to be."""
    database = judged.database
    if database is None:
        database = desk.folder.model_to_write(request.model)
    used, step = made.uses, comparing.step_beside(desk, request, made.side)
    with _line(desk, database, "registered", request) as draft:
        known = None if request.new else _holder_of(database, made.manifest.content_digest)
        if known is not None and parts.are_whole(desk, Entry(request.model, database, known)):
            return None
        model = bookkeeping.brief(database, draft, new_model=request.model)
        desk.folder.refuse_twin(request.model, model)  # it may have come to be meanwhile
        base = naming.base_row(database, request)
        doubts = cautions.naming(database, request, model)
        name, implied = naming.choose(desk, database, request, base, judged.for_base(base, last=last))
        row = msgspec.structs.replace(
            _row(request, made, version_id, bundle),
            number=model.next_number,
            name=name,
            stage=lifecycle.first(desk.lifecycle),
            bump=implied.bump,
            bump_reason=implied.reason,
            base=base.number if base else None,
            stamp=stamp,
            warnings=cautions.add(
                draft,
                *doubts,
                *request.doubts,
                cautions.understated(name or "", base, step),
                *cautions.incomplete(made.manifest),
            ),
        )
        stage, waits_for = gating.split(desk, database, request)
        _put(desk, database, draft, request, row, stage)
        uses.add(database, draft, row, used)
    written = bookkeeping.version_row(database, row.number)
    return Entry(request.model, database, written, waits_for=waits_for)


def _line(desk: Desk, database: JournalDB, kind: str, request: Request) -> AbstractContextManager[Line]:
    """A line of the model's journal with what the caller said on it."""
    return desk.transaction(
        database, kind, reason=request.reason, message=request.message, redactor=request.redactor
    )


def _row(request: Request, made: Made, version_id: str, bundle: str) -> VersionRow:
    """The version's row as far as it does not depend on the versions that are there: without a number."""
    manifest = made.manifest
    all_of_it = manifest.artifacts
    model = next((each for each in all_of_it if each.name == "model"), all_of_it[0])
    return VersionRow(
        number=0,
        id=version_id,
        content_digest=manifest.content_digest,
        bundle=bundle,
        tags=request.tags,
        description=request.description,
        message=request.message,
        metrics=request.metrics,
        created=manifest.created,
        actor=manifest.actor.user,
        type=model.type,
        size=made.size,
        run=request.run.id if request.run else "",
    )


def _put(desk: Desk, database: JournalDB, draft: Line, request: Request, row: VersionRow, stage: str) -> None:
    why = {"why": row.bump_reason} if row.bump else {}
    bookkeeping.note(database, draft, row, **why, **({"stage": stage} if stage else {}))
    if request.force and row.name:
        naming.supersede(database, draft, row.name)
    bookkeeping.add(database, row)
    if stage:
        bookkeeping.enter(database, draft, desk.lifecycle, row, stage)
