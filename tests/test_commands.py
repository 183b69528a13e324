"""What a person at a terminal, a CI job and a shell's Tab key get from `nbreg`.

$ nbreg register churn model.onnx --metrics auc=0.91
churn@1.0.0 (#1) is registered
$ nbreg get churn@1 --json | jq .metrics.auc
$ nbreg promote churn@<Tab>
"""

from __future__ import annotations

import inspect
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from children import HEAVY

from nbreg import Registry
from nbreg.cli import COMMANDS, main
from nbreg.cli.base import Command

ROOT = Path(__file__).resolve().parent.parent
ALL: list[Command] = [each for family in COMMANDS.families for each in family.commands]

# Public verbs of `Registry` that are no command of that name, with the reason.
WITHOUT_A_COMMAND = {
    "acting_as": "a service acts for others; a process acts for its user",
    "head": "`nbreg verify` prints them all",
    "stamp": "a service compares it with one that it kept",
    "watch": "a service keeps looking; `nbreg events --since` says what happened",
    "ask_gates": "a panel shows what each gate says; `nbreg promote` asks them, and says what was not passed",
    "check": "`nbreg register` checks before it reads a byte",
    "close": "a process closes what it opened",
    "current_run": "a run goes on in the process that began it",
    "get_request": "`nbreg requests` lists them",
    "draft": "`nbreg drafts` lists them, and --draft registers one",
    "isolated": "an object lives in a process; `nbreg environments` makes its environment beforehand",
    "may": "a service asks it for others; in a shell the folder's own rights hold",
    "load": "an object lives in a process; `nbreg pull` writes its files",
    "moves": "a panel shows what may be done; `nbreg promote` says what may not",
    "preview": "`nbreg register --preview`",
    "registered": "for a plot; `nbreg versions` lists them",
    "seen": "for those who look again and again; `nbreg events` looks once",
    "start_own_run": "a run goes on in the process that began it",
    "start_run": "a run goes on in the process that began it",
    "tenures": "for a plot, in lines of the journal; `nbreg events` has the times",
    "timeline": "`nbreg events` lists the same",
    "unproven": "`nbreg prove --missing`",
    "with_features": "a feature set is an object; `nbreg feature-sets` lists them",
}


