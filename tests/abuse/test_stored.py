"""Attacks by someone who can write every file of a registry, and makes all digests right again."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from assembler import SHELL
from victim import artifact_of, canary_sings, outcome

from nbreg import Registry, families
from nbreg.families.pickles.inband import inband
from nbreg.records import digest_of
from nbreg.settings import Settings

SETTINGS = Settings(capture=False)
EVIL = pickle.dumps(SHELL, 5)
REFUSED = ("not-trusted", "object-damaged", "journal-damaged", "unknown-artifact", "unknown-version")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=SETTINGS)


def planted(registry: Registry, dumped: families.Dumped) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(families, "dump", lambda name, value, take: dumped)
        return registry.register("churn", 1)


def rewritten(registry: Registry, change: Callable[[bytes], bytes], row: dict[str, Any]) -> None:
    """A version with another manifest, its digests all right, and other fields in its row."""
    version = planted(registry, artifact_of(EVIL, [b"x" * 64]))
    replaced(registry, version, change, [EVIL, b"x" * 64], row)


def replaced(
    registry: Registry,
    version: Any,
    change: Callable[[bytes], bytes],
    parts: list[bytes],
    row: dict[str, Any],
) -> None:
    """The version after somebody put another manifest in the place of its own."""
    blobs = registry._desk.folder.blobs
    old = version.row
    raw = change(bytes(blobs.read(old.id, old.bundle)))
    with blobs.kept():
        batch = blobs.batch()
        new = batch.add(raw).digest
        for data in parts:
            batch.add(data)
        bundle = batch.commit()
    fields = {"id": new, "bundle": bundle, **row}
    database = registry._desk.model("churn")
    with database.transaction("edited", by=registry._desk.actor):
        database.put("versions", 1, msgspec.structs.replace(old, **fields))


def loading(registry: Registry) -> str:
    def work() -> None:
        fresh = Registry(registry.location, settings=SETTINGS)
        fresh.models()
        fresh.load("churn", trust=False)

    return outcome(work)


def artifact(**fields: Any) -> Callable[[bytes], bytes]:
    """The manifest with other fields in its artifact."""

    def change(raw: bytes) -> bytes:
        told = json.loads(raw)
        told["artifacts"][0].update(fields)
        return json.dumps(told).encode()

    return change


def whole(**fields: Any) -> Callable[[bytes], bytes]:
    return lambda raw: json.dumps({**json.loads(raw), **fields}).encode()


def chunk(**fields: Any) -> Callable[[bytes], bytes]:
    def change(raw: bytes) -> bytes:
        told = json.loads(raw)
        told["artifacts"][0]["chunks"][0].update(fields)
        return json.dumps(told).encode()

    return change


def in_text(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda raw: raw.replace(old, new, 1)


def reversed_chunks(raw: bytes) -> bytes:
    told = json.loads(raw)
    told["artifacts"][0]["chunks"].reverse()
    return json.dumps(told).encode()


def same(raw: bytes) -> bytes:
    return raw


DEEP = b"[" * 100_000 + b"]" * 100_000
MANIFESTS: dict[str, tuple[Callable[[bytes], bytes], dict[str, Any]]] = {
    "a list of globals that is empty": (artifact(globals=[]), {}),
    "a list of globals that is harmless": (artifact(globals=["builtins.dict"]), {}),
    "a form that is none": (artifact(form="json"), {}),
    "a form that says it runs nothing": (artifact(form="safetensors"), {}),
    "a family that is not here": (artifact(family="nbreg.families.files"), {}),
    "a family that is a module": (artifact(family="os"), {}),
    "a family for files": (artifact(family="files", kind="file"), {}),
    "a family for files without a kind": (artifact(family="files"), {}),
    "a kind that is none": (artifact(kind="program"), {}),
    "a digest of nothing": (chunk(digest="0" * 64), {}),
    "a digest that is a path": (chunk(digest="../" * 21 + "x"), {}),
    "a digest that is short": (chunk(digest="ab"), {}),
    "a digest in other digits": (chunk(digest="\u0661" * 64), {}),
    "a negative size": (chunk(size=-1), {}),
    "a size beyond all": (chunk(size=1 << 70), {}),
    "a size that is no number": (in_text(b'"size":', b'"size":NaN,"x":'), {}),
    "chunks in another order": (reversed_chunks, {}),
    "no chunks": (artifact(chunks=[]), {}),
    "facts nested without end": (in_text(b'"facts":{}', b'"facts":{"a":' + DEEP + b"}"), {}),
    "params nested without end": (in_text(b'"params":{}', b'"params":{"a":' + DEEP + b"}"), {}),
    "a key twice": (in_text(b'"globals":', b'"globals":["builtins.dict"],"globals":'), {}),
    "megabytes of facts": (artifact(facts={"a": "x" * 20_000_000}), {}),
    "a manifest that is none": (lambda raw: b"null", {}),
    "a manifest that is empty": (lambda raw: b"{}", {}),
    "a manifest cut off": (lambda raw: raw[:-9], {}),
    "a manifest that is no text": (lambda raw: b"\xff" + raw, {}),
    "a stamp of zeros": (same, {"stamp": "0" * 64}),
    "a stamp that is no digest": (same, {"stamp": "true"}),
    "a stamp that is the id": (same, {"stamp": digest_of(EVIL)}),
    "an id that is a path": (same, {"id": "../" * 21 + "x"}),
    "a bundle that is a path": (same, {"bundle": "/etc/passwd"}),
    "a bundle that is a part": (same, {"bundle": digest_of(EVIL)}),
    "a bundle with a NUL in its name": (same, {"bundle": "\0" * 64}),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_that_nobody_wrote_runs_nothing(registry: Registry, name: str) -> None:
    """What a manifest says of its bytes is not believed: the bytes are asked."""
    change, row = MANIFESTS[name]
    rewritten(registry, change, row)
    told = loading(registry)
    assert told in REFUSED or (told == "loaded" and "files" in name), told
    assert not canary_sings()
    fresh = Registry(registry.location, settings=SETTINGS)
    assert outcome(fresh.verify) == "loaded", "a report, whatever stands there"


PATHS = {
    "up": "../canary", "up within": "a/../../canary", "absolute": "/tmp/canary", "a home": "..", "itself": ".",
    "nothing": "", "a NUL": "a\0b", "a long name": "x" * 4000, "slashes": "//canary", "back at the end": "a/..",
}  # fmt: skip


@pytest.mark.parametrize("name", PATHS)
def test_a_file_stays_in_its_folder(registry: Registry, name: str) -> None:
    """A stored path that leads elsewhere is damage, before a byte is copied."""
    entry = {"path": PATHS[name], "digest": digest_of(EVIL), "size": len(EVIL)}
    rewritten(registry, artifact(family="files", kind="folder", files=[entry]), {})
    assert loading(registry) == "object-damaged"
    assert not Path("/tmp/canary").exists()


@pytest.mark.parametrize("paths", [["a", "a"], ["a", "A"], ["a", "a/b"], ["é", "e\u0301"], ["a", "./a"]])
def test_two_files_in_one_place_are_told_or_kept_apart(registry: Registry, paths: list[str]) -> None:
    """One of them would take the place of the other after it was looked at."""
    entries = [{"path": each, "digest": digest_of(EVIL), "size": len(EVIL)} for each in paths]
    rewritten(registry, artifact(family="files", kind="folder", files=entries), {})
    assert loading(registry) == ("loaded" if paths[1] in ("A", "e\u0301") else "object-damaged")


HARMLESS = pickle.dumps({"n": 1}, 5)
ASKING = pickle.dumps(np.zeros(1 << 14), 5, buffer_callback=lambda _: None)
"""For one buffer of 128 KiB."""


def beside(registry: Registry, stream: bytes, change: Callable[[bytes], bytes] = same) -> str:
    """What comes of loading a stream with 128 KiB of zeros beside it, under a changed manifest."""
    version = planted(registry, artifact_of(stream, [bytes(1 << 17)]))
    replaced(registry, version, change, [stream, bytes(1 << 17)], {})
    return loading(registry)


def many(raw: bytes) -> bytes:
    """The buffer is named twenty thousand times: 2.6 GB of memory in a megabyte of text."""
    told = json.loads(raw)
    told["artifacts"][0]["chunks"] += told["artifacts"][0]["chunks"][1:] * 20_000
    return json.dumps(told).encode()


def test_a_buffer_is_what_its_stream_asks_for(registry: Registry) -> None:
    """Else the next ones would be refused for another reason."""
    assert beside(registry, ASKING) == "loaded"


@pytest.mark.parametrize("stream", [HARMLESS, ASKING])
def test_a_part_that_is_named_many_times_fills_no_memory(registry: Registry, stream: bytes) -> None:
    """What a stream does not ask for is not read, and says that nobody wrote this."""
    assert beside(registry, stream, many) == "not-trusted"


@pytest.mark.parametrize("size", [1, (1 << 17) - 1, (1 << 17) + 1, 1 << 40])
def test_a_part_has_the_size_that_the_manifest_says(registry: Registry, size: int) -> None:
    """The card of a model tells what loading it will take."""

    def lying(raw: bytes) -> bytes:
        told = json.loads(raw)
        told["artifacts"][0]["chunks"][1]["size"] = size
        return json.dumps(told).encode()

    assert beside(registry, ASKING, lying) == "object-damaged"


@pytest.mark.parametrize("size", [0, len(HARMLESS) - 1, 1 << 40])
def test_a_file_has_the_size_that_the_manifest_says(registry: Registry, size: int) -> None:
    """So that the room can be asked for before the first byte is copied."""
    entry = {"path": "a", "digest": digest_of(EVIL), "size": size}
    rewritten(registry, artifact(family="files", kind="folder", files=[entry]), {})
    assert loading(registry) == ("no-space" if size == 1 << 40 else "object-damaged")


def test_two_artifacts_of_one_name_are_both_looked_at(registry: Registry, tmp_path: Path) -> None:
    """One that is harmless does not vouch for its namesake."""

    def twice(raw: bytes) -> bytes:
        told = json.loads(raw)
        harmless = {"digest": digest_of(HARMLESS), "size": len(HARMLESS)}
        told["artifacts"].insert(0, {**told["artifacts"][0], "chunks": [harmless]})
        return json.dumps(told).encode()

    version = planted(registry, artifact_of(EVIL, []))
    replaced(registry, version, twice, [EVIL, HARMLESS], {})
    assert loading(registry) == "not-trusted"
    assert outcome(lambda: registry.pull("churn", tmp_path / "out")) == "loaded"
    pulled = {path.read_bytes() for path in (tmp_path / "out").rglob("*.pkl")}
    assert pulled == {b"".join(inband(each, [])) for each in (EVIL, HARMLESS)}
    assert not canary_sings()


@pytest.mark.parametrize("name", ["../../canary", "/tmp/canary", "..", "a/../../canary", "\0", "x" * 4000])
@pytest.mark.parametrize("kind", ["file", "folder", "object"])
def test_an_artifact_named_like_a_path_is_pulled_nowhere(
    registry: Registry, tmp_path: Path, name: str, kind: str
) -> None:
    """Also one whose file has a namesake, so that it goes below the artifact's name."""

    def twice(raw: bytes) -> bytes:
        told = json.loads(raw)
        entry = {"path": "config.json", "digest": digest_of(EVIL), "size": len(EVIL)}
        held = {"kind": "file", "family": "files", "files": [entry]}
        first = {**told["artifacts"][0], **held}
        other = {"kind": kind, "name": name, **(held if kind == "file" else {})}
        if kind == "folder":
            other |= {"family": "files", "files": [entry]}
        told["artifacts"] = [first, {**told["artifacts"][0], **other}]
        return json.dumps(told).encode()

    version = planted(registry, artifact_of(EVIL, []))
    replaced(registry, version, twice, [EVIL], {})
    out = tmp_path / "deep" / "er" / "out"
    told = outcome(lambda: registry.pull("churn", out))
    assert told == "object-damaged" or (told == "loaded" and kind == "object"), "such as `...pkl`"
    written = [each for each in tmp_path.rglob("*") if "canary" in each.name or each.name == "config.json"]
    assert all(each.is_relative_to(out) for each in written)
    assert not Path("/tmp/canary").exists()


