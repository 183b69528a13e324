"""A recipe as a notebook or a script that runs by itself."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from nbreg.errors import BadInputError
from nbreg.records import Execution, Recipe

_REGISTERING: Final = re.compile(r"(?m)^(%%?register_model\b.*|%load_ext nbreg)$")


def to_notebook(recipe: Recipe, path: str | Path, *, title: str = "") -> Path:
    """Write the cells as a notebook, in executed order and as executed.

    Lines that registered are commented out, so that running it registers nothing; a cell that
    failed is tagged to fail again without stopping the rest. An existing file is replaced.
    """
    cells = [_markdown(_heading(recipe, title))]
    cells += [_code(each, f"cell-{at}") for at, each in enumerate(recipe.cells, 1)]
    notebook = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return _written(Path(path), json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def to_script(recipe: Recipe, path: str | Path, *, title: str = "") -> Path:
    """Write the cells as one file in the percent format, which editors split into cells again.

    Where a cell is not plain Python (magics, top-level `await`) the file says that it is for
    `ipython`, and its name should end in `.ipy`. An existing file is replaced.
    """
    plain = all(_is_python(without_registering(each.source)) for each in recipe.cells)
    heading = _heading(recipe, title) + (
        "" if plain else "\n\nNot plain Python: run it with ipython, as an .ipy file."
    )
    parts = ["\n".join(f"# {line}".rstrip() for line in heading.splitlines())]
    parts += [f"# %% {_label(each)}\n{_body(each)}" for each in recipe.cells]
    return _written(Path(path), "\n\n".join(parts) + "\n")


def _written(target: Path, text: str) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{target} cannot be written: {error.strerror}", hint="another path") from error
    return target


def without_registering(source: str) -> str:
    """The source with the lines that register made comments."""
    return _REGISTERING.sub(r"# \1", source)


def _heading(recipe: Recipe, title: str) -> str:
    status = f"{recipe.status} recipe: {len(recipe.cells)} of {len(recipe.history) or len(recipe.cells)} runs"
    return "\n".join([title or "Recipe", "", status, *(f"- {reason}" for reason in recipe.reasons)])


def _label(execution: Execution) -> str:
    count = f"[{execution.execution_count}]" if execution.execution_count else ""
    return f"{count} {execution.why}".strip().replace("\n", " ")


def _body(execution: Execution) -> str:
    source = without_registering(execution.source).rstrip("\n")
    if execution.ok is False and _is_python(source):
        return f"import contextlib\nwith contextlib.suppress(Exception):  # it failed\n    exec({source!r})"
    return source


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True


def _lines(text: str) -> Sequence[str]:
    return text.splitlines(keepends=True)


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "recipe", "metadata": {}, "source": _lines(text)}


def _code(execution: Execution, name: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"nbreg": {"run": execution.execution_count, "why": execution.why}}
    if execution.ok is False:
        metadata["tags"] = ["raises-exception"]
    source = _lines(without_registering(execution.source))
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }
