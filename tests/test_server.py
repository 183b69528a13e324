"""The server as a sidebar uses it: real requests to a real Jupyter Server in another process.

Somebody opens JupyterLab on a folder with a notebook. The sidebar asks `nbreg/registries?near=…` for the
registry that the notebook's kernel writes to, lists its models, follows `poll`, and promotes by a POST.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import socket
import threading
import urllib.parse
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from children import run
from servers import TOKEN, Client, Server

from nbreg import Registry
from nbreg.records import Actor, Head, RunLink, new_run_id
from nbreg.server.routes import ROUTES, Route
from nbreg.settings import Settings

QUICK = Settings(capture=False)
READS = [route for route in ROUTES if route.permission == "read"]
WRITES = [route for route in ROUTES if route.permission == "write"]


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


@pytest.fixture
def folder(server: Server, request: pytest.FixtureRequest) -> Folder:
    """A folder of the test's own."""
    return Folder(server, re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-"))


def call(client: Client, route: Route, question: dict[str, object], **headers: str) -> Any:
    """Ask a route as its method wants it."""
    ask = client.get if route.method == "GET" else client.post
    return ask(route.path, headers, **question)


# every route


def test_every_route_does_what_it_is_there_for(server: Server, folder: Folder) -> None:
    """A button in the sidebar whose route fails for everybody is found here, not by a user."""
    known = story(folder)
    client = server.client()

    replies = {
        route.path: call(client, route, folder.asked(route) | known.get(route.path, {})) for route in ROUTES
    }

    assert {path: (got.status, got.body[:200]) for path, got in replies.items() if got.status != 200} == {}
    assert {route.path for route in ROUTES} == set(EXAMPLES)
    registry = folder.registry
    assert registry.get("risk/churn@production").number == 1  # rolled back
    assert registry.get("risk/churn@3").stage == "archived"
    told = [(each.kind, each.facts.get("stage")) for each in registry.get("risk/churn@3").events]
    assert told[-1:0:-1] == [
        ("registered", None),
        ("alias-set", None),
        ("promoted", "staging"),
        ("retired", "archived"),
    ]
    assert registry.get("risk/churn@2").tags == ["b"]
    assert registry.aliases("risk/churn") == {"champion": 2}
    assert {row.name for row in registry.models()} == {"risk/churn", "copied", "moved"}
    assert [each.number for each in registry.versions("risk/churn")] == [9, 8, 7, 6, 3, 2, 1]
    assert [each.name for each in registry.runs()] == ["gone", "fit"]
    assert registry.get("risk/churn@7").stage == "candidate"
    states = {each.id: each.state for each in registry.requests("risk/churn")}
    assert [states[f"risk/churn:r{n}"] for n in (1, 2, 3, 4)] == ["promoted", "rejected", "withdrawn", "open"]
    assert [(each.stage, each.gate) for each in registry.gates("risk/churn")] == [
        ("production", "metrics.auc > 0.9")
    ]
    assert list(registry.protected("risk/churn")) == ["champion"]
    assert [each.target for each in registry.get("risk/churn@8").links] == ["https://tickets.example/7"]
    assert registry.get("risk/churn@9").links == []
    assert [each.where for each in registry.deployments("risk/churn")] == ["prod-eu"]
    assert registry.about("risk/churn").owners == ["ada"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_no_route_answers_who_is_not_known(server: Server, route: Route) -> None:
    """Whoever can reach the port may not even learn which models there are."""
    question = EXAMPLES[route.path] | ({} if route.path in ("hello", "registries") else {"registry": "team"})

    for token in (None, "another-token"):
        got = call(server.client(token), route, question)
        assert got.status in (401, 403)
        assert set(got.json) == {"code", "message", "hint", "gates"}
        assert "churn" not in got.body.decode()


def test_nothing_is_changed_by_who_is_not_known(server: Server, folder: Folder) -> None:
    """A refusal that has already written is no refusal."""
    known = story(folder)
    before = folder.heads()

    for route in WRITES:
        for token in (None, "another-token"):
            call(server.client(token), route, folder.asked(route) | known.get(route.path, {}))

    assert folder.heads() == before


def test_a_page_elsewhere_cannot_act_through_somebodys_browser(server: Server, folder: Folder) -> None:
    """The browser sends its cookie along with a form on any page; only our own knows the XSRF token."""
    known = story(folder)
    before = folder.heads()
    browser, xsrf = server.browser()

    assert browser.get("hello").status == 200  # the cookie is a login
    for route in WRITES:
        question = folder.asked(route) | known.get(route.path, {})
        assert call(browser, route, question).status == 403
        assert call(browser, route, question, **{"X-XSRFToken": "2|a|b|1"}).status == 403
    assert folder.heads() == before

    tags = browser.post(
        "update", {"X-XSRFToken": xsrf}, registry=folder.key, ref="risk/churn@1", tags=["by-cookie"]
    )
    assert tags.json["version"]["tags"] == ["by-cookie"]


# which registry


def test_the_sidebar_finds_the_registry_that_the_notebooks_kernel_uses(
    server: Server, tmp_path: Path
) -> None:
    """Two places would be two truths: what `%register_model` wrote must be what the sidebar lists."""
    deep = server.root / "project" / "notebooks"
    deep.mkdir(parents=True)
    script = "r = Registry(settings=QUICK); r.register('churn', {'w': 1}); print(r.location)"
    (server.root / "project" / ".nbreg").mkdir()
    Registry(server.root / "project" / ".nbreg", settings=QUICK).init()
    told = run(script, cwd=deep).strip()

    first = server.client().get("registries", near="project/notebooks/train.ipynb").json[0]

    assert first["location"] == told
    assert first["key"] == "~project"
    assert (first["exists"], first["writable"]) == (True, True)
    listed = server.client().get("models", registry=first["key"]).json["models"]
    assert [row["name"] for row in listed] == ["churn"]


def test_a_version_leads_to_the_notebook_and_the_cell_that_made_it(
    server: Server, folder: Folder, tmp_path: Path
) -> None:
    """The way there is a path that the page can open; of any other place it says where that is, and no more."""
    from wire import Notebook

    from nbreg.capture.context import using_context

    registry, made = Registry(folder.registry.location), server.root / "made"
    made.mkdir()
    (made / "train.ipynb").write_text("{}")
    (tmp_path / "out.ipynb").write_text("{}")
    (made / "link.ipynb").symlink_to(tmp_path / "out.ipynb")
    (made / "page.html").write_text("<script>no</script>")
    (made / "disguised.ipynb").symlink_to(made / "page.html")
    places = [
        str(made / "train.ipynb"),
        str(made / "gone.ipynb"),
        str(made / "link.ipynb"),
        "train.ipynb",
        "",
        str(made / "page.html"),
        str(made / "disguised.ipynb"),
    ]
    for weight, place in enumerate(places):
        context = Notebook(made, RunLink(id=new_run_id(), kind="notebook"))
        context.notebook = place
        with using_context(context):
            registry.register("made", {"w": weight})
    registry.register("made", {"w": "by a script"})

    ask = server.client().get
    found = [ask("version/origin", registry=folder.key, ref=f"made@{n}").json for n in range(1, 9)]

    assert [each["notebook"] for each in found] == ["made/train.ipynb", *[""] * 7]
    assert [each["told"] for each in found[:7]] == places
    assert (found[0]["execution_count"], found[0]["source"]) == (2, "clf = fit(frame, learning_rate)")
    assert found[0]["why"] == ""
    assert found[1]["why"].startswith("its notebook is not in this server's folder")
    assert found[4]["why"] == "the kernel that made it did not know its notebook"
    assert found[5]["why"] == f"it was made in a file that is no notebook: {made / 'page.html'}"
    assert found[6]["why"].startswith("its notebook is not in this server's folder")
    assert found[7]["why"].startswith("no cell made it")


def test_a_registry_that_is_only_read_is_not_written(server: Server) -> None:
    """An archive that everybody may look at stays as it is, whoever may write to its folder."""
    old = Registry(server.root.parent / "old", settings=QUICK)
    old.register("churn", {"w": 1})
    client = server.client()

    assert client.get("versions", registry="old", model="churn").status == 200
    refused = client.post("promote", registry="old", ref="churn@1", to="staging")

    assert (refused.status, refused.json["code"]) == (403, "read-only")
    assert old.get("churn@1").stage == "none"
    told = {each["key"]: each["why"] for each in client.get("registries").json}
    assert told["old"] == "this server only reads it"


# following


def test_what_another_process_registers_is_seen_by_who_follows(server: Server, folder: Folder) -> None:
    """A sidebar that shows yesterday's state invites yesterday's decision."""
    folder.registry.register("churn", {"w": 1})
    folder.registry.register("quiet", {"w": 1})
    client = server.client()
    first = client.get("poll", registry=folder.key).json
    nothing = client.get("poll", registry=folder.key, since=first["cursor"]).json

    run(
        "Registry(sys.argv[1], settings=QUICK).register('churn', {'w': 2})",
        folder.registry.location,
    )
    changed = client.get("poll", registry=folder.key, since=first["cursor"]).json

    assert ([row["name"] for row in first["models"]], first["all"]) == (["churn", "quiet"], True)
    assert (nothing["models"], nothing["all"], nothing["cursor"]) == ([], False, first["cursor"])
    assert [(row["name"], row["latest"]) for row in changed["models"]] == [("churn", 2)]
    assert not changed["all"]


def test_who_followed_a_server_that_is_gone_is_told_everything(server: Server, folder: Folder) -> None:
    """After a restart nobody knows what was seen: a sidebar must not wait for a change to fill itself."""
    folder.registry.register("churn", {"w": 1})

    for cursor in ("", "deadbeef.7", "no cursor", "1.²", "." * 300):
        told = server.client().get("poll", registry=folder.key, since=cursor).json
        assert told["all"]
        assert [row["name"] for row in told["models"]] == ["churn"]


def test_runs_drafts_and_the_registrys_own_rules_are_followed(server: Server, folder: Folder) -> None:
    """A run that begins is news, although no model changed."""
    client = server.client()
    cursor = client.get("poll", registry=folder.key).json["cursor"]

    folder.registry.start_run("fit").end()

    told = client.get("poll", registry=folder.key, since=cursor).json
    assert "runs" in told["others"]


@pytest.mark.parametrize("path", ["models", "model", "versions", "version", "diff", "events", "search"])
def test_an_answer_that_is_still_true_is_not_sent_again(server: Server, folder: Folder, path: str) -> None:
    """A sidebar asks often; the wire and the disk should hardly notice."""
    story(folder)
    client = server.client()
    question = EXAMPLES[path] | {"registry": folder.key}
    tag = client.get(path, **question).headers["etag"]

    again = client.get(path, {"If-None-Match": tag}, **question)
    through_a_proxy = client.get(path, {"If-None-Match": f"W/{tag}"}, **question)
    folder.registry.promote("risk/churn@3", "production", reason="Newer")
    after = client.get(path, {"If-None-Match": tag}, **question)

    assert (again.status, again.body, through_a_proxy.status) == (304, b"", 304)
    assert after.status == 200
    assert after.headers["etag"] != tag


def test_whether_an_answer_is_still_true_is_found_out_without_making_it(
    server: Server, folder: Folder
) -> None:
    """A manifest of a slow disk is not read again to learn that it is the same."""
    folder.registry.register("churn", {"w": 1})
    client = server.client()
    tag = client.get("version", registry=folder.key, ref="churn@1").headers["etag"]
    objects = folder.registry.location / "objects"
    objects.rename(objects.with_name("elsewhere"))

    again = client.get("version", {"If-None-Match": tag}, registry=folder.key, ref="churn@1")

    assert again.status == 304


def test_lists_come_in_pages(server: Server, folder: Folder) -> None:
    """A model with ten thousand versions is a first page at once, not a minute of waiting."""
    story(folder)
    client = server.client()

    first = client.get("versions", registry=folder.key, model="risk/churn", limit=2).json
    last = client.get("versions", registry=folder.key, model="risk/churn", limit=2, offset=7).json

    assert ([each["version"]["number"] for each in first["versions"]], first["more"]) == ([9, 8], True)
    assert ([each["version"]["number"] for each in last["versions"]], last["more"]) == ([1], False)
    models = client.get("models", registry=folder.key, match="none of that name").json
    assert (models["models"], models["total"]) == ([], 0)


def test_what_was_hidden_and_what_was_before_can_be_looked_at(server: Server, folder: Folder) -> None:
    """A deleted run is found again, and a data set has all contents that it had."""
    known = story(folder)
    folder.registry.register_dataset("customers", np.arange(5.0))
    client = server.client()

    def runs(**more: object) -> list[str]:
        return [each["id"] for each in client.get("runs", registry=folder.key, **more).json["runs"]]

    gone = known["restore-run"]["run"]
    assert gone not in runs()
    assert gone in runs(deleted=True)
    series = client.get("dataset", registry=folder.key, data="customers@1").json
    assert [each["number"] for each in series] == [2, 1]
    assert client.get("dataset", registry=folder.key, data="nobody").json["code"] == "unknown-dataset"


def test_traffic_is_shared_out_and_no_longer(server: Server, folder: Folder) -> None:
    """An operator without a shell moves a tenth of the customers, and moves them back."""
    story(folder)
    client = server.client()
    wish = {"registry": folder.key, "model": "risk/churn", "reason": "ABTest"}

    assert (
        client.post("set-split", **wish, weights={"production": 90, "latest": 20}).json["code"] == "bad-value"
    )
    assert client.get("model", registry=folder.key, model="risk/churn").json["split"] is None
    client.post("set-split", **wish, weights={"production": 90, "latest": 10})
    split = client.get("model", registry=folder.key, model="risk/churn").json["split"]
    assert split["weights"] == {"production": 0.9, "latest": 0.1}
    assert folder.registry.events("risk/churn")[0].reason == "ABTest"
    assert client.post("set-split", **wish, weights=None).json is None
    assert folder.registry.split("risk/churn") is None


# refusals


@pytest.mark.parametrize(
    ("path", "question", "status", "code"),
    [
        ("version", {"ref": "nobody@1"}, 404, "unknown-model"),
        ("version", {"ref": "risk/churn@99"}, 404, "unknown-version"),
        ("version", {"ref": "@@@"}, 400, "bad-reference"),
        ("version", {}, 400, "bad-input"),
        ("versions", {"model": "risk/churn", "limit": 501}, 400, "bad-input"),
        ("versions", {"model": "risk/churn", "limit": "many"}, 400, "bad-input"),
        ("versions", {"model": "risk/churn", "offset": -1}, 400, "bad-input"),
        ("versions", {"model": "risk/churn", "query": "metrics.auc >"}, 400, "bad-query"),
        ("versions", {"model": "../../etc/passwd"}, 400, "bad-name"),
        ("versions", {"model": "risk/churn", "path": "/etc"}, 400, "bad-input"),
        ("promote", {"ref": "risk/churn@3", "to": "nowhere"}, 404, "unknown-stage"),
        ("promote", {"ref": "risk/churn"}, 400, "bad-reference"),
        ("promote", {"ref": ["risk/churn@1"]}, 400, "bad-input"),
        ("set-alias", {"ref": "risk/churn@3", "alias": "1.0.0"}, 409, "name-taken"),
        ("set-alias", {"ref": "risk/churn@3", "alias": "latest"}, 400, "bad-name"),
        ("copy", {"ref": "risk/churn@3", "version": "1.0.0"}, 409, "name-taken"),
        ("delete", {"ref": "risk/churn@2", "reason": "Mistake"}, 409, "version-in-use"),
        ("rollback", {"model": "risk/churn", "stage": "staging"}, 409, "transition"),
        ("update", {"ref": "risk/churn@2", "metrics": {"auc": 0.1}}, 400, "bad-value"),
        ("run", {"run": "0" * 32}, 404, "unknown-run"),
    ],
)
def test_a_refusal_says_why_and_changes_nothing(
    server: Server, folder: Folder, path: str, question: dict[str, object], status: int, code: str
) -> None:
    """What the sidebar shows below the button is this message and this hint."""
    story(folder)
    before = folder.heads()
    route = next(route for route in ROUTES if route.path == path)

    got = call(server.client(), route, {"registry": folder.key, **question})

    assert (got.status, got.json["code"]) == (status, code)
    assert got.json["message"]
    assert folder.heads() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{", 400),
        (b'{"ref": "\xff"}', 400),
        (b"[" * 100_000, 400),
        (b'{"ref": "a@1", "metrics": {"auc": NaN}}', 400),
    ],
    ids=["nothing", "a-list", "half", "no-utf-8", "deep", "nan"],
)
def test_bytes_that_are_no_wish_are_refused(server: Server, body: bytes, status: int) -> None:
    """The server goes on whatever it is sent."""
    got = server.client().send("POST", "nbreg/update", body)

    assert got.status == status
    assert set(got.json) == {"code", "message", "hint", "gates"}
    assert server.client().get("hello").status == 200


def test_a_body_that_says_that_it_is_too_large_is_not_waited_for(server: Server) -> None:
    """What nobody will read need not be sent: the answer is there after the head."""
    wire = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=60)
    with closing(wire):
        wire.putrequest("POST", "/nbreg/update")
        wire.putheader("Authorization", f"token {TOKEN}")
        wire.putheader("Content-Length", "2000000")
        wire.endheaders()
        got = wire.getresponse()
        told = json.loads(got.read())

    assert got.status == 413
    assert told.keys() == {"code", "message", "hint", "gates"}
    assert server.client().get("hello").status == 200


