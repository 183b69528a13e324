"""A whole capture: never loses a registration, never changes a result, says the same twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbreg.capture import PARTS, Capture, Part, begin
from nbreg.capture.cells import CELL_BYTES, RECIPE_BYTES, execution_order, keep_all, recipe_summary
from nbreg.capture.context import (
    ScriptContext,
    current_context,
    install_context,
    uninstall_context,
    using_context,
)
from nbreg.capture.pending import loaded_names
from nbreg.capture.secrets import Redactor
from nbreg.capture.variables import capture_variables
from nbreg.records import Execution, Recipe, RunLink, Variable, Variables, canonical
from nbreg.registry.making.spelling import spelled
from nbreg.settings import Settings


class Notebook:
    """A context as a kernel gives one, with what a test puts into it."""

    kind = "notebook"
    moment = datetime(2026, 2, 9, tzinfo=UTC)
    notebook = "analysis.ipynb"
    script = ""
    run: RunLink | None = None

    def __init__(
        self,
        folder: Path,
        namespace: Mapping[str, object] | None = None,
        executions: Iterable[Execution] = (),
    ) -> None:
        self.folder = str(folder)
        self.namespace = namespace or {}
        self.executions = executions


def capture(context: Any) -> Capture:
    return begin(context, Settings()).finish()


def ran(*sources: str, ids: str = "") -> list[Execution]:
    """Executions of these sources, in order; `ids` gives each a cell by a letter."""
    names = ids or "\0" * len(sources)
    cells = [name.strip("\0") for name in names]
    return [
        Execution(source=s, execution_count=n, cell_id=c)
        for n, (s, c) in enumerate(zip(sources, cells, strict=True), 1)
    ]


def record(captured: Capture, part: str) -> Any:
    found = captured.parts[part]
    assert isinstance(found, Part), found
    return found.record


def test_two_captures_of_the_same_are_the_same_bytes(tmp_path: Path) -> None:
    """Equal parts are stored once, and a difference between two versions means something."""
    namespace = {"s": {"c", "a", "b"}, "df": pd.DataFrame({"x": [1.0]}), "cfg": {"b": 1, "a": 2}}
    backwards = dict(reversed(namespace.items()))

    one = capture(Notebook(tmp_path, namespace, ran("a = 1", "b = 2")))
    two = capture(Notebook(tmp_path, backwards, ran("a = 1", "b = 2")))

    for part in PARTS:
        assert canonical(record(one, part)) == canonical(record(two, part))
    assert one.redactions == two.redactions


def test_what_fails_is_a_word_and_the_rest_is_there(tmp_path: Path) -> None:
    """A registration after eight hours of training is not lost to a bug of capture, nor does it leak a value."""

    class Broken(Notebook):
        @property
        def executions(self) -> Iterable[Execution]:
            raise ValueError("hunter2")

        @executions.setter
        def executions(self, value: object) -> None: ...

    found = capture(Broken(tmp_path, {"x": 1}))

    assert found.parts["recipe"] == "ValueError"
    assert record(found, "variables").variables[0].value == 1


def test_a_namespace_that_cannot_be_read_costs_the_capture_and_no_more(tmp_path: Path) -> None:
    """The version is registered without, and says so."""

    class Unreadable:
        def keys(self) -> Any:
            raise RuntimeError("hunter2")

    assert capture(Notebook(tmp_path, Unreadable())).parts == dict.fromkeys(PARTS, "RuntimeError")  # type: ignore[arg-type]


def test_an_interrupt_of_the_user_is_not_swallowed(tmp_path: Path) -> None:
    """Somebody who presses stop means it."""

    class Interrupted:
        def keys(self) -> Any:
            raise KeyboardInterrupt

    pending = begin(Notebook(tmp_path, Interrupted()), Settings())  # type: ignore[arg-type]

    with pytest.raises(KeyboardInterrupt):
        pending.finish()


def test_capture_can_be_switched_off(tmp_path: Path) -> None:
    """Some places may not record what they run."""
    found = begin(Notebook(tmp_path, {"x": 1}), Settings(capture=False)).finish()

    assert found == Capture(dict.fromkeys(PARTS, "switched off"), {})


def test_no_secret_of_any_place_is_in_any_part(tmp_path: Path) -> None:
    """Cells, variables, remotes and branch names go into one manifest that everybody reads."""
    secret = "correct-horse-7-battery"
    run = ["git", "-C", str(tmp_path)]
    subprocess.run([*run, "init", "-q", "-b", f"wip-{secret}"], check=True)
    subprocess.run([*run, "remote", "add", "origin", f"https://bob:{secret}@host/r.git"], check=True)
    (tmp_path / f"notes {secret}.txt").write_text("")
    cells = ran(f'password = "{secret}"', f"!curl -u bob:{secret} https://host", f"print('{secret}')")
    namespace = {"password": secret, "config": {"a": [f"x{secret}y"]}, f"v_{secret}": 1}

    found = capture(Notebook(tmp_path, namespace, cells))

    for part in PARTS:
        assert secret.encode() not in canonical(record(found, part))
    assert sum(found.redactions.values()) >= 6
    assert [each.source.count("‹redacted: ") for each in record(found, "recipe").cells] == [1, 1, 1]


def test_capture_changes_nothing_that_a_result_could_depend_on(tmp_path: Path) -> None:
    """The same notebook with and without nbreg gives the same model, bit for bit."""
    random.seed(1)
    np.random.seed(1)
    namespace: dict[str, object] = {"df": pd.DataFrame({"a": [1]}), "X": np.zeros(3), "rows": [1, 2]}
    capture(Notebook(tmp_path, namespace))  # the first imports what nbreg itself needs

    def world() -> tuple[object, ...]:
        state = np.random.get_state()
        return (
            random.getstate(),
            (state[0], bytes(state[1]), *state[2:]),
            list(warnings.filters),
            os.getcwd(),
            list(sys.path),
            set(sys.modules),
            dict(os.environ),
            {name: id(value) for name, value in namespace.items()},
        )

    before = world()
    capture(Notebook(tmp_path, namespace, ran("x = 1")))

    assert world() == before


def test_importing_capture_pulls_in_no_heavy_module() -> None:
    """`import nbreg` is paid by every cell that only wants to read one number."""
    code = "import sys, nbreg.capture; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()

    heavy = {"asyncio", "traitlets", "IPython", "numpy", "subprocess", "importlib.metadata"}
    assert not heavy & set(loaded)


# the recipe


def recipe(*executions: Execution) -> Recipe:
    return keep_all(executions, Redactor())


def test_every_execution_is_kept_and_the_recipe_says_so() -> None:
    """Until the algorithm decides what a model needs, leaving nothing out is the only safe choice."""
    found = recipe(*ran("a = 1", "a += 1", ids="xy"))

    assert [each.source for each in found.cells] == ["a = 1", "a += 1"]
    assert (found.status, found.reasons) == ("conservative", ["every executed cell is kept"])
    assert recipe_summary(found) == {"status": "conservative", "cells": 2, "executions": 2, "state": "linear"}


def test_cells_that_ran_before_nbreg_was_loaded_make_the_recipe_incomplete() -> None:
    """What history knows has no times, no errors and no values: it must not pass for seen."""
    found = recipe(Execution(source="import x", seen=False), Execution(source="y = 1"))

    assert found.status == "incomplete"
    assert found.reasons[0] == "1 of 2 cells are known from history only"


def test_a_recipe_without_cells_is_incomplete() -> None:
    """An empty recipe must never look like a recipe that needs nothing."""
    assert (recipe().status, recipe().reasons) == ("incomplete", ["no cell was executed"])


def test_a_recipe_is_bounded_and_says_what_it_left_out() -> None:
    """Somebody pastes a data set into a cell; somebody runs a loop of ten thousand cells."""
    pasted = recipe(*ran("small = 1", "big = '" + "x" * (CELL_BYTES + 9) + "'"))
    many = recipe(*ran(*(f"x{n} = '" + "y" * 1000 + "'" for n in range(2000))))

    assert pasted.status == "incomplete"
    assert pasted.reasons[0] == "1 cells are cut to 256 KiB each"
    assert many.status == "incomplete"
    assert many.reasons[0].endswith("of 2000 cells are left out: over 1024 KiB")
    assert many.cells[-1].source.startswith("x1999"), "the latest are kept"
    assert sum(len(each.source) for each in many.cells) <= RECIPE_BYTES


@pytest.mark.parametrize(
    ("ids", "order"),
    [("abc", "linear"), ("aabc", "re-run"), ("abca", "out of order"), ("abbcb", "out of order")],
)
def test_the_order_of_execution_is_told_from_cell_ids(ids: str, order: str) -> None:
    """Hidden state is the first thing to suspect of a notebook that does not reproduce."""
    assert execution_order(ran(*("x" * n for n in range(1, len(ids) + 1)), ids=ids)) == order


def test_without_cell_ids_only_an_unbroken_count_of_different_cells_is_linear() -> None:
    """nbclient and papermill send no ids; a guess would be worse than nothing."""
    assert execution_order(ran("a", "b")) == "linear"
    assert execution_order(ran("a", "a")) is None
    assert (
        execution_order([Execution(source="a", execution_count=1), Execution(source="b", execution_count=3)])
        is None
    )
    assert execution_order([]) is None


# the context


def test_a_context_is_the_blocks_then_the_processs_then_the_scripts(tmp_path: Path) -> None:
    """A pipeline's step and a kernel's cell must not be taken for each other."""
    kernel, step = Notebook(tmp_path), Notebook(tmp_path)
    assert isinstance(current_context(), ScriptContext)
    assert current_context().moment == current_context().moment

    install_context(kernel)  # type: ignore[arg-type]
    try:
        with using_context(step):  # type: ignore[arg-type]
            seen: list[object] = [current_context()]
            thread = threading.Thread(target=lambda: seen.append(current_context()))
            thread.start()
            thread.join()
        seen.append(current_context())
    finally:
        uninstall_context()

    assert seen == [step, kernel, kernel]
    assert isinstance(current_context(), ScriptContext)


def test_a_script_is_known_by_its_names_file_and_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """`{date}` in a job's name is the day it started, also past midnight."""
    monkeypatch.setattr(sys.modules["__main__"], "rows", 42, raising=False)
    context = ScriptContext()

    assert context.kind == "script"
    assert context.namespace["rows"] == 42
    assert "__name__" not in context.namespace
    assert context.moment == ScriptContext().moment
    assert (context.executions, context.notebook) == ((), "")
    assert context.run is not None
    assert (context.run.kind, context.run) == ("script", context.run)


