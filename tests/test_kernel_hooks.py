"""What is recorded of a kernel's executions, and that nobody feels it."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from kernels import MODEL, running_kernel
from traitlets.config import Config

from nbreg.capture.context import current_context
from nbreg.kernel import load, unload
from nbreg.records import Execution


@pytest.fixture
def shell() -> Iterator[Any]:
    """A real shell of its own, without files."""
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell(config=config)
    yield shell
    unload(shell)
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def run(shell: Any, *cells: str) -> None:
    for cell in cells:
        shell.run_cell(cell, store_history=True)


def executions() -> list[Execution]:
    return list(current_context().executions)


def test_each_cell_is_recorded_with_its_count_time_and_outcome(shell: Any) -> None:
    """The recipe of a model is made of these."""
    load(shell)
    run(shell, "a = 1", "1 / 0", "a = = 2")

    done = executions()

    assert [each.source for each in done] == ["a = 1", "1 / 0", "a = = 2"]
    assert [each.execution_count for each in done] == [1, 2, 3]
    assert [each.ok for each in done] == [True, False, False]
    assert [each.error for each in done] == ["", "ZeroDivisionError", "SyntaxError"]
    assert all(each.seen and each.started_at.endswith("Z") and each.seconds is not None for each in done)


def test_cells_from_before_are_known_by_their_text(shell: Any) -> None:
    """`%load_ext nbreg` in the tenth cell does not lose the nine before it, and does not claim to have seen them."""
    run(shell, "a = 1", "b = 2", "from nbreg.kernel import load; load(get_ipython())", "c = 3")

    done = executions()

    assert [each.execution_count for each in done] == [1, 2, 3, 4]
    assert [each.seen for each in done] == [False, False, True, True]
    assert done[2].ok is True


def test_the_cell_that_loads_is_the_running_one(shell: Any) -> None:
    """A notebook may load nbreg and register in the same cell."""
    seen: list[Execution] = []
    shell.user_ns["look"] = lambda: seen.extend(executions())

    run(shell, "from nbreg.kernel import load; load(get_ipython()); look()")

    assert [each.execution_count for each in seen] == [1]
    assert "look()" in seen[0].source
    assert len(executions()) == 1


def test_the_cell_that_loads_is_recorded_without_a_history_too(shell: Any) -> None:
    """nbval and some front ends run cells that IPython does not number."""
    for cell in ("a = 1", "from nbreg.kernel import load; load(get_ipython())", "b = 2"):
        shell.run_cell(cell, store_history=False)

    assert [each.source for each in executions()] == [
        "from nbreg.kernel import load; load(get_ipython())",
        "b = 2",
    ]
    assert [each.execution_count for each in executions()] == [None, None]


def test_a_load_between_cells_waits_for_no_end(shell: Any) -> None:
    """Where nbreg is loaded by other means than a cell, the next cells are cells of their own."""
    run(shell, "a = 1")
    load(shell)
    run(shell, "b = 2", "c = 3")

    assert [each.source for each in executions()] == ["a = 1", "b = 2", "c = 3"]


def test_what_a_cell_runs_is_part_of_that_cell(shell: Any) -> None:
    """`%%capture` and `run_cell` are no cells of the notebook."""
    load(shell)
    run(shell, "%%capture out\nx = 1", "get_ipython().run_cell('y = 2', store_history=False)", "z = 3")

    done = executions()

    assert [each.execution_count for each in done] == [1, 2, 3]
    assert [each.source.partition("\n")[0] for each in done] == [
        "%%capture out",
        "get_ipython().run_cell('y = 2', store_history=False)",
        "z = 3",
    ]
    assert (shell.user_ns["x"], shell.user_ns["y"]) == (1, 2)


def test_blank_and_silent_cells_leave_no_trace(shell: Any) -> None:
    """An editor's own questions to the kernel are not the user's work."""
    load(shell)
    run(shell, "", "   \n")
    shell.run_cell("hidden = 1", silent=True)
    run(shell, "a = 1")

    assert [each.source for each in executions()] == ["a = 1"]


def test_the_running_cell_is_the_last_one(shell: Any) -> None:
    """A registration sees the cell that it happens in, without an end."""
    load(shell)
    seen: list[Execution] = []
    shell.user_ns["look"] = lambda: seen.extend(executions())

    run(shell, "a = 1", "look()")

    assert [(each.source, each.ok) for each in seen] == [("a = 1", True), ("look()", None)]
    assert seen[1].execution_count == 2


def test_no_object_of_the_user_is_kept(shell: Any) -> None:
    """Recording must not double the memory, nor keep a file open."""
    load(shell)
    run(shell, "class Big: pass", "big = Big()")
    alive = weakref.ref(shell.user_ns["big"])

    run(shell, "del big")
    gc.collect()

    assert alive() is None


@pytest.mark.parametrize(
    "cell",
    [
        "%register_model m model",
        "%register_model m model --metrics nope",
        "%register_model m locked",
        "%%register_model m\nmade = Mean()\n1 / 0",
    ],
)
def test_no_registration_keeps_the_model_nor_does_its_refusal(shell: Any, cell: str) -> None:
    """Python remembers the last error; a model of ten gigabytes must not be remembered with it."""
    load(shell)
    run(shell, MODEL, "class Locked(Mean):\n    def __reduce__(self): raise TypeError('no')")
    run(shell, "model, locked = Mean(), Locked()", cell)
    names = [name for name in ("model", "locked", "made") if name in shell.user_ns]
    alive = {name: weakref.ref(shell.user_ns[name]) for name in names}

    run(shell, f"del {', '.join(names)}")
    gc.collect()

    assert [name for name, each in alive.items() if each() is not None] == []


def test_a_broken_event_is_never_the_users_problem(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever goes wrong in recording, the cell runs and nothing is printed."""
    load(shell)
    broken = object()
    for event in ("pre_run_cell", "post_run_cell"):
        shell.events.trigger(event, broken)
    run(shell, "a = 1")

    assert capsys.readouterr() == ("", "")
    assert shell.user_ns["a"] == 1
    assert [each.source for each in executions()] == ["a = 1"]


