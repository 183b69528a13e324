"""Who may do what with a model: said by its owners, and held to by a service that knows people by name.

registry.update_model("churn", owners=["ada"], editors=["team-risk"], readers=["audit"], visibility="private")

    c.NbregServer.enforce = True
    c.NbregServer.teams = {"team-risk": ["grace"], "audit": ["bob"]}
    c.NbregServer.admins = ["root"]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers import Server, knowing_people
from stories import EXAMPLES, Folder, call, story

import nbreg
from nbreg import Registry
from nbreg.access import Level, Person, level
from nbreg.errors import NbregError, NotPermittedError, UnknownModelError, UnknownRunError
from nbreg.records import About, Actor, Lifecycle
from nbreg.registry.ground import rights
from nbreg.registry.stages import gatefunctions
from nbreg.server.answering import Answer, answer
from nbreg.server.people import People
from nbreg.server.registries import Configured, Registries
from nbreg.server.routes import ROUTES, Route
from nbreg.settings import Settings

TEAMS = {"risk": ["grace", "eve"], "audit": ["bob"], "others": ["mallory"]}
OF_ALL = {"usage", "verify", "drafts"}
"""Routes about the whole registry."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that holds people to what owners said."""
    with knowing_people(
        tmp_path_factory.mktemp("access"),
        "--NbregServer.enforce=True",
        f"--NbregServer.teams={TEAMS}",
        "--NbregServer.admins=root",
    ) as server:
        yield server


@pytest.fixture
def folder(server: Server, request: pytest.FixtureRequest) -> Folder:
    """Of a registry with a private model of ada's: risk edits it, audit reads it."""
    made = Folder(server, re.sub("[^a-z]+", "-", request.node.name).strip("-"))
    made.known = story(made)  # type: ignore[attr-defined]
    made.registry.update_model("risk/churn", owners=["ada"], editors=["risk"], readers=["audit"])
    return made


def ask(folder: Folder, server: Server, who: str, route: Route, **more: object) -> tuple[int, str]:
    """What somebody is answered."""
    known = folder.known.get(route.path, {})  # type: ignore[attr-defined]
    got = call(server.client(who), route, folder.asked(route) | known | more)
    return got.status, got.body.decode("utf-8", "replace")


def test_a_private_model_is_nowhere_for_who_may_not_look(server: Server, folder: Folder) -> None:
    """Not in a list, a search, an event, a run or a lineage; and asked for by name it is as if it were not."""
    folder.registry.register("open", {"weights": 1}, parent="risk/churn@1")
    folder.registry.update_model("open", visibility="public")
    folder.registry.copy("risk/churn@1", "twin")
    folder.registry.update_model("twin", visibility="public")
    before = folder.heads()

    for route in ROUTES:
        question = EXAMPLES[route.path]
        asked_by_name = "risk/churn" in str(question)
        status, text = ask(folder, server, "mallory", route)

        if route.path in OF_ALL or (route.path == "drop-gate"):
            assert (status, '"code":"not-permitted"' in text) == (403, True), route.path
        elif asked_by_name and route.path != "copy":
            assert (status, '"code":"unknown-model"' in text) == (404, True), (route.path, status, text)
            assert "did you mean" not in text
        elif route.path in ("run", "run/curve", "delete-run", "restore-run"):
            assert (status, '"code":"unknown-run"' in text) == (404, True), (route.path, text)
        elif route.permission == "read":
            assert status == 200, (route.path, text)
            assert "risk/churn" not in text.replace(str(question), ""), (route.path, text)
    status, text = ask(folder, server, "mallory", _route("lineage"), ref="open@1")
    assert (status, "risk/churn" in text, '"kind":"parent"' in text) == (200, False, True)
    assert folder.heads() == before
    names = {
        row["name"] for row in server.client("mallory").get("models", registry=folder.key).json["models"]
    }
    assert names == {"open", "twin"}


def test_an_auditor_reads_every_byte_of_what_they_may_see(server: Server, folder: Folder) -> None:
    """Checking the others is for administrators: the report says how far it looked, and is never a 403."""
    folder.registry.register("secret", {"weight": 1})
    told = {who: ask(folder, server, who, _route("audit"))[1] for who in ("bob", "root")}

    assert "verified: every line and every byte of this model" in told["bob"]
    assert "the rest of the registry is for administrators to check" in told["bob"]
    assert folder.registry.head("risk/churn").hash in told["bob"].replace("\\", "")
    assert "secret" not in told["bob"]
    assert "verified: every line and every byte of the registry" in told["root"]

    bundle = folder.registry.get("risk/churn@4").row.bundle
    path = folder.registry.location / "objects" / bundle[:2] / bundle[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-20] + b"x" * 20)
    assert "object-damaged" in ask(folder, server, "bob", _route("audit"))[1].replace("\\", "")


