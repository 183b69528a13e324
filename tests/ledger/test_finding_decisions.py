"""A row finds its answers, by indexes that may be deleted and that show when they lie."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import pytest
from answers import finish, requests, rule, sealed
from children import as_nobody
from deciders import SMALL, decide

from nbreg import ModelVersion, Registry
from nbreg.errors import UnknownModelError


def test_an_index_is_a_cache(registry: Registry, version: ModelVersion) -> None:
    """It may be deleted, cut short, or be of another segment: answers stay the same."""
    decide(version, 100)
    folder = registry.location / "decisions" / "index"
    found = requests(registry, range(100))
    indexes = sorted(folder.iterdir())
    assert len(indexes) == len(sealed(registry))

    shutil.copy(indexes[0], indexes[1])
    assert requests(registry, range(100)) == found
    for each in indexes:
        each.write_bytes(each.read_bytes()[: -16 * 10])
    assert requests(registry, range(100)) == found
    shutil.rmtree(folder)
    assert requests(registry, range(100)) == found


def test_an_index_that_lies_shows(registry: Registry, version: ModelVersion) -> None:
    """An answer may be hidden from a search by its index, and not from `verify`."""
    decide(version, 100)
    requests(registry, range(100))
    path = sorted((registry.location / "decisions" / "index").iterdir())[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:-16] + whole[-32:-16])

    (problem,) = registry.verify().problems
    assert problem.code == "index-damaged"
    path.unlink()
    assert registry.verify().ok


def test_a_search_does_not_read_what_cannot_have_the_answer(
    registry: Registry, version: ModelVersion
) -> None:
    """Segments that ended before `since` are passed over by their seals: a damaged one is no obstacle."""
    decide(version, 100)
    finish(registry)
    since = registry._desk.folder.now()
    version.predict([[0, 1]], request="later")
    for path in sealed(registry):
        path.write_bytes(b"")

    found = registry.who_decided([[0, 1]], since=datetime.fromisoformat(since))
    assert [each.request for each in found[0]] == ["later"]
    assert found.unread == []
    assert len(registry.who_decided([[0, 1]]).unread) == len(sealed(registry))


def test_a_search_of_one_model_is_of_that_model(registry: Registry, version: ModelVersion) -> None:
    """Two models may be asked about the same row."""
    registry.register("other", rule).predict([[1, 2]])
    version.predict([[1, 2]])

    assert [each.model for each in registry.who_decided([[1, 2]], "other")[0]] == ["other"]
    assert len(registry.who_decided([[1, 2]])[0]) == 2
    with pytest.raises(UnknownModelError):
        registry.who_decided([[1, 2]], "othre")


def test_a_ledger_can_be_searched_where_nothing_can_be_written(tmp_path: Path) -> None:
    """An auditor has a copy on read-only media, and no right to leave an index behind."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        registry = Registry(Path(name, "r"), settings=SMALL)
        decide(registry.register("sum", rule), 100)
        finish(registry)
        for path in (registry.location, *registry.location.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

        def work() -> list[list[str]]:
            found = Registry(Path(name, "r")).who_decided([[number, 1] for number in range(3)])
            return [[each.request for each in decisions] for decisions in found]

        if os.geteuid():
            pytest.skip("there is no other user to become")
        assert as_nobody(work) == [["0"], ["1"], ["2"]]
        assert not (registry.location / "decisions" / "index").exists()
