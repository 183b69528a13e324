"""Archives that `nbreg export` never wrote: they take nothing in, write nowhere else, and hold no more than they are."""

from __future__ import annotations

import json
import os
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from victim import canary_sings, outcome

from nbreg import Registry
from nbreg.records import digest_of
from nbreg.settings import Settings

SETTINGS = Settings(capture=False)
REFUSED = ("object-damaged", "bad-input", "bad-name")
DEEP = b"[" * 100_000 + b"]" * 100_000
DOCUMENTS = ("manifest.json", "version.json", "events.jsonl")
Members = list[tuple[str, bytes]]


def plain(members: Members) -> list[tuple[str, bytes, bytes]]:
    return [(name, data, data) for name, data in members]


def overlapping(members: Members) -> list[tuple[str, bytes, bytes]]:
    """Two hundred parts, each of which is the next one with its header: name, what it is, what is written."""
    held, parts = bytes(50_000), []
    for _ in range(200):
        name = f"parts/{digest_of(held)}"
        parts.append((name, held, b""))
        held = header(name, held) + held
    _, last, _ = parts[0]
    return [*plain(members), *reversed([(parts[0][0], last, last), *parts[1:]])]


def header(name: str, data: bytes, flags: int = 0) -> bytes:
    told = name.encode(errors="surrogateescape")
    sizes = zlib.crc32(data), len(data), len(data), len(told), 0
    return struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, flags, 0, 0, 33, *sizes) + told


def entry(name: str, data: bytes, at: int, flags: int, mode: int) -> bytes:
    told = name.encode(errors="surrogateescape")
    sizes = zlib.crc32(data), len(data), len(data), len(told), 0, 0, 0, 0, mode << 16, at
    return struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0x314, 20, flags, 0, 0, 33, *sizes) + told


def written(members: list[tuple[str, bytes, bytes]], flags: int = 0, mode: int = 0o600) -> bytes:
    """A zip by hand: of each member its name, what it is said to hold, and what stands after its header."""
    body, index = b"", b""
    for name, data, own in members:
        index += entry(name, data, len(body), flags, mode)
        body += header(name, data, flags) + own
    count = len(members)
    return body + index + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(index), len(body), 0)


def renamed(name: str, data: bytes = b"x") -> Callable[[Members], bytes]:
    """With one more member."""
    return lambda members: written(plain([*members, (name, data)]))


def changed(name: str, old: bytes, new: bytes) -> Callable[[Members], bytes]:
    """With another text in one of the documents."""

    def change(members: Members) -> bytes:
        assert any(each == name and old in data for each, data in members), "else nothing would be changed"
        return written(
            plain([(each, data.replace(old, new) if each == name else data) for each, data in members])
        )

    return change


def replaced(name: str, data: bytes) -> Callable[[Members], bytes]:
    return lambda members: written(plain([(each, data if each == name else old) for each, old in members]))


def described(change: Callable[[Any], object]) -> Callable[[Members], bytes]:
    """With another manifest, and a row that says so."""

    def make(members: Members) -> bytes:
        held = dict(members)
        told = json.loads(held["manifest.json"])
        change(told)
        raw = json.dumps(told).encode()
        row = {**json.loads(held["version.json"]), "id": digest_of(raw)}
        held |= {"manifest.json": raw, "version.json": json.dumps(row).encode()}
        return written(plain(list(held.items())))

    return make


def parts_of(members: Members) -> Members:
    return [each for each in members if each[0] not in DOCUMENTS]


def exchanged(members: Members) -> Members:
    """Two parts with each other's bytes."""
    (first, one), (second, other) = parts_of(members)[:2]
    others = [each for each in members if each[0] not in (first, second)]
    return [*others, (first, other), (second, one)]


ARCHIVES: dict[str, Callable[[Members], bytes]] = {
    "members that overlap": lambda members: written(overlapping(members)),
    "a member above": renamed("../canary"),
    "a member above, as a part": renamed("parts/../../canary"),
    "a member with a whole path": renamed("/tmp/canary"),
    "a member in another folder": renamed("objects/ab/" + "0" * 62),
    "a folder as a part": renamed("parts/", b""),
    "a part with another's digest": renamed("parts/" + "0" * 64),
    "a digest in other digits": renamed("parts/" + "\u0661" * 64),
    "a digest in capitals": renamed("parts/" + digest_of(b"x").upper()),
    "a document twice": renamed("manifest.json", b"{}"),
    "a name with a NUL": renamed("parts/" + "0" * 64 + "\0.txt"),
    "a name that is no text": lambda members: written(plain([*members, ("parts/\udcff", b"x")]), flags=1 << 11),
    "a version of the format that nobody has": lambda members: written(plain(members)).replace(
        b"PK\x01\x02\x14\x03\x14\x00", b"PK\x01\x02\x14\x03\xff\x00"
    ),
    "members that want a password": lambda members: written(plain(members), flags=1),
    "members that are links": lambda members: written(
        plain([(name, data if name in DOCUMENTS else b"/etc/passwd") for name, data in members]), mode=0o120777
    ),
    "a member that is longer than the file": lambda members: written(
        [*plain(members), ("parts/" + digest_of(b"x" * 9_000_000), b"x" * 9_000_000, b"x")]
    ),
    "a member before the beginning": lambda members: written(plain(members)).replace(
        b"PK\x05\x06", b"PK\x05\x06" + b"\xff" * 4, 1
    ),
    "no document": lambda members: written(plain([each for each in members if each[0] not in DOCUMENTS])),
    "a manifest nested without end": replaced("manifest.json", DEEP),
    "a row nested without end": replaced("version.json", DEEP),
    "a row that is a number": replaced("version.json", b"1"),
    "events that nobody sealed": replaced("events.jsonl", b'{"seq":1}\n'),
    "events nested without end": replaced("events.jsonl", DEEP + b"\n"),
    "a model named like a path": changed("version.json", b'"model": "churn"', b'"model": "../../canary"'),
    "a model named like a device": changed("version.json", b'"model": "churn"', b'"model": "CON"'),
    "a model with a line in its name": changed("version.json", b'"model": "churn"', b'"model": "a\\nb"'),
    "a part twice": lambda members: written(plain([*members, parts_of(members)[0]])),
    "a part twice, once as another": lambda members: written(plain([*members, (parts_of(members)[0][0], b"x")])),
    "parts under each other's names": lambda members: written(plain(exchanged(members))),
    "a manifest that names a part that is not there": described(
        lambda told: told["artifacts"][0]["chunks"].append({"digest": "ab" * 32, "size": 1})
    ),
    "a manifest that names a part that is not there, many times": described(
        lambda told: told["artifacts"][0]["chunks"].extend([{"digest": "ab" * 32, "size": 1}] * 10_000)
    ),
    "another id": changed("version.json", b'"id": "', b'"id": "0'),
}  # fmt: skip


