"""The verbs that say what may be moved, and by whom: gates, requests, protected aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbreg.records import GateResult, Move, Permission, PromotionRequest, Protection, RequiredGate
from nbreg.registry.verbs.base import Verbs

if TYPE_CHECKING:
    from nbreg.registry.version import ModelVersion


class GovernVerbs(Verbs):
    """What a registry requires before a version comes into a stage."""

    def require(
        self,
        model: str | None,
        stage: str,
        *gates: Any,
        new_model: bool = False,
        reason: str = "",
        message: str = "",
    ) -> list[RequiredGate]:
        """Require gates before a version of the model comes into a stage; of all models with None or `*`.

        A gate is a query (`metrics.auc > 0.9`), one of the rules `proven`, `not_worse("auc")`,
        `recipe("complete")`, `same_signature`, `no_warnings`, `tagged("reviewed")`,
        `message_required`, `reason_required`, `approved(2)`, or a function: declared with
        `nbreg.gate`, or by the name of an entry point. It stands in the registry and holds for
        everybody; where a function cannot be found, promoting is refused. What is in the stage
        already stays. Returns the gates that the stage has now; what it has already writes nothing.
        With `new_model` the model need not have a version yet; it is an option, for the gates of a
        misspelled model would guard nothing.

        Raises `UnknownModelError`, `BadInputError`, `BadQueryError`, `UnknownGateError` or
        `UnknownStageError`.
        """
        from nbreg.registry.stages import requiring

        return requiring.require(
            self._desk, model, stage, gates, new_model=new_model, reason=reason, message=message
        )

    def drop_gate(
        self, model: str | None, stage: str, gate: Any, *, reason: str, message: str = ""
    ) -> list[RequiredGate]:
        """Require a gate no longer; it is named as `gates` lists it. Raises `UnknownGateError`."""
        from nbreg.registry.stages import requiring

        return requiring.drop_gate(self._desk, model, stage, gate, reason=reason, message=message)

    def gates(self, model: str | None = None, stage: str | None = None) -> list[RequiredGate]:
        """The gates of a model's stages, or of one of them; without a model those of all models."""
        from nbreg.registry.stages import requiring

        return requiring.required(self._desk, model, stage)

    def ask_gates(
        self, ref: str | ModelVersion, to: str, *, run: bool = True, reason: str = "", message: str = ""
    ) -> list[GateResult]:
        """What every gate of a stage says of a version now; nothing is moved and nothing written.

        Where one cannot be asked here, the others are asked all the same. Without `run` no
        function is called: its result is `unasked`. What passes now may not pass when the
        version is moved, for the gates are asked again then.

        Raises `UnknownStageError`.
        """
        from nbreg.registry.stages import foreseeing

        wish = self._wish(reason=reason, message=message)
        return foreseeing.asked_gates(self._desk, self._text(ref), to, wish, run=run)

    def may(self, model: str) -> Permission:
        """What whoever acts may do with a model: by this its verbs refuse.

        `look` is to see all of it, load it and ask for a promotion; `change` to register, move, tag
        and delete, too; `own` to say who may do what, and what is required. Where nobody is held to
        what owners said, it is `own`. Raises `UnknownModelError`, also for what is not shown.
        """
        return self._desk.permission(model)

    # requests

    def request(
        self, ref: str | ModelVersion, to: str, *, reason: str = "", message: str = ""
    ) -> PromotionRequest:
        """Ask the others that a version come into a stage; nothing is moved yet.

        The request's `id` (`churn:r3`) is what `approve`, `reject` and `withdraw` take. It is
        about the version where it is now: moved or deleted, the request is stale.

        Raises `TransitionError` where it cannot go, or `ConflictError` if it was asked for already.
        """
        from nbreg.registry.stages import requesting

        return requesting.ask(self._desk, self._text(ref), to, self._wish(reason=reason, message=message))

    def requests(self, model: str | None = None, state: str | None = None) -> list[PromotionRequest]:
        """The requests of a model or of all, newest first.

        `state` is `open`, `stale`, `promoted`, `rejected` or `withdrawn`; what is open no longer
        means anything where the version has moved, and is stale.
        """
        from nbreg.registry.stages import requesting

        return requesting.requests(self._desk, model, state)

    def get_request(self, request: str | PromotionRequest) -> PromotionRequest:
        """A request as it is now. Raises `UnknownRequestError`."""
        from nbreg.registry.stages import requesting

        return requesting.get(self._desk, request)

    def approve(
        self,
        request: str | PromotionRequest,
        *,
        message: str = "",
        reason: str = "",
        expect: Move | None = None,
    ) -> PromotionRequest:
        """Agree to a request; if it then passes all gates of the stage, the version is promoted at once.

        Otherwise the approval counts, the request stays open, and its `needs` say what is
        missing. Approving again asks the gates again. Nobody approves what they asked for.
        With `expect`, the promotion as `moves` of the version foresaw it, it is refused and does
        not count if somebody moved a version meanwhile.

        Raises `StaleRequestError`, `ConflictError` for one that was ended, or `RefusedError`.
        """
        from nbreg.registry.stages import requesting

        return requesting.approve(
            self._desk, request, self._wish(reason=reason, message=message, expect=expect)
        )

    def reject(
        self, request: str | PromotionRequest, *, message: str = "", reason: str = ""
    ) -> PromotionRequest:
        """Say no to a request, which ends it. Raises `ConflictError` for one that was ended."""
        from nbreg.registry.stages import requesting

        return requesting.end(self._desk, request, "rejected", reason=reason, message=message)

    def withdraw(
        self, request: str | PromotionRequest, *, message: str = "", reason: str = ""
    ) -> PromotionRequest:
        """Take back what one has asked for oneself. Raises `RefusedError` for another's."""
        from nbreg.registry.stages import requesting

        return requesting.end(self._desk, request, "withdrawn", reason=reason, message=message)

    # protected aliases

    def protect(self, model: str, alias: str, *, reason: str = "", message: str = "") -> None:
        """Let an alias be set or dropped only with `force` and a reason; it need not be there yet.

        Raises `NameTakenError` if a version has that name.
        """
        from nbreg.registry.stages import requiring

        requiring.protect(self._desk, model, alias, reason=reason, message=message)

    def unprotect(self, model: str, alias: str, *, reason: str, message: str = "") -> None:
        """Let a protected alias move freely again, for a reason. Raises `UnknownVersionError`."""
        from nbreg.registry.stages import requiring

        requiring.unprotect(self._desk, model, alias, reason=reason, message=message)

    def protected(self, model: str) -> dict[str, Protection]:
        """The protected aliases of a model, with who protected them and why."""
        from nbreg.registry.stages import requiring

        return requiring.protected(self._desk, model)
