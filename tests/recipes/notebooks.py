"""Small notebooks with the cells that a recipe must and must not keep, and the shells that run them."""

from __future__ import annotations

import atexit
import importlib
import json
import os
import random
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from kernels import running_kernel
from traitlets.config import Config

from nbreg.capture.context import current_context
from nbreg.families.tokens import NoTokenError, token
from nbreg.kernel import load, unload
from nbreg.records import Recipe


class Notebook:
    """Cells in the order they are run, each marked `+` needed, `-` not needed or `?` either."""

    def __init__(self, name: str, *cells: str, files: dict[str, str] | None = None) -> None:
        self.name = name
        self.cells = [cell[1:] for cell in cells]
        self.needed = {at for at, cell in enumerate(cells) if cell[0] == "+"}
        self.idle = {at for at, cell in enumerate(cells) if cell[0] == "-"}
        self.files = files or {}


@contextmanager
def shell_in(folder: Path, files: dict[str, str]) -> Iterator[Any]:
    """A real shell in a folder of its own; the process is as it was afterwards."""
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    old_folder, environ, path = os.getcwd(), dict(os.environ), list(sys.path)
    importlib.invalidate_caches()
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    os.chdir(folder)
    shell = InteractiveShell(config=config)
    try:
        yield shell
    finally:
        unload(shell)
        shell.history_manager.end_session()
        atexit.unregister(shell.atexit_operations)  # it collects garbage, once for each shell
        InteractiveShell.clear_instance()
        os.chdir(old_folder)
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(environ)


def run(shell: Any, cells: list[str]) -> None:
    """Run cells as a notebook does, quietly; a failing one does not stop the others."""
    for cell in cells:
        with capture_output():
            shell.run_cell(cell, store_history=True)


def scramble() -> None:
    """Make every random state something that no notebook seeded."""
    import numpy

    random.seed()
    numpy.random.seed()


class Outcome:
    """What became of one notebook: the recipe, and whether running it alone gives the same model."""

    def __init__(self, notebook: Notebook, folder: Path) -> None:
        scramble()
        with shell_in(folder / "first", notebook.files) as shell:
            load(shell)
            run(shell, notebook.cells)
            model = shell.user_ns["model"]
            self.recipe: Recipe = current_context().recipe_for(model) or Recipe()
            self.kept = {(each.execution_count or 0) - 1 for each in self.recipe.cells}
        scramble()
        with shell_in(folder / "second", notebook.files) as shell:
            run(shell, [each.source for each in self.recipe.cells])
            self.replay_agrees = "model" in shell.user_ns and agree(model, shell.user_ns["model"])


def agree(one: Any, two: Any) -> bool:
    """Whether two models are equal by value or, where they count how often they were asked, in what they predict."""
    with suppress(NoTokenError):
        if token(one) == token(two):
            return True
    if type(one) is not type(two) or not hasattr(one, "predict"):
        return False
    import numpy

    inputs = numpy.random.default_rng(0).normal(size=(50, one.n_features_in_))
    return bool((one.predict(inputs) == two.predict(inputs)).all())


# real kernels

FINGERPRINT = """
import sys
sys.path[:0] = [{tests!r}, {tests!r} + "/.."]
from notebooks import fingerprint
print("fingerprint", fingerprint(model))
"""


def fingerprint(model: Any) -> str:
    """What two equal models have in common, as text."""
    if hasattr(model, "kneighbors"):  # it counts how often it was asked
        import numpy

        return repr(
            model.predict(numpy.random.default_rng(0).normal(size=(50, model.n_features_in_))).tolist()
        )
    if hasattr(model, "_stop_words_id"):  # the address of an object
        return token({name: value for name, value in vars(model).items() if name != "_stop_words_id"})
    return token(model)


def agree_in_a_kernel(notebook: Notebook, folder: Path) -> bool:
    """Run it in a kernel, register, export the recipe, run that in another kernel, and compare."""
    target = str(folder / "recipe.ipynb")
    first = ["%load_ext nbreg", *notebook.cells, "registered = %register_model under_test model"]
    first.append(f"registered.recipe.to_notebook({target!r})")
    one = _fingerprint_after(first, folder / "first", notebook.files)
    cells = json.loads((folder / "recipe.ipynb").read_text())["cells"]
    second = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return one == _fingerprint_after(second, folder / "second", notebook.files) != ""


def _fingerprint_after(cells: list[str], folder: Path, files: dict[str, str]) -> str:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    with chdir(folder), running_kernel() as kernel:
        for cell in cells:
            kernel.run(cell)
        shown = kernel.run(FINGERPRINT.format(tests=str(Path(__file__).parent)))
    return shown.stdout.strip() if shown.ok else ""
