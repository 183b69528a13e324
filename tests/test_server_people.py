"""A server that knows people by name, and allows some of them less."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import Server, running
from test_server import EXAMPLES, Folder, call, story

from nbreg.server.routes import ROUTES

PEOPLE = '''
from jupyter_server.auth import Authorizer, IdentityProvider, User

class Named(IdentityProvider):
    """Whoever says a name is believed: as a hub in front of the server would vouch for it."""

    def get_user(self, handler):
        name = handler.request.headers.get("Authorization", "").removeprefix("token ")
        handler._token_authenticated = True
        return User(username=name) if name in ("grace", "guest") else None

class Guests(Authorizer):
    """Guests look, and touch nothing of nbreg's."""

    def is_authorized(self, handler, user, action, resource):
        return not (user.username == "guest" and resource == "nbreg" and action != "read")
'''


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of several people."""
    top = tmp_path_factory.mktemp("people")
    (top / "root").mkdir()
    (top / "people.py").write_text(PEOPLE)
    with running(
        top / "root",
        "--ServerApp.identity_provider_class=people.Named",
        "--ServerApp.authorizer_class=people.Guests",
        home=top / "home",
        PYTHONPATH=os.pathsep.join([str(top), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]),
    ) as server:
        yield server


def test_who_may_only_look_changes_nothing(server: Server) -> None:
    """Who may do what is the server's to decide, and it is asked about every verb."""
    folder = Folder(server, "guests")
    known = story(folder)
    before = folder.heads()
    guest, status = server.client("guest"), {}

    for route in ROUTES:
        status[route.path] = call(guest, route, folder.asked(route) | known.get(route.path, {})).status

    assert {path for path, got in status.items() if got == 200} == {
        route.path for route in ROUTES if route.permission == "read"
    }
    assert {got for got in status.values() if got != 200} == {403}
    assert folder.heads() == before
    assert set(status) == set(EXAMPLES)


def test_an_event_names_the_person_that_the_server_knows(server: Server) -> None:
    """In a shared lab it must be seen which of them promoted, not who started the server."""
    folder = Folder(server, "named")
    folder.registry.register("churn", {"w": 1})

    got = server.client("grace").post("promote", registry=folder.key, ref="churn@1", to="staging")

    by = folder.registry.events("churn")[0].by
    assert got.status == 200
    assert (by.user, by.source, by.host) == ("grace", "server", folder.registry.actor.host)


def test_a_server_that_was_started_anew_tells_everything_again(server: Server, tmp_path: Path) -> None:
    """A sidebar that outlived the server goes on as if nothing had been."""
    folder = Folder(server, "anew")
    folder.registry.register("churn", {"w": 1})
    client = server.client("grace")
    cursor = client.get("poll", registry=folder.key).json["cursor"]
    tag = client.get("versions", registry=folder.key, model="churn").headers["etag"]
    with running(server.root, home=tmp_path / "other-home") as other:
        anew = other.client()
        told = anew.get("poll", registry=folder.key, since=cursor).json
        versions = anew.get("versions", {"If-None-Match": tag}, registry=folder.key, model="churn")

    assert told["all"]
    assert [row["name"] for row in told["models"]] == ["churn"]
    assert versions.status == 304  # the version is the same, whichever server says so
