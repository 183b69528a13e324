"""Every route of the server, by real requests to a real Jupyter Server in another process: whom it answers, and what it does."""

from __future__ import annotations

from pathlib import Path

import pytest
from children import run
from servers import Server
from stories import EXAMPLES, QUICK, Folder, call, story

from nbreg import Registry
from nbreg.records import RunLink, new_run_id
from nbreg.server.routes import ROUTES, Route

WRITES = [route for route in ROUTES if route.permission == "write"]


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
