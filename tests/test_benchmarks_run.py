"""Each benchmark runs at its smallest scale, so that none of them rots; no time is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nbreg import Registry

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
sys.path.append(str(BENCHMARKS.parent / "tools"))

import ensure_browser  # noqa: E402

NAMES = sorted(path.stem.removeprefix("bench_") for path in BENCHMARKS.glob("bench_*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_runs_and_leaves_a_line_of_results(name: str, tmp_path: Path) -> None:
    """Whoever doubts a figure of the README can still measure it."""
    if name == "sidebar" and ensure_browser.find() is None:
        pytest.skip(f"no browser: {ensure_browser.why_not()}")
    command = [sys.executable, BENCHMARKS / "run.py", name, "--smallest", "--results", tmp_path]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    (line,) = (tmp_path / f"{name}.jsonl").read_text().splitlines()
    result = json.loads(line)
    assert result["benchmark"] == name
    assert {"claim", "commit", "python", "machine", "scale", "seed", "figures"} <= set(result)
    assert all(figure["what"] in done.stdout for figure in result["figures"])


def test_peers_are_compared_where_they_are_installed(tmp_path: Path) -> None:
    """The comparison itself runs with what is here anyway: the floor and nbreg."""
    command = [sys.executable, BENCHMARKS / "compare_peers.py", "--smallest", "--results", tmp_path]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "peers.jsonl").read_text())
    assert {"small: load by stage / joblib.load", "second load / joblib.load"} <= {
        figure["what"] for figure in result["figures"]
    }
    assert "left out" not in done.stdout


def test_a_grown_model_is_one_that_registering_could_have_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The large registries that are measured are no easier than real ones."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import models

    grown, real = Registry(tmp_path / "grown"), Registry(tmp_path / "real")
    models.grow(grown, "churn", 5)
    for number in range(5):
        real.register(
            "churn", {"seed": number}, metrics=models.METRICS, tags=["baseline"], message="weekly run"
        )

    assert grown.register("churn", {"seed": "next"}).ref == "churn@1.5.0"
    assert grown.models()[0].versions == 6
    assert [v.number for v in grown.versions("churn")] == [6, 5, 4, 3, 2, 1]
    assert [shape(line) for line in lines(grown)[:5]] == [shape(line) for line in lines(real)]
    found = {problem.code for problem in grown.verify().problems}
    assert found <= {"object-damaged"}, (
        "versions that share a bundle have no manifest of their own, and that is all"
    )


def lines(registry: Registry) -> list[dict[str, object]]:
    journal = registry.location / "models" / "churn.model" / "journal.jsonl"
    return [json.loads(line) for line in journal.read_text().splitlines()]


def shape(value: object) -> object:
    """A line without what differs by nature: digests, times, signatures."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    is_digest = isinstance(value, str) and len(value) == 64
    is_time = isinstance(value, str) and len(value) == 27 and value.endswith("Z")
    return "…" if is_digest or is_time else value
