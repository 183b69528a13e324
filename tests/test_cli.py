"""`nbreg …` on the command line, as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kernels import running_kernel

from nbreg import Registry


def nbreg(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nbreg.cli", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def good(*arguments: str) -> str:
    done = nbreg(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(*arguments: str) -> str:
    """One line on stderr, exit code 1, nothing on stdout."""
    done = nbreg(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("nbreg: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.fixture
def filled(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry with two versions that `$NBREG_REGISTRY` points to."""
    registry.register("churn", {"a": 1}, metrics={"auc": 0.8})
    registry.register("churn", {"a": 2}, metrics={"auc": 0.9}, tags=["b"])
    registry.promote("churn@2", "production")
    registry.set_alias("churn@1", "champion")
    monkeypatch.setenv("NBREG_REGISTRY", str(registry.location))
    return registry


def as_json(*arguments: str) -> Any:
    return json.loads(good(*arguments, "--json"))


def test_lists_are_tables_for_people_and_lists_for_programs(filled: Registry) -> None:
    """The same command serves a terminal and a script."""
    assert good("models").splitlines()[1].split() == ["churn", "1.1.0", "(#2)", "2", "production", "#2"]
    assert [row["name"] for row in as_json("models")] == ["churn"]
    assert good("versions", "churn").splitlines()[2].split()[:3] == ["2", "1.1.0", "production"]
    versions = as_json("versions", "churn")
    assert [row["number"] for row in versions] == [2, 1]
    assert versions[1]["aliases"] == ["champion"]
    assert [row["number"] for row in as_json("versions", "churn", "--limit", "1")] == [2]


def test_pin_prints_what_never_moves(filled: Registry) -> None:
    """What goes into a deployment's file."""
    assert good("pin", "churn@production").strip() == filled.pin("churn@2")
    assert as_json("pin", "churn@champion") == {"ref": filled.pin("churn@1")}


def test_a_version_is_moved_from_a_script(filled: Registry) -> None:
    """A deployment job promotes, and an operator without a notebook rolls back."""
    told = good("promote", "churn@1", "production", "--reason", "Canary", "--message", "it's better")
    assert told == "churn 1.0.0 (#1): none → production · 1.1.0 (#2): production → archived\n"
    [event] = filled.events("churn", limit=1)
    assert (event.reason, event.message) == ("Canary", "it's better")

    assert as_json("rollback", "churn", "--reason", "Errors") == {"ref": "churn@1.1.0", "stage": "production"}
    assert good("retire", "churn@2") == "churn 1.1.0 (#2): production → archived\n"
    assert "does not say which version" in refused("promote", "churn", "staging")


def test_a_terminal_that_is_not_unicode_gets_the_answer_too(filled: Registry) -> None:
    """Old terminals and Windows pipes have no `→`."""
    done = nbreg("retire", "churn@2", PYTHONIOENCODING="ascii")

    assert (done.returncode, done.stdout) == (0, "churn 1.1.0 (#2): production \\u2192 archived\n")


