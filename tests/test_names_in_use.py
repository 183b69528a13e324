"""What names of versions mean to somebody who registers and fetches: semantic ones, others, and templates.

registry.register("churn", clf, version="v1.2.0")      # churn@1.2.0
registry.register("churn", clf, version="rc2")         # churn@rc2
registry.register("churn", clf, version="{date}-{time}")
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nbreg import Registry
from nbreg.settings import Settings

QUICK = Settings(capture=False)
NIGHT = datetime(2024, 11, 27, 23, 7, 9, 326492, tzinfo=UTC)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry", settings=QUICK, clock=lambda: NIGHT)


@pytest.fixture(params=["Pacific/Auckland", "America/Los_Angeles"])
def _elsewhere(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


def test_semantic_names_are_read_and_put_in_order_as_numbers(registry: Registry) -> None:
    """1.10.0 is newer than 1.9.0, and `v1.2.0` is how people say 1.2.0."""
    for name in ("1.9.0", "v1.2.0", "1.10.0", "1.10.0-rc.1", "v3.2.1"):
        registry.register("churn", name, version=name)

    in_order = ["1.2.0", "1.9.0", "1.10.0-rc.1", "1.10.0", "3.2.1"]
    assert [each.name for each in registry.versions("churn", sort="name")] == in_order
    assert registry.get("churn@v1.2.0") == registry.get("churn@1.2.0") == registry.get("churn@2")
    after = [
        registry.register("churn", f"{base} {bump}", base=f"churn@{base}", bump=bump).name
        for base in ("v1.2.0", "3.2.1")
        for bump in ("major", "minor", "patch")
    ]
    assert after == ["2.0.0", "1.3.0", "1.2.1", "4.0.0", "3.3.0", "3.2.2"]


@pytest.mark.parametrize("name", ["rc2", "v1", "really_good_version", "2024-beta"])
def test_a_release_candidate_is_a_name_and_no_number(registry: Registry, name: str) -> None:
    """It is fetched by that name, and what is registered after it counts on as if it were not there."""
    registry.register("churn", 1)
    version = registry.register("churn", 2, version=name)

    assert (version.name, version.number) == (name, 2)
    assert registry.get(f"churn@{name}") == version
    assert registry.register("churn", 3, bump="minor").name == "1.1.0"


@pytest.mark.usefixtures("_elsewhere")
def test_date_and_time_are_those_of_greenwich_wherever_somebody_trains(registry: Registry) -> None:
    """Two who train at one moment in two countries give one name, and names sort by when they were given."""
    with registry.start_run() as run:
        version = run.register("churn_{date}", 1, version="{date}-{time}")

    assert (version.model, version.name) == ("churn_2024_11_27", "2024_11_27-23_07_09_326492")
