"""Deleted versions are hidden and come back; what is in use goes only with a reason."""

from __future__ import annotations

import pytest
from versions import lines, three

from nbreg import Registry
from nbreg.errors import NameTakenError, UnknownVersionError, VersionInUseError


def test_a_deleted_version_is_hidden_and_comes_back(registry: Registry) -> None:
    """With its number and name; nobody else got them meanwhile."""
    one, two, three_ = three(registry)
    registry.delete("churn@1.2.0", "Wrong data", message="see mail")
    assert registry.get("churn") == two
    for ref in ("churn@3", "churn@1.2.0", f"churn@sha256:{three_.id}"):
        with pytest.raises(UnknownVersionError, match="was deleted by ada") as caught:
            registry.get(ref)
        assert "restore" in caught.value.hint
    assert three_.deleted
    assert (three_.deleted.by, three_.deleted.reason) == ("ada", "Wrong data")
    with pytest.raises(NameTakenError, match="deleted"):
        registry.register("churn", 9, version="1.2.0")
    assert registry.register("churn", {"n": 4}).ref == "churn@1.3.0"
    before = lines(registry)
    registry.delete("churn@3")
    assert lines(registry) == before, "it is deleted already"
    assert registry.restore("churn@1.2.0") == three_
    registry.restore("churn@1.2.0")
    assert lines(registry) == before + 1
    assert registry.get("churn@1.2.0").load() == {"n": 3}
    assert registry.get("churn").number == 4
    with pytest.raises(UnknownVersionError):
        registry.promote(registry.delete(one), "staging")


def test_what_is_in_use_is_deleted_only_with_a_reason(registry: Registry) -> None:
    """Staged, once in production, aliased."""
    one, two, three_ = three(registry)
    registry.promote(one, "production")
    registry.promote(two, "production")
    registry.set_alias(three_, "champion")
    for version, said in ((one, "was in production"), (two, "is in production"), (three_, "has the alias")):
        for options in ({}, {"include_protected": True}, {"reason": "R"}):
            with pytest.raises(VersionInUseError, match=said):
                registry.delete(version, **options)  # type: ignore[arg-type]
        registry.delete(version, "Law", include_protected=True)
    assert registry.aliases("churn") == {}
    (row,) = registry.models()
    assert (row.stages, row.versions, row.latest, row.latest_name, row.highest) == ({}, 0, None, None, "")
    with pytest.raises(UnknownVersionError, match="no version that is not deleted"):
        registry.get("churn")
    registry.restore("churn@2")
    assert registry.get("churn@2").stage == "archived", "who took its stage meanwhile keeps it"
    assert registry.get("churn").number == 2
