"""Verify tells heads that can be expected later, and what does not fit together."""

from __future__ import annotations

from pathlib import Path

import pytest
from versions import three

from nbreg import Registry
from nbreg.errors import JournalError, UnknownModelError


def test_verify_prints_heads_that_can_be_expected_later(registry: Registry) -> None:
    """A chain proves nothing alone: a head that was written down elsewhere does."""
    three(registry)
    report = registry.verify()
    assert (report.ok, report.versions, report.objects) == (True, 3, 3)
    head = report.heads["churn"].hash
    registry.promote("churn@1", "staging")
    for expect in ({"churn": head}, [head], {"registry": report.heads["registry"].hash}):
        assert registry.verify(expect=expect).ok
    for expect in ({"churn": "0" * 64}, ["0" * 64], {"nothing": head}, {"registry": head}):
        problems = registry.verify(expect=expect).problems
        assert [problem.code for problem in problems] == ["head-missing"]


def test_heads_are_expected_as_they_are_told(registry: Registry) -> None:
    """What verify prints can be given back to it, whole or one by one."""
    registry.register("m", 1)
    heads = registry.verify().heads
    assert registry.verify(expect=heads).ok
    assert registry.verify(expect=heads["m"].hash).ok
    assert not registry.verify(expect="0" * 64).ok


def test_verify_of_nothing_is_an_alarm(tmp_path: Path) -> None:
    """A mistyped path or a deleted registry does not pass; looking makes nothing."""
    registry = Registry(tmp_path / "none")
    [problem] = registry.verify().problems
    assert problem.code == "no-registry"
    assert registry.models() == registry.events() == []
    assert registry.purge().leftovers == []
    assert registry.du().size == 0
    assert registry.id == ""
    with pytest.raises(UnknownModelError):
        registry.get("churn")
    assert not (tmp_path / "none").exists()


def test_rows_that_lead_elsewhere_are_damage(registry: Registry) -> None:
    """A pinned reference means that version or nothing, whatever somebody wrote into the journal."""
    good, evil = registry.register("m", "good"), registry.register("m", "evil")
    database = registry._desk.model("m")
    with database.transaction("edited", by=registry.actor):
        database.table("ids").update({"number": 2}, doc_ids=[good.id])

    with pytest.raises(JournalError):
        registry.load(f"m@sha256:{good.id}")
    assert registry.load(f"m@sha256:{evil.id}") == "evil"
    assert [each.code for each in registry.verify().problems] == ["rows-disagree"]
