"""Verify, inspect, consent, construct: in this order, and nothing of it writes to the registry."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

from nbreg import families, trust
from nbreg.errors import (
    BadInputError,
    CannotLoadError,
    DriftError,
    NotPinnedError,
    TrustError,
    UnknownArtifactError,
    did_you_mean,
    spelled,
)
from nbreg.names import parse_reference
from nbreg.records import Artifact, Chunk, DriftItem, Environment, Manifest
from nbreg.registry.ground import parts, reading
from nbreg.registry.ground.desk import Desk, Entry, brief
from nbreg.registry.ground.given import checked_consent, checked_kind
from nbreg.store.verified import Verified

log = logging.getLogger("nbreg")

_SMALL = 64 * 1024 * 1024  # this much is checked in 40 ms


def load(
    desk: Desk, ref: str, name: str, *, trust: bool | None, on_drift: str, device: str | None = None
) -> Any:
    """Load an artifact; see `Registry.load`."""
    if on_drift not in ("show", "error", "isolate", "ignore"):
        raise BadInputError(f"on_drift is {on_drift!r}", hint="'show', 'error', 'isolate' or 'ignore'")
    checked_consent(trust)
    check_pinned(ref)
    entry = reading.get(desk, ref)
    _tell_of_latest(desk, ref, entry)
    if on_drift == "isolate":
        from nbreg.registry.opening import isolating  # starts processes and makes environments: seldom needed

        if isolating.differing(desk, entry):
            return isolating.isolated(desk, entry, name, trust=trust, device=device, timeout=None)
    manifest = parts.manifest(desk, entry)
    artifact = artifact_of(entry, manifest, name)

    opened = families.open_artifact(artifact, _Reader(desk, entry, artifact))
    _check_trust(entry, manifest, opened.untrusted, consent=trust)
    if on_drift == "error":
        _check_drift(entry, drift(desk, entry))
    if device is not None:
        _place(opened, name, device)
    log.info("loading %s from %s@sha256:%s", name, entry.model, entry.row.id)
    try:
        return opened.load()
    except CannotLoadError as error:
        _hint_at_what_differs(desk, entry, error)
        raise


def _hint_at_what_differs(desk: Desk, entry: Entry, error: CannotLoadError) -> None:
    """What cannot be made here can be where the libraries are those that it was made with."""
    from nbreg.registry.opening import isolating

    items = isolating.differing(desk, entry)
    if not items:
        return
    told = ", ".join(f"{item.name} {item.recorded} → {item.running or 'missing'}" for item in items[:4])
    more = f" and {len(items) - 4} more" if len(items) > 4 else ""
    python, typed = f"registry.isolated({entry.ref!r})", f"%load_model {entry.ref} --isolate"
    error.add_hint(f"{told}{more}: {spelled(python, typed)} runs it with what it was made with")


def _place(opened: Any, name: str, device: str) -> None:
    if not hasattr(opened, "device"):
        raise BadInputError(f"{name!r} is on no device", hint="`device` is for PyTorch modules")
    opened.device = device


class _Reader:
    """Reads the parts of one artifact, checked.

    All of a small artifact is checked at every load. Of one of `_SMALL` bytes and more, numbers
    that are objects of their own are checked once by each user, unless a setting says `always`.
    """

    def __init__(self, desk: Desk, entry: Entry, artifact: Artifact) -> None:
        self._desk = desk
        self._entry = entry
        always = artifact.size < _SMALL or desk.settings.verify == "always" or _is_pinned_only()
        self._memory = None if always else Verified()

    def __call__(self, chunk: Chunk, *, private: bool = False) -> bytearray | memoryview:
        return parts.chunk(self._desk, self._entry, chunk, private=private)

    def many(
        self, chunks: Sequence[Chunk], *, plain: Callable[[], Sequence[bool]]
    ) -> list[bytearray | memoryview]:
        known = plain() if self._memory else [False] * len(chunks)
        return parts.many(self._desk, self._entry, chunks, known, self._memory)


def _is_pinned_only() -> bool:
    return os.environ.get("NBREG_REQUIRE_PINNED") == "1"


def check_pinned(ref: str) -> None:
    """Refuse a reference that can move, where only pinned ones may be loaded."""
    if not _is_pinned_only():
        return
    reference = parse_reference(ref)
    if reference.kind not in ("digest", "number"):
        raise NotPinnedError(
            f"{ref!r} may mean another version tomorrow, and NBREG_REQUIRE_PINNED is set",
            hint=f"`nbreg pin {ref}` gives the reference that never moves",
        )


_told: set[tuple[str, str]] = set()


def latest_in_place_of(desk: Desk, ref: str) -> str:
    """The stage that a reference to the latest version passes over; empty where there is nobody in it."""
    if parse_reference(ref).kind not in ("latest", "implicit"):
        return ""
    model = brief(desk.model(parse_reference(ref).model))
    return next((stage for stage in desk.lifecycle.single if stage in model.stages), "")


def _tell_of_latest(desk: Desk, ref: str, entry: Entry) -> None:
    """A job that loads whatever was registered last is told so, once: it is no notebook that explores."""
    from nbreg.capture.context import current_context

    key = str(desk.folder.path), entry.model
    if key in _told or current_context().kind != "script":
        return
    if stage := latest_in_place_of(desk, ref):
        _told.add(key)
        log.warning(
            "%s is whatever was registered last, not what is in %s: load %s@%s, or pin %s@sha256:%s",
            ref, stage, entry.model, stage, entry.model, entry.row.id[:16],
        )  # fmt: skip


def artifact_of(entry: Entry, manifest: Manifest, name: str) -> Artifact:
    """The artifact of that name. Raises `UnknownArtifactError`."""
    artifacts = {artifact.name: artifact for artifact in manifest.artifacts}
    if checked_kind(name, str, "an artifact's name") not in artifacts:
        raise UnknownArtifactError(
            f"{entry.ref} has no artifact {name[:80]!r}", hint=did_you_mean(name, artifacts)
        )
    return artifacts[name]


def _check_trust(entry: Entry, manifest: Manifest, untrusted: list[str], *, consent: bool | None) -> None:
    if not untrusted or consent is True:
        return
    vouched = trust.vouches_for(entry.row.id, entry.row.stamp)
    if vouched and consent is None:
        return
    # How code travels is no news to anybody; that there is some is.
    names = [name for name in untrusted if not name.startswith("cloudpickle.")]
    told = names if len(names) == len(untrusted) else ["code of its own", *names]
    shown = ", ".join(told[:4]) + (f" and {len(told) - 4} more" if len(told) > 4 else "")
    line = f"`nbreg trust {entry.model}@sha256:{entry.row.id[:16]}`"
    python = f"load('{entry.ref}', trust=True), or for good: {line}"
    raise TrustError(
        f"loading {entry.ref} would run code by {manifest.actor.user} that you did not vouch for: {shown}",
        hint=f"if you trust it: {spelled(python, line)}",
        untrusted=untrusted,
    )


def drift(desk: Desk, entry: Entry) -> list[DriftItem]:
    """Where the running environment differs from the version's."""
    from nbreg.capture.secrets import Redactor
    from nbreg.capture.surroundings.environment import capture_environment
    from nbreg.capture.surroundings.environment import drift as drift_between

    section = parts.manifest(desk, entry).environment
    if not section.is_there:
        return []
    recorded = parts.captured(desk, entry, section, Environment)
    return drift_between(recorded, capture_environment(Redactor.of_process({})))


def _check_drift(entry: Entry, items: list[DriftItem]) -> None:
    far = [item for item in items if item.severity in ("breaking", "major")]
    if far:
        told = ", ".join(f"{item.name} {item.recorded} → {item.running or 'missing'}" for item in far[:4])
        raise DriftError(
            f"the environment is too far from {entry.ref}'s: {told}",
            hint="on_drift='isolate' runs it in its own environment, on_drift='show' loads it all the same",
        )
