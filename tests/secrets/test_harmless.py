"""Look-alikes of secrets stay as they are: a recipe full of holes reproduces nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import harmless
import pytest
from kernels import MODEL, Kernel, running_kernel

from nbreg import Registry
from nbreg.capture.secrets import Redactor, find, redact

MOST = 0.02


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        kernel.good(MODEL)
        yield kernel


def told(what: str, lines: list[str], spoilt: list[str]) -> None:
    """At most two in a hundred, and both numbers are said."""
    print(f"\nharmless {what}: {len(lines)}, redacted: {len(spoilt)} ({len(spoilt) / len(lines):.1%})")  # noqa: T201
    assert len(lines) >= 200
    assert len(spoilt) <= MOST * len(lines), "\n".join(spoilt)


def test_lines_of_notebooks_stay_as_they_are() -> None:
    """Words like token and key are what machine learning is about."""
    lines = harmless.lines()

    told("lines", lines, [line for line in lines if redact(line) != (line, {})])


def test_texts_that_variables_hold_stay_as_they_are() -> None:
    """Every literal of these lines, as the value of a variable that is called anything."""
    texts = []
    for line in harmless.lines():
        try:
            nodes = list(ast.walk(ast.parse(line)))
        except SyntaxError:
            continue
        texts += [
            node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]

    told("values", texts, [text for text in texts if Redactor().value(text) != text])


def test_the_working_folder_is_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shells call it PWD and OLDPWD, and every path of the project begins with it."""
    (tmp_path / "key.json").write_text("{}")
    for name, path in (
        ("PWD", tmp_path),
        ("OLDPWD", tmp_path),
        ("GOOGLE_CREDENTIALS", tmp_path / "key.json"),
    ):
        monkeypatch.setenv(name, str(path))
    text = f"df = pandas.read_csv({str(tmp_path / 'key.json')!r})"

    assert redact(text) == (text, {})
    assert Redactor.of_process({"pwd": str(tmp_path)}).text(text) == text


def test_pieces_of_text_are_not_known_secrets() -> None:
    """What a tokenizer calls a token is in the vocabulary that is registered with the model."""
    found = [{"token": "New York", "key": "a b"}, {"token": "don't"}, ("token", "U.S."), {"password": None}]
    redactor = Redactor.of_process({"found": found, "token": "New York", "tokens": ["Rhine-Main"]})

    assert redactor.values == frozenset()
    assert redactor.text("city = 'New York'") == "city = 'New York'"


def test_nothing_harmless_stops_a_registration() -> None:
    """A model that holds a digest or a word list is no reason to refuse it."""
    assert [line for line in harmless.lines() if find(line.encode())] == []


def test_a_recipe_of_harmless_cells_is_as_they_were_executed(kernel: Kernel, tmp_path: Path) -> None:
    """The whole way, through a real kernel: not the words alone, but what they were bound to as well."""
    cells = [
        each
        for each in harmless.lines()
        if each[0] not in "!%" and "getpass" not in each and "input(" not in each
    ]
    for each in cells:
        kernel.run(each)
    kernel.good("clf = Mean().fit([1.0, 2.0])\n%register_model churn clf")

    recipe = Registry(tmp_path / "work" / ".nbreg").get("churn@1").recipe
    kept = {each.source for each in recipe.history or recipe.cells}

    told("cells", cells, [each for each in cells if each not in kept])
