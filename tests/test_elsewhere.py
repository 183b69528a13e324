"""Copy, transfer and pull: one version in other places, the same to the byte."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nbreg
from nbreg import Registry
from nbreg.cli import main
from nbreg.errors import (
    BadInputError,
    BadNameError,
    ConflictError,
    DamagedObjectError,
    NameTakenError,
    UnknownVersionError,
    VersionInUseError,
)
from nbreg.families.pickles.inband import inband
from nbreg.registry.exchange import copying


@pytest.fixture
def full(registry: Registry) -> Registry:
    """A model of two versions."""
    rows = np.arange(200_000.0).reshape(-1, 2)
    model = LinearRegression().fit(rows, rows.sum(axis=1))
    model.kept_ = rows  # large enough to be a file of its own
    registry.register(
        "churn", model, version="1.0.5", tags=["eu"], description="d", content={"a": [1]}, metrics={"auc": 0.9},
        data={"train": rows[:50]},
    )  # fmt: skip
    registry.register("churn", {"plain": 1}, version="1.1.0")
    return registry


# copy


def test_a_copy_is_the_same_version_under_another_name(full: Registry) -> None:
    """Equal id, so whoever pinned it means both."""
    made = full.copy("churn@1.0.5")

    source = full.get("churn@1")
    assert (made.ref, made.number, made.id) == ("churn@1.0.5-copy", 3, source.id)
    assert (made.stage, made.tags, made.description) == ("none", ["eu"], "d")
    assert (made.content, made.metrics) == ({"a": [1]}, {"auc": 0.9})
    assert full.copy("churn@1.0.5").name == "1.0.5-copy-2"
    assert full.events("churn", limit=1)[0].facts["source"] == "churn@1"
    assert full.verify().ok
    assert full.purge().leftovers == []


def test_a_copy_in_another_model_has_what_it_is_given(full: Registry) -> None:
    """A customer's variant begins as a copy."""
    made = full.copy(
        "churn@1",
        "acme/churn",
        version="rc1",
        tags=["acme"],
        description="",
        content={"for": "acme"},
        reason="Fork",
    )

    assert (made.ref, made.number, made.tags, made.description) == ("acme/churn@rc1", 1, ["acme"], "")
    assert made.content == {"for": "acme"}
    assert full.load("acme/churn@rc1").predict([[1.0, 2.0]]) == pytest.approx([3.0])
    full.delete("churn@1", "Gone")
    full.purge(dry_run=False, older_than=0)
    assert full.load("acme/churn@1").predict([[1.0, 2.0]]) == pytest.approx([3.0])


def test_a_taken_name_is_refused_or_taken_over(full: Registry) -> None:
    """As in registering."""
    full.copy("churn@1", version="2.0.0")
    with pytest.raises(NameTakenError, match=r"'2.0.0' is a version of that model already"):
        full.copy("churn@2", version="2.0.0")
    with pytest.raises(BadInputError, match="needs a reason"):
        full.copy("churn@2", version="2.0.0", force=True)

    made = full.copy("churn@2", version="2.0.0", force=True, reason="Better")

    assert full.get("churn@2.0.0").number == made.number
    assert full.get("churn@3").name is None


@pytest.mark.parametrize("name", ["production", "latest", "7", "a/b", ""])
def test_a_copy_has_a_name_that_may_be_one(full: Registry, name: str) -> None:
    """An empty one comes of a variable that nobody set: it is no wish for the default."""
    with pytest.raises(BadNameError):
        full.copy("churn@1", version=name)
    assert len(full.versions("churn")) == 2


