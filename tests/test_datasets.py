"""Data sets and feature sets: named series of content that versions hang on, and back again.

registry.register("churn", clf, data={"train": nbreg.Dataset("customers", X, origin="s3://lake/customers")})
registry.dataset("customers@1").versions      # the versions that were trained on it
registry.get("churn@1").datasets              # the data that the version saw
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nbreg
from nbreg import Registry
from nbreg.errors import BadInputError, BadNameError, BadReferenceError, UnknownDatasetError
from nbreg.settings import Settings
from nbreg.store.files import holds


def customers(shift: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame({"age": np.arange(20.0) + shift, "income": np.arange(20.0) * 3})


def trained(X: pd.DataFrame, strength: float = 1.0) -> LogisticRegression:
    return LogisticRegression(C=strength).fit(X, [0, 1] * (len(X) // 2))


def registered(
    registry: Registry, X: pd.DataFrame, model: str = "churn", **options: Any
) -> nbreg.ModelVersion:
    data = {"train": nbreg.Dataset("customers", X, origin="s3://lake/customers")}
    return registry.register(model, trained(X, options.pop("C", 1.0)), data=data, **options)


def test_a_data_set_gets_a_version_for_each_content_and_the_same_for_the_same(registry: Registry) -> None:
    """A retrained model names the same data, or says that it is other data: nobody has to compare."""
    registered(registry, customers())
    registered(registry, customers(1))
    registered(registry, customers(), C=0.5)

    assert [each.number for each in registry.dataset("customers").history] == [2, 1]
    assert registry.dataset("customers").number == 2, "the newest content"
    assert registry.dataset("customers@2").snapshot != registry.dataset("customers@1").snapshot
    assert registry.dataset(f"customers@sha256:{registry.dataset('customers@2').snapshot[:12]}").number == 2


def test_content_under_many_names_keeps_its_number_in_each(registry: Registry) -> None:
    """An empty frame may be the data of hundreds: saying one of them again is no new version of it."""
    names = [f"daily/{number}" for number in range(105)]
    for name in (*names, names[-1]):
        registry.register_dataset(name, np.zeros(2))

    assert registry.dataset(names[-1]).number == 1


def test_a_data_set_says_who_saw_it_first_when_and_where_it_comes_from(registry: Registry) -> None:
    """The auditor's first questions about data."""
    version = registered(registry, customers())
    registry.register_dataset("customers", customers(), origin="/lake/customers.parquet")
    found = registry.dataset("customers@1")

    assert (found.by, found.origins) == ("ada", ["s3://lake/customers", "/lake/customers.parquet"])
    assert found.first_seen <= registry.events("churn")[0].at
    assert found.summary["shape"] == [20, 2]
    assert version.datasets[0].origin == "s3://lake/customers"


def test_a_version_leads_to_its_data_and_the_data_to_its_versions(registry: Registry) -> None:
    """Data turns out to be wrong: which models have to be trained again?"""
    one = registered(registry, customers())
    other = registered(registry, customers(), model="risk/fraud")
    registered(registry, customers(1))
    unnamed = registry.register("plain", trained(customers()), data={"X": customers()})

    assert [each.datasets for each in one.datasets] == [["customers@1"]]
    assert registry.dataset("customers@1").versions == [one, unnamed, other]
    assert registry.trained_on("customers@1") == registry.trained_on(customers())
    assert registry.trained_on(f"sha256:{unnamed.datasets[0].snapshot[:10]}") == [one, unnamed, other]
    assert unnamed.datasets[0].datasets == ["customers@1"], "it is known by content, whatever it was called"


def test_the_digest_that_a_card_shows_of_the_data_leads_to_its_versions(registry: Registry) -> None:
    """Training data of several sets has a digest of its own, and it is the one that people see and paste."""
    X, outcomes = customers(), np.array([0, 1] * 10)
    version = registry.register("churn", trained(X), data={"X": X, "y": outcomes, "X_test": customers(1)})
    other = registry.register("risk", trained(X, 2.0), data={"rows": X, "labels": outcomes})
    alone = registry.register("alone", trained(X, 3.0), data={"X": X})

    shown = version.manifest.data.summary["snapshot"]

    assert version.data.snapshot.startswith(shown)
    for digest in (version.data.snapshot, shown, shown[:8]):
        assert registry.trained_on(f"sha256:{digest}") == [version, other]
    assert registry.trained_on(f"sha256:{alone.data.snapshot}") == [alone]
    assert registry.trained_on(X) == [alone, version, other]


