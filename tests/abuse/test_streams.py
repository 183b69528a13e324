"""Every attack by a stream or its numbers is refused before anything of it runs, and costs little."""

from __future__ import annotations

from pathlib import Path

import figures
import forms
import pyarrow
import pytest
import streams
from victim import artifact_of, canary_sings, outcome

from nbreg import Registry, families
from nbreg.errors import CannotLoadError, DamagedObjectError, TrustError
from nbreg.families.pickles.inband import inband
from nbreg.settings import Settings

FIGURES = {**figures.ATTACKS, **forms.ATTACKS}
STREAMS = {**streams.BOMBS, **streams.SMUGGLED}
SETTINGS = Settings(capture=False)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=SETTINGS)


def planted(registry: Registry, dumped: families.Dumped) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(families, "dump", lambda name, value, take: dumped)
        registry.register("churn", 1)


def loading(registry: Registry) -> str:
    return outcome(lambda: Registry(registry.location, settings=SETTINGS).load("churn", trust=False))


@pytest.mark.parametrize("name", STREAMS)
def test_a_hostile_stream_is_refused(registry: Registry, name: str) -> None:
    """Neither a bomb nor a name out of the ordinary gets further than the inspection."""
    planted(registry, artifact_of(STREAMS[name], []))
    assert loading(registry) in ("not-trusted", "object-damaged")
    assert not canary_sings()


@pytest.mark.parametrize("name", FIGURES)
def test_hostile_numbers_are_refused(registry: Registry, name: str) -> None:
    """Nothing is read or written beyond its memory, now or when the model is used."""
    planted(registry, artifact_of(*FIGURES[name]()))
    assert loading(registry) in ("not-trusted", "object-damaged")


def test_hostile_files_of_other_tools_are_refused(tmp_path: Path) -> None:
    """The same in one pickle, as MLflow's folders hold: also the numbers that stand in the stream there."""
    files = {**streams.SMUGGLED, **{name: b"".join(inband(*make())) for name, make in FIGURES.items()}}

    def work() -> None:
        for name, data in files.items():
            (path := tmp_path / "model.pkl").write_bytes(data)
            try:
                families.PickleFile(path).load()
            except (TrustError, CannotLoadError):
                continue
            raise AssertionError(name)

    assert outcome(work) == "loaded"
    assert not canary_sings()


def test_arrows_bytes_are_used_only_if_they_are_whole() -> None:
    """Reading Arrow's format checks less than using it believes, so all of it is validated first."""

    def work() -> None:
        for data in forms.mutants(400):
            try:
                forms.tables.arrow(data, "table").to_pylist()
            except (DamagedObjectError, pyarrow.ArrowException, ValueError, OverflowError):
                continue  # also a date beyond Python's

    assert outcome(work) == "loaded"


def test_there_are_enough() -> None:
    """A corpus that lost its cases would pass."""
    assert len(STREAMS) + len(FIGURES) > 160
