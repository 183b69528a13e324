"""What people see: cards, tables and sentences, in HTML, text and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from nbreg.display import (
    TABLE_MIME,
    VERSION_MIME,
    DriftTable,
    EventTable,
    ModelTable,
    Note,
    VersionDetail,
    VersionTable,
    html,
    moved,
    version_bundle,
)
from nbreg.display import text as words
from nbreg.display.text import pairs, telling_first
from nbreg.records import (
    Actor,
    Artifact,
    Captured,
    Deletion,
    DriftItem,
    Event,
    Manifest,
    ModelRow,
    VersionRow,
)

ADA = Actor(user="ada")
CREATED = "2026-11-22T12:04:05.000000Z"
HOSTILE = "<script>alert(1)</script>\x1b[31mred\u202e\u200b\n'\"&"


def row(**changes: Any) -> VersionRow:
    facts: dict[str, Any] = {
        "number": 1,
        "name": "1.0.0",
        "id": "9f" * 32,
        "content_digest": "aa" * 32,
        "bundle": "bb" * 32,
        "created": CREATED,
        "actor": "ada",
        "type": "sklearn.pipeline.Pipeline",
        "metrics": {"accuracy": 0.958041958},
    }
    return VersionRow(**{**facts, **changes})


def manifest(**changes: Any) -> Manifest:
    facts: dict[str, Any] = {
        "created": CREATED,
        "actor": ADA,
        "content_digest": "aa" * 32,
        "artifacts": [Artifact(name="model", kind="object", family="generic", form="pickle5")],
        "environment": Captured(
            digest="ee" * 32, size=1, summary={"libraries": {"numpy": "2.4.6", "scikit-learn": "1.9.1"}}
        ),
        "recipe": Captured(digest="dd" * 32, size=1, summary={"status": "complete", "executions": 5}),
    }
    return Manifest(**{**facts, **changes})


class _Structure(HTMLParser):
    """Checks that every element is closed in order, and remembers what was there."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.elements.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def shown(thing: Any) -> dict[str, Any]:
    bundle: dict[str, Any] = thing if isinstance(thing, dict) else thing._repr_mimebundle_()
    return bundle


def hostile_things() -> list[Any]:
    bad_row = row(
        name=HOSTILE, tags=[HOSTILE], message=HOSTILE, metrics={HOSTILE: 1.0}, type=HOSTILE, stage=HOSTILE
    )
    bad = manifest(
        params={HOSTILE: HOSTILE},
        variables=Captured(missing=HOSTILE),
        environment=Captured(
            digest="e", summary={"libraries": {"scikit-learn": HOSTILE}, HOSTILE: [HOSTILE]}
        ),
        recipe=Captured(digest="e", summary={"status": HOSTILE, "executions": 1}),
        warnings=[HOSTILE],
        redactions={HOSTILE: 1},
    )
    event = Event(model=HOSTILE, seq=1, at=CREATED, by=Actor(user=HOSTILE), kind=HOSTILE, message=HOSTILE,
                  number=1, reason=HOSTILE, facts={"stage": HOSTILE, "name": HOSTILE})  # fmt: skip
    model = ModelRow(name=HOSTILE, created=CREATED, latest=1, latest_name=HOSTILE, stages={HOSTILE: 1})
    drift = DriftItem(name=HOSTILE, recorded=HOSTILE, running=HOSTILE, severity="major")
    return [
        version_bundle(HOSTILE, bad_row, bad, notes=[HOSTILE], aliases=[HOSTILE]),
        VersionDetail(HOSTILE, bad_row, bad, aliases=[HOSTILE]),
        ModelTable([model], title=HOSTILE),
        VersionTable(HOSTILE, [bad_row], {HOSTILE: 1}),
        EventTable([event], title=HOSTILE),
        DriftTable([drift], title=HOSTILE),
        Note(HOSTILE, stage=HOSTILE, hint=HOSTILE),
    ]


def test_params_that_say_something_stand_first() -> None:
    """The one that was tuned is not hidden behind eight that are None."""
    params = {**{f"a{i}": None for i in range(8)}, "logisticregression__C": 0.3, "steps": [1]}

    assert pairs(telling_first(params)).startswith("logisticregression__C 0.3 · ")
    assert telling_first(params) == params


