"""Write real answers of the server to `tests/wire/`, where the tests in TypeScript read them.

.venv/bin/python tests/wire.py

They are answers of this code to a story that is always the same. What is another one each time (moments,
digests, sizes, the machine's own software) is replaced: moments and digests each by one that stands for it
everywhere.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from nbreg import Registry
from nbreg.capture.context import using_context
from nbreg.records import Actor, DraftRecord, Execution, Recipe, RunLink
from nbreg.registry.making import taking
from nbreg.server.answering import answer
from nbreg.server.people import People
from nbreg.server.registries import Configured, Registries
from nbreg.server.routes import ROUTES

FOLDER = Path(__file__).resolve().parent / "wire"
COMMAND = ".venv/bin/python tests/wire.py"
ADA = Actor(user="ada", source="server", host="lab")
START = datetime(2026, 2, 9, 10, 0, tzinfo=UTC)

_DIGEST = re.compile(r"(?<![0-9a-zA-Z.])[0-9a-f]{12,64}(?![0-9a-zA-Z])")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_MEASURED = {"objects", "size", "own", "journals", "unreferenced", "bytes", "peak_bytes", "runs"}
"""Numbers that are others on another machine."""

_ELSEWHERE = {"python": "3.12.1", "place": "project/train.ipynb", "commit": ""}

SHOWN = {
    "kind": "promoted",
    "model": "churn",
    "number": 5,
    "name": "1.4.0",
    "before": "none",
    "to": "candidate",
}
"""What agreeing to the first request was shown to do."""

QUESTIONS: dict[str, dict[str, object]] = {
    "registries": {"near": "project/train.ipynb"},
    "model": {"model": "churn"},
    "versions": {"model": "churn"},
    "search": {"query": 'stage == "production"'},
    "diff": {"a": "churn@2", "b": "churn@1"},
    "events": {"model": "churn"},
    "run/curve": {"metric": "loss"},
    "promote": {"ref": "churn@3", "to": "staging", "reason": "Ready", "message": "looks good"},
    "retire": {"ref": "churn@3"},
    "rollback": {"model": "churn", "reason": "Complaints"},
    "update": {"ref": "churn@2", "description": "the second", "tags": ["baseline", "slow"]},
    "set-alias": {"ref": "churn@2", "alias": "champion"},
    "drop-alias": {"model": "churn", "alias": "champion"},
    "copy": {"ref": "churn@1", "to": "risk/churn"},
    "transfer": {"ref": "churn@3", "to": "retired", "reason": "Renamed"},
    "delete": {"ref": "risk/churn@1", "reason": "Mistake"},
    "restore": {"ref": "risk/churn@1"},
    "lineage": {"ref": "churn@2"},
    "dataset": {"data": "customers"},
    "trained-on": {"data": "customers"},
    "link": {"ref": "churn@2", "target": "https://tickets.example/7", "kind": "ticket", "title": "Churn"},
    "unlink": {"ref": "churn@2", "target": "https://tickets.example/7"},
    "deploy": {"ref": "churn@2", "where": "prod-eu", "url": "https://churn.example"},
    "undeploy": {"ref": "churn@2", "where": "prod-eu"},
    "set-split": {"model": "churn", "weights": {"production": 90, "fallback": 10}, "reason": "ABTest"},
    "update-model": {"model": "churn", "owners": ["ada"], "description": "who leaves"},
    "timeline": {"model": "churn"},
    "registered": {"model": "churn"},
    "tenures": {"model": "churn"},
    "gates": {"model": "churn"},
    "requests": {},
    "request": {"ref": "churn@4", "to": "production", "message": "two weeks"},
    "approve": {"request": "churn:r1", "message": "looked at the rows", "expect": SHOWN},
    "reject": {"request": "churn:r2", "message": "the probe moved"},
    "withdraw": {"request": "churn:r3"},
    "require": {"model": "churn", "stage": "staging", "gates": ["message_required", "proven"]},
    "drop-gate": {"model": "churn", "stage": "staging", "gate": "message_required", "reason": "Slow"},
    "protect": {"model": "churn", "alias": "champion", "reason": "Serving"},
    "unprotect": {"model": "churn", "alias": "champion", "reason": "Moved"},
}
"""What a route is asked; those of a version that are not here are asked for `churn@2`."""

FORESEEN = {
    "kind": "retired",
    "model": "churn",
    "number": 2,
    "name": "1.1.0",
    "before": "production",
    "to": "archived",
}
"""What a page shows that was loaded before the rollback."""

REFUSED: dict[str, tuple[str, dict[str, object]]] = {
    "unknown-model": ("versions", {"model": "chrun"}),
    "name-taken": ("set-alias", {"ref": "churn@2", "alias": "1.0.0"}),
    "bad-query": ("versions", {"model": "churn", "query": "metrics.auc >"}),
    "conflict": ("retire", {"ref": "churn@2", "expect": FORESEEN}),
    "gate-refused": ("promote", {"ref": "churn@4", "to": "production"}),
    "protected-alias": ("drop-alias", {"model": "churn", "alias": "fallback"}),
    "version-in-use": ("delete", {"ref": "churn@2"}),
    "read-only": ("promote", {"registry": "old", "ref": "churn@2", "to": "staging"}),
}


class Notebook:
    """A kernel's view of a small notebook, always the same."""

    kind = "notebook"
    moment = START
    namespace: Mapping[str, object] = {"learning_rate": 0.1, "columns": ["tenure", "plan"]}
    cells = (
        Execution(source="learning_rate = 0.1", execution_count=1, ok=True, why="learning_rate"),
        Execution(source="clf = fit(frame, learning_rate)", execution_count=2, ok=True, why="the model"),
    )
    notebook = "project/train.ipynb"
    script = ""
    run_params: Mapping[str, object] = {}

    def __init__(self, folder: Path, run: RunLink) -> None:
        self.folder = str(folder)
        self.run = run
        self.executions = self.cells

    def recipe_for(self, *values: object) -> Recipe:
        """Both cells."""
        return Recipe(status="complete", cells=list(self.cells))

    def data_seen_by(self, model: object, *values: object) -> None:
        """Data is named here."""

    def start_run(self, run: RunLink) -> None:
        """There is one run."""

    def outcome(self) -> tuple[str, str]:
        """All went well."""
        return "finished", ""


