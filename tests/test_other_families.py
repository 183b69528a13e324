"""A package that brings a family of its own is found when its objects are, and not before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FAMILY = '''
"""Stores a Song as text."""
import mylib
from nbreg.errors import CannotLoadError
from nbreg.records import Artifact, Chunk, digest_of

NAME = "mylib"

def claims(value):
    return isinstance(value, mylib.Song)

def dump(name, value):
    data = value.words.encode()
    chunk = Chunk(digest=digest_of(data), size=len(data))
    return Artifact(name=name, kind="object", family=NAME, form="text", token=digest_of(data), chunks=[chunk]), [(chunk, data)]

def plain_files(artifact, read):
    yield f"{artifact.name}.txt", False, [read(artifact.chunks[0])]

class Opened:
    def __init__(self, artifact, read):
        self.untrusted = []
        self._data = bytes(read(artifact.chunks[0], private=True))

    def load(self):
        return mylib.Song(self._data.decode())
'''
LIBRARY = """
class Song:
    def __init__(self, words):
        self.words = words
    def __reduce__(self):
        raise TypeError("no pickle of this")
"""
USE = """
import sys, nbreg, mylib
from nbreg.families import elsewhere
from nbreg.settings import Settings
registry = nbreg.Registry(sys.argv[1], settings=Settings(capture=False))
registry.register("plain", {"a": [1, 2.5]})
assert elsewhere._found.cache_info().currsize == 0, "nobody asked yet"
version = registry.register("song", mylib.Song("la la"))
assert version.artifacts["model"].family == "mylib"
assert version.load().words == "la la"
assert registry.register("song", mylib.Song("la la")).number == 1
"""
EXPORT = """
from pathlib import Path
from nbreg.errors import BadInputError
target = Path(sys.argv[1] + "-mlflow")
try:
    registry.export("song@1", target, "mlflow")
except BadInputError as error:
    assert "is not stored as a pickle alone" in error.message
    assert not target.exists()
else:
    raise AssertionError("exported")
"""


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The environment of a process in which the package is really installed, in a folder of its own."""
    source = tmp_path / "source" / "mylib"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text(LIBRARY)
    (source / "for_nbreg.py").write_text(FAMILY)
    site = tmp_path / "site"
    site.mkdir()
    _install(source, site)
    path = [*filter(None, [os.environ.get("PYTHONPATH")]), str(site)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def _install(source: Path, site: Path) -> None:
    """What an installer leaves: the package, and its metadata beside it."""
    (site / "mylib").symlink_to(source, target_is_directory=True)
    metadata = site / "mylib-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: mylib\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[nbreg.families]\nmylib = mylib.for_nbreg\n")


def test_an_installed_package_stores_its_own_objects(tmp_path: Path, installed: dict[str, str]) -> None:
    """Also such as have no pickle; and whoever only stores plain values never looks for packages."""
    subprocess.run([sys.executable, "-c", USE, str(tmp_path / "r")], env=installed, check=True)


def test_what_is_no_pickle_is_no_model_of_mlflow(tmp_path: Path, installed: dict[str, str]) -> None:
    """It is refused before a folder is made that looks like one."""
    subprocess.run([sys.executable, "-c", USE + EXPORT, str(tmp_path / "r")], env=installed, check=True)


def test_without_the_package_its_artifacts_say_what_they_need(
    tmp_path: Path, installed: dict[str, str]
) -> None:
    """The name of the family is in the artifact."""
    subprocess.run([sys.executable, "-c", USE, str(tmp_path / "r")], env=installed, check=True)
    code = f"import nbreg; nbreg.Registry({str(tmp_path / 'r')!r}).load('song')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "needs the family 'mylib', which is not installed here" in done.stderr


def test_a_family_that_cannot_be_imported_stops_nobody(tmp_path: Path, installed: dict[str, str]) -> None:
    """A broken package costs a line in the log, not the model."""
    (tmp_path / "source" / "mylib" / "for_nbreg.py").write_text("import nothing_of_that_name")
    code = USE.split("version =")[0] + (
        "class Tune(mylib.Song):\n    __reduce__ = object.__reduce__\n"
        "assert registry.register('song', Tune('la')).artifacts['model'].family == 'generic'"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "r")], env=installed, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "the family 'mylib' of mylib.for_nbreg cannot be imported" in done.stderr