@pytest.mark.parametrize("thing", hostile_things(), ids=lambda thing: type(thing).__name__)
def test_hostile_text_is_shown_and_does_nothing(thing: Any) -> None:
    """A colleague's message cannot run a script, colour a terminal or reorder a line."""
    bundle = shown(thing)
    page = _Structure(bundle["text/html"])

    assert set(page.elements) <= {"div", "style", "b", "span", "table", "thead", "tbody", "tr", "th", "td"}
    for text in (page.text, bundle["text/plain"]):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]", text)
        assert "\\x1b[31mred\\u202e\\u200b\\n" in text
    assert "<script>alert(1)</script>" in page.text


@pytest.mark.parametrize("thing", hostile_things(), ids=lambda thing: type(thing).__name__)
def test_nothing_is_fetched_and_nothing_runs(thing: Any) -> None:
    """Output works offline, in an untrusted notebook and on a page that forbids scripts."""
    html = shown(thing)["text/html"]

    assert not re.search(r"url\(|@import|<link|<img|\bsrc=|\bhref=|\bon\w+=|<script", html)


def test_a_megabyte_of_message_is_cut() -> None:
    """One long text cannot make a notebook too heavy to open."""
    heavy = row(message="x" * 1_000_000, tags=["y" * 1_000_000], description="\x1b" * 1_000_000)

    bundle = version_bundle("churn", heavy, manifest())
    table = VersionTable("churn", [heavy])._repr_mimebundle_()

    for each in (bundle, table):
        assert len(json.dumps(each)) < 20_000
        assert "…" in each["text/plain"]


def test_the_card_says_how_the_model_was_made() -> None:
    """The first line answers what a reader asks first."""
    bundle = version_bundle("cancer", row(message="first cut", tags=["baseline"]), manifest())

    lines = bundle["text/plain"].splitlines()

    assert lines[0] == ("cancer 1.0.0 (#1) · recipe: 5 runs, complete · scikit-learn 1.9.1 · not proven yet")
    assert lines[1].split() == ["metrics", "accuracy", "0.958"]
    assert any(line.split() == ["tags", "baseline"] for line in lines)
    page = _Structure(bundle["text/html"])
    assert "cancer 1.0.0 (#1)" in page.text
    assert "first cut" in page.text


def test_a_part_that_was_not_captured_is_in_plain_sight() -> None:
    """Nobody finds out at reproduction time that the environment was never recorded."""
    bundle = version_bundle("cancer", row(), manifest(variables=Captured(missing="not captured: OSError")))

    for text in (bundle["text/plain"], _Structure(bundle["text/html"]).text):
        assert "not captured: variables (OSError)" in text
        assert "signature" not in text, "what is never captured is told by `%model`, not by every card"
    detail = repr(VersionDetail("cancer", row(), manifest()))
    assert "not captured: variables, source, data, signature, probe, notebook" in detail


def test_a_card_tells_the_stage_it_was_in() -> None:
    """What promote returns looks promoted; a version in no stage says nothing of stages."""
    shown = version_bundle("cancer", row(stage="production"), manifest(), aliases=["champion"])["text/plain"]

    assert re.search(r"stage +production\n +aliases +champion", shown)
    assert "stage" not in version_bundle("cancer", row(), manifest())["text/plain"]


def test_a_part_of_a_list_says_of_how_many() -> None:
    """`--limit 1` does not make a model look as if it had one version."""
    assert repr(VersionTable("cancer", [row()], total=20)).startswith("cancer · 1 of 20 versions")


def test_a_purged_version_still_has_a_card() -> None:
    """The record of a version never goes away."""
    text = version_bundle("cancer", row(purged="2026-12-01 by ada"), None)["text/plain"]

    assert text.startswith("cancer 1.0.0 (#1)")
    assert "its bytes were removed: 2026-12-01 by ada" in text


def test_equal_content_is_said() -> None:
    """Running a cell twice does not look like two versions."""
    bundle = version_bundle("cancer", row(), manifest(), existing=True)

    assert "equal content was registered before; this is that version" in bundle["text/plain"]
    assert bundle[VERSION_MIME]["existing"] is True


