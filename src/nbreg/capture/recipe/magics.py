"""What IPython's magics and `!` commands do to names, read from the transformed source."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from nbreg.capture.recipe.known import HARMLESS_MAGICS, KNOWN_MAGICS, LINE_IS_PYTHON, NO_PYTHON, STEADY_MAGICS

_BRACED = re.compile(r"\{([^{}]+)\}")
_DOLLAR = re.compile(r"\$([^\W\d]\w*)")
_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Call:
    """One magic or shell command as the transformed source calls it."""

    name: str
    line: str = ""
    cell: str | None = None

    @property
    def is_steady(self) -> bool:
        """Whether its Python runs once, in the user's namespace, to the end."""
        return self.name in STEADY_MAGICS

    @property
    def is_known(self) -> bool:
        """Whether IPython or nbreg has it by itself."""
        return self.name in KNOWN_MAGICS


def call_of(node: ast.Call) -> Call | None:
    """The magic that this call runs, or None where it is an ordinary call."""
    function = node.func
    if not (isinstance(function, ast.Attribute) and _is_shell(function.value)):
        return None
    texts = [each.value if isinstance(each, ast.Constant) else None for each in node.args]
    if not all(isinstance(text, str) for text in texts):
        return None
    match function.attr, texts:
        case "run_line_magic", [name, line]:
            return Call(str(name), str(line))
        case "run_cell_magic", [name, line, cell]:
            return Call(str(name), str(line), str(cell))
        case "system" | "getoutput" | "getoutput_split", [line]:
            return Call("!", str(line))
    return None


def _is_shell(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "get_ipython"


def python_in(call: Call) -> str | None:
    """The Python that it runs."""
    if call.cell is not None:
        if call.name in NO_PYTHON:
            return None
        first = _statement(call.line) if call.name in LINE_IS_PYTHON - {"timeit"} else ""
        return f"{first}\n{_transformed(call.cell)}"
    return _statement(call.line) if call.name in LINE_IS_PYTHON else None


def _statement(line: str) -> str:
    """The line without the magic's own options."""
    return re.sub(r"^(\s*-\w+(\s*\d+)?)+\s+", "", line)


def _transformed(cell: str) -> str:
    """A cell inside a cell is transformed when it runs; only plain magics are worth doing here."""
    lines = []
    for line in cell.splitlines():
        indent, text = line[: len(line) - len(line.lstrip())], line.lstrip()
        if text.startswith("%") and not text.startswith("%%"):
            name, _, rest = text[1:].partition(" ")
            lines.append(f"{indent}get_ipython().run_line_magic({name!r}, {rest!r})")
        elif text.startswith("!"):
            lines.append(f"{indent}get_ipython().system({text[1:]!r})")
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def stored_by(call: Call) -> list[str]:
    """Names that the magic itself sets."""
    if call.name == "capture" and call.cell is not None:
        words = [word for word in call.line.split() if not word.startswith("-")]
        return words[:1] if words and words[0].isidentifier() else []
    return []


def names_in(call: Call) -> set[str]:
    """Names that the line may mean: interpolated ones, and every word where the magic is not known."""
    text = call.line if call.cell is None or call.name != "!" else f"{call.line}\n{call.cell}"
    if call.name in LINE_IS_PYTHON and call.cell is None:
        return set()
    found = set(_DOLLAR.findall(text))
    for inside in _BRACED.findall(text):
        found |= set(_WORD.findall(inside))
    if call.name not in HARMLESS_MAGICS | NO_PYTHON:
        found |= set(_WORD.findall(call.line))
    return found


def texts_in(call: Call) -> list[str]:
    """Words of the line that may be paths."""
    if call.name in ("time", "timeit"):
        return []
    return [word.strip("\"'") for word in f"{call.line} {call.cell or ''}"[:4096].split()][:50]


def touches_all(call: Call) -> bool:
    """Whether it may change any name's object."""
    unknown_cell = call.cell is not None and not call.is_known
    return unknown_cell or (
        call.name in ("run", "rerun", "macro", "load", "edit") and " -i" in f" {call.line}"
    )


def reads_all(call: Call) -> bool:
    """Whether what it reads cannot be told."""
    if call.name == "run":
        return " -i" in f" {call.line}"
    return call.name in ("rerun", "recall", "edit", "ed")


def outside(call: Call) -> str:
    """What it takes from where nbreg cannot see, in words; empty mostly."""
    if call.name == "store" and "-r" in call.line.split():
        return "restores variables that another session stored (%store -r)"
    return f"runs earlier input again (%{call.name})" if call.name in ("rerun", "recall") else ""
