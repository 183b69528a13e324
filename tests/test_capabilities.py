"""`docs/capabilities.md`: each capability has its tests and its place in the documentation."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _tool() -> ModuleType:
    path = Path(__file__).resolve().parent.parent / "tools" / "capabilities.py"
    spec = importlib.util.spec_from_file_location("capabilities", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


capabilities = _tool()
GOOD = capabilities.Capability(
    "1",
    "many versions",
    ["tests/test_capabilities.py::test_every_capability_has_its_tests_and_its_place"],
    "docs/versions.md",
    "A version is immutable",
)


def test_every_capability_has_its_tests_and_its_place() -> None:
    """What is claimed is tested somewhere and explained somewhere, and a rename of either is noticed."""
    assert capabilities.problems(capabilities.capabilities()) == []


def test_the_page_is_that_of_the_table() -> None:
    """Who reads the page reads what is checked."""
    made = capabilities.page(capabilities.capabilities())

    assert capabilities.PAGE.read_text() == made, f"run {capabilities.COMMAND}"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"tests": ["tests/test_capabilities.py::test_of_nothing"]}, "no test"),
        ({"tests": ["tests/test_nowhere.py::test_x"]}, "no test"),
        ({"tests": []}, "has no test"),
        ({"page": "docs/nowhere.md"}, "no page"),
        ({"says": "words that stand nowhere"}, "does not say"),
        ({"says": ""}, "does not say"),
        ({"number": "109"}, "1: there is no such capability"),
    ],
)
def test_what_is_wrong_with_an_entry_is_told(wrong: dict[str, object], told: str) -> None:
    """A check that finds nothing is worth nothing."""
    rest = [GOOD._replace(number=number) for number in capabilities.NUMBERS[1:]]

    assert capabilities.problems([GOOD, *rest]) == []
    assert [told in each for each in capabilities.problems([GOOD._replace(**wrong), *rest])] == [True]