LINKS = {"a file of the user's": "/etc/passwd", "nothing": "nowhere", "itself": ".", "a device": "/dev/zero"}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_in_place_of_an_object_is_not_followed(registry: Registry, name: str) -> None:
    """An object is a file of the registry's own."""
    version = planted(registry, artifact_of(EVIL, []))
    path = registry._desk.folder.blobs.path(version.row.bundle)
    path.unlink()
    path.symlink_to(LINKS[name])
    assert loading(registry) == "object-damaged"


LINES = {
    "a line of brackets": DEEP,
    "a line of zeros": b"\0" * 100_000,
    "a line that is not JSON": b"{]",
    "a line with another's hash": b'{"seq":2,"hash":"' + b"0" * 64 + b'"}',
    "a line of a number": b"1",
}


@pytest.mark.parametrize("name", LINES)
def test_a_journal_line_that_nobody_sealed_is_not_read(registry: Registry, name: str) -> None:
    """The chain ends before it: what stands there is not part of the history."""
    planted(registry, artifact_of(pickle.dumps({"n": 1}, 5), []))
    with (registry.location / "models" / "churn.model" / "journal.jsonl").open("ab") as file:
        file.write(LINES[name] + b"\n")
    assert loading(registry) == "loaded", "what stands before is good"

    def writing() -> None:
        Registry(registry.location, settings=SETTINGS).set_alias("churn@1", "x")

    assert outcome(writing) == "journal-damaged"