def test_a_card_is_the_same_whenever_and_wherever_it_is_made() -> None:
    """A committed notebook can be compared with a fresh run."""
    other = manifest(created="2030-01-01T00:00:00.000000Z", actor=Actor(user="bob", host="elsewhere"))
    first = version_bundle("cancer", row(), manifest())
    second = version_bundle(
        "cancer",
        row(created="2030-01-01T00:00:00.000000Z", actor="bob", id="ab" * 32, size=9),
        other,
    )

    assert first == second


def test_the_detail_says_what_can_change() -> None:
    """`%model` is where stage, aliases, id and time are looked up."""
    detail = VersionDetail("cancer", row(stage="production", size=123456), manifest(), aliases=["champion"])

    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in repr(detail).splitlines()[1:]}

    assert lines["stage"] == "production"
    assert lines["aliases"] == "champion"
    assert lines["registered"] == "2026-11-22 12:04 UTC by ada"
    assert lines["size"] == "123 kB"
    assert lines["id"] == "sha256:" + "9f" * 32


def test_the_columns_of_a_table_line_up_in_a_terminal() -> None:
    """A terminal, a log and GitHub's plain view are readable too."""
    table = VersionTable(
        "cancer",
        [row(number=12, name="1.1.0", stage="production", metrics={"accuracy": 0.9}), row(stage="archived")],
        {"champion": 12},
    )

    assert repr(table).splitlines() == [
        "cancer · 2 versions",
        " #  version  stage       aliases   accuracy  registered, UTC",
        "12  1.1.0    production  champion       0.9  2026-11-22 12:04",
        " 1  1.0.0    archived    –            0.958  2026-11-22 12:04",
    ]


def test_a_column_that_says_nothing_is_left_out() -> None:
    """A small registry has a small table."""
    assert repr(VersionTable("m", [row(metrics={})])).splitlines()[1] == "#  version  registered, UTC"


def test_a_deleted_version_is_marked() -> None:
    """With `--deleted`, nobody takes a hidden version for a living one."""
    gone = row(stage="staging", deleted=Deletion(at=CREATED, by="bob", reason="Leak"))

    assert "deleted" in repr(VersionTable("m", [gone]))
    assert "deleted 2026-11-22 12:04 by bob (Leak)" in repr(VersionDetail("m", gone, manifest()))


def test_a_table_is_a_sequence_of_its_records() -> None:
    """What is shown can be worked with: indexed, counted, looped over."""
    rows = [ModelRow(name="a", created=CREATED), ModelRow(name="b", created=CREATED)]
    table = ModelTable(rows)

    assert len(table) == 2
    assert table[1].name == "b"
    assert [each.name for each in table[:1]] == ["a"]
    assert list(table) == rows


def test_a_long_name_takes_lines_and_no_other_columns_room() -> None:
    """One model of a department that likes long names, and nobody would see the stages of the others."""
    table = html.table([html.Column("model", "key")], [["churn"], ["a-department/" + "x" * 60]])
    assert '<td class="nbreg-key">churn' in table
    assert '<td class="nbreg-key nbreg-long">a-department' in table


def test_a_long_table_counts_what_it_does_not_show() -> None:
    """A registry of thousands of models does not freeze the browser."""
    table = ModelTable([ModelRow(name=f"m{i}", created=CREATED) for i in range(1000)])

    assert repr(table).splitlines()[-1] == "and 800 models more"
    assert len(shown(table)[TABLE_MIME]["rows"]) == 200
    assert shown(table)[TABLE_MIME]["count"] == 1000


def test_showing_a_long_history_does_not_read_all_of_it_for_every_row() -> None:
    """A journal of a hundred thousand events is shown as fast as one of ten."""

    class Counted(EventTable):
        walks = 0

        def __iter__(self) -> Iterator[Event]:
            self.walks += 1
            return super().__iter__()

    event = Event(model="m", seq=1, at=CREATED, by=ADA, kind="registered", number=1)
    table = Counted([event] * 1000, title="m")

    assert shown(table)[TABLE_MIME]["count"] == 1000
    assert table.walks == 1