class Stop:
    """A transformer that is interrupted, before the cell's own code runs."""

    def visit(self, node: object) -> object:
        raise KeyboardInterrupt


def test_a_cell_that_is_stopped_before_it_runs_does_not_end_the_recording(shell: Any) -> None:
    """IPython ends such a cell with another record than it began with; the cells after it count all the same."""
    load(shell)
    shell.ast_transformers.append(Stop())
    run(shell, "a = 1")
    shell.ast_transformers.pop()
    run(shell, "b = 2", "c = 3")

    assert [(each.source, each.ok, each.error) for each in executions()] == [
        ("a = 1", False, "KeyboardInterrupt"),
        ("b = 2", True, ""),
        ("c = 3", True, ""),
    ]


def test_a_cell_whose_end_is_never_told_does_not_swallow_the_next_ones(shell: Any) -> None:
    """A cancelled task has no result; what ran is known to have begun, and the next cell is a cell."""
    load(shell)
    lose = "get_ipython().events.unregister('post_run_cell', recorder_post)"
    shell.user_ns["recorder_post"] = post = current_context()._recorder._post  # type: ignore[attr-defined]
    run(shell, lose)
    shell.events.register("post_run_cell", post)
    run(shell, "b = 2", "get_ipython().run_cell('c = 3')", "d = 4")

    assert [(each.source, each.ok) for each in executions()] == [
        (lose, None),
        ("b = 2", True),
        ("get_ipython().run_cell('c = 3')", True),
        ("d = 4", True),
    ]


def test_cells_of_two_threads_do_not_swallow_each_other(shell: Any) -> None:
    """With subshells, two cells run at once; neither is part of the other."""
    load(shell)
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult

    slow, quick = (ExecutionInfo(source, True, False, True, None) for source in ("slow()", "quick()"))
    shell.events.trigger("pre_run_cell", slow)
    other = threading.Thread(
        target=lambda: (
            shell.events.trigger("pre_run_cell", quick),
            shell.events.trigger("post_run_cell", ExecutionResult(quick)),
        )
    )
    other.start()
    other.join()
    shell.events.trigger("post_run_cell", ExecutionResult(slow))

    assert [each.source for each in executions()] == ["quick()", "slow()"]


def test_loading_twice_is_loading_once(shell: Any) -> None:
    """A cell with `%load_ext` is run again without harm."""
    load(shell)
    load(shell)
    run(shell, "a = 1")

    assert len(executions()) == 1


