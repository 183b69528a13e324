"""The query language: what it chooses, and that it is nothing but a way to choose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernels import MODEL, running_kernel

from nbreg import Registry
from nbreg.cli import main
from nbreg.errors import BadInputError, BadQueryError
from nbreg.query import LONGEST, parse_query

VERSION: dict[str, Any] = {
    "number": 3,
    "name": "1.10.0",
    "stage": "staging",
    "tags": ["baseline", "eu"],
    "metrics": {"accuracy": 0.93, "test.auc": 0.8, "ok": True},
    "params": {"clf__C": 0.5, "layers": [64, 32], "solver": None},
    "description": "first cut",
    "created": "2026-02-09T10:00:00.000000Z",
    "aliases": [],
    "deleted": False,
    "proof": None,
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("metrics.accuracy > 0.9", True),
        ("metrics.accuracy > 0.95", False),
        ('metrics.accuracy > 0.9 and stage == "staging"', True),
        ('metrics.accuracy > 0.95 or stage == "staging"', True),
        ('not stage == "staging"', False),
        ("0.9 < metrics.accuracy <= 0.93", True),
        ("0.9 < metrics.accuracy < 0.93", False),
        ('"baseline" in tags', True),
        ('"base" in tags', False),
        ('"us" not in tags', True),
        ('stage in ["staging", "production"]', True),
        ('stage in ("production",)', False),
        ('"cut" in description', True),
        ('"accuracy" in metrics', True),
        ("metrics['accuracy'] > 0.9", True),
        ("metrics.test.auc == 0.8", True),
        ('metrics["test.auc"] == 0.8', True),
        ("params.clf__C == 0.5", True),
        ("params.layers[0] == 64", True),
        ("params.layers[7] == 64", False),
        ("params.layers == [64, 32]", True),
        ('name >= "1.9.0"', True),
        ('"1.9.0" < name < "2.0.0"', True),
        ('created >= "2026-02-01"', True),
        ("number == 3.0", True),
        ("number == -3", False),
        ("tags", True),
        ("aliases", False),
        ("not proof", True),
        ("deleted == false", True),
        ("deleted == False", True),
        # what is not there, and what is of another kind
        ("metrics.auc > 0.9", False),
        ("metrics.auc <= 0.9", False),
        ("metrics.auc == None", True),
        ("metrics.accuracy != null", True),
        ("metrics.auc != 0.9", True),
        ("metrics.accuracy.deeper.still == None", True),
        ("number == '3'", False),
        ("number < 'x'", False),
        ("metrics.ok == 1", False),
        ("metrics.ok == True", True),
        ("metrics < 3", False),
        ("'x' in number", False),
    ],
)
def test_a_query_chooses(query: str, expected: bool) -> None:
    """One line says which versions are meant, and means the same wherever it is typed."""
    assert parse_query(query, VERSION.keys()).matches(VERSION.get) is expected


@pytest.mark.parametrize(
    "query",
    [
        "__import__('os').system('true')",
        "metrics.accuracy.__class__()",
        "(lambda: 1)()",
        "[each for each in tags]",
        "metrics[tags]",
        "metrics[0:1]",
        "number + 1 > 3",
        "number if stage else 2",
        "f'{stage}' == 'x'",
        "b'x' in tags",
        "stage := 'x'",
        "{1: 2}",
        "stage is None",
        "[stage] == tags",
        "1j > 0",
        "...",
        "*tags",
        "await stage",
        "",
        "stage =",
        "stage = 'x'",
        "import os",
        "stage\nname",
        "'a' 'b' +",
        "(" * 300,
        "not " * 3000 + "stage",
        "-" * 3000 + "1 == 1",
        "stage\0",
        "x" * (LONGEST + 1),
    ],
)
def test_what_is_no_query_is_refused_and_never_run(query: str) -> None:
    """Queries come from command lines, panels and other people."""
    with pytest.raises(BadQueryError) as caught:
        parse_query(query, VERSION.keys())

    assert caught.value.code == "bad-query"
    assert len(caught.value.line) < 400


def test_a_field_that_is_not_there_is_an_error_with_the_one_that_is_meant() -> None:
    """A typo must not look like an empty list."""
    with pytest.raises(BadQueryError) as caught:
        parse_query("metric.accuracy > 1", VERSION.keys())

    assert caught.value.line == "versions have no field 'metric' (did you mean 'metrics'?)"


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("auc > 0.9", "did you mean metrics.auc or params.auc?"),
        ("metrics.auc = 0.9", "== compares"),
        ("'a = b' in tags and (", "for example: metrics.accuracy > 0.9 and stage == 'staging'"),
    ],
)
def test_the_likeliest_slips_are_named(query: str, hint: str) -> None:
    """A list of thirty fields is no answer to a metric by its bare name."""
    with pytest.raises(BadQueryError) as caught:
        parse_query(query, [*VERSION.keys(), "metrics", "params"])

    assert caught.value.hint == hint


def test_what_is_asked_about_is_called_what_it_is() -> None:
    """Runs are no versions."""
    with pytest.raises(BadQueryError, match="runs have no field 'metric'"):
        parse_query("metric.auc > 1", VERSION.keys(), what="runs")


def test_the_place_of_a_mistake_is_shown() -> None:
    """Long queries are typed by hand."""
    with pytest.raises(BadQueryError, match=r"cannot be read: .* at '> 0.9'"):
        parse_query("metrics.accuracy > > 0.9", VERSION.keys())


def test_what_is_cheap_decides_first() -> None:
    """Manifests are read for those versions only that the rest leaves over, however the query is typed."""
    asked: list[str] = []

    def read(name: str) -> object:
        asked.append(name)
        return VERSION.get(name)

    query = parse_query("params.clf__C == 0.5 and stage == 'none'", {"params": 2, "stage": 0})

    assert not query.matches(read)
    assert asked == ["stage"]
    assert query.fields == {"params", "stage"}


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    """Nothing that is typed ends in another error than the typed one."""
    try:
        query = parse_query(text, VERSION.keys())
    except BadQueryError:
        return
    assert query.matches(VERSION.get) in (True, False)


@pytest.fixture
def full(registry: Registry) -> Registry:
    """Two models, six versions."""
    for step in range(4):
        registry.register(
            "churn",
            {"step": step},
            metrics={"auc": step / 4},
            params={"C": step},
            tags=["even"] * (step % 2 == 0),
        )
    registry.register("risk/churn", {"step": 9}, metrics={"auc": 0.9}, params={"C": 1})
    registry.promote("churn@3", "production", reason="Best")
    registry.set_alias("churn@2", "champion")
    return registry


def refs(versions: Any) -> list[str]:
    return [f"{each.model}@{each.number}" for each in versions]


def test_versions_of_a_model_are_chosen_sorted_and_paged(full: Registry) -> None:
    """The list that a panel shows page by page."""
    assert refs(full.versions("churn", "metrics.auc >= 0.25")) == ["churn@4", "churn@3", "churn@2"]
    assert refs(full.versions("churn", "'even' in tags", sort="metrics.auc")) == ["churn@1", "churn@3"]
    assert refs(full.versions("churn", "metrics.auc >= 0.25", limit=1, offset=1)) == ["churn@3"]
    assert refs(full.versions("churn", "stage == 'production'")) == ["churn@3"]
    assert refs(full.versions("churn", "'champion' in aliases")) == ["churn@2"]
    assert refs(full.versions("churn", "params.C == 2 and artifacts == ['model']")) == ["churn@3"]
    assert refs(full.versions("churn", "'production' in stages_held")) == ["churn@3"]


def test_search_goes_over_all_models(full: Registry) -> None:
    """Which versions anywhere were trained with this?"""
    assert refs(full.search("params.C == 1")) == ["churn@2", "risk/churn@1"]
    assert refs(full.search("model == 'risk/churn'")) == ["risk/churn@1"]
    assert refs(full.search("metrics.auc > 0.4", limit=1, offset=1)) == ["churn@3"]
    assert full.search("metrics.auc > 2") == []


def test_what_was_captured_can_be_asked_for(full: Registry) -> None:
    """Which versions were made with this library?"""
    import sys

    python = ".".join(map(str, sys.version_info[:3]))

    assert len(full.search(f"environment.python == '{python}'")) == 5
    assert full.search("environment.python < '3'") == []


def test_deleted_and_purged_versions_are_no_stumbling_block(full: Registry) -> None:
    """A list is not the place to fail."""
    full.delete("churn@1", "Mistake")
    full.purge(dry_run=False, older_than=0)

    assert refs(full.search("params.C == None", deleted=True)) == ["churn@1"]
    assert refs(full.versions("churn", "deleted", deleted=True)) == ["churn@1"]
    assert full.versions("churn", "deleted") == []


def test_wrong_paging_is_refused(full: Registry) -> None:
    """Not silently the whole list."""
    with pytest.raises(BadInputError, match="whole numbers"):
        full.search("number > 0", limit=-1)


def test_the_command_line_takes_the_same_query(full: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    """For jobs: which version do I deploy?"""
    where = ["--registry", str(full.location)]

    assert main(["search", "params.C == 1", "--json", *where]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(each["model"], each["number"]) for each in found] == [("churn", 2), ("risk/churn", 1)]
    assert main(["versions", "churn", "--query", "metrics.auc > 0.3", "--sort=-metrics.auc", *where]) == 0
    assert capsys.readouterr().out.count("1.") >= 2
    assert main(["search", "nonsense > 1", *where]) == 1
    assert "no field 'nonsense'" in capsys.readouterr().err


def test_the_magic_takes_the_same_query(tmp_path: Path) -> None:
    """The line is filled in with the kernel's own numbers, as everywhere."""
    with running_kernel() as kernel:
        kernel.good(f"%load_ext nbreg\n%use_registry {tmp_path}/registry\n{MODEL}")
        kernel.good(
            "for step in range(3):\n"
            "    auc = step / 10\n"
            "    mean = Mean().fit([step])\n"
            "    get_ipython().run_line_magic('register_model', 'means mean --metrics auc')"
        )
        kernel.good("least = 0.1")

        shown = kernel.good("%model_history means --query 'metrics.auc >= {least}' --sort=-metrics.auc")

        assert "2 of 3 versions" in shown.text
        assert kernel.refused("%model_history means --query 'metrix > 1'").startswith(
            "versions have no field"
        )
