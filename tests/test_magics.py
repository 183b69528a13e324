"""The magics in a real kernel, as a data scientist types them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels import MODEL, SECONDS, Kernel, running_kernel

from nbreg.display import TABLE_MIME, VERSION_MIME

MAGICS = [
    "register_model",
    "promote",
    "retire",
    "rollback",
    "load_model",
    "models",
    "model",
    "model_diff",
    "model_history",
    "model_events",
    "drafts",
    "use_registry",
]


@pytest.fixture(scope="module")
def shared() -> Iterator[Kernel]:
    """One kernel for the module: starting one takes longer than most tests."""
    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        yield kernel


@pytest.fixture
def kernel(shared: Kernel, tmp_path: Path) -> Kernel:
    """The kernel with an empty namespace, an empty registry and a folder of its own."""
    (tmp_path / "work").mkdir()
    shared.good("%reset -f")
    shared.good(f"import os; os.chdir({str(tmp_path / 'work')!r}); del os")
    shared.good("%use_registry ./registry")
    shared.good(MODEL)
    return shared


@pytest.fixture
def trained(kernel: Kernel) -> Kernel:
    """The kernel with a trained model and a metric."""
    kernel.good("clf = Mean().fit([1, 2, 3])\naccuracy = 0.9")
    return kernel


def value(kernel: Kernel, expression: str) -> str:
    return kernel.good(f"print({expression}, end='')").stdout


def registry_of(expression: str) -> str:
    return f"__import__('nbreg').Registry('registry').{expression}"


# register


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

    assert line == "it is not clear which model is meant: a, b (name it, for example: MODEL b)"


def test_nothing_trained_is_said(kernel: Kernel) -> None:
    """The error tells what to write."""
    assert kernel.refused("%register_model churn") == (
        "no model was trained here (name a variable: MODEL VARIABLE)"
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


# the cell form


def test_the_cell_form_registers_what_the_cell_trains(trained: Kernel) -> None:
    """Training and registering are one cell; its variables stay."""
    ran = trained.good(
        "%%register_model churn --metrics score\nprint('training')\nnew = Mean(5.0).fit([1])\nscore = 0.75"
    )

    assert ran.stdout == "training\n"
    assert ran.bundles[-1][VERSION_MIME]["metrics"] == {"score": 0.75}
    assert value(trained, registry_of("load('churn').scale")) == "5.0"
    assert value(trained, "new.scale") == "5.0"


@pytest.mark.parametrize(
    "flags",
    [
        "churn --verison 2",
        "churn --metrics a=[x]",
        "churn --metrics a=1e999",
        "churn clf[0]",
        "churn --params 0bad",
        "churn --data a-b",
        "churn --artifacts s=t.json",
        "churn --artifacts ./a/t.json,./b/t.json",
        "ch/u/r/n",
        "churn --stage heaven",
        "churn --from churn@3",
        "churn {x}",
    ],
)
def test_wrong_flags_are_found_before_the_body_runs(kernel: Kernel, flags: str) -> None:
    """Nobody learns of a typing error after hours of training."""
    kernel.refused(f"%%register_model {flags}\nran = True\nclf = Mean().fit([1])")

    assert value(kernel, "'ran' in globals()") == "False"


def test_a_taken_name_is_found_before_the_body_runs(trained: Kernel) -> None:
    """The name that somebody else took is refused before the training, not after."""
    trained.good("%register_model churn clf --version 1.0.0")

    trained.refused("%%register_model churn --version 1.0.0\nran = True\nclf = Mean(2).fit([1])")

    assert value(trained, "'ran' in globals()") == "False"


def test_a_body_that_raises_registers_nothing(trained: Kernel) -> None:
    """The traceback is the user's own, shown once; the cell has failed."""
    ran = trained.run("%%register_model churn\nclf2 = Mean().fit([1])\n1 / 0")

    assert ran.status == "error"
    assert ran.errors == ["ZeroDivisionError"]
    assert "UsageError: the cell ended with ZeroDivisionError, so nothing was registered" in ran.stderr
    assert value(trained, registry_of("models()")) == "[]"
    assert value(trained, "clf2.mean") == "1.0"


def test_a_body_with_a_syntax_error_registers_nothing(trained: Kernel) -> None:
    """As with any other cell."""
    ran = trained.run("%%register_model churn\nclf2 = = 1")

    assert ran.status == "error"
    assert ran.errors == ["SyntaxError"]
    assert value(trained, registry_of("models()")) == "[]"


