"""What teams regret later is said when it can still be changed: one line on the card, kept with the event.

registry.register("model_final", clf)
# warning: the model's name ends in 'final': its versions are counted
# warning: what it was trained on is not recorded, nor any preprocessing beside it: data={'train': X}
"""

from __future__ import annotations

import importlib
import logging
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from children import run
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nbreg
from nbreg import ModelVersion, Registry
from nbreg.display import EventTable
from nbreg.settings import Settings

HAS_FROZEN = find_spec("sklearn.frozen") is not None  # since scikit-learn 1.6


@pytest.fixture
def quick(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "quick", settings=Settings(capture=False))


def frame(width: int = 2) -> pd.DataFrame:
    return pd.DataFrame({f"x{i}": range(10) for i in range(width)})


def trained(X: pd.DataFrame, **options: Any) -> LogisticRegression:
    return LogisticRegression(**options).fit(X, [0, 1] * 5)


def card(version: ModelVersion) -> str:
    return str(version._repr_mimebundle_()["text/plain"])


def test_a_good_registration_is_warned_of_nothing(registry: Registry) -> None:
    """Warnings that cry wolf are worse than none."""
    X = frame()
    clf = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, [0, 1] * 5)
    version = registry.register("churn", clf, data={"train": X}, metrics={"auc": 0.9})
    again = registry.register("churn", trained(X), data={"train": X})
    registry.promote(version, "production", reason="FirstRelease")

    assert (version.warnings, again.warnings) == ([], [])
    assert "warning" not in card(version)
    assert all("warnings" not in event.facts for event in registry.events())


@pytest.mark.parametrize("name", ["model_final", "churn-final2", "clf.new", "model_old", "churn_backup"])
def test_an_informal_name_of_a_model_is_told_once(quick: Registry, name: str) -> None:
    """`model_final` is followed by `model_final2`; nbreg counts versions."""
    first, second = quick.register(name, 1), quick.register(name, 2)
    assert "name ends in" in first.warnings[0]
    assert "warning: the model's name ends in" in card(first)
    assert second.warnings == []
    assert quick.events(name)[1].facts["warnings"] == first.warnings


@pytest.mark.parametrize("name", ["churn", "finally", "renewal", "new-customers", "final/churn", "resnet_v2"])
def test_a_name_that_only_looks_informal_is_left_alone(quick: Registry, name: str) -> None:
    """Words that belong to the matter are no moods."""
    assert quick.register(name, 1).warnings == []


def test_an_informal_name_of_a_version_is_told(quick: Registry) -> None:
    """A name stays; stages and aliases move."""
    assert "ends in 'final'" in quick.register("churn", 1, version="really-final").warnings[0]
    assert quick.register("churn", 2, version="rc2").warnings == []


def test_taking_a_name_over_is_told(quick: Registry) -> None:
    """Whoever wrote the name down gets something else from now on."""
    quick.register("churn", 1, version="1.0.0")
    version = quick.register("churn", 2, version="1.0.0", force=True, reason="Wrong")
    assert "1.0.0 meant #1 before" in version.warnings[0]
    assert "1.0.0 meant #1 before" in repr(EventTable(quick.events("churn"), title="churn"))


def test_a_changed_feature_set_under_a_small_step_is_told(registry: Registry) -> None:
    """Callers of 1.0.0 break at 1.0.1, and the number said that they would not."""
    one, two = frame(2), frame(3)
    registry.register("churn", trained(one), data={"train": one}, version="1.0.0")
    version = registry.register("churn", trained(two), data={"train": two}, version="1.0.1")
    bumped = registry.register("churn", trained(one, C=2.0), data={"train": one}, bump="minor")
    honest = registry.register("churn", trained(two, C=0.5), data={"train": two}, version="2.0.0")

    assert version.warnings[0].startswith("1.0.1 is a patch step from 1.0.0, and the change is major: ")
    assert "x2" in version.warnings[0] or "3" in version.warnings[0]
    assert bumped.warnings[0].startswith("1.1.0 is a minor step from 1.0.1, and the change is major: ")
    assert honest.warnings == []


