"""The verbs by which people agree before a version moves; the registry knows what has to hold."""

from __future__ import annotations

from nbreg.records import PromotionRequest, RequiredGate
from nbreg.server import asked
from nbreg.server.replies import AliasChanged
from nbreg.server.visit import Visit


def request(visit: Visit, wish: asked.Ask) -> PromotionRequest:
    """Ask the others that a version come into a stage; nothing is moved yet."""
    return visit.registry.request(wish.ref, wish.to, reason=wish.reason, message=wish.message)


def approve(visit: Visit, wish: asked.Approve) -> PromotionRequest:
    """Agree to a request; it is promoted as soon as it passes all that the stage requires."""
    return visit.registry.approve(wish.request, reason=wish.reason, message=wish.message, expect=wish.expect)


def reject(visit: Visit, wish: asked.OneRequest) -> PromotionRequest:
    """Say no to a request, which ends it."""
    return visit.registry.reject(wish.request, reason=wish.reason, message=wish.message)


def withdraw(visit: Visit, wish: asked.OneRequest) -> PromotionRequest:
    """Take back what one has asked for oneself."""
    return visit.registry.withdraw(wish.request, reason=wish.reason, message=wish.message)


def require(visit: Visit, wish: asked.Require) -> list[RequiredGate]:
    """Require gates before a version comes into a stage."""
    return visit.registry.require(
        wish.model, wish.stage, *wish.gates, reason=wish.reason, message=wish.message
    )


def drop_gate(visit: Visit, wish: asked.DropGate) -> list[RequiredGate]:
    """Require a gate no longer."""
    return visit.registry.drop_gate(
        wish.model, wish.stage, wish.gate, reason=wish.reason, message=wish.message
    )


def protect(visit: Visit, wish: asked.OneAlias) -> AliasChanged:
    """Let an alias be set or dropped only by force and with a reason."""
    visit.registry.protect(wish.model, wish.alias, reason=wish.reason, message=wish.message)
    return AliasChanged(model=wish.model, alias=wish.alias)


def unprotect(visit: Visit, wish: asked.OneAlias) -> AliasChanged:
    """Let a protected alias move freely again; that needs a reason."""
    visit.registry.unprotect(wish.model, wish.alias, reason=wish.reason, message=wish.message)
    return AliasChanged(model=wish.model, alias=wish.alias)