def test_versions_that_are_deleted_are_not_among_those_trained_on_data(registry: Registry) -> None:
    """The list is of what can be used, and comes back with `restore`."""
    version = registered(registry, customers())
    registry.delete(version, "Wrong")
    assert registry.trained_on("customers") == []
    registry.restore("churn@1")
    assert registry.trained_on("customers") == [version]


def test_finding_who_used_data_reads_no_version_that_did_not(registry: Registry) -> None:
    """A registry of a hundred thousand versions answers as quickly as one of ten."""
    used = registered(registry, customers())
    for i in range(30):
        registry.register("churn", {"i": i})
    database = registry._desk.model("churn")
    read: list[int] = []
    real = database.journal.line
    database.journal.line = lambda index: read.append(index) or real(index)  # type: ignore[func-returns-value,method-assign]

    assert registry.trained_on("customers") == [used]
    assert len(set(read)) <= 3


def test_data_can_be_named_without_a_model(registry: Registry) -> None:
    """Data is known before anything is trained on it."""
    seen = registry.register_dataset("lake/orders", customers(), origin="SELECT * FROM orders")
    again = registry.register_dataset("lake/orders", customers())

    assert seen == again
    assert (seen.ref, seen.versions) == ("lake/orders@1", [])
    assert [each.ref for each in registry.datasets()] == ["lake/orders@1"]
    assert registry.verify().ok
    assert "data/" in registry.verify().heads


def test_a_lone_data_set_is_the_training_data(registry: Registry) -> None:
    """The shortest way to say it."""
    X = customers()
    version = registry.register("churn", trained(X), data=nbreg.Dataset("lake/customers", X))
    assert [(each.name, each.role, each.datasets) for each in version.datasets] == [
        ("customers", "train", ["lake/customers@1"])
    ]


def test_naming_data_later_does_not_make_another_version(registry: Registry) -> None:
    """What is the same by content is the same, and now has a name."""
    X = customers()
    first = registry.register("churn", trained(X), data={"train": X})
    again = registry.register("churn", trained(X), data={"train": nbreg.Dataset("customers", X)})

    assert again == first
    assert again.datasets[0].datasets == ["customers@1"]


def test_no_secret_of_an_origin_is_written(tmp_path: Path) -> None:
    """Connection strings are pasted with their passwords in them."""
    X = customers()
    registry = Registry(tmp_path / "quick", settings=Settings(capture=False))  # this text would be captured
    origin = "postgresql://ada:hunter2secret@db.example.org/crm"
    registry.register("churn", trained(X), data={"train": nbreg.Dataset("customers", X, origin=origin)})

    assert "db.example.org" in registry.dataset("customers").origins[0]
    for file in registry.location.rglob("*"):
        assert not file.is_file() or b"hunter2secret" not in file.read_bytes()


@pytest.mark.parametrize(
    ("name", "error"),
    [("", BadNameError), ("a b", BadNameError), ("a/b/c/d", BadNameError), (3, BadNameError)],
)
def test_what_is_no_name_of_a_data_set_is_refused(
    registry: Registry, name: Any, error: type[Exception]
) -> None:
    """Before anything is digested or written."""
    with pytest.raises(error):
        registry.register_dataset(name, customers())
    assert not registry.location.exists()


def test_a_data_set_that_is_not_there_is_said_to_be_missing_with_the_nearest(registry: Registry) -> None:
    """A typo costs one look."""
    registry.register_dataset("customers", customers())
    with pytest.raises(UnknownDatasetError) as missing:
        registry.dataset("custmers")
    assert "customers" in missing.value.hint
    with pytest.raises(UnknownDatasetError, match="no version 7"):
        registry.dataset("customers@7")
    with pytest.raises(BadReferenceError):
        registry.dataset("customers@production")
    with pytest.raises(BadInputError):
        nbreg.Dataset("customers", 1, origin=3)  # type: ignore[arg-type]