def answers() -> dict[str, bytes]:
    """What the files hold, by name."""
    with tempfile.TemporaryDirectory() as top:
        made = dict(_told(Path(top).resolve()))
    return {name: _pretty(each) for name, each in _settled(made).items()}


def _told(top: Path) -> Iterator[tuple[str, Any]]:
    project = top / "lab" / "project"
    project.mkdir(parents=True)
    registry = Registry(project / ".nbreg", actor=ADA)
    run_id = _story(registry, project)
    Registry(top / "old").init()
    registries = Registries(top / "lab", {"old": Configured(top / "old", True)})
    known = {"run": {"run": run_id}, "run/curve": {"run": run_id}, "delete-run": {}, "restore-run": {}}
    for route in ROUTES:
        if route.is_download or route.path.endswith("-run"):
            continue
        ours = QUESTIONS.get(route.path, {"ref": "churn@2"} if "version" in route.path else {})
        place = {"registry": "~project"} if "registry" in route.takes.__struct_fields__ else {}
        question = place | known.get(route.path, {}) | ours
        yield route.path.replace("/", "-"), _asked(registries, route.path, question)
    for name, (path, ours) in REFUSED.items():
        yield f"refused-{name}", _asked(registries, path, {"registry": "~project"} | ours)
    registry.update_model("churn", owners=["ada"], editors=["grace"], readers=["bob"])
    held, churn = (
        Registries(top / "lab", {}, people=People({}, [])),
        {"registry": "~project", "model": "churn"},
    )
    for who, may in (("bob", "look"), ("grace", "change")):
        yield f"model-{may}", _asked(held, "model", churn, Actor(user=who, source="server", host="lab"))
    asked = {"registry": "~project", "ref": "churn@5"}
    yield "version-look", _asked(held, "version", asked, Actor(user="bob", source="server", host="lab"))
    yield "hello-held", _asked(held, "hello", {})
    yield "refused-handover", _asked(held, "update-model", churn | {"owners": ["grace"]})


def _story(registry: Registry, folder: Path) -> str:
    """Versions of one model, the second in production after the first; requests, gates, a run, evidence."""
    import pandas as pd

    frame = pd.DataFrame({"tenure": [1, 2, 3, 4], "plan": ["a", "b", "a", "c"]})
    with registry.start_run("fit", experiment="churn", params={"learning_rate": 0.1}) as run:
        for step in range(4):
            run.log_metric("loss", 1 / (step + 1), step)
    with using_context(Notebook(folder, run.link)):
        for weight in (1, 2, 3, 4, 5, 6, 7):
            registry.register(
                "churn",
                {"weight": weight},
                metrics={"auc": 0.9 + weight / 100},
                params={"learning_rate": 0.1},
                data={"train": frame.head(2 + min(weight, 2))},
                tags=["baseline"] if weight == 1 else [],
                message=f"cut {weight}",
            )
    registry.register_dataset("customers", frame.head(4), origin="warehouse.customers")
    registry.get("churn@2").link("https://reports.example/churn", "report", title="First results")
    registry.deploy("churn@1", "prod-eu", reason="First")
    registry.promote("churn@1", "production", reason="First")
    registry.promote("churn@2", "production", reason="Better", message="lift 3 %")
    registry.set_alias("churn@1", "fallback")
    bob = registry.acting_as(Actor(user="bob", source="server", host="lab"))
    for number in (5, 6):
        bob.request(f"churn@{number}", "candidate", message="two weeks, +3 %")
    registry.request("churn@7", "candidate")
    registry.require("churn", "production", "metrics.auc > 0.99", "approved(2)", reason="Policy")
    registry.prove("churn@2")
    registry.protect("churn", "fallback", reason="the nightly job loads it")
    registry.update_model(
        "churn", owners=["bob"], description="who leaves next month", readme="For the call centre."
    )
    registry.set_split("churn", {"production": 0.75, "fallback": 0.25}, reason="Shadow")
    _draft(registry)
    return run.id


