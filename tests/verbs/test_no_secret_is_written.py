"""Nothing that a verb is given brings a secret into the registry."""

from __future__ import annotations

import pytest

from nbreg import Registry
from nbreg.errors import SecretFoundError


def test_a_known_secret_inside_a_model_stops_its_registration(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that uses a password takes it along when it is pickled; bytes are never altered."""
    monkeypatch.setenv("REPORT_PASSWORD", "Otter-plain-words-9")
    model = {"connect": {"dsn": "ana/Otter-plain-words-9@db"}}

    with pytest.raises(SecretFoundError) as caught:
        registry.register("churn", model)

    assert "known-value" in caught.value.message
    assert "Otter" not in caught.value.line
    assert registry.models() == []
    assert registry.register("churn", model, allow_secrets=True).number == 1


def test_no_secret_that_a_caller_gives_is_written(registry: Registry) -> None:
    """A configuration goes in as it is, with the password that nobody thought of."""
    secret = "hunter2-9fQ1zK"
    registry.register(
        "churn",
        1,
        params={"C": 1, "db": {"password": secret}, "url": f"postgresql://ana:{secret}@db/x"},
        content={"api_token": secret},
        message=f"trained with password={secret}",
        description=f"export API_TOKEN={secret}",
    )
    registry.update("churn@1", content={"again": {"password": secret}}, reason="Test")

    stored = b"".join(path.read_bytes() for path in registry.location.rglob("*") if path.is_file())
    assert secret.encode() not in stored
    assert registry.get("churn@1").params["C"] == 1
    assert "redacted" in registry.get("churn@1").params["db"]["password"]


def test_reasons_messages_and_tags_of_any_verb_hold_no_secret(registry: Registry) -> None:
    """What is typed in a hurry stays in the journal for ever."""
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    said = {"reason": f"token {secret}", "message": f"use {secret}"}
    registry.register("m", 1, tags=[secret])
    registry.promote("m@1", "production", **said)
    registry.set_alias("m@1", "champion", **said)
    registry.update("m@1", tags=[secret], **said)
    registry.drop_alias("m", "champion", **said)
    registry.retire("m@1", **said)
    registry.delete("m@1", include_protected=True, **said)
    registry.restore("m@1", **said)

    stored = b"".join(path.read_bytes() for path in registry.location.rglob("*") if path.is_file())
    assert secret.encode() not in stored
    assert b"redacted" in stored
