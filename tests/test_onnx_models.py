"""ONNX models with the real library: the same bytes, the same predictions, and no file of anybody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbreg import Registry, families
from nbreg.errors import CannotStoreError, DamagedObjectError
from nbreg.families import wire
from nbreg.families.describing import describe
from nbreg.records import Artifact, Chunk, digest_of
from nbreg.settings import Settings

onnx = pytest.importorskip("onnx", reason="onnx is not installed here")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed here")
helper, FLOAT = onnx.helper, onnx.TensorProto.FLOAT
X = np.random.default_rng(0).normal(size=(8, 3)).astype("f4")


def model_of(weights: Any = None, *, within: bool = False) -> Any:
    """A layer and its activation; or the same in a branch."""
    given = np.arange(6, dtype="f4").reshape(3, 2) if weights is None else weights
    tensor = onnx.numpy_helper.from_array(given, "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Relu", ["z"], ["y"])]
    taken = [helper.make_tensor_value_info("x", FLOAT, ["rows", 3])]
    given_back = [helper.make_tensor_value_info("y", FLOAT, ["rows", 2])]
    if within:
        inner = helper.make_graph([helper.make_node("Constant", [], ["c"], value=tensor)], "in", [], [])
        nodes.append(helper.make_node("If", ["x"], [], then_branch=inner, else_branch=inner))
        tensor = onnx.numpy_helper.from_array(given, "w")
    graph = helper.make_graph(nodes, "net", taken, given_back, [tensor])
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10, producer_name="test"
    )


def outputs(model: Any) -> Any:
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": X})[0]


def outside(location: str, *, within: bool = False) -> Any:
    model = model_of(within=within)
    tensor = model.graph.initializer[0]
    if within:
        tensor = model.graph.node[2].attribute[0].g.node[0].attribute[0].t
    onnx.external_data_helper.set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    return model


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=Settings(capture=False))


def test_a_model_comes_back_without_anybodys_word(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are data: a stranger loads it, and it predicts the same."""
    model = model_of()
    version = registry.register("net", model)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
    loaded = version.load(trust=False)
    assert loaded == model
    assert np.array_equal(outputs(loaded), outputs(model))
    assert registry.register("net", loaded).number == version.number


def test_other_weights_are_another_version(registry: Registry) -> None:
    """A graph that was trained on is not the one that is there already."""
    weights = np.ones((3, 2), "f4")
    assert registry.register("net", model_of()).number == 1
    assert registry.register("net", model_of(weights)).number == 2
    assert np.array_equal(outputs(registry.load("net@2")), outputs(model_of(weights)))


def test_it_leaves_as_an_ordinary_file(registry: Registry, tmp_path: Path) -> None:
    """Any runtime reads it, with no nbreg in sight."""
    registry.register("net", model_of())
    registry.pull("net@1", tmp_path / "out")
    (path,) = (tmp_path / "out").rglob("*.onnx")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert np.array_equal(session.run(None, {"x": X})[0], outputs(model_of()))


def test_it_is_described() -> None:
    """What goes in, what comes out, and what is in between."""
    told = describe.ask(model_of())
    assert told.architecture == {
        "class": "onnx.onnx_ml_pb2.ModelProto",
        "inputs": {"x": "float32 [rows, 3]"},
        "outputs": {"y": "float32 [rows, 2]"},
        "operators": {"MatMul": 1, "Relu": 1},
    }
    assert (told.params, told.width) == ({"producer": "test", "opsets": {"ai.onnx": 21}}, 3)


def test_it_is_proven_by_a_runtime(tmp_path: Path) -> None:
    """A clean process loads it and predicts on the rows that it was registered with."""
    registry = Registry(tmp_path / "r")
    proof = registry.register("net", model_of(), data={"train": X}).prove()
    assert (proof.verdict, proof.rows) == ("loads", 8), proof
    assert registry.get("net").prove().verdict == "equal"


