"""Random programs of assignments, mutations and calls: the recipe's replay equals that of everything."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbreg.capture.recipe import Ran, Tracker, recipe_for
from nbreg.capture.recipe.ambient import NUMPY_RANDOM
from nbreg.records import Execution

NAMES = ["a", "b", "c"]
PRELUDE = [
    "import random\nimport numpy as np\nrandom.seed(7)\nnp.random.seed(7)",
    "a, b, c = [1], {'k': 2}, np.arange(4.0)",
    "class Box:\n    shared = []\n    def __init__(self, x):\n        self.x = x\n    def put(self, x):\n        self.x = x\n"
    "        Box.shared.append(1)\n        return self",
    "def poke(x, y=0):\n    if isinstance(x, list):\n        x.append(y)\n    elif isinstance(x, dict):\n        x['p'] = y\n"
    "    elif isinstance(x, np.ndarray):\n        x[0] += 1\n    elif isinstance(x, Box):\n        x.put(y)\n    return x",
    "total = [0]\ndef outer(x):\n    total[0] += 1\n    return poke(x, total[0])",
    "def peek(x):\n    return len(repr(x)) + len(total) + k",
    "k = 1",
]
name = st.sampled_from(NAMES)
TEMPLATES = [
    "{x} = {n}", "{x} = [{n}, {y}]", "{x} = {{'k': {y}}}", "{x} = np.arange({n} + 2.0)", "{x} = Box({y})",
    "{x} = {y}", "{x} = [{y}, {y}]", "poke({x}, {n})", "outer({x})", "poke({x}, {y})", "peek({x})", "print({x})",
    "len(repr({x}))", "k = {n}", "total = [{n}]", "{x} = peek({y})", "if isinstance({x}, list): {x} += [{n}]",
    "for each in range({n}):\n    poke({x}, each)", "{x} = [poke(each) for each in [{y}]]", "1 / 0\n{x} = 9",
    "poke({x}, 5)\n1 / 0", "if isinstance({x}, np.ndarray):\n    {y} = {x}[1:]", "{x} = random.random()",
    "np.random.rand({n})", "{x} = np.random.rand(2)", "random.seed({n})", "np.random.seed({n})",
    "del {x}\n{x} = [{n}]", "Box.shared.append({n})", "{x} = list(Box.shared)",
    "with open('f.txt', 'w') as f:\n    f.write(repr({x}))", "with open('f.txt', 'a') as f:\n    f.write('{n}')",
    "try:\n    {x} = open('f.txt').read()\nexcept OSError:\n    {x} = None", "{x} = lambda: {y}", "f = lambda: k\n{x} = f()",
    "exec('{x} = [{n}]')", "globals()['{x}'] = [{y}]", "{x} = iter([1, 2, {n}])", "next({x}, None)", "{x} = [*{x}] if isinstance({x}, list) else [{x}]",
    "def poke(x, y=0):\n    return [x, y, {n}]", "({x} := {n})", "{x} = str({y})[:50]",
]  # fmt: skip


@st.composite
def programs(draw: Callable[..., Any]) -> list[str]:
    lines = []
    for _ in range(draw(st.integers(3, 25))):
        template = draw(st.sampled_from(TEMPLATES))
        lines.append(template.format(x=draw(name), y=draw(name), n=draw(st.integers(0, 3))))
    return lines


def visible(namespace: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in namespace.items() if not name.startswith("__")}


def watched(cells: list[str]) -> tuple[dict[str, Any], list[Ran], Tracker]:
    """Run cells in a namespace of their own, each one watched."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    tracker, history = Tracker(visible), []
    for count, source in enumerate(cells, 1):
        pending = tracker.before(namespace, source)
        ok = execute(source, namespace)
        trace = tracker.after(pending, namespace, failed=not ok)
        history.append(Ran(Execution(source=source, execution_count=count, ok=ok), trace))
    return namespace, history, tracker


def execute(source: str, namespace: dict[str, Any]) -> bool:
    try:
        exec(compile(source, "<cell>", "exec"), namespace)
    except Exception:
        return False
    return True


def shown(value: Any) -> str:
    """The value as text, without addresses."""
    if hasattr(value, "x") and hasattr(value, "put"):
        return f"Box({shown(value.x)}, {value.shared})"
    if callable(value):
        return f"function giving {shown(value())}"
    if hasattr(value, "__next__"):
        return f"iterator of {list(value)}"
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {shown(each)}' for key, each in value.items())}}}"
    return re.sub(r"0x[0-9a-f]+", "…", repr(value))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=programs(), target=name)
def test_replaying_the_recipe_equals_replaying_everything(
    lines: list[str], target: str, tmp_path_factory: Any
) -> None:
    """Nobody writes these programs, so nobody's habits hide what the recipe forgets."""
    cells = [*PRELUDE, *lines, f"wanted = [{target}]"]
    with contextlib.chdir(tmp_path_factory.mktemp("whole")), contextlib.redirect_stdout(None):
        namespace, history, tracker = watched(cells)
        recipe = recipe_for([namespace["wanted"]], history, tracker, namespace)
        wanted = _shown(namespace)
    assert recipe.status != "incomplete", recipe.reasons  # nothing happens outside the cells
    random.seed()
    with contextlib.chdir(tmp_path_factory.mktemp("part")), contextlib.redirect_stdout(None):
        again: dict[str, Any] = {"__name__": "__main__"}
        for each in recipe.cells:
            execute(each.source, again)
        assert _shown(again) == wanted, [each.source for each in recipe.cells]


def _shown(namespace: dict[str, Any]) -> str:
    try:
        return shown(namespace["wanted"])
    except RecursionError:
        return "recursive"
    except Exception as error:
        return type(error).__name__


def test_a_normal_number_that_was_waiting_counts_as_drawn() -> None:
    """Numpy draws two at a time: giving out the second one leaves its generator's memory as it was."""
    _, history, _ = watched(
        ["import numpy as np", "np.random.seed(0); a = np.random.randn(1)", "b = np.random.randn(1)", "c = 1"]
    )

    drew = [NUMPY_RANDOM in ran.trace.writes for ran in history]
    assert drew[1:] == [True, True, False]


def test_what_was_learnt_of_code_is_not_taken_for_other_code() -> None:
    """Code is looked at once, and a function may be given another one, at the same place in memory."""
    cells = ["def f():\n    return 1", "def f():\n    return 2", "def f():\n    return 1", "x = f()"]
    _, history, _ = watched(cells)

    first, second, third = (ran.trace.tokens["f"] for ran in history[:3])
    assert first == third != second