def test_two_contents_of_one_data_set_may_go_into_one_version(registry: Registry) -> None:
    """Two halves of one table are trained on and tested with."""
    X = customers()
    registry.register_dataset("customers", X.tail(5))
    data = {"train": nbreg.Dataset("customers", X), "test": nbreg.Dataset("customers", X.tail(5))}
    version = registry.register("churn", trained(X), data=data)
    assert [each.datasets for each in version.datasets] == [["customers@2"], ["customers@1"]]
    assert registry.trained_on("customers@1") == registry.trained_on("customers@2") == [version]


def test_what_happened_to_a_data_set_is_told(registry: Registry) -> None:
    """Who said where it comes from, and why."""
    registry.register_dataset("customers", customers(), reason="Nightly", message="from the lake")
    registry.register_dataset("customers", customers(), origin="s3://lake")
    told = [(each.kind, each.by.user, each.reason) for each in registry.dataset("customers").events]
    assert told == [("data-seen", "ada", ""), ("data-seen", "ada", "Nightly")]


def test_the_card_says_what_the_data_is_called(registry: Registry) -> None:
    """`Xtr` says nothing in a year."""
    from nbreg.display import VersionDetail

    version = registered(registry, customers())
    version.link("https://example.org/1", "ticket", title="<b>Q3</b>")
    version.deploy("prod-eu")
    detail = VersionDetail(
        "churn",
        version.row,
        version.manifest,
        links=version.links,
        deployments=version.deployments,
        data=version.datasets,
    )
    page = detail._repr_mimebundle_()["text/html"]
    assert "train: customers@1 from s3://lake/customers" in repr(detail)
    assert "prod-eu, serving since" in repr(detail)
    assert "ticket: <b>Q3</b> · https://example.org/1" in repr(detail)
    assert "&lt;b&gt;Q3&lt;/b&gt;" in page
    assert "&lt;b&gt;Q3&lt;/b&gt;" in version._repr_mimebundle_()["text/html"]


def test_what_has_no_content_cannot_be_a_data_set(registry: Registry) -> None:
    """A connection is another one tomorrow; a file is told by what is in it."""
    import sqlite3

    with sqlite3.connect(":memory:") as connection:
        with pytest.raises(BadInputError, match="no content"):
            registry.register_dataset("customers", connection)
        with pytest.raises(BadInputError, match="no content"):
            registry.register("churn", 1, data={"train": nbreg.Dataset("customers", connection)})
    assert registry.models() == []
    Path("customers.csv").write_text("age\n1\n")
    first = registry.register_dataset("customers", Path("customers.csv"))
    Path("customers.csv").write_text("age\n2\n")
    assert registry.register_dataset("customers", Path("customers.csv")).number == first.number + 1


# feature sets


def test_a_version_is_all_that_a_model_is_made_of(registry: Registry) -> None:
    """Weights, preprocessing, settings, data, metrics, date and environment: one id for all of it."""
    X = customers()
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X, X["age"] > X["age"].mean())
    data = {"train": nbreg.Dataset("customers", X), "test": X.head(5)}
    version = registry.register("churn", pipeline, data=data, metrics={"accuracy": 0.9})

    assert version.load().predict(X).tolist() == pipeline.predict(X).tolist()
    assert [name for name, _ in version.load().steps] == ["standardscaler", "logisticregression"]
    assert version.params["logisticregression__C"] == 0.5
    assert [(each.role, each.datasets) for each in version.datasets] == [
        ("train", ["customers@1"]),
        ("test", []),
    ]
    assert (version.metrics, version.manifest.metrics) == ({"accuracy": 0.9}, {"accuracy": 0.9})
    assert version.manifest.created == version.created > "2026"
    needed = {each.name for each in version.environment.distributions if each.needed}
    assert {"numpy", "scikit-learn"} <= needed
    assert version.environment.python["version"]
    assert version.environment.cpu["cores"]


