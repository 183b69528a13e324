"""Runs are listed, compared and shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbreg import Registry
from nbreg.display import RunTable
from nbreg.errors import BadInputError, BadQueryError


def test_runs_are_listed_newest_first_and_compared_side_by_side(registry: Registry) -> None:
    """Which setting was best is seen in one table."""
    for c, auc in ((0.1, 0.7), (1.0, 0.9), (10.0, 0.8)):
        with registry.start_run(f"C={c}", experiment="churn", params={"C": c, "solver": "lbfgs"}) as run:
            run.log_metric("auc", auc)
    with registry.start_run("other"):
        pass

    assert [each.name for each in registry.runs(experiment="churn")] == ["C=10.0", "C=1.0", "C=0.1"]
    assert [each.name for each in registry.runs(sort="-metrics.auc", limit=2)] == ["C=1.0", "C=10.0"]
    assert [each.name for each in registry.runs(limit=1, offset=1)] == ["C=10.0"]
    table = repr(RunTable([each.record for each in registry.runs(experiment="churn")]))
    heads = table.splitlines()[0].split()
    assert "C" in heads
    assert "auc" in heads
    assert "solver" not in heads  # the same in all: it tells nothing apart
    assert [each.name for each in registry.runs("metrics.auc > 0.75 and params.C < 5")] == ["C=1.0"]
    assert [each.name for each in registry.runs('experiment == None or "m" in models')] == ["other"]
    with pytest.raises(BadQueryError):
        registry.runs("metric.auc > 0.75")
    with pytest.raises(BadInputError):
        registry.runs(state="dead")
    with pytest.raises(BadInputError):
        registry.runs(sort="auc")


def test_what_a_run_is_called_is_escaped_where_it_is_shown(registry: Registry) -> None:
    """A run's name comes from whoever wrote the file."""
    with registry.start_run("<script>alert(1)</script>", params={"<b>": "<i>"}) as run:
        pass

    for shown in (run, RunTable([run.record])):
        html = shown._repr_mimebundle_()["text/html"]
        assert "<script>" not in html
        assert "<i>" not in html


def test_listing_makes_no_file(tmp_path: Path) -> None:
    """Looking is free, also where there is nothing."""
    assert Registry(tmp_path / "none").runs() == []
    assert not (tmp_path / "none").exists()
