"""The verb that lets a version answer from the environment that it was made in.

What it takes is imported when it is called: it starts processes and makes environments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbreg.registry.ground import reading
from nbreg.registry.ground.desk import Desk

if TYPE_CHECKING:
    from nbreg.registry.version import ModelVersion


class IsolationVerbs:
    """What a registry does for a version whose libraries are others than those that are here."""

    _desk: Desk

    def isolated(
        self,
        ref: str | ModelVersion,
        artifact: str = "model",
        *,
        trust: bool | None = None,
        device: str | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Load an artifact in the environment that its version was made in, in a process that answers for it.

        The environment is made of the recorded versions of what the model needs, with uv or else pip: once,
        in this user's cache, for all versions that have the same. What comes back has the model's public
        methods; arguments and results are passed on by value. There is one process for a version,
        which answers one call at a time, ends with this one, and is started anew after a crash. A
        call that takes longer than `timeout` seconds ends it. Files and plain values are just loaded.

        Making an environment installs and runs what the record names: that takes a version that
        this user registered or decided to trust, or `trust=True`, whatever the model is.
        Raises `CannotRebuildError`, `TrustError`, and in calls `WorkerCrashedError`, `WorkerTimeoutError`,
        or what the model raises.
        """
        from nbreg.registry.opening import isolating, loading

        text: str = self._text(ref)  # type: ignore[attr-defined]
        loading.check_pinned(text)
        entry = reading.get(self._desk, text)
        return isolating.isolated(self._desk, entry, artifact, trust=trust, device=device, timeout=timeout)
