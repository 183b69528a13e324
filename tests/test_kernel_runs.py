"""A notebook as a run: from the kernel's start, under papermill, from cell to cell."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest
from kernels import MODEL, Kernel, running_kernel

from nbreg import Registry
from nbreg.kernel.running import assigned

TOKEN = "ghp_" + "a1B2" * 9

TRAINING = """
import nbreg
nbreg.current_run().log_metric("score", C * 2)
model = {"C": C, "solver": solver, "n": n}
%register_model churn model --metrics C
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        yield kernel


def registry() -> Registry:
    return Registry(Path.cwd() / ".nbreg")


def notebook(*cells: str, tagged: int | None = None) -> Any:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source=cell) for cell in cells])
    made.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    made.metadata["language_info"] = {"name": "python"}
    if tagged is not None:
        made.cells[tagged].metadata["tags"] = ["parameters"]
    return made


# cells


def test_a_notebook_is_one_run_from_the_start_of_its_kernel(kernel: Kernel) -> None:
    """All versions of an afternoon lead back to the same run, and nobody had to begin it."""
    kernel.good("import nbreg\nrun = nbreg.current_run()\nprint(run.state)")
    assert not Path(".nbreg").exists()
    kernel.good("a = {'a': 1}\n%register_model a a")
    kernel.good("b = {'b': 1}\n%register_model b b\nrun.log_metric('loss', 0.5)")
    runs = registry().runs()
    assert [(each.kind, each.state) for each in runs] == [("notebook", "running")]
    assert [each.model for each in runs[0].versions] == ["a", "b"]

    kernel.client.shutdown()
    kernel.manager.finish_shutdown()

    assert (registry().runs()[0].state, registry().runs()[0].metrics) == ("finished", {"loss": 0.5})


def test_a_killed_kernel_leaves_an_interrupted_run(kernel: Kernel) -> None:
    """A dead kernel does not look as if it still trained."""
    kernel.good("a = {'a': 1}\n%register_model a a")
    kernel.manager.shutdown_kernel(now=True)

    assert registry().runs()[0].state == "interrupted"


def test_start_run_begins_another_run_in_the_same_notebook(kernel: Kernel) -> None:
    """A second experiment in one kernel is not mixed up with the first."""
    kernel.good("C = 0.5\na = {'a': 1}\n%register_model a a")
    shown = kernel.good("%start_run tuned --experiment churn --params C,depth=3")
    kernel.good("b = {'b': 1}\n%register_model b b")
    second, first = registry().runs()

    assert "tuned" in shown.text
    assert (second.name, second.experiment, second.params) == ("tuned", "churn", {"C": 0.5, "depth": 3})
    assert (first.state, second.state) == ("finished", "running")
    assert [each.model for each in second.versions] == ["b"]
    table = kernel.good("%runs --experiment churn").text
    assert "tuned" in table
    assert "b@1.0.0" in table
    assert len(table.strip().splitlines()) == 2
    assert "no state of a run" in kernel.refused("%runs --state dead")


def test_a_run_of_one_cell_is_ended_in_another(kernel: Kernel) -> None:
    """`run = nbreg.start_run()` and `run.end()` frame as many cells as one likes."""
    kernel.good("import nbreg\nrun = nbreg.start_run('framed')")
    kernel.good("a = {'a': 1}\nv = %register_model a a")
    assert kernel.good("print(v.run.id == run.id)").stdout == "True\n"
    kernel.good("run.end()\nb = {'b': 1}\nw = %register_model b b")
    assert kernel.good("print(w.run.id == run.id, run.state)").stdout == "False finished\n"


def test_what_a_run_logged_is_registered_by_a_line(kernel: Kernel) -> None:
    """The best of the night is chosen in the morning, from the table."""
    kernel.good(
        "import nbreg\nwith nbreg.start_run('r', params={'C': 1}) as run:\n    run.log_model({'w': 1})"
    )
    kernel.good("source = run.id\n%register_model churn runs:/{source}/model --message best")

    version = registry().get("churn")
    assert (version.load(), version.params, version.message) == ({"w": 1}, {"C": 1}, "best")
    assert "no artifact" in kernel.refused("%register_model churn runs:/{source}/modell")


