"""The table of routes: what registers them, documents them, types them in TypeScript and tests them.

A GET has its question in the query, a POST its wish as a JSON object; both are records of `asked`. Names of
models hold `/`, which proxies decode in a path: so nothing that a person names stands in the path.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, get_type_hints

import msgspec

from nbreg.names import parse_reference
from nbreg.records import (
    Data,
    Environment,
    Probe,
    Recipe,
    Record,
    Signature,
    Source,
    Variables,
)
from nbreg.server import asked, changing, downloads, governing, looking

NAMESPACE: Final = "nbreg"

Fresh = Literal["", "models", "registry"]
"""What an answer is a function of: nothing cheap to ask, the models that are named, or all journals."""


class Route(msgspec.Struct, frozen=True, dict=True):
    """One verb of the server."""

    method: Literal["GET", "POST"]
    path: str
    verb: Callable[..., Any]
    fresh: Fresh = ""
    slow: bool = False
    """Works in threads of its own, so that the others do not wait for it."""

    @property
    def permission(self) -> Literal["read", "write"]:
        """What the server's authorizer is asked for, on the resource `nbreg`."""
        return "read" if self.method == "GET" else "write"

    @cached_property
    def takes(self) -> type[asked.Asked]:
        """The record that it is asked with."""
        hints = list(get_type_hints(self.verb).values())
        kind: type[asked.Asked] = hints[1]
        return kind

    @cached_property
    def gives(self) -> Any:
        """The type of what it answers; `Path` for a file."""
        return get_type_hints(self.verb)["return"]

    @property
    def is_download(self) -> bool:
        """Whether it gives a file."""
        return self.gives is Path

    @property
    def told(self) -> str:
        """What it does, in a line."""
        return (self.verb.__doc__ or "").partition("\n")[0]


def _part(name: str, kind: type[Record]) -> Route:
    return Route("GET", f"version/{name}", looking.part(name, kind), "models")


ROUTES: Final = (
    Route("GET", "hello", looking.hello),
    Route("GET", "registries", looking.registries),
    Route("GET", "poll", looking.poll),
    Route("GET", "models", looking.models, "registry"),
    Route("GET", "model", looking.model, "models"),
    Route("GET", "versions", looking.versions, "models"),
    Route("GET", "search", looking.search, "registry"),
    Route("GET", "version", looking.version, "models"),
    _part("environment", Environment),
    _part("variables", Variables),
    _part("recipe", Recipe),
    _part("source", Source),
    _part("data", Data),
    _part("signature", Signature),
    _part("probe", Probe),
    Route("GET", "version/origin", looking.origin),
    Route("GET", "diff", looking.diff, "models"),
    Route("GET", "events", looking.events, "registry"),
    Route("GET", "timeline", looking.timeline, "models"),
    Route("GET", "registered", looking.registered, "models"),
    Route("GET", "tenures", looking.tenures, "models"),
    Route("GET", "lineage", looking.lineage),
    Route("GET", "deployments", looking.deployments, "registry"),
    Route("GET", "datasets", looking.datasets),
    Route("GET", "dataset", looking.dataset),
    Route("GET", "trained-on", looking.trained_on),
    Route("GET", "gates", looking.gates),
    Route("GET", "requests", looking.requests, "registry"),
    Route("GET", "runs", looking.runs),
    Route("GET", "run", looking.run),
    Route("GET", "run/curve", looking.curve),
    Route("GET", "drafts", looking.drafts),
    Route("GET", "usage", looking.usage, slow=True),
    Route("GET", "verify", looking.verify, slow=True),
    Route("GET", "archive", downloads.archive, slow=True),
    Route("GET", "files", downloads.files, slow=True),
    Route("GET", "audit", downloads.audit, slow=True),
    Route("POST", "promote", changing.promote),
    Route("POST", "retire", changing.retire),
    Route("POST", "rollback", changing.rollback),
    Route("POST", "update", changing.update),
    Route("POST", "set-alias", changing.set_alias),
    Route("POST", "drop-alias", changing.drop_alias),
    Route("POST", "copy", changing.copy),
    Route("POST", "transfer", changing.transfer),
    Route("POST", "delete", changing.delete),
    Route("POST", "restore", changing.restore),
    Route("POST", "link", changing.link),
    Route("POST", "unlink", changing.unlink),
    Route("POST", "deploy", changing.deploy),
    Route("POST", "undeploy", changing.undeploy),
    Route("POST", "set-split", changing.set_split),
    Route("POST", "update-model", changing.update_model),
    Route("POST", "request", governing.request),
    Route("POST", "approve", governing.approve),
    Route("POST", "reject", governing.reject),
    Route("POST", "withdraw", governing.withdraw),
    Route("POST", "require", governing.require),
    Route("POST", "drop-gate", governing.drop_gate),
    Route("POST", "protect", governing.protect),
    Route("POST", "unprotect", governing.unprotect),
    Route("POST", "delete-run", changing.delete_run),
    Route("POST", "restore-run", changing.restore_run),
)


def models_of(question: asked.Asked) -> list[str]:
    """The models that a question is about. Raises `BadReferenceError`."""
    refs = [getattr(question, name, "") for name in ("ref", "a", "b")]
    named = [getattr(question, "model", "")]
    return [name for name in [*named, *(parse_reference(ref).model for ref in refs if ref)] if name]