def _route(path: str) -> Route:
    return next(each for each in ROUTES if each.path == path)


def test_who_may_only_look_sees_all_of_it_and_changes_nothing(server: Server, folder: Folder) -> None:
    """An auditor reads what everybody else does, and cannot be blamed for any of it."""
    before = folder.heads()

    for route in ROUTES:
        status, text = ask(folder, server, "bob", route)
        if route.permission == "write" and route.path not in ("request", "copy"):
            expected = 404 if route.path in ("delete-run", "restore-run") else 403
            assert status == expected, (route.path, text)
        elif "risk/churn" in str(EXAMPLES[route.path]) and route.path not in ("request", "copy"):
            assert status == 200, (route.path, text)

    after = folder.heads()
    asked = folder.registry.events("risk/churn")[0]
    assert {name for name in after if after[name] != before.get(name)} == {"risk/churn", "copied"}
    assert (asked.kind, asked.by.user) == ("requested", "bob")  # who may look may ask


@pytest.mark.parametrize("who", ["grace", "ada", "root"])
def test_an_editor_promotes_and_an_owner_says_who_may(server: Server, folder: Folder, who: str) -> None:
    """A team works on a model every day; what has to hold of it they do not decide."""
    owners = {"require", "protect", "unprotect", "update-model"}

    for path in ("promote", "update", "set-alias", "deploy", "link", *sorted(owners)):
        status, text = ask(folder, server, who, _route(path))
        refused = path in owners and who == "grace"
        assert status == (403 if refused else 200), (path, text)
        if refused:
            assert "that is for the owners of 'risk/churn', and grace is none of them" in text
            assert "ask its owners: ada" in text
    status, _ = ask(folder, server, who, _route("drop-gate"))
    assert status == (200 if who == "root" else 403)
    assert folder.registry.get("risk/churn@3").stage == "staging"


@pytest.mark.parametrize(
    ("who", "may"), [("bob", "look"), ("grace", "change"), ("ada", "own"), ("root", "own")]
)
def test_a_reply_says_what_may_be_done_by_the_rule_that_refuses(
    server: Server, folder: Folder, who: str, may: str
) -> None:
    """A button that ends in a 403 is a trap; so whoever draws buttons is told beforehand, and truly."""
    client = server.client(who)
    told = client.get("model", registry=folder.key, model="risk/churn").json
    hello = client.get("hello").json

    tried = {
        "change": ask(folder, server, who, _route("set-alias"))[0] == 200,
        "own": ask(folder, server, who, _route("protect"))[0] == 200,
        "admin": ask(folder, server, who, _route("usage"))[0] == 200,
    }
    assert told["may"] == may
    assert tried == {"change": may != "look", "own": may == "own", "admin": hello["admin"]}
    assert folder.registry.may("risk/churn") == "own"  # a folder holds nobody to anything


def test_nobody_locks_themselves_out_by_mistake(server: Server, folder: Folder) -> None:
    """One name too few in a form, and only an administrator would bring the model back."""
    handing = {"owners": ["grace"], "reason": "Handover"}
    before = folder.heads()

    refused, text = ask(folder, server, "ada", _route("update-model"), **handing)
    unexplained, _ = ask(folder, server, "ada", _route("update-model"), force=True, owners=["grace"])

    assert (refused, '"code":"handover"' in text, unexplained) == (403, True, 400)
    assert "ada would be no owner of 'risk/churn' any more" in text
    assert folder.heads() == before
    assert ask(folder, server, "root", _route("update-model"), **handing)[0] == 200  # it is not theirs
    assert ask(folder, server, "grace", _route("update-model"), owners=["risk"])[0] == 200  # she is of risk
    assert (
        ask(folder, server, "grace", _route("update-model"), force=True, **(handing | {"owners": ["ada"]}))[0]
        == 200
    )
    assert folder.registry.about("risk/churn").owners == ["ada"]


def test_a_model_that_is_closed_leaves_the_list_of_who_follows(server: Server, folder: Folder) -> None:
    """A sidebar that is open at that moment shows it no longer, and no tag of before brings it back."""
    folder.registry.update_model("risk/churn", visibility="organisation")
    client = server.client("mallory")
    first = client.get("poll", registry=folder.key).json
    tag = client.get("models", registry=folder.key).headers["etag"]
    assert "risk/churn" in {row["name"] for row in first["models"]}
    theirs = server.client("nobody").get("models", {"If-None-Match": tag}, registry=folder.key)
    assert (theirs.status, theirs.json["models"]) == (200, [])  # in no team: not of the organisation

    folder.registry.update_model("risk/churn", visibility="private")
    then = client.get("poll", registry=folder.key, since=first["cursor"]).json

    assert (then["all"], [row["name"] for row in then["models"]]) == (True, [])
    assert client.get("models", {"If-None-Match": tag}, registry=folder.key).json["models"] == []


