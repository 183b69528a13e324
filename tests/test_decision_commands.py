"""`nbreg set-split`, `split`, `route` and `who-decided`: for operators and auditors, who have a file and a shell."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nbreg import Registry
from nbreg.cli import main
from nbreg.display.decisions import DecisionsView
from nbreg.settings import Settings


def model(rows: Any) -> list[int]:
    return [0 for _ in range(len(rows))]


DATA = pd.DataFrame({"age": [36, 41], "plan": ["pro", "00"], "paid": [True, False], "score": [0.5, None]})


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Two versions of a model that were asked about the first row, each once."""
    registry = Registry(tmp_path / "registry", settings=Settings(infer_data=False))
    for threshold in (1, 2):
        registry.register("churn", model, params={"threshold": threshold}, data={"train": DATA})
    registry.promote("churn@1", "production")
    registry.promote("churn@2", "staging")
    registry.get("churn@1").predict(DATA[:1], request="r1")
    registry.get("churn@2").predict(DATA[:1], request="r2")
    monkeypatch.setenv("NBREG_REGISTRY", str(registry.location))
    yield registry
    registry.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        return (code, *capsys.readouterr())

    return run


def test_an_operator_sets_a_split_and_asks_where_a_customer_goes(filled: Registry, run: Any) -> None:
    """Percents or parts of one; what is set is shown, and routes."""
    assert run("split", "churn") == (0, "no split\n", "")
    code, out, _ = run("set-split", "churn", "production=90", "staging=10", "--reason", "ABTest")
    assert (code, out) == (0, "churn@production 90%, churn@staging 10%\n")
    assert run("split", "churn")[1] == out

    _, ref, _ = run("route", "churn", "customer-4711")
    assert ref.strip() == filled.route("churn", key="customer-4711").ref
    _, events, _ = run("events", "churn")
    assert "split set: production 0.9" in events

    assert run("set-split", "churn", "--end")[1] == "no split\n"


@pytest.mark.parametrize(
    "words", [[], ["production=x"], ["production"], ["production=0.5"], ["--end", "a=1"]]
)
def test_a_split_that_cannot_be_meant_is_refused(filled: Registry, run: Any, words: list[str]) -> None:
    """One line, and no traffic moves."""
    code, _, err = run("set-split", "churn", *words)

    assert code == 1
    assert err.startswith("nbreg: ")
    assert filled.split("churn") is None


FILES = {
    "complaint.csv": lambda path: DATA.assign(id=[7, 8]).to_csv(path, index=False),
    "complaint.json": lambda path: DATA.to_json(path, orient="records"),
    "complaint.jsonl": lambda path: DATA.to_json(path, orient="records", lines=True),
}


@pytest.mark.parametrize("name", FILES)
def test_an_auditor_asks_with_a_file(filled: Registry, run: Any, tmp_path: Path, name: str) -> None:
    """The rows as they were exported, with an id that the model never saw."""
    FILES[name](tmp_path / name)

    code, out, _ = run("who-decided", str(tmp_path / name), "--json")

    assert code == 0
    first, second = json.loads(out)["rows"]
    assert [(each["ref"], each["request"], each["stage"]) for each in first] == [
        (filled.get("churn@2").ref, "r2", "staging"),
        (filled.get("churn@1").ref, "r1", "production"),
    ]
    assert second == []


def test_the_table_has_a_line_for_each_row(filled: Registry, run: Any, tmp_path: Path) -> None:
    """Also for one that nobody decided about."""
    FILES["complaint.csv"](tmp_path / "complaint.csv")

    _, out, _ = run("who-decided", str(tmp_path / "complaint.csv"), "--model", "churn")

    lines = out.splitlines()
    assert [line.split()[:3:2] for line in lines[1:3]] == [["0", "staging"], ["0", "production"]]
    assert lines[3].split()[:2] == ["1", "nobody"]


def test_a_row_may_stand_on_the_line(filled: Registry, run: Any) -> None:
    """One row is quicker typed than saved; a later date has no decision of before."""
    row = json.dumps({"age": 36, "plan": "pro", "paid": True, "score": 0.5})

    assert len(json.loads(run("who-decided", row, "--json")[1])["rows"][0]) == 2
    assert json.loads(run("who-decided", row, "--since", "2999-01-01", "--json")[1])["rows"] == [[]]


@pytest.mark.parametrize(
    ("content", "name"),
    [("", "a.csv"), ("a,b\n1\n", "a.csv"), ("{", "a.json"), ("[1]", "a.json"), ("[]", "a.json")],
)
def test_a_file_without_rows_is_refused(
    filled: Registry, run: Any, tmp_path: Path, content: str, name: str
) -> None:
    """An empty answer would look like "nobody"."""
    (tmp_path / name).write_text(content)

    code, _, err = run("who-decided", str(tmp_path / name))
    assert (code, err[:7]) == (1, "nbreg: ")
    assert run("who-decided", str(tmp_path / "missing.csv"))[0] == 1


def test_what_could_not_be_searched_is_said_and_is_no_success(filled: Registry, run: Any) -> None:
    """A missing answer is only one where everything was looked through."""
    for path in (filled.location / "decisions").glob("0*.jsonl"):
        shutil.copy(path, path.with_name(f"{'0' * 32}.jsonl"))
        path.with_name(f"{'0' * 32}.jsonl").write_text("no ledger\n")

    code, out, _ = run("who-decided", '{"age": 1, "plan": "x", "paid": true, "score": 2}')

    assert code == 1
    assert out.splitlines()[-1].startswith("not searched: ")


def test_decisions_show_themselves_escaped(filled: Registry) -> None:
    """In a notebook; a request's id is somebody else's text."""
    filled.get("churn@1").predict(DATA[1:], request="<script>alert(1)</script>")

    found = filled.who_decided(DATA)
    bundle = found._repr_mimebundle_()

    assert isinstance(found, DecisionsView)
    assert "<script>" not in bundle["text/html"]
    assert "script" in bundle["text/plain"]