def test_an_interrupted_body_registers_nothing(trained: Kernel) -> None:
    """Stopping a training is not an accident that leaves half a version."""
    message = trained.begin(
        "%%register_model churn\nimport time\nhalf = Mean().fit([1])\nprint('begun', flush=True)\ntime.sleep(50)"
    )
    while True:
        got = trained.client.get_iopub_msg(timeout=SECONDS)
        if got["msg_type"] == "stream" and "begun" in got["content"]["text"]:
            break
    trained.manager.interrupt_kernel()
    ran = trained.finish(message)

    assert ran.status == "error"
    assert ran.errors == ["KeyboardInterrupt"]
    assert "so nothing was registered" in ran.stderr
    assert value(trained, registry_of("models()")) == "[]"
    assert value(trained, "half.mean") == "1.0"


def test_if_registering_fails_the_model_stays_and_the_line_to_retry_is_there(kernel: Kernel) -> None:
    """A night of training is not lost to a metric that is missing."""
    line = kernel.refused("%%register_model churn --metrics nope --tags 'two words'\nnet = Mean(4).fit([1])")

    assert "there is no variable 'nope'" in line
    assert "then: %register_model churn net --metrics nope --tags 'two words'" in line
    assert value(kernel, "net.scale") == "4"
    kernel.good("nope = 1.0")
    kernel.good("%register_model churn net --metrics nope --tags 'two words'")


def test_the_line_to_retry_means_the_same_model_wherever_its_name_stands(kernel: Kernel) -> None:
    """A tag may be the same word as the model."""
    line = kernel.refused("%%register_model --tags churn churn --metrics nope\nnet = Mean().fit([1])")

    assert "then: %register_model --tags churn churn --metrics nope net" in line


def test_what_a_failing_cell_made_can_be_registered_with_the_line_it_prints(trained: Kernel) -> None:
    """The plot after the training failed, and the training took the night."""
    ran = trained.run("%%register_model churn\nnet = Mean(4).fit([1])\n1 / 0")
    [_, _, line] = ran.stderr.rstrip(")\n").rpartition("to register what it made: ")

    assert line == "%register_model churn net"
    assert trained.good(line).ok


def test_a_failing_cell_does_not_offer_the_model_from_before(trained: Kernel) -> None:
    """What it was about to replace is not what it made."""
    ran = trained.run("%%register_model churn\n1 / 0\nclf = Mean(4).fit([1])")

    assert ran.stderr.endswith("so nothing was registered\n")


def test_a_cell_that_trains_nothing_is_refused(trained: Kernel) -> None:
    """A model from another cell is not registered in the place of one that was not made."""
    line = trained.refused("%%register_model churn\nx = 1")

    assert line.startswith("the cell trained no model; there is clf (name it, for example: MODEL clf")


def test_await_in_the_body_is_refused_before_it_runs(kernel: Kernel) -> None:
    """What cannot be run from inside a running event loop is said at once."""
    line = kernel.refused("%%register_model churn\nimport asyncio\nran = True\nawait asyncio.sleep(0)")

    assert "a cell with `await` cannot be run by %%register_model" in line
    assert value(kernel, "'ran' in globals()") == "False"


def test_an_empty_cell_is_refused(trained: Kernel) -> None:
    """Two percent signs by mistake."""
    assert "there is no cell to run" in trained.refused("%%register_model churn\n  \n\n")


# move


def test_promote_echoes_what_it_moved(trained: Kernel) -> None:
    """The resolved version and the one it displaced stand in the output."""
    trained.good("%register_model churn clf")
    first = trained.good("%promote churn@latest production --reason First")
    trained.good("clf2 = Mean(2).fit([1])\n%register_model churn clf2")

    second = trained.good("%promote churn@2 production --reason Better --message 'lift 3 %'")

    assert first.text == "churn 1.0.0 (#1): none → production\n"
    assert second.text == "churn 1.0.1 (#2): none → production · 1.0.0 (#1): production → archived\n"
    event = registry_of("events('churn')[0]")
    assert value(trained, f"{event}.reason, {event}.message") == "Better lift 3 %"


def test_promote_without_a_stage_goes_one_up(trained: Kernel) -> None:
    """Step by step, never past production."""
    trained.good("%register_model churn clf")

    steps = [trained.good("%promote churn@1 --reason Test").text.strip() for _ in range(4)]

    assert [step.rpartition(" ")[2] for step in steps] == [
        "development",
        "candidate",
        "staging",
        "production",
    ]
    assert "highest stage" in trained.refused("%promote churn@1")


