"""A registration is compared with its base, whoever registers meanwhile, and never fails by it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from compared import X, Y, lr
from sklearn.svm import SVC

from nbreg import Registry, changes


def test_a_comparison_that_fails_stops_no_registration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version is worth more than the reason for its number."""
    registry = Registry(tmp_path / "r")
    registry.register("m", 1)
    monkeypatch.setattr(changes, "implied", lambda base, new: 1 / 0)

    version = registry.register("m", 2)

    assert (version.name, version.bump, version.bump_reason) == (
        "1.1.0",
        "minor",
        "not compared: ZeroDivisionError",
    )


def test_what_was_captured_earlier_is_compared_from_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a draft, taken when it was trained, there are no records any more."""
    from nbreg.registry.making import registering

    registry, made = Registry(tmp_path / "r"), registering._made
    registry.register("m", lr().fit(X, Y), data={"Xtr": X})
    monkeypatch.setattr(
        registering, "_made", lambda *given: msgspec.structs.replace(made(*given), records={})
    )
    version = registry.register("m", lr().fit(X[:150], Y[:150]), data={"Xtr": X[:150]})

    assert version.bump_reason == (
        "minor: training data changed (200 → 150 rows), same architecture and features"
    )


def test_the_base_that_is_asked_for_is_the_one_compared(tmp_path: Path) -> None:
    """A fix of an old release counts on from that release."""
    registry = Registry(tmp_path / "r")
    registry.register("m", lr(C=1))
    registry.register("m", SVC())
    fix = registry.register("m", lr(C=2), base="m@1.0.0")

    assert (fix.name, fix.row.base) == ("1.0.1", 1)
    assert fix.bump_reason.startswith("patch: hyperparameters changed (C 1 → 2)")


def test_a_base_that_moves_is_compared_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another kernel registers between comparing and writing: the reason speaks of the version before it."""
    from nbreg.registry.making import comparing

    registry, other = Registry(tmp_path / "r"), Registry(tmp_path / "r")
    registry.register("m", lr(C=1))
    compare = comparing.judge
    seen: list[str] = []

    def meanwhile(*args: Any) -> Any:
        judged = compare(*args)
        seen.append(judged.against)
        if len(seen) == 1:
            monkeypatch.setattr(comparing, "judge", compare)
            other.register("m", SVC())
            monkeypatch.setattr(comparing, "judge", meanwhile)
        return judged

    monkeypatch.setattr(comparing, "judge", meanwhile)
    version = registry.register("m", lr(C=2))

    assert seen == ["m@1.0.0", "m@2.0.0"]
    assert (version.name, version.row.base) == ("3.0.0", 2)
    assert version.bump_reason.startswith("major: architecture changed (SVC → LogisticRegression)")


def test_a_base_that_never_rests_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many jobs register at once: each is done after a few tries, and says what it was compared with."""
    from nbreg.registry.making import comparing

    registry, other = Registry(tmp_path / "r"), Registry(tmp_path / "r")
    registry.register("m", lr(C=1))
    compare = comparing.judge

    def meanwhile(*args: Any) -> Any:
        judged = compare(*args)
        monkeypatch.setattr(comparing, "judge", compare)
        other.register("m", lr(C=1), new=True)
        monkeypatch.setattr(comparing, "judge", meanwhile)
        return judged

    monkeypatch.setattr(comparing, "judge", meanwhile)
    version = registry.register("m", lr(C=2))

    assert version.number == 2 + comparing.TRIES
    assert version.bump_reason.endswith("(compared with m@1.0.2)")


def test_only_one_compares_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eight jobs that compare at once, seven have done so in vain; who promotes waits for none of them."""
    from nbreg.registry.making import comparing

    registry, other = Registry(tmp_path / "r"), Registry(tmp_path / "r")
    registry.register("m", lr(C=1))
    compare = comparing.judge
    seen: list[str] = []

    def watched(*args: Any) -> Any:
        fd = os.open(tmp_path / "r" / "models" / "m.model", os.O_RDONLY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            seen.append("taken")
        finally:
            os.close(fd)
        other.promote("m@1.0.0", "production")
        return compare(*args)

    monkeypatch.setattr(comparing, "judge", watched)
    registry.register("m", lr(C=2))

    assert seen == ["taken"]
    assert [each.kind for each in registry.events("m")] == ["registered", "promoted", "registered"]


def test_who_never_gives_back_a_turn_keeps_nobody_from_registering(tmp_path: Path) -> None:
    """A debugger that stopped a colleague's job in the middle of comparing does not stop the team."""
    registry = Registry(tmp_path / "r")
    registry.register("m", lr(C=1))
    holder = os.open(tmp_path / "r" / "models" / "m.model", os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    try:
        version = registry.register("m", lr(C=2))
    finally:
        os.close(holder)

    assert version.name == "1.0.1"
    assert version.bump_reason.startswith("patch: hyperparameters changed (C 1 → 2)")


def test_the_reason_is_in_the_event(tmp_path: Path) -> None:
    """Who reads the history learns why the number went up."""
    registry = Registry(tmp_path / "r")
    registry.register("m", lr(C=1))
    version = registry.register("m", lr(C=2))

    assert version.bump_reason.startswith("patch: hyperparameters changed (C 1 → 2)")
    assert registry.events("m")[0].facts["why"] == version.bump_reason