def test_a_body_without_end_is_not_kept(server: Server) -> None:
    """Chunks that never say how many they are fill no memory: the server lets go of the connection."""
    host = urllib.parse.urlsplit(server.url).netloc
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=60) as wire:
        wire.sendall(
            f"POST /nbreg/update HTTP/1.1\r\nHost: {host}\r\nAuthorization: token {TOKEN}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
        sent = 0
        try:
            while sent < 200:
                wire.sendall(chunk)
                sent += 1
        except OSError:
            pass

    assert sent < 200
    assert server.client().get("hello").status == 200


def test_a_busy_registry_says_so(server: Server, folder: Folder) -> None:
    """Another process holds the lock: the sidebar says who, and tries again."""
    from children import start

    folder.registry.register("churn", {"w": 1})
    holder = start(
        "import fcntl\n"
        "file = open(sys.argv[1], 'rb+')\n"
        "fcntl.flock(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "sys.stdin.readline()\n",
        folder.registry.location / "models" / "churn.model" / "journal.jsonl",
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"

    got = server.client().post("promote", registry=folder.key, ref="churn@1", to="staging")
    still = server.client().get("versions", registry=folder.key, model="churn")
    holder.communicate("\n", timeout=60)

    assert (got.status, got.json["code"]) == (503, "registry-busy")
    assert got.headers["retry-after"] == "2"
    assert still.status == 200


def test_hostile_text_travels_as_data(server: Server, folder: Folder) -> None:
    """A model's description can be written by anybody; it is nowhere a page."""
    evil = "</script><img src=x onerror=alert(1)>\u2028 ‮ \\u0000"
    folder.registry.register("churn", {"w": 1}, description=evil, message=evil, tags=["<b>"])

    got = server.client().get("version", registry=folder.key, ref="churn@1")

    assert got.json["item"]["version"]["description"] == evil
    assert got.headers["content-type"] == "application/json; charset=UTF-8"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in got.headers["content-security-policy"]


def test_who_acts_is_written_down(server: Server, folder: Folder) -> None:
    """A token says nothing of a person: then it is whoever runs the server, as for a kernel beside it."""
    folder.registry.register("churn", {"w": 1})

    server.client().post("promote", registry=folder.key, ref="churn@1", to="staging", message="from the lab")

    event = folder.registry.events("churn")[0]
    assert (event.kind, event.message, event.by) == ("promoted", "from the lab", folder.registry.actor)
    assert server.client().get("hello").json["actor"]["user"] == folder.registry.actor.user


def test_what_was_shown_is_done_or_nothing_is(server: Server, folder: Folder) -> None:
    """Two people look at the same sidebar; the second one's click meant a state that is gone."""
    story(folder)
    client = server.client()
    shown = client.get("version", registry=folder.key, ref="risk/churn@3").json["moves"]
    move = next(each for each in shown if each["to"] == "production")
    back = next(
        each
        for each in client.get("version", registry=folder.key, ref="risk/churn@2").json["moves"]
        if each["kind"] == "rolled-back"
    )
    assert (move["displaced"], back["number"]) == (2, 1)

    folder.registry.promote("risk/churn@4", "production", reason="Faster")
    late = client.post(
        "promote", registry=folder.key, ref="risk/churn@3", to="production", reason="Mine", expect=move
    )
    also_late = client.post("rollback", registry=folder.key, model="risk/churn", expect=back)
    assert [(got.status, got.json["code"]) for got in (late, also_late)] == [(409, "conflict")] * 2
    assert "held by" in late.json["message"]
    assert folder.registry.get("risk/churn@production").number == 4

    shown = client.get("version", registry=folder.key, ref="risk/churn@3").json["moves"]
    move = next(each for each in shown if each["to"] == "production")
    done = client.post(
        "promote", registry=folder.key, ref="risk/churn@3", to="production", reason="Mine", expect=move
    )
    assert (done.status, done.json["version"]["stage"]) == (200, "production")


def test_what_does_not_pass_its_gates_is_refused_with_what_each_saw(server: Server, folder: Folder) -> None:
    """The sidebar shows the list of gates, so that somebody knows what to do about it."""
    folder.registry.register("churn", {"w": 1}, metrics={"auc": 0.7})
    folder.registry.require("churn", "production", "metrics.auc > 0.9", "message_required")
    client = server.client()

    refused = client.post("promote", registry=folder.key, ref="churn@1", to="production", message="now")
    forced = client.post(
        "promote", registry=folder.key, ref="churn@1", to="production", force=True, reason="Incident"
    )

    assert (refused.status, refused.json["code"]) == (403, "gate-refused")
    assert [(each["gate"], each["passed"]) for each in refused.json["gates"]] == [
        ("metrics.auc > 0.9", False),
        ("message_required", True),
    ]
    assert (forced.status, forced.json["version"]["stage"]) == (200, "production")


def test_a_gate_that_this_server_cannot_ask_is_not_skipped(
    server: Server, folder: Folder, tmp_path: Path
) -> None:
    """A function of the team's package, which is not installed where the server runs."""
    registry = folder.registry
    registry.register("churn", {"w": 1})
    (tmp_path / "team.py").write_text(
        "import nbreg\n\n@nbreg.gate\ndef no_regression(version):\n    return True\n"
    )
    run(
        "sys.path.append(sys.argv[2]); import team\n"
        "Registry(sys.argv[1], settings=QUICK).require('churn', 'production', team.no_regression)",
        registry.location,
        tmp_path,
    )
    client = server.client()

    refused = client.post("promote", registry=folder.key, ref="churn@1", to="production")
    listed = client.get("gates", registry=folder.key, model="churn").json

    assert (refused.status, refused.json["code"]) == (403, "gate-unavailable")
    assert refused.json["hint"]
    assert [bool(each["unavailable"]) for each in listed] == [True]
    assert registry.get("churn@1").stage == "none"


# what takes long


def test_nobody_waits_for_who_reads_everything(server: Server, folder: Folder) -> None:
    """Checking a terabyte leaves the sidebar as quick as it was."""
    folder.registry.register("churn", {"w": 1})
    large = folder.registry.location / "objects" / "00" / ("0" * 62)
    large.parent.mkdir(exist_ok=True)
    with large.open("wb") as file:
        file.truncate(1024**3)  # takes no room on disk, and a while to read
    client = server.client()

    with ThreadPoolExecutor(4) as threads:
        slow = [threads.submit(client.get, "verify", registry=folder.key) for _ in range(4)]
        quick = [
            client.get("versions", registry=folder.key, model="churn"),
            client.get("poll", registry=folder.key),
            client.post("update", registry=folder.key, ref="churn@1", tags=["meanwhile"]),
        ]
        are_at_work = not all(each.done() for each in slow)
        reports = [each.result(timeout=200) for each in slow]
    large.unlink()

    assert [each.status for each in quick] == [200, 200, 200]
    assert are_at_work
    assert [each.status for each in reports] == [200] * 4
    assert all(each.json["problems"][-1]["code"] == "object-damaged" for each in reports)


def test_slow_routes_have_threads_of_their_own() -> None:
    """However many people check everything at once, a list does not queue behind them."""
    from nbreg.server.handlers import Threads

    threads, gate = Threads(), threading.Event()
    by_path = {route.path: route for route in ROUTES}
    waiting = [
        threads.of(by_path[path]).submit(gate.wait) for path in ("verify", "usage", "files", "archive") * 8
    ]

    try:
        assert threads.of(by_path["versions"]).submit(lambda: "answered").result(timeout=60) == "answered"
        assert threads.of(by_path["promote"]).submit(lambda: "answered").result(timeout=60) == "answered"
        assert not any(each.done() for each in waiting)
    finally:
        gate.set()
        threads.close()


# files


def is_emptied(server: Server) -> bool:
    """Whether the server takes away what it made to send: it does so after the last byte has gone."""
    for _ in range(3000):
        if not list((server.root.parent / "scrap").glob("nbreg-*")):
            return True
        threading.Event().wait(0.01)
    return False


def test_a_version_goes_to_another_registry_as_one_file(
    server: Server, folder: Folder, tmp_path: Path
) -> None:
    """What a colleague downloads from the sidebar is the version itself: same id, every byte checked."""
    version = folder.registry.register("risk/churn", {"w": 1}, metrics={"auc": 0.9})

    got = server.client().get("archive", registry=folder.key, ref="risk/churn@1")
    (tmp_path / "got.nbreg").write_bytes(got.body)
    taken = Registry(tmp_path / "other", settings=QUICK).import_(tmp_path / "got.nbreg")

    assert taken.id == version.id
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''risk-churn-1.0.0.nbreg"
    assert got.headers["content-type"] == "application/octet-stream"
    assert is_emptied(server)


def test_a_version_is_downloaded_as_the_files_that_pull_writes(
    server: Server, folder: Folder, tmp_path: Path
) -> None:
    """Whoever has no nbreg opens a zip and finds ordinary files."""
    (tmp_path / "notes.txt").write_text("a file as it was")
    folder.registry.register("churn", {"w": 1}, artifacts={"notes": tmp_path / "notes.txt"})

    got = server.client().get("files", registry=folder.key, ref="churn@1")
    with zipfile.ZipFile(io.BytesIO(got.body)) as files:
        names = {name.partition("/")[2] for name in files.namelist()}
        metadata = json.loads(files.read("churn-1.0.0/model_metadata.json"))

    folder.registry.pull("churn@1", tmp_path / "pulled")
    pulled = {
        path.relative_to(tmp_path / "pulled").as_posix()
        for path in (tmp_path / "pulled").rglob("*")
        if path.is_file()
    }
    assert names == pulled
    assert metadata["model_name"] == "churn"
    assert is_emptied(server)


def test_who_leaves_a_download_leaves_nothing_behind(server: Server, folder: Folder, tmp_path: Path) -> None:
    """A closed tab in the middle of a gigabyte: nobody waits, and the copy on disk goes."""
    (tmp_path / "large.bin").write_bytes(os.urandom(1024) * 32 * 1024)
    folder.registry.register("churn", tmp_path / "large.bin")
    host = urllib.parse.urlsplit(server.url).netloc
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=60) as wire:
        wire.sendall(
            f"GET /nbreg/files?registry={folder.key}&ref=churn@1 HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: token {TOKEN}\r\n\r\n".encode()
        )
        assert wire.recv(64 * 1024).startswith(b"HTTP/1.1 200 OK")
        assert server.client().get("hello").status == 200  # while the other one does not read

    assert is_emptied(server)
