"""Verify, inspect, consent, construct: whose code runs when a model is loaded."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path, PosixPath
from typing import Any

import msgspec
import numpy as np
import pytest
from children import as_nobody

from nbreg import ModelVersion, Registry, trust
from nbreg.errors import DamagedObjectError, TrustError
from nbreg.families.pickles import inspection
from nbreg.records import VersionRow
from nbreg.settings import Settings

SETTINGS = Settings(capture=False, inline_bytes=4096)


class Model:
    """A model of somebody's own, whose loading leaves a trace."""

    def __init__(self, trace: Path | None = None) -> None:
        self.trace = trace

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self.trace:
            Path(self.trace).write_text("code ran")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=SETTINGS)


@pytest.fixture
def fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Call it (by use of the fixture's path in `move_out`) to become the same person with a fresh home."""
    return tmp_path / "second-home"


def move_out(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))


def refused(version: ModelVersion, **options: Any) -> TrustError:
    with pytest.raises(TrustError) as caught:
        version.load(**options)
    return caught.value


def test_own_models_load(registry: Registry) -> None:
    """Who registered it has the code already."""
    version = registry.register("churn", Model())
    assert isinstance(version.load(), Model)
    assert isinstance(Registry(registry.location).load("churn"), Model)
    assert len(version.row.stamp) == 64


