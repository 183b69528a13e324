"""The words of a line: splitting, filling, and what each piece means."""

from __future__ import annotations

import weakref
from pathlib import Path
from types import SimpleNamespace

import pytest
from IPython.core.error import UsageError

from nbreg.errors import BadInputError, BadTemplateError, BadValueError
from nbreg.families.describing.describe import is_model
from nbreg.kernel import arguments
from nbreg.kernel.arguments import HelpShown
from nbreg.kernel.objects import last_trained, trained_by, written_names
from nbreg.kernel.parsers import MAGICS, parser
from nbreg.records import Execution


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("churn clf", ["churn", "clf"]),
        ("""--message "it's ok" """, ["--message", "it's ok"]),
        ("""--message 'say "hi"'""", ["--message", 'say "hi"']),
        ("a # b", ["a"]),
        ("a #", ["a"]),
        ("# all of it", []),
        ("a#b c", ["a#b", "c"]),
        ("'#1' \"# 2\"", ["#1", "# 2"]),
        ("a # that's unbalanced", ["a"]),
        (r"a\#b \# c", ["a#b", "#", "c"]),
        ("", []),
        ("$HOME {x}", ["$HOME", "{x}"]),
    ],
)
def test_a_line_is_split_as_a_shell_would(line: str, words: list[str]) -> None:
    """Quotes group and vanish, a comment is a comment, and a dollar is a dollar."""
    assert arguments.split(line) == words


def test_an_open_quote_is_refused() -> None:
    """Instead of half a message."""
    with pytest.raises(BadInputError, match="a quote is opened and not closed"):
        arguments.split("--message 'open")


def test_sub_is_read_wherever_it_stands() -> None:
    """It fills words before it, too."""
    assert arguments.substitutions(["m-{a}", "--sub", "a=1", "--sub=b=x=y"]) == {"a": "1", "b": "x=y"}
    for wrong in (["--sub", "a"], ["--sub", "a b=1"], ["--sub", ""]):
        with pytest.raises(BadTemplateError):
            arguments.substitutions(wrong)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a,b=0.9"], ["a", "b=0.9"]),
        (["a", "b"], ["a", "b"]),
        (["a=[1,2],b={'x':(1,2)}"], ["a=[1,2]", "b={'x':(1,2)}"]),
        (["a='x,y',b"], ["a='x,y'", "b"]),
        ([" a , ,b,"], ["a", "b"]),
        (None, []),
    ],
)
def test_lists_are_split_at_their_commas(texts: list[str] | None, expected: list[str]) -> None:
    """A list given as a value is not torn apart."""
    assert arguments.pieces(texts) == expected


def lookup(name: str) -> object:
    known = {"acc": 0.5, "scores": {"f1": 0.4, "auc": 0.9}, "text": "./not-a-file", "frame": [1]}
    if name not in known:
        raise BadInputError(f"there is no variable {name!r}")
    return known[name]


def test_metrics_are_variables_or_numbers() -> None:
    """A dictionary gives all that is in it."""
    assert arguments.metrics(["acc,loss=0.1", "scores"], lookup) == {
        "acc": 0.5,
        "loss": 0.1,
        "f1": 0.4,
        "auc": 0.9,
    }
    for wrong in ("loss=0_low", "loss=True", "loss=[1]", "loss=scores"):
        with pytest.raises(BadValueError, match="is no number"):
            arguments.metrics([wrong], lookup)


def test_a_metric_takes_the_value_of_a_variable_under_another_name() -> None:
    """The variable is called `acc`, the metric `accuracy`; a shell has no variables, and says nothing of them."""
    assert arguments.metrics(["accuracy=acc"], lookup) == {"accuracy": 0.5}
    with pytest.raises(BadValueError) as refusal:
        arguments.metrics(["accuracy=acc"], lookup, variables=False)
    assert refusal.value.line == "--metrics accuracy=acc is no number (accuracy=0.9)"


def test_names_of_metrics_are_checked_before_there_are_values() -> None:
    """For the cell form: what is no name will not become one by training."""
    unset = arguments.unset("--metrics")

    assert arguments.metrics(["acc,later,loss=0.1"], unset) == {"acc": 0.0, "later": 0.0, "loss": 0.1}
    with pytest.raises(BadInputError, match=r"--metrics 0\.9 is neither a variable nor name=value"):
        arguments.metrics(["0.9"], unset)


def test_params_are_what_they_look_like() -> None:
    """Numbers are numbers, lists are lists, other words are text."""
    assert arguments.params(["lr=0.1,deep=true,layers=[1,2],kind=gbm,acc,none=None"], lookup) == {
        "lr": 0.1,
        "deep": True,
        "layers": [1, 2],
        "kind": "gbm",
        "acc": 0.5,
        "none": None,
    }


def test_a_path_is_a_file_and_text_is_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in a variable is never opened, whatever it looks like."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tok.json").write_text("{}")

    found = arguments.artifacts(["frame,t=./tok.json,./tok.json,text"], lookup)

    assert found == {"frame": [1], "t": Path("tok.json"), "tok": Path("tok.json"), "text": "./not-a-file"}


@pytest.mark.parametrize("given", ["./a/t.json,./b/t.json", "t,t=./t.json", "model=net", "model"])
def test_two_artifacts_of_one_name_are_refused(given: str) -> None:
    """The second would take the place of the first, and nobody would notice."""
    with pytest.raises(BadInputError, match=r"--artifacts gives '\w+' twice"):
        arguments.artifact_sources([given])


