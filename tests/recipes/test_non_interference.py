"""Watching changes nothing: not a random number, not a lifetime, not a name, not a byte of memory to speak of."""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # noqa: F401 - it adds filters where it is imported first
import pytest
from IPython.utils.capture import capture_output

from nbreg.capture.recipe.values import Looker
from nbreg.kernel import load
from notebooks import run, shell_in

CELLS = [
    "import random, warnings, numpy as np, pandas as pd",
    "random.seed(3); np.random.seed(3)",
    "df = pd.DataFrame({'a': np.random.rand(20), 'b': list('xyzxy') * 4})",
    "df.head()",
    "m = df.groupby('b')['a'].mean()",
    "random.shuffle(order := list(range(9)))",
    "ids = [id(each) == id(each) for each in df.columns]",
    "rng = np.random.default_rng(1); rng.normal()",
    "warnings.simplefilter('ignore', DeprecationWarning)",
    "states = (random.getstate(), np.random.get_state()[1].tolist(), rng.bit_generator.state)",
    "filters = list(warnings.filters)",
    "names = sorted(globals())",
    "loaded = sorted(name for name in __import__('sys').modules if not name.startswith('nbreg'))",
]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Any]:
    """A shell that is watched."""
    with shell_in(tmp_path / "notebook", {}) as shell:
        load(shell)
        yield shell


def test_with_and_without_nbreg_all_states_are_the_same(tmp_path: Path) -> None:
    """A result must not depend on whether somebody loaded a registry."""
    found = []
    for watched in (True, False):
        with shell_in(tmp_path / str(watched), {}) as shell, warnings.catch_warnings():
            if watched:
                load(shell)
            run(shell, CELLS)
            found.append(
                {name: shell.user_ns[name] for name in ("states", "filters", "names", "order", "ids")}
            )

    assert found[0] == found[1]


def test_objects_die_when_the_user_drops_them(shell: Any) -> None:
    """A deleted data frame gives its memory back at once, although it was watched."""
    run(
        shell,
        ["import numpy as np\nclass Big:\n    pass", "big = Big(); big.data = np.zeros(1000); more = [big]"],
    )
    died = weakref.ref(shell.user_ns["big"])

    run(shell, ["del big", "more.clear()"])
    gc.collect()

    assert died() is None


def test_an_array_can_be_resized_between_cells(shell: Any) -> None:
    """numpy refuses to where anybody else holds a reference; from Python 3.14 on it cannot tell, and asks not to."""
    cells = ["import sys\nimport numpy as np\na = np.arange(5)", "b = a.sum()", "held = sys.getrefcount(a)"]
    alone: dict[str, Any] = {}
    for each in cells:
        exec(each, alone)
    run(shell, [*cells, f"a.resize(10, refcheck={sys.version_info < (3, 14)})"])

    assert shell.user_ns["held"] == alone["held"]
    assert shell.user_ns["a"].shape == (10,)


def test_a_file_that_is_dropped_is_flushed(shell: Any) -> None:
    """Tracers that keep the file object alive lose what was written."""
    run(shell, ["f = open('a.txt', 'w'); f.write('text')", "f.tell()", "del f", "got = open('a.txt').read()"])

    assert shell.user_ns["got"] == "text"


def test_nothing_of_the_users_classes_is_called(shell: Any) -> None:
    """An attribute may train a model, and an equality may open a connection."""
    run(
        shell,
        [
            "calls = []\n"
            "def spy(name):\n"
            "    def method(self, *args):\n"
            "        calls.append(name)\n"
            "        return getattr(object, name)(self, *args)\n"
            "    return method\n"
            "class Shy:\n"
            "    for _name in ('__reduce_ex__', '__reduce__', '__eq__', '__hash__', '__getattribute__', '__repr__',\n"
            "                  '__dir__', '__sizeof__'):\n"
            "        locals()[_name] = spy(_name)\n"
            "    def __getattr__(self, name):\n"
            "        calls.append(name)\n"
            "        raise AttributeError(name)\n"
            "    def __len__(self):\n"
            "        calls.append('__len__')\n"
            "        return 0\n"
            "    @property\n"
            "    def late(self):\n"
            "        calls.append('late')\n",
            "shy = Shy(); held = [shy, {'k': shy}]",
            "x = len(held)",
            "held.append(shy)",
        ],
    )

    assert shell.user_ns["calls"] == []


def test_looking_at_a_large_array_needs_little_memory(shell: Any) -> None:
    """The peak of a notebook that fills the memory must not double."""
    run(shell, ["import numpy as np\nbig = np.zeros((4000, 2000))\nother = big.T[::2]"])
    tracemalloc.start()
    try:
        run(shell, ["big[0, 0]", "other.shape"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < shell.user_ns["big"].nbytes / 8


def test_frames_keep_their_blocks_and_caches(shell: Any) -> None:
    """Reading `.values` would consolidate a frame, and reading an index's properties fills its cache."""
    run(
        shell,
        [
            "import pandas as pd\ndf = pd.DataFrame({'a': [1.0], 'b': [2.0]})\ndf['c'] = 3.0",
            "df",
            "print(len(df))",
        ],
    )
    frame = shell.user_ns["df"]

    run(shell, ["n = len(df)", "m = df is None"])

    assert len(frame._mgr.blocks) == 2
    assert shell.user_ns["df"] is frame


def test_iterators_are_not_consumed(shell: Any) -> None:
    """What one looks at lazily is still there afterwards."""
    cells = [
        "import itertools",
        "i = iter([1, 2]); g = (n for n in range(3)); m = map(abs, [-1]); z = zip('ab', 'cd'); c = itertools.count()",
        "i, g, m, z, c;",
        "got = [list(i), list(g), list(m), list(z), next(c)]",
    ]
    run(shell, cells)

    assert shell.user_ns["got"] == [[1, 2], [0, 1, 2], [1], [("a", "c"), ("b", "d")], 0]


def test_an_error_of_the_tracker_is_not_the_users(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell runs as it always did, nothing is printed, and the recipe falls back to what the text tells."""
    from nbreg.capture.context import current_context
    from nbreg.capture.recipe import Tracker

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Tracker, "before", fail)
    with capture_output() as shown:
        shell.run_cell("a = [1]", store_history=True)
        shell.run_cell("a.append(2)", store_history=True)
    recipe = current_context().recipe_for(shell.user_ns["a"])

    assert shell.user_ns["a"] == [1, 2]
    assert (shown.stdout, shown.stderr) == ("", "")
    assert recipe is not None
    assert [each.source for each in recipe.cells] == ["a = [1]", "a.append(2)"]
    assert recipe.status == "conservative"


def test_only_one_audit_hook_is_ever_added(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python lets none be removed, so loading again must not add another."""
    run(shell, ["x = 1"])
    added: list[object] = []
    monkeypatch.setattr(sys, "addaudithook", added.append)

    run(shell, ["y = 2", "%reload_ext nbreg", "open('a', 'w').close()"])

    assert added == []


def test_what_others_do_with_the_processor_is_not_the_looks_own_time() -> None:
    """On a busy machine a recipe would be conservative, and a model that was trained no draft."""
    value = [[np.arange(8000) for _ in range(100)], [[each] for each in range(200)]]
    interval, done = sys.getswitchinterval(), threading.Event()

    def others() -> None:
        while not done.is_set():
            pass

    busy = threading.Thread(target=others)
    sys.setswitchinterval(0.1)  # an array that is digested may give the interpreter away for so long
    busy.start()
    try:
        look = Looker({}, seconds=60).look(value)
    finally:
        done.set()
        sys.setswitchinterval(interval)
        busy.join()

    assert look.opaque == ""
