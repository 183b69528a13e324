"""What the server refuses, why, and that nothing is changed by it, whatever it is sent."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.parse
from contextlib import closing
from pathlib import Path

import pytest
from children import run
from servers import TOKEN, Server
from stories import Folder, call, story

from nbreg.server.routes import ROUTES


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
