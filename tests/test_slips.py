"""Slips of the pen and of the mind, as newcomers make them: each is told, and never passed over in silence.

>>> %register_model churn clf --sub team=A
UsageError: the value given for {team} is used nowhere (write {team} where it is to stand)
"""

from __future__ import annotations

import math
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from kernels import MODEL, SECONDS, Kernel, Ran, running_kernel

from nbreg import Model, Registry, families
from nbreg.cli import main
from nbreg.errors import BadInputError, BadTemplateError, NameTakenError, UnknownVersionError
from nbreg.registry.offering import is_slip, model_near


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command in this process: exit code, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        return (code, *capsys.readouterr())

    return run


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel of its own, since some of these end it."""
    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        kernel.good(MODEL + "\nclf = Mean().fit([1, 2, 3])\naccuracy = 0.9")
        yield kernel


# names that are filled in


def test_a_substitution_that_fills_nothing_is_refused(registry: Registry) -> None:
    """Whoever forgets the braces believes that each team has a model of its own."""
    with pytest.raises(BadTemplateError) as caught:
        registry.register("churn", 1, substitutions={"team": "A"})

    assert str(caught.value) == "the value given for {team} is used nowhere"
    assert caught.value.hint == "write {team} where it is to stand"
    assert registry.models() == []
    assert registry.register("churn", 1, version="{team}-1", substitutions={"team": "A"}).name == "A-1"


def test_a_dictionary_for_many_names_has_more_than_one_of_them_asks_for(
    registry: Registry, run: Any, tmp_path: Path
) -> None:
    """A pipeline fills the names of all its models from one dictionary, and has trained by then."""
    common = {"team": "A", "season": "spring"}
    (tmp_path / "m.bin").write_bytes(b"m")

    assert registry.register("{team}/churn", 1, substitutions=common).model == "A/churn"
    assert Model("{season}", registry=registry).register(2, substitutions=common).model == "spring"
    words = ("register", "{team}/cli", str(tmp_path / "m.bin"), "--sub", "team=A", "--sub", "season=spring")
    code, _, told = run(*words, "--registry", str(registry.location))
    assert code != 0
    assert "the value given for {season} is used nowhere" in told


def test_what_a_handle_is_given_when_it_registers_is_the_strongest(registry: Registry) -> None:
    """A handle's own value won in silence, and the version went to another team."""
    handle = Model("{team}_churn", "{team}-{n}", substitutions={"team": "A", "n": "1"}, registry=registry)

    made = handle.register({"a": 1}, substitutions={"team": "B"})

    assert (made.model, made.name) == ("B_churn", "B-1")
    with pytest.raises(BadTemplateError, match="used nowhere"):
        handle.register({"a": 2}, substitutions={"taem": "B"})


# words that nothing has


@pytest.mark.parametrize(
    ("word", "meant"), [("prodution", "production"), ("live", "production"), ("rc", "candidate")]
)
def test_a_misspelt_stage_is_told_where_a_version_is_looked_up(
    registry: Registry, word: str, meant: str
) -> None:
    """A list of all versions is no answer to who knows which one they want."""
    registry.register("churn", 1)

    with pytest.raises(UnknownVersionError) as caught:
        registry.load(f"churn@{word}")

    assert caught.value.hint == f"did you mean {meant!r}?"


def test_a_section_that_no_difference_has_is_refused(registry: Registry) -> None:
    """An empty answer reads as "nothing differs"."""
    registry.register("churn", 1, params={"C": 1.0})
    registry.register("churn", 2, params={"C": 2.0})
    diff = registry.diff("churn@2", "churn@1")

    with pytest.raises(BadInputError) as caught:
        diff.section("parms")

    assert str(caught.value) == "a difference has no section 'parms'"
    assert caught.value.hint == "did you mean 'params'?"
    assert diff.section("params").differs


def test_a_curve_of_a_metric_that_was_not_logged_is_refused(registry: Registry) -> None:
    """An empty curve reads as "nothing was logged"."""
    with registry.start_run() as training:
        training.log_metric("loss", 1.0)

    with pytest.raises(BadInputError) as caught:
        training.curve("los")

    assert str(caught.value) == "the run has no metric 'los'"
    assert caught.value.hint == "did you mean 'loss'?"


