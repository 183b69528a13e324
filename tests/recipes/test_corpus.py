"""The recipe of each small notebook: nothing needed is missing, little else is kept, and a replay agrees."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from language import LANGUAGE
from learning import LEARNING

from notebooks import Notebook, Outcome, agree_in_a_kernel

CORPUS = {notebook.name: notebook for notebook in [*LANGUAGE, *LEARNING]}
SAMPLE = [
    "fit and look",
    "another draw in between",
    "csv there and back",
    "async",
    "submodule imported elsewhere",
]

LEAST_PRECISION = 0.95


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Each notebook run once, and its recipe replayed in another shell."""
    _nothing_experimental_is_enabled()
    folder = tmp_path_factory.mktemp("corpus")
    return {
        name: Outcome(notebook, folder / str(at)) for at, (name, notebook) in enumerate(_chosen().items())
    }


def _nothing_experimental_is_enabled() -> None:
    """As in a fresh kernel: a cell that enables what another test has enabled already would change nothing."""
    import sklearn.experimental
    import sklearn.impute

    for name in [each for each in sys.modules if each.startswith("sklearn.experimental.")]:
        del sys.modules[name]
        vars(sklearn.experimental).pop(name.rpartition(".")[2], None)
    vars(sklearn.impute).pop("IterativeImputer", None)


def _chosen() -> dict[str, Notebook]:
    return CORPUS


def test_the_corpus_is_large_and_half_of_it_is_about_learning() -> None:
    """The figures below mean something only over many different notebooks."""
    assert len(CORPUS) == len(LANGUAGE) + len(LEARNING) >= 80
    assert len(LEARNING) / len(CORPUS) >= 0.4


@pytest.mark.parametrize("name", CORPUS)
def test_no_needed_cell_is_missing(name: str, outcomes: dict[str, Outcome]) -> None:
    """A recipe without one cell that matters is worth nothing."""
    missing = CORPUS[name].needed - outcomes[name].kept

    assert [CORPUS[name].cells[at] for at in sorted(missing)] == []


@pytest.mark.parametrize("name", CORPUS)
def test_the_recipe_alone_makes_an_equal_model(name: str, outcomes: dict[str, Outcome]) -> None:
    """That is what a recipe is for."""
    assert outcomes[name].replay_agrees, [each.source for each in outcomes[name].recipe.cells]


@pytest.mark.parametrize("name", CORPUS)
def test_a_recipe_is_never_called_incomplete_without_need(name: str, outcomes: dict[str, Outcome]) -> None:
    """All of these notebooks were watched from their first cell; every kept cell says why."""
    recipe = outcomes[name].recipe

    assert recipe.status in ("complete", "conservative"), recipe.reasons
    assert recipe.status == "complete" or recipe.reasons
    assert all(each.why for each in recipe.cells)


def test_what_does_not_matter_is_left_out(
    outcomes: dict[str, Outcome], capsys: pytest.CaptureFixture[str]
) -> None:
    """A recipe that keeps everything is a history."""
    needed = sum(len(CORPUS[name].needed) for name in CORPUS)
    found = sum(len(CORPUS[name].needed & each.kept) for name, each in outcomes.items())
    over = [
        (name, CORPUS[name].cells[at])
        for name, each in outcomes.items()
        for at in each.kept & CORPUS[name].idle
    ]
    idle = sum(len(CORPUS[name].idle) for name in CORPUS)
    precision = found / (found + len(over))
    with capsys.disabled():
        print(  # noqa: T201 - the figures are the result
            f"\nrecipes: {len(CORPUS)} notebooks, recall {found}/{needed}, precision {precision:.1%}, "
            f"left out {idle - len(over)}/{idle}, kept without need: {over}"
        )

    assert precision >= LEAST_PRECISION
    assert (idle - len(over)) / idle >= LEAST_PRECISION


@pytest.mark.parametrize("name", SAMPLE)
def test_the_recipe_alone_makes_an_equal_model_in_a_fresh_kernel(name: str, tmp_path: Path) -> None:
    """In the shell of a test much is loaded already; a kernel starts with nothing."""
    assert agree_in_a_kernel(CORPUS[name], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CORPUS if name not in SAMPLE])
def test_every_recipe_makes_an_equal_model_in_a_fresh_kernel(name: str, tmp_path: Path) -> None:
    """The same for all of them, which takes minutes."""
    assert agree_in_a_kernel(CORPUS[name], tmp_path)
