"""What needs nobody's word when it is loaded, and what an attacker with the files can do: nothing."""

from __future__ import annotations

import copyreg
import os
import pickle
import subprocess
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from scipy import sparse
from sklearn.utils import Bunch

from nbreg import Registry, families, records
from nbreg.errors import CannotStoreError, DamagedObjectError, TrustError
from nbreg.families import aside, files
from nbreg.families.pickles import inspection, layers
from nbreg.families.pickles.standins import Instance, OddError, Weight
from nbreg.records import Artifact, Chunk, FileEntry
from nbreg.settings import Settings
from nbreg.store import blobs

# By what an array tells the pickler: numpy 2 has them in another place than numpy 1.
_reconstruct, _frombuffer = np.zeros(1).__reduce__()[0], np.zeros(1).__reduce_ex__(5)[0]

DTYPES = ("?", "i1", ">i4", "u8", "f2", "f4", "g", "c16", "S3", "<U3", ">U3", "M8[ns]", "m8[25s]", "M8[D]")
ARRAYS = [np.zeros((2, 3), dtype) for dtype in DTYPES]
PLAIN = [
    None, 1, "text", b"b", [1, {"a": (2, {3})}], object(), slice(1, None), range(3), 1 + 2j, bytearray(b"x"),
    datetime.now(UTC), datetime(2026, 1, 1), date(2026, 1, 1), time(1, 2), timedelta(1),
    timezone(timedelta(hours=1), "x"), UUID(int=7), Decimal("1.5"), Fraction(1, 3), OrderedDict(a=1),
    deque([1], 3), deque([1]), frozenset([1]), *ARRAYS, *(array.dtype for array in ARRAYS),
    *(array.T for array in ARRAYS), *(array[:, ::2] for array in ARRAYS), *(array[:0] for array in ARRAYS),
    np.zeros((2, 2, 2)).transpose(1, 0, 2), {"w": [np.ones(2)]}, np.array(3.0),
    np.array([1, "a", [np.ones(2)]], object), np.zeros(2, "i4,f8"), np.zeros(2, [("a", "f4"), ("b", "U3")]),
    np.float64(1), np.int8(1), np.str_("ab"), np.datetime64("2026-01-01"), np.bool_(True), np.float32, list,
    np.log1p, np.random.RandomState(1), np.random.default_rng(1), np.ma.MaskedArray([1.0, 2.0], [True, False]),
    Counter("abca"), defaultdict(list, a=[1]), defaultdict(None, {}), PurePosixPath("a/b"), {(1, (2, "x")): 2**70},
    sparse.csr_matrix(np.eye(3)), sparse.csc_array(np.eye(3)), Bunch(a=1, b=np.ones(2)),
]  # fmt: skip


@pytest.mark.parametrize(
    "value", PLAIN, ids=lambda value: f"{type(value).__name__}-{value!r}".split(" at 0")[0][:40]
)
@pytest.mark.parametrize("protocol", [4, 5])
def test_honest_plain_values_need_no_word(value: object, protocol: int) -> None:
    """Weights and settings are for everyone, whatever pickle says of them."""
    buffers: list[pickle.PickleBuffer] = []
    if protocol == 4 or not sparse.issparse(
        value
    ):  # its numbers are looked at, which bytes in a bytearray allow not
        assert inspection.untrusted_in(pickle.dumps(value, protocol)) == []
    beside = pickle.dumps(value, 5, buffer_callback=buffers.append)
    assert inspection.untrusted_in(beside, lambda index: bytes(buffers[index].raw())) == []


class Does:
    """Pickled as a call, with a state where one is given."""

    def __init__(self, made: Any, *args: Any, state: Any = None) -> None:
        self.told = (made, args) if state is None else (made, args, state)

    def __reduce__(self) -> Any:
        return self.told


def text(word: str) -> bytes:
    return pickle.SHORT_BINUNICODE + bytes([len(word)]) + word.encode()


def named(module: str, name: str) -> bytes:
    return text(module) + text(name) + pickle.STACK_GLOBAL


def built(module: str, name: str, attribute: str, value: bytes) -> bytes:
    """A stream that sets an attribute of a global."""
    state = pickle.NONE + pickle.EMPTY_DICT + text(attribute) + value + pickle.SETITEM + pickle.TUPLE2
    return b"\x80\x04" + named(module, name) + state + pickle.BUILD + pickle.STOP


