"""A server that knows people by name, and allows some of them less."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import Server, knowing_people, running
from stories import EXAMPLES, Folder, call, story

from nbreg.server.routes import ROUTES


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of several people."""
    guests = "--ServerApp.authorizer_class=people.Guests"
    with knowing_people(tmp_path_factory.mktemp("people"), guests) as server:
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
