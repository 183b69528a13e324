"""The verbs that change what may change of a version: its stage, its aliases, its labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nbreg.records import Move
from nbreg.registry.stages import gating, moving
from nbreg.registry.verbs.base import Reference, Verbs
from nbreg.registry.version import ModelVersion


class StageVerbs(Verbs):
    """How a registry moves versions and labels them."""

    def promote(
        self,
        ref: Reference,
        to: str | None = None,
        *,
        reason: str = "",
        message: str = "",
        force: bool = False,
        gates: Sequence[Callable[..., Any]] | Callable[..., Any] = (),
        expect: Move | None = None,
    ) -> ModelVersion:
        """Move a version to a higher stage; without `to` one stage up, never past production.

        A stage with one holder takes it from the holder, which is archived in the same
        transaction. Promoting to where it is already writes nothing. The gates of the stage
        (`require`) are asked first, and functions given as `gates`; what each saw stands in the
        event. `force` with a reason overrules them, and is recorded with those it overruled.
        With `expect`, one of `moves`, it is done as it was foreseen or, if somebody moved a
        version meanwhile, not at all.

        Raises `TransitionError`, `UnknownStageError`, `ConflictError`, `GateRefusedError` or
        `GateUnavailableError`; then nothing is moved.
        """
        functions = gating.checked(gates, force=force, reason=reason)
        wish = self._wish(reason=reason, message=message, force=force, functions=functions, expect=expect)
        return self._version(moving.promote(self._desk, self._text(ref), to, wish))

    def retire(
        self,
        ref: Reference,
        to: str | None = None,
        *,
        reason: str = "",
        message: str = "",
        force: bool = False,
        expect: Move | None = None,
    ) -> ModelVersion:
        """Move a version out of use (`archived`), or to a lower stage, whose gates are asked as in `promote`.

        Raises `TransitionError`, or `GateRefusedError`; out of use a version always goes.
        """
        gating.checked((), force=force, reason=reason)
        wish = self._wish(reason=reason, message=message, force=force, expect=expect)
        return self._version(moving.retire(self._desk, self._text(ref), to, wish))

    def rollback(
        self,
        model: str,
        stage: str | None = None,
        *,
        to: Reference | None = None,
        reason: str = "",
        message: str = "",
        expect: Move | None = None,
    ) -> ModelVersion:
        """Give a stage back to the version that held it before; the present holder is archived.

        Without a stage that is `production`, or what this registry has in its place.
        Rolling back again walks further back. With `to`, it goes back to that version, which
        must have held the stage. It never waits for a gate; the event names those that the
        stage requires. Raises `TransitionError` where nobody held the stage before.
        """
        back_to = None if to is None else self._text(to)
        return self._version(
            moving.rollback(
                self._desk, model, stage, to=back_to, reason=reason, message=message, expect=expect
            )
        )

    # label

    def set_alias(
        self, ref: Reference, alias: str, *, reason: str = "", message: str = "", force: bool = False
    ) -> ModelVersion:
        """Point an alias at one version; setting it to where it points writes nothing.

        One that is protected (`protect`) moves only with `force` and a reason. Raises
        `BadNameError`, `ProtectedAliasError`, or `NameTakenError` if a version has that name.
        """
        from nbreg.registry.stages import labelling

        text = self._text(ref)
        return self._version(
            labelling.set_alias(self._desk, text, alias, reason=reason, message=message, force=force)
        )

    def drop_alias(
        self, model: str, alias: str, *, reason: str = "", message: str = "", force: bool = False
    ) -> None:
        """Take an alias away, as in `set_alias`. Raises `UnknownVersionError` if there is none."""
        from nbreg.registry.stages import labelling

        labelling.drop_alias(self._desk, model, alias, reason=reason, message=message, force=force)

    def update(
        self,
        ref: Reference,
        *,
        description: str | None = None,
        tags: Iterable[str] | None = None,
        content: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
        reason: str = "",
        message: str = "",
    ) -> ModelVersion:
        """Change what may change of a version; what is not given stays.

        Tags and content are replaced, metrics are added to those that are there. The manifest
        and the id stay as they were, and with them the metrics that it was registered with: another
        value for one of these raises `BadValueError`.
        """
        from nbreg.registry.stages import labelling

        entry = labelling.update(
            self._desk,
            self._text(ref),
            description=description,
            tags=tags,
            content=content,
            metrics=metrics,
            reason=reason,
            message=message,
        )
        return self._version(entry)
