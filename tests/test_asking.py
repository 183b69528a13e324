"""What a front end asks a kernel between cells, as JupyterLab's form does.

Somebody presses *Register model…*: the form lists what the kernel holds, with what is known of it, shows
what a line would store, and puts that line into a cell. None of the asking leaves a trace: no name, no
history, no number, no file. When the cell is sent, the document is told first, so that the version knows
which of its cells were edited or deleted since they ran.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from kernels import MODEL, Kernel, running_kernel

from nbreg import Registry
from nbreg.kernel.arguments import split
from nbreg.kernel.asking import ANSWER_MIME
from nbreg.kernel.parsers import parser

LINES = json.loads((Path(__file__).parent / "lines.json").read_text())
MODULE = "__import__('nbreg.kernel.asking', fromlist=['asking'])"


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """A kernel of its own, nbreg not loaded."""
    with running_kernel() as kernel:
        yield kernel


def expressed(kernel: Kernel, expression: str) -> dict[str, Any]:
    """Ask as a front end does: an expression beside no code."""
    message = kernel.client.execute(
        "", silent=True, store_history=False, allow_stdin=False, user_expressions={"it": expression}
    )
    reply = kernel.reply(message)
    told: dict[str, Any] = reply["content"]["user_expressions"]["it"]
    return told


def asked(kernel: Kernel, question: str) -> dict[str, Any]:
    told = expressed(kernel, f"{MODULE}.{question}")
    assert told["status"] == "ok", told
    answer: dict[str, Any] = told["data"][ANSWER_MIME]
    return answer


def run_as_cell(kernel: Kernel, document: dict[str, str], cell: str, *, alone: bool = True) -> None:
    """Send a cell of a document as the page does: the document first."""
    told = expressed(kernel, f"{MODULE}.tell({cell!r}, {list(document.items())!r}, {alone})")
    assert told["status"] == "ok", told
    ran = kernel.run_in_front(document[cell], cell)
    assert ran.ok, ran


@pytest.mark.parametrize("line", LINES, ids=lambda each: each["line"])
def test_the_forms_line_means_what_was_filled_in(line: dict[str, Any]) -> None:
    """Whatever somebody types or pastes is one argument of one magic, never code, a flag or another line."""
    cell = f"%register_model {line['line']}\n"
    (statement,) = ast.parse(TransformerManager().transform_cell(cell)).body

    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    magic, rest = (ast.literal_eval(each) for each in statement.value.args)
    read = vars(parser("register_model").read(split(rest)))
    assert magic == "register_model"
    assert {name: read[name] for name in line["read"]} == line["read"]


def test_a_kernel_tells_what_it_could_register(kernel: Kernel, registry: Registry) -> None:
    """Which variables are models, which was trained last, which are versions already, which never learned."""
    kernel.good(f"import os; os.environ['NBREG_REGISTRY'] = {str(registry.location)!r}\n%load_ext nbreg")
    kernel.good("from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor\nimport numpy as np")
    kernel.good("first = DecisionTreeClassifier().fit([[0], [1]], [0, 1]); accuracy, ratio, n = 0.9, 0.5, 3")
    kernel.good("%register_model tree first --metrics accuracy")
    kernel.good("raw = DecisionTreeRegressor()")
    kernel.good(
        "second = DecisionTreeRegressor().fit([[0], [1]], [0, 1]); alias = second; loss = np.float64(1)"
    )

    found = asked(kernel, "holding()")

    models = {each.pop("variable"): each for each in found["models"]}
    assert list(models) == ["first", "raw", "alias"]
    assert models["first"] == {
        "type": "sklearn.tree._classes.DecisionTreeClassifier", "fitted": True, "last": False,
        "ref": "tree@1", "name": "tree@1.0.0", "unknown": "",
    }  # fmt: skip
    assert (models["raw"]["fitted"], models["raw"]["ref"]) == (False, "")
    assert (models["alias"]["last"], models["alias"]["fitted"]) == (True, True)
    assert found["known"] == ["tree"]
    assert found["numbers"] == ["loss", "accuracy", "ratio"]
    assert found["stages"] == registry.stages
    assert (found["loaded"], found["refusal"]) == (True, "")


def test_a_kernel_without_nbreg_tells_its_models(kernel: Kernel) -> None:
    """The form can be used in a notebook that never loaded nbreg; the cell that it writes loads it."""
    kernel.good(f"{MODEL}\nmean = Mean().fit([1, 2])")

    found = asked(kernel, "holding()")

    assert (found["loaded"], [each["variable"] for each in found["models"]]) == (False, ["mean"])
    assert "not loaded" in asked(kernel, "preview('mean mean')")["refusal"]
    assert (
        expressed(kernel, "get_ipython().find_line_magic('register_model')")["data"]["text/plain"] == "None"
    )


def test_asking_leaves_no_trace(kernel: Kernel, registry: Registry) -> None:
    """Opening a form is looking: names, numbers, history, `_` and the registry are as they were."""
    kernel.good(f"import os; os.environ['NBREG_REGISTRY'] = {str(registry.location)!r}\n%load_ext nbreg")
    kernel.good(f"{MODEL}\nmean = Mean().fit([1, 2]); 41 + 1")
    state = "(sorted(get_ipython().user_ns), get_ipython().execution_count, len(In), _, _ih[-1])"
    before = expressed(kernel, state)["data"]["text/plain"]

    asked(kernel, "holding()")
    asked(kernel, "preview('mean mean --metrics auc=0.5')")
    assert expressed(kernel, f"{MODULE}.tell('a', [('a', 'x')], True)")["status"] == "ok"

    assert expressed(kernel, state)["data"]["text/plain"] == before
    assert not registry.location.exists()


def test_a_preview_says_what_the_line_would_store_or_why_not(kernel: Kernel, registry: Registry) -> None:
    """What is shown before is what the magic's own preview shows; a refusal is an answer, not a traceback."""
    kernel.good(f"import os; os.environ['NBREG_REGISTRY'] = {str(registry.location)!r}\n%load_ext nbreg")
    kernel.good(f"{MODEL}\nmean = Mean().fit([1, 2]); password = 'hunter2hunter2'")

    shown = asked(kernel, "preview('mean mean --metrics auc=0.5')")
    refusals = [
        asked(kernel, f"preview({line!r})")["refusal"]
        for line in ("mean nothing", "'a b' mean", "mean mean --colour red", "mean 'open")
    ]

    assert dict(shown["facts"])["metrics"] == "auc 0.5"
    assert "Mean" in dict(shown["facts"])["artifacts"]
    variables, recipe = shown["tables"]
    withheld = next(row for row in variables["rows"] if row[0] == "password")
    assert withheld[2].startswith("withheld")
    assert "hunter2" not in json.dumps(shown)
    assert recipe["rows"][-1][1] == "class Mean:"
    assert refusals[0].startswith("there is no variable 'nothing'")
    assert "'a b'" in refusals[1]
    assert "--colour red is not an argument" in refusals[2]
    assert refusals[3].startswith("a quote is opened and not closed")
    assert not registry.location.exists()


