"""Export and import: a version leaves in a single file or a folder, and comes back the same."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from nbreg import Registry
from nbreg.cli import main
from nbreg.errors import (
    BadInputError,
    BadNameError,
    ConflictError,
    DamagedObjectError,
    NbregError,
    StoreError,
    TrustError,
)


class Model:
    """Needs somebody's word to be loaded."""

    def predict(self, rows: list[float]) -> list[float]:
        return [2 * row for row in rows]


@pytest.fixture
def archive(registry: Registry, tmp_path: Path) -> Path:
    """A version with shared, large and small parts, in a file."""
    registry.register("churn", {"first": 1})
    version = registry.register(
        "churn",
        Model(),
        version="1.1.0",
        artifacts={"table": np.arange(100_000.0)},
        tags=["eu"],
        metrics={"auc": 0.9},
        content={"a": 1},
        description="d",
        data={"train": np.arange(20.0).reshape(-1, 2)},
    )
    registry.promote(version, "production", reason="Best")
    return registry.export(version, tmp_path / "churn.nbreg")


@pytest.fixture
def other(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "other")


def test_a_version_comes_back_the_same(registry: Registry, archive: Path, other: Registry) -> None:
    """Another machine, another registry, one file in between."""
    source = registry.get("churn@2")

    version = other.import_(archive, reason="FromAda")

    assert (version.ref, version.number, version.id) == ("churn@1.1.0", 1, source.id)
    assert version.manifest == source.manifest
    assert (version.tags, version.metrics, version.content, version.description) == (
        ["eu"],
        {"auc": 0.9},
        {"a": 1},
        "d",
    )
    assert (version.stage, version.actor.user) == ("none", "ada")
    assert version.load("table").tolist() == list(range(100_000))
    assert version.load().predict([1.0]) == [2.0]
    assert version.recipe == source.recipe
    assert other.events("churn")[0].kind == "imported"
    assert other.verify().ok
    assert other.purge().leftovers == []
    again = other.import_(archive)
    assert (again.number, again.existing) == (1, True)


def test_the_same_version_gives_the_same_file(registry: Registry, archive: Path, tmp_path: Path) -> None:
    """So that its digest can be written down."""
    assert registry.export("churn@2", tmp_path / "again").read_bytes() == archive.read_bytes()
    with pytest.raises(ConflictError, match="is there already"):
        registry.export("churn@2", archive)