def test_weights_without_data_or_preprocessing_are_told(registry: Registry) -> None:
    """Weights alone cannot be trained again, and often not even asked rightly."""
    X = frame()
    alone = registry.register("churn", trained(X))
    piped = registry.register(
        "churn", make_pipeline(StandardScaler(), LogisticRegression()).fit(X, [0, 1] * 5)
    )

    assert [each for each in alone.warnings if "nor any preprocessing" in each]
    assert "what it was trained on is not recorded:" in piped.warnings[0]
    assert registry.register("numbers", {"a": 1}).warnings == []


def test_a_pipeline_is_not_told_what_nobody_could_add(registry: Registry) -> None:
    """Its versions are registered without a call that could take the data."""

    @nbreg.pipeline(model=nbreg.Model("churn", registry=registry))
    def training() -> LogisticRegression:
        return trained(frame())

    training()

    assert registry.get("churn").warnings == []


def test_libraries_that_were_not_captured_are_told(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pickle without its versions loads by luck."""
    from nbreg.capture import pending

    def broken(*_: object) -> None:
        raise OSError("no such file")

    monkeypatch.setattr(pending, "capture_environment", broken)
    version = registry.register("churn", {"a": 1})
    assert version.warnings == [
        "the versions of its libraries are not known: it may not load where they are others"
    ]


def test_a_promotion_without_a_reason_is_told_where_it_matters(quick: Registry) -> None:
    """The next one on call asks why."""
    for n in (1, 2):
        quick.register("churn", n)
    quick.promote("churn@1", "staging")
    quick.promote("churn@1", "production")
    quick.promote("churn@2", "production", message="better on all sets")
    quick.rollback("churn")

    told = [(event.kind, bool(event.facts.get("warnings"))) for event in quick.events("churn")][:4]
    assert told == [("rolled-back", True), ("promoted", False), ("promoted", True), ("promoted", False)]


def test_deleting_what_is_archived_is_told(quick: Registry) -> None:
    """Space is cheap; the version that an audit asks for is not."""
    for n in (1, 2):
        quick.register("churn", n)
    quick.retire("churn@1")
    quick.delete("churn@1", "Space")
    quick.delete("churn@2", "Mistake")
    first, second = quick.events("churn")[1], quick.events("churn")[0]
    assert "archived version was deleted" in first.facts["warnings"][0]
    assert "warnings" not in second.facts


LOADING = """
registry = Registry(sys.argv[1], settings=QUICK)
for ref in sys.argv[2:]:
    registry.load(ref)
"""


def test_a_job_that_loads_the_latest_past_production_is_told_once(quick: Registry) -> None:
    """Somebody's experiment must not serve because it was registered last."""
    quick.register("churn", 1)
    quick.register("churn", 2)
    script = "sys.stderr = sys.stdout\n" + LOADING
    assert run(script, quick.location, "churn@latest") == "", "there is nothing better to load"
    quick.promote("churn@1", "production", reason="Release")

    told = run(script, quick.location, "churn@latest", "churn", "churn@production", "churn@2")
    assert told.count("whatever was registered last") == 1
    assert "load churn@production, or pin churn@sha256:" in told
    assert run(script, quick.location, "churn@production", "churn@2") == ""


def test_nothing_is_told_by_pythons_warnings(quick: Registry, caplog: pytest.LogCaptureFixture) -> None:
    """A notebook full of red boxes is read by nobody."""
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        quick.register("model_final", 1, version="final")
        quick.promote("model_final@1", "production")
    assert caplog.records == []


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_an_estimator_that_was_not_fitted_is_kept_with_a_warning(
    registry: Registry, in_pipeline: bool
) -> None:
    """The cell with `fit` was forgotten, and nobody sees that before it serves."""
    model = LogisticRegression()
    whole = make_pipeline(StandardScaler(), model) if in_pipeline else model
    said = "it was not fitted: it has learned nothing, and predicts nothing"

    assert said in registry.register("churn", whole).warnings
    whole.fit([[1.0], [2.0]], [0, 1])
    frozen = [importlib.import_module("sklearn.frozen").FrozenEstimator(whole)] if HAS_FROZEN else []
    for fitted in (whole, *frozen, StandardScaler()):
        assert said not in registry.register("churn", fitted).warnings