def test_a_file_comes_back_as_a_file(registry: Registry, tmp_path: Path) -> None:
    """As it was given; and a folder together with the weights that the model keeps beside it."""
    onnx.save(model_of(), tmp_path / "net.onnx")
    loaded = registry.register("net", tmp_path / "net.onnx").load()
    assert np.array_equal(outputs(onnx.load(loaded)), outputs(model_of()))

    large = model_of(np.ones((3, 2), "f4"))
    expected = outputs(large)
    folder = tmp_path / "folder"
    folder.mkdir()
    onnx.save(large, folder / "net.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    back = registry.register("large", folder).load()
    assert np.array_equal(outputs(onnx.load(back / "net.onnx")), expected)
    with pytest.raises(CannotStoreError, match=r"'net.onnx' keeps tensors in 'w.bin'"):
        registry.register("half", folder / "net.onnx")


@pytest.mark.parametrize("within", [False, True], ids=["in the graph", "in a branch"])
def test_a_model_without_its_weights_is_not_stored(registry: Registry, within: bool) -> None:
    """It would be half a model wherever it is loaded."""
    with pytest.raises(CannotStoreError, match="keeps its tensors in other files"):
        registry.register("net", outside("w.bin", within=within))


PLACES = ["/etc/passwd", "../../secret", "a/../../secret", "C:\\secret", "..\\secret", "elsewhere.bin"]


@pytest.mark.parametrize("within", [False, True], ids=["in the graph", "in a branch"])
@pytest.mark.parametrize("place", PLACES)
def test_a_model_that_names_files_of_others_is_refused(place: str, within: bool, tmp_path: Path) -> None:
    """Whoever uses it would hand its maker the bytes of that file; stored as an object or as a file."""
    data = outside(place, within=within).SerializeToString()
    chunk = Chunk(digest=digest_of(data), size=len(data))
    told = Artifact(name="m", kind="object", family="onnx", form="onnx", token=chunk.digest, chunks=[chunk])
    with pytest.raises(DamagedObjectError):
        families.open_artifact(told, lambda chunk, private=False: bytearray(data))

    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    with pytest.raises(CannotStoreError):
        families.dump("m", path)
    path.write_bytes(model_of().SerializeToString())
    stored = families.dump("m", path).artifact
    with pytest.raises(DamagedObjectError):
        families.open_artifact(stored, lambda chunk, private=False: bytearray(data)).load()
    with pytest.raises(DamagedObjectError):
        list(families.plain_files(stored, lambda chunk, private=False: bytearray(data)))


def test_bytes_that_are_no_model_are_refused() -> None:
    """Cut off, without end, too deep, or something else altogether: none of it ends the process."""
    whole = model_of().SerializeToString()
    deep = b""
    for _ in range(200):
        deep = b"\x32" + _varint(len(deep)) + deep  # an attribute's graph
        deep = b"\x2a" + _varint(len(deep)) + deep  # a node's attribute
        deep = b"\x0a" + _varint(len(deep)) + deep  # a graph's node
    hostile = [whole[:at] for at in range(0, len(whole), 7)]
    hostile += [
        b"\x3a" + b"\xff" * 20,
        b"\x3a\xff\xff\xff\xff\x0f",
        b"\x0b" * 1000,
        b"\x3a" + _varint(len(deep)) + deep,
    ]
    for data in hostile:
        try:
            found = wire.look(data)
        except wire.NoModelError:
            continue
        assert not found.outside  # cut where a field ends: it is shorter, and whole
    for data in hostile[-4:]:
        with pytest.raises(wire.NoModelError):
            wire.look(data)


def test_a_file_in_a_field_that_nobody_writes_is_found_too() -> None:
    """Groups are read past as protocol buffers do, and a graph that stands twice is read twice."""
    data = (
        b"\x9b\x3e\x08\x01\x9c\x3e"
        + model_of().SerializeToString()
        + outside("/etc/passwd").SerializeToString()
    )
    assert wire.look(data).outside == ["/etc/passwd"]
    assert onnx.ModelProto.FromString(data).graph.initializer[1].external_data[0].value == "/etc/passwd"


def _field(number: int, data: bytes, above: int = 0) -> bytes:
    return _varint(number << 3 | 2 | above << 32) + _varint(len(data)) + data


def _hidden_behind_a_tag() -> bytes:
    """A tensor whose tag has bits that readers in C++ drop."""
    graph = outside("../secret").graph
    tensor = graph.initializer[0].SerializeToString()
    graph.ClearField("initializer")
    return _field(7, graph.SerializeToString() + _field(5, tensor, above=1))


def _hidden_in_the_deep() -> bytes:
    """As deep as readers go, and deeper than the look goes."""
    data = outside("../secret").SerializeToString()[-200:]
    for _ in range(31):
        data = _field(1, _field(5, _field(6, data)))
    return _field(7, data)


HIDDEN = {
    "behind more fields than are looked at": lambda: (
        b"\xfa\x07\x00" * (wire.MOST + 1) + outside("../secret").SerializeToString()
    ),
    "behind a name that is no text": lambda: (
        outside("../secret").SerializeToString().replace(b"MatMul", b"Mat\xfful")
    ),
    "behind a tag that is too long": _hidden_behind_a_tag,
    "in the deep": _hidden_in_the_deep,
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_file_that_is_hidden_from_the_look_is_found_or_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What onnxruntime would read, and the look does not, would be opened after all."""
    monkeypatch.setattr(wire, "MOST", 10_000)
    path = tmp_path / "m.onnx"
    path.write_bytes(HIDDEN[name]())
    with pytest.raises(CannotStoreError, match="is not stored with it"):
        families.dump("m", path)


def test_a_forest_of_millions_of_numbers_is_stored() -> None:
    """ONNX does not pack them: each is a field of its own."""
    model = model_of()
    model.graph.node[0].attribute.append(helper.make_attribute("nodes", [1, 300, -1] * 2_000_000))
    model.graph.node[0].attribute.append(helper.make_attribute("weights", [0.5] * 1_000_000))
    assert not wire.look(model.SerializeToString()).outside


def test_a_model_of_nothing_is_refused_in_words(registry: Registry) -> None:
    """An error of the tool's, not one of its inside."""
    with pytest.raises(CannotStoreError, match="it has no graph"):
        registry.register("net", onnx.ModelProto())


def _varint(value: int) -> bytes:
    found = b""
    while value > 0x7F:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])