def test_another_feature_set_is_another_version_of_it(registry: Registry) -> None:
    """Model, features and data are tied to each other, and a column more is seen."""
    X = customers()
    wide = X.assign(debt=1.0)
    registered(registry, X)
    registered(registry, wide)
    registered(registry, X, C=0.5)

    sets = registry.feature_sets("churn")
    assert [(each.number, each.features, each.first) for each in sets] == [(2, 3, 2), (1, 2, 1)]
    assert [each.number for each in registry.with_features(sets[1])] == [3, 1]
    assert registry.get("churn@3").feature_set == sets[1]
    assert registry.feature_sets() == sets


def test_what_has_no_features_has_no_feature_set(registry: Registry) -> None:
    """A dictionary takes no columns."""
    assert registry.register("churn", {"a": 1}).feature_set is None
    assert registry.feature_sets("churn") == []


# travelling


def test_copies_transfers_and_merges_keep_the_links_to_data(registry: Registry, tmp_path: Path) -> None:
    """Wherever a version goes, the data that it was trained on still leads to it."""
    version = registered(registry, customers())
    copied = registry.copy(version, "eu/churn")
    assert registry.trained_on("customers") == [version, copied]

    moved = registry.transfer(copied, "us/churn")
    assert registry.trained_on("customers") == [version, moved]
    assert moved.feature_set is not None

    other = Registry(tmp_path / "other")
    other.register_dataset("customers", customers(5))
    other.merge(registry)
    assert [each.ref for each in other.dataset("customers").history] == ["customers@2", "customers@1"]
    assert [each.model for each in other.trained_on("customers@2")] == ["churn", "us/churn"]
    assert other.verify().ok


def test_an_archive_brings_the_name_of_its_data_along(registry: Registry, tmp_path: Path) -> None:
    """One file says what it was trained on, also where nobody has seen that data."""
    version = registered(registry, customers())
    archive = registry.export(version, tmp_path / "churn.nbreg")
    there = Registry(tmp_path / "there").import_(archive)

    assert there.datasets[0].datasets == ["customers@1"]
    assert there.registry.dataset("customers").versions == [there]
    assert there.registry.dataset("customers").origins == ["s3://lake/customers"]


def test_a_registry_that_was_only_read_has_no_file_of_data(registry: Registry, tmp_path: Path) -> None:
    """Looking makes nothing."""
    quick = Registry(tmp_path / "quick", settings=Settings(capture=False))
    quick.register("churn", 1)
    assert quick.datasets() == []
    assert not (quick.location / "data").exists()


def test_who_used_data_is_found_without_opening_a_model_that_did_not(registry: Registry) -> None:
    """At a thousand models it took seconds, since the lines of all of them were read."""
    for at in range(5):
        registry.register(f"team/Model-{at}", {"a": at}, data={"train": [at, 1]})
    registry.register("other", {"a": 1}, data={"train": [3, 1]})
    fresh = Registry(registry.location)
    found = fresh.trained_on([3, 1])

    assert [(each.model, each.number) for each in found] == [("other", 1), ("team/Model-3", 1)]
    assert set(fresh._desk.folder._open) == {"other", "team/model-3"}
    digest = found[0].manifest.links[0].snapshot
    assert fresh.trained_on(f"sha256:{digest[:12]}") == found
    assert Registry(registry.location).trained_on([7, 7]) == []


def test_a_text_is_found_wherever_it_stands_in_a_file(tmp_path: Path) -> None:
    """Large journals are looked through in pieces, and a digest may lie across two of them."""
    file = tmp_path / "journal.jsonl"
    for at in range(12):
        file.write_bytes(b"x" * at + b"digest" + b"y" * 5)
        assert holds(file, b"digest", block=4)
        assert holds(file, b"digest")
        assert not holds(file, b"digesu", block=4)
    assert not holds(tmp_path / "none", b"digest")
    assert holds(tmp_path, b"digest"), "what cannot be read is for others to tell"