def test_promoting_to_where_it_is_says_so(trained: Kernel) -> None:
    """Running a notebook again is harmless."""
    trained.good("%register_model churn clf --stage staging")

    assert trained.good("%promote churn@1 staging").text == (
        "churn 1.0.0 (#1) was in staging already; nothing was written\n"
    )


def test_rollback_gives_the_stage_back(trained: Kernel) -> None:
    """A bad promotion is undone in a second."""
    trained.good("%register_model churn clf\n%promote churn@1 production")
    trained.good("clf2 = Mean(2).fit([1])\n%register_model churn clf2\n%promote churn@2 production")

    ran = trained.good("%rollback churn --reason Complaints")

    assert ran.text == "churn 1.0.0 (#1): archived → production · 1.0.1 (#2): production → archived\n"
    said = trained.refused("%rollback churn")
    assert "is left to go back to in production" in said
    assert "%promote churn@1.0.1 production goes forward again" in said


def test_retire_takes_out_of_use(trained: Kernel) -> None:
    """The verb for the end of a version's life."""
    trained.good("%register_model churn clf --stage staging")

    assert trained.good("%retire churn@1 --reason Old").text == "churn 1.0.0 (#1): staging → archived\n"


def test_a_bare_name_is_written_to_only_if_this_kernel_registered_it(trained: Kernel, tmp_path: Path) -> None:
    """`%promote churn` means what was just made here, never what a colleague added meanwhile."""
    trained.good("%register_model churn clf")
    assert trained.good("%promote churn staging").text == "churn 1.0.0 (#1): none → staging\n"

    from nbreg import Registry

    Registry(tmp_path / "work" / "registry").register("churn", {"a": 1})

    assert "does not say which version" in trained.refused("%promote churn production")
    assert "churn 2.0.0 (#2)" in trained.good("%model churn").text, "a dictionary is another architecture"


# load


def test_load_returns_the_object_and_shows_what_it_is(trained: Kernel) -> None:
    """The pinned id stands in the notebook, whatever the reference means later."""
    trained.good("%register_model churn clf\n%promote churn@1 production")

    ran = trained.good("again = %load_model churn@production   # verified")

    assert ran.text.startswith("churn 1.0.0 (#1) · pinned churn@sha256:")
    assert value(trained, "again.mean") == "2.0"


def test_load_binds_names_and_never_overwrites_with_with(trained: Kernel) -> None:
    """`--as` was asked for; an artifact's name was not."""
    trained.good("scaler = [1]; threshold = 0.5")
    trained.good("%register_model churn clf --artifacts scaler,threshold")
    trained.good("scaler = [2]")
    assert "--with would overwrite the variable scaler" in trained.refused("%load_model churn --with scaler")

    assert "--as class is no name of a variable" in trained.refused("%load_model churn --as class")

    trained.good("del scaler, threshold")
    trained.good("%load_model churn --as clf --with all")

    assert value(trained, "clf.mean, scaler, threshold") == "2.0 [1] 0.5"


def test_what_nobody_vouched_for_is_not_loaded_without_trust(trained: Kernel) -> None:
    """The refusal is the line to run; nothing of the pickle was run before."""
    trained.good("%register_model churn clf")
    trained.good("%env XDG_CONFIG_HOME=/nonexistent")
    line = trained.refused("%load_model churn@1")
    loaded = trained.run("x = %load_model churn@1 --trust")
    trained.good("import os; del os.environ['XDG_CONFIG_HOME']")

    assert "(if you trust it: %load_model churn@1 --trust)" in line
    assert loaded.ok


def test_what_cannot_be_loaded_here_shows_how_here_differs(kernel: Kernel, tmp_path: Path) -> None:
    """The package that is missing is named, instead of a traceback alone."""
    (tmp_path / "site-packages" / "mylib-1.0.dist-info").mkdir(parents=True)
    (tmp_path / "site-packages" / "mylib-1.0.dist-info" / "top_level.txt").write_text("mylib\n")
    (tmp_path / "site-packages" / "mylib.py").write_text(MODEL)
    site = str(tmp_path / "site-packages")
    kernel.good(f"import sys; sys.path.insert(0, {site!r}); import mylib; net = mylib.Mean().fit([1])")
    kernel.good("%register_model churn net")
    kernel.good(f"sys.path.remove({site!r}); del sys.modules['mylib'], net, mylib")

    ran = kernel.run("%load_model churn@1")

    assert "UsageError: mylib.Mean needs the module 'mylib', which is not here (install it" in ran.stderr
    assert re.search(r"mylib +1\.0 +not installed +breaking", ran.text)


