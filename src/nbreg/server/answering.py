"""From a request to an answer, without tornado: read the question, call the verb, spell what it gives.

All of this runs in a thread, so that no file and no lock is waited for on the event loop.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from nbreg import errors
from nbreg.errors import BadInputError, NbregError
from nbreg.records import NO_RECORD, Actor, GateResult, canonical, digest_of
from nbreg.server.asked import Asked, OfRegistry
from nbreg.server.contract import contract_digest
from nbreg.server.registries import Registries
from nbreg.server.replies import Refusal
from nbreg.server.routes import Route, models_of
from nbreg.server.visit import Visit

log = logging.getLogger("nbreg.server")

LARGEST_BODY: Final = 1024 * 1024

STATUS: Final[list[tuple[type[NbregError], int]]] = [
    (errors.BadInputError, 400),
    (errors.RefusedError, 403),
    (errors.ReadOnlyError, 403),
    (errors.NotFoundError, 404),
    (errors.ConflictError, 409),
    (errors.CannotStoreError, 422),
    (errors.CannotLoadError, 422),
    (errors.RegistryBusyError, 503),
    (errors.NoSpaceError, 507),
    (errors.StoreError, 500),
]


class Answer(NamedTuple):
    """What is sent."""

    status: int
    body: bytes = b""
    etag: str = ""
    file: Path | None = None


def answer(
    route: Route,
    registries: Registries,
    actor: Actor,
    given: Mapping[str, str] | bytes,
    *,
    name: str = "",
    known: str = "",
    folder: Path | None = None,
) -> Answer:
    """Answer a request; `known` is the tag of what the client has, `folder` where a file may be made.

    `name` is what the actor logged in with, where that is known.
    """
    try:
        question = _question(route, given)
        person = registries.people.person(name or actor.user) if registries.people else None
        visit = Visit(registries, actor, question, writes=route.permission == "write", person=person)
        etag = _tag(route, visit, question)
        if etag and etag in known:
            return Answer(304, etag=etag)
        if folder is not None:
            return Answer(200, file=route.verb(visit, question, folder))
        return Answer(200, msgspec.json.encode(full(route.verb(visit, question))), etag)
    except NbregError as error:
        gates = [each for each in getattr(error, "gates", ()) if isinstance(each, GateResult)]
        return refusal(status_of(error), error.code, error.message, error.hint, gates)
    except Exception as error:
        log.exception("%s nbreg/%s failed", route.method, route.path)
        return refusal(
            500, "internal", f"the server failed: {type(error).__name__}", "the server's log says where"
        )


def refusal(status: int, code: str, message: str, hint: str = "", gates: Sequence[GateResult] = ()) -> Answer:
    """An answer that says why not."""
    told = Refusal(code=code, message=message, hint=hint, gates=list(gates))
    return Answer(status, msgspec.json.encode(full(told)))


def status_of(error: NbregError) -> int:
    """The status of a refusal."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 400)


def _question(route: Route, given: Mapping[str, str] | bytes) -> Asked:
    try:
        if isinstance(given, bytes):
            return msgspec.json.decode(given or b"{}", type=route.takes)
        return msgspec.convert(given, route.takes, strict=False)
    except msgspec.ValidationError as error:
        hint = f"it takes {', '.join(route.takes.__struct_fields__)}"
        raise BadInputError(f"nbreg/{route.path}: {str(error).replace('`', '')}", hint=hint) from None
    except NO_RECORD as error:
        raise BadInputError(f"the request is no JSON: {error}", hint="send a JSON object in UTF-8") from None


def _tag(route: Route, visit: Visit, question: Asked) -> str:
    """What changes whenever the answer does, found without making the answer; empty where nothing does."""
    if not route.fresh or not isinstance(question, OfRegistry):
        return ""
    named = models_of(question)
    state = visit.cursor if route.fresh == "registry" else visit.registry.stamp(*named)
    person = visit.person  # others are shown other models, and the same ones others when the teams change
    who = [sorted(person.names), person.is_member, person.is_admin] if person else []
    seen = [contract_digest(), str(visit.registry.location), state, msgspec.structs.asdict(question), who]
    return f'"{digest_of(canonical(seen))[:32]}"'


def full(value: Any) -> Any:
    """A record with all its fields: on disk those that are as always are left out, on the wire none is."""
    if isinstance(value, msgspec.Struct):
        found = {name: getattr(value, name) for name in value.__struct_fields__}
        return {name: full(each) for name, each in found.items() if each is not msgspec.UNSET}
    if isinstance(value, dict):
        return {name: full(each) for name, each in value.items()}
    return [full(each) for each in value] if isinstance(value, list | tuple) else value
