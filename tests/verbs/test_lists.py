"""Lists of versions, models and events: in one order, in pages, and true when they are read."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from versions import Clock, three

from nbreg import Registry
from nbreg.errors import BadInputError, BadReferenceError, UnknownModelError
from nbreg.settings import Settings


def test_lists_are_newest_first_sorted_and_paged(registry: Registry) -> None:
    """A thousand versions are looked at twenty at a time."""
    values = [0.3, 0.9, None, 0.1, 0.5]
    for n, value in enumerate(values):
        registry.register("churn", n, metrics={} if value is None else {"auc": value})

    def numbers(**options: Any) -> list[int]:
        return [version.number for version in registry.versions("churn", **options)]

    assert numbers() == [5, 4, 3, 2, 1]
    assert numbers(limit=2) == [5, 4]
    assert numbers(limit=2, offset=3) == [2, 1]
    assert numbers(offset=4) == [1]
    assert numbers(limit=0) == numbers(offset=9) == numbers(limit=3, offset=9) == []
    assert numbers(sort="-metrics.auc") == [2, 5, 1, 4, 3], "what has no value comes last"
    assert numbers(sort="metrics.auc") == [4, 1, 5, 2, 3]
    assert numbers(sort="-metrics.auc", limit=2, offset=1) == [5, 1]
    with pytest.raises(BadInputError) as caught:
        numbers(sort="-metrics.acu")
    assert (caught.value.message, caught.value.hint) == (
        "no version has the metric 'acu'",
        "did you mean 'auc'?",
    )
    assert numbers(sort="number") == [1, 2, 3, 4, 5]
    assert numbers(sort="-created") == [5, 4, 3, 2, 1]
    registry.delete("churn@2", "Test")
    assert numbers() == [5, 4, 3, 1]
    assert numbers(limit=2, offset=2) == [3, 1]
    assert numbers(deleted=True) == [5, 4, 3, 2, 1]
    for options in ({"limit": -1}, {"offset": -1}, {"sort": "colour"}, {"sort": ""}):
        with pytest.raises(BadInputError):
            numbers(**options)
    with pytest.raises(UnknownModelError):
        registry.versions("nothing")


def test_versions_are_sorted_by_name_as_versions(registry: Registry) -> None:
    """1.9.0 comes before 1.10.0, and words after both."""
    for name in ("1.10.0", "gold", "1.9.0", "1.10.0-rc1"):
        registry.register("m", name, version=name)
    names = [version.name for version in registry.versions("m", sort="name")]
    assert names == ["1.9.0", "1.10.0-rc1", "1.10.0", "gold"]


def test_models_are_listed_from_their_last_lines(registry: Registry) -> None:
    """With counts, the latest, and who is where."""
    for model in ("b", "a/b", "a"):
        three(registry, model)
    registry.promote("b@2", "production")
    registry.delete("b@3", "Test")
    rows = registry.models()
    assert [row.name for row in rows] == ["a", "a/b", "b"]
    row = rows[-1]
    assert (row.versions, row.deleted, row.latest, row.latest_name, row.highest, row.next_number) == (
        2, 1, 2, "1.1.0", "1.1.0", 4,
    )  # fmt: skip
    assert row.stages == {"production": 2}
    assert Registry(registry.location).models() == rows


def test_events_of_all_models_are_in_one_order(registry: Registry, clock: Clock) -> None:
    """Who did what, when, newest first."""
    three(registry, "a")
    three(registry, "b")
    registry.promote("a@1", "staging")
    events = registry.events()
    assert [(event.model, event.seq) for event in events] == [
        ("a", 4), ("b", 3), ("b", 2), ("b", 1), ("a", 3), ("a", 2), ("a", 1),
    ]  # fmt: skip
    assert registry.events(limit=2) == events[:2]
    assert registry.events("b", limit=1) == [events[1]]
    assert registry.events(since=events[2].at) == events[:3]
    assert registry.events(since=datetime.fromisoformat(events[2].at)) == events[:3]
    assert registry.events(since="2026-02-01") == events
    assert registry.events(since="2026-02-02") == []
    assert [event.kind for event in registry.get("a@1").events] == ["promoted", "registered"]
    with pytest.raises(BadReferenceError):
        registry.events(since="yesterday")


def test_no_event_is_lost_while_the_clock_stands_still(tmp_path: Path) -> None:
    """A clock that was set back an hour must not swallow an hour of events."""
    registry = Registry(
        tmp_path / "r", settings=Settings(capture=False), clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)
    )
    for _ in range(4):
        registry.register("churn", 1)
    assert [event.kind for event in registry.events("churn")] == ["registered-again"] * 3 + ["registered"]
    journal = registry._desk.model("churn").journal
    assert all(("model", "model") in journal.line(i).keys for i in range(4)), "lists read last lines only"


def test_an_event_is_the_callers_to_change(registry: Registry) -> None:
    """What a notebook does to a list of events changes no list that is asked for later."""
    registry.register("churn", 1)
    journal = registry.location / "models" / "churn.model" / "journal.jsonl"
    os.utime(journal, (1_000_000_000, 1_000_000_000))  # untouched for years: its last line is kept
    registry.events("churn")[0].facts["number"] = 9
    assert registry.events("churn")[0].facts["number"] == 1


def test_a_version_object_is_a_live_view(registry: Registry) -> None:
    """What a colleague changed is seen without asking again."""
    version = registry.register("churn", 1)
    other = Registry(registry.location).get("churn@1")
    other.promote("production")
    other.update(tags=["seen"])
    assert (version.stage, version.tags) == ("production", ["seen"])
    assert version == other
    assert hash(version) == hash(other)
    version.tags.append("mine")
    version.metrics["mine"] = 1
    assert (version.tags, version.metrics) == (["seen"], {})


def test_what_a_version_tells_is_a_copy(registry: Registry) -> None:
    """Changing the dictionary changes nothing that others see."""
    version = registry.register("churn", 1, params={"a": [1]}, content={"b": {}})
    version.params["a"].append(2)
    version.content["b"]["c"] = 1
    assert (version.params, version.content) == ({"a": [1]}, {"b": {}})
