"""`nbreg datasets`, `link`, `deploy`, `audit` …: what a job or a person without a notebook types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nbreg import Registry
from nbreg.settings import Settings


def nbreg(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nbreg.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ})


def good(*arguments: str) -> str:
    done = nbreg(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def as_json(*arguments: str) -> Any:
    return json.loads(good(*arguments, "--json"))


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry(tmp_path / "registry", settings=Settings(capture=False))
    for n in (1, 2):
        registry.register("churn", {"n": n}, data={"train": [n, n]})
    registry.promote("churn@1", "production", reason="Release")
    monkeypatch.setenv("NBREG_REGISTRY", str(registry.location))
    return registry


def test_data_is_named_and_leads_to_versions(filled: Registry) -> None:
    """A pipeline names its input; an analyst asks who used it."""
    Path("data.csv").write_text("1\n")
    assert good("register-dataset", "customers", "data.csv", "--origin", "s3://lake").startswith(
        "customers@1"
    )
    filled.register_dataset("numbers", [1, 1])

    assert [(each["ref"], each["origins"]) for each in as_json("datasets")] == [
        ("customers@1", ["s3://lake"]),
        ("numbers@1", []),
    ]
    assert as_json("dataset", "numbers")["versions"] == ["churn@1.0.0"]
    assert as_json("trained-on", "numbers@1") == ["churn@1.0.0"]
    assert "no version used it" in good("dataset", "customers")
    assert as_json("feature-sets", "churn") == []


def test_a_version_is_linked_and_unlinked(filled: Registry) -> None:
    """The job that opened the ticket ties it to the version."""
    url = "https://jira.example.org/CHURN-12"
    assert "Retrain" in good("link", "churn@1", url, "--kind", "ticket", "--title", "Retrain")
    assert [(each["target"], each["kind"]) for each in as_json("links", "churn@1")] == [(url, "ticket")]
    assert good("unlink", "churn@1", "1", "--reason", "Done") == "no links\n"
    assert nbreg("unlink", "churn@1", "1").returncode == 1


def test_a_pipeline_reports_what_it_deployed(filled: Registry) -> None:
    """And an operator sees where that is not what is in production."""
    told = good("deploy", "churn@2", "prod-eu", "--url", "https://churn.example.org", "--reason", "Canary")
    assert told.startswith("prod-eu: serving churn #2 · pinned churn@sha256:")
    assert "prod-eu serves churn #2, and #1 is in production" in good("deployments")
    assert [each["where"] for each in as_json("deployments", "churn")] == ["prod-eu"]
    assert good("undeploy", "churn@2", "prod-eu") == "churn #2 is no longer at prod-eu\n"
    assert "nothing is deployed" in good("deployments")
    assert [each["status"] for each in as_json("deployments", "--ended")] == ["ended"]


def test_a_model_is_described_from_a_file(filled: Registry) -> None:
    """The README of the repository is the model's, too."""
    Path("README.md").write_text("# Churn\n")
    good(
        "update-model",
        "churn",
        "--owners",
        "ada,team-risk",
        "--visibility",
        "public",
        "--readme",
        "README.md",
    )
    found = as_json("about", "churn")
    assert (found["owners"], found["visibility"], found["readme"]) == (
        ["ada", "team-risk"],
        "public",
        "# Churn\n",
    )
    assert "team-risk" in good("about", "churn")
    assert nbreg("update-model", "churn").returncode == 1


def test_an_audit_is_a_file_and_an_exit_code(filled: Registry) -> None:
    """A job keeps the report, and fails where the check does."""
    assert "written: churn.html" in good("audit", "churn", "-o", "churn.html")
    assert "What this does not prove" in Path("churn.html").read_text()
    assert nbreg("audit", "churn", "-o", "churn.html").returncode == 1
    path = next(each for each in (filled.location / "objects").rglob("*") if len(each.name) == 62)
    path.chmod(0o644)
    path.write_bytes(b"x")
    done = nbreg("audit", "churn", "-o", "churn.html", "--overwrite")
    assert done.returncode == 1
    assert "problem" in done.stdout


def test_a_lineage_is_a_table_and_a_graph(filled: Registry) -> None:
    """People read it, programs draw it."""
    filled.deploy("churn@1", "prod")
    told = good("lineage", "churn@production")
    assert "trained on" in told
    assert "deployed at" in told
    graph = as_json("lineage", "churn@production")
    assert {each["kind"] for each in graph["edges"]} >= {"trained-on", "holds", "deployed-at"}


def test_a_file_is_registered_with_a_git_tag(filled: Registry, tmp_path: Path) -> None:
    """A release job tags what it releases."""
    Path("model.bin").write_bytes(b"weights")
    for words in (["init", "-q"], ["add", "model.bin"], ["commit", "-qm", "first"]):
        subprocess.run(["git", *words], check=True)
    good("register", "tagged", "model.bin", "--git-tag", "v9", "--message", "ready")
    tags = subprocess.run(["git", "tag", "-n"], check=True, capture_output=True, text=True).stdout
    assert tags.split() == ["v9", "ready"]


def test_a_command_records_the_project_where_it_was_typed(filled: Registry) -> None:
    """Not the folder, and not the code, that nbreg itself is installed with."""
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *words], check=True)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    Path("model.bin").write_bytes(b"weights")
    good("register", "here", "model.bin")
    source = Registry(filled.location).get("here@1").source
    assert (source.git and source.git.commit, source.script) == (head, "")