def test_unloading_takes_everything_away(shell: Any) -> None:
    """Whoever does not want it any more has the shell from before; twice is harmless."""
    magics = {kind: set(names) for kind, names in shell.magics_manager.magics.items()}
    matchers, hooks = (
        list(shell.Completer.custom_matchers),
        {k: list(v) for k, v in shell.events.callbacks.items()},
    )
    configurables = list(shell.configurables)
    formatter = shell.display_formatter.mimebundle_formatter
    shown = dict(formatter.type_printers), dict(formatter.deferred_printers)

    load(shell)
    unload(shell)
    unload(shell)

    assert {kind: set(names) for kind, names in shell.magics_manager.magics.items()} == magics
    assert shell.Completer.custom_matchers == matchers
    assert {k: list(v) for k, v in shell.events.callbacks.items()} == hooks
    assert shell.configurables == configurables
    assert (formatter.type_printers, formatter.deferred_printers) == shown
    assert current_context().kind == "script"


def test_reloading_goes_on_recording(shell: Any) -> None:
    """`%reload_ext` after an upgrade; what ran before is known from the history."""
    run(shell, "%load_ext nbreg", "a = 1", "%reload_ext nbreg", "b = 2")

    assert [each.source for each in executions()] == [
        "%load_ext nbreg",
        "a = 1",
        "%reload_ext nbreg",
        "b = 2",
    ]


def test_the_namespace_is_the_users(shell: Any) -> None:
    """Neither the shell's own names nor private ones are variables of the model."""
    load(shell)
    run(shell, "a = 1", "_private = 2", "a")
    shell.user_ns["quit"] = "mine"

    assert dict(current_context().namespace) == {"a": 1, "quit": "mine"}


def test_the_moment_is_that_of_the_executed_cell(shell: Any) -> None:
    """`{time}` gives the same name however often it is asked for in a cell."""
    load(shell)
    moments: list[Any] = []
    shell.user_ns["look"] = lambda: moments.append(current_context().moment)

    run(shell, "look(); look()", "look()")

    assert moments[0] == moments[1] < moments[2]


def test_the_run_lasts_as_long_as_the_kernel(shell: Any) -> None:
    """All versions of a session belong together."""
    load(shell)
    first = current_context().run
    run(shell, "a = 1")

    assert first is not None
    assert current_context().run == first
    assert first.kind == "notebook"


def test_the_notebooks_path_is_told_or_unknown(
    shell: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is never guessed: a wrong notebook is worse than none."""
    load(shell)
    context = current_context()
    assert (context.notebook, context.folder) == ("", os.getcwd())

    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "a" / "lab.ipynb"))
    assert (context.notebook, context.folder) == (str(tmp_path / "a" / "lab.ipynb"), str(tmp_path / "a"))

    shell.user_ns["__vsc_ipynb_file__"] = str(tmp_path / "code.ipynb")
    assert context.notebook == str(tmp_path / "code.ipynb")

    monkeypatch.setenv("JPY_SESSION_NAME", "b1a2-console")
    del shell.user_ns["__vsc_ipynb_file__"]
    assert context.notebook == ""


def test_a_version_holds_the_cells_of_a_real_kernel() -> None:
    """From the message of the front end to the recipe: ids of cells, counts and errors arrive."""
    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        kernel.run("1 / 0")
        kernel.good(MODEL)
        message = kernel.client.session.send(
            kernel.client.shell_channel.socket,
            "execute_request",
            {"code": "clf = Mean().fit([1])", "silent": False, "store_history": True, "allow_stdin": False},
            metadata={"cellId": "cell-7"},
        )
        assert kernel.finish(message["header"]["msg_id"]).ok
        kernel.good("v = get_ipython().run_line_magic('register_model', 'm clf')")
        told = kernel.good(
            "print([(e.execution_count, e.ok, e.error, e.cell_id) for e in v.recipe.history]); print(v.run.kind)"
        ).stdout

    assert told.splitlines() == [
        "[(1, True, '', ''), (2, False, 'ZeroDivisionError', ''), (3, True, '', ''), (4, True, '', 'cell-7'), "
        "(5, None, '', '')]",
        "notebook",
    ]
