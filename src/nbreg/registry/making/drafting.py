"""Drafts of a registry: where they are, how they are listed, and how one becomes a version.

A registry that is there has its drafts in `drafts/`. One that is not there is not made because
somebody trained a model: until it is, they wait in the user's cache, in a folder named by where
the registry would be. A draft is the user's own: its file is readable by nobody else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from nbreg import trust
from nbreg.errors import BadInputError, DamagedObjectError, NbregError, TrustError, UnknownDraftError, spelled
from nbreg.records import Artifact, Captured, Chunk, DraftRecord, Environment, Manifest, canonical
from nbreg.registry.ground import listing, parts
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.making import spelling
from nbreg.registry.making.spelling import Piece
from nbreg.store.drafts import DraftFile, DraftFolder, Limits

if TYPE_CHECKING:
    from nbreg.registry.making.request import Request
    from nbreg.registry.version import ModelVersion

_SECTIONS = ("environment", "variables", "recipe", "source", "data", "signature", "probe", "notebook")
_LOOKED_AT = 20
"""Versions of a model that are asked whether they are the draft; older ones are not."""

_MODELS = 200


class Draft:
    """A model that a notebook trained and nobody has registered yet: `registry.register(name, draft)`."""

    def __init__(self, file: DraftFile, *, why: str | None = None) -> None:
        self._file = file
        record = file.header.record
        self.record: DraftRecord = record if why is None else msgspec.structs.replace(record, why=why)

    def __repr__(self) -> str:
        record = self.record
        kind = record.type.rpartition(".")[2]
        return f"<Draft {record.number} {record.variable} {kind}{'' if record.is_kept else ', not kept'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a draft is registered as the model itself, and is no artifact")

    @property
    def number(self) -> int:
        """Its number, which no other draft of the registry ever has."""
        return self.record.number

    @property
    def manifest(self) -> Manifest | None:
        """What was captured with it; None where its kernel ended before."""
        return self._file.header.manifest

    @property
    def params(self) -> dict[str, Any]:
        """The model's parameters as they were."""
        return dict(self.manifest.params) if self.manifest is not None else {}

    @property
    def is_mine(self) -> bool:
        """Whether this user's own key signed it."""
        return trust.is_mine(_signed(self._file.digest), self._file.stamp)

    def part(self, digest: str) -> bytearray:
        """One of its parts, checked. Raises `DamagedObjectError`."""
        return self._file.part(digest)

    def artifact(self) -> Artifact:
        """The model as it is stored. Raises `UnknownDraftError` where its weights are not kept."""
        stored = self.manifest.artifacts if self.manifest is not None else []
        if not self.record.is_kept or not stored:
            raise UnknownDraftError(
                f"the weights of draft {self.number} are not kept: {self.record.why}",
                hint="train it again, or register the variable if it still holds it",
            )
        return stored[0]

    def load(self, *, trust: bool | None = None) -> Any:
        """Load the model; what could run code loads if this user's kernel kept it, or with `trust=True`.

        Raises `UnknownDraftError`, `TrustError` or `DamagedObjectError`.
        """
        from nbreg import families

        def read(chunk: Chunk, *, private: bool = False) -> bytearray | memoryview:
            return self.part(chunk.digest)

        opened = families.open_artifact(self.artifact(), read)
        if opened.untrusted and trust is not True and not (trust is None and self.is_mine):
            raise self.not_trusted(opened.untrusted)
        return opened.load()

    def not_trusted(self, untrusted: list[str]) -> TrustError:
        """The refusal to run, or to vouch for, somebody else's code."""
        return TrustError(
            f"draft {self.number} holds code that this user did not sign: {', '.join(untrusted[:4])}",
            hint="if you trust it: registry.draft(N).load(trust=True), and register what that gives",
            untrusted=untrusted,
        )

    def remove(self) -> None:
        """Take it away."""
        DraftFolder(self._file.path.parent).remove(self.number)