@pytest.mark.parametrize("verb", ["copy", "transfer"])
def test_a_taken_name_is_told_with_options_that_the_command_has(
    full: Registry, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever types what the hint says gets what it says."""
    full.register("risk", 1, version="1.1.0")
    words = [verb, "churn@2", "risk", "--version", "1.1.0", "--registry", str(full.location)]
    assert main(words) == 1
    told = capsys.readouterr().err
    assert "--version 1.1.0-2 names it otherwise" in told

    assert ("--force" in told) == (verb == "copy")
    if verb == "copy":
        assert main([*words, "--force", "--reason", "Better"]) == 0
        assert full.get("risk@1").name is None
    assert main([*words[:3], "--version", "1.1.0-2", *words[5:]]) == 0
    assert full.get("risk@1.1.0-2").load() == {"plain": 1}


def test_nobody_is_sent_to_restore_what_was_purged(full: Registry) -> None:
    """The hint would lead from one refusal into the next."""
    full.export("churn@2", full.location.parent / "kept.nbreg")
    full.delete("churn@2", "Gone")
    with pytest.raises(UnknownVersionError) as deleted:
        full.load("churn@2")
    full.purge(dry_run=False, older_than=0)
    with pytest.raises(UnknownVersionError) as purged:
        full.load("churn@2")

    assert "restore" in deleted.value.hint
    assert purged.value.hint == "its bytes were purged since: its record is all that is left"
    back = full.import_(full.location.parent / "kept.nbreg")
    assert (back.number, back.id, back.load()) == (3, full.pin(back).partition("sha256:")[2], {"plain": 1})


# transfer


def test_a_transferred_version_is_in_its_new_model_and_on_record_in_the_old(full: Registry) -> None:
    """Nobody who knew the old name is left without an answer."""
    moved = full.transfer("churn@1.0.5", "risk/churn", reason="Reorganised")

    assert (moved.ref, moved.number) == ("risk/churn@1.0.5", 1)
    assert moved.load().predict([[1.0, 2.0]]) == pytest.approx([3.0])
    with pytest.raises(UnknownVersionError) as gone:
        full.get("churn@1.0.5")
    assert gone.value.line == "churn@1.0.5 was transferred by ada (it is risk/churn@1 now)"
    assert [each.number for each in full.versions("churn")] == [2]
    assert full.model("churn").highest == full.get("churn@2").name
    assert full.events("churn", limit=1)[0].kind == "transferred"
    with pytest.raises(ConflictError, match="was transferred to risk/churn@1"):
        full.restore("churn@1")
    full.purge(dry_run=False, older_than=0)
    assert full.load("risk/churn@1").predict([[1.0, 2.0]]) == pytest.approx([3.0])
    assert full.verify().ok


def test_a_version_that_was_transferred_back_is_found_by_its_id(full: Registry) -> None:
    """The id is what lineage and manifests name: it means the version, not what it was here before."""
    pinned = full.pin("churn@1.0.5")
    full.transfer("churn@1.0.5", "risk/churn")
    full.transfer("risk/churn@1.0.5", "churn", version="1.0.6")

    assert full.get(pinned).ref == "churn@1.0.6"
    assert full.verify().ok


def test_what_others_load_by_stage_or_alias_is_not_moved_away(full: Registry) -> None:
    """It would end their service."""
    full.promote("churn@1", "production")
    with pytest.raises(VersionInUseError, match="is in production"):
        full.transfer("churn@1", "risk")
    full.set_alias("churn@2", "champion")
    with pytest.raises(VersionInUseError, match="has the alias 'champion'"):
        full.transfer("churn@2", "risk")
    with pytest.raises(BadInputError, match="is in churn already"):
        full.transfer("churn@2", "churn")

    assert [row.name for row in full.models()] == ["churn"]


def test_a_transfer_that_was_killed_half_way_is_found_and_finished(
    full: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two lines the version is in both models, and in none never."""
    with monkeypatch.context() as patch:
        patch.setattr(copying, "_leave", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            full.transfer("churn@1", "risk")
    assert full.load("risk@1") is not None
    assert [problem.code for problem in full.verify().problems] == ["half-transfer"]

    repaired = full.verify(repair=True)

    assert repaired.repaired == ["churn@1.0.5 has left for risk@1.0.5"]
    assert full.verify().ok
    assert [each.number for each in full.versions("churn")] == [2]


def test_a_half_transfer_is_finished_by_doing_it_again(
    full: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one would, seeing that the command failed."""
    with monkeypatch.context() as patch:
        patch.setattr(copying, "_leave", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            full.transfer("churn@1", "risk")

    moved = full.transfer("churn@1", "risk")

    assert (moved.ref, len(full.versions("risk"))) == ("risk@1.0.5", 1)
    assert full.verify().ok


def meanwhile(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> None:
    """Somebody else is faster: between the arrival in the new model and the leaving of the old one."""
    arrive, done = copying._arrive, []

    def slower(*args: Any, **options: Any) -> Any:
        row = arrive(*args, **options)
        if not done:
            done.append(True)
            work()
        return row

    monkeypatch.setattr(copying, "_arrive", slower)


def test_of_two_transfers_at_once_one_wins(full: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version is in one model."""
    other = Registry(full.location)
    meanwhile(monkeypatch, lambda: other.transfer("churn@1", "theirs"))

    with pytest.raises(ConflictError, match="was transferred to theirs@1 meanwhile"):
        full.transfer("churn@1", "ours")

    assert full.versions("ours") == []
    assert [each.number for each in full.versions("theirs")] == [1]
    assert full.verify().ok


def test_a_version_that_came_into_use_meanwhile_stays(
    full: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alias never points at nothing."""
    other = Registry(full.location)
    meanwhile(monkeypatch, lambda: other.set_alias("churn@1", "champion"))

    with pytest.raises(VersionInUseError, match="has the alias 'champion'"):
        full.transfer("churn@1", "ours")

    assert full.get("churn@champion").number == 1
    assert full.versions("ours") == []
    assert full.events("ours", limit=1)[0].kind == "withdrawn"
    assert full.verify().ok


def test_a_version_that_does_not_bring_all_its_parts_is_not_merged(
    registry: Registry, tmp_path: Path
) -> None:
    """What cannot be loaded there is no version here: whoever relies on it would find out too late."""
    theirs = Registry(tmp_path / "theirs")
    blobs, whole = theirs._desk.folder.blobs, theirs.register("churn", {"n": list(range(300))})
    with blobs.kept():
        batch = blobs.batch()
        batch.add(bytes(blobs.read(whole.id, whole.row.bundle)))
        bundle = batch.commit()
    database = theirs._desk.model("churn")
    with database.transaction("edited", by=theirs._desk.actor):
        database.put("versions", 1, msgspec.structs.replace(whole.row, bundle=bundle))

    with pytest.raises(DamagedObjectError, match="of the parts that its manifest names"):
        registry.merge(Registry(theirs.location))

    assert registry.models() == []


# pull


def test_what_is_pulled_needs_no_nbreg_to_be_read(full: Registry, tmp_path: Path) -> None:
    """The way out of every tool is part of the tool."""
    (tmp_path / "notes.txt").write_text("read me")
    (tmp_path / "vocabulary").mkdir()
    (tmp_path / "vocabulary" / "words.txt").write_text("a b")
    version = full.register(
        "churn",
        full.load("churn@1"),
        params={"C": 1},
        artifacts={"notes": tmp_path / "notes.txt", "vocabulary": tmp_path / "vocabulary"},
        data={"train": np.arange(6.0).reshape(-1, 2)},
        new=True,
    )

    folder = full.pull(version, tmp_path / "out")

    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "artifacts/model.pkl",
        "artifacts/notes.txt",
        "artifacts/vocabulary/words.txt",
        "content.json",
        "model_metadata.json",
        "version.json",
    ]
    out = subprocess.run(
        [sys.executable, "-c", "import pickle; m = pickle.load(open('artifacts/model.pkl', 'rb')); "
         "import sys; print(m.predict([[1.0, 2.0]])[0], m.kept_.shape, 'nbreg' in sys.modules)"],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert out.stdout.split() == ["3.0", "(100000,", "2)", "False"] or out.stdout.startswith("2.99")
    said = json.loads((folder / "version.json").read_text())
    assert (said["ref"], said["manifest"]["params"]) == (full.pin(version), {"C": 1})
    metadata = json.loads((folder / "model_metadata.json").read_text())
    assert metadata["model_name"] == "churn"
    assert metadata["version"] == version.name
    assert metadata["training_date"] == version.created[:10]
    assert metadata["hyperparameters"] == {"C": 1}
    assert metadata["library_versions"]["scikit-learn"] == metadata["sklearn_version"] != ""
    assert metadata["library_versions"]["python"].startswith("3.")
    assert metadata["os"]
    assert len(metadata["dataset_snapshot_id"]["train"]) == 64
    assert metadata["feature_set_version"]
    assert (folder / "model_metadata.json").read_text().startswith('{\n    "model_name"')


def test_files_of_one_name_are_pulled_side_by_side(registry: Registry, tmp_path: Path) -> None:
    """Two folders with a `config.json` each are how tokenizers and models lie about."""
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(name)
    (tmp_path / "c" / "config.json").rename(tmp_path / "c" / "CONFIG.json")
    (tmp_path / "model.pkl").write_text("not the model")
    (tmp_path / "b" / "words").mkdir()
    (tmp_path / "b" / "words" / "w.txt").write_text("w")
    (tmp_path / "words").write_text("a file")
    registry.register(
        "churn",
        {"n": 1},
        artifacts={
            "first": tmp_path / "a" / "config.json", "second": tmp_path / "b" / "config.json",
            "third": tmp_path / "c" / "CONFIG.json", "given": tmp_path / "model.pkl",
            "words": tmp_path / "b" / "words", "file": tmp_path / "words",
        },
    )  # fmt: skip

    folder = registry.pull("churn@1", tmp_path / "out") / "artifacts"

    assert {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    } == {
        "model.pkl": pickle.dumps({"n": 1}, 5)[:2] + pickle.dumps({"n": 1}, 5)[11:],
        "config.json": b"a",
        "second/config.json": b"b",
        "third/CONFIG.json": b"c",
        "given/model.pkl": b"not the model",
        "words/w.txt": b"w",
        "file/words": b"a file",
    }


def test_a_joblib_file_goes_in_and_out_as_it_is(registry: Registry, tmp_path: Path) -> None:
    """What a job dumped is a version without being loaded, and joblib reads what comes out."""
    joblib = pytest.importorskip("joblib")
    rows = np.arange(8.0).reshape(-1, 2)
    joblib.dump(LinearRegression().fit(rows, rows.sum(axis=1)), tmp_path / "model.joblib")

    registry.register("churn", tmp_path / "model.joblib")
    folder = registry.pull("churn@1", tmp_path / "out")

    (out,) = (folder / "artifacts").iterdir()
    assert out.read_bytes() == (tmp_path / "model.joblib").read_bytes()
    assert joblib.load(out).predict([[1.0, 2.0]]) == pytest.approx([3.0])
    assert joblib.load(registry.load("churn@1")).predict([[1.0, 2.0]]) == pytest.approx([3.0])


def test_the_metadata_is_one_flat_file_of_what_is_asked_first(registry: Registry, tmp_path: Path) -> None:
    """Which features, of which data, with which settings: read by a tool that has never heard of nbreg."""
    rows = pd.DataFrame({"age": [20, 30, 40], "income": [1.0, 2.0, 4.0]})
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(rows, [1, 2, 3])
    data = {"train": nbreg.Dataset("customers", rows)}
    version = registry.register("churn", model, data=data, metrics={"r2": 0.9})

    said = json.loads((version.pull(tmp_path / "out") / "model_metadata.json").read_text())

    assert (said["model_name"], said["version"], said["training_date"]) == (
        "churn",
        "1.0.0",
        version.created[:10],
    )
    assert (said["features"], said["datasets"]) == (["age", "income"], {"train": ["customers@1"]})
    assert said["dataset_snapshot_id"] == {"train": version.datasets[0].snapshot}
    assert (said["feature_set_version"], said["feature_set"]) == (1, version.data.feature_set)
    assert (said["hyperparameters"]["linearregression__fit_intercept"], said["metrics"]) == (
        True,
        {"r2": 0.9},
    )
    assert said["sklearn_version"] == said["library_versions"]["scikit-learn"] == sklearn.__version__


def test_without_artifacts_only_what_is_recorded_is_pulled(full: Registry, tmp_path: Path) -> None:
    """A gigabyte stays where it is."""
    folder = full.pull("churn@1", tmp_path / "out", artifacts=False)

    assert sorted(path.name for path in folder.iterdir()) == [
        "content.json",
        "model_metadata.json",
        "version.json",
    ]


def test_a_folder_that_is_not_empty_keeps_what_is_in_it(full: Registry, tmp_path: Path) -> None:
    """Nobody's work is swept away by a download."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(ConflictError, match="is not empty"):
        full.pull("churn@1", folder)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]

    full.pull("churn@1", folder, overwrite=True)
    full.pull("churn@2", folder, overwrite=True)

    assert (folder / "mine.txt").read_text() == "mine"
    assert json.loads((folder / "version.json").read_text())["number"] == 2
    assert pickle.loads((folder / "artifacts" / "model.pkl").read_bytes()) == {"plain": 1}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []


def test_a_link_in_the_folder_leads_nowhere_else(full: Registry, tmp_path: Path) -> None:
    """A folder that somebody prepared does not make us write into another one."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "artifacts").symlink_to(elsewhere)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "notes.txt").write_text("x")
    full.register("notes", tmp_path / "deep")

    for ref in ("churn@1", "notes@1"):
        with pytest.raises(BadInputError, match="leads out of"):
            full.pull(ref, tmp_path / "out", overwrite=True)

    assert list(elsewhere.iterdir()) == []
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["artifacts"]


def test_stream_and_buffers_that_do_not_fit_are_damage() -> None:
    """Half a model is none."""
    buffers: list[pickle.PickleBuffer] = []
    stream = pickle.dumps(np.arange(5.0), protocol=5, buffer_callback=buffers.append)

    whole = b"".join(inband(stream, [each.raw() for each in buffers]))

    assert pickle.loads(whole).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(DamagedObjectError, match="more buffers"):
        b"".join(inband(stream, []))
    with pytest.raises(DamagedObjectError, match="cannot be read"):
        b"".join(inband(b"\xff" + stream, []))


def test_an_array_that_cannot_be_written_to_stays_so() -> None:
    """Read-only buffers come back as bytes, as plain pickle has them."""
    array = np.frombuffer(b"x" * 16)
    buffers: list[pickle.PickleBuffer] = []
    stream = pickle.dumps(array, protocol=5, buffer_callback=buffers.append)

    again = pickle.loads(b"".join(inband(stream, [each.raw() for each in buffers])))

    assert again.tolist() == array.tolist()
    assert not again.flags.writeable


def test_the_command_line_does_all_three(
    full: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For jobs that deploy."""
    where = ["--registry", str(full.location)]

    assert main(["copy", "churn@1", "--version", "rc1", "--reason", "Try", *where]) == 0
    assert main(["transfer", "churn@2", "other", "--json", *where]) == 0
    assert main(["pull", "churn@rc1", str(tmp_path / "one"), *where]) == 0
    assert main(["pull", "churn", str(tmp_path / "all"), "--all-versions", "--no-artifacts", *where]) == 0
    assert main(["pull", "churn@rc1", str(tmp_path / "one"), *where]) == 1
    assert main(["pull", "churn", str(tmp_path / "some"), "--query", 'name == "rc1"', *where]) == 0

    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["1", "3"]
    assert not list((tmp_path / "all").rglob("artifacts"))
    assert [path.name for path in (tmp_path / "some").iterdir()] == ["3"]
    assert (tmp_path / "some" / "3" / "artifacts").is_dir()
    assert "is not empty" in capsys.readouterr().err


def test_a_pin_holds_as_long_as_any_version_of_that_id_is_there(full: Registry) -> None:
    """A reference that never moves may not die with one of two copies."""
    copied = full.copy("churn@1")
    pin = full.pin(copied)

    full.transfer("churn@1", "elsewhere")

    assert full.get(pin).number == copied.number
    assert full.pin(copied) == pin
    full.delete(copied, "Gone")
    with pytest.raises(UnknownVersionError):
        full.get(pin)
