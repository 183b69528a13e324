"""A version is made of what a run logged, without loading it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from children import run as run_script
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nbreg import Registry
from nbreg.errors import BadReferenceError, TrustError, UnknownArtifactError, UnknownRunError


def test_a_version_is_made_of_what_was_logged_without_loading_it(registry: Registry, tmp_path: Path) -> None:
    """The best of a hundred runs is chosen the day after, in a process that has none of their libraries."""
    script = """
class Model:
    def __setstate__(self, state):
        Path(sys.argv[2]).write_text("loaded")
    def __getstate__(self):
        return {"w": 1}
registry = Registry(sys.argv[1])
with registry.start_run(params={"C": 2}) as run:
    run.log_metric("auc", 0.9)
    run.log_model(Model(), framework="mine")
    run.log_artifact({"pip": ["a"]}, "env")
print(run.id)
"""
    run_id = run_script(script, registry.location, tmp_path / "mark").strip()

    foreseen = registry.preview("churn", f"runs:/{run_id}/model")
    version = registry.register("churn", f"runs:/{run_id}/model", message="the best")
    both = registry.register("other", run=run_id, artifacts=["model", "env"])

    assert not (tmp_path / "mark").exists()
    assert (version.params, version.metrics) == ({"C": 2}, {"auc": 0.9})
    assert foreseen.content_digest == version.content_digest
    assert set(both.artifacts) == {"model", "env"}
    assert both.load("env") == {"pip": ["a"]}
    assert version.source.argv[0] == "-c"  # of the process that logged it, not of this one
    assert [each.model for each in registry.run(run_id).versions] == ["churn", "other"]
    assert registry.register("churn", f"runs:/{run_id}/model").existing
    assert registry.run(run_id).artifacts["model"].framework == "mine"
    assert registry.verify().ok


def test_a_logged_model_is_numbered_by_what_it_knows(registry: Registry) -> None:
    """Registered the day after or at once: its features and its data are those it was logged with."""
    numpy, linear = pytest.importorskip("numpy"), pytest.importorskip("sklearn.linear_model")
    rows = numpy.arange(20.0).reshape(-1, 2)
    for alpha, refs in ((1.0, "1.0.0"), (2.0, "1.0.1")):
        with registry.start_run() as run:
            run.log_model(linear.Ridge(alpha=alpha).fit(rows, rows[:, 0]), data={"train": rows})
        version = registry.register("churn", f"runs:/{run.id}/model")
        assert version.name == refs

    assert version.bump_reason.startswith("patch: hyperparameters changed (alpha 1 → 2)")
    assert [each.number for each in registry.trained_on(rows)] == [2, 1]


def test_what_somebody_else_logged_is_not_vouched_for_by_registering_it(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Registering reads no code, so it must not turn a stranger's code into one's own."""
    script = """
class Evil:
    def __reduce__(self):
        return (os.getcwd, ())
registry = Registry(sys.argv[1])
with registry.start_run() as run:
    run.log_model(Evil())
print(run.id)
"""
    run_id = run_script(script, registry.location).strip()
    mine = registry.register("mine", f"runs:/{run_id}/model")
    assert isinstance(mine.load(), str)

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "somebody"))
    version = registry.register("theirs", f"runs:/{run_id}/model")
    with pytest.raises(TrustError):
        version.load()


def test_a_pipeline_is_logged_and_registered_whole(registry: Registry) -> None:
    """A classifier without the scaler before it answers nonsense; in production, to raw rows."""
    rows = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0], "income": [1e5, 3e5, 2e5, 4e5]})
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(rows, [0, 0, 1, 1])
    with registry.start_run("logistic_regression_v1", experiment="churn_model") as run:
        run.log_model(pipeline, data={"train": rows})
    version = registry.register("churn", f"runs:/{run.id}/model")

    loaded = version.load()

    assert [name for name, _ in loaded.steps] == ["standardscaler", "logisticregression"]
    assert loaded.predict_proba(rows).tolist() == pipeline.predict_proba(rows).tolist()
    assert version.params["logisticregression__C"] == 0.5
    assert run.artifacts["model"].framework == "scikit-learn"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("runs:/", BadReferenceError),
        ("runs:/zz/model", BadReferenceError),
        ("runs:/00000000000000000000000000000000/model", UnknownRunError),
    ],
)
def test_a_source_that_names_nothing_is_refused(
    registry: Registry, source: str, error: type[Exception]
) -> None:
    """A typing error never registers its own text as a model."""
    with pytest.raises(error):
        registry.register("churn", source)
    assert registry.models() == []


def test_any_other_text_is_data(registry: Registry) -> None:
    """Only `runs:/…` means a run; a prompt that is a model is a model."""
    assert registry.register("prompt", "runs: fast").load() == "runs: fast"


def test_an_artifact_that_was_not_logged_is_refused_with_the_nearest(registry: Registry) -> None:
    """The hint is what was meant."""
    with registry.start_run() as run:
        run.log_model({"a": 1}, "net")
        with pytest.raises(UnknownArtifactError) as caught:
            run.register("churn", artifacts=["nett"])
        version = registry.register("churn", f"runs:/{run.id}/net")

    assert caught.value.hint == "did you mean 'net'?"
    assert list(version.artifacts) == ["model"]
