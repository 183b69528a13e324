"""The pages that are made of the code are those of the code, and leave nothing out.

docs/python.md · docs/magics.md · docs/settings.md · docs/errors.md
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import nbreg
from nbreg import errors
from nbreg.kernel.parsers import MAGICS
from nbreg.registry.verbs.lineage import DatasetVersion
from nbreg.registry.verbs.watching import Watch

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "tools" / "reference.py"
# What `from nbreg import …` gives, and what its verbs give that has verbs of its own.
CLASSES = [each for name in nbreg.__all__ if inspect.isclass(each := getattr(nbreg, name))]
CLASSES += [DatasetVersion, Watch]
ERRORS = [
    each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, errors.NbregError)
]


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


@pytest.fixture(scope="module")
def reference() -> Iterator[ModuleType]:
    """The tool as a module."""
    import importlib

    sys.path.insert(0, str(TOOL.parent))
    try:
        yield importlib.import_module("reference")
    finally:
        sys.path.remove(str(TOOL.parent))


def test_the_pages_are_those_of_the_code() -> None:
    """What is documented is what there is. If this fails: .venv/bin/python tools/reference.py"""
    done = subprocess.run([sys.executable, str(TOOL), "--check"], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "up to date\n"), done.stdout + done.stderr


def public(cls: type) -> dict[str, Any]:
    """The methods and properties of a class that are nbreg's, those that it inherits included."""
    return {
        name: member
        for each in reversed(cls.__mro__)
        if each.__module__.startswith("nbreg.")
        for name, member in vars(each).items()
        if not name.startswith("_")
        and (inspect.isfunction(member) or isinstance(member, property | classmethod | staticmethod))
    }


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_public_member_says_what_it_does(cls: type) -> None:
    """`help(nbreg.Registry.promote)` answers, also where the verb comes from a class that it is made of."""
    mute = [name for name, member in public(cls).items() if not (member.__doc__ or "").strip()]

    assert mute == []
    assert (cls.__doc__ or "").strip()


def test_every_public_name_is_on_the_page_of_python() -> None:
    """Who searches the page for a verb finds it, once."""
    text = page("python.md")
    calls = {
        "Registry": "registry",
        "ModelVersion": "version",
        "Run": "run",
        "Model": "handle",
        "Watch": "watch",
    }
    missing = [
        f"{called}.{name}"
        for cls in CLASSES
        if (called := calls.get(cls.__name__))
        for name in public(cls)
        if not re.search(rf"(?m)^(?:#### (?:{called}|nbreg\.\w+)\.{name}$|\| `{called}\.{name}` )", text)
    ]
    missing += [name for name in nbreg.__all__ if name not in text]

    assert missing == []


def raised(kind: type) -> set[str]:
    """The errors of nbreg that public docstrings promise."""
    told = [member.__doc__ or "" for member in public(kind).values()]
    return {name for text in told for name in re.findall(r"`(\w+Error)`", text)}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_errors_that_docstrings_name_exist(cls: type) -> None:
    """`except nbreg.errors.X` is written from what the docstring says."""
    assert [name for name in raised(cls) if not hasattr(errors, name)] == []


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: str(kind.code))
def test_every_error_says_what_it_means_and_what_to_do(kind: type[errors.NbregError]) -> None:
    """Somebody searches for the code that a log shows, and finds the next step."""
    means, _, what_to_do = inspect.cleandoc(vars(kind)["__doc__"] or "").partition("\n\n")

    assert "\n" not in means
    assert what_to_do
    assert f"\n### {kind.code}\n" in page("errors.md")
    assert page("errors.md").count(f"\n### {kind.code}\n") == 1


def test_every_magic_is_on_its_page() -> None:
    """A magic that nobody reads of is not there."""
    assert [name for name in MAGICS if f"\n## %{name}\n" not in page("magics.md")] == []


def test_every_environment_variable_is_told(reference: ModuleType) -> None:
    """A variable that only the code knows surprises whoever finds it out; one that is gone does nothing."""
    read = {
        name
        for path in [*(ROOT / "src").rglob("*.py"), ROOT / "hatch_build.py"]
        for name in re.findall(r"\bNBREG_[A-Z_]+\b", path.read_text())
    }

    assert read - {"NBREG_RUN"} == set(reference.VARIABLES)  # NBREG_RUN is between `nbreg run` and its kernel
    assert [name for name in reference.VARIABLES if f"`{name}`" not in page("settings.md")] == []
