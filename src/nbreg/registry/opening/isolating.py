"""Isolate: a version answers from the environment that it was made in, in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nbreg import trust as trusted
from nbreg.capture.surroundings.environment import environment_summary
from nbreg.errors import BadInputError, TrustError, spelled
from nbreg.records import Artifact, DriftItem, Environment
from nbreg.registry.ground import parts
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import checked_consent, is_number
from nbreg.registry.opening import loading
from nbreg.workers import environments
from nbreg.workers.model import IsolatedModel
from nbreg.workers.plans import Plan, is_wanted, plan_of
from nbreg.workers.process import Source, worker_for

if TYPE_CHECKING:
    from nbreg.families.neutral import Buffer


def isolated(
    desk: Desk, entry: Entry, name: str, *, trust: bool | None, device: str | None, timeout: float | None
) -> Any:
    """An artifact in the environment of its version; see `Registry.isolated`."""
    checked_consent(trust)
    if timeout is not None and not (is_number(timeout) and timeout > 0):
        raise BadInputError(f"a call cannot end within {ascii(timeout)[:40]} s", hint="timeout=60, or None")
    manifest = parts.manifest(desk, entry)
    artifact = loading.artifact_of(entry, manifest, name)
    if not _needs_libraries(artifact):
        ref = f"{entry.model}@sha256:{entry.row.id}"
        return loading.load(desk, ref, name, trust=trust, on_drift="ignore", device=device)
    recorded = parts.captured(desk, entry, manifest.environment, Environment)
    plan = plan_of(recorded, entry.ref)
    _check_consent(entry, manifest.actor.user, plan, consent=trust)

    home = environments.folder(desk.settings.environments)
    most = desk.settings.environments_bytes
    source = Source(entry.ref, plan, home, most, _reader(desk, entry, artifact), device or "")
    worker = worker_for((entry.row.id, name, plan, str(home), device), source)
    worker.start()
    if "value" in worker.loaded:  # such as an array: no process has to answer for it
        value = worker.loaded["value"]
        worker.close()
        return value
    return IsolatedModel(
        worker, entry.ref, _told(recorded, plan), None if timeout is None else float(timeout)
    )


def _needs_libraries(artifact: Artifact) -> bool:
    """Whether making it takes more than plain values or files."""
    return artifact.kind == "object" and bool(artifact.globals or artifact.family != "generic")


def differing(desk: Desk, entry: Entry) -> list[DriftItem]:
    """What the version needs and is another release here, or is not here; of Python, another minor."""
    section = parts.manifest(desk, entry).environment
    if not section.is_there:
        return []
    recorded = parts.captured(desk, entry, section, Environment)
    names = {each.name for each in recorded.distributions if is_wanted(each)}
    return [
        item
        for item in loading.drift(desk, entry)
        if item.name in names or (item.name == "python" and item.severity != "minor")
    ]


def _check_consent(entry: Entry, actor: str, plan: Plan, *, consent: bool | None) -> None:
    """Installing what a record names runs it: a stranger's is not followed, whatever the model is."""
    if consent or (consent is None and trusted.vouches_for(entry.row.id, entry.row.stamp)):
        return
    shown = ", ".join(plan.requirements[:4])
    line = f"`nbreg trust {entry.model}@sha256:{entry.row.id[:16]}`"
    python = f"isolated('{entry.ref}', trust=True), or for good: {line}"
    raise TrustError(
        f"isolating {entry.ref} would install and run what {actor} recorded, and you did not vouch for it: "
        f"{shown}{' and more' if len(plan.requirements) > 4 else ''}",
        hint=f"if you trust it: {spelled(python, line)}",
        untrusted=plan.requirements,
    )


def _reader(desk: Desk, entry: Entry, artifact: Artifact) -> Any:
    def read() -> tuple[Artifact, Sequence[Buffer]]:
        """Whenever a process is started: the bytes, checked against their digests."""
        return artifact, [parts.chunk(desk, entry, chunk) for chunk in artifact.chunks]

    return read


def _told(recorded: Environment, plan: Plan) -> str:
    libraries = environment_summary(recorded)["libraries"]
    return ", ".join([plan.python, *(f"{name} {version}" for name, version in list(libraries.items())[:3])])
