"""The verbs that keep a registry: hiding and bringing back, room, checks, proofs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbreg.records import Evidence, PurgeReport, Usage, VerifyReport
from nbreg.registry.ground import proofs
from nbreg.registry.housekeeping import keeping
from nbreg.registry.verbs.base import Reference, Verbs
from nbreg.registry.version import ModelVersion

if TYPE_CHECKING:
    from nbreg.registry.housekeeping.verifying import Expected


class UpkeepVerbs(Verbs):
    """How a registry is kept."""

    def delete(
        self, ref: Reference, reason: str = "", *, message: str = "", include_protected: bool = False
    ) -> ModelVersion:
        """Hide a version, restorably; its bytes stay for the retention time.

        One that holds a stage, was ever in production or has an alias needs
        `include_protected` and a reason. Raises `VersionInUseError`.
        """
        text = self._text(ref)
        return self._version(
            keeping.delete(
                self._desk, text, reason=reason, message=message, include_protected=include_protected
            )
        )

    def restore(self, ref: Reference, *, reason: str = "", message: str = "") -> ModelVersion:
        """Bring a deleted version back, with its number and name; `churn@3` or `churn@1.2.0`.

        One that was in a stage comes back out of use: whoever has the stage by now keeps it. Raises
        `UnknownArtifactError` for one that was purged, or `ConflictError` for one that was transferred.
        """
        return self._version(keeping.restore(self._desk, self._text(ref), reason=reason, message=message))

    def purge(
        self,
        dry_run: bool = True,
        *,
        older_than: float | None = None,
        include_protected: bool = False,
        reason: str = "",
    ) -> PurgeReport:
        """Remove bytes that nothing kept refers to; by default only say which.

        Those are leftovers of killed writers, and the bytes of versions deleted more than
        `older_than` days ago (the retention time, unless given). The record of a version
        never goes away. `include_protected`, which needs a reason, takes also those that were in
        production.
        """
        from nbreg.registry.housekeeping import purging

        return purging.purge(
            self._desk,
            dry_run=dry_run,
            older_than=older_than,
            include_protected=include_protected,
            reason=reason,
        )

    def du(self) -> Usage:
        """What the registry takes up on disk, by model."""
        return keeping.du(self._desk)

    def verify(self, *, expect: Expected | None = None, repair: bool = False) -> VerifyReport:
        """Read everything and check it: chains, rows, objects and parts.

        `expect` are heads that were written down before (`model: hash`, or hashes alone): each
        must be in its chain. `repair` sets aside the damaged end of a journal; nothing else
        ever does. What is wrong is told and not raised: look at `ok`.
        """
        from nbreg.registry.housekeeping import verifying

        return verifying.verify(self._desk, expect=expect, repair=repair)

    # find out

    def prove(
        self,
        ref: Reference,
        *,
        seconds: float = 300.0,
        memory: int = 8 * 1024**3,
        accelerators: bool = False,
    ) -> Evidence:
        """Load a version in a clean process and predict on its probe; what comes out is kept as evidence.

        The process has this interpreter, no working folder and no GPU (unless `accelerators`),
        and ends after `seconds` or when it needs more than `memory` bytes: a crash, a hang and
        a missing library are evidence, too. The evidence compares with the outputs that were
        recorded; where none were, it keeps those that it finds.

        Raises `TrustError` for what this user does not vouch for; then nothing is written.
        """
        from nbreg.registry.opening import proving

        entry = proving.prove(
            self._desk, self._text(ref), seconds=seconds, memory=memory, accelerators=accelerators
        )
        evidence = proofs.proof_of(entry)
        assert evidence is not None
        return evidence

    def unproven(self) -> Iterator[ModelVersion]:
        """The versions that nobody has tried to prove yet."""
        return map(self._version, proofs.unproven(self._desk))