@pytest.mark.parametrize("where", ["facts", "docs"])
def test_a_sealed_line_nested_without_end_is_damage(registry: Registry, where: str) -> None:
    """Whoever can write the file can make the hash right; what is inside has to be bearable all the same."""
    planted(registry, artifact_of(pickle.dumps({"n": 1}, 5), []))
    path = registry.location / "models" / "churn.model" / "journal.jsonl"
    (line,) = path.read_bytes().splitlines()
    body = line[: -len('"hash":""}') - 65]
    told = json.loads(body + b"}")
    told |= {"seq": 2, "prev": line[-66:-2].decode(), "facts": {}, "keys": [["versions", "2"]], "docs": [0]}
    raw = json.dumps(told, separators=(",", ":")).encode()[:-1]
    raw = (
        raw.replace(b'"docs":[0]', b'"docs":[%b]' % DEEP)
        if where == "docs"
        else raw.replace(b'"facts":{}', b'"facts":{"a":%b}' % DEEP)
    )
    with path.open("ab") as file:
        file.write(raw + b',"hash":"' + digest_of(raw).encode() + b'"}\n')

    def work() -> None:
        fresh = Registry(registry.location, settings=SETTINGS)
        fresh.models()
        fresh.versions("churn")

    assert outcome(work) in ("loaded", "journal-damaged")
    assert outcome(Registry(registry.location, settings=SETTINGS).verify) == "loaded"


TRUST = {
    "everything": "*", "a prefix": "sha256:", "an empty digest": "sha256:\n\n", "a pattern": "sha256:.*",
    "the model": "churn", "the id without its kind": "{id}", "half of the id": "sha256:{half}",
    "the id in a comment": "# sha256:{id}", "the id in capitals": "SHA256:{id}", "the id, and more": "sha256:{id}0",
}  # fmt: skip


@pytest.mark.parametrize("name", TRUST)
def test_only_a_whole_id_is_a_decision(registry: Registry, tmp_path: Path, name: str) -> None:
    """A trust file that says something vague says nothing."""
    version = planted(registry, artifact_of(EVIL, []))
    trusted = tmp_path / "trusted"
    trusted.write_text(TRUST[name].format(id=version.id, half=version.id[:32]) + "\n")

    def work() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NBREG_TRUST_FILE", str(trusted))
            Registry(registry.location, settings=SETTINGS).load("churn")

    assert outcome(work) == "not-trusted"
    assert not canary_sings()
