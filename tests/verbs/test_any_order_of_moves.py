"""Any order of moves, against a model of stages that is a few dictionaries."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nbreg import Registry
from nbreg.errors import TransitionError, UnknownVersionError
from nbreg.records import ModelRow
from nbreg.settings import Settings


class Lifecycle(RuleBasedStateMachine):
    """Versions move through stages in any order; the registry agrees with a few dictionaries."""

    held = ("development", "candidate", "staging", "production")
    everything = ("none", *held, "archived")
    folders: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.registry = Registry(Lifecycle.folders.mktemp("r"), settings=Settings(capture=False))
        self.stage: dict[int, str] = {}
        self.deleted: set[int] = set()
        self.entered: dict[str, list[int]] = {stage: [] for stage in self.held}

    def move(self, number: int, to: str) -> None:
        was = self.stage[number]
        if was in self.held:
            self.entered[was].remove(number)
        if to == "production":
            for other in self.entered[to]:
                self.stage[other] = "archived"
            self.entered[to] = []
        if to in self.held:
            self.entered[to].append(number)
        self.stage[number] = to

    def one(self, data: Any) -> int:
        return data.draw(st.sampled_from(sorted(set(self.stage) - self.deleted)))  # type: ignore[no-any-return]

    @precondition(lambda self: len(self.stage) < 5)
    @rule(stage=st.sampled_from((None, *held)))
    def register(self, stage: str | None) -> None:
        number = self.registry.register("m", len(self.stage), stage=stage).number
        assert number == len(self.stage) + 1
        self.stage[number] = "none"
        if stage:
            self.move(number, stage)

    @precondition(lambda self: set(self.stage) - self.deleted)
    @rule(data=st.data(), to=st.sampled_from(everything))
    def promote_or_retire(self, data: Any, to: str) -> None:
        number = self.one(data)
        was = self.stage[number]
        up = to in self.held and (
            was == "archived" or self.everything.index(to) >= self.everything.index(was)
        )
        verb = self.registry.promote if up else self.registry.retire
        if not up and was == "archived" and to == "none":
            with pytest.raises(TransitionError):
                verb(f"m@{number}", to)
            return
        verb(f"m@{number}", to)
        if was != to:
            self.move(number, to)

    @precondition(lambda self: set(self.stage) - self.deleted)
    @rule(stage=st.sampled_from(held))
    def rollback(self, stage: str) -> None:
        holder = self.entered[stage][-1] if self.entered[stage] else None
        try:
            number = self.registry.rollback("m", stage).number
        except TransitionError:
            return
        assert number != holder
        assert number not in self.deleted
        if holder is not None:
            self.move(holder, "archived")
        if self.stage[number] == stage:
            self.entered[stage].remove(number)
            self.entered[stage].append(number)
        else:
            self.move(number, stage)

    @precondition(lambda self: set(self.stage) - self.deleted)
    @rule(data=st.data())
    def delete(self, data: Any) -> None:
        number = self.one(data)
        self.registry.delete(f"m@{number}", "Test", include_protected=True)
        was = self.stage[number]
        if was in self.held:
            self.entered[was].remove(number)
        self.deleted.add(number)
        self.stage[number] = "none" if was == "none" else "archived"

    @precondition(lambda self: self.deleted)
    @rule(data=st.data())
    def restore(self, data: Any) -> None:
        number = data.draw(st.sampled_from(sorted(self.deleted)))
        self.registry.restore(f"m@{number}")
        self.deleted.remove(number)

    @invariant()
    def agrees(self) -> None:
        if not self.stage:
            return
        live = set(self.stage) - self.deleted
        for registry in (self.registry, Registry(self.registry.location)):
            rows = {version.number: version.stage for version in registry.versions("m")}
            assert rows == {number: self.stage[number] for number in live}
            (row,) = registry.models()
            assert isinstance(row, ModelRow)
            assert (row.versions, row.deleted) == (len(live), len(self.deleted))
            assert row.latest == max(live, default=None)
            assert row.highest_number == max(live, default=None)
            assert set(row.stages) == {stage for stage in self.held if self.entered[stage]}
            for stage in self.held:
                if self.entered[stage]:
                    assert row.stages[stage] == registry.get(f"m@{stage}").number == self.entered[stage][-1]
                else:
                    with pytest.raises(UnknownVersionError):
                        registry.get(f"m@{stage}")

    def teardown(self) -> None:
        if self.stage:
            report = self.registry.verify()
            assert report.ok, report.problems


def test_stages_hold_whatever_the_order_of_moves(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Promotions, retirements, roll-backs, deletions and restorations, in any order."""
    from hypothesis.stateful import run_state_machine_as_test

    Lifecycle.folders = tmp_path_factory
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Lifecycle, settings=hypothesis_settings(max_examples=15, stateful_step_count=20, deadline=None)
    )
