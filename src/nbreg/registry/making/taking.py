"""Taking a draft: of a model that was just trained, what can be kept of it without being felt.

Three steps, each of which leaves a draft that can be listed: `note` says that there is one,
`keep` adds how it was made and its bytes, `finish` what took too long while a cell waited.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from nbreg import capture, families
from nbreg.capture.secrets import Redactor
from nbreg.errors import StoreError
from nbreg.families.describing import describe
from nbreg.records import Chunk, Context, DraftRecord, Manifest
from nbreg.registry.ground.desk import Desk
from nbreg.registry.making import drafting, registering, searching
from nbreg.registry.making.request import Request
from nbreg.registry.making.spelling import Piece
from nbreg.store.drafts import DraftFile, Header, sealed

UNSAVED: Final = "its kernel was busy until it ended, or still is"
NEVER_IDLE: Final = "too large to be saved at once, and this shell is never idle"
OVERWRITTEN: Final = "overwritten before it could be saved"

_NODES_IN_HASTE: Final = 300


def note(desk: Desk, record: DraftRecord) -> DraftRecord:
    """Write down that there is a draft; a file of a few hundred bytes. Raises `StoreError`."""
    notebook = Redactor.of_process().text(record.notebook)
    record = msgspec.structs.replace(record, notebook=notebook, actor=desk.actor.user, why=UNSAVED)
    return drafting.folder_of(desk).add(record)


def give_up(desk: Desk, record: DraftRecord, why: str) -> None:
    """Say why the weights of a draft are not kept. Raises `StoreError`."""
    folder = drafting.folder_of(desk)
    if folder.get(record.number) is not None:
        _write(desk, Header(record=msgspec.structs.replace(record, why=why)), [])


def keep(desk: Desk, record: DraftRecord, value: object, *, haste: bool) -> DraftRecord | None:
    """Add what is known of the model, and its bytes if they may be kept.

    In `haste` a cell is waiting: then no more is taken than environment, recipe and bytes,
    nothing is fetched from an accelerator, and the rest is for `finish`. None where equal content
    is a version or a draft already: then there is no new one. Raises `StoreError`.
    """
    request = Request.checked(desk, "draft", metrics=record.metrics)
    dumped, why = _bytes_of(desk, request, value, haste=haste)
    record = msgspec.structs.replace(record, why=why)
    if dumped is not None:
        artifact = dumped.artifact
        record = msgspec.structs.replace(record, token=artifact.token, size=artifact.size)
        if not haste and _is_known(desk, record):
            drafting.folder_of(desk).remove(record.number)
            return None
    manifest, stored = _captured(desk, request, value, dumped, haste=haste)
    telling = describe.chosen(value, manifest.params)
    record = msgspec.structs.replace(record, params=telling)
    pieces: list[tuple[Chunk, Any]] = [*stored, *(dumped.parts if dumped else [])]
    header = Header(record=record, manifest=manifest, parts=[chunk for chunk, _ in pieces])
    _write(desk, header, [piece for _, piece in pieces])
    return record


def _bytes_of(
    desk: Desk, request: Request, value: object, *, haste: bool
) -> tuple[families.Dumped | None, str]:
    """The model's bytes, or why there are none."""
    most = desk.settings.draft_bytes
    nodes = _NODES_IN_HASTE if haste else families.MOST_NODES
    try:
        dumped = families.take("model", value, most=most, on_host=haste, most_nodes=nodes)
    except families.NotTakenError as error:
        why = str(error)
        return None, f"larger than {most // 1024**2} MiB" if why == "too large" else why
    if kinds := searching.secrets_in(dumped, request.redactor.values):
        return None, f"it seems to hold a secret ({kinds})"
    return dumped, ""


def _captured(
    desk: Desk, request: Request, value: object, dumped: families.Dumped | None, *, haste: bool
) -> tuple[Manifest, list[Piece]]:
    """The manifest of a version that is none yet, and the bytes of what was captured."""
    context: Context = request.context
    pending = capture.begin(
        context, desk.settings, registry=desk.folder.path, brief=haste, redactor=request.redactor
    )
    request, seen = registering.look(desk, request, {"model": value}, None)
    found = pending.finish(value)
    if not haste:  # a waiting cell is spared the reading of its data
        seen = seen.completed(context, [value], infer=desk.settings.infer_data)
    captured = seen.added_to(found, params=bool(request.params))
    sections, stored = registering.sections(captured.parts)
    artifacts = [dumped] if dumped else []
    manifest = registering.without_capture(desk, request, artifacts, [], "", captured)
    return msgspec.structs.replace(manifest, **sections), stored


def _is_known(desk: Desk, record: DraftRecord) -> bool:
    """Whether the same content is a draft already, or one of the latest versions."""
    if not record.token:
        return False
    others = (file.header.record for file in drafting.folder_of(desk).all() if file.number != record.number)
    if any(other.token == record.token and other.is_kept for other in others):
        return True
    return record.token in drafting.registered_tokens(desk, record.type)


def finish(desk: Desk, number: int) -> None:
    """Do for a draft that was kept in haste what was left: its token, and whether it is news at all.

    The object may be gone, so its own bytes are asked: only of what libraries alone make again,
    since nothing of the user's runs for that.
    """
    folder = drafting.folder_of(desk)
    file = folder.get(number)
    if file is None or not file.header.record.is_kept:
        return
    record = file.header.record
    token = record.token or _token_of(file)
    if token and _is_known(desk, msgspec.structs.replace(record, token=token)):
        folder.remove(number)
    elif token != record.token and file.header.manifest is not None:
        artifacts = [msgspec.structs.replace(each, token=token) for each in file.header.manifest.artifacts]
        manifest = msgspec.structs.replace(file.header.manifest, artifacts=artifacts)
        pieces = [file.part(chunk.digest) for chunk in file.header.parts]
        record = msgspec.structs.replace(record, token=token)
        _write(desk, Header(record=record, manifest=manifest, parts=file.header.parts), pieces)


def _token_of(file: DraftFile) -> str:
    manifest = file.header.manifest
    if manifest is None or not manifest.artifacts:
        return ""
    return families.token_of_stored(manifest.artifacts[0], lambda chunk: file.part(chunk.digest))


def _write(desk: Desk, header: Header, pieces: list[Any]) -> None:
    folder = drafting.folder_of(desk)
    try:
        folder.write(header, pieces, stamp=drafting.signature(sealed(header)[1]))
    except StoreError:
        # Without room, or where an object goes on changing, it stays a draft that says so.
        if not pieces:
            raise
        record = msgspec.structs.replace(header.record, why="it could not be written", token="")
        folder.write(Header(record=record))


def sweep(desk: Desk) -> None:
    """Keep drafts within their bounds."""
    drafting.folder_of(desk).sweep(drafting.limits_of(desk))