def test_no_digest_is_kept_of_what_may_be_a_secret() -> None:
    """A short password is found by trying digests: the recipe tells none of it, nor of what held it."""
    cells = [
        Execution(source="entered = getpass()\nn = 1", tokens={"entered": "aa", "n": "bb"}),
        Execution(source="db = {'user': 'ana', 'password': entered}", tokens={"db": "cc", "api_token": "dd"}),
        Execution(source="password = 'hunter2'; x = 2", tokens={"password": "ee", "x": "ff"}),
    ]
    namespace = {"entered": "violet meadow", "n": 1, "db": {"user": "ana", "password": "violet meadow"}}
    redactor = Redactor.of_process(namespace, [each.source for each in cells])
    capture_variables(namespace, redactor, Settings())

    kept = keep_all(cells, redactor).cells

    assert [each.tokens for each in kept] == [{"n": "bb"}, {}, {}]


def test_the_names_of_loaded_modules_are_gathered_anew_after_an_import(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Going through thousands of names in each registration of a sweep takes longer than capturing them does."""

    def load(*names: str) -> None:
        for name in names:
            monkeypatch.setitem(sys.modules, name, ModuleType(name))

    assert loaded_names() is loaded_names()
    load("made_up_a", "made_up_z")
    assert loaded_names() == tuple(sys.modules)

    # Loaded anew, as a reloader does: as many modules as before, and the last one has the name it had.
    monkeypatch.undo()
    load("made_up_b", "made_up_z")
    assert loaded_names() == tuple(sys.modules)
    assert "made_up_b" in loaded_names()


def test_equal_values_that_are_not_spelled_alike_are_not_taken_for_each_other() -> None:
    """`1 == True`: a version whose flag was recorded as a number would not be the one that was registered."""
    number, flag = (Variables(variables=[Variable(name="x", type="int", value=x)]) for x in (1, True))
    assert number == flag

    assert spelled(number)[1] == canonical(number)
    assert spelled(flag)[1] == canonical(flag)
