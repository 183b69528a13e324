"""Local modules and what cells defined are kept as text; nothing that was not imported is read."""

from __future__ import annotations

import importlib
import linecache
import os
import sys
import time
import warnings
from collections.abc import Iterator
from functools import lru_cache, wraps
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nbreg import Registry
from nbreg.capture import texts
from nbreg.capture.project import modules as under_test
from nbreg.capture.project.modules import capture_definitions, capture_modules, local_modules
from nbreg.capture.secrets import Redactor
from nbreg.records import Execution

HELPERS = 'from .deep import scale\n\n\ndef prepare(x):\n    """Scale."""\n    return scale(x)\n'
DEEP = "def scale(x):\n    return x * 2\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a package beside the notebook; what is imported of it is forgotten afterwards."""
    package = tmp_path / "churnlib"
    package.mkdir()
    (package / "__init__.py").write_text("from .helpers import prepare\n")
    (package / "helpers.py").write_text(HELPERS)
    (package / "deep.py").write_text(DEEP)
    (package / "never.py").write_text("SECRET = 'not imported, not read'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def churnlib(texts: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if name.startswith("churnlib")}


def test_a_local_package_is_kept_with_all_that_it_imported_and_nothing_else(project: Path) -> None:
    """The function that prepares the data is in a file beside the notebook as often as in a cell."""
    importlib.import_module("churnlib")

    found = capture_modules(Redactor(), str(project))

    assert churnlib(found.texts) == {
        "churnlib": "from .helpers import prepare\n",
        "churnlib.deep": DEEP,
        "churnlib.helpers": HELPERS,
    }
    assert found.edited == []


def test_what_is_installed_or_pythons_own_is_not_a_local_module(project: Path) -> None:
    """An index has those by name and version; their text would be megabytes."""
    importlib.import_module("churnlib")
    importlib.import_module("json.decoder")

    names = {each.name for each in local_modules(sys.modules, str(project))}

    assert "churnlib.deep" in names
    assert not names & {
        "json",
        "json.decoder",
        "os",
        "pytest",
        "msgspec",
        "__main__",
        "nbreg",
        "nbreg.records",
    }
    assert not any(name.startswith("nbreg.") for name in names)


def test_modules_hold_no_secret(project: Path) -> None:
    """A settings module with a password in it is the commonest local module there is."""
    (project / "settings_of_churn.py").write_text('DB_PASSWORD = "hunter2-hunter2"\nROWS = 3\n')
    importlib.import_module("settings_of_churn")
    redactor = Redactor()

    text = capture_modules(redactor, str(project)).texts["settings_of_churn"]

    assert text == 'DB_PASSWORD = "‹redacted: password›"\nROWS = 3\n'
    assert redactor.counts["password"] >= 1


def test_a_file_that_a_module_only_claims_is_not_read(project: Path) -> None:
    """`__file__` is a name like any other, and may say anything."""
    private = project / "private.py"
    private.write_text("never to be read")
    liar = ModuleType("liar")
    liar.__file__ = str(private)

    assert local_modules({"liar": liar}, str(project)) == []


def test_a_lazy_module_is_not_woken(project: Path) -> None:
    """Looking at a lazy module would import a framework that the user never used."""

    class Lazy(ModuleType):
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(f"asked for {name}")

    assert local_modules({"lazy": Lazy("lazy"), "odd": object()}, str(project)) == []


def test_bounds_leave_out_large_modules_by_name(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generated module of ten megabytes must not become the largest part of a version, nor vanish."""
    (project / "churn_large.py").write_text("x = 1\n" * 60_000)
    importlib.import_module("churn_large")
    importlib.import_module("churnlib")

    texts = capture_modules(Redactor(), str(project)).texts
    assert texts["churn_large"] == "# not captured: larger than 256 KiB\n"
    assert texts["churnlib.deep"] == DEEP

    monkeypatch.setattr(under_test, "MODULES_BYTES", 2 * len(DEEP))
    texts = capture_modules(Redactor(), str(project)).texts
    kept = [text for text in texts.values() if not text.startswith("# not captured")]
    assert sum(map(len, kept)) <= 2 * len(DEEP)
    assert "kept already" in texts["churnlib.helpers"]


def test_large_texts_are_redacted_in_pieces_and_stay_the_same_text(project: Path) -> None:
    """Pieces are what makes the second registration cheap; they must not lose or add a character."""
    functions = [
        f"def f{i}():\n    token = 'hunter2-{i}-hunter2x9'\n    return {i}\n\n\n" for i in range(2000)
    ]
    text = "".join(functions)

    redacted = under_test.redacted(text, Redactor())

    assert "hunter2" not in redacted
    assert redacted.count("\n") == text.count("\n")
    assert redacted.count("‹redacted: token›") == 2000
    harmless = text.replace("token", "value")
    assert under_test.redacted(harmless, Redactor()) == harmless


def test_a_module_edited_since_its_import_is_named(project: Path) -> None:
    """Edited, tested in a terminal, not reloaded here: the text on disk is not what made the model."""
    importlib.import_module("churnlib")
    helpers = project / "churnlib" / "helpers.py"
    helpers.write_text(HELPERS.replace("scale(x)", "scale(x) + 1"))
    os.utime(helpers, (time.time() + 60, time.time() + 60))

    assert capture_modules(Redactor(), str(project)).edited == ["churnlib.helpers"]

    helpers.write_text(HELPERS)
    os.utime(helpers, (time.time() + 120, time.time() + 120))
    assert capture_modules(Redactor(), str(project)).edited == [], "touched is not edited"


def cell(number: int, source: str, namespace: dict[str, Any]) -> Execution:
    """A cell as IPython runs it: its lines are in linecache, and its functions say where."""
    name = f"/tmp/ipykernel_1/{number}.py"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), namespace)
    return Execution(source=source, execution_count=number)


@pytest.fixture
def namespace() -> Iterator[dict[str, Any]]:
    yield {"__name__": "__main__", "lru_cache": lru_cache, "wraps": wraps}
    for name in [each for each in linecache.cache if each.startswith("/tmp/ipykernel_1/")]:
        del linecache.cache[name]


def test_functions_and_classes_of_cells_are_kept_as_they_were_run(namespace: dict[str, Any]) -> None:
    """A pickled class of `__main__` cannot be loaded by anybody who does not have its text."""
    first = cell(1, "def clean(x):\n    return x\n\ndef other(x):\n    return clean(x)\n", namespace)
    second = cell(2, "if True:\n    class Net:\n        def go(self):\n            return 1\n\nclass Bare:\n    x = 1\n",
                  namespace)  # fmt: skip
    third = cell(3, "def clean(x):  # again\n    return x + 1\n", namespace)
    namespace |= {"alias": namespace["other"], "path": Path, "number": 3}

    found = capture_definitions(namespace, [first, second, third], Redactor())

    assert found == {
        "clean": "def clean(x):  # again\n    return x + 1\n",
        "other": "def other(x):\n    return clean(x)\n",
        "alias": "def other(x):\n    return clean(x)\n",
        "Net": "class Net:\n    def go(self):\n        return 1\n",
        "Bare": "class Bare:\n    x = 1\n",
    }


def test_a_decorated_function_is_kept_with_its_decorators(namespace: dict[str, Any]) -> None:
    """What a decorator wraps is what the user wrote."""
    source = (
        "def logged(f):\n    @wraps(f)\n    def call(*a):\n        return f(*a)\n    return call\n\n"
        "@logged\ndef score(x, api_key='hunter2-hunter2'):\n    return x\n"
    )
    execution = cell(1, source, namespace)

    found = capture_definitions(namespace, [execution], Redactor())

    assert found["score"] == "@logged\ndef score(x, api_key='‹redacted: key›'):\n    return x\n"
    assert found["logged"].startswith("def logged(f):")


def test_capturing_definitions_warns_of_nothing_and_calls_nothing(namespace: dict[str, Any]) -> None:
    """A cell with an odd escape has warned once already; a metaclass may do anything when asked."""
    source = (
        "class Meta(type):\n    def __getattribute__(cls, name):\n        raise SystemError(name)\n\n"
        "class Rude(metaclass=Meta):\n    def go(self):\n        return '\\d'\n"
    )
    with warnings.catch_warnings(action="ignore"):
        execution = cell(1, source, namespace)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = capture_definitions(namespace, [execution], Redactor())

    assert caught == []
    assert found["Rude"].startswith("class Rude(metaclass=Meta):")
    assert "'\\d'" in found["Rude"]


def test_versions_that_are_registered_before_and_after_an_edit_have_the_text_of_their_time(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text, and the record that holds it, are kept in mind from one registration to the next."""
    monkeypatch.setattr(texts, "SETTLED_NS", -3_600_000_000_000)
    monkeypatch.chdir(project)
    importlib.import_module("churnlib")
    registry = Registry(tmp_path / "registry")
    first, second = (registry.register("churn", {"n": n}) for n in range(2))

    (project / "churnlib" / "deep.py").write_text(DEEP.replace("2", "3") + "\n")
    third = registry.register("churn", {"n": 3})

    assert first.manifest.source.digest == second.manifest.source.digest != third.manifest.source.digest
    kept = [each.source.modules["churnlib.deep"] for each in (first, second, third)]
    assert kept == [DEEP, DEEP, DEEP.replace("2", "3") + "\n"]
    assert registry.verify().ok
