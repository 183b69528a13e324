"""Verify, inspect, consent, construct: in this order, and nothing of it writes to the registry."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from nbreg import families, trust
from nbreg.errors import (
    BadInputError,
    DriftError,
    NotPinnedError,
    TrustError,
    UnknownArtifactError,
    did_you_mean,
)
from nbreg.names import parse_reference
from nbreg.records import Artifact, Chunk, DriftItem
from nbreg.registry import reading
from nbreg.registry.version import ModelVersion

if TYPE_CHECKING:
    from nbreg.registry.core import Registry

log = logging.getLogger("nbreg")


def load(registry: Registry, ref: str | ModelVersion, name: str, *, trust: bool | None, on_drift: str) -> Any:
    """Load an artifact; see `Registry.load`."""
    if on_drift not in ("show", "error", "ignore"):
        raise BadInputError(f"on_drift is {on_drift!r}", hint="'show', 'error' or 'ignore'")
    _check_pinned(ref)
    version = reading.get(registry, ref)
    artifact = _artifact(version, name)

    def read(chunk: Chunk) -> bytearray | memoryview:
        return version._part(chunk.digest)

    _check_trust(version, artifact, families.untrusted(artifact, read), consent=trust)
    if on_drift == "error":
        _check_drift(version)
    log.info("loading %s from %s@sha256:%s", name, version.model, version.id)
    return families.load(artifact, read)


def _check_pinned(ref: str | ModelVersion) -> None:
    if os.environ.get("NBREG_REQUIRE_PINNED") != "1" or isinstance(ref, ModelVersion):
        return
    reference = parse_reference(ref)
    if reference.kind not in ("digest", "number"):
        raise NotPinnedError(
            f"{ref!r} may mean another version tomorrow, and NBREG_REQUIRE_PINNED is set",
            hint=f"`nbreg pin {ref}` gives the reference that never moves",
        )


def _artifact(version: ModelVersion, name: str) -> Artifact:
    artifacts = version.artifacts
    if name not in artifacts:
        raise UnknownArtifactError(
            f"{version.ref} has no artifact {name[:80]!r}", hint=did_you_mean(name, artifacts)
        )
    return artifacts[name]


def _check_trust(
    version: ModelVersion, artifact: Artifact, untrusted: list[str], *, consent: bool | None
) -> None:
    if not untrusted or consent is True:
        return
    vouched = trust.is_mine(version.id, version.row.stamp) or trust.is_remembered(version.id)
    if vouched and consent is None:
        return
    shown = ", ".join(untrusted[:4]) + (f" and {len(untrusted) - 4} more" if len(untrusted) > 4 else "")
    raise TrustError(
        f"loading {version.ref} would run code by {version.actor.user} that you did not vouch for: {shown}",
        hint=f"if you trust it: load('{version.ref}', trust=True), or for good: "
        f"`nbreg trust {version.model}@sha256:{version.id[:16]}`",
        untrusted=untrusted,
    )


def drift(version: ModelVersion) -> list[DriftItem]:
    """Where the running environment differs from the version's."""
    from nbreg.capture.environment import capture_environment
    from nbreg.capture.environment import drift as drift_between
    from nbreg.capture.secrets import Redactor

    if not version.manifest.environment.is_there:
        return []
    return drift_between(version.environment, capture_environment(Redactor.of_process({})))


def _check_drift(version: ModelVersion) -> None:
    far = [item for item in drift(version) if item.severity in ("breaking", "major")]
    if far:
        told = ", ".join(f"{item.name} {item.recorded} → {item.running or 'missing'}" for item in far[:4])
        raise DriftError(
            f"the environment is too far from {version.ref}'s: {told}",
            hint="on_drift='show' loads it all the same",
        )
