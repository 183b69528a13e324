"""Stories that are told to a registry before its server is asked: a folder, an example of every route, and how to ask."""

from __future__ import annotations

from typing import Any

import numpy as np
from servers import Client, Server

from nbreg import Registry
from nbreg.records import Actor, Head
from nbreg.server.routes import Route
from nbreg.settings import Settings

QUICK = Settings(capture=False)


class Folder:
    """A folder below the server's root with a registry in it, and how the server names that."""

    def __init__(self, server: Server, name: str) -> None:
        self.path = server.root / name
        self.path.mkdir()
        self.key = f"~{name}"
        self.registry = Registry(self.path / ".nbreg", settings=QUICK)

    def heads(self) -> dict[str, Head]:
        """All that was ever written to it, in few words."""
        return Registry(self.registry.location).verify().heads

    def asked(self, route: Route) -> dict[str, object]:
        """An example of each route's question, after `story` was told."""
        return EXAMPLES[route.path] | (
            {} if route.path in ("hello", "registries") else {"registry": self.key}
        )


EXAMPLES: dict[str, dict[str, object]] = {
    "hello": {},
    "registries": {"near": "anywhere/notebook.ipynb"},
    "poll": {},
    "models": {"match": "CHU"},
    "model": {"model": "risk/churn"},
    "versions": {"model": "risk/churn", "query": "metrics.auc > 0", "sort": "-metrics.auc", "deleted": True},
    "search": {"query": 'stage == "production"'},
    "version": {"ref": "risk/churn@production"},
    "version/environment": {"ref": "risk/churn@1"},
    "version/variables": {"ref": "risk/churn@1"},
    "version/recipe": {"ref": "risk/churn@1"},
    "version/origin": {"ref": "risk/churn@1"},
    "version/source": {"ref": "risk/churn@1"},
    "version/data": {"ref": "risk/churn@1"},
    "version/signature": {"ref": "risk/churn@1"},
    "version/probe": {"ref": "risk/churn@1"},
    "diff": {"a": "risk/churn@2", "b": "risk/churn@1"},
    "events": {"model": "risk/churn"},
    "runs": {"sort": "name"},
    "run": {},
    "run/curve": {"metric": "loss"},
    "drafts": {},
    "usage": {},
    "verify": {},
    "archive": {"ref": "risk/churn@1"},
    "files": {"ref": "risk/churn@1"},
    "promote": {"ref": "risk/churn@3", "to": "staging", "reason": "Ready"},
    "retire": {"ref": "risk/churn@3", "to": "archived"},
    "rollback": {"model": "risk/churn"},
    "update": {"ref": "risk/churn@2", "description": "second", "tags": ["b"], "metrics": {"f1": 0.5}},
    "set-alias": {"ref": "risk/churn@2", "alias": "champion"},
    "drop-alias": {"model": "risk/churn", "alias": "old-friend"},
    "copy": {"ref": "risk/churn@1", "to": "copied"},
    "transfer": {"ref": "risk/churn@4", "to": "moved"},
    "delete": {"ref": "risk/churn@5", "reason": "Mistake"},
    "restore": {"ref": "risk/churn@6"},
    "lineage": {"ref": "risk/churn@1"},
    "deployments": {"model": "risk/churn", "ended": True},
    "datasets": {},
    "dataset": {"data": "customers"},
    "trained-on": {"data": "sha256:" + "0" * 64},
    "audit": {"model": "risk/churn", "form": "md"},
    "link": {"ref": "risk/churn@8", "target": "https://tickets.example/7", "kind": "ticket"},
    "unlink": {"ref": "risk/churn@9", "target": "the report"},
    "deploy": {"ref": "risk/churn@8", "where": "prod-eu"},
    "undeploy": {"ref": "risk/churn@9", "where": "prod-us"},
    "set-split": {"model": "risk/churn", "weights": {"production": 90, "latest": 10}},
    "update-model": {"model": "risk/churn", "owners": ["ada"], "description": "who leaves"},
    "timeline": {"model": "risk/churn", "number": 2},
    "registered": {"model": "risk/churn"},
    "tenures": {"model": "risk/churn"},
    "gates": {"model": "risk/churn"},
    "requests": {"state": "open"},
    "request": {"ref": "risk/churn@8", "to": "staging", "message": "two weeks"},
    "approve": {"request": "risk/churn:r1"},
    "reject": {"request": "risk/churn:r2"},
    "withdraw": {"request": "risk/churn:r3"},
    "require": {"model": "risk/churn", "stage": "production", "gates": ["metrics.auc > 0.9"]},
    "drop-gate": {"model": "*", "stage": "development", "gate": "proven", "reason": "Slow"},
    "protect": {"model": "risk/churn", "alias": "champion"},
    "unprotect": {"model": "risk/churn", "alias": "guarded", "reason": "Moved"},
    "delete-run": {"reason": "Mistake"},
    "restore-run": {},
}


def story(folder: Folder) -> dict[str, dict[str, object]]:
    """Tell enough for every example to be about something; what only this story knows is returned."""
    registry = folder.registry
    for number in range(1, 10):
        registry.register("risk/churn", {"weight": number}, metrics={"auc": 0.5 + number / 100})
    registry.promote("risk/churn@1", "production", reason="First")
    registry.promote("risk/churn@2", "production", reason="Better")
    registry.set_alias("risk/churn@3", "old-friend")
    registry.delete("risk/churn@6", "Mistake")
    registry.acting_as(Actor(user="bob")).request("risk/churn@7", "candidate")
    registry.acting_as(Actor(user="bob")).request("risk/churn@8", "candidate")
    registry.request("risk/churn@9", "candidate")
    registry.get("risk/churn@9").link("the report")
    registry.deploy("risk/churn@9", "prod-us")
    registry.register_dataset("customers", np.arange(4.0))
    registry.require("*", "development", "proven")
    registry.protect("risk/churn", "guarded", reason="Serving")
    with registry.start_run("fit") as run_:
        run_.log_metric("loss", 0.5)
    with registry.start_run("gone") as gone:
        gone.log_metric("loss", 0.7)
    registry.delete_run(gone.id)
    with registry.start_run("going") as going:
        going.log_metric("loss", 0.7)
    run_id, gone_id, going_id = run_.id, gone.id, going.id
    return {
        "run": {"run": run_id},
        "run/curve": {"run": run_id},
        "delete-run": {"run": going_id},
        "restore-run": {"run": gone_id},
    }


def call(client: Client, route: Route, question: dict[str, object], **headers: str) -> Any:
    """Ask a route as its method wants it."""
    ask = client.get if route.method == "GET" else client.post
    return ask(route.path, headers, **question)