# the rules themselves

ADA = Person(frozenset({"ada"}))
STRANGER = Person(frozenset({"mallory"}), is_member=False)
MEMBER = Person(frozenset({"bob", "audit"}))


@pytest.mark.parametrize(
    ("about", "person", "expected"),
    [
        (About(), ADA, Level.OWN),  # who made it
        (About(), MEMBER, Level.NOTHING),
        (About(owners=["grace"]), ADA, Level.NOTHING),
        (About(owners=["audit"]), MEMBER, Level.OWN),
        (About(editors=["audit"]), MEMBER, Level.CHANGE),
        (About(readers=["bob"]), MEMBER, Level.LOOK),
        (About(visibility="organisation"), MEMBER, Level.LOOK),
        (About(visibility="organisation"), STRANGER, Level.NOTHING),
        (About(visibility="public"), STRANGER, Level.LOOK),
        (About(visibility="public", editors=["audit"]), MEMBER, Level.CHANGE),
        (About(owners=["grace"]), Person(frozenset({"root"}), is_admin=True), Level.OWN),
    ],
)
def test_a_person_has_the_most_that_anything_gives(about: About, person: Person, expected: Level) -> None:
    """Ada made the model; the rest is what was said of it."""
    assert level(about, "ada", person) == expected


def test_nobody_becomes_a_team_by_being_called_like_one() -> None:
    """Where people choose their own names, one of them will be `risk`."""
    people = People({"risk": ["grace"]}, ["platform", "risk-admins"])

    assert people.person("grace") == Person(frozenset({"grace", "risk"}))
    assert people.person("risk") == Person(frozenset(), is_member=False)
    assert people.person("platform") == Person(frozenset({"platform"}), is_admin=True)
    assert People({}, []).person("anyone").is_member


def test_a_service_of_ones_own_holds_people_to_it(tmp_path: Path) -> None:
    """Without a server of Jupyter's, too: one call for each request."""
    registry = Registry(tmp_path / "r", settings=Settings(capture=False))
    grace, ada = Actor(user="grace"), Actor(user="ada")
    mine = registry.acting_as(ada, Person(frozenset({"ada"})))
    theirs = registry.acting_as(grace, Person(frozenset({"grace"})))
    with mine.start_run("secret plan"):
        mine.register("churn", {"n": 1})
    run = mine.runs()[0]

    assert ([row.name for row in mine.models()], theirs.models(), theirs.runs()) == (["churn"], [], [])
    for refused in (
        lambda: theirs.load("churn@1"), lambda: theirs.versions("churn"), lambda: theirs.get("Churn@1"),
        lambda: theirs.promote("churn@1", "staging"), lambda: theirs.delete("churn@1", "Mine"),
    ):  # fmt: skip
        with pytest.raises(UnknownModelError) as unknown:
            refused()
        assert "churn?" not in unknown.value.hint
    with pytest.raises(UnknownRunError):
        _ = theirs.run(run.id).params
    with pytest.raises(NotPermittedError, match="grace may not write to 'churn'"):
        theirs.register("churn", {"n": 2})
    with pytest.raises(NotPermittedError):
        theirs.check("churn")  # before anything is trained
    for whole in (
        theirs.watch,
        theirs.verify,
        theirs.purge,
        theirs.du,
        theirs.drafts,
        lambda: theirs.require("*", "staging", "proven"),
    ):
        with pytest.raises(NotPermittedError, match="is for administrators"):
            whole()
    mine.update_model("churn", editors=["grace"])
    assert theirs.register("churn", {"n": 2}).number == 2
    mine.update_model("churn", editors=[])
    with pytest.raises(NbregError):
        theirs.promote("churn@2", "staging")
    assert registry.verify().ok