def test_an_empty_table_says_what_to_do() -> None:
    """The first thing a newcomer sees is the next step."""
    assert repr(ModelTable([])) == "no models yet; %register_model NAME registers the model trained last"
    assert "%register_model NAME" in shown(ModelTable([]))["text/html"]


def test_events_tell_when_who_what_and_why() -> None:
    """The question after an incident has its answer on one line."""
    event = Event(
        model="cancer", seq=3, at=CREATED, by=ADA, kind="promoted", reason="ABTestWon", message="lift 3 %",
        number=2, facts={"stage": "production", "name": "1.1.0", "archived": 1, "archived_name": "1.0.0"},
    )  # fmt: skip

    line = repr(EventTable([event], title="cancer")).splitlines()[-1]

    assert re.split(r"\s{2,}", line) == [
        "2026-11-22 12:04",
        "1.1.0 (#2)",
        "promoted to production; 1.0.0 (#1) archived",
        "ada",
        "ABTestWon",
        "lift 3 %",
    ]


def test_the_json_of_a_table_holds_no_times_and_no_people() -> None:
    """What nbval compares as JSON cannot be sanitised, so it must be the same everywhere."""
    event = Event(model="m", seq=1, at=CREATED, by=ADA, kind="registered", number=1)
    for table in (VersionTable("m", [row()]), EventTable([event])):
        assert not re.search(r"2026|ada", json.dumps(shown(table)[TABLE_MIME]))


def test_a_move_is_told_as_a_move() -> None:
    """What a saved notebook says stays true after the next promotion."""
    text = moved(
        "cancer", "1.1.0 (#2)", before="none", after="production", displaced=[("1.0.0 (#1)", "archived")]
    )

    assert text == "cancer 1.1.0 (#2): none → production · 1.0.0 (#1): production → archived"
    assert moved("m", "#1", before="staging", after="staging") == (
        "m #1 was in staging already; nothing was written"
    )


@pytest.mark.parametrize(
    ("value", "shown_as"),
    [
        (0.958041958, "0.958"),
        (426, "426"),
        (426.0, "426"),
        (1e-7, "1e-07"),
        (10**30, "1e+30"),
        (True, "True"),
    ],
)
def test_numbers_are_short_and_honest(value: object, shown_as: str) -> None:
    """A table of metrics can be compared by eye."""
    assert words.number(value) == shown_as


@pytest.mark.parametrize(
    ("amount", "shown_as"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2 * 10**9, "2.0 GB")]
)
def test_sizes_have_the_unit_a_person_would_choose(amount: int, shown_as: str) -> None:
    """Nobody counts the digits of a number of bytes."""
    assert words.size(amount) == shown_as


def test_what_was_captured_is_told_in_words() -> None:
    """`%model` answers with which interpreter, from which commit, in how many runs."""
    captured = manifest(
        environment=Captured(
            digest="e",
            summary={"python": "3.11.7", "distributions": 69, "imported": 27, "libraries": {"torch": "2.9"}},
        ),
        variables=Captured(
            digest="e", summary={"recorded": 1, "summarised": 12, "redacted": 2, "left_out": 0}
        ),
        recipe=Captured(
            digest="e", summary={"status": "complete", "cells": 5, "executions": 7, "state": "re-run"}
        ),
        source=Captured(digest="e", summary={"commit": "0123456789", "branch": "main", "dirty": True}),
        probe=Captured(digest="e", summary={"rows": 5, "columns": ["a", "b"], "later": None}),
    )

    told = repr(VersionDetail("m", row(), captured))

    for line in (
        "environment  Python 3.11.7 · torch 2.9 · 27 of 69 distributions imported",
        "variables    1 recorded · 12 summarised · 2 withheld",
        "recipe       7 runs of 5 cells · complete · re-run",
        "source       git main 0123456789 · with uncommitted changes",
        "probe        rows 5 · columns a, b",
    ):
        assert f"  {line}\n" in told


def test_why_a_version_has_its_name_is_on_the_card() -> None:
    """Nobody has to guess why it is 2.0.0 and not 1.1.0."""
    text = version_bundle("m", row(name="2.0.0", bump="major", bump_reason="inputs changed"), manifest())[
        "text/plain"
    ]

    assert "  why 2.0.0  major: inputs changed" in text
