"""`%register_model`, as a data scientist types it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from asking import registry_of, value
from kernels import Kernel

from nbreg.display import VERSION_MIME


def test_register_shows_a_card_and_returns_the_version(trained: Kernel) -> None:
    """One line makes a version, and what it returns can be worked with."""
    ran = trained.good('%register_model churn clf --metrics accuracy --tags a,b --message "it\'s the first"')

    assert ran.text.startswith("new registry in registry\n")
    assert "\nchurn 1.0.0 (#1) · recipe: " in ran.text
    bundle = ran.bundles[-1]
    assert {"text/html", "text/plain", VERSION_MIME} <= set(bundle)
    assert bundle[VERSION_MIME]["metrics"] == {"accuracy": 0.9}
    assert bundle[VERSION_MIME]["tags"] == ["a", "b"]
    assert bundle[VERSION_MIME]["message"] == "it's the first"
    assert value(trained, "_.number, _.name, _.stage") == "1 1.0.0 none"


def test_a_line_may_end_in_a_comment(trained: Kernel) -> None:
    """Magics are annotated like any other line, quotes in the remark included."""
    trained.good("%register_model churn clf --message 'a #1 hit'   # that's → \"1.0.0\"")

    assert value(trained, registry_of("get('churn@1').message")) == "a #1 hit"


def test_without_a_variable_the_model_trained_last_is_registered(kernel: Kernel) -> None:
    """The most common line is the shortest, and it says what it took."""
    kernel.good("old = Mean().fit([1])")
    kernel.good("best = Mean(2.0).fit([1, 2])\nalso_best = best")
    kernel.good("print('nothing trained here')")

    ran = kernel.good("%register_model churn")

    assert "registering also_best, the model trained last" in ran.text
    assert value(kernel, registry_of("load('churn@1').scale")) == "2.0"


def test_a_model_that_was_loaded_was_not_trained_last(trained: Kernel) -> None:
    """Loading the champion to compare with does not make it what is registered next."""
    trained.good("%register_model churn clf")
    trained.good("new = Mean(3.0).fit([1])")
    trained.good("champion = %load_model churn@1")

    assert "registering new," in trained.good("%register_model churn").text


def test_several_models_of_one_cell_are_not_guessed_between(kernel: Kernel) -> None:
    """Registering the wrong model silently would be worse than asking."""
    kernel.good("a = Mean().fit([1])\nb = Mean().fit([2])")

    line = kernel.refused("%register_model churn")

    assert (
        line == "it is not clear which model is meant: a, b (name it, for example: %register_model churn b)"
    )


def test_nothing_trained_is_said(kernel: Kernel) -> None:
    """The error tells what to write."""
    assert kernel.refused("%register_model churn") == (
        "no model was trained here (name a variable: %register_model churn VARIABLE)"
    )


def test_a_lone_variable_gets_both_spellings(trained: Kernel) -> None:
    """The name comes first; whoever forgets it does not get a model called `clf`."""
    line = trained.refused("%register_model clf")

    assert "'clf' is a variable, and there is no model of that name" in line
    assert "%register_model MODEL clf, or %register_model clf clf" in line
    assert "\nclf 1.0.0 (#1)" in trained.good("%register_model clf clf").text
    assert trained.good("%register_model clf --new").ok


def test_odd_objects_in_the_namespace_are_in_nobodys_way(trained: Kernel) -> None:
    """A proxy whose object is gone, or a name that is no text, is no reason to lose a registration."""
    trained.good("import weakref; gone = weakref.proxy(Mean()); globals()[1] = 2; lang = 'en'")

    ran = trained.good("%register_model churn-{lang}")
    trained.good("del globals()[1]")

    assert "registering clf" in ran.text
    assert "churn-en 1.0.0" in ran.text


def test_arguments_may_stand_in_any_order(trained: Kernel) -> None:
    """Flags first, between or last: as on a command line."""
    trained.good("%register_model --tags x churn --metrics accuracy clf")

    assert value(trained, registry_of("get('churn@1').tags")) == "['x']"


def test_values_of_all_kinds(trained: Kernel, tmp_path: Path) -> None:
    """Variables, literals, dictionaries and files each mean what they look like."""
    (tmp_path / "work" / "tok.json").write_text("{}")
    trained.good("settings = {'depth': 3}; lr = 0.1; scaler = [1, 2]; note = './tok.json'")

    trained.good(
        "%register_model churn clf --metrics acc=accuracy,loss=0.25 --params settings,lr,layers=[1,2],kind=gbm "
        "--artifacts scaler,tok=./tok.json,note --data scaler"
    )

    assert value(trained, registry_of("get('churn').metrics")) == "{'acc': 0.9, 'loss': 0.25}"
    assert value(trained, registry_of("get('churn').params")) == (
        "{'depth': 3, 'kind': 'gbm', 'layers': [1, 2], 'lr': 0.1}"
    )
    kinds = "{a.name: a.kind for a in " + registry_of("get('churn').artifacts.values()") + "}"
    assert value(trained, f"sorted({kinds}.items())") == (
        "[('model', 'object'), ('note', 'object'), ('scaler', 'object'), ('tok', 'file')]"
    )
    assert value(trained, registry_of("load('churn', 'note')")) == "./tok.json"


def test_braces_are_filled_and_dollars_are_not(trained: Kernel) -> None:
    """A name can say which team and data; a price in a message stays a price."""
    trained.good("lang = 'en'; n = 7; team = 'overruled'; date = 'never'")

    trained.good(
        "%register_model churn-{lang} clf --version {team}-{n} --sub team=A --message 'cost $n, {date}'"
    )

    assert value(trained, registry_of("get('churn-en').name")) == "A-7"
    message = value(trained, registry_of("get('churn-en').message"))
    assert message.startswith("cost $n, 2")
    assert "never" not in message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%register_model", "the following arguments are required: MODEL"),
        ("%register_model churn nope", "there is no variable 'nope'"),
        ("%register_model churn cfl", "there is no variable 'cfl' (did you mean 'clf'?)"),
        ("%register_model churn clf --metrics nope", "there is no variable 'nope'"),
        ("%register_model churn clf --metrics a=b", "there is no variable 'b'"),
        ("%register_model churn clf --metrics a=0.b", "--metrics a=0.b is no number"),
        ("%register_model churn --message first cut", 'put texts in quotes: --message "first cut"'),
        ("%register_model churn --message the first cut", "several words stand in quotes"),
        ("%register_model churn clf --metrics bad", "nan"),
        ("%register_model churn clf --artifacts ./nope.json", "there is no file ./nope.json"),
        ("%register_model churn ./nope.bin", "there is no file ./nope.bin"),
        ("%register_model churn clf --metrisc accuracy", "(did you mean '--metrics'?)"),
        ("%register_model churn clf --bump huge", "invalid choice: 'huge'"),
        ("%register_model churn clf --bump major --version 2", "not allowed with argument"),
        ("%register_model churn clf --draft 1", "a draft is registered as it was kept"),
        ("%register_model churn --draft 999", "there is no draft 999"),
        ("%register_model churn clf --message 'open", "a quote is opened and not closed"),
        ("%register_model ch{who}urn clf", "unknown placeholder {who}"),
        ("%register_model ../churn clf", "is not a model name"),
        ("%register_model churn clf --version 3", "is a number, not a version name"),
        ("%register_model churn clf --from churn@9", "no model named 'churn'"),
        ("%register_model churn clf --stage heaven", "no stage named 'heaven'"),
        ("%promote churn@1 production", "no model named 'churn'"),
        ("%model_history churn --limit many", "invalid int value: 'many'"),
        ("%load_model churn@", "ends in '@'"),
    ],
)
def test_what_is_wrong_is_one_line_and_fails_the_cell(trained: Kernel, line: str, said: str) -> None:
    """papermill and nbconvert stop there, and a person reads one sentence instead of a traceback."""
    trained.good("bad = float('nan')")

    assert said in trained.refused(line)
    assert value(trained, registry_of("models()")) == "[]"


def test_equal_content_is_the_version_that_is_there(trained: Kernel) -> None:
    """Running a cell twice makes one version, unless it is asked for."""
    trained.good("%register_model churn clf")

    again = trained.good("%register_model churn clf")
    new = trained.good("%register_model churn clf --new")

    assert "equal content was registered before; this is that version" in again.text
    assert new.bundles[-1][VERSION_MIME]["number"] == 2


def test_a_long_registration_shows_a_line_that_says_how_it_ended(kernel: Kernel) -> None:
    """Nobody wonders whether it hangs; what the notebook keeps is true for good."""
    kernel.good("import nbreg.progress, nbreg.store.large as large, os")
    kernel.good("nbreg.progress.SOON, large._TICK, large._ALONE = 0.0, 0.0005, 1")
    kernel.good("clf = Mean().fit([1, 2])\nclf.weights = bytearray(os.urandom(2**24))\nimport pickle")
    kernel.good(
        "Mean.__getstate__ = lambda self: {**vars(self), 'weights': pickle.PickleBuffer(self.weights)}"
    )

    ran = kernel.good("%register_model net clf")

    assert re.search(r"storing: [\d.]+ k?M?B of 16.8 MB\n", ran.text)
    assert re.fullmatch(r"storing: 16.8 MB in [\d.]+ s", ran.updates[-1])
    kernel.good("nbreg.progress.SOON, large._TICK, large._ALONE = 1.0, 0.1, 8 * 2**20")