def test_verify_says_whether_all_is_well(filled: Registry) -> None:
    """A job can watch a registry: exit code 1 is an alarm, and the heads are what to write down."""
    assert good("verify").startswith("sound · 2 versions, ")
    report = as_json("verify")
    heads = {model: head["hash"] for model, head in report["heads"].items()}
    expected = [f"--expect={model}={head}" for model, head in heads.items()]
    assert good("verify", *expected).startswith("sound")

    journal = next(filled.location.rglob("journal.jsonl"))
    raw = bytearray(journal.read_bytes())
    raw[len(raw) // 2] ^= 1
    journal.write_bytes(raw)

    done = nbreg("verify")
    assert done.returncode == 1
    assert "problem" in done.stdout


def test_an_expected_head_that_is_not_there_is_an_alarm(filled: Registry) -> None:
    """A chain that was rewritten as a whole is consistent; only a head from outside tells."""
    assert nbreg("verify", "--expect", "0" * 64).returncode == 1


def test_du_and_purge_tell_bytes(filled: Registry) -> None:
    """What is kept, and what could go."""
    assert good("du").splitlines()[1].split()[:2] == ["churn", "2"]
    assert as_json("du")["models"][0]["model"] == "churn"
    (filled.location / "tmp").mkdir(exist_ok=True)
    assert "could be removed" in good("purge", "--dry-run")
    assert as_json("purge", "--dry-run")["dry_run"] is True
    assert as_json("purge")["dry_run"] is True


def test_purge_removes_only_when_told(filled: Registry) -> None:
    """The deleted version's bytes go, its record stays, and the others load."""
    filled.delete("churn@1", "wrong data", include_protected=True)
    [would] = as_json("purge", "--older-than", "0")["versions"]
    assert would == "churn@1"
    assert not filled.versions("churn", deleted=True)[-1].row.purged

    assert "removed" in good("purge", "--remove", "--older-than", "0")

    assert as_json("purge", "--older-than", "0")["leftovers"] == []
    assert filled.load("churn@2") == {"a": 2}
    assert filled.versions("churn", deleted=True)[-1].row.purged


def test_trusting_a_version_is_remembered_for_this_user(
    filled: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What somebody else registered loads after this one line, and is refused before it."""
    from nbreg.errors import TrustError

    filled.register("net", pytest.approx(1.0))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "somebody-else"))
    with pytest.raises(TrustError) as refusal:
        filled.load("net@1")
    ref = refusal.value.hint.split("nbreg trust ")[1].strip("`")

    assert "is trusted from now on" in good("trust", ref)

    assert filled.load("net@1") == 1.0


def test_init_keeps_git_out_unless_told(tmp_path: Path) -> None:
    """A registry in a project is not committed by accident."""
    place = ("--registry", str(tmp_path / "r"))
    assert "git ignores it" in good("init", *place)
    assert (tmp_path / "r" / ".gitignore").read_text() == "*\n"

    assert "git may take it in" in good("init", "--git", *place)

    assert "-merge" in (tmp_path / "r" / ".gitattributes").read_text()
    assert "*\n" not in (tmp_path / "r" / ".gitignore").read_text()


def test_merge_appends_what_the_other_side_has(filled: Registry, tmp_path: Path) -> None:
    """Two branches of a registry come together with the ids they had."""
    other = Registry(tmp_path / "other")
    theirs = other.register("churn", {"a": 3})

    [added] = as_json("merge", str(other.location))

    assert added == {"ref": "churn@3", "id": theirs.id}
    assert as_json("merge", str(other.location)) == []
    assert filled.get("churn@3").row.superseded_name == "1.0.0"
    assert filled.load("churn@3") == {"a": 3}


def test_events_are_listed_newest_first(filled: Registry) -> None:
    """Who did what, without a notebook."""
    assert [each["kind"] for each in as_json("events", "churn", "--limit", "2")] == ["alias-set", "promoted"]
    assert "promoted" in good("events")


def test_what_was_forced_past_is_not_cut_where_a_program_reads(filled: Registry) -> None:
    """Which gates were overruled stands at the end of a long line, and is what an auditor looks for."""
    gates = [f"metrics.quite_a_long_name_{i} > 0.5" for i in range(4)]
    filled.require("churn", "production", *gates)
    filled.promote("churn@1", "production", force=True, reason="Outage")
    assert all(each in good("events", "churn") for each in gates)
    assert all(each in good("events", "churn", "--wide") for each in gates)


def test_a_registration_from_a_shell_records_none_of_nbreg_s_own_names(
    filled: Registry, tmp_path: Path
) -> None:
    """What was in memory there is the command's own, and tells nothing of the model."""
    (tmp_path / "m.bin").write_bytes(b"weights")
    good("register", "shell", str(tmp_path / "m.bin"))

    assert filled.get("shell").variables.variables == []


def test_a_refusal_is_one_line(filled: Registry) -> None:
    """With the next step, and an exit code that stops a script."""
    assert "no model named 'chrun'" in refused("versions", "chrun")
    assert "did you mean 'churn'?" in refused("versions", "chrun")
    assert "has no version, stage or alias 'staging2'" in refused("pin", "churn@staging2")
    assert "is a file" in refused("models", "--registry", __file__)


def test_wrong_arguments_are_exit_code_two() -> None:
    """As with every other command."""
    assert nbreg("frobnicate").returncode == 2
    assert nbreg().returncode == 2


def test_an_empty_folder_is_an_empty_registry(tmp_path: Path) -> None:
    """Looking makes no file."""
    (tmp_path / "r").mkdir()
    for where in (["--registry", str(tmp_path / "r")], []):
        assert nbreg("models", *where).stdout.startswith("no models yet")
        assert json.loads(nbreg("models", *where, "--json").stdout) == []
    assert not any((tmp_path / "r").iterdir())
    assert not Path(".nbreg").exists()


def test_a_misspelled_registry_is_no_empty_one(filled: Registry, tmp_path: Path) -> None:
    """`--registry .nberg` must not look as if everything were gone, nor begin another registry."""
    wrong = str(tmp_path / "registri")
    assert f"there is no registry in {wrong}" in refused("models", "--registry", wrong)
    assert "there is no registry" in refused("promote", "churn@1", "--registry", wrong)
    assert "there is no registry" in refused("merge", wrong)
    assert not Path(wrong).exists()


def test_a_misspelled_variable_and_a_folder_without_a_registry_are_told_so(
    filled: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not: there is no such model, or: no models yet."""
    monkeypatch.setenv("NBREG_REGISTRY", str(tmp_path / "registri"))
    assert (
        f"there is no registry in {tmp_path / 'registri'} (did you mean {tmp_path / 'registry'}? it is what $NBREG_REGISTRY"
        in refused("models")
    )
    monkeypatch.delenv("NBREG_REGISTRY")
    assert "there is no registry in" in refused("versions", "churn")
    assert "(cd to where it is, --registry, or $NBREG_REGISTRY)" in refused("versions", "churn")
    for command in (["models"], ["events"], ["search", "number == 1"], ["du", "--json"], ["drafts"]):
        looked = nbreg(*command)
        assert looked.returncode == 0, command
        assert looked.stderr == f"nbreg: there is no registry in {Path.cwd() / '.nbreg'}\n"


def test_help_is_asked_for_as_elsewhere() -> None:
    """`nbreg help promote` is what hands type that know git."""
    assert good("help") == good("--help")
    assert good("help", "promote") == good("promote", "--help")


def test_a_hint_in_a_shell_is_typed_in_a_shell(filled: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has a shell and no Python is not told to call a method."""
    assert "`nbreg set-split churn production=90 staging=10`" in refused("route", "churn", "customer-1")
    assert "`nbreg requests` lists them" in refused("approve", "r1")
    assert "`nbreg register-dataset NAME PATH`" in good("datasets")
    assert "`nbreg promote churn@1 production`" in refused("rollback", "churn", "--to", "1")
    monkeypatch.delenv("NBREG_REGISTRY")
    assert "or $NBREG_REGISTRY; --new-model for one" in refused("require", "churn", "production", "proven")


def test_what_was_mistyped_is_said_of_what_was_typed(filled: Registry) -> None:
    """A slip of the pen is neither a damaged registry nor a purge of everything."""
    assert "churn@1.1.0 is in production already" in refused("rollback", "churn", "--to", "2")
    assert "'churn' is no head" in refused("verify", "--expect", "churn")
    assert "-1 is no number of days from 0 on" in refused("purge", "--older-than", "-1")
    assert "there is no file nowhere.csv" in refused("who-decided", "nowhere.csv")


def test_a_registry_that_a_command_makes_is_told(tmp_path: Path) -> None:
    """A version in the wrong folder is found again."""
    (tmp_path / "m.bin").write_bytes(b"bytes")
    made = nbreg("register", "churn", str(tmp_path / "m.bin"), "--registry", str(tmp_path / "r"))
    assert made.returncode == 0
    assert made.stderr == f"nbreg: new registry in {tmp_path / 'r'}\n"
    again = nbreg("register", "churn", str(tmp_path / "m.bin"), "--registry", str(tmp_path / "r"))
    assert (again.returncode, again.stderr) == (0, "")


def test_the_registry_may_be_named_before_the_command(
    filled: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with git's `-C`; and an argument that may be left out is shown as one."""
    monkeypatch.delenv("NBREG_REGISTRY")
    assert good("--registry", str(filled.location), "models") == good(
        "models", "--registry", str(filled.location)
    )
    assert "nbreg runs [OPTIONS] [ID]" in good("runs", "--help")
    assert "nbreg get [OPTIONS] REF" in good("get", "--help")


def test_what_is_hinted_at_in_a_shell_can_be_typed_in_a_shell(filled: Registry) -> None:
    """`%promote` is no command there."""
    assert "`nbreg promote churn@… staging`" in refused("get", "churn@staging")
    assert "`nbreg versions churn`" in refused("get", "churn@nosuchthing")
    assert "`nbreg runs`" in refused("runs", "0123456789ab")
    assert "%" not in refused("get", "churn@staging")


def test_enable_makes_every_kernel_load_nbreg_and_disable_undoes_it(home: Path) -> None:
    """Once per user instead of once per notebook; the file is where IPython looks."""
    file = home / ".ipython" / "profile_default" / "startup" / "50-nbreg.py"

    assert str(file) in good("enable")
    assert "already" in good("enable")
    with running_kernel() as kernel:
        before = kernel.good("print(sorted(name for name in globals() if name[:1] != '_'))").stdout
        assert "nbreg" not in before
        assert kernel.good("%models").text.startswith("no models yet")
        assert kernel.good("%load_ext nbreg").stdout == "", "the first line of most notebooks is no news"
        assert kernel.good("%models").text.startswith("no models yet")
        kernel.good("%unload_ext nbreg")
        assert "not found" in kernel.refused("%models")
    assert str(file) in good("disable")
    assert not file.exists()
    assert good("disable") == "nbreg was not enabled\n"
    with running_kernel() as kernel:
        assert "not found" in kernel.refused("%models")


def test_the_start_up_file_is_harmless_without_nbreg(home: Path) -> None:
    """A kernel of another environment starts as it always did."""
    good("enable")
    file = home / ".ipython" / "profile_default" / "startup" / "50-nbreg.py"
    code = "import sys; sys.modules['nbreg'] = None; from IPython import start_ipython; start_ipython(['-c', 'print(6 * 7)'])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert file.exists()
    assert done.stdout == "42\n"
    assert "nbreg" not in done.stderr


def test_a_foreign_start_up_file_is_left_alone(home: Path) -> None:
    """What somebody wrote under that name is not nbreg's to change."""
    file = home / ".ipython" / "profile_default" / "startup" / "50-nbreg.py"
    file.parent.mkdir(parents=True)
    file.write_text("mine = 1\n")

    assert "is not nbreg's" in refused("enable")
    assert "is not nbreg's" in refused("disable")
    assert file.read_text() == "mine = 1\n"


def test_a_start_up_file_that_cannot_be_read_is_one_line(home: Path) -> None:
    """Whatever is in the way is named."""
    (home / ".ipython" / "profile_default" / "startup" / "50-nbreg.py").mkdir(parents=True)

    assert "50-nbreg.py cannot be read" in refused("enable")
    assert "50-nbreg.py cannot be read" in refused("disable")


def test_a_reader_that_has_seen_enough_is_no_error(filled: Registry) -> None:
    """`nbreg versions churn | head -1` ends in silence."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "nbreg.cli", "versions", "churn"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)

    assert done.stderr == ""


def test_runs_are_listed_compared_and_shown(filled: Registry) -> None:
    """A terminal on the training machine answers how the night went."""
    with filled.start_run("night", experiment="churn", params={"C": 0.5}) as run:
        run.log_metric("loss", float("nan"))
        run.log_metric("auc", 0.9)
        filled.register("churn", {"a": 3})

    lines = good("runs", "--experiment", "churn").splitlines()
    assert lines[0].split()[:3] == ["run", "name", "experiment"]
    assert lines[1].split()[:4] == [run.id[:16], "night", "churn", "finished"]
    listed = as_json("runs", "--query", "metrics.auc > 0.5", "--limit", "1")
    assert [(each["id"], each["metrics"]["loss"], each["params"]) for each in listed] == [
        (run.id, "nan", {"C": 0.5})
    ]
    assert [each["model"] for each in as_json("runs", run.id[:16])["versions"]] == ["churn"]
    assert "registered as  churn@1.2.0" in good("runs", run.id)
    assert "there is no run 00000000" in refused("runs", "00000000")
    assert good("runs", "--query", "metrics.auc > 2") == "no run is like that\n"
    assert "no state of a run" in refused("runs", "--state", "dead")
