"""What Tab offers, asked of a real kernel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kernels import MODEL, Kernel, running_kernel

from nbreg import Registry


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel on a registry with two models."""
    folder = tmp_path_factory.mktemp("registry")
    registry = Registry(folder)
    registry.register("churn", {"a": 1}, artifacts={"scaler": [1]})
    registry.register("churn", {"a": 2}, version="rc2")
    registry.register("fraud", {"a": 1})
    registry.promote("churn@1", "production")
    registry.set_alias("churn@2", "champion")
    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        kernel.good(f"%use_registry {folder}")
        kernel.good(MODEL + "clf = Mean(); rows = [1]; accuracy = 0.9")
        yield kernel


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%model_history ch", ["%model_history churn"]),
        ("%model_history ", ["%model_history churn", "%model_history fraud"]),
        ("%register_model fr", ["%register_model fraud"]),
        ("%register_model churn ", ["%register_model churn clf"]),
        ("%register_model churn clf --metr", ["%register_model churn clf --metrics"]),
        ("%register_model churn --metrics acc", ["%register_model churn --metrics accuracy"]),
        ("%register_model churn --metrics f1=0.2,acc", ["%register_model churn --metrics f1=0.2,accuracy"]),
        ("%register_model churn --metrics=acc", ["%register_model churn --metrics=accuracy"]),
        (
            "%register_model churn --bump m",
            ["%register_model churn --bump major", "%register_model churn --bump minor"],
        ),
        ("%register_model --tags x churn c", ["%register_model --tags x churn clf"]),
        ("%promote ch", ["%promote churn@"]),
        ("%promote churn@r", ["%promote churn@rc2"]),
        ("%promote churn@ch", ["%promote churn@champion"]),
        ("%promote churn@prod", ["%promote churn@production"]),
        ("%promote churn@rc2 st", ["%promote churn@rc2 staging"]),
        ("%promote churn@rc2 --reason W st", ["%promote churn@rc2 --reason W staging"]),
        ("%promote churn@1 --message 'two words' st", ["%promote churn@1 --message 'two words' staging"]),
        ("%register_model churn --artifacts s=ro", ["%register_model churn --artifacts s=rows"]),
        ("clf = %load_model churn@1", ["clf = %load_model churn@1.0.0"]),
        ("%load_model churn@1.0.0 --with s", ["%load_model churn@1.0.0 --with scaler"]),
        ("%rollback churn --to churn@rc", ["%rollback churn --to churn@rc2"]),
        ("%%register_model ch", ["%%register_model churn"]),
    ],
)
def test_tab_completes(kernel: Kernel, line: str, offered: list[str]) -> None:
    """Names, stages, aliases, variables and flags need not be remembered."""
    assert kernel.complete(line) == offered


def test_all_words_of_a_model_are_offered_after_the_at(kernel: Kernel) -> None:
    """Whatever a reference may say stands in the list."""
    offered = {line.rpartition("@")[2] for line in kernel.complete("%model churn@")}

    assert offered == {"1.0.0", "rc2", "production", "champion", "latest"}


@pytest.mark.parametrize(
    "line",
    [
        "%register_model churn --message ",
        "%promote churn@1 --message 'lift st",
        "%model_history churn ",
        "%promote nope@",
    ],
)
def test_nothing_of_ours_is_offered_where_nothing_is_known(kernel: Kernel, line: str) -> None:
    """Free text is the user's, and an unknown model is no error."""
    offered = {match.rpartition(" ")[2] for match in kernel.complete(line)}

    assert not offered & {"churn", "fraud", "churn@", "staging"}


def test_other_lines_are_completed_as_before(kernel: Kernel) -> None:
    """Python's own completion is not in the way of ours, nor ours in its."""
    assert "accuracy" in {match.rpartition(" ")[2] for match in kernel.complete("x = accur")}


@pytest.fixture(scope="module")
def calling(kernel: Kernel) -> Kernel:
    """The same kernel, with the registry in a variable; that nbreg is imported is written, but did not run yet."""
    kernel.good("import os; from nbreg import Registry, load as fetch")
    kernel.good("from nbreg.kernel import _LOADED")
    kernel.good("place = str(next(iter(_LOADED.values()))[0].registry.location)")
    kernel.good("registry = Registry(place); os.environ['NBREG_REGISTRY'] = place")
    return kernel


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ('import nbreg\nnbreg.load("ch', ['import nbreg\nnbreg.load("churn@']),
        ("model = nbreg.load('churn@ch", ["model = nbreg.load('churn@champion"]),
        ('fetch("churn@r', ['fetch("churn@rc2']),
        ('x = registry.get("churn@prod', ['x = registry.get("churn@production']),
        ('registry.get(ref="churn@r', ['registry.get(ref="churn@rc2']),
        ('registry.diff("churn@1", "churn@r', ['registry.diff("churn@1", "churn@rc2']),
        ('registry.versions("fr', ['registry.versions("fraud']),
        ('registry.promote("churn@rc2", "prod', ['registry.promote("churn@rc2", "production']),
        ('registry.rollback("churn", to="churn@r', ['registry.rollback("churn", to="churn@rc2']),
        ('registry.drop_alias("churn", "', ['registry.drop_alias("churn", "champion']),
        ('nbreg.Model("ch', ['nbreg.Model("churn']),
        ('print(registry.get("churn@r', ['print(registry.get("churn@rc2']),
    ],
)
def test_tab_completes_inside_the_strings_of_calls(calling: Kernel, line: str, offered: list[str]) -> None:
    """Code that stays is written with the same help as a magic."""
    assert calling.complete(line) == offered


@pytest.mark.parametrize(
    "line",
    [
        'registry.register("x", "ch',  # an object
        'registry.get("churn@rc2", message="ch',
        'registry.dataset("ch',  # of data
        'print("ch',
        'other.get("ch',
        "nbreg.load(f'ch",
        'nbreg.load("churn@1").predict("ch',
    ],
)
def test_strings_that_name_no_version_are_left_alone(calling: Kernel, line: str) -> None:
    """What somebody writes anywhere else is not in the way."""
    assert not [match for match in calling.complete(line) if match.startswith(f"{line}urn")]