def test_a_query_that_finds_nothing_names_the_metric_that_is_not_there(
    registry: Registry, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "no versions" made people register again what was there."""
    monkeypatch.setenv("NBREG_REGISTRY", str(registry.location))
    registry.register("churn", 1, metrics={"accuracy": 0.9})
    with registry.start_run("night") as training:
        training.log_metric("loss", 1.0)
    slip = "metrics.acuracy > 0.5"
    told = "no version is like that: none has metrics.acuracy (did you mean 'accuracy'?)"

    assert run("versions", "churn", "--query", slip)[1] == f"churn · {told}\n"
    assert run("search", slip)[1] == f"{told}\n"
    assert (
        run("versions", "churn", "--query", "metrics.accuracy > 0.95")[1]
        == "churn · no version is like that\n"
    )
    assert run("runs", "--query", "metrics.los > 0")[1] == (
        "no run is like that: none has metrics.los (did you mean 'loss'?)\n"
    )
    assert registry.versions("churn", slip) == []  # for a job it is an answer: later ones may have it


def test_runs_are_sorted_by_a_metric_that_one_of_them_has(registry: Registry) -> None:
    """A list in some order looks as if it were sorted."""
    with registry.start_run() as training:
        training.log_metric("loss", 1.0)

    with pytest.raises(BadInputError) as caught:
        registry.runs(sort="-metrics.los")

    assert (str(caught.value), caught.value.hint) == ("no run has metrics.los", "did you mean 'loss'?")


def test_a_registry_of_nearly_that_name_is_named(tmp_path: Path, run: Any, kernel: Kernel) -> None:
    """A misspelt folder is an empty registry, and then there are two."""
    Registry(tmp_path / "project" / "models").register("churn", 1)

    code, _, told = run("models", "--registry", "modles")
    assert code == 1
    assert f"(did you mean {tmp_path / 'project' / 'models'}? " in told
    ran = kernel.good("%use_registry ./modles")
    assert ran.text == (
        "registry ./modles · not there yet: the first version makes it\n"
        f"  did you mean {tmp_path / 'project' / 'models'}?\n"
    )
    assert "did you mean" not in kernel.good("%use_registry ./quite-another").text


# values


def test_a_column_of_named_numbers_is_taken_as_metrics(registry: Registry, kernel: Kernel) -> None:
    """A report of several scores is a Series as often as a dictionary."""
    pandas = pytest.importorskip("pandas")
    scores = pandas.Series({"auc": 0.9, "f1": 0.8})

    with registry.start_run() as training:
        training.log_metrics(scores)
        training.log_params(pandas.Series({"depth": 3}))
    assert training.metrics == {"auc": 0.9, "f1": 0.8}
    assert training.params == {"depth": 3}
    assert registry.register("churn", 1, metrics=scores).metrics == {"auc": 0.9, "f1": 0.8}
    kernel.good("import pandas\nscores = pandas.Series({'auc': 0.9, 'f1': 0.8})")
    kernel.good("%register_model churn clf --metrics scores")
    shown = kernel.good("import nbreg; print(nbreg.Registry().get('churn').metrics)").stdout
    assert shown == "{'auc': 0.9, 'f1': 0.8}\n"
    for wrong in (pandas.DataFrame({"auc": [0.9]}), [("auc", 0.9)]):
        with pytest.raises(BadInputError, match="metrics are a"):
            registry.register("churn", 2, metrics=wrong)  # type: ignore[arg-type]


def test_a_curve_has_numbers_where_a_loss_diverged(registry: Registry) -> None:
    """A plot of texts fails where somebody looks for the step at which it went wrong."""
    with registry.start_run() as training:
        for value in (1.0, math.nan, -math.inf):
            training.log_metric("loss", value)

    values = [each.value for each in training.curve("loss")]
    assert values[0] == 1.0
    assert isinstance(values[1], float)
    assert math.isnan(values[1])
    assert values[2] == -math.inf


def test_runs_that_a_loop_starts_are_told_apart(registry: Registry, run: Any) -> None:
    """Two runs of one millisecond had the same digits on the screen."""
    names = []
    for _ in range(50):
        with registry.start_run() as training:
            names.append(repr(training).split()[1])

    assert len(set(names)) == len(names)
    shown = run("runs", "--registry", str(registry.location))[1]
    assert all(name in shown for name in names)


# what is registered by mistake


def test_a_new_model_of_nearly_another_name_is_told(
    registry: Registry, run: Any, tmp_path: Path, kernel: Kernel
) -> None:
    """A letter that is missing makes a model of its own, which nobody looks for."""
    kernel.good("%register_model risk/churn clf")

    assert (
        "risk/chrun is a new model; there is also risk/churn\n"
        in kernel.good("%register_model risk/chrun clf").text
    )
    assert "new model" not in kernel.good("%register_model risk/chrun clf --new").text
    (tmp_path / "m.bin").write_bytes(b"m")
    registry.register("cancer", 1)
    where = ("--registry", str(registry.location))
    assert run("register", "canser", str(tmp_path / "m.bin"), *where)[2] == (
        "nbreg: canser is a new model; there is also cancer\n"
    )


def test_a_new_model_looks_into_no_model_of_another_name(registry: Registry) -> None:
    """With ten thousand models the remark took twenty times as long as the registration."""
    registry.register("cancer", 1)
    registry.register("risk/spam", 1)
    new = registry.register("canser", 1)
    opened: list[str] = []
    watching = [True]
    sys.addaudithook(
        lambda event, args: opened.append(str(args[0])) if event == "open" and watching else None
    )

    near = model_near(new)
    watching.clear()

    assert near == "canser is a new model; there is also cancer"
    assert [Path(each).parent.name for each in opened if each.endswith("journal.jsonl")] == ["cancer.model"]


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ("churn", "chrun", True),
        ("churn", "churns", True),
        ("eu/cancer-risk", "eu/canser-risk", True),
        ("team_a/churn", "team_b/churn", False),
        ("churn-1", "churn-2", False),
        ("north", "south", False),
        ("map", "mop", False),
        ("churn", "risk/churn", False),
    ],
)
def test_names_that_differ_on_purpose_are_no_slips(one: str, other: str, is_one: bool) -> None:
    """A warning at every second model is one that nobody reads."""
    assert is_slip(one, other) == is_slip(other, one) == is_one


def test_a_class_is_registered_with_a_warning(registry: Registry) -> None:
    """`LogisticRegression` instead of `clf` becomes a version that has learned nothing."""
    version = registry.register("churn", dict)

    assert version.warnings == ["dict is a class, and no object of it was registered"]


def test_a_table_is_no_model_of_the_same_features(registry: Registry) -> None:
    """What a model was trained on says nothing of what a table "takes"."""
    pandas = pytest.importorskip("pandas")
    linear = pytest.importorskip("sklearn.linear_model")
    X = pandas.DataFrame({"a": [0.0, 1.0], "b": [1.0, 2.0]})
    registry.register("m", linear.LinearRegression().fit(X, [0, 1]), data={"train": X})

    table = registry.register("m", X, data={"train": X})

    assert table.bump_reason == "major: architecture changed (LinearRegression → DataFrame)"
    assert table.prove().why == "a DataFrame does not predict"


def test_a_boosting_is_kept_as_a_draft() -> None:
    """Its loss is Cython's, whose functions were taken for the user's own code."""
    ensemble = pytest.importorskip("sklearn.ensemble")
    boosting = ensemble.GradientBoostingClassifier(n_estimators=2).fit([[0.0], [1.0]] * 9, [0, 1] * 9)

    taken = families.take("model", boosting, most=1 << 20, on_host=True, most_nodes=10_000)

    assert taken.artifact.token == families.dump("model", boosting).artifact.token


def test_a_name_that_is_taken_leaves_no_bytes_behind(registry: Registry) -> None:
    """Storing a gigabyte and refusing it then made people wait, and kept what nobody can load."""
    registry.register("churn", 1, version="1.0.0")
    before = registry.du().objects, len(registry.runs())

    with registry.start_run(), pytest.raises(NameTakenError):
        registry.register("churn", 2, version="1.0.0")

    assert (registry.du().objects, len(registry.runs()) - 1) == before
    assert registry.register("churn", 1, version="1.0.0").existing


# where a word stands


def test_a_version_in_the_place_of_a_model_is_told(registry: Registry, run: Any) -> None:
    """The grammar of names is no answer to `rollback churn@2`."""
    registry.register("churn", 1)

    told = run("rollback", "churn@1", "--registry", str(registry.location))[2]

    assert told == "nbreg: 'churn@1' names a version, and a model is asked for ('churn' by itself)\n"


def test_retire_takes_the_stage_where_promote_does(registry: Registry, run: Any, kernel: Kernel) -> None:
    """One is written like the other."""
    registry.register("churn", 1, stage="staging")
    where = ("--registry", str(registry.location))

    assert run("retire", "churn@1", "development", *where)[1] == "churn 1.0.0 (#1): staging → development\n"
    assert run("retire", "churn@1", "--to", "none", *where)[1] == "churn 1.0.0 (#1): development → none\n"
    kernel.good("%register_model churn clf")
    assert "did you mean 'archived'?" in kernel.refused("%retire churn@1 archved")
    assert kernel.good("%retire churn@1 archived").text == "churn 1.0.0 (#1): none → archived\n"


@pytest.mark.parametrize(
    ("word", "meant"), [("history", "versions"), ("model_diff", "diff"), ("show", "get")]
)
def test_a_command_by_another_word_names_the_one_there_is(run: Any, word: str, meant: str) -> None:
    """Whoever knows the magics, or another tool, types their words."""
    code, _, told = run(word, "churn")

    assert code == 2
    assert f"No such command {word!r}. Did you mean {meant!r}?" in told
    assert run("versions", "-h")[1] == run("versions", "--help")[1]


def test_a_gate_on_a_metric_that_no_version_has_is_told(registry: Registry, run: Any) -> None:
    """A misspelt metric keeps everything out of production, and is found on the day of a release."""
    registry.register("churn", 1, metrics={"auc": 0.9})

    told = run(
        "require", "churn", "production", "metrics.acu > 0.8", "proven", "--registry", str(registry.location)
    )[1]

    assert told.endswith("\nnone has metrics.acu (did you mean 'auc'?)\n")


# at the keyboard


def test_tables_fit_the_terminal_and_are_whole_in_a_pipe(registry: Registry) -> None:
    """A line that is broken in two can be read by nobody; what a program reads is never cut."""
    registry.register("churn", 1, message="a message of more than forty characters, to be read")
    registry.set_alias("churn@1", "champion")
    command = [sys.executable, "-m", "nbreg", "versions", "churn", "--registry", str(registry.location)]

    narrow = _in_a_terminal(command, columns=60)

    assert max(map(len, narrow)) <= 60
    events = [*command[:3], "events", *command[4:]]
    assert "reason" not in _in_a_terminal(events, columns=60)[0]
    assert "reason" in _in_a_terminal(events, columns=200)[0]
    assert narrow[-1].endswith("…")
    assert "to be read" in _in_a_terminal(command, columns=200)[-1]
    piped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "to be read" in piped


def _in_a_terminal(command: list[str], *, columns: int) -> list[str]:
    """The lines that a command writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb") as screen:
        environment = {**os.environ, "COLUMNS": str(columns)}
        subprocess.run(command, stdout=theirs, env=environment, check=True)
        os.close(theirs)
        written = b""
        with suppress(OSError):  # so Linux says that nobody writes to it any more
            while piece := screen.read(1):
                written += piece
    return written.decode().split("\r\n")[:-1]


def test_a_refusal_in_python_shows_the_users_lines_alone(kernel: Kernel) -> None:
    """Seventy lines of nbreg pushed the one that helps out of sight."""
    kernel.good("import nbreg")

    ran = kernel.run("def mine(ref):\n    return nbreg.Registry().get(ref)\nmine('churn@1')")
    (shown,) = ran.traces
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(shown))
    assert ran.errors == ["UnknownModelError"]
    assert "in mine(ref)" in text
    assert "registry/ground" not in text
    assert "hint: Registry(location)" in text

    kernel.good("%xmode Verbose")
    assert "registry/ground" in "\n".join(kernel.run("mine('churn@1')").traces[0])
    kernel.good("%unload_ext nbreg\n%xmode Context")
    assert "registry/ground" in "\n".join(kernel.run("mine('churn@1')").traces[0])


