"""What may lie in a folder besides files, on the way in and on the way out."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from victim import outcome

from nbreg import Registry
from nbreg.settings import Settings

SETTINGS = Settings(capture=False)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))  # a socket's path may be no longer than a hundred characters


def device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes devices")


ODD: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "a socket": listening,
    "a device": device,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to a file of the user's": lambda path: path.symlink_to("/etc/passwd"),
    "a link to the folder itself": lambda path: path.symlink_to("."),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    "a link that goes up and comes back": lambda path: path.symlink_to(f"../{path.parent.name}/../mine"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    (made / "weights.bin").write_bytes(b"w" * 100)
    (tmp_path / "mine").write_text("mine")
    return made


# Who names a link means what it leads to, which may be a file.
GIVEN = [
    *((name, "below") for name in ODD),
    *((name, "alone") for name in ODD if "device" in name or "link" not in name),
]


@pytest.mark.parametrize(("name", "given"), GIVEN)
def test_what_is_no_file_is_not_taken_in(tmp_path: Path, folder: Path, name: str, given: str) -> None:
    """Neither waits for a writer nor reads a device without end, and a link carries nothing in from elsewhere."""
    ODD[name](folder / "odd")
    registry = Registry(tmp_path / "r", settings=SETTINGS)

    told = outcome(lambda: registry.register("m", folder if given == "below" else folder / "odd"))

    assert told == "cannot-store"
    assert not (tmp_path / "r").exists() or registry.models() == []


def test_a_file_of_two_names_is_two_files_afterwards(tmp_path: Path, folder: Path) -> None:
    """Changing one that was loaded or pulled changes neither the other nor what it came from."""
    os.link(tmp_path / "mine", folder / "a.txt")
    os.link(tmp_path / "mine", folder / "b.txt")
    registry = Registry(tmp_path / "r", settings=SETTINGS)
    version = registry.register("m", folder)

    loaded = registry.load(version)
    pulled = registry.pull(version, tmp_path / "out") / "artifacts" / "model"

    for each in (loaded, pulled):
        assert (each / "a.txt").stat().st_nlink == 1
        (each / "a.txt").write_text("changed")
        assert (each / "b.txt").read_text() == "mine"
    assert (tmp_path / "mine").read_text() == "mine"
    assert registry.verify().ok


@pytest.mark.parametrize("name", ["version.json", "artifacts/model/weights.bin"])
@pytest.mark.parametrize("kind", ["two names", "a link", "a pipe"])
def test_what_is_pulled_replaces_a_name_and_not_what_it_stands_for(
    tmp_path: Path, folder: Path, name: str, kind: str
) -> None:
    """In a folder that somebody prepared, nothing is written through a name into another file."""
    registry = Registry(tmp_path / "r", settings=SETTINGS)
    registry.register("m", folder)
    target = tmp_path / "out" / name
    target.parent.mkdir(parents=True)
    if kind == "two names":
        os.link(tmp_path / "mine", target)
    elif kind == "a link":
        target.symlink_to(tmp_path / "mine")
    else:
        os.mkfifo(target)

    assert outcome(lambda: registry.pull("m@1", tmp_path / "out", overwrite=True)) == "loaded"

    assert (tmp_path / "mine").read_text() == "mine"
    assert stat.S_ISREG(target.lstat().st_mode)
    assert target.stat().st_nlink == 1
