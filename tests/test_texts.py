"""The text of a code file is kept in mind, and never taken for that of a file that may have changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbreg.capture import texts


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Files count as settled as soon as they are written."""
    monkeypatch.setattr(texts, "SETTLED_NS", -3_600_000_000_000)
    yield
    texts._known.clear()


@pytest.mark.usefixtures("settled")
def test_a_file_that_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    """A sweep of a thousand registrations does not read its twenty modules a thousand times."""
    path = tmp_path / "helpers.py"
    path.write_text("x = 1\n")

    assert texts.read(str(path), 100).text is texts.read(str(path), 100).text


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("how", ["edited", "replaced"])
def test_another_text_of_the_same_size_and_time_is_noticed(tmp_path: Path, how: str) -> None:
    """An editor, a checkout and `cp -p` can leave size and time as they were; the version must say what ran."""
    path, other = tmp_path / "helpers.py", tmp_path / "other.py"
    path.write_text("RATE = 1\n")
    os.utime(path, ns=(10**18, 10**18))
    assert texts.read(str(path), 100).text == "RATE = 1\n"

    if how == "edited":
        before = path.stat().st_ctime_ns
        while path.stat().st_ctime_ns == before:  # within one tick of the clock nobody could tell
            path.write_text("RATE = 2\n")
            os.utime(path, ns=(10**18, 10**18))
    else:
        other.write_text("RATE = 2\n")
        os.utime(other, ns=(10**18, 10**18))
        other.rename(path)

    assert texts.read(str(path), 100).text == "RATE = 2\n"


def test_a_file_that_is_being_worked_on_is_read_each_time(tmp_path: Path) -> None:
    """Two changes within one tick of the clock bear the same time: only what is left alone is kept in mind."""
    path = tmp_path / "helpers.py"
    for number in range(100, 110):
        path.write_text(f"x = {number}\n")

        assert texts.read(str(path), 100).text == f"x = {number}\n"
        # Not every file system has such a clock: that it is read each time shows in another object.
        assert texts.read(str(path), 100).text is not texts.read(str(path), 100).text


@pytest.mark.usefixtures("settled")
def test_a_file_that_is_too_large_has_no_text(tmp_path: Path) -> None:
    """Its size says why, whoever asked for more of it before."""
    path = tmp_path / "helpers.py"
    path.write_text("x = 1\n")

    for most, text in ((5, ""), (6, "x = 1\n"), (5, "")):
        found = texts.read(str(path), most)

        assert (found.text, found.size) == (text, 6)


@pytest.mark.usefixtures("settled")
def test_what_is_kept_in_mind_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that lives for weeks does not collect the texts of all that was ever imported in it."""
    monkeypatch.setattr(texts, "KEPT_BYTES", 100)
    for number in range(20):
        path = tmp_path / f"module_{number}.py"
        path.write_text("#" * 30)
        texts.read(str(path), 100)

    assert sum(each.size for _, each in texts._known.values()) <= 100


def test_a_file_that_is_gone_is_an_error_of_the_system(tmp_path: Path) -> None:
    """Whoever asks knows what to say of it."""
    with pytest.raises(FileNotFoundError):
        texts.read(str(tmp_path / "gone.py"), 100)