def test_a_refusal_hides_no_line_of_a_package_whose_name_begins_alike(kernel: Kernel) -> None:
    """Gates and plugins are called `nbreg_…`, and the line of theirs that was wrong was taken for nbreg's."""
    kernel.good(
        "import nbreg, os\n"
        "beside = os.path.dirname(nbreg.__file__) + '_gates/asking.py'\n"
        "source = 'def theirs(ref):\\n    return nbreg.Registry().get(ref)\\n'\n"
        "exec(compile(source, beside, 'exec'))"
    )

    (shown,) = kernel.run("theirs('churn@1')").traces
    assert "in theirs(ref)" in re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(shown))


def test_a_debugger_goes_to_where_a_refusal_was_raised(kernel: Kernel) -> None:
    """Whoever asks for a debugger wants to see what the short traceback leaves out."""
    kernel.good("import nbreg")
    kernel.run("nbreg.Registry().get('churn@1')")

    message = kernel.begin("%debug", allow_stdin=True)
    for answer in ("p __name__", "q"):
        kernel.client.get_stdin_msg(timeout=SECONDS)
        kernel.client.input(answer)
    assert "'nbreg." in kernel.finish(message).stdout


def test_a_cell_with_two_models_gives_the_whole_line(kernel: Kernel) -> None:
    """Who asked with flags does not write them again."""
    told = kernel.refused("%%register_model churn --tags a\nx = Mean().fit([1]); y = Mean().fit([2])")

    assert told.endswith("x, y (name it, for example: %register_model churn y --tags a)")


