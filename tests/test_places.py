"""What a person can do without a kernel: every verb of the registry has a place in JupyterLab's sidebar, or a reason.

Someone who has never opened a terminal promotes a version, overrules a gate with a reason, protects an alias,
records where a model is at work, reads a run's curve. This page of the contract is read from the sources: a
verb or a route that is added without a place, and without a word on why, fails here.
"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from textwrap import dedent

import pytest

from nbreg import Registry
from nbreg.server.routes import ROUTES, Route

SOURCES = Path(__file__).resolve().parent.parent / "labextension" / "src"

PLACES: dict[str, tuple[str, str, str]] = {
    "about": ("model", "model.tsx", "owners"),
    "aliases": ("model", "aliases.tsx", "Aliases of %1"),
    "approve": ("approve", "requests.tsx", "Approve"),
    "audit": ("audit", "model.tsx", "Audit"),
    "copy": ("copy", "version.tsx", "Copy"),
    "dataset": ("dataset", "datasets.tsx", "Contents that it had"),
    "datasets": ("datasets", "datasets.tsx", "Data sets"),
    "delete": ("delete", "version.tsx", "Delete"),
    "delete_run": ("delete-run", "runs.tsx", "Delete"),
    "deploy": ("deploy", "belonging.tsx", "Record where it is at work…"),
    "deployments": ("deployments", "model.tsx", "At work"),
    "diff": ("diff", "known.tsx", "Compare with"),
    "drafts": ("drafts", "drafts.tsx", "Drafts"),
    "drop_alias": ("drop-alias", "aliases.tsx", "Take the alias %1 away"),
    "drop_gate": ("drop-gate", "gates.tsx", "drop…"),
    "du": ("usage", "upkeep.tsx", "Room on disk"),
    "events": ("events", "head.tsx", "What happened"),
    "export": ("archive", "version.tsx", "Download"),
    "gates": ("gates", "model.tsx", "Gates"),
    "get": ("version", "version.tsx", "More to do with this version"),
    "lineage": ("lineage", "known.tsx", "Lineage"),
    "model": ("model", "models.tsx", "About this model"),
    "may": ("model", "permitted.tsx", "You may look at it, and ask for a promotion. Its owners: %1."),
    "moves": ("version", "moves.tsx", "Move between stages"),
    "promote": ("promote", "moves.tsx", "Promote"),
    "protect": ("protect", "aliases.tsx", "protect…"),
    "protected": ("model", "aliases.tsx", "protected by %1"),
    "pull": ("files", "version.tsx", "Download as files"),
    "reject": ("reject", "requests.tsx", "Reject"),
    "request": ("request", "form.tsx", "Ask for it"),
    "requests": ("requests", "requests.tsx", "Requests that wait for an answer"),
    "require": ("require", "gates.tsx", "Require a gate…"),
    "restore": ("restore", "deleted.tsx", "Restore"),
    "restore_run": ("restore-run", "runs.tsx", "Restore"),
    "retire": ("retire", "moves.tsx", "Retire"),
    "rollback": ("rollback", "moves.tsx", "Roll back"),
    "run": ("run", "known.tsx", "run"),
    "runs": ("runs", "head.tsx", "Runs"),
    "search": ("search", "head.tsx", "Search models and versions"),
    "set_alias": ("set-alias", "version.tsx", "Add alias"),
    "set_split": ("set-split", "split.tsx", "Share it out…"),
    "split": ("model", "model.tsx", "Traffic"),
    "timeline": ("timeline", "known.tsx", "Events"),
    "trained_on": ("trained-on", "datasets.tsx", "Who used it"),
    "transfer": ("transfer", "version.tsx", "Move to another model"),
    "undeploy": ("undeploy", "belonging.tsx", "end…"),
    "unprotect": ("unprotect", "aliases.tsx", "unprotect…"),
    "update": ("update", "version.tsx", "Edit"),
    "update_model": ("update-model", "about.tsx", "Edit"),
    "verify": ("verify", "upkeep.tsx", "Is all well?"),
    "versions": ("versions", "models.tsx", "Versions of %1"),
    "withdraw": ("withdraw", "requests.tsx", "Withdraw"),
}
"""Verb of `Registry`: the route that calls it, and the file of `panel/` with the words that lead there."""

WITHOUT_A_PLACE = {
    "acting_as": "a service acts for others; in the sidebar everybody is who the server says",
    "ask_gates": "the form of a promotion says what is required, and a refusal what each gate saw",
    "check": "what would be refused depends on the model that a kernel is about to register",
    "close": "the server closes what it opened",
    "current_run": "a run goes on in the process that began it",
    "data_drift": "compares rows that somebody has at hand: `v.data_drift(frame)`, or `nbreg data-drift` of a file",
    "define": "what it describes lies in a file or an object at hand: `nbreg define`",
    "draft": "a draft is registered in its kernel: the list of drafts says the line",
    "drift": "compares a version with the environment of a process; the page of a version lists what it had",
    "feature_sets": "the lineage of a version names its feature set; `nbreg feature-sets` lists all of them",
    "get_request": "the requests of a model, and of all models, are listed",
    "head": "what a check compares is for an auditor's own list: `nbreg verify --expect`",
    "import_": "such a file may hold gigabytes, and code: `nbreg import` reads it where it lies and says what is in it",
    "init": "the first registration makes the registry",
    "isolated": "an object lives in a process",
    "load": "an object lives in a process: a button puts the line that loads it into the notebook",
    "merge": "names a folder of the machine that the server runs on: `nbreg merge`",
    "models": "the list is made of what `watch` knows already, so that many models cost nothing",
    "pin": "the page of a version copies it",
    "preview": "says what a kernel's object would become",
    "prove": "runs a model on the server's machine, which a click should not: a kernel does it unasked, or `nbreg prove`",
    "purge": "removes bytes for good; `nbreg purge --dry-run` says first which",
    "register": "a model is an object of a kernel: `%register_model`",
    "register_dataset": "data is an object of a kernel: `nbreg.Dataset` where a model is registered",
    "registered": "for a plot over lines of the journal; the list draws a metric over the versions",
    "route": "asks for one customer's key, in the service that answers him",
    "seen": "for those who look again and again: the server does",
    "stamp": "a service compares it with one that it kept: the server does",
    "start_own_run": "a run goes on in the process that began it",
    "start_run": "a run goes on in the process that began it",
    "tenures": "for a plot, in lines of the journal; the events of all versions have the times",
    "unproven": "`not proof` in the search finds them",
    "variables": "gives values to a process; the page of a version lists them",
    "watch": "the sidebar follows by itself",
    "decided_by": "a list of answers for an audit; `nbreg decided-by` and the lineage in a notebook have it",
    "who_decided": "asks about rows of data that somebody has at hand: `nbreg who-decided`",
    "with_features": "a feature set is an object; `nbreg feature-sets` lists them",
}

WITHOUT_A_CALLER = {
    "registered": "for a plot over lines of the journal; the list draws a metric over the versions",
    "tenures": "for a plot, in lines of the journal; the events of all versions have the times",
}
"""Routes that the frontend does not ask."""


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    """The frontend, but for the contract that is made."""
    return {
        path.name: path.read_text() for path in sorted(SOURCES.rglob("*.ts*")) if path.name != "contract.ts"
    }


@pytest.fixture(scope="module")
def asked(sources: dict[str, str]) -> set[str]:
    """The routes that it asks: each stands at its call, in quotes."""
    call = re.compile(r"""(?:\.ask|\.link|\buseAnswer)\(\s*'([a-z/-]+)'""")
    return {path for text in sources.values() for path in call.findall(text)}


def called(route: Route) -> set[str]:
    """The verbs of a registry that a route calls."""
    tree = ast.parse(dedent(inspect.getsource(route.verb)))
    calls = [each.func for each in ast.walk(tree) if isinstance(each, ast.Call)]
    on_registries = re.compile(r"(.*\.)?registry|Registry\(.*\)", re.DOTALL)
    return {
        each.attr
        for each in calls
        if isinstance(each, ast.Attribute) and on_registries.fullmatch(ast.unparse(each.value))
    }


def test_every_verb_has_a_place_or_a_reason() -> None:
    """Nobody has to open a terminal for what the registry can do, unless there is a good reason."""
    verbs = {name for name, _ in inspect.getmembers(Registry, callable) if not name.startswith("_")}

    assert PLACES.keys() | WITHOUT_A_PLACE.keys() == verbs
    assert PLACES.keys().isdisjoint(WITHOUT_A_PLACE)
    assert all(reason.strip() for reason in WITHOUT_A_PLACE.values())


@pytest.mark.parametrize("verb", PLACES)
def test_a_place_is_there(verb: str, sources: dict[str, str], asked: set[str]) -> None:
    """Its words are on the screen, the page really asks the route, and the route really calls the verb."""
    path, file, words = PLACES[verb]
    route = next(each for each in ROUTES if each.path == path)

    assert verb in called(route)
    assert path in asked
    assert re.search(rf"trans\.__\(\s*'{re.escape(words)}'", sources[file]), f"{file} has no {words!r}"


def test_every_route_is_asked_or_has_a_reason(asked: set[str]) -> None:
    """A route that nothing asks is tested, documented and kept for nobody."""
    paths = {route.path for route in ROUTES}

    assert asked <= paths
    assert paths - asked == WITHOUT_A_CALLER.keys()


def test_what_a_reason_tells_to_type_is_there() -> None:
    """A command in a reason is one that somebody can use instead."""
    from nbreg.cli import COMMANDS

    known = {each.name for family in COMMANDS.families for each in family.commands}
    reasons = [*WITHOUT_A_PLACE.values(), *WITHOUT_A_CALLER.values()]

    assert {name for reason in reasons for name in re.findall(r"`nbreg ([a-z-]+)", reason)} <= known
