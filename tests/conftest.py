"""What every test has: a registry of its own, and a home that is not the developer's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from servers import Server
    from stories import Folder

    from nbreg import Registry

ACTOR = "ada"
# Where nbreg, git, IPython and Jupyter keep what belongs to a user.
HOMES = {
    "HOME": "",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_CACHE_HOME": ".cache",
    "IPYTHONDIR": ".ipython",
    "JUPYTER_CONFIG_DIR": ".jupyter",
    "JUPYTER_DATA_DIR": ".local/share/jupyter",
    "JUPYTER_RUNTIME_DIR": ".local/share/jupyter/runtime",
}
NEUTRAL = {
    "NBREG_ACTOR": ACTOR,
    "NBREG_PROVE": "0",  # a test that wants proofs in the background asks for them
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": ACTOR,
    "GIT_AUTHOR_EMAIL": f"{ACTOR}@example.org",
    "GIT_COMMITTER_NAME": ACTOR,
    "GIT_COMMITTER_EMAIL": f"{ACTOR}@example.org",
}


def private_user(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Make this process, and those it starts, the processes of a user whose home is `home`."""
    home.mkdir(parents=True, exist_ok=True)
    for name in [each for each in os.environ if each.startswith(("NBREG_", "JPY_", "JUPYTERHUB_", "GIT_"))]:
        patch.delenv(name)
    for name, folder in HOMES.items():
        patch.setenv(name, str(home / folder))
    for name, value in NEUTRAL.items():
        patch.setenv(name, value)
    # Who else tests on this machine is not waited for.
    patch.setenv("NBREG_PROOF_LOCK", str(home / "proof-lock"))


@pytest.fixture(scope="session", autouse=True)
def _session_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home for what outlives one test, such as a kernel that a whole module shares."""
    with pytest.MonkeyPatch.context() as patch:
        private_user(patch, tmp_path_factory.mktemp("home"))
        yield


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home, with no signing key and no remembered trust, and a project folder as cwd."""
    home = tmp_path / "home"
    private_user(monkeypatch, home)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return home


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """An empty registry in a folder of its own."""
    from nbreg import Registry

    return Registry(tmp_path / "registry")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One Jupyter Server for the session; a test takes a folder of its own below the server's root."""
    from servers import running

    top = tmp_path_factory.mktemp("server")
    (top / "root").mkdir()
    (top / "scrap").mkdir()
    with running(
        top / "root",
        f"--NbregServer.registries={{'team': '{top}/team', 'old': {{'path': '{top}/old', 'read_only': True}}}}",
        "--Nbreg.lock_seconds=0.2",
        home=top / "home",
        TMPDIR=str(top / "scrap"),
    ) as server:
        yield server


@pytest.fixture
def folder(server: Server, request: pytest.FixtureRequest) -> Folder:
    """A folder of the test's own below the server's root, with a registry in it."""
    from stories import Folder

    return Folder(server, re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-"))