def test_only_pinned_references_load_where_that_is_required(trained: Kernel) -> None:
    """The magic is no way around NBREG_REQUIRE_PINNED."""
    trained.good("%register_model churn clf")
    trained.good("%env NBREG_REQUIRE_PINNED=1")
    line = trained.refused("%load_model churn@latest")
    trained.good("import os; del os.environ['NBREG_REQUIRE_PINNED']")

    assert "NBREG_REQUIRE_PINNED" in line


# look


def test_the_lists_show_themselves_and_are_sequences(trained: Kernel) -> None:
    """HTML for the notebook, text for everything else, records for the program."""
    trained.good("%register_model churn clf --metrics accuracy\n%promote churn@1 staging")

    models, history, events = (
        trained.good(f"%{name}") for name in ("models", "model_history churn", "model_events")
    )

    assert models.text.splitlines()[1].split() == ["churn", "1.0.0", "(#1)", "1", "staging", "#1"]
    assert history.text.splitlines()[0] == "churn · 1 version"
    assert [line.split()[5] for line in events.text.splitlines()[1:]] == ["promoted", "registered"]
    for ran in (models, history, events):
        assert {"text/html", "text/plain", TABLE_MIME} <= set(ran.bundles[-1])
    assert value(trained, "get_ipython().run_line_magic('model_history', 'churn')[0].ref") == "churn@1.0.0"


def test_model_shows_everything(trained: Kernel) -> None:
    """Stage, aliases, id and what was captured, on one card."""
    trained.good("%register_model churn clf --stage staging")
    trained.good(registry_of("set_alias('churn@1', 'champion')"))

    text = trained.good("%model churn@champion").text

    assert re.search(r"stage +staging", text)
    assert "champion" in text
    assert "sha256:" in text


@pytest.mark.parametrize("name", MAGICS)
def test_help_is_shown_and_does_not_fail(kernel: Kernel, name: str) -> None:
    """Both ways that people ask."""
    ran = kernel.good(f"%{name} --help")
    asked = kernel.run(f"%{name}?")

    assert ran.text.startswith(f"usage: %{name}")
    assert asked.ok


def test_another_registry_is_one_line(trained: Kernel) -> None:
    """What was registered in the old one no longer makes a bare name mean something."""
    trained.good("%register_model churn clf")

    ran = trained.good("%use_registry ./other")

    assert ran.text == "registry ./other · empty: the first version makes it\n"
    assert "no model named 'churn'" in trained.refused("%promote churn production")
    assert trained.good("%use_registry ./registry").text == "registry ./registry · 1 model\n"


def test_code_works_on_the_registry_that_was_chosen(trained: Kernel) -> None:
    """`nbreg.load` after `%use_registry` loaded another folder's model, or said that there was none."""
    trained.good("%use_registry ./other")
    trained.good(
        "import nbreg, os\nmade = nbreg.register('risk', {'a': 1})\nos.environ['NBREG_REGISTRY'] = 'third'"
    )

    assert "risk" in trained.good("%models").text
    assert value(trained, "[nbreg.load('risk@1'), nbreg.Registry().location.name]") == "[{'a': 1}, 'other']"
    assert value(trained, "nbreg.route('risk', {1: 1.0}, key='x').registry.location.name") == "other"
    trained.good("%use_registry ./registry")
    assert value(trained, "nbreg.Registry().location.name") == "registry"
    trained.good("%config Nbreg.registry = ''")
    assert value(trained, "nbreg.Registry().location.name") == "third"
    assert value(trained, "nbreg.Registry('fourth').location.name") == "fourth"


def test_a_registry_chosen_by_a_relative_path_stays_where_it_was(trained: Kernel) -> None:
    """Neither `os.chdir` nor a change of configuration moves the work to another folder."""
    trained.good("%register_model churn clf")
    trained.good("import os; os.mkdir('below'); os.chdir('below')\n%config Nbreg.retention_days = 31.0")

    text = trained.good("%models").text
    trained.good("%config Nbreg.retention_days = 30.0")

    assert "churn" in text


