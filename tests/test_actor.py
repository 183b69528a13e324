"""Who is written down as the one who acted."""

from __future__ import annotations

import os
import pwd

import pytest

from nbreg.registry.ground import actor


def test_a_user_whom_a_directory_does_not_know_just_now_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a kernel of weeks would write down what `$USER` says, since the network was away for a moment."""
    for name in ("JUPYTERHUB_USER", "NBREG_ACTOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("USER", "somebody")
    actor._account.cache_clear()

    def away(uid: int) -> object:
        raise KeyError(uid)

    with monkeypatch.context() as patch:
        patch.setattr(pwd, "getpwuid", away)
        assert actor.current_actor().user == "somebody"
    assert actor.current_actor().user == pwd.getpwuid(os.geteuid()).pw_name
