"""Folders of several users, and of none who may write."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from children import as_nobody
from damages import SETTINGS, journal

from nbreg import NbregError, Registry
from nbreg.errors import ReadOnlyError, StoreError


def test_everything_readable_works_in_a_read_only_folder(public: Path) -> None:
    """An archive, a mounted share, a colleague's folder: no file is made, and writing is one sentence."""
    folder = public / "r"
    registry = Registry(folder, settings=SETTINGS)
    for n in (1, 2):
        registry.register("churn", {"n": n})
    registry.promote("churn@1", "production")
    registry.delete("churn@2", "Test")
    journal(registry).write_bytes(journal(registry).read_bytes() + b'{"torn')
    subprocess.run(["chmod", "-R", "a+rX,a-w", str(folder)], check=True)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    def work() -> list[object]:
        reading = Registry(folder, settings=SETTINGS)
        assert reading.load("churn@production") == {"n": 1}
        assert reading.get("churn@1").params == {}
        assert [row.name for row in reading.models()] == ["churn"]
        assert len(reading.events()) == 4
        assert len(reading.versions("churn", deleted=True)) == 2
        assert reading.pin("churn").startswith("churn@sha256:")
        assert reading.aliases("churn") == {}
        assert reading.du().objects == 2
        assert reading.verify().ok
        assert reading.purge().leftovers == []
        assert reading.purge(older_than=0).versions == ["churn@2"]
        assert reading.preview("churn", 1).content_digest
        codes = []
        for verb in (
            lambda: reading.register("churn", 3), lambda: reading.register("new", 3),
            lambda: reading.retire("churn@1"),
            lambda: reading.set_alias("churn@1", "x"), lambda: reading.delete("churn@1", "R", include_protected=True),
            lambda: reading.purge(dry_run=False), lambda: reading.update("churn@1", tags=["x"]),
            lambda: reading.check("churn"),
        ):  # fmt: skip
            try:
                verb()
                codes.append("it worked")
            except ReadOnlyError as error:
                codes.append(error.code if "cannot be written" in error.message else error.message)
        return codes

    assert as_nobody(work) == ["read-only"] * 8
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
def test_a_shared_folder_is_shared_in_all_its_parts(public: Path) -> None:
    """Mode and group come from the folder, whatever the umask of who writes first."""
    folder = public / "team"
    folder.mkdir()
    os.chown(folder, 0, 65534)
    folder.chmod(0o2770)
    registry = Registry(folder / ".nbreg", settings=SETTINGS)
    umask = os.umask(0o077)
    try:
        registry.register("risk/churn", 1)
        registry.register("risk/churn", os.urandom(9000))
    finally:
        os.umask(umask)
    for path in registry.location.rglob("*"):
        status = path.stat()
        if path.name == ".gitignore":
            continue
        assert status.st_gid == 65534, path
        assert status.st_mode & 0o007 == 0, path
        wanted = (
            0o070
            if path.is_dir()
            else 0o040
            if "objects" in str(path) and not {"parts", "hints"} & set(path.parts)
            else 0o060
        )
        assert status.st_mode & 0o070 == wanted, path

    def work() -> list[object]:
        theirs = Registry(folder / ".nbreg", settings=SETTINGS)
        version = theirs.register("risk/churn", 2)
        theirs.promote("risk/churn@1", "production")
        theirs.register("other", 3)
        theirs.delete(version, "Test")
        theirs.purge(dry_run=False, older_than=0)
        return [theirs.load("risk/churn@1"), version.number]

    assert as_nobody(work) == [1, 3]
    assert registry.register("risk/churn", 4).number == 4
    assert registry.register("other", 4).number == 2
    assert registry.verify().ok


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
def test_a_journal_of_someone_else_that_is_private_is_a_sentence(public: Path) -> None:
    """One private model does not hide the others' errors as a traceback."""
    registry = Registry(public / "r", settings=SETTINGS)
    registry.register("churn", 1)
    journal(registry).chmod(0o600)

    def work() -> list[str]:
        told = []
        for verb in (lambda r: r.get("churn@1"), lambda r: r.models(), lambda r: r.events("churn")):
            try:
                told.append(str(verb(Registry(public / "r"))))
            except StoreError as error:
                told.append(error.code)
        return told

    assert as_nobody(work) == ["store"] * 3


def test_a_registry_that_may_not_be_made_is_a_sentence(public: Path) -> None:
    """The first `%register_model` in a folder that is somebody else's."""
    (public / "here").mkdir(mode=0o555)

    def work() -> str:
        try:
            Registry(public / "here" / ".nbreg", settings=SETTINGS).register("churn", 1)
        except NbregError as error:
            return json.dumps([error.code, error.message])
        return "it worked"

    code, message = json.loads(as_nobody(work))
    assert code == "read-only"
    assert str(public / "here") in message
