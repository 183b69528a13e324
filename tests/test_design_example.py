"""The example that the design begins with, cell by cell as it stands there, in a real kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels import Kernel, running_kernel

CELLS = [
    "%load_ext nbreg",
    """from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler""",
    "X, y = load_breast_cancer(return_X_y=True, as_frame=True)",
    "Xtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)",
    """clf = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(Xtr, ytr)
accuracy = clf.score(Xte, yte)""",
    """%register_model cancer clf --metrics accuracy --tags baseline --message "first cut"
#  → card: cancer 1.0.0 (#1) · recipe: 5 of 6 runs, complete, linear · not proven yet""",
    "%promote cancer@1.0.0 production --reason FirstRelease",
    """clf = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(Xtr.iloc[:300], ytr.iloc[:300])
accuracy = clf.score(Xte, yte)""",
    "%model_diff clf cancer@production      # dry run: the live object against a version, with the bump",
    '%register_model cancer clf --metrics accuracy      # → 1.1.0: "minor: training data changed"',
    '%promote cancer@1.1.0 production --reason ABTestWon --message "lift 3 %"    # 1.0.0 is archived',
    "%model_history cancer                  # panel: timeline, metric plot, stage controls",
    "%rollback cancer --reason Complaints   # production is 1.0.0 again; who, when, why is in the journal",
    "clf = %load_model cancer@production    # verified bytes; environment drift shown; pinned id shown",
]
WHY = "minor: training data changed (426 → 300 rows), same architecture and features"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kernel, dict[str, str]]]:
    """What each cell showed, by the word it begins with; run once for all that is asked of it."""
    folder = tmp_path_factory.mktemp("project")
    with running_kernel() as kernel:
        kernel.good(f"import os; os.chdir({str(folder)!r})")
        shown: dict[str, str] = {}
        for cell in CELLS:
            ran = kernel.good(cell)
            shown.setdefault(cell, ran.text)
            if "text/html" in (ran.bundles[-1] if ran.bundles else {}):
                assert "<div" in ran.bundles[-1]["text/html"]
        yield kernel, shown


def test_the_first_version_has_its_card(outputs: tuple[Kernel, dict[str, str]]) -> None:
    """The first thing a newcomer sees of nbreg."""
    where, *lines = outputs[1][CELLS[5]].splitlines()

    assert where == "new registry in .nbreg"
    assert re.match(
        r"cancer 1\.0\.0 \(#1\) · recipe: .* · trained on Xtr 426×30, inferred · scikit-learn [\d.]+ · "
        r"not proven yet$",
        lines[0],
    )
    facts = [line.split(maxsplit=1) for line in lines[1:]]
    assert ["metrics", "accuracy 0.979"] in facts
    assert ["message", "first cut"] in facts


def test_the_second_version_is_the_next_one(outputs: tuple[Kernel, dict[str, str]]) -> None:
    """Nobody has to think of a number, and the reason for it is on the card."""
    first, *lines = outputs[1][CELLS[9]].splitlines()

    assert first.startswith("cancer 1.1.0 (#2) · ")
    assert " · trained on Xtr.iloc[:300] 300×30, inferred · " in first
    assert f"why 1.1.0  {WHY}" in "\n".join(lines)


def test_the_dry_run_tells_what_registering_would_give(outputs: tuple[Kernel, dict[str, str]]) -> None:
    """The live object against production, before there is a version of it."""
    first, verdict, draft, *lines = outputs[1][CELLS[8]].splitlines()

    assert first == "cancer@production, which is cancer@1.0.0 (production) → clf, the live variable"
    assert verdict == f"would be 1.1.0: {WHY}"
    assert draft.endswith('; accuracy 0.979021 → 0.965035"')
    assert "  ~ accuracy  0.979 → 0.965 (-0.01399)" in lines
    assert any(
        re.match(r"  ~ model\.logisticregression\.coef_ +float64 1×30  max \|Δ\| 0\.\d+", each)
        for each in lines
    )


def test_promoting_archives_the_one_before(outputs: tuple[Kernel, dict[str, str]]) -> None:
    """There is one version in production, and the line says what it displaced."""
    assert outputs[1][CELLS[6]] == "cancer 1.0.0 (#1): none → production\n"
    assert outputs[1][CELLS[10]] == (
        "cancer 1.1.0 (#2): none → production · 1.0.0 (#1): production → archived\n"
    )


def test_the_history_is_a_table(outputs: tuple[Kernel, dict[str, str]]) -> None:
    """Newest first, with stage and metric."""
    lines = outputs[1][CELLS[11]].splitlines()

    assert lines[0] == "cancer · 2 versions"
    assert [line.split()[:3] for line in lines[2:]] == [
        ["2", "1.1.0", "production"],
        ["1", "1.0.0", "archived"],
    ]


def test_rolling_back_puts_the_first_one_back(outputs: tuple[Kernel, dict[str, str]]) -> None:
    """A bad promotion is undone in one line, and the journal knows who and why."""
    kernel, shown = outputs

    assert shown[CELLS[12]].startswith("cancer 1.0.0 (#1): archived → production")
    events = kernel.good("%model_events cancer").text
    assert re.search(
        r"1\.0\.0 \(#1\)\s+rolled back production; 1\.1\.0 \(#2\) archived\s+ada\s+Complaints", events
    )


def test_loading_gives_back_the_same_model(outputs: tuple[Kernel, dict[str, str]]) -> None:
    """The model that was in production first predicts what it did then."""
    kernel, shown = outputs

    assert re.match(r"cancer 1\.0\.0 \(#1\) · pinned cancer@sha256:[0-9a-f]{12}\n", shown[CELLS[13]])
    assert kernel.good("print(round(clf.score(Xte, yte), 3))").stdout == "0.979\n"


def test_the_registry_is_in_the_project(outputs: tuple[Kernel, dict[str, str]]) -> None:
    """Nothing was configured, and the files are where one would look."""
    folder = (
        outputs[0].good("print(get_ipython().run_line_magic('models', '') and os.getcwd())").stdout.strip()
    )

    assert (Path(folder) / ".nbreg" / "registry.jsonl").exists()
