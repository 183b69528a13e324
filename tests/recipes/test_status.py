"""How sure a recipe is, and what it says of the state of the notebook."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from nbreg import Registry
from nbreg.capture.context import current_context
from nbreg.capture.recipe import export
from nbreg.kernel import load
from nbreg.records import Execution, Recipe
from notebooks import run, shell_in


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Any]:
    """A shell in a folder of its own, not yet watched."""
    with shell_in(tmp_path / "notebook", {}) as shell:
        yield shell


def recipe(shell: Any, name: str = "model") -> Recipe:
    found = current_context().recipe_for(shell.user_ns[name])
    assert found is not None
    return found


def counts(found: Recipe) -> list[int | None]:
    return [each.execution_count for each in found.cells]


def run_as(shell: Any, cell_id: str, source: str, deleted: tuple[str, ...] = ()) -> None:
    """Run a cell as the lab does, with its id."""
    meta = {"cellId": cell_id, "deletedCells": list(deleted)}
    shell.run_cell(source, store_history=True, cell_id=cell_id, cell_meta=meta)


def test_a_linear_notebook_is_complete(shell: Any) -> None:
    """The good case is said in two words."""
    load(shell)
    run(shell, ["a = 1", "b = 2", "model = [a]"])

    found = recipe(shell)

    assert (found.status, found.reasons, found.state) == ("complete", [], {"order": "linear"})
    assert [each.why for each in found.cells] == ["sets a", "sets model"]
    assert len(found.history) == 3


def test_every_written_name_has_a_token(shell: Any) -> None:
    """A replay can say which cell was the first to make something else."""
    load(shell)
    run(shell, ["a = [1]", "b = [1]", "a.append(2)", "b.append(2); model = [a, b]"])

    cells = recipe(shell).cells

    assert cells[0].tokens["a"] == cells[1].tokens["b"]
    assert cells[2].tokens["a"] == cells[3].tokens["b"] != cells[0].tokens["a"]


def test_a_change_outside_any_cell_makes_it_incomplete(shell: Any) -> None:
    """A widget that moved a threshold is named, and the whole history is kept instead."""
    load(shell)
    run(shell, ["weights = [1]", "x = 5"])
    shell.user_ns["weights"].append(2)
    run(shell, ["model = list(weights)"])

    found = recipe(shell)

    assert found.status == "incomplete"
    assert found.reasons == ["weights changed between [2] and [3], outside any cell"]
    assert counts(found) == [1, 2, 3]


def test_a_name_that_no_cell_defines_is_told(shell: Any) -> None:
    """Something put it there before the first cell, and no replay will."""
    shell.user_ns["given"] = [1]
    load(shell)
    run(shell, ["model = list(given)"])

    found = recipe(shell)

    assert found.status == "incomplete"
    assert found.state["undefined"] == ["given"]


def test_cells_from_before_are_judged_by_their_text(shell: Any) -> None:
    """Loading late costs certainty, not cells."""
    run(shell, ["a = []", "a.append(1)", "b = 2"])
    load(shell)
    run(shell, ["model = list(a)"])

    found = recipe(shell)

    assert found.status == "conservative"
    assert counts(found) == [1, 2, 4]
    assert found.reasons == ["[2] is known from its text only: it ran before nbreg was loaded"]


def test_what_cannot_be_seen_is_kept_and_named(shell: Any) -> None:
    """Nobody can look into a connection."""
    load(shell)
    run(
        shell,
        [
            "import sqlite3\ndb = sqlite3.connect(':memory:')",
            "db.execute('select 1')",
            "model = [db.execute('select 2').fetchone()]",
        ],
    )

    found = recipe(shell)

    assert found.status == "conservative"
    assert found.cells[1].why == "kept to be safe: may change db"
    assert found.reasons == ["[2] is kept to be safe: it may change db (sqlite3.Connection)"]


def test_random_numbers_that_no_cell_seeds_are_told(shell: Any) -> None:
    """The recipe has every cell, and still a replay gives another model."""
    load(shell)
    run(shell, ["import random", "random.random()", "model = [random.random()]"])

    found = recipe(shell)

    assert counts(found) == [1, 3]
    assert found.reasons == ["no cell seeds the random state of Python: a replay draws other numbers"]
    assert found.state["unseeded"] == ["random state of Python"]


def test_outputs_by_number_keep_the_whole_history(shell: Any) -> None:
    """`_1` is another output when fewer cells run."""
    load(shell)
    run(shell, ["[1, 2]", "x = 1", "model = list(_1)"])

    found = recipe(shell)

    assert found.status == "incomplete"
    assert counts(found) == [1, 2, 3]


def test_the_cell_that_registers_is_not_part_of_the_recipe(shell: Any, tmp_path: Path) -> None:
    """Replaying a recipe must not register again."""
    load(shell)
    shell.user_ns["reg"] = Registry(tmp_path / "registry")
    run(
        shell,
        ["model = {'a': 1}", "other = 2", "v = reg.register('m', model)", "w = reg.register('n', [1, 2])"],
    )

    assert [each.source for each in shell.user_ns["v"].recipe.cells] == ["model = {'a': 1}"]
    assert "w = reg" in shell.user_ns["w"].recipe.cells[-1].source  # it is made in there


def test_a_cell_that_trains_and_registers_is(shell: Any) -> None:
    """What it has done by now counts."""
    load(shell)
    run(shell, ["from nbreg import Registry; reg = Registry('r')", "a = 1", "b = 2"])
    run(shell, ["model = {'a': a}\nmodel['b'] = 3\nv = reg.register('m', model)"])

    version = shell.user_ns["v"]

    assert counts(version.recipe) == [1, 2, 4]
    assert version.recipe.status == "complete"
    assert version.manifest.recipe.summary["history"] == 4


def test_a_cell_run_again_is_re_run(shell: Any) -> None:
    """Running the notebook from its top would run it once."""
    load(shell)
    for _ in range(2):
        run_as(shell, "one", "model = [*globals().get('model', []), 1]" if _ else "model = [1]")
    run_as(shell, "one", "model.append(2)")
    run_as(shell, "one", "model.append(2)")

    found = recipe(shell)

    assert found.state["order"] == "re-run"
    assert found.state["edited"] == ["[2]"] or "[1]" in found.state["edited"]


def test_cells_run_against_their_order_are_told(shell: Any) -> None:
    """The value that the model was made with is not the one that stands above it."""
    load(shell)
    run_as(shell, "a", "rate = 1")
    run_as(shell, "b", "model = [rate]")
    run_as(shell, "a", "rate = 2")
    run_as(shell, "b", "model = [rate]")
    run_as(shell, "c", "model.append(rate)")
    run_as(shell, "b", "model.append(3)")

    found = recipe(shell)

    assert counts(found) == [3, 4, 5, 6]
    assert found.state["order"] == "out of order"
    assert found.state["edited"] == ["[4]"]
    assert found.state["run again"] == ["[3]", "[4]", "[6]"]


def test_a_cell_that_was_deleted_is_named(shell: Any) -> None:
    """Nobody can find it in the notebook any more."""
    load(shell)
    run_as(shell, "a", "rate = 1")
    run_as(shell, "b", "model = [rate]", deleted=("a",))

    assert recipe(shell).state == {"order": "linear", "deleted": ["[1]"]}


# written out


RECIPE = Recipe(
    status="complete",
    cells=[
        Execution(source="a = 1", execution_count=1, why="sets a"),
        Execution(source="a += 1\n1 / 0", execution_count=2, ok=False, error="ZeroDivisionError"),
        Execution(source="%%register_model m\nb = '''x\ny'''", execution_count=4),
    ],
)


def test_a_notebook_is_valid_and_registers_nothing(tmp_path: Path) -> None:
    """It opens in the lab and runs from top to bottom."""
    path = export.to_notebook(RECIPE, tmp_path / "recipe.ipynb")

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.metadata.get("tags") for cell in code] == [None, ["raises-exception"], None]
    assert code[2].source.startswith("# %%register_model m\nb = ")
    assert json.loads(path.read_text())["nbformat_minor"] == 5


def test_a_script_runs_by_itself(tmp_path: Path) -> None:
    """A failing cell has its effects and does not stop the rest."""
    path = export.to_script(RECIPE, tmp_path / "recipe.py")

    text = path.read_text() + "\nprint(a, repr(b))\n"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "2 'x\\ny'\n"
    ast.parse(text)


def test_a_script_with_magics_says_what_runs_it(tmp_path: Path) -> None:
    """Python alone would stop at the first `%`."""
    magical = Recipe(cells=[Execution(source="%time a = 1")])

    assert "run it with ipython" in export.to_script(magical, tmp_path / "r.ipy").read_text()