def test_no_result_is_lost_to_the_namespace(trained: Kernel) -> None:
    """Registering and looking leave the user's names alone."""
    before = value(trained, "sorted(n for n in globals() if n[0] != '_')")

    trained.good("%register_model churn clf\n%models\n%model churn\n%model_history churn")

    assert value(trained, "sorted(n for n in globals() if n[0] != '_')") == before


def test_nothing_in_the_namespace_stands_in_the_way_or_leaks(trained: Kernel, tmp_path: Path) -> None:
    """Two gigabytes, an object that takes a minute to show itself, one that raises, and a cell full of secrets."""
    asked = tmp_path / "asked"
    trained.good(
        "import numpy\n"
        "big = numpy.zeros(250_000_000)\n"
        "text = 'x' * 50_000_000\n"
        "class Slow:\n"
        f"    def __repr__(self): open({str(asked)!r}, 'w').close(); import time; time.sleep(60)\n"
        "    __len__ = __iter__ = __str__ = __repr__\n"
        "class Rude:\n"
        f"    def __getattribute__(self, name): open({str(asked)!r}, 'w').close(); raise RuntimeError(name)\n"
        "slow, rude = Slow(), Rude()"
    )
    secrets = [
        "hunter2-9fQ1zKw",
        "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
        "AKIA" + "QWERTYUIOPASDFGH",
    ]
    trained.good(
        f"db_password = {secrets[0]!r}\n"
        f"url = 'postgresql://ana:{secrets[0]}@db.example/x'\n"
        f"headers = {{'Authorization': 'Bearer {secrets[1]}'}}\n"
        f"connect = dict(aws_access_key_id={secrets[2]!r}, api_token={secrets[1]!r})"
    )

    trained.good("%register_model churn clf")

    assert not asked.exists()
    registry = Path(value(trained, registry_of("location")))
    stored = b"".join(path.read_bytes() for path in registry.rglob("*") if path.is_file())
    assert b"db_password" in stored
    assert [secret for secret in secrets if secret.encode() in stored] == []
    trained.good("del big, text, slow, rude, db_password, url, headers, connect")


def test_a_diff_says_which_was_taken_and_writes_nothing(trained: Kernel) -> None:
    """`clf` may be a variable and a model: with @ it is the model's version, without it the variable."""
    trained.good("%register_model clf clf --metrics accuracy")
    trained.good("clf.fit([1, 2, 9]); accuracy = 0.8")
    before = value(trained, "sorted(str(p) for p in __import__('pathlib').Path('registry').rglob('*'))")

    alive = trained.good("%model_diff clf").text.splitlines()
    stored = trained.good("%model_diff clf@1 clf@1").text.splitlines()

    assert alive[0] == "clf@latest, which is clf@1.0.0 → clf, the live variable"
    assert alive[1].startswith("would be 1.1.0: minor: ")
    assert "metrics · inferred: the variable accuracy" in alive
    assert "  ~ accuracy  0.9 → 0.8 (-0.1)" in alive
    assert stored[0] == "clf@1, which is clf@1.0.0 → clf@1, which is clf@1.0.0"
    assert "nothing differs in what was compared" in stored
    assert (
        value(trained, "sorted(str(p) for p in __import__('pathlib').Path('registry').rglob('*'))") == before
    )


def test_a_diff_takes_versions_that_variables_hold(trained: Kernel) -> None:
    """What a magic returned is as good as the word for it."""
    trained.good("one = %register_model churn clf")
    trained.good("clf.fit([7]); two = %register_model churn clf")

    shown = trained.good("%model_diff two one").text

    assert shown.startswith("churn@1, which is churn@1.0.0 → churn@2, which is churn@1.1.0\nminor: ")


def test_a_diff_that_means_nothing_is_refused(trained: Kernel) -> None:
    """One line with the next step."""
    trained.good("%register_model churn clf")

    assert "no variable 'clff'" in trained.refused("%model_diff clff")
    assert "the variable comes first" in trained.refused("%model_diff churn@1 clf")
    assert "--data is for a variable" in trained.refused("%model_diff churn@1 churn@1 --data clf")
    assert "no other version" in trained.refused("%model_diff churn@1")


def test_a_diff_completes_variables_and_versions(trained: Kernel) -> None:
    """Both may stand first."""
    trained.good("%register_model churn clf")

    assert "%model_diff clf" in trained.complete("%model_diff c")
    assert "%model_diff churn@" in trained.complete("%model_diff c")
    assert "%model_diff clf churn@1.0.0" in trained.complete("%model_diff clf churn@1")


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