def test_a_line_that_is_mistyped_is_no_failed_run(kernel: Kernel) -> None:
    """Where a person types, the last slip before they go home says nothing of what they trained."""
    kernel.good("%register_model churn clf")
    assert kernel.run("%promot churn@1", allow_stdin=True).status == "error"
    kernel.run("%promote churn@1 prodution", allow_stdin=True)
    kernel.manager.shutdown_kernel()

    assert [(each.state, each.error) for each in Registry().runs()] == [("finished", "")]


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("%%register_model churn\n1 / 0", "ZeroDivisionError"),
        ("class UsageError(Exception): ...\nraise UsageError('as that of a command line')", "UsageError"),
    ],
)
def test_a_training_that_fails_is_a_failed_run_also_where_a_person_types(
    kernel: Kernel, cell: str, error: str
) -> None:
    """What looked like a slip of the pen was hours of training that came to nothing."""
    kernel.good("%register_model churn clf")
    assert kernel.run(cell, allow_stdin=True).status == "error"
    kernel.manager.shutdown_kernel()

    assert [(each.state, each.error) for each in Registry().runs()] == [("failed", error)]


def test_a_line_that_is_refused_ends_a_job_as_failed(kernel: Kernel) -> None:
    """Where nobody types, what was refused is what the job came to."""
    kernel.good("%register_model churn clf")
    kernel.run("%promote churn@1 prodution")
    kernel.manager.shutdown_kernel()

    assert [(each.state, each.error) for each in Registry().runs()] == [("failed", "UsageError")]


