"""Where versions are at work, and whose a model is: said by people and pipelines, kept with who and when.

registry.promote("churn@1.2.0", "production", reason="ABTestWon")
registry.deploy("churn@production", "prod-eu", url="https://churn.example.org")
registry.deployments("churn")                  # what serves now, where, since when
"""

from __future__ import annotations

from pathlib import Path

import pytest

from nbreg import Registry
from nbreg.errors import BadInputError, BadValueError, NotFoundError, VersionInUseError
from nbreg.settings import Settings


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = Registry(tmp_path / "registry", settings=Settings(capture=False))
    for n in (1, 2, 3):
        made.register("churn", {"n": n})
    return made


def test_a_deployment_says_where_since_when_and_which_version_for_good(registry: Registry) -> None:
    """2.4.1 was deployed three days ago: the question of every incident."""
    registry.promote("churn@1", "production")
    made = registry.deploy("churn@production", "prod-eu", url="https://churn.example.org", reason="Release")

    version = registry.get("churn@1")
    assert version.deployments == registry.deployments("churn") == [made]
    assert (made.where, made.status, made.by, made.reason) == ("prod-eu", "serving", "ada", "Release")
    assert made.version_id == version.id
    assert made.since == registry.events("churn")[0].at
    assert registry.events("churn")[0].facts["url"] == "https://churn.example.org"


def test_deploying_another_version_ends_the_one_that_was_there(registry: Registry) -> None:
    """One line says both, so nobody reads of two where there is one."""
    first = registry.get("churn@1")
    first.deploy("prod-eu")
    registry.deploy("churn@2", "prod-eu", reason="Better")

    assert [(each.number, each.where) for each in registry.deployments("churn")] == [(2, "prod-eu")]
    over = first.deployments[0]
    assert (over.status, over.replaced_by, over.ended_by) == ("ended", 2, "ada")
    assert over.ended == registry.deployments()[0].since
    assert [each.number for each in registry.deployments("churn", ended=True)] == [2, 1]
    assert registry.events("churn")[0].facts["replaced"] == [1]


def test_two_versions_serve_side_by_side_where_that_is_said(registry: Registry) -> None:
    """An A/B test is two versions at one place."""
    registry.deploy("churn@1", "prod")
    registry.deploy("churn@2", "prod", alongside=True)
    assert [each.number for each in registry.deployments("churn")] == [1, 2]

    registry.undeploy("churn@1", "prod", reason="ABTestLost")
    assert [each.number for each in registry.deployments("churn")] == [2]
    registry.undeploy("churn@2", "prod")
    assert registry.deployments() == []
    registry.deploy("churn@3", "prod")
    assert [each.number for each in registry.deployments()] == [3]


def test_saying_it_again_changes_the_status_and_nothing_new_writes_nothing(registry: Registry) -> None:
    """A pipeline says pending, then serving; a retry of it says nothing new."""
    registry.deploy("churn@1", "prod", status="pending")
    registry.deploy("churn@1", "prod", status="serving", url="https://churn.example.org")
    lines = len(registry.events("churn"))
    again = registry.deploy("churn@1", "prod", status="serving")

    assert len(registry.events("churn")) == lines
    assert (again.status, again.url) == ("serving", "https://churn.example.org")
    assert len(registry.get("churn@1").deployments) == 1


def test_a_deployed_version_is_not_deleted_or_moved_by_accident(registry: Registry) -> None:
    """Whoever serves it would find it gone."""
    version = registry.get("churn@1")
    version.deploy("prod")
    with pytest.raises(VersionInUseError, match="deployed at 'prod'"):
        registry.delete(version, "Cleanup")
    with pytest.raises(VersionInUseError, match="deployed at 'prod'"):
        registry.transfer(version, "eu/churn")
    version.undeploy("prod")
    registry.delete(version, "Cleanup")


def test_what_is_not_deployed_cannot_end(registry: Registry) -> None:
    """A typo of a place is said, with the nearest."""
    registry.deploy("churn@1", "prod-eu")
    with pytest.raises(NotFoundError) as wrong:
        registry.undeploy("churn@1", "prod-us")
    assert "prod-eu" in wrong.value.hint
    with pytest.raises(NotFoundError):
        registry.undeploy("churn@2", "prod-eu")


def test_bad_words_of_a_deployment_change_nothing(registry: Registry) -> None:
    """Refused before anything is written."""
    lines = len(registry.events())
    for where in ("", "two\nlines", "x" * 200):
        with pytest.raises(BadValueError):
            registry.deploy("churn@1", where)
    for status in ("ended", "live"):
        with pytest.raises(BadInputError):
            registry.deploy("churn@1", "prod", status=status)
    with pytest.raises(BadValueError):
        registry.deploy("churn@1", "prod", url="https://")
    assert len(registry.events()) == lines


def test_deployments_stay_where_they_are(registry: Registry) -> None:
    """A copy of a version is deployed nowhere."""
    registry.deploy("churn@1", "prod")
    assert registry.copy("churn@1", "eu/churn").deployments == []
    assert registry.verify().ok


# owners


def test_a_model_says_whose_it_is_who_may_see_it_and_what_it_is(registry: Registry) -> None:
    """Somebody to ask, and a page to read."""
    registry.update_model("churn", owners=["ada", "team-risk"], description="who leaves", reason="Handover")
    registry.update_model("churn", visibility="organisation", readme="# Churn\n\nTrained weekly.")

    about = registry.about("churn")
    assert (about.owners, about.visibility) == (["ada", "team-risk"], "organisation")
    assert (about.description, about.readme[:7]) == ("who leaves", "# Churn")
    event = registry.events("churn")[0]
    assert (event.kind, event.number) == ("model-updated", None)
    assert event.facts["visibility"] == {"before": "private", "after": "organisation"}


def test_saying_of_a_model_what_is_so_already_writes_nothing(registry: Registry) -> None:
    """A job may say it each time."""
    registry.update_model("churn", owners=["ada"])
    lines = len(registry.events("churn"))
    registry.update_model("churn", owners=["ada"])
    assert len(registry.events("churn")) == lines
    with pytest.raises(BadInputError):
        registry.update_model("churn", visibility="secret")
    with pytest.raises(BadValueError):
        registry.update_model("churn", owners="ada")  # type: ignore[arg-type]
    with pytest.raises(BadInputError):
        registry.update_model("churn")
    assert len(registry.events("churn")) == lines


def test_a_merge_takes_along_what_is_said_of_a_model_that_is_new_here(
    registry: Registry, tmp_path: Path
) -> None:
    """A model that came from a branch had lost its owner and its readme; one that is here keeps its own."""
    for name in ("fraud", "loans"):
        registry.register(name, {"a": name})
    registry.update_model(
        "fraud", owners=["ada"], visibility="organisation", description="who leaves", readme="# Read"
    )
    registry.update_model("loans", description="theirs", readme="# Theirs")
    other = Registry(tmp_path / "other")
    other.register("loans", {"b": 1})
    other.update_model("loans", description="ours")

    other.merge(registry)
    assert other.about("fraud") == registry.about("fraud")
    assert (other.about("loans").description, other.about("loans").readme) == ("ours", "")
    assert [(each.kind, each.reason) for each in other.events("fraud")][-1] == ("model-updated", "Merged")
    assert [each.number for each in other.versions("fraud")] == [1]

    other.update_model("fraud", description="", owners=[])
    assert other.merge(registry) == []
    assert (other.about("fraud").description, other.about("fraud").owners) == ("", [])
    assert other.verify().ok
