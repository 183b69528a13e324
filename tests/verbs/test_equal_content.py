"""Registering what is there already returns the version that is there, and drops nothing that was asked for."""

from __future__ import annotations

import pytest

from nbreg import Registry
from nbreg.errors import NameTakenError, TransitionError


def test_equal_content_is_the_version_that_is_there(registry: Registry) -> None:
    """Running a cell twice makes one version; the second time is an event."""
    first = registry.register("churn", {"n": 1}, params={"a": 1}, description="one")
    again = registry.register("churn", {"n": 1}, params={"a": 1}, description="two", tags=["x"])
    assert again == first
    assert again.existing
    assert (again.description, again.tags) == ("two", ["x"])
    assert [event.kind for event in registry.events("churn")] == ["registered-again", "registered"]
    for changed in (
        {"params": {"a": 2}}, {"params": {"a": 1}, "metrics": {"m": 1}}, {"params": {"a": 1}, "new": True},
        {"params": {"a": 1}, "content": {"x": 1}}, {"params": {"a": 1}, "parent": first},
        {"params": {"a": 1}, "data": {"train": [1, 2]}}, {"params": {"a": 1}, "artifacts": {"b": 1}},
    ):  # fmt: skip
        assert not registry.register("churn", {"n": 1}, **changed).existing  # type: ignore[arg-type]
    assert not registry.register("other", {"n": 1}, params={"a": 1}).existing
    assert registry.get("churn").number == 8


def test_equal_content_is_found_whatever_happened_to_its_equals(registry: Registry) -> None:
    """Deleted ones do not count; an earlier one that is still there does."""
    first = registry.register("churn", 1)
    second = registry.register("churn", 1, new=True)
    registry.delete(second, "Test")
    assert registry.register("churn", 1) == first
    registry.delete(first, "Test")
    third = registry.register("churn", 1)
    assert (third.number, third.existing) == (3, False)
    registry.delete(third, "Test")
    registry.restore("churn@1")
    assert registry.register("churn", 1) == first


def test_equal_content_does_not_swallow_what_was_asked_for(registry: Registry) -> None:
    """Nobody believes a version to be in production, or to have a name, that it has not."""
    registry.register("churn", {"n": 1})

    assert registry.register("churn", {"n": 1}, stage="staging").stage == "staging"
    assert registry.register("churn", {"n": 1}, stage="development").stage == "staging"
    with pytest.raises(NameTakenError) as refusal:
        registry.register("churn", {"n": 1}, version="5.0.0")
    assert "equal content is churn@1.0.0 already" in str(refusal.value)

    registry.retire("churn@1", reason="Bad")
    with pytest.raises(TransitionError):
        registry.register("churn", {"n": 1}, stage="production")
    assert registry.register("churn", {"n": 1}).stage == "archived"


def test_equal_content_whose_bytes_were_lost_is_stored_again(registry: Registry) -> None:
    """A damaged version is no reason not to keep the model that is here, whole."""
    first = registry.register("churn", {"n": 1})
    bundle = registry.location / "objects" / first.row.bundle[:2] / first.row.bundle[2:]
    data = bytearray(bundle.read_bytes())
    bundle.unlink()
    bundle.write_bytes(data.replace(b"n", b"m"))

    again = Registry(registry.location).register("churn", {"n": 1})

    assert (again.number, again.existing) == (2, False)
    assert again.load() == {"n": 1}
    assert "text/plain" in first._repr_mimebundle_()