def folder_of(desk: Desk) -> DraftFolder:
    """Where the drafts of this registry are; nothing is made."""
    own, cached = _places(desk)
    there = os.path.exists(f"{desk.folder.path}/registry.jsonl")  # noqa: PTH110 - in each registration
    if there and os.access(desk.folder.path, os.W_OK):
        return DraftFolder(own, cached)
    return DraftFolder(cached, own)


def _places(desk: Desk) -> tuple[Path, Path]:
    """The registry's own folder of drafts, and the one in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):
        base = os.path.expanduser("~/.cache")  # noqa: PTH111 - pathlib raises for who has no home
    return _places_in(base if base.startswith("/") else os.devnull, str(desk.folder.path))


@lru_cache(maxsize=64)
def _places_in(base: str, registry: str) -> tuple[Path, Path]:
    name = sha256(os.fsencode(registry)).hexdigest()[:16]
    return Path(registry, "drafts"), Path(base, "nbreg", "drafts", name)


def limits_of(desk: Desk) -> Limits:
    """What drafts may take up."""
    settings = desk.settings
    return Limits(settings.drafts_bytes, settings.drafts_kept, settings.draft_days)


def drafts(desk: Desk) -> list[Draft]:
    """All drafts, newest first, without those that are versions by now; see `Registry.drafts`."""
    desk.check_admin("the list of drafts")
    known: dict[str, set[str]] = {}
    found = []
    for file in reversed(folder_of(desk).all()):
        record = file.header.record
        if record.token:
            tokens = known.get(record.type)
            if tokens is None:
                tokens = known[record.type] = registered_tokens(desk, record.type)
            if record.token in tokens:
                continue
            tokens.add(record.token)  # of two that are equal, the first is the one
        found.append(Draft(file))
    return found[::-1]


def draft(desk: Desk, number: int) -> Draft:
    """The draft of that number. Raises `UnknownDraftError`."""
    if isinstance(number, bool) or not isinstance(number, int):
        raise BadInputError(f"a draft's number is no {type(number).__name__}", hint="registry.drafts()")
    file = folder_of(desk).get(number)
    if file is None:
        raise UnknownDraftError(
            f"there is no draft {number}",
            hint=f"{spelled('registry.drafts()', '%drafts', '`nbreg drafts`')} lists those that there are",
        )
    return Draft(file)


def registered_tokens(desk: Desk, kind: str) -> set[str]:
    """The tokens of versions of that class: the latest ones of each model, which is where they would be."""
    return {token for token, _ in _tokens(desk, kind)}


def registered_as(desk: Desk, kind: str) -> dict[str, Entry]:
    """The same tokens, each with the newest version that holds it as the model itself."""
    found: dict[str, Entry] = {}
    for token, entry in _tokens(desk, kind, artifact="model"):
        found.setdefault(token, entry)
    return found


def _tokens(desk: Desk, kind: str, artifact: str | None = None) -> Iterator[tuple[str, Entry]]:
    for model in desk.models()[:_MODELS]:
        try:
            entries = listing.versions(desk, model.name, sort=None, limit=_LOOKED_AT, offset=0, deleted=False)
            found = [(parts.manifest(desk, entry), entry) for entry in entries if entry.row.type == kind]
        except NbregError:
            continue  # what cannot be read is no reason to hide a draft
        for manifest, entry in found:
            yield from ((each.token, entry) for each in manifest.artifacts if artifact in (None, each.name))


def settle(desk: Desk, version: ModelVersion) -> None:
    """A version was registered: drafts of the same content are none any more."""
    folder = DraftFolder(*_places(desk))  # the registry is there, and was written to
    if folder.is_empty():
        return
    tokens = {artifact.token for artifact in version.manifest.artifacts}
    for file in folder.all():
        if file.header.record.token and file.header.record.token in tokens:
            folder.remove(file.number)


# a draft becomes a version


def register(desk: Desk, request: Request, draft: Draft) -> Entry:
    """Make a version of a draft, with what was captured when it was one; see `Registry.register`."""
    from nbreg import families
    from nbreg.registry.making import registering, running, searching

    artifact = draft.artifact()
    stored = [(chunk, draft.part(chunk.digest)) for chunk in artifact.chunks]
    artifact = families.completed(artifact, stored[0][1])
    _refuse_foreign(draft, artifact, stored[0][1])
    dumped = families.Dumped(artifact, list(stored))
    if not request.allow_secrets:
        searching.refuse_secrets(dumped, request.redactor.values)
    asked = request
    request = msgspec.structs.replace(
        request,
        params=request.params or draft.params,
        metrics=request.metrics or draft.record.metrics,
        run=draft.record.run or request.run,
    )
    desk.ready()
    request, frozen = running.locked_by(desk, request)
    digest = registering.content_digest_of(request, [dumped], [])
    if not request.new and (known := registering.known_version(desk, request, digest)):
        return known
    manifest, captured = _manifest(desk, request, draft, artifact, digest)
    inferred = [*manifest.inferred, *(["metrics"] if request.metrics and not asked.metrics else [])]
    made = registering.Made(msgspec.structs.replace(manifest, inferred=inferred), [dumped], captured)
    return (
        registering.store(desk, request, made, frozen)
        or registering.known_version(desk, request, digest)
        or register(desk, asked, draft)
    )


def _refuse_foreign(draft: Draft, artifact: Artifact, stream: bytearray) -> None:
    """Registering vouches for the code that loading would run: so only for what this user's kernel kept."""
    from nbreg import families

    if draft.is_mine:
        return
    opened = families.open_artifact(artifact, lambda chunk, private=False: draft.part(chunk.digest))
    if opened.untrusted:
        raise draft.not_trusted(opened.untrusted)


