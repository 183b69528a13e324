"""An incident: which version serves, since when, and the last good one back in seconds.

registry.get("churn@production@2026-05-01")     who held it then
registry.events("churn", since="2026-05-02")    what was deployed since, by whom, why
registry.rollback("churn", reason="Accuracy")
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from children import together

from nbreg import Registry
from nbreg.errors import GateRefusedError, NbregError, TransitionError, UnknownVersionError
from nbreg.settings import Settings

QUICK = Settings(capture=False)
NOW = datetime(2026, 5, 10, 9, 0, tzinfo=UTC)


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.now = NOW - timedelta(days=30)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(tmp_path: Path, clock: Clock) -> Registry:
    """2.3.8 in production a month ago, 2.4.0 ten days ago, 2.4.1 three days ago."""
    registry = Registry(tmp_path / "r", settings=QUICK, clock=clock)
    for name, accuracy, days in (("2.3.8", 0.93, 30), ("2.4.0", 0.91, 10), ("2.4.1", 0.90, 3)):
        clock.now = NOW - timedelta(days=days)
        with registry.start_run(f"train-{name}", params={"C": days}):
            version = registry.register("churn", name, version=name, metrics={"accuracy": accuracy})
        registry.promote(version, "production", reason="Weekly", message=f"scheduled {name}")
    clock.now = NOW
    return registry


def test_which_version_serves_and_since_when(registry: Registry) -> None:
    """ "2.4.1 was deployed three days ago", from the journal alone."""
    serving = registry.get("churn@production")
    assert serving.name == "2.4.1"
    (deployed,) = [each for each in serving.events if each.kind == "promoted"]
    assert NOW - datetime.fromisoformat(deployed.at) == timedelta(days=3)
    assert (deployed.by.user, deployed.reason, deployed.message) == ("ada", "Weekly", "scheduled 2.4.1")
    since = registry.events("churn", since=NOW - timedelta(days=4))
    assert [(each.kind, each.facts["name"]) for each in since] == [
        ("promoted", "2.4.1"),
        ("registered", "2.4.1"),
    ]
    for days, name in ((2, "2.4.1"), (3, "2.4.1"), (4, "2.4.0"), (9, "2.4.0"), (11, "2.3.8"), (29, "2.3.8")):
        day = (NOW - timedelta(days=days)).strftime("%Y-%m-%d")
        assert registry.get(f"churn@production@{day}").name == name, day
    with pytest.raises(UnknownVersionError, match="had no version at"):
        registry.get("churn@production@2026-01-01")


def test_the_last_good_one_comes_back_and_the_bad_ones_run_is_looked_at(
    registry: Registry, clock: Clock
) -> None:
    """One line to 2.3.8; then what 2.4.1 was trained with, and how it differs."""
    better = registry.versions("churn", "metrics.accuracy > 0.92", sort="-metrics.accuracy")
    assert [each.name for each in better] == ["2.3.8"]
    back = registry.rollback("churn", to=better[0], reason="Accuracy", message="2.4.1 lost 3 %")
    assert (back.name, registry.get("churn@production").name) == ("2.3.8", "2.3.8")
    event = registry.events("churn")[0]
    assert (event.kind, event.reason, event.facts["archived_name"]) == ("rolled-back", "Accuracy", "2.4.1")
    run = registry.run(registry.get("churn@2.4.1"))
    assert (run.record.name, run.record.params) == ("train-2.4.1", {"C": 3})
    clock.now += timedelta(days=1)
    assert registry.get("churn@production@2026-05-09").name == "2.4.1"
    assert registry.get("churn@production@2026-05-10").name == "2.3.8"


def test_again_walks_further_back_and_ends(registry: Registry) -> None:
    """Not there and back; and where nobody held it before, that is said."""
    assert registry.rollback("churn").name == "2.4.0"
    assert registry.rollback("churn").name == "2.3.8"
    with pytest.raises(
        TransitionError, match="no version of 'churn' is left to go back to in production"
    ) as end:
        registry.rollback("churn")
    assert end.value.hint == "registry.promote('churn@2.4.0', 'production') goes forward again"
    assert "`nbreg promote churn@2.4.0 production` goes forward again" in end.value.shell_line
    assert registry.get("churn@production").name == "2.3.8"
    registry.register("other", 1)
    with pytest.raises(TransitionError, match="no earlier version"):
        registry.rollback("other")


def test_the_beginning_of_a_name_is_enough_for_a_hint(registry: Registry) -> None:
    """`prod` is how people say production."""
    with pytest.raises(UnknownVersionError) as refusal:
        registry.get("churn@prod")
    assert refusal.value.hint == "did you mean 'production'?"


def test_one_that_was_deleted_meanwhile_is_passed_over(registry: Registry) -> None:
    """Also when it is deleted between the look and the line, by somebody else."""
    registry.delete("churn@2.4.0", "Broken", include_protected=True)
    assert registry.rollback("churn").name == "2.3.8"
    with pytest.raises(UnknownVersionError, match="was deleted"):
        registry.rollback("churn", to="2.4.0")


def test_an_explicit_goal_has_to_have_held_it(registry: Registry) -> None:
    """Rolling back is no way round the gates."""
    registry.register("churn", "never", version="3.0.0", metrics={"accuracy": 0.1})
    registry.require("churn", "production", "metrics.accuracy > 0.95")
    with pytest.raises(TransitionError, match=r"did not hold production before churn@\d"):
        registry.rollback("churn", to="3.0.0")
    with pytest.raises(TransitionError) as caught:
        registry.retire(registry.retire("churn@3.0.0"), "none")
    assert caught.value.hint == "nothing goes back there"
    with pytest.raises(GateRefusedError):
        registry.promote("churn@3.0.0", "production")
    assert registry.rollback("churn", to="2.3.8", reason="Complaints").name == "2.3.8"
    assert registry.events("churn")[0].facts["not_asked"] == ["metrics.accuracy > 0.95"]
    with pytest.raises(GateRefusedError):
        registry.promote("churn@2.4.1", "production")


def test_what_was_rolled_away_from_comes_back_only_through_the_gates(registry: Registry) -> None:
    """A bad version is not promoted again by habit."""
    registry.rollback("churn", reason="Accuracy")
    registry.require("churn", "production", 'not_worse("accuracy")')
    with pytest.raises(GateRefusedError, match=r"accuracy is 0\.9, and 0\.91 of churn@2\.4\.0"):
        registry.promote("churn@2.4.1", "production")
    assert registry.promote("churn@2.3.8", "production").stage == "production"


def test_two_who_roll_back_at_once_each_find_what_is_so(tmp_path: Path) -> None:
    """Two on call press the button: one step each, or a clear no; never half of one."""
    registry = Registry(tmp_path / "r", settings=QUICK)
    for i in range(4):
        registry.promote(registry.register("churn", i), "production")
    together(
        "registry = Registry(sys.argv[2], settings=QUICK)\ngo()\nregistry.rollback('churn')",
        3,
        tmp_path / "r",
    )
    order = [event.number for event in registry.events("churn") if event.kind == "rolled-back"]
    assert order == [1, 2, 3]
    assert registry.get("churn@production").number == 1
    assert registry.verify().ok


@pytest.mark.parametrize("word", ["prodution", "stagin", "candidat"])
def test_a_stage_that_is_misspelled_is_told_how_it_is_written(registry: Registry, word: str) -> None:
    """In references, in `load`, and wherever a stage is named."""
    calls: list[Any] = [
        lambda: registry.get(f"churn@{word}"),
        lambda: registry.load(f"churn@{word}"),
        lambda: registry.promote("churn@2.4.1", word),
        lambda: registry.rollback("churn", word),
        lambda: registry.require("churn", word, "proven"),
    ]
    for call in calls:
        with pytest.raises(NbregError) as caught:
            call()
        meant = {"prodution": "production", "stagin": "staging", "candidat": "candidate"}[word]
        assert caught.value.hint == f"did you mean {meant!r}?"
