"""`tests/mutants/`: of every capability it is written down how the code would look without it.

`make mutants` takes them away one by one and sees a test fail each time. Here it is only checked, quickly,
that what is written down still is about the code that is there.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import mutants
from capabilities import capabilities

TESTS = {each.number: each.tests for each in capabilities()}
GOOD = next(each for each in mutants.mutants() if each.row == "25")


def test_every_capability_can_be_taken_away() -> None:
    """What no test misses when it is gone is a claim and no capability."""
    wrong = mutants.problems(mutants.mutants(), TESTS)

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"row": "0"}, "0: there is no such capability"),
        (
            {"test": "tests/test_mutants.py::test_x"},
            "is none of its tests; name it in docs/capabilities.toml",
        ),
        ({"file": "src/nbreg/nowhere.py"}, "is no module of nbreg"),
        ({"file": "tests/test_mutants.py"}, "is no module of nbreg"),
        ({"find": "text that stands nowhere"}, "stands 0 times in src/nbreg/"),
        ({"find": "import "}, "after a refactoring, copy into `find` the lines that do it now"),
        ({"replace": GOOD.find}, "is what stands there already"),
        ({"replace": "def"}, "cannot be compiled without"),
    ],
)
def test_what_is_wrong_with_an_entry_is_told(wrong: dict[str, Any], told: str) -> None:
    """After a refactoring an entry is mended by what the message says, not by reading the tool."""
    row = {GOOD.row: TESTS[GOOD.row]}

    assert mutants.problems([GOOD], row) == []
    assert [told in each for each in mutants.problems([GOOD._replace(**wrong)], row)][-1]


def test_a_capability_without_an_entry_is_named() -> None:
    """A new row comes with what takes it away."""
    assert mutants.problems([GOOD], {**{GOOD.row: TESTS[GOOD.row]}, "F99": []}) == [
        "F99: nothing takes it away; add an entry to tests/mutants/"
    ]


SMALL = {
    "src/nbreg/__init__.py": "",
    "src/nbreg/thing.py": "def price(n):\n    total = 3 * n\n    return total\n",
    "tests/test_thing.py": (
        "import pytest\n\nfrom nbreg.thing import price\n\n\n"
        "def test_price():\n    assert price(2) == 6\n\n\n"
        "def test_type():\n    assert price(2)\n\n\n"
        "def test_fails_anyhow():\n    assert price(2) == 7\n\n\n"
        "def test_elsewhere():\n    pytest.skip('not on this machine')\n"
    ),
}


@pytest.mark.slow
def test_only_what_a_test_asserts_counts(tmp_path: Path) -> None:
    """A mutant that cannot be imported makes every test fail, and one whose test fails anyhow shows nothing."""
    for name, text in SMALL.items():
        (tmp_path / "small" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "small" / name).write_text(text)
    subprocess.run(["git", "init", "-q", tmp_path / "small"], check=True)
    bench = mutants.Bench(tmp_path / "bench", tmp_path / "small")

    def verdict(replace: str, test: str = "test_price", find: str = "    total = 3 * n") -> str:
        path = f"tests/test_thing.py::{test}"
        mutant = mutants.Mutant("1", "it", "src/nbreg/thing.py", find, replace, path, "")
        return str(mutants.tried(bench, mutant).verdict)

    assert verdict("    total = 4 * n") == "noticed"
    assert verdict("    total = 4 * n", "test_type") == "survived"
    assert verdict("    total = three * n") == "broken"
    assert verdict("import nowhere_at_all\n\n\ndef price(n):", find="def price(n):") == "broken"
    assert verdict("    total = 4 * n", "test_that_is_not_there") == "broken"
    assert (bench.root / "src/nbreg/thing.py").read_text() == SMALL["src/nbreg/thing.py"]

    names = ("test_price", "test_type", "test_fails_anyhow", "test_elsewhere", "test_that_is_not_there")
    useless = mutants.standing(bench, [f"tests/test_thing.py::{name}" for name in names])
    assert {test.rpartition("::")[2]: outcome.verdict for test, outcome in useless.items()} == {
        "test_fails_anyhow": "broken",
        "test_elsewhere": "not tried",
        "test_that_is_not_there": "broken",
    }
