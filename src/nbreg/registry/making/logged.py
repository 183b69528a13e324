"""What a run logged, stored as a version of it would be; and a version made of that, loading nothing.

A logged model is stored with a manifest of its own: environment, cells and data as they were when
it was logged. Registering it later takes all of that over by digest, in whatever process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from nbreg import families, trust
from nbreg.capture import Capture
from nbreg.errors import (
    BadInputError,
    BadReferenceError,
    DamagedObjectError,
    UnknownArtifactError,
    call,
    did_you_mean,
)
from nbreg.records import Artifact, Manifest, RunArtifact, RunRecord, short_run
from nbreg.registry.belonging import datasets
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.making import registering, running, runrecords
from nbreg.registry.making.previewing import Preview
from nbreg.registry.making.request import Request, linked, objects
from nbreg.store.runlines import Logged
from nbreg.store.runlog import RunLog

_SOURCE: Final = re.compile(r"runs:/([^/]*)/(.*)", re.DOTALL)


def store(
    desk: Desk,
    log: RunLog,
    request: Request,
    name: str,
    value: object,
    *,
    data: Mapping[str, object] | None,
    framework: str,
    captured: bool,
) -> RunArtifact:
    """Store an object or file and say so in the run; the bytes are synced before the line is written."""
    if captured:
        named = request.with_datasets(data)
        made, _ = registering.drafted(desk, named, {"model": value}, linked(data))
    else:
        alone = Desk(desk.folder, msgspec.structs.replace(desk.settings, capture=False), desk.actor)
        made, _ = registering.drafted(alone, request, objects(None, {name: value}), None)
    artifact = made.manifest.artifacts[0]
    blobs = desk.folder.blobs
    with blobs.kept():
        batch = blobs.batch()
        manifest = registering.add_parts(batch, made)
        entry = RunArtifact(
            name=name,
            kind=artifact.kind,
            type=artifact.type,
            size=artifact.size,
            framework=framework or _framework(made.manifest),
            at=desk.folder.now(),
            bundle=batch.commit(),
            manifest=manifest,
            stamp=trust.sign(manifest),
        )
        log.add(Logged(artifact=entry))
    return entry


def _framework(manifest: Manifest) -> str:
    described = manifest.described
    framework = described.get("framework") if isinstance(described, dict) else None
    return str(framework.get("distribution", "")) if isinstance(framework, dict) else ""


# registering it


class Source(NamedTuple):
    """Artifacts of a run, under the names that the version gives them."""

    run: RunRecord
    picked: dict[str, RunArtifact]

    @property
    def base(self) -> RunArtifact:
        """The one whose capture the version takes over."""
        return self.picked.get("model") or next(iter(self.picked.values()))


def is_source(model: object, artifacts: object) -> bool:
    """Whether what is to be registered was logged before: `runs:/ID/NAME`, or names of artifacts."""
    names = isinstance(artifacts, Sequence) and not isinstance(artifacts, str)
    return names or (isinstance(model, str) and model.startswith("runs:/"))


def source(
    desk: Desk, request: Request, model: object, artifacts: object, data: object
) -> tuple[Request, Source]:
    """What is meant, and the request with that run as its own. Raises `UnknownArtifactError` among others."""
    if data is not None:
        raise BadInputError(
            "the data of what was logged is that which it was logged with",
            hint="run.log_model(model, data={'train': X})",
        )
    names = dict.fromkeys(_names(artifacts))
    wanted = {name: name for name in names}
    if isinstance(model, str):
        match = _SOURCE.fullmatch(model)
        if match is None or not match[2]:
            raise BadReferenceError(
                f"{ascii(model)[:80]} names no artifact of a run", hint="for example runs:/0190f2ab/model"
            )
        request = msgspec.structs.replace(request, run=runrecords.linked_run(desk, match[1]))
        wanted = {"model": match[2], **{name: name for name in names if name != match[2]}}
    elif model is not None:
        raise BadInputError(
            "an object is given beside names of the run's artifacts",
            hint="log it to the run first: run.log_model(…), then name it",
        )
    if request.run is None or not wanted:
        raise BadInputError("there is nothing to register", hint="run=… and artifacts=['model']")
    found = _record(desk, request.run.id)
    there = {each.name: each for each in found.artifacts}
    for name in wanted.values():
        if name not in there:
            hint = did_you_mean(name, there, "run.log_model(model) logs one")
            raise UnknownArtifactError(
                f"the run {short_run(found.id)} logged no artifact {ascii(name)[:80]}", hint=hint
            )
    return request, Source(found, {name: there[logged] for name, logged in wanted.items()})


def _names(artifacts: object) -> list[str]:
    if artifacts is None:
        return []
    if isinstance(artifacts, Mapping) or not isinstance(artifacts, Sequence):
        raise BadInputError(
            "objects are given beside an artifact of a run",
            hint="log them to the run, then name them: artifacts=['scaler']",
        )
    for name in artifacts:
        if not isinstance(name, str):
            raise BadInputError(
                f"a {type(name).__name__} among the names of artifacts", hint="artifacts=['model', 'env']"
            )
    return list(artifacts)


def _record(desk: Desk, run_id: str) -> RunRecord:
    if not desk.folder.runs.is_there(run_id):
        raise UnknownArtifactError("nothing was logged to this run", hint="run.log_model(model) logs one")
    found = runrecords.record(desk, run_id)
    if found.deleted is not None:
        raise BadReferenceError(
            f"the run {short_run(run_id)} was deleted by {found.deleted.by}",
            hint=f"{call('restore_run', run_id)} brings it back",
        )
    return found


def register(desk: Desk, request: Request, source: Source) -> Entry:
    """Make a version of what was logged; nothing is loaded, so no code runs."""
    desk.ready()
    request, frozen = running.locked_by(desk, request)
    manifest = _foreseen(desk, request, source)
    request = msgspec.structs.replace(request, params=manifest.params, metrics=manifest.metrics)
    content_digest, artifacts = manifest.content_digest, manifest.artifacts
    if not request.new and (known := registering.known_version(desk, request, content_digest)):
        datasets.note(desk, manifest.links)
        return known
    mine = all(trust.is_mine(each.manifest, each.stamp) for each in source.picked.values())
    blobs, home = desk.folder.blobs, source.base.bundle
    dumped = [families.Dumped(each, []) for each in artifacts]
    made = registering.Made(manifest, dumped, [], mine, stored=lambda digest: blobs.read(digest, home))
    with blobs.kept():
        batch = blobs.batch()
        for each in source.picked.values():
            _refuse_gone(desk, each)
            index = blobs.index(each.bundle)
            for digest in (*index.parts, *index.elsewhere, *index.large):
                batch.refer(digest, each.bundle)
        for chunk, piece in frozen:
            batch.add(piece, chunk)
        version_id = registering.add_parts(batch, made)
        bundle = batch.commit()
        datasets.note(desk, manifest.links)
        written = registering.write(desk, request, made, version_id, bundle)
    again = written or registering.known_version(desk, request, content_digest)
    return again or register(desk, request, source)


def preview(desk: Desk, request: Request, source: Source) -> Preview:
    """What `register` would write; what was captured is stored with the run, and not read."""
    return Preview.of(request.model, _foreseen(desk, request, source), Capture({}, {}))


def _foreseen(desk: Desk, request: Request, source: Source) -> Manifest:
    manifests = {name: _manifest(desk, each) for name, each in source.picked.items()}
    artifacts = [msgspec.structs.replace(each.artifacts[0], name=name) for name, each in manifests.items()]
    base = _manifest(desk, source.base)
    request = _filled(request, source.run, base)
    content_digest = registering.content_digest_of(
        request, [families.Dumped(each, []) for each in artifacts], base.links
    )
    return _as_registered(desk, request, base, artifacts, content_digest)


def _filled(request: Request, run: RunRecord, base: Manifest) -> Request:
    """The request with the run's params and metrics where it gives none of its own."""
    finite = {name: float(value) for name, value in run.metrics.items() if not isinstance(value, str)}
    return msgspec.structs.replace(
        request,
        params=request.params or run.params or base.params,
        metrics=request.metrics or finite,
    )