def test_an_export_is_on_the_disk_before_it_is_said_to_be_there(
    registry: Registry, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has the file may purge the version: a power cut must not leave neither."""

    def fails(fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(StoreError, match="Input/output error"):
            registry.export("churn@2", tmp_path / "out.nbreg")

    assert [each.name for each in tmp_path.iterdir() if "out" in each.name] == []


def test_a_link_beside_the_file_leads_the_export_nowhere(
    registry: Registry, archive: Path, tmp_path: Path
) -> None:
    """In a folder that others write to, no name can be guessed that would be written through."""
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / ".again.nbreg.part").symlink_to(victim)

    registry.export("churn@2", tmp_path / "again.nbreg")

    assert victim.read_text() == "kept"
    assert (tmp_path / "again.nbreg").read_bytes() == archive.read_bytes()


def test_it_comes_in_under_another_name_or_without_a_taken_one(archive: Path, other: Registry) -> None:
    """Names are given here; what was there before keeps its own."""
    for step in range(2):
        other.register("churn", {"mine": step}, version=f"1.{step}.0")

    assert other.import_(archive).name is None
    assert other.import_(archive, "acme/churn").ref == "acme/churn@1.1.0"
    with pytest.raises(BadNameError):
        other.import_(archive, "../churn")


def test_a_version_that_was_deleted_comes_in_once_more_and_only_once(
    registry: Registry, archive: Path
) -> None:
    """Who lost it by mistake imports it, perhaps twice."""
    lost = registry.get("churn@2")
    registry.delete(lost, reason="Mistake", include_protected=True)

    numbers = [registry.import_(archive).number for _ in range(2)]

    assert numbers == [3, 3]
    assert registry.get(f"churn@sha256:{lost.id}").number == 3
    assert registry.verify().ok


@pytest.mark.parametrize("name", ["production", "latest", "7", 7, "../../x", "<b>", "a" * 5000, "churn@1"])
def test_what_may_be_no_name_here_is_left_out(name: object, archive: Path, other: Registry) -> None:
    """A stranger's version is nobody's `production`, and its name is no path."""

    def rename(members: dict[str, bytes]) -> None:
        said = json.loads(members["version.json"]) | {"name": name}
        members["version.json"] = json.dumps(said).encode()

    version = other.import_(rewritten(archive, rename))

    assert version.name is None
    assert other.get("churn@1").id == version.id


def test_a_stranger_s_version_never_stands_for_what_is_registered(
    registry: Registry, archive: Path, other: Registry
) -> None:
    """Its manifest may claim any content: then one's own model would not be stored, and theirs be loaded."""
    model = {"weights": [1, 2]}
    claimed = registry.register("mine", model).content_digest

    def claim(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"]) | {"content_digest": claimed}
        members["manifest.json"] = json.dumps(manifest).encode()
        version = json.loads(members["version.json"])
        version |= {"id": sha256(members["manifest.json"]).hexdigest(), "model": "mine"}
        members["version.json"] = json.dumps(version).encode()

    other.import_(rewritten(archive, claim))
    version = other.register("mine", model)

    assert (version.number, version.existing) == (2, False)
    assert version.load() == model


def test_what_comes_from_a_stranger_is_not_run(
    archive: Path, other: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file from the internet has nobody's word yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "stranger"))
    version = other.import_(archive)

    with pytest.raises(TrustError):
        version.load()
    assert version.load("table").shape == (100_000,)


def rewritten(
    archive: Path, change: Callable[[dict[str, bytes]], None], packing: int = zipfile.ZIP_STORED
) -> Path:
    with zipfile.ZipFile(archive) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    change(members)
    out = archive.with_name("rewritten.nbreg")
    with zipfile.ZipFile(out, "w", packing) as written:
        for name, data in members.items():
            written.writestr(name, data)
    return out


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def part(members: dict[str, bytes]) -> str:
    return max((name for name in members if name.startswith("parts/")), key=lambda name: len(members[name]))


CHANGES: dict[str, Callable[[dict[str, bytes]], None]] = {
    "a part was changed": lambda m: m.update({part(m): flipped(m[part(m)])}),
    "what was captured is missing": lambda m: (
        m.pop("parts/" + json.loads(m["manifest.json"])["environment"]["digest"]) and None
    ),
    "a part is missing": lambda m: [m.pop(name) for name in list(m) if name.startswith("parts/")] and None,
    "the manifest was changed": lambda m: m.update(
        {"manifest.json": m["manifest.json"].replace(b"eu", b"us") + b" "}
    ),
    "another manifest": lambda m: m.update({"manifest.json": b"{}"}),
    "the manifest is missing": lambda m: m.pop("manifest.json") and None,
    "the row is no JSON": lambda m: m.update({"version.json": b"{" * 100_000}),
    "the row is a list": lambda m: m.update({"version.json": b"[]"}),
    "an event was changed": lambda m: m.update({"events.jsonl": m["events.jsonl"].replace(b"Best", b"Bost")}),
    "a member that leaves": lambda m: m.update({"../../evil": b"x"}),
    "a member with a path as digest": lambda m: m.update({"parts/../../../" + "a" * 55: b"x"}),
    "a program beside": lambda m: m.update({"setup.py": b"x"}),
    "a model that leaves": lambda m: m.update(
        {"version.json": m["version.json"].replace(b'"churn"', b'"../churn"')}
    ),
    "tags that are none": lambda m: m.update({"version.json": m["version.json"].replace(b'"eu"', b"7")}),
    "metrics that are none": lambda m: m.update(
        {"version.json": m["version.json"].replace(b"0.9", b'"high"')}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_archive_that_was_tampered_with_changes_nothing(
    archive: Path, other: Registry, change: str
) -> None:
    """Every byte is checked, down from the id."""
    with pytest.raises(NbregError) as caught:
        other.import_(rewritten(archive, CHANGES[change]))

    assert caught.value.code in ("object-damaged", "bad-input", "bad-name", "bad-value")
    assert other.models() == []
    assert other.verify().ok or not other.location.exists() or other.verify().versions == 0


def test_an_archive_that_unpacks_to_more_than_it_is_is_refused(archive: Path, other: Registry) -> None:
    """A kilobyte that becomes a terabyte."""
    packed = rewritten(archive, lambda members: None, zipfile.ZIP_DEFLATED)

    with pytest.raises(DamagedObjectError, match="is packed, as nbreg packs none"):
        other.import_(packed)


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 100])
def test_what_is_no_archive_is_refused(content: bytes, other: Registry, tmp_path: Path) -> None:
    """With the line that says what one is."""
    (tmp_path / "x").write_bytes(content)

    with pytest.raises(BadInputError, match="is no archive"):
        other.import_(tmp_path / "x")
    with pytest.raises(NbregError, match="cannot be read"):
        other.import_(tmp_path / "nowhere")


def test_a_folder_for_the_hub_has_a_model_card(registry: Registry, tmp_path: Path) -> None:
    """With what people ask first; hostile text is text."""
    yaml = pytest.importorskip("yaml", reason="pyyaml is not installed")
    registry.register(
        "churn",
        {"weights": 1},
        metrics={"a|b": 0.9},
        params={"C": "<script>alert(1)</script>", "n": 3},
        tags=["eu: [x"],
        description="# not a heading\n<img src=x onerror=alert(1)>",
    )

    folder = registry.export("churn@1", tmp_path / "hub", "huggingface")

    card = (folder / "README.md").read_text()
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["tags"] == ["nbreg", "eu: [x"]
    assert front["model-index"][0]["results"][0]["metrics"] == [{"type": "a|b", "value": 0.9}]
    assert "<script" not in card
    assert "<img" not in card
    assert "\n# not a heading" not in card
    assert "| a\\|b | 0.9 |" in card
    assert (folder / "artifacts" / "model.pkl").exists()
    assert json.loads((folder / "version.json").read_text())["number"] == 1


def test_a_format_that_is_not_there_is_refused(registry: Registry, tmp_path: Path) -> None:
    """With those that are."""
    registry.register("churn", {"weights": 1})

    with pytest.raises(BadInputError) as caught:
        registry.export("churn@1", tmp_path / "x", "huggingfase")
    assert caught.value.hint == "did you mean 'huggingface'?"


def test_the_command_line_exports_and_imports(
    registry: Registry, archive: Path, other: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Between two machines that have nothing in common but a file."""
    assert main(["export", "churn@2", str(tmp_path / "a"), "--registry", str(registry.location)]) == 0
    assert main(["import", str(tmp_path / "a"), "--registry", str(other.location), "--json"]) == 0

    told = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert (told["model"], told["number"]) == ("churn", 1)


@pytest.mark.parametrize(
    "form", ["archive", "huggingface", "mlflow", "skops", "pull", "environment", "notebook", "script"]
)
def test_the_folder_above_is_made_whatever_is_written(registry: Registry, form: str, tmp_path: Path) -> None:
    """`mkdir` before three of the verbs and not before the other five is nothing to remember."""
    if form == "skops":
        pytest.importorskip("skops", reason="skops is not installed")
    version = registry.register("churn", LogisticRegression().fit([[0.0], [1.0]], [0, 1]))
    target = tmp_path / "not" / "there" / ("yet.ipynb" if form == "notebook" else "yet.py")
    writing = {
        "pull": lambda: registry.pull(version, target),
        "environment": lambda: version.export_environment(target),
        "notebook": lambda: version.recipe.to_notebook(target),
        "script": lambda: version.recipe.to_script(target),
    }
    writing.get(form, lambda: registry.export(version, target, form))()

    assert target.exists()
    assert [each.name for each in target.parent.iterdir()] == [target.name]