def linked_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


NO_FILES: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "a link to a pipe": linked_pipe,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a device without end": lambda path: path.symlink_to("/dev/random"),
    "a folder": lambda path: path.mkdir(),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to("nothing"),
}


@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_no_file_is_no_archive_and_keeps_nobody_waiting(tmp_path: Path, name: str) -> None:
    """Somebody who imports all of a folder that others write to comes to the end of it."""
    NO_FILES[name](tmp_path / "archive.nbreg")

    told = outcome(lambda: Registry(tmp_path / "mine").import_(tmp_path / "archive.nbreg", "churn"))

    assert told in ("bad-input", "store"), told
    assert not (tmp_path / "mine").exists()


@pytest.fixture
def members(tmp_path: Path) -> Members:
    """What an honest archive holds."""
    honest = Registry(tmp_path / "honest", settings=SETTINGS)
    version = honest.register("churn", {"n": list(range(100))}, artifacts={"more": {"m": list(range(99))}})
    path = honest.export(version, tmp_path / "honest.nbreg")
    with zipfile.ZipFile(path) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def everything(folder: Path) -> Iterator[str]:
    return (str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file())


def imported(members: Members, make: Callable[[Members], bytes], folder: Path) -> tuple[str, Registry]:
    (folder / "archive.nbreg").write_bytes(make(members))
    registry = Registry(folder / "mine", settings=SETTINGS)
    registry.register("mine", 1)
    return outcome(
        lambda: Registry(registry.location, settings=SETTINGS).import_(folder / "archive.nbreg")
    ), registry


def test_an_archive_written_by_hand_is_taken_in(members: Members, tmp_path: Path) -> None:
    """Else all of them would be refused for that."""
    told, registry = imported(members, lambda members: written(plain(members)), tmp_path)

    assert told == "loaded"
    assert registry.load("churn@1") == {"n": list(range(100))}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_hostile_archive_changes_nothing(members: Members, tmp_path: Path, name: str) -> None:
    """What a colleague sends by mail may have been on its way through other hands."""
    told, registry = imported(members, ARCHIVES[name], tmp_path)

    assert told in REFUSED, told
    assert [each.name for each in registry.models()] == ["mine"]
    assert not canary_sings()
    assert not [each for each in everything(tmp_path) if "canary" in each]
    assert registry.du().unreferenced < 1_000_000, "no bomb went off"
    assert registry.verify().ok


def test_parts_that_are_named_twice_are_one_part(members: Members, tmp_path: Path) -> None:
    """Two equal weights of a layer are stored once, and so is what somebody only says twice."""
    twice = described(lambda told: told["artifacts"].append({**told["artifacts"][1], "name": "again"}))

    told, registry = imported(members, twice, tmp_path)

    assert told == "loaded"
    assert registry.load("churn@1", "again") == registry.load("churn@1", "more") == {"m": list(range(99))}
    assert registry.du().objects == 2, "one of `mine`, one of `churn`"
    assert registry.verify().ok


def test_an_archive_of_two_names_is_one_like_any_other(members: Members, tmp_path: Path) -> None:
    """A hard link says nothing of what is in a file; writing another archive leaves both names as they are."""
    (tmp_path / "archive.nbreg").write_bytes(written(plain(members)))
    os.link(tmp_path / "archive.nbreg", tmp_path / "other.nbreg")
    registry = Registry(tmp_path / "mine", settings=SETTINGS)

    version = registry.import_(tmp_path / "other.nbreg")
    registry.export(version, tmp_path / "again.nbreg")

    assert (tmp_path / "archive.nbreg").read_bytes() == written(plain(members))
    assert (tmp_path / "again.nbreg").stat().st_nlink == 1


def test_a_large_part_comes_in_block_by_block(tmp_path: Path) -> None:
    """A model of many gigabytes is taken in on a machine that has less memory than that."""
    honest = Registry(tmp_path / "honest", settings=SETTINGS)
    path = honest.export(
        honest.register("churn", np.random.default_rng(0).random(4 << 20)), tmp_path / "a.nbreg"
    )
    registry = Registry(tmp_path / "mine", settings=SETTINGS)
    tracemalloc.start()
    try:
        version = registry.import_(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert path.stat().st_size > 32 << 20
    assert most < 8 << 20
    assert registry.verify().ok
    assert version.load().shape == (4 << 20,)
