"""What nbreg says it runs on is what `make compat` runs it on, and what the page says."""

from __future__ import annotations

import sys
import tomllib
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tools"))

import compat  # noqa: E402

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PAGE = (ROOT / "docs" / "compatibility.md").read_text()


def claimed() -> list[str]:
    """The Pythons that the package index shows."""
    head = "Programming Language :: Python :: 3."
    return [
        each.removeprefix(head[:-2]).strip(" :") for each in PROJECT["classifiers"] if each.startswith(head)
    ]


def test_every_python_that_is_claimed_is_run() -> None:
    """A classifier is a promise; an installer takes it at its word."""
    assert claimed() == ["3.11", "3.12", "3.13", "3.14"]
    assert [leg.python for name, leg in compat.LEGS.items() if name == leg.python] == claimed()
    assert PROJECT["requires-python"] == f">={claimed()[0]}"


@pytest.mark.parametrize("name", [*compat.LEGS, "packed"])
def test_every_leg_has_its_row_on_the_page(name: str) -> None:
    """Who asks whether it runs over there finds what was run, and when."""
    assert f"\n| `{name}` |" in PAGE


def test_the_page_states_the_bounds_that_are_installed() -> None:
    """Nobody pins a release that the page allows and the installer refuses."""
    required = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["run"]]
    missing = [each for each in required if f"`{each}`" not in PAGE]

    assert not missing


SOURCES = sorted((ROOT / "src" / "nbreg").rglob("*.py"))


def test_no_module_warns_when_it_is_compiled() -> None:
    """The first import after an upgrade of Python shows what the compiler complains of, to everybody."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in SOURCES:
            compile(path.read_text(), str(path), "exec")
