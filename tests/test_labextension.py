"""The JupyterLab extension as it is packed: in the wheel, in the sdist, and left out where somebody says so.

`pip install` of the sdist needs no Node and no npm, since the built extension is in it; a checkout brings
its own where the machine has none. What it does in a browser is tested in `tests/browser/`, what it
makes of the server's answers in `labextension/tests/`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import nbreg

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "labextension"
SHARE = "share/jupyter/labextensions/nbreg/"


def lock() -> dict[str, Any]:
    """The lock file of what it is built and tested with."""
    read: dict[str, Any] = json.loads((FOLDER / "package-lock.json").read_text())
    return read


def test_the_lock_file_names_no_registry() -> None:
    """Whoever installs behind a company's mirror is not sent elsewhere, and no mirror of ours is told."""
    assert not [name for name, each in lock()["packages"].items() if "resolved" in each]
    urls = re.findall(
        r'"(?:resolved|registry)"|npmjs\.org|/simple/', (FOLDER / "package-lock.json").read_text()
    )
    assert urls == []


def test_the_lock_file_is_whole_for_every_platform() -> None:
    """npm silently locks no native part that a mirror lacks; then it cannot be built on a Mac."""
    packages = lock()["packages"]
    missing = {
        f"{name}: {wanted}"
        for name, each in packages.items()
        if not each.get("optional")
        for wanted in each.get("optionalDependencies", {})
        if f"node_modules/{wanted}" not in packages and f"{name}/node_modules/{wanted}" not in packages
    }
    assert not missing


def test_both_halves_have_one_version() -> None:
    """The page and the server are released together."""
    assert json.loads((FOLDER / "package.json").read_text())["version"] == nbreg.__version__


def test_nothing_of_jupyterlab_is_packed() -> None:
    """What JupyterLab shares is used from there: a second React, or another Lumino, breaks the page."""
    assert list(json.loads((FOLDER / "package.json").read_text())["dependencies"]) == ["@jupyter/builder"]


def schema() -> dict[str, Any]:
    """Settings, menus and shortcuts."""
    read: dict[str, Any] = json.loads((FOLDER / "schema/plugin.json").read_text())
    return read


def named(entries: Any) -> set[str]:
    """The commands that a menu names, and those of the menus in it."""
    if isinstance(entries, dict):
        own = {entries["command"]} if "command" in entries else set()
        return own.union(*(named(each) for each in entries.values()))
    return set().union(*(named(each) for each in entries)) if isinstance(entries, list) else set()


def test_menus_and_shortcuts_name_commands_that_there_are() -> None:
    """JupyterLab shows an item without a command as nothing at all, and tells nobody."""
    source = (FOLDER / "src/commands.ts").read_text()
    commands = set(re.findall(r"'(nbreg:[a-z-]+)'", source))
    read = schema()

    assert named(read["jupyter.lab.menus"]["main"]) == commands, "all of them stand in the menu"
    assert named(read["jupyter.lab.menus"]["context"]) <= commands
    assert named(read["jupyter.lab.shortcuts"]) <= commands


def test_no_shortcut_is_taken_from_jupyterlab() -> None:
    """Whoever installs nbreg finds each key as it was."""
    theirs = {
        tuple(keys)
        for path in (Path(sys.prefix) / "share/jupyter/lab/schemas").rglob("*.json")
        for each in json.loads(path.read_text()).get("jupyter.lab.shortcuts", [])
        for name, keys in each.items()
        if name.lower().endswith("keys")
    }
    ours = {tuple(each["keys"]) for each in schema()["jupyter.lab.shortcuts"]}

    assert ("Accel Shift C",) in theirs
    assert not ours & theirs


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, unpacked."""
    made = tmp_path_factory.mktemp("sdist")
    _hatch(ROOT, "sdist", made)
    (archive,) = made.glob("*.tar.gz")
    shutil.unpack_archive(archive, made)  # our own; filters came with 3.11.4
    return made / archive.name.removesuffix(".tar.gz")


def test_a_wheel_of_the_sdist_has_the_extension_without_node(sdist: Path, tmp_path: Path) -> None:
    """Whoever installs a release has the sidebar at once, on a machine that has never seen Node."""
    names = _wheel(sdist, tmp_path, PATH=str(tmp_path / "nothing-here"))

    ours = {name.split(SHARE)[1] for name in names if SHARE in name}
    assert {"package.json", "install.json", "schemas/nbreg/plugin.json"} <= ours
    assert any(re.fullmatch(r"static/remoteEntry\.\w+\.js", name) for name in ours)
    assert not [name for name in ours if name.endswith(".map")]
    assert not (sdist / "labextension/node_modules").exists()


def test_python_alone_can_be_installed(sdist: Path, tmp_path: Path) -> None:
    """A job that serves models needs no page, and a build that fails must be got round."""
    names = _wheel(sdist, tmp_path, NBREG_SKIP_LABEXTENSION="1")

    assert "nbreg/__init__.py" in names
    assert not [name for name in names if SHARE in name]


def test_a_changed_source_is_built_anew(sdist: Path) -> None:
    """What is installed is of the sources beside it, never of earlier ones."""
    asked = "import sys; sys.path[:0] = ['tools']; import labextension; print(labextension.is_fresh())"
    fresh = [sys.executable, "-c", asked]
    before = subprocess.run(fresh, cwd=sdist, capture_output=True, text=True, check=True).stdout
    source = sdist / "labextension/src/words.ts"
    text = source.read_text()
    source.write_text(f"{text}\n// changed\n")
    after = subprocess.run(fresh, cwd=sdist, capture_output=True, text=True, check=True).stdout
    source.write_text(text)

    assert (before.strip(), after.strip()) == ("True", "False")


def test_it_is_small() -> None:
    """It is read at each start of JupyterLab: below 250 kB even before it is compressed."""
    scripts = list((FOLDER / "built/static").glob("*.js"))
    assert scripts
    assert sum(each.stat().st_size for each in scripts) < 250_000


def _wheel(source: Path, made: Path, **environment: str) -> list[str]:
    _hatch(source, "wheel", made, **environment)
    (wheel,) = made.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        return file.namelist()


def _hatch(source: Path, target: str, made: Path, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(made)],
        cwd=source,
        env={name: each for name, each in os.environ.items() if name != "NBREG_SKIP_LABEXTENSION"}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