BYTES = b"A" * 8
CLEARED = Does(np.dtype, "O8", False, True, state=(3, "|", None, None, None, -1, -1, 0))
FIELD = Does(np.dtype, "V8", False, True, state=(3, "|", None, ("f",), {"f": (np.dtype("O"), 0)}, 8, 1, 0))
SHARED = Does(np.dtype, "f8", False, False, state=(3, ">", None, None, None, -1, -1, 0))
FLAGS = Does(np.dtype, "f8", False, True, state=(3, "<", None, None, None, -1, -1, 63))
EMPTY = Does(_reconstruct, np.ndarray, (0,), b"b")
HOSTILE = {
    "an array of pointers": pickle.dumps(Does(frozenset, Does(np.ndarray, (1,), "O", BYTES)), 5),
    "a dtype without its flag": pickle.dumps(Does(_frombuffer, BYTES, CLEARED, (1,), "C"), 5),
    "a dtype with a field of objects": pickle.dumps(Does(_frombuffer, BYTES, FIELD, (1,), "C"), 5),
    "a dtype that all share": pickle.dumps(SHARED, 5),
    "a dtype with flags": pickle.dumps(FLAGS, 5),
    "an array longer than its bytes": pickle.dumps(
        Does(_reconstruct, np.ndarray, (0,), b"b", state=(1, (9,), np.dtype("f8"), False, BYTES)), 5
    ),
    "an array of something else": pickle.dumps(Does(_reconstruct, list, (0,), b"b"), 5),
    "an array of a size": pickle.dumps(Does(_reconstruct, np.ndarray, (9,), b"O"), 5),
    "a view of an array that is filled later": pickle.dumps(Does(_frombuffer, EMPTY, np.dtype("f8"), (0,), "C"), 5),
    "something unknown in an array": pickle.dumps(np.array([1, Does(np.log1p, 1)], object), 5),
    "a structured array of objects": pickle.dumps(np.zeros(2, "i4,O"), 5),
    "a method of a class": built("fractions", "Fraction", "__float__", named("builtins", "list")),
    "a function's defaults": built(_frombuffer.__module__, "_frombuffer", "__defaults__", pickle.EMPTY_TUPLE),
    "an item of a class": b"\x80\x04" + named("builtins", "list") + b"K\x01K\x01s.",
    "an element of a class": b"\x80\x04" + named("builtins", "list") + b"K\x01a.",
    "a class made by __new__": b"\x80\x04" + named("numpy", "ndarray") + b"K\x01\x85\x81.",
    "an attribute of a class": b"\x80\x04" + named("fractions", "Fraction.__init__") + b".",
    "a codec that is imported": pickle.dumps(Does(__import__("_codecs").encode, "x", "rot13"), 5),
    "a state for a value": pickle.dumps(Does(Fraction, 1, 2, state=(None, {"x": 1})), 5),
    "room for the whole memory": pickle.dumps(Does(bytearray, 1 << 60), 5),
    "a persistent id": b"\x80\x04K\x01Q.",
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_harmless_names_do_no_harm(what: str) -> None:
    """Only names from the list, and yet memory or the process's own classes would be changed."""
    assert inspection.untrusted_in(HOSTILE[what]) != []


def test_an_array_is_filled_once() -> None:
    """A second state frees the memory that views of the array look at."""
    stream = pickle.dumps(np.array(["2026"], "M8[s]"), 4)
    array = stream[stream.index(text(_reconstruct.__module__)) :][:-1]
    assert inspection.untrusted_in(b"\x80\x04" + array + b".") == []
    state = array[array.rindex(pickle.MARK) :]  # ends with BUILD
    assert state.endswith(pickle.BUILD)
    assert inspection.untrusted_in(b"\x80\x04" + array + state + b".") != []


def test_numbered_globals_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The unpickler remembers what a number stands for, and does not ask again."""
    refused = f"{inspection.UNREADABLE}: it has the opcode {pickle.EXT1!r}"
    copyreg.add_extension("posix", "system", 77)
    try:
        stream = b"\x80\x04\x82\x4d" + text("true") + b"\x85R."
        assert inspection.untrusted_in(stream) == [refused]
        assert 77 not in copyreg._extension_cache  # type: ignore[attr-defined]
        monkeypatch.setitem(copyreg._extension_cache, 77, os.system)  # type: ignore[attr-defined]
        assert inspection.untrusted_in(stream) == [refused]
    finally:
        copyreg.remove_extension("posix", "system", 77)
    assert inspection.untrusted_in(stream) == [refused]


def a_stranger(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))


def test_what_was_inspected_is_what_is_loaded(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone who can write to the folder changes the file after its digest was checked."""
    value = "x" * 400_000  # a file of its own, large enough to be mapped
    version = registry.register("churn", value)
    stream = version.artifacts["model"].chunks[0].digest
    path = registry._desk.folder.blobs.path(stream)
    evil = b"cos\nsystem\n(S'touch pwned'\ntR."
    digest_of = records.digest_of

    def digest_then_change(data: Any) -> str:
        digest = digest_of(data)
        if digest == stream:
            path.chmod(0o644)
            with path.open("r+b") as file:
                file.write(evil)
        return digest

    monkeypatch.setattr(blobs, "digest_of", digest_then_change)
    a_stranger(monkeypatch, tmp_path / "other")
    assert Registry(registry.location).load("churn") == value
    assert path.read_bytes().startswith(evil), "the attack happened"
    assert not Path("pwned").exists()
    with pytest.raises(DamagedObjectError):
        Registry(registry.location).load("churn")


def test_odd_streams_ask_for_consent(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way: what is no plain array is refused to those who did not register it."""
    version = registry.register("churn", np.array([attrgetter("x"), "a"], object))
    assert version.load()[1] == "a"
    a_stranger(monkeypatch, tmp_path / "other")
    with pytest.raises(TrustError, match=r"operator\.attrgetter"):
        version.load()
    assert version.load(trust=True)[1] == "a"


def test_the_guarded_unpickler_refuses_other_names() -> None:
    """The second line of defence, should inspection ever miss one."""
    from nbreg.families.pickles.contracts import Guarded, OddError

    for stream in (b"cos\nsystem\n.", b"\x80\x04" + named("fractions", "Fraction.__init__") + b"."):
        with pytest.raises(OddError):
            Guarded(__import__("io").BytesIO(stream)).load()


def test_values_that_cannot_be_are_damage(registry: Registry) -> None:
    """A crafted stream of plain values ends in an error that callers expect."""
    for stream in (pickle.dumps(Does(Decimal, "x"), 5), pickle.dumps(Does(date, b"zzzz"), 5)):
        chunk = Chunk(digest="0" * 64, size=len(stream))
        artifact = Artifact(name="model", kind="object", family="generic", form="pickle5", chunks=[chunk])

        def read(chunk: Chunk, *, private: bool = False, stream: bytes = stream) -> bytearray:
            return bytearray(stream)

        opened = families.open_artifact(artifact, read)
        assert opened.untrusted == []
        with pytest.raises(DamagedObjectError, match="cannot be made"):
            opened.load()


# objects that are no regular files, or that cannot be stored


def test_a_pipe_in_place_of_an_object_does_not_hang(registry: Registry) -> None:
    """Opening one waits for a writer that never comes."""
    path = registry._desk.folder.blobs.path(registry.register("churn", 1).row.bundle)
    path.unlink()
    os.mkfifo(path)
    code = f"import nbreg; nbreg.Registry({str(registry.location)!r}).load('churn')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "no regular file" in done.stderr


def test_a_copyreg_reducer_of_the_users_is_used_where_a_family_takes_nothing_out() -> None:
    """Somebody who told pickle how to write a class is heard, also while another part of it is taken out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(copyreg.dispatch_table, Slotted, lambda value: (Slotted, ("by the user",)))
        with aside.taken_out((Slotted,), lambda value: None):
            told = pickle.loads(pickle.dumps(Slotted("own")))
        assert copyreg.dispatch_table[Slotted](Slotted("own")) == (Slotted, ("by the user",))
    assert told.name == "by the user"


class Slotted:
    def __init__(self, name: str) -> None:
        self.name = name


def test_a_comparison_of_hostile_streams_comes_to_an_end(registry: Registry) -> None:
    """Nothing of them would run, but an unpickler that believes them may hash for longer than anybody lives."""
    deep: Any = ()
    for _ in range(60):
        deep = (deep, deep)
    slow = b"\x80\x05}" + pickle.dumps(deep, 5)[2:-1] + b"Ns."
    code = f"""
from nbreg import Registry, families
from nbreg.families.arrays import arrays_of
from nbreg.records import Artifact, Chunk, digest_of
slow = {slow!r}
chunk = Chunk(digest=digest_of(slow), size=len(slow))
print(arrays_of(Artifact(name='m', kind='object', family='generic', form='pickle5', token='', chunks=[chunk]), lambda _: slow))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "{}\n", done.stderr


def test_a_deep_object_that_cannot_be_pickled_says_so(registry: Registry) -> None:
    """And not with an endless traceback."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(CannotStoreError, match=r"list\[0\]\[0\].*… cannot be pickled"):
        registry.register("churn", deep)


def test_data_that_cannot_be_walked_has_a_digest() -> None:
    """Two data sets that are too large for a token are two data sets."""
    first, second = ({str(i): (i, last) for i in range(60_000)} for last in (1, 2))
    assert families.snapshot(first) != families.snapshot(second)
    assert families.snapshot(first) == families.snapshot(dict(first))
    assert families.snapshot(line for line in range(3)) == "", "it has neither a value nor bytes"
    with pytest.raises(CannotStoreError):
        families.snapshot(Path("nothing-there"))


# files


def test_a_program_stays_one(registry: Registry, tmp_path: Path) -> None:
    """A single file keeps its executable bit, as a file in a folder does."""
    program = tmp_path / "run.sh"
    program.write_text("#!/bin/sh\n")
    plain = registry.register("churn", program)
    program.chmod(0o755)
    version = registry.register("churn", program)
    assert not plain.load().stat().st_mode & 0o100
    assert version.load().stat().st_mode & 0o100
    assert version.number == 2


def entry(path: str) -> FileEntry:
    return FileEntry(path=path, digest="0" * 64, size=1)


@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        ("folder", ["a", "a/b"]), ("folder", ["a/b", "a"]), ("folder", ["a", "a"]), ("folder", ["a", "./a"]),
        ("file", []), ("file", ["a", "b"]), ("folder", ["x" * 300]), ("folder", ["x/" * 2000 + "x"]),
        ("folder", ["./.."]), ("folder", ["\udcff"]), ("folder", ["."]),
    ],
)  # fmt: skip
def test_files_that_nobody_stored_are_damage(kind: Any, paths: list[str]) -> None:
    """A crafted record is refused before anything is written."""
    artifact = Artifact(
        name="model", kind=kind, family="files", form="raw", files=[entry(each) for each in paths]
    )

    def read(chunk: Chunk, *, private: bool = False) -> bytearray:
        return bytearray(b"x")

    with pytest.raises(DamagedObjectError):
        files.Opened(artifact, read).load()