def test_a_model_that_is_closed_while_somebody_asks_is_there_or_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may be done with a model is found by one look: between two of them its owner may hide it."""
    registry = Registry(tmp_path / "r", settings=Settings(capture=False))
    ada = registry.acting_as(Actor(user="ada"), Person(frozenset({"ada"})))
    bob = registry.acting_as(Actor(user="bob"), Person(frozenset({"bob"})))
    ada.register("churn", 1)
    ada.update_model("churn", visibility="public")
    about = rights.about

    def closed_after_a_look(database: Any) -> About:
        said = about(database)
        monkeypatch.setattr(rights, "about", about)
        ada.update_model("churn", visibility="private")
        return said

    monkeypatch.setattr(rights, "about", closed_after_a_look)

    assert bob.may("churn") == "look"  # as it was when it was looked at
    with pytest.raises(UnknownModelError):
        bob.may("churn")


def test_a_run_that_is_not_shown_becomes_nobody_elses_by_registering_from_it(tmp_path: Path) -> None:
    """A run is shown to who may look at a version of it: nobody makes that version to see the run."""
    registry = Registry(tmp_path / "r", settings=Settings(capture=False))
    ada = registry.acting_as(Actor(user="ada"), Person(frozenset({"ada"})))
    grace = registry.acting_as(Actor(user="grace"), Person(frozenset({"grace"})))
    with ada.start_run("secret plan") as run:
        run.log_model({"n": 1})

    for name in (run.id, run.id[:12]):
        with pytest.raises(UnknownRunError):
            grace.register("mine", {"n": 2}, run=name)
    with pytest.raises(UnknownRunError):
        _ = grace.run(run.id).params
    assert grace.models() == []
    assert ada.register("churn", {"n": 2}, run=run.id).run.id == run.id


def test_a_run_that_goes_on_is_written_to_and_ended_by_its_maker_alone(tmp_path: Path) -> None:
    """A service's process runs those of many people: what others see of one, they do not change."""
    registry = Registry(tmp_path / "r", settings=Settings(capture=False))
    ada = registry.acting_as(Actor(user="ada"), Person(frozenset({"ada"})))
    grace = registry.acting_as(Actor(user="grace"), Person(frozenset({"grace"})))
    with ada.start_run("shared") as run:
        ada.register("churn", {"n": 1})
        ada.update_model("churn", readers=["grace"])
        theirs = grace.run(run.id)
        for refused in (
            lambda: theirs.log_params({"rate": 9}), lambda: theirs.log_metric("auc", 0.1),
            lambda: theirs.log_model({"n": 9}), lambda: theirs.add_note("mine"), theirs.end,
        ):  # fmt: skip
            with pytest.raises(NotPermittedError, match="grace did not make the run"):
                refused()
        run.log_metric("auc", 0.9)
        assert (grace.run(run.id).state, theirs.metrics, theirs.params) == ("running", {"auc": 0.9}, {})
    assert registry.run(run.id).state == "finished"


def test_the_gates_of_a_hidden_model_are_not_told_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gate's name says what a team is afraid of; whoever may not look learns not even that there is one."""
    registry = Registry(tmp_path / "r", settings=Settings(capture=False))
    registry.acting_as(Actor(user="ada"), Person(frozenset({"ada"}))).register("churn", {"n": 1})
    grace = registry.acting_as(Actor(user="grace"), Person(frozenset({"grace"})))
    monkeypatch.setattr(gatefunctions, "_declared", {})
    registry.require("churn", "staging", nbreg.gate(fairness_of_the_merger))
    gatefunctions._declared.clear()  # as in a process that has not declared it

    for refused in (
        lambda: grace.check("churn", stage="staging"),
        lambda: grace.register("churn", {"n": 2}, stage="staging"),
    ):
        with pytest.raises(NotPermittedError) as told:
            refused()
        assert "fairness" not in told.value.line
    assert grace.seen("churn") == grace.seen("nothing")  # nor when somebody works on it


def fairness_of_the_merger(new: object, old: object, ctx: object) -> bool:
    """A gate that only its own process can ask."""
    return True


def test_a_tag_from_before_the_teams_changed_brings_nothing_back(tmp_path: Path) -> None:
    """A server is started anew with other teams: what a browser has is no answer any more."""
    registry = Registry(tmp_path / "r", settings=Settings(capture=False))
    registry.acting_as(Actor(user="ada"), Person(frozenset({"ada"}))).register("churn", {"n": 1})
    registry.update_model("churn", visibility="organisation")
    route, asked = _route("versions"), {"registry": "team", "model": "churn"}

    def answered(people: People, tag: str = "") -> Answer:
        served = Registries(None, {"team": Configured(tmp_path / "r", False)}, people=people)
        return answer(route, served, Actor(user="mallory"), asked, known=tag)

    before = answered(People({}, []))
    after = answered(People({"risk": ["grace"]}, []), before.etag)

    assert answered(People({}, []), before.etag).status == 304
    assert (before.status, after.status) == (200, 404)


def test_what_holds_for_all_models_is_chosen_by_administrators(tmp_path: Path) -> None:
    """The stages of a registry, and whether git keeps it, are everybody's."""
    registry = Registry(tmp_path / "r", settings=Settings(capture=False))
    grace = registry.acting_as(Actor(user="grace"), Person(frozenset({"grace"})))

    for chosen in ({"stages": ["none", "testing", "live", "archived"]}, {"git": True}):
        with pytest.raises(NotPermittedError):
            grace.init(**chosen)  # type: ignore[arg-type]
    assert registry.stages == Lifecycle().stages
