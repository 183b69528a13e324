"""A model of many large arrays: mapped, with no open file for each."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import numpy as np
import pytest
from children import run

from nbreg import Registry
from nbreg.store.mapping import mapped

MANY = """
import resource
import numpy as np

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
registry = Registry(sys.argv[1], settings=QUICK)
if sys.argv[2] == "store":
    registry.register("net", [np.full(1 << 16, i, np.float32) for i in range(200)])
loaded = registry.load("net@1")
print(json.dumps([float(each[-1]) for each in loaded]))
"""


@pytest.mark.parametrize("first", ["store", "load"])
def test_a_model_has_more_large_arrays_than_files_may_be_open(first: str, tmp_path: Path) -> None:
    """Language models have hundreds of tensors, and most processes may have 1,024 files open."""
    folder = tmp_path / ".nbreg"
    if first == "load":
        arrays = [np.full(1 << 16, i, np.float32) for i in range(200)]
        Registry(folder).register("net", arrays)

    assert json.loads(run(MANY, folder, first)) == [float(i) for i in range(200)]


def test_what_is_mapped_is_ones_own_and_let_go_with_its_last_view(tmp_path: Path) -> None:
    """An array that is trained on changes no file; a kernel that reloads all day keeps no memory."""
    file = tmp_path / "part"
    file.write_bytes(b"abc")
    with file.open("rb") as opened:
        view = mapped(opened.fileno(), 3)
    array = np.frombuffer(view, np.uint8)
    array[0] = ord("x")
    assert (bytes(view), file.read_bytes()) == (b"xbc", b"abc")

    del view
    gc.collect()
    assert str(file) in Path("/proc/self/maps").read_text()
    assert bytes(array) == b"xbc"
    del array
    gc.collect()
    assert str(file) not in Path("/proc/self/maps").read_text()


def test_what_cannot_be_mapped_says_why(tmp_path: Path) -> None:
    """A pipe in an object's place is a refusal, and no crash."""
    with (tmp_path / "part").open("wb") as opened, pytest.raises(OSError, match="Permission denied"):
        mapped(opened.fileno(), 3)