@pytest.mark.parametrize(
    ("name", "mode", "gates", "is_honest"),
    [("LSTM", "LSTM", 4, True), ("GRU", "GRU", 3, False), ("RNN", "RNN_TANH", 1, False)],
)
def test_only_an_lstm_projects(name: str, mode: str, gates: int, is_honest: bool) -> None:
    """torch's other recurrent layers count their weights by fours, and would take each for another one."""
    layer = Instance(f"torch.nn.modules.rnn.{name}")
    shapes = [
        {
            f"weight_ih_l{n}": (gates * 4, 2 if n else 3), f"weight_hh_l{n}": (gates * 4, 2),
            f"bias_ih_l{n}": (gates * 4,), f"bias_hh_l{n}": (gates * 4,), f"weight_hr_l{n}": (2, 4),
        }
        for n in range(4)
    ]  # fmt: skip
    weights = {key: Weight((key,)) for each in shapes for key in each}
    for key, weight in weights.items():
        weight.find({key: ("F32", next(each[key] for each in shapes if key in each))})
    layer.__setstate__(
        {
            "mode": mode, "input_size": 3, "hidden_size": 4, "num_layers": 4, "proj_size": 2, "bias": True,
            "bidirectional": False, "batch_first": False, "_parameters": weights, "_buffers": {}, "_modules": {},
            "_all_weights": [list(each) for each in shapes], "_flat_weights_names": list(weights),
            "_flat_weights": list(weights.values()),
        }
    )  # fmt: skip

    if is_honest:
        layers.RULES[layer.name](layer)
    else:
        with pytest.raises(OddError, match="proj_size"):
            layers.RULES[layer.name](layer)


def test_a_name_that_is_no_text_cannot_be_stored(registry: Registry, tmp_path: Path) -> None:
    """The record of a folder is JSON."""
    folder = tmp_path / "folder"
    folder.mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_text("x")
    with pytest.raises(CannotStoreError, match="not UTF-8"):
        registry.register("churn", folder)


def test_a_loaded_file_outlives_a_fork_and_not_its_process(tmp_path: Path) -> None:
    """A worker that ends does not take the model's file with it."""
    (tmp_path / "a.txt").write_text("hello")
    code = f"""
import os, sys, nbreg
from pathlib import Path
registry = nbreg.Registry({str(tmp_path / "r")!r})
registry.register("churn", Path({str(tmp_path / "a.txt")!r}))
path = registry.load("churn")
if not os.fork():
    sys.exit()
os.wait()
assert path.read_text() == "hello"
print(path, end="")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("a.txt")
    assert not Path(done.stdout).parent.exists()


SETTINGS = Settings(capture=False)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Without capturing: it is not what is asked here."""
    return Registry(tmp_path / "registry", settings=SETTINGS)