def test_a_cell_tagged_parameters_gives_the_runs_params(kernel: Kernel) -> None:
    """JupyterLab sends a cell's tags; what the cell computes is read after it."""
    message = kernel.client.session.msg(
        "execute_request",
        {
            "code": f"C = 0.5\nrows = 2 * 50\nimport math\napi_token = '{TOKEN}'",
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        },
        metadata={"tags": ["parameters"]},
    )
    kernel.client.shell_channel.send(message)
    kernel.finish(message["header"]["msg_id"])
    assert not Path(".nbreg").exists()  # parameters alone make no registry

    kernel.good("a = {'a': 1}\n%register_model a a")

    run = registry().runs()[0]
    assert {name: run.params[name] for name in ("C", "rows")} == {"C": 0.5, "rows": 100}
    assert TOKEN not in str(run.params)
    assert "math" not in run.params


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("# Parameters\nC = 1\nsolver = 'a'\n", ["C", "solver"]),
        ("x: int = -3\ny = float('nan')\nz = [1, {'a': None}]", ["x", "y", "z"]),
        ("x = load()\n", []),
        ("x = 1\nprint(x)", []),
        ("x = = 1", []),
    ],
)
def test_a_cell_that_only_sets_names_to_literals_may_be_of_parameters(source: str, names: list[str]) -> None:
    """What papermill injects is told from a cell that computes."""
    assert assigned(source, literals=True) == names


# papermill


def executed(papermill: Any, folder: Path, number: int, **parameters: Any) -> None:
    made = notebook("C = 1.0\nsolver = 'lbfgs'\nn = 0", "%load_ext nbreg", TRAINING, tagged=0)
    path = folder / f"in-{number}.ipynb"
    nbformat.write(made, path)
    papermill.execute_notebook(
        str(path), str(folder / f"out-{number}.ipynb"), parameters=parameters, progress_bar=False
    )


def compare(count: int, folder: Path) -> None:
    papermill = pytest.importorskip("papermill")
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(executed, papermill, folder, i, C=i / 10, n=i) for i in range(count)]
        for job in jobs:
            job.result()

    runs = registry().runs(sort="params.n")
    assert [run.params for run in runs] == [{"C": i / 10, "solver": "lbfgs", "n": i} for i in range(count)]
    assert [run.metrics["score"] for run in runs] == [i / 5 for i in range(count)]
    assert {run.state for run in runs} == {"finished"}
    assert sorted(version.number for run in runs for version in run.versions) == list(range(1, count + 1))
    assert registry().runs(sort="-metrics.score", limit=1)[0].params["n"] == count - 1
    assert registry().verify().ok


def test_papermill_runs_side_by_side_are_comparable_runs(tmp_path: Path) -> None:
    """A grid of settings run overnight is one table in the morning."""
    compare(12, tmp_path)


@pytest.mark.slow
def test_a_hundred_papermill_runs_are_a_hundred_comparable_runs(tmp_path: Path) -> None:
    """The same at the size of a real search."""
    compare(100, tmp_path)


def test_a_notebook_that_fails_under_papermill_is_a_failed_run(tmp_path: Path) -> None:
    """The setting that broke is in the table with the error's class, and made no version."""
    papermill = pytest.importorskip("papermill")
    Registry(Path.cwd() / ".nbreg").init()
    made = notebook("C = 1.0", "%load_ext nbreg", "1 / (C - 2)", "%register_model churn C", tagged=0)
    nbformat.write(made, tmp_path / "in.ipynb")

    with pytest.raises(papermill.PapermillExecutionError):
        papermill.execute_notebook(
            str(tmp_path / "in.ipynb"), None, parameters={"C": 2.0}, progress_bar=False
        )

    run = registry().runs()[0]
    assert (run.state, run.error, run.params, run.versions) == ("failed", "ZeroDivisionError", {"C": 2.0}, [])
    assert registry().models() == []


def test_a_draft_locks_the_run_that_trained_it(kernel: Kernel) -> None:
    """A rescued model is traced back to its training as any other is."""
    kernel.good(f"import nbreg\nnbreg.current_run().log_metric('loss', 0.5)\n{MODEL}")
    kernel.good("clf = Mean(2).fit([1, 2])")
    kernel.good("clf = Mean(3).fit([1, 2])")
    kernel.good("v = %register_model churn --draft 1")

    version = registry().get("churn")
    assert version.run is not None
    assert version.run.chunks
    assert registry().run(version).metrics == {"loss": 0.5}
    assert [each.id for each in registry().runs()[0].versions] == [version.id]