def test_a_version_knows_which_of_its_cells_were_edited_or_deleted(
    kernel: Kernel, registry: Registry
) -> None:
    """The text on the page is not what ran: whoever reads the notebook later has to be told."""
    kernel.good(f"import os; os.environ['NBREG_REGISTRY'] = {str(registry.location)!r}\n%load_ext nbreg")
    document = {
        "a": MODEL, "b": "values = [1, 2]", "c": "scale = 2.0", "d": "mean = Mean(scale).fit(values)",
        "e": "%register_model mean mean",
    }  # fmt: skip
    for cell in "abcd":
        assert kernel.run_in_front(document[cell], cell).ok
    run_as_cell(kernel, document, "e")
    edited = {each: text for each, text in document.items() if each != "b"} | {"c": "scale = 3.0"}
    edited["f"] = "%register_model mean mean --new"
    run_as_cell(kernel, edited, "f")
    run_as_cell(kernel, edited | {"f": "%register_model mean mean --new --tags shared"}, "f", alone=False)
    # Nobody told the document of this one: what was told for another cell does not hold for it.
    assert kernel.run_in_front("%register_model mean mean --new --tags untold", "g").ok

    def state(number: int) -> dict[str, Any]:
        return registry.get(f"mean@{number}").recipe.state

    assert state(1) == {"order": "linear"}
    assert state(2) == {"order": "linear", "edited": ["[4]"], "deleted": ["[3]"]}
    assert state(3) == {"order": "linear", "edited": ["[4]"]}  # it may be in the other document
    assert state(4) == {"order": "linear"}
    card = registry.get("mean@2")._repr_mimebundle_()["text/plain"]
    assert "linear, [4] edited since, [3] deleted since" in card


def test_a_cell_above_that_ran_later_is_out_of_order(kernel: Kernel, registry: Registry) -> None:
    """Where cells stand is the document's say: from its top this notebook gives another model, or none."""
    kernel.good(f"import os; os.environ['NBREG_REGISTRY'] = {str(registry.location)!r}\n%load_ext nbreg")
    document = {
        "a": MODEL,
        "c": "mean = Mean(scale).fit([1, 2])",
        "b": "scale = 2.0",
        "d": "%register_model mean mean",
    }
    for cell in "abc":
        assert kernel.run_in_front(document[cell], cell).ok
    run_as_cell(kernel, document, "d")

    assert registry.get("mean@1").recipe.state["order"] == "out of order"


def test_a_question_makes_nobody_look_at_large_objects_again(kernel: Kernel) -> None:
    """A callback may change anything between cells; a question of nbreg's own changes nothing, and costs nothing."""
    kernel.good("%load_ext nbreg")
    stirred = f"{MODULE}.session_of(get_ipython()).recorder._tracking.tracker._stirred"

    kernel.good("x = 1")
    asked(kernel, "holding()")
    assert expressed(kernel, stirred)["data"]["text/plain"] == "False"
    kernel.run("1", silent=True, store_history=False)  # another extension, which runs code
    assert expressed(kernel, stirred)["data"]["text/plain"] == "True"