def _interrupted(kernel: Kernel, tmp_path: Path) -> Ran:
    """What a cell shows that was interrupted while it registered."""
    begun = tmp_path / "begun"
    kernel.good(
        "import pathlib, time\n"
        "class Slow:\n"
        "    def __reduce__(self):\n"
        f"        pathlib.Path({str(begun)!r}).touch()\n"
        "        time.sleep(60)\n"
        "        return (Slow, ())\n"
        "slow = Slow()"
    )
    message = kernel.begin("%register_model churn slow")
    waiting = threading.Event()
    while not begun.exists():
        waiting.wait(0.01)
    kernel.manager.signal_kernel(signal.SIGINT)
    return kernel.finish(message)


def test_an_interrupted_registration_is_one_line_and_says_what_came_of_it(
    kernel: Kernel, tmp_path: Path
) -> None:
    """Thirty frames of nbreg's own code leave open whether there is a version now."""
    ran = _interrupted(kernel, tmp_path)

    assert ran.status == "error"
    assert ran.errors == ["Interrupted"]
    assert ran.traces == [["interrupted: nothing was registered"]]
    assert Registry().models() == []
    kernel.good("%register_model churn clf")


def test_an_interrupt_takes_no_earlier_version_for_the_interrupted_one(
    kernel: Kernel, tmp_path: Path
) -> None:
    """Who registered in Python before was told that what they interrupted is there."""
    kernel.good("import nbreg\nearlier = nbreg.register('churn', clf)")

    assert _interrupted(kernel, tmp_path).traces == [["interrupted: nothing was registered"]]
    assert len(Registry().versions("churn")) == 1