def _manifest(
    desk: Desk, request: Request, draft: Draft, artifact: Artifact, digest: str
) -> tuple[Manifest, list[Piece]]:
    """The draft's own manifest as that of a version, and the bytes of the captured parts."""
    from nbreg import families
    from nbreg.capture.surroundings import environment

    kept = draft.manifest
    assert kept is not None  # it names the artifact
    sections: dict[str, Captured] = {name: getattr(kept, name) for name in _SECTIONS}
    pieces = {
        each.digest: (Chunk(digest=each.digest, size=each.size), bytes(draft.part(each.digest)))
        for each in sections.values()
        if each.digest
    }
    modules = families.modules_needed([artifact])
    section = sections["environment"]
    if modules is not None and section.is_there:
        record = environment.needed_by(_decoded(pieces.pop(section.digest)[1]), modules)
        chunk, raw = spelling.piece_of(canonical(record))
        pieces[chunk.digest] = chunk, raw
        summary = environment.environment_summary(record)
        sections["environment"] = Captured(digest=chunk.digest, size=chunk.size, summary=summary)
    manifest = msgspec.structs.replace(
        kept,
        created=desk.folder.now(),
        actor=desk.actor,
        content_digest=digest,
        artifacts=[artifact],
        params=request.params,
        metrics=request.metrics,
        content=request.content,
        parent=request.parent,
        run=request.run,
        draft=origin(draft.record),
        inferred=[name for name in kept.inferred if name != "params" or request.params == kept.params],
        **sections,
    )
    return manifest, list(pieces.values())


def _decoded(raw: bytes) -> Environment:
    try:
        return msgspec.json.decode(raw, type=Environment)
    except msgspec.DecodeError as error:
        raise DamagedObjectError(f"the environment of the draft cannot be read: {error}") from error


def origin(record: DraftRecord) -> dict[str, Any]:
    """What a version says of the draft that it was: which one, and the cell that trained it."""
    told = {
        "number": record.number,
        "variable": record.variable,
        "trained": record.at,
        "notebook": record.notebook,
        **record.cell,
    }
    return {name: value for name, value in told.items() if value not in ("", None)}


def _signed(digest: str) -> str:
    """What the signature of a draft is of; no id of a version looks like it."""
    return f"draft {digest}"


def signature(digest: str) -> str:
    """This user's signature of a draft's header; empty where no key can be kept."""
    return trust.sign(_signed(digest))