def _draft(registry: Registry) -> None:
    """What a cell trained and nobody registered."""
    cell = {"execution_count": 3, "cell_id": "c3"}
    seen = DraftRecord(
        variable="clf",
        type="sklearn.svm.SVC",
        at="2026-02-09T10:00:00.000000Z",
        cell=cell,
        notebook="train.ipynb",
    )
    kept = msgspec.structs.replace(taking.note(registry._desk, seen), metrics={"auc": 0.9})
    assert taking.keep(registry._desk, kept, {"weight": 8}, haste=False)


def _asked(
    registries: Registries, path: str, question: dict[str, object], actor: Actor = ADA
) -> dict[str, Any]:
    route = next(route for route in ROUTES if route.path == path)
    given: Any = json.dumps(question).encode() if route.method == "POST" else question
    got = answer(route, registries, actor, given)
    return {
        "method": route.method,
        "path": path,
        "asked": question,
        "status": got.status,
        "answer": json.loads(got.body),
    }


# what is another one each time


def _settled(made: dict[str, Any]) -> dict[str, Any]:
    made["version-environment"]["answer"] = _ENVIRONMENT
    made["version-source"]["answer"]["modules"] = {}  # what happens to be imported, with moments in its text
    text = json.dumps(made, ensure_ascii=False)
    place = made["registries"]["answer"][0]["location"].removesuffix("/lab/project/.nbreg")
    text = text.replace(place, "/srv")
    times = {old: START + timedelta(minutes=n) for n, old in enumerate(sorted(set(_TIME.findall(text))))}
    text = _TIME.sub(lambda each: f"{times[each[0]]:%Y-%m-%dT%H:%M:%S.000000Z}", text)
    text = re.sub(r"(20\d\d-)?\d\d-\d\d \d\d:\d\d\b", "2026-02-09 10:00", text)  # as people read it
    digests: dict[str, str] = {}

    def one(each: re.Match[str]) -> str:
        whole = next((known for known in digests if known.startswith(each[0])), each[0])
        number = digests.setdefault(whole, f"{len(digests) + 1:04x}")
        return (number * 16)[: len(each[0])]

    contract = made["hello"]["answer"]["contract"]
    found: dict[str, Any] = json.loads(_DIGEST.sub(one, text))
    for name in ("hello", "hello-held"):
        found[name]["answer"]["contract"] = contract
    for name in ("models", "poll"):
        found[name]["answer"]["cursor"] = "00000000.1"
    found["version-source"]["answer"]["argv"] = []
    return _calm(found)  # type: ignore[no-any-return]


def _calm(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        if name == "environment" and "summary" in value:
            value = value | {"summary": {"python": "3.12.1", "distributions": 2}}
        if name == "source" and "summary" in value:
            value = value | {"summary": {"git": value["summary"].get("git", "")}}
        if "redactions" in value:
            value = value | {"redactions": {}}  # of the modules that happen to be imported
        return {key: _calm(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_calm(each, name) for each in value]
    if name in _MEASURED and isinstance(value, int):
        return 1024
    if name == "seconds" and isinstance(value, float):
        return 1.0
    if name == "dtype" and value in ("object", "str", "string"):
        return "str"  # what text is called depends on pandas
    return _ELSEWHERE[name] if name in _ELSEWHERE and isinstance(value, str) else value


_ENVIRONMENT = {
    "python": {"version": "3.12.1", "implementation": "CPython"},
    "os": {"system": "Linux"},
    "cpu": {"count": 2},
    "accelerators": [],
    "numerics": {},
    "locale": {},
    "variables": {},
    "distributions": [
        {
            "name": name,
            "version": version,
            "origin": "index",
            "url": "",
            "commit": "",
            "imported": True,
            "needed": needed,
        }
        for name, version, needed in (("numpy", "2.4.6", True), ("pandas", "3.1.1", False))
    ],
    "conda": [],
}


def _pretty(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def main(folder: Path = FOLDER) -> int:
    """Write the files; those of routes that are gone go."""
    folder.mkdir(exist_ok=True)
    made = answers()
    for path in folder.glob("*.json"):
        if path.stem not in made:
            path.unlink()
    for name, data in made.items():
        (folder / f"{name}.json").write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
