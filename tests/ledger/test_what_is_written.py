"""A decision says who, when and in which stage, and never what was asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from answers import requests, rule, unsealed
from deciders import SMALL, decide

from nbreg import ModelVersion, Registry
from nbreg.errors import NotStampedError
from nbreg.records import Actor


def test_a_decision_says_who_when_and_in_which_stage(registry: Registry, version: ModelVersion) -> None:
    """The answer that an auditor gets: the version by id and by the name and the stage that it had then."""
    version.predict([[1, 2]])
    registry.promote(version, "production")
    version.predict([[1, 2]], request="r2")
    registry.retire(version)

    ((newest, oldest),) = registry.who_decided([[1, 2]])

    assert (newest.stage, oldest.stage) == ("production", "none")
    assert (newest.ref, newest.number, newest.id, newest.request) == ("sum@1.0.0", 1, version.id, "r2")
    assert newest.by == registry.actor
    assert newest.at > oldest.at


def test_a_row_that_nobody_decided_about_has_no_decision(registry: Registry, version: ModelVersion) -> None:
    """For each row that was asked about there is an answer, in order; also where there is no ledger."""
    rows = [[5, 5], [1, 2], [6, 6]]
    assert registry.who_decided(rows).rows == [[], [], []]

    version.predict([[1, 2], [3, 4]])

    assert [len(each) for each in registry.who_decided(rows)] == [0, 1, 0]


def test_inputs_are_nowhere_in_the_registry(registry: Registry) -> None:
    """The ledger holds digests: who reads the files reads nobody's data."""
    version = registry.register("greet", lambda rows: [len(row["name"]) for row in rows])
    version.predict([{"name": "Ada Lovelace, 36"}])

    files = [path for path in registry.location.rglob("*") if path.is_file()]
    assert not [path for path in files if b"Lovelace" in path.read_bytes()]
    assert len(registry.who_decided([{"name": "Ada Lovelace, 36"}])[0]) == 1


def test_the_key_is_the_registry_s_own_and_nobody_else_s_to_read(
    registry: Registry, version: ModelVersion
) -> None:
    """A copy of the files without it tells nothing about rows that could be guessed."""
    decide(version, 1)
    key = registry.location / "decisions" / "key"
    text = b"".join(path.read_bytes() for path in unsealed(registry))

    assert key.stat().st_mode & 0o007 == 0
    assert key.read_bytes().hex().encode() not in text


def test_a_key_may_be_kept_elsewhere(
    registry: Registry, version: ModelVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mounted secret: then a copy of the whole registry cannot be searched by guessing."""
    (tmp_path / "secret").write_bytes(b"x" * 40)
    monkeypatch.setenv("NBREG_DECISIONS_KEY", str(tmp_path / "secret"))
    decide(version, 1)
    assert requests(registry, range(1)) == [["0"]]
    assert not (registry.location / "decisions" / "key").exists()

    (tmp_path / "other").write_bytes(b"y" * 40)
    monkeypatch.setenv("NBREG_DECISIONS_KEY", str(tmp_path / "other"))
    other = registry.who_decided([[0, 1]])
    monkeypatch.delenv("NBREG_DECISIONS_KEY")
    none = registry.who_decided([[0, 1]])

    for found in (other, none):
        assert found.rows == [[]]
        assert [each.message for each in found.unread] == [
            "it was written with another key than the registry has now"
        ]


def test_a_key_that_should_be_elsewhere_and_is_not_withholds_the_answer(
    version: ModelVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server whose secret is not mounted must not begin a ledger with a key of its own."""
    monkeypatch.setenv("NBREG_DECISIONS_KEY", str(tmp_path / "missing"))

    with pytest.raises(NotStampedError):
        decide(version, 1)


def test_two_actors_in_one_process_are_told_apart(registry: Registry) -> None:
    """A service may act for several people."""
    for user in ("ada", "bob"):
        acting = Registry(registry.location, settings=SMALL, actor=Actor(user=user, source="server"))
        acting.get("sum@1").predict([[7, 7]])

    assert [each.by.user for each in registry.who_decided([[7, 7]])[0]] == ["bob", "ada"]


def test_a_large_answer_is_one_question(registry: Registry, version: ModelVersion) -> None:
    """120,000 rows at once are found like one, each by itself."""
    rows = [[number, 1] for number in range(120_000)]
    version.predict(rows, request="batch")

    assert requests(registry, range(119_990, 120_010)) == [["batch"]] * 10 + [[]] * 10


def test_times_do_not_go_back_when_the_clock_does(tmp_path: Path) -> None:
    """A clock that is set must not make a later decision look like an earlier one."""
    moments = [datetime(2026, 2, 9, tzinfo=UTC) - timedelta(hours=i) for i in range(40)]
    ticking = iter(moments)
    registry = Registry(tmp_path / "r", settings=SMALL, clock=lambda: next(ticking, moments[-1]))
    version = registry.register("sum", rule)
    decide(version, 3)

    found = [registry.who_decided([[number, 1]])[0][0].at for number in range(3)]
    assert found == sorted(found)
