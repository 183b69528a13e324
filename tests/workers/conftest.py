"""What tests of workers have: a registry that somebody wrote with older releases, and a model that does its worst."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from pasts import DOWNLOADS, NBREGS, OLD, REGISTERS, SRC, Past, this_python

from nbreg import Registry
from nbreg.errors import CannotRebuildError
from nbreg.workers import environments
from nbreg.workers.plans import Plan


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    """A registry that was written by older releases; skipped where the index cannot be reached."""
    root = tmp_path_factory.mktemp("past")
    past = Past(root / "registry", root, root / "config", root / "environments")
    plan = Plan(python=this_python(), requirements=(*OLD, *NBREGS), constraints=())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in DOWNLOADS.items():
            patch.setenv(name, value)
        patch.setenv("XDG_CONFIG_HOME", str(past.config))
        try:
            held = environments.hold(
                plan, environments.folder(str(root / "old")), most=2**40, what="the past"
            )
        except CannotRebuildError as error:
            pytest.skip(f"the past cannot be installed: {error.message[:200]}")
        os.close(held.lock)
        done = subprocess.run(
            [str(held.python), "-c", REGISTERS, str(past.registry), str(root)],
            env={**os.environ, "PYTHONPATH": str(SRC)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return past


@pytest.fixture
def old(past: Past, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """That registry, for the user who wrote it; one set of environments for all tests."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(past.config))
    monkeypatch.setenv("NBREG_ENVIRONMENTS", str(past.environments))
    for name, value in DOWNLOADS.items():
        monkeypatch.setenv(name, value)
    return Registry(past.registry)


@pytest.fixture
def odd(old: Registry) -> Iterator[Any]:
    """The model that does its worst, isolated."""
    with old.isolated("odd@1") as model:
        yield model
