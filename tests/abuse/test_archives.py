"""Archives that `nbreg export` never wrote: they take nothing in, write nowhere else, and hold no more than they are."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

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
    "another id": changed("version.json", b'"id": "', b'"id": "0'),
}  # fmt: skip


@pytest.fixture
def members(tmp_path: Path) -> Members:
    """What an honest archive holds."""
    honest = Registry(tmp_path / "honest", settings=SETTINGS)
    path = honest.export(honest.register("churn", {"n": list(range(100))}), tmp_path / "honest.nbreg")
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
