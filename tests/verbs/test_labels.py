"""What may change of a version: aliases, tags, content, further metrics. The rest stays as it was."""

from __future__ import annotations

import pytest
from versions import lines, three

from nbreg import Registry
from nbreg.errors import BadInputError, BadValueError, NameTakenError, UnknownVersionError


def test_aliases_move_and_share_the_namespace_of_names(registry: Registry) -> None:
    """`churn@champion` means one version, and no other thing."""
    one, two, _ = three(registry)
    registry.set_alias(one, "champion")
    before = lines(registry)
    registry.set_alias(one, "champion")
    assert lines(registry) == before
    registry.set_alias("churn@2", "champion", reason="Better")
    assert registry.get("churn@champion") == two
    assert registry.events("churn")[0].facts["before"] == 1
    assert (one.aliases, two.aliases, registry.aliases("churn")) == ([], ["champion"], {"champion": 2})
    for taken in ("1.0.0", "v1.1.0"):
        with pytest.raises(NameTakenError):
            registry.set_alias(one, taken)
    with pytest.raises(NameTakenError, match="alias of churn@2"):
        registry.register("churn", 9, version="champion")
    registry.set_alias(one, "2.0.0")
    assert registry.register("churn", 9, bump="major").name == "3.0.0", "a taken name is passed over"
    registry.drop_alias("churn", "champion")
    with pytest.raises(UnknownVersionError, match="no alias"):
        registry.drop_alias("churn", "champion")
    for bad in ("production", "latest", "7", "2026-01-01", "", "a b", "sha256:12345678"):
        with pytest.raises(BadInputError):
            registry.set_alias(one, bad)


def test_what_may_be_updated_is_and_the_rest_stays(registry: Registry) -> None:
    """Tags and content are replaced, metrics added; manifest and id are what they were."""
    version = registry.register("churn", 1, tags=["a"], metrics={"auc": 0.5}, content={"x": 1})
    before = (version.id, version.manifest, registry.verify().heads)
    version.update(tags=["b", "c"], metrics={"f1": 1}, content={"y": 2}, description="d", reason="Tidy")
    assert (version.tags, version.metrics, version.content, version.description) == (
        ["b", "c"], {"auc": 0.5, "f1": 1.0}, {"y": 2}, "d",
    )  # fmt: skip
    assert (version.id, version.manifest) == before[:2]
    assert version.manifest.metrics == {"auc": 0.5}
    assert sorted(registry.events("churn")[0].facts["changed"]) == [
        "content", "description", "metrics", "tags",
    ]  # fmt: skip
    count = lines(registry)
    version.update(tags=["b", "c"], description="d")
    version.update()
    assert lines(registry) == count
    version.update(tags=[], content={}, description="")
    assert (version.tags, version.content, version.description) == ([], {}, "")


def test_a_registered_metric_never_changes(registry: Registry) -> None:
    """Metrics can be added later; those that a version was made with are part of it."""
    version = registry.register("churn", {"n": 1}, metrics={"auc": 0.5})

    with pytest.raises(BadValueError) as refusal:
        version.update(metrics={"auc": 0.99})
    assert str(refusal.value) == "churn@1.0.0 was registered with auc = 0.5"

    version.update(metrics={"auc": 0.5, "later": 1})
    version.update(metrics={"later": 2})
    assert version.metrics == {"auc": 0.5, "later": 2.0}
    assert version.events[0].facts["before"] == {"later": 1.0}