@pytest.mark.parametrize("name", MAGICS)
def test_every_magic_explains_itself(name: str) -> None:
    """Help is the same on every terminal, and every flag says what it is for."""
    with pytest.raises(HelpShown) as shown:
        parser(name).read(["--help"])

    assert shown.value.text.startswith(f"usage: %{name}")
    assert max(map(len, shown.value.text.splitlines())) <= 100
    assert all(action.help for action in parser(name)._actions)


def test_a_wrong_flag_is_one_line_with_the_nearest() -> None:
    """And never ends the kernel, as argparse would."""
    with pytest.raises(UsageError) as refused:
        parser("promote").read(["churn@1", "--resaon", "x"])

    assert str(refused.value).startswith("--resaon")
    assert "did you mean '--reason'?" in str(refused.value)


def test_a_wrong_word_is_quoted_safely() -> None:
    """A pasted page, or a colour code, is one short line like any other mistake."""
    with pytest.raises(UsageError) as refused:
        parser("promote").read(["churn@1", "staging", "\x1b[31m" + "x" * 10_000])

    assert str(refused.value).startswith("\\x1b[31mxxx")
    assert str(refused.value).endswith(
        "… (several words stand in quotes; %promote --help shows what there is)"
    )
    assert len(str(refused.value)) < 500


# what was trained


class Fitted:
    def fit(self) -> None: ...
    def predict(self) -> None: ...


class Scaler:
    def fit(self) -> None: ...
    def transform(self) -> None: ...


class Trap:
    """Looking at an attribute has an effect, even at `__class__`, as `isinstance` does."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError("touched")


class TrapType(type):
    """Asking the class has an effect."""

    def __getattribute__(cls, name: str) -> object:
        raise RuntimeError("touched")


class OfTrapType(metaclass=TrapType):
    def fit(self) -> None: ...
    def predict(self) -> None: ...


class Inherited(Fitted):
    pass


def test_a_model_is_told_by_its_class_alone() -> None:
    """Nothing of the object is read, so nothing of it can run."""
    assert is_model(Fitted())
    assert is_model(Scaler())
    assert is_model(Inherited())
    assert is_model(OfTrapType())
    dead = weakref.proxy(Fitted())
    for other in (Fitted, Trap(), dead, SimpleNamespace(fit=1, predict=2), 1, "text", None):
        assert not is_model(other)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a = 1\nb = c = 2", ["a", "b", "c"]),
        ("(a, [b, *c]) = f()", ["a", "b", "c"]),
        ("clf.fit(X)\nnet.partial_fit(X)", ["clf", "net"]),
        ("train(net, loader)\ntrainer.fit(net)", ["net", "loader", "trainer"]),
        ("if x:\n    a = 1\nfor m in ms:\n    m.fit(X)", ["a", "m", "m"]),
        ("def f():\n    inner = 1\nouter = f()", ["outer"]),
        ("with open(p) as f:\n    a = 1", ["a"]),
        ("a = = 1", []),
        ("a = " + "-" * 40_000 + "1", []),
        ("a = " + "1 + " * 900 + "1", ["a"]),
        ("", []),
    ],
    ids=lambda given: given[:20] if isinstance(given, str) else None,
)
def test_names_that_a_cell_writes(source: str, names: list[str]) -> None:
    """Found in the text, in the order of the text; a cell that does not parse writes none."""
    assert written_names(source, lambda text: text) == names


def test_the_bodies_of_cell_magics_are_read() -> None:
    """A training under `%%time` is a training; a shell script is none."""
    assert written_names("%%time\na = 1", lambda text: text) == ["a"]
    assert written_names("%%capture out\n%%time\na = 1", lambda text: text) == ["a"]
    assert written_names("%%bash\na=1", lambda text: text) == []


def test_a_predictor_comes_before_its_scaler() -> None:
    """A cell that fits both means the model, not the preparation."""
    namespace = {"scaler": Scaler(), "clf": Fitted()}

    found = trained_by("scaler = 1\nclf = 2\nscaler.fit()", namespace, lambda text: text)

    assert [each.name for each in found] == ["clf"]


def test_the_newest_execution_decides() -> None:
    """Running an old cell again makes its model the last one."""
    namespace = {"a": Fitted(), "b": Fitted()}
    cells = [Execution(source="a = 1"), Execution(source="b = 1"), Execution(source="a.fit()")]

    assert last_trained(cells, namespace, lambda text: text).name == "a"
    assert last_trained(cells[:2], namespace, lambda text: text).name == "b"
    with pytest.raises(BadInputError, match="no cell trained a model; there are a, b"):
        last_trained([], namespace, lambda text: text)


def test_braces_in_what_is_written_for_people_may_mean_something_else() -> None:
    """A formula or a dictionary in a message is no placeholder; one that is known is filled."""
    words = ["churn-{team}", "--message", "C={'a': 1} for {team}", "--description=\\alpha_{1}"]

    assert arguments.fill(words, {"team": "A"}) == [
        "churn-A",
        "--message",
        "C={'a': 1} for A",
        "--description=\\alpha_{1}",
    ]
    with pytest.raises(BadTemplateError):
        arguments.fill(["churn-{nobody}", "--message", "x"], {"team": "A"})