def _as_registered(
    desk: Desk, request: Request, base: Manifest, artifacts: list[Artifact], content_digest: str
) -> Manifest:
    told = request.params == base.params
    return msgspec.structs.replace(
        base,
        created=desk.folder.now(),
        actor=desk.actor,
        content_digest=content_digest,
        artifacts=artifacts,
        params=request.params,
        metrics=request.metrics,
        content=request.content,
        parent=request.parent,
        run=request.run,
        inferred=[each for each in base.inferred if each != "params" or told],
    )


def _manifest(desk: Desk, logged: RunArtifact) -> Manifest:
    raw = desk.folder.blobs.read(logged.manifest, logged.bundle)
    try:
        found = msgspec.json.decode(raw, type=Manifest)
    except msgspec.DecodeError as error:
        raise DamagedObjectError(
            f"the manifest of the run's artifact {logged.name!r} cannot be read"
        ) from error
    if not found.artifacts:
        raise DamagedObjectError(f"the run's artifact {logged.name!r} is not in its own manifest")
    return found


def _refuse_gone(desk: Desk, logged: RunArtifact) -> None:
    if not desk.folder.blobs.is_stored(logged.bundle):
        raise UnknownArtifactError(
            f"the bytes of {logged.name!r} were purged", hint="log it again, in another run"
        )