def test_another_home_is_refused_and_sees_the_line_to_run(
    registry: Registry, fresh_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder from a colleague, or from the internet, runs nothing until someone says so."""
    trace = tmp_path / "trace"
    version = registry.register("churn", Model(trace))
    move_out(monkeypatch, fresh_home)

    error = refused(version)
    assert error.code == "not-trusted"
    assert error.message.startswith(
        "loading churn@1.0.0 would run code by ada that you did not vouch for: code of its own, "
    )
    assert "load('churn@1.0.0', trust=True)" in error.hint
    assert f"nbreg trust churn@sha256:{version.id[:16]}" in error.hint or "nbreg trust" in error.hint
    assert {"cloudpickle.cloudpickle._make_skeleton_class", f"{PosixPath.__module__}.PosixPath"} <= set(
        error.untrusted
    )
    assert not trace.exists()

    assert isinstance(version.load(trust=True), Model)
    assert trace.read_text() == "code ran"
    refused(version)  # consent is for one call
    trust.remember(version.id)
    assert isinstance(version.load(), Model)
    refused(version, trust=False)
    assert isinstance(registry.register("churn", Model(trace)).load(), Model), "equal content, one version"
    other = registry.register("churn", Model(), new=True)
    assert isinstance(other.load(), Model)


def test_a_second_os_user_is_refused(tmp_path: Path) -> None:
    """Also on the same machine, with the same files."""
    public = Path(tempfile.mkdtemp(prefix="nbreg-test-"))
    try:
        public.chmod(0o755)
        registry = Registry(public / "r", settings=SETTINGS)
        plain = registry.register("plain", {"n": 1})
        version = registry.register("churn", Model())
        subprocess.run(["chmod", "-R", "a+rX", str(public)], check=True)
        (public / "home").mkdir()
        (public / "home").chmod(0o777)

        def work() -> list[str]:
            os.environ["HOME"] = str(public / "home")
            os.environ["XDG_CONFIG_HOME"] = str(public / "home" / ".config")
            theirs = Registry(public / "r")
            assert theirs.load("plain") == plain.load()
            told = []
            try:
                theirs.load("churn")
            except TrustError as error:
                told.append(error.line)
            told.append(type(theirs.load("churn", trust=True)).__name__)
            trust.remember(version.id)
            told.append(type(theirs.load("churn")).__name__)
            return told

        line, *loaded = as_nobody(work)
        assert "nbreg trust" in line
        assert loaded == ["Model", "Model"]
    finally:
        shutil.rmtree(public)


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, 1.5, "text", b"bytes", 2 + 3j, [1, [2]], {"a": {"b": (1, 2)}}, {1, 2}, frozenset((1,)),
        range(3), slice(1, 2), bytearray(b"x"), OrderedDict(a=1), date(2026, 1, 1), Decimal("1.5"),
        np.arange(6.0).reshape(2, 3), np.zeros((300, 300)), np.array(["a"]), {"w": [np.ones(2)]},
    ],
)  # fmt: skip
def test_plain_values_load_for_everyone(
    registry: Registry, fresh_home: Path, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    """Weights in arrays and dictionaries need nobody's word."""
    version = registry.register("churn", value, new=True) if value is not None else registry.register("churn", artifacts={"model": None})  # fmt: skip
    move_out(monkeypatch, fresh_home)
    loaded = version.load(trust=False)
    assert type(loaded) is type(value)
    assert np.array_equal(loaded, value) if isinstance(value, np.ndarray) else str(loaded) == str(value)


class Sneaky:
    """What a malicious pickle does."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize(
    "call",
    [
        (os.system, "touch pwned"), (eval, "open('pwned', 'w')"), (exec, "open('pwned', 'w')"),
        (getattr, os, "system"), (__import__, "antigravity"), (open, "pwned", "w"), (map, print, [1]),
    ],
)  # fmt: skip
def test_malicious_pickles_run_nothing(
    registry: Registry, fresh_home: Path, monkeypatch: pytest.MonkeyPatch, call: tuple[Any, ...]
) -> None:
    """Inspection reads what a stream would import, and imports nothing."""
    version = registry.register("churn", {"innocent": 1, "deep": [Sneaky(*call)]}, allow_secrets=True)
    Path("pwned").unlink(missing_ok=True)
    move_out(monkeypatch, fresh_home)
    error = refused(version)
    assert error.untrusted
    assert not Path("pwned").exists()


def test_a_stream_that_cannot_be_read_is_not_harmless() -> None:
    """Whatever breaks the inspection counts as code."""
    for stream in (
        b"",
        b"garbage",
        b"\x80\x05.",
        b"\x80\x05K\x01",
        b"cos\nsystem\n",
        b"\x80\x05\x95" + b"\xff" * 8,
    ):
        assert not all(inspection.is_harmless(each) for each in inspection.globals_of(stream)), stream
    assert inspection.globals_of(b"cos\nsystem\n(S'x'\ntR.") == ["os.system"]
    assert inspection.globals_of(b"\x80\x04\x8c\x02os\x8c\x06system\x93.") == ["os.system"]


def tampered(registry: Registry, version: ModelVersion, **fields: Any) -> Registry:
    """The registry after somebody with its files changed a row, with a right hash."""
    database = registry._desk.model(version.model)
    with database.transaction("edited", by=registry._desk.actor):
        database.put("versions", version.number, msgspec.structs.replace(version.row, **fields))
    return Registry(registry.location, settings=SETTINGS)


def test_a_stamp_vouches_for_its_own_version_only(
    registry: Registry, fresh_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that borrows the signature, the bundle or the id of another is found out."""
    mine = registry.register("churn", Model())
    first_home = os.environ["HOME"]
    move_out(monkeypatch, fresh_home)
    theirs = registry.register("churn", Model(tmp_path / "trace"))
    assert mine.row.stamp != theirs.row.stamp
    monkeypatch.setenv("HOME", first_home)
    monkeypatch.setenv("XDG_CONFIG_HOME", f"{first_home}/.config")
    (tmp_path / "trace").unlink(missing_ok=True)

    own, other = mine.row, theirs.row
    refused(tampered(registry, theirs, stamp=own.stamp).get("churn@2"))
    refused(tampered(registry, theirs, stamp="").get("churn@2"))
    refused(tampered(registry, theirs, stamp="é" * 64).get("churn@2"))
    with pytest.raises(DamagedObjectError):
        tampered(registry, theirs, stamp=own.stamp, id=own.id).load("churn@2")
    lying: VersionRow = (
        tampered(registry, theirs, id=own.id, stamp=own.stamp, bundle=own.bundle).get("churn@2").row
    )
    assert lying.id == own.id
    assert not (tmp_path / "trace").exists()
    assert isinstance(tampered(registry, theirs, id=other.id).load("churn@1"), Model)


def test_a_changed_manifest_is_not_loaded(registry: Registry) -> None:
    """Its digest is the version's id."""
    version = registry.register("churn", Model())
    path = registry._desk.folder.blobs.path(version.row.bundle)
    path.chmod(0o644)
    data = path.read_bytes()
    path.write_bytes(data.replace(f"{__name__}.Model".encode(), f"{__name__}.Wodel".encode()))
    for trusted in (None, True):
        with pytest.raises(DamagedObjectError, match=str(path)):
            Registry(registry.location).load("churn", trust=trusted)


@pytest.mark.parametrize("harm", ["readable", "short", "link", "unwritable"])
def test_a_key_that_is_not_this_users_alone_signs_nothing(
    registry: Registry, tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: str
) -> None:
    """Registering goes on without a signature; loading then asks."""
    folder = trust.config_folder()
    key = folder / "key"
    if harm == "unwritable":
        folder.parent.mkdir(parents=True)
        folder.write_text("a file stands there")
    else:
        registry.register("churn", Model())
        if harm == "readable":
            key.chmod(0o644)
        elif harm == "short":
            key.write_bytes(b"x")
        else:
            key.rename(tmp_path / "key")
            key.symlink_to(tmp_path / "key")
    with caplog.at_level(logging.WARNING):
        version = registry.register("churn", Model(), new=True)
    assert version.row.stamp == ""
    assert refused(version).untrusted


def test_a_job_trusts_what_a_file_says(
    registry: Registry, fresh_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`NBREG_TRUST_FILE`, for machines without a home."""
    version = registry.register("churn", Model())
    move_out(monkeypatch, fresh_home)
    file = tmp_path / "trusted"
    monkeypatch.setenv("NBREG_TRUST_FILE", str(file))
    for text in (
        "",
        f"sha256:{version.id[:40]}\n",
        f"# sha256:{version.id}\n",
        "\xff\n",
        f"sha256:{'0' * 64}\n",
    ):
        file.write_text(text, encoding="latin-1")
        refused(version)
    file.write_text(f"# ours\nsha256:{version.id}   # reviewed by ada\n")
    assert isinstance(version.load(), Model)


def test_loading_writes_nothing_to_the_registry(registry: Registry) -> None:
    """And prints nothing."""
    registry.register("churn", Model())

    def state() -> Iterator[tuple[str, int]]:
        return ((str(path), path.stat().st_mtime_ns) for path in sorted(registry.location.rglob("*")))

    before = list(state())
    registry.load("churn")
    registry.load("churn", trust=True)
    assert list(state()) == before


def test_a_decision_does_not_spoil_the_one_before_it(
    registry: Registry, fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editor may leave a file without an end of line: two ids on one line would be none."""
    first, second = registry.register("churn", Model()), registry.register("other", Model())
    move_out(monkeypatch, fresh_home)
    trust.remember(first.id).write_text(f"sha256:{first.id}")

    trust.remember(second.id)

    assert trust.is_remembered(first.id)
    assert trust.is_remembered(second.id)