@pytest.fixture
def filled(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry with two versions that `$NBREG_REGISTRY` points to."""
    registry.register("churn", {"a": 1}, metrics={"auc": 0.8})
    registry.register("churn", {"a": 2}, metrics={"auc": 0.9}, tags=["b"])
    registry.promote("churn@2", "production")
    registry.set_alias("churn@1", "champion")
    monkeypatch.setenv("NBREG_REGISTRY", str(registry.location))
    return registry


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command in this process: exit code, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        return (code, *capsys.readouterr())

    return run


def told(run: Any, *words: str) -> Any:
    code, out, err = run(*words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


# all of them


@pytest.mark.parametrize("command", ALL, ids=lambda each: str(each.name))
def test_every_command_helps(command: Command) -> None:
    """Whoever types --help sees what it does, what it takes, and a line to copy that is right."""
    assert command.help
    assert command.summary
    assert all(meaning for _, meaning in command.arguments())
    context = click.Context(command)
    assert all(meaning for _, meaning in command.options(context))
    assert command.examples
    lines = [shlex.split(each) for each in command.examples]
    mine = [line for line in lines if line[:2] == ["nbreg", command.name]]
    assert mine or command.name == "completion"
    for line in mine:
        words = line[2 : line.index(">") if ">" in line else None]
        command.make_context(str(command.name), words)  # raises for arguments that are wrong


def test_help_fits_a_terminal(run: Any) -> None:
    """80 columns, and all commands by family."""
    code, out, _ = run("--help")

    assert code == 0
    assert [f"{family.title}:" for family in COMMANDS.families] == [
        line for line in out.splitlines() if line.endswith(":") and line not in ("Options:",)
    ]
    assert max(map(len, out.splitlines())) <= 80
    _, out, _ = run("promote", "--help")
    assert "nbreg promote churn@3 production --reason ABTestWon" in out
    assert "default: one up, never past production" in out


def test_the_page_is_that_of_the_commands() -> None:
    """What is documented is what there is. If this fails: .venv/bin/python tools/commands.py"""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "commands.py"), "--check"], capture_output=True, text=True
    )
    page = (ROOT / "docs" / "command-line.md").read_text()

    assert (done.returncode, done.stdout) == (0, "up to date\n")
    assert [each.name for each in ALL if f"### nbreg {each.name}\n" not in page] == []


def test_every_verb_of_the_registry_is_a_command_or_has_a_reason() -> None:
    """A job should not have to write Python for what the registry can do."""
    verbs = {name for name, each in inspect.getmembers(Registry, callable) if not name.startswith("_")}
    commands = {str(each.name) for each in ALL}
    named = {verb for verb in verbs if verb.strip("_").replace("_", "-") in commands}

    assert verbs - named == set(WITHOUT_A_COMMAND)
    instead = [
        text.split("`nbreg ")[1].split()[0].strip("`") for text in WITHOUT_A_COMMAND.values() if "`" in text
    ]
    assert set(instead) <= commands


@pytest.mark.parametrize("words", [["--help"], ["pin", "--help"], ["pin", "churn@1"]])
def test_a_command_starts_quickly(filled: Registry, words: list[str]) -> None:
    """A shell loop over `nbreg pin` waits for no notebook and no framework."""
    code = f"import sys; from nbreg.cli import main; main({words!r}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())

    assert loaded.isdisjoint(HEAVY), sorted(loaded & HEAVY)
    if "--help" in words:
        assert loaded.isdisjoint({"msgspec", "tinydb", "nbreg.registry", "click.shell_completion"})


def test_a_module_is_the_command_too(filled: Registry) -> None:
    """Where several Pythons are installed, `python -m nbreg` says which one is meant."""
    for module in ("nbreg", "nbreg.cli"):
        done = subprocess.run(
            [sys.executable, "-m", module, "pin", "churn@2"], capture_output=True, text=True, check=True
        )
        assert done.stdout == f"{filled.pin('churn@2')}\n"


def test_wrong_words_are_told_with_the_usage(run: Any) -> None:
    """And with the nearest right one."""
    code, out, err = run("versions", "churn", "--limt", "3")
    assert (code, out) == (2, "")
    assert "Usage: nbreg versions [OPTIONS] MODEL" in err
    assert "--limit" in err
    assert run("versions", "churn", "--limit", "many")[0] == 2
    assert run("purge", "--dry-run", "--remove")[0] == 2
    code, out, err = run()
    assert (code, out) == (2, "")
    assert "Look at models and versions" in err
    assert "Error" not in err


# verbs


def test_a_pipeline_registers_a_file(filled: Registry, run: Any, tmp_path: Path) -> None:
    """What another tool wrote becomes a version, with all that `register` takes."""
    model, card = tmp_path / "model.onnx", tmp_path / "card.md"
    model.write_bytes(b"weights")
    card.write_text("hello")
    words = ["register", "export", str(model), "--metrics", "auc=0.91,f1=0.8", "--params", "lr=0.1,kind=big"]
    words += ["--tags", "a,b", "--tags", "c", "--content", '{"team": "A"}', "--artifacts", f"card={card}"]
    words += ["--stage", "staging", "--version", "2.0.0", "--reason", "Nightly", "--message", "it's done"]

    assert told(run, *words)["name"] == "2.0.0"

    version = filled.get("export@2.0.0")
    assert Path(version.load()).read_bytes() == b"weights"
    assert Path(filled.load("export@1", "card")).read_text() == "hello"
    assert (version.metrics, version.tags, version.stage) == (
        {"auc": 0.91, "f1": 0.8},
        ["a", "b", "c"],
        "staging",
    )
    assert (version.params, version.content) == ({"lr": 0.1, "kind": "big"}, {"team": "A"})
    assert (version.events[0].reason, version.events[0].message) == ("Nightly", "it's done")
    assert run(*words[:-8], "--metrics", "auc=0.91,f1=0.8")[1].endswith("was here already\n")


def test_a_pipeline_registers_what_a_run_logged(filled: Registry, run: Any) -> None:
    """`runs:/ID/model`, without loading anything."""
    with filled.start_run("night") as training:
        training.log_model({"a": 9})

    made = told(run, "register", "churn", f"runs:/{training.id}/model", "--bump", "major")

    assert (made["number"], filled.load("churn@3")) == (3, {"a": 9})
    assert filled.get("churn@3").name == "2.0.0"


def test_a_preview_writes_nothing(filled: Registry, run: Any, tmp_path: Path) -> None:
    """What would be stored can be read before it is."""
    (tmp_path / "m.bin").write_bytes(b"1")

    code, out, _ = run("register", "other", str(tmp_path / "m.bin"), "--preview")

    assert code == 0
    assert "nothing was written" in out
    assert [each.name for each in filled.models()] == ["churn"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["register", "churn", "nowhere.bin"], "there is no file nowhere.bin"),
        (["register", "churn"], "there is nothing to register (name a variable or a file, or --artifacts)"),
        (["register", "churn", "x", "--metrics", "auc"], "--metrics auc has no value (--metrics auc=0.9)"),
        (["register", "churn", "x", "--content", "{"], "--content is no JSON"),
        (["register", "churn", "x", "--content", "[1]"], "--content is no JSON object"),
        (["update", "churn@1"], "there is nothing to change"),
        (["update", "churn@1", "--metrics", "auc=high"], "is no number"),
        (["recipe", "churn@1", "out.txt"], "neither a notebook nor a script"),
        (["prove"], "prove what"),
    ],
)
def test_what_cannot_be_meant_is_refused(filled: Registry, run: Any, words: list[str], said: str) -> None:
    """In one line, with the next step; nothing is changed."""
    before = filled.get("churn@1").row
    code, out, err = run(*words)

    assert (code, out, err.count("\n")) == (1, "", 1)
    assert said in err
    assert [len(filled.versions("churn")), filled.get("churn@1").row] == [2, before]


def test_all_of_a_version_is_shown(filled: Registry, run: Any) -> None:
    """As %model does in a notebook."""
    _, out, _ = run("get", "churn@champion")
    assert out.startswith("churn 1.0.0 (#1)")
    assert "champion" in out
    found = told(run, "get", "churn@production")
    assert (found["number"], found["metrics"], found["proof"]) == (2, {"auc": 0.9}, None)
    assert found["manifest"]["artifacts"][0]["name"] == "model"
    assert told(run, "model", "churn")["versions"] == 2


def test_what_may_change_is_changed(filled: Registry, run: Any) -> None:
    """Descriptions, keywords, metrics, content and aliases, from a script."""
    words = ["--description", "d", "--tags", "x,y", "--metrics", "ms=12", "--content", '{"k": 1}']
    assert told(run, "update", "churn@1", *words, "--reason", "Review")["tags"] == ["x", "y"]
    version = filled.get("churn@1")
    assert (version.description, version.metrics, version.content) == ("d", {"auc": 0.8, "ms": 12}, {"k": 1})
    assert run("update", "churn@1", "--tags", "")[0] == 0
    assert (filled.get("churn@1").tags, filled.get("churn@1").description) == ([], "d")

    assert run("set-alias", "churn@2", "best")[1] == "churn@best is churn@1.1.0 (#2)\n"
    assert told(run, "aliases", "churn") == {"best": 2, "champion": 1}
    assert "churn@2" in run("aliases", "churn")[1]
    assert run("drop-alias", "churn", "best")[0] == 0
    assert filled.aliases("churn") == {"champion": 1}


def test_a_version_and_a_run_are_deleted_and_come_back(filled: Registry, run: Any) -> None:
    """The text says how."""
    with filled.start_run("night") as training:
        training.log_metric("auc", 0.9)
    filled.drop_alias("churn", "champion")

    back = run("delete", "churn@1", "--reason", "WrongData")[1].split("`nbreg ")[1].split("`")[0]
    assert [each.number for each in filled.versions("churn")] == [2]
    assert [each["number"] for each in told(run, "versions", "churn", "--deleted")] == [2, 1]
    assert run(*back.split())[0] == 0
    assert [each.number for each in filled.versions("churn")] == [2, 1]

    assert run("delete-run", training.id[:12], "--reason", "WrongData")[0] == 0
    assert training.id not in [each.id for each in filled.runs()]
    assert run("restore-run", training.id[:12])[0] == 0
    assert training.id in [each.id for each in filled.runs()]


def test_lists_are_read_page_by_page(filled: Registry, run: Any) -> None:
    """A long list in pieces."""
    numbers = [
        [each["number"] for each in told(run, "versions", "churn", "--limit", "1", "--offset", str(at))]
        for at in range(3)
    ]
    assert numbers == [[2], [1], []]
    assert [each["number"] for each in told(run, "versions", "churn", "--sort", "-metrics.auc")] == [2, 1]
    assert [each["number"] for each in told(run, "versions", "churn", "--sort=metrics.auc")] == [1, 2]


def test_environment_and_recipe_are_written(filled: Registry, run: Any, tmp_path: Path) -> None:
    """For a colleague without nbreg; what is there already is not replaced unasked."""
    assert run("drift", "churn@1", "--fail-on", "major")[:2] == (0, "the environment is the recorded one\n")
    for command, name in (("export-environment", "requirements.txt"), ("recipe", "cells.ipynb")):
        target = tmp_path / name
        assert told(run, command, "churn@1", str(target))["path"] == str(target)
        target.write_text("mine")
        code, _, err = run(command, "churn@1", str(target))
        assert (code, target.read_text()) == (1, "mine")
        assert "--overwrite replaces it" in err
        assert run(command, "churn@1", str(target), "--overwrite")[0] == 0
        assert target.read_text() != "mine"


# hints


def test_a_hint_is_spelled_as_it_is_typed(filled: Registry, run: Any, tmp_path: Path) -> None:
    """Whoever is told `force=True` in a shell has to guess."""
    assert "--overwrite replaces" in _refused_pull(run, tmp_path)
    assert "--include-protected and a reason" in run("delete", "churn@2")[2]
    assert "--force with a reason" in run("copy", "churn@1", "--version", "1.1.0")[2]
    filled.delete("churn@1", "wrong", include_protected=True)
    hint = run("pin", "churn@1")[2].split("`")[1]
    assert hint == "nbreg restore churn@1"
    assert run(*hint.split()[1:])[0] == 0
    assert run(*hint.split()[1:])[1] == "churn@1.0.0 (#1) was not deleted, so nothing is changed\n"


def _refused_pull(run: Any, folder: Path) -> str:
    (folder / "full").mkdir()
    (folder / "full" / "file").touch()
    _, _, err = run("pull", "churn@1", str(folder / "full"))
    return str(err)


# completion


def completions(line: str, shell: str = "bash") -> list[str]:
    """What the shell's own protocol answers for a line."""
    words = shlex.split(line)
    at = len(words) if line.endswith(" ") else len(words) - 1
    asked = {"_NBREG_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": str(at)}
    done = subprocess.run(
        [sys.executable, "-m", "nbreg"], capture_output=True, text=True, env={**os.environ, **asked}
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [each.partition(",")[2] for each in done.stdout.splitlines() if each]


def test_tab_completes_what_the_registry_knows(filled: Registry) -> None:
    """Nobody types 64 digits, nor remembers an alias."""
    with filled.start_run("night") as training:
        pass
    assert completions("nbreg prom") == ["promote"]
    assert completions("nbreg versions ") == ["churn"]
    assert completions("nbreg pin ") == ["churn@"]
    names = {"churn@1.1.0", "churn@1.0.0", "churn@production", "churn@champion", "churn@latest"}
    assert set(completions("nbreg pin churn@")) == names
    assert completions("nbreg promote churn@1 st") == ["staging"]
    assert completions("nbreg drop-alias churn ") == ["champion"]
    assert training.id[:16] in completions("nbreg runs ")
    assert completions("nbreg require churn production prov") == ["proven"]
    assert completions("nbreg requests --state st") == ["stale"]
    filled.protect("churn", "serving")
    assert completions("nbreg unprotect churn ") == ["serving"]
    assert "--sort" in completions("nbreg versions churn --")


def test_tab_asks_the_registry_that_the_line_names(filled: Registry, tmp_path: Path) -> None:
    """`--registry` before the cursor counts."""
    other = Registry(tmp_path / "other")
    other.register("fraud", {"a": 1})

    assert completions(f"nbreg versions --registry {other.location} ") == ["fraud"]


def test_tab_is_silent_when_something_is_wrong(filled: Registry) -> None:
    """An error in the middle of somebody's line is worse than no answer."""
    assert completions("nbreg pin nothing@") == []
    assert completions("nbreg versions --registry nowhere ") == []
    for journal in filled.location.rglob("journal.jsonl"):
        journal.write_bytes(b"not a journal\n" * 3)
    assert completions("nbreg pin churn@1") == []


def test_tab_completes_requests_and_words(filled: Registry) -> None:
    """Ids of requests are nothing that people remember."""
    asked = filled.request("churn@1", "staging")
    assert completions("nbreg approve ") == [asked.id]
    assert completions("nbreg export churn@1 out --format m") == ["mlflow"]
    assert completions("nbreg requests --state st") == ["stale"]
    assert completions("nbreg update-model churn --visibility ") == ["private", "organisation", "public"]


def test_bash_completes_behind_an_at_sign(filled: Registry, run: Any) -> None:
    """Bash splits words at @, so the script of other tools would find nothing there."""
    script = run("completion", "bash")[1]
    assert script.startswith("# put this line into ~/.bashrc:")
    call = """
    nbreg() { "$PYTHON" -m nbreg "$@"; }; export -f nbreg
    env() { while [[ $1 == *=* ]]; do export "$1"; shift; done; "$@"; }
    compopt() { :; }
    complete() { :; }
    """
    line = "nbreg pin churn@ch"
    asked = (
        f"COMP_LINE='{line}'; COMP_POINT={len(line)}; _nbreg_completion nbreg ch; echo \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{call}\n{script}\n{asked}"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHON": sys.executable},
    )

    assert (done.stdout, done.stderr) == ("champion\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_says_where_it_goes(run: Any, shell: str) -> None:
    """One line to copy."""
    code, out, _ = run("completion", shell)

    assert code == 0
    assert f"nbreg completion {shell}" in out.splitlines()[0]
    assert f"_NBREG_COMPLETE={shell}_complete" in out


# gates, requests, jobs


def test_a_shell_requires_asks_and_approves(
    filled: Registry, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a team agrees on, from a terminal; a refusal is one line, and exit code 1."""
    code, out, _ = run(
        "require", "churn", "production", "metrics.auc > 0.85", "approved(1)", "--reason", "Team"
    )
    assert (code, "approved(1)" in out) == (0, True)
    assert [each["gate"] for each in told(run, "gates", "churn")] == ["metrics.auc > 0.85", "approved(1)"]
    code, out, err = run("promote", "churn@1", "production")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "metrics.auc > 0.85 (metrics.auc is 0.8); approved(1) (nobody has so far)" in err
    assert err.endswith("(ask the others: `nbreg request churn@1.0.0 production`)\n")

    asked = told(run, "request", "churn@1", "production", "--message", "please")
    assert (asked["id"], asked["state"]) == ("churn:r1", "open")
    assert run("approve", "churn:r1")[0] == 1
    monkeypatch.setenv("NBREG_ACTOR", "bob")
    code, out, _ = run("approve", "churn:r1")
    assert (code, "open; missing: metrics.auc > 0.85 (metrics.auc is 0.8)" in out) == (0, True)
    assert "--reason" in run("drop-gate", "churn", "production", "metrics.auc > 0.85")[2]
    run("drop-gate", "churn", "production", "metrics.auc > 0.85", "--reason", "Wrong")
    assert (
        run("approve", "churn:r1")[1]
        == "churn 1.0.0 (#1): none → production · 1.1.0 (#2): production → archived"
        " · approved by bob · passed 1 gate\n"
    )
    assert told(run, "requests", "churn")[0]["state"] == "promoted"
    assert filled.get("churn@production").number == 1

    code, _, err = run("promote", "churn@2", "production", "--force")
    assert (code, "--reason WHY" in err) == (1, True)
    moved = told(run, "promote", "churn@2", "production", "--force", "--reason", "Incident")
    assert (moved["stage"], moved["forced"]) == ("production", ["approved(1)"])
    monkeypatch.setenv("NBREG_ACTOR", "ada")
    assert told(run, "request", "churn@1", "production")["id"] == "churn:r2"
    assert told(run, "withdraw", "churn:r2")["state"] == "withdrawn"
    told(run, "request", "churn@1", "production")
    monkeypatch.setenv("NBREG_ACTOR", "bob")
    assert run("reject", "churn:r3", "--message", "no")[1].strip().endswith("rejected by bob: no")


def test_no_gates_of_all_models_is_no_promise_of_one(filled: Registry, run: Any) -> None:
    """`nbreg gates` alone says nothing about the models that have their own."""
    filled.require("churn", "production", "proven")
    assert run("gates")[1] == "required of all models · no gates\n"
    assert "proven" in run("gates", "churn")[1]


def test_the_way_back_is_a_line_that_can_be_typed(filled: Registry, run: Any) -> None:
    """Whoever asked cannot approve or reject, and is told what there is instead."""
    asked = filled.request("churn@1", "production")
    for verb in ("approve", "reject"):
        code, _, err = run(verb, asked.id)
        assert (code, f"`nbreg withdraw {asked.id}`" in err) == (1, True)


def test_a_shell_protects_an_alias(filled: Registry, run: Any) -> None:
    """And moves it all the same when it must."""
    assert run("protect", "churn", "champion", "--reason", "Serving")[0] == 0
    assert "Serving" in run("protected", "churn")[1]
    code, _, err = run("set-alias", "churn@2", "champion")
    assert (code, "--force with a reason" in err) == (1, True)
    assert told(run, "set-alias", "churn@2", "champion", "--force", "--reason", "Fix")["aliases"] == [
        "champion"
    ]
    assert run("drop-alias", "churn", "champion")[0] == 1
    assert run("unprotect", "churn", "champion", "--reason", "Done")[0] == 0
    assert run("drop-alias", "churn", "champion")[0] == 0
    assert run("protected", "churn")[1] == "no protected aliases\n"


def test_a_crontab_trains_and_the_exit_code_says_how(filled: Registry, run: Any, tmp_path: Path) -> None:
    """Registered and promoted: 0. Refused by a gate: 1, with what was registered all the same."""
    from retraining import TRAIN, notebook

    train = notebook(tmp_path / "train.ipynb", TRAIN)
    filled.require("churn", "production", "metrics.accuracy >= 0.7")
    code, out, err = run("run", str(train), "-p", "scale", "1.0", "--output", str(tmp_path / "out.ipynb"))
    assert (code, err) == (1, "")
    assert f"{train} failed in code cell 5: UsageError: churn@" in out
    assert "registered" in out
    assert "promoted" not in out.replace("does not pass", "")
    assert (tmp_path / "out.ipynb").exists()
    code, out, _ = run("run", str(train), "-p", "scale", "2.5", "--json")
    job = json.loads(out)
    assert (code, job["ok"], [event["kind"] for event in job["events"]]) == (
        0,
        True,
        ["registered", "promoted"],
    )
    assert run("run", str(train), "-p", "scal", "2")[2].endswith("(did you mean 'scale'?)\n")
    assert run("run", str(tmp_path / "none.ipynb"))[0] == 1


def test_a_shell_says_what_a_file_was_trained_on(registry: Registry, run: Any, tmp_path: Path) -> None:
    """A model that another tool wrote has a lineage, too, and live data can be compared with it."""
    import pandas as pd

    (tmp_path / "m.bin").write_bytes(b"1")
    rows = pd.DataFrame({"age": range(400), "city": ["Oslo", "Rome"] * 200})
    rows.to_csv(tmp_path / "customers.csv", index=False)
    (tmp_path / "notes.txt").write_text("none")
    where = ["--registry", str(registry.init())]
    words = ["register", "{team}_churn", str(tmp_path / "m.bin"), "--sub", "team=A"]
    words += ["--data", f"train={tmp_path / 'customers.csv'},{tmp_path / 'notes.txt'}", *where]
    assert told(run, *words)["number"] == 1

    version = registry.get("A_churn@1")
    train, notes = version.data.sets
    assert (train.name, train.role, train.summary["shape"]) == ("train", "train", [400, 2])
    assert (notes.name, bool(notes.snapshot), "shape" in notes.summary) == ("notes", True, False)
    assert registry.register_dataset("customers", tmp_path / "customers.csv").snapshot == train.snapshot
    assert registry.data_drift(version, rows).verdict == "stable"
    assert registry.data_drift(version, rows.assign(age=rows["age"] + 300)).verdict == "drifted"
    assert run(*words)[1].endswith("was here already\n")
    rows.assign(age=1).to_csv(tmp_path / "customers.csv", index=False)
    assert told(run, *words)["number"] == 2

    for bad, said in (
        (["--data", "train=nowhere.csv"], "there is no file nowhere.csv"),
        (["--data", f"a={tmp_path / 'm.bin'},a={tmp_path / 'm.bin'}"], "--data gives 'a' twice"),
        (["--sub", "team"], "--sub team names no value"),
    ):
        code, _, err = run("register", "x", str(tmp_path / "m.bin"), *bad, *where)
        assert (code, said in err) == (1, True), err
